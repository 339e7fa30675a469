/*
 * latest_node.c
 *	  The plan node of latest().
 *
 * The node gives the rows that the function would give, of the partitions and keys that its
 * conditions leave; the executor checks all conditions once more.  It goes through the
 * partitions as it is asked for rows (latest_reader.c), and keeps none of them.
 *
 *	  first row		check the role; evaluate the conditions' values
 *	  rescan		begin anew: the values may be others
 *
 * EvalPlanQual: the row that was kept of the node is the row.  Where none was, the node is run
 * anew, as it writes nothing.
 *
 * Locks: AccessShareLock on the topic until the transaction's end.  A cached plan may be run
 * without being planned, so it is taken here again; what has changed before is an ERROR.
 *
 * Memory: the reader's is in a context of the node, values of the conditions in another one
 * until the next rescan (plan_bounds.c), a row's values in the executor's for a row.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/memutils.h"

#include "query/explain_bounds.h"
#include "query/explain_counts.h"
#include "query/function_node.h"
#include "query/latest_node.h"
#include "query/latest_reader.h"
#include "query/plan_bounds.h"
#include "topic/record_rows.h"
#include "util/compat.h"

/* What a column shows: a TopicColumnId, or */
#define COLUMN_NULL			(-1)	/* nothing: the topic has no such column */
#define COLUMN_WHOLE_ROW	(-2)	/* all columns as one value */

typedef struct LatestNode
{
	CustomScanState custom;		/* first, as the executor knows the node by it */
	Topic	   *topic;			/* NULL: not begun */
	TupleDesc	desc;			/* of latest()'s result */
	int		   *columns;		/* what each column shows */
	MemoryContext context;		/* of the reader */
	PlanBounds	plan_bounds;
	ScanBounds	bounds;
	int			partition;		/* being read; -1 before the first */
	LatestReader *reader;		/* of that partition; NULL between partitions */
	bool		is_done;		/* no partition is left */
	LogReaderCounts counts;
} LatestNode;

/* ---- the plan ------------------------------------------------------------- */

/*
 * custom_exprs has the call, which is not evaluated, so that the plan depends on the
 * function, and then the conditions' values; custom_private their numbers, the topic, and the
 * attribute that is its key.
 */
void
pgt_latest_node_set(CustomScan *scan, Node *call, const Topic *topic, List *values, List *numbers)
{
	scan->methods = &pgt_latest_node_methods;
	scan->custom_exprs = copyObject(lcons(call, values));
	scan->custom_private = list_make3(numbers, list_make1_oid(topic->relid),
									  list_make1_int(topic->attnum[TOPIC_KEY]));
}

/* The call. */
static const FuncExpr *
plan_call(const CustomScan *plan)
{
	return linitial_node(FuncExpr, plan->custom_exprs);
}

/* The topic. */
static Oid
plan_topic(const CustomScan *plan)
{
	return linitial_oid(lsecond(plan->custom_private));
}

/* The attribute that was the topic's key; 0: none. */
static AttrNumber
plan_key(const CustomScan *plan)
{
	return linitial_int(lthird(plan->custom_private));
}

/* The conditions (ScanCondition *, palloc'd). */
static List *
plan_conditions(const CustomScan *plan)
{
	return pgt_scan_conditions_decode(list_copy_tail(plan->custom_exprs, 1), linitial(plan->custom_private));
}

/* ---- columns -------------------------------------------------------------- */

/* What attribute n of the result shows. */
static int
column_of(const Topic *topic, AttrNumber n)
{
	if (n == 0)
		return COLUMN_WHOLE_ROW;
	for (int i = 0; i < TOPIC_COLUMN_COUNT; i++)
	{
		if (topic->attnum[i] == n)
			return i;
	}
	return COLUMN_NULL;
}

/* Find out what each column of the node shows; ERROR where the topic is not the one of the plan. */
static void
set_columns(LatestNode *node, const CustomScan *plan)
{
	ListCell   *cell;

	node->columns = palloc(sizeof(int) * Max(list_length(plan->custom_scan_tlist), 1));
	foreach(cell, plan->custom_scan_tlist)
	{
		const Var  *var = castNode(Var, lfirst_node(TargetEntry, cell)->expr);

		pgt_function_node_check_type(var, node->desc);
		node->columns[foreach_current_index(cell)] = column_of(node->topic, var->varattno);
	}
	if (node->topic->attnum[TOPIC_KEY] != plan_key(plan))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("table row type and query-specified row type do not match"),
				 errdetail("The topic's key has been changed since the query was planned.")));
}

/* All columns of a record's row as one value. */
static Datum
whole_row(const LatestNode *node, const Record *record)
{
	int			count = node->desc->natts;
	Datum	   *values = palloc0(sizeof(Datum) * count);
	bool	   *nulls = palloc(sizeof(bool) * count);

	for (int i = 0; i < count; i++)
	{
		int			column = column_of(node->topic, i + 1);

		nulls[i] = column == COLUMN_NULL;
		if (!nulls[i])
			values[i] = pgt_record_rows_column(node->topic, column, true, node->partition, record, &nulls[i]);
	}
	return HeapTupleGetDatum(heap_form_tuple(node->desc, values, nulls));
}

/* Put a record's row into the node's slot; its values are in the executor's context for a row. */
static TupleTableSlot *
store_row(LatestNode *node, const Record *record)
{
	TupleTableSlot *slot = node->custom.ss.ss_ScanTupleSlot;
	MemoryContext caller = MemoryContextSwitchTo(node->custom.ss.ps.ps_ExprContext->ecxt_per_tuple_memory);

	for (int i = 0; i < slot->tts_tupleDescriptor->natts; i++)
	{
		int			column = node->columns[i];

		slot->tts_isnull[i] = column == COLUMN_NULL;
		slot->tts_values[i] = column == COLUMN_NULL ? (Datum) 0 :
			column == COLUMN_WHOLE_ROW ? whole_row(node, record) :
			pgt_record_rows_column(node->topic, column, true, node->partition, record, &slot->tts_isnull[i]);
	}
	MemoryContextSwitchTo(caller);
	return ExecStoreVirtualTuple(slot);
}

/* ---- reading -------------------------------------------------------------- */

/* Begin to read: who may, and what. */
static void
begin_reading(LatestNode *node)
{
	const CustomScan *plan = (const CustomScan *) node->custom.ss.ps.plan;
	MemoryContext caller = MemoryContextSwitchTo(node->custom.ss.ps.state->es_query_cxt);

	node->topic = pgt_topic_get(plan_topic(plan));
	pgt_topic_check_acl(node->topic->relid, ACL_SELECT);
	set_columns(node, plan);
	MemoryContextSwitchTo(caller);
}

/* Go to the next partition; false if none is left. */
static bool
next_partition(LatestNode *node)
{
	MemoryContext caller;
	TopicPartition key;

	CHECK_FOR_INTERRUPTS();
	node->partition = bms_next_member(node->bounds.partitions, node->partition);
	if (node->partition < 0)
		return false;
	key = pgt_topic_partition(node->topic, node->partition);
	caller = MemoryContextSwitchTo(node->context);
	node->reader = pgt_latest_reader_begin(&key, node->custom.ss.ps.state->es_snapshot,
										   node->bounds.keys, node->bounds.probe, &node->counts);
	MemoryContextSwitchTo(caller);
	return true;
}

/* Stop reading. */
static void
end_reader(LatestNode *node)
{
	if (node->reader != NULL)
		pgt_latest_reader_end(node->reader);
	node->reader = NULL;
}

/* As ExecScanAccessMtd: the next row; an empty slot if there is none. */
static TupleTableSlot *
access_row(ScanState *state)
{
	LatestNode *node = (LatestNode *) state;
	Record		record;

	ExecClearTuple(state->ss_ScanTupleSlot);
	if (unlikely(node->topic == NULL))
		begin_reading(node);
	if (unlikely(!node->plan_bounds.are_known))
	{
		pgt_plan_bounds_evaluate(&node->plan_bounds, node->topic, state->ps.ps_ExprContext, &node->bounds);
		node->partition = -1;
		node->is_done = false;
	}
	while (!node->is_done)
	{
		if (node->reader == NULL)
			node->is_done = !next_partition(node);
		else if (pgt_latest_reader_next(node->reader, &record))
			return store_row(node, &record);
		else
			end_reader(node);
	}
	return state->ss_ScanTupleSlot;
}

/* As ExecScanRecheckMtd, for EvalPlanQual: the row that was kept; false if there is none. */
static bool
recheck_row(ScanState *state, TupleTableSlot *slot)
{
	FunctionNodeKept kept = pgt_function_node_kept_row(state, ((LatestNode *) state)->desc, slot);

	if (kept == FUNCTION_NODE_RUNS_ANEW)
		return !TupIsNull(access_row(state));
	return kept == FUNCTION_NODE_HAS_ROW;
}

/* ---- the executor's methods ----------------------------------------------- */

/* BeginCustomScan */
static void
node_begin(CustomScanState *custom, EState *estate, int eflags)
{
	LatestNode *node = (LatestNode *) custom;
	const CustomScan *plan = (const CustomScan *) custom->ss.ps.plan;

	LockRelationOid(plan_topic(plan), AccessShareLock);
	pgt_function_node_check_execute(plan_call(plan));
	if ((eflags & EXEC_FLAG_EXPLAIN_ONLY) != 0)
		return;
	node->desc = pgt_function_node_desc(custom, plan_call(plan), true);
	node->context = AllocSetContextCreate(estate->es_query_cxt, "pg_topics latest node", ALLOCSET_SMALL_SIZES);
	pgt_plan_bounds_init(&node->plan_bounds, &custom->ss.ps, plan_conditions(plan));
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
	LatestNode *node = (LatestNode *) custom;

	ExecScanReScan(&custom->ss);
	end_reader(node);
	node->plan_bounds.are_known = false;
}

/* EndCustomScan */
static void
node_end(CustomScanState *custom)
{
	LatestNode *node = (LatestNode *) custom;

	end_reader(node);
	if (node->plan_bounds.context != NULL)
		pgt_plan_bounds_end(&node->plan_bounds);
}

/* Is there a condition on the key? */
static bool
has_keys(const CustomScan *plan)
{
	ListCell   *cell;

	foreach(cell, plan_conditions(plan))
	{
		if (((const ScanCondition *) lfirst(cell))->column == TOPIC_KEY)
			return true;
	}
	return false;
}

/* ExplainCustomScan: as for a scan of the topic. */
static void
node_explain(CustomScanState *custom, List *ancestors, ExplainState *es)
{
	const LatestNode *node = (const LatestNode *) custom;
	CustomScan *plan = (CustomScan *) custom->ss.ps.plan;
	const Topic *topic = pgt_topic_get(plan_topic(plan));

	pgt_explain_bounds_show_topic(topic->relid, es);
	pgt_explain_bounds_show(&plan->scan.plan, plan_conditions(plan), topic, es);
	if (topic->key_index && has_keys(plan))
		pgt_explain_counts_show_keys(&node->counts, es);
	if (es->analyze)
		pgt_explain_counts_show(&node->counts, false, es);
}

/* ---- methods -------------------------------------------------------------- */

static const CustomExecMethods exec_methods = {
	.CustomName = "Latest",
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
	LatestNode *node = (LatestNode *) newNode(sizeof(LatestNode), T_CustomScanState);

	node->custom.methods = &exec_methods;
	return (Node *) node;
}

const CustomScanMethods pgt_latest_node_methods = {
	.CustomName = "Latest",
	.CreateCustomScanState = create_state,
};
