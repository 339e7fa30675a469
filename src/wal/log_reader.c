/*
 * log_reader.c
 *	  Reading the records of one partition that a snapshot sees, in order.
 *
 * A reader goes from index entry to index entry (index_cursor.c), and reads and decodes the
 * batches (batch_reader.c) that its snapshot sees (batch_visibility.c) and its filter lets
 * through.  At a batch of a transaction that is running as of the snapshot, or of our own, it
 * stops, to keep the order; with past_running, for a caller that does not need the order, it
 * skips the batch.
 *
 *	  entries		[ seen ][ aborted ][ seen ][ outside of the filter ][ running ]
 *	  the reader	  reads    skips     reads          skips            stops
 *
 * A caller may go from batch to batch, and take one as it is in the index.  Then of its
 * damage only that is noticed which shows in the entry or, without ENTRY_DENSE, in the
 * header.  Of dense batches the first and the last one of each read of the index must fit
 * their headers, too, lest an index that belongs to another log be believed.
 *
 * Locks: none but for copies of the bounds.
 *
 * Memory: one context for the reader's life, in which the cursor and the batches are, too.
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "wal/batch_reader.h"
#include "wal/log_reader.h"

struct LogReader
{
	IndexCursor cursor;
	BatchReader batch;
	IndexEntry *found;			/* of the batch that the reader stands at */
};

/* ---- from batch to batch ------------------------------------------------- */

/* Is the batch outside of the filter? */
static bool
filtered(const IndexCursor *cursor, const IndexEntry *entry)
{
	return entry->max_timestamp < cursor->filter.min_timestamp ||
		entry->min_timestamp > cursor->filter.max_timestamp;
}

/* What the entry tells about its batch. */
static void
describe_batch(const IndexCursor *cursor, const IndexEntry *entry, LogReaderBatch *batch)
{
	batch->xid = entry->xid;
	batch->first_offset = cursor->segment.base + entry->first_delta;
	batch->last_offset = cursor->segment.base + entry->last_delta;
	batch->transaction_first = pgt_index_entry_transaction_first(entry, cursor->segment.base);
	batch->min_timestamp = entry->min_timestamp;
	batch->max_timestamp = entry->max_timestamp;
	batch->is_dense = (entry->flags & ENTRY_DENSE) != 0;
	batch->is_whole = batch->first_offset >= cursor->position &&
		batch->last_offset < cursor->filter.end_offset;
}

/* Go behind a batch without giving its records. */
static void
skip_batch(IndexCursor *cursor, const IndexEntry *entry)
{
	cursor->position = cursor->segment.base + entry->last_delta + 1;
	cursor->filter.counts->batches_skipped++;
	cursor->filter.counts->bytes_skipped += entry->length;
}

/* The next batch that has something to give; NULL at the end. */
static IndexEntry *
find_batch(IndexCursor *cursor)
{
	IndexEntry *entry;
	BatchVisibility seen;

	while ((entry = pgt_index_cursor_next(cursor, &seen)) != NULL)
	{
		if (seen == BATCH_BLOCKS && !cursor->filter.past_running)
		{
			cursor->done = true;
			return NULL;
		}
		if (seen == BATCH_SEEN && !filtered(cursor, entry))
		{
			if (pgt_index_cursor_may_have_keys(cursor, cursor->next_entry - 1))
				return entry;
			cursor->filter.counts->batches_without_key++;
		}
		skip_batch(cursor, entry);
	}
	return NULL;
}

/* ---- in a batch ---------------------------------------------------------- */

/* The batch that was entered is read: its problem, if it has one, is an ERROR. */
static void
leave_batch(LogReader *reader)
{
	IndexCursor *cursor = &reader->cursor;
	BatchReader *batch = &reader->batch;

	if (batch->iterator.problem != NULL)
		pgt_batch_decoder_fail(&cursor->key, cursor->segment, batch->position, cursor->position,
							   batch->iterator.problem);
	batch->in_batch = false;
	cursor->position = batch->last_offset + 1;
}

/* The next record of the batch that was entered; false at its end, or at that of what is to be read. */
static inline bool
next_in_batch(LogReader *reader, Record *record)
{
	IndexCursor *cursor = &reader->cursor;

	while (pgt_record_iterator_next(&reader->batch.iterator, record))
	{
		if (record->offset < cursor->position)
			continue;
		if (record->offset >= cursor->filter.end_offset)
		{
			cursor->next_start = record->offset;
			cursor->done = true;
			reader->batch.in_batch = false;
			return false;
		}
		cursor->position = record->offset + 1;
		return true;
	}
	leave_batch(reader);
	return false;
}

/* ---- the interface ------------------------------------------------------- */

LogReader *
pgt_log_reader_begin(const TopicPartition *key, int64 offset, Snapshot snapshot,
					 const LogReaderFilter *filter)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics reader",
												  ALLOCSET_SMALL_SIZES);
	LogReader  *reader = MemoryContextAllocZero(context, sizeof(LogReader));

	pgt_index_cursor_begin(&reader->cursor, context, key, offset, snapshot, filter);
	pgt_batch_reader_begin(&reader->batch, &reader->cursor);
	return reader;
}

bool
pgt_log_reader_next(LogReader *reader, Record *record)
{
	IndexEntry *entry;

	for (;;)
	{
		if (reader->batch.in_batch && next_in_batch(reader, record))
			return true;
		if (reader->cursor.done || (entry = find_batch(&reader->cursor)) == NULL)
			return false;
		(void) pgt_batch_reader_enter(&reader->batch, entry);
	}
}

bool
pgt_log_reader_next_batch(LogReader *reader, LogReaderBatch *batch)
{
	if (reader->batch.in_batch)
		leave_batch(reader);
	reader->found = find_batch(&reader->cursor);
	if (reader->found == NULL)
		return false;
	describe_batch(&reader->cursor, reader->found, batch);
	return true;
}

bool
pgt_log_reader_take_batch(LogReader *reader, int64 *records)
{
	IndexCursor *cursor = &reader->cursor;
	const IndexEntry *entry = reader->found;
	bool		is_dense = (entry->flags & ENTRY_DENSE) != 0;

	/* an index that is not this log's shows in the headers: look at some of them */
	if (is_dense && entry != cursor->entries && entry != &cursor->entries[cursor->entry_count - 1])
		*records = pgt_index_entry_offsets(entry);
	else if (!pgt_batch_reader_count(&reader->batch, entry, is_dense, records))
		return false;
	cursor->position = cursor->segment.base + entry->last_delta + 1;
	cursor->filter.counts->batches_counted++;
	cursor->filter.counts->bytes_counted += entry->length;
	return true;
}

bool
pgt_log_reader_enter_batch(LogReader *reader)
{
	return pgt_batch_reader_enter(&reader->batch, reader->found);
}

bool
pgt_log_reader_next_in_batch(LogReader *reader, Record *record)
{
	return reader->batch.in_batch && next_in_batch(reader, record);
}

bool
pgt_log_reader_next_seen(LogReader *reader, LogReaderBatch *batch)
{
	IndexCursor *cursor = &reader->cursor;
	IndexEntry *entry;
	BatchVisibility seen;

	while ((entry = pgt_index_cursor_next(cursor, &seen)) != NULL)
	{
		describe_batch(cursor, entry, batch);
		cursor->position = batch->last_offset + 1;
		if (seen == BATCH_SEEN)
			return true;
	}
	return false;
}

int64
pgt_log_reader_position(const LogReader *reader)
{
	return reader->cursor.position;
}

int64
pgt_log_reader_next_start(const LogReader *reader)
{
	return reader->cursor.next_start;
}

int64
pgt_log_reader_log_start(const LogReader *reader)
{
	return reader->cursor.bounds.log_start_offset;
}

void
pgt_log_reader_end(LogReader *reader)
{
	pgt_batch_reader_end(&reader->batch);
	pgt_index_cursor_end(&reader->cursor);
}
