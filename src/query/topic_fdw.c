/*
 * topic_fdw.c
 *	  The handler of the foreign-data wrapper: a topic as a table.
 *
 * The handler only names the functions.  They are in topic_plan.c (which part of the
 * log a query needs), topic_scan.c (reading it) and topic_modify.c (INSERT,
 * COPY FROM and TRUNCATE).  The validator of options is in topic_options.c.
 *
 * UPDATE and DELETE are left out on purpose: the log is append-only.
 */
#include "postgres.h"

#include "fmgr.h"

#include "query/fdw_callbacks.h"
#include "util/sql_version.h"

PGT_FUNCTION_INFO(pgt_fdw_handler);

/* The handler of pg_topics_fdw. */
Datum
pgt_fdw_handler(PG_FUNCTION_ARGS)
{
	FdwRoutine *routine = makeNode(FdwRoutine);

	routine->GetForeignRelSize = pgt_topic_plan_get_rel_size;
	routine->GetForeignPaths = pgt_topic_plan_get_paths;
	routine->GetForeignPlan = pgt_topic_plan_get_plan;
	routine->ExplainForeignScan = pgt_topic_plan_explain;
	routine->IsForeignScanParallelSafe = pgt_topic_plan_is_parallel_safe;

	routine->BeginForeignScan = pgt_topic_scan_begin;
	routine->IterateForeignScan = pgt_topic_scan_iterate;
	routine->ReScanForeignScan = pgt_topic_scan_rescan;
	routine->EndForeignScan = pgt_topic_scan_end;
	routine->EstimateDSMForeignScan = pgt_topic_scan_estimate_share;
	routine->InitializeDSMForeignScan = pgt_topic_scan_init_share;
	routine->ReInitializeDSMForeignScan = pgt_topic_scan_restart_share;
	routine->InitializeWorkerForeignScan = pgt_topic_scan_attach_share;
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
