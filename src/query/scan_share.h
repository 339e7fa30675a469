/*
 * scan_share.h
 *	  How the processes of a parallel scan divide a topic.
 *
 * Layer 6.
 */
#ifndef SCAN_SHARE_H
#define SCAN_SHARE_H

#include "port/atomics.h"
#include "query/scan_bounds.h"
#include "utils/snapshot.h"

/* The offsets of a partition that the statement's snapshot sees. */
typedef struct VisibleRange
{
	int64		first;
	int64		end;			/* exclusive */
} VisibleRange;

/* In dynamic shared memory; all but the counter is set once, by the leader. */
typedef struct ScanShare
{
	pg_atomic_uint64 next_chunk;	/* the first chunk that nobody has taken */
	int32		partitions;
	VisibleRange visible[FLEXIBLE_ARRAY_MEMBER];	/* one a partition */
} ScanShare;

/* How far one process has got; start over with partition -1. */
typedef struct ScanShareCursor
{
	int			partition;
	uint64		first_chunk;	/* number of the partition's first chunk */
	uint64		end_chunk;		/* the next partition's */
} ScanShareCursor;

/* Bytes that a topic's share takes. */
extern Size pgt_scan_share_size(const Topic *topic);

/* The leader fills in the share; it looks up where the snapshot's scans end. */
extern void pgt_scan_share_init(ScanShare *share, const Topic *topic, Snapshot snapshot);

/* All chunks are to be read once more; no other process is attached. */
extern void pgt_scan_share_restart(ScanShare *share);

/*
 * Take the next chunk for this process: a range of offsets within the bounds,
 * which must be the same in all processes.  False: all chunks are taken.
 */
extern bool pgt_scan_share_next(ScanShare *share, ScanShareCursor *cursor, const ScanBounds *bounds,
								int *partition, int64 *first_offset, int64 *end_offset);

/*
 * A process has found, with its last chunk, that there is no record from its end
 * up to "offset": nobody needs to take the chunks between.
 */
extern void pgt_scan_share_skip(ScanShare *share, const ScanShareCursor *cursor,
								const ScanBounds *bounds, int64 offset);

#endif							/* SCAN_SHARE_H */
