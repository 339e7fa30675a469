/*
 * read_ahead.c
 *	  Reading parts of files into the kernel's cache, beside the loop.
 *
 * The kernel sends from its cache, and where something is not in there it lets the process wait for
 * the disk.  Not even asking it to read ahead is certain not to wait.  So that is done by threads (thread_pool.c), on
 * descriptors that the loop holds open for them: the bytes are read, and forgotten.
 * A process would have to find files again that may have no name any more.
 *
 * What is behind the part is asked for as well, since most clients go on there.
 *
 * Memory: TopMemoryContext; freed when it was read.
 */
#include "postgres.h"

#include <fcntl.h>
#include <unistd.h>

#include "listener/read_ahead.h"
#include "listener/thread_pool.h"
#include "util/fault_point.h"
#include "utils/memutils.h"

#define READERS			4		/* so many disks, or requests to one, are waited for at once */
#define READER_BUFFER	(64 * 1024)

/* With so many parts under way nothing is read that nobody waits for yet. */
#define PARTS_ENOUGH	(4 * READERS)

struct ReadAhead
{
	ThreadWork	work;			/* the first field: it is found by it */
	OutputRange range;
	int			fd;				/* of its file */
	void		(*done) (void *arg);	/* NULL: nobody wants to know */
	void	   *arg;
};

static bool is_held(void);

static ThreadPool readers = {.threads = READERS,.is_held = is_held};
static int	part_count = 0;		/* that wait, are read, or are finished */

/* For tests a disk can take as long as they like. */
static bool
is_held(void)
{
	return FAULT_IS("disk", "slow") || FAULT_IS("disk", "away");
}

/* In a thread: read a part, and no further than it can be. */
static void
read_part(ThreadWork *work)
{
	const ReadAhead *ahead = (ReadAhead *) work;
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

static void
free_part(ReadAhead *ahead)
{
	pgt_output_file_release(ahead->range.file);
	pfree(ahead);
	part_count--;
}

static void
part_read(ThreadWork *work)
{
	ReadAhead  *ahead = (ReadAhead *) work;

	if (ahead->done != NULL)
		ahead->done(ahead->arg);
	free_part(ahead);
}

ReadAhead *
pgt_read_ahead_begin(const OutputRange *range, void (*done) (void *arg), void *arg)
{
	ReadAhead  *ahead;

	if (done == NULL && part_count >= PARTS_ENOUGH)
		return NULL;
	ahead = MemoryContextAllocExtended(TopMemoryContext, sizeof(ReadAhead), MCXT_ALLOC_NO_OOM | MCXT_ALLOC_ZERO);
	if (ahead == NULL)
		return NULL;
	*ahead = (ReadAhead) {.work = {.run = read_part,.done = part_read},.range = *range,.fd = range->file->fd,.done = done,.arg = arg};
	pgt_output_file_retain(range->file);
	part_count++;
	if (pgt_thread_pool_add(&readers, &ahead->work))
		return ahead;
	free_part(ahead);
	return NULL;
}

void
pgt_read_ahead_forget(ReadAhead *ahead)
{
	ahead->done = NULL;
	if (pgt_thread_pool_remove(&readers, &ahead->work))
		free_part(ahead);
}
