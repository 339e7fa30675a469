/*
 * partitioner_lookup.c
 *	  What a partitioner's name stands for, and which name counts.
 *
 * A name is looked for among the built-in rules (partitioner.c), then among
 * those that extensions have registered (pg_topics.h), and else names an SQL
 * function:
 *
 *	  f(topic regclass, key bytea, value bytea, partitions int) RETURNS int
 *
 * In the session's setting it is qualified by its schema or found in search_path,
 * and runs as the session's current user.  In a topic's option it is qualified or
 * one of the topic's schema, and runs as the topic's owner: the name must not stand
 * for another function because of who produces, and who produces must not run
 * what another role has written.  So that neither the owner, nor a SECURITY DEFINER
 * function that produces under a setting of its caller's, does that in turn, a
 * function is only run whose owner has the rights of that role already.
 *
 * Such a name is bound as late as a name in a function's body: nothing records
 * that the topic depends on the function, since dropping a function with CASCADE
 * must not take a topic's records along.  The name is checked when it is set,
 * in the option or in the setting, and when it is used.
 *
 * A dump may restore a topic before its function, and with an empty
 * search_path.  It runs with check_function_bodies off, which is what tells
 * functions in the same position to put checks off; so it does here.  The
 * setting is taken on faith where it comes from a file, a role or the start of
 * a connection: there the library that registers the name may not be loaded yet.
 *
 * pgt_partitioner_version moves with whatever could change the answer, but for
 * search_path, a library's loading and the current user: callers look out for
 * those, or ask again in the next transaction.
 *
 * Layer 5.  No locks, no files, no WAL.  Next: partitioner_call.c.
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

const Oid	pgt_partitioner_arguments[PARTITIONER_ARGUMENTS] = {REGCLASSOID, BYTEAOID, BYTEAOID, INT4OID};

uint64		pgt_partitioner_version = 1;

static char *setting;			/* pg_topics.partitioner; empty: the topic's option counts */

/* ---- registered ones ------------------------------------------------------ */

/* The first of the list of those registered. */
static const PgTopicsPartitioner *
first_registered(void)
{
	static PgTopicsPartitioner **first = NULL;

	if (first == NULL)
		first = (PgTopicsPartitioner **) find_rendezvous_variable(PG_TOPICS_PARTITIONERS_VARIABLE);
	return *first;
}

/* The one of that name, or NULL; ERROR where it was made for a later interface. */
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

/* PgTopicsApi: what a built-in partitioner chooses. */
static int32
choose_builtin(const char *name, Oid topic, PgTopicsBytes key, PgTopicsBytes value)
{
	PartitionRule rule = pgt_builtin_partitioner(name);
	ByteView	key_view = {key.data, key.length};
	ByteView	value_view = {value.data, value.length};

	if (rule == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no built-in partitioner \"%s\"", name)));
	return rule(pgt_topic_get(topic), key_view, value_view);
}

static const PgTopicsApi api = {
	.version = PG_TOPICS_API_VERSION,
	.murmur2 = pgt_murmur2,
	.murmur2_partition = pgt_murmur2_partition,
	.builtin = choose_builtin,
};

/* ---- functions ------------------------------------------------------------ */

/* The parts of a possibly qualified name as a List of String; NIL where it is none. */
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

/* Why a function that has the right arguments is no partitioner, or NULL. */
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

/* Look the name up among functions; InvalidOid and perhaps a detail where it is none. */
static Oid
find_function(List *names, char **detail)
{
	Oid			function = LookupFuncName(names, PARTITIONER_ARGUMENTS,
										  pgt_partitioner_arguments, true);
	FuncCandidateList other;

	if (OidIsValid(function))
	{
		*detail = problem_of_function(function);
		return *detail == NULL ? function : InvalidOid;
	}
	other = PGT_FUNCTIONS_NAMED(names);
	if (other != NULL)
		*detail = psprintf("Function %s has other arguments.", format_procedure(other->oid));
	return InvalidOid;
}

/* Must a role not run the function?  Who owns it could have it do anything as that role. */
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
	*detail = psprintf("Function %s would run as role \"%s\", whose rights its owner, \"%s\", does not have.",
					   format_procedure_qualified(function), GetUserNameFromId(role, true),
					   GetUserNameFromId(owner, true));
	return true;
}

/* ---- names ----------------------------------------------------------------- */

/* See the header. */
const char *
pgt_partitioner_setting(void)
{
	return setting != NULL ? setting : "";
}

/* Look a function's name up as the current user. */
static void
find_named_function(List *names, Oid role, FoundPartitioner *found)
{
	found->function = find_function(names, &found->detail);
	found->untrusted = OidIsValid(found->function) && is_untrusted(found->function, role, &found->detail);
}

/* See the header. */
bool
pgt_partitioner_find(const char *name, Oid schema, Oid role, FoundPartitioner *found)
{
	List	   *names;
	Oid			user;
	int			security;

	memset(found, 0, sizeof(*found));
	found->rule = pgt_builtin_partitioner(name);
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

	/* the privilege to use the schema is that role's; an error gives the user back */
	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(role, security | SECURITY_LOCAL_USERID_CHANGE);
	find_named_function(names, role, found);
	SetUserIdAndSecContext(user, security);
	return OidIsValid(found->function) && !found->untrusted;
}

/* What to say to who named a partitioner that is not there. */
char *
pgt_partitioner_hint(void)
{
	StringInfoData hint;

	initStringInfo(&hint);
	appendStringInfoString(&hint, "Built in are: ");
	pgt_builtin_partitioner_names(&hint);
	appendStringInfoString(&hint, ".");
	if (first_registered() != NULL)
		appendStringInfoString(&hint, " Registered are:");
	for (const PgTopicsPartitioner *p = first_registered(); p != NULL; p = p->next)
		appendStringInfo(&hint, " %s%s", p->name, p->next != NULL ? "," : ".");
	appendStringInfoString(&hint, " Any other name is that of a function, with its schema: f(topic regclass, key bytea, value bytea, partitions integer) RETURNS integer.");
	return hint.data;
}

/* See the header. */
void
pgt_partitioner_check(const Topic *topic)
{
	const char *name = topic->partitioner_class;
	FoundPartitioner found;

	if (!check_function_bodies || pgt_partitioner_find(name, topic->schema, topic->owner, &found))
		return;
	if (found.untrusted)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("partitioner \"%s\" cannot be that of topic \"%s\"", name, get_rel_name(topic->relid)),
				 errdetail_internal("%s", found.detail),
				 errhint("Let the topic's owner or a superuser own the function.")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("partitioner \"%s\" does not exist", name),
			 found.detail != NULL ? errdetail_internal("%s", found.detail) : 0,
			 errhint("%s", pgt_partitioner_hint())));
}

/* ---- the setting ------------------------------------------------------------ */

/* Check hook: there must be such a partitioner, as far as that can be known yet. */
static bool
check_setting(char **value, void **extra, GucSource source)
{
	FoundPartitioner found;

	if (strlen(*value) > PARTITIONER_NAME_MAX)
	{
		GUC_check_errdetail("The name of a partitioner has up to %d bytes.", PARTITIONER_NAME_MAX);
		return false;
	}
	if (**value == '\0' || source < PGC_S_INTERACTIVE || !IsTransactionState() ||
		!OidIsValid(MyDatabaseId) || InitializingParallelWorker ||
		pgt_partitioner_find(*value, InvalidOid, GetUserId(), &found))
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
		GUC_check_errhint("%s", pgt_partitioner_hint());
	return false;
}

/* Assign hook, and callback of system caches. */
static void
setting_changed(const char *newval, void *extra)
{
	pgt_partitioner_version++;
}

static void
catalog_changed(Datum arg, int cache, uint32 hash)
{
	pgt_partitioner_version++;
}

/* See the header. */
void
pgt_partitioner_init(void)
{
	static const int caches[] = {PROCOID, NAMESPACEOID, AUTHOID, AUTHMEMROLEMEM};

	DefineCustomStringVariable("pg_topics.partitioner",
							   "Partitioner of the records that this session produces.",
							   "Empty: each topic's option \"partitioner.class\".",
							   &setting, "", PGC_USERSET, 0,
							   check_setting, setting_changed, NULL);
	for (int i = 0; i < lengthof(caches); i++)
		CacheRegisterSyscacheCallback(caches[i], catalog_changed, (Datum) 0);
	*find_rendezvous_variable(PG_TOPICS_API_VARIABLE) = unconstify(PgTopicsApi *, &api);
}
