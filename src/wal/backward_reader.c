/*
 * backward_reader.c
 *	  Reading the records of one partition that a snapshot sees, the last one first.
 *
 * A batch can only be decoded from its first record on, and whether it is seen is the log
 * reader's matter.  So this goes back by blocks of a few batches, lets a log reader read
 * each of them forward, keeps its records, and returns them in reverse:
 *
 *	  first_offset                                          end
 *	   |      ...      [ batch | batch | batch ][ batch | batch ]
 *	                   <------ 2nd block ------><-- 1st block -->
 *
 * The index tells where a block begins.  That is only advice: whatever offset is chosen,
 * the log reader gives all records from there to the block's end.  So it does no harm if
 * segments are deleted or replaced between looking at the index and reading.
 *
 * The first block is small, so that a look at the last record is cheap, and each one is
 * twice as long as the one before, up to BLOCK_MAX.  The records of a block may take far
 * more memory than their batches on disk.  If they take more than the filter allows, or
 * than work_mem, those kept so far are dropped, and the next block, of half the length, ends where the others begin.
 *
 * A reader that is asked for some keys looks them up in the index of keys, too, and makes its
 * blocks of the batches that may have them:
 *
 *	  [ . . k . ][ . . . . . . . . . . k . . k ]
 *
 * The log reader skips the others, for which it looks up the keys once more; where most
 * batches of a block may have a key, reading all of them is less work.  What this reader has
 * found of a segment it keeps, as it is advice, too.
 *
 * Damage in a block must not keep the records behind it from being returned.  So the
 * first damage is not reported: from there on each block is one batch, and the next
 * damage, which is then next in order, is an ERROR.
 *
 * A segment that is missing between two others shows when a log reader goes from the one
 * to the other.  So where a segment begins at the end of a block, the log reader goes on
 * to it.
 *
 * Records and parts of them that the filter does not ask for are not kept.
 *
 * Locks: none but for copies of the bounds.
 *
 * Memory: one context for the reader's life; below it one for the bytes of the kept
 * records and one for the log reader, both reset with each block.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "util/catch_error.h"
#include "utils/memutils.h"
#include "wal/backward_reader.h"

#define ENTRIES_PER_READ	128
#define BLOCK_MIN			(16 * 1024)
#define BLOCK_MAX			(256 * 1024)

struct BackwardReader
{
	MemoryContext context;
	MemoryContext record_context;	/* the kept records' bytes */
	MemoryContext read_context; /* what reading one block takes */
	TopicPartition key;
	PartitionState *state;
	Snapshot	snapshot;
	LogReaderFilter filter;
	int64		first_offset;
	int64		end;			/* all records from here on were kept or returned */
	bool		has_begun;		/* a block was read */
	bool		is_careful;		/* damage was met: go by single batches */
	uint32		want;			/* bytes of a block, on disk */
	uint32		block_max;
	Size		memory;			/* for the kept records */

	/* by filter.keys, as the index of keys was when it was asked */
	KeyProbeResult *hits;		/* of that segment */
	SegmentId	hits_segment;	/* base NO_SEGMENT: of none */
	bool		skips;			/* of the block: few of its batches may have a key */

	/* the block */
	int64		start;
	bool		is_cut;			/* kept records were dropped: there are more before the first one */
	Record	   *records;		/* to be returned, from the last to the first */
	int			count;
	int			capacity;
	Size		bytes;			/* that they take */
};

/* ---- where a block begins ------------------------------------------------ */

/* May the batch have records to return? */
static bool
may_be_seen(const BackwardReader *reader, const IndexEntry *entry)
{
	return (entry->flags & ENTRY_ABORTED) == 0 &&
		entry->max_timestamp >= reader->filter.min_timestamp &&
		entry->min_timestamp <= reader->filter.max_timestamp;
}

/* Look the filter's keys up in a segment; NULL: all batches may have them. */
static const KeyProbeResult *
look_up_keys(BackwardReader *reader, Segment *segment)
{
	MemoryContext caller;

	if (reader->filter.keys == NULL)
		return NULL;
	if (pgt_segment_id_equal(reader->hits_segment, segment->id))
		return reader->hits;
	caller = MemoryContextSwitchTo(reader->context);
	if (reader->hits == NULL)
		reader->hits = palloc0(sizeof(KeyProbeResult));
	pgt_key_probe_run(reader->state, segment, reader->filter.keys, reader->hits);
	reader->hits_segment = segment->id;
	MemoryContextSwitchTo(caller);
	return reader->hits;
}

/*
 * The first offset of a batch of the segment such that it and those between it and
 * "before" make a block; -1 if no batch begins before there.  Batches that have nothing to
 * return do not count.
 */
static int64
start_in_segment(BackwardReader *reader, Segment *segment, uint32 count, int64 before)
{
	const KeyProbeResult *hits = look_up_keys(reader, segment);
	IndexEntry	entries[ENTRIES_PER_READ];
	uint32		step = reader->is_careful ? 1 : ENTRIES_PER_READ;
	uint32		behind = Min(pgt_segment_find_offset(segment, count, before - 1) + 1, count);
	uint32		end = behind;
	uint32		wanted = 0;
	uint32		bytes = 0;
	int64		start = -1;
	bool		is_long_enough = false;

	while (behind > 0 && !is_long_enough)
	{
		uint32		first;
		uint32		n;

		CHECK_FOR_INTERRUPTS();
		if (hits != NULL)
			behind = pgt_key_probe_behind(hits, behind);
		first = behind > step ? behind - step : 0;
		n = pgt_segment_read_entries(segment, first, behind - first, entries);
		while (n-- > 0 && !is_long_enough)
		{
			int64		offset = segment->id.base + entries[n].first_delta;

			if (offset >= before || (hits != NULL && pgt_key_probe_next(hits, first + n) != first + n))
				continue;
			start = offset;
			wanted++;
			if (may_be_seen(reader, &entries[n]))
				bytes += entries[n].length;
			is_long_enough = reader->is_careful || bytes >= reader->want;
			reader->skips = reader->is_careful || wanted < (end - first - n) / 2;
		}
		behind = first;
	}
	return start;
}

/*
 * Choose where the block that ends at reader->end begins.  Where the index does not tell,
 * the log reader will.
 */
static int64
block_start(BackwardReader *reader)
{
	int64		before = reader->end;
	LogBounds	bounds;

	while (before > reader->first_offset && pgt_partition_log_bounds(&reader->key, &bounds) &&
		   before > bounds.log_start_offset)
	{
		SegmentId	id = pgt_partition_log_segment_for(reader->state, &bounds, before - 1);
		Segment    *segment;
		int64		start;

		CHECK_FOR_INTERRUPTS();
		if (id.base == NO_SEGMENT || id.base >= before)
			break;
		if (id.base != bounds.active_base || bounds.active_entries > 0)
		{
			segment = pgt_log_segments_open(reader->state, id);
			if (segment == NULL && pgt_partition_log_has_changed(reader->state, &bounds))
				continue;
			start = segment == NULL ? id.base :
				start_in_segment(reader, segment, pgt_partition_log_entries(segment, &bounds), before);
			if (start >= 0)
			{
				/* behind it are segments without a key */
				reader->skips = reader->skips || before < reader->end;
				return Max(start, reader->first_offset);
			}
		}
		before = id.base;
	}
	reader->skips = true;
	return reader->first_offset;
}

/* ---- reading a block ----------------------------------------------------- */

/* Forget the records kept so far. */
static void
drop_records(BackwardReader *reader)
{
	MemoryContextReset(reader->record_context);
	reader->count = 0;
	reader->bytes = 0;
}

/* Copy *length bytes behind *room, and let *bytes point to the copy; with "leave_out" there are none. */
static void
move_bytes(const char **bytes, int32 *length, bool leave_out, char **room)
{
	if (leave_out)
	{
		*bytes = NULL;
		*length = 0;
	}
	if (*length <= 0)
		return;
	memcpy(*room, *bytes, *length);
	*bytes = *room;
	*room += *length;
}

/* Keep a copy of the record. */
static void
keep_record(BackwardReader *reader, const Record *record)
{
	const LogReaderFilter *filter = &reader->filter;
	Size		length = (Size) (filter->without_key ? 0 : Max(record->key_length, 0)) +
		(filter->without_value ? 0 : Max(record->value_length, 0)) +
		(filter->without_headers ? 0 : record->headers_length);
	Record	   *kept;
	char	   *room;

	if (reader->count > 0 && reader->bytes + length + sizeof(Record) > reader->memory)
	{
		drop_records(reader);
		reader->is_cut = true;
	}
	if (reader->count == reader->capacity)
	{
		reader->capacity *= 2;
		reader->records = repalloc_huge(reader->records, reader->capacity * sizeof(Record));
	}
	kept = &reader->records[reader->count++];
	*kept = *record;
	room = length > 0 ? MemoryContextAllocHuge(reader->record_context, length) : NULL;
	move_bytes(&kept->key, &kept->key_length, filter->without_key, &room);
	move_bytes(&kept->value, &kept->value_length, filter->without_value, &room);
	move_bytes(&kept->headers, &kept->headers_length, filter->without_headers, &room);
	if (filter->without_headers)
		kept->header_count = 0;
	reader->bytes += length + sizeof(Record);
}

/* Does a segment begin at the block's end?  Then its records were returned. */
static bool
ends_at_segment(const BackwardReader *reader)
{
	SegmentId	id;

	return reader->has_begun && pgt_log_segments_at(reader->state, reader->end, &id) &&
		id.base == reader->end;
}

/* Callback: choose the block before reader->end and keep its records. */
static void
read_block(void *arg)
{
	BackwardReader *reader = arg;
	LogReaderFilter filter = reader->filter;
	LogReader  *forward;
	Record		record;

	drop_records(reader);
	reader->is_cut = false;
	reader->start = block_start(reader);
	if (!reader->skips)
		filter.keys = NULL;
	filter.end_offset = ends_at_segment(reader) ? reader->end + 1 : reader->end;
	forward = pgt_log_reader_begin(&reader->key, reader->start, reader->snapshot, &filter);
	while (pgt_log_reader_next(forward, &record) && record.offset < reader->end)
		if (filter.wants == NULL || filter.wants(filter.wanted, &record))
			keep_record(reader, &record);
	pgt_log_reader_end(forward);
}

/* Read the block before reader->end, batch by batch once damage was met. */
static void
next_block(BackwardReader *reader)
{
	MemoryContext caller = MemoryContextSwitchTo(reader->read_context);
	ErrorData  *damage = NULL;

	if (reader->is_careful)
		read_block(reader);
	else
		damage = pgt_catch_damage_reading(read_block, reader);
	if (damage != NULL)
	{
		reader->is_careful = true;
		MemoryContextReset(reader->read_context);
		read_block(reader);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextReset(reader->read_context);
	reader->want = reader->is_cut ? reader->want / 2 : Min(reader->want * 2, reader->block_max);
	reader->end = reader->is_cut ? reader->records[0].offset : reader->start;
	reader->has_begun = true;
}

/* ---- the interface ------------------------------------------------------- */

BackwardReader *
pgt_backward_reader_begin(const TopicPartition *key, int64 first_offset, Snapshot snapshot,
						  const LogReaderFilter *filter)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics backward reader",
												  ALLOCSET_SMALL_SIZES);
	BackwardReader *reader = MemoryContextAllocZero(context, sizeof(BackwardReader));

	reader->context = context;
	reader->record_context = AllocSetContextCreate(context, "pg_topics backward records",
												   ALLOCSET_DEFAULT_SIZES);
	reader->read_context = AllocSetContextCreate(context, "pg_topics backward block",
												 ALLOCSET_SMALL_SIZES);
	reader->key = *key;
	reader->state = pgt_log_state_find(key);
	reader->snapshot = snapshot;
	reader->filter = *filter;
	reader->first_offset = Max(first_offset, 0);
	reader->hits_segment.base = NO_SEGMENT;
	reader->end = reader->state == NULL ? 0 : filter->end_offset;
	reader->want = BLOCK_MIN;
	reader->memory = filter->memory > 0 ? filter->memory : work_mem * (Size) 1024;
	reader->block_max = Max(Min(reader->memory / 2, BLOCK_MAX), BLOCK_MIN);
	reader->capacity = 128;
	reader->records = MemoryContextAlloc(context, reader->capacity * sizeof(Record));
	return reader;
}

bool
pgt_backward_reader_next(BackwardReader *reader, Record *record)
{
	while (reader->count == 0)
	{
		if (reader->end <= reader->first_offset)
			return false;
		CHECK_FOR_INTERRUPTS();
		next_block(reader);
	}
	*record = reader->records[--reader->count];
	return true;
}

void
pgt_backward_reader_end(BackwardReader *reader)
{
	MemoryContextDelete(reader->context);
}
