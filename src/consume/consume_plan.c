/*
 * consume_plan.c
 *	  The plan node that consumes: planning it.
 *
 * A set-returning function in FROM is run by a FunctionScan, which takes all its rows before
 * it gives the first one.  For consume(), consume_as() and consume_many() that would consume
 * records that the statement never asks for, as below LIMIT.  So the planner's hook puts a
 * custom scan (consume_node.c) in its place, which gives one record at a time:
 *
 *	  FROM consume('orders', 'g') c		FunctionScan	->	CustomScan "Consume"
 *
 * There is a FunctionScan for a range table entry with one call and without ORDINALITY; for
 * others, the function itself runs (consume.c).  The call is recognized by the address of
 * its C function, so a copy with SECURITY DEFINER or SET, which the server wraps, keeps its
 * FunctionScan, and its role and settings.
 *
 * The path has no flag for reading backward, and no parallel one.  Where a cursor is to
 * scroll, the planner puts a Material node on top.
 *
 * A call for each row of another table (LATERAL), also one in a sub-select, is made for each
 * row.  A Memoize node would give the records of an earlier call with the same arguments once
 * more.  The planner thinks of one where a rel has lateral_vars, so there are none left.
 *
 * What such a node has in common with others that stand for a function is function_node.c's.
 *
 * The call stands in custom_exprs, so that the planner treats its arguments like any
 * expression (LATERAL, sub-selects), and that the plan depends on the function.
 *
 * Locks: none.  Memory: the planner's.
 */
#include "postgres.h"

#include "nodes/nodeFuncs.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"

#include "consume/consume_node.h"
#include "consume/consume_plan.h"
#include "consume/consume_request.h"
#include "consume/consume_wait.h"
#include "query/function_node.h"

static set_rel_pathlist_hook_type previous_set_rel_pathlist = NULL;

/* ---- the plan ----------------------------------------------------------- */

/* PlanCustomPath: make the plan node. */
static Plan *
plan_path(PlannerInfo *root, RelOptInfo *rel, CustomPath *path, List *tlist, List *clauses,
		  List *custom_plans)
{
	CustomScan *scan = makeNode(CustomScan);

	scan->scan.plan.targetlist = tlist;
	scan->scan.plan.qual = extract_actual_clauses(clauses, false);
	scan->scan.scanrelid = 0;
	scan->flags = path->flags;
	scan->methods = &pgt_consume_node_methods;
	scan->custom_exprs = list_make1(copyObject(linitial(path->custom_private)));
	scan->custom_scan_tlist = pgt_function_node_columns(rel, scan->scan.plan.qual);
	return &scan->scan.plan;
}

static const CustomPathMethods path_methods = {
	.CustomName = "Consume",
	.PlanCustomPath = plan_path,
};

/* ---- the path ----------------------------------------------------------- */

/* The call that a range table entry consists of, if it is one of consume() that can be a plan node; else NULL. */
static Node *
call_of_entry(const RangeTblEntry *entry)
{
	Node	   *call = pgt_function_node_call(entry);

	/* consume_shared() acquires all of its records at once */
	return pgt_consume_wait_is_call(call) && !pgt_consume_request_is_shared((FuncExpr *) call) ? call : NULL;
}

/* A path of a scan of the call, in place of one of a function scan. */
static CustomPath *
make_path(RelOptInfo *rel, Node *call, const Path *before)
{
	CustomPath *path = makeNode(CustomPath);

	path->path.pathtype = T_CustomScan;
	path->path.parent = rel;
	path->path.pathtarget = rel->reltarget;
	path->path.param_info = before->param_info;
	path->path.rows = before->rows;
	path->path.startup_cost = 0;
	path->path.total_cost = before->total_cost;
	path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	path->custom_private = list_make1(call);
	path->methods = &path_methods;
	return path;
}

/* As expression_tree_walker: does a query or an expression have a call of consume() in it? */
static bool
has_call(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, has_call, context, 0);
	return pgt_consume_wait_is_call(node) || expression_tree_walker(node, has_call, context);
}

/* set_rel_pathlist_hook: a call of consume() is scanned by our node, and in no other way. */
static void
plan_set_rel_pathlist(PlannerInfo *root, RelOptInfo *rel, Index rti, RangeTblEntry *entry)
{
	Node	   *call;
	const Path *before;

	if (previous_set_rel_pathlist)
		previous_set_rel_pathlist(root, rel, rti, entry);
	if (rel->lateral_vars != NIL && entry->rtekind == RTE_SUBQUERY &&
		has_call((Node *) entry->subquery, NULL))
		rel->lateral_vars = NIL;
	call = rel->pathlist == NIL ? NULL : call_of_entry(entry);
	if (call == NULL)
		return;
	before = linitial(rel->pathlist);
	if (before->pathtype != T_FunctionScan)
		return;
	rel->pathlist = NIL;
	rel->partial_pathlist = NIL;
	rel->lateral_vars = NIL;
	add_path(rel, (Path *) make_path(rel, call, before));
}

void
pgt_consume_plan_init(void)
{
	RegisterCustomScanMethods(&pgt_consume_node_methods);
	pgt_consume_wait_register_scan(&pgt_consume_node_methods);
	previous_set_rel_pathlist = set_rel_pathlist_hook;
	set_rel_pathlist_hook = plan_set_rel_pathlist;
}
