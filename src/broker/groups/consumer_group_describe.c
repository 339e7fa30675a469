/*
 * consumer_group_describe.c
 *	  ConsumerGroupDescribe: what a group of Kafka's new protocol is like, with all of its members.
 *
 * A group of another kind is none here, as in Kafka: DescribeGroups tells of it.  A group with a topic that the client may
 * not know of is not shown at all.
 *
 * Groups are answered in slices, each at a stretch: it is a picture of one moment, and what members say of themselves, which may
 * be large, is not copied.  Of a group that is named more than once there is one description.
 */
#include "postgres.h"

#include "broker/core/access.h"
#include "broker/core/topic_names.h"
#include "broker/core/turn.h"
#include "broker/groups/consumer_group_describe.h"
#include "broker/groups/consumer_groups.h"
#include "kafka/kafka_default.h"

typedef KafkaConsumerGroupDescribeResponseDescribedGroup DescribedGroup;
typedef KafkaConsumerGroupDescribeResponseMember DescribedMember;
typedef KafkaConsumerGroupDescribeResponseAssignment DescribedAssignment;
typedef KafkaConsumerGroupDescribeResponseTopicPartitions DescribedTopic;

/* Who may do one of these may know of a topic. */
#define KNOWING		(ACL_SELECT | ACL_INSERT)

/* What a client may do with a group that it may use, by Kafka's numbers: READ, DELETE, DESCRIBE. */
#define GROUP_OPERATIONS	((1 << 3) | (1 << 6) | (1 << 8))

/* Which protocol a member speaks, by Kafka's numbers. */
#define MEMBER_CLASSIC		0
#define MEMBER_CONSUMER		1

/* ---- assignments ------------------------------------------------------------------ */

/* Partitions by member: those of member m are items[begin[m]] to items[begin[m + 1] - 1]. */
typedef struct MemberPartitions
{
	int32	   *begin;
	struct
	{
		const ModernTopic *topic;
		int32		partition;
	}		   *items;
} MemberPartitions;

/* Whose is the partition? */
typedef const ModernMember *(*MemberOf) (const ModernPartition *partition);

static const ModernMember *
owner_of(const ModernPartition *partition)
{
	return partition->owner;
}

static const ModernMember *
target_of(const ModernPartition *partition)
{
	return partition->target;
}

#define FOR_EACH_PARTITION(group, t, p) \
	for (int32 t = 0; t < (group)->topic_count; t++) \
		for (int32 p = 0; p < (group)->topics[t]->room; p++)

/* List the partitions of all members. */
static MemberPartitions
list_partitions(const ModernGroup *group, MemberOf member_of)
{
	MemberPartitions list;
	int32	   *next = palloc0((group->member_count + 1) * sizeof(int32));

	list.begin = palloc0((group->member_count + 1) * sizeof(int32));
	FOR_EACH_PARTITION(group, t, p)
	{
		const ModernMember *member = member_of(&group->topics[t]->partitions[p]);

		if (member != NULL)
			list.begin[member->index + 1]++;
	}
	for (int32 m = 0; m < group->member_count; m++)
		next[m + 1] = list.begin[m + 1] += list.begin[m];
	list.items = MemoryContextAllocHuge(CurrentMemoryContext,
										(Size) (list.begin[group->member_count] + 1) * sizeof(list.items[0]));
	FOR_EACH_PARTITION(group, t, p)
	{
		const ModernMember *member = member_of(&group->topics[t]->partitions[p]);

		if (member == NULL)
			continue;
		list.items[next[member->index]].topic = group->topics[t];
		list.items[next[member->index]++].partition = p;
	}
	return list;
}

/* How many topics are there among a member's partitions? */
static int
count_topics(const MemberPartitions *list, int32 member)
{
	int			count = 0;

	for (int32 i = list->begin[member]; i < list->begin[member + 1]; i++)
		count += i == list->begin[member] || list->items[i].topic != list->items[i - 1].topic;
	return count;
}

/* Fill in a member's assignment. */
static void
fill_assignment(BrokerRequest *request, DescribedAssignment *assignment, const MemberPartitions *list, int32 member)
{
	int32		end = list->begin[member + 1];
	DescribedTopic *topics =
		pgt_broker_array(request, KAFKA_CONSUMER_GROUP_DESCRIBE_RESPONSE_TOPIC_PARTITIONS, count_topics(list, member));
	int32	   *partitions = MemoryContextAllocHuge(CurrentMemoryContext, (Size) (end - list->begin[member] + 1) * sizeof(int32));
	int			n = 0;

	for (int32 i = list->begin[member]; i < end; n++)
	{
		const ModernTopic *topic = list->items[i].topic;

		topics[n].topic_id = topic->id;
		topics[n].topic_name = pgt_broker_string(topic->name);
		topics[n].partitions.items = partitions;
		for (; i < end && list->items[i].topic == topic; i++)
			*partitions++ = list->items[i].partition;
		topics[n].partitions.count = (int32) (partitions - topics[n].partitions.items);
	}
	assignment->topic_partitions.items = topics;
	assignment->topic_partitions.count = n;
}

/* ---- members ------------------------------------------------------------------------- */

static void
fill_subscription(DescribedMember *described, const ModernSubscription *subscription)
{
	described->subscribed_topic_names.items = palloc(Max(subscription->count, 1) * sizeof(KafkaString));
	described->subscribed_topic_names.count = subscription->count;
	for (int32 i = 0; i < subscription->count; i++)
		described->subscribed_topic_names.items[i] = pgt_broker_string(subscription->names[i]);
	described->subscribed_topic_regex = pgt_broker_string(subscription->regex == NULL ? NULL : subscription->regex->pattern);
}

static void
fill_members(BrokerRequest *request, DescribedGroup *described, const ModernGroup *group)
{
	MemberPartitions owned = list_partitions(group, owner_of);
	MemberPartitions targets = list_partitions(group, target_of);
	DescribedMember *members =
		pgt_broker_array(request, KAFKA_CONSUMER_GROUP_DESCRIBE_RESPONSE_MEMBER, group->member_count);

	for (int32 m = 0; m < group->member_count; m++)
	{
		const ModernMember *member = group->members[m];

		members[m].member_id = pgt_broker_string(member->id);
		members[m].instance_id = pgt_broker_string(member->instance_id);
		members[m].rack_id = pgt_broker_string(member->rack_id);
		members[m].member_epoch = member->epoch;
		members[m].client_id = pgt_broker_string(member->client_id);
		members[m].client_host = pgt_broker_string(member->client_host);
		members[m].member_type = member->protocols != NULL ? MEMBER_CLASSIC : MEMBER_CONSUMER;
		fill_subscription(&members[m], member->subscription);
		fill_assignment(request, &members[m].assignment, &owned, m);
		fill_assignment(request, &members[m].target_assignment, &targets, m);
	}
	described->members.items = members;
	described->members.count = group->member_count;
}

/* ---- groups ----------------------------------------------------------------------------- */

/* May the client know of all topics of which the group has something? */
static bool
may_know_topics(const BrokerConnection *client, const ModernGroup *group)
{
	for (int32 t = 0; t < group->topic_count; t++)
	{
		Oid			relid = pgt_topic_names_by_id(&group->topics[t]->id);

		if (OidIsValid(relid) && !pgt_access_topic(client, relid, KNOWING))
			return false;
	}
	return true;
}

static void
set_error(DescribedGroup *described, KafkaError error, const char *message)
{
	described->error_code = error;
	described->error_message = pgt_broker_string(message != NULL ? message : pgt_kafka_error_message(error));
	/* Kafka's default */
	described->group_state = pgt_broker_string("");
	described->assignor_name = pgt_broker_string("");
}

static void
fill_group(BrokerRequest *request, DescribedGroup *described)
{
	const KafkaConsumerGroupDescribeRequest *body = request->kafka.body;
	KafkaError	error = pgt_group_coordinator_check(request->client, described->group_id);
	ConsumerStoreGroup *entry = pgt_consumer_groups_entry(pgt_group_coordinator_find(described->group_id));

	if (error == KAFKA_ERROR_NONE && entry == NULL)
	{
		set_error(described, KAFKA_ERROR_GROUP_ID_NOT_FOUND, "there is no such consumer group");
		return;
	}
	if (error == KAFKA_ERROR_NONE && !may_know_topics(request->client, entry->modern))
		error = KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED;
	if (error != KAFKA_ERROR_NONE)
	{
		set_error(described, error, NULL);
		return;
	}
	described->group_state = pgt_broker_string(pgt_modern_group_state_name(entry->modern));
	described->group_epoch = entry->modern->epoch;
	described->assignment_epoch = entry->modern->assignment_epoch;
	described->assignor_name = pgt_broker_string(pgt_modern_group_assignor(entry->modern)->name);
	if (body->include_authorized_operations)
		described->authorized_operations = GROUP_OPERATIONS;
	fill_members(request, described, entry->modern);
}

/* Describe a group, of which only the id is set. */
static void
describe(BrokerRequest *request, void *item)
{
	pgt_turn_open();
	fill_group(request, item);
}

static void
serve(BrokerRequest *request)
{
	const KafkaConsumerGroupDescribeRequest *body = request->kafka.body;
	int32		count = Max(body->group_ids.count, 0);
	BrokerRepeated *repeated = pgt_broker_find_repeated(body->group_ids.items, count);
	KafkaConsumerGroupDescribeResponse *response = palloc(sizeof(KafkaConsumerGroupDescribeResponse));

	pgt_kafka_default_struct(KAFKA_CONSUMER_GROUP_DESCRIBE_RESPONSE, response);
	response->groups.items =
		pgt_broker_array(request, KAFKA_CONSUMER_GROUP_DESCRIBE_RESPONSE_DESCRIBED_GROUP, count);
	for (int32 i = 0; i < count; i++)
	{
		if (repeated[i] != BROKER_REPETITION)
			response->groups.items[response->groups.count++].group_id = body->group_ids.items[i];
	}
	pgt_broker_answer_in_slices(request, response, describe);
}

const BrokerApi pgt_consumer_group_describe_api = {.key = KAFKA_API_CONSUMER_GROUP_DESCRIBE, .serve = serve, .uses_tables = true};
