/*
 * plan_bounds.c
 *	  The bounds of a plan node's scan, by the values that its conditions have while it
 *	  runs.
 *
 * The values are evaluated when the first row is asked for, and again after each rescan:
 * parameters of a join or a subquery may have changed.
 *
 * Bounds on times are a millisecond too wide, and the executor checks each row.  A node
 * that makes no rows of records asks here instead: the operators themselves compare, so
 * the answer is the executor's, whatever rounding and infinities there are.
 *
 * No locks.  Memory: one context, reset with each evaluation.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "query/plan_bounds.h"
#include "util/clock.h"

void
pgt_plan_bounds_init(PlanBounds *plan, PlanState *node, List *conditions)
{
	List	   *values = NIL;
	ListCell   *cell;

	memset(plan, 0, sizeof(*plan));
	plan->context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics scan bounds",
										  ALLOCSET_SMALL_SIZES);
	plan->conditions = conditions;
	foreach(cell, conditions)
		values = lappend(values, ((const ScanCondition *) lfirst(cell))->value);
	plan->values = ExecInitExprList(values, node);
}

/* Keep a condition on the time; its value is not null. */
static void
add_time(PlanBounds *plan, const ScanCondition *condition, Datum value)
{
	TypeCacheEntry *times = lookup_type_cache(TIMESTAMPTZOID, TYPECACHE_BTREE_OPFAMILY);
	PlanBoundsTime *time = &plan->times[plan->time_count++];
	Oid			operator = get_opfamily_member(times->btree_opf, TIMESTAMPTZOID,
											   exprType((Node *) condition->value), condition->strategy);

	if (!OidIsValid(operator))
		elog(ERROR, "missing operator %d of record_timestamp", condition->strategy);
	fmgr_info(get_opcode(operator), &time->compare);
	time->value = value;
}

void
pgt_plan_bounds_evaluate(PlanBounds *plan, const Topic *topic, ExprContext *econtext, ScanBounds *bounds)
{
	MemoryContext caller;
	ListCell   *cell;
	ListCell   *value;

	MemoryContextReset(plan->context);
	caller = MemoryContextSwitchTo(plan->context);
	plan->time_count = 0;
	plan->times = palloc(Max(list_length(plan->conditions), 1) * sizeof(PlanBoundsTime));
	pgt_scan_bounds_init(bounds, topic->partitions);
	forboth(cell, plan->conditions, value, plan->values)
	{
		const ScanCondition *condition = lfirst(cell);
		bool		isnull;
		Datum		datum = ExecEvalExpr((ExprState *) lfirst(value), econtext, &isnull);

		pgt_scan_bounds_narrow(bounds, topic, condition, datum, isnull);
		if (condition->column == TOPIC_RECORD_TIMESTAMP && !isnull)
			add_time(plan, condition, datum);
	}
	if (topic->key_index && bounds->keys != NULL)
		bounds->probe = pgt_key_set_probe(bounds->keys);
	MemoryContextSwitchTo(caller);
	plan->are_known = true;
}

void
pgt_plan_bounds_end(PlanBounds *plan)
{
	MemoryContextDelete(plan->context);
}

bool
pgt_plan_bounds_admit_time(PlanBounds *plan, int64 timestamp)
{
	Datum		time;

	if (plan->time_count == 0)
		return true;
	time = TimestampTzGetDatum(pgt_clock_to_timestamptz(timestamp));
	for (int i = 0; i < plan->time_count; i++)
		if (!DatumGetBool(FunctionCall2(&plan->times[i].compare, time, plan->times[i].value)))
			return false;
	return true;
}
