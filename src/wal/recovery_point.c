/*
 * recovery_point.c
 *	  The file <log_dir>/recovery_point: where each partition stood when everything was
 *	  last synced.
 *
 * recovery_point_format.h describes its bytes; this file writes and reads them.
 *
 * All that it says was durable before it was written: segments were synced and the WAL was
 * flushed.  It limits how much loading must scan, and it has what no segment file tells:
 * log starts and resolved offsets.  Write, fsync and durable_rename replace it as a
 * whole, so a crash leaves the old file or the new one.
 *
 * A damaged file is reported and treated as missing: loading then scans every segment from
 * its start.
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

/* The path of the file; "path" has MAXPGPATH bytes. */
static void
recovery_point_path(char *path)
{
	snprintf(path, MAXPGPATH, "%s/recovery_point", pgt_log_dir);
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
pgt_recovery_point_write(const RecoveryPointEntry *entries, int count)
{
	RecoveryPointHeader header;
	char		path[MAXPGPATH];
	char		temporary[MAXPGPATH + 8];
	int			fd;

	pgt_recovery_point_format_seal(&header, GetSystemIdentifier(), pgt_log_shared->wal_max_partitions,
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
pgt_recovery_point_check_system(uint64 identifier)
{
	if (identifier == GetSystemIdentifier())
		return;

	/* the next recovery point, written at the latest when the server stops, has our identifier */
	pg_atomic_write_u32(&pgt_log_shared->recovery_point_stale, 1);
	if (!pgt_adopt_log_dir)
		ereport(FATAL,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the topics in \"%s\" belong to another database cluster", pgt_log_dir),
				 errdetail("They were written under system identifier %llu; this cluster has system identifier %llu.",
						   (unsigned long long) identifier,
						   (unsigned long long) GetSystemIdentifier()),
				 errhint("If they came here by pg_upgrade, start the server once with pg_topics.adopt_log_dir = on.")));
}

/* ERROR if the file has a version that this library does not read, FATAL if the logs are of another cluster. */
static void
check_header(const RecoveryPointHeader *header, const char *path)
{
	pgt_check_file_version(&RECOVERY_POINT_VERSIONS, header->version, path);
	pgt_recovery_point_check_system(header->system_identifier);
}

/* Read the whole file, palloc'd.  Returns its length, or -1 if it does not exist. */
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
	problem = pgt_recovery_point_format_check_header(bytes, length, &header);
	if (problem == NULL)
	{
		check_header(&header, path);
		problem = pgt_recovery_point_format_check_entries(bytes, length, &header);
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
			 errmsg("recovery point file \"%s\" is damaged; scanning all segments instead", path),
			 errdetail("The problem: %s.", problem)));
	return -1;
}
