/*
 * commit_log.c
 *	  Keeping the server's commit log as far back as unresolved batches need it.
 *
 * The server cuts its commit log at the oldest datfrozenxid, and no database's
 * datfrozenxid passes the oldest xmin that any process shows.  An xmin of the sync
 * process would not be enough: the process may be away, and it starts only after the
 * server.  So there is a holder that lives as long as shared memory does: an entry in the
 * process array without a process, like the entry of a prepared transaction.  It has no
 * transaction, no database and no lock, only an xmin.
 *
 * When the holder's xmin is set, and to which transaction:
 *
 *	  server start		the oldest one that the commit log had at the last checkpoint
 *	  in recovery		none: the primary has its own holder, and an xmin shown on
 *						a standby would reach the primary as feedback
 *	  end of recovery	the oldest one that the commit log has
 *	  each round of resolving	the oldest one that was running when the round began,
 *								or that of an older unresolved batch
 *
 * A batch that is appended after a round belongs to a transaction that was running when
 * the round began, or to a later one.  So the holder's xmin stays right even if no
 * further round comes.
 *
 * Since it is in no database, the holder keeps only rows of the shared catalogs from
 * being vacuumed, and no rows of other tables.
 *
 * The process array has no free entry: pgt_commit_log_request() raises MaxBackends by
 * one, before any array is sized by it.  The additional entry is one of those for WAL
 * senders, whose number is limited elsewhere.
 *
 * Outcomes can be lost nevertheless: while the server runs without this library, and on a
 * standby that is promoted before it has replayed a single record, until the sync
 * process runs.  The outcome of such a transaction is TRANSACTION_FORGOTTEN
 * (transaction.c).
 */
#include "postgres.h"

#include <unistd.h>

#include "access/xlog.h"
#include "common/controldata_utils.h"
#include "log/commit_log.h"
#include "log/log_state.h"
#include "miscadmin.h"
#include "storage/procarray.h"
#include "util/compat.h"
#include "util/transaction.h"

void
pgt_commit_log_request(void)
{
	MaxBackends++;
}

/* Show that this transaction and all later ones are needed. */
static void
hold_from(uint64 xid)
{
	pgt_log_state->commit_log_holder->xmin = (TransactionId) xid;
	pg_atomic_write_u64(&pgt_log_state->commit_log_held_from, xid);
}

/* The oldest transaction in the commit log, as of the last checkpoint. */
static uint64
oldest_of_control_file(void)
{
	bool		good;
	ControlFileData *control = get_controlfile(DataDir, &good);
	uint64		xid;

	if (!good)
		ereport(FATAL,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the control file does not match its checksum")));
	xid = pgt_transaction_full_id_before(control->checkPointCopy.oldestXid, control->checkPointCopy.nextXid);
	pfree(control);
	return xid;
}

/* Will the server start with archive recovery, or as a standby? */
static bool
starts_in_archive_recovery(void)
{
	return access(STANDBY_SIGNAL_FILE, F_OK) == 0 || access(RECOVERY_SIGNAL_FILE, F_OK) == 0;
}

/*
 * In pg_upgrade nothing is held: it freezes all rows before the new cluster has a topic,
 * and no sync process runs that would release the commit log.
 */
void
pgt_commit_log_init(void)
{
	PGPROC	   *holder = pgt_pop_walsender_proc();

	PGT_SET_NO_BACKEND(holder);
	pgt_log_state->commit_log_holder = holder;
	if (!starts_in_archive_recovery() && !IsBinaryUpgrade)
		hold_from(oldest_of_control_file());
	ProcArrayAdd(holder);
}

void
pgt_commit_log_hold(void)
{
	if (IsBinaryUpgrade)
		return;
	/* the server computes its horizons under this lock */
	LWLockAcquire(ProcArrayLock, LW_SHARED);
	if (pgt_commit_log_held_from() == 0)
		hold_from(pgt_transaction_full_id(PGT_OLDEST_CLOG_XID));
	LWLockRelease(ProcArrayLock);
}

void
pgt_commit_log_release(uint64 xid)
{
	uint64		held_from = pgt_commit_log_held_from();

	/* not held: in pg_upgrade, or in recovery */
	if (held_from != 0 && xid > held_from)
		hold_from(xid);
}

uint64
pgt_commit_log_held_from(void)
{
	return pg_atomic_read_u64(&pgt_log_state->commit_log_held_from);
}
