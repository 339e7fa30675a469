/*
 * wait_limit.c
 *	  A limit of the time for which what may do anything waits: for locks, for others, for nothing at all.
 *
 * cpu_limit.c counts the time on a processor, which a function that sleeps does not take.  The time by the clock would count
 * what the machine does besides.  So the process looks at itself a hundred times a second, whether the server shows it as
 * waiting (pg_stat_activity.wait_event), and counts.  Reads and writes of files are no waits: nobody's functions
 * make them last.
 */
#include "postgres.h"

#include "broker/core/wait_limit.h"
#include "miscadmin.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#define LOOK_MS		10
#define CLASS_MASK	0xFF000000U

static volatile sig_atomic_t looks_left = 0;	/* while it waits */
static volatile sig_atomic_t is_over = false;

/* In a signal's handler. */
static void
look(void)
{
	uint32		class = *(volatile uint32 *) my_wait_event_info & CLASS_MASK;

	if (class == 0 || class == PG_WAIT_IO || class == PG_WAIT_LWLOCK)
		return;
	if (looks_left > 0)
		looks_left--;
	if (looks_left > 0)
		return;
	is_over = true;
	InterruptPending = true;
	QueryCancelPending = true;
}

/* The timeout whose handler that is. */
static TimeoutId
timeout_id(void)
{
	static TimeoutId id;
	static bool is_registered = false;

	if (!is_registered)
		id = RegisterTimeout(USER_TIMEOUT, look);
	is_registered = true;
	return id;
}

void
pgt_wait_limit_begin(int ms)
{
	is_over = false;
	looks_left = Max(ms / LOOK_MS, 1);
	enable_timeout_every(timeout_id(), TimestampTzPlusMilliseconds(GetCurrentTimestamp(), LOOK_MS), LOOK_MS);
}

bool
pgt_wait_limit_end(void)
{
	disable_timeout(timeout_id(), false);
	QueryCancelPending = false;
	return is_over;
}
