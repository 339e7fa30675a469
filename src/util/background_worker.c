/*
 * background_worker.c
 *	  How background processes of this library are described to the postmaster, how they
 *	  connect, with settings of their own, and how they wait between two rounds.
 *
 * A worker installs its own signal handlers before it waits here: for SIGTERM one
 * that sets ShutdownRequestPending, for SIGHUP SignalHandlerForConfigReload.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
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

/*
 * What is set for the sessions of users, for the whole server or for a database, must
 * not end our work, keep it from writing, or make it wait with locks held for a
 * standby that is away.  As autovacuum does, over all that is set elsewhere, now
 * or later.  A setting that this major does not know yet is left out.
 */
static void
use_own_settings(void)
{
	static const struct
	{
		const char *name;
		const char *value;
	}			own[] = {
		{"statement_timeout", "0"},
		{"transaction_timeout", "0"},
		{"lock_timeout", "0"},
		{"idle_in_transaction_session_timeout", "0"},
		{"default_transaction_isolation", "read committed"},
		{"default_transaction_read_only", "off"},
		{"default_transaction_deferrable", "off"},
		{"search_path", ""},
		{"zero_damaged_pages", "off"},
	};

	for (int i = 0; i < lengthof(own); i++)
	{
		if (GetConfigOption(own[i].name, true, false) != NULL)
			SetConfigOption(own[i].name, own[i].value, PGC_SUSET, PGC_S_OVERRIDE);
	}
	if (synchronous_commit > SYNCHRONOUS_COMMIT_LOCAL_FLUSH)
		SetConfigOption("synchronous_commit", "local", PGC_SUSET, PGC_S_OVERRIDE);
}

void
pgt_background_worker_connect(Oid database)
{
	BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, BGWORKER_BYPASS_ALLOWCONN);
	use_own_settings();
}

void
pgt_background_worker_connect_by_name(const char *database)
{
	BackgroundWorkerInitializeConnection(database, NULL, BGWORKER_BYPASS_ALLOWCONN);
	use_own_settings();
}

void
pgt_background_worker_interrupt(SIGNAL_ARGS)
{
	int			save_errno = errno;

	ShutdownRequestPending = true;
	die(postgres_signal_arg);
	errno = save_errno;
}

bool
pgt_background_worker_serve_signals(void)
{
	/* 0 would unregister for good a worker that the postmaster restarts */
	if (ShutdownRequestPending)
		proc_exit(MyBgworkerEntry->bgw_restart_time == BGW_NEVER_RESTART ? 0 : 1);
	CHECK_FOR_INTERRUPTS();
	if (!ConfigReloadPending)
		return false;
	ConfigReloadPending = false;
	ProcessConfigFile(PGC_SIGHUP);
	return true;
}

bool
pgt_background_worker_wait(long timeout_ms)
{
	WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
			  timeout_ms, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	return pgt_background_worker_serve_signals();
}
