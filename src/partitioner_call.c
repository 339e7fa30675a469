/*
 * partitioner_call.c
 *	  Calling partitioners that are not built in: SQL functions and those that
 *	  an extension has registered.
 *
 * What a call needs is put together at a transaction's first record to the
 * topic and kept in topic->partitioning.custom: the function looked up by its
 * name, the caller's privilege checked, the function's call information with
 * what the function itself caches there.  It is made anew when
 *
 *	  - another transaction begins: its memory is the transaction's;
 *	  - pgt_partitioner_version has moved: functions, schemas or roles have
 *		changed, or the setting;
 *	  - the current user is another one, or search_path where the name has no
 *		schema.
 *
 * A function may fail in the middle, or produce to the same topic itself, and
 * its call information must not be used then.  So that is taken out of the
 * Topic for the call and put back only after it: an error leaves it out, and a
 * nested call makes one of its own.
 *
 * The function runs as the user who produces, as a column's default would.  Its
 * result is not trusted: null and numbers outside the topic's partitions are
 * errors that name function and value.
 *
 * Locks: none, as with other functions; one that is dropped meanwhile is missed
 * at the next record after the invalidation.
 *
 * Memory: a context below TopTransactionContext for each that is made; the
 * arguments of a call are freed after it.
 *
 * Layer 5.  Names are looked up by partitioner_name.c.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_proc.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "partitioner_call.h"
#include "partitioner_name.h"

struct CustomPartitioner
{
	MemoryContext context;		/* holds this and all below */
	char	   *name;			/* as it was given */
	char	   *topic;			/* for messages */
	const PgTopicsPartitioner *registered;	/* NULL: it is an SQL function */
	FmgrInfo	function;
	Oid			user;			/* who may execute the function */
	OverrideSearchPath *search_path;	/* with which it was found; NULL: does not count */
};

/* ---- making one ready ---------------------------------------------------- */

/* ERROR unless the current user may execute the function. */
static void
check_privilege(Oid function)
{
	AclResult	result = pg_proc_aclcheck(function, GetUserId(), ACL_EXECUTE);

	if (result != ACLCHECK_OK)
		aclcheck_error(result, OBJECT_FUNCTION, get_func_name(function));
	InvokeFunctionExecuteHook(function);
}

/* ERROR: the name stands for nothing any more, or not in this session. */
static void
report_missing(const Topic *topic, const char *name, const FoundPartitioner *found)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_FUNCTION),
			 errmsg("partitioner \"%s\" of topic \"%s\" does not exist",
					name, get_rel_name(topic->relid)),
			 found->detail != NULL ? errdetail_internal("%s", found->detail) : 0,
			 errhint("%s", pgt_partitioner_hint())));
}

/* Look the name that counts for the topic up, and make ready to call what it stands for. */
static CustomPartitioner *
open_custom(const Topic *topic)
{
	const char *name = pgt_partitioner_name(topic);
	FoundPartitioner found;
	MemoryContext context;
	CustomPartitioner *custom;

	if (!pgt_partitioner_find(name, &found))
		report_missing(topic, name, &found);
	if (found.registered == NULL)
		check_privilege(found.function);

	context = AllocSetContextCreate(TopTransactionContext, "pg_topics partitioner",
									ALLOCSET_SMALL_SIZES);
	custom = MemoryContextAllocZero(context, sizeof(CustomPartitioner));
	custom->context = context;
	custom->name = MemoryContextStrdup(context, name);
	custom->topic = MemoryContextStrdup(context, get_rel_name(topic->relid));
	custom->registered = found.registered;
	custom->user = GetUserId();
	if (found.registered == NULL)
		fmgr_info_cxt(found.function, &custom->function, context);
	if (found.in_search_path)
		custom->search_path = GetOverrideSearchPath(context);
	return custom;
}

/* Give one up; NULL is nothing. */
void
pgt_custom_partitioner_close(CustomPartitioner *custom)
{
	if (custom != NULL)
		MemoryContextDelete(custom->context);
}

/* Would looking it up again, with the same version, give the same? */
static bool
is_current(const CustomPartitioner *custom)
{
	return custom->user == GetUserId() &&
		(custom->search_path == NULL || OverrideSearchPathMatchesCurrent(custom->search_path));
}

/* ---- calling ------------------------------------------------------------- */

/* Error context callback. */
static void
add_context(void *arg)
{
	CustomPartitioner *custom = arg;

	errcontext("partitioner \"%s\" of topic \"%s\"", custom->name, custom->topic);
}

/* The bytes as an argument: bytea or null. */
static void
set_bytes(NullableDatum *argument, ByteView bytes)
{
	argument->isnull = bytes.length < 0;
	argument->value = (Datum) 0;
	if (!argument->isnull)
	{
		bytea	   *copy = palloc(VARHDRSZ + bytes.length);

		SET_VARSIZE(copy, VARHDRSZ + bytes.length);
		memcpy(VARDATA(copy), bytes.data, bytes.length);
		argument->value = PointerGetDatum(copy);
	}
}

/* ERROR: the function has given null. */
static void
report_null(const CustomPartitioner *custom, bool strict)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("partitioner \"%s\" returned null for topic \"%s\"", custom->name, custom->topic),
			 strict ?
			 errhint("The function is STRICT and the key or the value is null: declare it CALLED ON NULL INPUT and let it return a partition for such records.") :
			 errhint("Let the function return a partition for every record, also for a null key or value.")));
}

/* Call an SQL function; a strict one is not called with a null. */
static int32
call_function(CustomPartitioner *custom, const Topic *topic, ByteView key, ByteView value)
{
	LOCAL_FCINFO(fcinfo, 4);
	PgStat_FunctionCallUsage usage;
	Datum		partition;

	InitFunctionCallInfoData(*fcinfo, &custom->function, 4, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = ObjectIdGetDatum(topic->relid);
	fcinfo->args[0].isnull = false;
	set_bytes(&fcinfo->args[1], key);
	set_bytes(&fcinfo->args[2], value);
	fcinfo->args[3].value = Int32GetDatum(topic->partitions);
	fcinfo->args[3].isnull = false;
	if (custom->function.fn_strict && (key.length < 0 || value.length < 0))
		report_null(custom, true);

	pgstat_init_function_usage(fcinfo, &usage);
	partition = FunctionCallInvoke(fcinfo);
	pgstat_end_function_usage(&usage, true);
	if (fcinfo->isnull)
		report_null(custom, false);

	for (int i = 1; i <= 2; i++)
		if (!fcinfo->args[i].isnull)
			pfree(DatumGetPointer(fcinfo->args[i].value));
	return DatumGetInt32(partition);
}

/* Call what an extension has registered. */
static int32
call_registered(CustomPartitioner *custom, const Topic *topic, ByteView key, ByteView value)
{
	PgTopicsBytes key_bytes = {key.data, key.length};
	PgTopicsBytes value_bytes = {value.data, value.length};

	return custom->registered->choose(topic->relid, key_bytes, value_bytes, topic->partitions);
}

/* Call it, and check what it returns. */
static int32
call(CustomPartitioner *custom, const Topic *topic, ByteView key, ByteView value)
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
				 errmsg("partitioner \"%s\" returned %d for topic \"%s\"",
						custom->name, partition, custom->topic),
				 errhint("It must return a partition, from 0 to %d.", topic->partitions - 1)));

	error_context_stack = callback.previous;
	return partition;
}

/* See the header. */
int32
pgt_custom_partition(Topic *topic, ByteView key, ByteView value)
{
	PartitionerState *state = &topic->partitioning;
	CustomPartitioner *custom = state->custom;
	uint64		version = state->version;
	int32		partition;

	state->custom = NULL;
	if (custom != NULL && !is_current(custom))
	{
		pgt_custom_partitioner_close(custom);
		custom = NULL;
	}
	if (custom == NULL)
		custom = open_custom(topic);
	partition = call(custom, topic, key, value);

	/* the function may have changed the setting, or used another for the topic itself */
	if (state->custom == NULL && state->version == version)
		state->custom = custom;
	else
		pgt_custom_partitioner_close(custom);
	return partition;
}
