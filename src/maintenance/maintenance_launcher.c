/*
 * maintenance_launcher.c
 *	  The process that starts a maintenance worker for each database with topics.
 *
 * The launcher is connected to no database.  It finds out by itself which databases have
 * work: those with a partition in shared memory, where every topic's partitions are from
 * its creation on, and those with files of a partition, which may be orphans.  Looking
 * costs nothing while no partition comes or goes, so the launcher looks every second.
 * Each database is in one of these states:
 *
 *	  no logs		no entry in "databases"; a worker is told to end
 *	  waiting		an entry without a handle, until not_before
 *	  running		an entry with a handle
 *
 * A worker that has ended, for whatever reason, is started again after a delay.  The
 * delay doubles each time up to MAX_BACKOFF_MS; it is the shortest again after a worker
 * that ran for longer than that, or that made room for a statement (database_claim.c).
 * If the server has no free worker slot, the launcher logs that once and keeps trying.
 * A worker that crashes makes the server restart after a crash, launcher included.
 *
 * Workers never outlive the launcher: it tells them to end when it ends itself.  A new
 * launcher starts no second worker while an old one is still connected.
 *
 * At start, and once in every pg_topics.maintenance_interval, the launcher removes the
 * logs of dropped databases.
 *
 * Locks: RowExclusiveLock on a database while the launcher looks whether it exists, if it
 * can be had at once; so the launcher never waits for DROP DATABASE, nor delays it.
 *
 * Memory: entries live in TopMemoryContext, the rest in "pg_topics launcher", which is
 * reset after each look.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_database.h"
#include "ddl/orphaned_logs.h"
#include "maintenance/database_claim.h"
#include "maintenance/maintenance_launcher.h"
#include "maintenance/maintenance_worker.h"
#include "miscadmin.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "util/background_worker.h"
#include "util/clock.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "wal/log_writer.h"

#define LOOK_INTERVAL_MS	1000
#define MIN_BACKOFF_MS		1000
#define MAX_BACKOFF_MS		60000

/* A database that has logs, or had some at the last look. */
typedef struct Database
{
	Oid			oid;
	bool		has_logs;		/* as of the last look */
	BackgroundWorkerHandle *worker; /* NULL: none runs */
	int64		started;		/* when the last one was; this and the next by the monotonic clock */
	int64		not_before;		/* of the next start */
	int			backoff_ms;		/* after the next end */
} Database;

static List *databases = NIL;	/* of Database */
static MemoryContext look_context = NULL;

extern PGDLLEXPORT void pgt_maintenance_launcher_main(Datum arg);

/* End a transaction and return to the look's memory context. */
static void
commit(void)
{
	CommitTransactionCommand();
	MemoryContextSwitchTo(look_context);
}

/* ---- which databases ----------------------------------------------------- */

/* The database's entry, which is added if it is missing. */
static Database *
database_entry(Oid oid)
{
	MemoryContext old;
	Database   *database;
	ListCell   *cell;

	foreach(cell, databases)
	{
		database = lfirst(cell);
		if (database->oid == oid)
			return database;
	}
	old = MemoryContextSwitchTo(TopMemoryContext);
	database = palloc0(sizeof(Database));
	database->oid = oid;
	database->backoff_ms = MIN_BACKOFF_MS;
	databases = lappend(databases, database);
	MemoryContextSwitchTo(old);
	return database;
}

/*
 * Note which databases have logs.  Returns false if one has only files: they may be
 * about to be removed, so the caller should look again soon.
 */
static bool
find_logs(void)
{
	bool		settled = true;
	List	   *with_files = pgt_log_directory_databases();
	ListCell   *cell;

	foreach(cell, databases)
		((Database *) lfirst(cell))->has_logs = false;

	for (int i = pgt_log_state_slot_count() - 1; i >= 0; i--)
	{
		TopicPartition key;

		if (pgt_partition_log_slot_key(pgt_log_state_slot(i), &key))
			database_entry(key.database)->has_logs = true;
	}
	foreach(cell, with_files)
	{
		if (!pgt_orphaned_logs_in_database(lfirst_oid(cell)))
			continue;
		if (!database_entry(lfirst_oid(cell))->has_logs)
			settled = false;
		database_entry(lfirst_oid(cell))->has_logs = true;
	}
	return settled;
}

typedef enum Presence
{
	DATABASE_BUSY,				/* being dropped, renamed, copied, ... */
	DATABASE_PRESENT,
	DATABASE_DROPPED
} Presence;

/*
 * Tell whether a database exists, or that a statement has it for itself.  Called in a
 * transaction, until whose end the answer holds.
 */
static Presence
database_presence(Oid database)
{
	LOCKTAG		tag;

	/* the lock that sessions take as they connect */
	SET_LOCKTAG_OBJECT(tag, InvalidOid, DatabaseRelationId, database, 0);
	if (LockAcquire(&tag, RowExclusiveLock, false, true) == LOCKACQUIRE_NOT_AVAIL ||
		!pgt_database_claim_is_free(database))
		return DATABASE_BUSY;
	return SearchSysCacheExists1(DATABASEOID, ObjectIdGetDatum(database)) ?
		DATABASE_PRESENT : DATABASE_DROPPED;
}

/* The databases that have a directory or slots. */
static List *
databases_with_logs(void)
{
	List	   *with_logs = pgt_log_directory_databases();

	for (int i = pgt_log_state_slot_count() - 1; i >= 0; i--)
	{
		TopicPartition key;

		if (pgt_partition_log_slot_key(pgt_log_state_slot(i), &key))
			with_logs = list_append_unique_oid(with_logs, key.database);
	}
	return with_logs;
}

/* Remove the logs of dropped databases. */
static void
collect_dropped_databases(void)
{
	List	   *with_logs = databases_with_logs();
	ListCell   *cell;

	foreach(cell, with_logs)
	{
		Oid			database = lfirst_oid(cell);

		StartTransactionCommand();
		if (database_presence(database) == DATABASE_DROPPED)
		{
			ereport(LOG,
					(errmsg("removing the logs of dropped database %u", database)));
			pgt_log_writer_drop(database, InvalidOid);
		}
		commit();
	}
}

/* ---- their workers ------------------------------------------------------- */

/* Register the worker; false if the server has no room for one. */
static bool
register_worker(Database *database)
{
	static bool told = false;
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	BackgroundWorker worker;
	bool		registered;

	pgt_maintenance_worker_init(&worker, database->oid);
	registered = RegisterDynamicBackgroundWorker(&worker, &database->worker);
	MemoryContextSwitchTo(old);
	if (!registered && !told)
		ereport(LOG,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("could not start a pg_topics maintenance worker for database %u: too many background workers",
						database->oid),
				 errdetail("The launcher retries until there is a free slot; until then, expired records of the database's topics are not removed."),
				 errhint("Raise max_worker_processes and restart the server.")));
	told = !registered;
	return registered;
}

/* Start a database's worker, unless the database is dropped or a statement has it for itself. */
static void
start_worker(Database *database)
{
	Presence	presence;

	StartTransactionCommand();
	presence = database_presence(database->oid);
	commit();
	if (presence == DATABASE_PRESENT && register_worker(database))
		database->started = pgt_clock_monotonic_us();
}

/* Does a statement need the database for itself? */
static bool
is_held(Oid database)
{
	bool		held;

	StartTransactionCommand();
	held = !pgt_database_claim_is_free(database);
	commit();
	return held;
}

/* The worker has ended: set the time of its next start. */
static void
worker_ended(Database *database)
{
	pfree(database->worker);
	database->worker = NULL;
	if (is_held(database->oid) ||
		pgt_clock_ms_since(database->started) >= MAX_BACKOFF_MS)
		database->backoff_ms = MIN_BACKOFF_MS;
	database->not_before = pgt_clock_monotonic_us() + database->backoff_ms * INT64CONST(1000);
	database->backoff_ms = Min(2 * database->backoff_ms, MAX_BACKOFF_MS);
}

/*
 * Take a database one step from its state to the next.  False if it has neither logs
 * nor a worker any more.
 */
static bool
look_after(Database *database)
{
	pid_t		pid;

	if (database->worker != NULL &&
		GetBackgroundWorkerPid(database->worker, &pid) == BGWH_STOPPED)
		worker_ended(database);

	if (!database->has_logs && database->worker == NULL)
		return false;
	if (!database->has_logs)
		TerminateBackgroundWorker(database->worker);
	else if (database->worker == NULL && pgt_clock_monotonic_us() >= database->not_before)
		start_worker(database);
	return true;
}

static void
look_after_all(void)
{
	ListCell   *cell;

	foreach(cell, databases)
	{
		Database   *database = lfirst(cell);

		if (look_after(database))
			continue;
		databases = foreach_delete_current(databases, cell);
		pfree(database);
	}
}

/* At exit: tell all workers to end. */
static void
stop_workers(int code, Datum arg)
{
	ListCell   *cell;

	foreach(cell, databases)
	{
		Database   *database = lfirst(cell);

		if (database->worker != NULL)
			TerminateBackgroundWorker(database->worker);
	}
}

/* ---- the process --------------------------------------------------------- */

/* One look at everything. */
static void
look(void)
{
	static int64 collected = 0;
	static bool settled = false;
	static uint32 version;

	if (collected == 0 ||
		pgt_clock_ms_since(collected) >= pgt_maintenance_interval * INT64CONST(1000))
	{
		collected = pgt_clock_monotonic_us();
		collect_dropped_databases();
		settled = false;
	}
	if (!settled || version != pgt_log_state_slots_version())
	{
		version = pgt_log_state_slots_version();
		settled = find_logs();
	}
	look_after_all();
}

void
pgt_maintenance_launcher_main(Datum arg)
{
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	pgt_background_worker_connect(InvalidOid);
	before_shmem_exit(stop_workers, (Datum) 0);
	look_context = AllocSetContextCreate(TopMemoryContext, "pg_topics launcher",
										 ALLOCSET_DEFAULT_SIZES);

	for (;;)
	{
		MemoryContextSwitchTo(look_context);
		look();
		MemoryContextReset(look_context);
		pgt_background_worker_wait(LOOK_INTERVAL_MS);
	}
}

void
pgt_maintenance_launcher_register(void)
{
	BackgroundWorker worker;

	pgt_background_worker_init(&worker, "pgt_maintenance_launcher_main", "pg_topics launcher");
	worker.bgw_restart_time = 5;
	RegisterBackgroundWorker(&worker);
}
