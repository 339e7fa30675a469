/*
 * share_acknowledge.c
 *	  The API ShareAcknowledge: what has become of records that a member of a share group has.
 *
 * It is a request of the member's session, as ShareFetch is, with acknowledgements alone (share_acks.c).  With the last one, the
 * session ends.
 */
#include "postgres.h"

#include "broker/core/broker_settings.h"
#include "broker/core/cluster.h"
#include "broker/core/turn.h"
#include "broker/groups/group_configs.h"
#include "broker/groups/group_coordinator.h"
#include "broker/share/share_acknowledge.h"
#include "broker/share/share_acks.h"
#include "broker/share/share_session.h"
#include "kafka/kafka_default.h"
#include "utils/memutils.h"

typedef KafkaShareAcknowledgeRequest Body;
typedef KafkaShareAcknowledgeResponseShareAcknowledgeTopicResponse TopicResponse;
typedef KafkaShareAcknowledgeResponsePartitionData PartitionResponse;

/* The batches of both requests are taken apart by the same function. */
StaticAssertDecl(sizeof(KafkaShareAcknowledgeRequestAcknowledgementBatch) == sizeof(ShareAcksBatch) &&
				 offsetof(KafkaShareAcknowledgeRequestAcknowledgementBatch, acknowledge_types) ==
				 offsetof(ShareAcksBatch, acknowledge_types) &&
				 offsetof(KafkaShareAcknowledgeRequestAcknowledgementBatch, last_offset) ==
				 offsetof(ShareAcksBatch, last_offset),
				 "acknowledgements of both requests are alike");

typedef struct ShareAcknowledge
{
	ShareAcks	acks;			/* the first field */
	ShareSession *session;
} ShareAcknowledge;

static void serve(BrokerRequest *request);

const BrokerApi pgt_share_acknowledge_api = {.key = KAFKA_API_SHARE_ACKNOWLEDGE,.serve = serve};

static void
answer_error(BrokerRequest *request, KafkaError error, const char *message)
{
	KafkaShareAcknowledgeResponse response;

	pgt_kafka_default_struct(KAFKA_SHARE_ACKNOWLEDGE_RESPONSE, &response);
	response.error_code = error;
	response.error_message = pgt_broker_string(message != NULL ? message : pgt_kafka_error_message(error));
	pgt_broker_answer(request, &response);
}

static void
fill_partition(const ShareAcksPart *part, PartitionResponse *response)
{
	response->partition_index = part->partition;
	response->error_code = part->error;
	response->error_message = (KafkaString) {.length = -1};
	if (part->error != KAFKA_ERROR_NONE)
		response->error_message = pgt_broker_string(part->message != NULL ? part->message : pgt_kafka_error_message(part->error));
	response->current_leader.leader_id = pgt_kafka_node_id;
	response->current_leader.leader_epoch = pgt_cluster_leader_epoch();
}

/* ShareAcks: all is acknowledged.  The response is built as the request is. */
static void
acknowledged(BrokerRequest *request)
{
	const Body *body = request->kafka.body;
	ShareAcknowledge *state = request->state;
	const ShareAcksPart *next = state->acks.parts;
	KafkaShareAcknowledgeResponse response;

	pgt_kafka_default_struct(KAFKA_SHARE_ACKNOWLEDGE_RESPONSE, &response);
	response.acquisition_lock_timeout_ms = pgt_group_configs_of(state->acks.group, GROUP_CONFIG_SHARE_RECORD_LOCK_DURATION);
	response.responses.count = Max(body->topics.count, 0);
	response.responses.items =
		pgt_broker_array(request, KAFKA_SHARE_ACKNOWLEDGE_RESPONSE_SHARE_ACKNOWLEDGE_TOPIC_RESPONSE, response.responses.count);
	for (int32 t = 0; t < response.responses.count; t++)
	{
		TopicResponse *topic = &response.responses.items[t];

		topic->topic_id = body->topics.items[t].topic_id;
		topic->partitions.count = Max(body->topics.items[t].partitions.count, 0);
		topic->partitions.items =
			pgt_broker_array(request, KAFKA_SHARE_ACKNOWLEDGE_RESPONSE_PARTITION_DATA, topic->partitions.count);
		for (int32 p = 0; p < topic->partitions.count; p++)
			fill_partition(next++, &topic->partitions.items[p]);
	}
	if (body->share_session_epoch == SHARE_SESSION_FINAL)
		pgt_share_session_end(state->session);
	pgt_share_session_leave(state->session);
	state->session = NULL;
	pgt_broker_answer(request, &response);
}

static void
dropped(BrokerRequest *request)
{
	ShareAcknowledge *state = request->state;

	pgt_share_acks_drop(&state->acks);
	if (state->session != NULL)
		pgt_share_session_leave(state->session);
}

/* Take over what the request says of partitions. */
static void
take_partitions(ShareAcknowledge *state, const Body *body)
{
	int64		count = 0;

	for (int32 t = 0; t < body->topics.count; t++)
		count += Max(body->topics.items[t].partitions.count, 0);
	state->acks.parts = MemoryContextAllocHuge(state->acks.request->memory, Max(count, 1) * sizeof(ShareAcksPart));
	for (int32 t = 0; t < body->topics.count; t++)
	{
		const KafkaShareAcknowledgeRequestAcknowledgeTopic *topic = &body->topics.items[t];

		for (int32 p = 0; p < topic->partitions.count; p++)
		{
			const KafkaShareAcknowledgeRequestAcknowledgePartition *partition = &topic->partitions.items[p];

			pgt_share_acks_take(&state->acks.parts[state->acks.count++], &topic->topic_id, partition->partition_index,
								(const ShareAcksBatch *) partition->acknowledgement_batches.items,
								partition->acknowledgement_batches.count, body->is_renew_ack);
		}
	}
}

static void
serve(BrokerRequest *request)
{
	const Body *body = request->kafka.body;
	const char *problem = NULL;
	KafkaError	error;
	ShareSession *session;
	ShareAcknowledge *state;

	pgt_turn_open();
	if (body->member_id.length <= 0)
		problem = "a member id is missing";
	else if (body->share_session_epoch < SHARE_SESSION_FINAL)
		problem = "there is no such epoch of a session";
	error = problem != NULL ? KAFKA_ERROR_INVALID_REQUEST : pgt_group_coordinator_check(request->client, body->group_id);
	if (error == KAFKA_ERROR_NONE)
		error = pgt_share_session_open(request, body->group_id, body->member_id, body->share_session_epoch, false, &session);
	if (error != KAFKA_ERROR_NONE)
	{
		answer_error(request, error, problem);
		return;
	}
	state = palloc0(sizeof(ShareAcknowledge));
	state->session = session;
	state->acks = (ShareAcks) {
		.request = request,.group = session->group,.member = session->member,.done = acknowledged
	};
	request->state = state;
	request->dropped = dropped;
	take_partitions(state, body);
	pgt_share_acks_begin(&state->acks);
}
