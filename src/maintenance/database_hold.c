/*
 * database_hold.c
 *	  Keeping our workers out of a database that nobody may be connected to.
 *
 * DROP DATABASE, ALTER DATABASE ... RENAME TO and SET TABLESPACE, and CREATE
 * DATABASE with the database as template fail where anyone else is connected
 * to it.  Users know their own sessions; a worker of ours that sits there must
 * never be the one in the way.  So a utility hook looks for these statements,
 * sends the worker away before they begin, and keeps it away until their
 * transaction ends.
 *
 * One advisory lock a database, in a class of its own, stands for the place:
 *
 *	  such a statement	 RowExclusiveLock until its transaction ends; several may
 *						 have it, as when they copy one template
 *	  worker			 ShareUpdateExclusiveLock, from after it has connected to
 *						 its end, so that there is one
 *	  who looks			 ShareLock for a moment, if it can be had at once: then
 *						 neither a statement nor a worker has the place
 *
 * A lock goes with the process that has it, whatever way that ends, so nothing
 * can be left held.  The statement first takes its lock and then sends SIGTERM
 * to whatever worker is connected until none is.  A worker that connects later
 * finds the lock taken and ends, within the time that the server itself gives
 * others to leave; the launcher starts none while it is.
 *
 * The statement waits for no longer than MAX_WAIT_MS, then takes its chance
 * and fails with the server's own message.  Who may not do such a thing to the
 * database sends nobody away.
 *
 * Locks: this one before the server's lock on the database, which these
 * statements take themselves.  Nobody waits for it but for a look's moment.
 *
 * Layer 7.  Next: maintenance_launcher.c, maintenance_worker.c.
 */
#include "postgres.h"

#include <signal.h>

#include "access/htup_details.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "log/clock.h"
#include "maintenance/database_hold.h"
#include "maintenance/maintenance_worker.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/latch.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "tcop/utility.h"
#include "util/background_worker.h"
#include "util/compat.h"
#include "utils/acl.h"
#include "utils/syscache.h"
#include "utils/wait_event.h"

/* The last field of the lock's tag; see also consumer_group.c. */
#define DATABASE_LOCK_CLASS	4

#define POLL_MS			10
#define MAX_WAIT_MS		30000

static ProcessUtility_hook_type next_process_utility = NULL;

/* ---- the lock ------------------------------------------------------------ */

/* The tag of a database's lock. */
static LOCKTAG
lock_tag(Oid database)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, database, 0, 0, DATABASE_LOCK_CLASS);
	return tag;
}

bool
pgt_database_is_free(Oid database)
{
	LOCKTAG		tag = lock_tag(database);

	if (LockAcquire(&tag, ShareLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
		return false;
	LockRelease(&tag, ShareLock, false);
	return true;
}

bool
pgt_database_enter(Oid database)
{
	LOCKTAG		tag = lock_tag(database);

	return LockAcquire(&tag, ShareUpdateExclusiveLock, true, true) != LOCKACQUIRE_NOT_AVAIL &&
		pgt_database_is_free(database);
}

/* ---- sending workers away ------------------------------------------------ */

/* Is the process a maintenance worker?  Parallel workers of sessions are none. */
static bool
is_maintenance_worker(int pid)
{
	const char *type = GetBackgroundWorkerTypeByPid(pid);

	return type != NULL && strcmp(type, MAINTENANCE_WORKER_NAME) == 0;
}

/*
 * SIGTERM to the workers that are connected to a database; are there any?  The
 * fields are read without a lock: a wrong look is made again, and the type of
 * the process is asked for just before the signal.
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
			!is_maintenance_worker(pid))
			continue;
		found = true;
		(void) kill(pid, SIGTERM);
	}
	return found;
}

/* Let no worker be in the database until the transaction ends. */
static void
hold_database(Oid database)
{
	int64		start = pgt_monotonic_us();
	LOCKTAG		tag = lock_tag(database);

	(void) LockAcquire(&tag, RowExclusiveLock, false, false);
	while (terminate_workers(database) &&
		   pgt_monotonic_ms_since(start) < MAX_WAIT_MS)
	{
		WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
				  POLL_MS, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

/* ---- which statements ---------------------------------------------------- */

/* The value of a statement's option, NULL where it is not given. */
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

/* The database that a statement wants to itself, NULL for none. */
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

/* May the user do such a thing: as owner or, copying it, to a template? */
static bool
may_hold(Oid database, bool copies)
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

/* Make room for a statement that wants a database to itself. */
static void
make_room(Node *statement)
{
	const char *name = database_wanted(statement);
	Oid			database = name != NULL ? get_database_oid(name, true) : InvalidOid;

	if (OidIsValid(database) && !RecoveryInProgress() &&
		may_hold(database, IsA(statement, CreatedbStmt)))
		hold_database(database);
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
pgt_database_hold_init(void)
{
	next_process_utility = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
}
