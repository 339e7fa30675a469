/*
 * offset_delete.c
 *	  The API OffsetDelete: a group forgets what it has committed in some partitions.
 *
 * Administrators' tools call it for topics that a group does not read any more.  Where one of its members is
 * subscribed to the topic, or a member in SQL is alive there, the group keeps its offsets:
 * GROUP_SUBSCRIBED_TO_TOPIC.  Who may delete the group in SQL may do this.
 *
 * How offsets are deleted, and when the answer is sent, is told in offset_request.c.
 */
#include "postgres.h"

#include "broker/core/access.h"
#include "broker/core/database_text.h"
#include "broker/core/topic_names.h"
#include "broker/core/turn.h"
#include "broker/groups/group_coordinator.h"
#include "broker/offsets/offset_delete.h"
#include "broker/offsets/offset_request.h"
#include "kafka/kafka_default.h"
#include "topic/topic.h"

/* May offsets of the topic be deleted?  With whole->search.more it is not known yet. */
static KafkaError
check_topic(OffsetRequest *whole, KafkaString name)
{
	const KafkaOffsetDeleteRequest *body = whole->request->kafka.body;

	whole->search.more = false;
	if (!OidIsValid(whole->topic) || !pgt_topic_exists(whole->topic))
		return whole->gone;
	if (!pgt_access_topic(whole->request->client, whole->topic, ACL_SELECT) &&
		!pgt_access_owns_topic(whole->request->client, whole->topic))
		return KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED;
	if (pgt_group_coordinator_is_subscribed(body->group_id, name, &whole->search))
		return KAFKA_ERROR_GROUP_SUBSCRIBED_TO_TOPIC;
	return KAFKA_ERROR_NONE;
}

/* OffsetRequestKind */
static int
begin_topic(OffsetRequest *whole, int n)
{
	const KafkaOffsetDeleteRequest *body = whole->request->kafka.body;
	const KafkaOffsetDeleteRequestTopic *sent = &body->topics.items[n];
	KafkaOffsetDeleteResponseTopic *answers = &((KafkaOffsetDeleteResponse *) whole->response)->topics.items[n];

	whole->topic = pgt_topic_names_find(sent->name);
	whole->topic_error = check_topic(whole, sent->name);
	if (whole->search.more)
		return -1;
	whole->search = (CoordinatorSearch) {0};
	answers->name = sent->name;
	answers->partitions.count = Max(sent->partitions.count, 0);
	answers->partitions.items = pgt_broker_array(whole->request, KAFKA_OFFSET_DELETE_RESPONSE_PARTITION,
												 answers->partitions.count);
	return answers->partitions.count;
}

/* OffsetRequestKind */
static void
take_partition(OffsetRequest *whole, int n, int partition)
{
	const KafkaOffsetDeleteRequest *body = whole->request->kafka.body;
	KafkaOffsetDeleteResponsePartition *answer =
		&((KafkaOffsetDeleteResponse *) whole->response)->topics.items[n].partitions.items[partition];

	answer->partition_index = body->topics.items[n].partitions.items[partition].partition_index;
	answer->error_code = whole->topic_error;
	if (whole->topic_error == KAFKA_ERROR_NONE)
		pgt_offset_request_add(whole, answer->partition_index, &answer->error_code)->write.deletes = true;
}

/* OffsetRequestKind.  Who may use the group was asked before; meanwhile members may have come. */
static KafkaError
check(OffsetRequest *whole)
{
	const KafkaOffsetDeleteRequest *body = whole->request->kafka.body;

	return pgt_group_coordinator_check(whole->request->client, body->group_id);
}

/* OffsetRequestKind */
static void
answer(OffsetRequest *whole)
{
	pgt_broker_answer(whole->request, whole->response);
}

static const OffsetRequestKind delete_kind = {
	.begin_topic = begin_topic,.take_partition = take_partition,.check = check,.answer = answer,.sql_member = KAFKA_ERROR_GROUP_SUBSCRIBED_TO_TOPIC
};

/* The error of the whole request, or none. */
static KafkaError
check_group(const OffsetRequest *whole)
{
	const KafkaOffsetDeleteRequest *body = whole->request->kafka.body;
	KafkaError	error = pgt_group_coordinator_check(whole->request->client, body->group_id);

	if (error != KAFKA_ERROR_NONE)
		return error;
	if (whole->group == NULL)
		return KAFKA_ERROR_INVALID_GROUP_ID;
	if (pgt_group_coordinator_find(body->group_id) == NULL &&
		!OidIsValid(pgt_kafka_offset_next_topic(whole->group, InvalidOid)))
		return KAFKA_ERROR_GROUP_ID_NOT_FOUND;
	return KAFKA_ERROR_NONE;
}

/* BrokerApi */
static void
serve(BrokerRequest *request)
{
	const KafkaOffsetDeleteRequest *body = request->kafka.body;
	KafkaOffsetDeleteResponse *response = palloc(sizeof(KafkaOffsetDeleteResponse));
	int64		parts = 0;
	OffsetRequest *whole;

	for (int i = 0; i < body->topics.count; i++)
		parts += Max(body->topics.items[i].partitions.count, 0);
	pgt_kafka_default_struct(KAFKA_OFFSET_DELETE_RESPONSE, response);
	whole = pgt_offset_request_begin(request, &delete_kind, parts);
	whole->response = response;
	whole->gone = KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
	pgt_turn_open();
	whole->group = pgt_database_text_of_client(body->group_id);
	response->error_code = check_group(whole);
	if (response->error_code == KAFKA_ERROR_NONE)
	{
		whole->topics = response->topics.count = Max(body->topics.count, 0);
		response->topics.items = pgt_broker_array(request, KAFKA_OFFSET_DELETE_RESPONSE_TOPIC, response->topics.count);
	}
	pgt_offset_request_go(whole);
}

const BrokerApi pgt_offset_delete_api = {.key = KAFKA_API_OFFSET_DELETE, .serve = serve, .uses_tables = true};
