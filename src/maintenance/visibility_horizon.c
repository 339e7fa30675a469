/*
 * visibility_horizon.c
 *	  What every snapshot sees of a log: the limit of what compaction and merging may
 *	  change.
 *
 * A snapshot sees the batches of the transactions that have ended for it.  The server
 * knows the oldest transaction that some snapshot takes as running; so it does for the
 * rows that VACUUM may remove.  What is below is seen by all:
 *
 *	  [ 710 ][ 711 ][ 709 ][ 713 ][ 712 ][ 715 ]
 *	                              ^ oldest running: 712.  But a statement whose snapshot has
 *	                                712 as running reads up to here only
 *
 * A statement shows each transaction as a whole (whole_end.c), so it may end before the
 * batch that stops it.  The statement of the oldest snapshot that there may be, which has
 * all transactions from the horizon on as running, ends first of all.
 *
 * After batches of several transactions were merged, nobody can tell where one of these
 * begins.  A search for whole transactions never needs to know that, if no transaction has
 * a batch in the merged part and another one behind it.
 *
 * Locks: AccessShareLock, for a moment, on a table of the extension.  No WAL.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/transam.h"
#include "group/group_row.h"
#include "maintenance/visibility_horizon.h"
#include "storage/procarray.h"
#include "util/transaction.h"
#include "utils/snapmgr.h"
#include "wal/whole_end.h"

uint64
pgt_visibility_horizon_xid(Oid topic)
{
	/* the server is asked for an ordinary table of ours: a foreign table has no horizon */
	Relation	table = try_table_open(pgt_group_row_table(topic), AccessShareLock);
	uint64		xid = pgt_transaction_full_id(GetOldestNonRemovableTransactionId(table));

	if (table != NULL)
		table_close(table, AccessShareLock);
	InvalidateCatalogSnapshot();	/* a long compaction must not hold vacuum back */
	return xid;
}

/* The oldest snapshot that there may be. */
static SnapshotData
oldest_snapshot(uint64 xid)
{
	SnapshotData oldest = {.snapshot_type = SNAPSHOT_MVCC};

	oldest.xmin = oldest.xmax = (TransactionId) xid;
	return oldest;
}

int64
pgt_visibility_horizon_end(const TopicPartition *key, uint64 xid)
{
	SnapshotData oldest = oldest_snapshot(xid);
	TransactionId blocker;

	return pgt_whole_end(key, &oldest, &blocker);
}

int64
pgt_visibility_horizon_whole_end(const TopicPartition *key, uint64 xid, int64 limit)
{
	SnapshotData oldest = oldest_snapshot(xid);
	int64		end = Min(limit, pgt_visibility_horizon_end(key, xid));

	return pgt_whole_end_below(key, &oldest, end);
}
