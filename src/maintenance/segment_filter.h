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
 * ERROR (data_corrupted) where segments do not follow each other: what is missing
 * may come back, with records that a rewriting takes for gone.
 */
extern void pgt_segment_filter_check_log(PartitionState *state, const LogBounds *bounds);

/* What becomes of a record. */
typedef enum RecordFate
{
	RECORD_KEPT,
	RECORD_KEPT_UNTIL_HORIZON,	/* a tombstone: stamp its batch with the delete horizon */
	RECORD_REMOVED
} RecordFate;

/*
 * Decides about one record.  "horizon" is its batch's delete horizon, or
 * PG_INT64_MIN where it has none.
 */
typedef RecordFate (*RecordJudge) (void *arg, const Record *record, int64 horizon);

/* Counts of what was looked at and what is left of it. */
typedef struct FilterCounts
{
	int64		records_before;
	int64		records_after;
	int64		bytes_before;
	int64		bytes_after;
} FilterCounts;

typedef struct SegmentFilter SegmentFilter;

/*
 * A filter for one partition's segments.  It lives in a context of its own below
 * the current one.  delete_horizon: what tombstones' batches are stamped with.
 * level: of the codec "compression", for batches that are compressed with it;
 * others take their codec's default.  dry_run: count only.
 */
extern SegmentFilter *pgt_segment_filter_create(PartitionState *state, RecordJudge judge, void *arg,
												int64 delete_horizon, int compression, int level,
												bool dry_run);

/*
 * Rewrite finished segments that follow each other as one.  A single one of
 * which nothing is removed stays as it is unless "always".  The conditions of
 * pgt_rewrite_begin() hold.
 */
extern void pgt_segment_filter_run(SegmentFilter *filter, const SegmentId *ids, int count,
								   int64 compacted_end, bool always);

extern const FilterCounts *pgt_segment_filter_counts(const SegmentFilter *filter);

/* Take back what an error or FATAL has left half done. */
extern void pgt_segment_filter_abandon(SegmentFilter *filter);

extern void pgt_segment_filter_free(SegmentFilter *filter);

#endif							/* SEGMENT_FILTER_H */
