/*
 * segment_filter.h
 *	  Rewriting segments without some of their records.
 */
#ifndef SEGMENT_FILTER_H
#define SEGMENT_FILTER_H

#include "log/batch_decoder.h"
#include "log/segment_scan.h"
#include "wal/segment_rewrite.h"

/*
 * ERROR (data_corrupted) if segments do not follow each other: a missing segment may be
 * restored later, with records that a rewrite would wrongly take for deleted.
 */
extern void pgt_segment_filter_check_log(PartitionState *state, const LogBounds *bounds);

/* What the filter does with a record. */
typedef enum SegmentFilterFate
{
	RECORD_KEPT,
	RECORD_KEPT_UNTIL_HORIZON,	/* a tombstone is kept, and its batch gets the delete horizon */
	RECORD_REMOVED
} SegmentFilterFate;

/*
 * Decides about one record.  "horizon" is its batch's delete horizon, or
 * PG_INT64_MIN if it has none.
 */
typedef SegmentFilterFate (*SegmentFilterJudge) (void *arg, const Record *record, int64 horizon);

/* Counts of what was read, and of what is kept. */
typedef struct SegmentFilterCounts
{
	int64		records_before;
	int64		records_after;
	int64		bytes_before;
	int64		bytes_after;
	int64		batches_before;
	int64		batches_after;
} SegmentFilterCounts;

typedef struct SegmentFilter SegmentFilter;

/*
 * Make a filter for one partition's segments.  It lives in a context of its own below
 * the current one.  delete_horizon: for batches with tombstones.  config: the topic's.
 * dry_run: only count.
 */
extern SegmentFilter *pgt_segment_filter_create(PartitionState *state, SegmentFilterJudge judge,
												void *arg, int64 delete_horizon,
												const LogConfig *config, bool dry_run);

/*
 * Let the filter merge the batches that end below "end" and have no record younger than the
 * timestamp "youngest" into full ones; before this is called it merges none.  The end is one
 * of pgt_visibility_horizon_whole_end().
 */
extern void pgt_segment_filter_merge(SegmentFilter *filter, int64 end, int64 youngest);

/*
 * Rewrite finished segments that follow each other as one segment.  A single segment
 * of which nothing is removed stays as it is unless "always".  The caller fulfils the
 * conditions of pgt_segment_rewrite_begin().
 */
extern void pgt_segment_filter_run(SegmentFilter *filter, const SegmentId *ids, int count,
								   int64 compacted_end, bool always);

extern const SegmentFilterCounts *pgt_segment_filter_counts(const SegmentFilter *filter);

/* Remove the unfinished segment that an error or FATAL has left. */
extern void pgt_segment_filter_abandon(SegmentFilter *filter);

extern void pgt_segment_filter_free(SegmentFilter *filter);

#endif							/* SEGMENT_FILTER_H */
