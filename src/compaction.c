/*
 * compaction.c
 *	  Keeping the last record of each key: Kafka's log cleaner.
 *
 * Layer 7.
 */
#include "postgres.h"

#include "compaction.h"

bool
pgt_compaction_is_due(const Topic *topic, int32 partition, double *ratio)
{
	*ratio = 0;
	return false;
}

void
pgt_compaction_run(const Topic *topic, int32 partition, bool roll, bool dry_run,
				   CompactionResult *result)
{
	memset(result, 0, sizeof(*result));
}

int
pgt_compaction_collect(const Topic *topic, int32 partition)
{
	return 0;
}
