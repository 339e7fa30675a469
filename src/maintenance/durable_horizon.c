/*
 * durable_horizon.c
 *	  Which transactions' records synchronous standbys have: the limit of what merging puts together.
 *
 * A consumer outside of the database is told an end of the log, and is given records up to there, which
 * is as far as synchronous standbys have them (log_stable_end.c).  It is given batches as they are.  So where
 * batches that the standbys have became one with batches that they lack, it would wait for
 * records that it has been told of.
 *
 * Nobody knows of an old transaction where its commit record is.  But when all transactions below some number
 * have ended, their commit records are before the end of the WAL at that moment, and once the
 * standbys have that, they have all of these:
 *
 *	  asked		all below this id have ended, before this LSN
 *	  reached	what was asked before, and found to be durable since
 *
 * Who asks seldom, as the maintenance worker does, finds with each question what he asked with the one before.
 * Without synchronous standbys there is no limit: what is not on this server's disk will be in a moment.
 *
 * Memory: two pairs in each process.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "maintenance/durable_horizon.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "util/clock.h"
#include "utils/wait_event.h"
#include "wal/durable_wal.h"

/* For so long is waited, and so long between two looks. */
#define WAIT_MS		1000
#define LOOK_MS		10

/* All transactions below have ended before the LSN.  Without an LSN there is none. */
typedef struct DurableMark
{
	uint64		xid;
	XLogRecPtr	lsn;
} DurableMark;

static DurableMark asked;
static DurableMark reached;

/* What was asked may be reached; what was reached may not be any more, with other standbys. */
static void
look_again(void)
{
	XLogRecPtr	durable = pgt_durable_wal_end();

	if (reached.lsn > durable)
		reached = (DurableMark) {0};
	if (asked.lsn == InvalidXLogRecPtr || asked.lsn > durable)
		return;
	reached = asked;
	asked = (DurableMark) {0};
}

/* Ask for what has ended until now, unless another question is open. */
static void
ask(uint64 ended)
{
	if (asked.lsn != InvalidXLogRecPtr || reached.xid >= ended)
		return;
	asked.xid = ended;
	asked.lsn = pgt_durable_wal_insert_end();
	/* nobody else may want it flushed */
	XLogSetAsyncXactLSN(asked.lsn);
	look_again();
}

/* Wait until that is durable, but not for long. */
static void
wait_for(uint64 ended)
{
	int64		deadline = pgt_clock_monotonic_us() + WAIT_MS * INT64CONST(1000);

	XLogFlush(asked.lsn);
	for (;;)
	{
		look_again();
		ask(ended);
		if (reached.xid >= ended || pgt_clock_monotonic_us() >= deadline)
			return;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, LOOK_MS, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

uint64
pgt_durable_horizon_xid(uint64 ended, bool wait)
{
	if (RecoveryInProgress() || !pgt_durable_wal_has_standbys())
	{
		asked = reached = (DurableMark) {0};
		return ended;
	}
	look_again();
	ask(ended);
	if (wait && reached.xid < ended)
		wait_for(ended);
	return Min(ended, reached.xid);
}
