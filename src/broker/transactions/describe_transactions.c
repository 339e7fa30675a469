/*
 * describe_transactions.c
 *	  The API DescribeTransactions: how transactional ids stand, and where their open transactions have records.
 *
 * Partitions are those with records.  Those of topics that the client may not know of are left out.
 *
 * A transactional id that is named more than once is described once.
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
	BrokerRepeated *repeated;
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

/* How many partitions at the beginning of an array are of one topic? */
static int
count_of_topic(const KafkaTxnFilePart *parts, int count)
{
	int			n = 1;

	while (n < count && parts[n].key.topic == parts[0].key.topic)
		n++;
	return n;
}

/* Fill in a topic, of which these are the partitions. */
static void
fill_topic(BrokerRequest *request, const KafkaTxnFilePart *parts, int count, DescribedTransaction *answer)
{
	Oid			oid = parts[0].key.topic;
	char	   *name = pgt_access_topic(request->client, oid, ACL_SELECT | ACL_INSERT) ? pgt_topic_names_of(oid) : NULL;
	DescribedTopic *topic;

	if (name == NULL)
		return;
	topic = &answer->topics.items[answer->topics.count++];
	topic->topic = pgt_broker_string(name);
	topic->partitions.items = palloc(count * sizeof(int32));
	topic->partitions.count = count;
	for (int i = 0; i < count; i++)
		topic->partitions.items[i] = parts[i].key.partition;
}

/* Fill in the partitions of the open transaction of that number. */
static void
fill_topics(BrokerRequest *request, uint64 number, DescribedTransaction *answer)
{
	KafkaTxnFilePart *parts;
	int			count = pgt_kafka_txn_map_parts(number, &parts);
	int			topics = 0;

	if (count > 1)
		qsort(parts, count, sizeof(KafkaTxnFilePart), compare_parts);
	for (int i = 0; i < count; i += count_of_topic(parts + i, count - i))
		topics++;
	answer->topics.items = pgt_broker_array(request, KAFKA_DESCRIBE_TRANSACTIONS_RESPONSE_TOPIC_DATA, topics);
	for (int i = 0, n; i < count; i += n)
	{
		n = count_of_topic(parts + i, count - i);
		fill_topic(request, parts + i, n, answer);
	}
	if (parts != NULL)
		pfree(parts);
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
	while (state->next < body->transactional_ids.count)
	{
		int			i = state->next++;

		if (state->repeated[i] == BROKER_REPETITION)
			continue;
		describe(request, body->transactional_ids.items[i],
				 &state->response.transaction_states.items[state->response.transaction_states.count++]);
		if (pgt_broker_slice_is_over())
		{
			pgt_broker_go_on(request, go_on);
			return;
		}
	}
	pgt_broker_answer_in_slices(request, &state->response, NULL);
}

/* BrokerApi */
static void
serve(BrokerRequest *request)
{
	const KafkaDescribeTransactionsRequest *body = request->kafka.body;
	DescribeTransactions *state = palloc0(sizeof(DescribeTransactions));
	int			count = Max(body->transactional_ids.count, 0);

	request->state = state;
	pgt_kafka_default_struct(KAFKA_DESCRIBE_TRANSACTIONS_RESPONSE, &state->response);
	state->response.transaction_states.items =
		pgt_broker_array(request, KAFKA_DESCRIBE_TRANSACTIONS_RESPONSE_TRANSACTION_STATE, count);
	state->repeated = pgt_broker_find_repeated(body->transactional_ids.items, count);
	go_on(request);
}

const BrokerApi pgt_describe_transactions_api = {.key = KAFKA_API_DESCRIBE_TRANSACTIONS, .serve = serve, .uses_tables = true};
