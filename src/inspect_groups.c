/*
 * inspect_groups.c
 *	  What pg_topic_groups shows of a group beside its row: how old is the oldest
 *	  record that it has still to read.
 *
 * The record is read, since its batch tells only the smallest timestamp of all
 * in it.  That is one look-up in an index and one batch.
 *
 * Locks: AccessShareLock on the topic for the time of the look.
 *
 * Layer 6.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/snapmgr.h"

#include "clock.h"
#include "guarded_look.h"
#include "log_reader.h"
#include "serializer.h"
#include "topic.h"

PG_FUNCTION_INFO_V1(pgt_topic_lag_time);

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
