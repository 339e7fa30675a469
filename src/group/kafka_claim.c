/*
 * kafka_claim.c
 *	  One group, two worlds: what keeps Kafka's members and consumers in SQL from using a group
 *	  at the same time.
 *
 * A claim is a lease, in the row of topic_group_offsets, without an end and without a position:
 *
 *	  member_id		"kafka:" and the member's id, which members in SQL cannot have
 *	  lease_until	infinity
 *	  position		null
 *
 * Whose a partition is, is decided by its row's lock alone, as among consumers in SQL (consumer_group.c).  The
 * coordinator takes the lock, writes the claim and commits.  A consumer in SQL locks the very version of the row
 * that it has read, and has read no claim there:
 *
 *	  SQL locks first		the coordinator finds the lock held, and tries again until that transaction has ended
 *	  Kafka locks first		the version that SQL has read is not the latest one: it reads again, and is refused
 *
 * Where there is no row yet the advisory lock stands for it.  A group whose partitions are claimed is closed to
 * consumers in SQL altogether, also in partitions of the topic that are not: one world at a time.  So a consumer
 * in SQL looks for claims whenever it reads the group's rows, and a claim wakes all who wait for the topic.
 *
 * A client that is a member commits in SQL where it writes what comes of the records in the same transaction.  It names its
 * member, and owns the row as any other consumer in SQL.  While it does, no other member can be told of the partition; and
 * where another one has been, the claim is that one's, and the transaction fails.
 *
 * What is committed is not touched by claims: the other world goes on where this one has stopped.  A claim
 * of a partition without a committed offset makes a row, which goes with the claim.
 *
 * The coordination of all groups of a database is a lock of the session that does it.  Where nobody has it, members
 * that a stopped server or a listener that is gone has left can be removed in SQL.
 *
 * Locks: AccessShareLock on the topic and the partitions' rows, until the transaction's end.  The coordinator waits
 * for none of them.
 *
 * Durability and crash safety are the heap's.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "group/consumer_group.h"
#include "group/group_member.h"
#include "group/group_role.h"
#include "group/group_row.h"
#include "group/group_wakeup.h"
#include "group/kafka_claim.h"
#include "group/kafka_group_row.h"
#include "topic/topic.h"
#include "util/advisory_lock.h"
#include "util/clock.h"
#include "util/compat.h"

#define PREFIX_LENGTH	(sizeof(KAFKA_MEMBER_PREFIX) - 1)

/* ---- claims ------------------------------------------------------------------ */

bool
pgt_kafka_claim_is_name(const char *member)
{
	return strncmp(member, KAFKA_MEMBER_PREFIX, PREFIX_LENGTH) == 0;
}

bool
pgt_kafka_claim_is(const GroupPartition *part)
{
	return part->lease.member != NULL && pgt_kafka_claim_is_name(part->lease.member);
}

/* The id of the member that has claimed a partition. */
static const char *
member_of(const GroupPartition *part)
{
	return part->lease.member + PREFIX_LENGTH;
}

/* Has a living member in SQL leased the partition? */
static bool
is_leased_in_sql(const GroupPartition *part)
{
	return part->lease.member != NULL && !pgt_kafka_claim_is(part) && part->lease.until > pgt_clock_shifted_now();
}

/* ---- owning partitions --------------------------------------------------------- */

/* Read the partition's row. */
static void
read_row(const ConsumerGroup *group, int32 partition, GroupPartition *part)
{
	Relation	table = table_open(group->offsets_table, AccessShareLock);

	part->partition = partition;
	pgt_group_row_refresh(table, group, part);
	table_close(table, AccessShareLock);
}

KafkaClaim
pgt_kafka_claim_open(ConsumerGroup *group, GroupPartition *part, const char *id, Oid topic, int32 partition, Oid role)
{
	/* one can lock what was dropped a moment before */
	if (!ConditionalLockRelationOid(topic, AccessShareLock))
		return KAFKA_CLAIM_BUSY;
	if (!pgt_topic_exists(topic) || partition < 0 || partition >= pgt_topic_get(topic)->partitions)
		return KAFKA_CLAIM_GONE;
	*group = (ConsumerGroup) {
		.offsets_table = pgt_group_row_table(topic), .topic = topic, .id = id, .role = role
	};
	if (!OidIsValid(group->offsets_table))
		return KAFKA_CLAIM_GONE;
	read_row(group, partition, part);
	return KAFKA_CLAIM_DONE;
}

KafkaClaim
pgt_kafka_claim_own(const ConsumerGroup *group, GroupPartition *part)
{
	GroupLock	lock = GROUP_BUSY;

	do
	{
		/* the first, since the members are nobody's business who may not use the group */
		if (!pgt_group_role_may_use(pgt_group_role_of(group), group->topic, part->owner))
			break;
		if (is_leased_in_sql(part))
			break;
		lock = pgt_group_lock(group, part, false);
	} while (lock == GROUP_MOVED);

	if (!pgt_group_role_may_use(pgt_group_role_of(group), group->topic, part->owner))
		return KAFKA_CLAIM_DENIED;
	if (is_leased_in_sql(part))
		return KAFKA_CLAIM_SQL_MEMBER;
	return lock == GROUP_OWNED ? KAFKA_CLAIM_DONE : KAFKA_CLAIM_BUSY;
}

KafkaClaim
pgt_kafka_claim_write(const ConsumerGroup *group, GroupPartition *part, const GroupRowChange *change)
{
	switch (pgt_group_row_try_write(group, part, change))
	{
		case GROUP_ROW_BUSY:
			return KAFKA_CLAIM_BUSY;
		case GROUP_ROW_DENIED:
			return KAFKA_CLAIM_DENIED;
		case GROUP_ROW_WRITTEN:
			break;
	}
	return KAFKA_CLAIM_DONE;
}

/* ---- the coordinator's side ------------------------------------------------------ */

/* Write the claim of an owned partition. */
static KafkaClaim
write_claim(const ConsumerGroup *group, GroupPartition *part, const char *member)
{
	KafkaClaim	result;

	part->lease.member = psprintf(KAFKA_MEMBER_PREFIX "%s", member);
	part->lease.until = DT_NOEND;
	part->lease.position = NO_OFFSET;
	part->lease.generation++;
	result = pgt_kafka_claim_write(group, part, &(GroupRowChange) {.next = NO_OFFSET,.leased = true});
	/* consumers in SQL that wait are to learn of it */
	if (result == KAFKA_CLAIM_DONE)
		pgt_group_wakeup_topic(group->topic);
	return result;
}

KafkaClaim
pgt_kafka_claim_take(const char *group, Oid topic, int32 partition, const char *member, Oid role)
{
	ConsumerGroup in_topic;
	GroupPartition part;
	KafkaClaim	result = pgt_kafka_claim_open(&in_topic, &part, group, topic, partition, role);

	if (result != KAFKA_CLAIM_DONE)
		return result;
	if (pgt_kafka_claim_is(&part) && strcmp(member_of(&part), member) == 0 &&
		pgt_group_role_may_use(role, topic, part.owner))
		return KAFKA_CLAIM_DONE;
	result = pgt_kafka_claim_own(&in_topic, &part);
	return result == KAFKA_CLAIM_DONE ? write_claim(&in_topic, &part, member) : result;
}

/* End the claim of an owned partition. */
static void
end_claim(const ConsumerGroup *group, GroupPartition *part)
{
	if (part->committed == NO_OFFSET)
	{
		Relation	table = table_open(group->offsets_table, RowExclusiveLock);

		pgt_group_row_delete(table, part);
		table_close(table, NoLock);
		CommandCounterIncrement();
		return;
	}
	part->lease.member = NULL;
	part->lease.until = DT_NOBEGIN;
	part->lease.position = NO_OFFSET;
	pgt_group_write_lease(group, part);
}

/* End the claim of a partition whose row was read, if there is one.  False where its row is busy. */
static bool
release(const ConsumerGroup *group, GroupPartition *part, bool wait)
{
	GroupLock	lock = GROUP_MOVED;

	while (pgt_kafka_claim_is(part) && lock == GROUP_MOVED)
		lock = pgt_group_lock(group, part, wait);
	if (pgt_kafka_claim_is(part) && lock == GROUP_OWNED)
		end_claim(group, part);
	return lock != GROUP_BUSY;
}

bool
pgt_kafka_claim_release(const char *group, Oid topic, int32 partition)
{
	ConsumerGroup in_topic;
	GroupPartition part;

	switch (pgt_kafka_claim_open(&in_topic, &part, group, topic, partition, InvalidOid))
	{
		case KAFKA_CLAIM_DONE:
			return release(&in_topic, &part, false);
		case KAFKA_CLAIM_BUSY:
			return false;
		default:
			return true;
	}
}

/* The partitions of the group's topic that are claimed, as last committed: a List of GroupPartition. */
static List *
list_claimed(const ConsumerGroup *group)
{
	Relation	table = table_open(group->offsets_table, AccessShareLock);
	Snapshot	snapshot = pgt_group_rows_snapshot();
	SysScanDesc scan = pgt_group_rows_scan(table, group, -1, snapshot);
	List	   *claimed = NIL;
	HeapTuple	row;

	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		GroupPartition *part = palloc(sizeof(GroupPartition));

		pgt_group_row_take(part, group, row, RelationGetDescr(table));
		if (pgt_kafka_claim_is(part))
			claimed = lappend(claimed, part);
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(table, AccessShareLock);
	return claimed;
}

/* The group, in no topic yet; false where the extension's table is missing. */
static bool
init_group(ConsumerGroup *group, const char *id)
{
	*group = (ConsumerGroup) {.offsets_table = pgt_group_row_extension_table(),.id = id};
	return OidIsValid(group->offsets_table);
}

bool
pgt_kafka_claim_release_all(const char *group)
{
	ConsumerGroup in_topic;
	bool		done = true;
	ListCell   *topic;
	ListCell   *cell;

	if (!init_group(&in_topic, group))
		return true;
	foreach(topic, pgt_group_rows_topics(&in_topic))
	{
		in_topic.topic = lfirst_oid(topic);
		if (!ConditionalLockRelationOid(in_topic.topic, AccessShareLock))
		{
			done = false;
			continue;
		}
		if (!pgt_topic_exists(in_topic.topic))
			continue;
		foreach(cell, list_claimed(&in_topic))
			done = release(&in_topic, lfirst(cell), false) && done;
	}
	return done;
}

void
pgt_kafka_claim_each(const char *group, void (*note) (Oid topic, int32 partition, void *arg), void *arg)
{
	ConsumerGroup in_topic;
	ListCell   *topic;
	ListCell   *cell;

	if (!init_group(&in_topic, group))
		return;
	foreach(topic, pgt_group_rows_topics(&in_topic))
	{
		in_topic.topic = lfirst_oid(topic);
		foreach(cell, list_claimed(&in_topic))
			note(in_topic.topic, ((const GroupPartition *) lfirst(cell))->partition, arg);
	}
}

bool
pgt_kafka_claim_is_in(const char *group, Oid topic)
{
	ConsumerGroup in_topic;

	if (!init_group(&in_topic, group))
		return false;
	in_topic.topic = topic;
	return list_claimed(&in_topic) != NIL;
}

char *
pgt_kafka_claim_find_sql_member(const char *group, Oid topic)
{
	ConsumerGroup in_topic = {.topic = topic,.id = group};
	TimestampTz now = pgt_clock_shifted_now();
	ListCell   *cell;

	if (!pgt_topic_exists(topic))
		return NULL;
	in_topic.offsets_table = pgt_group_row_table(topic);
	foreach(cell, pgt_group_member_read(&in_topic))
	{
		const GroupMember *member = lfirst(cell);

		if (member->until > now)
			return member->id;
	}
	return NULL;
}

/* ---- the coordination -------------------------------------------------------------- */

/* The tag of the lock that whoever coordinates holds. */
static LOCKTAG
coordination_tag(void)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, 0, 0, COORDINATOR_LOCK_CLASS);
	return tag;
}

bool
pgt_kafka_claim_coordinate(void)
{
	LOCKTAG		tag = coordination_tag();

	return PGT_LOCK_HELD_BY_ME(&tag, ExclusiveLock) ||
		LockAcquire(&tag, ExclusiveLock, true, true) != LOCKACQUIRE_NOT_AVAIL;
}

void
pgt_kafka_claim_lock(const char *group)
{
	LOCKTAG		tag = coordination_tag();

	if (LockAcquire(&tag, ExclusiveLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("cannot remove members of consumer group \"%s\" while the listener for Kafka clients runs", group),
				 errdetail("The listener removes members whose clients are gone, once their sessions have timed out."),
				 errhint("Stop the clients of the group, and wait for their session timeout; or stop the listener of this database.")));
}

/* ---- SQL's side -------------------------------------------------------------------- */

/* What is known of the member that has claimed a partition: a sentence, palloc'd. */
static char *
describe_member(const ConsumerGroup *group, const GroupPartition *part)
{
	char	   *client_id;
	char	   *client_host;

	if (!pgt_kafka_member_row_client(group->id, member_of(part), &client_id, &client_host))
		return psprintf(_("Partition %d is assigned to member \"%s\"."), part->partition, member_of(part));
	return psprintf(_("Partition %d is assigned to member \"%s\", of client \"%s\" at %s."),
					part->partition, member_of(part), client_id, client_host);
}

void
pgt_kafka_claim_refuse(const ConsumerGroup *group, const GroupPartition *part)
{
	if (!pgt_kafka_claim_is(part))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_IN_USE),
			 errmsg("consumer group \"%s\" is in use by Kafka clients in topic \"%s\"",
					group->id, get_rel_name(group->topic)),
			 errdetail_internal("%s", describe_member(group, part)),
			 errhint("Stop these clients, or wait until their sessions have timed out. If no listener runs for this database any more, call remove_kafka_members(%s).",
					 quote_literal_cstr(group->id))));
}

void
pgt_kafka_claim_refuse_any(const ConsumerGroup *group, const GroupPartition *parts, int32 partitions)
{
	for (int32 i = 0; i < partitions; i++)
		pgt_kafka_claim_refuse(group, &parts[i]);
}

void
pgt_kafka_claim_own_as(const ConsumerGroup *group, GroupPartition *part, const char *member)
{
	(void) pgt_group_lock(group, part, true);
	if (part->lease.member != NULL && strcmp(part->lease.member, member) == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
			 errmsg("partition %d of topic \"%s\" is not assigned to Kafka member \"%s\" of consumer group \"%s\"",
					part->partition, get_rel_name(group->topic), member + PREFIX_LENGTH, group->id),
			 pgt_kafka_claim_is(part) ? errdetail_internal("%s", describe_member(group, part)) :
			 errdetail("It is assigned to no Kafka client."),
			 errhint("Nothing was committed. Roll back, and go on with the partitions that the client is assigned now.")));
}

List *
pgt_kafka_claim_remove(const ConsumerGroup *group)
{
	List	   *members = NIL;
	ListCell   *cell;

	foreach(cell, list_claimed(group))
	{
		GroupPartition *part = lfirst(cell);
		const char *member = member_of(part);

		pgt_group_role_check(group, part->owner);
		(void) release(group, part, true);
		members = lappend(members, pstrdup(member));
	}
	return members;
}
