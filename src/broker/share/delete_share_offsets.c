/*
 * delete_share_offsets.c
 *	  DeleteShareGroupOffsets: a share group forgets topics, and begins there as a new one the next time.
 *
 * The group has no members, and nobody has records of it in the topics.  Each topic is forgotten in a transaction of its own.
 *
 *	  3		there is no such topic, or the group has not begun in it
 *	  68	the group has members, or somebody has records of the topic
 *	  69	there is no such share group
 */
#include "postgres.h"

#include "broker/core/topic_names.h"
#include "broker/helpers/topic_change.h"
#include "broker/share/delete_share_offsets.h"
#include "broker/share/share_admin.h"
#include "kafka/kafka_default.h"

typedef KafkaDeleteShareGroupOffsetsResponseTopic TopicResult;

static void serve(BrokerRequest *request);
static void run(HelperCall *call);

const BrokerApi pgt_delete_share_offsets_api = {.key = KAFKA_API_DELETE_SHARE_GROUP_OFFSETS,.serve = serve};
const HelperApi pgt_delete_share_offsets_helper = {.key = KAFKA_API_DELETE_SHARE_GROUP_OFFSETS,.run = run};

/* ---- in the helper ----------------------------------------------------------------------- */

/* A topic that is forgotten. */
typedef struct Deletion
{
	const char *group;
	KafkaString topic;
} Deletion;

/* In a transaction, as the client's role. */
static void
delete(void *arg)
{
	const Deletion *what = arg;
	ShareGroup	group;

	pgt_share_admin_open(&group, what->group, what->topic);
	if (pgt_share_group_delete(&group, false) == 0)
		pgt_topic_change_refuse(KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION, "the group has not begun in the topic");
}

static void
run(HelperCall *call)
{
	const KafkaDeleteShareGroupOffsetsRequest *body = call->request.kafka.body;
	KafkaDeleteShareGroupOffsetsResponse response;

	pgt_kafka_default_struct(KAFKA_DELETE_SHARE_GROUP_OFFSETS_RESPONSE, &response);
	response.error_message = (KafkaString) {.length = -1};
	response.responses.count = Max(body->topics.count, 0);
	response.responses.items =
		pgt_broker_array(&call->request, KAFKA_DELETE_SHARE_GROUP_OFFSETS_RESPONSE_TOPIC, response.responses.count);
	for (int32 t = 0; t < response.responses.count; t++)
	{
		TopicResult *result = &response.responses.items[t];
		Deletion	what = {
			.group = pgt_broker_cstring(&call->request, body->group_id),.topic = body->topics.items[t].topic_name
		};
		char	   *message = NULL;

		result->topic_name = what.topic;
		result->error_code = pgt_share_admin_error(pgt_topic_change_run(call, delete, &what, false, &message));
		result->error_message = result->error_code == KAFKA_ERROR_NONE ? (KafkaString) {.length = -1} :
			pgt_broker_string(message);
	}
	pgt_helper_answer(call, &response);
}

/* ---- in the loop ---------------------------------------------------------------------------- */

static void
refuse(BrokerRequest *request, KafkaError error, const char *message)
{
	KafkaDeleteShareGroupOffsetsResponse response;

	pgt_kafka_default_struct(KAFKA_DELETE_SHARE_GROUP_OFFSETS_RESPONSE, &response);
	response.error_code = pgt_share_admin_error(error);
	response.error_message = pgt_broker_string(message);
	pgt_broker_answer(request, &response);
}

static void
serve(BrokerRequest *request)
{
	const KafkaDeleteShareGroupOffsetsRequest *body = request->kafka.body;

	pgt_share_admin_hand(request, body->group_id, refuse);
}
