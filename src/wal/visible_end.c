/*
 * visible_end.c
 *	  The end of what a snapshot can read of a partition in order.
 *
 * A log is read in order, up to the first batch of a transaction that is running as of the
 * snapshot.  That is Kafka's last stable offset, but as of a snapshot:
 *
 *	  [ seen ][ aborted ][ seen ][ running ][ seen ]
 *							  ^ the visible end
 *
 * Below the resolved offset no transaction is running for a snapshot that is newer than the
 * resolving; so the walk over the index begins there, and no batch is read.
 *
 * Locks: none but for copies of the bounds.
 *
 * Memory: a context of its own for each walk.
 */
#include "postgres.h"

#include "access/transam.h"
#include "utils/memutils.h"
#include "wal/index_cursor.h"
#include "wal/visible_end.h"

/* A cursor over the batches from an offset to below another one. */
static IndexCursor *
begin_walk(const TopicPartition *key, int64 offset, int64 end, Snapshot snapshot)
{
	LogReaderFilter filter = {PG_INT64_MIN, PG_INT64_MAX, end};
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics visible end",
												  ALLOCSET_SMALL_SIZES);
	IndexCursor *cursor = MemoryContextAllocZero(context, sizeof(IndexCursor));

	pgt_index_cursor_begin(cursor, context, key, offset, snapshot, &filter);
	return cursor;
}

/* Go behind a batch. */
static void
pass(IndexCursor *cursor, const IndexEntry *entry)
{
	cursor->position = cursor->segment.base + entry->last_delta + 1;
}

/*
 * Walk over the batches up to "end" or to a running transaction, which is *blocker then.
 * Returns the offset behind the last batch, or behind the gap after it.
 */
static int64
walk(const TopicPartition *key, int64 offset, int64 end, Snapshot snapshot, TransactionId *blocker)
{
	IndexCursor *cursor = begin_walk(key, offset, end, snapshot);
	IndexEntry *entry;
	BatchVisibility seen;
	int64		position;

	*blocker = InvalidTransactionId;
	while (!TransactionIdIsValid(*blocker) && (entry = pgt_index_cursor_next(cursor, &seen)) != NULL)
	{
		if (seen == BATCH_BLOCKS)
			*blocker = pgt_index_entry_is_numbered(entry) ? VISIBLE_END_KAFKA_TXN : (TransactionId) entry->xid;
		else
			pass(cursor, entry);
	}
	position = cursor->position;
	pgt_index_cursor_end(cursor);
	return position;
}

int64
pgt_visible_end_by(const TopicPartition *key, const LogBounds *bounds, Snapshot snapshot,
				   TransactionId *blocker)
{
	int64		ended = pgt_batch_visibility_ended_below(bounds, snapshot);

	*blocker = InvalidTransactionId;
	if (ended >= bounds->next_offset)
		return bounds->next_offset;
	return walk(key, ended, PG_INT64_MAX, snapshot, blocker);
}

int64
pgt_visible_end(const TopicPartition *key, Snapshot snapshot, TransactionId *blocker)
{
	LogBounds	bounds;

	*blocker = InvalidTransactionId;
	if (!pgt_partition_log_bounds(key, &bounds))
		return bounds.next_offset;
	return pgt_visible_end_by(key, &bounds, snapshot, blocker);
}

int64
pgt_visible_end_between(const TopicPartition *key, int64 offset, int64 end, Snapshot snapshot)
{
	TransactionId blocker;
	int64		stop = walk(key, offset, end, snapshot, &blocker);

	return TransactionIdIsValid(blocker) ? Min(stop, end) : end;
}

bool
pgt_visible_end_sees_behind(const TopicPartition *key, Snapshot snapshot, int64 offset)
{
	IndexCursor *cursor = begin_walk(key, offset, PG_INT64_MAX, snapshot);
	IndexEntry *entry;
	BatchVisibility seen = BATCH_SKIPPED;

	while (seen != BATCH_SEEN && (entry = pgt_index_cursor_next(cursor, &seen)) != NULL)
		pass(cursor, entry);
	pgt_index_cursor_end(cursor);
	return seen == BATCH_SEEN;
}
