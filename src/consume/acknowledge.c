/*
 * acknowledge.c
 *	  acknowledge(), acknowledge_many() and renew(): what has become of records that
 *	  consume_shared() has delivered.
 *
 *	  accept	it is processed
 *	  release	it is to be delivered again, unless that was its last try
 *	  reject	it cannot be processed: it goes to the dead-letter topic
 *	  renew		its lease is to last longer
 *
 * All but the last count when the transaction commits; then they are as durable as the transaction's
 * other work, and until then nobody else gets the record.  A lease is renewed at once, and whatever
 * becomes of the transaction.
 *
 * Who calls need not be who has consumed: a record is known by its offset, so that calls may go through
 * any session of a pooler.  Whoever wants to be sure that the lease is still that of his own delivery
 * names delivery_count, which differs from one delivery to the next.
 *
 * A record that is not acquired is an ERROR: the caller's transaction must not commit what it has done for a
 * record that somebody else is doing.
 *
 * Locks: AccessShareLock on the topic until the transaction's end.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "consume/consume_request.h"
#include "consume/share_death.h"
#include "group/lease.h"
#include "topic/sql_argument.h"
#include "util/clock.h"
#include "util/sql_version.h"

PGT_FUNCTION_INFO(pgt_acknowledge);
PGT_FUNCTION_INFO(pgt_acknowledge_many);
PGT_FUNCTION_INFO(pgt_renew);

/* The ways to acknowledge, by name. */
static const struct
{
	const char *name;
	bool		renews;
	ShareRecordState outcome;
}			types[] = {
	{"accept", false, SHARE_ACKNOWLEDGED},
	{"release", false, SHARE_AVAILABLE},
	{"reject", false, SHARE_ARCHIVED},
	{"renew", true, SHARE_ACQUIRED}
};

/* A call under way. */
typedef struct AcknowledgeCall
{
	ShareGroup	group;
	Topic	   *topic;
	int32		partition;
	ShareSlot  *slot;
	ShareAcknowledgement what;
	const char *error;			/* NULL: none given */
} AcknowledgeCall;

/* ---- arguments ---------------------------------------------------------------- */

/* Set what the call does by the name of a type. */
static void
set_type(AcknowledgeCall *call, const char *name)
{
	for (int i = 0; i < lengthof(types); i++)
	{
		if (strcmp(types[i].name, name) != 0)
			continue;
		call->what.renews = types[i].renews;
		call->what.outcome = types[i].outcome;
		call->what.lease_ms = DEFAULT_LEASE / 1000;
		return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid type of acknowledgement: \"%s\"", name),
			 errhint("Valid types are: accept, release, reject, renew.")));
}

/* Let the call be for this delivery alone. */
static void
set_deliveries(AcknowledgeCall *call, int deliveries)
{
	if (deliveries < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("delivery_count must be at least 1"),
				 errhint("Omit it to acknowledge the record whichever delivery it is.")));
	call->what.deliveries = deliveries;
}

/* ERROR: there is no such group. */
static void
report_no_group(const AcknowledgeCall *call)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("there is no share group \"%s\" in partition %d of topic \"%s\"",
					call->group.group.id, call->partition, get_rel_name(call->topic->relid)),
			 errhint("consume_shared() makes a group with its first call.")));
}

/* Take over the first four arguments, of which the last one is the caller's. */
static void
begin_call(AcknowledgeCall *call, FunctionCallInfo fcinfo, const char *function, const char *fourth)
{
	static const char *const names[] = {"topic", "consumer group name", "partition"};

	memset(call, 0, sizeof(*call));
	PreventCommandIfReadOnly(function);
	for (int i = 0; i < lengthof(names); i++)
		pgt_sql_argument_require(fcinfo, i, names[i]);
	pgt_sql_argument_require(fcinfo, 3, fourth);
	LockRelationOid(PG_GETARG_OID(0), AccessShareLock);
	call->topic = pgt_topic_get(PG_GETARG_OID(0));
	pgt_topic_check_acl(call->topic->relid, ACL_SELECT);
	call->partition = PG_GETARG_INT32(2);
	(void) pgt_topic_partition(call->topic, call->partition);
	pgt_share_group_init(&call->group, fcinfo->flinfo->fn_oid, call->topic->relid,
						 text_to_cstring(PG_GETARG_TEXT_PP(1)));
	call->what.deliveries = SHARE_ANY_DELIVERY;
	call->slot = pgt_share_group_enter(&call->group, call->partition, NULL, NULL);
	if (call->slot == NULL)
		report_no_group(call);
}

/* ---- records -------------------------------------------------------------------- */

/* ERROR: the record cannot be acknowledged. */
static void
report_refused(const AcknowledgeCall *call, int64 offset, ShareAnswer answer)
{
	const char *topic = get_rel_name(call->topic->relid);

	switch (answer)
	{
		case SHARE_NOT_ACQUIRED:
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("share group \"%s\" has not acquired the record at offset %lld of partition %d of topic \"%s\"",
							call->group.group.id, (long long) offset, call->partition, topic),
					 errdetail("Its lease has ended, it was released, or it has not been delivered."),
					 errhint("Process records within their lease, or renew() it in time.")));
			break;
		case SHARE_FINISHED:
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("share group \"%s\" is done with the record at offset %lld of partition %d of topic \"%s\"",
							call->group.group.id, (long long) offset, call->partition, topic),
					 errdetail("It was acknowledged before, or has been deleted.")));
			break;
		case SHARE_OTHERS:
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_IN_USE),
					 errmsg("another transaction has the record at offset %lld of partition %d of topic \"%s\" for share group \"%s\"",
							(long long) offset, call->partition, topic, call->group.group.id),
					 errdetail("The lease of this delivery has ended, or the record is being acknowledged.")));
			break;
		case SHARE_STALE:
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("share group \"%s\" has delivered the record at offset %lld of partition %d of topic \"%s\" again",
							call->group.group.id, (long long) offset, call->partition, topic),
					 errdetail("It was not delivery %d that is acquired now; that one's lease has ended.",
							   call->what.deliveries)));
			break;
		case SHARE_DONE:
			break;
	}
}

/* Acknowledge or renew one record. */
static void
acknowledge(const AcknowledgeCall *call, int64 offset)
{
	ShareAcknowledgement what = call->what;
	int			deliveries = 0;
	ShareAnswer answer;

	/* a record that is released after its last try goes the way of one that is rejected */
	if (!what.renews && what.outcome == SHARE_AVAILABLE &&
		pgt_share_death_is_due(call->topic, pgt_share_group_deliveries(call->slot, offset)))
		what.outcome = SHARE_ARCHIVED;
	answer = pgt_share_group_acknowledge(call->slot, offset, &what, &deliveries);
	if (answer != SHARE_DONE)
		report_refused(call, offset, answer);
	if (!what.renews && what.outcome == SHARE_ARCHIVED)
		pgt_share_death_send_offset(&call->group, call->topic, call->partition, offset, deliveries, call->error);
}

/* ---- the functions ---------------------------------------------------------------- */

/* acknowledge(topic, group_id, partition, record_offset, type, delivery_count, error) */
Datum
pgt_acknowledge(PG_FUNCTION_ARGS)
{
	AcknowledgeCall call;

	begin_call(&call, fcinfo, "acknowledge()", "record_offset");
	pgt_sql_argument_require(fcinfo, 4, "type");
	set_type(&call, text_to_cstring(PG_GETARG_TEXT_PP(4)));
	if (!PG_ARGISNULL(5))
		set_deliveries(&call, PG_GETARG_INT32(5));
	if (!PG_ARGISNULL(6))
		call.error = text_to_cstring(PG_GETARG_TEXT_PP(6));
	acknowledge(&call, PG_GETARG_INT64(3));
	PG_RETURN_VOID();
}

/* acknowledge_many(topic, group_id, partition, record_offsets, type, error): the number of records. */
Datum
pgt_acknowledge_many(PG_FUNCTION_ARGS)
{
	AcknowledgeCall call;
	ArrayType  *array;
	Datum	   *offsets;
	bool	   *nulls;
	int			count;

	begin_call(&call, fcinfo, "acknowledge_many()", "record_offsets");
	pgt_sql_argument_require(fcinfo, 4, "type");
	set_type(&call, text_to_cstring(PG_GETARG_TEXT_PP(4)));
	if (!PG_ARGISNULL(5))
		call.error = text_to_cstring(PG_GETARG_TEXT_PP(5));
	array = PG_GETARG_ARRAYTYPE_P(3);
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("record_offsets must not contain nulls")));
	deconstruct_array(array, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &offsets, &nulls, &count);
	for (int i = 0; i < count; i++)
		acknowledge(&call, DatumGetInt64(offsets[i]));
	PG_RETURN_INT64(count);
}

/* renew(topic, group_id, partition, record_offset, lease, delivery_count): when the lease ends. */
Datum
pgt_renew(PG_FUNCTION_ARGS)
{
	AcknowledgeCall call;

	begin_call(&call, fcinfo, "renew()", "record_offset");
	pgt_sql_argument_require(fcinfo, 4, "lease");
	call.what.renews = true;
	call.what.lease_ms = (pgt_consume_request_lease(PG_GETARG_INTERVAL_P(4)) + 999) / 1000;
	if (!PG_ARGISNULL(5))
		set_deliveries(&call, PG_GETARG_INT32(5));
	acknowledge(&call, PG_GETARG_INT64(3));
	PG_RETURN_TIMESTAMPTZ(pgt_clock_to_timestamptz(pgt_clock_shifted_now_ms() + call.what.lease_ms));
}
