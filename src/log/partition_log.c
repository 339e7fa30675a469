/*
 * partition_log.c
 *	  One partition's log: its list of segments, rolling, and the steps of an
 *	  append that the forward path and redo share.
 *
 *	  log start                         resolved            log end
 *	      |                                 |                  |
 *	  [ segment 0 ][ segment 4711 ][ segment 9000 = active ....]
 *
 * Only the active segment is appended to.  A roll creates the new one, with its
 * first batch where an append asks for the roll, makes the old one durable and
 * only then changes what others see, so only the active segment can have bytes
 * that are not on disk, and a roll that fails leaves nothing behind: the active
 * segment is never past the log end.  An active segment without entries is
 * replaced, not finished, so that no empty one stays in between.
 *
 * No segment past the active one counts.  A crash, or a file that could not be
 * removed, may leave one; a roll removes them before it makes the next, so that
 * none comes to lie between two segments of the log.
 *
 * Finished segments may be replaced by rewritten ones, of another generation
 * (segment_rewrite.c).  Appending, resolving and redo of appends ask for generation
 * 0 by name and so never meet those; readers take what the list says.
 *
 * Each process keeps a cache of open segments, and of each partition's list of
 * segments.  Who makes or removes a segment's files raises segments_version
 * then.  A cached segment or list is good only while the version is what it was
 * before they were opened or read; else they are opened or read again.  So an open
 * segment is always the one that has its name now, however often a name is used:
 * an append, which holds the slot's lock, cannot go to a file that was removed.
 * Beside the list a process keeps where the last reader stopped, since the next
 * one mostly goes on there.
 *
 * Locks: functions that take a PartitionState say which lock the caller holds.
 * Readers work on a LogBounds, a copy made under the lock, and hold none while
 * they read files.
 *
 * Layer 2: writes no WAL and decides on no fsync but that of a roll.
 * Next: log_writer.c.
 */
#include "postgres.h"

#include <sys/stat.h>

#include "access/xlogutils.h"
#include "log/clock.h"
#include "log/partition_log.h"
#include "miscadmin.h"
#include "util/fault_point.h"
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
	bounds->deleted_end = state->deleted_end;
	bounds->next_offset = state->next_offset;
	bounds->resolved_offset = state->resolved_offset;
	bounds->resolved_max_xid = state->resolved_max_xid;
	bounds->interleaved_end = state->interleaved_end;
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

/* Is it the one that these bounds know as the active one? */
static bool
is_active(const Segment *segment, const LogBounds *bounds)
{
	return segment->id.base == bounds->active_base && segment->id.generation == 0;
}

uint32
pgt_partition_log_entries(Segment *segment, const LogBounds *bounds)
{
	return is_active(segment, bounds) ? bounds->active_entries :
		pgt_segment_count_entries(segment);
}

int64
pgt_partition_log_segment_end(Segment *segment, const LogBounds *bounds)
{
	uint32		count;
	IndexEntry	entry;

	if (segment->id.generation > 0)
		return segment->span.end_offset;
	count = pgt_partition_log_entries(segment, bounds);
	if (count == 0 || pgt_segment_read_entries(segment, count - 1, 1, &entry) != 1)
		return segment->id.base;
	return segment->id.base + entry.last_delta + 1;
}

/* Bytes in the log of a segment; 0 where it has just gone. */
static int64
segment_bytes(const TopicPartition *key, const LogBounds *bounds, SegmentId id)
{
	char		path[MAXPGPATH];
	struct stat file;

	if (pgt_same_segment(id, pgt_original_segment(bounds->active_base)))
		return bounds->active_end;
	pgt_segment_log_path(path, key, id);
	if (stat(path, &file) == 0)
		return file.st_size;
	if (errno != ENOENT)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not stat file \"%s\": %m", path)));
	return 0;
}

int64
pgt_partition_log_bytes(const TopicPartition *key, const LogBounds *bounds, int *segments)
{
	ListedSegment *list;
	int64		bytes = 0;

	*segments = pgt_segment_list(key, &list);
	for (int i = 0; i < *segments; i++)
		bytes += segment_bytes(key, bounds, list[i].id);
	pfree(list);
	return bytes;
}

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
pgt_partition_log_make_cache(void)
{
	if (cache == NULL)
		cache = MemoryContextAllocZero(TopMemoryContext,
									   CACHE_SETS * CACHE_WAYS * sizeof(CachedSegment));
}

/* The set of the cache that a segment belongs into. */
static CachedSegment *
cache_set(const PartitionState *state, SegmentId id)
{
	uint64		mix;

	pgt_partition_log_make_cache();
	mix = (uint64) (state - pgt_log_shared->partitions) * UINT64CONST(0x9E3779B97F4A7C15) +
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

/* May its files have been removed, or made anew, since it was opened? */
static bool
is_outdated(const CachedSegment *cached, PartitionState *state)
{
	return cached->incarnation != state->incarnation ||
		cached->version != pg_atomic_read_u32(&state->segments_version);
}

/* The cached segment, or NULL; one that is outdated is closed. */
static CachedSegment *
cache_find(CachedSegment *set, PartitionState *state, SegmentId id)
{
	for (int i = 0; i < CACHE_WAYS; i++)
	{
		if (!set[i].used || set[i].state != state || !pgt_same_segment(set[i].segment.id, id))
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
pgt_partition_log_segment(PartitionState *state, SegmentId id)
{
	CachedSegment *set = cache_set(state, id);
	CachedSegment *found = cache_find(set, state, id);
	uint32		incarnation = state->incarnation;
	uint32		version = pg_atomic_read_u32(&state->segments_version);
	TopicPartition key = state->key;
	Segment		segment;

	if (found != NULL)
		return &found->segment;

	/* the version is read first: a file that is newer than it is opened again */
	pg_read_barrier();
	found = cache_victim(set);
	if (!pgt_segment_open(&segment, &key, id))
		return NULL;

	/* who holds no lock on the topic may have read the key of the slot's last user */
	pg_read_barrier();
	if (state->incarnation != incarnation)
	{
		pgt_segment_close(&segment);
		return NULL;
	}
	return cache_enter(found, state, incarnation, version, &segment);
}

bool
pgt_partition_log_is_open(PartitionState *state, SegmentId id)
{
	return cache_find(cache_set(state, id), state, id) != NULL;
}

bool
pgt_partition_log_can_open(PartitionState *state, SegmentId id)
{
	return pgt_partition_log_is_open(state, id) || pgt_segment_is_usable(&state->key, id);
}

/* Files were made or removed: whatever was opened before is outdated.  The new version. */
static uint32
news_of_segments(PartitionState *state)
{
	return pg_atomic_add_fetch_u32(&state->segments_version, 1);
}

Segment *
pgt_partition_log_create_segment(PartitionState *state, SegmentId id, const SegmentSpan *span)
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
pgt_partition_log_remove_segment(PartitionState *state, SegmentId id)
{
	CachedSegment *found = cache_find(cache_set(state, id), state, id);

	if (found != NULL)
		cache_close(found);
	pgt_segment_unlink(&state->key, id, WARNING);
	(void) news_of_segments(state);
}

void
pgt_partition_log_remove_past(PartitionState *state, int64 base)
{
	SegmentId  *ids;
	int			files = pgt_segment_files(&state->key, &ids);

	Assert(LWLockHeldByMeInMode(&state->lock, LW_EXCLUSIVE));
	for (int i = 0; i < files; i++)
	{
		if (ids[i].base <= base)
			continue;
		ereport(LOG,
				(errmsg("removing segment %lld of partition %u/%u-%d: past the log end",
						(long long) ids[i].base, state->key.database, state->key.topic,
						state->key.partition)));
		pgt_segment_unlink(&state->key, ids[i], InRecovery ? LOG : ERROR);
		(void) news_of_segments(state);
	}
	pfree(ids);
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
	ListedSegment *segments;	/* ascending, in TopMemoryContext */

	/* where a reader stopped: entry hint_entry of the segment is the place of these offsets */
	uint32		hint_incarnation;
	SegmentId	hint_segment;
	uint32		hint_entry;
	int64		hint_first;
	int64		hint_last;
} SegmentList;

static SegmentList *lists = NULL;	/* one for each slot */

/* Index of the first segment in the list whose base is above "offset"; count if none is. */
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

	return above > 0 && pgt_same_segment(list->segments[above - 1].id, id);
}

/* Close cached segments that are not in the list any more, so that their space is freed. */
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

/* What this process remembers of a partition, up to date or not. */
static SegmentList *
remembered(PartitionState *state)
{
	if (lists == NULL)
		lists = MemoryContextAllocZero(TopMemoryContext,
									   pgt_log_shared->max_partitions * sizeof(SegmentList));
	return &lists[state - pgt_log_shared->partitions];
}

/* The partition's list of segments as of now. */
static SegmentList *
segment_list(PartitionState *state)
{
	SegmentList *list = remembered(state);
	uint32		version = pg_atomic_read_u32(&state->segments_version);
	uint32		incarnation = state->incarnation;
	MemoryContext old;
	ListedSegment *segments;

	if (list->loaded && list->incarnation == incarnation && list->version == version)
		return list;

	/* the version is read first: a list that is newer than it is read again */
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
pgt_partition_log_close_deleted(PartitionState *state)
{
	segment_list(state);
}

/* The segment of the list, or the active one where that is before it. */
static SegmentId
at_most_active(SegmentId id, const LogBounds *bounds)
{
	return id.base <= bounds->active_base ? id : pgt_original_segment(bounds->active_base);
}

SegmentId
pgt_partition_log_segment_for(PartitionState *state, const LogBounds *bounds, int64 offset)
{
	SegmentList *list = segment_list(state);
	int			above = first_above(list, offset);

	if (list->count == 0)
		return pgt_original_segment(bounds->active_base);

	/* the last base at or below the offset */
	return at_most_active(list->segments[Max(above - 1, 0)].id, bounds);
}

SegmentId
pgt_partition_log_next_segment(PartitionState *state, const LogBounds *bounds, int64 base)
{
	SegmentList *list = segment_list(state);
	int			above = first_above(list, base);

	if (base >= bounds->active_base)
		return pgt_original_segment(NO_SEGMENT);
	if (above == list->count)
		return pgt_original_segment(bounds->active_base);
	return at_most_active(list->segments[above].id, bounds);
}

bool
pgt_partition_log_has_changed(PartitionState *state, const LogBounds *bounds)
{
	return pg_atomic_read_u32(&state->segments_version) != bounds->segments_version ||
		state->incarnation != bounds->incarnation;	/* the topic is being dropped */
}

uint32
pgt_partition_log_find(PartitionState *state, Segment *segment, uint32 count, int64 offset)
{
	SegmentList *list = remembered(state);

	if (list->hint_incarnation == state->incarnation &&
		pgt_same_segment(list->hint_segment, segment->id) &&
		offset >= list->hint_first && offset <= list->hint_last && list->hint_entry <= count)
		return list->hint_entry;
	return pgt_segment_find_offset(segment, count, offset);
}

void
pgt_partition_log_hint(PartitionState *state, SegmentId id, uint32 n, int64 first, int64 last)
{
	SegmentList *list = remembered(state);

	list->hint_incarnation = state->incarnation;
	list->hint_segment = id;
	list->hint_entry = n;
	list->hint_first = first;
	list->hint_last = last;
}

/* ---- steps of an append -------------------------------------------------- */

bool
pgt_partition_log_must_roll(const PartitionState *state, const LogConfig *config,
							const AppendRequest *request, int64 base_offset)
{
	Assert(base_offset >= state->active_base);
	if (state->active_base == NO_SEGMENT)
		return true;
	if (base_offset + request->last_offset_delta - state->active_base > PG_INT32_MAX)
		return true;
	if (state->active_entries == 0)
		return false;
	return (int64) state->active_end + request->length > config->segment_bytes ||
		pgt_ms_between(state->active_first_timestamp, request->max_timestamp) > config->segment_ms;
}

/*
 * Can the segment be opened?  A WARNING where it cannot; but recovery may come by
 * where a later record has rewritten it already.
 */
static bool
is_sound(PartitionState *state, SegmentId id)
{
	char		path[MAXPGPATH];

	if (pgt_partition_log_can_open(state, id))
		return true;
	if (InRecovery)
		return false;
	pgt_segment_log_path(path, &state->key, id);
	ereport(WARNING,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("segment \"%s\" is damaged or missing; going on in a new one", path)));
	return false;
}

/* Make the new segment, with its first batch if there is one, and the old one durable. */
static Segment *
prepare_roll(PartitionState *state, const SegmentRoll *roll, int64 previous_end,
			 const AppendRequest *first)
{
	SegmentSpan span = {.previous_end = previous_end};
	Segment    *segment = pgt_partition_log_create_segment(state, roll->new, &span);

	FAULT_POINT("roll-created");
	if (roll->finishes && (segment = pgt_partition_log_segment(state, roll->old)) != NULL)
		pgt_segment_sync(segment);
	FAULT_POINT("roll-synced");
	segment = pgt_partition_log_segment(state, roll->new);
	if (segment == NULL)
		elog(ERROR, "segment %lld is gone while it is being made", (long long) roll->new.base);
	if (first == NULL)
		return segment;
	pgt_segment_reserve_entry(segment, 0);
	pgt_segment_write(segment, 0, first->batch, first->length);
	pgt_segment_open_index(segment);
	return segment;
}

Segment *
pgt_partition_log_begin_roll(PartitionState *state, int64 base, int64 previous_end,
							 const AppendRequest *first, SegmentRoll *roll)
{
	Segment    *segment;

	Assert(LWLockHeldByMeInMode(&state->lock, LW_EXCLUSIVE));
	roll->old = pgt_original_segment(state->active_base);
	roll->new = pgt_original_segment(base);
	roll->old_entries = state->active_entries;
	roll->finishes = roll->old.base != NO_SEGMENT && roll->old.base < base &&
		roll->old_entries > 0 && is_sound(state, roll->old);
	pgt_partition_log_remove_past(state, state->active_base);
	PG_TRY();
	{
		segment = prepare_roll(state, roll, previous_end, first);
	}
	PG_CATCH();
	{
		pgt_partition_log_remove_segment(state, roll->new);
		PG_RE_THROW();
	}
	PG_END_TRY();

	state->active_base = base;
	state->active_end = state->active_entries = 0;
	state->written_back = 0;
	state->dirty = false;
	return segment;
}

void
pgt_partition_log_end_roll(PartitionState *state, const SegmentRoll *roll)
{
	Segment    *segment;

	/* from here on nobody appends to the old one */
	if (roll->finishes && (segment = pgt_partition_log_segment(state, roll->old)) != NULL)
		pgt_segment_trim_index(segment, roll->old_entries);
	else if (roll->old.base != NO_SEGMENT && roll->old_entries == 0)
		pgt_partition_log_remove_segment(state, roll->old);
}

Segment *
pgt_partition_log_roll(PartitionState *state, int64 base, int64 previous_end)
{
	SegmentRoll roll;

	(void) pgt_partition_log_begin_roll(state, base, previous_end, NULL, &roll);
	pgt_partition_log_end_roll(state, &roll);
	return pgt_partition_log_segment(state, roll.new);
}

void
pgt_partition_log_fill_entry(IndexEntry *entry, const PartitionState *state,
							 const AppendRequest *request, uint64 xid)
{
	memset(entry, 0, sizeof(*entry));
	entry->first_delta = request->base_offset - state->active_base;
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
	entry->flags = request->interleaved ? ENTRY_INTERLEAVED : 0;
	entry->since_first = Min(request->base_offset - request->first_offset, SINCE_FIRST_MAX);
}

void
pgt_partition_log_publish(PartitionState *state, const AppendRequest *request,
						  const IndexEntry *entry, bool self_synced)
{
	int64		base_offset = state->active_base + entry->first_delta;

	Assert(LWLockHeldByMeInMode(&state->lock, LW_EXCLUSIVE));
	if (state->active_entries == 0)
		state->active_first_timestamp = entry->max_timestamp;
	if (state->log_start_offset == state->next_offset && base_offset > state->next_offset)
		state->log_start_offset = state->resolved_offset = base_offset;
	state->active_largest_timestamp = entry->largest_timestamp;
	state->last_append_time = request->log_append_time ? entry->max_timestamp : NO_APPEND_TIME;
	state->active_entries++;
	state->active_end = entry->position + entry->length;
	state->next_offset = state->active_base + entry->last_delta + 1;
	if (request->interleaved)
		state->interleaved_end = state->next_offset;
	state->last_lsn = entry->lsn;
	if (!self_synced)
		state->dirty = state->unsynced = true;
}
