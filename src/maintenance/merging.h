/*
 * merging.h
 *	  Putting small batches together into full ones.
 */
#ifndef MERGING_H
#define MERGING_H

#include "maintenance/maintenance_hold.h"
#include "maintenance/segment_filter.h"
#include "topic/topic.h"

/* Does a partition have segments with so many small batches that the worker should merge them? */
extern bool pgt_merging_is_due(const Topic *topic, int32 partition);

/*
 * Merge the batches of one partition's segments; with dry_run only count.  "by_hand": start
 * a new segment first, and take segments of which less would be gained.  The caller holds
 * ShareUpdateExclusiveLock on the topic and is in a transaction; the segments are swapped at
 * once and stay swapped if the transaction is rolled back.  *result is of the segments that
 * were rewritten.  False: nothing was rewritten.
 */
extern bool pgt_merging_run(const Topic *topic, int32 partition, bool by_hand, bool dry_run,
							SegmentFilterCounts *result);

/* Tell why the partition's batches are not merged now; false if they never are, or nothing was ever appended. */
extern bool pgt_merging_hold(const Topic *topic, int32 partition, MaintenanceHold *hold);

#endif							/* MERGING_H */
