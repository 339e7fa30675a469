/*
 * cleaner_throttle.c
 *	  How fast compaction, merging and erasing go, and for whom they stop.
 *
 * A process that rewrites segments calls pgt_cleaner_throttle_pause() for all bytes that it
 * reads and writes.  The pause keeps it to pg_topics.log_cleaner_io_max_bytes_per_second:
 * it sleeps while the process is ahead of that rate.  A process that has fallen a
 * second or more behind the rate starts afresh and does not catch up.
 *
 * The maintenance worker also yields: once in YIELD_CHECK_BYTES, and every
 * YIELD_CHECK_MS while it sleeps, it looks whether another session waits for the
 * topic's lock, and cancels its work with an error then.
 *
 * Locks: none; the lock on the topic is only looked at.
 */
#include "postgres.h"

#include "maintenance/cleaner_throttle.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "util/clock.h"
#include "utils/lsyscache.h"
#include "utils/wait_event.h"

/* How often a process that yields looks for waiting sessions. */
#define YIELD_CHECK_MS		20
#define YIELD_CHECK_BYTES	(1024 * 1024)

int			pgt_log_cleaner_io_max_bytes_per_second;
bool		pgt_cleaner_throttle_yields = false;

/* Cancel the work if this process yields and another session waits for the topic's lock. */
static void
check_waiters(Oid topic)
{
	LOCKTAG		tag;

	CHECK_FOR_INTERRUPTS();
	if (!pgt_cleaner_throttle_yields)
		return;
	SET_LOCKTAG_RELATION(tag, MyDatabaseId, topic);
	if (LockHasWaiters(&tag, ShareUpdateExclusiveLock, false))
		ereport(ERROR,
				(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
				 errmsg("canceling rewrite of topic \"%s\" because another session is waiting for a lock on it",
						get_rel_name(topic))));
}

/* Milliseconds by which this process is ahead of its rate after that many bytes. */
static double
ahead_of_rate(int64 bytes)
{
	static int64 since = 0;
	static double done = 0;
	int64		now;

	if (pgt_log_cleaner_io_max_bytes_per_second <= 0)
		return 0;
	now = pgt_clock_monotonic_us();
	if ((now - since) / 1000.0 > done / pgt_log_cleaner_io_max_bytes_per_second * 1000.0 + 1000)
	{
		since = now;			/* what was not used is not saved up */
		done = 0;
	}
	done += bytes;
	return done / pgt_log_cleaner_io_max_bytes_per_second * 1000.0 - (now - since) / 1000.0;
}

void
pgt_cleaner_throttle_pause(const TopicPartition *key, int64 bytes)
{
	static int64 unchecked = 0;
	double		ahead_ms = ahead_of_rate(bytes);

	unchecked += bytes;
	while (ahead_ms >= 1)
	{
		check_waiters(key->topic);
		unchecked = 0;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 (long) Min(ahead_ms, YIELD_CHECK_MS), PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		ahead_ms = ahead_of_rate(0);
	}
	if (unchecked < YIELD_CHECK_BYTES)
	{
		CHECK_FOR_INTERRUPTS();
		return;
	}
	check_waiters(key->topic);
	unchecked = 0;
}
