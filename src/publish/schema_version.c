/*
 * schema_version.c
 *	  Version numbers for the columns of published tables.
 *
 * A consumer that keeps records for a long time may need to know which of them were
 * written before a column was added or changed.  The table topic_schema_versions has a
 * row for each state that the columns of a published table have had, numbered from 1:
 * names and types in order, and what enums and composite types among these are made of,
 * since records show it.  publish_changes() writes the latest number into a header if its
 * options ask for it.
 *
 * An event trigger adds these rows when a publishing trigger is made and when columns
 * change, in the transaction of the statement that does it.  So number and columns become
 * visible together, a rolled-back ALTER TABLE takes its number back, and publishing never
 * has to write a number or to wait for one.  If event triggers do not run
 * (session_replication_role = replica), the next statement that numbers the table adds
 * the missing number.
 *
 * Which tables a statement may number:
 *
 *	  it names types, schemas or extensions	all published tables, whose columns' types may
 *							have got other names
 *	  any other				those that its transaction has locked for a change of their
 *							columns or triggers: ALTER TABLE, with children and
 *							partitions, CREATE TRIGGER, DROP TYPE ... CASCADE
 *
 * So statements on other tables neither write here nor wait.  Two transactions may number
 * the same table, one of which has renamed a type: each locks the number first, and looks
 * again.
 *
 * Locks: ExclusiveLock on the table as a database object, for a new number, until the
 * transaction's end.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "parser/parse_func.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "publish/schema_version.h"
#include "util/compat.h"

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

/* Statements; %s: the extension's schema; operators are pg_catalog's, see the function's search_path. */

/* $1: publish_changes() */
static const char *const published_statement =
"SELECT DISTINCT t.tgrelid FROM pg_depend d JOIN pg_trigger t ON t.oid = d.objid"
" WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = $1"
" AND d.classid = 'pg_trigger'::regclass AND t.tgparentid = 0";

/* $1: a table; the types of its columns, and those that they are made of */
#define USED_TYPES \
"WITH RECURSIVE used (type) AS (" \
" SELECT atttypid FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped" \
" UNION" \
" SELECT part.type FROM used JOIN pg_type t ON t.oid = used.type, LATERAL (" \
"  SELECT t.typelem WHERE t.typelem <> 0" \
"  UNION ALL SELECT t.typbasetype WHERE t.typbasetype <> 0" \
"  UNION ALL SELECT rngsubtype FROM pg_range WHERE t.oid IN (rngtypid, rngmultitypid)" \
"  UNION ALL SELECT atttypid FROM pg_attribute WHERE t.typtype = 'c' AND attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped" \
" ) part (type)) "

/* the columns of the relation, as in its definition */
#define COLUMN_LIST(relation) \
"SELECT string_agg(quote_ident(attname) || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)" \
" FROM pg_attribute WHERE attrelid = " relation " AND attnum > 0 AND NOT attisdropped"

/* "; type (...)" for each enum and composite type */
#define TYPE_LIST \
"SELECT string_agg('; ' || format_type(t.oid, NULL) || ' (' || CASE t.typtype" \
"   WHEN 'c' THEN (" COLUMN_LIST("t.typrelid") ")" \
"   ELSE (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid)" \
"  END || ')', '' ORDER BY format_type(t.oid, NULL) COLLATE \"C\")" \
" FROM used JOIN pg_type t ON t.oid = used.type WHERE t.typtype IN ('c', 'e')"

/* $1: a table; its columns with their types, and its last version if that has others */
#define CHANGED_COLUMNS \
" FROM (SELECT coalesce((" COLUMN_LIST("$1") "), '') || coalesce((" TYPE_LIST "), '') AS columns) now_is" \
" LEFT JOIN LATERAL (SELECT version, columns FROM %s." VERSIONS_TABLE \
"                    WHERE source = $1 ORDER BY version DESC LIMIT 1) was ON true" \
" WHERE was.columns IS DISTINCT FROM now_is.columns"

static const char *const changed_statement = USED_TYPES "SELECT 1" CHANGED_COLUMNS;

static const char *const number_statement =
USED_TYPES
"INSERT INTO %s." VERSIONS_TABLE " (source, version, columns)"
" SELECT $1, coalesce(was.version, 0) + 1, now_is.columns" CHANGED_COLUMNS;

static const char *const gone_statement =
"SELECT 1 FROM %s." VERSIONS_TABLE " v WHERE NOT EXISTS (SELECT FROM pg_class WHERE oid = v.source) LIMIT 1";

static const char *const forget_statement =
"DELETE FROM %s." VERSIONS_TABLE " v WHERE NOT EXISTS (SELECT FROM pg_class WHERE oid = v.source)";

/*
 * Run a statement with the latest snapshot, whatever the isolation level; returns the
 * number of rows.
 */
static uint64
run(const char *statement, Oid argument)
{
	Oid			type = OIDOID;
	Datum		value = ObjectIdGetDatum(argument);
	SPIPlanPtr	plan = SPI_prepare(statement, 1, &type);

	if (plan == NULL ||
		SPI_execute_snapshot(plan, &value, NULL, GetLatestSnapshot(), InvalidSnapshot, false, false, 0) < 0)
		elog(ERROR, "could not number the columns of published tables");
	return SPI_processed;
}

/* The published tables. */
static List *
published_tables(Oid schema)
{
	Oid			function = LookupFuncName(list_make2(makeString(get_namespace_name(schema)),
													 makeString("publish_changes")), 0, NULL, false);
	List	   *tables = NIL;
	uint64		count = run(published_statement, function);

	for (uint64 i = 0; i < count; i++)
	{
		bool		isnull;

		tables = lappend_oid(tables, DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[i],
																	SPI_tuptable->tupdesc, 1, &isnull)));
	}
	return tables;
}

/* Has this transaction locked the table for a change of its columns or triggers? */
static bool
is_being_changed(Oid table)
{
	LOCKTAG		tag;

	SET_LOCKTAG_RELATION(tag, MyDatabaseId, table);
	return PGT_LOCK_HELD(&tag, ShareRowExclusiveLock) || PGT_LOCK_HELD(&tag, ExclusiveLock) ||
		PGT_LOCK_HELD(&tag, AccessExclusiveLock);
}

/* Give a table's columns a number, if they have none. */
static void
number_table(const char *schema, Oid table)
{
	if (run(psprintf(changed_statement, schema), table) == 0)
		return;
	LockDatabaseObject(RelationRelationId, table, 0, ExclusiveLock);
	(void) run(psprintf(number_statement, schema, schema), table);
	/* the number is part of the table's publishers */
	CacheInvalidateRelcacheByRelid(table);
}

/* May the statement change the names of types? */
static bool
renames_types(CommandTag tag)
{
	return tag == CMDTAG_ALTER_TYPE || tag == CMDTAG_ALTER_DOMAIN || tag == CMDTAG_ALTER_SCHEMA ||
		tag == CMDTAG_ALTER_EXTENSION;
}

/* May the statement drop tables? */
static bool
drops_tables(CommandTag tag)
{
	return tag == CMDTAG_DROP_TABLE || tag == CMDTAG_DROP_FOREIGN_TABLE || tag == CMDTAG_DROP_SCHEMA ||
		tag == CMDTAG_DROP_OWNED || tag == CMDTAG_DROP_EXTENSION;
}

/* The event trigger's function: number the tables whose columns have changed. */
Datum
pgt_number_schemas(PG_FUNCTION_ARGS)
{
	CommandTag	tag;
	Oid			namespace = get_func_namespace(fcinfo->flinfo->fn_oid);
	const char *schema;
	ListCell   *cell;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("number_schemas() was not called as an event trigger")));
	tag = ((EventTriggerData *) fcinfo->context)->tag;
	schema = quote_identifier(get_namespace_name(namespace));
	SPI_connect();
	if (drops_tables(tag) && run(psprintf(gone_statement, schema), InvalidOid) > 0)
		(void) run(psprintf(forget_statement, schema), InvalidOid);
	foreach(cell, published_tables(namespace))
	{
		Oid			table = lfirst_oid(cell);

		if (renames_types(tag) || is_being_changed(table))
			number_table(schema, table);
	}
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
