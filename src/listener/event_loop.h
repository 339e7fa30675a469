/*
 * event_loop.h
 *	  Waiting for sockets, timers and the process's latch at once.
 *
 * One loop a process.  The caller's turn is: pgt_event_loop_wait(), which sleeps;
 * pgt_event_loop_run(), which calls what is ready or due; then whatever ends a turn.
 */
#ifndef EVENT_LOOP_H
#define EVENT_LOOP_H

#include "lib/pairingheap.h"

/* A file descriptor that is waited for.  It is part of its owner's struct. */
typedef struct EventLoopSource
{
	int			fd;
	uint32		events;			/* that are waited for, of epoll */
	void		(*ready) (struct EventLoopSource *source, uint32 events);
} EventLoopSource;

/* A moment that is waited for.  It is part of its owner's struct, which sets it to zeros. */
typedef struct EventLoopTimer
{
	pairingheap_node node;
	int64		due;			/* by pgt_clock_monotonic_us(); 0: not set */
	void		(*expired) (struct EventLoopTimer *timer);
} EventLoopTimer;

/* Make the loop of this process.  ERROR if the server has no more file descriptors. */
extern void pgt_event_loop_init(void);

/* Wait for events of epoll on source->fd.  False, with errno, if the kernel refuses. */
extern bool pgt_event_loop_add(EventLoopSource *source, uint32 events);

/* Wait for other events from now on; does nothing if they are the same. */
extern void pgt_event_loop_change(EventLoopSource *source, uint32 events);

/* Wait no longer; from now on the source is not called.  The caller closes the descriptor. */
extern void pgt_event_loop_remove(EventLoopSource *source);

/* Call timer->expired once, at that moment or soon after.  A timer that is set is moved. */
extern void pgt_event_loop_set_timer(EventLoopTimer *timer, int64 due);
extern void pgt_event_loop_cancel_timer(EventLoopTimer *timer);

/* The next wait does not sleep: there is work left that no source and no timer tells of. */
extern void pgt_event_loop_hurry(void);

/*
 * Sleep until a source is ready, a timer is due or the latch is set.  Returns whether the
 * latch was, which is reset.
 */
extern bool pgt_event_loop_wait(void);

/* Call what is ready and what is due.  Errors of what is called are thrown on. */
extern void pgt_event_loop_run(void);

#endif							/* EVENT_LOOP_H */
