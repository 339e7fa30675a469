/*
 * scan_share.c
 *	  Dividing a topic among the processes of a parallel scan.
 *
 * The offsets within the bounds are cut into chunks of equal length, counted
 * through all partitions:
 *
 *	  partition 0        partition 2
 *	  |  0 |  1 |  2 |   |  3 |  4 |
 *
 * Every process computes the same numbers from the share and its bounds, and
 * takes a chunk by adding one to the shared counter.  The numbers a process
 * gets only rise, so it walks the partitions once.  A batch that spans two
 * chunks is decoded twice, but each record belongs to one chunk.
 *
 * Explicit offsets can leave gaps of astronomical size, so a process that meets a gap
 * moves the counter behind it.  Each chunk with records is still taken exactly once: the
 * counter only rises, and it passes only chunks without a record.
 *
 * Invariant: a scan never reads past the end that whole_end.c has for its snapshot.  A
 * serial scan mostly just stops there.  A process that began behind that end would not
 * notice it, so the leader looks up the end of each partition beforehand.  A scan that does not stop at running
 * transactions ends where the log does.
 *
 * No locks but the atomic counters.  No WAL.  Memory: the query's dynamic
 * shared memory.
 */
#include "postgres.h"

#include "storage/shmem.h"

#include "query/scan_share.h"
#include "wal/whole_end.h"

/* Offsets of a chunk: many times those of a batch, a fraction of a large scan. */
#define CHUNK_OFFSETS	16384

Size
pgt_scan_share_size(const Topic *topic)
{
	return add_size(offsetof(ScanShare, visible),
					mul_size(topic->partitions, sizeof(ScanShareRange)));
}

void
pgt_scan_share_init(ScanShare *share, const Topic *topic, Snapshot snapshot, bool past_running)
{
	pg_atomic_init_u64(&share->next_chunk, 0);
	pg_atomic_init_u64(&share->batches_read, 0);
	pg_atomic_init_u64(&share->bytes_read, 0);
	pg_atomic_init_u64(&share->batches_skipped, 0);
	pg_atomic_init_u64(&share->bytes_skipped, 0);
	share->partitions = topic->partitions;
	for (int32 partition = 0; partition < topic->partitions; partition++)
	{
		TopicPartition key = pgt_topic_partition(topic, partition);
		ScanShareRange *visible = &share->visible[partition];
		TransactionId blocker;
		LogBounds	log;

		(void) pgt_partition_log_bounds(&key, &log);
		visible->first = log.log_start_offset;
		visible->end = past_running ? log.next_offset : pgt_whole_end(&key, snapshot, &blocker);
	}
}

void
pgt_scan_share_restart(ScanShare *share)
{
	pg_atomic_write_u64(&share->next_chunk, 0);
}

void
pgt_scan_share_add_counts(ScanShare *share, const LogReaderCounts *counts)
{
	pg_atomic_fetch_add_u64(&share->batches_read, counts->batches_read);
	pg_atomic_fetch_add_u64(&share->bytes_read, counts->bytes_read);
	pg_atomic_fetch_add_u64(&share->batches_skipped, counts->batches_skipped);
	pg_atomic_fetch_add_u64(&share->bytes_skipped, counts->bytes_skipped);
}

LogReaderCounts
pgt_scan_share_counts(ScanShare *share)
{
	return (LogReaderCounts) {
		.batches_read = pg_atomic_read_u64(&share->batches_read),
		.bytes_read = pg_atomic_read_u64(&share->bytes_read),
		.batches_skipped = pg_atomic_read_u64(&share->batches_skipped),
		.bytes_skipped = pg_atomic_read_u64(&share->bytes_skipped)
	};
}

/* The offsets of a partition that are both visible and within the bounds. */
static ScanShareRange
bounded_range(const ScanShare *share, const ScanBounds *bounds, int partition)
{
	ScanShareRange range = share->visible[partition];

	range.first = Max(range.first, bounds->first_offset);
	range.end = Min(range.end, bounds->end_offset);
	return range;
}

/* Move the cursor to the partition that has the chunk; false if no partition has it. */
static bool
seek_chunk(const ScanShare *share, ScanShareCursor *cursor, const ScanBounds *bounds, uint64 chunk)
{
	if (cursor->partition < 0)
		cursor->end_chunk = 0;
	while (cursor->partition < 0 || chunk >= cursor->end_chunk)
	{
		ScanShareRange range;

		cursor->partition = bms_next_member(bounds->partitions, cursor->partition);
		if (cursor->partition < 0 || cursor->partition >= share->partitions)
			return false;
		range = bounded_range(share, bounds, cursor->partition);
		cursor->first_chunk = cursor->end_chunk;
		if (range.first < range.end)
			cursor->end_chunk += (range.end - range.first + CHUNK_OFFSETS - 1) / CHUNK_OFFSETS;
	}
	return true;
}

void
pgt_scan_share_skip(ScanShare *share, const ScanShareCursor *cursor, const ScanBounds *bounds,
					int64 offset)
{
	ScanShareRange range = bounded_range(share, bounds, cursor->partition);
	uint64		taken = pg_atomic_read_u64(&share->next_chunk);
	uint64		chunk;

	if (offset < range.first)
		return;
	chunk = cursor->first_chunk + (uint64) (Min(offset, range.end) - range.first) / CHUNK_OFFSETS;
	while (taken < chunk && !pg_atomic_compare_exchange_u64(&share->next_chunk, &taken, chunk))
		;
}

bool
pgt_scan_share_next(ScanShare *share, ScanShareCursor *cursor, const ScanBounds *bounds,
					int *partition, int64 *first_offset, int64 *end_offset)
{
	uint64		chunk = pg_atomic_fetch_add_u64(&share->next_chunk, 1);
	ScanShareRange range;

	if (!seek_chunk(share, cursor, bounds, chunk))
		return false;
	range = bounded_range(share, bounds, cursor->partition);
	*partition = cursor->partition;
	*first_offset = range.first + (int64) (chunk - cursor->first_chunk) * CHUNK_OFFSETS;
	*end_offset = Min(*first_offset + CHUNK_OFFSETS, range.end);
	return true;
}
