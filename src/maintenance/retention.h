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
 * Apply the topic's retention to one partition; with dry_run only count what would be
 * removed.  The caller holds ShareUpdateExclusiveLock on the topic (for a dry run any
 * lock will do).  The removal takes effect at once and is not undone by a rollback.
 */
extern void pgt_retention_run(const Topic *topic, int32 partition, bool dry_run,
							  RetentionResult *result);

/*
 * Remove the records below "offset", which is at most the last stable offset, whatever
 * the topic's rules are.  The caller holds ShareUpdateExclusiveLock on the topic.  The
 * removal takes effect at once and is not undone by a rollback.
 */
extern void pgt_retention_delete_before(const Topic *topic, int32 partition, int64 offset,
										RetentionResult *result);

/*
 * Tell what a group of that name, whose next offset is "next", will lose first.  Sets *records to the
 * number of offsets, up to the last record, in the segment that holds the group's next
 * record, and *at to the time when retention may remove that segment, in milliseconds
 * since 1970; if it may do so already, to the present time.  False if the topic's rules
 * keep the records.
 */
extern bool pgt_retention_at_risk(const Topic *topic, const char *group, int32 partition, int64 next,
								  int64 *records, int64 *at);

/* Tell why the partition's oldest segment is still there; false if nothing was ever appended. */
extern bool pgt_retention_hold(const Topic *topic, int32 partition, MaintenanceHold *hold);

#endif							/* RETENTION_H */
