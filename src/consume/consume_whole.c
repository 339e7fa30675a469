/*
 * consume_whole.c
 *	  Refusing statements that would consume records and not return them.
 *
 * Where consume() is not a plan node of ours (consume_plan.c), in a SELECT list, ROWS FROM or
 * WITH ORDINALITY, the function reads all that its call may return before the statement
 * gets the first row, and moves the group's offset past all of it.  Rows that the statement
 * then leaves out on its own account would be lost without a word:
 *
 *	  SELECT consume('t', 'g') LIMIT 1							499 of 500 records
 *	  SELECT ... WHERE EXISTS (SELECT FROM consume(...) WITH ORDINALITY)	all
 *	  EXPLAIN ANALYZE SELECT consume(...)						all
 *	  SELECT consume(...) INTO r	(PL/pgSQL)					all but the first
 *
 * These forms are errors.  A LIMIT that lets max_records rows through is none, nor is one
 * above an aggregate of all rows.  The check looks at the plan before the statement starts,
 * and so before it waits for records.  What a plan does not show is not refused: a
 * condition that rejects rows does what it says, and neither a cursor that is closed
 * early, nor a join or IN that stops early, can be told from one that does not.
 *
 * Locks: none.
 *
 * Memory: a few bytes for each subplan in the caller's context, the query's.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "nodes/plannodes.h"
#include "tcop/pquery.h"
#include "utils/portal.h"

#include "consume/consume_request.h"
#include "consume/consume_wait.h"
#include "consume/consume_whole.h"
#include "util/compat.h"

/* The statement whose plan is walked. */
typedef struct PlanWalk
{
	List	   *subplans;
	FuncExpr  **calls;			/* by subplan: the call whose rows it returns */
	bool	   *walked;			/* by subplan */
	ParamListInfo params;
	FuncExpr   *any;			/* a call anywhere in the plan; NULL: none */
} PlanWalk;

static ExecutorStart_hook_type previous_executor_start = NULL;
static ExecutorRun_hook_type previous_executor_run = NULL;

static FuncExpr *walk_plan(PlanWalk *walk, Plan *plan);
static FuncExpr *walk_subplan(PlanWalk *walk, int plan_id);

/* ---- values ------------------------------------------------------------- */

/* The value of an expression, if it is known before the query runs. */
static bool
value_of(PlanWalk *walk, Node *node, NullableDatum *result)
{
	return pgt_consume_wait_value(node, walk->params, result);
}

/* The most records that a call returns; -1: not known yet. */
static int64
max_records(PlanWalk *walk, const FuncExpr *call)
{
	NullableDatum value;

	if (!value_of(walk, pgt_consume_request_argument(call, ARG_MAX_RECORDS), &value) || value.isnull)
		return -1;
	return DatumGetInt32(value.value);
}

/* ---- forms that lose records -------------------------------------------- */

/* Report a form of statement that would lose records of a call.  The second hint is for share groups. */
static void
refuse(const FuncExpr *call, const char *form, const char *hint, const char *shared_hint)
{
	bool		is_shared = pgt_consume_request_is_shared(call);

	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("%s would lose records that are consumed and not returned", form),
			 is_shared ? errdetail("All records of the call are acquired, whether the statement returns them or not.") :
			 errdetail("The group's offset moves past all records of the call, whether the statement returns them or not."),
			 errhint("%s", is_shared ? shared_hint : hint)));
}

/* Does a LIMIT let all rows of the call through, or not even run it? */
static bool
takes_all_or_none(PlanWalk *walk, int64 limit, const FuncExpr *call)
{
	int64		most = max_records(walk, call);

	return limit == 0 || (most >= 0 && limit >= most);
}

/* ERROR if a LIMIT or OFFSET may leave out rows of the call. */
static void
check_limit(PlanWalk *walk, const Limit *limit, const FuncExpr *call)
{
	NullableDatum value;

	if (limit->limitOffset != NULL &&
		!(value_of(walk, limit->limitOffset, &value) && (value.isnull || DatumGetInt64(value.value) <= 0)))
		refuse(call, "OFFSET", "Let the client skip rows.", "Let the client skip rows.");
	if (limit->limitCount == NULL ||
		(value_of(walk, limit->limitCount, &value) &&
		 (value.isnull || takes_all_or_none(walk, DatumGetInt64(value.value), call))))
		return;
	refuse(call, "LIMIT", "Use the argument max_records, for example consume(..., max_records => 1).",
		   "Use the argument max_records, for example consume_shared(..., max_records => 1).");
}

/* ERROR if an EXISTS in the plan node looks at a call. */
static void
check_exists(PlanWalk *walk, const Plan *plan)
{
	ListCell   *cell;

	foreach(cell, plan->initPlan)
	{
		const SubPlan *subplan = lfirst_node(SubPlan, cell);
		const FuncExpr *call = subplan->subLinkType == EXISTS_SUBLINK ? walk_subplan(walk, subplan->plan_id) : NULL;

		if (call != NULL)
			refuse(call, "EXISTS", "To see whether there is something to read, ask pg_topic_groups for the lag.",
				   "To see whether there is something to read, ask pg_topic_share_groups for the lag.");
	}
}

/* ---- the plan ----------------------------------------------------------- */

/* Note a call that a plan reads by. */
static FuncExpr *
found(PlanWalk *walk, Node *expr)
{
	if (!pgt_consume_wait_is_call(expr))
		return NULL;
	return walk->any = (FuncExpr *) expr;
}

/* A call among the functions of a function scan. */
static FuncExpr *
call_in_scan(PlanWalk *walk, const FunctionScan *scan)
{
	FuncExpr   *call = NULL;
	ListCell   *cell;

	foreach(cell, scan->functions)
	{
		FuncExpr   *here = found(walk, lfirst_node(RangeTblFunction, cell)->funcexpr);

		call = here != NULL ? here : call;
	}
	return call;
}

/* A call in a target list. */
static FuncExpr *
call_in_target_list(PlanWalk *walk, const Plan *plan)
{
	FuncExpr   *call = NULL;
	ListCell   *cell;

	foreach(cell, plan->targetlist)
	{
		FuncExpr   *here = found(walk, (Node *) lfirst_node(TargetEntry, cell)->expr);

		call = here != NULL ? here : call;
	}
	return call;
}

/* Walk several plans; a call whose rows one of them returns. */
static FuncExpr *
walk_list(PlanWalk *walk, List *plans)
{
	FuncExpr   *call = NULL;
	ListCell   *cell;

	foreach(cell, plans)
	{
		FuncExpr   *here = walk_plan(walk, lfirst(cell));

		call = here != NULL ? here : call;
	}
	return call;
}

/* The call whose rows a plan node takes from its inputs, or makes. */
static FuncExpr *
call_of_node(PlanWalk *walk, Plan *plan)
{
	FuncExpr   *left;
	FuncExpr   *right;

	switch (nodeTag(plan))
	{
		case T_FunctionScan:
			return call_in_scan(walk, (FunctionScan *) plan);
		case T_SubqueryScan:
			return walk_plan(walk, ((SubqueryScan *) plan)->subplan);
		case T_CteScan:
			return walk_subplan(walk, ((CteScan *) plan)->ctePlanId);
		case T_Append:
			return walk_list(walk, ((Append *) plan)->appendplans);
		case T_MergeAppend:
			return walk_list(walk, ((MergeAppend *) plan)->mergeplans);
		default:
			left = walk_plan(walk, plan->lefttree);
			right = walk_plan(walk, plan->righttree);
			return left != NULL ? left : right;
	}
}

/* A call whose rows the plan returns; ERROR for a form that loses some of them. */
static FuncExpr *
walk_plan(PlanWalk *walk, Plan *plan)
{
	FuncExpr   *call;

	if (plan == NULL)
		return NULL;
	check_exists(walk, plan);
	call = call_of_node(walk, plan);
	if (IsA(plan, ProjectSet) && call == NULL)
		call = call_in_target_list(walk, plan);
	if (IsA(plan, Limit) && call != NULL)
		check_limit(walk, (const Limit *) plan, call);
	/* these take in all rows, whatever is taken of theirs */
	if (IsA(plan, ModifyTable) ||
		(IsA(plan, Agg) && ((Agg *) plan)->aggstrategy == AGG_PLAIN))
		return NULL;
	return call;
}

/* Walk a subplan, once; the call whose rows it returns. */
static FuncExpr *
walk_subplan(PlanWalk *walk, int plan_id)
{
	int			i = plan_id - 1;

	if (!walk->walked[i])
	{
		walk->walked[i] = true;
		walk->calls[i] = walk_plan(walk, list_nth(walk->subplans, i));
	}
	return walk->calls[i];
}

/* Walk a statement's plan; the call whose rows it returns. */
static FuncExpr *
walk_statement(PlanWalk *walk, const QueryDesc *query)
{
	int			count = list_length(query->plannedstmt->subplans);

	memset(walk, 0, sizeof(*walk));
	walk->subplans = query->plannedstmt->subplans;
	walk->params = query->params;
	if (count > 0)
	{
		walk->calls = palloc0(sizeof(FuncExpr *) * count);
		walk->walked = palloc0(sizeof(bool) * count);
	}
	for (int plan_id = 1; plan_id <= count; plan_id++)
		(void) walk_subplan(walk, plan_id);
	return walk_plan(walk, query->plannedstmt->planTree);
}

/* ---- EXPLAIN ANALYZE ---------------------------------------------------- */

/* Is the query run by EXPLAIN ANALYZE, which throws its rows away? */
static bool
is_explained(const QueryDesc *query)
{
	const Portal portal = ActivePortal;

	return query->instrument_options != 0 && query->dest->mydest != DestIntoRel &&
		query->operation == CMD_SELECT && !query->plannedstmt->hasModifyingCTE &&
		portal != NULL && portal->strategy == PORTAL_UTIL_SELECT &&
		IsA(linitial_node(PlannedStmt, portal->stmts)->utilityStmt, ExplainStmt);
}

/* Does the call move no offset by itself? */
static bool
commits_nothing(PlanWalk *walk, const FuncExpr *call)
{
	NullableDatum value;

	return value_of(walk, pgt_consume_request_argument(call, ARG_AUTO_COMMIT), &value) &&
		!value.isnull && !DatumGetBool(value.value) &&
		!pgt_consume_request_is_shared(call) &&
		value_of(walk, pgt_consume_request_argument(call, ARG_MEMBER_ID), &value) && value.isnull;
}

/* ---- the hooks ---------------------------------------------------------- */

/* ExecutorStart: refuse plans that lose records. */
static void
whole_executor_start(QueryDesc *query, int eflags)
{
	PlanWalk	walk;

	if ((eflags & EXEC_FLAG_EXPLAIN_ONLY) == 0)
	{
		(void) walk_statement(&walk, query);
		if (walk.any != NULL && is_explained(query) && !commits_nothing(&walk, walk.any))
			refuse(walk.any, "EXPLAIN ANALYZE",
				   "Explain the call with auto_commit => false, in a transaction that is rolled back.",
				   "Explain it without ANALYZE.");
	}
	if (previous_executor_start)
		previous_executor_start(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
}

/*
 * Does a function take only the first "count" rows of the query?  SELECT INTO of PL/pgSQL
 * does.  A cursor, which comes back for more, has a portal.
 */
static bool
takes_first_rows(const QueryDesc *query, uint64 count)
{
	return count > 0 && query->dest->mydest == DestSPI && query->operation == CMD_SELECT &&
		(ActivePortal == NULL || ActivePortal->queryDesc != query);
}

/* ExecutorRun: refuse to take the first rows only. */
static void
whole_executor_run(PGT_EXECUTOR_RUN_ARGS)
{
	if (takes_first_rows(query, count))
	{
		PlanWalk	walk;
		FuncExpr   *call = walk_statement(&walk, query);

		if (call != NULL && !(max_records(&walk, call) >= 0 && max_records(&walk, call) <= count))
			refuse(call, "SELECT INTO", "Use FOR ... IN SELECT ... LOOP, or the argument max_records => 1.",
				   "Use FOR ... IN SELECT ... LOOP, or the argument max_records => 1.");
	}
	if (previous_executor_run)
		previous_executor_run(PGT_EXECUTOR_RUN_PASS);
	else
		standard_ExecutorRun(PGT_EXECUTOR_RUN_PASS);
}

void
pgt_consume_whole_init(void)
{
	previous_executor_start = ExecutorStart_hook;
	ExecutorStart_hook = whole_executor_start;
	previous_executor_run = ExecutorRun_hook;
	ExecutorRun_hook = whole_executor_run;
}
