/*
 * batch_visibility.h
 *	  What a snapshot sees of a batch: all of it or nothing, by its transaction.
 */
#ifndef BATCH_VISIBILITY_H
#define BATCH_VISIBILITY_H

#include "log/partition_log.h"
#include "utils/snapshot.h"

typedef enum BatchVisibility
{
	BATCH_SEEN,
	BATCH_SKIPPED,				/* its transaction aborted */
	BATCH_BLOCKS,				/* running: nothing from here on may be read in order */
	BATCH_GONE					/* its segment was replaced: look again */
} BatchVisibility;

/* A snapshot that looks at one partition. */
typedef struct VisibilitySnapshot
{
	TopicPartition key;
	PartitionState *state;
	Snapshot	snapshot;
	uint64		xmin;			/* of the snapshot, as 64-bit ids */
	uint64		xmax;
	uint64		last_xid;		/* the last transaction looked up */
	BatchVisibility last_visibility;
} VisibilitySnapshot;

/* Prepare to look at a partition. */
extern void pgt_batch_visibility_begin(VisibilitySnapshot *view, const TopicPartition *key,
									   PartitionState *state, Snapshot snapshot);

/*
 * How the snapshot sees entry n of a segment, which was read after the bounds with that
 * resolved offset were copied.  Of a batch of a Kafka transaction that has ended, the entry gets the
 * id of the transaction that has ended it; while that is open, it stays numbered, and blocks.  On a standby, ERROR if it may see only a part of a merged batch.
 */
extern BatchVisibility pgt_batch_visibility(VisibilitySnapshot *view, SegmentId id, uint32 n,
											IndexEntry *entry, int64 resolved_offset);

/*
 * Below this offset the snapshot takes no transaction as running: the resolved offset or,
 * for a snapshot that is older than what is resolved, the log start.
 */
extern int64 pgt_batch_visibility_ended_below(const LogBounds *bounds, Snapshot snapshot);

#endif							/* BATCH_VISIBILITY_H */
