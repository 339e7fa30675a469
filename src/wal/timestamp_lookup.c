/*
 * timestamp_lookup.c
 *	  From a time to an offset: Kafka's offsetsForTimes().
 *
 * The index knows each batch's largest timestamp, and up to each batch the largest one so
 * far.  So the first batch that reaches the time is found without reading any before it; the
 * records from there on are read, since those batches may not be seen, or have no such record
 * that is left.
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "wal/index_cursor.h"
#include "wal/log_reader.h"
#include "wal/timestamp_lookup.h"
#include "wal/visible_end.h"

/*
 * Where to begin to read: at the first batch that reaches the time, if the snapshot can read
 * up to there; else -1.
 */
static int64
first_to_read(const TopicPartition *key, int64 timestamp, Snapshot snapshot)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics timestamp lookup",
												  ALLOCSET_SMALL_SIZES);
	IndexCursor *cursor = MemoryContextAllocZero(context, sizeof(IndexCursor));
	int64		begin;
	int64		first;
	TransactionId blocker;

	pgt_index_cursor_begin(cursor, context, key, 0, snapshot, NULL);
	begin = cursor->position;
	if (!cursor->done)
		pgt_index_cursor_seek_timestamp(cursor, timestamp);
	first = cursor->done ? -1 : cursor->position;
	pgt_index_cursor_end(cursor);

	/* a batch of a running transaction before it would hide it */
	if (first > begin && pgt_visible_end(key, snapshot, &blocker) <= first)
		return -1;
	return first;
}

int64
pgt_timestamp_lookup(const TopicPartition *key, int64 timestamp, Snapshot snapshot)
{
	LogReaderFilter filter = {timestamp, PG_INT64_MAX, PG_INT64_MAX};
	int64		first = first_to_read(key, timestamp, snapshot);
	LogReader  *reader;
	Record		record;
	int64		found = -1;

	if (first < 0)
		return -1;
	reader = pgt_log_reader_begin(key, first, snapshot, &filter);
	while (found < 0 && pgt_log_reader_next(reader, &record))
		if (record.timestamp >= timestamp)
			found = record.offset;
	pgt_log_reader_end(reader);
	return found;
}
