/*
 * partition_log.c
 *	  One partition's log: its bounds, the way from segment to segment, rolling, and
 *	  the steps of an append that the forward path and redo share.
 *
 *	  log start                         resolved            log end
 *	      |                                 |                  |
 *	  [ segment 0 ][ segment 4711 ][ segment 9000 = active ....]
 *
 * Only the active segment is appended to.  A roll creates the new segment, with its
 * first batch if an append asks for the roll, makes the old segment durable, and only
 * then changes the shared state.  So only the active segment can have bytes that are not
 * on disk, and a roll that fails leaves nothing behind: the active segment never lies
 * past the log end.  An active segment without entries is replaced, not finished, so
 * that no empty segment stays between others.
 *
 * No segment past the active one counts.  A crash, or a file that could not be removed,
 * may leave one; a roll removes it before it makes the next segment, so that it never
 * comes to lie between two segments of the log.  To find one it must list the directory,
 * which takes long if the log has thousands of segments; so the partition's state says
 * whether that was done (no_strays).  This is false when the server starts, while
 * recovery goes on, and from the beginning of a roll until it has succeeded.
 *
 * Finished segments may be replaced by rewritten ones, of another generation
 * (segment_rewrite.c).  Appending, resolving and redo of appends ask for generation 0
 * by name and so never use those; readers use the list of segments (log_segments.c).
 *
 * Locks: the functions that take a PartitionState say which lock the caller holds.
 * Readers work on a LogBounds, a copy made under the lock, and hold no lock while they
 * read files.
 *
 * Nothing here writes WAL, and only a roll syncs a file.
 */
#include "postgres.h"

#include "access/xlogutils.h"
#include "log/log_directory.h"
#include "log/partition_log.h"
#include "miscadmin.h"
#include "util/clock.h"
#include "util/fault_point.h"

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

	LWLockAcquire(&pgt_log_state->table_lock, LW_SHARED);
	in_use = state->in_use;
	*key = state->key;
	LWLockRelease(&pgt_log_state->table_lock);
	return in_use;
}

bool
pgt_partition_log_bounds(const TopicPartition *key, LogBounds *bounds)
{
	PartitionState *state = pgt_log_state_find(key);
	TopicPartition found;

	if (state != NULL)
		return pgt_partition_log_slot_bounds(state, &found, bounds);
	memset(bounds, 0, sizeof(*bounds));
	bounds->active_base = NO_SEGMENT;
	return false;
}

/* Is it the active segment, as of these bounds? */
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

/* The bytes in the log of a segment; 0 if it has just been removed. */
static int64
segment_bytes(const TopicPartition *key, const LogBounds *bounds, SegmentId id)
{
	char		path[MAXPGPATH];

	if (pgt_segment_id_equal(id, pgt_segment_id_original(bounds->active_base)))
		return bounds->active_end;
	pgt_segment_log_path(path, key, id);
	return pgt_log_directory_file_size(path);
}

int64
pgt_partition_log_bytes(const TopicPartition *key, const LogBounds *bounds, int *segments)
{
	SegmentListItem *list;
	int64		bytes = 0;

	*segments = pgt_segment_list(key, &list);
	for (int i = 0; i < *segments; i++)
		bytes += segment_bytes(key, bounds, list[i].id);
	pfree(list);
	return bytes;
}

/* ---- walking over the segments ------------------------------------------- */

/* The segment, or the active one if that is before it. */
static SegmentId
at_most_active(SegmentId id, const LogBounds *bounds)
{
	return id.base <= bounds->active_base ? id : pgt_segment_id_original(bounds->active_base);
}

SegmentId
pgt_partition_log_segment_for(PartitionState *state, const LogBounds *bounds, int64 offset)
{
	SegmentId	id;

	return pgt_log_segments_at(state, offset, &id) ? at_most_active(id, bounds) :
		pgt_segment_id_original(bounds->active_base);
}

SegmentId
pgt_partition_log_next_segment(PartitionState *state, const LogBounds *bounds, int64 base)
{
	SegmentId	id;
	bool		listed = pgt_log_segments_above(state, base, &id);

	if (base >= bounds->active_base)
		return pgt_segment_id_original(NO_SEGMENT);
	return listed ? at_most_active(id, bounds) : pgt_segment_id_original(bounds->active_base);
}

bool
pgt_partition_log_has_changed(PartitionState *state, const LogBounds *bounds)
{
	return pg_atomic_read_u32(&state->segments_version) != bounds->segments_version ||
		state->incarnation != bounds->incarnation;	/* the topic is being dropped */
}

/* ---- steps of an append -------------------------------------------------- */

bool
pgt_partition_log_must_roll(const PartitionState *state, const LogConfig *config,
							const LogAppendRequest *request, int64 base_offset)
{
	Assert(base_offset >= state->active_base);
	if (state->active_base == NO_SEGMENT)
		return true;
	if (base_offset + request->last_offset_delta - state->active_base > PG_INT32_MAX)
		return true;
	if (state->active_entries == 0)
		return false;
	return (int64) state->active_end + request->length > config->segment_bytes ||
		pgt_clock_ms_between(state->active_first_timestamp, request->max_timestamp) > config->segment_ms;
}

/*
 * Can the segment be opened?  If not, report a WARNING, except in recovery: there a later
 * record may have rewritten the segment already.
 */
static bool
is_sound(PartitionState *state, SegmentId id)
{
	char		path[MAXPGPATH];

	if (pgt_log_segments_can_open(state, id))
		return true;
	if (InRecovery)
		return false;
	pgt_segment_log_path(path, &state->key, id);
	ereport(WARNING,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("segment \"%s\" is damaged or missing; appending to a new segment", path)));
	return false;
}

/* Make the new segment, with its first batch if there is one, and make the old one durable. */
static Segment *
prepare_roll(PartitionState *state, const LogRoll *roll, int64 previous_end,
			 const LogAppendRequest *first)
{
	SegmentSpan span = {.previous_end = previous_end};
	Segment    *segment = pgt_log_segments_create(state, roll->new, &span);

	FAULT_POINT("roll-created");
	if (roll->finishes && (segment = pgt_log_segments_open(state, roll->old)) != NULL)
		pgt_segment_sync(segment);
	FAULT_POINT("roll-synced");
	segment = pgt_log_segments_open(state, roll->new);
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
							 const LogAppendRequest *first, LogRoll *roll)
{
	Segment    *segment;

	Assert(LWLockHeldByMeInMode(&state->lock, LW_EXCLUSIVE));
	roll->old = pgt_segment_id_original(state->active_base);
	roll->new = pgt_segment_id_original(base);
	roll->old_entries = state->active_entries;
	roll->finishes = roll->old.base != NO_SEGMENT && roll->old.base < base &&
		roll->old_entries > 0 && is_sound(state, roll->old);
	if (!state->no_strays)
		pgt_log_segments_remove_past(state, state->active_base);
	state->no_strays = false;
	PG_TRY();
	{
		segment = prepare_roll(state, roll, previous_end, first);
	}
	PG_CATCH();
	{
		pgt_log_segments_remove(state, roll->new);
		PG_RE_THROW();
	}
	PG_END_TRY();

	state->active_base = base;
	state->active_end = state->active_entries = 0;
	state->written_back = 0;
	state->dirty = false;
	/* redo may go back to an earlier segment */
	state->no_strays = !InRecovery;
	return segment;
}

void
pgt_partition_log_end_roll(PartitionState *state, const LogRoll *roll)
{
	Segment    *segment;

	/* from here on no process appends to the old segment */
	if (roll->finishes && (segment = pgt_log_segments_open(state, roll->old)) != NULL)
		pgt_segment_trim_index(segment, roll->old_entries);
	else if (roll->old.base != NO_SEGMENT && roll->old_entries == 0)
		pgt_log_segments_remove(state, roll->old);
}

Segment *
pgt_partition_log_roll(PartitionState *state, int64 base, int64 previous_end)
{
	LogRoll		roll;

	(void) pgt_partition_log_begin_roll(state, base, previous_end, NULL, &roll);
	pgt_partition_log_end_roll(state, &roll);
	return pgt_log_segments_open(state, roll.new);
}

void
pgt_partition_log_fill_entry(IndexEntry *entry, const PartitionState *state,
							 const LogAppendRequest *request, uint64 xid)
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
	pgt_index_entry_set_dense(entry, request->batch);
	entry->since_first = Min(request->base_offset - request->first_offset, SINCE_FIRST_MAX);
}

bool
pgt_partition_log_would_start(const PartitionState *state, int64 base_offset)
{
	return state->log_start_offset == state->next_offset && base_offset > state->next_offset;
}

void
pgt_partition_log_publish(PartitionState *state, const LogAppendRequest *request,
						  const IndexEntry *entry, bool self_synced)
{
	int64		base_offset = state->active_base + entry->first_delta;

	Assert(LWLockHeldByMeInMode(&state->lock, LW_EXCLUSIVE));
	if (state->active_entries == 0)
		state->active_first_timestamp = entry->max_timestamp;
	if (pgt_partition_log_would_start(state, base_offset))
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
