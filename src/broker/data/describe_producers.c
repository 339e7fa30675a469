/*
 * describe_producers.c
 *	  DescribeProducers: who has numbered the records of partitions.
 *
 * These are the idempotent producers that the server remembers (log/producer_table.h), with the number of
 * their last record and the time of their last batch; and where the open transaction of one begins in the partition.
 *
 * A request may have any number of partitions, and is served in slices.
 */
#include "postgres.h"

#include "broker/core/topic_lookup.h"
#include "broker/core/topic_names.h"
#include "broker/core/turn.h"
#include "broker/data/describe_producers.h"
#include "kafka/kafka_default.h"
#include "kafka/kafka_name.h"
#include "log/kafka_txn_map.h"
#include "log/log_state.h"
#include "log/producer_state.h"

static void serve(BrokerRequest *request);

const BrokerApi pgt_describe_producers_api = {.key = KAFKA_API_DESCRIBE_PRODUCERS,.serve = serve};

#define ROOM_FIRST		32
#define PRODUCERS_MAX	10000	/* of a partition; they are copied with its lock held */

typedef KafkaDescribeProducersRequestTopicRequest AskedTopic;
typedef KafkaDescribeProducersResponseTopicResponse AnsweredTopic;
typedef KafkaDescribeProducersResponsePartitionResponse AnsweredPartition;
typedef KafkaDescribeProducersResponseProducerState AnsweredProducer;

/* How far a request has come. */
typedef struct DescribeProducers
{
	KafkaDescribeProducersResponse response;
	int			next_topic;
	int			next_partition;
	TopicLookup found;			/* the topic that is next */
	bool		is_looked_up;
} DescribeProducers;

/* ---- one partition --------------------------------------------------------------- */

/* Copy what is known of a partition's producers, up to so many; how many those are. */
static int
copy_some(const TopicPartition *key, ProducerFileEntry *entries, int room)
{
	PartitionState *state = pgt_log_state_find(key);
	int			count = 0;

	if (state == NULL)
		return 0;
	LWLockAcquire(&state->lock, LW_SHARED);
	/* the slot may have been given to another partition meanwhile */
	if (state->in_use && memcmp(&state->key, key, sizeof(*key)) == 0)
		count = pgt_producer_state_save(state, entries, room);
	LWLockRelease(&state->lock);
	return count;
}

/* All that is known of them, palloc'd. */
static ProducerFileEntry *
copy_producers(const TopicPartition *key, int *count)
{
	int			room = ROOM_FIRST;
	ProducerFileEntry *entries = palloc(room * sizeof(ProducerFileEntry));

	while ((*count = copy_some(key, entries, room)) == room && room < PRODUCERS_MAX)
	{
		room = Min(room * 4, PRODUCERS_MAX);
		pfree(entries);
		entries = palloc(room * sizeof(ProducerFileEntry));
	}
	return entries;
}

/* Set where the producer's open transaction begins in the partition, if it has one there. */
static void
set_transaction(AnsweredProducer *producer, const KafkaTxnInfo *transactions, int count, const TopicPartition *key)
{
	for (int i = 0; i < count; i++)
	{
		const KafkaTxnInfo *info = &transactions[i];

		if (info->xid != 0 || info->database != key->database || info->producer_id != producer->producer_id)
			continue;
		for (int k = 0; k < info->part_count; k++)
			if (memcmp(&info->parts[k].key, key, sizeof(*key)) == 0)
				producer->current_txn_start_offset = info->parts[k].first_offset;
	}
}

static void
fill_producers(BrokerRequest *request, AnsweredPartition *answer, const TopicPartition *key)
{
	int			count;
	ProducerFileEntry *entries = copy_producers(key, &count);
	AnsweredProducer *producers = pgt_broker_array(request, KAFKA_DESCRIBE_PRODUCERS_RESPONSE_PRODUCER_STATE, count);

	KafkaTxnInfo *transactions = NULL;
	int			transaction_count = count > 0 && pgt_kafka_txn_map_count() > 0 ? pgt_kafka_txn_map_list(&transactions) : 0;

	for (int i = 0; i < count; i++)
	{
		const ProducerSequence *sequence = &entries[i].sequence;

		producers[i].producer_id = sequence->producer_id;
		producers[i].producer_epoch = sequence->epoch;
		/* numbers begin anew behind the largest one */
		producers[i].last_sequence = sequence->next > 0 ? sequence->next - 1 : PG_INT32_MAX;
		producers[i].last_timestamp = sequence->last_time / 1000;
		producers[i].coordinator_epoch = -1;
		set_transaction(&producers[i], transactions, transaction_count, key);
	}
	if (transactions != NULL)
		pfree(transactions);
	answer->active_producers.items = producers;
	answer->active_producers.count = count;
	pfree(entries);
}

static void
answer_partition(BrokerRequest *request, DescribeProducers *state, AnsweredPartition *answer, int32 partition)
{
	TopicPartition key;

	answer->partition_index = partition;
	answer->error_message.length = -1;
	answer->error_code = pgt_topic_lookup_partition(&state->found, partition, &key);
	if (answer->error_code == KAFKA_ERROR_NONE)
		fill_producers(request, answer, &key);
}

/* ---- the request ------------------------------------------------------------------- */

/* Look up the topic that is next, and make its entry. */
static void
begin_topic(BrokerRequest *request, DescribeProducers *state, const AskedTopic *asked, AnsweredTopic *answer)
{
	int			count = Max(asked->partition_indexes.count, 0);

	answer->name = asked->name;
	answer->partitions.count = count;
	answer->partitions.items = pgt_broker_array(request, KAFKA_DESCRIBE_PRODUCERS_RESPONSE_PARTITION_RESPONSE, count);
	if (pgt_kafka_name_topic_problem(asked->name) != NULL)
		state->found = (TopicLookup) {.error = KAFKA_ERROR_INVALID_TOPIC_EXCEPTION};
	else
		state->found = pgt_topic_lookup_keep(request->client, pgt_topic_names_find(asked->name), ACL_SELECT);
	state->is_looked_up = true;
}

/* Do the next step; false: none is left. */
static bool
step(BrokerRequest *request)
{
	const KafkaDescribeProducersRequest *body = request->kafka.body;
	DescribeProducers *state = request->state;
	const AskedTopic *asked;
	AnsweredTopic *answer;

	if (state->next_topic >= state->response.topics.count)
		return false;
	asked = &body->topics.items[state->next_topic];
	answer = &state->response.topics.items[state->next_topic];
	if (!state->is_looked_up)
		begin_topic(request, state, asked, answer);
	else if (state->next_partition < answer->partitions.count)
	{
		answer_partition(request, state, &answer->partitions.items[state->next_partition],
						 asked->partition_indexes.items[state->next_partition]);
		state->next_partition++;
	}
	else
	{
		state->next_topic++;
		state->next_partition = 0;
		state->is_looked_up = false;
	}
	return true;
}

static void
finish(BrokerRequest *request)
{
	pgt_broker_answer_in_slices(request, &((DescribeProducers *) request->state)->response, NULL);
}

static void
serve(BrokerRequest *request)
{
	const KafkaDescribeProducersRequest *body = request->kafka.body;
	DescribeProducers *state = palloc0(sizeof(DescribeProducers));
	int			count = Max(body->topics.count, 0);

	request->state = state;
	pgt_kafka_default_struct(KAFKA_DESCRIBE_PRODUCERS_RESPONSE, &state->response);
	state->response.topics.count = count;
	state->response.topics.items = pgt_broker_array(request, KAFKA_DESCRIBE_PRODUCERS_RESPONSE_TOPIC_RESPONSE, count);
	pgt_broker_take_steps(request, step, finish);
}
