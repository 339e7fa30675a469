/*
 * seek.c
 *	  Moving a consumer group: seek_*(), commit_offset(), delete_group(), and
 *	  offset_for_timestamp().
 *
 * These functions write the group's committed offset as consume() does, so a rollback of
 * the transaction undoes them.  Unlike consume(), they wait for a partition that a
 * consumer owns at the time: to move a group that is reading, stop its consumers or let
 * them commit first.  Partitions are taken in ascending order, so that two sessions that
 * move a group cannot block each other.  Records that this transaction has consumed from a
 * moved partition without committing its offset no longer count.
 *
 * A group with members that lease partitions (live_members.c) cannot be moved or deleted, because
 * members follow positions of their own; only a member can move its own partitions.  Nor can one whose
 * partitions are assigned to members of Kafka's (kafka_claim.c), but by a client that commits for its own member.
 *
 * Who may use a group (group_role.c) may also move and delete it.
 *
 * Locks: AccessShareLock on the topic, RowExclusiveLock on the offsets table and the
 * partitions' rows, all until the transaction's end.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "consume/consume_live.h"
#include "group/consumer_group.h"
#include "group/group_position.h"
#include "group/group_role.h"
#include "group/group_row.h"
#include "group/kafka_claim.h"
#include "group/kafka_group_config.h"
#include "group/lease.h"
#include "group/live_members.h"
#include "share/share_group.h"
#include "topic/sql_argument.h"
#include "topic/topic.h"
#include "util/clock.h"
#include "util/sql_version.h"
#include "wal/timestamp_lookup.h"
#include "wal/visible_end.h"

PGT_FUNCTION_INFO(pgt_commit_offset);
PGT_FUNCTION_INFO(pgt_seek_to_offset);
PGT_FUNCTION_INFO(pgt_seek_to_timestamp);
PGT_FUNCTION_INFO(pgt_seek_to_beginning);
PGT_FUNCTION_INFO(pgt_seek_to_end);
PGT_FUNCTION_INFO(pgt_delete_group);
PGT_FUNCTION_INFO(pgt_delete_group_of_topic);
PGT_FUNCTION_INFO(pgt_delete_group_by_names);
PGT_FUNCTION_INFO(pgt_offset_for_timestamp);

/* Chooses the offset in one partition; arg is passed through from seek(). */
typedef int64 (*SeekTarget) (const TopicPartition *key, void *arg);

/* ---- arguments ---------------------------------------------------------- */

/* Lock and return the topic; ERROR unless the user may read it. */
static Topic *
open_readable_topic(Oid relid)
{
	Topic	   *topic;

	LockRelationOid(relid, AccessShareLock);
	topic = pgt_topic_get(relid);
	pgt_topic_check_acl(relid, ACL_SELECT);
	return topic;
}

/*
 * The topic and the group that a call's first two arguments name; ERROR in a read-only
 * transaction.
 */
static Topic *
open_topic_and_group(FunctionCallInfo fcinfo, const char *function, ConsumerGroup *group)
{
	Topic	   *topic;

	PreventCommandIfReadOnly(function);
	pgt_sql_argument_require(fcinfo, 0, "topic");
	pgt_sql_argument_require(fcinfo, 1, "consumer group name");
	topic = open_readable_topic(PG_GETARG_OID(0));
	pgt_group_init(group, fcinfo->flinfo->fn_oid, topic->relid,
				   text_to_cstring(PG_GETARG_TEXT_PP(1)));
	pgt_consume_live_settle(group->id);
	return topic;
}

/* ERROR unless a group may continue at that offset of that partition. */
static void
check_offset(const TopicPartition *key, int64 offset)
{
	LogBounds	bounds;

	if (offset < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("offset %lld is negative", (long long) offset),
				 errhint("Use seek_to_beginning() to continue at the log start.")));

	(void) pgt_partition_log_bounds(key, &bounds);
	if (offset > bounds.next_offset)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("offset %lld is past the end of partition %d of topic \"%s\"",
						(long long) offset, key->partition, get_rel_name(key->topic)),
				 errdetail("The log ends at offset %lld.", (long long) bounds.next_offset),
				 errhint("Use seek_to_end() to continue with the next record produced.")));
}

/* ---- moving a group ----------------------------------------------------- */

/* Count as lost the deleted records that a move to "next" passes over. */
static void
note_lost(const ConsumerGroup *group, const GroupPartition *offset, const TopicPartition *key,
		  int64 next)
{
	int64		from = pgt_group_next_offset(offset);
	LogBounds	bounds;

	(void) pgt_partition_log_bounds(key, &bounds);
	next = Min(next, bounds.deleted_end);
	if (from != NO_OFFSET && next > from)
		pgt_group_position_note_lost(group, offset, next - from);
}

/* Move a group in one partition, or in all partitions if argument "partition_arg" is null. */
static void
seek(FunctionCallInfo fcinfo, const char *function, int partition_arg, SeekTarget target, void *arg)
{
	ConsumerGroup group;
	Topic	   *topic = open_topic_and_group(fcinfo, function, &group);
	GroupPartition *offsets;
	int32		first = 0;
	int32		end = topic->partitions;

	if (!PG_ARGISNULL(partition_arg))
	{
		first = PG_GETARG_INT32(partition_arg);
		(void) pgt_topic_partition(topic, first);
		end = first + 1;
	}

	/* first, since it refuses who may not use the group, to whom the members are nobody's business */
	offsets = pgt_group_rows_read(&group, topic->partitions);
	pgt_kafka_claim_refuse_any(&group, offsets, topic->partitions);
	pgt_live_members_refuse(&group);
	for (int32 partition = first; partition < end; partition++)
	{
		TopicPartition key = pgt_topic_partition(topic, partition);

		int64		next = target(&key, arg);

		(void) pgt_group_lock(&group, &offsets[partition], true);
		pgt_live_members_refuse_lease(&group, &offsets[partition]);
		note_lost(&group, &offsets[partition], &key, next);
		pgt_group_commit(&group, &offsets[partition], next, NULL);
	}
}

/* SeekTarget: the offset given.  arg: int64. */
static int64
target_offset(const TopicPartition *key, void *arg)
{
	int64		offset = *(int64 *) arg;

	check_offset(key, offset);
	return offset;
}

/* SeekTarget: the log start. */
static int64
target_beginning(const TopicPartition *key, void *arg)
{
	LogBounds	bounds;

	(void) pgt_partition_log_bounds(key, &bounds);
	return bounds.log_start_offset;
}

/* SeekTarget: behind the last record that the statement sees. */
static int64
target_end(const TopicPartition *key, void *arg)
{
	TransactionId blocker;

	return pgt_visible_end(key, GetActiveSnapshot(), &blocker);
}

/* SeekTarget: the first record at or past a time, or the end if there is none.  arg: int64, milliseconds. */
static int64
target_timestamp(const TopicPartition *key, void *arg)
{
	int64		offset = pgt_timestamp_lookup(key, *(int64 *) arg, GetActiveSnapshot());

	return offset >= 0 ? offset : target_end(key, NULL);
}

/* seek_to_offset(topic, group_id, next_offset, partition) */
Datum
pgt_seek_to_offset(PG_FUNCTION_ARGS)
{
	int64		offset;

	pgt_sql_argument_require(fcinfo, 2, "next_offset");
	offset = PG_GETARG_INT64(2);
	seek(fcinfo, "seek_to_offset()", 3, target_offset, &offset);
	PG_RETURN_VOID();
}

/* A time to look for, in milliseconds; ERROR for infinities. */
static int64
sought_time(TimestampTz ts)
{
	if (TIMESTAMP_NOT_FINITE(ts))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("ts must not be infinite"),
				 errhint("Use seek_to_beginning() or seek_to_end() to move to the start or the end of the log.")));
	return pgt_clock_from_timestamptz(ts);
}

/* seek_to_timestamp(topic, group_id, ts, partition) */
Datum
pgt_seek_to_timestamp(PG_FUNCTION_ARGS)
{
	int64		timestamp;

	pgt_sql_argument_require(fcinfo, 2, "ts");
	timestamp = sought_time(PG_GETARG_TIMESTAMPTZ(2));
	seek(fcinfo, "seek_to_timestamp()", 3, target_timestamp, &timestamp);
	PG_RETURN_VOID();
}

/* seek_to_beginning(topic, group_id, partition) */
Datum
pgt_seek_to_beginning(PG_FUNCTION_ARGS)
{
	seek(fcinfo, "seek_to_beginning()", 2, target_beginning, NULL);
	PG_RETURN_VOID();
}

/* seek_to_end(topic, group_id, partition) */
Datum
pgt_seek_to_end(PG_FUNCTION_ARGS)
{
	seek(fcinfo, "seek_to_end()", 2, target_end, NULL);
	PG_RETURN_VOID();
}

/* The metadata of a commit, or NULL; ERROR if it is too long. */
static char *
commit_metadata(FunctionCallInfo fcinfo, int n)
{
	char	   *metadata;

	if (PG_ARGISNULL(n))
		return NULL;
	metadata = text_to_cstring(PG_GETARG_TEXT_PP(n));
	if (strlen(metadata) > MAX_OFFSET_METADATA)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("offset metadata is too long"),
				 errdetail("The metadata has %zu bytes; the limit is %d bytes.",
						   strlen(metadata), MAX_OFFSET_METADATA)));
	return metadata;
}

/* Commit one partition's next offset for a group without live members. */
static void
commit_unleased(const ConsumerGroup *group, GroupPartition *offset, int64 next, const char *metadata)
{
	pgt_live_members_refuse(group);
	(void) pgt_group_lock(group, offset, true);
	pgt_live_members_refuse_lease(group, offset);
	pgt_group_commit(group, offset, next, metadata);
}

/* Commit it for the member of Kafka's that the partition is assigned to. */
static void
commit_claimed(const ConsumerGroup *group, GroupPartition *offset, const char *member, int64 next, const char *metadata)
{
	pgt_kafka_claim_own_as(group, offset, member);
	pgt_group_commit_leased(group, offset, next, metadata);
}

/* commit_offset(topic, group_id, partition, next_offset, metadata, member_id) */
Datum
pgt_commit_offset(PG_FUNCTION_ARGS)
{
	ConsumerGroup group;
	Topic	   *topic = open_topic_and_group(fcinfo, "commit_offset()", &group);
	LeaseHolder holder = {.group = &group, .partitions = topic->partitions};
	char	   *metadata = commit_metadata(fcinfo, 4);
	char	   *member = PG_ARGISNULL(5) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(5));
	GroupPartition *offsets;
	GroupPartition *offset;
	TopicPartition key;

	pgt_sql_argument_require(fcinfo, 2, "partition");
	pgt_sql_argument_require(fcinfo, 3, "next_offset");
	key = pgt_topic_partition(topic, PG_GETARG_INT32(2));
	check_offset(&key, PG_GETARG_INT64(3));

	offsets = pgt_group_rows_read(&group, topic->partitions);
	offset = &offsets[key.partition];
	if (member != NULL && pgt_kafka_claim_is_name(member))
	{
		commit_claimed(&group, offset, member, PG_GETARG_INT64(3), metadata);
		PG_RETURN_VOID();
	}
	pgt_kafka_claim_refuse_any(&group, offsets, topic->partitions);
	if (member == NULL)
		commit_unleased(&group, offset, PG_GETARG_INT64(3), metadata);
	else
	{
		holder.member = member;
		pgt_lease_commit_offset(&holder, offset, PG_GETARG_INT64(3), metadata);
	}
	PG_RETURN_VOID();
}

/* ---- deleting a group --------------------------------------------------- */

/*
 * May the user delete the group in its topic?  Every user may delete rows that a dropped
 * topic has left.
 */
static bool
may_delete(const ConsumerGroup *group)
{
	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(group->topic)))
		return true;
	return pgt_topic_is_owner(group->topic) ||
		(pg_class_aclcheck(group->topic, GetUserId(), ACL_SELECT) == ACLCHECK_OK &&
		 pgt_group_role_may_use(GetUserId(), group->topic, pgt_group_rows_owner(group)));
}

/* ERROR unless the user may delete the group in its topic. */
static void
check_may_delete(const ConsumerGroup *group)
{
	pgt_topic_require(group->topic);
	if (pgt_topic_is_owner(group->topic))
		return;
	pgt_topic_check_acl(group->topic, ACL_SELECT);
	pgt_group_role_check(group, pgt_group_rows_owner(group));
}

/*
 * Delete a group's rows of all topics where the user may.  Rows of other topics are neither
 * deleted, nor waited for, nor mentioned: whether the group has such rows is for others to
 * know.
 */
static int64
delete_where_allowed(ConsumerGroup *group)
{
	List	   *topics = pgt_group_rows_topics(group);
	int64		deleted = 0;
	ListCell   *cell;

	/* in the same order as all sessions that wait for several rows */
	list_sort(topics, list_oid_cmp);
	foreach(cell, topics)
	{
		group->topic = lfirst_oid(cell);
		if (!may_delete(group))
			continue;
		LockRelationOid(group->topic, AccessShareLock);
		if (may_delete(group))
			deleted += pgt_live_members_delete_group(group);
	}
	return deleted;
}

/* The share group of that name in its topic. */
static ShareGroup
share_group_of(const ConsumerGroup *group)
{
	return (ShareGroup) {.group = *group,.schema = get_rel_namespace(group->offsets_table)};
}

/* May the user delete the share group in its topic? */
static bool
may_delete_share(const ShareGroup *group)
{
	return pgt_topic_exists(group->group.topic) &&
		(pgt_topic_is_owner(group->group.topic) ||
		 (pg_class_aclcheck(group->group.topic, GetUserId(), ACL_SELECT) == ACLCHECK_OK &&
		  pgt_group_role_may_use(GetUserId(), group->group.topic, pgt_share_group_owner(group))));
}

/* Delete a share group in all topics where the user may. */
static int64
delete_shares_where_allowed(const ConsumerGroup *group)
{
	ShareGroup	share = share_group_of(group);
	List	   *topics = NIL;
	int64		deleted = 0;
	ListCell   *cell;

	foreach(cell, pgt_share_row_list(share.schema, group->id, InvalidOid))
		topics = list_append_unique_oid(topics, ((ShareRow *) lfirst(cell))->topic);
	list_sort(topics, list_oid_cmp);
	foreach(cell, topics)
	{
		share.group.topic = lfirst_oid(cell);
		if (!may_delete_share(&share))
			continue;
		LockRelationOid(share.group.topic, AccessShareLock);
		if (may_delete_share(&share))
			deleted += pgt_share_group_delete(&share, false);
	}
	return deleted;
}

/* Delete the share group in its topic, after checking that the user may. */
static int64
delete_share_of(const ConsumerGroup *group)
{
	ShareGroup	share = share_group_of(group);

	if (!pgt_topic_is_owner(group->topic))
		pgt_group_role_check(group, pgt_share_group_owner(&share));
	return pgt_share_group_delete(&share, false);
}

/* Fill in a call's group, without a topic. */
static void
init_group_to_delete(ConsumerGroup *group, FunctionCallInfo fcinfo, text *group_id)
{
	PreventCommandIfReadOnly("delete_group()");
	pgt_group_init(group, fcinfo->flinfo->fn_oid, InvalidOid, text_to_cstring(group_id));
	pgt_consume_live_settle(group->id);
}

/* Delete a group of either kind in all topics where the user may, and what Kafka's clients have configured for it. */
static int64
delete_everywhere(ConsumerGroup *group)
{
	int64		deleted = delete_where_allowed(group) + delete_shares_where_allowed(group);

	if (deleted > 0)
		pgt_kafka_group_config_delete(group->id, GetUserId());
	return deleted;
}

/* Delete a group's rows of a topic, after checking that the user may. */
static int64
delete_group_of(ConsumerGroup *group, Oid topic)
{
	group->topic = topic;
	check_may_delete(group);
	LockRelationOid(group->topic, AccessShareLock);
	check_may_delete(group);
	return pgt_live_members_delete_group(group) + delete_share_of(group);
}

/* delete_group(group_id, topic): returns how many rows were deleted. */
Datum
pgt_delete_group(PG_FUNCTION_ARGS)
{
	ConsumerGroup group;

	pgt_sql_argument_require(fcinfo, 0, "consumer group name");
	init_group_to_delete(&group, fcinfo, PG_GETARG_TEXT_PP(0));
	if (PG_ARGISNULL(1))
		PG_RETURN_INT64(delete_everywhere(&group));
	PG_RETURN_INT64(delete_group_of(&group, PG_GETARG_OID(1)));
}

/* delete_group(topic, group_id) */
Datum
pgt_delete_group_of_topic(PG_FUNCTION_ARGS)
{
	ConsumerGroup group;

	pgt_sql_argument_require(fcinfo, 0, "topic");
	pgt_sql_argument_require(fcinfo, 1, "consumer group name");
	init_group_to_delete(&group, fcinfo, PG_GETARG_TEXT_PP(1));
	PG_RETURN_INT64(delete_group_of(&group, PG_GETARG_OID(0)));
}

/* The relation of that name; InvalidOid if there is none, or the text cannot be a name. */
static Oid
relation_of_name(text *name)
{
	List	   *parts;

	if (!SplitIdentifierString(text_to_cstring(name), '.', &parts) ||
		list_length(parts) < 1 || list_length(parts) > 2)
		return InvalidOid;
	/* SplitIdentifierString() gives C strings, as makeRangeVar() takes them */
	return RangeVarGetRelid(makeRangeVar(list_length(parts) == 2 ? linitial(parts) : NULL,
										 llast(parts), -1), NoLock, true);
}

/*
 * Is the first of two arguments the topic, and the second one the group?  One of them
 * must be the name of a topic, or of another relation, which is then reported, and the
 * other one must not.
 */
static bool
topic_comes_first(text *first, text *second, Oid *topic)
{
	Oid			relations[] = {relation_of_name(first), relation_of_name(second)};
	bool		are_topics[] = {pgt_topic_exists(relations[0]), pgt_topic_exists(relations[1])};
	int			which = are_topics[0] || (!are_topics[1] && !OidIsValid(relations[1])) ? 0 : 1;

	if (are_topics[0] && are_topics[1])
		ereport(ERROR,
				(errcode(ERRCODE_AMBIGUOUS_PARAMETER),
				 errmsg("both \"%s\" and \"%s\" are topics", text_to_cstring(first), text_to_cstring(second)),
				 errhint("Name the arguments: delete_group(topic => ..., group_id => ...).")));
	if (!OidIsValid(relations[which]))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("topic \"%s\" does not exist", text_to_cstring(first)),
				 errhint("delete_group() takes a topic and the name of a consumer group.")));
	*topic = relations[which];
	return which == 0;
}

/*
 * delete_group('topic', 'group'), and as it was before, delete_group('group', 'topic'):
 * for arguments of type text and for untyped ones, which do not tell the order.
 */
Datum
pgt_delete_group_by_names(PG_FUNCTION_ARGS)
{
	ConsumerGroup group;
	Oid			topic;
	bool		topic_first;

	pgt_sql_argument_require(fcinfo, 0, "topic");
	if (PG_ARGISNULL(1))
	{
		if (pgt_topic_exists(relation_of_name(PG_GETARG_TEXT_PP(0))))
			pgt_sql_argument_require(fcinfo, 1, "consumer group name");
		init_group_to_delete(&group, fcinfo, PG_GETARG_TEXT_PP(0));
		PG_RETURN_INT64(delete_everywhere(&group));
	}
	topic_first = topic_comes_first(PG_GETARG_TEXT_PP(0), PG_GETARG_TEXT_PP(1), &topic);
	init_group_to_delete(&group, fcinfo, PG_GETARG_TEXT_PP(topic_first ? 1 : 0));
	PG_RETURN_INT64(delete_group_of(&group, topic));
}

/* ---- looking up --------------------------------------------------------- */

/* offset_for_timestamp(topic, partition, ts): null if no record is that young. */
Datum
pgt_offset_for_timestamp(PG_FUNCTION_ARGS)
{
	Topic	   *topic = open_readable_topic(PG_GETARG_OID(0));
	TopicPartition key = pgt_topic_partition(topic, PG_GETARG_INT32(1));
	int64		timestamp = sought_time(PG_GETARG_TIMESTAMPTZ(2));
	int64		offset = pgt_timestamp_lookup(&key, timestamp, GetActiveSnapshot());

	if (offset < 0)
		PG_RETURN_NULL();
	PG_RETURN_INT64(offset);
}
