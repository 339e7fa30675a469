/*
 * index_cursor.c
 *	  From one index entry of a partition to the next, across its segments.
 *
 * A cursor works on one copy of the partition's bounds and takes no lock while it reads
 * files.  A segment may be deleted or replaced while it is in it.  Then the cursor finds no
 * file of that name, or a new version of the list of segments when it goes to the next
 * segment.  It copies the bounds again and looks up its position.
 *
 *	  to be looked up  --locate-->  in a segment  --next_segment-->  in the next one, or done
 *			^								|
 *			+------- it has gone -----------+
 *
 * A cursor that is asked for some keys looks them up in each segment's index of keys, where
 * there is one, and skips the batches that have none of them.  It may do so without a look
 * at them only where no transaction is running as of the snapshot; behind that it still
 * goes from batch to batch, since one of a running transaction is where a reader must stop.
 *
 * Entries are read some at a time, and more of them as the cursor goes on, so that a look at
 * one record stays cheap.  Segments that do not follow each other, and a missing one, are an
 * ERROR.
 *
 * Where a cursor stops is noted for the next one (pgt_log_segments_keep_hint()).
 *
 * Memory: the context that the maker gives.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "util/fault_point.h"
#include "utils/memutils.h"
#include "wal/index_cursor.h"

#define ENTRIES_MIN			128
#define ENTRIES_MAX			1024

/* ---- the bounds ---------------------------------------------------------- */

/* Copy the partition's bounds as of now. */
static bool
take_bounds(IndexCursor *cursor)
{
	if (!pgt_partition_log_bounds(&cursor->key, &cursor->bounds))
		return false;
	cursor->position = Max(cursor->position, cursor->bounds.log_start_offset);
	cursor->segment.base = NO_SEGMENT;
	cursor->entry_count = 0;
	if (cursor->filter.keys != NULL)
		cursor->ended = cursor->filter.past_running ? PG_INT64_MAX :
			pgt_batch_visibility_ended_below(&cursor->bounds, cursor->view.snapshot);
	return true;
}

/*
 * If segments were added or removed since the bounds were copied, the list may not fit the
 * bounds: copy the bounds again.  True: begin anew, or done.
 */
static bool
renew_bounds(IndexCursor *cursor)
{
	if (!pgt_partition_log_has_changed(cursor->state, &cursor->bounds))
		return false;
	if (!take_bounds(cursor))
		cursor->done = true;
	return true;
}

/* ---- entering a segment -------------------------------------------------- */

/* Look the filter's keys up in the segment being entered. */
static void
look_up_keys(IndexCursor *cursor, Segment *segment)
{
	MemoryContext caller = MemoryContextSwitchTo(cursor->context);

	if (cursor->hits == NULL)
		cursor->hits = palloc0(sizeof(KeyProbeResult));
	cursor->ended_entries = cursor->segment_entries;
	if (cursor->ended < cursor->bounds.next_offset)
		cursor->ended_entries = pgt_segment_find_offset(segment, cursor->segment_entries, cursor->ended);
	pgt_key_probe_run(cursor->state, segment, cursor->filter.keys, cursor->hits);
	MemoryContextSwitchTo(caller);
}

/* Enter a segment at its entry n. */
static void
enter_segment(IndexCursor *cursor, Segment *segment, uint32 n)
{
	cursor->segment = segment->id;
	cursor->segment_entries = pgt_partition_log_entries(segment, &cursor->bounds);
	cursor->next_entry = n;
	cursor->entry_count = 0;
	if (cursor->filter.keys != NULL)
		look_up_keys(cursor, segment);
}

/* ---- from segment to segment --------------------------------------------- */

/* Report that a segment is missing, although nothing was deleted. */
static void
fail_for_missing_segment(IndexCursor *cursor, SegmentId id)
{
	char		path[MAXPGPATH];

	pgt_segment_log_path(path, &cursor->key, id);
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("segment \"%s\" is missing", path),
			 errdetail("It holds offset %lld of partition %d.",
					   (long long) cursor->position, cursor->key.partition)));
}

/*
 * Open a segment.  NULL if it was deleted or replaced since the bounds were copied: then
 * they are copied again, and the caller begins anew.
 */
static Segment *
open_segment(IndexCursor *cursor, SegmentId id)
{
	Segment    *segment = pgt_log_segments_open(cursor->state, id);
	uint32		version = cursor->bounds.segments_version;

	if (segment != NULL)
	{
		FAULT_HALT("reader-segment");
		return segment;
	}
	if (!take_bounds(cursor))
		cursor->done = true;
	else if (cursor->bounds.segments_version == version)
		fail_for_missing_segment(cursor, id);
	return NULL;
}

/* Segments do not follow each other: what was between them is lost. */
static void
records_are_missing(IndexCursor *cursor, int64 from, const Segment *segment)
{
	char		path[MAXPGPATH];

	pgt_segment_log_path(path, &cursor->key, segment->id);
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("records of partition %d from offset %lld to %lld are missing",
					cursor->key.partition, (long long) from,
					(long long) segment->span.previous_end - 1),
			 errdetail("The segment before \"%s\" is missing or its index is cut.", path),
			 errhint("Restore it from a backup, or continue to read from offset %lld.",
					 (long long) segment->id.base)));
}

/* Look up the cursor's position.  False: begin anew, or done. */
static bool
locate(IndexCursor *cursor)
{
	SegmentId	id = pgt_partition_log_segment_for(cursor->state, &cursor->bounds,
												   cursor->position);
	Segment    *segment = renew_bounds(cursor) ? NULL : open_segment(cursor, id);

	if (segment == NULL)
		return false;
	if (id.base > cursor->position && segment->span.previous_end > cursor->position)
		records_are_missing(cursor, cursor->position, segment);
	enter_segment(cursor, segment,
				  pgt_log_segments_find_entry(cursor->state, segment,
											  pgt_partition_log_entries(segment, &cursor->bounds),
											  cursor->position));
	return true;
}

/* The offset at which the segment being left ends; -1: begin anew or done. */
static int64
segment_end(IndexCursor *cursor)
{
	Segment    *segment = open_segment(cursor, cursor->segment);

	return segment == NULL ? -1 : pgt_partition_log_segment_end(segment, &cursor->bounds);
}

/* Is the segment the active one, with nothing in it? */
static bool
is_empty_active(const IndexCursor *cursor, SegmentId id)
{
	return id.base == cursor->bounds.active_base && cursor->bounds.active_entries == 0;
}

/* There is nothing to read from this segment on (its base NO_SEGMENT: at all). */
static void
finish(IndexCursor *cursor, SegmentId id)
{
	cursor->done = true;
	cursor->next_start = id.base == NO_SEGMENT ? PG_INT64_MAX : id.base;
	if (id.base < cursor->filter.end_offset)
		cursor->position = Max(cursor->position, cursor->bounds.next_offset);
}

/* Go on in the next segment.  False: begin anew or done. */
static bool
next_segment(IndexCursor *cursor)
{
	SegmentId	id = pgt_partition_log_next_segment(cursor->state, &cursor->bounds,
													cursor->segment.base);
	Segment    *segment;
	int64		end;

	if (renew_bounds(cursor))
		return false;

	/* an empty one that is damaged holds nothing: the next append makes it anew */
	if (id.base == NO_SEGMENT || id.base >= cursor->filter.end_offset ||
		(is_empty_active(cursor, id) && !pgt_log_segments_can_open(cursor->state, id)))
	{
		finish(cursor, id);
		return false;
	}
	end = segment_end(cursor);
	segment = end >= 0 ? open_segment(cursor, id) : NULL;
	if (segment == NULL)
		return false;
	if (segment->span.previous_end != end)
		records_are_missing(cursor, end, segment);
	if (is_empty_active(cursor, id))
	{
		finish(cursor, id);
		return false;
	}
	enter_segment(cursor, segment, 0);
	return true;
}

/* ---- from entry to entry ------------------------------------------------- */

/* Skip the entries that have none of the filter's keys, without reading them. */
static void
skip_entries(IndexCursor *cursor)
{
	uint32		next = Min(pgt_key_probe_next(cursor->hits, cursor->next_entry), cursor->ended_entries);

	if (next <= cursor->next_entry)
		return;
	cursor->filter.counts->batches_without_key += next - cursor->next_entry;
	cursor->next_entry = next;
	cursor->has_skipped = true;
}

/* Make room for more entries than were read the last time; those are lost. */
static void
grow_entries(IndexCursor *cursor)
{
	if (cursor->entries != NULL && cursor->entry_capacity == ENTRIES_MAX)
		return;
	cursor->entry_capacity = cursor->entries == NULL ? ENTRIES_MIN :
		Min(cursor->entry_capacity * 2, ENTRIES_MAX);
	if (cursor->entries != NULL)
		pfree(cursor->entries);
	cursor->entries = NULL;
	cursor->entries = MemoryContextAlloc(cursor->context, cursor->entry_capacity * sizeof(IndexEntry));
}

/* Read entries from next_entry on.  False: begin anew or done. */
static bool
read_entries(IndexCursor *cursor)
{
	Segment    *segment = open_segment(cursor, cursor->segment);

	if (segment == NULL)
		return false;
	if (cursor->entries == NULL || cursor->entry_count == cursor->entry_capacity)
	{
		cursor->entry_count = 0;
		grow_entries(cursor);
	}
	cursor->first_entry = cursor->next_entry;
	cursor->entry_count =
		pgt_segment_read_entries(segment, cursor->next_entry,
								 Min(cursor->entry_capacity, cursor->segment_entries - cursor->next_entry),
								 cursor->entries);
	if (cursor->entry_count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("segment index \"%s\" ends at entry %u of %u",
						FilePathName(segment->index), cursor->next_entry,
						cursor->segment_entries),
				 errdetail("Offset %lld of partition %d is past its end.",
						   (long long) cursor->position, cursor->key.partition)));
	return true;
}

/* The next entry, or NULL at the end. */
static IndexEntry *
next_entry(IndexCursor *cursor)
{
	IndexEntry *entry;

	while (!cursor->done)
	{
		if (cursor->segment.base == NO_SEGMENT)
		{
			locate(cursor);
			continue;
		}
		if (cursor->hits != NULL)
			skip_entries(cursor);
		if (cursor->next_entry >= cursor->segment_entries)
		{
			next_segment(cursor);
			continue;
		}
		if (cursor->next_entry - cursor->first_entry >= cursor->entry_count &&
			!read_entries(cursor))
			continue;
		entry = &cursor->entries[cursor->next_entry++ - cursor->first_entry];
		if (cursor->has_skipped)
			cursor->position = Max(cursor->position, cursor->segment.base + entry->first_delta);
		cursor->has_skipped = false;
		return entry;
	}
	return NULL;
}

IndexEntry *
pgt_index_cursor_next(IndexCursor *cursor, BatchVisibility *seen)
{
	IndexEntry *entry;

	while ((entry = next_entry(cursor)) != NULL)
	{
		int64		first = cursor->segment.base + entry->first_delta;

		CHECK_FOR_INTERRUPTS();
		if (cursor->segment.base + entry->last_delta < cursor->position)
			continue;
		if (first >= cursor->filter.end_offset)
		{
			cursor->next_start = first;
			break;
		}
		*seen = pgt_batch_visibility(&cursor->view, cursor->segment, cursor->next_entry - 1, entry,
									 cursor->bounds.resolved_offset);
		if (*seen != BATCH_GONE)
			return entry;
		if (!take_bounds(cursor))
			break;
	}
	cursor->done = true;
	return NULL;
}

Segment *
pgt_index_cursor_segment(IndexCursor *cursor)
{
	return open_segment(cursor, cursor->segment);
}

/* ---- begin, seek, end ---------------------------------------------------- */

void
pgt_index_cursor_begin(IndexCursor *cursor, MemoryContext context, const TopicPartition *key,
					   int64 offset, Snapshot snapshot, const LogReaderFilter *filter)
{
	cursor->context = context;
	cursor->key = *key;
	cursor->state = pgt_log_state_find(key);
	pgt_batch_visibility_begin(&cursor->view, key, cursor->state, snapshot);
	cursor->position = Max(offset, 0);
	cursor->filter.min_timestamp = PG_INT64_MIN;
	cursor->filter.max_timestamp = cursor->filter.end_offset = PG_INT64_MAX;
	if (filter != NULL)
		cursor->filter = *filter;
	if (cursor->filter.counts == NULL)
		cursor->filter.counts = &cursor->uncounted;
	cursor->segment.base = NO_SEGMENT;
	cursor->done = cursor->state == NULL || !take_bounds(cursor) ||
		cursor->position >= cursor->bounds.next_offset;
}

void
pgt_index_cursor_seek_timestamp(IndexCursor *cursor, int64 timestamp)
{
	SegmentId	id = pgt_partition_log_segment_for(cursor->state, &cursor->bounds,
												   cursor->position);

	while (id.base != NO_SEGMENT)
	{
		Segment    *segment = renew_bounds(cursor) ? NULL : open_segment(cursor, id);
		uint32		count;
		uint32		found;
		IndexEntry	entry;

		if (cursor->done)
			return;
		if (segment == NULL)
		{
			id = pgt_partition_log_segment_for(cursor->state, &cursor->bounds, cursor->position);
			continue;
		}
		count = pgt_partition_log_entries(segment, &cursor->bounds);
		found = count > 0 ? pgt_segment_find_timestamp(segment, count, timestamp) : 0;

		if (found < count && pgt_segment_read_entries(segment, found, 1, &entry) == 1)
		{
			cursor->position = Max(cursor->position, id.base + entry.first_delta);
			return;
		}
		id = pgt_partition_log_next_segment(cursor->state, &cursor->bounds, id.base);
	}
	cursor->done = true;
}

/*
 * Tell the next cursor where this one stopped: at the entry before the next one,
 * maybe inside of it.  Who has just looked at a record reads it again.
 */
static void
leave_hint(const IndexCursor *cursor)
{
	uint32		n = cursor->next_entry - 1;
	int64		first = cursor->position;

	if (n - cursor->first_entry < cursor->entry_count)
		first = Min(first, cursor->segment.base +
					cursor->entries[n - cursor->first_entry].first_delta);
	pgt_log_segments_keep_hint(cursor->state, cursor->segment, n, first, cursor->position);
}

void
pgt_index_cursor_end(IndexCursor *cursor)
{
	/* one that skips batches need not have come by all up to its position */
	if (cursor->segment.base != NO_SEGMENT && cursor->next_entry > 0 && cursor->filter.keys == NULL)
		leave_hint(cursor);
	MemoryContextDelete(cursor->context);
}
