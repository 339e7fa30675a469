/*
 * write_txn_markers.c
 *	  The API WriteTxnMarkers: an administrator aborts a transaction, as kafka-transactions abort does.
 *
 * Kafka's brokers end transactions by markers in each partition.  Here there are none, and what an administrator asks for in one
 * partition is done to the whole transaction: it is aborted, and its producer is fenced.  Who may do that is who may use the
 * transactional id.  Nobody may commit another one's transaction.
 *
 * Each transaction is aborted in a turn of its own: what the log has as aborted stays so, and must not lose its row by an
 * error of another one.  A request may have any number of markers, and each looks a producer up: some of them are done in a turn.
 */
#include "postgres.h"

#include "broker/transactions/txn_request.h"
#include "broker/transactions/write_txn_markers.h"
#include "format/producer_sequence.h"
#include "kafka/kafka_default.h"

#define MARKERS_IN_TURN	500		/* a few milliseconds, where there is nothing to be ended */

typedef KafkaWriteTxnMarkersRequestWritableTxnMarker AskedMarker;
typedef KafkaWriteTxnMarkersResponseWritableTxnMarkerResult AnsweredMarker;

typedef struct WriteTxnMarkers
{
	TxnRequest	whole;			/* the first field */
	KafkaError *errors;			/* of each marker */
	int			next;			/* the first one without an error */
} WriteTxnMarkers;

/* Do what a marker asks for.  *fences: it has to do with a transaction; *marked as in txn_coordinator.h. */
static KafkaError
abort_one(const BrokerConnection *client, const AskedMarker *asked, bool *fences, bool *marked)
{
	TxnRow		row;
	TxnStanding standing;

	if (asked->transaction_result || !pgt_txn_row_find_producer(asked->producer_id, &row) ||
		!pgt_txn_coordinator_may_use(client, &row))
		return KAFKA_ERROR_CLUSTER_AUTHORIZATION_FAILED;
	if (asked->producer_epoch != row.epoch)
		return KAFKA_ERROR_INVALID_PRODUCER_EPOCH;
	pgt_txn_coordinator_stand(&row, &standing);
	/* it has ended: so has its marker been written */
	if (standing.state != TXN_COORDINATOR_OPEN)
		return KAFKA_ERROR_NONE;
	*fences = true;
	return pgt_txn_coordinator_fence(&row, standing.number, marked);
}

/* TxnRequest */
static KafkaError
step(TxnRequest *whole)
{
	const KafkaWriteTxnMarkersRequest *body = whole->request->kafka.body;
	WriteTxnMarkers *state = (WriteTxnMarkers *) whole;
	int			end = state->next + MARKERS_IN_TURN;

	while (state->next < body->markers.count)
	{
		bool		fences = false;
		KafkaError	error = abort_one(whole->request->client, &body->markers.items[state->next], &fences, &whole->keeps);

		if (error == KAFKA_ERROR_CONCURRENT_TRANSACTIONS)
			return error;
		state->errors[state->next++] = error;
		if ((fences || state->next == end) && state->next < body->markers.count)
		{
			whole->keeps = true;
			return KAFKA_ERROR_CONCURRENT_TRANSACTIONS;
		}
	}
	return KAFKA_ERROR_NONE;
}

/* Give each partition of a marker its error. */
static void
fill_marker(BrokerRequest *request, const AskedMarker *asked, KafkaError error, AnsweredMarker *answer)
{
	int			count = Max(asked->topics.count, 0);

	answer->producer_id = asked->producer_id;
	answer->topics.count = count;
	answer->topics.items = pgt_broker_array(request, KAFKA_WRITE_TXN_MARKERS_RESPONSE_WRITABLE_TXN_MARKER_TOPIC_RESULT, count);
	for (int i = 0; i < count; i++)
	{
		int			partitions = Max(asked->topics.items[i].partition_indexes.count, 0);

		answer->topics.items[i].name = asked->topics.items[i].name;
		answer->topics.items[i].partitions.count = partitions;
		answer->topics.items[i].partitions.items =
			pgt_broker_array(request, KAFKA_WRITE_TXN_MARKERS_RESPONSE_WRITABLE_TXN_MARKER_PARTITION_RESULT, partitions);
		for (int k = 0; k < partitions; k++)
		{
			answer->topics.items[i].partitions.items[k].partition_index = asked->topics.items[i].partition_indexes.items[k];
			answer->topics.items[i].partitions.items[k].error_code = error;
		}
	}
}

/* TxnRequest.  An error of the whole is that of all markers. */
static void
answer(TxnRequest *whole, KafkaError error)
{
	BrokerRequest *request = whole->request;
	const KafkaWriteTxnMarkersRequest *body = request->kafka.body;
	const WriteTxnMarkers *state = (const WriteTxnMarkers *) whole;
	KafkaWriteTxnMarkersResponse response;

	pgt_kafka_default_struct(KAFKA_WRITE_TXN_MARKERS_RESPONSE, &response);
	response.markers.count = Max(body->markers.count, 0);
	response.markers.items = pgt_broker_array(request, KAFKA_WRITE_TXN_MARKERS_RESPONSE_WRITABLE_TXN_MARKER_RESULT,
											  response.markers.count);
	for (int i = 0; i < response.markers.count; i++)
		fill_marker(request, &body->markers.items[i], error != KAFKA_ERROR_NONE ? error : state->errors[i],
					&response.markers.items[i]);
	pgt_broker_answer(request, &response);
}

/* BrokerApi */
static void
serve(BrokerRequest *request)
{
	const KafkaWriteTxnMarkersRequest *body = request->kafka.body;
	WriteTxnMarkers *state = palloc0(sizeof(WriteTxnMarkers));

	state->errors = palloc0(Max(body->markers.count, 1) * sizeof(KafkaError));
	state->whole.step = step;
	state->whole.answer = answer;
	pgt_txn_request_begin_any(&state->whole, request);
}

const BrokerApi pgt_write_txn_markers_api = {.key = KAFKA_API_WRITE_TXN_MARKERS, .serve = serve, .uses_tables = true};
