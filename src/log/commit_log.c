/*
 * commit_log.c
 *	  Keeping the server's commit log as far back as unresolved batches need it.
 *
 * The server cuts its commit log at the oldest datfrozenxid, and no database's
 * goes past the oldest xmin that any process shows.  The xmin of the sync process
 * alone would not do: it may be away, and comes only after the server's start.  So
 * there is a holder, which lives as long as shared memory does: an entry in the
 * process array without a process, like that of a prepared transaction.  It has
 * no transaction, no database and no lock, only an xmin.
 *
 *	  start			all that the control file says is there
 *	  in recovery	nothing: the primary holds its own; what a standby showed here
 *					would go to the primary as its feedback
 *	  its end		all that there is
 *	  each round of resolving	the oldest transaction that was running when it
 *					began, or an older one of an unresolved batch
 *
 * A batch that is appended after a round is of a transaction that was running when
 * the round began, or of a later one.  So what the holder shows stays right for
 * ever, also when no round follows.
 *
 * As it is in no database, the holder keeps no table's rows from being vacuumed but
 * those of the shared catalogs.
 *
 * The process array has no place to spare: pgt_commit_log_request() raises
 * MaxBackends by one, before anything is sized by it.  The additional place is among
 * those of WAL senders, whose number is limited elsewhere.
 *
 * What is held can be lost all the same: while the server runs without the library,
 * and in a standby that is promoted before it has replayed a single record, for the
 * moment until the sync process runs.  Then an outcome is TRANSACTION_FORGOTTEN,
 * which nobody may take for any other.
 *
 * Layer 2.  Next: log_resolve.c.
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

/* Show that this and all later ones are needed. */
static void
hold_from(uint64 xid)
{
	pgt_log_shared->commit_log_holder->xmin = (TransactionId) xid;
	pg_atomic_write_u64(&pgt_log_shared->commit_log_held_from, xid);
}

/* The oldest transaction that the commit log can tell of, as of the last checkpoint. */
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

/* Will the server begin in recovery of an archive, or as a standby? */
static bool
starts_in_archive_recovery(void)
{
	return access(STANDBY_SIGNAL_FILE, F_OK) == 0 || access(RECOVERY_SIGNAL_FILE, F_OK) == 0;
}

/*
 * Take the place that was asked for.  In the postmaster, alone.  pg_upgrade freezes
 * everything before there is a topic in the new cluster, and nobody would release.
 */
void
pgt_commit_log_init(void)
{
	PGPROC	   *holder = pgt_pop_walsender_proc();

	PGT_SET_NO_BACKEND(holder);
	pgt_log_shared->commit_log_holder = holder;
	if (!starts_in_archive_recovery() && !IsBinaryUpgrade)
		hold_from(oldest_of_control_file());
	ProcArrayAdd(holder);
}

void
pgt_commit_log_hold(void)
{
	if (IsBinaryUpgrade)
		return;
	/* the lock is what horizons are computed under */
	LWLockAcquire(ProcArrayLock, LW_SHARED);
	if (pgt_commit_log_held_from() == 0)
		hold_from(pgt_transaction_full_id(PGT_OLDEST_CLOG_XID));
	LWLockRelease(ProcArrayLock);
}

void
pgt_commit_log_release(uint64 xid)
{
	uint64		held_from = pgt_commit_log_held_from();

	/* nothing is held in pg_upgrade */
	if (held_from != 0 && xid > held_from)
		hold_from(xid);
}

uint64
pgt_commit_log_held_from(void)
{
	return pg_atomic_read_u64(&pgt_log_shared->commit_log_held_from);
}
