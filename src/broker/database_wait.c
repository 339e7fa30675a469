/*
 * database_wait.c
 *	  Waiting for the database of a listener to be there.
 *
 * A process that connects to a database which does not exist ends with a FATAL error, and the
 * postmaster starts it again and again.  So that the log tells of it once, a process whose
 * predecessor did not get connected looks first, from outside of any database:
 *
 *	  start -> connecting -> connected			serves
 *				   |
 *				   v  FATAL
 *	  start -> look from time to time -> the database is there: end
 *																 |
 *	  start -> connecting ...  <---------------------------------
 *
 * The pauses grow up to PAUSE_MAX_S, and are short again when the process has once been connected.
 * A process can connect once only, which is why it ends.
 *
 * An extension of a version that is not served is waited for in the same way, in the database.
 * A statement that needs the database for itself terminates the process there (database_claim.c).
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/xact.h"
#include "broker/database_wait.h"
#include "catalog/pg_database.h"
#include "storage/ipc.h"
#include "util/background_worker.h"
#include "util/sql_version.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#define PAUSE_MAX_S		60

/* The next pause, twice as long as the one before. */
static int
longer(int pause_s)
{
	return Min(Max(pause_s * 2, 1), PAUSE_MAX_S);
}

/* Outside of a database indexes may not be known, so this reads the whole catalog. */
static bool
is_there(const char *database)
{
	Relation	catalog;
	ScanKeyData key;
	SysScanDesc scan;
	bool		found;

	StartTransactionCommand();
	catalog = table_open(DatabaseRelationId, AccessShareLock);
	ScanKeyInit(&key, Anum_pg_database_datname, BTEqualStrategyNumber, F_NAMEEQ, CStringGetDatum(database));
	scan = systable_beginscan(catalog, InvalidOid, false, NULL, 1, &key);
	found = HeapTupleIsValid(systable_getnext(scan));
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	CommitTransactionCommand();
	return found;
}

/* Wait until the database is there, and end. */
static void
wait_outside(BrokerSharedWorker *worker, const char *database)
{
	bool		told = false;

	pgt_background_worker_connect(InvalidOid);
	for (;;)
	{
		worker->pause_s = longer(worker->pause_s);
		(void) pgt_background_worker_wait(worker->pause_s * 1000L);
		if (is_there(database))
			break;
		if (!told)
			ereport(LOG,
					(errcode(ERRCODE_UNDEFINED_DATABASE),
					 errmsg("waiting for database \"%s\" to serve Kafka clients in it", database),
					 errdetail("It does not exist, and is looked for once in %d seconds at least.", PAUSE_MAX_S)));
		told = true;
	}
	worker->connecting = false;
	proc_exit(1);
}

void
pgt_database_wait_begin(BrokerSharedWorker *worker, const char *database)
{
	if (worker->connecting)
		wait_outside(worker, database);
	worker->connecting = true;
}

void
pgt_database_wait_end(BrokerSharedWorker *worker)
{
	worker->connecting = false;
	worker->pause_s = 0;
}

void
pgt_database_wait_version(void)
{
	int			pause_s = 0;

	while (!pgt_sql_version_check(pause_s == 0 ? WARNING : DEBUG1))
	{
		CommitTransactionCommand();
		pause_s = longer(pause_s);
		(void) pgt_background_worker_wait(pause_s * 1000L);
		StartTransactionCommand();
	}
}
