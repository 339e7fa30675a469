/*
 * share_group_describe.c
 *	  ShareGroupDescribe: what a share group is like, with all of its members.
 *
 * One that only SQL uses has none (sql_share_group.c).  A group with a topic that the client may not know of is not shown at all.
 *
 * A group a slice: each is a picture of one moment.  Of a group that is named more than once there is one description.
 */
#include "postgres.h"

#include "broker/core/access.h"
#include "broker/core/topic_names.h"
#include "broker/core/turn.h"
#include "broker/groups/share_group_describe.h"
#include "broker/groups/share_groups.h"
#include "broker/groups/sql_share_group.h"
#include "kafka/kafka_default.h"

typedef KafkaShareGroupDescribeResponseDescribedGroup DescribedGroup;
typedef KafkaShareGroupDescribeResponseMember DescribedMember;
typedef KafkaShareGroupDescribeResponseTopicPartitions DescribedTopic;

/* Who may do one of these may know of a topic. */
#define KNOWING		(ACL_SELECT | ACL_INSERT)

/* What a client may do with a group that it may use, by Kafka's numbers: READ, DELETE, DESCRIBE. */
#define GROUP_OPERATIONS	((1 << 3) | (1 << 6) | (1 << 8))

#define ASSIGNOR	"simple"

typedef struct DescribeState
{
	KafkaShareGroupDescribeResponse response;
	BrokerRepeated *repeated;
	int			next;
} DescribeState;

/* A copy for the response, which may be made in another slice; null for none. */
static KafkaString
copy_string(const char *string)
{
	return string == NULL ? (KafkaString) {.length = -1} : pgt_broker_string(pstrdup(string));
}

/* The name of one of the group's topics. */
static KafkaString
name_of(const ShareMembers *group, const KafkaUuid *id)
{
	for (int32 t = 0; t < group->topic_count; t++)
	{
		if (memcmp(&group->topics[t].id, id, sizeof(KafkaUuid)) == 0)
			return copy_string(group->topics[t].name);
	}
	return pgt_broker_string("");
}

static void
fill_assignment(BrokerRequest *request, const ShareMembers *group, const ShareMember *member, DescribedMember *described)
{
	DescribedTopic *topics =
		pgt_broker_array(request, KAFKA_SHARE_GROUP_DESCRIBE_RESPONSE_TOPIC_PARTITIONS, member->target.count);

	for (int32 t = 0; t < member->target.count; t++)
	{
		const ShareAssigned *assigned = &member->target.topics[t];

		topics[t].topic_id = assigned->topic;
		topics[t].topic_name = name_of(group, &assigned->topic);
		topics[t].partitions.items = palloc(Max(assigned->count, 1) * sizeof(int32));
		memcpy(topics[t].partitions.items, assigned->partitions, assigned->count * sizeof(int32));
		topics[t].partitions.count = assigned->count;
	}
	described->assignment.topic_partitions.items = topics;
	described->assignment.topic_partitions.count = member->target.count;
}

static void
fill_members(BrokerRequest *request, DescribedGroup *described, ShareMembers *group)
{
	DescribedMember *next = pgt_broker_array(request, KAFKA_SHARE_GROUP_DESCRIBE_RESPONSE_MEMBER, group->count);
	dlist_iter	iter;

	described->members.items = next;
	described->members.count = group->count;
	dlist_foreach(iter, &group->members)
	{
		const ShareMember *member = dlist_container(ShareMember, node, iter.cur);

		next->member_id = copy_string(member->id);
		next->rack_id = copy_string(member->rack_id);
		next->member_epoch = member->epoch;
		next->client_id = copy_string(member->client_id);
		next->client_host = copy_string(member->client_host);
		next->subscribed_topic_names.items = palloc(Max(member->name_count, 1) * sizeof(KafkaString));
		next->subscribed_topic_names.count = member->name_count;
		for (int32 i = 0; i < member->name_count; i++)
			next->subscribed_topic_names.items[i] = copy_string(member->names[i]);
		fill_assignment(request, group, member, next);
		next++;
	}
}

/* May the client know of all topics of which the group has something? */
static bool
may_know_topics(const BrokerConnection *client, const ShareMembers *group)
{
	for (int32 t = 0; t < group->topic_count; t++)
	{
		Oid			relid = pgt_topic_names_by_id(&group->topics[t].id);

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

/* May a group that has no members be described?  The error, or none. */
static KafkaError
look_for_rows(const BrokerRequest *request, KafkaString id)
{
	CoordinatorGroup *registered = pgt_group_coordinator_find(id);

	if (registered != NULL)
		return KAFKA_ERROR_GROUP_ID_NOT_FOUND;
	switch (pgt_sql_share_group_find(request->client, pnstrdup(id.data, id.length)))
	{
		case SQL_GROUP_FOUND:
			return KAFKA_ERROR_NONE;
		case SQL_GROUP_DENIED:
			return KAFKA_ERROR_GROUP_AUTHORIZATION_FAILED;
		case SQL_GROUP_MISSING:
			break;
	}
	return KAFKA_ERROR_GROUP_ID_NOT_FOUND;
}

static void
fill_group(BrokerRequest *request, DescribedGroup *described)
{
	const KafkaShareGroupDescribeRequest *body = request->kafka.body;
	KafkaError	error = pgt_group_coordinator_check(request->client, described->group_id);
	ShareGroupEntry *entry = pgt_share_groups_entry(pgt_group_coordinator_find(described->group_id));

	if (error == KAFKA_ERROR_NONE && entry == NULL)
		error = look_for_rows(request, described->group_id);
	else if (error == KAFKA_ERROR_NONE && !may_know_topics(request->client, entry->members))
		error = KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED;
	if (error != KAFKA_ERROR_NONE)
	{
		set_error(described, error, error == KAFKA_ERROR_GROUP_ID_NOT_FOUND ? "there is no such share group" : NULL);
		return;
	}
	described->assignor_name = pgt_broker_string(ASSIGNOR);
	described->group_state = pgt_broker_string("Empty");
	if (body->include_authorized_operations)
		described->authorized_operations = GROUP_OPERATIONS;
	if (entry == NULL)
		return;
	described->group_state = copy_string(entry->members->count > 0 ? "Stable" : "Empty");
	described->group_epoch = described->assignment_epoch = entry->members->epoch;
	fill_members(request, described, entry->members);
}

static void
go_on(BrokerRequest *request)
{
	const KafkaShareGroupDescribeRequest *body = request->kafka.body;
	DescribeState *state = request->state;

	pgt_turn_open();
	while (state->next < body->group_ids.count)
	{
		int			i = state->next++;
		DescribedGroup *described = &state->response.groups.items[state->response.groups.count];

		if (state->repeated[i] != BROKER_REPETITION)
		{
			described->group_id = body->group_ids.items[i];
			fill_group(request, described);
			state->response.groups.count++;
		}
		if (state->next < body->group_ids.count && pgt_broker_slice_is_over())
		{
			pgt_broker_go_on(request, go_on);
			return;
		}
	}
	pgt_broker_answer(request, &state->response);
}

static void
serve(BrokerRequest *request)
{
	const KafkaShareGroupDescribeRequest *body = request->kafka.body;
	DescribeState *state = palloc0(sizeof(DescribeState));
	int			count = Max(body->group_ids.count, 0);

	pgt_kafka_default_struct(KAFKA_SHARE_GROUP_DESCRIBE_RESPONSE, &state->response);
	state->response.groups.items = pgt_broker_array(request, KAFKA_SHARE_GROUP_DESCRIBE_RESPONSE_DESCRIBED_GROUP, count);
	state->repeated = pgt_broker_find_repeated(body->group_ids.items, count);
	request->state = state;
	go_on(request);
}

const BrokerApi pgt_share_group_describe_api = {.key = KAFKA_API_SHARE_GROUP_DESCRIBE, .serve = serve, .uses_tables = true};
