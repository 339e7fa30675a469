/*
 * publish_table.c
 *	  publish_table() and unpublish_table(): topic and triggers in one call.
 *
 * publish_table() creates the topic as create_topic() does, unless it exists, and the
 * triggers with CREATE TRIGGER as the calling user, who could do the same by hand.  Then
 * it checks the triggers' arguments, which would otherwise be checked at the first change.
 *
 * With snapshot => true the existing rows become records first, with op "r" in envelopes.
 * The call first locks the table against changes, as CREATE TRIGGER does, and then reads
 * it with a snapshot of its own.  So each row is published exactly once, by the call or
 * by a trigger, whatever the transaction's isolation level is.  Records of the call come
 * before those of later changes, because it commits before the first of these is made.
 *
 * Locks: ShareRowExclusiveLock on the table and its partitions, RowExclusiveLock
 * on the topic, until the transaction's end.
 *
 * Memory: rows are serialized in a context that is reset after each.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "parser/parse_func.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/varlena.h"

#include "ddl/create_topic.h"
#include "publish/change_record.h"
#include "publish/publishing_trigger.h"
#include "topic/sql_argument.h"
#include "util/compat.h"
#include "util/sql_version.h"

PGT_FUNCTION_INFO(pgt_publish_table);
PGT_FUNCTION_INFO(pgt_unpublish_table);

/* The arguments of publish_table() by number. */
enum
{
	ARG_TABLE,
	ARG_TOPIC,
	ARG_FORMAT,
	ARG_KEY,
	ARG_COLUMNS,
	ARG_EXCLUDE,
	ARG_BEFORE,
	ARG_HEADERS,
	ARG_FOR_EACH,
	ARG_SNAPSHOT,
	ARG_PARTITIONS,
	ARG_CONFIG,
	ARG_ON_LARGE
};

static const char *const argument_names[] = {
	"t", "topic", "format", "key", "columns", "exclude", "before", "headers",
	"for_each", "snapshot", "partitions", "config", "on_large"
};

/* The arguments that are options of the trigger. */
static const int option_arguments[] = {
	ARG_FORMAT, ARG_KEY, ARG_COLUMNS, ARG_EXCLUDE, ARG_BEFORE, ARG_HEADERS, ARG_ON_LARGE
};

/* A table being published. */
typedef struct TablePublication
{
	Oid			table;
	char		relkind;
	const char *schema;			/* of the extension, quoted */
	Oid			function;		/* publish_changes() */
	const char *topic;			/* its name, qualified and quoted */
	const char *topic_name;		/* without its schema */
	int			argument_count;
	char	   *arguments[lengthof(option_arguments) + 1];	/* the trigger's */
	bool		by_statement;	/* the triggers are FOR EACH STATEMENT */
	List	   *triggers;		/* names of those made */
} TablePublication;

/* ---- statements --------------------------------------------------------- */

/* Run a statement as the calling user. */
static void
run(const char *statement)
{
	int			result;

	SPI_connect();
	result = SPI_execute(statement, false, 0);
	if (result < 0)
		elog(ERROR, "unexpected result %d of \"%s\"", result, statement);
	SPI_finish();
	CommandCounterIncrement();
}

/* A relation's name as statements take it. */
static char *
qualified_name(Oid relid)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid));
}

/* Fill in what both functions need; "fcinfo" is the call of either. */
static void
begin(FunctionCallInfo fcinfo, TablePublication *publication)
{
	char	   *schema = get_namespace_name(get_func_namespace(fcinfo->flinfo->fn_oid));

	memset(publication, 0, sizeof(*publication));
	publication->table = PG_GETARG_OID(ARG_TABLE);
	publication->schema = quote_identifier(schema);
	publication->function = LookupFuncName(list_make2(makeString(schema), makeString("publish_changes")),
										   0, NULL, false);
}

/* Lock the table; ERROR unless the caller owns it and it can have the triggers. */
static void
lock_table(TablePublication *publication)
{
	Oid			table = publication->table;

	if (get_rel_name(table) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table with OID %u does not exist", table)));
	if (!PGT_OWNS_RELATION(table, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(get_rel_relkind(table)), get_rel_name(table));
	LockRelationOid(table, ShareRowExclusiveLock);
	publication->relkind = get_rel_relkind(table);
	if (pgt_topic_exists(table))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("cannot publish topic \"%s\"", get_rel_name(table)),
				 errdetail("Its records are in a topic already, and never change."),
				 errhint("Consume the topic itself.")));
	if (publication->relkind != RELKIND_RELATION && publication->relkind != RELKIND_PARTITIONED_TABLE &&
		publication->relkind != RELKIND_FOREIGN_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table", get_rel_name(table)),
				 errhint("Publish the underlying tables instead.")));
}

/* ---- the topic ---------------------------------------------------------- */

/* Let the table's owner produce to a topic that another role has just made for it. */
static void
grant_to_owner(TablePublication *publication, Oid topic)
{
	Relation	table = table_open(publication->table, NoLock);
	Oid			owner = table->rd_rel->relowner;

	table_close(table, NoLock);
	if (pg_class_aclcheck(topic, owner, ACL_INSERT) != ACLCHECK_OK)
		run(psprintf("GRANT INSERT ON %s TO %s", qualified_name(topic),
					 quote_identifier(GetUserNameFromId(owner, false))));
}

/* Make the topic; with format=row it is compacted unless the config says otherwise. */
static Oid
create_topic(FunctionCallInfo fcinfo, TablePublication *publication)
{
	bool		row = strcmp(TextDatumGetCString(PG_GETARG_DATUM(ARG_FORMAT)), "row") == 0;
	Datum		defaults = DirectFunctionCall1(jsonb_in, CStringGetDatum(row ? "{\"cleanup.policy\": \"compact\"}" : "{}"));
	Datum		config = DirectFunctionCall2(jsonb_concat, defaults, PG_GETARG_DATUM(ARG_CONFIG));

	return pgt_create_topic_by_name(cstring_to_text(publication->topic),
									PG_GETARG_INT32(ARG_PARTITIONS), TEXTOID, JSONBOID, DatumGetJsonbP(config), false);
}

/* Set the topic's name; it is in the table's schema unless the caller says otherwise. */
static void
name_topic(FunctionCallInfo fcinfo, TablePublication *publication)
{
	char	   *table = get_rel_name(publication->table);
	List	   *names;
	char	   *schema;
	char	   *name;

	if (PG_ARGISNULL(ARG_TOPIC))
		names = list_make1(makeString(makeObjectName(table, NULL, "changes")));
	else
		names = textToQualifiedNameList(PG_GETARG_TEXT_PP(ARG_TOPIC));
	DeconstructQualifiedName(names, &schema, &name);
	if (schema == NULL)
		schema = get_namespace_name(get_rel_namespace(publication->table));
	publication->topic_name = name;
	publication->topic = quote_qualified_identifier(schema, name);
}

/* Find the topic, or make it; returns its oid. */
static Oid
open_topic(FunctionCallInfo fcinfo, TablePublication *publication)
{
	Oid			topic;

	name_topic(fcinfo, publication);
	topic = pgt_publishing_trigger_find_topic(publication->topic, publication->table);
	if (OidIsValid(topic))
	{
		pgt_topic_require(topic);
		ereport(NOTICE,
				(errmsg("topic \"%s\" already exists and is used without changes", publication->topic_name)));
		return topic;
	}
	topic = create_topic(fcinfo, publication);
	grant_to_owner(publication, topic);
	return topic;
}

/* ---- triggers ----------------------------------------------------------- */

/*
 * ERROR if statements on other tables change rows of this one, for which its triggers FOR
 * EACH STATEMENT are not fired.
 */
static void
refuse_statements(const TablePublication *publication)
{
	if (publication->relkind != RELKIND_PARTITIONED_TABLE && !has_superclass(publication->table) &&
		find_inheritance_children(publication->table, NoLock) == NIL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot publish table \"%s\" for each statement", get_rel_name(publication->table)),
			 errdetail("It is partitioned, a partition, or inherits or is inherited from: statements on other tables change the same rows, and its triggers are not fired for these."),
			 errhint("Publish it with for_each => 'row'.")));
}

/* Say that children are not published, if there are any. */
static void
mention_children(const TablePublication *publication)
{
	if (publication->relkind != RELKIND_PARTITIONED_TABLE &&
		find_inheritance_children(publication->table, NoLock) != NIL)
		ereport(NOTICE,
				(errmsg("rows of tables that inherit from \"%s\" are not published", get_rel_name(publication->table)),
				 errhint("Publish each of these tables with publish_table().")));
}

/* The triggers' arguments: the topic, and the options that are given. */
static void
make_arguments(FunctionCallInfo fcinfo, TablePublication *publication)
{
	publication->arguments[publication->argument_count++] = pstrdup(publication->topic);
	for (int i = 0; i < lengthof(option_arguments); i++)
	{
		int			n = option_arguments[i];

		if (!PG_ARGISNULL(n))
			publication->arguments[publication->argument_count++] =
				psprintf("%s=%s", argument_names[n], TextDatumGetCString(PG_GETARG_DATUM(n)));
	}
}

/* Make one trigger; "kind" is NULL for the one that fires for all changes of a row. */
static void
create_trigger(TablePublication *publication, const char *kind, const char *when, const char *condition)
{
	char	   *name = makeObjectName("publish", publication->topic_name, kind);
	StringInfoData statement;

	if (OidIsValid(get_trigger_oid(publication->table, name, true)))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("trigger \"%s\" for relation \"%s\" already exists", name,
						get_rel_name(publication->table)),
				 errhint("To publish the table in another way, call unpublish_table() first.")));

	initStringInfo(&statement);
	appendStringInfo(&statement, "CREATE TRIGGER %s AFTER ", quote_identifier(name));
	appendStringInfo(&statement, when, qualified_name(publication->table));
	if (condition != NULL)
		appendStringInfo(&statement, " WHEN (%s.publish_row(%s, %s::pg_catalog.regclass))", publication->schema, condition,
						 quote_literal_cstr(publication->arguments[0]));
	appendStringInfo(&statement, " EXECUTE FUNCTION %s.publish_changes(", publication->schema);
	for (int i = 0; i < publication->argument_count; i++)
		appendStringInfo(&statement, "%s%s", i > 0 ? ", " : "", quote_literal_cstr(publication->arguments[i]));
	appendStringInfoChar(&statement, ')');
	run(statement.data);
	publication->triggers = lappend(publication->triggers, name);
}

/* Has the table a column whose value is in no row that a trigger's condition can show? */
static bool
has_virtual_column(Oid table)
{
	Relation	relation = table_open(table, NoLock);
	bool		found = false;

	for (int i = 0; i < RelationGetDescr(relation)->natts; i++)
		found |= PGT_IS_VIRTUAL(TupleDescAttr(RelationGetDescr(relation), i));
	table_close(relation, NoLock);
	return found;
}

/*
 * Make the triggers that fire for each row, and publish in their conditions
 * (publish_row.c).  A row with virtual columns is no variable in a condition, but an
 * expression: then the trigger is an ordinary one.
 */
static void
create_row_triggers(TablePublication *publication)
{
	if (has_virtual_column(publication->table))
	{
		create_trigger(publication, NULL, "INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW", NULL);
		return;
	}
	create_trigger(publication, "insert", "INSERT ON %s FOR EACH ROW", "NULL, NEW.*");
	create_trigger(publication, "update", "UPDATE ON %s FOR EACH ROW", "OLD.*, NEW.*");
	create_trigger(publication, "delete", "DELETE ON %s FOR EACH ROW", "OLD.*, NULL");
}

/* Make all triggers. */
static void
create_triggers(TablePublication *publication, const char *for_each)
{
	if (strcmp(for_each, "row") == 0)
	{
		mention_children(publication);
		create_row_triggers(publication);
	}
	else if (strcmp(for_each, "statement") == 0)
	{
		publication->by_statement = true;
		refuse_statements(publication);
		create_trigger(publication, "insert",
					   "INSERT ON %s REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT", NULL);
		create_trigger(publication, "update",
					   "UPDATE ON %s REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT", NULL);
		create_trigger(publication, "delete",
					   "DELETE ON %s REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT", NULL);
	}
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for argument \"for_each\": \"%s\"", for_each),
				 errhint("Valid values are: row, statement.")));
	if (publication->relkind != RELKIND_FOREIGN_TABLE)
		create_trigger(publication, "truncate", "TRUNCATE ON %s FOR EACH STATEMENT", NULL);
}

/* ---- keys ----------------------------------------------------------------- */

/* Can no two rows have the same values in these columns, not even for a moment? */
static bool
is_unique_by(Relation index, const ChangeColumns *columns, bool for_a_moment)
{
	Form_pg_index form = index->rd_index;
	Bitmapset  *numbers = NULL;

	if (!form->indisunique || !form->indisvalid || (!form->indimmediate && !for_a_moment) ||
		RelationGetIndexPredicate(index) != NIL)
		return false;
	for (int i = 0; i < columns->count; i++)
		numbers = bms_add_member(numbers, columns->columns[i].attnum);
	for (int i = 0; i < form->indnkeyatts; i++)
	{
		/* 0 is an expression */
		if (!bms_is_member(form->indkey.values[i], numbers))
			return false;
	}
	return true;
}

/* Has the table a unique index that makes the key unique? */
static bool
key_is_unique(Relation table, const ChangeKey *key, bool for_a_moment)
{
	ListCell   *cell;

	foreach(cell, RelationGetIndexList(table))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);
		bool		unique = is_unique_by(index, &key->columns, for_a_moment);

		index_close(index, NoLock);
		if (unique)
			return true;
	}
	return false;
}

/* Say what consumers cannot do, if the key does not tell the rows. */
static void
mention_key(const TablePublication *publication, Relation table, const ChangeWriter *writer)
{
	const ChangePublisher *publisher = writer->publisher;

	if (publisher->key.form == KEY_FORM_NONE)
		ereport(NOTICE,
				(errmsg("table \"%s\" has no primary key, so its records have no key", RelationGetRelationName(table)),
				 writer->topic->partitions == 1 ?
				 errdetail("Consumers cannot tell rows by keys, and compaction is impossible.") :
				 errdetail("Consumers cannot tell rows by keys, compaction is impossible, and the changes of a row come in no order, since they go to any of the %d partitions.",
						   writer->topic->partitions),
				 errhint("Add a primary key, or name columns that identify a row with key =>.")));
	else if (publication->relkind != RELKIND_FOREIGN_TABLE &&
			 (publisher->format == CHANGE_FORMAT_ROW || publisher->before != CHANGE_BEFORE_FULL) &&
			 !key_is_unique(table, &publisher->key, publication->by_statement))
		ereport(NOTICE,
				(errmsg("the published key of table \"%s\" is not unique", RelationGetRelationName(table)),
				 errdetail("Rows may have the same key, at least for a moment, and then a record of one stands for the other."),
				 errhint("Name the columns of a unique index that is not deferrable with key =>, or publish envelopes with before => 'full'.")));
}

/* ---- existing rows ------------------------------------------------------ */

/* Publish the rows of one table or partition; without "rows" only check the arguments. */
static void
publish_relation(TablePublication *publication, Oid relid, bool rows)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics publish table",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext row_context = AllocSetContextCreate(context, "pg_topics published row",
													  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	Relation	relation = table_open(relid, NoLock);
	ChangePublisher *publisher;
	ChangeWriter writer;

	publisher = pgt_change_publisher_make(relation, publication->table, linitial(publication->triggers),
										  publication->function, publication->argument_count, publication->arguments);
	pgt_change_record_begin(&writer, publisher, CHANGE_READ);
	if (relid == publication->table)
		mention_key(publication, relation, &writer);
	if (rows && RELKIND_HAS_TABLE_AM(relation->rd_rel->relkind))
	{
		Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
		TupleTableSlot *slot = table_slot_create(relation, NULL);
		TableScanDesc scan = PGT_BEGIN_SCAN(relation, snapshot);

		MemoryContextSwitchTo(row_context);
		while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
		{
			pgt_change_record_add(&writer, NULL, slot);
			MemoryContextReset(row_context);
			CHECK_FOR_INTERRUPTS();
		}
		table_endscan(scan);
		ExecDropSingleTupleTableSlot(slot);
		UnregisterSnapshot(snapshot);
	}
	table_close(relation, NoLock);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}

/* Publish the rows of the table, or of all its partitions. */
static void
publish_rows(TablePublication *publication, bool rows)
{
	List	   *relations = list_make1_oid(publication->table);
	ListCell   *cell;

	if (rows && publication->relkind == RELKIND_FOREIGN_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("cannot publish the rows of foreign table \"%s\"", get_rel_name(publication->table)),
				 errdetail("A foreign table cannot be locked against changes.")));
	if (rows && publication->relkind == RELKIND_PARTITIONED_TABLE)
		relations = find_all_inheritors(publication->table, ShareRowExclusiveLock, NULL);
	foreach(cell, relations)
	{
		if (rows && get_rel_relkind(lfirst_oid(cell)) == RELKIND_FOREIGN_TABLE)
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("cannot publish the rows of foreign table \"%s\"",
							get_rel_name(lfirst_oid(cell))),
					 errdetail("The partition is a foreign table, which cannot be locked against changes.")));
		publish_relation(publication, lfirst_oid(cell), rows);
	}
}

/* ---- functions ---------------------------------------------------------- */

/*
 * publish_table(t, topic, format, key, columns, exclude, before, headers,
 *				 for_each, snapshot, partitions, config, on_large) returns regclass
 */
Datum
pgt_publish_table(PG_FUNCTION_ARGS)
{
	TablePublication publication;
	Oid			topic;

	pgt_sql_argument_require(fcinfo, ARG_TABLE, "t");
	pgt_sql_argument_require(fcinfo, ARG_FORMAT, "format");
	for (int n = ARG_FOR_EACH; n <= ARG_CONFIG; n++)
		pgt_sql_argument_require(fcinfo, n, argument_names[n]);
	begin(fcinfo, &publication);
	lock_table(&publication);

	topic = open_topic(fcinfo, &publication);
	make_arguments(fcinfo, &publication);
	create_triggers(&publication, TextDatumGetCString(PG_GETARG_DATUM(ARG_FOR_EACH)));
	publish_rows(&publication, PG_GETARG_BOOL(ARG_SNAPSHOT));
	PG_RETURN_OID(topic);
}

/* Does the trigger publish to the topic, or, with InvalidOid, to any topic? */
static bool
publishes(const Trigger *trigger, Oid function, Oid table, Oid topic)
{
	if (trigger->tgfoid != function || trigger->tgisclone)
		return false;
	return !OidIsValid(topic) ||
		(trigger->tgnargs > 0 && pgt_publishing_trigger_find_topic(trigger->tgargs[0], table) == topic);
}

/* unpublish_table(t, topic) returns int: drops the triggers and returns how many there were. */
Datum
pgt_unpublish_table(PG_FUNCTION_ARGS)
{
	TablePublication publication;
	Oid			topic = PG_ARGISNULL(1) ? InvalidOid : PG_GETARG_OID(1);
	Relation	relation;
	TriggerDesc *triggers;
	List	   *statements = NIL;
	ListCell   *cell;

	pgt_sql_argument_require(fcinfo, ARG_TABLE, "t");
	begin(fcinfo, &publication);
	lock_table(&publication);
	relation = table_open(publication.table, NoLock);
	triggers = CopyTriggerDesc(relation->trigdesc);
	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		Trigger    *trigger = &triggers->triggers[i];

		if (publishes(trigger, publication.function, publication.table, topic))
			statements = lappend(statements, psprintf("DROP TRIGGER %s ON %s", quote_identifier(trigger->tgname),
													  qualified_name(publication.table)));
	}
	table_close(relation, NoLock);
	foreach(cell, statements)
		run(lfirst(cell));
	PG_RETURN_INT32(list_length(statements));
}
