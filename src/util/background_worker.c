/*
 * background_worker.c
 *	  How background processes of this library are described to the postmaster, and
 *	  how they wait between two rounds.
 *
 * A worker installs its own signal handlers before it waits here: for SIGTERM one
 * that sets ShutdownRequestPending, for SIGHUP SignalHandlerForConfigReload.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "util/background_worker.h"
#include "utils/guc.h"
#include "utils/wait_event.h"

void
pgt_background_worker_init(BackgroundWorker *worker, const char *function, const char *name)
{
	memset(worker, 0, sizeof(*worker));
	worker->bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker->bgw_start_time = BgWorkerStart_RecoveryFinished;
	strlcpy(worker->bgw_library_name, "pg_topics", BGW_MAXLEN);
	strlcpy(worker->bgw_function_name, function, BGW_MAXLEN);
	strlcpy(worker->bgw_name, name, BGW_MAXLEN);
	strlcpy(worker->bgw_type, name, BGW_MAXLEN);
}

void
pgt_background_worker_serve_signals(void)
{
	/* 0 would unregister for good a worker that the postmaster restarts */
	if (ShutdownRequestPending)
		proc_exit(MyBgworkerEntry->bgw_restart_time == BGW_NEVER_RESTART ? 0 : 1);
	CHECK_FOR_INTERRUPTS();
	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
	}
}

void
pgt_background_worker_wait(long timeout_ms)
{
	WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
			  timeout_ms, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	pgt_background_worker_serve_signals();
}
