/*
 * thread_pool.c
 *	  Work that would hold up the loop, done by threads beside it.
 *
 *	  loop		add ---> waiting						 finished ---> done()
 *							|								|
 *	  threads				+---> run() --------------------+---> eventfd
 *
 * The server's code is not made for threads, so these call nothing of it: system calls and libraries only, on what the
 * loop holds for them, with all signals blocked.  They throw nothing, and know of no connection.
 * A process in their place would take one of max_worker_processes, and would have to be given what is in this one's
 * memory.
 *
 * There are none until there is something to do for the first time, which may be never.
 *
 * Locks: ThreadPoolState.mutex, for the two lists and ThreadWork.waits.  The rest of a ThreadWork is the loop's, or is not
 * changed while it is run.
 *
 * Memory: TopMemoryContext, for the process's lifetime.
 */
#include "postgres.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "listener/event_loop.h"
#include "listener/thread_pool.h"
#include "storage/fd.h"
#include "util/clock.h"
#include "utils/memutils.h"

#define THREAD_STACK	(512 * 1024)
#define HELD_US			(10 * 1000)

typedef struct ThreadPoolState
{
	EventLoopSource finish_event;	/* the first field: the pool is found by it */
	EventLoopTimer timer;		/* while what was done is held */
	const ThreadPool *pool;
	pthread_mutex_t mutex;
	pthread_cond_t more_waits;
	dlist_head	waiting;
	dlist_head	finished;
	int			threads;
} ThreadPoolState;

/* ---- the threads ------------------------------------------------------------- */

static void *
run_works(void *arg)
{
	ThreadPoolState *state = arg;

	pthread_mutex_lock(&state->mutex);
	for (;;)
	{
		const uint64 one = 1;
		ThreadWork *work;

		while (dlist_is_empty(&state->waiting))
			pthread_cond_wait(&state->more_waits, &state->mutex);
		work = dlist_container(ThreadWork, node, dlist_pop_head_node(&state->waiting));
		work->waits = false;
		pthread_mutex_unlock(&state->mutex);
		work->run(work);
		pthread_mutex_lock(&state->mutex);
		dlist_push_tail(&state->finished, &work->node);
		/* it could fail only if the loop had not looked for ages, and then it is awake */
		if (write(state->finish_event.fd, &one, sizeof(one)) < 0)
			continue;
	}
	return NULL;
}

/* Begin threads.  Signals are the loop's, and a thread has the mask of the one that has begun it. */
static void
begin_threads(ThreadPoolState *state)
{
	pthread_attr_t attributes;
	sigset_t	all;
	sigset_t	before;
	pthread_t	thread;

	if (pthread_attr_init(&attributes) != 0)
		return;
	(void) pthread_attr_setstacksize(&attributes, THREAD_STACK);
	(void) pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	(void) pthread_sigmask(SIG_SETMASK, &all, &before);
	while (state->threads < state->pool->threads && pthread_create(&thread, &attributes, run_works, state) == 0)
		state->threads++;
	(void) pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void) pthread_attr_destroy(&attributes);
}

/* ---- the loop ---------------------------------------------------------------- */

/* Take the first one that was done; NULL: there is none. */
static ThreadWork *
next_finished(ThreadPoolState *state)
{
	ThreadWork *work = NULL;

	pthread_mutex_lock(&state->mutex);
	if (!dlist_is_empty(&state->finished))
		work = dlist_container(ThreadWork, node, dlist_pop_head_node(&state->finished));
	pthread_mutex_unlock(&state->mutex);
	return work;
}

/* Tell of what was done. */
static void
tell_finished(EventLoopTimer *timer)
{
	ThreadPoolState *state = (ThreadPoolState *) ((char *) timer - offsetof(ThreadPoolState, timer));
	ThreadWork *work;

	if (state->pool->is_held != NULL && state->pool->is_held())
	{
		pgt_event_loop_set_timer(timer, pgt_clock_monotonic_us() + HELD_US);
		return;
	}
	while ((work = next_finished(state)) != NULL)
		work->done(work);
}

static void
finish_event_ready(EventLoopSource *source, uint32 events)
{
	uint64		count;

	(void) !read(source->fd, &count, sizeof(count));
	tell_finished(&((ThreadPoolState *) source)->timer);
}

/* Make the state, if there is none and it can be made. */
static void
make_state(ThreadPool *pool)
{
	ThreadPoolState *state;
	int			fd;

	if (pool->state != NULL)
		return;
	state = MemoryContextAllocExtended(TopMemoryContext, sizeof(ThreadPoolState), MCXT_ALLOC_NO_OOM | MCXT_ALLOC_ZERO);
	fd = state == NULL ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd >= 0)
	{
		state->finish_event = (EventLoopSource) {.fd = fd,.ready = finish_event_ready};
		state->timer.expired = tell_finished;
		state->pool = pool;
		pthread_mutex_init(&state->mutex, NULL);
		pthread_cond_init(&state->more_waits, NULL);
		dlist_init(&state->waiting);
		dlist_init(&state->finished);
	}
	if (fd >= 0 && pgt_event_loop_add(&state->finish_event, EPOLLIN))
	{
		ReserveExternalFD();
		pool->state = state;
		return;
	}
	if (fd >= 0)
		close(fd);
	if (state != NULL)
		pfree(state);
}

bool
pgt_thread_pool_add(ThreadPool *pool, ThreadWork *work)
{
	ThreadPoolState *state;

	make_state(pool);
	state = pool->state;
	if (state == NULL)
		return false;
	if (state->threads == 0)
		begin_threads(state);
	if (state->threads == 0)
		return false;
	pthread_mutex_lock(&state->mutex);
	work->waits = true;
	dlist_push_tail(&state->waiting, &work->node);
	pthread_cond_signal(&state->more_waits);
	pthread_mutex_unlock(&state->mutex);
	return true;
}

bool
pgt_thread_pool_remove(ThreadPool *pool, ThreadWork *work)
{
	ThreadPoolState *state = pool->state;
	bool		waited;

	pthread_mutex_lock(&state->mutex);
	waited = work->waits;
	work->waits = false;
	if (waited)
		dlist_delete(&work->node);
	pthread_mutex_unlock(&state->mutex);
	return waited;
}
