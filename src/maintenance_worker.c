/*
 * maintenance_worker.c
 *	  Background work that needs catalogs: collecting orphaned logs.
 *
 * Files without a topic are left by a crash between the commit of a DROP and
 * the unlink, by a dropped database, and by a DROP committed as a prepared
 * transaction.  Nobody reads them, but they take space.
 *
 * The launcher, connected to no database, looks every
 * pg_topics.maintenance_interval (and once at start) at the directories below
 * log_dir.  Logs of a database that does not exist are removed at once; for
 * each other one a worker is started in that database, which removes the logs
 * of topics that its catalog does not know, and ends.
 *
 * A topic that is being created is not in the catalog yet, but its creator
 * holds AccessExclusiveLock on its oid: who cannot get that lock at once leaves
 * the files alone.
 *
 * Layer 7.
 */
#include "postgres.h"

#include "access/xact.h"
#include "background_worker.h"
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"
#include "log_wal.h"
#include "maintenance_worker.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/lmgr.h"
#include "tcop/tcopprot.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

int			pgt_maintenance_interval = 60;

extern PGDLLEXPORT void pgt_launcher_main(Datum arg);
extern PGDLLEXPORT void pgt_maintenance_main(Datum arg);

/* ---- in a database ------------------------------------------------------- */

/* Oids of the topics that have a slot or a directory in this database's logs. */
static List *
topics_with_logs(void)
{
	char		path[MAXPGPATH];
	DIR		   *dir;
	struct dirent *de;
	List	   *topics = NIL;

	for (int i = pgt_partition_slots() - 1; i >= 0; i--)
	{
		TopicPartition key;

		if (pgt_partition_log_slot_key(pgt_partition_slot(i), &key) &&
			key.database == MyDatabaseId)
			topics = list_append_unique_oid(topics, key.topic);
	}
	pgt_database_path(path, MyDatabaseId);
	dir = AllocateDir(path);
	if (dir == NULL && errno == ENOENT)
		return topics;
	while ((de = ReadDir(dir, path)) != NULL)
	{
		Oid			topic;
		int32		partition;

		if (pgt_partition_parse_name(de->d_name, &topic, &partition))
			topics = list_append_unique_oid(topics, topic);
	}
	FreeDir(dir);
	return topics;
}

/*
 * Remove a topic's logs if the catalog does not know it.  Any foreign table is
 * spared: what looks unlike a topic may be one behind a changed wrapper.
 */
static void
collect_if_orphaned(Oid topic)
{
	if (get_rel_relkind(topic) == RELKIND_FOREIGN_TABLE)
		return;
	if (!ConditionalLockRelationOid(topic, AccessExclusiveLock))
		return;
	if (get_rel_relkind(topic) != RELKIND_FOREIGN_TABLE)
	{
		ereport(LOG,
				(errmsg("removing the logs of dropped topic %u of database %u",
						topic, MyDatabaseId)));
		pgt_log_drop(MyDatabaseId, topic);
	}
	UnlockRelationOid(topic, AccessExclusiveLock);
}

/* One run over one database, given by its oid. */
void
pgt_maintenance_main(Datum arg)
{
	ListCell   *cell;

	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(arg), InvalidOid,
											  BGWORKER_BYPASS_ALLOWCONN);
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	foreach(cell, topics_with_logs())
		collect_if_orphaned(lfirst_oid(cell));
	PopActiveSnapshot();
	CommitTransactionCommand();
}

/* ---- the launcher -------------------------------------------------------- */

/* Oids of the databases that have a directory below log_dir. */
static List *
databases_with_files(void)
{
	DIR		   *dir = AllocateDir(pgt_log_dir);
	struct dirent *de;
	List	   *databases = NIL;

	while ((de = ReadDir(dir, pgt_log_dir)) != NULL)
	{
		char	   *end;
		unsigned long database = strtoul(de->d_name, &end, 10);

		if (database != 0 && *end == '\0')
			databases = lappend_oid(databases, (Oid) database);
	}
	FreeDir(dir);
	return databases;
}

/* Run the worker in one database and wait for its end. */
static void
run_worker(Oid database)
{
	BackgroundWorker worker;
	BackgroundWorkerHandle *handle;

	pgt_worker_init(&worker, "pgt_maintenance_main", "pg_topics maintenance");
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	worker.bgw_main_arg = ObjectIdGetDatum(database);
	worker.bgw_notify_pid = MyProcPid;

	/* no free worker slot: the next round tries again */
	if (RegisterDynamicBackgroundWorker(&worker, &handle))
		WaitForBackgroundWorkerShutdown(handle);
}

/*
 * Look after one database, or what is left of it.  The lock is the one that
 * sessions take as they connect: DROP DATABASE waits for us, not for nothing
 * in the worker's way.
 */
static void
maintain_database(Oid database)
{
	StartTransactionCommand();
	LockSharedObject(DatabaseRelationId, database, 0, RowExclusiveLock);
	if (SearchSysCacheExists1(DATABASEOID, ObjectIdGetDatum(database)))
		run_worker(database);
	else
	{
		ereport(LOG,
				(errmsg("removing the logs of dropped database %u", database)));
		pgt_log_drop(database, InvalidOid);
	}
	CommitTransactionCommand();
}

void
pgt_launcher_main(Datum arg)
{
	MemoryContext context;

	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	context = AllocSetContextCreate(TopMemoryContext, "pg_topics launcher",
									ALLOCSET_DEFAULT_SIZES);

	for (;;)
	{
		List	   *databases;
		ListCell   *cell;

		MemoryContextSwitchTo(context);
		databases = databases_with_files();
		foreach(cell, databases)
			maintain_database(lfirst_oid(cell));
		MemoryContextReset(context);

		pgt_worker_wait(pgt_maintenance_interval * 1000L);
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
