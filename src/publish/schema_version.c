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
 * (session_replication_role = replica), the next statement that changes the table's columns
 * adds the missing number.
 *
 * The hooks of publish_ddl.c note what a statement does, and the event trigger looks at
 * that alone:
 *
 *	  columns of a published table,	the table is numbered
 *	  or a new publishing trigger
 *	  a type, or the types of a schema	the published tables that use it are: found by the
 *						dependencies of columns, arrays, domains, ranges
 *						and composite types
 *	  a publishing trigger is dropped	numbers of tables that are gone are forgotten
 *
 * So statements on other tables and types neither write here nor wait, nor take longer the
 * more tables are published.  Two transactions may number the same table, one of which has
 * renamed a type: each locks the number first, and looks again.
 *
 * A restored database gets the numbers that it had from the dump.  pg_restore may load them
 * after it has made a publishing trigger, which gives the table a number then, or beside it.
 * So a row that is inserted takes the place of one with its number, and whoever inserts one
 * holds the table's lock: either the number is there when the trigger is made, or the number
 * that the trigger has made gives way.
 *
 * Locks: ExclusiveLock on the table as a database object, for a new number, until the
 * transaction's end.
 *
 * Memory: what is noted is in the transaction's context until the event trigger has run.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "publish/publishing_trigger.h"
#include "publish/schema_version.h"
#include "util/oid_list.h"

#define VERSIONS_TABLE	"topic_schema_versions"

/* its columns */
#define VERSIONS_SOURCE		1
#define VERSIONS_VERSION	2

/* What statements have done since the event trigger ran last; see the file's head. */
typedef struct NotedChanges
{
	List	   *tables;
	List	   *types;
	List	   *schemas;
	bool		drop;			/* of publishing triggers */
} NotedChanges;

static NotedChanges noted = {0};

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
PG_FUNCTION_INFO_V1(pgt_replace_schema_version);

/* Statements; %s: the extension's schema; operators are pg_catalog's, see the function's search_path. */

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

/* $1: a table, $2: a number */
static const char *const replace_statement =
"DELETE FROM %s." VERSIONS_TABLE " WHERE source = $1 AND version = $2";

/*
 * Run a statement with the latest snapshot, whatever the isolation level; $1 is the table and
 * $2 the number.  Returns the number of rows.
 */
static uint64
run(const char *statement, Oid table, int version)
{
	Oid			types[] = {OIDOID, INT4OID};
	Datum		values[] = {ObjectIdGetDatum(table), Int32GetDatum(version)};
	SPIPlanPtr	plan = SPI_prepare(statement, lengthof(types), types);

	if (plan == NULL ||
		SPI_execute_snapshot(plan, values, NULL, GetLatestSnapshot(), InvalidSnapshot, false, false, 0) < 0)
		elog(ERROR, "could not number the columns of published tables");
	return SPI_processed;
}

/* Add the types of the schemas. */
static List *
add_types(List *types, List *schemas)
{
	Relation	catalog = table_open(TypeRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_type type = (Form_pg_type) GETSTRUCT(tuple);

		if (list_member_oid(schemas, type->typnamespace))
			types = list_append_unique_oid(types, type->oid);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return types;
}

/* The tables to number. */
static List *
tables_to_number(const NotedChanges *changes)
{
	List	   *types = list_copy(changes->types);
	List	   *tables;
	List	   *published = NIL;
	ListCell   *cell;

	if (changes->schemas != NIL)
		types = add_types(types, changes->schemas);
	tables = list_concat_unique_oid(list_copy(changes->tables), pgt_publishing_trigger_list_of_types(&types));
	foreach(cell, tables)
	{
		/* it may be gone again, or not be published any more */
		if (pgt_publishing_trigger_publishes(lfirst_oid(cell)))
			published = lappend_oid(published, lfirst_oid(cell));
	}
	return published;
}

/* Give a table's columns a number, if they have none. */
static void
number_table(const char *schema, Oid table)
{
	if (run(psprintf(changed_statement, schema), table, 0) == 0)
		return;
	LockDatabaseObject(RelationRelationId, table, 0, ExclusiveLock);
	(void) run(psprintf(number_statement, schema, schema), table, 0);
	/* the number is part of the table's publishers */
	CacheInvalidateRelcacheByRelid(table);
}

/* ---- what statements do --------------------------------------------------- */

void
pgt_schema_version_note_table(Oid table)
{
	noted.tables = pgt_oid_list_note(noted.tables, table);
}

void
pgt_schema_version_note_type(Oid type)
{
	noted.types = pgt_oid_list_note(noted.types, type);
}

void
pgt_schema_version_note_schema(Oid schema)
{
	noted.schemas = pgt_oid_list_note(noted.schemas, schema);
}

void
pgt_schema_version_note_drop(void)
{
	noted.drop = true;
}

/* Transaction callback: the lists' memory goes. */
static void
forget_noted(XactEvent event, void *arg)
{
	memset(&noted, 0, sizeof(noted));
}

void
pgt_schema_version_init(void)
{
	RegisterXactCallback(forget_noted, NULL);
}

/* The event trigger's function: number the tables whose columns have changed. */
Datum
pgt_number_schemas(PG_FUNCTION_ARGS)
{
	NotedChanges changes = noted;
	List	   *tables;
	const char *schema;
	ListCell   *cell;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("number_schemas() was not called as an event trigger")));
	memset(&noted, 0, sizeof(noted));
	tables = tables_to_number(&changes);
	if (tables == NIL && !changes.drop)
		PG_RETURN_NULL();
	schema = quote_identifier(get_namespace_name(get_func_namespace(fcinfo->flinfo->fn_oid)));
	SPI_connect();
	if (changes.drop && run(psprintf(gone_statement, schema), InvalidOid, 0) > 0)
		(void) run(psprintf(forget_statement, schema), InvalidOid, 0);
	foreach(cell, tables)
		number_table(schema, lfirst_oid(cell));
	SPI_finish();
	PG_RETURN_NULL();
}

/*
 * The function of the trigger before a row of topic_schema_versions is inserted: lock the
 * table that the row is about, and remove the row of the same number.
 */
Datum
pgt_replace_schema_version(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	TupleDesc	desc;
	bool		no_table;
	bool		no_version;
	Oid			table;
	int			version;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || !TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("replace_schema_version() was not called before the insertion of a row")));
	desc = RelationGetDescr(trigger->tg_relation);
	table = DatumGetObjectId(heap_getattr(trigger->tg_trigtuple, VERSIONS_SOURCE, desc, &no_table));
	version = DatumGetInt32(heap_getattr(trigger->tg_trigtuple, VERSIONS_VERSION, desc, &no_version));
	/* the server refuses such a row itself */
	if (no_table || no_version)
		return PointerGetDatum(trigger->tg_trigtuple);
	LockDatabaseObject(RelationRelationId, table, 0, ExclusiveLock);
	SPI_connect();
	if (run(psprintf(replace_statement, quote_identifier(get_namespace_name(RelationGetNamespace(trigger->tg_relation)))),
			table, version) > 0)
		CacheInvalidateRelcacheByRelid(table);
	SPI_finish();
	return PointerGetDatum(trigger->tg_trigtuple);
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
