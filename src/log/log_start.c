/*
 * log_start.c
 *	  A partition's file "log_start", which keeps deleted records deleted even if the
 *	  recovery point is lost.
 *
 * The recovery point says where each log starts.  If it is lost or damaged, the first
 * segment still says so for a log that starts with a segment.  But delete_records() may
 * let a log start inside a segment; then this file has the offset as well:
 *
 *	  magic, version, offset, reserved, CRC of the bytes before: 24 bytes in the byte
 *	  order of the machine
 *
 * In all versions of the format magic and version are in front, and the last four of the
 * first 24 bytes are the checksum of the rest of these, so that each library can tell a
 * newer version from damage.  A newer version may change all else.
 *
 * The file is written when the deletion is flushed to the WAL, so it is never ahead of
 * the point that recovery reaches, and the larger one of its offset and the recovery
 * point's is right.  It is not touched if a later deletion ends at a segment's start.  A
 * write and durable_rename replace it as a whole, so a crash leaves the old file
 * or the new one.
 */
#include "postgres.h"

#include <fcntl.h>
#include <unistd.h>

#include "log/log_start.h"
#include "storage/fd.h"
#include "util/crc32c.h"
#include "util/fault_point.h"
#include "util/format_version.h"

#define LOG_START_MAGIC		0x50475453	/* "PGTS" */
#define LOG_START_VERSION	1

/* What this library reads. */
static const FormatVersions log_start_versions = {"log_start files", 1, LOG_START_VERSION};

typedef struct LogStartFile
{
	uint32		magic;
	uint32		version;
	int64		offset;
	uint32		reserved;
	uint32		crc;			/* of the bytes before */
} LogStartFile;

StaticAssertDecl(sizeof(LogStartFile) == 24, "a log_start file is 24 bytes");

/* The file's path, with an ending; "path" has MAXPGPATH bytes. */
static void
log_start_path(char *path, const TopicPartition *key, const char *ending)
{
	char		directory[MAXPGPATH];

	pgt_log_directory_partition_path(directory, key);
	if (snprintf(path, MAXPGPATH, "%s/log_start%s", directory, ending) >= MAXPGPATH)
		elog(ERROR, "path of topic files is too long");
}

int64
pgt_log_start_read(const TopicPartition *key)
{
	LogStartFile file;
	char		path[MAXPGPATH];
	int			got;
	int			fd;

	log_start_path(path, key, "");
	fd = BasicOpenFile(path, O_RDONLY | PG_BINARY);
	if (fd < 0)
		return 0;
	got = pg_pread(fd, &file, sizeof(file), 0);
	close(fd);
	if (got != sizeof(file) || file.magic != LOG_START_MAGIC ||
		file.crc != pgt_crc32c(&file, offsetof(LogStartFile, crc)))
		return 0;
	pgt_format_version_check_file(&log_start_versions, file.version, path);
	return Max(file.offset, 0);
}

/* Write the file; false, with errno set, if that fails. */
static bool
write_file(const char *path, const LogStartFile *file)
{
	int			fd = FAULT_ERROR("log-start-write") ? -1 :
		BasicOpenFile(path, O_RDWR | O_CREAT | O_TRUNC | PG_BINARY);
	int			written;
	int			trouble;

	if (fd < 0)
		return false;
	errno = 0;
	written = write(fd, file, sizeof(*file));
	trouble = errno == 0 ? ENOSPC : errno;
	close(fd);
	errno = trouble;
	return written == sizeof(*file);
}

void
pgt_log_start_keep(const TopicPartition *key, int64 offset)
{
	LogStartFile file = {LOG_START_MAGIC, LOG_START_VERSION, offset};
	char		path[MAXPGPATH];
	char		temporary[MAXPGPATH];

	if (pgt_log_start_read(key) >= offset)
		return;
	file.crc = pgt_crc32c(&file, offsetof(LogStartFile, crc));
	log_start_path(path, key, "");
	log_start_path(temporary, key, ".tmp");
	if (write_file(temporary, &file))
		durable_rename(temporary, path, WARNING);
	else
		ereport(WARNING,
				(errcode_for_file_access(),
				 errmsg("could not write topic file \"%s\": %m", temporary),
				 errdetail("Until the next deletion or maintenance only the recovery point says where partition %d starts.",
						   key->partition)));
}
