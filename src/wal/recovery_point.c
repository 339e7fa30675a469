/*
 * recovery_point.c
 *	  The file <log_dir>/recovery_point: where each partition stood when
 *	  everything was last synced.
 *
 * Its bytes are described in recovery_point_format.h; here is their way to disk
 * and back.
 *
 * Everything it promises was durable before it was written: fsynced segments
 * and flushed WAL.  It bounds what loading must scan, and it holds what no
 * segment file tells: log start and resolved offsets.  It is replaced whole by
 * write, fsync and durable_rename, so a crash leaves the old or the new one.
 *
 * A damaged one is reported and taken as missing: loading then scans every
 * segment from its start.
 *
 * Layer 3.  Next: log_load.c.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/xlog.h"
#include "log/log_state.h"
#include "util/fault_point.h"
#include "util/format_version.h"
#include "wal/recovery_point.h"

bool		pgt_adopt_log_dir = false;

/* "path" is MAXPGPATH bytes. */
static void
recovery_point_path(char *path)
{
	snprintf(path, MAXPGPATH, "%s/recovery_point", pgt_log_dir);
}

/* Write all bytes; where that fails, remove the file and throw. */
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
			 errhint("Check free disk space; no checkpoint completes until this can be written.")));
}

void
pgt_recovery_point_write(const RecoveryPointEntry *entries, int count)
{
	RecoveryPointHeader header;
	char		path[MAXPGPATH];
	char		temporary[MAXPGPATH + 8];
	int			fd;

	pgt_recovery_point_seal(&header, GetSystemIdentifier(), pgt_log_shared->wal_max_partitions,
							PGT_RMGR_ID, entries, count);

	recovery_point_path(path);
	snprintf(temporary, sizeof(temporary), "%s.tmp", path);
	fd = BasicOpenFile(temporary, O_RDWR | O_CREAT | O_TRUNC | PG_BINARY);
	if (fd < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not create file \"%s\": %m", temporary)));
	write_all(fd, &header, sizeof(header), temporary);
	write_all(fd, entries, count * sizeof(*entries), temporary);
	FAULT_POINT("recovery-point-written");
	if (FAULT_ERROR("recovery-point-sync") || pg_fsync(fd) != 0)
		ereport(data_sync_elevel(ERROR),
				(errcode_for_file_access(),
				 errmsg("could not fsync file \"%s\": %m", temporary)));
	close(fd);
	FAULT_POINT("recovery-point-synced");
	durable_rename(temporary, path, ERROR);
}

void
pgt_check_system_identifier(uint64 identifier)
{
	if (identifier == GetSystemIdentifier())
		return;

	/* adopted: the next recovery point, at the latest when the server stops, says so */
	pg_atomic_write_u32(&pgt_log_shared->recovery_point_stale, 1);
	if (!pgt_adopt_log_dir)
		ereport(FATAL,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the topics in \"%s\" belong to another database cluster", pgt_log_dir),
				 errdetail("They were written under system identifier %llu, this cluster's is %llu.",
						   (unsigned long long) identifier,
						   (unsigned long long) GetSystemIdentifier()),
				 errhint("If they came here by pg_upgrade, start once with pg_topics.adopt_log_dir = on.")));
}

/* ERROR where the logs are of a version that this library does not read, FATAL where they are not this cluster's. */
static void
check_header(const RecoveryPointHeader *header, const char *path)
{
	pgt_check_file_version(&RECOVERY_POINT_VERSIONS, header->version, path);
	pgt_check_system_identifier(header->system_identifier);
}

/* All of the file, palloc'd; its length, or -1 where it does not exist. */
static ssize_t
read_file(const char *path, char **bytes)
{
	struct stat status;
	ssize_t		length = -1;
	int			fd = BasicOpenFile(path, O_RDONLY | PG_BINARY);

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

int
pgt_recovery_point_read(RecoveryPointEntry **entries)
{
	RecoveryPointHeader header;
	char		path[MAXPGPATH];
	char	   *bytes = NULL;
	const char *problem;
	ssize_t		length;

	*entries = NULL;
	recovery_point_path(path);
	length = read_file(path, &bytes);
	if (length < 0)
		return -1;
	problem = pgt_recovery_point_check_header(bytes, length, &header);
	if (problem == NULL)
	{
		check_header(&header, path);
		problem = pgt_recovery_point_check_entries(bytes, length, &header);
	}
	if (problem == NULL)
	{
		pgt_log_shared->wal_max_partitions = header.max_partitions;
		pgt_log_shared->wal_rmgr_id = header.rmgr_id;
		*entries = (RecoveryPointEntry *) (bytes + sizeof(header));
		return header.count;
	}
	ereport(LOG,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("file \"%s\" is damaged; scanning all topics", path),
			 errdetail_internal("%s", problem)));
	return -1;
}
