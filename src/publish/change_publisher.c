/*
 * change_publisher.c
 *	  How one trigger publishes one table's changes: the trigger's arguments, checked,
 *	  and everything that follows from them and from the catalogs.
 *
 * A trigger's arguments are the topic and options, each as name=value:
 *
 *	  publish_changes('account_changes', 'format=row', 'key=aid', ...)
 *
 * The server does not look at these strings, so they are checked when the trigger first
 * fires in a session.  The result is a ChangePublisher, which is kept for the session:
 *
 *	  trigger oid -> PublisherEntry -> ChangePublisher   (in a context of its own)
 *
 * A publisher is current until an invalidation arrives for one of the three relations
 * that it was made from (the table, the partitioned table above it, the topic), or for
 * a schema, whose name it holds.  After that, it is made again when it is next asked for.
 * The memory of the old one is freed with the transaction, because a trigger further up
 * the stack may still be using it.
 *
 * A row trigger of a partitioned table is cloned to each partition.  The change of a
 * partition's row is published as a change of the table that the trigger was made for:
 * with that table's name, and its columns in its order.  So the topic does not show how
 * the table is partitioned.
 *
 * The topic is the one that the trigger depends on, whatever its name is now; or, if the
 * trigger was made before its topic, the one of that name.
 * A topic named without a schema is one in the table's schema.  Neither search_path nor
 * any privilege of the changing user counts: the user could divert the changes, and need
 * not know where they go.
 *
 * The default key is the primary key, unless it is deferrable: then two rows can have the
 * same key for a while, and the order of their changes does not tell which of them
 * remains.
 *
 * Locks: AccessShareLock on the partitioned table while a publisher is made;
 * the trigger's table is locked by whoever changes it.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "publish/change_publisher.h"
#include "publish/publishing_trigger.h"
#include "publish/schema_version.h"
#include "topic/text_settings.h"
#include "util/compat.h"
#include "util/relation_change.h"

typedef struct PublisherEntry
{
	Oid			trigger;		/* hash key */
	MemoryContext context;		/* holds publisher */
	ChangePublisher *publisher;
} PublisherEntry;

/* The options of a trigger. */
typedef enum OptionId
{
	OPTION_FORMAT,
	OPTION_KEY,
	OPTION_COLUMNS,
	OPTION_EXCLUDE,
	OPTION_BEFORE,
	OPTION_HEADERS,
	OPTION_ON_LARGE,
	OPTION_COUNT
} OptionId;

static const char *const option_names[OPTION_COUNT] = {
	[OPTION_FORMAT] = "format",
	[OPTION_KEY] = "key",
	[OPTION_COLUMNS] = "columns",
	[OPTION_EXCLUDE] = "exclude",
	[OPTION_BEFORE] = "before",
	[OPTION_HEADERS] = "headers",
	[OPTION_ON_LARGE] = "on_large",
};

/* A word and what it stands for. */
typedef struct Choice
{
	const char *word;
	int			value;
} Choice;

static const Choice format_choices[] = {
	{"envelope", CHANGE_FORMAT_ENVELOPE}, {"row", CHANGE_FORMAT_ROW}, {NULL}
};

static const Choice before_choices[] = {
	{"none", CHANGE_BEFORE_NONE}, {"key", CHANGE_BEFORE_KEY}, {"full", CHANGE_BEFORE_FULL}, {NULL}
};

static const Choice on_large_choices[] = {
	{"error", CHANGE_ON_LARGE_ERROR}, {"key_only", CHANGE_ON_LARGE_KEY_ONLY}, {"skip", CHANGE_ON_LARGE_SKIP}, {NULL}
};

static const Choice header_choices[] = {
	{"xid", CHANGE_HEADER_XID}, {"table", CHANGE_HEADER_TABLE},
	{"operation", CHANGE_HEADER_OPERATION}, {"user", CHANGE_HEADER_USER},
	{"schema_version", CHANGE_HEADER_SCHEMA_VERSION}, {"all", CHANGE_HEADER_ALL},
	{"none", 0}, {NULL}
};

/* The parts from which a publisher is made. */
typedef struct PublisherSpec
{
	ChangePublisher *publisher;
	Relation	relation;
	Relation	source;
	Oid			function;		/* publish_changes() */
	char	   *options[OPTION_COUNT];
} PublisherSpec;

/* The number of entries at which dropped triggers are first looked for. */
#define MIN_SWEEP_ENTRIES	128

static HTAB *entries = NULL;
static long sweep_at = MIN_SWEEP_ENTRIES;
static uint64 invalidations = 0;	/* counts those received */

/* ---- messages ----------------------------------------------------------- */

/* An argument's name in messages. */
static char *
about(const PublisherSpec *spec, OptionId option)
{
	return psprintf("argument \"%s=%s\" of trigger \"%s\" on table \"%s\"",
					option_names[option], spec->options[option],
					spec->publisher->trigger, spec->publisher->table);
}

/* The words of a list of choices, for a hint. */
static char *
choice_words(const Choice *choices)
{
	StringInfoData words;

	initStringInfo(&words);
	for (const Choice *choice = choices; choice->word != NULL; choice++)
		appendStringInfo(&words, "%s%s", choice > choices ? ", " : "", choice->word);
	return words.data;
}

/* ---- arguments ---------------------------------------------------------- */

/* Which option an argument such as "key=aid" sets; ERROR if there is no such option. */
static OptionId
option_of(const ChangePublisher *publisher, const char *argument, int name_length)
{
	StringInfoData names;

	for (OptionId id = 0; id < OPTION_COUNT; id++)
		if (strlen(option_names[id]) == name_length &&
			strncmp(argument, option_names[id], name_length) == 0)
			return id;

	initStringInfo(&names);
	for (OptionId id = 0; id < OPTION_COUNT; id++)
		appendStringInfo(&names, "%s%s", id > 0 ? ", " : "", option_names[id]);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized argument \"%s\" of trigger \"%s\" on table \"%s\"",
					argument, publisher->trigger, publisher->table),
			 errhint("The topic is followed by options, each as name=value. Valid options are: %s.", names.data)));
}

/* Sort the arguments after the topic by option. */
static void
read_options(PublisherSpec *spec, int argument_count, char **arguments)
{
	ChangePublisher *publisher = spec->publisher;

	if (argument_count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("trigger \"%s\" on table \"%s\" names no topic",
						publisher->trigger, publisher->table),
				 errhint("Give publish_changes() the topic as its first argument.")));
	for (int i = 1; i < argument_count; i++)
	{
		OptionId	id = option_of(publisher, arguments[i], strcspn(arguments[i], "="));
		char	   *equals = strchr(arguments[i], '=');

		if (equals == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"%s\" of trigger \"%s\" on table \"%s\" has no value",
							arguments[i], publisher->trigger, publisher->table),
					 errhint("Give each option once, as name=value.")));
		if (spec->options[id] != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"%s\" of trigger \"%s\" on table \"%s\" repeats an option",
							arguments[i], publisher->trigger, publisher->table),
					 errhint("Give each option once, as name=value.")));
		spec->options[id] = equals + 1;
	}
}

/* The value that a word stands for; ERROR if it is not among the choices. */
static int
choose(const PublisherSpec *spec, OptionId option, const char *word, const Choice *choices)
{
	for (const Choice *choice = choices; choice->word != NULL; choice++)
		if (strcmp(choice->word, word) == 0)
			return choice->value;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value \"%s\" in %s", word, about(spec, option)),
			 errhint("Valid values are: %s.", choice_words(choices))));
}

/* The option's value as a list of names, read like SQL identifiers; NIL if the option is not given. */
static List *
name_list(const PublisherSpec *spec, OptionId option)
{
	List	   *names;

	if (spec->options[option] == NULL)
		return NIL;
	if (!SplitIdentifierString(pstrdup(spec->options[option]), ',', &names) || names == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is not a list of names", about(spec, option)),
				 errhint("Separate names by commas, and write them in double quotes where SQL would need that.")));
	return names;
}

/* Read the options whose values are words. */
static void
read_choices(PublisherSpec *spec)
{
	ChangePublisher *publisher = spec->publisher;
	char	  **options = spec->options;
	ListCell   *cell;

	publisher->format = options[OPTION_FORMAT] == NULL ? CHANGE_FORMAT_ENVELOPE :
		choose(spec, OPTION_FORMAT, options[OPTION_FORMAT], format_choices);
	publisher->before = options[OPTION_BEFORE] == NULL ? CHANGE_BEFORE_KEY :
		choose(spec, OPTION_BEFORE, options[OPTION_BEFORE], before_choices);
	publisher->on_large = options[OPTION_ON_LARGE] == NULL ? CHANGE_ON_LARGE_ERROR :
		choose(spec, OPTION_ON_LARGE, options[OPTION_ON_LARGE], on_large_choices);
	foreach(cell, name_list(spec, OPTION_HEADERS))
		publisher->headers |= choose(spec, OPTION_HEADERS, lfirst(cell), header_choices);

	if (publisher->format == CHANGE_FORMAT_ROW && options[OPTION_BEFORE] != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s cannot be used with format=row", about(spec, OPTION_BEFORE)),
				 errdetail("In this format a record holds the new row alone."),
				 errhint("Use format=envelope.")));
	if (options[OPTION_COLUMNS] != NULL && options[OPTION_EXCLUDE] != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s cannot be used with columns=", about(spec, OPTION_EXCLUDE)),
				 errhint("Give either the columns to publish or the columns to leave out.")));
}

/* ---- columns ------------------------------------------------------------ */

/* ERROR if a column's value is in no row that a trigger sees. */
static void
refuse_virtual(const PublisherSpec *spec, OptionId option, Form_pg_attribute att)
{
	if (PGT_IS_VIRTUAL(att) && option != OPTION_EXCLUDE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("%s: column \"%s\" is a virtual generated column",
						about(spec, option), NameStr(att->attname)),
				 errdetail("Its value is not stored with the row, so it is not published."),
				 errhint("Declare it STORED, or let the readers of the topic compute it.")));
}

/* The source table's column of that name; ERROR if it has none. */
static Form_pg_attribute
find_column(const PublisherSpec *spec, OptionId option, const char *name)
{
	TupleDesc	desc = RelationGetDescr(spec->source);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attisdropped || strcmp(NameStr(att->attname), name) != 0)
			continue;
		refuse_virtual(spec, option, att);
		return att;
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" in %s does not exist", name, about(spec, option))));
}

/* Add a column of the source table, with its number in the trigger's own table. */
static void
add_column(PublisherSpec *spec, ChangeColumns *columns, Form_pg_attribute att)
{
	ChangeColumn *column = &columns->columns[columns->count++];

	pgt_change_json_column_init(column, att);
	if (spec->source != spec->relation)
		column->attnum = get_attnum(RelationGetRelid(spec->relation), NameStr(att->attname));
	if (column->attnum == InvalidAttrNumber)
		elog(ERROR, "table \"%s\" has no column \"%s\"",
			 RelationGetRelationName(spec->relation), NameStr(att->attname));
	columns->last = Max(columns->last, column->attnum);
	columns->settings |= pgt_text_settings_of(column->type);
}

/* The source table's columns that an option names, in its order. */
static List *
named_columns(PublisherSpec *spec, OptionId option)
{
	List	   *columns = NIL;
	ListCell   *cell;

	foreach(cell, name_list(spec, option))
		columns = list_append_unique_ptr(columns, find_column(spec, option, lfirst(cell)));
	return columns;
}

/*
 * Choose the columns to publish, in the table's order: all that are stored, as in logical
 * replication, unless options say otherwise.
 */
static void
choose_columns(PublisherSpec *spec)
{
	TupleDesc	desc = RelationGetDescr(spec->source);
	ChangeColumns *columns = &spec->publisher->columns;
	List	   *only = named_columns(spec, OPTION_COLUMNS);
	List	   *not = named_columns(spec, OPTION_EXCLUDE);

	columns->columns = palloc(desc->natts * sizeof(ChangeColumn));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attisdropped || PGT_IS_VIRTUAL(att) ||
			(only != NIL && !list_member_ptr(only, att)) || list_member_ptr(not, att))
			continue;
		add_column(spec, columns, att);
	}
}

List *
pgt_change_publisher_primary_key(Relation relation)
{
	Oid			index_oid = PGT_PRIMARY_KEY_INDEX(relation);
	List	   *columns = NIL;
	Relation	index;

	if (!OidIsValid(index_oid))
		return NIL;
	index = index_open(index_oid, AccessShareLock);
	for (int i = 0; i < IndexRelationGetNumberOfKeyAttributes(index); i++)
		columns = lappend_int(columns, index->rd_index->indkey.values[i]);
	index_close(index, NoLock);
	return columns;
}

/* The columns of the primary key, as attributes. */
static List *
primary_key_columns(Relation relation)
{
	List	   *columns = NIL;
	ListCell   *cell;

	foreach(cell, pgt_change_publisher_primary_key(relation))
		columns = lappend(columns, TupleDescAttr(RelationGetDescr(relation), lfirst_int(cell) - 1));
	return columns;
}

/* ERROR: there is no key, and the topic wants one. */
static void
refuse_keyless(const PublisherSpec *spec, const Topic *topic)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
			 errmsg("trigger \"%s\" on table \"%s\" has no key", spec->publisher->trigger, spec->publisher->table),
			 spec->publisher->format == CHANGE_FORMAT_ROW ?
			 errdetail("With format=row the key identifies the row that a record stands for, and the table has no primary key, or only a deferrable one.") :
			 errdetail("Topic \"%s\" is compacted, which takes a key, and the table has no primary key, or only a deferrable one.",
					   get_rel_name(topic->relid)),
			 errhint("Name the key's columns with key=, or add a primary key that is not deferrable.")));
}

/* Choose the columns of the key. */
static void
choose_key_columns(PublisherSpec *spec, const Topic *topic)
{
	ChangePublisher *publisher = spec->publisher;
	ChangeKey  *key = &publisher->key;
	List	   *columns = spec->options[OPTION_KEY] != NULL ?
		named_columns(spec, OPTION_KEY) : primary_key_columns(spec->source);
	ListCell   *cell;

	if (columns == NIL &&
		(publisher->format == CHANGE_FORMAT_ROW || (topic->cleanup_policy & CLEANUP_COMPACT) != 0))
		refuse_keyless(spec, topic);

	if (columns == NIL && publisher->on_large == CHANGE_ON_LARGE_KEY_ONLY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("%s needs a key", about(spec, OPTION_ON_LARGE)),
				 errdetail("The record of a row that is too large shows the key's columns alone, and the table has no primary key, or only a deferrable one."),
				 errhint("Name the key's columns with key=, or add a primary key that is not deferrable.")));

	/* a deletion would say nothing */
	if (columns == NIL && spec->options[OPTION_BEFORE] == NULL)
		publisher->before = CHANGE_BEFORE_FULL;
	key->columns.columns = palloc(list_length(columns) * sizeof(ChangeColumn));
	foreach(cell, columns)
		add_column(spec, &key->columns, lfirst(cell));
}

/* ---- the topic ---------------------------------------------------------- */

/* The topic that the trigger depends on, or that its first argument names. */
static Oid
find_topic(const PublisherSpec *spec, const char *name)
{
	Oid			trigger = get_trigger_oid(spec->publisher->source, spec->publisher->trigger, true);
	Oid			topic = OidIsValid(trigger) ? pgt_publishing_trigger_topic(trigger) : InvalidOid;

	/* the trigger was made before its topic */
	if (!OidIsValid(topic))
		topic = pgt_publishing_trigger_find_topic(name, spec->publisher->source);
	if (!OidIsValid(topic))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("topic \"%s\", to which trigger \"%s\" on table \"%s\" publishes, does not exist",
						name, spec->publisher->trigger, spec->publisher->table),
				 errhint("Create the topic with create_topic(), qualify its name if it is in another schema than the table, or drop the trigger.")));
	if (!pgt_topic_exists(topic))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\", to which trigger \"%s\" on table \"%s\" publishes, is not a topic",
						name, spec->publisher->trigger, spec->publisher->table),
				 errhint("The view pg_topics lists the topics of this database.")));
	return topic;
}

/* ERROR: the changes cannot be written as the type of the topic's column. */
static void
refuse_type(const PublisherSpec *spec, const Serializer *s, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("trigger \"%s\" on table \"%s\" cannot publish to topic \"%s\": its column \"%s\" is of type %s",
					spec->publisher->trigger, spec->publisher->table,
					get_rel_name(spec->publisher->topic), NameStr(s->column), format_type_be(s->type)),
			 errhint("%s", hint)));
}

/* Choose how the key's bytes are made, by the type of the topic's key. */
static void
choose_key_form(PublisherSpec *spec, const Topic *topic)
{
	ChangeKey  *key = &spec->publisher->key;
	const Serializer *s = &topic->key;
	Oid			only = key->columns.count == 1 ? key->columns.columns[0].type : InvalidOid;
	bool		is_json = s->type == JSONOID || s->type == JSONBOID;

	if (key->columns.count == 0)
		key->form = KEY_FORM_NONE;
	else if (key->columns.count > 1 && (is_json || s->is_text || s->type == BYTEAOID))
		key->form = KEY_FORM_OBJECT;
	else if (key->columns.count > 1)
		refuse_type(spec, s, "A key of several columns is a JSON object: the topic's key must be text, json, jsonb or bytea.");
	else if (is_json)
		key->form = KEY_FORM_VALUE;
	else if (s->type == BYTEAOID && only == BYTEAOID)
		key->form = KEY_FORM_RAW;
	else if (s->is_text || s->type == BYTEAOID || (s->type == only && s->typmod < 0))
		key->form = KEY_FORM_TEXT;
	else
		refuse_type(spec, s, "The topic's key must be text, json, jsonb, bytea or of the key column's type.");
}

/* ERROR unless the topic's value can be JSON. */
static void
check_value_type(PublisherSpec *spec, const Topic *topic)
{
	ChangePublisher *publisher = spec->publisher;
	const Serializer *s = &topic->value;

	if (!s->is_text && s->type != JSONOID && s->type != JSONBOID && s->type != BYTEAOID)
		refuse_type(spec, s, "The topic's value must be text, json, jsonb or bytea.");
	if (s->type != JSONBOID)
		return;
	for (int i = 0; i < publisher->columns.count; i++)
		publisher->validate |= pgt_change_json_may_be_refused(&publisher->columns.columns[i]);
}

bool
pgt_change_publisher_writes_tombstones(const ChangePublisher *publisher, const Topic *topic)
{
	return publisher->key.form != KEY_FORM_NONE &&
		(publisher->format == CHANGE_FORMAT_ROW || (topic->cleanup_policy & CLEANUP_COMPACT) != 0);
}

/* ---- making a publisher -------------------------------------------------- */

/* Prepare the part of an envelope that all changes have in common, up to the transaction id. */
static void
prepare_envelope(PublisherSpec *spec)
{
	ChangePublisher *publisher = spec->publisher;
	char	   *schema = get_namespace_name(RelationGetNamespace(spec->source));
	char	   *table = RelationGetRelationName(spec->source);
	StringInfoData source;

	initStringInfo(&source);
	appendStringInfoString(&source, ",\"source\":{\"schema\":");
	pgt_change_json_append_string(&source, schema, strlen(schema));
	appendStringInfoString(&source, ",\"table\":");
	pgt_change_json_append_string(&source, table, strlen(table));
	appendStringInfoString(&source, ",\"xid\":");
	publisher->envelope_source = source.data;
	publisher->envelope_source_length = source.len;
}

/* Fill in everything but the names. */
static void
make_publisher(PublisherSpec *spec, int argument_count, char **arguments)
{
	ChangePublisher *publisher = spec->publisher;
	Topic	   *topic;

	read_options(spec, argument_count, arguments);
	read_choices(spec);
	publisher->topic = find_topic(spec, arguments[0]);
	topic = pgt_topic_get(publisher->topic);
	choose_columns(spec);
	choose_key_columns(spec, topic);
	choose_key_form(spec, topic);
	check_value_type(spec, topic);
	prepare_envelope(spec);
	if (publisher->headers & CHANGE_HEADER_SCHEMA_VERSION)
		publisher->schema_version = psprintf("%d", pgt_schema_version(get_func_namespace(spec->function),
																	  publisher->source));
}

ChangePublisher *
pgt_change_publisher_make(Relation relation, Oid source, const char *trigger,
						  Oid function, int argument_count, char **arguments)
{
	PublisherSpec spec = {0};
	ChangePublisher *publisher = palloc0(sizeof(ChangePublisher));

	spec.publisher = publisher;
	spec.function = function;
	spec.relation = relation;
	spec.source = source == RelationGetRelid(relation) ? relation : table_open(source, AccessShareLock);
	publisher->relid = RelationGetRelid(relation);
	publisher->source = source;
	publisher->source_owner = spec.source->rd_rel->relowner;
	publisher->trigger = pstrdup(trigger);
	publisher->table = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(spec.source)),
												  RelationGetRelationName(spec.source));
	publisher->valid = true;
	make_publisher(&spec, argument_count, arguments);
	if (spec.source != relation)
		table_close(spec.source, NoLock);
	return publisher;
}

/* The table that a trigger was made for, above a partition's clone. */
static Oid
source_of_trigger(Oid trigger)
{
	Relation	catalog = table_open(TriggerRelationId, AccessShareLock);
	Oid			source = InvalidOid;

	while (OidIsValid(trigger))
	{
		ScanKeyData key;
		SysScanDesc scan;
		HeapTuple	tuple;

		ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ,
					ObjectIdGetDatum(trigger));
		scan = systable_beginscan(catalog, TriggerOidIndexId, true, NULL, 1, &key);
		tuple = systable_getnext(scan);
		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "could not find trigger %u", trigger);
		source = ((Form_pg_trigger) GETSTRUCT(tuple))->tgrelid;
		trigger = ((Form_pg_trigger) GETSTRUCT(tuple))->tgparentid;
		systable_endscan(scan);
	}
	table_close(catalog, AccessShareLock);
	return source;
}

/* ---- cache --------------------------------------------------------------- */

/* Remove entries that are not current, if there are many more entries than after the last sweep. */
static void
sweep_entries(void)
{
	HASH_SEQ_STATUS scan;
	PublisherEntry *entry;

	if (hash_get_num_entries(entries) < sweep_at)
		return;
	hash_seq_init(&scan, entries);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		if (entry->publisher->valid)
			continue;
		MemoryContextSetParent(entry->context, TopTransactionContext);
		hash_search(entries, &entry->trigger, HASH_REMOVE, NULL);
	}
	sweep_at = Max(MIN_SWEEP_ENTRIES, 2 * hash_get_num_entries(entries));
}

/* Replace a trigger's entry by a new one; on ERROR the cache stays as it was. */
static ChangePublisher *
refresh_entry(Relation relation, Trigger *trigger)
{
	uint64		invalidations_before = invalidations;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics change publisher",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	Oid			source = trigger->tgisclone ? source_of_trigger(trigger->tgoid) : RelationGetRelid(relation);
	ChangePublisher *publisher = pgt_change_publisher_make(relation, source, trigger->tgname,
														   trigger->tgfoid, trigger->tgnargs, trigger->tgargs);
	PublisherEntry *entry;
	bool		found;

	MemoryContextSwitchTo(caller);
	sweep_entries();
	entry = hash_search(entries, &trigger->tgoid, HASH_ENTER, &found);
	if (found)
		MemoryContextSetParent(entry->context, TopTransactionContext);
	MemoryContextSetParent(context, CacheMemoryContext);
	entry->context = context;
	entry->publisher = publisher;
	publisher->valid = invalidations == invalidations_before;
	return publisher;
}

ChangePublisher *
pgt_change_publisher_get(Relation relation, Trigger *trigger)
{
	PublisherEntry *entry = hash_search(entries, &trigger->tgoid, HASH_FIND, NULL);

	if (likely(entry != NULL && entry->publisher->valid))
		return entry->publisher;
	return refresh_entry(relation, trigger);
}

/* Relcache callback: the relation (InvalidOid: any) has changed. */
static void
relation_changed(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS scan;
	PublisherEntry *entry;

	invalidations++;
	hash_seq_init(&scan, entries);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		ChangePublisher *publisher = entry->publisher;

		if (!OidIsValid(relid) || relid == publisher->relid || relid == publisher->source ||
			relid == publisher->topic)
			publisher->valid = false;
	}
}

/* Syscache callback: a schema has changed. */
static void
schema_changed(Datum arg, int cache, uint32 hash)
{
	relation_changed((Datum) 0, InvalidOid);
}

void
pgt_change_publisher_init(void)
{
	HASHCTL		ctl;

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(PublisherEntry);
	ctl.hcxt = TopMemoryContext;
	entries = hash_create("pg_topics change publishers", 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	pgt_relation_change_register(relation_changed);
	CacheRegisterSyscacheCallback(NAMESPACEOID, schema_changed, (Datum) 0);
}
