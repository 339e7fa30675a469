/*
 * create_topic.c
 *	  create_topic(), alter_topic() and drop_topic().
 *
 * Each of these functions builds one CREATE, ALTER or DROP FOREIGN TABLE statement and
 * runs it as the calling user, so that privileges, event triggers, locks and messages are
 * those of the statement.  Nothing is checked here that the statement, the validator
 * (topic_options.c) or the hooks (topic_ddl.c) check.
 *
 * Configuration comes as a jsonb object of option names to scalars.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "fmgr.h"
#include "foreign/foreign.h"
#include "nodes/makefuncs.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "ddl/create_topic.h"
#include "ddl/statement.h"
#include "topic/sql_argument.h"
#include "topic/topic.h"
#include "topic/topic_options.h"
#include "util/sql_version.h"

PGT_FUNCTION_INFO(pgt_create_topic);
PGT_FUNCTION_INFO(pgt_alter_topic);
PGT_FUNCTION_INFO(pgt_drop_topic);
PGT_FUNCTION_INFO(pgt_drop_topic_by_name);

/* ---- configuration ------------------------------------------------------ */

/* The text of a JSON scalar, or NULL for JSON's null; ERROR where the value is not a scalar. */
static char *
config_value(const char *name, JsonbIteratorToken token, const JsonbValue *value)
{
	if (token == WJB_VALUE)
	{
		switch (value->type)
		{
			case jbvNull:
				return NULL;
			case jbvString:
				return pnstrdup(value->val.string.val, value->val.string.len);
			case jbvBool:
				return pstrdup(value->val.boolean ? "true" : "false");
			case jbvNumeric:
				return DatumGetCString(DirectFunctionCall1(numeric_out,
														   NumericGetDatum(value->val.numeric)));
			default:
				break;
		}
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("value of option \"%s\" is not a scalar", name),
			 errhint("Give a string, a number, or null.")));
}

/* The members of a configuration, a List of CreateTopicOption with valid names. */
static List *
config_items(Jsonb *config)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	value;
	List	   *items = NIL;

	if (!JB_ROOT_IS_OBJECT(config))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("topic config must be a JSON object"),
				 errhint("For example: {\"retention.ms\": 604800000}.")));

	it = JsonbIteratorInit(&config->root);
	(void) JsonbIteratorNext(&it, &value, false);	/* the object's beginning */
	while (JsonbIteratorNext(&it, &value, false) == WJB_KEY)
	{
		CreateTopicOption *item = palloc(sizeof(CreateTopicOption));

		item->name = pnstrdup(value.val.string.val, value.val.string.len);
		pgt_topic_options_check_name(item->name);
		token = JsonbIteratorNext(&it, &value, false);
		item->value = config_value(item->name, token, &value);
		items = lappend(items, item);
	}
	return items;
}

/* ---- statements --------------------------------------------------------- */

/* The quoted, qualified name of a topic; ERROR where the relation is not a topic. */
static char *
qualified_name(Oid topic)
{
	pgt_topic_require(topic);
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(topic)),
									  get_rel_name(topic));
}

/*
 * A possibly qualified name as a RangeVar.  ERROR where a part of it is longer than the
 * server keeps, which would cut it off.
 */
static RangeVar *
parse_name(text *name)
{
	char	   *given = text_to_cstring(name);
	List	   *parts;
	List	   *names = NIL;
	ListCell   *cell;

	if (*given == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("topic name must not be empty")));
	if (!SplitIdentifierString(pstrdup(given), '.', &parts) || parts == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("invalid topic name: %s", given),
				 errhint("Put a name that is not only letters, digits and underscores in double quotes, as in an SQL statement: '%s'.",
						 quote_identifier(given))));
	foreach(cell, parts)
		names = lappend(names, makeString(lfirst(cell)));

	/* this one cuts nothing off */
	(void) SplitGUCList(pstrdup(given), '.', &parts);
	foreach(cell, parts)
	{
		if (strlen(lfirst(cell)) >= NAMEDATALEN)
			ereport(ERROR,
					(errcode(ERRCODE_NAME_TOO_LONG),
					 errmsg("name \"%s\" is too long for a topic or schema", (char *) lfirst(cell)),
					 errdetail("It has %zu bytes; the limit is %d.", strlen(lfirst(cell)), NAMEDATALEN - 1)));
	}
	return makeRangeVarFromNameList(names);
}

/*
 * ERROR where a new topic's schema does not exist; perhaps the name is Kafka's, in which
 * dots are common.
 */
static void
check_schema(const RangeVar *name)
{
	if (name->catalogname != NULL || name->schemaname == NULL ||
		strcmp(name->schemaname, "pg_temp") == 0 ||
		OidIsValid(get_namespace_oid(name->schemaname, true)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_SCHEMA),
			 errmsg("schema \"%s\" does not exist", name->schemaname),
			 errhint("The part before the dot names a schema. Put a topic name that contains a dot in double quotes: '\"%s.%s\"'.",
					 name->schemaname, name->relname)));
}

/*
 * A type's name for use in a statement, correct under any search_path; ERROR where the
 * type does not exist.  "argument" is the argument's name in the message.
 */
static char *
type_name(const char *argument, Oid type)
{
	if (!SearchSysCacheExists1(TYPEOID, ObjectIdGetDatum(type)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("argument \"%s\" names a type that does not exist", argument)));
	return format_type_extended(type, -1, FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY);
}

/* ---- create_topic ------------------------------------------------------- */

/* ERROR for a null argument of create_topic(). */
static void
check_arguments(FunctionCallInfo fcinfo)
{
	static const char *const names[] = {
		"topic", "partitions", "key_type", "value_type", "config", "if_not_exists", "retry_topics"
	};

	for (int i = 0; i < lengthof(names); i++)
		pgt_sql_argument_require(fcinfo, i, names[i]);
}

/* The relation of that name in the schema where CREATE would put it, or InvalidOid. */
static Oid
existing_relation(RangeVar *name)
{
	return get_relname_relid(name->relname, RangeVarGetCreationNamespace(name));
}

/* Append OPTIONS (...) to a CREATE FOREIGN TABLE. */
static void
append_create_options(StringInfo statement, int32 partitions, List *items)
{
	ListCell   *cell;

	appendStringInfo(statement, " OPTIONS (partitions '%d'", partitions);
	foreach(cell, items)
	{
		CreateTopicOption *item = lfirst(cell);

		if (strcmp(item->name, "partitions") == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"partitions\" cannot be part of a new topic's config"),
					 errhint("Use the argument \"partitions\".")));
		if (item->value != NULL)
			appendStringInfo(statement, ", %s %s", quote_identifier(item->name),
							 quote_literal_cstr(item->value));
	}
	appendStringInfoChar(statement, ')');
}

Oid
pgt_create_topic_by_name(text *topic, int32 partitions, Oid key_type, Oid value_type,
						 Jsonb *config, bool if_not_exists)
{
	StringInfoData statement;
	RangeVar   *name = parse_name(topic);
	Oid			existing;

	check_schema(name);
	existing = existing_relation(name);
	if (OidIsValid(existing) && if_not_exists)
	{
		pgt_topic_require(existing);
		ereport(NOTICE,
				(errcode(ERRCODE_DUPLICATE_TABLE),
				 errmsg("topic \"%s\" already exists, skipping", name->relname)));
		return existing;
	}
	if (OidIsValid(existing))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_TABLE),
				 pgt_topic_exists(existing) ? errmsg("topic \"%s\" already exists", name->relname) :
				 errmsg("relation \"%s\" already exists, and is not a topic", name->relname),
				 pgt_topic_exists(existing) ? errhint("With if_not_exists => true that is no error; alter_topic() changes its options.") : 0));

	initStringInfo(&statement);
	appendStringInfo(&statement,
					 "CREATE FOREIGN TABLE %s%s (partition integer, record_offset bigint,"
					 " record_timestamp timestamp with time zone, key %s, value %s,"
					 " headers pg_catalog.jsonb) SERVER " TOPIC_SERVER_NAME,
					 if_not_exists ? "IF NOT EXISTS " : "",
					 quote_qualified_identifier(name->schemaname, name->relname),
					 type_name("key_type", key_type),
					 type_name("value_type", value_type));
	append_create_options(&statement, partitions, config_items(config));
	pgt_statement_run(statement.data);

	/* IF NOT EXISTS: another session may have created the topic, or another relation, meanwhile */
	CommandCounterIncrement();
	existing = existing_relation(name);
	pgt_topic_require(existing);
	return existing;
}

/*
 * Create the topic that nack() sends a topic's records to, with the same types and number
 * of partitions, if there is none of that name.
 */
static void
create_failed_topic(Oid relid, bool dead)
{
	Topic	   *topic = pgt_topic_get(relid);
	const char *schema = get_namespace_name(get_rel_namespace(relid));
	char	   *name = pgt_topic_failed_name(topic, dead);
	List	   *parts;

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NAME_TOO_LONG),
				 errmsg("name of topic \"%s\" is too long to derive the name of its %s topic",
						get_rel_name(relid), dead ? "dead-letter" : "retry"),
				 errhint("Set the topic's option \"%s.topic\".", dead ? "dlq" : "retry")));
	if (SplitIdentifierString(pstrdup(name), '.', &parts) && list_length(parts) == 1)
		name = psprintf("%s.%s", quote_identifier(schema), name);
	(void) pgt_create_topic_by_name(cstring_to_text(name), topic->partitions, topic->key.type, topic->value.type,
									DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{}"))), true);
}

/* create_topic(topic, partitions, key_type, value_type, config, if_not_exists, retry_topics) */
Datum
pgt_create_topic(PG_FUNCTION_ARGS)
{
	Oid			topic;

	check_arguments(fcinfo);
	topic = pgt_create_topic_by_name(PG_GETARG_TEXT_PP(0), PG_GETARG_INT32(1), PG_GETARG_OID(2),
									 PG_GETARG_OID(3), PG_GETARG_JSONB_P(4), PG_GETARG_BOOL(5));
	if (PG_GETARG_BOOL(6))
	{
		create_failed_topic(topic, false);
		create_failed_topic(topic, true);
	}
	PG_RETURN_OID(topic);
}

/* ---- alter_topic -------------------------------------------------------- */

/* Is the option set explicitly? */
static bool
is_set(List *options, const char *name)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		if (strcmp(lfirst_node(DefElem, cell)->defname, name) == 0)
			return true;
	}
	return false;
}

/*
 * Append the action on one option to an ALTER FOREIGN TABLE: ADD, SET or, for null, DROP.
 * Appends nothing where an option is to be dropped that is not set.
 */
static void
append_alter_option(StringInfo statement, const char *separator, List *options,
					const CreateTopicOption *item)
{
	bool		set = is_set(options, item->name);

	if (item->value != NULL)
		appendStringInfo(statement, "%s%s %s %s", separator, set ? "SET" : "ADD",
						 quote_identifier(item->name), quote_literal_cstr(item->value));
	else if (set)
		appendStringInfo(statement, "%sDROP %s", separator, quote_identifier(item->name));
}

void
pgt_create_topic_alter(Oid topic, List *changes)
{
	List	   *options = GetForeignTable(topic)->options;
	StringInfoData actions;
	ListCell   *cell;

	initStringInfo(&actions);
	foreach(cell, changes)
		append_alter_option(&actions, actions.len > 0 ? ", " : "", options, lfirst(cell));
	if (actions.len > 0)
		pgt_statement_run(psprintf("ALTER FOREIGN TABLE %s OPTIONS (%s)", qualified_name(topic), actions.data));
}

/* alter_topic(topic, config): null removes an option. */
Datum
pgt_alter_topic(PG_FUNCTION_ARGS)
{
	Oid			topic = PG_GETARG_OID(0);
	List	   *changes = config_items(PG_GETARG_JSONB_P(1));

	/* lock the topic: another session must not add or drop an option meanwhile */
	pgt_topic_require(topic);
	pgt_topic_check_owner(topic);
	LockRelationOid(topic, AccessExclusiveLock);
	pgt_topic_require(topic);
	pgt_create_topic_alter(topic, changes);
	PG_RETURN_VOID();
}

/* ---- drop_topic --------------------------------------------------------- */

void
pgt_create_topic_drop(Oid topic)
{
	pgt_statement_run(psprintf("DROP FOREIGN TABLE %s", qualified_name(topic)));
}

/* drop_topic(topic) */
Datum
pgt_drop_topic(PG_FUNCTION_ARGS)
{
	pgt_create_topic_drop(PG_GETARG_OID(0));
	PG_RETURN_VOID();
}

/* drop_topic(topic, if_exists): by name, since regclass takes only a topic that exists */
Datum
pgt_drop_topic_by_name(PG_FUNCTION_ARGS)
{
	RangeVar   *name = parse_name(PG_GETARG_TEXT_PP(0));
	bool		if_exists = PG_GETARG_BOOL(1);
	Oid			topic = RangeVarGetRelid(name, NoLock, if_exists);

	if (OidIsValid(topic))
		pgt_create_topic_drop(topic);
	else
		ereport(NOTICE,
				(errmsg("topic \"%s\" does not exist, skipping", name->relname)));
	PG_RETURN_VOID();
}
