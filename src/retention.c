/*
 * retention.c
 *	  Removing old segments by the topic's rules.
 *
 * Layer 7.
 */
#include "postgres.h"

#include "retention.h"

void
pgt_retention_run(const Topic *topic, int32 partition, bool dry_run, RetentionResult *result)
{
	memset(result, 0, sizeof(*result));
}
