/*
 * log_start.c
 *	  A partition's file "log_start": deleted records stay deleted, whatever else
 *	  is lost.
 *
 * Where a log starts is in the recovery point.  Should that be lost or damaged, a log
 * that starts with a segment still says so by its segments; but one may start
 * inside a segment (delete_records), and then it is here as well:
 *
 *	  magic, version, offset, reserved, CRC of the bytes before: 24 bytes in
 *	  native byte order
 *
 * In all versions of the format magic and version are in front and the last four of
 * the first 24 bytes are the checksum of the rest of these, so that each library can
 * tell a newer version from damage; a newer one may change all else.
 *
 * It is written when the deletion is in the WAL for certain, so it is never ahead of
 * where recovery comes to, and the larger of this and the recovery point's
 * is right.  It is left alone when the log starts further up later.  Replaced whole by
 * write and durable_rename, so a crash leaves the old or the new one.
 *
 * Layer 1.  Next: log_apply.c, log_load.c.
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

/* "path" is MAXPGPATH bytes. */
static void
log_start_path(char *path, const TopicPartition *key, const char *ending)
{
	char		directory[MAXPGPATH];

	pgt_partition_path(directory, key);
	if (snprintf(path, MAXPGPATH, "%s/log_start%s", directory, ending) >= MAXPGPATH)
		elog(ERROR, "path of topic files is too long");
}

int64
pgt_log_start_kept(const TopicPartition *key)
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
	pgt_check_file_version(&log_start_versions, file.version, path);
	return Max(file.offset, 0);
}

/* Write the file; false, with errno set, where that fails. */
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

	if (pgt_log_start_kept(key) >= offset)
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
				 errdetail("Where partition %d starts is kept in the recovery point alone until the next deletion or maintenance.",
						   key->partition)));
}
