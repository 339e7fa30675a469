/*
 * segment.c
 *	  One segment of a partition: paths, opening, reading, writing, look-up.
 *
 * A segment is two files that are named by its base offset (20 digits), and by its
 * generation if that is not 0:
 *
 *	  .log	  record batches, one behind the other, byte for byte as in Kafka
 *			  (record_batch.h)
 *	  .index  one entry for each batch (segment_index.h)
 *
 * and perhaps some files that tell which batches have a key (key_index_file.c).  These are
 * derived from the two, and are removed before them.
 *
 * Both are opened through the server's virtual file descriptors, so a process may keep many
 * segments open.  How much of them is valid is known to the caller: the partition's state
 * in shared memory says it for the active segment; a finished segment's index says it,
 * since a roll trims the index to its entries.
 *
 * An entry is written once by its appender and changed at most once more, when it is
 * flagged as aborted.  Neither writer nor reader takes a lock, so a reader may find that
 * change half done; it then reads the entry again until the CRC matches.
 *
 * Durability: nothing here is logged.  The functions that fsync are here; the layers above
 * decide when to call them.  A failed fsync is a PANIC unless data_sync_retry is on, as
 * for the server's own data files.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file_perm.h"
#include "log/segment.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "util/fault_point.h"
#include "utils/wait_event.h"

/* Index space is allocated in steps that grow with the index, in entries. */
#define RESERVE_MIN		63		/* with the header: one 4 kB page */
#define RESERVE_MAX		4096

/* How often a damaged entry is read again before it counts as damaged. */
#define ENTRY_RETRIES	20

/* ---- paths --------------------------------------------------------------- */

/* Path of a segment's file with the given ending. */
static void
segment_path(char *path, const TopicPartition *key, SegmentId id, const char *ending)
{
	char		generation[16] = "";

	if (id.generation > 0)
		snprintf(generation, sizeof(generation), ".%u", id.generation);
	snprintf(path, MAXPGPATH, "%s/%u/%u-%d/%020lld%s.%s", pgt_log_dir,
			 key->database, key->topic, key->partition,
			 (long long) id.base, generation, ending);
}

void
pgt_segment_log_path(char *path, const TopicPartition *key, SegmentId id)
{
	segment_path(path, key, id, "log");
}

void
pgt_segment_index_path(char *path, const TopicPartition *key, SegmentId id)
{
	segment_path(path, key, id, "index");
}

void
pgt_segment_keys_path(char *path, const TopicPartition *key, SegmentId id, int number)
{
	char		ending[16] = "keys_new";

	if (number != SEGMENT_NEW_KEYS)
		snprintf(ending, sizeof(ending), "keys%d", number);
	segment_path(path, key, id, ending);
}

/* ---- opening and creating ------------------------------------------------ */

/* Report that a file could not be opened; errno says why. */
static void
could_not_open(const char *path)
{
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not open topic file \"%s\": %m", path)));
}

/* Open one file.  -1 if it does not exist; any other trouble is an ERROR. */
static File
open_file(const char *path, int flags)
{
	File		file = FAULT_ERROR("file-open") ? -1 :
		PathNameOpenFile(path, flags | O_RDWR | PG_BINARY);

	if (file < 0 && errno != ENOENT)
		could_not_open(path);
	return file;
}

/* Report that a header could not be read; errno says why. */
static void
report_header_trouble(const char *path)
{
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not read topic file \"%s\" at position 0: %m", path)));
}

/* ERROR where the header is whole, but of a version that this library does not read. */
static void
check_version(const IndexHeader *header, const char *path)
{
	if (pgt_index_header_is_whole(header))
		pgt_format_version_check_file(&INDEX_VERSIONS, header->version, path);
}

/*
 * Read the header from the index of a segment that is not open.  Returns how many bytes
 * were read, 0 if the file does not exist; trouble, and a version that this library does
 * not read, is an ERROR.  The postmaster calls it, too, at server start, so it uses no
 * virtual file descriptor.
 */
static int
read_header_of(const TopicPartition *key, SegmentId id, IndexHeader *header)
{
	char		path[MAXPGPATH];
	int			fd;
	int			got;
	int			trouble;

	pgt_segment_index_path(path, key, id);
	fd = FAULT_ERROR("file-open") ? -1 : BasicOpenFile(path, O_RDONLY | PG_BINARY);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		could_not_open(path);
	got = FAULT_ERROR("header-read") ? -1 : pg_pread(fd, header, sizeof(*header), 0);
	trouble = errno;
	close(fd);
	errno = trouble;
	if (got < 0)
		report_header_trouble(path);
	if (got == sizeof(*header))
		check_version(header, path);
	return got;
}

/* Read the header.  ERROR unless it is the header of this segment. */
static void
read_index_header(Segment *segment)
{
	IndexHeader header;
	const char *problem = "the header is cut off";
	int			got = FAULT_ERROR("header-read") ? -1 :
		FileRead(segment->index, (char *) &header, sizeof(header), 0, WAIT_EVENT_DATA_FILE_READ);

	if (got < 0)
		report_header_trouble(FilePathName(segment->index));
	if (got == sizeof(header))
	{
		check_version(&header, FilePathName(segment->index));
		problem = pgt_index_header_check(&header, segment->id);
	}
	if (problem != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("damaged segment index \"%s\" at position 0",
						FilePathName(segment->index)),
				 errdetail("The segment has base offset %lld: %s.",
						   (long long) segment->id.base, problem)));
	segment->span = header.span;
}

bool
pgt_segment_open(Segment *segment, const TopicPartition *key, SegmentId id)
{
	char		path[MAXPGPATH];

	segment->key = *key;
	segment->id = id;
	segment->index_reserved = 0;

	pgt_segment_index_path(path, key, id);
	segment->index = open_file(path, 0);
	if (segment->index < 0)
		return false;
	pgt_segment_log_path(path, key, id);
	segment->log = FAULT_ERROR("log-open") ? -1 : PathNameOpenFile(path, O_RDWR | PG_BINARY);
	if (segment->log < 0)
	{
		int			saved = errno;

		FileClose(segment->index);
		if (saved == ENOENT)
			return false;
		errno = saved;
		could_not_open(path);
	}

	PG_TRY();
	{
		read_index_header(segment);
	}
	PG_CATCH();
	{
		pgt_segment_close(segment);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return true;
}

bool
pgt_segment_is_usable(const TopicPartition *key, SegmentId id)
{
	char		path[MAXPGPATH];
	IndexHeader header;

	pgt_segment_log_path(path, key, id);
	return access(path, F_OK) == 0 &&
		read_header_of(key, id, &header) == sizeof(header) &&
		pgt_index_header_check(&header, id) == NULL;
}

/*
 * Create a directory unless it exists, and make its entry in the parent durable: another
 * process may have created it and not synced it yet.
 */
static void
make_directory(const char *path, const char *parent)
{
	if (!FAULT_ERROR("directory-create") && (MakePGDirectory(path) == 0 || errno == EEXIST))
		fsync_fname(parent, true);
	else
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not create directory \"%s\": %m", path)));
}

/* Create the partition's directory, and those above it, if they do not exist. */
static void
make_partition_directories(const TopicPartition *key)
{
	char		database[MAXPGPATH];
	char		partition[MAXPGPATH];

	pgt_log_directory_partition_path(partition, key);
	if (access(partition, F_OK) == 0)
		return;
	pgt_log_directory_database_path(database, key->database);
	make_directory(pgt_log_dir, ".");
	make_directory(database, pgt_log_dir);
	make_directory(partition, database);
}

/* Report a write that failed or was cut short. */
static void
write_failed(File file, off_t position, Size length, int written)
{
	if (errno == 0)
		errno = ENOSPC;
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not write to topic file \"%s\": %m", FilePathName(file)),
			 written >= 0 ? errdetail("Wrote only %d of %zu bytes at position %lld.",
									  written, length, (long long) position) : 0,
			 errhint("Check free disk space.")));
}

/* Write the header of an index. */
static void
write_index_header(Segment *segment, XLogRecPtr swap_lsn)
{
	IndexHeader header;

	pgt_index_header_init(&header, segment->id, &segment->span, swap_lsn);
	errno = 0;
	if (FAULT_ERROR("header-write") ||
		FileWrite(segment->index, (char *) &header, sizeof(header), 0,
				  WAIT_EVENT_DATA_FILE_WRITE) != sizeof(header))
		write_failed(segment->index, 0, sizeof(header), -1);
}

/* Make the two files; see pgt_segment_create(). */
static void
create_files(Segment *segment)
{
	char		path[MAXPGPATH];

	pgt_segment_log_path(path, &segment->key, segment->id);
	segment->log = open_file(path, O_CREAT | O_TRUNC);
	pgt_segment_index_path(path, &segment->key, segment->id);
	segment->index = open_file(path, O_CREAT | O_TRUNC);
	write_index_header(segment, InvalidXLogRecPtr);
	pgt_segment_sync_index(segment);
	pgt_log_directory_partition_path(path, &segment->key);
	fsync_fname(path, true);
}

void
pgt_segment_create(Segment *segment, const TopicPartition *key, SegmentId id,
				   const SegmentSpan *span)
{
	make_partition_directories(key);
	segment->key = *key;
	segment->id = id;
	segment->span = *span;
	segment->index_reserved = 0;
	segment->log = segment->index = -1;
	PG_TRY();
	{
		create_files(segment);
	}
	PG_CATCH();
	{
		/* half a segment must not be found by a reader's list */
		pgt_segment_close(segment);
		pgt_segment_unlink(key, id, WARNING);
		PG_RE_THROW();
	}
	PG_END_TRY();
}

void
pgt_segment_restore(const TopicPartition *key, SegmentId id, const SegmentSpan *span)
{
	Segment		segment = {.key = *key, .id = id, .span = *span};
	char		path[MAXPGPATH];

	if (pgt_segment_is_usable(key, id))
		return;
	make_partition_directories(key);
	pgt_segment_log_path(path, key, id);
	segment.log = open_file(path, O_CREAT);
	pgt_segment_index_path(path, key, id);
	segment.index = open_file(path, O_CREAT);
	write_index_header(&segment, InvalidXLogRecPtr);
	pgt_segment_sync_index(&segment);
	pgt_segment_close(&segment);
	pgt_log_directory_partition_path(path, key);
	fsync_fname(path, true);
}

void
pgt_segment_close(Segment *segment)
{
	if (segment->log >= 0)
		FileClose(segment->log);
	if (segment->index >= 0)
		FileClose(segment->index);
	segment->log = segment->index = -1;
}

/* ---- the log ------------------------------------------------------------- */

void
pgt_segment_write(Segment *segment, uint32 position, const char *bytes, uint32 length)
{
	int			written;

	errno = 0;
	written = FAULT_ERROR("log-write") ? -1 :
		FileWrite(segment->log, (char *) bytes, length, position, WAIT_EVENT_DATA_FILE_WRITE);
	if (written != length)
		write_failed(segment->log, position, length, written);
}

bool
pgt_segment_read(Segment *segment, uint32 position, char *bytes, uint32 length)
{
	uint32		done = 0;

	while (done < length)
	{
		int			got = FAULT_ERROR("log-read") ? -1 :
			FileRead(segment->log, bytes + done, length - done,
					 (off_t) position + done, WAIT_EVENT_DATA_FILE_READ);

		if (got < 0)
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not read topic file \"%s\" at position %u: %m",
							FilePathName(segment->log), position)));
		if (got == 0)
			return false;
		done += got;
	}
	return true;
}

void
pgt_segment_writeback(Segment *segment, uint32 from, uint32 to)
{
	FileWriteback(segment->log, from, to - from, WAIT_EVENT_DATA_FILE_FLUSH);
}

/* ---- the index ----------------------------------------------------------- */

/* The size of a file; ERROR on trouble.  After this the kernel has the file open. */
static off_t
file_size(File file)
{
	off_t		size = FileSize(file);

	if (size < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not seek to the end of topic file \"%s\": %m",
						FilePathName(file))));
	return size;
}

void
pgt_segment_reserve_entry(Segment *segment, uint32 n)
{
	off_t		size;
	uint32		wanted;
	int			error;

	if (n < segment->index_reserved)
		return;

	size = file_size(segment->index);
	if (size >= INDEX_ENTRY_POSITION(n + 1))
	{
		segment->index_reserved = (size - INDEX_ENTRY_POSITION(0)) / sizeof(IndexEntry);
		return;
	}

	/* FileSize() has just made sure that there is a kernel descriptor */
	wanted = n + Min(Max(n, RESERVE_MIN), RESERVE_MAX);
	do
		error = FAULT_ERROR("index-extend") ? errno :
			posix_fallocate(FileGetRawDesc(segment->index), size,
							INDEX_ENTRY_POSITION(wanted) - size);
	while (error == EINTR);
	if (error != 0)
	{
		errno = error;
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not extend topic file \"%s\": %m", FilePathName(segment->index)),
				 errhint("Check free disk space.")));
	}
	segment->index_reserved = wanted;
}

void
pgt_segment_write_entry(Segment *segment, uint32 n, IndexEntry *entry)
{
	pgt_index_entry_seal(entry);
	errno = 0;
	if (FAULT_ERROR("entry-write") ||
		FileWrite(segment->index, (char *) entry, sizeof(*entry), INDEX_ENTRY_POSITION(n),
				  WAIT_EVENT_DATA_FILE_WRITE) != sizeof(*entry))
		write_failed(segment->index, INDEX_ENTRY_POSITION(n), sizeof(*entry), -1);
}

void
pgt_segment_write_entries(Segment *segment, uint32 n, uint32 count, IndexEntry *entries)
{
	Size		length = count * sizeof(IndexEntry);
	int			written;

	for (uint32 i = 0; i < count; i++)
		pgt_index_entry_seal(&entries[i]);
	errno = 0;
	written = FAULT_ERROR("entries-write") ? -1 :
		FileWrite(segment->index, (char *) entries, length, INDEX_ENTRY_POSITION(n),
				  WAIT_EVENT_DATA_FILE_WRITE);
	if (written != length)
		write_failed(segment->index, INDEX_ENTRY_POSITION(n), length, written);
}

void
pgt_segment_open_index(Segment *segment)
{
	if (FileGetRawDesc(segment->index) < 0)
		(void) file_size(segment->index);
}

/* Read entries as they are; returns how many whole ones the file had. */
static uint32
read_raw_entries(Segment *segment, uint32 first, uint32 count, IndexEntry *entries)
{
	int			got = FAULT_ERROR("index-read") ? -1 :
		FileRead(segment->index, (char *) entries, count * sizeof(IndexEntry),
				 INDEX_ENTRY_POSITION(first), WAIT_EVENT_DATA_FILE_READ);

	if (got < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read topic file \"%s\" at position %lld: %m",
						FilePathName(segment->index),
						(long long) INDEX_ENTRY_POSITION(first))));
	return got / sizeof(IndexEntry);
}

/* An entry failed its check: read it again some times, then give up with an ERROR. */
static void
reread_entry(Segment *segment, uint32 n, IndexEntry *entry)
{
	for (int i = 0; i < ENTRY_RETRIES; i++)
	{
		pg_usleep(100L);
		if (read_raw_entries(segment, n, 1, entry) == 1 && pgt_index_entry_is_valid(entry))
			return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("damaged segment index \"%s\" at position %lld",
					FilePathName(segment->index), (long long) INDEX_ENTRY_POSITION(n)),
			 errdetail("Entry %u of the segment with base offset %lld does not match its checksum.",
					   n, (long long) segment->id.base)));
}

uint32
pgt_segment_read_entries(Segment *segment, uint32 first, uint32 count, IndexEntry *entries)
{
	uint32		got = read_raw_entries(segment, first, count, entries);

	for (uint32 i = 0; i < got; i++)
	{
		if (pgt_index_entry_is_valid(&entries[i]))
			continue;
		if (pgt_index_entry_is_zero(&entries[i]))
			return i;
		reread_entry(segment, first + i, &entries[i]);
	}
	return got;
}

bool
pgt_segment_peek_entry(Segment *segment, uint32 n, IndexEntry *entry)
{
	return read_raw_entries(segment, n, 1, entry) == 1 && pgt_index_entry_is_valid(entry);
}

uint32
pgt_segment_count_entries(Segment *segment)
{
	off_t		size = file_size(segment->index);
	uint32		count;
	IndexEntry	entry;

	if (size <= INDEX_ENTRY_POSITION(0))
		return 0;
	count = (size - INDEX_ENTRY_POSITION(0)) / sizeof(IndexEntry);

	/* a roll frees the space that was allocated ahead, so there is little to skip */
	while (count > 0 &&
		   read_raw_entries(segment, count - 1, 1, &entry) == 1 &&
		   pgt_index_entry_is_zero(&entry))
		count--;
	return count;
}

/* Report that the index ends before entry n, which should be there. */
static void
fail_for_missing_entry(Segment *segment, uint32 n)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("damaged segment index \"%s\" at position %lld",
					FilePathName(segment->index), (long long) INDEX_ENTRY_POSITION(n)),
			 errdetail("Entry %u of the segment with base offset %lld is missing.",
					   n, (long long) segment->id.base)));
}

/* Read entry n, which must be there. */
static void
read_entry(Segment *segment, uint32 n, IndexEntry *entry)
{
	if (pgt_segment_read_entries(segment, n, 1, entry) != 1)
		fail_for_missing_entry(segment, n);
}

/* Below this many entries a look-up reads them all at once. */
#define FIND_BLOCK	64

uint32
pgt_segment_find_offset(Segment *segment, uint32 count, int64 offset)
{
	IndexEntry	block[FIND_BLOCK];
	uint32		low = 0;
	uint32		high = count;
	uint32		got;

	while (high - low > FIND_BLOCK)
	{
		uint32		middle = low + (high - low) / 2;

		read_entry(segment, middle, &block[0]);
		if (segment->id.base + block[0].last_delta < offset)
			low = middle + 1;
		else
			high = middle;
	}
	got = pgt_segment_read_entries(segment, low, high - low, block);
	for (uint32 i = 0; i < got; i++)
		if (segment->id.base + block[i].last_delta >= offset)
			return low + i;
	if (got < high - low)
		fail_for_missing_entry(segment, low + got);
	return high;
}

uint32
pgt_segment_find_timestamp(Segment *segment, uint32 count, int64 timestamp)
{
	uint32		low = 0;
	uint32		high = count;

	/* largest_timestamp never falls from entry to entry, so a binary search finds its first rise */
	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;
		IndexEntry	entry;

		read_entry(segment, middle, &entry);
		if (entry.largest_timestamp < timestamp)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool
pgt_segment_is_complete(Segment *segment, uint32 entries, uint32 log_end)
{
	return pgt_segment_count_entries(segment) == entries && file_size(segment->log) >= log_end;
}

void
pgt_segment_trim_index(Segment *segment, uint32 entries)
{
	if (FileTruncate(segment->index, INDEX_ENTRY_POSITION(entries),
					 WAIT_EVENT_DATA_FILE_TRUNCATE) < 0)
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("could not truncate topic file \"%s\": %m",
						FilePathName(segment->index))));
	segment->index_reserved = 0;
}

/* ---- durability ---------------------------------------------------------- */

/* fsync one file. */
static void
sync_file(File file)
{
	if (FAULT_SKIP("segment-sync"))
		return;
	if (FAULT_ERROR("segment-sync") || FileSync(file, WAIT_EVENT_DATA_FILE_SYNC) < 0)
		ereport(data_sync_elevel(ERROR),
				(errcode_for_file_access(),
				 errmsg("could not fsync topic file \"%s\": %m", FilePathName(file))));
}

void
pgt_segment_sync(Segment *segment)
{
	sync_file(segment->log);
	sync_file(segment->index);
}

void
pgt_segment_sync_index(Segment *segment)
{
	sync_file(segment->index);
}

void
pgt_segment_stamp(Segment *segment, XLogRecPtr swap_lsn)
{
	write_index_header(segment, swap_lsn);
	sync_file(segment->index);
}

/* ---- directories --------------------------------------------------------- */

/* Read "<20 digits>" or "<20 digits>.<generation>"; returns what follows, or NULL. */
static const char *
parse_segment_id(const char *name, SegmentId *id)
{
	const char *rest = name + 20;

	if (strspn(name, "0123456789") != 20)
		return NULL;
	id->base = strtoll(name, NULL, 10);
	id->generation = id->unused = 0;
	if (rest[0] == '.' && rest[1] >= '1' && rest[1] <= '9')
	{
		char	   *end;

		id->generation = strtoul(rest + 1, &end, 10);
		rest = end;
	}
	return rest;
}

/* Is it the name of a log? */
static bool
parse_segment_name(const char *name, SegmentId *id)
{
	const char *rest = parse_segment_id(name, id);

	return rest != NULL && strcmp(rest, ".log") == 0;
}

bool
pgt_segment_parse_keys_name(const char *name, SegmentId *id)
{
	const char *rest = parse_segment_id(name, id);

	return rest != NULL && strncmp(rest, ".keys", strlen(".keys")) == 0;
}

/* By base, the highest generation first. */
static int
compare_segments(const void *a, const void *b)
{
	const SegmentId *left = a;
	const SegmentId *right = b;

	if (left->base != right->base)
		return left->base < right->base ? -1 : 1;
	return left->generation > right->generation ? -1 : left->generation < right->generation;
}

int
pgt_segment_files(const TopicPartition *key, SegmentId **ids)
{
	char		path[MAXPGPATH];
	DIR		   *dir;
	struct dirent *de;
	int			count = 0;
	int			capacity = 16;

	*ids = palloc(capacity * sizeof(SegmentId));
	pgt_log_directory_partition_path(path, key);
	dir = AllocateDir(path);
	if (dir == NULL && errno == ENOENT)
		return 0;
	while ((de = ReadDir(dir, path)) != NULL)
	{
		if (count == capacity)
			*ids = repalloc(*ids, (capacity *= 2) * sizeof(SegmentId));
		if (parse_segment_name(de->d_name, &(*ids)[count]))
			count++;
	}
	FreeDir(dir);
	qsort(*ids, count, sizeof(SegmentId), compare_segments);
	return count;
}

/*
 * Read the span from the header of a rewritten segment.  False if the segment does not
 * count, or is gone.  Another process may just be stamping the header, so a damaged one is
 * read again.
 */
static bool
read_swapped(const TopicPartition *key, SegmentListItem *segment)
{
	IndexHeader header;
	bool		good = false;

	for (int i = 0; !good && i < ENTRY_RETRIES; i++)
	{
		int			got;

		if (i > 0)
			pg_usleep(100L);
		got = read_header_of(key, segment->id, &header);
		if (got == 0)
			return false;
		good = got == sizeof(header) && pgt_index_header_check(&header, segment->id) == NULL;
	}
	if (!good || XLogRecPtrIsInvalid(header.swap_lsn))
		return false;
	segment->span = header.span;
	return true;
}

int
pgt_segment_list(const TopicPartition *key, SegmentListItem **segments)
{
	SegmentId  *ids;
	int			files = pgt_segment_files(key, &ids);
	int			count = 0;

	*segments = palloc((files + 1) * sizeof(SegmentListItem));
	for (int i = 0; i < files; i++)
	{
		SegmentListItem *next = &(*segments)[count];
		const SegmentListItem *before = count > 0 ? next - 1 : NULL;

		*next = (SegmentListItem) {.id = ids[i]};
		if (ids[i].generation > 0 && !read_swapped(key, next))
			continue;
		if (before != NULL && next->id.base < before->span.end_offset &&
			next->id.generation < before->id.generation)
			continue;			/* the one before has replaced it */
		count++;
	}
	pfree(ids);
	return count;
}

/* Does the segment have a log file without any bytes? */
static bool
has_empty_log(const TopicPartition *key, SegmentId id)
{
	char		path[MAXPGPATH];
	struct stat file;

	pgt_segment_log_path(path, key, id);
	return stat(path, &file) == 0 && file.st_size == 0;
}

bool
pgt_segment_is_leftover(const TopicPartition *key, SegmentId id)
{
	IndexHeader header;

	if (id.generation == 0)
		return false;

	/*
	 * A segment that was swapped in may be damaged, or may have lost its index: it is
	 * kept, and readers report it.  The header is durable before the first byte of the log.
	 */
	if (read_header_of(key, id, &header) < (int) sizeof(header))
		return has_empty_log(key, id);
	return pgt_index_header_check(&header, id) == NULL && XLogRecPtrIsInvalid(header.swap_lsn);
}

/* Remove one file; it need not exist. */
static void
unlink_file(const char *path, int level)
{
	if ((FAULT_ERROR("file-remove") || unlink(path) < 0) && errno != ENOENT)
		ereport(level,
				(errcode_for_file_access(),
				 errmsg("could not remove topic file \"%s\": %m", path)));
}

/* Truncate one file to no bytes; it need not exist. */
static void
empty_file(const char *path)
{
	if (truncate(path, 0) < 0 && errno != ENOENT)
		ereport(WARNING,
				(errcode_for_file_access(),
				 errmsg("could not truncate topic file \"%s\": %m", path)));
}

void
pgt_segment_release_space(const TopicPartition *key, SegmentId id)
{
	char		path[MAXPGPATH];

	pgt_segment_log_path(path, key, id);
	empty_file(path);
	pgt_segment_index_path(path, key, id);
	empty_file(path);
	for (int i = 0; i <= SEGMENT_KEY_FILES; i++)
	{
		pgt_segment_keys_path(path, key, id, i);
		empty_file(path);
	}
}

void
pgt_segment_unlink(const TopicPartition *key, SegmentId id, int level)
{
	char		path[MAXPGPATH];

	for (int i = 0; i <= SEGMENT_KEY_FILES; i++)
	{
		pgt_segment_keys_path(path, key, id, i);
		if (unlink(path) < 0 && errno != ENOENT)
			ereport(level,
					(errcode_for_file_access(),
					 errmsg("could not remove topic file \"%s\": %m", path)));
	}
	pgt_segment_log_path(path, key, id);
	unlink_file(path, level);
	pgt_segment_index_path(path, key, id);
	unlink_file(path, level);
}

void
pgt_segment_unlink_partition(const TopicPartition *key)
{
	char		path[MAXPGPATH];

	SegmentId  *ids;
	int			count = pgt_segment_files(key, &ids);

	for (int i = 0; i < count; i++)
		pgt_segment_release_space(key, ids[i]);
	pfree(ids);
	pgt_log_directory_partition_path(path, key);
	if (access(path, F_OK) == 0)
		rmtree(path, true);
}
