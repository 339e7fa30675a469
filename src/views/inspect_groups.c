/*
 * inspect_groups.c
 *	  What pg_topic_groups shows of a group beside its row: how old the oldest
 *	  record is that it has still to read, whether that record must not be delivered
 *	  yet, which records retention is about to take from the group, and which
 *	  transaction consumes.
 *
 * The record itself is read, because the index knows only the smallest timestamp of its
 * batch, and nothing of headers.  That costs one look-up in an index and one batch.
 *
 * Locks: AccessShareLock on the topic for the time of the look.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "consume/nack_header.h"
#include "group/consumer_group.h"
#include "group/group_row.h"
#include "group/partition_owner.h"
#include "maintenance/retention.h"
#include "topic/topic.h"
#include "util/catch_error.h"
#include "util/clock.h"
#include "util/sql_version.h"
#include "views/inspect.h"
#include "wal/log_reader.h"

PGT_FUNCTION_INFO(pgt_topic_lag_time);
PGT_FUNCTION_INFO(pgt_topic_held_info);
PGT_FUNCTION_INFO(pgt_topic_at_risk_info);
PGT_FUNCTION_INFO(pgt_topic_consumer_info);
PGT_FUNCTION_INFO(pgt_topic_group_is_shown);

/* ---- the first record ---------------------------------------------------- */

/* The first visible record at or past an offset. */
typedef struct FirstRecord
{
	const Topic *topic;
	TopicPartition key;
	int64		from;			/* that offset */
	bool		found;
	int64		offset;
	int64		age_ms;			/* 0 where its time is still to come */
	int64		held_until;		/* milliseconds since 1970; 0: it may be delivered */
} FirstRecord;

/* Find the record.  arg: FirstRecord. */
static void
look_at_first(void *arg)
{
	FirstRecord *first = arg;
	LogReader  *reader = pgt_log_reader_begin(&first->key, first->from, GetActiveSnapshot(), NULL);
	Record		record;

	first->found = pgt_log_reader_next(reader, &record);
	if (first->found)
	{
		first->offset = record.offset;
		first->age_ms = Max(pgt_clock_ms_between(record.timestamp, pgt_clock_now_ms()), 0);
		first->held_until = pgt_nack_header_held_until(first->topic, &record);
	}
	pgt_log_reader_end(reader);
}

/*
 * Find the first record that a group has to read, by the arguments of the functions
 * below.  It counts as not found if there is none, if it is damaged, or if the user may
 * not see the topic's groups.
 */
static void
find_first(FunctionCallInfo fcinfo, FirstRecord *first)
{
	Oid			relid = PG_GETARG_OID(0);
	int32		partition = PG_GETARG_INT32(1);

	memset(first, 0, sizeof(*first));
	first->from = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT64(2);
	LockRelationOid(relid, AccessShareLock);
	if (pgt_inspect_shows_groups(relid))
	{
		first->topic = pgt_topic_get(relid);
		if (partition >= 0 && partition < first->topic->partitions)
		{
			first->key = pgt_topic_partition(first->topic, partition);
			first->found = pgt_catch_damage(look_at_first, first) && first->found;
		}
	}
	UnlockRelationOid(relid, AccessShareLock);
}

/*
 * pg_topic_lag_time(topic, partition, committed_offset): how old the first record is
 * that the group has to read; null if none is found.
 */
Datum
pgt_topic_lag_time(PG_FUNCTION_ARGS)
{
	FirstRecord first;
	Interval   *result = palloc0(sizeof(Interval));

	find_first(fcinfo, &first);
	if (!first.found)
		PG_RETURN_NULL();
	result->time = Min(first.age_ms, PG_INT64_MAX / 1000) * 1000;
	PG_RETURN_INTERVAL_P(result);
}

/*
 * pg_topic_held_info(topic, partition, next_offset): the offset of the first record that
 * the group has to read and the time before which it is not delivered; nulls if it may
 * be delivered.
 */
Datum
pgt_topic_held_info(PG_FUNCTION_ARGS)
{
	FirstRecord first;
	TupleDesc	desc;
	Datum		values[2];
	bool		nulls[2];

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	find_first(fcinfo, &first);
	values[0] = Int64GetDatum(first.offset);
	values[1] = TimestampTzGetDatum(pgt_clock_to_timestamptz(first.held_until));
	nulls[0] = nulls[1] = !first.found || first.held_until == 0;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* ---- what retention is about to take --------------------------------------- */

/* The records that a group loses next. */
typedef struct AtRisk
{
	const Topic *topic;
	const char *group;
	int32		partition;
	int64		next;			/* the group's next offset */
	bool		any;
	int64		records;
	int64		at;
} AtRisk;

/* Find them.  arg: AtRisk. */
static void
look_at_risk(void *arg)
{
	AtRisk	   *risk = arg;

	risk->any = pgt_retention_at_risk(risk->topic, risk->group, risk->partition, risk->next, &risk->records, &risk->at);
}

/*
 * pg_topic_at_risk_info(topic, partition, committed_offset, group_id): how many records
 * the group loses next, and when; nulls if it loses none, or if the user may
 * not see the topic's groups.
 */
Datum
pgt_topic_at_risk_info(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	int32		partition = PG_GETARG_INT32(1);
	AtRisk		risk = {.partition = partition, .next = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT64(2)};
	TupleDesc	desc;
	Datum		values[2] = {0};
	bool		nulls[2] = {true, true};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	risk.group = PG_ARGISNULL(3) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(3));
	LockRelationOid(relid, AccessShareLock);
	if (pgt_inspect_shows_groups(relid))
	{
		risk.topic = pgt_topic_get(relid);
		if (partition >= 0 && partition < risk.topic->partitions &&
			pgt_catch_damage(look_at_risk, &risk) && risk.any)
		{
			values[0] = Int64GetDatum(risk.records);
			values[1] = TimestampTzGetDatum(pgt_clock_to_timestamptz(risk.at));
			nulls[0] = nulls[1] = false;
		}
	}
	UnlockRelationOid(relid, AccessShareLock);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* ---- who may see a group -------------------------------------------------- */

/*
 * pg_topic_group_is_shown(topic, owner): may the user see a group of the topic that belongs
 * to that role?  It is null where the group is nobody's yet.  Without a topic, a group of Kafka's clients.
 */
Datum
pgt_topic_group_is_shown(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);

	if (PG_ARGISNULL(0))
		PG_RETURN_BOOL(pgt_inspect_shows_role(PG_ARGISNULL(1) ? InvalidOid : PG_GETARG_OID(1)));
	PG_RETURN_BOOL(pgt_inspect_shows_group(relid, PG_ARGISNULL(1) ? GROUP_UNCLAIMED : PG_GETARG_OID(1)));
}

/* ---- who consumes -------------------------------------------------------- */

/*
 * pg_topic_consumer_info(topic, group_id, partition): the process whose transaction owns
 * the partition for the group, or the name of the prepared transaction that does; nulls if
 * none does, or if the user may not see the topic's groups.
 */
Datum
pgt_topic_consumer_info(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	TupleDesc	desc;
	Datum		values[2] = {0};
	bool		nulls[2] = {true, true};
	ConsumerGroup group;
	PartitionOwner	owner;
	char	   *gid = NULL;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (pgt_inspect_shows_groups(relid))
	{
		pgt_group_init(&group, fcinfo->flinfo->fn_oid, relid, text_to_cstring(PG_GETARG_TEXT_PP(1)));
		if (pgt_inspect_shows_group(relid, pgt_group_rows_owner(&group)) &&
			pgt_partition_owner_find(&group, PG_GETARG_INT32(2), &owner))
		{
			if (owner.pid == 0)
				gid = pgt_inspect_prepared_name(owner.xid);
			values[0] = Int32GetDatum(owner.pid);
			values[1] = gid != NULL ? CStringGetTextDatum(gid) : (Datum) 0;
			nulls[0] = owner.pid == 0;
			nulls[1] = gid == NULL;
		}
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
