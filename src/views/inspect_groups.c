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
#include "utils/timestamp.h"

#include "consume/nack_header.h"
#include "log/clock.h"
#include "topic/topic.h"
#include "util/guarded_look.h"
#include "wal/log_reader.h"

PG_FUNCTION_INFO_V1(pgt_topic_lag_time);
PG_FUNCTION_INFO_V1(pgt_topic_held_info);

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
		first->age_ms = Max(pgt_ms_between(record.timestamp, pgt_now_ms()), 0);
		first->held_until = pgt_record_held_until(first->topic, &record);
	}
	pgt_log_reader_end(reader);
}

/*
 * The first record that a group has to read, by the arguments of the functions below.
 * Not found where there is none, or it cannot be read since it is damaged, and for who
 * may not read the topic.
 */
static void
find_first(FunctionCallInfo fcinfo, FirstRecord *first)
{
	Oid			relid = PG_GETARG_OID(0);
	int32		partition = PG_GETARG_INT32(1);

	memset(first, 0, sizeof(*first));
	first->from = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT64(2);
	LockRelationOid(relid, AccessShareLock);
	if (pgt_is_topic(relid) &&
		pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK)
	{
		first->topic = pgt_topic_get(relid);
		if (partition >= 0 && partition < first->topic->partitions)
		{
			first->key = pgt_topic_partition(first->topic, partition);
			first->found = pgt_guarded_look(look_at_first, first) && first->found;
		}
	}
	UnlockRelationOid(relid, AccessShareLock);
}

/*
 * pg_topic_lag_time(topic, partition, committed_offset): how old the record is; null
 * where none is found.
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
 * pg_topic_held_info(topic, partition, next_offset): the record, where it holds back
 * the group which reads there next, and until when; else nulls.
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
	values[1] = TimestampTzGetDatum(pgt_ms_to_timestamptz(first.held_until));
	nulls[0] = nulls[1] = !first.found || first.held_until == 0;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
