/*
 * output_file.c
 *	  Files of which parts are being sent.
 *
 * An answer may wait for its client long after the file was found, and by then its name
 * may be gone or another file's.  So the descriptor is kept, and counts among those that
 * the server's own files (fd.c) leave alone.
 */
#include "postgres.h"

#include <fcntl.h>
#include <unistd.h>

#include "listener/output_file.h"
#include "storage/fd.h"
#include "utils/memutils.h"

OutputFile *
pgt_output_file_open(const char *path)
{
	OutputFile *file;
	int			fd;

	if (!AcquireExternalFD())
		return NULL;
	fd = BasicOpenFile(path, O_RDONLY | O_CLOEXEC | PG_BINARY);
	if (fd < 0)
	{
		int			save_errno = errno;

		ReleaseExternalFD();
		errno = save_errno;
		return NULL;
	}
	file = MemoryContextAlloc(TopMemoryContext, sizeof(OutputFile));
	file->fd = fd;
	file->references = 1;
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
	close(file->fd);
	ReleaseExternalFD();
	pfree(file);
}
