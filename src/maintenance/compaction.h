/*
 * compaction.h
 *	  Keeping the last record of each key: Kafka's log cleaner.
 */
#ifndef COMPACTION_H
#define COMPACTION_H

#include "maintenance/maintenance_hold.h"
#include "maintenance/segment_filter.h"
#include "topic/topic.h"

/*
 * Is a partition due to be compacted, by its dirty ratio or by max.compaction.lag.ms?
 * Sets *ratio to its dirty ratio; the worker starts with the highest.
 */
extern bool pgt_compaction_is_due(const Topic *topic, int32 partition, double *ratio);

/*
 * Compact one partition whether it is due or not; with dry_run only count what would
 * be removed.  "roll": start a new segment first, so that the resolved records of the
 * active one are compacted too (see pgt_sync_process_resolve()).  The caller holds
 * ShareUpdateExclusiveLock on the topic and is in a transaction; the segments are
 * swapped at once and stay swapped if the transaction is rolled back.  *result is of the
 * segments looked at.
 */
extern void pgt_compaction_run(const Topic *topic, int32 partition, bool roll, bool dry_run,
							   SegmentFilterCounts *result);

/*
 * Remove the segments of a partition that unfinished compactions have left; returns
 * how many.  The caller holds ShareUpdateExclusiveLock on the topic.
 */
extern int	pgt_compaction_collect(const Topic *topic, int32 partition);

/* Tell why the partition is not compacted now; false if the topic is not compacted, or nothing was ever appended. */
extern bool pgt_compaction_hold(const Topic *topic, int32 partition, MaintenanceHold *hold);

#endif							/* COMPACTION_H */
