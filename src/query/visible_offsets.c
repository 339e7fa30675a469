/*
 * visible_offsets.c
 *	  visible_offsets(): how far each partition is visible to a snapshot.
 *
 * The offsets tell where to go on reading a topic behind a copy of tables that
 * was made with the same snapshot: a record and the rows of its transaction
 * are visible together.  There is one exception.  A partition is read in order,
 * so it ends at the first record of a transaction that is still running:
 *
 *	  [ seen ][ running ][ seen ]
 *			  ^ next_offset
 *
 * The rows that came with the record behind are in the copy, and the record
 * comes again with the tail.  Such a moment is as short as a commit, but for
 * flush() and prepared transactions; "exact" is false then, and a copy that
 * must not overlap its tail takes another snapshot.
 *
 * Locks: AccessShareLock on the topic till the transaction's end.
 *
 * Layer 6.  Read log_reader.c next.
 */
#include "postgres.h"

#include "funcapi.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

#include "topic/topic.h"
#include "wal/log_reader.h"

PG_FUNCTION_INFO_V1(pgt_visible_offsets);

/* Add one partition's row. */
static void
add_partition(ReturnSetInfo *result, const TopicPartition *key)
{
	Snapshot	snapshot = GetActiveSnapshot();
	TransactionId blocker;
	int64		end = pgt_log_visible_end(key, snapshot, &blocker);
	bool		nulls[3] = {false};
	Datum		values[3] = {
		Int32GetDatum(key->partition),
		Int64GetDatum(end),
		BoolGetDatum(!TransactionIdIsValid(blocker) || !pgt_log_sees_behind(key, snapshot, end))
	};

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* visible_offsets(topic): a row a partition. */
Datum
pgt_visible_offsets(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	Topic	   *topic;

	InitMaterializedSRF(fcinfo, 0);
	LockRelationOid(relid, AccessShareLock);
	topic = pgt_topic_get(relid);
	pgt_topic_check_acl(relid, ACL_SELECT);
	for (int32 partition = 0; partition < topic->partitions; partition++)
	{
		TopicPartition key = pgt_topic_partition(topic, partition);

		add_partition((ReturnSetInfo *) fcinfo->resultinfo, &key);
	}
	return (Datum) 0;
}
