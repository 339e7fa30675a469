/*
 * log_segments.c
 *	  The segments of a partition as this process knows them: their list, and those
 *	  it has open.
 *
 * Each process keeps two things from one use of a partition to the next:
 *
 *	  open segments		a cache for all partitions, CACHE_SETS sets of CACHE_WAYS
 *	  lists				for each slot, the segments that count, in order, and where
 *						the last reader stopped, since the next one mostly
 *						continues there
 *
 * Whoever makes or removes a segment's files raises segments_version afterwards.
 * A cached segment or list is used only if the version is still the one that was
 * read before the segment was opened or the list was made; otherwise it is opened or
 * made again.  So an open segment is always the one that has its name now, however
 * often the name is used: an append, which holds the slot's lock, cannot write to a
 * file that was removed.
 *
 * No segment past the active one counts.  A crash, or a file that could not be
 * removed, may leave one; a roll removes it before it makes the next segment, so that
 * it never comes to lie between two segments of the log.
 *
 * Memory: cache and lists are in TopMemoryContext for the life of the process.
 * Locks: none, except that removing and making the active segment's files is done by
 * a caller that holds the slot's lock exclusively.
 */
#include "postgres.h"

#include "access/xlogutils.h"
#include "log/log_segments.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* ---- open segments of this process --------------------------------------- */

#define CACHE_SETS	64
#define CACHE_WAYS	4

typedef struct CachedSegment
{
	bool		used;
	PartitionState *state;
	uint32		incarnation;
	uint32		version;		/* segments_version before it was opened */
	uint64		last_use;
	Segment		segment;
} CachedSegment;

static CachedSegment *cache = NULL;
static uint64 cache_clock = 0;

void
pgt_log_segments_make_cache(void)
{
	if (cache == NULL)
		cache = MemoryContextAllocZero(TopMemoryContext,
									   CACHE_SETS * CACHE_WAYS * sizeof(CachedSegment));
}

/* The set of the cache that a segment belongs to. */
static CachedSegment *
cache_set(const PartitionState *state, SegmentId id)
{
	uint64		mix;

	pgt_log_segments_make_cache();
	mix = (uint64) (state - pgt_log_state->partitions) * UINT64CONST(0x9E3779B97F4A7C15) +
		(uint64) (id.base + id.generation) * UINT64CONST(0xC2B2AE3D27D4EB4F);
	return &cache[((mix >> 32) % CACHE_SETS) * CACHE_WAYS];
}

/* Close a cached segment. */
static void
cache_close(CachedSegment *cached)
{
	if (cached->used)
		pgt_segment_close(&cached->segment);
	cached->used = false;
}

/* The place for a new segment: a free one, else the least recently used. */
static CachedSegment *
cache_victim(CachedSegment *set)
{
	CachedSegment *victim = &set[0];

	for (int i = 0; i < CACHE_WAYS; i++)
	{
		if (!set[i].used)
			return &set[i];
		if (set[i].last_use < victim->last_use)
			victim = &set[i];
	}
	cache_close(victim);
	return victim;
}

/* May the files have been removed, or made anew, since the segment was opened? */
static bool
is_outdated(const CachedSegment *cached, PartitionState *state)
{
	return cached->incarnation != state->incarnation ||
		cached->version != pg_atomic_read_u32(&state->segments_version);
}

/* The cached segment, or NULL.  Closes it if it is outdated. */
static CachedSegment *
cache_find(CachedSegment *set, PartitionState *state, SegmentId id)
{
	for (int i = 0; i < CACHE_WAYS; i++)
	{
		if (!set[i].used || set[i].state != state || !pgt_segment_id_equal(set[i].segment.id, id))
			continue;
		if (is_outdated(&set[i], state))
		{
			cache_close(&set[i]);
			continue;
		}
		set[i].last_use = ++cache_clock;
		return &set[i];
	}
	return NULL;
}

/* Register an open segment with the cache. */
static Segment *
cache_enter(CachedSegment *place, PartitionState *state, uint32 incarnation, uint32 version,
			const Segment *segment)
{
	place->used = true;
	place->state = state;
	place->incarnation = incarnation;
	place->version = version;
	place->last_use = ++cache_clock;
	place->segment = *segment;
	return &place->segment;
}

Segment *
pgt_log_segments_open(PartitionState *state, SegmentId id)
{
	CachedSegment *set = cache_set(state, id);
	CachedSegment *found = cache_find(set, state, id);
	uint32		incarnation = state->incarnation;
	uint32		version = pg_atomic_read_u32(&state->segments_version);
	TopicPartition key = state->key;
	Segment		segment;

	if (found != NULL)
		return &found->segment;

	/* the version is read first, so a file that changes after that is opened again */
	pg_read_barrier();
	found = cache_victim(set);
	if (!pgt_segment_open(&segment, &key, id))
		return NULL;

	/* without a lock on the topic this may have read the key of the slot's previous partition */
	pg_read_barrier();
	if (state->incarnation != incarnation)
	{
		pgt_segment_close(&segment);
		return NULL;
	}
	return cache_enter(found, state, incarnation, version, &segment);
}

bool
pgt_log_segments_is_open(PartitionState *state, SegmentId id)
{
	return cache_find(cache_set(state, id), state, id) != NULL;
}

bool
pgt_log_segments_can_open(PartitionState *state, SegmentId id)
{
	return pgt_log_segments_is_open(state, id) || pgt_segment_is_usable(&state->key, id);
}

/* Files were made or removed: all that was opened or listed before is outdated.  Returns the new version. */
static uint32
news_of_segments(PartitionState *state)
{
	return pg_atomic_add_fetch_u32(&state->segments_version, 1);
}

Segment *
pgt_log_segments_create(PartitionState *state, SegmentId id, const SegmentSpan *span)
{
	CachedSegment *set = cache_set(state, id);
	CachedSegment *found = cache_find(set, state, id);
	Segment		segment;

	if (found != NULL)
		cache_close(found);
	else
		found = cache_victim(set);
	pgt_segment_create(&segment, &state->key, id, span);
	return cache_enter(found, state, state->incarnation, news_of_segments(state), &segment);
}

void
pgt_log_segments_remove(PartitionState *state, SegmentId id)
{
	CachedSegment *found = cache_find(cache_set(state, id), state, id);

	if (found != NULL)
		cache_close(found);
	pgt_segment_unlink(&state->key, id, WARNING);
	(void) news_of_segments(state);
}

void
pgt_log_segments_remove_past(PartitionState *state, int64 base)
{
	SegmentId  *ids;
	int			files = pgt_segment_files(&state->key, &ids);

	Assert(LWLockHeldByMeInMode(&state->lock, LW_EXCLUSIVE));
	for (int i = 0; i < files; i++)
	{
		if (ids[i].base <= base)
			continue;
		ereport(LOG,
				(errmsg("removing segment %lld of partition %d of topic %u in database %u because it is past the log end",
						(long long) ids[i].base, state->key.partition, state->key.topic,
						state->key.database)));
		pgt_segment_unlink(&state->key, ids[i], InRecovery ? LOG : ERROR);
		(void) news_of_segments(state);
	}
	pfree(ids);
}

void
pgt_log_segments_close(Oid database, Oid topic)
{
	if (cache == NULL)
		return;
	for (int i = 0; i < CACHE_SETS * CACHE_WAYS; i++)
		if (cache[i].used && cache[i].segment.key.database == database &&
			(!OidIsValid(topic) || cache[i].segment.key.topic == topic))
			cache_close(&cache[i]);
}

/* ---- the list of segments ------------------------------------------------ */

typedef struct SegmentList
{
	bool		loaded;
	uint32		incarnation;
	uint32		version;
	int			count;
	SegmentListItem *segments;	/* ascending, in TopMemoryContext */

	/* where the last reader stopped: entry hint_entry is the first at or behind these offsets */
	uint32		hint_incarnation;
	SegmentId	hint_segment;
	uint32		hint_entry;
	int64		hint_first;
	int64		hint_last;
} SegmentList;

/*
 * One for each slot, in blocks that are made when first needed: a server with room for a
 * million partitions must not cost each session memory for all of them.
 */
#define LISTS_PER_BLOCK	256

static SegmentList **list_blocks = NULL;

/* The index of the first segment in the list whose base is above "offset"; "count" if there is none. */
static int
first_above(const SegmentList *list, int64 offset)
{
	int			low = 0;
	int			high = list->count;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (list->segments[middle].id.base <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Is the segment in the list? */
static bool
list_has(const SegmentList *list, SegmentId id)
{
	int			above = first_above(list, id.base);

	return above > 0 && pgt_segment_id_equal(list->segments[above - 1].id, id);
}

/* Close cached segments that are no longer in the list, so that their disk space is freed. */
static void
close_deleted(PartitionState *state, const SegmentList *list)
{
	if (cache == NULL)
		return;
	for (int i = 0; i < CACHE_SETS * CACHE_WAYS; i++)
		if (cache[i].used && cache[i].state == state &&
			!list_has(list, cache[i].segment.id))
			cache_close(&cache[i]);
}

/* The list that this process has of a partition, up to date or not. */
static SegmentList *
remembered(PartitionState *state)
{
	int			slot = state - pgt_log_state->partitions;
	SegmentList **block;

	if (list_blocks == NULL)
		list_blocks = MemoryContextAllocZero(TopMemoryContext,
											 (pgt_log_state->max_partitions / LISTS_PER_BLOCK + 1) * sizeof(SegmentList *));
	block = &list_blocks[slot / LISTS_PER_BLOCK];
	if (*block == NULL)
		*block = MemoryContextAllocZero(TopMemoryContext, LISTS_PER_BLOCK * sizeof(SegmentList));
	return &(*block)[slot % LISTS_PER_BLOCK];
}

/* The partition's list of segments as of now. */
static SegmentList *
segment_list(PartitionState *state)
{
	SegmentList *list = remembered(state);
	uint32		version = pg_atomic_read_u32(&state->segments_version);
	uint32		incarnation = state->incarnation;
	MemoryContext old;
	SegmentListItem *segments;

	if (list->loaded && list->incarnation == incarnation && list->version == version)
		return list;

	/* the version is read first, so a list that changes after that is made again */
	pg_read_barrier();
	old = MemoryContextSwitchTo(TopMemoryContext);
	list->loaded = false;
	list->count = pgt_segment_list(&state->key, &segments);
	if (list->segments != NULL)
		pfree(list->segments);
	list->segments = segments;
	MemoryContextSwitchTo(old);
	list->incarnation = incarnation;
	list->version = version;
	list->loaded = true;
	close_deleted(state, list);
	return list;
}

void
pgt_log_segments_close_deleted(PartitionState *state)
{
	segment_list(state);
}

bool
pgt_log_segments_at(PartitionState *state, int64 offset, SegmentId *id)
{
	SegmentList *list = segment_list(state);

	if (list->count == 0)
		return false;
	*id = list->segments[Max(first_above(list, offset) - 1, 0)].id;
	return true;
}

bool
pgt_log_segments_above(PartitionState *state, int64 base, SegmentId *id)
{
	SegmentList *list = segment_list(state);
	int			above = first_above(list, base);

	if (above == list->count)
		return false;
	*id = list->segments[above].id;
	return true;
}

uint32
pgt_log_segments_find_entry(PartitionState *state, Segment *segment, uint32 count, int64 offset)
{
	SegmentList *list = remembered(state);

	if (list->hint_incarnation == state->incarnation &&
		pgt_segment_id_equal(list->hint_segment, segment->id) &&
		offset >= list->hint_first && offset <= list->hint_last && list->hint_entry <= count)
		return list->hint_entry;
	return pgt_segment_find_offset(segment, count, offset);
}

void
pgt_log_segments_keep_hint(PartitionState *state, SegmentId id, uint32 n, int64 first, int64 last)
{
	SegmentList *list = remembered(state);

	list->hint_incarnation = state->incarnation;
	list->hint_segment = id;
	list->hint_entry = n;
	list->hint_first = first;
	list->hint_last = last;
}
