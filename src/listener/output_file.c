/*
 * output_file.c
 *	  Files of which parts are being sent.
 *
 * An answer may wait for its client long after the file was found, and by then its name
 * may be gone or another file's.  So the descriptor is kept, and counts among those that
 * the server's own files (fd.c) leave alone.  These are a third of max_files_per_process; where all are
 * taken, a part of the file is copied.
 */
#include "postgres.h"

#include <fcntl.h>
#include <unistd.h>

#include "listener/output_file.h"
#include "storage/fd.h"
#include "utils/memutils.h"

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
