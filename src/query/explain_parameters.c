/*
 * explain_parameters.c
 *	  Where the values of a plan's parameters come from, for EXPLAIN.
 *
 * The executor numbers the values that one node of a plan hands to another: the
 * outer row's column in a look-up join, the result of a subquery.  The server
 * shows them by name where it is told the nodes above the one that uses them, which
 * it does not tell the callback of a foreign scan.  So we look for them in the plan.
 *
 * Subqueries that depend on a row are plans of their own, and the expression that
 * calls one is not looked for.  What comes from there is shown by its number, $n, as
 * a statement's own parameters are; a server with assertions takes only these so.
 *
 * No locks, no WAL; everything lives in the caller's context.
 */
#include "postgres.h"

#include "nodes/nodeFuncs.h"
#include "nodes/primnodes.h"

#include "query/explain_parameters.h"

/* Which node a value is of, and those above it. */
typedef struct PlanPlace
{
	Plan	   *plan;
	List	   *ancestors;
} PlanPlace;

/* ---- ancestors ---------------------------------------------------------- */

/* The children of a node beside its left and right one. */
static List *
other_children(Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_Append:
			return ((Append *) plan)->appendplans;
		case T_MergeAppend:
			return ((MergeAppend *) plan)->mergeplans;
		case T_SubqueryScan:
			return list_make1(((SubqueryScan *) plan)->subplan);
		case T_CustomScan:
			return ((CustomScan *) plan)->custom_plans;
		default:
			return NIL;
	}
}

/* Is a plan in this tree?  Its ancestors are then appended, the nearest first. */
static bool
find_below(Plan *tree, const Plan *plan, List **ancestors)
{
	bool		found;
	ListCell   *cell;

	if (tree == NULL)
		return false;
	if (tree == plan)
		return true;
	found = find_below(tree->lefttree, plan, ancestors) ||
		find_below(tree->righttree, plan, ancestors);
	foreach(cell, other_children(tree))
		found = found || find_below(lfirst(cell), plan, ancestors);
	if (found)
		*ancestors = lappend(*ancestors, tree);
	return found;
}

List *
pgt_explain_parameters_ancestors(PlannedStmt *statement, Plan *plan)
{
	List	   *ancestors = NIL;
	ListCell   *cell;

	if (find_below(statement->planTree, plan, &ancestors))
		return ancestors;
	foreach(cell, statement->subplans)
	{
		if (find_below(lfirst(cell), plan, &ancestors))
			break;
	}
	return ancestors;
}

/* ---- values ------------------------------------------------------------- */

/* Does a subquery that this node runs beforehand give the parameter its value? */
static bool
is_subquery_result(const Plan *plan, int param)
{
	ListCell   *cell;

	foreach(cell, plan->initPlan)
	{
		if (list_member_int(lfirst_node(SubPlan, cell)->setParam, param))
			return true;
	}
	return false;
}

/* Does a join hand its inner side this parameter? */
static bool
is_outer_value(const NestLoop *join, int param)
{
	ListCell   *cell;

	foreach(cell, join->nestParams)
	{
		if (lfirst_node(NestLoopParam, cell)->paramno == param)
			return true;
	}
	return false;
}

/* Will the server find where the parameter comes from? */
static bool
is_known(const PlanPlace *place, int param)
{
	const Plan *child = place->plan;
	ListCell   *cell;

	if (is_subquery_result(child, param))
		return true;
	foreach(cell, place->ancestors)
	{
		const Plan *above = lfirst(cell);

		if (is_subquery_result(above, param) ||
			(IsA(above, NestLoop) && child == innerPlan(above) &&
			 is_outer_value((const NestLoop *) above, param)))
			return true;
		child = above;
	}
	return false;
}

/* As expression_tree_mutator: what the server would not find becomes a statement's parameter. */
static Node *
number_unknown(Node *node, void *context)
{
	Param	   *param;

	if (node == NULL || !IsA(node, Param))
		return node == NULL ? NULL : expression_tree_mutator(node, number_unknown, context);
	param = makeNode(Param);
	*param = *(const Param *) node;
	if (param->paramkind == PARAM_EXEC && !is_known(context, param->paramid))
		param->paramkind = PARAM_EXTERN;
	return (Node *) param;
}

Node *
pgt_explain_parameters_value(Node *value, Plan *plan, List *ancestors)
{
	PlanPlace	place = {plan, ancestors};

	return number_unknown(value, &place);
}
