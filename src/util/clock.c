/*
 * clock.c
 *	  The monotonic clock for intervals, the wall clock for moments, and records'
 *	  timestamps.
 *
 * The wall clock may be set, forward and back.  So code that waits, retries, paces
 * itself or gives up after some time uses the monotonic clock, which cannot be
 * set.  The wall clock serves only for
 *
 *	  - what is stored: a record's timestamp, the time of a commit, the end of a
 *		lease;
 *	  - what such a timestamp promises: retention, compaction's lags and delete
 *		horizons, the rolling of a segment, leases, the expiry of groups, the time
 *		to try a record again.
 *
 * A moment of the monotonic clock means nothing after a restart of the machine or on
 * another machine, so it is never stored.  The clock may stand still while a machine
 * is suspended.
 *
 * A record's timestamp is milliseconds since 1970 in 64 bits, as in Kafka.  Each
 * finite timestamptz has one, rounded down (before 1970, too), and a timestamp that
 * was made from a timestamptz is read back as the same millisecond.  A file may hold
 * other timestamps, written by Kafka or forged: they read as -infinity and infinity.
 * The conversion keeps the order of any two timestamps, so bounds on one form hold
 * for the other.
 *
 * No locks, no memory.
 */
#include "postgres.h"

#include "common/int.h"
#include "portability/instr_time.h"
#include "util/clock.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

/* 1970 in milliseconds of PostgreSQL's timestamps, which count from 2000. */
#define UNIX_EPOCH_MS \
	(((int64) UNIX_EPOCH_JDATE - POSTGRES_EPOCH_JDATE) * (USECS_PER_DAY / 1000))
#define USECS_PER_MSEC	1000

double		pgt_clock_offset = 0;

/* ---- intervals ----------------------------------------------------------- */

int64
pgt_clock_monotonic_us(void)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	return (int64) INSTR_TIME_GET_MICROSEC(now) + 1;
}

int64
pgt_clock_ms_since(int64 then_us)
{
	return (pgt_clock_monotonic_us() - then_us) / USECS_PER_MSEC;
}

/* ---- the wall clock ------------------------------------------------------ */

int64
pgt_clock_now_ms(void)
{
	return pgt_clock_from_timestamptz(GetCurrentTimestamp());
}

int64
pgt_clock_shifted_now_ms(void)
{
	return pgt_clock_now_ms() + (int64) pgt_clock_offset;
}

TimestampTz
pgt_clock_shifted_now(void)
{
	return GetCurrentTimestamp() + (int64) (pgt_clock_offset * USECS_PER_MSEC);
}

/* ---- timestamps of records ----------------------------------------------- */

int64
pgt_clock_ms_between(int64 from, int64 to)
{
	int64		difference;

	if (pg_sub_s64_overflow(to, from, &difference))
		return to > from ? PG_INT64_MAX : PG_INT64_MIN;
	return difference;
}

int64
pgt_clock_from_timestamptz(TimestampTz ts)
{
	int64		ms;

	if (TIMESTAMP_NOT_FINITE(ts))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("a record's timestamp cannot be infinite")));

	/* divide first: the sum may pass 64 bits */
	ms = ts / USECS_PER_MSEC;
	if (ts % USECS_PER_MSEC < 0)
		ms--;
	return ms - UNIX_EPOCH_MS;
}

TimestampTz
pgt_clock_to_timestamptz(int64 ms)
{
	/* shift before multiplying: the last years' product from 1970 passes 64 bits */
	int64		ts;

	if (pg_add_s64_overflow(ms, UNIX_EPOCH_MS, &ts) ||
		pg_mul_s64_overflow(ts, USECS_PER_MSEC, &ts) ||
		!IS_VALID_TIMESTAMP(ts))
		return ms < 0 ? DT_NOBEGIN : DT_NOEND;
	return ts;
}

/* ---- settings ------------------------------------------------------------ */

void
pgt_clock_init(void)
{
	DefineCustomRealVariable("pg_topics.clock_offset",
							 "Time by which maintenance, leases and LogAppendTime are ahead of the clock.",
							 "For tests only.",
							 &pgt_clock_offset, 0, -1.0e15, 1.0e15,
							 PGC_SUSET, GUC_UNIT_MS | GUC_NOT_IN_SAMPLE | GUC_NO_SHOW_ALL,
							 NULL, NULL, NULL);
}
