/*
 * scan_share.h
 *	  Dividing a topic among the processes of a parallel scan.
 */
#ifndef SCAN_SHARE_H
#define SCAN_SHARE_H

#include "port/atomics.h"
#include "query/scan_bounds.h"
#include "utils/snapshot.h"
#include "wal/log_reader_filter.h"

/* The offsets of a partition that the statement's snapshot sees. */
typedef struct ScanShareRange
{
	int64		first;
	int64		end;			/* exclusive */
} ScanShareRange;

/* In dynamic shared memory; all but the counters is set once, by the leader. */
typedef struct ScanShare
{
	pg_atomic_uint64 next_chunk;	/* the first chunk that no process has taken */
	/* what the workers have done, for EXPLAIN ANALYZE */
	pg_atomic_uint64 batches_read;
	pg_atomic_uint64 bytes_read;
	pg_atomic_uint64 batches_skipped;
	pg_atomic_uint64 bytes_skipped;
	int32		partitions;
	ScanShareRange visible[FLEXIBLE_ARRAY_MEMBER];	/* one a partition */
} ScanShare;

/* The position of one process; set partition to -1 to start over. */
typedef struct ScanShareCursor
{
	int			partition;
	uint64		first_chunk;	/* number of the partition's first chunk */
	uint64		end_chunk;		/* the next partition's */
} ScanShareCursor;

/* Bytes that a topic's share takes. */
extern Size pgt_scan_share_size(const Topic *topic);

/* Called by the leader: fill in the share, by looking up where the snapshot's scans end, which may read past running transactions. */
extern void pgt_scan_share_init(ScanShare *share, const Topic *topic, Snapshot snapshot, bool past_running);

/* Offer all chunks again; no other process is attached. */
extern void pgt_scan_share_restart(ScanShare *share);

/* Called by a worker: add what its readers have done.  And by the leader: what all workers have. */
extern void pgt_scan_share_add_counts(ScanShare *share, const LogReaderCounts *counts);
extern LogReaderCounts pgt_scan_share_counts(ScanShare *share);

/*
 * Take the next chunk for this process: a range of offsets within the bounds,
 * which must be the same in all processes.  False if all chunks are taken.
 */
extern bool pgt_scan_share_next(ScanShare *share, ScanShareCursor *cursor, const ScanBounds *bounds,
								int *partition, int64 *first_offset, int64 *end_offset);

/*
 * Called by a process that has found no record between the end of its last chunk and
 * "offset": no process needs to take the chunks between.
 */
extern void pgt_scan_share_skip(ScanShare *share, const ScanShareCursor *cursor,
								const ScanBounds *bounds, int64 offset);

#endif							/* SCAN_SHARE_H */
