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

	routine->GetForeignRelSize = pgt_plan_get_rel_size;
	routine->GetForeignPaths = pgt_plan_get_paths;
	routine->GetForeignPlan = pgt_plan_get_plan;
	routine->ExplainForeignScan = pgt_plan_explain;
	routine->IsForeignScanParallelSafe = pgt_plan_is_parallel_safe;

	routine->BeginForeignScan = pgt_scan_begin;
	routine->IterateForeignScan = pgt_scan_iterate;
	routine->ReScanForeignScan = pgt_scan_rescan;
	routine->EndForeignScan = pgt_scan_end;
	routine->EstimateDSMForeignScan = pgt_scan_estimate_share;
	routine->InitializeDSMForeignScan = pgt_scan_init_share;
	routine->ReInitializeDSMForeignScan = pgt_scan_restart_share;
	routine->InitializeWorkerForeignScan = pgt_scan_attach_share;
	routine->AnalyzeForeignTable = pgt_scan_analyze;

	routine->PlanForeignModify = pgt_modify_plan;
	routine->BeginForeignModify = pgt_modify_begin;
	routine->ExecForeignInsert = pgt_modify_insert;
	routine->EndForeignModify = pgt_modify_end;
	routine->BeginForeignInsert = pgt_modify_begin_insert;
	routine->EndForeignInsert = pgt_modify_end;
	routine->IsForeignRelUpdatable = pgt_modify_commands;
	routine->ExecForeignTruncate = pgt_modify_truncate;

	PG_RETURN_POINTER(routine);
}
