/*
 * alter_share_offsets.c
 *	  AlterShareGroupOffsets: a share group begins anew in partitions, at the offsets that are given.
 *
 * The group has no members, and nobody has records of it in the partitions.  Each partition is changed in a transaction of its own.
 *
 *	  1		the offset is not one of the partition
 *	  3		there is no such topic or partition
 *	  68	the group has members, or somebody has records of the partition
 *	  69	there is no such share group
 */
#include "postgres.h"

#include "broker/core/topic_names.h"
#include "broker/helpers/topic_change.h"
#include "broker/share/alter_share_offsets.h"
#include "broker/share/share_admin.h"
#include "kafka/kafka_default.h"
#include "log/partition_log.h"
#include "topic/topic.h"

typedef KafkaAlterShareGroupOffsetsRequestTopic WantedTopic;
typedef KafkaAlterShareGroupOffsetsRequestPartition WantedPartition;
typedef KafkaAlterShareGroupOffsetsResponseTopic TopicResult;
typedef KafkaAlterShareGroupOffsetsResponsePartition PartitionResult;

static void serve(BrokerRequest *request);
static void run(HelperCall *call);

const BrokerApi pgt_alter_share_offsets_api = {.key = KAFKA_API_ALTER_SHARE_GROUP_OFFSETS,.serve = serve};
const HelperApi pgt_alter_share_offsets_helper = {.key = KAFKA_API_ALTER_SHARE_GROUP_OFFSETS,.run = run};

/* ---- in the helper ----------------------------------------------------------------------- */

/* A partition that is changed. */
typedef struct Change
{
	const char *group;
	KafkaString topic;
	const WantedPartition *wanted;
} Change;

/* In a transaction, as the client's role. */
static void
change(void *arg)
{
	const Change *what = arg;
	ShareGroup	group;
	TopicPartition key;
	LogBounds	bounds;

	pgt_share_admin_open(&group, what->group, what->topic);
	if (what->wanted->partition_index < 0 ||
		what->wanted->partition_index >= pgt_topic_get(group.group.topic)->partitions)
		pgt_topic_change_refuse(KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION, "the topic has no such partition");
	key = pgt_topic_partition_key(group.group.topic, what->wanted->partition_index);
	(void) pgt_partition_log_bounds(&key, &bounds);
	if (what->wanted->start_offset < 0 || what->wanted->start_offset > bounds.next_offset)
		pgt_topic_change_refuse(KAFKA_ERROR_OFFSET_OUT_OF_RANGE, "the partition has no such offset");
	pgt_share_group_restart(&group, what->wanted->partition_index, what->wanted->start_offset);
}

/* A response with an entry for each partition of the request. */
static void
begin_response(BrokerRequest *request, KafkaAlterShareGroupOffsetsResponse *response)
{
	const KafkaAlterShareGroupOffsetsRequest *body = request->kafka.body;

	pgt_kafka_default_struct(KAFKA_ALTER_SHARE_GROUP_OFFSETS_RESPONSE, response);
	response->error_message = (KafkaString) {.length = -1};
	response->responses.count = Max(body->topics.count, 0);
	response->responses.items =
		pgt_broker_array(request, KAFKA_ALTER_SHARE_GROUP_OFFSETS_RESPONSE_TOPIC, response->responses.count);
	for (int32 t = 0; t < response->responses.count; t++)
	{
		const WantedTopic *wanted = &body->topics.items[t];
		TopicResult *topic = &response->responses.items[t];

		topic->topic_name = wanted->topic_name;
		topic->partitions.count = Max(wanted->partitions.count, 0);
		topic->partitions.items =
			pgt_broker_array(request, KAFKA_ALTER_SHARE_GROUP_OFFSETS_RESPONSE_PARTITION, topic->partitions.count);
		for (int32 p = 0; p < topic->partitions.count; p++)
			topic->partitions.items[p].partition_index = wanted->partitions.items[p].partition_index;
	}
}

static void
set_error(PartitionResult *result, KafkaError error, const char *message)
{
	result->error_code = error;
	result->error_message = error == KAFKA_ERROR_NONE ? (KafkaString) {.length = -1} : pgt_broker_string(message);
}

static void
run(HelperCall *call)
{
	const KafkaAlterShareGroupOffsetsRequest *body = call->request.kafka.body;
	KafkaAlterShareGroupOffsetsResponse response;

	begin_response(&call->request, &response);
	for (int32 t = 0; t < response.responses.count; t++)
	{
		const WantedTopic *wanted = &body->topics.items[t];

		for (int32 p = 0; p < wanted->partitions.count; p++)
		{
			Change		what = {
				.group = pgt_broker_cstring(&call->request, body->group_id),.topic = wanted->topic_name,
				.wanted = &wanted->partitions.items[p]
			};
			char	   *message = NULL;
			KafkaError	error = pgt_topic_change_run(call, change, &what, false, &message);

			set_error(&response.responses.items[t].partitions.items[p], pgt_share_admin_error(error), message);
		}
	}
	pgt_helper_answer(call, &response);
}

/* ---- in the loop ---------------------------------------------------------------------------- */

static void
refuse(BrokerRequest *request, KafkaError error, const char *message)
{
	KafkaAlterShareGroupOffsetsResponse response;

	pgt_kafka_default_struct(KAFKA_ALTER_SHARE_GROUP_OFFSETS_RESPONSE, &response);
	response.error_code = pgt_share_admin_error(error);
	response.error_message = pgt_broker_string(message);
	pgt_broker_answer(request, &response);
}

static void
serve(BrokerRequest *request)
{
	const KafkaAlterShareGroupOffsetsRequest *body = request->kafka.body;

	pgt_share_admin_hand(request, body->group_id, refuse);
}
