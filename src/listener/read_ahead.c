/*
 * read_ahead.c
 *	  Reading parts of files into the kernel's cache, beside the loop.
 *
 * The kernel sends from its cache, and where something is not in there it lets the process wait for
 * the disk.  Not even asking it to read ahead is certain not to wait.  So that is done by threads:
 *
 *	  loop		begin ---> waiting						 finished ---> done()
 *							  |								|
 *	  threads				  +---> read, and forget the bytes ---> eventfd
 *
 * The server's code is not made for threads, so these call nothing of it: system calls and the C
 * library only, on descriptors that the loop holds open for them, with all signals blocked.  They throw nothing,
 * allocate nothing, and know of no connection.  A process in their place would take one of max_worker_processes
 * and would have to find files again that may have no name any more.
 *
 * There are none until something has to be read for the first time, which may be never.  What is behind
 * the part is asked for as well, since most clients go on there.
 *
 * Locks: "mutex", for the two lists and ReadAhead.waits.  The rest of a ReadAhead is the loop's, or is not changed
 * while it is read.
 *
 * Memory: TopMemoryContext; freed when it was read.
 */
#include "postgres.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/ilist.h"
#include "listener/event_loop.h"
#include "listener/read_ahead.h"
#include "storage/fd.h"
#include "util/clock.h"
#include "util/fault_point.h"
#include "utils/memutils.h"

#define READERS			4		/* so many disks, or requests to one, are waited for at once */
#define READER_BUFFER	(64 * 1024)
#define READER_STACK	(4 * READER_BUFFER)

/* With so many parts under way nothing is read that nobody waits for yet. */
#define PARTS_ENOUGH	(4 * READERS)

#define SLOW_DISK_US	(10 * 1000)

struct ReadAhead
{
	dlist_node	node;			/* in waiting or finished */
	OutputRange range;
	int			fd;				/* of its file */
	bool		waits;			/* it is in waiting */
	void		(*done) (void *arg);	/* NULL: nobody wants to know */
	void	   *arg;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more_waits = PTHREAD_COND_INITIALIZER;
static dlist_head waiting = DLIST_STATIC_INIT(waiting);
static dlist_head finished = DLIST_STATIC_INIT(finished);

static int	reader_count = 0;
static int	part_count = 0;		/* that wait, are read, or are finished */
static EventLoopSource finish_event = {.fd = -1};

/* ---- the threads ------------------------------------------------------------- */

/* Read a part, and no further than it can be. */
static void
read_part(const ReadAhead *ahead)
{
	char		bytes[READER_BUFFER];
	off_t		offset = ahead->range.offset;
	size_t		left = ahead->range.length;

	(void) posix_fadvise(ahead->fd, offset, 2 * left, POSIX_FADV_WILLNEED);
	while (left > 0)
	{
		ssize_t		count = pread(ahead->fd, bytes, Min(left, sizeof(bytes)), offset);

		if (count <= 0)
			break;
		offset += count;
		left -= count;
	}
}

static void *
read_parts(void *unused)
{
	pthread_mutex_lock(&mutex);
	for (;;)
	{
		const uint64 one = 1;
		ReadAhead  *ahead;

		while (dlist_is_empty(&waiting))
			pthread_cond_wait(&more_waits, &mutex);
		ahead = dlist_container(ReadAhead, node, dlist_pop_head_node(&waiting));
		ahead->waits = false;
		pthread_mutex_unlock(&mutex);
		read_part(ahead);
		pthread_mutex_lock(&mutex);
		dlist_push_tail(&finished, &ahead->node);
		/* it could fail only if the loop had not looked for ages, and then it is awake */
		if (write(finish_event.fd, &one, sizeof(one)) < 0)
			continue;
	}
	return NULL;
}

/* Begin threads.  Signals are the loop's, and a thread has the mask of the one that has begun it. */
static void
begin_readers(void)
{
	pthread_attr_t attributes;
	sigset_t	all;
	sigset_t	before;
	pthread_t	reader;

	if (pthread_attr_init(&attributes) != 0)
		return;
	(void) pthread_attr_setstacksize(&attributes, READER_STACK);
	(void) pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	(void) pthread_sigmask(SIG_SETMASK, &all, &before);
	while (reader_count < READERS && pthread_create(&reader, &attributes, read_parts, NULL) == 0)
		reader_count++;
	(void) pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void) pthread_attr_destroy(&attributes);
}

/* ---- the loop ---------------------------------------------------------------- */

static void
free_part(ReadAhead *ahead)
{
	pgt_output_file_release(ahead->range.file);
	pfree(ahead);
	part_count--;
}

/* Take the first one that was read; NULL: there is none. */
static ReadAhead *
next_finished(void)
{
	ReadAhead  *ahead = NULL;

	pthread_mutex_lock(&mutex);
	if (!dlist_is_empty(&finished))
		ahead = dlist_container(ReadAhead, node, dlist_pop_head_node(&finished));
	pthread_mutex_unlock(&mutex);
	return ahead;
}

/* Tell of what was read.  For tests it can take the disk as long as they like. */
static void
tell_finished(EventLoopTimer *timer)
{
	ReadAhead  *ahead;

	if (FAULT_IS("disk", "slow") || FAULT_IS("disk", "away"))
	{
		pgt_event_loop_set_timer(timer, pgt_clock_monotonic_us() + SLOW_DISK_US);
		return;
	}
	while ((ahead = next_finished()) != NULL)
	{
		if (ahead->done != NULL)
			ahead->done(ahead->arg);
		free_part(ahead);
	}
}

static void
finish_event_ready(EventLoopSource *source, uint32 events)
{
	static EventLoopTimer timer = {.expired = tell_finished};
	uint64		count;

	(void) !read(source->fd, &count, sizeof(count));
	tell_finished(&timer);
}

/* Are there threads?  They are begun if there are none. */
static bool
have_readers(void)
{
	if (finish_event.fd < 0)
	{
		int			fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

		if (fd < 0)
			return false;
		finish_event = (EventLoopSource) {.fd = fd,.ready = finish_event_ready};
		if (!pgt_event_loop_add(&finish_event, EPOLLIN))
		{
			close(fd);
			finish_event.fd = -1;
			return false;
		}
		ReserveExternalFD();
	}
	if (reader_count == 0)
		begin_readers();
	return reader_count > 0;
}

ReadAhead *
pgt_read_ahead_begin(const OutputRange *range, void (*done) (void *arg), void *arg)
{
	ReadAhead  *ahead;

	if (!have_readers() || (done == NULL && part_count >= PARTS_ENOUGH))
		return NULL;
	ahead = MemoryContextAllocExtended(TopMemoryContext, sizeof(ReadAhead), MCXT_ALLOC_NO_OOM | MCXT_ALLOC_ZERO);
	if (ahead == NULL)
		return NULL;
	*ahead = (ReadAhead) {.range = *range,.fd = range->file->fd,.waits = true,.done = done,.arg = arg};
	pgt_output_file_retain(range->file);
	part_count++;
	pthread_mutex_lock(&mutex);
	dlist_push_tail(&waiting, &ahead->node);
	pthread_cond_signal(&more_waits);
	pthread_mutex_unlock(&mutex);
	return ahead;
}

void
pgt_read_ahead_forget(ReadAhead *ahead)
{
	bool		waited;

	pthread_mutex_lock(&mutex);
	waited = ahead->waits;
	if (waited)
		dlist_delete(&ahead->node);
	pthread_mutex_unlock(&mutex);
	ahead->done = NULL;
	if (waited)
		free_part(ahead);
}
