/*
 * segment_rewrite.h
 *	  Rewriting finished segments and replacing them by the result.
 */
#ifndef SEGMENT_REWRITE_H
#define SEGMENT_REWRITE_H

#include "log/partition_log.h"

typedef struct SegmentRewrite SegmentRewrite;

/*
 * Begin to rewrite "count" segments, which follow each other, into one.  They must be
 * finished and lie below the resolved offset.  The caller is in a transaction, keeps
 * other processes from replacing or deleting the segments (ShareUpdateExclusiveLock
 * on the topic), and calls pgt_segment_rewrite_abandon() if anything fails, even with
 * FATAL.  Other processes see no change until the swap.  "compacted_end" goes into the
 * new segment's header.
 */
extern SegmentRewrite *pgt_segment_rewrite_begin(PartitionState *state, const SegmentId *replaced,
												 int count, int64 compacted_end);

/*
 * Add a batch with its first and last offset.  It gets the timestamps, transaction and LSN
 * of the entry "origin".  ERROR if the disk is full.
 */
extern void pgt_segment_rewrite_add(SegmentRewrite *rewrite, int64 first_offset, int64 last_offset,
									const IndexEntry *origin, const char *batch, uint32 length);

/* Replace the old segments by the new one, durably and in the WAL; the old ones are gone after that. */
extern void pgt_segment_rewrite_swap(SegmentRewrite *rewrite);

/* Undo everything, unless the new segment was swapped in.  Frees the rewrite, which the swap does not. */
extern void pgt_segment_rewrite_abandon(SegmentRewrite *rewrite);

/* Remove a segment's files, which do not count; see pgt_segment_is_leftover(). */
extern void pgt_segment_rewrite_discard(PartitionState *state, SegmentId id);

#endif							/* SEGMENT_REWRITE_H */
