/*
 * kafka_offset.c
 *	  Committed offsets, as Kafka's clients commit, read and delete them.
 *
 * An offset that a client of Kafka's commits is the same as one that commit_offset() commits in SQL: that of the
 * next record, in the same row.  So consumers in SQL go on where Kafka's have stopped, and the reverse.  The row is
 * written by its owner alone (consumer_group.c), who is found without waiting: where another transaction has the
 * row, the client tries again.
 *
 * What differs from SQL is what Kafka's clients rely on.  An offset behind the end of the log can be committed, as
 * by tools that carry groups over; a consumer in SQL that finds it starts where auto_offset_reset says.  A claim
 * of the partition (kafka_claim.c) stays, while a lease of a member in SQL that has ended is taken away.
 *
 * Records that were deleted before the group has committed behind them count as lost, as with seek_to_offset().
 *
 * Clients commit every few seconds, whether there was something to read or not.  A commit of what is committed
 * writes nothing, unless the last one was some time ago: who looks for groups that are not used any more goes by
 * that time.
 *
 * Locks: AccessShareLock on the topic, and the partition's row, both until the transaction ends.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "group/consumer_group.h"
#include "group/group_role.h"
#include "group/group_row.h"
#include "group/group_row_columns.h"
#include "group/group_wakeup.h"
#include "group/kafka_offset.h"
#include "topic/topic.h"

/* What is committed again is written when the last commit is so long ago. */
#define REPEAT_US	(60 * USECS_PER_SEC)

/* ---- what a row says -------------------------------------------------------- */

/* The offset of a row. */
static KafkaOffset
offset_of_row(HeapTuple row, TupleDesc desc)
{
	KafkaOffset offset = {NO_OFFSET, -1, NULL};
	bool		isnull;
	Datum		value = heap_getattr(row, Anum_offsets_committed_offset, desc, &isnull);

	if (isnull)
		return offset;
	offset.next = DatumGetInt64(value);
	value = heap_getattr(row, Anum_offsets_leader_epoch, desc, &isnull);
	if (!isnull)
		offset.leader_epoch = DatumGetInt32(value);
	value = heap_getattr(row, Anum_offsets_metadata, desc, &isnull);
	if (!isnull)
		offset.metadata = TextDatumGetCString(value);
	return offset;
}

/* Is metadata the same?  None is as good as an empty one. */
static bool
is_same_metadata(const char *a, const char *b)
{
	return strcmp(a == NULL ? "" : a, b == NULL ? "" : b) == 0;
}

/* Is all this committed already, and not long ago? */
static bool
is_repeated(const ConsumerGroup *group, const GroupPartition *part, const KafkaOffset *offset)
{
	int64		retention = pgt_offsets_retention_minutes * USECS_PER_MINUTE;
	int64		longest = retention < 0 ? REPEAT_US : Min(REPEAT_US, retention / 4);
	Relation	table;
	KafkaOffset now;

	if (part->committed != offset->next || part->served == DT_NOBEGIN ||
		GetCurrentTimestamp() - part->served >= longest || GetCurrentTimestamp() < part->served)
		return false;
	table = table_open(group->offsets_table, AccessShareLock);
	now = offset_of_row(part->row, RelationGetDescr(table));
	table_close(table, AccessShareLock);
	return now.leader_epoch == offset->leader_epoch && is_same_metadata(now.metadata, offset->metadata);
}

/* ---- committing --------------------------------------------------------------- */

/* Is there a member in SQL that keeps clients of Kafka's from moving the group? */
static bool
has_sql_member(const ConsumerGroup *group, const GroupPartition *part)
{
	return !pgt_kafka_claim_is(part) && pgt_kafka_claim_find_sql_member(group->id, group->topic) != NULL;
}

/* How many deleted records a move to "next" passes over. */
static int64
count_lost(const ConsumerGroup *group, const GroupPartition *part, int64 next)
{
	TopicPartition key = pgt_topic_partition_key(group->topic, part->partition);
	LogBounds	bounds;

	if (part->committed == NO_OFFSET)
		return 0;
	(void) pgt_partition_log_bounds(&key, &bounds);
	return Max(Min(next, bounds.deleted_end) - part->committed, 0);
}

/* Write an owned partition's offset. */
static KafkaClaim
write_offset(const ConsumerGroup *group, GroupPartition *part, const KafkaOffset *offset)
{
	GroupRowChange change = {
		.next = offset->next, .lost = count_lost(group, part, offset->next),
		.metadata = offset->metadata, .leader_epoch = offset->leader_epoch,
		.leased = part->lease.member != NULL && !pgt_kafka_claim_is(part)
	};

	if (change.leased)
	{
		part->lease.member = NULL;
		part->lease.until = DT_NOBEGIN;
		part->lease.position = NO_OFFSET;
	}
	if (offset->next < part->committed)
		pgt_group_wakeup_topic(group->topic);
	pgt_group_wakeup_note_next(group->topic, part->partition, group->id, offset->next);
	return pgt_kafka_claim_write(group, part, &change);
}

KafkaClaim
pgt_kafka_offset_commit(const char *group, Oid topic, int32 partition, Oid role, const KafkaOffset *offset)
{
	ConsumerGroup in_topic;
	GroupPartition part;
	KafkaClaim	result = pgt_kafka_claim_open(&in_topic, &part, group, topic, partition, role);

	if (result != KAFKA_CLAIM_DONE)
		return result;
	if (!pgt_group_role_may_use(role, topic, part.owner))
		return KAFKA_CLAIM_DENIED;
	if (has_sql_member(&in_topic, &part))
		return KAFKA_CLAIM_SQL_MEMBER;
	if (is_repeated(&in_topic, &part, offset))
		return KAFKA_CLAIM_DONE;
	result = pgt_kafka_claim_own(&in_topic, &part);
	return result == KAFKA_CLAIM_DONE ? write_offset(&in_topic, &part, offset) : result;
}

/* ---- deleting ------------------------------------------------------------------- */

KafkaClaim
pgt_kafka_offset_delete(const char *group, Oid topic, int32 partition, Oid role)
{
	ConsumerGroup in_topic;
	GroupPartition part;
	KafkaClaim	result = pgt_kafka_claim_open(&in_topic, &part, group, topic, partition, role);

	if (result != KAFKA_CLAIM_DONE || !part.exists)
		return result;
	/* the first, as with commits */
	if (!pgt_group_role_may_use(role, topic, part.owner))
		return KAFKA_CLAIM_DENIED;
	if (pgt_kafka_claim_is(&part) || has_sql_member(&in_topic, &part))
		return KAFKA_CLAIM_SQL_MEMBER;
	result = pgt_kafka_claim_own(&in_topic, &part);
	if (result == KAFKA_CLAIM_DONE && part.exists)
	{
		Relation	table = table_open(in_topic.offsets_table, RowExclusiveLock);

		pgt_group_row_delete(table, &part);
		table_close(table, NoLock);
		CommandCounterIncrement();
	}
	return result;
}

/* ---- reading ---------------------------------------------------------------------- */

/* The table of offsets; NULL where it is gone. */
static Relation
open_offsets(ConsumerGroup *group, const char *id, Oid topic)
{
	*group = (ConsumerGroup) {.offsets_table = pgt_group_row_extension_table(),.topic = topic,.id = id};
	return OidIsValid(group->offsets_table) ? table_open(group->offsets_table, AccessShareLock) : NULL;
}

KafkaClaim
pgt_kafka_offset_read(const char *group, Oid topic, int32 partition, Oid role, KafkaOffset *offset)
{
	ConsumerGroup in_topic;
	Relation	table = open_offsets(&in_topic, group, topic);
	KafkaClaim	result = KAFKA_CLAIM_DONE;
	Snapshot	snapshot;
	SysScanDesc scan;
	HeapTuple	row;

	*offset = (KafkaOffset) {NO_OFFSET, -1, NULL};
	/* -1 stands for all in the scan */
	if (table == NULL || partition < 0)
		return result;
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan = pgt_group_rows_scan(table, &in_topic, partition, snapshot);
	row = systable_getnext(scan);
	if (HeapTupleIsValid(row))
	{
		if (pgt_group_role_may_use(role, topic, pgt_group_row_owner(row, RelationGetDescr(table))))
			*offset = offset_of_row(row, RelationGetDescr(table));
		else
			result = KAFKA_CLAIM_DENIED;
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(table, AccessShareLock);
	return result;
}

Oid
pgt_kafka_offset_next_topic(const char *group, Oid topic)
{
	ConsumerGroup in_any = {.offsets_table = pgt_group_row_extension_table(),.id = group};

	return OidIsValid(in_any.offsets_table) ? pgt_group_rows_next_topic(&in_any, topic) : InvalidOid;
}

bool
pgt_kafka_offset_any(const char *group)
{
	return OidIsValid(pgt_kafka_offset_next_topic(group, InvalidOid));
}

List *
pgt_kafka_offset_partitions(const char *group, Oid topic)
{
	ConsumerGroup in_topic;
	Relation	table = open_offsets(&in_topic, group, topic);
	List	   *partitions = NIL;
	Snapshot	snapshot;
	SysScanDesc scan;
	HeapTuple	row;

	if (table == NULL)
		return NIL;
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan = pgt_group_rows_scan(table, &in_topic, -1, snapshot);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
		if (offset_of_row(row, RelationGetDescr(table)).next != NO_OFFSET)
			partitions = lappend_int(partitions, pgt_group_row_partition(row, RelationGetDescr(table)));
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(table, AccessShareLock);
	list_sort(partitions, list_int_cmp);
	return partitions;
}
