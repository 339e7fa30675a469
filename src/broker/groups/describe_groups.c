/*
 * describe_groups.c
 *	  DescribeGroups: the state of groups of the classic protocol, and their members.
 *
 * A group that is not there, or of another protocol, is Dead; since version 6 that is an error as well.  Groups that only SQL
 * uses are shown as far as Kafka can show them (sql_group.c).
 *
 * A request may name any number of groups, of large members: they are answered in slices, each group at a stretch, so
 * that it is a picture of one moment, and nothing of it is kept while it may change.  Of a group that is named more than once
 * there is one description.
 */
#include "postgres.h"

#include "broker/core/database_text.h"
#include "broker/core/topic_names.h"
#include "broker/core/turn.h"
#include "broker/groups/classic_groups.h"
#include "broker/groups/describe_groups.h"
#include "broker/groups/sql_group.h"
#include "coordinator/consumer_protocol.h"
#include "kafka/kafka_default.h"
#include "lib/stringinfo.h"
#include "port/pg_bswap.h"

/* The first version that has an error for a group that is not there. */
#define VERSION_NOT_FOUND	6

/* Kafka's operations on groups that a client may do with a group that it may use: READ, DELETE, DESCRIBE. */
#define OPERATIONS	((1 << 3) | (1 << 6) | (1 << 8))

typedef KafkaDescribeGroupsResponseDescribedGroup Described;
typedef KafkaDescribeGroupsResponseDescribedGroupMember DescribedMember;

static void serve(BrokerRequest *request);

const BrokerApi pgt_describe_groups_api = {.key = KAFKA_API_DESCRIBE_GROUPS, .serve = serve, .uses_tables = true};

/* ---- groups of SQL ---------------------------------------------------------------------- */

static void
put_int32(StringInfo bytes, int32 value)
{
	uint32		number = pg_hton32((uint32) value);

	appendBinaryStringInfo(bytes, (char *) &number, sizeof(number));
}

/* What a member has leased, as an assignment of consumers. */
static KafkaBytes
assignment_of(const SqlGroupMember *member)
{
	StringInfoData bytes;
	ListCell   *topic;
	ListCell   *partitions;
	ListCell   *partition;
	int			topics = 0;

	initStringInfo(&bytes);
	appendStringInfoChar(&bytes, 0);
	appendStringInfoChar(&bytes, 0);
	put_int32(&bytes, 0);
	forboth(topic, member->topics, partitions, member->partitions)
	{
		char	   *name = pgt_topic_names_of(lfirst_oid(topic));

		if (name == NULL)
			continue;
		topics++;
		appendStringInfoChar(&bytes, (char) (strlen(name) >> 8));
		appendStringInfoChar(&bytes, (char) strlen(name));
		appendStringInfoString(&bytes, name);
		put_int32(&bytes, list_length(lfirst(partitions)));
		foreach(partition, (List *) lfirst(partitions))
			put_int32(&bytes, lfirst_int(partition));
	}
	put_int32(&bytes, -1);
	topics = (int) pg_hton32((uint32) topics);
	memcpy(bytes.data + sizeof(int16), &topics, sizeof(int32));
	return (KafkaBytes) {bytes.data, bytes.len};
}

/* Describe a group of SQL. */
static void
describe_sql(BrokerRequest *request, Described *group, const char *id)
{
	List	   *members = pgt_sql_group_members(id);
	DescribedMember *next = pgt_broker_array(request, KAFKA_DESCRIBE_GROUPS_RESPONSE_DESCRIBED_GROUP_MEMBER,
											 list_length(members));
	ListCell   *cell;

	group->group_state = pgt_broker_string(members == NIL ? "Empty" : "Stable");
	group->protocol_type = pgt_broker_string(CONSUMER_PROTOCOL_TYPE);
	group->members.items = next;
	group->members.count = list_length(members);
	foreach(cell, members)
	{
		const SqlGroupMember *member = lfirst(cell);

		next->member_id = pgt_database_text_for_client(member->id);
		next->client_id = pgt_broker_string("SQL");
		next->client_host = pgt_broker_string("/");
		next->member_assignment = assignment_of(member);
		next++;
	}
}

/* ---- groups of Kafka's clients ------------------------------------------------------------- */

/* Describe a member; only in a stable group is it said what it supports. */
static void
describe_member(const ClassicGroup *group, const ClassicMember *member, DescribedMember *described)
{
	described->member_id = pgt_broker_string(member->id);
	if (member->instance_id != NULL)
		described->group_instance_id = pgt_broker_string(member->instance_id);
	described->client_id = pgt_broker_string(member->client_id);
	described->client_host = pgt_broker_string(member->client_host);
	described->member_assignment = pgt_classic_group_told(group, member);
	if (group->state == CLASSIC_GROUP_STABLE)
		described->member_metadata = pgt_classic_member_metadata(member, pgt_broker_string(group->protocol->by_name.id));
	if (described->member_metadata.length < 0)
		described->member_metadata.length = 0;
}

static void
describe_classic(BrokerRequest *request, Described *described, ClassicGroup *group)
{
	DescribedMember *next = pgt_broker_array(request, KAFKA_DESCRIBE_GROUPS_RESPONSE_DESCRIBED_GROUP_MEMBER,
											 group->member_count);
	dlist_iter	iter;

	described->group_state = pgt_broker_string(pgt_classic_group_state_name(group));
	described->protocol_type = pgt_broker_string(group->protocol_type == NULL ? "" : group->protocol_type);
	if (group->state == CLASSIC_GROUP_STABLE)
		described->protocol_data = pgt_broker_string(group->protocol->by_name.id);
	described->members.items = next;
	described->members.count = group->member_count;
	dlist_foreach(iter, &group->members)
		describe_member(group, dlist_container(ClassicMember, node, iter.cur), next++);
}

/* ---- the request ----------------------------------------------------------------------------- */

/* There is no such group. */
static void
describe_missing(const BrokerRequest *request, Described *group)
{
	group->group_state = pgt_broker_string("Dead");
	if (request->kafka.version < VERSION_NOT_FOUND)
		return;
	group->error_code = KAFKA_ERROR_GROUP_ID_NOT_FOUND;
	group->error_message = pgt_broker_string(pgt_kafka_error_message(KAFKA_ERROR_GROUP_ID_NOT_FOUND));
}

/* Describe one of SQL, if there is one of that name; false: there is none. */
static bool
found_in_sql(BrokerRequest *request, Described *group)
{
	char	   *id = pgt_broker_cstring(request, group->group_id);

	switch (pgt_sql_group_find(request->client, id))
	{
		case SQL_GROUP_FOUND:
			describe_sql(request, group, id);
			return true;
		case SQL_GROUP_DENIED:
			group->error_code = KAFKA_ERROR_GROUP_AUTHORIZATION_FAILED;
			return true;
		case SQL_GROUP_MISSING:
			break;
	}
	return false;
}

/* Describe a group, of which only the id is set.  What it refers to in groups of Kafka's clients is there for the moment. */
static void
describe(BrokerRequest *request, void *item)
{
	const KafkaDescribeGroupsRequest *body = request->kafka.body;
	Described  *group = item;
	KafkaError	error;
	ClassicGroup *classic;

	pgt_turn_open();
	error = pgt_group_coordinator_check(request->client, group->group_id);
	/* as Kafka, which has no group without a name */
	if (error != KAFKA_ERROR_NONE && error != KAFKA_ERROR_INVALID_GROUP_ID)
	{
		group->error_code = error;
		return;
	}
	classic = error == KAFKA_ERROR_NONE ? pgt_classic_groups_find(group->group_id) : NULL;
	if (classic != NULL)
		describe_classic(request, group, classic);
	else if (error != KAFKA_ERROR_NONE || pgt_group_coordinator_find(group->group_id) != NULL ||
			 !found_in_sql(request, group))
		describe_missing(request, group);
	if (body->include_authorized_operations && group->error_code != KAFKA_ERROR_GROUP_AUTHORIZATION_FAILED)
		group->authorized_operations = OPERATIONS;
}

static void
serve(BrokerRequest *request)
{
	const KafkaDescribeGroupsRequest *body = request->kafka.body;
	int32		count = Max(body->groups.count, 0);
	BrokerRepeated *repeated = pgt_broker_find_repeated(body->groups.items, count);
	KafkaDescribeGroupsResponse *response = palloc(sizeof(KafkaDescribeGroupsResponse));

	pgt_kafka_default_struct(KAFKA_DESCRIBE_GROUPS_RESPONSE, response);
	response->groups.items = pgt_broker_array(request, KAFKA_DESCRIBE_GROUPS_RESPONSE_DESCRIBED_GROUP, count);
	for (int32 i = 0; i < count; i++)
	{
		if (repeated[i] != BROKER_REPETITION)
			response->groups.items[response->groups.count++].group_id = body->groups.items[i];
	}
	pgt_broker_answer_in_slices(request, response, describe);
}
