/*
 * consume_node.c
 *	  The plan node that consumes: executing it.
 *
 * The node begins the call when it is first asked for a row, and then gives a row for each
 * record of a scan (consume_scan.c).  So what the node above has asked for is what is
 * consumed: three records below LIMIT 3, two after FETCH 2, one for EXISTS.  Rows that a
 * condition on the node rejects were asked for too.
 *
 *	  first row		check role and transaction; evaluate the arguments; begin the call
 *	  rescan		other arguments: end the call, the next row begins another one
 *					else: give the same records once more, then go on
 *	  end			end the call; offsets move (consume_live.c)
 *
 * EvalPlanQual.  A statement that locks or updates a row which another transaction has just
 * changed evaluates its conditions once more, for rows as they were kept.  Of this node it
 * has kept a whole row, if it can have; then that is the row.  Where it runs the node anew,
 * as in a condition's subquery, that would consume records whose rows are thrown away: a
 * serialization failure.
 *
 * Locks: see consume_scan.c.
 *
 * Memory: one context for the call.  A row's values are in the context that the executor
 * resets for each row.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/extensible.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/ruleutils.h"
#include "utils/timestamp.h"

#include "consume/consume_look.h"
#include "consume/consume_node.h"
#include "consume/consume_request.h"
#include "consume/consume_scan.h"
#include "consume/consume_wait.h"
#include "query/explain_parameters.h"
#include "query/function_node.h"
#include "topic/record_rows.h"
#include "util/compat.h"

/* What a column shows: a TopicColumnId, or */
#define COLUMN_NULL			(-1)	/* nothing: the topic has no such column any more */
#define COLUMN_TOPIC		(-2)	/* the topic, with consume_many() */
#define COLUMN_WHOLE_ROW	(-3)	/* all columns as one value */

typedef struct ConsumeNode
{
	CustomScanState custom;		/* first, as the executor knows the node by it */
	FuncExpr   *call;
	List	   *args;			/* of ExprState */
	Bitmapset  *arg_params;		/* the executor's parameters in them */
	bool		many;			/* the call is consume_many() */
	bool		typed;			/* the call is consume_as() */
	TupleDesc	desc;			/* of the call's result; NULL: not needed */

	/* the call under way */
	MemoryContext context;
	ConsumeRequest request;
	ConsumeScan *scan;			/* NULL: not begun */
	int		   *columns;		/* what each column shows */

	/* of calls that have ended, for EXPLAIN */
	int64		records;
	int64		partitions;
} ConsumeNode;

/* ---- the call ----------------------------------------------------------- */

/* Does the call list topics? */
static bool
is_many(const FuncExpr *call)
{
	return get_call_expr_argtype((Node *) call, 0) == REGCLASSARRAYOID;
}

/* What attribute n of the call's result shows. */
static int
column_of(const ConsumeNode *node, AttrNumber n, const Topic *topic)
{
	if (n == 0)
		return COLUMN_WHOLE_ROW;
	if (node->many)
		return n == 1 ? COLUMN_TOPIC : n - 2;
	if (!node->typed)
		return n - 1;
	for (int i = 0; i < TOPIC_COLUMN_COUNT; i++)
	{
		if (topic->attnum[i] == n)
			return i;
	}
	return COLUMN_NULL;
}

/* Find out what each column of the node shows. */
static void
set_columns(ConsumeNode *node)
{
	const CustomScan *plan = (CustomScan *) node->custom.ss.ps.plan;
	const Topic *topic = node->typed ? pgt_topic_get(node->request.topics[0]) : NULL;
	ListCell   *cell;

	node->columns = palloc(sizeof(int) * Max(list_length(plan->custom_scan_tlist), 1));
	foreach(cell, plan->custom_scan_tlist)
	{
		const Var  *var = castNode(Var, lfirst_node(TargetEntry, cell)->expr);

		if (node->typed)
			pgt_function_node_check_type(var, node->desc);
		node->columns[foreach_current_index(cell)] = column_of(node, var->varattno, topic);
	}
}

/* Evaluate the call's arguments. */
static NullableDatum *
evaluate_arguments(ConsumeNode *node)
{
	NullableDatum *args = palloc(sizeof(NullableDatum) * Max(list_length(node->args), 1));
	ListCell   *cell;

	foreach(cell, node->args)
	{
		NullableDatum *arg = &args[foreach_current_index(cell)];

		arg->value = ExecEvalExpr((ExprState *) lfirst(cell), node->custom.ss.ps.ps_ExprContext,
								  &arg->isnull);
	}
	return args;
}

/* ERROR: the query runs a node again that has consumed. */
static void
report_evaluated_again(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not serialize access due to concurrent update"),
			 errdetail("A condition on a row that another transaction has changed consumes records, and would do so again."),
			 errhint("The transaction might succeed if retried.")));
}

/* Begin the call. */
static void
begin_call(ConsumeNode *node)
{
	bool		waited = pgt_consume_wait_was_done((Node *) node->call);
	MemoryContext caller = MemoryContextSwitchTo(node->context);
	NullableDatum *args;

	/* the server runs a condition's subquery either by this way or by recheck_row() */
	if (node->custom.ss.ps.state->es_epq_active != NULL)
		report_evaluated_again();
	PreventCommandIfReadOnly(node->many ? "consume_many()" : "consume()");
	args = evaluate_arguments(node);
	if (node->many)
	{
		pgt_consume_request_parse_many(&node->request, node->call->funcid, args);
		if (!waited)
			pgt_consume_look_note_no_topics(&node->request);
	}
	else
	{
		pgt_consume_request_parse(&node->request, node->call, args);
		(void) pgt_consume_request_open_topic(&node->request, node->request.topics[0]);
	}
	set_columns(node);
	node->scan = pgt_consume_scan_begin(&node->request, node->custom.ss.ps.state->es_snapshot, waited);
	MemoryContextSwitchTo(caller);
}

/* End the call, if there is one. */
static void
end_call(ConsumeNode *node)
{
	if (node->scan == NULL)
		return;
	node->records += pgt_consume_scan_records(node->scan);
	node->partitions += pgt_consume_scan_partitions(node->scan);
	pgt_consume_scan_end(node->scan);
	node->scan = NULL;
	MemoryContextReset(node->context);
}

/* ---- rows --------------------------------------------------------------- */

/* A column of a record's row. */
static Datum
column_value(const ConsumeNode *node, int column, const ConsumeScanRow *row, bool *isnull)
{
	*isnull = column == COLUMN_NULL;
	if (column == COLUMN_NULL)
		return (Datum) 0;
	if (column == COLUMN_TOPIC)
		return ObjectIdGetDatum(row->topic->relid);
	return pgt_record_rows_column(row->topic, column, node->typed, row->partition, row->record, isnull);
}

/* All columns of a record's row as one value. */
static Datum
whole_row(const ConsumeNode *node, const ConsumeScanRow *row)
{
	int			count = node->desc->natts;
	Datum	   *values = palloc(sizeof(Datum) * count);
	bool	   *nulls = palloc(sizeof(bool) * count);

	for (int i = 0; i < count; i++)
		values[i] = column_value(node, column_of(node, i + 1, row->topic), row, &nulls[i]);
	return HeapTupleGetDatum(heap_form_tuple(node->desc, values, nulls));
}

/* Put a record's row into the node's slot; its values are in the executor's context for a row. */
static TupleTableSlot *
store_row(ConsumeNode *node, const ConsumeScanRow *row)
{
	TupleTableSlot *slot = node->custom.ss.ss_ScanTupleSlot;
	MemoryContext caller = MemoryContextSwitchTo(node->custom.ss.ps.ps_ExprContext->ecxt_per_tuple_memory);

	for (int i = 0; i < slot->tts_tupleDescriptor->natts; i++)
	{
		slot->tts_isnull[i] = false;
		slot->tts_values[i] = node->columns[i] == COLUMN_WHOLE_ROW ? whole_row(node, row) :
			column_value(node, node->columns[i], row, &slot->tts_isnull[i]);
	}
	MemoryContextSwitchTo(caller);
	return ExecStoreVirtualTuple(slot);
}

/* As ExecScanAccessMtd: the next row; an empty slot if there is none. */
static TupleTableSlot *
access_row(ScanState *state)
{
	ConsumeNode *node = (ConsumeNode *) state;
	ConsumeScanRow row;

	ExecClearTuple(state->ss_ScanTupleSlot);
	if (unlikely(node->scan == NULL))
		begin_call(node);
	return pgt_consume_scan_next(node->scan, &row) ? store_row(node, &row) : state->ss_ScanTupleSlot;
}

/* As ExecScanRecheckMtd, for EvalPlanQual: the row that was kept; false if there is none. */
static bool
recheck_row(ScanState *state, TupleTableSlot *slot)
{
	FunctionNodeKept kept = pgt_function_node_kept_row(state, ((ConsumeNode *) state)->desc, slot);

	if (kept == FUNCTION_NODE_RUNS_ANEW)
		report_evaluated_again();
	return kept == FUNCTION_NODE_HAS_ROW;
}

/* ---- the executor's methods ---------------------------------------------- */

/* As expression_tree_walker: collect the executor's parameters of an expression. */
static bool
collect_params(Node *node, void *params)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXEC)
		*(Bitmapset **) params = bms_add_member(*(Bitmapset **) params, ((Param *) node)->paramid);
	if (IsA(node, SubPlan))
	{
		ListCell   *cell;

		foreach(cell, ((SubPlan *) node)->args)
			(void) collect_params(lfirst(cell), params);
	}
	return expression_tree_walker(node, collect_params, params);
}

/* BeginCustomScan */
static void
node_begin(CustomScanState *custom, EState *estate, int eflags)
{
	ConsumeNode *node = (ConsumeNode *) custom;
	const CustomScan *plan = (CustomScan *) custom->ss.ps.plan;

	node->call = linitial_node(FuncExpr, plan->custom_exprs);
	node->many = is_many(node->call);
	node->typed = !node->many && pgt_consume_request_is_typed(node->call);
	pgt_function_node_check_execute(node->call);
	if ((eflags & EXEC_FLAG_EXPLAIN_ONLY) != 0)
		return;
	node->args = ExecInitExprList(node->call->args, &custom->ss.ps);
	(void) collect_params((Node *) node->call->args, &node->arg_params);
	if (node->typed || pgt_function_node_has_whole_row(plan))
		node->desc = pgt_function_node_desc(custom, node->call, node->typed);
	node->context = AllocSetContextCreate(estate->es_query_cxt, "pg_topics call", ALLOCSET_SMALL_SIZES);
}

/* ExecCustomScan */
static TupleTableSlot *
node_exec(CustomScanState *custom)
{
	return ExecScan(&custom->ss, access_row, recheck_row);
}

/* ReScanCustomScan */
static void
node_rescan(CustomScanState *custom)
{
	ConsumeNode *node = (ConsumeNode *) custom;

	ExecScanReScan(&custom->ss);
	if (node->scan == NULL)
		return;
	if (bms_overlap(custom->ss.ps.chgParam, node->arg_params))
		end_call(node);
	else
		pgt_consume_scan_rewind(node->scan);
}

/* EndCustomScan */
static void
node_end(CustomScanState *custom)
{
	end_call((ConsumeNode *) custom);
}

/* ---- EXPLAIN ------------------------------------------------------------ */

/* A constant as text. */
static char *
describe_constant(const Const *value)
{
	Oid			output;
	bool		is_varlena;

	if (value->consttype == BOOLOID)
		return DatumGetBool(value->constvalue) ? "true" : "false";
	getTypeOutputInfo(value->consttype, &output, &is_varlena);
	return OidOutputFunctionCall(output, value->constvalue);
}

/* Is an argument null, or the default of one that has another default than null? */
static bool
is_usual(int argument, const Node *expr)
{
	const Const *value = (const Const *) expr;

	if (expr == NULL || !IsA(expr, Const))
		return expr == NULL;
	if (value->constisnull)
		return true;
	if (argument == ARG_AUTO_COMMIT)
		return DatumGetBool(value->constvalue);
	if (argument == ARG_MIN_RECORDS)
		return DatumGetInt32(value->constvalue) == 1;
	return argument == ARG_TIMEOUT &&
		DatumGetBool(DirectFunctionCall2(interval_eq, value->constvalue,
										 IntervalPGetDatum(&(Interval) {0})));
}

/* Show an argument, unless it is the usual one. */
static void
explain_argument(const ConsumeNode *node, const char *label, int argument, List *ancestors,
				 ExplainState *es)
{
	Plan	   *plan = node->custom.ss.ps.plan;
	Node	   *expr = pgt_consume_request_argument(node->call, argument);

	if (is_usual(argument, expr))
		return;
	expr = pgt_explain_parameters_value(expr, plan, ancestors);
	ExplainPropertyText(label, IsA(expr, Const) ? describe_constant((Const *) expr) :
						deparse_expression(expr, set_deparse_context_plan(es->deparse_cxt, plan, ancestors),
										   false, false), es);
}

/* ExplainCustomScan: show topic, group and what limits the call; after ANALYZE what it has consumed. */
static void
node_explain(CustomScanState *custom, List *ancestors, ExplainState *es)
{
	const ConsumeNode *node = (ConsumeNode *) custom;
	int64		records = node->scan == NULL ? 0 : pgt_consume_scan_records(node->scan);
	int			partitions = node->scan == NULL ? 0 : pgt_consume_scan_partitions(node->scan);

	ancestors = pgt_explain_parameters_ancestors(es->pstmt, custom->ss.ps.plan);
	if (node->typed)
		ExplainPropertyText("Topic", format_type_be(node->call->funcresulttype), es);
	else
		explain_argument(node, node->many ? "Topics" : "Topic", ARG_TOPIC, ancestors, es);
	explain_argument(node, "Group", ARG_GROUP_ID, ancestors, es);
	explain_argument(node, "Member", ARG_MEMBER_ID, ancestors, es);
	explain_argument(node, "Max Records", ARG_MAX_RECORDS, ancestors, es);
	explain_argument(node, "Min Records", ARG_MIN_RECORDS, ancestors, es);
	explain_argument(node, "Partitions", ARG_PARTITIONS, ancestors, es);
	explain_argument(node, "Timeout", ARG_TIMEOUT, ancestors, es);
	explain_argument(node, "Timeout Milliseconds", ARG_TIMEOUT_MS, ancestors, es);
	explain_argument(node, "Auto Commit", ARG_AUTO_COMMIT, ancestors, es);
	if (!es->analyze)
		return;
	ExplainPropertyInteger("Records Consumed", NULL, node->records + records, es);
	ExplainPropertyInteger("Partitions Consumed", NULL, node->partitions + partitions, es);
}

/* ---- methods ------------------------------------------------------------ */

static const CustomExecMethods exec_methods = {
	.CustomName = "Consume",
	.BeginCustomScan = node_begin,
	.ExecCustomScan = node_exec,
	.EndCustomScan = node_end,
	.ReScanCustomScan = node_rescan,
	.ExplainCustomScan = node_explain,
};

/* CreateCustomScanState */
static Node *
create_state(CustomScan *plan)
{
	ConsumeNode *node = (ConsumeNode *) newNode(sizeof(ConsumeNode), T_CustomScanState);

	node->custom.methods = &exec_methods;
	return (Node *) node;
}

const CustomScanMethods pgt_consume_node_methods = {
	.CustomName = "Consume",
	.CreateCustomScanState = create_state,
};
