/*
 * recovery_point.c
 *	  The file <log_dir>/recovery_point: where each partition stood when
 *	  everything was last synced.
 *
 *	  header   magic, version, system identifier, count, CRC of the entries,
 *			   CRC of the header
 *	  entry*   RecoveryPointEntry, 56 bytes each
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
#include <unistd.h>

#include "access/xlog.h"
#include "checksum.h"
#include "log_state.h"
#include "recovery_point.h"

#define RECOVERY_POINT_MAGIC	0x50475452	/* "PGTR" */
#define RECOVERY_POINT_VERSION	1

typedef struct RecoveryPointHeader
{
	uint32		magic;
	uint32		version;
	uint64		system_identifier;
	uint32		count;
	uint32		entries_crc;
	uint32		reserved;
	uint32		crc;			/* of the bytes before */
} RecoveryPointHeader;

StaticAssertDecl(sizeof(RecoveryPointHeader) == 32, "recovery point header is 32 bytes");
StaticAssertDecl(sizeof(RecoveryPointEntry) == 56, "recovery point entry is 56 bytes");

bool		pgt_adopt_log_dir = false;

/* "path" is MAXPGPATH bytes. */
static void
recovery_point_path(char *path)
{
	snprintf(path, MAXPGPATH, "%s/recovery_point", pgt_log_dir);
}

/* Write all bytes or throw. */
static void
write_all(int fd, const void *bytes, size_t length, const char *path)
{
	errno = 0;
	if (write(fd, bytes, length) == length)
		return;
	if (errno == 0)
		errno = ENOSPC;
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not write file \"%s\": %m", path)));
}

void
pgt_recovery_point_write(const RecoveryPointEntry *entries, int count)
{
	RecoveryPointHeader header;
	char		path[MAXPGPATH];
	char		temporary[MAXPGPATH + 8];
	int			fd;

	memset(&header, 0, sizeof(header));
	header.magic = RECOVERY_POINT_MAGIC;
	header.version = RECOVERY_POINT_VERSION;
	header.system_identifier = GetSystemIdentifier();
	header.count = count;
	header.entries_crc = pgt_crc32c(entries, count * sizeof(*entries));
	header.crc = pgt_crc32c(&header, offsetof(RecoveryPointHeader, crc));

	recovery_point_path(path);
	snprintf(temporary, sizeof(temporary), "%s.tmp", path);
	fd = BasicOpenFile(temporary, O_RDWR | O_CREAT | O_TRUNC | PG_BINARY);
	if (fd < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not create file \"%s\": %m", temporary)));
	write_all(fd, &header, sizeof(header), temporary);
	write_all(fd, entries, count * sizeof(*entries), temporary);
	if (pg_fsync(fd) != 0)
		ereport(data_sync_elevel(ERROR),
				(errcode_for_file_access(),
				 errmsg("could not fsync file \"%s\": %m", temporary)));
	close(fd);
	durable_rename(temporary, path, ERROR);
}

/* Read the header and check it; false (and a LOG line) where it is damaged. */
static bool
read_header(int fd, RecoveryPointHeader *header, const char *path)
{
	if (read(fd, header, sizeof(*header)) == sizeof(*header) &&
		header->magic == RECOVERY_POINT_MAGIC &&
		header->crc == pgt_crc32c(header, offsetof(RecoveryPointHeader, crc)))
		return true;
	ereport(LOG,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("the header of \"%s\" is damaged; scanning all topics", path)));
	return false;
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

/* Read the entries; 0 (and a LOG line) where they are damaged. */
static int
read_entries(int fd, const RecoveryPointHeader *header, RecoveryPointEntry **entries,
			 const char *path)
{
	Size		size = (Size) header->count * sizeof(RecoveryPointEntry);

	*entries = palloc(size + 1);
	if (read(fd, *entries, size) == size && header->entries_crc == pgt_crc32c(*entries, size))
		return header->count;
	ereport(LOG,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("\"%s\" is damaged; scanning all topics", path)));
	return 0;
}

int
pgt_recovery_point_read(RecoveryPointEntry **entries)
{
	RecoveryPointHeader header;
	char		path[MAXPGPATH];
	int			count = 0;
	int			fd;

	*entries = NULL;
	recovery_point_path(path);
	fd = BasicOpenFile(path, O_RDONLY | PG_BINARY);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		ereport(FATAL,
				(errcode_for_file_access(),
				 errmsg("could not open file \"%s\": %m", path)));
	if (read_header(fd, &header, path))
	{
		check_header(&header, path);
		count = read_entries(fd, &header, entries, path);
	}
	close(fd);
	return count;
}
