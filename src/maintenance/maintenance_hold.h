/*
 * maintenance_hold.h
 *	  Answers to the question what keeps retention or compaction from removing
 *	  records of a partition.
 */
#ifndef MAINTENANCE_HOLD_H
#define MAINTENANCE_HOLD_H

#include "c.h"

#define HOLD_OPEN	PG_INT64_MAX	/* of "until": does not end by time alone */

/* An answer; all fields are zero at first except "until", which is HOLD_OPEN. */
typedef struct MaintenanceHold
{
	const char *by;				/* the option or event that holds it back; NULL: nothing does */
	const char *detail;			/* a sentence that explains it */
	bool		has_segment;	/* the answer is about the segment with these offsets */
	int64		base_offset;
	int64		end_offset;
	bool		has_timestamp;	/* the answer is about the segment's youngest record */
	int64		timestamp;		/* of that record, milliseconds since 1970 */
	int64		until;			/* when the hold ends, milliseconds since 1970; or HOLD_OPEN */
} MaintenanceHold;

/*
 * Let the hold be by the option "by", because of the record with the timestamp
 * "largest", until "limit" milliseconds after that; a negative limit never ends.
 */
extern void pgt_maintenance_hold_by_timestamp(MaintenanceHold *hold, const char *by, int64 largest, int64 limit);

#endif							/* MAINTENANCE_HOLD_H */
