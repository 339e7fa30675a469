/*
 * maintenance_launcher.c
 *	  The process that starts a maintenance worker for each database with topics.
 *
 * Connected to no database.  Which databases have work is found, not
 * configured: those that have a partition in shared memory, as every topic's has
 * from its creation on, and those that have files of one, which may be orphans.
 * Looking costs nothing while no partition has come or gone, so it is done
 * each second.  A database then is in one of these states:
 *
 *	  no logs		no entry in "databases"; its worker is told to end
 *	  waiting		an entry without a handle, until not_before
 *	  running		an entry with a handle
 *
 * A worker that ends, for whatever reason, is started again after a delay that
 * doubles each time up to MAX_BACKOFF_MS, and is the shortest one again after
 * a life that was longer than that or where the worker had to make room for
 * somebody (database_hold.c).  Where the server has no free worker slot,
 * that is said once and tried again.  A worker that crashes takes the server
 * through a crash restart, which begins all of this anew.
 *
 * Workers never outlive the launcher: it tells them to end when it does.  A
 * new launcher starts no other one while the old one is there.
 *
 * Each pg_topics.maintenance_interval, and at start, the launcher removes what
 * dropped databases have left.
 *
 * Locks: RowExclusiveLock on the database, if it can be had at once, while
 * looking whether it exists: who drops it is never waited for, nor waits.
 * Memory: entries live in TopMemoryContext, the rest in "pg_topics launcher",
 * which is emptied after each look.
 *
 * Layer 7.  Next: maintenance_worker.c.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_database.h"
#include "ddl/orphaned_logs.h"
#include "log/clock.h"
#include "maintenance/database_hold.h"
#include "maintenance/maintenance_launcher.h"
#include "maintenance/maintenance_worker.h"
#include "miscadmin.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "util/background_worker.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "wal/log_writer.h"

#define LOOK_INTERVAL_MS	1000
#define MIN_BACKOFF_MS		1000
#define MAX_BACKOFF_MS		60000

/* A database that has, or had a moment ago, something to look after. */
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

extern PGDLLEXPORT void pgt_launcher_main(Datum arg);

/* End a transaction and be back in the look's memory. */
static void
commit(void)
{
	CommitTransactionCommand();
	MemoryContextSwitchTo(look_context);
}

/* ---- which databases ----------------------------------------------------- */

/* The database's entry; made new where it is missing. */
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
 * Note which databases have logs.  Returns false where one has files only: they
 * may be going just now, so this should be asked again soon.
 */
static bool
find_logs(void)
{
	bool		settled = true;
	List	   *with_files = pgt_log_databases();
	ListCell   *cell;

	foreach(cell, databases)
		((Database *) lfirst(cell))->has_logs = false;

	for (int i = pgt_partition_slots() - 1; i >= 0; i--)
	{
		TopicPartition key;

		if (pgt_partition_log_slot_key(pgt_partition_slot(i), &key))
			database_entry(key.database)->has_logs = true;
	}
	foreach(cell, with_files)
	{
		if (!pgt_database_has_files(lfirst_oid(cell)))
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
 * What is with a database, as of a moment at which nobody has it to himself.
 * In a transaction, which keeps it so.
 */
static Presence
database_presence(Oid database)
{
	LOCKTAG		tag;

	/* the lock that sessions take as they connect */
	SET_LOCKTAG_OBJECT(tag, InvalidOid, DatabaseRelationId, database, 0);
	if (LockAcquire(&tag, RowExclusiveLock, false, true) == LOCKACQUIRE_NOT_AVAIL ||
		!pgt_database_is_free(database))
		return DATABASE_BUSY;
	return SearchSysCacheExists1(DATABASEOID, ObjectIdGetDatum(database)) ?
		DATABASE_PRESENT : DATABASE_DROPPED;
}

/* The databases that have a directory or slots. */
static List *
databases_with_logs(void)
{
	List	   *with_logs = pgt_log_databases();

	for (int i = pgt_partition_slots() - 1; i >= 0; i--)
	{
		TopicPartition key;

		if (pgt_partition_log_slot_key(pgt_partition_slot(i), &key))
			with_logs = list_append_unique_oid(with_logs, key.database);
	}
	return with_logs;
}

/* Remove the logs of databases that are no more. */
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
			pgt_log_drop(database, InvalidOid);
		}
		commit();
	}
}

/* ---- their workers ------------------------------------------------------- */

/* Register the worker; false where the server has no room for one. */
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
				 errmsg("cannot start a pg_topics maintenance worker for database %u: too many background workers",
						database->oid),
				 errdetail("It is tried again until there is room; topics of the database keep what has expired until then."),
				 errhint("Raise max_worker_processes and restart the server.")));
	told = !registered;
	return registered;
}

/* Start a database's worker where nothing is in the way. */
static void
start_worker(Database *database)
{
	Presence	presence;

	StartTransactionCommand();
	presence = database_presence(database->oid);
	commit();
	if (presence == DATABASE_PRESENT && register_worker(database))
		database->started = pgt_monotonic_us();
}

/* Is the database wanted by somebody to himself? */
static bool
is_held(Oid database)
{
	bool		held;

	StartTransactionCommand();
	held = !pgt_database_is_free(database);
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
		pgt_monotonic_ms_since(database->started) >= MAX_BACKOFF_MS)
		database->backoff_ms = MIN_BACKOFF_MS;
	database->not_before = pgt_monotonic_us() + database->backoff_ms * INT64CONST(1000);
	database->backoff_ms = Min(2 * database->backoff_ms, MAX_BACKOFF_MS);
}

/*
 * One step of a database from its state to the next.  False: there is nothing
 * left to look after.
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
	else if (database->worker == NULL && pgt_monotonic_us() >= database->not_before)
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
		pgt_monotonic_ms_since(collected) >= pgt_maintenance_interval * INT64CONST(1000))
	{
		collected = pgt_monotonic_us();
		collect_dropped_databases();
		settled = false;
	}
	if (!settled || version != pgt_partition_slots_version())
	{
		version = pgt_partition_slots_version();
		settled = find_logs();
	}
	look_after_all();
}

void
pgt_launcher_main(Datum arg)
{
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	pgt_worker_connect(InvalidOid);
	before_shmem_exit(stop_workers, (Datum) 0);
	look_context = AllocSetContextCreate(TopMemoryContext, "pg_topics launcher",
										 ALLOCSET_DEFAULT_SIZES);

	for (;;)
	{
		MemoryContextSwitchTo(look_context);
		look();
		MemoryContextReset(look_context);
		pgt_worker_wait(LOOK_INTERVAL_MS);
	}
}

void
pgt_maintenance_register(void)
{
	BackgroundWorker worker;

	pgt_worker_init(&worker, "pgt_launcher_main", "pg_topics launcher");
	worker.bgw_restart_time = 5;
	RegisterBackgroundWorker(&worker);
}
