/*
 * event_loop.c
 *	  Waiting for sockets, timers and the process's latch at once.
 *
 * The server's WaitEventSet waits for latches and for the postmaster's death, but cannot
 * forget a socket, and its cost grows with the sockets.  So the sockets are in an epoll
 * set of our own, and the WaitEventSet waits for that one as if it were a socket:
 *
 *	  WaitEventSet { latch, postmaster's death, epoll set { sockets } }
 *
 * A source may be removed, and its memory freed, by what another source of the same round
 * does: then the events that were already fetched for it are forgotten.
 *
 * Timers are in a heap.  One that is set while timers are called is not called in the same
 * round, so that a round ends.
 */
#include "postgres.h"

#include <sys/epoll.h>
#include <unistd.h>

#include "listener/event_loop.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "storage/latch.h"
#include "util/clock.h"
#include "util/compat.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#define EVENTS_MAX		256		/* of one round; the rest comes in the next one */
#define SLEEP_MAX_MS	60000

static int	epoll_set = -1;
static WaitEventSet *wait_set = NULL;
static pairingheap *timers = NULL;

static struct epoll_event events[EVENTS_MAX];	/* of this round; data.ptr NULL: forgotten */
static int	event_count = 0;

static bool hurry = false;
static int64 round_time = 0;	/* while timers are called: when that began */

/* The heap has the largest first, so the earlier one is the larger. */
static int
compare_timers(const pairingheap_node *a, const pairingheap_node *b, void *arg)
{
	int64		left = pairingheap_const_container(EventLoopTimer, node, a)->due;
	int64		right = pairingheap_const_container(EventLoopTimer, node, b)->due;

	return left < right ? 1 : left > right ? -1 : 0;
}

void
pgt_event_loop_init(void)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

	Assert(epoll_set < 0);
	ReserveExternalFD();
	epoll_set = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_set < 0)
		ereport(ERROR,
				(errcode_for_socket_access(),
				 errmsg("could not create an epoll set: %m")));
	timers = pairingheap_allocate(compare_timers, NULL);
	wait_set = PGT_CREATE_WAIT_EVENT_SET(3);
	AddWaitEventToSet(wait_set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	AddWaitEventToSet(wait_set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	AddWaitEventToSet(wait_set, WL_SOCKET_READABLE, epoll_set, NULL, NULL);
	MemoryContextSwitchTo(old);
}

/* ---- sources --------------------------------------------------------------- */

bool
pgt_event_loop_add(EventLoopSource *source, uint32 wanted)
{
	struct epoll_event event = {.events = wanted, .data.ptr = source};

	source->events = wanted;
	return epoll_ctl(epoll_set, EPOLL_CTL_ADD, source->fd, &event) == 0;
}

void
pgt_event_loop_change(EventLoopSource *source, uint32 wanted)
{
	struct epoll_event event = {.events = wanted, .data.ptr = source};

	if (source->events == wanted)
		return;
	source->events = wanted;
	if (epoll_ctl(epoll_set, EPOLL_CTL_MOD, source->fd, &event) != 0)
		elog(LOG, "could not change events of socket %d: %m", source->fd);
}

void
pgt_event_loop_remove(EventLoopSource *source)
{
	(void) epoll_ctl(epoll_set, EPOLL_CTL_DEL, source->fd, NULL);
	for (int i = 0; i < event_count; i++)
		if (events[i].data.ptr == source)
			events[i].data.ptr = NULL;
}

/* Call the sources that are ready. */
static void
run_sources(void)
{
	event_count = epoll_wait(epoll_set, events, EVENTS_MAX, 0);
	if (event_count == EVENTS_MAX)
		pgt_event_loop_hurry();
	for (int i = 0; i < event_count; i++)
	{
		EventLoopSource *source = events[i].data.ptr;

		if (source != NULL)
			source->ready(source, events[i].events);
	}
	event_count = 0;
}

/* ---- timers ---------------------------------------------------------------- */

void
pgt_event_loop_set_timer(EventLoopTimer *timer, int64 due)
{
	pgt_event_loop_cancel_timer(timer);
	if (due == NEVER_US)
		return;
	timer->due = Max(due, round_time + 1);
	pairingheap_add(timers, &timer->node);
}

void
pgt_event_loop_cancel_timer(EventLoopTimer *timer)
{
	if (timer->due == 0)
		return;
	pairingheap_remove(timers, &timer->node);
	timer->due = 0;
}

/* The timer that is due first, or NULL. */
static EventLoopTimer *
first_timer(void)
{
	return pairingheap_is_empty(timers) ? NULL :
		pairingheap_container(EventLoopTimer, node, pairingheap_first(timers));
}

/* Call the timers that are due. */
static void
run_timers(void)
{
	EventLoopTimer *timer = first_timer();

	if (timer == NULL)
		return;
	round_time = pgt_clock_monotonic_us();
	while (timer != NULL && timer->due <= round_time)
	{
		pgt_event_loop_cancel_timer(timer);
		timer->expired(timer);
		timer = first_timer();
	}
	round_time = 0;
}

/* ---- a round --------------------------------------------------------------- */

void
pgt_event_loop_hurry(void)
{
	hurry = true;
}

/* How long to sleep, in milliseconds. */
static long
sleep_time(void)
{
	EventLoopTimer *timer = first_timer();
	int64		left;

	if (hurry)
		return 0;
	if (timer == NULL)
		return SLEEP_MAX_MS;
	left = timer->due - pgt_clock_monotonic_us();
	/* rounded up: a timer is not called before its time */
	return left <= 0 ? 0 : (long) Min((left + 999) / 1000, SLEEP_MAX_MS);
}

bool
pgt_event_loop_wait(void)
{
	WaitEvent	occurred[3];
	long		timeout = sleep_time();
	int			count;
	bool		latch_set = false;

	hurry = false;
	count = WaitEventSetWait(wait_set, timeout, occurred, lengthof(occurred), PG_WAIT_EXTENSION);
	for (int i = 0; i < count; i++)
	{
		if (occurred[i].events & WL_LATCH_SET)
			latch_set = true;
	}
	if (latch_set)
		ResetLatch(MyLatch);
	return latch_set;
}

void
pgt_event_loop_run(void)
{
	run_sources();
	run_timers();
}
