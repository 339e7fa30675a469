/*
 * latest_plan.c
 *	  Planning latest() in FROM.
 *
 * A function in FROM does not see the query's conditions, so latest() reads the whole topic.
 * Where there are conditions that leave less to read, the planner's hook for paths puts a
 * custom scan (latest_node.c) in the place of its FunctionScan:
 *
 *	  FROM latest(NULL::customers) WHERE key = 'x'
 *
 *	  FunctionScan on latest			CustomScan (Latest)
 *		Filter: key = 'x'		->		  Filter: key = 'x'
 *										  Key: = 'x'
 *
 * The conditions are those that bound a topic's own scan (scan_bounds.h), on key and
 * partition.  Which record is the last one of its key depends on neither, as equal keys are
 * all in or all out; but it does depend on offsets and times, so these conditions bound
 * nothing and are only checked.
 *
 * This is done by a hook and not by a support function of latest(): such a function is asked
 * before the conditions have their places, sees a call and not the columns of its result,
 * and cannot offer a path that is run for each row of the outer side of a join.
 *
 * The function itself runs as ever where there is no such condition, where the call is not
 * all of its range table entry (ORDINALITY, ROWS FROM) or stands elsewhere than in FROM, where
 * its argument is not a plain null, and in a copy of it that the server wraps.  So that the
 * planner can choose between it and a path for the inner side of a join, the FunctionScan is
 * given the cost of what it reads; the server knows none.
 *
 * The plan names the topic among its relations, so that a change of it is noticed.
 *
 * Locks: AccessShareLock on the topic, as the function takes.  Memory: the planner's.
 */
#include "postgres.h"

#include <math.h>

#include "access/stratnum.h"
#include "nodes/extensible.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"

#include "query/function_node.h"
#include "query/latest.h"
#include "query/latest_node.h"
#include "query/latest_plan.h"
#include "query/outer_bounds.h"
#include "util/compat.h"

/* Records of a batch that are decoded to find one of them: a guess. */
#define RECORDS_PER_LOOKUP	100

/* Pages from the disk for a key: one of the index of keys and one of the log. */
#define PAGES_PER_LOOKUP	2

static set_rel_pathlist_hook_type previous_set_rel_pathlist = NULL;

/* ---- conditions ----------------------------------------------------------- */

/* Does the clause leave less to read?  If so, fills in *condition. */
static bool
match(const Topic *topic, const RelOptInfo *rel, RestrictInfo *rinfo, ScanCondition *condition)
{
	return !rinfo->pseudoconstant &&
		pgt_scan_condition_match(topic, rel->relid, rinfo->clause, condition) &&
		(condition->column == TOPIC_KEY || condition->column == TOPIC_PARTITION);
}

/* ---- costs ---------------------------------------------------------------- */

/* What there is to read under some conditions. */
typedef struct LatestEstimate
{
	int			conditions;
	double		keys;			/* 0: all */
	double		partitions;
	double		bytes;
	double		records;
} LatestEstimate;

/* Share of the partitions that a condition of unknown value leaves. */
static double
guess_selectivity(const Topic *topic, const ScanCondition *condition)
{
	bool		is_one = condition->column == TOPIC_PARTITION ?
		condition->strategy == BTEqualStrategyNumber && !condition->is_array :
		pgt_scan_condition_names_partition(topic, condition);

	return is_one ? 1.0 / topic->partitions : 1;
}

/* Estimate what there is to read under clauses (RestrictInfo). */
static LatestEstimate
estimate(PlannerInfo *root, const RelOptInfo *rel, const Topic *topic, List *clauses)
{
	LatestEstimate read = {0};
	ScanBounds	bounds;
	double		share = 1;
	ListCell   *cell;

	pgt_scan_bounds_init(&bounds, topic->partitions);
	foreach(cell, clauses)
	{
		ScanCondition condition;

		if (!match(topic, rel, lfirst_node(RestrictInfo, cell), &condition))
			continue;
		read.conditions++;
		if (condition.column == TOPIC_KEY)
		{
			double		keys = condition.is_array ?
				PGT_ARRAY_LENGTH(root, (Node *) condition.value) : 1;

			read.keys = read.keys == 0 ? Max(keys, 1) : Min(read.keys, Max(keys, 1));
		}
		if (!pgt_scan_bounds_narrow_by_estimate(root, &bounds, topic, &condition))
			share *= guess_selectivity(topic, &condition);
	}
	pgt_scan_bounds_estimate(&bounds, topic, &read.records, &read.bytes);
	read.records *= share;
	read.bytes *= share;
	read.partitions = Max(bms_num_members(bounds.partitions) * share, 1);
	return read;
}

/* The cost of reading that much: twice, by the index of keys or, for some keys, once. */
static Cost
reading_cost(const LatestEstimate *read, const Topic *topic)
{
	Cost		once = ceil(read->bytes / BLCKSZ) * seq_page_cost + read->records * cpu_operator_cost;

	if (read->keys == 0)
		return 2 * once;
	if (!topic->key_index)
		return once;
	return Min(once, read->keys * read->partitions *
			   (PAGES_PER_LOOKUP * random_page_cost + RECORDS_PER_LOOKUP * cpu_operator_cost));
}

/* ---- the plan ------------------------------------------------------------- */

/* PlanCustomPath: make the plan node. */
static Plan *
plan_path(PlannerInfo *root, RelOptInfo *rel, CustomPath *path, List *tlist, List *clauses,
		  List *custom_plans)
{
	CustomScan *scan = makeNode(CustomScan);
	const Topic *topic = pgt_topic_get(linitial_oid(lsecond(path->custom_private)));
	List	   *values = NIL;
	List	   *numbers = NIL;
	ListCell   *cell;

	foreach(cell, clauses)
	{
		ScanCondition condition;

		if (match(topic, rel, lfirst_node(RestrictInfo, cell), &condition))
			pgt_scan_condition_encode(&condition, &values, &numbers);
	}
	scan->scan.plan.targetlist = tlist;
	scan->scan.plan.qual = extract_actual_clauses(clauses, false);
	scan->scan.scanrelid = 0;
	scan->flags = path->flags;
	pgt_latest_node_set(scan, linitial(path->custom_private), topic, values, numbers);
	scan->custom_scan_tlist = pgt_function_node_columns(rel, scan->scan.plan.qual);
	return &scan->scan.plan;
}

/* ---- paths ---------------------------------------------------------------- */

static const CustomPathMethods path_methods = {
	.CustomName = "Latest",
	.PlanCustomPath = plan_path,
};

/*
 * Add the path that reads what the rel's own conditions and, with "outer", those of a join
 * leave.
 */
static void
add_latest_path(PlannerInfo *root, RelOptInfo *rel, const Topic *topic, Node *call, Relids outer)
{
	ParamPathInfo *param = get_baserel_parampathinfo(root, rel, outer);
	List	   *clauses = list_concat_copy(rel->baserestrictinfo, param == NULL ? NIL : param->ppi_clauses);
	LatestEstimate read = estimate(root, rel, topic, clauses);
	CustomPath *path = makeNode(CustomPath);

	path->path.pathtype = T_CustomScan;
	path->path.parent = rel;
	path->path.pathtarget = rel->reltarget;
	path->path.param_info = param;
	path->path.rows = param == NULL ? rel->rows : param->ppi_rows;
	if (read.keys > 0)
		path->path.rows = clamp_row_est(Min(path->path.rows, read.keys * read.partitions));
	path->path.startup_cost = rel->baserestrictcost.startup + rel->reltarget->cost.startup;
	path->path.total_cost = path->path.startup_cost + reading_cost(&read, topic) +
		path->path.rows * (cpu_tuple_cost + rel->baserestrictcost.per_tuple + rel->reltarget->cost.per_tuple);
	path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	path->custom_private = list_make2(call, list_make1_oid(topic->relid));
	path->methods = &path_methods;
	add_path(rel, (Path *) path);
}

/* The topic that the call reads; InvalidOid if a plan node cannot stand for it. */
static Oid
topic_of_call(const RelOptInfo *rel, Node *call)
{
	const Path *path = rel->pathlist == NIL ? NULL : linitial(rel->pathlist);
	const Node *argument;
	Oid			relid;

	if (path == NULL || path->pathtype != T_FunctionScan || !bms_is_empty(rel->lateral_relids) ||
		!pgt_latest_is_call(call))
		return InvalidOid;
	argument = linitial(((const FuncExpr *) call)->args);
	if (!IsA(argument, Const) || !((const Const *) argument)->constisnull)
		return InvalidOid;
	relid = get_typ_typrelid(((const Const *) argument)->consttype);
	if (!OidIsValid(relid))
		return InvalidOid;
	LockRelationOid(relid, AccessShareLock);
	return pgt_topic_exists(relid) ? relid : InvalidOid;
}

/* Give the function's own path, which reads all, the cost of that. */
static void
add_cost(Path *path, Cost cost)
{
	path->startup_cost += cost;
	path->total_cost += cost;
}

/* set_rel_pathlist_hook */
static void
plan_set_rel_pathlist(PlannerInfo *root, RelOptInfo *rel, Index rti, RangeTblEntry *entry)
{
	Node	   *call;
	Oid			relid;
	const Topic *topic;
	LatestEstimate all;
	ListCell   *cell;

	if (previous_set_rel_pathlist)
		previous_set_rel_pathlist(root, rel, rti, entry);
	call = pgt_function_node_call(entry);
	relid = call == NULL ? InvalidOid : topic_of_call(rel, call);
	if (!OidIsValid(relid))
		return;
	topic = pgt_topic_get(relid);
	root->glob->relationOids = lappend_oid(root->glob->relationOids, relid);
	all = estimate(root, rel, topic, NIL);
	add_cost(linitial(rel->pathlist), reading_cost(&all, topic));
	if (estimate(root, rel, topic, rel->baserestrictinfo).conditions > 0)
	{
		rel->pathlist = NIL;
		rel->partial_pathlist = NIL;
		add_latest_path(root, rel, topic, call, NULL);
	}
	if (!topic->key_index)
		return;
	foreach(cell, pgt_outer_bounds_relids(root, rel, topic))
		add_latest_path(root, rel, topic, call, lfirst(cell));
}

void
pgt_latest_plan_init(void)
{
	RegisterCustomScanMethods(&pgt_latest_node_methods);
	previous_set_rel_pathlist = set_rel_pathlist_hook;
	set_rel_pathlist_hook = plan_set_rel_pathlist;
}
