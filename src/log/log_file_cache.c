/*
 * log_file_cache.c
 *	  Log files of segments, open for sending parts of them.
 *
 * What is sent to a client may wait in its queue for long.  Segments are closed behind the
 * back of who uses them (log_segments.c), so a queue needs files of its own: OutputFile's,
 * which are shared by reference.  The cache holds one reference to those that were used last,
 * since clients ask for parts of the same segment again and again.
 *
 * A cached file is used, as a cached segment is, only while the partition's incarnation and
 * segments_version are those of the bounds with which it was opened.  Each roll, deletion and
 * swap makes its partition's files stale; to open them again costs little.  A stale file is
 * closed when its place is needed, or by pgt_log_file_cache_close_stale().  Then only queues
 * hold it.
 *
 * Descriptors count among those that the server allows to be open outside of its own cache.
 * When there are none left, the cache gives all of its own back and tries once more.
 *
 * Memory: below TopMemoryContext, for the life of the process.
 */
#include "postgres.h"

#include "log/log_file_cache.h"
#include "utils/memutils.h"

#define CACHE_SETS	32
#define CACHE_WAYS	4

typedef struct CachedFile
{
	OutputFile *file;			/* NULL: the place is free */
	PartitionState *state;
	uint32		incarnation;
	uint32		segments_version;
	SegmentId	id;
	uint64		last_use;
} CachedFile;

static CachedFile *cache = NULL;
static uint64 cache_clock = 0;

/* The set of the cache to which a segment belongs. */
static CachedFile *
cache_set(const PartitionState *state, SegmentId id)
{
	uint64		mix = (uint64) (state - pgt_log_state->partitions) * UINT64CONST(0x9E3779B97F4A7C15) +
		(uint64) (id.base + id.generation) * UINT64CONST(0xC2B2AE3D27D4EB4F);

	if (cache == NULL)
		cache = MemoryContextAllocZero(TopMemoryContext, CACHE_SETS * CACHE_WAYS * sizeof(CachedFile));
	return &cache[((mix >> 32) % CACHE_SETS) * CACHE_WAYS];
}

/* Give up the cache's reference. */
static void
let_go(CachedFile *cached)
{
	if (cached->file != NULL)
		pgt_output_file_release(cached->file);
	cached->file = NULL;
}

/* The place for a new file: a free one, else the least recently used. */
static CachedFile *
choose_place(CachedFile *set)
{
	CachedFile *place = &set[0];

	for (int i = 0; i < CACHE_WAYS; i++)
	{
		if (set[i].file == NULL)
			return &set[i];
		if (set[i].last_use < place->last_use)
			place = &set[i];
	}
	let_go(place);
	return place;
}

/* Open the file.  NULL if there is none; with EMFILE, if no more may be open. */
static OutputFile *
open_file(const TopicPartition *key, SegmentId id)
{
	char		path[MAXPGPATH];
	OutputFile *file;

	pgt_segment_log_path(path, key, id);
	file = pgt_output_file_open(path);
	if (file == NULL && errno == EMFILE && cache != NULL)
	{
		for (int i = 0; i < CACHE_SETS * CACHE_WAYS; i++)
			let_go(&cache[i]);
		file = pgt_output_file_open(path);
	}
	if (file == NULL && errno != ENOENT && errno != EMFILE)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open topic file \"%s\": %m", path)));
	return file;
}

OutputFile *
pgt_log_file_cache_open(PartitionState *state, const TopicPartition *key, const LogBounds *bounds,
						SegmentId id)
{
	CachedFile *set = cache_set(state, id);
	CachedFile *place;
	OutputFile *file;

	for (int i = 0; i < CACHE_WAYS; i++)
	{
		if (set[i].file == NULL || set[i].state != state || !pgt_segment_id_equal(set[i].id, id))
			continue;
		if (set[i].incarnation != bounds->incarnation || set[i].segments_version != bounds->segments_version)
		{
			let_go(&set[i]);
			continue;
		}
		set[i].last_use = ++cache_clock;
		return set[i].file;
	}
	file = open_file(key, id);
	if (file == NULL)
		return NULL;
	place = choose_place(set);
	*place = (CachedFile) {
		.file = file,.state = state,.incarnation = bounds->incarnation,
		.segments_version = bounds->segments_version,.id = id,.last_use = ++cache_clock
	};
	return file;
}

bool
pgt_log_file_cache_close_stale(void)
{
	bool		any = false;

	for (int i = 0; cache != NULL && i < CACHE_SETS * CACHE_WAYS; i++)
	{
		CachedFile *cached = &cache[i];

		if (cached->file != NULL &&
			(cached->incarnation != cached->state->incarnation ||
			 cached->segments_version != pg_atomic_read_u32(&cached->state->segments_version)))
			let_go(cached);
		any = any || cached->file != NULL;
	}
	return any;
}
