/*
 * maintenance_hold.h
 *	  What keeps retention or compaction from doing something to a partition:
 *	  the answer of either, and the view made of both.
 *
 * Layer 7.
 */
#ifndef MAINTENANCE_HOLD_H
#define MAINTENANCE_HOLD_H

#include "log/segment.h"
#include "topic/topic.h"

/* The answer; zero at first but for "until". */
typedef struct MaintenanceHold
{
	const char *by;				/* NULL: nothing does */
	const char *detail;			/* a sentence about it */
	bool		has_segment;	/* it is about the segment with that span of offsets */
	int64		base_offset;
	int64		end_offset;
	bool		has_timestamp;	/* of the record that is the youngest in it */
	int64		timestamp;		/* milliseconds since 1970 */
	int64		until;			/* when that will be over; HOLD_OPEN: not by time alone */
} MaintenanceHold;

#define HOLD_OPEN	PG_INT64_MAX

/* That segment holds it up, by its largest timestamp, until so long after that. */
extern void pgt_hold_by_timestamp(MaintenanceHold *hold, const char *by, int64 largest, int64 limit);

/* In retention.c: why the oldest segment is still there; false where there is none. */
extern bool pgt_retention_hold(const Topic *topic, int32 partition, MaintenanceHold *hold);

/* In compaction.c: why nothing is compacted; false where the topic is not. */
extern bool pgt_compaction_hold(const Topic *topic, int32 partition, MaintenanceHold *hold);

#endif							/* MAINTENANCE_HOLD_H */
