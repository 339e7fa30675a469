/*
 * log_times.c
 *	  Finding records by their timestamps, for consumers outside of the database.
 *
 * log_reader.c does the same for a snapshot.  Here what counts is what has committed before
 * the stable end.
 *
 * An index entry has the smallest and the largest timestamp of its batch, and the largest one of
 * the segment up to it.  That never falls, so in each segment the first batch that reaches a
 * timestamp is found by a binary search, and a segment that does not reach it costs no more than
 * that.  Only a batch that must have the record is read and decoded.
 *
 * For the largest timestamp of all the walk goes backward.  As soon as the largest one up to an entry
 * is not above what was found, the rest of the segment cannot help.  Where timestamps
 * ascend that is so after one entry of each segment.
 *
 * Memory: what a batch takes to be read and decoded, in a context that is deleted at once.
 */
#include "postgres.h"

#include "log/batch_decoder.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/memutils.h"
#include "wal/batch_outcome.h"
#include "wal/log_times.h"

/* Where a batch's header has the epoch. */
#define EPOCH_POSITION	12

/* ---- a batch -------------------------------------------------------------------- */

/* Look for a record in a batch's bytes. */
static bool
search_bytes(const EntryWalk *walk, const IndexEntry *entry, const char *bytes, int64 timestamp,
			 LogTimesRecord *found)
{
	BatchDecoder decoder = {.context = CurrentMemoryContext};
	RecordBatchHeader header;
	RecordIterator iterator;
	Record		record;
	uint32		epoch;

	pgt_batch_decoder_check(&walk->key, walk->segment, entry, bytes, &header);
	pgt_batch_decoder_decode(&decoder, &walk->key, walk->segment, entry, bytes, &header, &iterator);
	while (pgt_record_iterator_next(&iterator, &record))
	{
		if (record.timestamp < timestamp || record.offset < walk->bounds.log_start_offset)
			continue;
		memcpy(&epoch, bytes + EPOCH_POSITION, sizeof(epoch));
		*found = (LogTimesRecord) {record.offset, record.timestamp, (int32) pg_ntoh32(epoch)};
		return true;
	}
	if (iterator.problem != NULL)
		pgt_batch_decoder_fail(&walk->key, walk->segment, entry->position,
							   walk->segment.base + entry->first_delta, iterator.problem);
	return false;
}

/* Read a batch, and look for a record in it.  *gone: its segment was deleted or replaced. */
static bool
search_batch(const EntryWalk *walk, const IndexEntry *entry, int64 timestamp, LogTimesRecord *found, bool *gone)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics batch", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	Segment    *segment = pgt_log_segments_open(walk->state, walk->segment);
	char	   *bytes = MemoryContextAllocHuge(context, entry->length);
	bool		read = segment != NULL && pgt_segment_read(segment, entry->position, bytes, entry->length);
	bool		result = false;

	*gone = !pgt_entry_walk_is_valid(walk);
	if (!*gone && !read)
		pgt_batch_decoder_fail(&walk->key, walk->segment, entry->position,
							   walk->segment.base + entry->first_delta, "the file ends before the batch");
	if (!*gone)
		result = search_bytes(walk, entry, bytes, timestamp, found);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return result;
}

/* ---- the interface --------------------------------------------------------------- */

bool
pgt_log_times_first(const TopicPartition *key, int64 timestamp, int64 end, LogTimesRecord *found)
{
	EntryWalk	walk;
	BatchOutcome memory = {0};
	const IndexEntry *entry;

	if (!pgt_entry_walk_begin(&walk, key, 0, NULL))
		return false;
	walk.min_timestamp = timestamp;
	while ((entry = pgt_entry_walk_next(&walk)) != NULL)
	{
		bool		gone;

		CHECK_FOR_INTERRUPTS();
		if (walk.segment.base + entry->last_delta >= end)
			break;
		if (entry->max_timestamp < timestamp ||
			pgt_batch_outcome_ask(&memory, &walk, entry, NULL) != BATCH_OUTCOME_COMMITTED)
			continue;
		if (search_batch(&walk, entry, timestamp, found, &gone))
			return true;
		if (gone)
			pgt_entry_walk_again(&walk, entry);
	}
	return false;
}

/* Has the batch of an entry committed, which a walk backward has returned?  It is before the stable end. */
static bool
counts(const EntryWalk *walk, const IndexEntry *entry)
{
	if ((entry->flags & ENTRY_ABORTED) != 0 || pgt_index_entry_is_numbered(entry))
		return false;
	return walk->segment.base + entry->last_delta < walk->bounds.resolved_offset ||
		pgt_transaction_outcome(entry->xid) != TRANSACTION_ABORTED;
}

bool
pgt_log_times_largest(const TopicPartition *key, int64 end, LogTimesRecord *found)
{
	EntryWalk	walk;
	const IndexEntry *entry;
	int64		largest = PG_INT64_MIN;

	if (!pgt_entry_walk_begin_backward(&walk, key, end))
		return false;
	while ((entry = pgt_entry_walk_next(&walk)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (entry->max_timestamp > largest && counts(&walk, entry))
			largest = entry->max_timestamp;
		if (entry->largest_timestamp <= largest)
			pgt_entry_walk_leave_segment(&walk);
	}
	return largest != PG_INT64_MIN && pgt_log_times_first(key, largest, end, found);
}
