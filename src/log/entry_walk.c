/*
 * entry_walk.c
 *	  Going over the index entries of a partition, without a lock on its topic.
 *
 * A process that serves many clients cannot lock a topic whenever it looks at one of its
 * partitions.  So a topic may be truncated or dropped in the middle of a walk, its slot may
 * be taken by another partition, and segments may be deleted or replaced, as they may be for
 * every reader.  Whoever changes files raises segments_version before and after, and who
 * gives a slot up changes its incarnation before files go.  So each step is done, and then
 * counts only if both are what they were when the bounds were copied:
 *
 *	  copy the bounds
 *	  look up the segment, open it, read entries	<-----------.
 *	  unchanged?  they count						-- the next step
 *	  changed?    copy the bounds anew, look up the position again, or: it is gone
 *
 * An ERROR in a step that does not count is no error: a file that is truncated while it is
 * opened looks as if it were damaged.
 *
 * A walk may go on for as long as its caller likes, but it sees what was in the log when the
 * bounds were copied last: a batch that was appended later is behind its end.
 *
 * Where segments do not follow each other, what was between them is lost, and that is an
 * ERROR for a walk forward.
 *
 * Locks: none but for copies of the bounds, and none while files are read.
 *
 * Memory: none.
 */
#include "postgres.h"

#include "log/entry_walk.h"
#include "log/kafka_txn_map.h"
#include "miscadmin.h"

/* ---- bounds ---------------------------------------------------------------- */

/* Copy the bounds; the walk looks its position up again.  At first their incarnation is 0. */
static void
take_bounds(EntryWalk *walk)
{
	TopicPartition key;
	uint32		incarnation = walk->bounds.incarnation;
	bool		found = pgt_partition_log_slot_bounds(walk->state, &key, &walk->bounds);

	walk->segment.base = NO_SEGMENT;
	walk->count = 0;
	walk->at_end = false;
	walk->is_gone = !found || memcmp(&key, &walk->key, sizeof(key)) != 0 ||
		(incarnation != 0 && walk->bounds.incarnation != incarnation);
	if (!walk->backward)
		walk->position = Max(walk->position, walk->bounds.log_start_offset);
}

bool
pgt_entry_walk_is_valid(const EntryWalk *walk)
{
	pg_read_barrier();
	return !pgt_partition_log_has_changed(walk->state, &walk->bounds);
}

/* ---- steps ----------------------------------------------------------------- */

/* Report that a segment is missing. */
static void
fail_for_missing_segment(const EntryWalk *walk, SegmentId id)
{
	char		path[MAXPGPATH];

	pgt_segment_log_path(path, &walk->key, id);
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("segment \"%s\" is missing", path),
			 errdetail("It holds offset %lld of partition %d.",
					   (long long) walk->position, walk->key.partition)));
}

/* Report that segments do not follow each other. */
static void
fail_for_lost_records(const EntryWalk *walk, int64 from, const Segment *segment)
{
	char		path[MAXPGPATH];

	pgt_segment_log_path(path, &walk->key, segment->id);
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("records of partition %d from offset %lld to %lld are missing",
					walk->key.partition, (long long) from, (long long) segment->span.previous_end - 1),
			 errdetail("The segment before \"%s\" is missing or its index is cut.", path)));
}

/* A segment of the log. */
static Segment *
open_segment(const EntryWalk *walk, SegmentId id)
{
	Segment    *segment = pgt_log_segments_open(walk->state, id);

	if (segment == NULL)
		fail_for_missing_segment(walk, id);
	return segment;
}

/* Stand in a segment, before or behind its entry n. */
static void
enter(EntryWalk *walk, Segment *segment, uint32 n)
{
	walk->segment = segment->id;
	walk->segment_entries = pgt_partition_log_entries(segment, &walk->bounds);
	walk->next = n;
	walk->count = 0;
	if (walk->min_timestamp != PG_INT64_MIN && n < walk->segment_entries)
		walk->next = Max(n, pgt_segment_find_timestamp(segment, walk->segment_entries, walk->min_timestamp));
}

/* Look the position up. */
static void
locate(EntryWalk *walk)
{
	SegmentId	id = pgt_partition_log_segment_for(walk->state, &walk->bounds, walk->position);
	Segment    *segment = open_segment(walk, id);
	uint32		entries = pgt_partition_log_entries(segment, &walk->bounds);

	if (!walk->backward && id.base > walk->position && segment->span.previous_end > walk->position)
		fail_for_lost_records(walk, walk->position, segment);
	if (walk->backward)
		enter(walk, segment, pgt_segment_find_offset(segment, entries, walk->position));
	else
		enter(walk, segment, pgt_log_segments_find_entry(walk->state, segment, entries, walk->position));
}

/* Go on in the segment behind, or be at the end. */
static void
enter_next(EntryWalk *walk)
{
	SegmentId	id = pgt_partition_log_next_segment(walk->state, &walk->bounds, walk->segment.base);
	Segment    *segment;
	int64		end;

	/* an active one that is empty and damaged holds nothing: the next append makes it anew */
	walk->at_end = id.base == NO_SEGMENT ||
		(id.base == walk->bounds.active_base && walk->bounds.active_entries == 0);
	if (walk->at_end)
		return;
	end = pgt_partition_log_segment_end(open_segment(walk, walk->segment), &walk->bounds);
	segment = open_segment(walk, id);
	if (segment->span.previous_end != end)
		fail_for_lost_records(walk, end, segment);
	enter(walk, segment, 0);
}

/* Go on behind the last entry of the segment before, or be at the end. */
static void
enter_previous(EntryWalk *walk)
{
	SegmentId	id;
	Segment    *segment;

	walk->at_end = walk->segment.base <= walk->bounds.log_start_offset ||
		!pgt_log_segments_at(walk->state, walk->segment.base - 1, &id) ||
		id.base >= walk->segment.base;
	if (walk->at_end)
		return;
	segment = open_segment(walk, id);
	enter(walk, segment, pgt_partition_log_entries(segment, &walk->bounds));
}

/* Read the entries from "from" on. */
static void
read_entries(EntryWalk *walk, uint32 from, uint32 count)
{
	Segment    *segment = open_segment(walk, walk->segment);

	walk->first = from;
	walk->count = pgt_segment_read_entries(segment, from, count, walk->entries);
	if (walk->count == 0 || (walk->backward && walk->count < count))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("segment index \"%s\" ends at entry %u of %u",
						FilePathName(segment->index), from + walk->count, walk->segment_entries),
				 errdetail("Offset %lld of partition %d is past its end.",
						   (long long) walk->position, walk->key.partition)));
}

/* Do what is next: look up, go to another segment, or read entries. */
static void
step(EntryWalk *walk)
{
	if (walk->segment.base == NO_SEGMENT)
		locate(walk);
	else if (walk->backward && walk->next == 0)
		enter_previous(walk);
	else if (walk->backward)
	{
		uint32		count = Min(walk->next, ENTRY_WALK_READ);

		read_entries(walk, walk->next - count, count);
	}
	else if (walk->next >= walk->segment_entries)
		enter_next(walk);
	else
		read_entries(walk, walk->next, Min(walk->segment_entries - walk->next, ENTRY_WALK_READ));
}

/* Do it; what was changed meanwhile makes it void, an ERROR as well. */
static void
try_step(EntryWalk *walk)
{
	MemoryContext caller = CurrentMemoryContext;

	PG_TRY();
	{
		step(walk);
	}
	PG_CATCH();
	{
		if (pgt_entry_walk_is_valid(walk))
			PG_RE_THROW();
		MemoryContextSwitchTo(caller);
		FlushErrorState();
	}
	PG_END_TRY();
	if (!pgt_entry_walk_is_valid(walk))
		take_bounds(walk);
}

/* ---- the interface --------------------------------------------------------- */

/* Let the walk begin at an offset. */
static bool
begin(EntryWalk *walk, const TopicPartition *key, int64 offset, bool backward)
{
	walk->key = *key;
	walk->backward = backward;
	walk->position = offset;
	walk->min_timestamp = PG_INT64_MIN;
	walk->unknown = NO_OFFSET;
	memset(&walk->bounds, 0, sizeof(walk->bounds));
	walk->state = pgt_log_state_find(key);
	walk->is_gone = walk->state == NULL;
	if (walk->state != NULL)
		take_bounds(walk);
	return !walk->is_gone;
}

bool
pgt_entry_walk_begin(EntryWalk *walk, const TopicPartition *key, int64 offset, const EntryPlace *place)
{
	if (!begin(walk, key, offset, false))
		return false;
	if (place == NULL || place->incarnation != walk->bounds.incarnation ||
		place->segments_version != walk->bounds.segments_version ||
		!pgt_segment_id_equal(place->segment, pgt_segment_id_original(walk->bounds.active_base)))
		return true;
	walk->segment = place->segment;
	walk->segment_entries = walk->bounds.active_entries;
	walk->next = place->entry;
	return true;
}

bool
pgt_entry_walk_begin_backward(EntryWalk *walk, const TopicPartition *key, int64 offset)
{
	return begin(walk, key, offset, true);
}

/* The entry before the place; NULL where it is to be read, or at the end. */
static const IndexEntry *
previous_of_read(EntryWalk *walk)
{
	while (walk->next > walk->first && walk->next <= walk->first + walk->count)
	{
		const IndexEntry *entry = &walk->entries[--walk->next - walk->first];

		if (walk->segment.base + entry->last_delta < walk->bounds.log_start_offset)
		{
			walk->at_end = true;
			return NULL;
		}
		if (walk->segment.base + entry->last_delta < walk->position)
		{
			walk->position = walk->segment.base + entry->first_delta;
			return entry;
		}
	}
	return NULL;
}

/* The entry behind the place; NULL where it is to be read. */
static const IndexEntry *
next_of_read(EntryWalk *walk)
{
	while (walk->next - walk->first < walk->count)
	{
		const IndexEntry *entry = &walk->entries[walk->next++ - walk->first];

		if (walk->segment.base + entry->last_delta < walk->position)
			continue;
		walk->position = walk->segment.base + entry->last_delta + 1;
		return entry;
	}
	return NULL;
}

/*
 * Let an entry that is to be returned have the outcome of its Kafka transaction.  False if it is to
 * be read once more: the transaction was resolved and forgotten since.
 */
static bool
translate(EntryWalk *walk, const IndexEntry *entry)
{
	int64		last = walk->segment.base + entry->last_delta;

	walk->ended_lsn = InvalidXLogRecPtr;
	if (likely(!pgt_index_entry_is_numbered(entry)) ||
		pgt_kafka_txn_map_translate(&walk->entries[entry - walk->entries], &walk->ended_lsn) || walk->unknown == last)
		return true;
	walk->unknown = last;
	pgt_entry_walk_again(walk, entry);
	return false;
}

const IndexEntry *
pgt_entry_walk_next(EntryWalk *walk)
{
	const IndexEntry *entry = NULL;

	while (!walk->is_gone && !walk->at_end)
	{
		if (walk->count > 0)
			entry = walk->backward ? previous_of_read(walk) : next_of_read(walk);
		if (entry != NULL && !translate(walk, entry))
		{
			entry = NULL;
			continue;
		}
		if (entry != NULL || walk->at_end)
			break;
		try_step(walk);
	}
	return entry;
}

void
pgt_entry_walk_leave_segment(EntryWalk *walk)
{
	Assert(walk->backward);
	walk->next = 0;
	walk->count = 0;
	walk->position = Min(walk->position, walk->segment.base);
}

void
pgt_entry_walk_again(EntryWalk *walk, const IndexEntry *entry)
{
	walk->position = walk->segment.base + (walk->backward ? entry->last_delta + 1 : entry->last_delta);
	take_bounds(walk);
}

void
pgt_entry_walk_place(const EntryWalk *walk, bool before, EntryPlace *place)
{
	place->segment = walk->segment;
	place->entry = walk->next - (before ? 1 : 0);
	place->incarnation = walk->bounds.incarnation;
	place->segments_version = walk->bounds.segments_version;
}
