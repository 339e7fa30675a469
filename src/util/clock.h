/*
 * clock.h
 *	  The monotonic clock for intervals, the wall clock for moments, and records'
 *	  timestamps.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include "datatype/timestamp.h"

/*
 * Microseconds since some moment before the server's start, which is the same for all of
 * its processes.  Never 0.  The clock runs evenly even if the wall clock is set.
 */
extern int64 pgt_clock_monotonic_us(void);

/* A moment of the monotonic clock that never comes. */
#define NEVER_US	PG_INT64_MAX

/* How many milliseconds have passed since a moment of the monotonic clock. */
extern int64 pgt_clock_ms_since(int64 then_us);

/*
 * The setting pg_topics.clock_offset, for tests: by how many milliseconds the clock of
 * maintenance, leases and LogAppendTime is ahead of the wall clock.
 */
extern double pgt_clock_offset;

/* The time of the wall clock, in milliseconds since 1970, without and with that offset. */
extern int64 pgt_clock_now_ms(void);
extern int64 pgt_clock_shifted_now_ms(void);

/* The latter as timestamptz, to the microsecond. */
extern TimestampTz pgt_clock_shifted_now(void);

/* The last moment of timestamptz, in milliseconds since 1970. */
#define LAST_MOMENT	((END_TIMESTAMP - 1) / 1000 + \
					 (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * (USECS_PER_DAY / 1000))

/* Milliseconds from one moment to another; if they do not fit 64 bits, the largest or smallest number. */
extern int64 pgt_clock_ms_between(int64 from, int64 to);

/* A timestamptz in milliseconds since 1970, rounded down.  ERROR for infinities. */
extern int64 pgt_clock_from_timestamptz(TimestampTz ts);

/* Milliseconds since 1970 as timestamptz; an infinity if timestamptz cannot hold them. */
extern TimestampTz pgt_clock_to_timestamptz(int64 ms);

/* Define the settings of this file. */
extern void pgt_clock_init(void);

#endif							/* CLOCK_H */
