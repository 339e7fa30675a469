/*
 * consume_wait.c
 *	  Long polling: waiting for records, without holding a snapshot if possible.
 *
 * A consumer may wait for records for hours.  If it held its statement's snapshot all
 * that time, VACUUM could remove nothing in the whole cluster, and the snapshot would not
 * see the records waited for.  But a function in a running query cannot release the
 * query's snapshot.  So the waiting is done before the query runs, in the ExecutorStart
 * hook:
 *
 *	  SELECT ... FROM consume('t', 'g', timeout => '1 min')
 *
 *	  PortalStart      takes a snapshot, pushes and registers it
 *	  ExecutorStart -> our hook: look, with that snapshot
 *						 nothing there: release the snapshot, sleep,
 *						 take a new one, look again, ...
 *					   the query starts with the last snapshot taken
 *
 * While it sleeps, the session holds no snapshot, no xmin, and only the lock of its
 * virtual transaction id and AccessShareLock on the tables that sub-selects of the
 * statement name; planning has taken these, and the plan needs them.  The waiting is done
 * before the query if no other code uses the snapshot:
 *
 *	  - the statement is a SELECT that a client sent, and has a portal of its own
 *	  - its plan reads only by the call: one scan below nodes with one input
 *	  - the call's arguments are constants, parameters, or computed from such
 *	  - READ COMMITTED, since a stricter snapshot belongs to the whole transaction
 *
 * No announcement is lost.  Each look except the first has a snapshot that was taken
 * while the session was among the topic's waiters, and every transaction that this
 * snapshot sees running wakes the waiters after its end.  So there is no need to poll for
 * records that a look does not see yet.
 *
 * Elsewhere (PL/pgSQL, joins, INSERT ... SELECT) the function waits inside itself: it
 * keeps the statement's snapshot and looks with a newer one.
 *
 * If a client disconnects while its session sleeps, the session ends at once
 * (client_connection.c).
 *
 * Locks: none of its own.  The callback look() may take locks and keep them.
 *
 * Memory: one context for the time of a wait, another for each look.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/plannodes.h"
#include "optimizer/optimizer.h"
#include "tcop/pquery.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"

#include "consume/consume_wait.h"
#include "util/client_connection.h"
#include "util/clock.h"

/* The time between two looks if no announcement will come; it doubles. */
#define FIRST_NAP_MS	5
#define LONGEST_NAP_MS	1000

/* Longest single sleep, well inside what a long holds anywhere. */
#define LONGEST_SLEEP_MS	(24L * 60 * 60 * 1000)

/* The longest sleep until a time of the wall clock, which may be set meanwhile, before another look. */
#define LONGEST_TRUST_US	(10 * USECS_PER_SEC)
#define TRUSTED_PART_OF_LEASE	4	/* for a lease's end at least this part of the time */

#define MAX_WAITING_FUNCTIONS	4

/* The functions registered, by address. */
static struct
{
	PGFunction	function;
	ConsumeWaitPrepare prepare;
}			waiting_functions[MAX_WAITING_FUNCTIONS];
static int	waiting_function_count = 0;

/* The methods of plan nodes that read by such a call. */
static const CustomScanMethods *waiting_scan = NULL;

/* The time of the next look, as the last look has asked for, by the monotonic clock; NEVER_US: none. */
static int64 look_again_at = NEVER_US;

/* How many records the last look was short of. */
static int64 short_of = 1;

/* The call whose waiting was done before its statement started, until it runs. */
static const Node *call_waited_for = NULL;

static ExecutorStart_hook_type previous_executor_start = NULL;

/* ---- the loop ----------------------------------------------------------- */

/* Look again when that time has passed. */
static void
look_again_in(int64 us)
{
	look_again_at = Min(look_again_at, pgt_clock_monotonic_us() + us);
}

void
pgt_consume_wait_again_in(int64 us)
{
	/* the wall clock may be set while we sleep: what waits for it is looked at now and then */
	look_again_in(Min(us, LONGEST_TRUST_US));
}

void
pgt_consume_wait_for_records(int64 records)
{
	short_of = records;
}

void
pgt_consume_wait_for_lease(int64 us)
{
	look_again_in(Min(us, Max(LONGEST_TRUST_US, us / TRUSTED_PART_OF_LEASE)));
}

/* One look, with all the memory it took given back. */
static ConsumeWaitVerdict
take_look(const ConsumeWaiter *waiter, MemoryContext scratch)
{
	MemoryContext caller = MemoryContextSwitchTo(scratch);
	ConsumeWaitVerdict verdict;

	look_again_at = NEVER_US;
	short_of = 1;
	verdict = waiter->look(waiter->arg);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(scratch);
	return verdict;
}

/*
 * Release the snapshot of the last look: the query's, or the one pushed for a look inside
 * a running statement.
 */
static void
release_snapshot(QueryDesc *query)
{
	PopActiveSnapshot();
	if (query == NULL)
		return;
	UnregisterSnapshot(query->snapshot);
	query->snapshot = InvalidSnapshot;
	/* the last thing that can keep our xmin up */
	InvalidateCatalogSnapshot();
}

/*
 * Take a new snapshot in place of the one released, and process invalidations, so that
 * changed privileges and options are noticed; a running statement does that only when it
 * takes a lock.
 */
static void
renew_snapshot(QueryDesc *query)
{
	AcceptInvalidationMessages();
	if (query == NULL)
	{
		PushActiveSnapshot(GetLatestSnapshot());
		return;
	}
	PushActiveSnapshot(GetTransactionSnapshot());
	query->snapshot = RegisterSnapshot(GetActiveSnapshot());
}

/* Milliseconds until that time, rounded up; 0 if it has passed. */
static long
ms_until(int64 time)
{
	int64		now = pgt_clock_monotonic_us();

	if (now >= time)
		return 0;
	return (long) Min((time - now + 999) / 1000, LONGEST_SLEEP_MS);
}

/*
 * Look and sleep in turn until a look is done or the deadline has passed.  The session is
 * among the topics' waiters, and has taken its snapshot since.  A snapshot is active
 * before and after.
 */
static void
look_and_sleep(const ConsumeWaiter *waiter, QueryDesc *query, MemoryContext scratch)
{
	long		nap = FIRST_NAP_MS;
	long		remaining;
	ConsumeWaitVerdict verdict;

	while ((verdict = take_look(waiter, scratch)) != WAIT_DONE &&
		   (remaining = ms_until(waiter->deadline)) > 0)
	{
		release_snapshot(query);
		if (look_again_at != NEVER_US)
			remaining = Min(remaining, ms_until(look_again_at));
		if (verdict == WAIT_IDLE)
			(void) pgt_topic_waiters_sleep(remaining, short_of);
		else if (pgt_topic_waiters_sleep(Min(remaining, nap), short_of))
			nap = FIRST_NAP_MS;
		else
			nap = Min(nap * 2, LONGEST_NAP_MS);
		/* it would consume records, and commit that, although no client receives them */
		pgt_client_connection_check();
		pgt_topic_waiters_begin_look();
		renew_snapshot(query);
	}
}

/*
 * Wait until a look is done or the deadline has passed.  query: the query whose snapshot
 * is released; NULL within a running statement.  The first look comes before any
 * preparation, because it mostly finds something.
 */
static void
wait_until_done(const ConsumeWaiter *waiter, QueryDesc *query)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "pg_topics look",
												  ALLOCSET_DEFAULT_SIZES);

	if (take_look(waiter, scratch) != WAIT_DONE)
	{
		pgt_topic_waiters_begin(waiter->topics, waiter->topic_count, waiter->group, waiter->each,
								waiter->wanted);
		PG_TRY();
		{
			release_snapshot(query);
			renew_snapshot(query);
			look_and_sleep(waiter, query, scratch);
		}
		PG_CATCH();
		{
			pgt_topic_waiters_end(true);
			PG_RE_THROW();
		}
		PG_END_TRY();
		/* only we know when to look again */
		pgt_topic_waiters_end(look_again_at != NEVER_US);
	}
	MemoryContextDelete(scratch);
}

void
pgt_consume_wait_inside(const ConsumeWaiter *waiter)
{
	PushActiveSnapshot(GetLatestSnapshot());
	wait_until_done(waiter, NULL);
	PopActiveSnapshot();
}

/* ---- finding the call --------------------------------------------------- */

/* The set-returning call in a ProjectSet's target list, if it has just one. */
static FuncExpr *
call_of_target_list(List *target_list)
{
	FuncExpr   *call = NULL;
	ListCell   *cell;

	foreach(cell, target_list)
	{
		Expr	   *expr = lfirst_node(TargetEntry, cell)->expr;

		if (!IsA(expr, FuncExpr) || !((FuncExpr *) expr)->funcretset)
			continue;
		if (call != NULL)
			return NULL;
		call = (FuncExpr *) expr;
	}
	return call;
}

/* The call of a function scan over just one function. */
static FuncExpr *
call_of_function_scan(FunctionScan *scan)
{
	Node	   *expr;

	if (list_length(scan->functions) != 1)
		return NULL;
	expr = linitial_node(RangeTblFunction, scan->functions)->funcexpr;
	return IsA(expr, FuncExpr) ? (FuncExpr *) expr : NULL;
}

/* The call of a plan node in place of a function scan. */
static FuncExpr *
call_of_custom_scan(const CustomScan *scan)
{
	return scan->methods == waiting_scan ? linitial_node(FuncExpr, scan->custom_exprs) : NULL;
}

/* The call that is all that a plan reads by, below nodes with one input; or NULL. */
static FuncExpr *
call_of_plan(Plan *plan)
{
	while (plan != NULL)
	{
		switch (nodeTag(plan))
		{
			case T_FunctionScan:
				return call_of_function_scan((FunctionScan *) plan);
			case T_CustomScan:
				return call_of_custom_scan((CustomScan *) plan);
			case T_ProjectSet:
				return call_of_target_list(plan->targetlist);
			case T_SubqueryScan:
				plan = ((SubqueryScan *) plan)->subplan;
				break;
			case T_Limit:
			case T_Agg:
			case T_Group:
			case T_WindowAgg:
			case T_Sort:
			case T_IncrementalSort:
			case T_Unique:
			case T_Material:
			case T_Result:
				plan = plan->lefttree;
				break;
			default:
				return NULL;
		}
	}
	return NULL;
}

/* The function that prepares the waiting of a call; NULL if the function called never waits. */
static ConsumeWaitPrepare
prepare_of_call(const FuncExpr *call)
{
	FmgrInfo	info;

	fmgr_info(call->funcid, &info);
	for (int i = 0; i < waiting_function_count; i++)
	{
		if (info.fn_addr == waiting_functions[i].function)
			return waiting_functions[i].prepare;
	}
	return NULL;
}

bool
pgt_consume_wait_is_call(const Node *expr)
{
	return expr != NULL && IsA(expr, FuncExpr) && prepare_of_call((const FuncExpr *) expr) != NULL;
}

/*
 * Is this the start of a SELECT that has its portal, and the portal's
 * snapshot, to itself?
 */
static bool
owns_its_snapshot(const QueryDesc *query)
{
	Portal		portal = ActivePortal;
	bool		nested;

	if (portal == NULL || portal->queryDesc != NULL || portal->strategy != PORTAL_ONE_SELECT ||
		linitial(portal->stmts) != query->plannedstmt || IsolationUsesXactSnapshot() ||
		!ActiveSnapshotSet() || query->snapshot != GetActiveSnapshot())
		return false;

	/* a cursor opened by a function or by DECLARE has its opener's below it */
	PopActiveSnapshot();
	nested = ActiveSnapshotSet();
	PushActiveSnapshot(query->snapshot);
	return !nested;
}

/* ---- the call's arguments ----------------------------------------------- */

/* Does an expression depend on the running query? */
static bool
needs_running_query(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var) || IsA(node, SubPlan) || IsA(node, AlternativeSubPlan) ||
		(IsA(node, Param) && ((Param *) node)->paramkind != PARAM_EXTERN))
		return true;
	return expression_tree_walker(node, needs_running_query, context);
}

bool
pgt_consume_wait_value(Node *node, ParamListInfo params, NullableDatum *result)
{
	ExprContext *econtext;

	if (needs_running_query(node, NULL) || contain_volatile_functions(node))
		return false;
	econtext = CreateStandaloneExprContext();
	econtext->ecxt_param_list_info = params;
	result->value = ExecEvalExpr(ExecInitExprWithParams((Expr *) node, params), econtext, &result->isnull);
	FreeExprContext(econtext, true);
	return true;
}

/*
 * Evaluate a call's arguments before the query runs; NULL if one of them cannot be
 * evaluated then.
 */
static NullableDatum *
evaluate_arguments(const FuncExpr *call, ParamListInfo params)
{
	NullableDatum *args = palloc(sizeof(NullableDatum) * Max(list_length(call->args), 1));
	ListCell   *cell;

	foreach(cell, call->args)
	{
		if (!pgt_consume_wait_value(lfirst(cell), params, &args[foreach_current_index(cell)]))
			return NULL;
	}
	return args;
}

/* ---- the hook ----------------------------------------------------------- */

/* Wait for a call before its query starts. */
static void
wait_before_query(QueryDesc *query, const FuncExpr *call, ConsumeWaitPrepare prepare)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics wait",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	NullableDatum *args = evaluate_arguments(call, query->params);
	ConsumeWaiter waiter;

	if (args != NULL && prepare(call, args, &waiter))
	{
		wait_until_done(&waiter, query);
		call_waited_for = (const Node *) call;
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}

/* ExecutorStart: a waiting consumer waits here, see the file's head. */
static void
wait_executor_start(QueryDesc *query, int eflags)
{
	if (query->operation == CMD_SELECT && (eflags & EXEC_FLAG_EXPLAIN_ONLY) == 0)
	{
		FuncExpr   *call = call_of_plan(query->plannedstmt->planTree);
		ConsumeWaitPrepare prepare = call == NULL ? NULL : prepare_of_call(call);

		if (prepare != NULL && owns_its_snapshot(query))
			wait_before_query(query, call, prepare);
	}

	if (previous_executor_start)
		previous_executor_start(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
}

bool
pgt_consume_wait_was_done(const Node *call)
{
	bool		done = call != NULL && call == call_waited_for;

	call_waited_for = NULL;
	return done;
}

/* At the transaction's end, forget a call that was waited for and never ran. */
static void
wait_xact_callback(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		call_waited_for = NULL;
}

void
pgt_consume_wait_register(PGFunction function, ConsumeWaitPrepare prepare)
{
	if (waiting_function_count == MAX_WAITING_FUNCTIONS)
		elog(ERROR, "too many waiting functions");
	waiting_functions[waiting_function_count].function = function;
	waiting_functions[waiting_function_count].prepare = prepare;
	waiting_function_count++;
}

void
pgt_consume_wait_register_scan(const CustomScanMethods *methods)
{
	waiting_scan = methods;
}

void
pgt_consume_wait_init(void)
{
	previous_executor_start = ExecutorStart_hook;
	ExecutorStart_hook = wait_executor_start;
	RegisterXactCallback(wait_xact_callback, NULL);
}
