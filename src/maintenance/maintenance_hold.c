/*
 * maintenance_hold.c
 *	  Answers to the question what keeps retention or compaction from removing
 *	  records of a partition.
 *
 * retention.c and compaction.c each answer for themselves; what their answers have in
 * common is put together here.  The view made of them is in views/inspect_maintenance.c.
 */
#include "postgres.h"

#include "common/int.h"
#include "maintenance/maintenance_hold.h"

void
pgt_maintenance_hold_by_timestamp(MaintenanceHold *hold, const char *by, int64 largest, int64 limit)
{
	hold->by = by;
	hold->has_timestamp = true;
	hold->timestamp = largest;
	if (limit < 0 || pg_add_s64_overflow(largest, limit, &hold->until))
		hold->until = HOLD_OPEN;
}
