/*
 * xid_jump.c
 *	  Moving the next transaction id far ahead in a running server, so that a test
 *	  sees in a minute what a busy server sees in months.
 *
 *	  xid_jump(target bigint) returns bigint
 *
 * The next id becomes the first one of the commit-log page that "target" is in,
 * which is returned.  The server makes that page, and that of pg_subtrans, when it
 * gives the id out; the pages passed over hold no transaction and are never asked
 * for.  All ids passed over count as ended.
 *
 * A checkpoint follows, so that a crash does not take the ids back, and recovery,
 * here and on a standby, meets a checkpoint record with the new next id.  A hot
 * standby takes all ids between two that it meets for running ones and has no room
 * for so many: let it follow over a jump with hot_standby = off.
 *
 * The server's limits hold: there is no way past the id at which it stops.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "access/commit_ts.h"
#include "compat.h"
#include "fmgr.h"
#include "postmaster/bgwriter.h"
#include "storage/lwlock.h"

/* a page of the commit log, and 16 pages of pg_subtrans, on the usual block size */
#define IDS_PER_PAGE	(BLCKSZ * 4)

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(xid_jump);

/* The first id of the page that "target" is in; those that stand for something else are no ids. */
static uint64
first_of_page(uint64 target)
{
	uint64		first = target - target % IDS_PER_PAGE;

	return (uint32) first < FirstNormalTransactionId ? first + FirstNormalTransactionId : first;
}

/* ERROR where the target is not ahead, or where the server would not get.  Caller holds XidGenLock. */
static void
check_target(uint64 next, uint64 target)
{
	uint32		room = PGT_TRANSAM->xidStopLimit - (uint32) next;

	if (target <= next || target - next >= room)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot move the next transaction id from %llu to %llu",
						(unsigned long long) next, (unsigned long long) target),
				 errdetail("The server stops at %llu.", (unsigned long long) (next + room))));
}

Datum
xid_jump(PG_FUNCTION_ARGS)
{
	uint64		target = first_of_page(PG_GETARG_INT64(0));
	FullTransactionId last = FullTransactionIdFromU64(target);

	if (track_commit_timestamp)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot jump with track_commit_timestamp on")));

	FullTransactionIdRetreat(&last);
	LWLockAcquire(ProcArrayLock, LW_EXCLUSIVE);
	LWLockAcquire(XidGenLock, LW_EXCLUSIVE);
	check_target(U64FromFullTransactionId(PGT_TRANSAM->nextXid), target);
	PGT_TRANSAM->nextXid = FullTransactionIdFromU64(target);
	PGT_TRANSAM->latestCompletedXid = last;
	PGT_TRANSAM->xactCompletionCount++;
	LWLockRelease(XidGenLock);
	LWLockRelease(ProcArrayLock);

	RequestCheckpoint(CHECKPOINT_IMMEDIATE | CHECKPOINT_FORCE | CHECKPOINT_WAIT);
	PG_RETURN_INT64(target);
}
