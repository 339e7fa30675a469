/*
 * add_partitions_to_txn.c
 *	  The API AddPartitionsToTxn: clients begin a transaction with it, and name partitions to it before they produce to them.
 *
 * Which partitions a transaction has is known when it has records in them, wherever that is (wal/kafka_txn.h).  So what
 * is named is checked, all or nothing as in Kafka, and not kept.
 *
 * Kafka keeps it, as its markers go to these partitions, and so its DescribeTransactions tells of partitions without records, too.
 * Here nothing but that description would need them, and all of them would have to be in the log's table, which
 * has room for some only, and be logged, with a client that fills it and writes nothing.  Clients with KIP-890 name no
 * partitions before they write.  The transaction is open from this request on, as in Kafka: it is described as that, and its
 * time counts.
 *
 * Versions from 4 on are what Kafka's brokers ask each other.
 */
#include "postgres.h"

#include "broker/core/topic_lookup.h"
#include "broker/core/topic_names.h"
#include "broker/transactions/add_partitions_to_txn.h"
#include "broker/transactions/txn_request.h"
#include "kafka/kafka_default.h"

#define VERSION_FENCED	2		/* from this one on PRODUCER_FENCED is known */
#define VERSION_BROKERS	4

typedef KafkaAddPartitionsToTxnRequestAddPartitionsToTxnTopic AskedTopic;
typedef KafkaAddPartitionsToTxnResponseAddPartitionsToTxnTopicResult AnsweredTopic;

typedef struct AddPartitions
{
	TxnRequest	whole;			/* the first field */
	KafkaAddPartitionsToTxnResponse response;
	int			next_topic;
	bool		failed;			/* there is an error in the response */
} AddPartitions;

/* ---- partitions ---------------------------------------------------------------- */

/* Check the partitions of a topic. */
static void
take_topic(BrokerRequest *request, AddPartitions *state, const AskedTopic *asked, AnsweredTopic *answer)
{
	TopicLookup found = pgt_topic_lookup_keep(request->client, pgt_topic_names_find(asked->name), ACL_INSERT);
	int			count = Max(asked->partitions.count, 0);

	answer->name = asked->name;
	answer->results_by_partition.count = count;
	answer->results_by_partition.items =
		pgt_broker_array(request, KAFKA_ADD_PARTITIONS_TO_TXN_RESPONSE_ADD_PARTITIONS_TO_TXN_PARTITION_RESULT, count);
	for (int i = 0; i < count; i++)
	{
		TopicPartition key;
		KafkaError	error = pgt_topic_lookup_partition(&found, asked->partitions.items[i], &key);

		answer->results_by_partition.items[i].partition_index = asked->partitions.items[i];
		answer->results_by_partition.items[i].partition_error_code = error;
		state->failed = state->failed || error != KAFKA_ERROR_NONE;
	}
}

/* All partitions that have no error get this one. */
static void
set_errors(AddPartitions *state, KafkaError error)
{
	for (int i = 0; i < state->response.results_by_topic_v3_and_below.count; i++)
	{
		AnsweredTopic *topic = &state->response.results_by_topic_v3_and_below.items[i];

		for (int k = 0; k < topic->results_by_partition.count; k++)
			if (topic->results_by_partition.items[k].partition_error_code == KAFKA_ERROR_NONE)
				topic->results_by_partition.items[k].partition_error_code = error;
	}
}

/* ---- the request ----------------------------------------------------------------- */

/* TxnRequest */
static KafkaError
step(TxnRequest *whole)
{
	const KafkaAddPartitionsToTxnRequest *body = whole->request->kafka.body;

	return pgt_txn_coordinator_begin(whole->request->client, whole->id,
									 (TxnProducer) {body->v3_and_below_producer_id, body->v3_and_below_producer_epoch});
}

/* TxnRequest */
static void
answer(TxnRequest *whole, KafkaError error)
{
	AddPartitions *state = (AddPartitions *) whole;

	set_errors(state, pgt_txn_request_error(whole->request, error, VERSION_FENCED));
	pgt_broker_answer(whole->request, &state->response);
}

/* Take the request apart, in slices. */
static void
go_on(BrokerRequest *request)
{
	const KafkaAddPartitionsToTxnRequest *body = request->kafka.body;
	AddPartitions *state = request->state;

	pgt_turn_open();
	while (state->next_topic < state->response.results_by_topic_v3_and_below.count)
	{
		int			i = state->next_topic++;

		take_topic(request, state, &body->v3_and_below_topics.items[i],
				   &state->response.results_by_topic_v3_and_below.items[i]);
		if (pgt_broker_slice_is_over())
		{
			pgt_broker_go_on(request, go_on);
			return;
		}
	}
	if (state->failed)
	{
		set_errors(state, KAFKA_ERROR_OPERATION_NOT_ATTEMPTED);
		pgt_broker_answer(request, &state->response);
	}
	else
		pgt_txn_request_begin(&state->whole, request, body->v3_and_below_transactional_id);
}

/* BrokerApi */
static void
serve(BrokerRequest *request)
{
	const KafkaAddPartitionsToTxnRequest *body = request->kafka.body;
	AddPartitions *state = palloc0(sizeof(AddPartitions));
	int			count = Max(body->v3_and_below_topics.count, 0);

	state->whole.step = step;
	state->whole.answer = answer;
	pgt_kafka_default_struct(KAFKA_ADD_PARTITIONS_TO_TXN_RESPONSE, &state->response);
	if (request->kafka.version >= VERSION_BROKERS)
	{
		state->response.error_code = KAFKA_ERROR_CLUSTER_AUTHORIZATION_FAILED;
		pgt_broker_answer(request, &state->response);
		return;
	}
	state->response.results_by_topic_v3_and_below.count = count;
	state->response.results_by_topic_v3_and_below.items =
		pgt_broker_array(request, KAFKA_ADD_PARTITIONS_TO_TXN_RESPONSE_ADD_PARTITIONS_TO_TXN_TOPIC_RESULT, count);
	request->state = state;
	go_on(request);
}

const BrokerApi pgt_add_partitions_to_txn_api = {.key = KAFKA_API_ADD_PARTITIONS_TO_TXN, .serve = serve, .uses_tables = true};
