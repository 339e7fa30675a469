/*
 * nack.c
 *	  nack(): a record that could not be processed goes to a retry topic or a
 *	  dead-letter topic.
 *
 * A consumer that fails on a record and rolls back gets the record again and again, and
 * its partition makes no progress.  nack() copies the record to another topic in the
 * consumer's transaction, so that the consumer can commit its offset and continue:
 *
 *	  orders --nack--> orders.retry --nack--> orders.retry --nack--> orders.dlq
 *			 attempts 1			    attempts 2			   attempts 3 = max.attempts
 *
 * Headers of the copy, beside the record's own, tell what has happened:
 *
 *	  nack.topic, .partition, .offset, .timestamp, .group	of the first nack: the origin
 *	  nack.attempts		how often processing has failed
 *	  nack.error		of the last one
 *	  nack.not_before	when to try again, where retry.delay.ms says so
 *
 * Times are milliseconds since 1970.  The options of the origin count, wherever the record
 * is now.  consume() does not deliver a record before its time, nor the records behind it
 * in the partition: all delays in a topic are equal, so those records are hardly due
 * earlier.
 *
 * nack_send.c does it, and says what is believed and allowed.
 *
 * Locks: AccessShareLock on the topic, RowExclusiveLock on the one produced to.
 */
#include "postgres.h"

#include "access/xact.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "consume/nack_send.h"
#include "group/consumer_group.h"
#include "group/group_role.h"
#include "group/group_row.h"
#include "topic/sql_argument.h"
#include "util/sql_version.h"
#include "wal/log_reader.h"

#define MAX_ERROR_LENGTH	4096	/* bytes of an error's text that are kept */

PGT_FUNCTION_INFO(pgt_nack);

/* ---- the SQL function --------------------------------------------------- */

/* Read the record, by a new snapshot: it may have been consumed after the statement's; ERROR if there is none. */
static LogReader *
read_record(NackFailure *failure, int64 offset, Snapshot snapshot)
{
	LogReader  *reader = pgt_log_reader_begin(&failure->key, offset, snapshot, NULL);

	if (!pgt_log_reader_next(reader, &failure->record) || failure->record.offset != offset)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("partition %d of topic \"%s\" has no record at offset %lld",
						failure->key.partition, get_rel_name(failure->key.topic), (long long) offset),
				 errhint("Give the partition and the offset of a record that consume() has returned.")));
	return reader;
}

/* Cut an error's text if it is too long. */
static char *
shorten(char *error)
{
	int			length = (int) strlen(error);

	error[pg_mbcliplen(error, length, MAX_ERROR_LENGTH)] = '\0';
	return error;
}

/* nack(topic, group_id, partition, record_offset, error): the topic the record went to. */
Datum
pgt_nack(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"topic", "group_id", "partition", "record_offset"};
	NackFailure failure = {0};
	ConsumerGroup group;
	Snapshot	snapshot;
	LogReader  *reader;
	Oid			target;

	for (int i = 0; i < lengthof(names); i++)
		pgt_sql_argument_require(fcinfo, i, names[i]);
	PreventCommandDuringRecovery("nack()");
	PreventCommandIfReadOnly("nack()");
	LockRelationOid(PG_GETARG_OID(0), AccessShareLock);
	failure.topic = pgt_topic_get(PG_GETARG_OID(0));
	pgt_topic_check_acl(failure.topic->relid, ACL_SELECT);
	failure.key = pgt_topic_partition(failure.topic, PG_GETARG_INT32(2));
	failure.group = text_to_cstring(PG_GETARG_TEXT_PP(1));
	pgt_group_init(&group, fcinfo->flinfo->fn_oid, failure.topic->relid, failure.group);
	pgt_group_role_check(&group, pgt_group_rows_owner(&group));
	failure.error = PG_ARGISNULL(4) ? NULL : shorten(text_to_cstring(PG_GETARG_TEXT_PP(4)));

	snapshot = RegisterSnapshot(GetLatestSnapshot());
	reader = read_record(&failure, PG_GETARG_INT64(3), snapshot);
	target = pgt_nack_send(&failure);
	pgt_log_reader_end(reader);
	UnregisterSnapshot(snapshot);
	PG_RETURN_OID(target);
}
