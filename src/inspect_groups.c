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
#include "log_reader.h"
#include "serializer.h"
#include "topic.h"

PG_FUNCTION_INFO_V1(pgt_topic_lag_time);

/* Time since the first visible record at or past an offset; false where there is none. */
static bool
age_of_record(const TopicPartition *key, int64 offset, Interval *age)
{
	LogReader  *reader = pgt_log_reader_begin(key, offset, GetActiveSnapshot(), NULL);
	Record		record;
	bool		found = pgt_log_reader_next(reader, &record);

	memset(age, 0, sizeof(*age));
	if (found)
		age->time = Min(Max(pgt_ms_between(record.timestamp, pgt_now_ms()), 0),
						PG_INT64_MAX / 1000) * 1000;
	pgt_log_reader_end(reader);
	return found;
}

/*
 * pg_topic_lag_time(topic, partition, committed_offset): null where the group
 * has nothing to read, or for who may not read the topic.
 */
Datum
pgt_topic_lag_time(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	int32		partition = PG_GETARG_INT32(1);
	Interval   *age = palloc(sizeof(Interval));
	bool		found = false;

	LockRelationOid(relid, AccessShareLock);
	if (pgt_is_topic(relid) &&
		pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK)
	{
		Topic	   *topic = pgt_topic_get(relid);

		if (partition >= 0 && partition < topic->partitions)
		{
			TopicPartition key = pgt_topic_partition(topic, partition);

			found = age_of_record(&key, PG_ARGISNULL(2) ? 0 : PG_GETARG_INT64(2), age);
		}
	}
	UnlockRelationOid(relid, AccessShareLock);
	if (!found)
		PG_RETURN_NULL();
	PG_RETURN_INTERVAL_P(age);
}
