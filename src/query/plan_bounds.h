/*
 * plan_bounds.h
 *	  The bounds of a plan node's scan, by the values that its conditions have while it runs.
 */
#ifndef PLAN_BOUNDS_H
#define PLAN_BOUNDS_H

#include "fmgr.h"
#include "nodes/execnodes.h"
#include "query/scan_bounds.h"

/* A condition on record_timestamp with its value. */
typedef struct PlanBoundsTime
{
	FmgrInfo	compare;		/* record_timestamp op value */
	Datum		value;
} PlanBoundsTime;

typedef struct PlanBounds
{
	bool		are_known;		/* evaluated since the start or the last rescan */
	MemoryContext context;		/* what they need, until the next rescan */
	List	   *conditions;		/* ScanCondition */
	List	   *values;			/* ExprState, one for each condition */
	int			time_count;
	PlanBoundsTime *times;
} PlanBounds;

/* Prepare to evaluate the conditions (ScanCondition) of a node, with memory in the current context. */
extern void pgt_plan_bounds_init(PlanBounds *plan, PlanState *node, List *conditions);

/* Evaluate them, and set *bounds. */
extern void pgt_plan_bounds_evaluate(PlanBounds *plan, const Topic *topic, ExprContext *econtext,
									 ScanBounds *bounds);

/* Forget the values. */
extern void pgt_plan_bounds_end(PlanBounds *plan);

/*
 * Does a record of that time, in milliseconds, satisfy all conditions on record_timestamp?
 * They are comparisons, so if two times do, all between them do.
 */
extern bool pgt_plan_bounds_admit_time(PlanBounds *plan, int64 timestamp);

#endif							/* PLAN_BOUNDS_H */
