/*
 * log_load.c
 *	  Loading the logs when the server starts: find the end of each partition, and cut
 *	  off what is past it.
 *
 * This runs in the postmaster when shared memory is made (also after a crash of a
 * backend), before the startup process, since it must be done at every start, and redo
 * is not.
 *
 * start_redo is where redo will begin, from the control file.  The scan of a partition
 * begins at its recovery point or, without one, at the start of its first segment.  It
 * goes forward over the index entries, and into following segments, as long as an
 * entry is whole, in sequence, and of a WAL record that ends at or before start_redo.
 * Everything after that is either in the WAL that is still to be replayed, or was
 * never durable, and is cut off.  If it stayed, a transaction id that was lost with
 * the WAL and is used again would make it visible.
 *
 * A partition that is not in the recovery point is younger than that: by then none of its
 * batches was resolved and none of its records deleted.  If there is no recovery
 * point, this is not known of any partition.  Then all that was durable counts as
 * resolved if the commit log has forgotten its transaction, and all below the log
 * start counts as deleted.
 *
 * Nothing below the recovery point's end is ever cut off.  Files that are missing or
 * shorter are no error here: they are so in a base backup, and redo completes them.  If
 * it does not, readers report the damage.
 *
 * I/O is by plain file descriptors, since the postmaster has no virtual ones.  No other
 * process competes for the locks.
 */
#include "postgres.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/xlog.h"
#include "access/xlog_internal.h"
#include "format/record_batch.h"
#include "log/log_start.h"
#include "miscadmin.h"
#include "util/fault_point.h"
#include "utils/memutils.h"
#include "wal/kafka_txn_file.h"
#include "wal/log_load.h"
#include "wal/producer_file.h"
#include "wal/recovery_point.h"

/* The partition that is being loaded, and how far its scan has come. */
typedef struct Loading
{
	PartitionState *state;
	SegmentListItem *segments;	/* that count */
	int			count;
	int64		above;			/* base of the last segment the scan has seen */
} Loading;

/* Stop the start with FATAL: a system call on a file has failed. */
static void
file_trouble(const char *what, const char *path)
{
	ereport(FATAL,
			(errcode_for_file_access(),
			 errmsg("could not %s topic file \"%s\": %m", what, path)));
}

/* Open a file for reading and truncating; -1 if it is missing. */
static int
open_for_load(const char *path)
{
	int			fd = BasicOpenFile(path, O_RDWR | PG_BINARY);

	if (fd < 0 && errno != ENOENT)
		file_trouble("open", path);
	return fd;
}

/* The size of a file. */
static off_t
size_of(int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		file_trouble("stat", path);
	return st.st_size;
}

/*
 * Read up to "length" bytes, as many as there are.  A failure is FATAL: bytes that cannot
 * be read must not seem to be missing, or they would be cut off.
 */
static int
read_at(int fd, void *bytes, size_t length, off_t position, const char *path)
{
	int			got = FAULT_ERROR("load-read") ? -1 : pg_pread(fd, bytes, length, position);

	if (got < 0)
		file_trouble("read", path);
	return got;
}

/* Truncate a file, durably. */
static void
cut_file(int fd, off_t size, const char *path)
{
	if (ftruncate(fd, size) != 0)
		file_trouble("truncate", path);
	if (pg_fsync(fd) != 0)
		file_trouble("fsync", path);
}

/* ---- scanning one segment ------------------------------------------------ */

/*
 * No recovery point names a partition, so the segments' headers must say which cluster they
 * belong to: another cluster's LSNs mean nothing here, and its segments would be cut.
 */
static bool ask_segments = false;

/* There is no recovery point, so it is not known what was resolved or deleted of any log. */
static bool point_is_lost = false;

/* Read an index's header.  False if it is not the header of this segment. */
static bool
header_is_good(int fd, SegmentId id, const char *path)
{
	IndexHeader header;

	if (read_at(fd, &header, sizeof(header), 0, path) != sizeof(header))
		return false;
	/* what a newer library has written is no damage, and must not be repaired */
	if (pgt_index_header_is_whole(&header))
		pgt_format_version_check_file(&INDEX_VERSIONS, header.version, path);
	if (pgt_index_header_check(&header, id) != NULL)
		return false;
	if (ask_segments)
		pgt_recovery_point_check_system(header.system_identifier);
	return true;
}

/* Read entry n.  False if it is missing or damaged. */
static bool
load_entry(int fd, uint32 n, IndexEntry *entry, const char *path)
{
	return read_at(fd, entry, sizeof(*entry), INDEX_ENTRY_POSITION(n), path) == sizeof(*entry) &&
		pgt_index_entry_is_valid(entry);
}

/* Write a damaged header anew, if the first entry shows that there is a segment.  False if not. */
static bool
repair_header(int fd, SegmentId id, const char *path)
{
	IndexHeader header;
	IndexEntry	entry;
	SegmentSpan span = {0};

	if (!load_entry(fd, 0, &entry, path))
		return false;
	ereport(LOG,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("repairing the damaged header of segment index \"%s\"", path)));
	span.previous_end = id.base + entry.first_delta;
	pgt_index_header_init(&header, id, &span, InvalidXLogRecPtr);
	if (pg_pwrite(fd, &header, sizeof(header), 0) != sizeof(header))
		file_trouble("write", path);
	if (pg_fsync(fd) != 0)
		file_trouble("fsync", path);
	return true;
}

/* Does the entry continue where the scan has come to, and was it durable when redo begins? */
static bool
entry_goes_on(const PartitionState *state, const IndexEntry *entry, off_t log_size)
{
	return state->active_base + entry->first_delta >= state->next_offset &&
		entry->position == state->active_end &&
		(off_t) entry->position + entry->length <= log_size &&
		!XLogRecPtrIsInvalid(entry->lsn) &&
		entry->lsn <= pgt_log_state->start_redo;
}

/* Let the log start at this offset, unless it starts past it already. */
static void
raise_log_start(PartitionState *state, int64 offset)
{
	state->log_start_offset = Max(state->log_start_offset, offset);
	state->resolved_offset = Max(state->resolved_offset, state->log_start_offset);
}

/* Go forward over the active segment's entries. */
static void
scan_segment(PartitionState *state, int index_fd, const char *index_path, off_t log_size)
{
	IndexEntry	entry;

	while (load_entry(index_fd, state->active_entries, &entry, index_path) &&
		   entry_goes_on(state, &entry, log_size))
	{
		/* an empty log starts where its first record is, as publishing has it */
		if (state->log_start_offset == state->next_offset)
			raise_log_start(state, state->active_base + entry.first_delta);
		state->active_entries++;
		state->active_end = entry.position + entry.length;
		state->next_offset = state->active_base + entry.last_delta + 1;
		if ((entry.flags & ENTRY_INTERLEAVED) != 0)
			state->interleaved_end = state->next_offset;
		state->active_largest_timestamp = entry.largest_timestamp;
		state->last_lsn = entry.lsn;
	}
}

/* Are there other bytes than zeros from "position" to the end of the file? */
static bool
has_bytes_from(int fd, off_t position, off_t size, const char *path)
{
	char		block[8192];

	while (position < size)
	{
		int			got = read_at(fd, block, Min(sizeof(block), size - position), position, path);

		if (got == 0)
			return false;
		for (int i = 0; i < got; i++)
			if (block[i] != 0)
				return true;
		position += got;
	}
	return false;
}

/* Truncate both files to the end that the scan has found. */
static void
cut_segment(const PartitionState *state, int log_fd, int index_fd,
			const char *log_path, const char *index_path)
{
	off_t		log_size = size_of(log_fd, log_path);
	off_t		index_size = size_of(index_fd, index_path);
	off_t		index_end = INDEX_ENTRY_POSITION(state->active_entries);

	if (log_size > state->active_end)
	{
		ereport(LOG,
				(errmsg("removing the last %lld bytes of topic file \"%s\", from position %u on",
						(long long) (log_size - state->active_end), log_path, state->active_end),
				 errdetail("No WAL record before %X/%X, where redo begins, has appended them.",
						   LSN_FORMAT_ARGS(pgt_log_state->start_redo))));
		cut_file(log_fd, state->active_end, log_path);
	}
	else if (log_size < state->active_end)
		ereport(LOG,
				(errmsg("topic file \"%s\" has %lld bytes, but the recovery point has %u",
						log_path, (long long) log_size, state->active_end)));
	if (index_size > index_end && has_bytes_from(index_fd, index_end, index_size, index_path))
		cut_file(index_fd, index_end, index_path);
}

/* Set the fields of the partition's state that come from the active segment's entries. */
static void
load_timestamps(PartitionState *state, int index_fd, const char *index_path)
{
	IndexEntry	entry;

	if (state->active_entries == 0)
		return;
	if (load_entry(index_fd, 0, &entry, index_path))
		state->active_first_timestamp = entry.max_timestamp;
	if (load_entry(index_fd, state->active_entries - 1, &entry, index_path))
	{
		state->active_largest_timestamp = entry.largest_timestamp;
		state->last_lsn = Max(state->last_lsn, entry.lsn);
	}
}

/* ---- a segment's files ---------------------------------------------------- */

/* The two files of a segment that is looked into. */
typedef struct LoadedFiles
{
	char		log_path[MAXPGPATH];
	char		index_path[MAXPGPATH];
	int			log_fd;
	int			index_fd;
} LoadedFiles;

/* Close what is open of them. */
static void
close_files(const LoadedFiles *files)
{
	if (files->log_fd >= 0)
		close(files->log_fd);
	if (files->index_fd >= 0)
		close(files->index_fd);
}

/* Open both files of a segment.  False, with none open, if one is missing. */
static bool
open_files(LoadedFiles *files, const PartitionState *state, SegmentId id)
{
	pgt_segment_log_path(files->log_path, &state->key, id);
	pgt_segment_index_path(files->index_path, &state->key, id);
	files->log_fd = open_for_load(files->log_path);
	files->index_fd = open_for_load(files->index_path);
	if (files->log_fd >= 0 && files->index_fd >= 0)
		return true;
	close_files(files);
	return false;
}

/* How many entries a finished segment's index has.  After a crash zeros may follow them. */
static uint32
count_entries(int fd, const char *path)
{
	off_t		size = size_of(fd, path);
	uint32		count = size > INDEX_ENTRY_POSITION(0) ?
		(size - INDEX_ENTRY_POSITION(0)) / sizeof(IndexEntry) : 0;
	IndexEntry	entry;

	while (count > 0 && !load_entry(fd, count - 1, &entry, path))
		count--;
	return count;
}

/* Set last_append_time to the time of the last of so many batches, if that has LogAppendTime. */
static void
load_append_time(PartitionState *state, const LoadedFiles *files, uint32 entries)
{
	char		bytes[RECORD_BATCH_HEADER_SIZE];
	RecordBatchHeader header;
	IndexEntry	entry;

	if (entries > 0 &&
		load_entry(files->index_fd, entries - 1, &entry, files->index_path) &&
		read_at(files->log_fd, bytes, sizeof(bytes), entry.position, files->log_path) == sizeof(bytes) &&
		pgt_record_batch_read_header(bytes, sizeof(bytes), &header) == NULL &&
		(header.attributes & BATCH_ATTR_LOG_APPEND_TIME) != 0)
		state->last_append_time = header.max_timestamp;
}

/* Scan and truncate the active segment, if its files are there. */
static void
load_active(PartitionState *state)
{
	SegmentId	id = pgt_segment_id_original(state->active_base);
	LoadedFiles files;

	if (!open_files(&files, state, id))
		return;
	if (header_is_good(files.index_fd, id, files.index_path) ||
		repair_header(files.index_fd, id, files.index_path))
	{
		scan_segment(state, files.index_fd, files.index_path, size_of(files.log_fd, files.log_path));
		cut_segment(state, files.log_fd, files.index_fd, files.log_path, files.index_path);
		load_timestamps(state, files.index_fd, files.index_path);
	}
	load_append_time(state, &files, state->active_entries);
	close_files(&files);
}

/* Set last_append_time by the last batch of a finished segment. */
static void
load_finished_append_time(PartitionState *state, SegmentId id)
{
	LoadedFiles files;

	if (!open_files(&files, state, id))
		return;
	load_append_time(state, &files, count_entries(files.index_fd, files.index_path));
	close_files(&files);
}

/*
 * The log's last batch has the time before which LogAppendTime must not go back.  It is in
 * the active segment, which has been loaded, or, if that is empty, in the segment before.
 * A log without records begins its time anew.
 */
static void
load_last_append_time(const Loading *loading)
{
	PartitionState *state = loading->state;

	if (state->log_start_offset == state->next_offset)
		state->last_append_time = NO_APPEND_TIME;
	else if (state->active_entries == 0)
		for (int i = loading->count - 1; i >= 0; i--)
			if (loading->segments[i].id.base < state->active_base)
			{
				load_finished_append_time(state, loading->segments[i].id);
				return;
			}
}

/* ---- one partition ------------------------------------------------------- */

/* Would the scan continue in this segment of generation 0? */
static bool
original_goes_on(const PartitionState *state, SegmentId id)
{
	PartitionState probe = {.active_base = id.base, .next_offset = state->next_offset};
	char		path[MAXPGPATH];
	IndexEntry	entry;
	bool		goes_on;
	int			fd;

	if (id.base < state->next_offset)
		return false;
	pgt_segment_index_path(path, &state->key, id);
	fd = open_for_load(path);
	if (fd < 0)
		return false;
	goes_on = header_is_good(fd, id, path) && load_entry(fd, 0, &entry, path) &&
		entry_goes_on(&probe, &entry, PG_INT64_MAX);
	close(fd);
	return goes_on;
}

/*
 * Would the scan continue in this segment, of any generation?  A rewritten one that counts
 * is whole, and so is all that was appended before its swap.  Appends after start_redo
 * are in the WAL for certain, and redo makes them again.
 */
static bool
segment_goes_on(const PartitionState *state, const SegmentListItem *segment)
{
	return segment->id.generation > 0 || original_goes_on(state, segment->id);
}

/* The segment with the smallest base above "base", or NULL. */
static const SegmentListItem *
segment_above(const Loading *loading, int64 base)
{
	for (int i = 0; i < loading->count; i++)
		if (loading->segments[i].id.base > base)
			return &loading->segments[i];
	return NULL;
}

/*
 * Go forward to the last segment whose beginning is durable.  The segments before it are
 * finished and durable, since a roll has made them so, and are not touched.  In the last
 * one find the end, and cut off the rest.  If it follows a rewritten one, which is
 * finished itself, nothing in it may be durable.
 */
static void
scan_partition(Loading *loading)
{
	PartitionState *state = loading->state;
	const SegmentListItem *next;

	while ((next = segment_above(loading, loading->above)) != NULL &&
		   segment_goes_on(state, next))
	{
		loading->above = next->id.base;
		state->active_base = state->next_offset =
			next->id.generation > 0 ? next->span.end_offset : next->id.base;
		/* the entries passed were not looked at */
		state->interleaved_end = state->next_offset;
		state->active_entries = state->active_end = 0;
	}
	load_active(state);
}

/* Does the segment lie wholly below the log start? */
static bool
is_below(const Loading *loading, SegmentId id)
{
	const PartitionState *state = loading->state;
	const SegmentListItem *next = segment_above(loading, id.base);

	return id.base < state->active_base &&
		(next == NULL ? state->active_base : next->id.base) <= state->log_start_offset;
}

/* Remove the segments past the active one, and those wholly below the log start. */
static void
remove_segments(const Loading *loading)
{
	const PartitionState *state = loading->state;
	char		path[MAXPGPATH];
	SegmentId  *ids;
	int			files = pgt_segment_files(&state->key, &ids);
	bool		removed = false;

	for (int i = 0; i < files; i++)
	{
		bool		past = ids[i].base > state->active_base;

		if (!past && !is_below(loading, ids[i]))
			continue;
		ereport(LOG,
				(errmsg(past ?
						"removing segment %lld of partition %d of topic %u in database %u because it is not known to the WAL" :
						"removing segment %lld of partition %d of topic %u in database %u because it is below the log start",
						(long long) ids[i].base, state->key.partition, state->key.topic,
						state->key.database)));
		pgt_segment_unlink(&state->key, ids[i], LOG);
		removed = true;
	}
	pfree(ids);
	if (removed)
	{
		pgt_log_directory_partition_path(path, &state->key);
		fsync_fname(path, true);
	}
}

/* Start from the first segment. */
static void
start_from_segments(Loading *loading)
{
	PartitionState *state = loading->state;
	int64		first = loading->segments[0].id.base;

	loading->above = first - 1;
	state->active_base = state->next_offset = first;
	state->log_start_offset = state->resolved_offset = first;
}

/*
 * A partition that the recovery point does not have was first appended to after it, so the
 * WAL has all of its records, and redo appends them again.  If its first segment has none
 * that is durable, a crash came between making that segment and logging the batch.  With a
 * first offset that was given this would skip offsets that a standby does not skip.
 */
static void
forget_unknown(const Loading *loading)
{
	PartitionState *state = loading->state;

	if (point_is_lost || state->active_base == 0 || state->active_entries > 0 ||
		state->active_base != loading->segments[0].id.base || loading->segments[0].id.generation > 0)
		return;
	state->active_base = NO_SEGMENT;
	state->next_offset = state->log_start_offset = state->resolved_offset = 0;
	state->interleaved_end = 0;
}

/* Start from the recovery point. */
static void
start_from_point(Loading *loading, const RecoveryPointEntry *point)
{
	PartitionState *state = loading->state;

	loading->above = state->active_base = point->active_base;
	state->active_entries = point->active_entries;
	state->active_end = point->active_end;
	state->next_offset = point->next_offset;
	state->log_start_offset = point->log_start_offset;
	state->deleted_end = point->deleted_end;
	state->resolved_offset = point->resolved_offset;
	state->interleaved_end = Max(point->next_offset - point->since_interleaved, 0);
}

/* Order entries of the recovery point by their keys. */
static int
compare_points(const void *a, const void *b)
{
	return memcmp(&((const RecoveryPointEntry *) a)->key, &((const RecoveryPointEntry *) b)->key,
				  sizeof(TopicPartition));
}

/* The recovery point's entry of a partition, or NULL.  The entries are sorted. */
static const RecoveryPointEntry *
find_point(const RecoveryPointEntry *points, int count, const TopicPartition *key)
{
	RecoveryPointEntry wanted = {.key = *key};

	return count <= 0 ? NULL : bsearch(&wanted, points, count, sizeof(*points), compare_points);
}

/* Load one partition from its directory. */
static void
load_partition(const TopicPartition *key, const RecoveryPointEntry *points, int count)
{
	const RecoveryPointEntry *point = find_point(points, count, key);
	Loading		loading = {0};

	/* a partition that was never appended to stands in the recovery point without a segment */
	if (point != NULL && point->active_base == NO_SEGMENT)
		point = NULL;
	loading.count = pgt_segment_list(key, &loading.segments);
	if (loading.count == 0 && point == NULL)
		return;
	loading.state = pgt_log_state_get(key);
	if (point != NULL)
		start_from_point(&loading, point);
	else
		start_from_segments(&loading);
	scan_partition(&loading);
	if (point == NULL)
		forget_unknown(&loading);
	raise_log_start(loading.state, pgt_log_start_read(key));
	if (point_is_lost)
	{
		loading.state->trusted_end = loading.state->next_offset;
		/* all records below it may have been deleted, unless redo says otherwise */
		loading.state->deleted_end = loading.state->log_start_offset;
	}
	load_last_append_time(&loading);
	remove_segments(&loading);
	pfree(loading.segments);
}

/* ---- all of them --------------------------------------------------------- */

/* Create the directory of all logs, where the recovery point will be. */
static void
make_log_dir(void)
{
	if (MakePGDirectory(pgt_log_dir) == 0)
		fsync_fname(".", true);
	else if (errno != EEXIST)
		ereport(FATAL,
				(errcode_for_file_access(),
				 errmsg("could not create directory \"%s\": %m", pgt_log_dir)));
}

/* Load the partitions of all databases. */
static void
load_all(void)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics load",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	RecoveryPointEntry *points;
	TimeLineID	tli;
	int			count;
	ListCell   *database;
	ListCell   *partition;
	bool		any = false;

	GetOldestRestartPoint(&pgt_log_state->start_redo, &tli);
	make_log_dir();
	count = pgt_recovery_point_read(&points);
	point_is_lost = count < 0;
	ask_segments = count <= 0;
	if (count > 1)
		qsort(points, count, sizeof(*points), compare_points);
	foreach(database, pgt_log_directory_databases())
		foreach(partition, pgt_log_directory_partitions(lfirst_oid(database), ERROR))
		{
			load_partition(lfirst(partition), points, count);
			any = true;
		}
	/* partitions that were never appended to have no files, but they have slots */
	for (int i = 0; i < count; i++)
		if (points[i].active_base == NO_SEGMENT)
			(void) pgt_log_state_get(&points[i].key);
	pgt_producer_file_load();
	pgt_kafka_txn_file_load();
	/* one is written before there is a topic, so that a missing one is known to be lost */
	if (point_is_lost && !any)
		pgt_recovery_point_write(NULL, 0);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

void
pgt_log_load(void)
{
	/* what is there may be the old cluster's, to whose LSNs pg_upgrade comes only later */
	if (!IsBinaryUpgrade)
		load_all();
}
