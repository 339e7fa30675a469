/*
 * consume_pass.c
 *	  One pass over the topics that a call consumes: opening them, and which
 *	  partitions to serve in which order.
 *
 * consume() and consume_as() name one topic, consume_many() a list; a pass treats
 * both alike, one topic being a list of one.  The partitions of all topics are in
 * one order: the partition that the group was served least recently comes first,
 * whichever topic it belongs to.  So no topic waits while another is served twice.
 * The group has its offsets in each topic as if it consumed that topic alone;
 * sessions that consume one of the topics share its partitions with sessions that
 * consume many.
 *
 * A member (member_id) has a lease in each topic separately: its share of that
 * topic's partitions, counted among the members there.  One call of the member is
 * one call of lease.c for each topic, begun in the order of the topics' oids and
 * ended when all records are delivered.
 *
 * consume_many() leaves out topics that are gone by the time they are opened,
 * because its list mostly comes from a query.  An empty list is no error; a call
 * with a timeout then waits for its whole time.
 *
 * Locks: AccessShareLock on the topics in the order of their oids; a member's lock
 * before those of each topic (lease.c).
 *
 * Memory: all parts of a pass are in the context that is current when it is opened.
 */
#include "postgres.h"

#include "storage/lmgr.h"
#include "utils/syscache.h"

#include "consume/consume_pass.h"
#include "group/group_row.h"
#include "group/kafka_claim.h"

/* ---- topics ------------------------------------------------------------- */

/* Open one topic; NULL if it is gone and the request allows that. */
static ConsumePassTopic *
open_topic(ConsumePass *pass, Oid relid)
{
	ConsumePassTopic *topic = palloc0(sizeof(ConsumePassTopic));

	LockRelationOid(relid, AccessShareLock);
	if (pass->request->missing_ok && !SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)))
	{
		UnlockRelationOid(relid, AccessShareLock);
		return NULL;
	}
	topic->whole = pass;
	topic->group = pass->request->group;
	topic->group.topic = relid;
	topic->topic = pgt_consume_request_open_topic(pass->request, relid);
	UnlockRelationOid(relid, AccessShareLock);	/* it was locked twice */
	return topic;
}

void
pgt_consume_pass_open_topics(ConsumePass *pass)
{
	pass->topics = NIL;
	for (int i = 0; i < pass->request->topic_count; i++)
	{
		ConsumePassTopic *topic = open_topic(pass, pass->request->topics[i]);

		if (topic != NULL)
			pass->topics = lappend(pass->topics, topic);
	}
}

void
pgt_consume_pass_unlock_topics(const ConsumePass *pass)
{
	ListCell   *cell;

	foreach(cell, pass->topics)
		UnlockRelationOid(((ConsumePassTopic *) lfirst(cell))->group.topic, AccessShareLock);
}

/* ---- the order of partitions -------------------------------------------- */

/* Order by when the group was served there last, then by topic and partition. */
static int
compare_partitions(const void *a, const void *b)
{
	const ConsumePassPartition *left = a;
	const ConsumePassPartition *right = b;
	Oid			left_topic = left->topic->group.topic;
	Oid			right_topic = right->topic->group.topic;

	if (left->offset->served != right->offset->served)
		return left->offset->served < right->offset->served ? -1 : 1;
	if (left_topic != right_topic)
		return left_topic < right_topic ? -1 : 1;
	return left->offset->partition < right->offset->partition ? -1 :
		left->offset->partition > right->offset->partition;
}

/* An array with room for all partitions of the topics. */
static ConsumePassPartition *
make_room(const ConsumePass *pass)
{
	int			partitions = 0;
	ListCell   *cell;

	foreach(cell, pass->topics)
		partitions += ((ConsumePassTopic *) lfirst(cell))->topic->partitions;
	return palloc(sizeof(ConsumePassPartition) * Max(partitions, 1));
}

/* Add a partition to the array, which has room for it. */
static void
add_partition(ConsumePassPartition *listed, int *count, ConsumePassTopic *topic,
			  GroupPartition *offset)
{
	listed[*count].topic = topic;
	listed[*count].offset = offset;
	(*count)++;
}

/* Add the wanted partitions of a topic whose offsets are read, each once. */
static void
add_wanted(ConsumePassPartition *listed, int *count, ConsumePassTopic *topic)
{
	const ConsumeRequest *request = topic->whole->request;
	bool	   *wanted = palloc0(sizeof(bool) * topic->topic->partitions);

	for (int i = 0; i < request->partition_count; i++)
		wanted[request->partitions[i]] = true;
	for (int32 i = 0; i < topic->topic->partitions; i++)
		if (request->partitions == NULL || wanted[i])
			add_partition(listed, count, topic, &topic->offsets[i]);
	pfree(wanted);
}

/* Add the partitions that a member may read in a topic. */
static void
add_leased(ConsumePassPartition *listed, int *count, ConsumePassTopic *topic)
{
	GroupPartition **leased = palloc(sizeof(GroupPartition *) * topic->topic->partitions);
	int			leased_count = pgt_lease_partitions(topic->lease, leased);

	for (int i = 0; i < leased_count; i++)
		add_partition(listed, count, topic, leased[i]);
	pfree(leased);
}

/* ---- transactional mode ------------------------------------------------- */

int
pgt_consume_pass_list(ConsumePass *pass, ConsumePassPartition **ordered)
{
	int			count = 0;
	ListCell   *cell;

	*ordered = make_room(pass);
	foreach(cell, pass->topics)
	{
		ConsumePassTopic *topic = lfirst(cell);
		int32		partitions = topic->topic->partitions;

		topic->offsets = pgt_group_rows_read(&topic->group, partitions);
		pgt_kafka_claim_refuse_any(&topic->group, topic->offsets, partitions);
		pgt_group_clamp_future_served(topic->offsets, partitions);
		add_wanted(*ordered, &count, topic);
	}
	qsort(*ordered, count, sizeof(ConsumePassPartition), compare_partitions);
	return count;
}

void
pgt_consume_pass_keep_groups(const ConsumePass *pass)
{
	ListCell   *cell;

	foreach(cell, pass->topics)
	{
		ConsumePassTopic *topic = lfirst(cell);

		pgt_group_refresh_expiry(&topic->group, topic->offsets, topic->topic->partitions);
	}
}

/* ---- leased mode -------------------------------------------------------- */

/* Let the member of the request be the consumer in a topic. */
static void
set_holder(ConsumePassTopic *topic)
{
	topic->holder.group = &topic->group;
	topic->holder.member = topic->whole->request->member;
	topic->holder.lease = topic->whole->request->lease;
	topic->holder.partitions = topic->topic->partitions;
}

int
pgt_consume_pass_begin_member(ConsumePass *pass, ConsumePassPartition **ordered)
{
	int			count = 0;
	ListCell   *cell;

	*ordered = make_room(pass);
	foreach(cell, pass->topics)
	{
		ConsumePassTopic *topic = lfirst(cell);

		set_holder(topic);
		topic->lease = pgt_lease_begin(&topic->holder);
		add_leased(*ordered, &count, topic);
	}
	qsort(*ordered, count, sizeof(ConsumePassPartition), compare_partitions);
	return count;
}

void
pgt_consume_pass_end_member(ConsumePass *pass)
{
	ListCell   *cell;

	foreach(cell, pass->topics)
		pgt_lease_end(((ConsumePassTopic *) lfirst(cell))->lease);
}

bool
pgt_consume_pass_look_member(ConsumePassTopic *topic, bool *retry)
{
	set_holder(topic);
	topic->lease = pgt_lease_look(&topic->holder);
	return pgt_lease_is_due(topic->lease, retry);
}

int
pgt_consume_pass_list_leased(ConsumePassTopic *topic, ConsumePassPartition **ordered)
{
	int			count = 0;

	*ordered = palloc(sizeof(ConsumePassPartition) * topic->topic->partitions);
	add_leased(*ordered, &count, topic);
	qsort(*ordered, count, sizeof(ConsumePassPartition), compare_partitions);
	return count;
}
