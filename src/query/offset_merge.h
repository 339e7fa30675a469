/*
 * offset_merge.h
 *	  The records of several partitions by their offsets, in either direction.
 */
#ifndef OFFSET_MERGE_H
#define OFFSET_MERGE_H

#include "query/topic_walk.h"

typedef struct OffsetMerge OffsetMerge;

/*
 * Begin to read the partitions within the walk's bounds, by record_offset ascending or,
 * with "backward", descending.  Records of the same offset come by partition.  Memory is
 * in a context of its own below the current one.
 */
extern OffsetMerge *pgt_offset_merge_begin(TopicWalk *walk, bool backward);

/* The next record and its partition; its bytes stay good until the next call.  False at the end. */
extern bool pgt_offset_merge_next(OffsetMerge *merge, Record *record, int *partition);

/* End it, and free its memory. */
extern void pgt_offset_merge_end(OffsetMerge *merge);

#endif							/* OFFSET_MERGE_H */
