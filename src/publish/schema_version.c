/*
 * schema_version.c
 *	  Version numbers for the columns of published tables.
 *
 * A consumer that keeps records for a long time may need to know which of them were
 * written before a column was added or changed.  The table topic_schema_versions has a
 * row for each state that the columns (names and types, in order) of a published table
 * have had, numbered from 1; publish_changes() writes the latest number into a header
 * if its options ask for it.
 *
 * An event trigger adds these rows when a publishing trigger is made and when columns
 * change, in the transaction of the statement that does it.  So number and columns become
 * visible together, a rolled-back ALTER TABLE takes its number back, and publishing never
 * has to write a number or to wait for one.  Two statements cannot number the same table
 * at once, because each holds a lock on it that excludes the other.  If event triggers do
 * not run (session_replication_role = replica), the next statement for which they run adds
 * the missing number.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "commands/event_trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "publish/schema_version.h"

#define VERSIONS_TABLE	"topic_schema_versions"

/* its columns */
#define VERSIONS_SOURCE		1
#define VERSIONS_VERSION	2

/*
 * Without the check of sql_version.h: the event trigger calls this at the end of every
 * DDL command, so the check would stop all DDL of a database whose extension waits for
 * its update, the update itself and the way back included.  It can do without: the
 * function takes no arguments, and all that it touches, topic_schema_versions with its
 * three columns, it touches by SQL, which names the columns.  So a later version may add
 * columns to that table, but must not rename or remove one; and where an older version's
 * table lacked one, this must ask for it first.
 */
PG_FUNCTION_INFO_V1(pgt_number_schemas);

/* %s: the extension's schema; operators are pg_catalog's, see the function's search_path */
static const char *const forget_statement =
"DELETE FROM %s." VERSIONS_TABLE " v"
" WHERE NOT EXISTS (SELECT FROM pg_class WHERE oid = v.source)";

static const char *const number_statement =
"INSERT INTO %s." VERSIONS_TABLE " (source, version, columns)"
" SELECT now_is.source, coalesce(was.version, 0) + 1, now_is.columns"
" FROM (SELECT t.tgrelid AS source,"
"       (SELECT string_agg(quote_ident(attname) || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)"
"        FROM pg_attribute WHERE attrelid = t.tgrelid AND attnum > 0 AND NOT attisdropped) AS columns"
"       FROM (SELECT DISTINCT tgrelid FROM pg_trigger"
"             WHERE tgparentid = 0 AND tgfoid = '%s.publish_changes()'::regprocedure) t) now_is"
" LEFT JOIN LATERAL (SELECT version, columns FROM %s." VERSIONS_TABLE " v"
"                    WHERE v.source = now_is.source ORDER BY version DESC LIMIT 1) was ON true"
" WHERE was.columns IS DISTINCT FROM coalesce(now_is.columns, '')";

/* Run a statement with the latest snapshot, whatever the isolation level. */
static void
run(const char *statement)
{
	SPIPlanPtr	plan = SPI_prepare(statement, 0, NULL);

	if (plan == NULL ||
		SPI_execute_snapshot(plan, NULL, NULL, GetLatestSnapshot(), InvalidSnapshot, false, false, 0) < 0)
		elog(ERROR, "could not number the columns of published tables");
}

/* The event trigger's function: number the tables whose columns have changed. */
Datum
pgt_number_schemas(PG_FUNCTION_ARGS)
{
	const char *schema;
	char	   *literal;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("number_schemas() was not called as an event trigger")));
	schema = quote_identifier(get_namespace_name(get_func_namespace(fcinfo->flinfo->fn_oid)));
	/* inside of a literal quotes are doubled */
	literal = quote_literal_cstr(schema);
	literal[strlen(literal) - 1] = '\0';
	SPI_connect();
	run(psprintf(forget_statement, schema));
	run(psprintf(number_statement, schema, literal + 1, schema));
	SPI_finish();
	PG_RETURN_NULL();
}

int
pgt_schema_version(Oid schema, Oid table)
{
	Oid			relid = get_relname_relid(VERSIONS_TABLE, schema);
	Snapshot	snapshot;
	Relation	versions;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	int			last = 0;

	if (!OidIsValid(relid))
		return 0;
	versions = table_open(relid, AccessShareLock);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	ScanKeyInit(&key, VERSIONS_SOURCE, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(table));
	scan = systable_beginscan(versions, InvalidOid, false, snapshot, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;
		int			version = DatumGetInt32(heap_getattr(tuple, VERSIONS_VERSION,
														 RelationGetDescr(versions), &isnull));

		last = Max(last, version);
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(versions, AccessShareLock);
	return last;
}
