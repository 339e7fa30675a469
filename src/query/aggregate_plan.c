/*
 * aggregate_plan.c
 *	  Planning and explaining aggregates over a topic that its segments' indexes answer.
 *
 *	  SELECT [partition,] count(*), min(record_offset), max(record_offset),
 *			 min(record_timestamp), max(record_timestamp)
 *	  FROM topic WHERE <bounds> [GROUP BY partition] [HAVING ...]
 *
 * A topic's columns partition, record_offset and record_timestamp are never null, so
 * count() of them is count(*).  The aggregates may stand in expressions, which the scan
 * projects.  Each condition must be one that bounds a scan, since no record is looked at
 * that is wholly within the bounds (aggregate_scan.c); anything else, like FILTER or
 * DISTINCT, is left to the server.  Conditions on record_timestamp will do: records of
 * batches that they cut are checked.
 *
 * The path stands for the aggregation and the scan below it, and competes with the
 * server's own by its cost: of reading the index, 64 bytes a batch.
 *
 * The plan has no relation to scan.  Its fdw_scan_tlist has the aggregates, its
 * fdw_private the conditions as in topic_plan.c, an AggregatePlanColumn for each column, the
 * topic, and whether there is a row for each partition.
 *
 * No locks, no WAL; everything lives in the planner's context.
 */
#include "postgres.h"

#include "commands/explain.h"
#include "lib/stringinfo.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "optimizer/tlist.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "query/aggregate_plan.h"
#include "query/explain_bounds.h"
#include "query/fdw_callbacks.h"
#include "util/compat.h"

/* An aggregation that the index answers; in the grouped relation's fdw_private. */
typedef struct AggregatePlan
{
	const Topic *topic;
	Index		varno;			/* of the topic */
	List	   *clauses;		/* its conditions */
	List	   *tlist;			/* TargetEntry: partition, and aggregates */
	List	   *columns;		/* AggregatePlanColumn of each */
	List	   *having;
	bool		is_grouped;
} AggregatePlan;

/* Is the expression that column of the topic? */
static bool
is_column(const AggregatePlan *plan, const Node *node, TopicColumnId column)
{
	const Var  *var = (const Var *) node;

	return IsA(node, Var) && var->varno == plan->varno && var->varlevelsup == 0 &&
		var->varattno > 0 && var->varattno == plan->topic->attnum[column];
}

/* Set *column to what the aggregate asks for; false if the index does not answer it. */
static bool
match_aggregate(const AggregatePlan *plan, const Aggref *aggregate, AggregatePlanColumn *column)
{
	const Node *argument = aggregate->args == NIL ? NULL :
		(const Node *) linitial_node(TargetEntry, aggregate->args)->expr;

	if (aggregate->agglevelsup != 0 || aggregate->aggdistinct != NIL || aggregate->aggorder != NIL ||
		aggregate->aggfilter != NULL || aggregate->aggsplit != AGGSPLIT_SIMPLE)
		return false;
	switch (aggregate->aggfnoid)
	{
		case F_COUNT_:
			*column = AGGREGATE_COUNT;
			return true;
		case F_COUNT_ANY:
			*column = AGGREGATE_COUNT;
			return is_column(plan, argument, TOPIC_PARTITION) ||
				is_column(plan, argument, TOPIC_RECORD_OFFSET) ||
				is_column(plan, argument, TOPIC_RECORD_TIMESTAMP);
		case F_MIN_INT8:
			*column = AGGREGATE_MIN_OFFSET;
			return is_column(plan, argument, TOPIC_RECORD_OFFSET);
		case F_MAX_INT8:
			*column = AGGREGATE_MAX_OFFSET;
			return is_column(plan, argument, TOPIC_RECORD_OFFSET);
		case F_MIN_TIMESTAMPTZ:
			*column = AGGREGATE_MIN_TIMESTAMP;
			return is_column(plan, argument, TOPIC_RECORD_TIMESTAMP);
		case F_MAX_TIMESTAMPTZ:
			*column = AGGREGATE_MAX_TIMESTAMP;
			return is_column(plan, argument, TOPIC_RECORD_TIMESTAMP);
		default:
			return false;
	}
}

/* Add the partition or an aggregate to the columns; false if it is something else. */
static bool
add_column(AggregatePlan *plan, Node *node)
{
	AggregatePlanColumn column = AGGREGATE_PARTITION;
	int			before = list_length(plan->tlist);

	if (!(IsA(node, Aggref) ? match_aggregate(plan, (Aggref *) node, &column) :
		  plan->is_grouped && is_column(plan, node, TOPIC_PARTITION)))
		return false;
	plan->tlist = add_to_flat_tlist(plan->tlist, list_make1(node));
	if (list_length(plan->tlist) > before)
		plan->columns = lappend_int(plan->columns, column);
	return true;
}

/* Add all that the expressions need; false if the index does not have it. */
static bool
add_columns(AggregatePlan *plan, Node *expressions)
{
	ListCell   *cell;

	foreach(cell, pull_var_clause(expressions, PVC_INCLUDE_AGGREGATES | PVC_INCLUDE_WINDOWFUNCS |
								  PVC_INCLUDE_PLACEHOLDERS))
	{
		if (!add_column(plan, lfirst(cell)))
			return false;
	}
	return true;
}

/* Are there no groups, or is the partition the only thing to group by? */
static bool
match_groups(PlannerInfo *root, AggregatePlan *plan)
{
	ListCell   *cell;

	plan->is_grouped = root->parse->groupClause != NIL;
	foreach(cell, root->parse->groupClause)
	{
		Node	   *group = get_sortgroupclause_expr(lfirst(cell), root->processed_tlist);

		if (!is_column(plan, group, TOPIC_PARTITION))
			return false;
	}
	return root->parse->groupingSets == NIL;
}

/* Does each condition bound the scan, so that none is left for the records between? */
static bool
match_conditions(const RelOptInfo *rel, AggregatePlan *plan)
{
	ListCell   *cell;

	foreach(cell, rel->baserestrictinfo)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, cell);
		ScanCondition condition;

		if (rinfo->pseudoconstant ||
			!pgt_scan_condition_match(plan->topic, plan->varno, rinfo->clause, &condition) ||
			!(pgt_scan_condition_is_exact(&condition) || condition.column == TOPIC_RECORD_TIMESTAMP))
			return false;
		plan->clauses = lappend(plan->clauses, rinfo->clause);
	}
	return true;
}

/* What it costs to go through the index; *rows is how many groups there are. */
static Cost
index_cost(const AggregatePlan *plan, RelOptInfo *rel, double *rows)
{
	double		partitions;
	double		batches;

	pgt_topic_plan_estimate_batches(rel, &partitions, &batches);
	*rows = plan->is_grouped ? clamp_row_est(partitions) : 1;
	return cpu_operator_cost * (partitions + batches * Max(list_length(plan->columns), 1)) +
		seq_page_cost * batches * sizeof(IndexEntry) / BLCKSZ;
}

/* GetForeignUpperPaths: a path for an aggregation that the index answers. */
void
pgt_aggregate_plan_get_paths(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input,
							 RelOptInfo *output, void *extra)
{
	const GroupPathExtraData *group = extra;
	AggregatePlan *plan;
	double		rows;
	Cost		cost;
	Path	   *path;

	if (stage != UPPERREL_GROUP_AGG || input->reloptkind != RELOPT_BASEREL ||
		input->fdw_private == NULL || output->fdw_private != NULL || IS_DUMMY_REL(input) ||
		group->patype != PARTITIONWISE_AGGREGATE_NONE)
		return;
	plan = palloc0(sizeof(AggregatePlan));
	plan->topic = pgt_topic_plan_topic(input);
	plan->varno = input->relid;
	plan->having = (List *) group->havingQual;
	if (!match_groups(root, plan) || !match_conditions(input, plan) ||
		!add_columns(plan, (Node *) output->reltarget->exprs) ||
		!add_columns(plan, (Node *) plan->having) ||
		plan->tlist == NIL)
		return;
	output->fdw_private = plan;
	cost = index_cost(plan, input, &rows);
	path = (Path *) PGT_UPPER_PATH(root, output, output->reltarget, rows, cost,
								   cost + rows * output->reltarget->cost.per_tuple);
	if (plan->is_grouped && pgt_topic_plan_comes_by_partition(root->sort_pathkeys, input))
		path->pathkeys = root->sort_pathkeys;
	add_path(output, path);
}

ForeignScan *
pgt_aggregate_plan_get_plan(RelOptInfo *rel, List *tlist)
{
	const AggregatePlan *plan = rel->fdw_private;
	List	   *values = NIL;
	List	   *conditions = NIL;
	ListCell   *cell;

	foreach(cell, plan->clauses)
	{
		ScanCondition condition;

		(void) pgt_scan_condition_match(plan->topic, plan->varno, lfirst(cell), &condition);
		pgt_scan_condition_encode(&condition, &values, &conditions);
	}
	return make_foreignscan(tlist, plan->having, 0, values,
							list_make4(conditions, plan->columns, list_make1_oid(plan->topic->relid),
									   list_make1_int(plan->is_grouped)),
							plan->tlist, NIL, NULL);
}

/* ---- reading the plan ------------------------------------------------------- */

Oid
pgt_aggregate_plan_topic(const ForeignScan *plan)
{
	return linitial_oid(lthird(plan->fdw_private));
}

List *
pgt_aggregate_plan_columns(const ForeignScan *plan)
{
	return lsecond(plan->fdw_private);
}

bool
pgt_aggregate_plan_is_grouped(const ForeignScan *plan)
{
	return linitial_int(lfourth(plan->fdw_private)) != 0;
}

/* ExplainForeignScan: show what is taken from the index, and the bounds. */
void
pgt_aggregate_plan_explain(ForeignScanState *node, struct ExplainState *es)
{
	static const char *const names[] = {
		[AGGREGATE_PARTITION] = "partition",
		[AGGREGATE_COUNT] = "count(*)",
		[AGGREGATE_MIN_OFFSET] = "min(record_offset)",
		[AGGREGATE_MAX_OFFSET] = "max(record_offset)",
		[AGGREGATE_MIN_TIMESTAMP] = "min(record_timestamp)",
		[AGGREGATE_MAX_TIMESTAMP] = "max(record_timestamp)"
	};
	const ForeignScan *plan = (const ForeignScan *) node->ss.ps.plan;
	Oid			topic = pgt_aggregate_plan_topic(plan);
	List	   *aggregates = NIL;
	ListCell   *cell;

	foreach(cell, pgt_aggregate_plan_columns(plan))
	{
		char	   *name = (char *) names[lfirst_int(cell)];

		if (!list_member_ptr(aggregates, name))
			aggregates = lappend(aggregates, name);
	}
	pgt_explain_bounds_show_topic(topic, es);
	ExplainPropertyList("From Index", aggregates, es);
	if (pgt_aggregate_plan_is_grouped(plan))
		ExplainPropertyText("Group Key", "partition", es);
	pgt_explain_bounds_show(node->ss.ps.plan, pgt_topic_plan_conditions(plan), pgt_topic_get(topic), es);
}
