/*
 * segment_rewrite.h
 *	  Writing finished segments anew and putting that in their place.
 *
 * Layer 3.
 */
#ifndef SEGMENT_REWRITE_H
#define SEGMENT_REWRITE_H

#include "log/partition_log.h"

typedef struct SegmentRewrite SegmentRewrite;

/*
 * Begin to rewrite "count" segments that follow each other into one.  All of
 * them must be finished and lie below the resolved offset; the caller keeps
 * everyone else from replacing or deleting them (ShareUpdateExclusiveLock on the
 * topic), is in a transaction, and calls pgt_segment_rewrite_abandon() should anything
 * fail, also by FATAL.  Nothing changes for others until the swap.
 * "compacted_end" goes into the new segment's header.
 */
extern SegmentRewrite *pgt_segment_rewrite_begin(PartitionState *state, const SegmentId *replaced,
												 int count, int64 compacted_end);

/*
 * Add a batch with its first and last offset; timestamps, transaction and LSN are
 * those of "origin".  ERROR where the disk is full.
 */
extern void pgt_segment_rewrite_add(SegmentRewrite *rewrite, int64 first_offset, int64 last_offset,
									const IndexEntry *origin, const char *batch, uint32 length);

/* Put the new segment in place, durably and in the WAL; the old ones are gone then. */
extern void pgt_segment_rewrite_swap(SegmentRewrite *rewrite);

/* Take everything back, unless it was swapped.  Frees the rewrite; the swap does not. */
extern void pgt_segment_rewrite_abandon(SegmentRewrite *rewrite);

/* Remove a segment's files that do not count; see pgt_segment_is_leftover(). */
extern void pgt_segment_rewrite_discard(PartitionState *state, SegmentId id);

#endif							/* SEGMENT_REWRITE_H */
