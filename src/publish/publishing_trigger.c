/*
 * publishing_trigger.c
 *	  The triggers that publish a table's changes, as the catalogs have them.
 *
 * DDL hooks ask here, for every table that a statement alters.  So the first question, has
 * the relation any triggers, is answered by the system cache, and the rest is done for
 * tables with triggers alone.
 *
 * A publishing trigger is one whose function is the extension's publish_changes(), known
 * by its C symbol: the extension's schema and the function's name may change.
 *
 * The first argument names the topic.  A trigger depends on its topic from the time when it
 * is made, which keeps that from being dropped; and where topic, table or schema get other
 * names, the dependency tells which topic it is, and the argument is written anew, for
 * dumps.  No lock on the trigger's table is needed for that, and none is taken, since
 * writers of the table would wait for it with the topic locked.
 *
 * Arguments are read leniently: those that do not make sense are for change_publisher.c to
 * refuse.
 *
 * Locks: the caller has the relation locked as its statement needs it.  ExclusiveLock on a
 * trigger, as a database object, to change its arguments, until the transaction's end.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "publish/publishing_trigger.h"
#include "topic/topic.h"

#define PUBLISHING_SYMBOL	"pgt_publish_changes"
#define CONDITION_SYMBOL	"pgt_publish_row"

/* The options' names with the sign that follows. */
static const char *const option_prefixes[COLUMN_OPTION_COUNT] = {
	[COLUMN_OPTION_KEY] = "key=",
	[COLUMN_OPTION_COLUMNS] = "columns=",
	[COLUMN_OPTION_EXCLUDE] = "exclude=",
};

/* ---- reading ------------------------------------------------------------ */

/* Has the relation triggers? */
static bool
has_triggers(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	result = ((Form_pg_class) GETSTRUCT(tuple))->relhastriggers;
	ReleaseSysCache(tuple);
	return result;
}

/* Is it the function of that C symbol? */
static bool
is_function(Oid function, const char *symbol_wanted)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	bool		result = false;
	bool		isnull;
	Datum		symbol;

	if (!HeapTupleIsValid(tuple))
		return false;
	if (((Form_pg_proc) GETSTRUCT(tuple))->prolang == ClanguageId)
	{
		symbol = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &isnull);
		result = !isnull && strcmp(TextDatumGetCString(symbol), symbol_wanted) == 0;
	}
	ReleaseSysCache(tuple);
	return result;
}

/* Walker: does the expression call publish_row()? */
static bool
calls_publish_row(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, FuncExpr) && is_function(((FuncExpr *) node)->funcid, CONDITION_SYMBOL))
		return true;
	return expression_tree_walker(node, calls_publish_row, context);
}

/* Does the trigger of a catalog row publish in its condition? */
static bool
publishes_in_condition(HeapTuple tuple, TupleDesc desc)
{
	bool		isnull;
	Datum		condition = heap_getattr(tuple, Anum_pg_trigger_tgqual, desc, &isnull);

	return !isnull && calls_publish_row(stringToNode(TextDatumGetCString(condition)), NULL);
}

/* Read the arguments, which the catalog has in one value, each with a zero byte at its end. */
static void
read_arguments(PublishingTrigger *trigger, HeapTuple tuple, TupleDesc desc)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, Anum_pg_trigger_tgargs, desc, &isnull);
	const char *next = isnull ? NULL : VARDATA_ANY(DatumGetByteaPCopy(value));

	trigger->argument_count = isnull ? 0 : ((Form_pg_trigger) GETSTRUCT(tuple))->tgnargs;
	trigger->arguments = palloc0((trigger->argument_count + 1) * sizeof(char *));
	for (int i = 0; i < trigger->argument_count; i++)
	{
		trigger->arguments[i] = pstrdup(next);
		next += strlen(next) + 1;
	}
}

/* The trigger of a catalog row; NULL if it does not publish. */
static PublishingTrigger *
read_trigger(HeapTuple tuple, TupleDesc desc)
{
	Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(tuple);
	PublishingTrigger *trigger;

	if (!is_function(form->tgfoid, PUBLISHING_SYMBOL))
		return NULL;
	trigger = palloc0(sizeof(PublishingTrigger));
	trigger->oid = form->oid;
	trigger->parent = form->tgparentid;
	trigger->relid = form->tgrelid;
	trigger->function = form->tgfoid;
	trigger->name = pstrdup(NameStr(form->tgname));
	trigger->type = form->tgtype;
	trigger->enabled = form->tgenabled;
	trigger->in_condition = publishes_in_condition(tuple, desc);
	read_arguments(trigger, tuple, desc);
	return trigger;
}

/* Begin to read the triggers of a relation. */
static SysScanDesc
scan_relation(Relation catalog, Oid relid)
{
	ScanKeyData key;

	ScanKeyInit(&key, Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relid));
	return systable_beginscan(catalog, TriggerRelidNameIndexId, true, NULL, 1, &key);
}

List *
pgt_publishing_trigger_list(Oid relid)
{
	List	   *triggers = NIL;
	Relation	catalog;
	SysScanDesc scan;
	HeapTuple	tuple;

	if (!has_triggers(relid))
		return NIL;
	catalog = table_open(TriggerRelationId, AccessShareLock);
	scan = scan_relation(catalog, relid);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		PublishingTrigger *trigger = read_trigger(tuple, RelationGetDescr(catalog));

		if (trigger != NULL)
			triggers = lappend(triggers, trigger);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return triggers;
}

bool
pgt_publishing_trigger_publishes(Oid relid)
{
	ListCell   *cell;

	foreach(cell, pgt_publishing_trigger_list(relid))
	{
		if (!OidIsValid(((PublishingTrigger *) lfirst(cell))->parent))
			return true;
	}
	return false;
}

PublishingTrigger *
pgt_publishing_trigger_find(Oid oid, Snapshot snapshot)
{
	Relation	catalog = table_open(TriggerRelationId, AccessShareLock);
	PublishingTrigger *trigger = NULL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(oid));
	scan = systable_beginscan(catalog, TriggerOidIndexId, true, snapshot, 1, &key);
	if (HeapTupleIsValid(tuple = systable_getnext(scan)))
		trigger = read_trigger(tuple, RelationGetDescr(catalog));
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return trigger;
}

PublishingTrigger *
pgt_publishing_trigger_source(PublishingTrigger *trigger)
{
	while (trigger != NULL && OidIsValid(trigger->parent))
		trigger = pgt_publishing_trigger_find(trigger->parent, SnapshotSelf);
	return trigger;
}

bool
pgt_publishing_trigger_fires(const PublishingTrigger *trigger)
{
	char		other = SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA ?
		TRIGGER_FIRES_ON_REPLICA : TRIGGER_FIRES_ON_ORIGIN;

	return trigger->enabled == TRIGGER_FIRES_ALWAYS || trigger->enabled == other;
}

char *
pgt_publishing_trigger_table(Oid relid)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid));
}

/* ---- the topic ------------------------------------------------------------ */

/* Can it be a relation's name?  What cannot is for change_publisher.c to refuse. */
static bool
is_name(const char *name)
{
	List	   *parts;

	return SplitIdentifierString(pstrdup(name), '.', &parts) && parts != NIL && list_length(parts) <= 3;
}

Oid
pgt_publishing_trigger_find_topic(const char *name, Oid table)
{
	RangeVar   *topic = makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(name)));
	Oid			schema = topic->schemaname == NULL ? get_rel_namespace(table) :
		get_namespace_oid(topic->schemaname, true);

	if (topic->catalogname != NULL && strcmp(topic->catalogname, get_database_name(MyDatabaseId)) != 0)
		return InvalidOid;
	return OidIsValid(schema) ? get_relname_relid(topic->relname, schema) : InvalidOid;
}

/*
 * The two sides of the dependencies that an object has on others, or others on it: those of
 * "other_class", in the current memory context.
 */
static List *
dependencies(Oid class, Oid object, bool referenced, Oid other_class)
{
	Relation	catalog = table_open(DependRelationId, AccessShareLock);
	List	   *others = NIL;
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], referenced ? Anum_pg_depend_refclassid : Anum_pg_depend_classid,
				BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(class));
	ScanKeyInit(&keys[1], referenced ? Anum_pg_depend_refobjid : Anum_pg_depend_objid,
				BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(object));
	scan = systable_beginscan(catalog, referenced ? DependReferenceIndexId : DependDependerIndexId,
							  true, NULL, 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);

		if ((referenced ? form->classid : form->refclassid) == other_class)
			others = list_append_unique_oid(others, referenced ? form->objid : form->refobjid);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return others;
}

Oid
pgt_publishing_trigger_topic(Oid trigger)
{
	Oid			topic = InvalidOid;
	ListCell   *cell;

	foreach(cell, dependencies(TriggerRelationId, trigger, false, RelationRelationId))
	{
		if (!pgt_topic_exists(lfirst_oid(cell)))
			continue;
		if (OidIsValid(topic))
			return InvalidOid;
		topic = lfirst_oid(cell);
	}
	return topic;
}

void
pgt_publishing_trigger_depend(PublishingTrigger *trigger)
{
	ObjectAddress address;
	ObjectAddress topic;

	if (trigger->argument_count == 0 || !is_name(trigger->arguments[0]))
		return;
	ObjectAddressSet(topic, RelationRelationId,
					 pgt_publishing_trigger_find_topic(trigger->arguments[0], trigger->relid));
	if (!OidIsValid(topic.objectId) || !pgt_topic_exists(topic.objectId))
		return;
	ObjectAddressSet(address, TriggerRelationId, trigger->oid);
	recordDependencyOn(&address, &topic, DEPENDENCY_NORMAL);
}

List *
pgt_publishing_trigger_list_of_topic(Oid topic)
{
	List	   *triggers = NIL;
	List	   *oids = dependencies(RelationRelationId, topic, true, TriggerRelationId);
	ListCell   *cell;

	list_sort(oids, list_oid_cmp);
	foreach(cell, oids)
	{
		PublishingTrigger *trigger = pgt_publishing_trigger_find(lfirst_oid(cell), NULL);

		if (trigger != NULL && !OidIsValid(trigger->parent))
			triggers = lappend(triggers, trigger);
	}
	return triggers;
}

/* ---- types ------------------------------------------------------------------ */

List *
pgt_publishing_trigger_list_of_types(List **types)
{
	List	   *relids = NIL;
	ListCell   *cell;

	/* the list grows on the way */
	for (int i = 0; i < list_length(*types); i++)
	{
		Oid			used = list_nth_oid(*types, i);

		CHECK_FOR_INTERRUPTS();
		*types = list_concat_unique_oid(*types, dependencies(TypeRelationId, used, true, TypeRelationId));
		foreach(cell, dependencies(TypeRelationId, used, true, RelationRelationId))
		{
			Oid			relid = lfirst_oid(cell);

			if (pgt_publishing_trigger_publishes(relid))
				relids = list_append_unique_oid(relids, relid);
			if (OidIsValid(get_rel_type_id(relid)))
				*types = list_append_unique_oid(*types, get_rel_type_id(relid));
		}
	}
	return relids;
}

/* ---- the names of columns ------------------------------------------------- */

/* The list of names in an argument that begins with the prefix; NIL if it is another argument. */
static List *
names_in(const char *argument, const char *prefix)
{
	List	   *names;

	if (strncmp(argument, prefix, strlen(prefix)) != 0 ||
		!SplitIdentifierString(pstrdup(argument + strlen(prefix)), ',', &names))
		return NIL;
	return names;
}

/* Is the name in the list? */
static bool
contains(List *names, const char *name)
{
	ListCell   *cell;

	foreach(cell, names)
	{
		if (strcmp(lfirst(cell), name) == 0)
			return true;
	}
	return false;
}

const char *
pgt_publishing_trigger_option(const PublishingTrigger *trigger, PublishingTriggerOption option)
{
	const char *prefix = option_prefixes[option];

	for (int i = 1; i < trigger->argument_count; i++)
	{
		if (strncmp(trigger->arguments[i], prefix, strlen(prefix)) == 0)
			return trigger->arguments[i] + strlen(prefix);
	}
	return NULL;
}

List *
pgt_publishing_trigger_list_names(const PublishingTrigger *trigger, PublishingTriggerOption option)
{
	for (int i = 1; i < trigger->argument_count; i++)
	{
		List	   *names = names_in(trigger->arguments[i], option_prefixes[option]);

		if (names != NIL)
			return names;
	}
	return NIL;
}

bool
pgt_publishing_trigger_names(const PublishingTrigger *trigger, PublishingTriggerOption option, const char *column)
{
	return contains(pgt_publishing_trigger_list_names(trigger, option), column);
}

/* ---- writing ------------------------------------------------------------ */

/* The argument with one name in the place of another; NULL if it does not name the column. */
static char *
renamed(const char *argument, const char *from, const char *to)
{
	for (PublishingTriggerOption option = 0; option < COLUMN_OPTION_COUNT; option++)
	{
		List	   *names = names_in(argument, option_prefixes[option]);
		StringInfoData changed;
		ListCell   *cell;

		if (!contains(names, from))
			continue;
		initStringInfo(&changed);
		appendStringInfoString(&changed, option_prefixes[option]);
		foreach(cell, names)
		{
			const char *name = lfirst(cell);

			appendStringInfo(&changed, "%s%s", foreach_current_index(cell) > 0 ? "," : "",
							 quote_identifier(strcmp(name, from) == 0 ? to : name));
		}
		return changed.data;
	}
	return NULL;
}

/* The arguments in the form of the catalog. */
static Datum
arguments_datum(const PublishingTrigger *trigger)
{
	StringInfoData bytes;

	initStringInfo(&bytes);
	for (int i = 0; i < trigger->argument_count; i++)
		appendBinaryStringInfo(&bytes, trigger->arguments[i], strlen(trigger->arguments[i]) + 1);
	return PointerGetDatum(cstring_to_text_with_len(bytes.data, bytes.len));
}

/* Write the trigger's arguments to its catalog row. */
static void
write_arguments(Relation catalog, HeapTuple tuple, const PublishingTrigger *trigger)
{
	Datum		values[Natts_pg_trigger] = {0};
	bool		nulls[Natts_pg_trigger] = {0};
	bool		replace[Natts_pg_trigger] = {0};
	HeapTuple	changed;

	values[Anum_pg_trigger_tgargs - 1] = arguments_datum(trigger);
	replace[Anum_pg_trigger_tgargs - 1] = true;
	changed = heap_modify_tuple(tuple, RelationGetDescr(catalog), values, nulls, replace);
	CatalogTupleUpdate(catalog, &changed->t_self, changed);
	CacheInvalidateRelcacheByRelid(trigger->relid);
}

/* A change of a trigger's arguments; false if there is nothing to change. */
typedef bool (*ArgumentChange) (PublishingTrigger *trigger, const char *from, const char *to);

/*
 * Change a trigger's arguments.  The lock on it keeps apart who renames a topic, and who
 * renames a column of the table and has that locked.
 */
static void
change_trigger(Relation catalog, Oid trigger_oid, ArgumentChange change, const char *from, const char *to)
{
	PublishingTrigger *trigger;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	LockDatabaseObject(TriggerRelationId, trigger_oid, 0, ExclusiveLock);
	ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(trigger_oid));
	scan = systable_beginscan(catalog, TriggerOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	trigger = HeapTupleIsValid(tuple) ? read_trigger(tuple, RelationGetDescr(catalog)) : NULL;
	if (trigger != NULL && change(trigger, from, to))
		write_arguments(catalog, tuple, trigger);
	systable_endscan(scan);
}

/* Change the arguments of the triggers of the relation, or with InvalidOid of all. */
static void
change_triggers(Oid relid, ArgumentChange change, const char *from, const char *to)
{
	Relation	catalog = table_open(TriggerRelationId, RowExclusiveLock);
	SysScanDesc scan = OidIsValid(relid) ? scan_relation(catalog, relid) :
		systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
	List	   *found = NIL;
	HeapTuple	tuple;
	ListCell   *cell;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		PublishingTrigger *trigger = read_trigger(tuple, RelationGetDescr(catalog));

		if (trigger != NULL && change(trigger, from, to))
			found = lappend_oid(found, trigger->oid);
	}
	systable_endscan(scan);
	foreach(cell, found)
		change_trigger(catalog, lfirst_oid(cell), change, from, to);
	table_close(catalog, RowExclusiveLock);
}

/* Let the options name a column by its new name. */
static bool
change_column(PublishingTrigger *trigger, const char *from, const char *to)
{
	bool		found = false;

	for (int i = 1; i < trigger->argument_count; i++)
	{
		char	   *changed = renamed(trigger->arguments[i], from, to);

		if (changed == NULL)
			continue;
		trigger->arguments[i] = changed;
		found = true;
	}
	return found;
}

void
pgt_publishing_trigger_rename_column(Oid relid, const char *from, const char *to)
{
	change_triggers(relid, change_column, from, to);
}

/* Let the first argument name the topic that the trigger depends on. */
static bool
change_topic(PublishingTrigger *trigger, const char *from, const char *to)
{
	PublishingTrigger *source = pgt_publishing_trigger_source(trigger);
	Oid			topic = source != NULL ? pgt_publishing_trigger_topic(source->oid) : InvalidOid;

	if (!OidIsValid(topic) || trigger->argument_count == 0 ||
		(is_name(trigger->arguments[0]) &&
		 pgt_publishing_trigger_find_topic(trigger->arguments[0], source->relid) == topic))
		return false;
	trigger->arguments[0] = pgt_publishing_trigger_table(topic);
	return true;
}

void
pgt_publishing_trigger_rename_topics(void)
{
	change_triggers(InvalidOid, change_topic, NULL, NULL);
}
