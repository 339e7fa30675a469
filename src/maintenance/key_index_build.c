/*
 * key_index_build.c
 *	  Keeping the index of keys of a topic's partitions up to date.
 *
 * Each segment has its own files (key_index_file.c).  Building goes over the segments, and in
 * each over the batches that no file covers yet:
 *
 *	1. the keys of these batches become slots in memory, as many as maintenance_work_mem
 *	   allows, and are sorted;
 *	2. they are written as a file, together with the files before them that are not much
 *	   larger: so a segment has a few files of growing size, and each slot is written again
 *	   only as often as the size grows by MERGE_RATIO;
 *	3. when a finished segment is covered, its files are merged into one.
 *
 * Only batches are taken that are resolved and whose WAL is flushed.  A batch that is
 * resolved keeps its outcome, so those of aborted transactions are left out for good; and
 * a flushed one cannot be taken back by a crash.
 *
 * A file that is damaged, or of another version or cluster, is not among those that
 * pgt_key_index_files() gives; what it covered is covered anew, and its name used again.
 *
 * Locks: the caller's ShareUpdateExclusiveLock on the topic, so that only one process builds
 * and no segment is replaced or deleted meanwhile.  Readers go on.
 *
 * Memory: a context below the current one, with the slots of one file.
 */
#include "postgres.h"

#include <sys/stat.h>

#include "access/xlog.h"
#include "log/batch_decoder.h"
#include "log/key_index_writer.h"
#include "log/segment_scan.h"
#include "maintenance/cleaner_throttle.h"
#include "maintenance/key_index_build.h"
#include "miscadmin.h"
#include "util/compat.h"
#include "util/fault_point.h"
#include "utils/memutils.h"

/* A file is merged with new slots if it has less than this many times as many. */
#define MERGE_RATIO			4

/* The worker leaves so many bytes of the active segment to be read without an index. */
#define TAIL_BYTES			(256 * 1024)

/* A partition's index under way. */
typedef struct Build
{
	TopicPartition key;
	PartitionState *state;
	LogBounds	bounds;
	XLogRecPtr	flushed;
	bool		has_damage;		/* a reader has met some */
	MemoryContext context;
	KeyIndexResult *result;

	/* the slots in memory, of the entries up to next_entry */
	KeySlotEntry *slots;
	uint64		count;
	uint64		capacity;
	KeyIndexKeys keys;

	SegmentScan *scan;
	BatchDecoder decoder;
} Build;

/* ---- sorting ---------------------------------------------------------------- */

static inline int
compare_slots(const KeySlotEntry *a, const KeySlotEntry *b)
{
	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return a->entry < b->entry ? -1 : a->entry > b->entry;
}

#define ST_SORT sort_slots
#define ST_ELEMENT_TYPE KeySlotEntry
#define ST_COMPARE(a, b) compare_slots(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* ---- collecting slots --------------------------------------------------------- */

/* Have room for so many more slots; false if that is more than maintenance_work_mem. */
static bool
reserve_slots(Build *build, uint64 more)
{
	uint64		most = (uint64) maintenance_work_mem * 1024 / sizeof(KeySlotEntry);
	uint64		wanted = build->count + more;

	if (wanted > most && build->count > 0)
		return false;
	if (wanted <= build->capacity)
		return true;
	wanted = Max(wanted, Min(build->capacity * 2, most));
	build->slots = build->slots == NULL ?
		MemoryContextAllocHuge(build->context, wanted * sizeof(KeySlotEntry)) :
		repalloc_huge(build->slots, wanted * sizeof(KeySlotEntry));
	build->capacity = wanted;
	return true;
}

/* Add the keys of a batch; false if there is no room for them. */
static bool
add_batch(Build *build, const IndexEntry *entry, uint32 n)
{
	const char *batch = pgt_segment_scan_batch(build->scan, entry);
	SegmentId	id = build->scan->id;
	uint64		seed = GetSystemIdentifier();
	RecordBatchHeader header;
	RecordIterator iterator;
	Record		record;

	pgt_batch_decoder_check(&build->key, id, entry, batch, &header);
	if (!reserve_slots(build, header.record_count))
		return false;
	pgt_batch_decoder_decode(&build->decoder, &build->key, id, entry, batch, &header, &iterator);
	while (pgt_record_iterator_next(&iterator, &record))
	{
		if (record.key_length < 0)
			continue;
		pgt_key_index_keys_add(&build->keys, record.key, record.key_length);
		build->slots[build->count++] =
			(KeySlotEntry) {pgt_key_index_page_hash(seed, record.key, record.key_length), n};
	}
	if (iterator.problem != NULL)
		pgt_batch_decoder_fail(&build->key, id, entry->position, id.base + entry->first_delta,
							   iterator.problem);
	return true;
}

/*
 * Collect and sort the slots of a segment's entries from "first" to below "end", as far as
 * memory allows; returns behind which entry that is.
 */
static uint32
collect_slots(Build *build, SegmentId id, uint32 first, uint32 end)
{
	const IndexEntry *entry;
	uint32		n = first;

	build->count = 0;
	build->keys = pgt_key_index_keys_none;
	pgt_segment_scan_range(build->scan, build->state, id, first, end);
	for (; (entry = pgt_segment_scan_next(build->scan)) != NULL; n++)
	{
		if ((entry->flags & ENTRY_ABORTED) == 0 && !add_batch(build, entry, n))
			break;
		pgt_cleaner_throttle_pause(&build->key, entry->length);
	}
	build->result->batches += n - first;
	build->result->keys += build->count;
	sort_slots(build->slots, build->count);
	return n;
}

/* ---- merging ------------------------------------------------------------------ */

/* A file, or the slots in memory, that is read from its beginning. */
typedef struct Source
{
	const KeyIndexFile *file;	/* NULL: the slots in memory */
	uint64		next;			/* of these */
	uint32		leaf;			/* the next one to be read */
	KeyLeafReader reader;
	KeySlotEntry slot;
	bool		done;
	uint8		page[KEY_INDEX_PAGE_SIZE];
} Source;

/* ERROR: a file that is to be merged cannot be read; its damage was reported.  So it goes. */
static void
fail_for_source(Build *build, const Source *source)
{
	pgt_key_index_writer_remove(build->state, build->scan->id, source->file->number);
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("could not merge key index \"%s\"", FilePathName(source->file->file)),
			 errhint("It is made anew.")));
}

/* Go to the next slot of a source. */
static void
advance(Build *build, Source *source)
{
	if (source->file == NULL)
	{
		source->done = source->next == build->count;
		if (!source->done)
			source->slot = build->slots[source->next++];
		return;
	}
	while (!pgt_key_leaf_reader_next(&source->reader, &source->slot))
	{
		if (source->leaf > source->file->header.leaves)
		{
			source->done = true;
			return;
		}
		if (!pgt_key_index_file_read(build->state, source->file, source->leaf, source->page))
			fail_for_source(build, source);
		pgt_key_leaf_reader_begin(&source->reader, &source->file->header, source->page);
		source->leaf++;
		pgt_cleaner_throttle_pause(&build->key, KEY_INDEX_PAGE_SIZE);
	}
}

/* The source with the least slot; NULL at the end. */
static Source *
least_source(Source **sources, int count)
{
	Source	   *least = NULL;

	for (int i = 0; i < count; i++)
		if (!sources[i]->done && (least == NULL || compare_slots(&sources[i]->slot, &least->slot) < 0))
			least = sources[i];
	return least;
}

/* Begin to read the files to be merged, and the slots in memory. */
static int
open_sources(Build *build, const KeyIndexFiles *files, int first, Source **sources)
{
	int			count = 0;

	for (int i = first; i <= files->count; i++)
	{
		Source	   *source = MemoryContextAllocZero(build->context, sizeof(Source));

		source->file = i < files->count ? &files->files[i] : NULL;
		source->leaf = 1;
		advance(build, source);
		sources[count++] = source;
	}
	return count;
}

/* ---- files ---------------------------------------------------------------------- */

/* A number that none of the files has. */
static int
free_number(const KeyIndexFiles *files)
{
	int			number = 0;

	for (int i = 0; i < files->count; i++)
		if (files->files[i].number == number)
		{
			number++;
			i = -1;
		}
	return number;
}

/* Behind which entry the files of a segment end. */
static uint32
covered_end(const KeyIndexFiles *files)
{
	return files->count > 0 ? files->files[files->count - 1].header.end_entry : 0;
}

/* The first of the files that are merged with the new slots. */
static int
first_to_merge(const Build *build, const KeyIndexFiles *files, bool all)
{
	uint64		slots = Max(build->count, 1);
	int			first = files->count;

	while (first > 0 &&
		   (all || files->count >= SEGMENT_KEY_FILES - 1 || files->files[first - 1].header.slots < slots * MERGE_RATIO))
		slots += files->files[--first].header.slots;
	return first;
}

/* Write all slots of the sources to a file; returns its size. */
static int64
write_sources(Build *build, KeyIndexWriter *writer, Source **sources, int count, int number)
{
	KeyIndexKeys keys = build->keys;
	Source	   *least;

	for (int i = 0; i < count; i++)
		if (sources[i]->file != NULL)
			keys = pgt_key_index_keys_join(keys, sources[i]->file->header.keys);
	while ((least = least_source(sources, count)) != NULL)
	{
		pgt_key_index_writer_add(writer, least->slot);
		advance(build, least);
	}
	return pgt_key_index_writer_finish(writer, build->state, keys, number);
}

/*
 * Write a file of the slots in memory and the files from "first" on, whose place it takes.
 * It covers the entries up to "end".
 */
static void
write_file(Build *build, Segment *segment, KeyIndexFiles files, int first, uint32 end)
{
	uint32		first_entry = first < files.count ? files.files[first].header.first_entry : covered_end(&files);
	Source	   *sources[SEGMENT_KEY_FILES + 1];
	int			count = open_sources(build, &files, first, sources);
	uint64		slots = build->count;
	KeyIndexWriter *volatile writer = NULL;
	SegmentId	id = segment->id;

	for (int i = first; i < files.count; i++)
		slots += files.files[i].header.slots;
	writer = pgt_key_index_writer_begin(segment, first_entry, end, slots);
	PG_TRY();
	{
		int64		bytes = write_sources(build, writer, sources, count, free_number(&files));

		build->result->bytes += bytes;
		pgt_cleaner_throttle_pause(&build->key, bytes);
	}
	PG_FINALLY();
	{
		pgt_key_index_writer_end(writer);
	}
	PG_END_TRY();
	for (int i = first; i < files.count; i++)
		pgt_key_index_writer_remove(build->state, id, files.files[i].number);
	for (int i = 0; i < count; i++)
		pfree(sources[i]);
}

/* ---- one segment ------------------------------------------------------------------ */

/* The segment, which nobody removes. */
static Segment *
reopen(Build *build, SegmentId id)
{
	Segment    *segment = pgt_log_segments_open(build->state, id);

	if (segment == NULL)
		elog(ERROR, "segment %lld.%u is gone while its keys are being indexed", (long long) id.base, id.generation);
	return segment;
}

/* The files that cover a segment's first entries without a gap; what lies behind one is of no use. */
static KeyIndexFiles
covering_files(Build *build, Segment *segment)
{
	KeyIndexFiles *found = pgt_key_index_files(build->state, segment);
	KeyIndexFiles files = {0};

	if (found == NULL)
		return files;
	files = *found;
	for (int i = 0; i < files.count; i++)
	{
		if (files.files[i].header.first_entry == (i == 0 ? 0 : files.files[i - 1].header.end_entry))
			continue;
		files.count = i;
	}
	return files;
}

/* Remove a segment's files of which a page cannot be read. */
static void
remove_damaged(Build *build, SegmentId id)
{
	KeyIndexFiles *found = pgt_key_index_files(build->state, reopen(build, id));
	KeyIndexFiles files = {0};
	uint8		page[KEY_INDEX_PAGE_SIZE];

	if (found != NULL)
		files = *found;
	for (int i = 0; i < files.count; i++)
	{
		uint32		pages = pgt_key_index_pages(&files.files[i].header);
		uint32		good = 1;	/* the header was looked at */

		while (good < pages && pgt_key_index_file_read(build->state, &files.files[i], good, page))
		{
			good++;
			pgt_cleaner_throttle_pause(&build->key, KEY_INDEX_PAGE_SIZE);
		}
		if (good < pages)
			pgt_key_index_writer_remove(build->state, id, files.files[i].number);
	}
}

/* Remove the files that are not among those that cover the segment's first entries. */
static void
remove_others(Build *build, SegmentId id, const KeyIndexFiles *files)
{
	for (int number = 0; number < SEGMENT_KEY_FILES; number++)
	{
		char		path[MAXPGPATH];
		struct stat file;
		bool		used = false;

		for (int i = 0; i < files->count; i++)
			used |= files->files[i].number == number;
		pgt_segment_keys_path(path, &build->key, id, number);
		if (!used && stat(path, &file) == 0)
			pgt_key_index_writer_remove(build->state, id, number);
	}
}

/* How many of a segment's entries can be taken: they are resolved, and their WAL is flushed. */
static uint32
safe_entries(const Build *build, Segment *segment)
{
	uint32		count = pgt_partition_log_entries(segment, &build->bounds);
	IndexEntry	entry;

	if (pgt_partition_log_segment_end(segment, &build->bounds) > build->bounds.resolved_offset)
		count = pgt_segment_find_offset(segment, count, build->bounds.resolved_offset);
	while (count > 0 && pgt_segment_read_entries(segment, count - 1, 1, &entry) == 1 &&
		   entry.lsn > build->flushed)
		count--;
	return count;
}

/*
 * Cover a segment's entries from "covered" on, as far as memory allows; returns behind which
 * entry they are covered then.  Files of which one cannot be opened any more do not end where
 * the slots in memory begin, and a file that begins where they end would cover entries whose
 * keys it does not have: nothing is written then, and "covered" comes back.
 */
static uint32
extend(Build *build, SegmentId id, uint32 covered, uint32 end, bool is_whole)
{
	uint32		upto = covered;
	Segment    *segment;
	KeyIndexFiles files;

	build->count = 0;
	build->keys = pgt_key_index_keys_none;
	if (covered < end)
		upto = collect_slots(build, id, covered, end);
	FAULT_HALT("key-index-collected");
	segment = reopen(build, id);
	files = covering_files(build, segment);
	if (covered_end(&files) != covered)
		return covered;
	write_file(build, segment, files, first_to_merge(build, &files, is_whole && upto == end), upto);
	return upto;
}

/*
 * Bring the files of a segment up to date; returns behind which entry they end.  Clears
 * *complete if it must be looked at again: a finished segment that is not covered, or one whose
 * files cannot be read.
 */
static uint32
build_segment(Build *build, SegmentId id, bool finished, bool *complete)
{
	Segment    *segment = reopen(build, id);
	uint32		end = safe_entries(build, segment);
	bool		is_whole = finished && end == pgt_partition_log_entries(segment, &build->bounds);
	KeyIndexFiles files;
	uint32		covered;

	*complete &= !finished || is_whole;
	build->scan->id = id;
	if (build->has_damage)
		remove_damaged(build, id);
	files = covering_files(build, reopen(build, id));
	covered = covered_end(&files);
	remove_others(build, id, &files);
	while (covered < end || (is_whole && files.count > 1))
	{
		uint32		upto = extend(build, id, covered, end, is_whole);

		files = covering_files(build, reopen(build, id));
		if (covered_end(&files) != upto || (upto == covered && covered < end))
		{
			*complete = false;
			return covered_end(&files);
		}
		covered = upto;
	}
	return covered;
}

/* ---- a partition --------------------------------------------------------------------- */

bool
pgt_key_index_build_is_due(PartitionState *state, const LogBounds *bounds)
{
	uint64		covered = pg_atomic_read_u64(&state->keys_end);
	double		unread = (double) bounds->resolved_offset - (double) Max(covered, bounds->active_base);
	double		active = (double) bounds->next_offset - (double) bounds->active_base;

	if (pg_atomic_read_u32(&state->keys_damaged) != 0 ||
		pg_atomic_read_u32(&state->keys_segments) != bounds->segments_version || covered < bounds->active_base)
		return true;
	return unread > 0 && unread / Max(active, 1) * bounds->active_end >= TAIL_BYTES;
}

/* Build the index of each segment. */
static void
build_partition(Build *build)
{
	SegmentListItem *listed;
	int			count = pgt_segment_list(&build->key, &listed);
	int64		end = build->bounds.active_base;
	bool		complete = true;

	for (int i = 0; i < count && listed[i].id.base <= build->bounds.active_base; i++)
	{
		bool		finished = listed[i].id.base != build->bounds.active_base;
		uint32		covered = build_segment(build, listed[i].id, finished, &complete);
		IndexEntry	last;

		if (!finished && covered > 0 && pgt_segment_read_entries(reopen(build, listed[i].id), covered - 1, 1, &last) == 1)
			end = listed[i].id.base + last.last_delta + 1;
	}
	if (complete)
	{
		pg_atomic_write_u64(&build->state->keys_end, end);
		pg_atomic_write_u32(&build->state->keys_segments, build->bounds.segments_version);
	}
	pfree(listed);
}

void
pgt_key_index_build(const Topic *topic, int32 partition, KeyIndexResult *result)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics key index",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Build	   *build = palloc0(sizeof(Build));

	memset(result, 0, sizeof(*result));
	build->key = pgt_topic_partition(topic, partition);
	build->state = pgt_log_state_find(&build->key);
	build->context = build->decoder.context = context;
	build->result = result;
	if (build->state != NULL && pgt_partition_log_bounds(&build->key, &build->bounds))
	{
		build->flushed = GetFlushRecPtr(NULL);
		build->has_damage = pg_atomic_exchange_u32(&build->state->keys_damaged, 0) != 0;
		build->scan = palloc(sizeof(SegmentScan));
		pgt_segment_scan_init(build->scan, context);
		build_partition(build);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

int
pgt_key_index_build_collect(const Topic *topic, int32 partition)
{
	TopicPartition key = pgt_topic_partition(topic, partition);
	PartitionState *state = pgt_log_state_find(&key);

	return state == NULL ? 0 : pgt_key_index_writer_collect(state, topic->key_index);
}
