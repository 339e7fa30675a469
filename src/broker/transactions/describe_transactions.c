/*
 * describe_transactions.c
 *	  The API DescribeTransactions: how transactional ids stand, and where their open transactions have records.
 *
 * Partitions are those with records.  Those of topics that the client may not know of are left out.
 */
#include "postgres.h"

#include "broker/core/access.h"
#include "broker/core/topic_names.h"
#include "broker/core/turn.h"
#include "broker/groups/group_coordinator.h"
#include "broker/transactions/describe_transactions.h"
#include "broker/transactions/txn_request.h"
#include "kafka/kafka_default.h"
#include "log/kafka_txn_map.h"
#include "util/clock.h"
#include "utils/memutils.h"

typedef KafkaDescribeTransactionsResponseTransactionState DescribedTransaction;
typedef KafkaDescribeTransactionsResponseTopicData DescribedTopic;

typedef struct DescribeTransactions
{
	KafkaDescribeTransactionsResponse response;
	int			next;
} DescribeTransactions;

/* ---- partitions ------------------------------------------------------------------- */

static int
compare_parts(const void *a, const void *b)
{
	const TopicPartition *left = &((const KafkaTxnFilePart *) a)->key;
	const TopicPartition *right = &((const KafkaTxnFilePart *) b)->key;

	if (left->topic != right->topic)
		return left->topic < right->topic ? -1 : 1;
	return left->partition < right->partition ? -1 : left->partition > right->partition;
}

/* Fill in the partitions of a topic, which are the first ones of an array; how many those are. */
static int
fill_topic(BrokerRequest *request, const KafkaTxnFilePart *parts, int count, DescribedTransaction *answer)
{
	Oid			oid = parts[0].key.topic;
	char	   *name = pgt_access_topic(request->client, oid, ACL_SELECT | ACL_INSERT) ? pgt_topic_names_of(oid) : NULL;
	DescribedTopic *topic = &answer->topics.items[answer->topics.count];
	int			n = 0;

	topic->partitions.items = palloc(count * sizeof(int32));
	while (n < count && parts[n].key.topic == oid)
	{
		topic->partitions.items[n] = parts[n].key.partition;
		n++;
	}
	topic->partitions.count = n;
	topic->topic = pgt_broker_string(name);
	answer->topics.count += name != NULL;
	return n;
}

/* Fill in the partitions of the open transaction of that number. */
static void
fill_topics(BrokerRequest *request, uint64 number, DescribedTransaction *answer)
{
	KafkaTxnInfo *infos;
	int			count = pgt_kafka_txn_map_list(&infos);

	for (int i = 0; i < count; i++)
	{
		KafkaTxnFilePart *parts;

		if (infos[i].number != number || infos[i].part_count == 0)
			continue;
		parts = palloc(infos[i].part_count * sizeof(KafkaTxnFilePart));
		memcpy(parts, infos[i].parts, infos[i].part_count * sizeof(KafkaTxnFilePart));
		qsort(parts, infos[i].part_count, sizeof(KafkaTxnFilePart), compare_parts);
		answer->topics.items = pgt_broker_array(request, KAFKA_DESCRIBE_TRANSACTIONS_RESPONSE_TOPIC_DATA, infos[i].part_count);
		for (int k = 0; k < infos[i].part_count;)
			k += fill_topic(request, parts + k, infos[i].part_count - k, answer);
	}
}

/* ---- the request --------------------------------------------------------------------- */

/* Fill in what a row says. */
static void
fill(BrokerRequest *request, const TxnRow *row, DescribedTransaction *answer)
{
	TxnStanding standing;

	pgt_txn_coordinator_stand(row, &standing);
	answer->transaction_state = pgt_broker_string(pgt_txn_coordinator_state_name(standing.state));
	answer->transaction_timeout_ms = row->timeout_ms;
	answer->producer_id = row->producer_id;
	answer->producer_epoch = row->epoch;
	if (standing.state != TXN_COORDINATOR_OPEN)
		return;
	answer->transaction_start_time_ms = pgt_clock_from_timestamptz(standing.started);
	fill_topics(request, standing.number, answer);
}

static void
describe(BrokerRequest *request, KafkaString id, DescribedTransaction *answer)
{
	char	   *text = pgt_txn_request_id(id);
	TxnRow		row;

	answer->transactional_id = id;
	answer->transaction_state = pgt_broker_string("");
	answer->transaction_start_time_ms = -1;
	answer->error_code = pgt_group_coordinator_check_active();
	if (answer->error_code != KAFKA_ERROR_NONE)
		return;
	if (text == NULL)
		answer->error_code = KAFKA_ERROR_INVALID_REQUEST;
	else if (!pgt_txn_row_find(text, &row))
		answer->error_code = KAFKA_ERROR_TRANSACTIONAL_ID_NOT_FOUND;
	else if (!pgt_txn_coordinator_may_use(request->client, &row))
		answer->error_code = KAFKA_ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
	else
		fill(request, &row, answer);
}

static void
go_on(BrokerRequest *request)
{
	const KafkaDescribeTransactionsRequest *body = request->kafka.body;
	DescribeTransactions *state = request->state;

	pgt_turn_open();
	while (state->next < state->response.transaction_states.count)
	{
		int			i = state->next++;

		describe(request, body->transactional_ids.items[i], &state->response.transaction_states.items[i]);
		if (pgt_broker_slice_is_over())
		{
			pgt_broker_go_on(request, go_on);
			return;
		}
	}
	pgt_broker_answer(request, &state->response);
}

/* BrokerApi */
static void
serve(BrokerRequest *request)
{
	const KafkaDescribeTransactionsRequest *body = request->kafka.body;
	DescribeTransactions *state = palloc0(sizeof(DescribeTransactions));

	request->state = state;
	pgt_kafka_default_struct(KAFKA_DESCRIBE_TRANSACTIONS_RESPONSE, &state->response);
	state->response.transaction_states.count = Max(body->transactional_ids.count, 0);
	state->response.transaction_states.items =
		pgt_broker_array(request, KAFKA_DESCRIBE_TRANSACTIONS_RESPONSE_TRANSACTION_STATE, state->response.transaction_states.count);
	go_on(request);
}

const BrokerApi pgt_describe_transactions_api = {.key = KAFKA_API_DESCRIBE_TRANSACTIONS, .serve = serve, .uses_tables = true};
