/*
 * recovery_point.c
 *	  The file <log_dir>/recovery_point: where each partition stood when everything was
 *	  last synced.
 *
 * recovery_point_format.h describes its bytes; this file writes and reads them.
 *
 * All that it says was durable before it was written: segments were synced and the WAL was
 * flushed.  It limits how much loading must scan, and it has what no segment file tells:
 * log starts and resolved offsets.  It is replaced as a whole (checkpoint_file.c), so a
 * crash leaves the old file or the new one.
 *
 * A damaged file is reported and treated as missing: loading then scans every segment from
 * its start.
 *
 * Files of another cluster are not loaded: their LSNs and transaction IDs mean nothing
 * here.  The exception is a cluster that goes on under another system identifier.  An
 * administrator says so once, in one of two ways:
 *
 *	  pg_topics.adopt_log_dir	for one start
 *	  <log_dir>/adopt			a file that holds the new identifier as a decimal number, as
 *								pg_topics_upgrade leaves it; a copy of it in another cluster
 *								has no effect
 *
 * After pg_upgrade the topics are in the catalogs while their files may not be there yet.
 * So creating a topic in pg_upgrade leaves a recovery point with the system identifier
 * AWAITED, which no cluster has, and no server starts with it.  The files that are awaited
 * bring another recovery point, which takes its place.
 */
#include "postgres.h"

#include <fcntl.h>
#include <unistd.h>

#include "access/xlog.h"
#include "log/log_state.h"
#include "util/format_version.h"
#include "wal/checkpoint_file.h"
#include "wal/recovery_point.h"

#define FILE_NAME	"recovery_point"
#define AWAITED		UINT64CONST(0)	/* system identifier of files that are still to come */

bool		pgt_adopt_log_dir = false;

/* Replace the file by one with this header and the entries. */
static void
write_file(const RecoveryPointHeader *header, const RecoveryPointEntry *entries)
{
	pgt_checkpoint_file_replace(FILE_NAME, header, sizeof(*header), entries, header->count * sizeof(*entries));
}

void
pgt_recovery_point_write(const RecoveryPointEntry *entries, int count)
{
	RecoveryPointHeader header;

	pgt_recovery_point_format_seal(&header, GetSystemIdentifier(), pgt_log_state->wal_max_partitions,
								   PGT_RMGR_ID, entries, count);
	write_file(&header, entries);
}

/* ---- the cluster that the files belong to ------------------------------------------------ */

/* "path" is MAXPGPATH bytes. */
static void
adopt_path(char *path)
{
	snprintf(path, MAXPGPATH, "%s/adopt", pgt_log_dir);
}

/* Does <log_dir>/adopt say that this cluster takes over the files? */
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

/* Remove <log_dir>/adopt: the files are this cluster's now. */
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

/* Throw the FATAL for a cluster whose topics pg_upgrade has made, while their files are not here. */
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
pgt_recovery_point_check_system(uint64 identifier)
{
	if (identifier == AWAITED)
		report_awaited();
	if (identifier == GetSystemIdentifier())
	{
		remove_adopt_file();
		return;
	}

	/* the next recovery point, written at the latest when the server stops, has our identifier */
	pg_atomic_write_u32(&pgt_log_state->recovery_point_stale, 1);
	if (!pgt_adopt_log_dir && !told_to_adopt())
		ereport(FATAL,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the topics in \"%s\" belong to another database cluster", pgt_log_dir),
				 errdetail("They were written under system identifier %llu; this cluster has system identifier %llu.",
						   (unsigned long long) identifier,
						   (unsigned long long) GetSystemIdentifier()),
				 errhint("If this cluster has gone on from that one, by pg_upgrade, pg_createsubscriber or pg_resetwal, "
						 "start the server once with pg_topics.adopt_log_dir = on. If it has not, move the directory away.")));
}

/* ERROR if the file has a version that this library does not read, FATAL if the logs are of another cluster. */
static void
check_header(const RecoveryPointHeader *header, const char *path)
{
	pgt_format_version_check_file(&RECOVERY_POINT_VERSIONS, header->version, path);
	pgt_recovery_point_check_system(header->system_identifier);
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
	pgt_checkpoint_file_path(path, FILE_NAME);
	length = pgt_checkpoint_file_read(FILE_NAME, &bytes);
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
		pgt_log_state->wal_max_partitions = header.max_partitions;
		pgt_log_state->wal_rmgr_id = header.rmgr_id;
		*entries = (RecoveryPointEntry *) (bytes + sizeof(header));
		return header.count;
	}
	ereport(LOG,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("recovery point file \"%s\" is damaged; scanning all segments instead", path),
			 errdetail("The problem: %s.", problem)));
	return -1;
}

/* Read the header alone; false where there is none that is whole. */
static bool
read_header(RecoveryPointHeader *header)
{
	char	   *bytes = NULL;
	ssize_t		length = pgt_checkpoint_file_read(FILE_NAME, &bytes);

	return length >= 0 && pgt_recovery_point_format_check_header(bytes, length, header) == NULL;
}

void
pgt_recovery_point_await(void)
{
	static bool done = false;
	RecoveryPointHeader header;

	if (done)
		return;
	LWLockAcquire(&pgt_log_state->sync_lock, LW_EXCLUSIVE);
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
	pgt_recovery_point_format_seal(&header, AWAITED, 0, PGT_RMGR_ID, NULL, 0);
	write_file(&header, NULL);
	LWLockRelease(&pgt_log_state->sync_lock);
	done = true;
}
