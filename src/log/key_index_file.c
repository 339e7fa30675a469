/*
 * key_index_file.c
 *	  The files with the keys of a segment: opening them, and looking keys up.
 *
 * A segment may have several files, each with the keys of a range of its batches (the
 * format is key_index_page.h's).  A few are there while the segment grows, since the worker
 * adds a file for what is new and merges files of a like size; a finished segment has one.
 *
 *	  entries of the segment	0          7000      9000  9500    10100
 *								[ keys0    ][ keys2   ][keys1][ ... ]
 *																not covered: to be read
 *
 * The files are derived data and nobody depends on them.  They are neither in the WAL nor
 * synced with it; so which of them can be used is decided when they are opened:
 *
 *	  - header and pages must match their checksums, else the file is damaged;
 *	  - the header must name this cluster and this segment, and its last entry must be the
 *		one that the segment has there.  A log only grows, so all entries before it are the
 *		same as well.  (A crash or a restore may have taken entries back, and others stand
 *		there now.)
 *	  - a file whose range lies in that of another one is left over from merging.
 *
 * A file that is merged or removed while it is open stays readable, or its name stands for
 * another file when the server's descriptor is opened again; then the page's checksum, which
 * covers the file's salt, does not match.  So who finds a page damaged looks whether
 * keys_version has changed, and if so goes without the file, this time.
 *
 * Memory: the cache is in TopMemoryContext, one entry for each segment of which keys were
 * looked up, up to CACHE_SIZE.  Locks: none.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "log/key_index_file.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "util/fault_point.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#define CACHE_SIZE		256

/* How often files that change while they are opened are opened again. */
#define OPEN_RETRIES	3

typedef struct CachedFiles
{
	bool		used;
	PartitionState *state;
	Oid			database;		/* of the partition, for closing */
	Oid			topic;
	SegmentId	id;
	uint32		incarnation;
	uint32		segments_version;
	uint32		keys_version;
	KeyIndexFiles *files;		/* NULL: the segment has none */
} CachedFiles;

static CachedFiles *cache = NULL;

/* ---- the cache -------------------------------------------------------------- */

/* The cache's place for a segment. */
static CachedFiles *
cache_place(const PartitionState *state, SegmentId id)
{
	uint64		mix = (uint64) (state - pgt_log_state->partitions) * UINT64CONST(0x9E3779B97F4A7C15) +
		(uint64) (id.base + id.generation) * UINT64CONST(0xC2B2AE3D27D4EB4F);

	if (cache == NULL)
		cache = MemoryContextAllocZero(TopMemoryContext, CACHE_SIZE * sizeof(CachedFiles));
	return &cache[(mix >> 32) % CACHE_SIZE];
}

/* Close what is in a place. */
static void
cache_close(CachedFiles *place)
{
	if (place->files != NULL)
	{
		for (int i = 0; i < place->files->count; i++)
			FileClose(place->files->files[i].file);
		pfree(place->files);
	}
	place->files = NULL;
	place->used = false;
}

/* Have files come or gone since it was filled? */
static bool
is_outdated(const CachedFiles *place)
{
	return place->incarnation != place->state->incarnation ||
		place->segments_version != pg_atomic_read_u32(&place->state->segments_version) ||
		place->keys_version != pg_atomic_read_u32(&place->state->keys_version);
}

/* Close all that is outdated of a partition, so that its disk space is freed. */
static void
close_outdated(PartitionState *state)
{
	for (int i = 0; i < CACHE_SIZE; i++)
		if (cache[i].used && cache[i].state == state && is_outdated(&cache[i]))
			cache_close(&cache[i]);
}

void
pgt_key_index_files_changed(PartitionState *state)
{
	pg_atomic_fetch_add_u32(&state->keys_version, 1);
}

void
pgt_key_index_files_close(Oid database, Oid topic)
{
	if (cache == NULL)
		return;
	for (int i = 0; i < CACHE_SIZE; i++)
		if (cache[i].used && cache[i].database == database &&
			(!OidIsValid(topic) || cache[i].topic == topic))
			cache_close(&cache[i]);
}

/* ---- opening ------------------------------------------------------------------ */

/* Report a file that cannot be used; where it is, and why.  The worker looks at it. */
static void
report_damage(PartitionState *state, const char *path, uint32 page_number, const char *problem)
{
	pg_atomic_write_u32(&state->keys_damaged, 1);
	ereport(WARNING,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("damaged key index \"%s\" at position %lld", path,
					(long long) page_number * KEY_INDEX_PAGE_SIZE),
			 errdetail("The problem: %s. Records are looked for without it.", problem),
			 errhint("Maintenance makes it anew, and so does build_key_index().")));
}

/* Can the file be used for the segment?  Reports damage. */
static bool
is_usable(PartitionState *state, const KeyIndexFile *file, Segment *segment)
{
	const KeyIndexHeader *header = &file->header;
	const char *problem;
	IndexEntry	last;

	if (pgt_key_index_header_is_foreign(header))
		return false;
	problem = pgt_key_index_header_check(header, segment->id);
	if (problem == NULL && FileSize(file->file) < (off_t) pgt_key_index_pages(header) * KEY_INDEX_PAGE_SIZE)
		problem = "the file is cut off";
	if (problem != NULL)
	{
		report_damage(state, FilePathName(file->file), 0, problem);
		return false;
	}
	return header->system_identifier == GetSystemIdentifier() &&
		pgt_segment_peek_entry(segment, header->end_entry - 1, &last) &&
		pgt_key_index_header_matches(header, &last);
}

/* Open the file of that number; false if there is none that can be used. */
static bool
open_file(PartitionState *state, Segment *segment, int number, KeyIndexFile *file)
{
	char		path[MAXPGPATH];
	int			got;

	pgt_segment_keys_path(path, &segment->key, segment->id, number);
	file->number = number;
	file->file = FAULT_ERROR("key-index-open") ? -1 : PathNameOpenFile(path, O_RDONLY | PG_BINARY);
	if (file->file < 0 && errno == ENOENT)
		return false;
	if (file->file < 0)
	{
		ereport(WARNING,
				(errcode_for_file_access(),
				 errmsg("could not open topic file \"%s\": %m", path)));
		return false;
	}
	memset(&file->header, 0, sizeof(file->header));
	got = FAULT_ERROR("key-index-read") ? -1 :
		FileRead(file->file, (char *) &file->header, sizeof(file->header), 0, WAIT_EVENT_DATA_FILE_READ);
	if (got < 0)
		ereport(WARNING,
				(errcode_for_file_access(),
				 errmsg("could not read topic file \"%s\" at position 0: %m", path)));
	if (got >= 0 && is_usable(state, file, segment))
		return true;
	FileClose(file->file);
	return false;
}

/* By what they cover: the first entry, the longest one first. */
static int
compare_files(const void *a, const void *b)
{
	const KeyIndexHeader *left = &((const KeyIndexFile *) a)->header;
	const KeyIndexHeader *right = &((const KeyIndexFile *) b)->header;

	if (left->first_entry != right->first_entry)
		return left->first_entry < right->first_entry ? -1 : 1;
	return left->end_entry > right->end_entry ? -1 : left->end_entry < right->end_entry;
}

/* Leave out the files whose entries others cover. */
static void
drop_overlapping(KeyIndexFiles *files)
{
	int			kept = 0;

	qsort(files->files, files->count, sizeof(KeyIndexFile), compare_files);
	for (int i = 0; i < files->count; i++)
	{
		if (kept > 0 && files->files[i].header.first_entry < files->files[kept - 1].header.end_entry)
			FileClose(files->files[i].file);
		else
			files->files[kept++] = files->files[i];
	}
	files->count = kept;
}

/* Open a segment's files into *files. */
static void
open_files(PartitionState *state, Segment *segment, KeyIndexFiles *files)
{
	uint32		entries = segment->id.generation > 0 ? pgt_segment_count_entries(segment) : PG_UINT32_MAX;

	files->count = 0;
	for (int i = 0; i < SEGMENT_KEY_FILES; i++)
	{
		KeyIndexFile *file = &files->files[files->count];

		if (!open_file(state, segment, i, file))
			continue;
		files->count++;
		if (file->header.first_entry == 0 && file->header.end_entry == entries)
			break;				/* there is nothing else to cover */
	}
	drop_overlapping(files);
}

/* Fill a place of the cache; false if files have changed meanwhile. */
static bool
fill_place(CachedFiles *place, PartitionState *state, Segment *segment)
{
	KeyIndexFiles files;

	place->state = state;
	place->database = state->key.database;
	place->topic = state->key.topic;
	place->id = segment->id;
	place->incarnation = state->incarnation;
	place->segments_version = pg_atomic_read_u32(&state->segments_version);
	place->keys_version = pg_atomic_read_u32(&state->keys_version);
	pg_read_barrier();
	open_files(state, segment, &files);
	if (files.count > 0)
	{
		place->files = MemoryContextAlloc(TopMemoryContext, sizeof(KeyIndexFiles));
		*place->files = files;
	}
	place->used = true;
	pg_read_barrier();
	return !is_outdated(place);
}

KeyIndexFiles *
pgt_key_index_files(PartitionState *state, Segment *segment)
{
	CachedFiles *place = cache_place(state, segment->id);

	if (place->used && place->state == state && pgt_segment_id_equal(place->id, segment->id) &&
		!is_outdated(place))
		return place->files;
	close_outdated(state);
	for (int i = 0; i < OPEN_RETRIES; i++)
	{
		cache_close(place);
		if (fill_place(place, state, segment))
			break;
	}
	return place->files;
}

/* ---- pages --------------------------------------------------------------------- */

bool
pgt_key_index_file_read(PartitionState *state, const KeyIndexFile *file, uint32 page_number,
						uint8 *page)
{
	uint32		version = pg_atomic_read_u32(&state->keys_version);
	int			got = FAULT_ERROR("key-index-read") ? -1 :
		FileRead(file->file, (char *) page, KEY_INDEX_PAGE_SIZE,
				 (off_t) page_number * KEY_INDEX_PAGE_SIZE, WAIT_EVENT_DATA_FILE_READ);
	int			trouble = errno;

	if (got == KEY_INDEX_PAGE_SIZE && pgt_key_index_page_is_whole(page, &file->header, page_number))
		return true;
	if (pg_atomic_read_u32(&state->keys_version) != version || (got < 0 && trouble == ENOENT))
		return false;
	errno = trouble;
	if (got < 0)
		ereport(WARNING,
				(errcode_for_file_access(),
				 errmsg("could not read topic file \"%s\" at position %lld: %m",
						FilePathName(file->file), (long long) page_number * KEY_INDEX_PAGE_SIZE)));
	else
		report_damage(state, FilePathName(file->file), page_number, "the page's checksum does not match");
	return false;
}

/* ---- looking up ----------------------------------------------------------------- */

/* Add an entry to the result. */
static void
add_entry(KeyProbeResult *result, uint32 entry)
{
	if (result->count == result->capacity)
	{
		result->capacity = Max(64, result->capacity * 2);
		result->entries = result->entries == NULL ? palloc(result->capacity * sizeof(uint32)) :
			repalloc_huge(result->entries, result->capacity * sizeof(uint32));
	}
	result->entries[result->count++] = entry;
}

/*
 * Find the first leaf that may have the hash: its number among the leaves.  False where a
 * page cannot be read.
 */
static bool
find_leaf(PartitionState *state, const KeyIndexFile *file, uint32 hash, uint8 *page, uint32 *leaf)
{
	KeyIndexLevel levels[KEY_INDEX_MAX_LEVELS];
	int			count = pgt_key_index_levels(&file->header, levels);

	*leaf = 0;
	for (int i = count - 1; i > 0; i--)
	{
		if (!pgt_key_index_file_read(state, file, levels[i].first_page + *leaf, page))
			return false;
		*leaf = *leaf * KEY_INNER_MAX + pgt_key_index_page_find(page, hash);
		if (*leaf >= levels[i - 1].pages)
			return false;
	}
	return true;
}

/* Add the batches of one file that may have a hash; false where that cannot be told. */
static bool
probe_hash(PartitionState *state, const KeyIndexFile *file, uint32 hash, KeyProbeResult *result)
{
	uint8		page[KEY_INDEX_PAGE_SIZE];
	uint32		leaf;

	if (file->header.slots == 0)
		return true;
	if (!find_leaf(state, file, hash, page, &leaf))
		return false;
	for (; leaf < file->header.leaves; leaf++)
	{
		KeyLeafReader reader;
		KeySlotEntry slot;

		CHECK_FOR_INTERRUPTS();
		if (!pgt_key_index_file_read(state, file, leaf + 1, page))
			return false;
		pgt_key_leaf_reader_begin(&reader, &file->header, page);
		while (pgt_key_leaf_reader_next(&reader, &slot))
		{
			if (slot.hash > hash)
				return true;
			if (slot.hash == hash)
				add_entry(result, slot.entry);
		}
	}
	return true;
}

static int
compare_entries(const void *a, const void *b)
{
	uint32		left = *(const uint32 *) a;
	uint32		right = *(const uint32 *) b;

	return left < right ? -1 : left > right;
}

/* Sort the entries from "first" on, each once. */
static void
sort_entries(KeyProbeResult *result, uint32 first)
{
	uint32		kept = first;

	if (result->count - first < 2)
		return;
	qsort(result->entries + first, result->count - first, sizeof(uint32), compare_entries);
	for (uint32 i = first; i < result->count; i++)
		if (kept == first || result->entries[i] != result->entries[kept - 1])
			result->entries[kept++] = result->entries[i];
	result->count = kept;
}

/* Add what one file says; false where that cannot be told. */
static bool
probe_file(PartitionState *state, const KeyIndexFile *file, const KeyProbe *probe,
		   KeyProbeResult *result)
{
	uint32		before = result->count;

	if (!pgt_key_index_keys_fit(file->header.keys, probe->shape))
		return false;
	for (int i = 0; i < probe->count; i++)
		if (!probe_hash(state, file, probe->hashes[i], result))
		{
			result->count = before;
			return false;
		}
	sort_entries(result, before);
	return true;
}

void
pgt_key_probe_run(PartitionState *state, Segment *segment, const KeyProbe *probe,
				  KeyProbeResult *result)
{
	KeyIndexFiles *files = pgt_key_index_files(state, segment);

	result->range_count = 0;
	result->count = 0;
	for (int i = 0; files != NULL && i < files->count; i++)
		if (probe_file(state, &files->files[i], probe, result))
			result->ranges[result->range_count++] =
				(KeyProbeRange) {files->files[i].header.first_entry, files->files[i].header.end_entry};
}

/* How many of the result's entries come before an entry. */
static uint32
count_before(const KeyProbeResult *result, uint32 entry)
{
	uint32		low = 0;
	uint32		high = result->count;

	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;

		if (result->entries[middle] < entry)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32
pgt_key_probe_next(const KeyProbeResult *result, uint32 entry)
{
	uint32		before = count_before(result, entry);
	uint32		open = entry;

	for (int i = 0; i < result->range_count; i++)
		if (open >= result->ranges[i].first && open < result->ranges[i].end)
			open = result->ranges[i].end;
	return before < result->count ? Min(open, result->entries[before]) : open;
}

uint32
pgt_key_probe_behind(const KeyProbeResult *result, uint32 entry)
{
	uint32		before = count_before(result, entry);
	uint32		open = entry;

	for (int i = result->range_count - 1; i >= 0; i--)
		if (open > result->ranges[i].first && open <= result->ranges[i].end)
			open = result->ranges[i].first;
	return before > 0 ? Max(open, result->entries[before - 1] + 1) : open;
}
