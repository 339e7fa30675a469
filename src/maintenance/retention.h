/*
 * retention.h
 *	  Removing old segments by the topic's rules, and telling when they go.
 */
#ifndef RETENTION_H
#define RETENTION_H

#include "maintenance/maintenance_hold.h"
#include "topic/topic.h"

typedef struct RetentionResult
{
	int			segments_deleted;
	int64		bytes_deleted;
	int64		log_start_offset;	/* afterwards */
} RetentionResult;

/*
 * Apply the topic's retention to one partition; with dry_run only say what
 * would go.  The caller holds ShareUpdateExclusiveLock on the topic (for a dry
 * run any lock will do).  Acts at once and is not undone by a rollback.
 */
extern void pgt_retention_run(const Topic *topic, int32 partition, bool dry_run,
							  RetentionResult *result);

/*
 * Remove the records below "offset", which is at most the last stable one,
 * whatever the topic's rules are.  The same lock, and as final.
 */
extern void pgt_retention_delete_before(const Topic *topic, int32 partition, int64 offset,
										RetentionResult *result);

/*
 * What a group is about to lose whose next offset is "next": how many offsets
 * of the segment that holds its next record, up to the last record there, and when
 * retention may take that, in milliseconds since 1970; now, where it may do so
 * already.  False where the topic's rules keep the records for it.
 */
extern bool pgt_retention_at_risk(const Topic *topic, int32 partition, int64 next,
								  int64 *records, int64 *at);

/* Tell why the partition's oldest segment is still there; false where nothing was ever appended. */
extern bool pgt_retention_hold(const Topic *topic, int32 partition, MaintenanceHold *hold);

#endif							/* RETENTION_H */
