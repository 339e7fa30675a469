/*
 * consume_request.c
 *	  The request of a call of consume(), consume_as() or consume_many(): its
 *	  arguments, checked and with their defaults, and the topics.
 *
 * The values of the arguments come from the function's call, or from the statement that
 * consume_wait.c looks at before it starts.  A call that waits there is parsed twice, so
 * parsing has no effect besides its result or an error.
 *
 * Parsing checks each argument by itself.  pgt_consume_request_open_topic() checks, with
 * the topic's lock, that the topic and the partitions exist.
 *
 * Locks: AccessShareLock on the topic, which pgt_consume_request_open_topic() takes; the
 * caller decides how long it is held.
 *
 * Memory: the request's parts are in the caller's context.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "nodes/pg_list.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "consume/consume_request.h"
#include "group/lease.h"
#include "topic/record_rows.h"

/* Arguments of consume_many() by number. */
enum
{
	MANY_TOPICS,
	MANY_GROUP_ID,
	MANY_MAX_RECORDS,
	MANY_TIMEOUT,
	MANY_AUTO_COMMIT,
	MANY_AUTO_OFFSET_RESET,
	MANY_MEMBER_ID,
	MANY_LEASE,
	MANY_TIMEOUT_MS,
	MANY_MIN_RECORDS
};

/* Where consume_many() has each argument of consume(); -1: nowhere. */
static const int argument_of_many[ARG_COUNT] = {
	[ARG_TOPIC] = MANY_TOPICS,
	[ARG_GROUP_ID] = MANY_GROUP_ID,
	[ARG_MAX_RECORDS] = MANY_MAX_RECORDS,
	[ARG_TIMEOUT] = MANY_TIMEOUT,
	[ARG_PARTITIONS] = -1,
	[ARG_AUTO_COMMIT] = MANY_AUTO_COMMIT,
	[ARG_AUTO_OFFSET_RESET] = MANY_AUTO_OFFSET_RESET,
	[ARG_MEMBER_ID] = MANY_MEMBER_ID,
	[ARG_LEASE] = MANY_LEASE,
	[ARG_TIMEOUT_MS] = MANY_TIMEOUT_MS,
	[ARG_MIN_RECORDS] = MANY_MIN_RECORDS
};

/* Arguments of consume_shared() by number. */
enum
{
	SHARED_TOPIC,
	SHARED_GROUP_ID,
	SHARED_MAX_RECORDS,
	SHARED_LEASE,
	SHARED_TIMEOUT,
	SHARED_PARTITIONS,
	SHARED_AUTO_ACKNOWLEDGE,
	SHARED_AUTO_OFFSET_RESET,
	SHARED_COUNT
};

/* Where consume_shared() has each argument of consume(); -1: nowhere.  Its lease is another thing. */
static const int argument_of_shared[ARG_COUNT] = {
	[ARG_TOPIC] = SHARED_TOPIC,
	[ARG_GROUP_ID] = SHARED_GROUP_ID,
	[ARG_MAX_RECORDS] = SHARED_MAX_RECORDS,
	[ARG_TIMEOUT] = SHARED_TIMEOUT,
	[ARG_PARTITIONS] = SHARED_PARTITIONS,
	[ARG_AUTO_COMMIT] = SHARED_AUTO_ACKNOWLEDGE,
	[ARG_AUTO_OFFSET_RESET] = SHARED_AUTO_OFFSET_RESET,
	[ARG_MEMBER_ID] = -1,
	[ARG_LEASE] = -1,
	[ARG_TIMEOUT_MS] = -1,
	[ARG_MIN_RECORDS] = -1
};

/* setting pg_topics.auto_offset_reset: OffsetReset */
static int	auto_offset_reset = OFFSET_RESET_EARLIEST;

static const struct config_enum_entry offset_reset_options[] = {
	{"earliest", OFFSET_RESET_EARLIEST, false},
	{"latest", OFFSET_RESET_LATEST, false},
	{"none", OFFSET_RESET_NONE, false},
	{NULL, 0, false}
};

/* An interval in microseconds, a month being 30 days. */
static int64
interval_usecs(const Interval *interval)
{
	double		usecs = (double) interval->time +
	((double) interval->month * DAYS_PER_MONTH + interval->day) * USECS_PER_DAY;

	return (int64) Max(Min(usecs, LONGEST_TIMEOUT), -LONGEST_TIMEOUT);
}

/* The call's timeout in microseconds, given as an interval or in milliseconds; ERROR if it is negative. */
static int64
parse_timeout(const NullableDatum *args)
{
	int64		usecs = interval_usecs(DatumGetIntervalP(args[ARG_TIMEOUT].value));

	if (!args[ARG_TIMEOUT_MS].isnull)
	{
		if (usecs != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("timeout and timeout_ms cannot be given together"),
					 errhint("Use timeout for an interval, or timeout_ms for a number of milliseconds.")));
		usecs = DatumGetInt32(args[ARG_TIMEOUT_MS].value) * INT64CONST(1000);
	}
	if (usecs < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be negative", args[ARG_TIMEOUT_MS].isnull ? "timeout" : "timeout_ms"),
				 errhint("Use 0 to return without waiting.")));
	return usecs;
}

/* The policy of that name; ERROR if there is none. */
static OffsetReset
offset_reset_by_name(const char *name)
{
	for (const struct config_enum_entry *option = offset_reset_options; option->name; option++)
	{
		if (strcmp(option->name, name) == 0)
			return (OffsetReset) option->val;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for auto_offset_reset: \"%s\"", name),
			 errhint("Valid values are: earliest, latest, none.")));
}

/* Take over the wanted partitions; whether they exist is checked when the topic is opened. */
static void
parse_partitions(ConsumeRequest *request, ArrayType *array)
{
	Datum	   *elements;
	bool	   *nulls;

	deconstruct_array(array, INT4OID, sizeof(int32), true, TYPALIGN_INT,
					  &elements, &nulls, &request->partition_count);
	if (request->partition_count == 0 || array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("partitions must be a list of partition numbers"),
				 errhint("Omit the argument to consume all partitions.")));

	request->partitions = palloc(sizeof(int32) * request->partition_count);
	for (int i = 0; i < request->partition_count; i++)
		request->partitions[i] = DatumGetInt32(elements[i]);
}

/* Take over the arguments of leased mode, if the call asks for it. */
static void
parse_member(ConsumeRequest *request, const NullableDatum *args)
{
	request->member = NULL;
	request->lease = DEFAULT_LEASE;
	if (!args[ARG_LEASE].isnull)
		request->lease = interval_usecs(DatumGetIntervalP(args[ARG_LEASE].value));
	if (request->lease <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("lease must be longer than zero"),
				 errdetail("The lease is the time within which a member must make its next call.")));
	if (args[ARG_MEMBER_ID].isnull)
	{
		if (!args[ARG_LEASE].isnull)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("lease requires member_id"),
					 errhint("Give member_id as well, or omit lease.")));
		return;
	}

	request->member = TextDatumGetCString(args[ARG_MEMBER_ID].value);
	pgt_group_member_check_id(request->member);
	if (request->partitions != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("partitions cannot be chosen with member_id"),
				 errdetail("The members of a group share all partitions."),
				 errhint("Omit member_id to consume chosen partitions.")));
}

/* ERROR if an argument is null. */
static void
require(const NullableDatum *arg, const char *name, const char *hint)
{
	if (arg->isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name),
				 hint == NULL ? 0 : errhint("%s", hint)));
}

/*
 * ERROR if an argument is null that must not be.  Null could be taken for "no limit" or
 * for the default, so only arguments whose default is null may be null.
 */
static void
require_arguments(const NullableDatum *args)
{
	require(&args[ARG_GROUP_ID], "consumer group name", NULL);
	require(&args[ARG_MAX_RECORDS], "max_records", "Omit the argument for the default, 500.");
	require(&args[ARG_TIMEOUT], "timeout", "Omit the argument to return without waiting.");
	require(&args[ARG_AUTO_COMMIT], "auto_commit", "Omit the argument for the default, true.");
}

/* How many records a call waits for; null is the default.  ERROR unless it can return so many. */
static int32
parse_min_records(const ConsumeRequest *request, const NullableDatum *arg)
{
	int32		min_records = arg->isnull ? 1 : DatumGetInt32(arg->value);

	if (min_records < 1 || min_records > request->max_records)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_records must be between 1 and max_records, which is %d", request->max_records),
				 errdetail("min_records is the number of records that a call waits for, until its timeout."),
				 min_records < 1 ? errhint("Omit the argument to wait for one record.") :
				 errhint("Raise max_records as well.")));
	return min_records;
}

/* Take over all arguments but the topics. */
static void
parse_common(ConsumeRequest *request, Oid function, const NullableDatum *args)
{
	require_arguments(args);
	pgt_group_init(&request->group, function, InvalidOid,
				   TextDatumGetCString(args[ARG_GROUP_ID].value));

	request->max_records = DatumGetInt32(args[ARG_MAX_RECORDS].value);
	if (request->max_records < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_records must be at least 1"),
				 errdetail("max_records is the largest number of records that one call returns.")));

	request->min_records = parse_min_records(request, &args[ARG_MIN_RECORDS]);
	request->timeout = parse_timeout(args);

	request->partitions = NULL;
	request->partition_count = 0;
	if (!args[ARG_PARTITIONS].isnull)
		parse_partitions(request, DatumGetArrayTypeP(args[ARG_PARTITIONS].value));

	request->auto_commit = DatumGetBool(args[ARG_AUTO_COMMIT].value);
	request->reset = args[ARG_AUTO_OFFSET_RESET].isnull ? (OffsetReset) auto_offset_reset :
		offset_reset_by_name(TextDatumGetCString(args[ARG_AUTO_OFFSET_RESET].value));
	parse_member(request, args);
}

/* The topic that a call of consume() or consume_as() names; ERROR if it names none. */
static Oid
topic_of_call(const FuncExpr *call, const NullableDatum *arg)
{
	if (pgt_consume_request_is_typed(call))
		return pgt_record_rows_topic_of_call(call, "consume_as(NULL::topic_name, ...)");
	require(arg, "topic", NULL);
	return DatumGetObjectId(arg->value);
}

void
pgt_consume_request_parse(ConsumeRequest *request, const FuncExpr *call, const NullableDatum *args)
{
	Oid			topic = topic_of_call(call, &args[ARG_TOPIC]);

	parse_common(request, call->funcid, args);
	request->topics = palloc(sizeof(Oid));
	request->topics[0] = topic;
	request->topic_count = 1;
	request->missing_ok = false;
}

/* ---- consume_many() ------------------------------------------------------ */

/* Take over the topics of the array, each once, by oid. */
static void
parse_topics(ConsumeRequest *request, const NullableDatum *arg)
{
	List	   *topics = NIL;
	Datum	   *elements;
	bool	   *nulls;
	int			count;
	ListCell   *cell;

	require(arg, "topics", "An empty list is ARRAY(SELECT ...) without rows; array_agg() gives null then.");
	deconstruct_array(DatumGetArrayTypeP(arg->value), REGCLASSOID, sizeof(Oid), true,
					  TYPALIGN_INT, &elements, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("topic must not be null"),
					 errdetail("Element %d of the list is null.", i + 1)));
		topics = lappend_oid(topics, DatumGetObjectId(elements[i]));
	}
	list_sort(topics, list_oid_cmp);
	list_deduplicate_oid(topics);

	request->topic_count = list_length(topics);
	request->topics = palloc(sizeof(Oid) * Max(request->topic_count, 1));
	foreach(cell, topics)
		request->topics[foreach_current_index(cell)] = lfirst_oid(cell);
}

void
pgt_consume_request_parse_many(ConsumeRequest *request, Oid function, const NullableDatum *args)
{
	NullableDatum common[ARG_COUNT];

	for (int i = 0; i < ARG_COUNT; i++)
		common[i] = argument_of_many[i] < 0 ? (NullableDatum) {(Datum) 0, true} : args[argument_of_many[i]];
	parse_common(request, function, common);
	parse_topics(request, &args[MANY_TOPICS]);
	request->missing_ok = true;
}

/* ---- consume_shared() ---------------------------------------------------- */

int64
pgt_consume_request_lease(const Interval *lease)
{
	int64		usecs = interval_usecs(lease);

	if (usecs <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("lease must be longer than zero"),
				 errdetail("The lease is the time within which a record must be acknowledged.")));
	/* leases are counted in milliseconds */
	return Max(usecs, 1000);
}

void
pgt_consume_request_parse_shared(ConsumeRequest *request, Oid function, const NullableDatum *args)
{
	NullableDatum common[ARG_COUNT];
	const NullableDatum *lease = &args[SHARED_LEASE];

	require(&args[SHARED_TOPIC], "topic", NULL);
	for (int i = 0; i < ARG_COUNT; i++)
		common[i] = argument_of_shared[i] < 0 ? (NullableDatum) {(Datum) 0, true} : args[argument_of_shared[i]];
	if (common[ARG_AUTO_COMMIT].isnull)
		common[ARG_AUTO_COMMIT] = (NullableDatum) {BoolGetDatum(lease->isnull), false};
	parse_common(request, function, common);
	request->lease = lease->isnull ? 0 : pgt_consume_request_lease(DatumGetIntervalP(lease->value));
	if (request->lease > 0 && request->auto_commit)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("auto_acknowledge cannot be combined with a lease"),
				 errdetail("A lease lasts beyond the transaction, which would acknowledge the records at its end."),
				 errhint("Omit lease to process records within the transaction, or auto_acknowledge to acknowledge them later.")));
	request->topics = palloc(sizeof(Oid));
	request->topics[0] = DatumGetObjectId(args[SHARED_TOPIC].value);
	request->topic_count = 1;
	request->missing_ok = false;
}

bool
pgt_consume_request_is_shared(const FuncExpr *call)
{
	/* the functions differ in how many arguments they have */
	return list_length(call->args) == SHARED_COUNT;
}

Node *
pgt_consume_request_argument(const FuncExpr *call, int argument)
{
	if (pgt_consume_request_is_shared(call))
		argument = argument_of_shared[argument];
	else if (get_call_expr_argtype((Node *) call, 0) == REGCLASSARRAYOID)
		argument = argument_of_many[argument];
	return argument < 0 ? NULL : list_nth(call->args, argument);
}

/* ---- topics -------------------------------------------------------------- */

bool
pgt_consume_request_is_typed(const FuncExpr *call)
{
	return call->funcresulttype != RECORDOID || get_call_expr_argtype((Node *) call, 0) != REGCLASSOID;
}

Topic *
pgt_consume_request_open_topic(const ConsumeRequest *request, Oid relid)
{
	Topic	   *topic;

	LockRelationOid(relid, AccessShareLock);
	topic = pgt_topic_get(relid);
	pgt_topic_check_acl(topic->relid, ACL_SELECT);
	for (int i = 0; i < request->partition_count; i++)
		(void) pgt_topic_partition(topic, request->partitions[i]);
	return topic;
}

void
pgt_consume_request_init(void)
{
	DefineCustomEnumVariable("pg_topics.auto_offset_reset",
							 "Sets where a consumer group starts that has no committed offset, or whose next record has been deleted.",
							 NULL,
							 &auto_offset_reset,
							 OFFSET_RESET_EARLIEST,
							 offset_reset_options,
							 PGC_USERSET,
							 0,
							 NULL, NULL, NULL);
}
