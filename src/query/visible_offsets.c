/*
 * visible_offsets.c
 *	  visible_offsets(): how far each partition is visible to a snapshot.
 *
 * A client that has copied tables with a snapshot, and wants to go on with the changes
 * in a topic, starts at these offsets: a record and the rows of its transaction are
 * visible together.  There is one exception.  A partition is read in order, so it ends
 * at the first record of a transaction that is still running:
 *
 *	  [ seen ][ running ][ seen ]
 *			  ^ next_offset
 *
 * The copy has the rows that were committed together with the last record, and the
 * client gets that record again.  Where a transaction has records on both sides of the
 * running one, the end is before its first record, as it is for a SELECT with the same
 * snapshot (whole_end.c), so a copy of the topic and its tail together are the topic.
 * This happens only while a transaction commits, and with flush() and prepared
 * transactions; "exact" is false then, and a client that must not see a change twice
 * takes another snapshot.
 *
 * Locks: AccessShareLock on the topic until the transaction's end.
 */
#include "postgres.h"

#include "funcapi.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

#include "topic/topic.h"
#include "util/sql_version.h"
#include "wal/visible_end.h"
#include "wal/whole_end.h"

PGT_FUNCTION_INFO(pgt_visible_offsets);

/* Add one partition's row. */
static void
add_partition(ReturnSetInfo *result, const TopicPartition *key)
{
	Snapshot	snapshot = GetActiveSnapshot();
	TransactionId blocker;
	int64		end = pgt_whole_end(key, snapshot, &blocker);
	bool		nulls[3] = {false};
	Datum		values[3] = {
		Int32GetDatum(key->partition),
		Int64GetDatum(end),
		BoolGetDatum(!TransactionIdIsValid(blocker) || !pgt_visible_end_sees_behind(key, snapshot, end))
	};

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* visible_offsets(topic): a row for each partition. */
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
