/*
 * checkpoint_file.c
 *	  Files of the log directory that a sync replaces as a whole: the recovery point and the
 *	  files of producers and of Kafka transactions.
 *
 * Write, fsync and durable_rename replace a file, so a crash leaves the old one or the new one.
 * No checkpoint completes until they are written (log_sync.c).
 *
 * I/O is by plain file descriptors, since the postmaster, which reads the files at server
 * start, has no virtual ones.  Nothing here is palloc'd for writing, which is done in critical
 * sections.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/log_directory.h"
#include "storage/fd.h"
#include "util/fault_point.h"
#include "wal/checkpoint_file.h"

void
pgt_checkpoint_file_path(char *path, const char *name)
{
	snprintf(path, MAXPGPATH, "%s/%s", pgt_log_dir, name);
}

/* Write all bytes.  If that fails, remove the file and throw an ERROR. */
static void
write_all(int fd, const void *bytes, size_t length, const char *path)
{
	int			error;

	errno = 0;
	if (!FAULT_ERROR("recovery-point-write") && write(fd, bytes, length) == length)
		return;
	error = errno == 0 ? ENOSPC : errno;
	close(fd);
	unlink(path);
	errno = error;
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not write file \"%s\": %m", path),
			 errhint("Check free disk space.  No checkpoint can complete until this file is written.")));
}

void
pgt_checkpoint_file_replace(const char *name, const void *header, size_t header_length,
							const void *entries, size_t entries_length)
{
	char		path[MAXPGPATH];
	char		temporary[MAXPGPATH + 8];
	int			fd;

	pgt_checkpoint_file_path(path, name);
	snprintf(temporary, sizeof(temporary), "%s.tmp", path);
	fd = BasicOpenFile(temporary, O_RDWR | O_CREAT | O_TRUNC | PG_BINARY);
	if (fd < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not create file \"%s\": %m", temporary)));
	write_all(fd, header, header_length, temporary);
	write_all(fd, entries, entries_length, temporary);
	FAULT_POINT("recovery-point-written");
	if (FAULT_ERROR("recovery-point-sync") || pg_fsync(fd) != 0)
		ereport(data_sync_elevel(ERROR),
				(errcode_for_file_access(),
				 errmsg("could not fsync file \"%s\": %m", temporary)));
	close(fd);
	FAULT_POINT("recovery-point-synced");
	durable_rename(temporary, path, ERROR);
}

ssize_t
pgt_checkpoint_file_read(const char *name, char **bytes)
{
	char		path[MAXPGPATH];
	struct stat status;
	ssize_t		length = -1;
	int			fd;

	pgt_checkpoint_file_path(path, name);
	fd = BasicOpenFile(path, O_RDONLY | PG_BINARY);
	if (fd < 0 && errno == ENOENT)
		return -1;
	if (fd >= 0 && fstat(fd, &status) == 0)
	{
		*bytes = MemoryContextAllocHuge(CurrentMemoryContext, status.st_size + 1);
		length = read(fd, *bytes, status.st_size);
	}
	if (length < 0)
		ereport(FATAL,
				(errcode_for_file_access(),
				 errmsg("could not read file \"%s\": %m", path)));
	close(fd);
	return length;
}
