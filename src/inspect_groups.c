/*
 * inspect_groups.c
 *	  What pg_topic_groups shows of a group beside its row: how old is the oldest
 *	  record that it has still to read, and whether that must not be delivered yet.
 *
 * The record is read, since its batch tells only the smallest timestamp of all
 * in it, and nothing of headers.  That is one look-up in an index and one batch.
 *
 * Locks: AccessShareLock on the topic for the time of the look.
 *
 * Layer 6.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/snapmgr.h"

#include "clock.h"
#include "guarded_look.h"
#include "log_reader.h"
#include "nack_header.h"
#include "serializer.h"
#include "topic.h"

PG_FUNCTION_INFO_V1(pgt_topic_lag_time);
PG_FUNCTION_INFO_V1(pgt_topic_held_info);

/* The first visible record at or past an offset, and its age. */
typedef struct RecordAge
{
	TopicPartition key;
	int64		offset;
	bool		found;
	int64		age_ms;			/* 0 where its time is still to come */
} RecordAge;

/* Find the record.  arg: RecordAge. */
static void
look_at_age(void *arg)
{
	RecordAge  *age = arg;
	LogReader  *reader = pgt_log_reader_begin(&age->key, age->offset, GetActiveSnapshot(), NULL);
	Record		record;

	age->found = pgt_log_reader_next(reader, &record);
	if (age->found)
		age->age_ms = Max(pgt_ms_between(record.timestamp, pgt_now_ms()), 0);
	pgt_log_reader_end(reader);
}

/*
 * pg_topic_lag_time(topic, partition, committed_offset): null where the group
 * has nothing to read, or cannot since it is damaged, or for who may not read the topic.
 */
Datum
pgt_topic_lag_time(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	int32		partition = PG_GETARG_INT32(1);
	RecordAge	age = {.offset = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT64(2)};
	Interval   *result = palloc0(sizeof(Interval));

	LockRelationOid(relid, AccessShareLock);
	if (pgt_is_topic(relid) &&
		pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK)
	{
		Topic	   *topic = pgt_topic_get(relid);

		if (partition >= 0 && partition < topic->partitions)
		{
			age.key = pgt_topic_partition(topic, partition);
			if (!pgt_guarded_look(look_at_age, &age))
				age.found = false;
		}
	}
	UnlockRelationOid(relid, AccessShareLock);
	if (!age.found)
		PG_RETURN_NULL();
	result->time = Min(age.age_ms, PG_INT64_MAX / 1000) * 1000;
	PG_RETURN_INTERVAL_P(result);
}

/* Is the first visible record at or past an offset one that must wait?  Then where it is, and until when. */
static bool
find_held(const Topic *topic, const TopicPartition *key, int64 offset, Datum *values)
{
	LogReader  *reader = pgt_log_reader_begin(key, offset, GetActiveSnapshot(), NULL);
	Record		record;
	int64		until = 0;

	if (pgt_log_reader_next(reader, &record))
		until = pgt_record_held_until(topic, &record);
	if (until > 0)
	{
		values[0] = Int64GetDatum(record.offset);
		values[1] = TimestampTzGetDatum(pgt_ms_to_timestamptz(until));
	}
	pgt_log_reader_end(reader);
	return until > 0;
}

/*
 * pg_topic_held_info(topic, partition, next_offset): the record that holds back
 * the group which reads there next, and until when; nulls where none does, or
 * for who may not read the topic.
 */
Datum
pgt_topic_held_info(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	int32		partition = PG_GETARG_INT32(1);
	Datum		values[2] = {0};
	bool		nulls[2] = {true, true};
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	LockRelationOid(relid, AccessShareLock);
	if (pgt_is_topic(relid) &&
		pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK)
	{
		Topic	   *topic = pgt_topic_get(relid);

		if (partition >= 0 && partition < topic->partitions)
		{
			TopicPartition key = pgt_topic_partition(topic, partition);

			nulls[0] = nulls[1] = !find_held(topic, &key, PG_ARGISNULL(2) ? 0 : PG_GETARG_INT64(2),
											 values);
		}
	}
	UnlockRelationOid(relid, AccessShareLock);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
