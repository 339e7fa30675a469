/*
 * partitioner_lookup.c
 *	  Looking up the partitioner that a name stands for, and the setting
 *	  pg_topics.partitioner.
 *
 * A name is looked for among the built-in rules (partition_rules.c), then among
 * those that extensions have registered (pg_topics.h), and else names an SQL
 * function:
 *
 *	  f(topic regclass, key bytea, value bytea, partitions int) RETURNS int
 *
 * A function named in the session's setting is found by its schema or in search_path,
 * and runs as the session's current user.  A function named in a topic's option is found
 * by its schema or in the topic's schema, and runs as the topic's owner: the name must
 * not stand for different functions in different sessions, and a producer must not run
 * code that another role has written.  The same must hold for the topic's owner, and for
 * a SECURITY DEFINER function that produces under its caller's setting.  Therefore a
 * function is run only if its owner has the privileges of the role that runs it.
 *
 * A name is bound as late as a name in a function's body: nothing records that the
 * topic depends on the function, since DROP FUNCTION ... CASCADE must not drop a topic
 * with its records.  The name is checked when the option or the setting is set, and
 * again when a record is produced.
 *
 * A dump may restore a topic before its function, and with an empty search_path.  It
 * turns check_function_bodies off, and the option is not checked then.  A value of the
 * setting that comes from a file, a role or the start of a connection is not checked
 * either: the library that registers the name may not be loaded yet.
 *
 * pgt_partitioner_lookup_version increases with everything that may change the result
 * of a look-up, except for search_path, the loading of a library and the current user:
 * callers watch these themselves, or look up again in the next transaction.
 *
 * No locks, no files, no WAL.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/parallel.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "format/murmur2.h"
#include "produce/partitioner_lookup.h"
#include "util/compat.h"

const Oid	pgt_partitioner_lookup_arguments[PARTITIONER_ARGUMENTS] = {REGCLASSOID, BYTEAOID, BYTEAOID, INT4OID};

uint64		pgt_partitioner_lookup_version = 1;

static char *setting;			/* pg_topics.partitioner; empty: the topic's option counts */

/* ---- registered ones ------------------------------------------------------ */

/* The first one in the list of registered partitioners. */
static const PgTopicsPartitioner *
first_registered(void)
{
	static PgTopicsPartitioner **first = NULL;

	if (first == NULL)
		first = (PgTopicsPartitioner **) find_rendezvous_variable(PG_TOPICS_PARTITIONERS_VARIABLE);
	return *first;
}

/*
 * The registered partitioner of that name, or NULL; ERROR where it was built for a newer
 * interface.
 */
static const PgTopicsPartitioner *
find_registered(const char *name)
{
	for (const PgTopicsPartitioner *p = first_registered(); p != NULL; p = p->next)
	{
		if (strcmp(p->name, name) != 0)
			continue;
		if (p->version > PG_TOPICS_API_VERSION)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("partitioner \"%s\" needs a newer pg_topics", name),
					 errdetail("It was built for version %d of pg_topics.h; this pg_topics has version %d.",
							   p->version, PG_TOPICS_API_VERSION)));
		return p;
	}
	return NULL;
}

/* The function "builtin" of PgTopicsApi: let a built-in partitioner choose. */
static int32
choose_builtin(const char *name, Oid topic, PgTopicsBytes key, PgTopicsBytes value)
{
	PartitionRule rule = pgt_partition_rule_find(name);
	ByteView	key_view = {key.data, key.length};
	ByteView	value_view = {value.data, value.length};

	if (rule == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("built-in partitioner \"%s\" does not exist", name)));
	return rule(pgt_topic_get(topic), key_view, value_view);
}

static const PgTopicsApi api = {
	.version = PG_TOPICS_API_VERSION,
	.murmur2 = pgt_murmur2,
	.murmur2_partition = pgt_murmur2_partition,
	.builtin = choose_builtin,
};

/* ---- functions ------------------------------------------------------------ */

/* The parts of a possibly qualified name as a List of String; NIL where the name is not valid. */
static List *
split_name(const char *name)
{
	List	   *parts;
	List	   *names = NIL;
	ListCell   *cell;

	if (!SplitIdentifierString(pstrdup(name), '.', &parts) || list_length(parts) > 2)
		return NIL;
	foreach(cell, parts)
		names = lappend(names, makeString(lfirst(cell)));
	return names;
}

/* Why a function with the right arguments cannot be a partitioner, or NULL if it can. */
static char *
problem_of_function(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc proc;
	char	   *problem = NULL;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	proc = (Form_pg_proc) GETSTRUCT(tuple);
	if (proc->prokind != PROKIND_FUNCTION)
		problem = psprintf("%s is not a plain function.", format_procedure(function));
	else if (proc->proretset)
		problem = psprintf("Function %s returns a set.", format_procedure(function));
	else if (proc->prorettype != INT4OID)
		problem = psprintf("Function %s returns %s, not integer.", format_procedure(function),
						   format_type_be(proc->prorettype));
	ReleaseSysCache(tuple);
	return problem;
}

/* The partitioning function of that name; else InvalidOid, and perhaps a detail that says why. */
static Oid
find_function(List *names, char **detail)
{
	Oid			function = LookupFuncName(names, PARTITIONER_ARGUMENTS,
										  pgt_partitioner_lookup_arguments, true);
	FuncCandidateList other;

	if (OidIsValid(function))
	{
		*detail = problem_of_function(function);
		return *detail == NULL ? function : InvalidOid;
	}
	other = PGT_FUNCTIONS_NAMED(names);
	if (other != NULL)
		*detail = psprintf("Function %s takes other arguments.", format_procedure(other->oid));
	return InvalidOid;
}

/*
 * Must the role not run the function?  The function's owner could make it do anything as
 * that role.
 */
static bool
is_untrusted(Oid function, Oid role, char **detail)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	ReleaseSysCache(tuple);
	if (has_privs_of_role(owner, role))
		return false;
	*detail = psprintf("Function %s would run as role \"%s\", but its owner \"%s\" does not have the privileges of that role.",
					   format_procedure_qualified(function), GetUserNameFromId(role, true),
					   GetUserNameFromId(owner, true));
	return true;
}

/* ---- names ----------------------------------------------------------------- */

const char *
pgt_partitioner_lookup_setting(void)
{
	return setting != NULL ? setting : "";
}

/* Look a function's name up with the privileges of the current user. */
static void
find_named_function(List *names, Oid role, PartitionerLookup *found)
{
	found->function = find_function(names, &found->detail);
	found->untrusted = OidIsValid(found->function) && is_untrusted(found->function, role, &found->detail);
}

bool
pgt_partitioner_lookup(const char *name, Oid schema, Oid role, PartitionerLookup *found)
{
	List	   *names;
	Oid			user;
	int			security;

	memset(found, 0, sizeof(*found));
	found->rule = pgt_partition_rule_find(name);
	if (found->rule != NULL)
		return true;
	found->registered = find_registered(name);
	if (found->registered != NULL)
		return true;
	names = split_name(name);
	if (names == NIL)
		return false;
	if (list_length(names) == 1 && OidIsValid(schema))
		names = lcons(makeString(get_namespace_name(schema)), names);
	found->in_search_path = list_length(names) == 1;

	/* the role itself needs the privilege to use the schema; an error restores the user */
	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(role, security | SECURITY_LOCAL_USERID_CHANGE);
	find_named_function(names, role, found);
	SetUserIdAndSecContext(user, security);
	return OidIsValid(found->function) && !found->untrusted;
}

char *
pgt_partitioner_lookup_hint(void)
{
	StringInfoData hint;

	initStringInfo(&hint);
	appendStringInfoString(&hint, "Built-in partitioners are: ");
	pgt_partition_rule_names(&hint);
	appendStringInfoString(&hint, ".");
	if (first_registered() != NULL)
		appendStringInfoString(&hint, " Registered partitioners are:");
	for (const PgTopicsPartitioner *p = first_registered(); p != NULL; p = p->next)
		appendStringInfo(&hint, " %s%s", p->name, p->next != NULL ? "," : ".");
	appendStringInfoString(&hint, " Any other name must be that of a function, with its schema: f(topic regclass, key bytea, value bytea, partitions integer) RETURNS integer.");
	return hint.data;
}

void
pgt_partitioner_lookup_check(const Topic *topic)
{
	const char *name = topic->partitioner_class;
	PartitionerLookup found;

	if (!check_function_bodies || pgt_partitioner_lookup(name, topic->schema, topic->owner, &found))
		return;
	if (found.untrusted)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("partitioner \"%s\" cannot be used for topic \"%s\"", name, get_rel_name(topic->relid)),
				 errdetail_internal("%s", found.detail),
				 errhint("Let the topic's owner or a superuser own the function.")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("partitioner \"%s\" does not exist", name),
			 found.detail != NULL ? errdetail_internal("%s", found.detail) : 0,
			 errhint("%s", pgt_partitioner_lookup_hint())));
}

/* ---- the setting ------------------------------------------------------------ */

/* Check hook: the partitioner must exist, where that can be known already. */
static bool
check_setting(char **value, void **extra, GucSource source)
{
	PartitionerLookup found;

	if (strlen(*value) > PARTITIONER_NAME_MAX)
	{
		GUC_check_errdetail("The name of a partitioner can have at most %d bytes.", PARTITIONER_NAME_MAX);
		return false;
	}
	if (**value == '\0' || source < PGC_S_INTERACTIVE || !IsTransactionState() ||
		!OidIsValid(MyDatabaseId) || InitializingParallelWorker ||
		pgt_partitioner_lookup(*value, InvalidOid, GetUserId(), &found))
		return true;
	if (source == PGC_S_TEST)
	{
		ereport(NOTICE,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("partitioner \"%s\" does not exist", *value)));
		return true;
	}
	if (found.detail != NULL)
		GUC_check_errdetail("%s", found.detail);
	if (!found.untrusted)
		GUC_check_errhint("%s", pgt_partitioner_lookup_hint());
	return false;
}

/* Assign hook. */
static void
setting_changed(const char *newval, void *extra)
{
	pgt_partitioner_lookup_version++;
}

/* Callback of system caches: a function, a schema or a role has changed. */
static void
catalog_changed(Datum arg, int cache, uint32 hash)
{
	pgt_partitioner_lookup_version++;
}

void
pgt_partitioner_lookup_init(void)
{
	static const int caches[] = {PROCOID, NAMESPACEOID, AUTHOID, AUTHMEMROLEMEM};

	DefineCustomStringVariable("pg_topics.partitioner",
							   "Partitioner of the records that this session produces.",
							   "Empty leaves it to each topic's option \"partitioner.class\".",
							   &setting, "", PGC_USERSET, 0,
							   check_setting, setting_changed, NULL);
	for (int i = 0; i < lengthof(caches); i++)
		CacheRegisterSyscacheCallback(caches[i], catalog_changed, (Datum) 0);
	*find_rendezvous_variable(PG_TOPICS_API_VARIABLE) = unconstify(PgTopicsApi *, &api);
}
