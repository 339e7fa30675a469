/*
 * leader_epoch.c
 *	  The API OffsetForLeaderEpoch: where the batches of a leader end.
 *
 * A consumer asks it when a partition has another leader than before, to find out whether what it
 * has read is still in the log: if the batches of the leader that wrote its last record end before
 * its position, the rest was lost, and it goes back.
 *
 * A request may have any number of partitions: it is served in slices.
 */
#include "postgres.h"

#include "broker/core/cluster.h"
#include "broker/core/topic_lookup.h"
#include "broker/core/topic_names.h"
#include "broker/core/turn.h"
#include "broker/data/leader_epoch.h"
#include "kafka/kafka_default.h"
#include "wal/log_epochs.h"

typedef KafkaOffsetForLeaderEpochRequestOffsetForLeaderPartition AskedPartition;
typedef KafkaOffsetForLeaderEpochResponseEpochEndOffset AnsweredPartition;

/* A partition that is looked at. */
typedef struct Look
{
	const TopicLookup *topic;
	const AskedPartition *asked;
	AnsweredPartition *answer;
} Look;

/* Find the end of an epoch in a partition. */
static KafkaError
find_end(const TopicLookup *topic, const AskedPartition *asked, AnsweredPartition *answer)
{
	int32		current = pgt_cluster_leader_epoch();
	TopicPartition key;
	LogEpochEnd end;
	KafkaError	error = pgt_topic_lookup_partition(topic, asked->partition, &key);

	if (error == KAFKA_ERROR_NONE)
		error = pgt_cluster_check_epoch(asked->current_leader_epoch, current);
	if (error != KAFKA_ERROR_NONE)
		return error;
	end = pgt_log_epochs_end(&key, asked->leader_epoch, current);
	answer->leader_epoch = end.epoch;
	answer->end_offset = end.end;
	return KAFKA_ERROR_NONE;
}

static void
look(void *arg)
{
	const Look *partition = arg;

	partition->answer->error_code = find_end(partition->topic, partition->asked, partition->answer);
}

/* How far a request has come. */
typedef struct EpochState
{
	KafkaOffsetForLeaderEpochResponse response;
	TopicLookup topic;			/* of which a partition is next */
	int			next_topic;
	int			next_partition;
} EpochState;

/* Begin with a topic. */
static void
begin_topic(BrokerRequest *request, EpochState *state)
{
	const KafkaOffsetForLeaderEpochRequest *body = request->kafka.body;
	const KafkaOffsetForLeaderEpochRequestOffsetForLeaderTopic *asked = &body->topics.items[state->next_topic];
	KafkaOffsetForLeaderEpochResponseOffsetForLeaderTopicResult *answer = &state->response.topics.items[state->next_topic];

	state->topic = pgt_topic_lookup_keep(request->client, pgt_topic_names_find(asked->topic), ACL_SELECT);
	answer->topic = asked->topic;
	answer->partitions.count = Max(asked->partitions.count, 0);
	answer->partitions.items = pgt_broker_array(request, KAFKA_OFFSET_FOR_LEADER_EPOCH_RESPONSE_EPOCH_END_OFFSET,
												answer->partitions.count);
}

/* Look at the partition that is next, if the topic has one left; false: no topic is left. */
static bool
step(BrokerRequest *request)
{
	const KafkaOffsetForLeaderEpochRequest *body = request->kafka.body;
	EpochState *state = request->state;
	int			i = state->next_partition++;
	Look		partition = {.topic = &state->topic};

	if (state->next_topic >= state->response.topics.count)
		return false;
	if (i == 0)
		begin_topic(request, state);
	if (i >= body->topics.items[state->next_topic].partitions.count)
	{
		state->next_topic++;
		state->next_partition = 0;
		return true;
	}
	partition.asked = &body->topics.items[state->next_topic].partitions.items[i];
	partition.answer = &state->response.topics.items[state->next_topic].partitions.items[i];
	partition.answer->partition = partition.asked->partition;
	/* damage is an error of the partition */
	if (!pgt_turn_try(look, &partition, NULL))
		partition.answer->error_code = KAFKA_ERROR_KAFKA_STORAGE_ERROR;
	return true;
}

static void
finish(BrokerRequest *request)
{
	pgt_broker_answer_in_slices(request, &((EpochState *) request->state)->response, NULL);
}

static void
serve(BrokerRequest *request)
{
	const KafkaOffsetForLeaderEpochRequest *body = request->kafka.body;
	EpochState *state = palloc0(sizeof(EpochState));

	request->state = state;
	pgt_kafka_default_struct(KAFKA_OFFSET_FOR_LEADER_EPOCH_RESPONSE, &state->response);
	state->response.topics.count = Max(body->topics.count, 0);
	state->response.topics.items =
		pgt_broker_array(request, KAFKA_OFFSET_FOR_LEADER_EPOCH_RESPONSE_OFFSET_FOR_LEADER_TOPIC_RESULT,
						 state->response.topics.count);
	pgt_broker_take_steps(request, step, finish);
}

const BrokerApi pgt_leader_epoch_api = {.key = KAFKA_API_OFFSET_FOR_LEADER_EPOCH,.serve = serve};
