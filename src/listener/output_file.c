/*
 * output_file.c
 *	  Files of which parts are being sent.
 *
 * An answer may wait for its client long after the file was found, and by then its name
 * may be gone or another file's.  So the descriptor is kept, and counts among those that
 * the server's own files (fd.c) leave alone.  These are a third of max_files_per_process; where all are
 * taken, a part of the file is copied.
 *
 * Is a part in the kernel's cache?  There are two calls that tell:
 *
 *	  cachestat		counts pages, in no time, but also those that are just being read.  From Linux 6.5 on
 *	  mincore		tells of each page whether it is there, and takes a quarter of the time that it
 *					takes to send them
 *
 * So the former is asked, and the latter where that has said no, or where something of the file was not there
 * a short while ago: then it may be being read.
 *
 * A file system may have a cache of its own, of which neither tells.  Then what was just read is not there either,
 * and after some times it is believed to be.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "listener/output_file.h"
#include "storage/fd.h"
#include "util/clock.h"
#include "utils/memutils.h"

/* Debian 12 does not know it, though its kernel may; it has the same number on all but one kind of processor. */
#if !defined(SYS_cachestat) && !defined(__alpha__)
#define SYS_cachestat	451
#endif

/* How long what has not been in the cache lets all of its file be looked at page by page. */
#define COLD_US		(10 * INT64CONST(1000000))

/* After so many misses in a row the kernel is not asked any more. */
#define MISSES_MAX	4

/* Pages that mincore() is asked about at a time. */
#define PAGES_MAX	1024

size_t		pgt_output_file_memory = 0;

OutputFile *
pgt_output_file_open(const char *path)
{
	OutputFile *file;
	int			fd;

	if (!AcquireExternalFD())
		return NULL;			/* errno is EMFILE */
	fd = BasicOpenFile(path, O_RDONLY | O_CLOEXEC | PG_BINARY);
	if (fd < 0)
	{
		int			save_errno = errno;

		ReleaseExternalFD();
		errno = save_errno;
		return NULL;
	}
	file = MemoryContextAllocExtended(TopMemoryContext, sizeof(OutputFile), MCXT_ALLOC_NO_OOM | MCXT_ALLOC_ZERO);
	if (file == NULL)
	{
		close(fd);
		ReleaseExternalFD();
		errno = ENOMEM;
		return NULL;
	}
	file->fd = fd;
	file->references = 1;
	return file;
}

OutputFile *
pgt_output_file_copy(off_t from, size_t length)
{
	OutputFile *file = MemoryContextAllocHuge(TopMemoryContext, sizeof(OutputFile) + length);

	*file = (OutputFile) {.fd = -1,.references = 1,.copied_from = from,.copied = length,.bytes = (char *) (file + 1)};
	pgt_output_file_memory += length;
	return file;
}

/* ---- the kernel's cache ------------------------------------------------------ */

/* Does the kernel know of all these pages, at least as being read?  False also where it cannot tell. */
static bool
knows_all(const OutputFile *file, off_t offset, size_t length, size_t page)
{
#ifdef SYS_cachestat
	struct
	{
		uint64		offset;
		uint64		length;
	}			range = {offset, length};
	struct
	{
		uint64		cached;
		uint64		others[4];
	}			pages = {0};

	return syscall(SYS_cachestat, file->fd, &range, &pages, 0) == 0 && pages.cached >= length / page;
#else
	return false;
#endif
}

/* How many of these bytes from the first one on are in the cache.  All if that cannot be told. */
static size_t
count_cached(const OutputFile *file, off_t offset, size_t length, size_t page)
{
	unsigned char there[PAGES_MAX];
	size_t		count = length / page;
	void	   *mapped = mmap(NULL, length, PROT_READ, MAP_SHARED, file->fd, offset);
	size_t		n = 0;

	if (mapped == MAP_FAILED)
		return length;
	if (mincore(mapped, length, there) != 0)
		n = count;
	while (n < count && (there[n] & 1) != 0)
		n++;
	munmap(mapped, length);
	return n * page;
}

size_t
pgt_output_file_cached(OutputFile *file, off_t offset, size_t length)
{
	static size_t page = 0;
	off_t		first;
	size_t		whole;
	size_t		cached;

	if (page == 0)
		page = sysconf(_SC_PAGESIZE);
	if (file->misses >= MISSES_MAX)
		return length;
	if (file->cold_at != 0 && pgt_clock_monotonic_us() - file->cold_at > COLD_US)
		file->cold_at = 0;
	/* whole pages */
	first = offset - offset % page;
	whole = Min(((offset + length - first + page - 1) / page), PAGES_MAX) * page;
	if (file->cold_at == 0 && knows_all(file, first, whole, page))
		return Min(length, first + whole - offset);
	cached = count_cached(file, first, whole, page);
	if (cached < whole)
		file->cold_at = pgt_clock_monotonic_us();
	return first + cached <= offset ? 0 : Min(length, first + cached - offset);
}

/* ---- references -------------------------------------------------------------- */

void
pgt_output_file_retain(OutputFile *file)
{
	file->references++;
}

void
pgt_output_file_release(OutputFile *file)
{
	if (--file->references > 0)
		return;
	if (file->fd >= 0)
	{
		close(file->fd);
		ReleaseExternalFD();
	}
	pgt_output_file_memory -= file->copied;
	pfree(file);
}
