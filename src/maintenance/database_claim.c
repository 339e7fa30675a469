/*
 * database_claim.c
 *	  Keeping our workers out of a database that a statement needs for itself.
 *
 * DROP DATABASE, ALTER DATABASE ... RENAME TO and SET TABLESPACE, and CREATE DATABASE
 * with the database as template fail if any other session is connected to the database.
 * Users know their own sessions, but a worker of ours must never be the session in the
 * way.  So a utility hook looks for these statements, terminates the worker before they
 * begin, and keeps new workers away until the statement's transaction ends.
 *
 * One advisory lock for each database, in a lock class of its own, decides who may be
 * in the database:
 *
 *	  such a statement	 takes RowExclusiveLock until its transaction ends; several
 *						 statements may hold it at once, such as copies of one template
 *	  a worker			 takes ShareUpdateExclusiveLock after it has connected and holds
 *						 it for its lifetime, so that there is only one worker
 *	  a check			 takes ShareLock for a moment, without waiting for it: if that
 *						 succeeds, neither a statement nor a worker has a claim
 *
 * Locks end with the process that holds them, however it ends, so no lock can be left
 * behind.  The statement first takes its lock and then sends SIGTERM to workers that are
 * connected until there is none.  A worker that connects later finds the lock taken and
 * exits, within the time that the server itself waits for other sessions to leave; the
 * launcher starts no worker while the lock is held.
 *
 * A worker that serves Kafka's clients, and its helpers, are terminated in the same way.  It cannot take the
 * maintenance worker's lock, and there is no need for one, as the postmaster starts no second one.
 * For its check the statement takes a second lock, number 1 of the database: the worker takes
 * ShareLock on that for a moment after it has connected, and exits if it cannot.  The
 * postmaster then starts it again some seconds later.
 *
 * The statement waits for at most MAX_WAIT_MS and then goes on, and fails with the
 * server's own message.  A user without the privilege for the statement does not evict
 * the worker.
 *
 * Locks: the advisory lock comes before the server's lock on the database, which these
 * statements take themselves.  The only wait for it is for the moment of a check.
 */
#include "postgres.h"

#include <signal.h>

#include "access/htup_details.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "maintenance/database_claim.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/latch.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "tcop/utility.h"
#include "util/advisory_lock.h"
#include "util/background_worker.h"
#include "util/clock.h"
#include "util/compat.h"
#include "utils/acl.h"
#include "utils/syscache.h"
#include "utils/wait_event.h"

#define POLL_MS			10
#define MAX_WAIT_MS		30000

static ProcessUtility_hook_type next_process_utility = NULL;

/* ---- the lock ------------------------------------------------------------ */

/* The tag of a database's lock, for maintenance workers or for those that serve Kafka's clients. */
static LOCKTAG
lock_tag_for(Oid database, bool kafka)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, database, 0, kafka ? 1 : 0, DATABASE_LOCK_CLASS);
	return tag;
}

static LOCKTAG
lock_tag(Oid database)
{
	return lock_tag_for(database, false);
}

bool
pgt_database_claim_is_free(Oid database)
{
	LOCKTAG		tag = lock_tag(database);

	if (LockAcquire(&tag, ShareLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
		return false;
	LockRelease(&tag, ShareLock, false);
	return true;
}

bool
pgt_database_claim_enter(Oid database)
{
	LOCKTAG		tag = lock_tag(database);

	return LockAcquire(&tag, ShareUpdateExclusiveLock, true, true) != LOCKACQUIRE_NOT_AVAIL &&
		pgt_database_claim_is_free(database);
}

bool
pgt_database_claim_may_serve(Oid database)
{
	LOCKTAG		tag = lock_tag_for(database, true);

	if (LockAcquire(&tag, ShareLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
		return false;
	LockRelease(&tag, ShareLock, false);
	return true;
}

/* ---- terminating workers ------------------------------------------------- */

/* Is the process a worker of ours, and not a parallel worker of a session? */
static bool
is_our_worker(int pid)
{
	const char *type = GetBackgroundWorkerTypeByPid(pid);

	return type != NULL &&
		(strcmp(type, MAINTENANCE_WORKER_NAME) == 0 || strcmp(type, KAFKA_WORKER_NAME) == 0 ||
		 strcmp(type, KAFKA_HELPER_NAME) == 0);
}

/*
 * Send SIGTERM to the workers that are connected to a database; returns whether there
 * were any.  The fields are read without a lock: the caller repeats the call, and the
 * type of the process is checked just before the signal.
 */
static bool
terminate_workers(Oid database)
{
	bool		found = false;

	for (uint32 i = 0; i < ProcGlobal->allProcCount; i++)
	{
		volatile PGPROC *proc = &ProcGlobal->allProcs[i];
		int			pid = proc->pid;

		if (pid == 0 || !PGT_IS_BACKGROUND_WORKER(proc) || proc->databaseId != database ||
			!is_our_worker(pid))
			continue;
		found = true;
		(void) kill(pid, SIGTERM);
	}
	return found;
}

/* Keep workers out of the database until the transaction ends. */
static void
claim_database(Oid database)
{
	int64		start = pgt_clock_monotonic_us();
	LOCKTAG		tag = lock_tag(database);
	LOCKTAG		kafka_tag = lock_tag_for(database, true);

	(void) LockAcquire(&tag, RowExclusiveLock, false, false);
	(void) LockAcquire(&kafka_tag, RowExclusiveLock, false, false);
	while (terminate_workers(database) &&
		   pgt_clock_ms_since(start) < MAX_WAIT_MS)
	{
		WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
				  POLL_MS, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

/* ---- which statements ---------------------------------------------------- */

/* The value of a statement's option, NULL if it is not given. */
static char *
option_value(List *options, const char *name)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		DefElem    *option = lfirst_node(DefElem, cell);

		if (strcmp(option->defname, name) == 0 && option->arg != NULL)
			return defGetString(option);
	}
	return NULL;
}

/* The database that a statement needs for itself; NULL if it needs none. */
static const char *
database_wanted(Node *statement)
{
	if (IsA(statement, DropdbStmt))
		return castNode(DropdbStmt, statement)->dbname;
	if (IsA(statement, RenameStmt))
	{
		RenameStmt *rename = castNode(RenameStmt, statement);

		return rename->renameType == OBJECT_DATABASE ? rename->subname : NULL;
	}
	if (IsA(statement, AlterDatabaseStmt))
	{
		AlterDatabaseStmt *alter = castNode(AlterDatabaseStmt, statement);

		return option_value(alter->options, "tablespace") != NULL ? alter->dbname : NULL;
	}
	if (IsA(statement, CreatedbStmt))
	{
		char	   *name = option_value(castNode(CreatedbStmt, statement)->options, "template");

		return name != NULL ? name : "template1";
	}
	return NULL;
}

/* Is the user allowed to run the statement: as the owner or, to copy it, of a template? */
static bool
may_claim(Oid database, bool copies)
{
	HeapTuple	tuple;
	bool		is_template;

	if (PGT_OWNS_DATABASE(database, GetUserId()))
		return true;
	tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(database));
	if (!HeapTupleIsValid(tuple))
		return false;
	is_template = ((Form_pg_database) GETSTRUCT(tuple))->datistemplate;
	ReleaseSysCache(tuple);
	return copies && is_template;
}

/* Keep workers away for a statement that needs a database for itself. */
static void
make_room(Node *statement)
{
	const char *name = database_wanted(statement);
	Oid			database = name != NULL ? get_database_oid(name, true) : InvalidOid;

	if (OidIsValid(database) && !RecoveryInProgress() &&
		may_claim(database, IsA(statement, CreatedbStmt)))
		claim_database(database);
}

/* ProcessUtility_hook */
static void
process_utility(PlannedStmt *pstmt, const char *query, bool read_only_tree,
				ProcessUtilityContext context, ParamListInfo params,
				QueryEnvironment *environment, DestReceiver *dest, QueryCompletion *completion)
{
	ProcessUtility_hook_type next = next_process_utility ? next_process_utility :
		standard_ProcessUtility;

	make_room(pstmt->utilityStmt);
	next(pstmt, query, read_only_tree, context, params, environment, dest, completion);
}

void
pgt_database_claim_init(void)
{
	next_process_utility = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
}
