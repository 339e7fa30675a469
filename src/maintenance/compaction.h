/*
 * compaction.h
 *	  Keeping the last record of each key: Kafka's log cleaner.
 */
#ifndef COMPACTION_H
#define COMPACTION_H

#include "maintenance/maintenance_hold.h"
#include "topic/topic.h"

typedef struct CompactionResult
{
	int64		records_before; /* of the segments looked at */
	int64		records_after;
	int64		bytes_before;
	int64		bytes_after;
} CompactionResult;

/*
 * Is one partition due, by dirty ratio or by max.compaction.lag.ms?  *ratio is
 * its dirty ratio: the worker takes the highest first.
 */
extern bool pgt_compaction_is_due(const Topic *topic, int32 partition, double *ratio);

/*
 * Compact one partition whether it is due or not; with dry_run only say what
 * would go.  "roll": start a new segment first, so that what is in the active
 * one takes part (as far as it is resolved: pgt_log_resolve_now()).  The caller holds ShareUpdateExclusiveLock on the topic and
 * is in a transaction; the segments are swapped at once and stay so should it
 * be rolled back.
 */
extern void pgt_compaction_run(const Topic *topic, int32 partition, bool roll, bool dry_run,
							   CompactionResult *result);

/*
 * Remove what compactions that were broken off have left of a partition.
 * Returns how many segments.  Same lock.
 */
extern int	pgt_compaction_collect(const Topic *topic, int32 partition);

/* Tell why the partition is not compacted now; false where the topic is not compacted, or nothing was ever appended. */
extern bool pgt_compaction_hold(const Topic *topic, int32 partition, MaintenanceHold *hold);

#endif							/* COMPACTION_H */
