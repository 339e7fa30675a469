/*
 * partition_log.c
 *	  One partition's log: its list of segments, rolling, and the steps of an
 *	  append that the forward path and redo share.
 *
 *	  log start                         resolved            log end
 *	      |                                 |                  |
 *	  [ segment 0 ][ segment 4711 ][ segment 9000 = active ....]
 *
 * Only the active segment is appended to.  A roll creates the new one, makes
 * the old one durable and only then changes what others see, so only the
 * active segment can have bytes that are not on disk, and a roll that fails
 * leaves nothing behind.  An active segment without entries is replaced, not
 * finished, so that no empty one stays in between.
 *
 * Each process keeps a cache of open segments, and of each partition's list of
 * base offsets.  A cached segment is recognised by slot, incarnation and base
 * offset (a base offset never comes twice in one partition); a cached list by
 * segments_version, which every roll and deletion raises.  Beside the list it
 * keeps where the last reader stopped, since the next one mostly goes on there.
 *
 * Locks: functions that take a PartitionState say which lock the caller holds.
 * Readers work on a LogBounds, a copy made under the lock, and hold none while
 * they read files.
 *
 * Layer 2: writes no WAL and decides on no fsync but that of a roll.
 * Next: log_wal.c.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "partition_log.h"
#include "utils/memutils.h"

/* ---- bounds -------------------------------------------------------------- */

bool
pgt_partition_log_slot_bounds(PartitionState *state, TopicPartition *key, LogBounds *bounds)
{
	bool		in_use;

	LWLockAcquire(&state->lock, LW_SHARED);
	in_use = state->in_use;
	*key = state->key;
	bounds->log_start_offset = state->log_start_offset;
	bounds->next_offset = state->next_offset;
	bounds->resolved_offset = state->resolved_offset;
	bounds->resolved_max_xid = state->resolved_max_xid;
	bounds->active_base = state->active_base;
	bounds->active_entries = state->active_entries;
	bounds->active_end = state->active_end;
	bounds->segments_version = pg_atomic_read_u32(&state->segments_version);
	bounds->incarnation = state->incarnation;
	LWLockRelease(&state->lock);
	return in_use && bounds->active_base != NO_SEGMENT;
}

bool
pgt_partition_log_slot_key(const PartitionState *state, TopicPartition *key)
{
	bool		in_use;

	LWLockAcquire(&pgt_log_shared->table_lock, LW_SHARED);
	in_use = state->in_use;
	*key = state->key;
	LWLockRelease(&pgt_log_shared->table_lock);
	return in_use;
}

bool
pgt_partition_log_bounds(const TopicPartition *key, LogBounds *bounds)
{
	PartitionState *state = pgt_partition_find(key);
	TopicPartition found;

	if (state != NULL)
		return pgt_partition_log_slot_bounds(state, &found, bounds);
	memset(bounds, 0, sizeof(*bounds));
	bounds->active_base = NO_SEGMENT;
	return false;
}

uint32
pgt_partition_log_entries(Segment *segment, const LogBounds *bounds)
{
	return segment->base_offset == bounds->active_base ? bounds->active_entries :
		pgt_segment_count_entries(segment);
}

/* ---- open segments of this process --------------------------------------- */

#define CACHE_SETS	64
#define CACHE_WAYS	4

typedef struct CachedSegment
{
	bool		used;
	PartitionState *state;
	uint32		incarnation;
	uint64		last_use;
	Segment		segment;
} CachedSegment;

static CachedSegment *cache = NULL;
static uint64 cache_clock = 0;

/* The set of the cache that a segment belongs into. */
static CachedSegment *
cache_set(const PartitionState *state, int64 base_offset)
{
	uint64		mix;

	if (cache == NULL)
		cache = MemoryContextAllocZero(TopMemoryContext,
									   CACHE_SETS * CACHE_WAYS * sizeof(CachedSegment));
	mix = (uint64) (state - pgt_log_shared->partitions) * UINT64CONST(0x9E3779B97F4A7C15) +
		(uint64) base_offset * UINT64CONST(0xC2B2AE3D27D4EB4F);
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

/* The cached segment, or NULL. */
static CachedSegment *
cache_find(CachedSegment *set, PartitionState *state, int64 base_offset)
{
	for (int i = 0; i < CACHE_WAYS; i++)
		if (set[i].used && set[i].state == state &&
			set[i].incarnation == state->incarnation &&
			set[i].segment.base_offset == base_offset)
		{
			set[i].last_use = ++cache_clock;
			return &set[i];
		}
	return NULL;
}

/* Register an open segment with the cache. */
static Segment *
cache_enter(CachedSegment *place, PartitionState *state, uint32 incarnation,
			const Segment *segment)
{
	place->used = true;
	place->state = state;
	place->incarnation = incarnation;
	place->last_use = ++cache_clock;
	place->segment = *segment;
	return &place->segment;
}

Segment *
pgt_partition_log_segment(PartitionState *state, int64 base_offset)
{
	CachedSegment *set = cache_set(state, base_offset);
	CachedSegment *found = cache_find(set, state, base_offset);
	uint32		incarnation = state->incarnation;
	TopicPartition key = state->key;
	Segment		segment;

	if (found != NULL)
		return &found->segment;
	found = cache_victim(set);
	if (!pgt_segment_open(&segment, &key, base_offset))
		return NULL;

	/* who holds no lock on the topic may have read the key of the slot's last user */
	pg_read_barrier();
	if (state->incarnation != incarnation)
	{
		pgt_segment_close(&segment);
		return NULL;
	}
	return cache_enter(found, state, incarnation, &segment);
}

bool
pgt_partition_log_is_open(PartitionState *state, int64 base_offset)
{
	return cache_find(cache_set(state, base_offset), state, base_offset) != NULL;
}

Segment *
pgt_partition_log_create_segment(PartitionState *state, int64 base_offset,
								 int64 previous_end)
{
	CachedSegment *set = cache_set(state, base_offset);
	CachedSegment *found = cache_find(set, state, base_offset);
	Segment		segment;

	if (found != NULL)
		cache_close(found);
	else
		found = cache_victim(set);
	pgt_segment_create(&segment, &state->key, base_offset, previous_end);
	return cache_enter(found, state, state->incarnation, &segment);
}

void
pgt_partition_log_close(Oid database, Oid topic)
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
	int64	   *bases;			/* ascending, in TopMemoryContext */

	/* where a reader stopped: entry hint_entry of the segment is the place of the offset */
	uint32		hint_incarnation;
	int64		hint_base;
	uint32		hint_entry;
	int64		hint_offset;
} SegmentList;

static SegmentList *lists = NULL;	/* one for each slot */

/* Is there a segment of that base offset in the list? */
static bool
list_has(const SegmentList *list, int64 base)
{
	return bsearch(&base, list->bases, list->count, sizeof(int64), pgt_compare_bases) != NULL;
}

/* Close cached segments that are not in the list any more, so that their space is freed. */
static void
close_deleted(PartitionState *state, const SegmentList *list)
{
	if (cache == NULL)
		return;
	for (int i = 0; i < CACHE_SETS * CACHE_WAYS; i++)
		if (cache[i].used && cache[i].state == state &&
			!list_has(list, cache[i].segment.base_offset))
			cache_close(&cache[i]);
}

/* What this process remembers of a partition, up to date or not. */
static SegmentList *
remembered(PartitionState *state)
{
	if (lists == NULL)
		lists = MemoryContextAllocZero(TopMemoryContext,
									   pgt_log_shared->max_partitions * sizeof(SegmentList));
	return &lists[state - pgt_log_shared->partitions];
}

/* The partition's list of base offsets as of now. */
static SegmentList *
segment_list(PartitionState *state)
{
	SegmentList *list = remembered(state);
	uint32		version = pg_atomic_read_u32(&state->segments_version);
	uint32		incarnation = state->incarnation;
	MemoryContext old;
	int64	   *bases;

	if (list->loaded && list->incarnation == incarnation && list->version == version)
		return list;

	/* the version is read first: a list that is newer than it is read again */
	pg_read_barrier();
	old = MemoryContextSwitchTo(TopMemoryContext);
	list->loaded = false;
	list->count = pgt_segment_list(&state->key, &bases);
	if (list->bases != NULL)
		pfree(list->bases);
	list->bases = bases;
	MemoryContextSwitchTo(old);
	list->incarnation = incarnation;
	list->version = version;
	list->loaded = true;
	close_deleted(state, list);
	return list;
}

void
pgt_partition_log_close_deleted(PartitionState *state)
{
	segment_list(state);
}

/* Index of the first base offset in the list that is above "offset"; count if none is. */
static int
first_above(const SegmentList *list, int64 offset)
{
	int			low = 0;
	int			high = list->count;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (list->bases[middle] <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int64
pgt_partition_log_segment_for(PartitionState *state, const LogBounds *bounds, int64 offset)
{
	SegmentList *list = segment_list(state);
	int64		found = bounds->active_base;
	int			above = first_above(list, offset);

	/* the last base at or below the offset */
	if (above > 0)
		found = list->bases[above - 1];
	else if (list->count > 0)
		found = list->bases[0];
	return Min(found, bounds->active_base);
}

int64
pgt_partition_log_next_segment(PartitionState *state, const LogBounds *bounds, int64 base)
{
	SegmentList *list = segment_list(state);
	int			above = first_above(list, base);

	if (base >= bounds->active_base)
		return NO_SEGMENT;
	return above < list->count ? Min(list->bases[above], bounds->active_base) :
		bounds->active_base;
}

uint32
pgt_partition_log_find(PartitionState *state, Segment *segment, uint32 count, int64 offset)
{
	SegmentList *list = remembered(state);

	if (list->hint_incarnation == state->incarnation &&
		list->hint_base == segment->base_offset &&
		list->hint_offset == offset && list->hint_entry <= count)
		return list->hint_entry;
	return pgt_segment_find_offset(segment, count, offset);
}

void
pgt_partition_log_hint(PartitionState *state, int64 base, uint32 n, int64 offset)
{
	SegmentList *list = remembered(state);

	list->hint_incarnation = state->incarnation;
	list->hint_base = base;
	list->hint_entry = n;
	list->hint_offset = offset;
}

/* ---- steps of an append -------------------------------------------------- */

bool
pgt_partition_log_must_roll(const PartitionState *state, const LogConfig *config,
							const AppendRequest *request, int64 base_offset)
{
	/* below the base: that was rolled for an explicit offset whose append failed */
	if (state->active_base == NO_SEGMENT || base_offset < state->active_base)
		return true;
	if (base_offset + request->last_offset_delta - state->active_base > PG_INT32_MAX)
		return true;
	if (state->active_entries == 0)
		return false;
	return (int64) state->active_end + request->length > config->segment_bytes ||
		request->max_timestamp - state->active_first_timestamp > config->segment_ms;
}

/* Close and remove a segment that is no part of the log. */
static void
discard_segment(PartitionState *state, int64 base)
{
	CachedSegment *found = cache_find(cache_set(state, base), state, base);

	if (found != NULL)
		cache_close(found);
	pgt_segment_unlink(&state->key, base, WARNING);
}

/*
 * Make the segment that is about to be finished durable, when "base" is ready
 * to follow it; take that away again where it fails.
 */
static void
sync_finished(PartitionState *state, int64 base)
{
	Segment    *finished = pgt_partition_log_segment(state, state->active_base);

	if (finished == NULL)
		return;
	PG_TRY();
	{
		pgt_segment_sync(finished);
	}
	PG_CATCH();
	{
		discard_segment(state, base);
		PG_RE_THROW();
	}
	PG_END_TRY();
}

/* Can the segment be opened?  A WARNING where it cannot. */
static bool
is_sound(PartitionState *state, int64 base)
{
	char		path[MAXPGPATH];

	if (pgt_partition_log_is_open(state, base) || pgt_segment_is_usable(&state->key, base))
		return true;
	pgt_segment_log_path(path, &state->key, base);
	ereport(WARNING,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("segment \"%s\" is damaged or missing; going on in a new one", path)));
	return false;
}

Segment *
pgt_partition_log_roll(PartitionState *state, int64 base, int64 previous_end)
{
	int64		old_base = state->active_base;
	uint32		old_entries = state->active_entries;
	bool		finishes = old_base != NO_SEGMENT && old_base < base && old_entries > 0 &&
		is_sound(state, old_base);
	Segment    *segment;

	Assert(LWLockHeldByMeInMode(&state->lock, LW_EXCLUSIVE));
	pgt_partition_log_create_segment(state, base, previous_end);
	if (finishes)
		sync_finished(state, base);

	state->active_base = base;
	state->active_end = state->active_entries = 0;
	state->written_back = 0;
	state->dirty = false;
	pg_atomic_fetch_add_u32(&state->segments_version, 1);

	/* from here on nobody appends to the old one */
	if (finishes && (segment = pgt_partition_log_segment(state, old_base)) != NULL)
		pgt_segment_trim_index(segment, old_entries);
	else if (old_base != NO_SEGMENT && old_base != base && old_entries == 0)
		discard_segment(state, old_base);
	return pgt_partition_log_segment(state, base);
}

void
pgt_partition_log_fill_entry(IndexEntry *entry, const PartitionState *state,
							 const AppendRequest *request, int64 base_offset, uint64 xid)
{
	memset(entry, 0, sizeof(*entry));
	entry->first_delta = base_offset - state->active_base;
	entry->last_delta = entry->first_delta + request->last_offset_delta;
	entry->position = state->active_end;
	entry->length = request->length;
	entry->min_timestamp = request->min_timestamp;
	entry->max_timestamp = request->max_timestamp;
	entry->largest_timestamp = request->max_timestamp;
	if (state->active_entries > 0)
		entry->largest_timestamp = Max(entry->largest_timestamp,
									   state->active_largest_timestamp);
	entry->xid = xid;
}

void
pgt_partition_log_publish(PartitionState *state, const IndexEntry *entry, bool self_synced)
{
	int64		base_offset = state->active_base + entry->first_delta;

	Assert(LWLockHeldByMeInMode(&state->lock, LW_EXCLUSIVE));
	if (state->active_entries == 0)
		state->active_first_timestamp = entry->min_timestamp;
	if (state->log_start_offset == state->next_offset && base_offset > state->next_offset)
		state->log_start_offset = state->resolved_offset = base_offset;
	state->active_largest_timestamp = entry->largest_timestamp;
	state->active_entries++;
	state->active_end = entry->position + entry->length;
	state->next_offset = state->active_base + entry->last_delta + 1;
	state->last_lsn = entry->lsn;
	if (!self_synced)
		state->dirty = state->unsynced = true;
}
