/*
 * partitioner_call.c
 *	  Calling partitioners that are not built in: SQL functions and those that
 *	  an extension has registered.
 *
 * A PartitionerCall holds what a call needs.  It is made at a transaction's first
 * record for the topic and kept in a TopicPartitioner of the topic: the function looked
 * up by its name, and an expression that calls it; the planner puts the body of a simple
 * SQL function in place of the call.  The privilege to execute the function is checked
 * when the expression is made.  A PartitionerCall is made anew when
 *
 *	  - another transaction begins: its memory is the transaction's;
 *	  - pgt_partitioner_lookup_version has moved: functions, schemas or roles have
 *		changed, or the setting;
 *	  - the name is the setting's, and the current user has changed, or, where the
 *		name has no schema, search_path.
 *
 * A function may fail in the middle, or produce to the same topic itself; the
 * expression's state must not be used again then.  So the PartitionerCall is taken
 * out of the Topic for the call and put back only after it: after an error it stays
 * out until the transaction's end, and a nested call makes its own.
 *
 * A function that the setting names runs as the current user, with the session's
 * search_path, as any other function that the user calls.  A function that the topic's
 * option names runs as the topic's owner, whoever produces or changes a published table:
 * in a security-restricted operation, so that it cannot become the session's user again,
 * with a search_path that contains only the server's own schema, and with its changes of
 * settings undone after each call.  partitioner_lookup.c makes sure that the function's
 * owner gains no privileges by this.
 *
 * The result of a partitioner is not trusted: null and numbers outside the topic's
 * partitions are errors that name the partitioner and the value.
 *
 * Locks: none, as with other functions; a function that is dropped meanwhile is missed
 * at the next record after the invalidation.
 *
 * Memory: a context below TopTransactionContext for each PartitionerCall, and one
 * below that for the arguments and other memory of a call, reset by the next call.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/params.h"
#include "optimizer/optimizer.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "produce/partitioner_call.h"
#include "produce/partitioner_lookup.h"
#include "util/compat.h"

/* search_path of a function that a topic's option names. */
#define SAFE_SEARCH_PATH	"pg_catalog, pg_temp"

struct PartitionerCall
{
	MemoryContext context;		/* holds this and all below */
	char	   *name;			/* as the option or the setting gives it */
	char	   *topic;			/* for messages */
	const PgTopicsPartitioner *registered;	/* NULL: it is an SQL function */
	Oid			function;		/* the SQL function */
	ExprState  *expression;		/* calls the function; NULL: not prepared yet */
	ExprContext *econtext;
	ParamListInfo arguments;
	Oid			user;			/* the role that the function runs as */
	bool		is_own;			/* named by the topic's option: it runs as the topic's owner */
	PgtSearchPath *search_path;	/* the one it was found in; NULL: the name has a schema */
};

/* ---- making one ready ---------------------------------------------------- */

/* ERROR: the partitioner does not exist, at least in this session, or must not be run. */
static void
report_missing(const Topic *topic, const char *name, const PartitionerLookup *found)
{
	if (found->untrusted)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("partitioner \"%s\" cannot be used for topic \"%s\"", name, get_rel_name(topic->relid)),
				 errdetail_internal("%s", found->detail)));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_FUNCTION),
			 errmsg("partitioner \"%s\" of topic \"%s\" does not exist",
					name, get_rel_name(topic->relid)),
			 found->detail != NULL ? errdetail_internal("%s", found->detail) : 0,
			 errhint("%s", pgt_partitioner_lookup_hint())));
}

/* Make the parameters that take an SQL function's arguments before each call. */
static void
make_arguments(PartitionerCall *custom)
{
	MemoryContext caller = MemoryContextSwitchTo(custom->context);

	custom->arguments = makeParamList(PARTITIONER_ARGUMENTS);
	custom->econtext = CreateStandaloneExprContext();
	MemoryContextSwitchTo(caller);
}

/* Look up the partitioner that the option or the setting names, and make it ready to be called. */
static PartitionerCall *
open_custom(const Topic *topic, bool is_own)
{
	const char *name = is_own ? topic->partitioner_class : pgt_partitioner_lookup_setting();
	Oid			user = is_own ? topic->owner : GetUserId();
	PartitionerLookup found;
	MemoryContext context;
	PartitionerCall *custom;

	if (!pgt_partitioner_lookup(name, is_own ? topic->schema : InvalidOid, user, &found))
		report_missing(topic, name, &found);

	context = AllocSetContextCreate(TopTransactionContext, "pg_topics partitioner",
									ALLOCSET_SMALL_SIZES);
	custom = MemoryContextAllocZero(context, sizeof(PartitionerCall));
	custom->context = context;
	custom->name = MemoryContextStrdup(context, name);
	custom->topic = MemoryContextStrdup(context, get_rel_name(topic->relid));
	custom->registered = found.registered;
	custom->user = user;
	custom->is_own = is_own;
	custom->function = found.function;
	if (found.in_search_path)
		custom->search_path = PGT_SEARCH_PATH(context);
	if (found.registered == NULL)
		make_arguments(custom);
	return custom;
}

void
pgt_partitioner_call_close(PartitionerCall *custom)
{
	if (custom == NULL)
		return;
	if (custom->econtext != NULL)
		FreeExprContext(custom->econtext, true);
	MemoryContextDelete(custom->context);
}

/* Would a look-up still find the same partitioner, given that the version has not changed? */
static bool
is_current(const PartitionerCall *custom)
{
	return (custom->is_own || custom->user == GetUserId()) &&
		(custom->search_path == NULL || PGT_IS_SEARCH_PATH(custom->search_path));
}

/* ---- calling ------------------------------------------------------------- */

/* Error context callback. */
static void
add_context(void *arg)
{
	PartitionerCall *custom = arg;

	errcontext("partitioner \"%s\" of topic \"%s\"", custom->name, custom->topic);
}

/* Make the expression that calls an SQL function with parameters as arguments. */
static void
prepare_expression(PartitionerCall *custom)
{
	MemoryContext caller = MemoryContextSwitchTo(custom->context);
	List	   *arguments = NIL;
	Expr	   *expression;

	for (int i = 0; i < PARTITIONER_ARGUMENTS; i++)
	{
		Param	   *param = makeNode(Param);

		param->paramkind = PARAM_EXTERN;
		param->paramid = i + 1;
		param->paramtype = custom->arguments->params[i].ptype = pgt_partitioner_lookup_arguments[i];
		param->paramtypmod = -1;
		param->location = -1;
		custom->arguments->params[i].pflags = 0;
		arguments = lappend(arguments, param);
	}
	expression = (Expr *) makeFuncExpr(custom->function, INT4OID, arguments, InvalidOid,
									   InvalidOid, COERCE_EXPLICIT_CALL);
	custom->econtext->ecxt_param_list_info = custom->arguments;
	custom->expression = ExecInitExprWithParams(expression_planner(expression), custom->arguments);
	MemoryContextSwitchTo(caller);
}

/* Set an argument. */
static void
set_argument(PartitionerCall *custom, int n, Datum value, bool isnull)
{
	custom->arguments->params[n].value = value;
	custom->arguments->params[n].isnull = isnull;
}

/* Set an argument to the bytes: bytea or null. */
static void
set_bytes(PartitionerCall *custom, int n, ByteView bytes)
{
	bytea	   *copy;

	if (bytes.length < 0)
	{
		set_argument(custom, n, (Datum) 0, true);
		return;
	}
	copy = palloc(VARHDRSZ + bytes.length);
	SET_VARSIZE(copy, VARHDRSZ + bytes.length);
	memcpy(VARDATA(copy), bytes.data, bytes.length);
	set_argument(custom, n, PointerGetDatum(copy), false);
}

/* ERROR: the function has given null. */
static void
report_null(const PartitionerCall *custom, ByteView key, ByteView value)
{
	bool		not_called = func_strict(custom->function) && (key.length < 0 || value.length < 0);

	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("partitioner \"%s\" returned null for topic \"%s\"", custom->name, custom->topic),
			 not_called ?
			 errdetail("The function was not called: it is STRICT, and the key or the value is null.") : 0,
			 not_called ?
			 errhint("Declare the function CALLED ON NULL INPUT, and let it return a partition for such records.") :
			 errhint("Let the function return a partition for every record, also for a null key or value.")));
}

/* The state of the caller, saved while a function runs as the topic's owner. */
typedef struct CallingUser
{
	Oid			user;
	int			security;
	int			settings;		/* nest level of settings */
} CallingUser;

/* Become the topic's owner; an error restores the caller as well. */
static void
become_owner(const PartitionerCall *custom, CallingUser *caller)
{
	GetUserIdAndSecContext(&caller->user, &caller->security);
	SetUserIdAndSecContext(custom->user, caller->security | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_RESTRICTED_OPERATION);
	caller->settings = NewGUCNestLevel();
	if (strcmp(namespace_search_path, SAFE_SEARCH_PATH) != 0)
		(void) set_config_option("search_path", SAFE_SEARCH_PATH, PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
}

/* Become the caller again. */
static void
become_caller(const CallingUser *caller)
{
	AtEOXact_GUC(false, caller->settings);
	SetUserIdAndSecContext(caller->user, caller->security);
}

/* Evaluate the expression that calls an SQL function. */
static Datum
evaluate(PartitionerCall *custom, bool *isnull)
{
	CallingUser caller;
	Datum		partition;

	if (custom->is_own)
		become_owner(custom, &caller);
	/* making the expression checks privileges */
	if (custom->expression == NULL)
		prepare_expression(custom);
	partition = ExecEvalExpr(custom->expression, custom->econtext, isnull);
	if (custom->is_own)
		become_caller(&caller);
	return partition;
}

/* Call an SQL function. */
static int32
call_function(PartitionerCall *custom, const Topic *topic, ByteView key, ByteView value)
{
	MemoryContext caller;
	Datum		partition;
	bool		isnull;

	ResetExprContext(custom->econtext);
	caller = MemoryContextSwitchTo(custom->econtext->ecxt_per_tuple_memory);
	set_argument(custom, 0, ObjectIdGetDatum(topic->relid), false);
	set_bytes(custom, 1, key);
	set_bytes(custom, 2, value);
	set_argument(custom, 3, Int32GetDatum(topic->partitions), false);

	partition = evaluate(custom, &isnull);
	if (isnull)
		report_null(custom, key, value);
	MemoryContextSwitchTo(caller);
	return DatumGetInt32(partition);
}

/* Call a partitioner that an extension has registered. */
static int32
call_registered(PartitionerCall *custom, const Topic *topic, ByteView key, ByteView value)
{
	PgTopicsBytes key_bytes = {key.data, key.length};
	PgTopicsBytes value_bytes = {value.data, value.length};

	return custom->registered->choose(topic->relid, key_bytes, value_bytes, topic->partitions);
}

/* Call the partitioner, and check its result. */
static int32
call(PartitionerCall *custom, const Topic *topic, ByteView key, ByteView value)
{
	ErrorContextCallback callback;
	int32		partition;

	callback.previous = error_context_stack;
	callback.callback = add_context;
	callback.arg = custom;
	error_context_stack = &callback;

	partition = custom->registered != NULL ? call_registered(custom, topic, key, value) :
		call_function(custom, topic, key, value);
	if (partition < 0 || partition >= topic->partitions)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("partitioner \"%s\" returned invalid partition %d for topic \"%s\"",
						custom->name, partition, custom->topic),
				 errdetail("The topic's partitions are numbered from 0 to %d.", topic->partitions - 1)));

	error_context_stack = callback.previous;
	return partition;
}

int32
pgt_partitioner_call(TopicPartitioner *choice, Topic *topic, ByteView key, ByteView value)
{
	PartitionerCall *custom = choice->custom;
	uint64		version = choice->version;
	int32		partition;

	choice->custom = NULL;
	if (custom != NULL && !is_current(custom))
	{
		pgt_partitioner_call_close(custom);
		custom = NULL;
	}
	if (custom == NULL)
		custom = open_custom(topic, choice == &topic->partitioning.own);
	partition = call(custom, topic, key, value);

	/* the function may have changed the setting, or produced to the topic itself */
	if (choice->custom == NULL && choice->version == version)
		choice->custom = custom;
	else
		pgt_partitioner_call_close(custom);
	return partition;
}
