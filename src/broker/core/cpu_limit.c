/*
 * cpu_limit.c
 *	  A limit of the processor's time for what may take any.
 *
 * The server's timeouts go by the clock.  What is refused to a client must not depend on what else the machine does,
 * as many clients do not survive the error.  So the operating system's timer for the time of a process on a processor is
 * asked, which nothing else in the process uses.
 */
#include "postgres.h"

#include <signal.h>
#include <sys/time.h>

#include "broker/core/cpu_limit.h"
#include "miscadmin.h"

static volatile sig_atomic_t is_over = false;

/* SIGPROF: the time is over. */
static void
cancel(SIGNAL_ARGS)
{
	is_over = true;
	InterruptPending = true;
	QueryCancelPending = true;
}

/* Let the process have so many milliseconds from now on; 0: as many as it wants. */
static void
set_limit(int ms)
{
	struct itimerval limit = {.it_value = {.tv_usec = ms * 1000}};

	(void) setitimer(ITIMER_PROF, &limit, NULL);
}

void
pgt_cpu_limit_begin(int ms)
{
	static bool is_ready = false;

	Assert(ms < 1000);
	if (!is_ready)
		pqsignal(SIGPROF, cancel);
	is_ready = true;
	is_over = false;
	set_limit(ms);
}

bool
pgt_cpu_limit_end(void)
{
	set_limit(0);
	QueryCancelPending = false;
	return is_over;
}
