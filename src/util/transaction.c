/*
 * transaction.c
 *	  Transactions by their 64-bit ids: which ones are running, and how the others
 *	  have ended.
 *
 * Index entries hold 64-bit transaction ids.  The server's own functions take 32
 * bits, which repeat after four billion transactions and are compared modulo
 * 2^32, but a batch may be asked about at any age.  So one rule:
 *
 *	  Ids are compared with 64 bits, against values that were read for this
 *	  question.  The server is asked only about an id that lies between them.
 *
 * TransactionIdIsInProgress() breaks this rule: it compares first with RecentXmin,
 * which dates from the process's last snapshot, and the sync process takes none.
 * Here each round takes a snapshot, which says itself which transactions were
 * running.
 *
 * The server may have cut the part of its commit log that tells of a transaction,
 * see commit_log.c.  The outcome is TRANSACTION_FORGOTTEN then, which no caller may
 * take for committed or aborted.
 *
 * Locks: XactTruncationLock while an outcome is looked up.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "storage/procarray.h"
#include "util/compat.h"
#include "util/transaction.h"
#include "utils/snapmgr.h"

/* ---- 64-bit ids ---------------------------------------------------------- */

uint64
pgt_transaction_full_id_before(TransactionId xid, FullTransactionId next)
{
	uint32		epoch = EpochFromFullTransactionId(next);

	if (xid > XidFromFullTransactionId(next))
		epoch--;
	return U64FromFullTransactionId(FullTransactionIdFromEpochAndXid(epoch, xid));
}

uint64
pgt_transaction_full_id(TransactionId xid)
{
	return pgt_transaction_full_id_before(xid, ReadNextFullTransactionId());
}

TransactionOutcome
pgt_transaction_outcome(uint64 xid)
{
	return pgt_transaction_outcome_at(xid, NULL);
}

TransactionOutcome
pgt_transaction_outcome_at(uint64 xid, XLogRecPtr *commit_lsn)
{
	TransactionOutcome outcome = TRANSACTION_FORGOTTEN;

	/* the lock keeps the commit log from being cut between the looks */
	LWLockAcquire(XactTruncationLock, LW_SHARED);
	if (xid >= pgt_transaction_full_id(PGT_OLDEST_CLOG_XID))
		outcome = TransactionIdDidCommit((TransactionId) xid) ?
			TRANSACTION_COMMITTED : TRANSACTION_ABORTED;
	if (commit_lsn != NULL && outcome == TRANSACTION_COMMITTED)
		*commit_lsn = TransactionIdGetCommitLSN((TransactionId) xid);
	LWLockRelease(XactTruncationLock);
	return outcome;
}

/* ---- running transactions ------------------------------------------------ */

/* Compare two 64-bit ids for sorting and searching. */
static int
compare_xids(const void *a, const void *b)
{
	uint64		left = *(const uint64 *) a;
	uint64		right = *(const uint64 *) b;

	return left < right ? -1 : left > right;
}

void
pgt_transaction_list_running(TransactionSet *running)
{
	static SnapshotData snapshot = {.snapshot_type = SNAPSHOT_MVCC};	/* keeps its arrays */
	FullTransactionId next;
	const TransactionId *ids;

	/* as between transactions: else the xmin of the last one would stay */
	if (!IsTransactionState())
		MyProc->xmin = InvalidTransactionId;
	GetSnapshotData(&snapshot);
	next = ReadNextFullTransactionId();
	/* on a standby all are among the subtransactions */
	ids = snapshot.takenDuringRecovery ? snapshot.subxip : snapshot.xip;
	running->count = snapshot.takenDuringRecovery ? snapshot.subxcnt : snapshot.xcnt;
	running->oldest = pgt_transaction_full_id_before(snapshot.xmin, next);
	running->next = pgt_transaction_full_id_before(snapshot.xmax, next);
	running->xids = palloc(Max(1, running->count) * sizeof(uint64));
	for (int i = 0; i < running->count; i++)
		running->xids[i] = pgt_transaction_full_id_before(ids[i], next);
	qsort(running->xids, running->count, sizeof(uint64), compare_xids);
}

bool
pgt_transaction_is_running(const TransactionSet *running, uint64 xid)
{
	if (xid < running->oldest)
		return false;
	return xid >= running->next ||
		bsearch(&xid, running->xids, running->count, sizeof(uint64), compare_xids) != NULL;
}
