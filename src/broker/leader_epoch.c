/*
 * leader_epoch.c
 *	  The API OffsetForLeaderEpoch: where the batches of a leader end.
 *
 * A consumer asks it when a partition has another leader than before, to find out whether what it
 * has read is still in the log: if the batches of the leader that wrote its last record end before
 * its position, the rest was lost, and it goes back.
 */
#include "postgres.h"

#include "broker/cluster.h"
#include "broker/leader_epoch.h"
#include "broker/topic_lookup.h"
#include "broker/topic_names.h"
#include "broker/turn.h"
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

/* Answer what is asked of a topic. */
static void
answer_topic(BrokerRequest *request, const KafkaOffsetForLeaderEpochRequestOffsetForLeaderTopic *asked,
			 KafkaOffsetForLeaderEpochResponseOffsetForLeaderTopicResult *answer)
{
	TopicLookup topic = pgt_topic_lookup_keep(request->client, pgt_topic_names_find(asked->topic), ACL_SELECT);

	answer->topic = asked->topic;
	answer->partitions.count = Max(asked->partitions.count, 0);
	answer->partitions.items = pgt_broker_array(request, KAFKA_OFFSET_FOR_LEADER_EPOCH_RESPONSE_EPOCH_END_OFFSET,
												answer->partitions.count);
	for (int i = 0; i < answer->partitions.count; i++)
	{
		Look		partition = {&topic, &asked->partitions.items[i], &answer->partitions.items[i]};

		partition.answer->partition = partition.asked->partition;
		/* damage is an error of the partition */
		if (!pgt_turn_try(look, &partition, NULL))
			partition.answer->error_code = KAFKA_ERROR_KAFKA_STORAGE_ERROR;
	}
}

static void
serve(BrokerRequest *request)
{
	const KafkaOffsetForLeaderEpochRequest *body = request->kafka.body;
	KafkaOffsetForLeaderEpochResponse response;

	pgt_kafka_default_struct(KAFKA_OFFSET_FOR_LEADER_EPOCH_RESPONSE, &response);
	pgt_turn_open();
	response.topics.count = Max(body->topics.count, 0);
	response.topics.items =
		pgt_broker_array(request, KAFKA_OFFSET_FOR_LEADER_EPOCH_RESPONSE_OFFSET_FOR_LEADER_TOPIC_RESULT,
						 response.topics.count);
	for (int i = 0; i < response.topics.count; i++)
		answer_topic(request, &body->topics.items[i], &response.topics.items[i]);
	pgt_broker_answer(request, &response);
}

const BrokerApi pgt_leader_epoch_api = {.key = KAFKA_API_OFFSET_FOR_LEADER_EPOCH,.serve = serve};
