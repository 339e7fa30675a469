/*
 * function_node.h
 *	  What plan nodes that stand in the place of a function in FROM have in common.
 */
#ifndef FUNCTION_NODE_H
#define FUNCTION_NODE_H

#include "nodes/execnodes.h"
#include "nodes/pathnodes.h"

/* ---- planning ---- */

/* The call that a range table entry consists of, without ORDINALITY; else NULL. */
extern Node *pgt_function_node_call(const RangeTblEntry *entry);

/* The columns of a rel that a query uses, the conditions that its node checks included, as custom_scan_tlist. */
extern List *pgt_function_node_columns(const RelOptInfo *rel, List *conditions);

/* ---- executing ---- */

/* ERROR unless the current role may execute the function. */
extern void pgt_function_node_check_execute(const FuncExpr *call);

/* Is a row needed as a whole? */
extern bool pgt_function_node_has_whole_row(const CustomScan *plan);

/*
 * The columns of the call's result: with "typed" those of its row type, as they are now, else
 * under the names that the statement gives them.  Memory: the current context.
 */
extern TupleDesc pgt_function_node_desc(const CustomScanState *node, const FuncExpr *call, bool typed);

/* ERROR where a column of the result has another type by now than the plan says, or is gone. */
extern void pgt_function_node_check_type(const Var *var, TupleDesc desc);

/* For EvalPlanQual: what there is of a node when conditions are evaluated once more. */
typedef enum FunctionNodeKept
{
	FUNCTION_NODE_HAS_ROW,		/* the row that was kept, now in the node's slot */
	FUNCTION_NODE_HAS_NONE,		/* no row, or it was given */
	FUNCTION_NODE_RUNS_ANEW		/* nothing was kept of it: the node runs as ever */
} FunctionNodeKept;

/* Find out, and put the row that was kept whole into the slot; "desc" is that of the call's result. */
extern FunctionNodeKept pgt_function_node_kept_row(ScanState *state, TupleDesc desc, TupleTableSlot *slot);

#endif							/* FUNCTION_NODE_H */
