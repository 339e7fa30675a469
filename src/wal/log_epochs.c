/*
 * log_epochs.c
 *	  Which batches of a partition were written under which leader.
 *
 * Each batch's header says under which leader it was written: the timeline of the WAL.  So it
 * survives the failover by itself, and nothing about it is kept elsewhere.  It never falls
 * from batch to batch, so where an epoch ends is found by a binary search over the offsets;
 * each step looks up one batch and reads its header.  Batches of older libraries have -1.
 *
 * Consumers ask this after a failover, to find out whether what they have read last is still
 * in the log.
 *
 * A batch that is replaced while it is looked at is looked for again.
 */
#include "postgres.h"

#include "log/batch_decoder.h"
#include "log/entry_walk.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "wal/log_epochs.h"

/* Where a batch's header has the epoch. */
#define EPOCH_POSITION	12

/* A batch that was found. */
typedef struct EpochBatch
{
	int64		first;
	int64		last;
	int32		epoch;
} EpochBatch;

/* Read the epoch of a batch.  False if its segment has gone. */
static bool
read_epoch(const EntryWalk *walk, const IndexEntry *entry, int32 *epoch)
{
	Segment    *segment = pgt_log_segments_open(walk->state, walk->segment);
	uint32		bytes;
	bool		done = segment != NULL &&
		pgt_segment_read(segment, entry->position + EPOCH_POSITION, (char *) &bytes, sizeof(bytes));

	if (!pgt_entry_walk_is_valid(walk))
		return false;
	if (!done)
		pgt_batch_decoder_fail(&walk->key, walk->segment, entry->position,
							   walk->segment.base + entry->first_delta, "the file ends before the batch");
	*epoch = (int32) pg_ntoh32(bytes);
	return true;
}

/* The walk's next batch; false at the end. */
static bool
next_batch(EntryWalk *walk, EpochBatch *batch)
{
	const IndexEntry *entry;

	while ((entry = pgt_entry_walk_next(walk)) != NULL)
	{
		batch->first = walk->segment.base + entry->first_delta;
		batch->last = walk->segment.base + entry->last_delta;
		if (read_epoch(walk, entry, &batch->epoch))
			return true;
		pgt_entry_walk_again(walk, entry);
	}
	return false;
}

/* The first batch that ends at or past an offset; false if there is none. */
static bool
batch_at(const TopicPartition *key, int64 offset, EpochBatch *batch)
{
	EntryWalk	walk;

	return pgt_entry_walk_begin(&walk, key, offset, NULL) && next_batch(&walk, batch);
}

/* The last batch that ends before an offset; false if there is none. */
static bool
batch_before(const TopicPartition *key, int64 offset, EpochBatch *batch)
{
	EntryWalk	walk;

	return pgt_entry_walk_begin_backward(&walk, key, offset) && next_batch(&walk, batch);
}

/* Where the first batch of a larger epoch begins, or the log's end. */
static int64
end_of(const TopicPartition *key, int32 epoch, const LogBounds *bounds)
{
	int64		low = bounds->log_start_offset;
	int64		high = bounds->next_offset;
	EpochBatch	batch;

	/* all batches before "low" are of it or smaller ones, and none from "high" on */
	if (batch_before(key, high, &batch) && batch.epoch <= epoch)
		return high;
	while (low < high)
	{
		int64		middle = low + (high - low) / 2;

		CHECK_FOR_INTERRUPTS();
		if (!batch_at(key, middle, &batch) || batch.first >= high)
			high = middle;
		else if (batch.epoch > epoch)
			high = Min(Max(batch.first, low), middle);
		else
			low = batch.last + 1;
	}
	return batch_at(key, low, &batch) ? Max(batch.first, low) : low;
}

LogEpochEnd
pgt_log_epochs_end(const TopicPartition *key, int32 epoch, int32 current)
{
	LogEpochEnd result = {.epoch = -1,.end = -1};
	LogBounds	bounds;
	EpochBatch	batch;

	if (epoch < 0 || epoch > current)
		return result;
	(void) pgt_partition_log_bounds(key, &bounds);
	result.epoch = epoch;
	result.end = bounds.next_offset;
	if (epoch == current)
		return result;
	result.end = end_of(key, epoch, &bounds);
	if (batch_before(key, result.end, &batch) && batch.epoch >= 0)
		result.epoch = Min(epoch, batch.epoch);
	return result;
}

int32
pgt_log_epochs_at(const TopicPartition *key, int64 offset)
{
	EpochBatch	batch;

	return batch_at(key, offset, &batch) ? Max(batch.epoch, -1) : -1;
}
