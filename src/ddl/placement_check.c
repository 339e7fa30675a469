/*
 * placement_check.c
 *	  Is each record of a topic where the topic's partitioner places its key?
 *
 * With the option partitioner.enforce queries look for a key in one partition only.  That
 * loses no record as long as two things hold: each record that is produced is where its key
 * belongs, which the producer checks (record_check.c), and so is each record that was there when
 * the option was set, or when something else changed that decides where keys belong: the
 * partitioner, the number of partitions, the type of the key.  Such a statement has all
 * records read here, as ALTER TABLE ... ADD CHECK has all rows.
 *
 * Locks: the statement's AccessExclusiveLock.  A producer holds a lock on the topic until its
 * transaction has ended, in PREPARE too; so all transactions have ended but our own, which
 * must not have produced, and open transactions of Kafka's clients, which are an ERROR; and a snapshot that is taken now sees all records.
 *
 * Memory: the log reader's.
 */
#include "postgres.h"

#include "ddl/placement_check.h"
#include "produce/producer.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "wal/log_reader.h"
#include "wal/visible_end.h"

/* ERROR: a record is not where its key belongs, or its key not in the form of its type. */
static void
refuse_record(const Topic *topic, int32 partition, const Record *record)
{
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("partitioner of topic \"%s\" cannot be enforced because a record has a key that it does not place there",
					get_rel_name(topic->relid)),
			 errdetail("The record is at offset %lld of partition %d.", (long long) record->offset, partition),
			 errhint("To enforce it, produce the records to a new topic. Else set the topic's option partitioner.enforce to off.")));
}

/* ERROR unless all records of a partition may be in it. */
static void
check_partition(const Topic *topic, int32 partition, Snapshot snapshot)
{
	TopicPartition key = pgt_topic_partition(topic, partition);
	TransactionId blocker;
	LogReader  *reader;
	Record		record;

	(void) pgt_visible_end(&key, snapshot, &blocker);
	if (blocker == VISIBLE_END_KAFKA_TXN)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("partitioner of topic \"%s\" cannot be enforced because a Kafka transaction has not ended",
						get_rel_name(topic->relid))));
	if (TransactionIdIsValid(blocker))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("partitioner of topic \"%s\" cannot be enforced because transaction %u has not ended",
						get_rel_name(topic->relid), blocker)));
	reader = pgt_log_reader_begin(&key, 0, snapshot, NULL);
	while (pgt_log_reader_next(reader, &record))
	{
		if (record.key_length >= 0 &&
			!pgt_key_placement_allows(&topic->log.placement, partition, record.key, record.key_length))
			refuse_record(topic, partition, &record);
	}
	pgt_log_reader_end(reader);
}

void
pgt_placement_check_run(const Topic *topic)
{
	Snapshot	snapshot;

	pgt_producer_check_unused(topic->relid, "enforce the partitioner of");
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	for (int32 partition = 0; partition < topic->partitions; partition++)
		check_partition(topic, partition, snapshot);
	UnregisterSnapshot(snapshot);
}
