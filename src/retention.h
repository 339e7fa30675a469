/*
 * retention.h
 *	  Removing old segments by the topic's rules.
 *
 * Layer 7.
 */
#ifndef RETENTION_H
#define RETENTION_H

#include "topic.h"

typedef struct RetentionResult
{
	int			segments_deleted;
	int64		bytes_deleted;
	int64		log_start_offset;	/* afterwards */
} RetentionResult;

/*
 * Apply the topic's retention to one partition; with dry_run only say what
 * would go.  The caller holds ShareUpdateExclusiveLock on the topic.
 */
extern void pgt_retention_run(const Topic *topic, int32 partition, bool dry_run,
							  RetentionResult *result);

#endif							/* RETENTION_H */
