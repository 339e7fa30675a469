/*
 * topic_fdw.c
 *	  The handler of the foreign-data wrapper: a topic as a table.
 *
 * The handler only names the functions.  They are in topic_plan.c (which part of the
 * log a query needs), topic_scan.c (reading it) and topic_modify.c (INSERT,
 * COPY FROM and TRUNCATE), and in aggregate_plan.c and aggregate_scan.c for plans that
 * answer aggregates from the index: those have no relation to scan.  The validator of
 * options is in topic_options.c.
 *
 * UPDATE and DELETE are left out on purpose: the log is append-only.
 */
#include "postgres.h"

#include "fmgr.h"

#include "query/aggregate_plan.h"
#include "query/aggregate_scan.h"
#include "query/explain_counts.h"
#include "query/fdw_callbacks.h"
#include "util/compat.h"
#include "util/sql_version.h"

PGT_FUNCTION_INFO(pgt_fdw_handler);

/* Does the node answer aggregates? */
static bool
is_aggregate(const ForeignScanState *node)
{
	return ((const ForeignScan *) node->ss.ps.plan)->scan.scanrelid == 0;
}

/* GetForeignPlan */
static ForeignScan *
get_plan(PlannerInfo *root, RelOptInfo *rel, Oid relid, ForeignPath *path, List *tlist,
		 List *clauses, Plan *outer_plan)
{
	return IS_UPPER_REL(rel) ? pgt_aggregate_plan_get_plan(rel, tlist) :
		pgt_topic_plan_get_plan(root, rel, relid, path, tlist, clauses, outer_plan);
}

/* ExplainForeignScan */
static void
explain(ForeignScanState *node, struct ExplainState *es)
{
	bool		aggregate = is_aggregate(node);
	LogReaderCounts counts;

	(aggregate ? pgt_aggregate_plan_explain : pgt_topic_plan_explain) (node, es);
	if (!aggregate)
		pgt_topic_scan_explain(node, es);
	if (!es->analyze)
		return;
	counts = aggregate ? pgt_aggregate_scan_counts(node) : pgt_topic_scan_counts(node);
	pgt_explain_counts_show(&counts, aggregate, es);
}

/* BeginForeignScan */
static void
begin(ForeignScanState *node, int eflags)
{
	(is_aggregate(node) ? pgt_aggregate_scan_begin : pgt_topic_scan_begin) (node, eflags);
}

/* IterateForeignScan */
static TupleTableSlot *
iterate(ForeignScanState *node)
{
	return is_aggregate(node) ? pgt_aggregate_scan_iterate(node) : pgt_topic_scan_iterate(node);
}

/* ReScanForeignScan */
static void
rescan(ForeignScanState *node)
{
	(is_aggregate(node) ? pgt_aggregate_scan_rescan : pgt_topic_scan_rescan) (node);
}

/* ShutdownForeignScan */
static void
shut_down(ForeignScanState *node)
{
	if (!is_aggregate(node))
		pgt_topic_scan_shut_down(node);
}

/* EndForeignScan */
static void
end(ForeignScanState *node)
{
	(is_aggregate(node) ? pgt_aggregate_scan_end : pgt_topic_scan_end) (node);
}

/* The handler of pg_topics_fdw. */
Datum
pgt_fdw_handler(PG_FUNCTION_ARGS)
{
	FdwRoutine *routine = makeNode(FdwRoutine);

	routine->GetForeignRelSize = pgt_topic_plan_get_rel_size;
	routine->GetForeignPaths = pgt_topic_plan_get_paths;
	routine->GetForeignUpperPaths = pgt_aggregate_plan_get_paths;
	routine->GetForeignPlan = get_plan;
	routine->ExplainForeignScan = explain;
	routine->IsForeignScanParallelSafe = pgt_topic_plan_is_parallel_safe;

	routine->BeginForeignScan = begin;
	routine->IterateForeignScan = iterate;
	routine->ReScanForeignScan = rescan;
	routine->EndForeignScan = end;
	routine->EstimateDSMForeignScan = pgt_topic_scan_estimate_share;
	routine->InitializeDSMForeignScan = pgt_topic_scan_init_share;
	routine->ReInitializeDSMForeignScan = pgt_topic_scan_restart_share;
	routine->InitializeWorkerForeignScan = pgt_topic_scan_attach_share;
	routine->ShutdownForeignScan = shut_down;
	routine->AnalyzeForeignTable = pgt_topic_scan_analyze;

	routine->PlanForeignModify = pgt_topic_modify_plan;
	routine->BeginForeignModify = pgt_topic_modify_begin;
	routine->ExecForeignInsert = pgt_topic_modify_insert;
	routine->EndForeignModify = pgt_topic_modify_end;
	routine->BeginForeignInsert = pgt_topic_modify_begin_insert;
	routine->EndForeignInsert = pgt_topic_modify_end;
	routine->IsForeignRelUpdatable = pgt_topic_modify_commands;
	routine->ExecForeignTruncate = pgt_topic_modify_truncate;

	PG_RETURN_POINTER(routine);
}
