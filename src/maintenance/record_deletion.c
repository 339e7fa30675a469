/*
 * record_deletion.c
 *	  Deleting the records of a partition before an offset, because somebody wants it.
 *
 * It is what delete_records() does, and DeleteRecords of Kafka's clients.  Records of transactions
 * that have not ended stay, with all that is behind them.
 */
#include "postgres.h"

#include "maintenance/record_deletion.h"
#include "maintenance/retention.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "wal/visible_end.h"

/* The partition's last stable offset as of now. */
static int64
last_stable_offset(const TopicPartition *key)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TransactionId blocker;
	int64		end = pgt_visible_end(key, snapshot, &blocker);

	UnregisterSnapshot(snapshot);
	return end;
}

/* ERROR unless records before that offset may be deleted. */
static void
check_before_offset(const TopicPartition *key, int64 offset, int64 stable)
{
	if (offset < RECORD_DELETION_ALL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("offset %lld is negative", (long long) offset),
				 errhint("Use -1 for the last stable offset.")));
	if (offset > stable)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("offset %lld is past the last stable offset %lld of partition %d of topic \"%s\"",
						(long long) offset, (long long) stable, key->partition,
						get_rel_name(key->topic)),
				 errdetail("Records of transactions that have not ended cannot be deleted."),
				 errhint("Use -1 for the last stable offset.")));
}

int64
pgt_record_deletion_run(const Topic *topic, int32 partition, int64 offset)
{
	TopicPartition key = pgt_topic_partition(topic, partition);
	int64		stable = last_stable_offset(&key);
	RetentionResult result;

	check_before_offset(&key, offset, stable);
	if (offset == RECORD_DELETION_ALL)
		offset = stable;
	pgt_retention_delete_before(topic, partition, offset, &result);
	return result.log_start_offset;
}
