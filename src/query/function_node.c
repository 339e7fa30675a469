/*
 * function_node.c
 *	  What plan nodes that stand in the place of a function in FROM have in common.
 *
 * A set-returning function in FROM is run by a FunctionScan, which knows nothing of the
 * query's conditions and takes all rows before it gives the first one.  The planner's hook
 * for paths can put a custom scan in its place, where there is one for the range table entry:
 * a single call without ORDINALITY.
 *
 * Such a node has no relation (scanrelid 0): its columns are those of custom_scan_tlist, the
 * ones that the query uses.  They are taken from what the rel is asked for and from the
 * conditions, since the target list that is passed along may be empty by then.
 *
 * What the executor does for a function it does not do for a custom scan: the privilege to
 * execute the function is checked here.
 *
 * EvalPlanQual.  A statement that locks or updates a row which another transaction has just
 * changed evaluates its conditions once more, for rows as they were kept.  Of a function a
 * whole row is kept, if the statement can need one.
 *
 * Locks: none.  Memory: the current context.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_proc.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"

#include "query/function_node.h"
#include "util/compat.h"

/* ---- planning ----------------------------------------------------------- */

Node *
pgt_function_node_call(const RangeTblEntry *entry)
{
	if (entry->rtekind != RTE_FUNCTION || entry->funcordinality || list_length(entry->functions) != 1)
		return NULL;
	return linitial_node(RangeTblFunction, entry->functions)->funcexpr;
}

/* Add the columns of a rel that an expression uses to a target list, each once. */
static List *
add_columns(List *columns, const RelOptInfo *rel, Node *expr)
{
	List	   *vars = pull_var_clause(expr, PVC_RECURSE_AGGREGATES | PVC_RECURSE_WINDOWFUNCS |
									   PVC_RECURSE_PLACEHOLDERS);
	ListCell   *cell;

	foreach(cell, vars)
	{
		Var		   *var = lfirst_node(Var, cell);
		bool		known = var->varno != rel->relid;
		ListCell   *column;

		foreach(column, columns)
			known = known || equal(lfirst_node(TargetEntry, column)->expr, var);
		if (!known)
			columns = lappend(columns, makeTargetEntry((Expr *) copyObject(var), list_length(columns) + 1,
													   NULL, false));
	}
	return columns;
}

List *
pgt_function_node_columns(const RelOptInfo *rel, List *conditions)
{
	return add_columns(add_columns(NIL, rel, (Node *) rel->reltarget->exprs), rel, (Node *) conditions);
}

/* ---- executing ---------------------------------------------------------- */

void
pgt_function_node_check_execute(const FuncExpr *call)
{
	AclResult	result = PGT_FUNCTION_ACLCHECK(call->funcid, GetUserId(), ACL_EXECUTE);

	if (result != ACLCHECK_OK)
		aclcheck_error(result, OBJECT_FUNCTION, get_func_name(call->funcid));
	InvokeFunctionExecuteHook(call->funcid);
}

bool
pgt_function_node_has_whole_row(const CustomScan *plan)
{
	ListCell   *cell;

	foreach(cell, plan->custom_scan_tlist)
	{
		if (castNode(Var, lfirst_node(TargetEntry, cell)->expr)->varattno == 0)
			return true;
	}
	return false;
}

TupleDesc
pgt_function_node_desc(const CustomScanState *node, const FuncExpr *call, bool typed)
{
	const CustomScan *plan = (const CustomScan *) node->ss.ps.plan;
	const RangeTblEntry *entry = exec_rt_fetch(bms_singleton_member(plan->custom_relids), node->ss.ps.state);
	TupleDesc	desc;

	(void) get_expr_result_type((Node *) call, NULL, &desc);
	desc = CreateTupleDescCopy(desc);
	if (!typed)
	{
		/* it is registered under the function's names already */
		desc->tdtypmod = -1;
		ExecTypeSetColNames(desc, entry->eref->colnames);
	}
	return BlessTupleDesc(desc);
}

void
pgt_function_node_check_type(const Var *var, TupleDesc desc)
{
	Form_pg_attribute attribute;

	if (var->varattno <= 0 || var->varattno > desc->natts)
		return;
	attribute = TupleDescAttr(desc, var->varattno - 1);
	if (attribute->attisdropped || attribute->atttypid != var->vartype)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("table row type and query-specified row type do not match"),
				 errdetail("Column %d of the topic has been changed since the query was planned.",
						   var->varattno)));
}

/* Put a row that was kept whole into the node's slot. */
static void
store_kept_row(const CustomScan *plan, TupleTableSlot *kept, TupleTableSlot *slot)
{
	ListCell   *cell;

	slot_getallattrs(kept);
	ExecClearTuple(slot);
	foreach(cell, plan->custom_scan_tlist)
	{
		const Var  *var = castNode(Var, lfirst_node(TargetEntry, cell)->expr);
		int			i = foreach_current_index(cell);

		if (var->varattno == 0)
		{
			slot->tts_values[i] = ExecFetchSlotHeapTupleDatum(kept);
			slot->tts_isnull[i] = false;
		}
		else
		{
			slot->tts_values[i] = kept->tts_values[var->varattno - 1];
			slot->tts_isnull[i] = kept->tts_isnull[var->varattno - 1];
		}
	}
	ExecStoreVirtualTuple(slot);
}

FunctionNodeKept
pgt_function_node_kept_row(ScanState *state, TupleDesc desc, TupleTableSlot *slot)
{
	const CustomScan *plan = (const CustomScan *) state->ps.plan;
	EPQState   *epq = state->ps.state->es_epq_active;
	int			i = bms_singleton_member(plan->custom_relids) - 1;
	TupleTableSlot *kept;

	if (epq == NULL)
		return FUNCTION_NODE_HAS_ROW;
	if (epq->relsubs_done[i])
		return FUNCTION_NODE_HAS_NONE;
	if (epq->relsubs_rowmark[i] == NULL)
		return FUNCTION_NODE_RUNS_ANEW;
	epq->relsubs_done[i] = true;
	kept = ExecInitExtraTupleSlot(state->ps.state, desc, &TTSOpsHeapTuple);
	if (!EvalPlanQualFetchRowMark(epq, i + 1, kept))
		return FUNCTION_NODE_HAS_NONE;
	store_kept_row(plan, kept, slot);
	return FUNCTION_NODE_HAS_ROW;
}
