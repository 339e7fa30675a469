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
 * Files of another cluster are not loaded: their LSNs and transaction ids mean nothing
 * here.  The exception is a cluster that goes on under another system identifier, which
 * has to be said, once:
 *
 *	  pg_topics.adopt_log_dir	for one start
 *	  <log_dir>/adopt			a file that holds the new identifier as a decimal number, as
 *								pg_topics_upgrade leaves it; a copy of it elsewhere says nothing
 *
 * After pg_upgrade the topics are in the catalogs while their files may not be here yet.
 * So creating a topic in pg_upgrade leaves a recovery point with the system identifier
 * AWAITED, which no cluster has, and no server starts with that: the files that are
 * awaited bring another recovery point, which takes its place.
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
#include "wal/recovery_point.h"

#define AWAITED		UINT64CONST(0)	/* system identifier of files that are still to come */

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

/* Replace the file by one with this header and the entries. */
static void
write_file(const RecoveryPointHeader *header, const RecoveryPointEntry *entries)
{
	char		path[MAXPGPATH];
	char		temporary[MAXPGPATH + 8];
	int			fd;

	recovery_point_path(path);
	snprintf(temporary, sizeof(temporary), "%s.tmp", path);
	fd = BasicOpenFile(temporary, O_RDWR | O_CREAT | O_TRUNC | PG_BINARY);
	if (fd < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not create file \"%s\": %m", temporary)));
	write_all(fd, header, sizeof(*header), temporary);
	write_all(fd, entries, header->count * sizeof(*entries), temporary);
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
pgt_recovery_point_write(const RecoveryPointEntry *entries, int count)
{
	RecoveryPointHeader header;

	pgt_recovery_point_seal(&header, GetSystemIdentifier(), pgt_log_shared->wal_max_partitions,
							entries, count);
	write_file(&header, entries);
}

/* ---- whose files they are ------------------------------------------------ */

/* "path" is MAXPGPATH bytes. */
static void
adopt_path(char *path)
{
	snprintf(path, MAXPGPATH, "%s/adopt", pgt_log_dir);
}

/* Does <log_dir>/adopt say that this cluster is to take the files over? */
static bool
told_to_adopt(void)
{
	char		path[MAXPGPATH];
	char		content[32] = {0};
	int			fd;

	adopt_path(path);
	fd = BasicOpenFile(path, O_RDONLY | PG_BINARY);
	if (fd < 0)
		return false;
	if (read(fd, content, sizeof(content) - 1) <= 0)
		content[0] = '\0';
	close(fd);
	return strtou64(content, NULL, 10) == GetSystemIdentifier();
}

/* The files are this cluster's now. */
static void
remove_adopt_file(void)
{
	char		path[MAXPGPATH];

	adopt_path(path);
	if (unlink(path) != 0 && errno != ENOENT)
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("could not remove file \"%s\": %m", path)));
}

/* FATAL: pg_upgrade has made the topics, and their files are not here. */
static void
report_awaited(void)
{
	ereport(FATAL,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the records of this cluster's topics are missing"),
			 errdetail("pg_upgrade has made the topics, but does not bring the directory \"%s\" with their records.",
					   pgt_log_dir),
			 errhint("Do not run delete_old_cluster.sh yet: it removes the records. Bring them with \"pg_topics_upgrade --topics-only\". "
					 "Only to go on with empty topics, remove the directory \"%s\" of this cluster.", pgt_log_dir)));
}

void
pgt_check_system_identifier(uint64 identifier)
{
	if (identifier == AWAITED)
		report_awaited();
	if (identifier == GetSystemIdentifier())
	{
		remove_adopt_file();
		return;
	}

	/* adopted: the next recovery point, at the latest when the server stops, says so */
	pg_atomic_write_u32(&pgt_log_shared->recovery_point_stale, 1);
	if (!pgt_adopt_log_dir && !told_to_adopt())
		ereport(FATAL,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the topics in \"%s\" belong to another database cluster", pgt_log_dir),
				 errdetail("They were written under system identifier %llu, this cluster's is %llu.",
						   (unsigned long long) identifier,
						   (unsigned long long) GetSystemIdentifier()),
				 errhint("If this cluster has gone on from that one, by pg_upgrade, pg_createsubscriber or pg_resetwal, "
						 "start once with pg_topics.adopt_log_dir = on. If it has not, take the directory away.")));
}

/* FATAL where the logs are not this cluster's or of another release. */
static void
check_header(const RecoveryPointHeader *header, const char *path)
{
	if (header->version != RECOVERY_POINT_VERSION)
		ereport(FATAL,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("\"%s\" has format version %u, this release of pg_topics knows %d",
						path, header->version, RECOVERY_POINT_VERSION)));
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
		*entries = (RecoveryPointEntry *) (bytes + sizeof(header));
		return header.count;
	}
	ereport(LOG,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("file \"%s\" is damaged; scanning all topics", path),
			 errdetail_internal("%s", problem)));
	return -1;
}

/* Read the header alone; false where there is none that is whole. */
static bool
read_header(RecoveryPointHeader *header)
{
	char		path[MAXPGPATH];
	char	   *bytes = NULL;
	ssize_t		length;

	recovery_point_path(path);
	length = read_file(path, &bytes);
	return length >= 0 && pgt_recovery_point_check_header(bytes, length, header) == NULL;
}

void
pgt_recovery_point_await(void)
{
	static bool done = false;
	RecoveryPointHeader header;

	if (done)
		return;
	LWLockAcquire(&pgt_log_shared->sync_lock, LW_EXCLUSIVE);
	if (MakePGDirectory(pgt_log_dir) != 0 && errno != EEXIST)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not create directory \"%s\": %m", pgt_log_dir)));
	fsync_fname(".", true);
	if (read_header(&header) && header.system_identifier != AWAITED &&
		header.system_identifier != GetSystemIdentifier())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("directory \"%s\" holds the topics of another database cluster", pgt_log_dir),
				 errhint("Take it out of the new cluster until pg_upgrade is done.")));
	pgt_recovery_point_seal(&header, AWAITED, 0, NULL, 0);
	write_file(&header, NULL);
	LWLockRelease(&pgt_log_shared->sync_lock);
	done = true;
}
