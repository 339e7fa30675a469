/*
 * index_aggregate.h
 *	  Aggregates over a topic that its segments' indexes answer.
 */
#ifndef INDEX_AGGREGATE_H
#define INDEX_AGGREGATE_H

#include "nodes/pg_list.h"
#include "nodes/plannodes.h"

/* A column of the result. */
typedef enum IndexAggregate
{
	INDEX_PARTITION,			/* the group's */
	INDEX_COUNT,
	INDEX_MIN_OFFSET,
	INDEX_MAX_OFFSET,
	INDEX_MIN_TIMESTAMP,
	INDEX_MAX_TIMESTAMP
} IndexAggregate;

/* What a plan's scan needs: the topic, the columns (IndexAggregate) and whether each partition has its row. */
extern Oid	pgt_aggregate_plan_topic(const ForeignScan *plan);
extern List *pgt_aggregate_plan_columns(const ForeignScan *plan);
extern bool pgt_aggregate_plan_is_grouped(const ForeignScan *plan);

#endif							/* INDEX_AGGREGATE_H */
