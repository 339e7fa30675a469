/*
 * broker_worker.c
 *	  The process that serves the Kafka clients of a database.
 *
 * There is one for each database that pg_topics.kafka_listeners names, connected to that
 * database from its start to its end, and with the sockets of all its listeners.  A turn
 * of its loop:
 *
 *	  sleep			no transaction is open
 *	  turn_begin	hooks of dispatch.h
 *	  read			what sockets have, and serve the requests that are whole
 *	  wake			parked requests whose deadline has come, or with news
 *	  go on			with requests that take more than a slice of a turn
 *	  turn_end		commits what the turn has appended
 *	  reached		how far WAL is durable; wake those that wait for that
 *	  send			answers
 *
 * An error in a request ends that request's connection (dispatch.c).  An error elsewhere ends
 * the process, which the postmaster starts again after RESTART_SECONDS; so does an address
 * that cannot be bound, until it can.  SQL sessions do not depend on this process.  As any
 * process with shared memory it must not crash, though: then the server starts anew.
 *
 * A statement that needs the database for itself, as DROP DATABASE does, terminates it
 * (database_claim.c).
 *
 * SIGHUP reads the settings again; SIGTERM ends the process at the end of its turn, and
 * at the server's end for good.
 *
 * Sockets come on top of the files that the server may open in a process, so the limit of
 * the operating system is raised for them as far as it may be.
 */
#include "postgres.h"

#include <sys/resource.h>

#include "access/xact.h"
#include "access/xlog.h"
#include "broker/broker_worker.h"
#include "broker/connection_status.h"
#include "broker/core/broker_settings.h"
#include "broker/core/broker_shared.h"
#include "broker/core/flusher.h"
#include "broker/core/turn.h"
#include "broker/database_wait.h"
#include "broker/dispatch.h"
#include "listener/connection.h"
#include "listener/connection_limits.h"
#include "listener/parting.h"
#include "maintenance/database_claim.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/fd.h"
#include "storage/ipc.h"
#include "storage/sinval.h"
#include "util/background_worker.h"
#include "util/clock.h"
#include "utils/memutils.h"

#define RESTART_SECONDS		5
#define UNSENT_BYTES		(1024 * 1024)	/* of answers a connection, before it is not read any more */
#define UNSENT_FILES		16				/* pieces of files in them, likewise */
#define PIPELINED_MAX		256				/* requests a connection, as above */
#define OTHER_DESCRIPTORS	(64 + PARTINGS_MAX) /* of the process, beside the server's files and the clients */

extern PGDLLEXPORT void pgt_broker_worker_main(Datum arg);

/* ---- limits ---------------------------------------------------------------- */

/* How many clients the process may have open, after its limit was raised as far as needed. */
static int
affordable_connections(void)
{
	rlim_t		others = max_files_per_process + OTHER_DESCRIPTORS;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return pgt_kafka_max_connections;
	if (limit.rlim_cur < others + pgt_kafka_max_connections)
	{
		limit.rlim_cur = Min(others + pgt_kafka_max_connections, limit.rlim_max);
		(void) setrlimit(RLIMIT_NOFILE, &limit);
		(void) getrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur >= others + pgt_kafka_max_connections)
		return pgt_kafka_max_connections;
	return limit.rlim_cur > others ? (int) (limit.rlim_cur - others) : 1;
}

/* Count on so many clients as the process may have. */
static void
limit_connections(void)
{
	pgt_connection_limits.connections = affordable_connections();
	if (pgt_connection_limits.connections < pgt_kafka_max_connections)
		ereport(LOG,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("no more than %d Kafka clients can connect, because of the limit of open files",
						pgt_connection_limits.connections),
				 errhint("Raise the operating system's limit of open files for the server (LimitNOFILE, ulimit -n), or lower max_files_per_process.")));
}

/* Take over the settings. */
static void
apply_settings(void)
{
	pgt_connection_limits.first_frame = Min(BROKER_SETTINGS_FIRST_FRAME, pgt_kafka_socket_request_max_bytes);
	pgt_connection_limits.of_address = pgt_kafka_max_connections_per_ip;
	pgt_connection_limits.memory = pgt_kafka_queued_max_request_bytes * (size_t) 1024;
	pgt_connection_limits.unsent_memory = UNSENT_BYTES;
	pgt_connection_limits.unsent_files = UNSENT_FILES;
	pgt_connection_limits.pipelined = PIPELINED_MAX;
	pgt_connection_limits.idle_ms = pgt_kafka_connections_max_idle_ms;
	pgt_connection_limits.slow_ms = pgt_kafka_client_timeout;
}

/* ---- the loop -------------------------------------------------------------- */

/* Wake what waits for WAL to be durable, if that has moved: back, where a standby has become a synchronous one. */
static void
look_at_wal(void)
{
	static XLogRecPtr seen[BROKER_DURABILITY_COUNT];

	for (int kind = 0; kind < BROKER_DURABILITY_COUNT; kind++)
	{
		XLogRecPtr	reached = pgt_flusher_reached(kind);

		if (reached == seen[kind])
			continue;
		seen[kind] = reached;
		pgt_dispatch_reached(kind, reached);
	}
}

/*
 * What the server wants of a process between its transactions.  A cancel, of a user or of a timeout
 * that has come late, finds nothing here to be canceled; it must not end the process.
 */
static void
serve_server(void)
{
	bool		reloaded;

	Assert(!IsTransactionState());
	HOLD_CANCEL_INTERRUPTS();
	reloaded = pgt_background_worker_serve_signals();
	RESUME_CANCEL_INTERRUPTS();
	QueryCancelPending = false;
	if (reloaded)
	{
		apply_settings();
		pgt_dispatch_reloaded();
	}
	if (catchupInterruptPending)
		ProcessCatchupInterrupt();
}

static void
call_serve_server(void *unused)
{
	serve_server();
}

/* The loop is awake, which is all. */
static void
statistics_due(EventLoopTimer *timer)
{
}

/* Hand on what the server counts, now or as soon as it may be done again. */
static void
report_statistics(void *unused)
{
	static EventLoopTimer timer = {.expired = statistics_due};
	long		wait_ms = pgstat_report_stat(false);

	if (wait_ms > 0 && timer.due == 0)
		pgt_event_loop_set_timer(&timer, pgt_clock_monotonic_us() + wait_ms * INT64CONST(1000));
}

/* One turn, after its sleep. */
static void
run_turn(bool latch_set)
{
	pgt_dispatch_turn_begin(latch_set);
	pgt_event_loop_run();
	pgt_connection_serve_waiting();
	pgt_dispatch_wake();
	pgt_dispatch_go_on();
	pgt_dispatch_turn_end();
	look_at_wal();
	pgt_dispatch_wake();
	if (pgt_turn_is_open())
		pgt_dispatch_turn_end();
	pgt_connection_end_turn();
}

/* ---- the process ----------------------------------------------------------- */

/* At exit: nobody is to set this process's latch any more, and its connections are gone. */
static void
leave_shared(int code, Datum arg)
{
	pgt_broker_shared_worker->latch = NULL;
	pgt_broker_shared_worker->pid = 0;
	pgt_connection_status_begin(pgt_broker_shared_worker - pgt_broker_shared->workers);
}

/* Enter what others need to know of this process. */
static void
enter_shared(int number)
{
	pgt_broker_shared_worker = &pgt_broker_shared->workers[number];
	pgt_connection_status_begin(number);
	on_shmem_exit(leave_shared, (Datum) 0);
	for (int kind = 0; kind < BROKER_DURABILITY_COUNT; kind++)
		pg_atomic_write_u64(&pgt_broker_shared_worker->wanted[kind], 0);
	pgt_broker_shared_worker->database = MyDatabaseId;
	pgt_broker_shared_worker->pid = MyProcPid;
	pgt_broker_shared_worker->latch = MyLatch;
}

/* Connect to the database, when it is there and the library fits it; exits if a statement has it for itself. */
static void
enter_database(const char *database, int number)
{
	BrokerSharedWorker *worker = &pgt_broker_shared->workers[number];

	pgt_database_wait_begin(worker, database);
	pgt_background_worker_connect_by_name(database);
	pgt_database_wait_end(worker);
	StartTransactionCommand();
	if (!pgt_database_claim_may_serve(MyDatabaseId))
		proc_exit(1);
	pgt_database_wait_version();
	CommitTransactionCommand();
	pgstat_report_appname(MyBgworkerEntry->bgw_type);
}

/* Listen on all addresses of a database. */
static void
open_listeners(const char *database)
{
	List	   *addresses = pgt_broker_settings_listeners();

	for (int i = 0; i < list_length(addresses); i++)
	{
		ListenAddress *address = list_nth(addresses, i);

		if (strcmp(address->database, database) == 0)
			pgt_listen_address_open(address, i);
	}
	ereport(LOG,
			(errmsg("serving Kafka clients in database \"%s\"", database)));
}

void
pgt_broker_worker_main(Datum arg)
{
	int			number = DatumGetInt32(arg);
	char	   *database;
	MemoryContext turn_context;

	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	MemoryContextSwitchTo(TopMemoryContext);
	database = list_nth(pgt_broker_settings_databases(), number);
	enter_database(database, number);
	MemoryContextSwitchTo(TopMemoryContext);
	enter_shared(number);
	apply_settings();
	limit_connections();
	pgt_event_loop_init();
	pgt_dispatch_init();
	open_listeners(database);
	pgt_dispatch_start();
	turn_context = AllocSetContextCreate(TopMemoryContext, "pg_topics turn", ALLOCSET_DEFAULT_SIZES);
	pgstat_report_activity(STATE_IDLE, NULL);

	for (;;)
	{
		bool		latch_set = pgt_event_loop_wait();

		MemoryContextSwitchTo(turn_context);
		/* what fails for want of memory is done again in the next turn */
		(void) pgt_turn_try(call_serve_server, NULL, NULL);
		run_turn(latch_set);
		(void) pgt_turn_try(report_statistics, NULL, NULL);
		MemoryContextReset(turn_context);
	}
}

void
pgt_broker_worker_register(void)
{
	List	   *databases = pgt_broker_settings_databases();

	if (databases != NIL)
		pgt_flusher_register();
	for (int i = 0; i < list_length(databases); i++)
	{
		BackgroundWorker worker;

		pgt_background_worker_init(&worker, "pgt_broker_worker_main", KAFKA_WORKER_NAME);
		snprintf(worker.bgw_name, BGW_MAXLEN, "%s %s", KAFKA_WORKER_NAME, (char *) list_nth(databases, i));
		worker.bgw_restart_time = RESTART_SECONDS;
		worker.bgw_main_arg = Int32GetDatum(i);
		RegisterBackgroundWorker(&worker);
	}
}
