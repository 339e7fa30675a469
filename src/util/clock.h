/*
 * clock.h
 *	  What time it is: by the monotonic clock for intervals, by the wall clock
 *	  for what is stored or promised; and the timestamps of records.
 *
 * Layer 1.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include "datatype/timestamp.h"

/*
 * Microseconds since some moment before the server's start, the same for all of
 * its processes; never 0.  Goes on evenly however the wall clock is set.
 */
extern int64 pgt_clock_monotonic_us(void);

/* A moment of the monotonic clock that never comes. */
#define NEVER_US	PG_INT64_MAX

/* Milliseconds of the monotonic clock that have passed since then. */
extern int64 pgt_clock_ms_since(int64 then_us);

/*
 * Setting for tests: milliseconds that maintenance, leases and LogAppendTime are ahead
 * of the wall clock.
 */
extern double pgt_clock_offset;

/* The wall clock, in milliseconds since 1970; and with that offset. */
extern int64 pgt_clock_now_ms(void);
extern int64 pgt_clock_shifted_now_ms(void);

/* The last moment of timestamptz, in milliseconds since 1970. */
#define LAST_MOMENT	((END_TIMESTAMP - 1) / 1000 + \
					 (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * (USECS_PER_DAY / 1000))

/* Milliseconds from one moment to another; the largest or smallest number where they are further apart. */
extern int64 pgt_clock_ms_between(int64 from, int64 to);

/* Milliseconds since 1970, rounded down; ERROR for infinities. */
extern int64 pgt_clock_from_timestamptz(TimestampTz ts);

/* The reverse; an infinity for what timestamptz cannot hold. */
extern TimestampTz pgt_clock_to_timestamptz(int64 ms);

extern void pgt_clock_init(void);	/* settings of this file */

#endif							/* CLOCK_H */
