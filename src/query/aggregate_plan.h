/*
 * aggregate_plan.h
 *	  Planning and explaining aggregates over a topic that its segments' indexes answer.
 */
#ifndef AGGREGATE_PLAN_H
#define AGGREGATE_PLAN_H

#include "foreign/fdwapi.h"

/* A column of the result. */
typedef enum AggregatePlanColumn
{
	AGGREGATE_PARTITION,		/* the group's */
	AGGREGATE_COUNT,
	AGGREGATE_MIN_OFFSET,
	AGGREGATE_MAX_OFFSET,
	AGGREGATE_MIN_TIMESTAMP,
	AGGREGATE_MAX_TIMESTAMP
} AggregatePlanColumn;

/* GetForeignUpperPaths, and GetForeignPlan and ExplainForeignScan for its paths. */
extern void pgt_aggregate_plan_get_paths(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input,
										 RelOptInfo *output, void *extra);
extern ForeignScan *pgt_aggregate_plan_get_plan(RelOptInfo *rel, List *tlist);
extern void pgt_aggregate_plan_explain(ForeignScanState *node, struct ExplainState *es);

/* What a plan's scan needs: the topic, the columns (AggregatePlanColumn), and whether each partition has its row. */
extern Oid	pgt_aggregate_plan_topic(const ForeignScan *plan);
extern List *pgt_aggregate_plan_columns(const ForeignScan *plan);
extern bool pgt_aggregate_plan_is_grouped(const ForeignScan *plan);

#endif							/* AGGREGATE_PLAN_H */
