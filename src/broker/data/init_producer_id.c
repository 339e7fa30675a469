/*
 * init_producer_id.c
 *	  InitProducerId: an id for a producer that numbers its records, or that has a transactional id.
 *
 * Whoever may produce to any topic, or create one, gets a new id, with epoch 0 (wal/producer_ids.c).  A client
 * that has one already, and says so because it has lost the order of its records, gets
 * another one as well: that is what Kafka does for producers without a transactional id.
 *
 * With a transactional id the client gets that one's producer, with another epoch: producers that had it before
 * are fenced, and what they have left open is aborted (transactions/txn_coordinator.c).
 *
 * Where no id can be had at the moment, on a standby or while the server is about to start, the
 * error is that of a broker whose ids have not arrived: clients ask again, a standby's
 * clients another broker.
 */
#include "postgres.h"

#include "broker/core/access.h"
#include "broker/core/broker_settings.h"
#include "broker/core/topic_names.h"
#include "broker/core/turn.h"
#include "broker/data/init_producer_id.h"
#include "broker/transactions/txn_request.h"
#include "kafka/kafka_default.h"
#include "kafka/kafka_error.h"
#include "topic/topic.h"
#include "wal/producer_ids.h"

/* From this version on PRODUCER_FENCED is known. */
#define VERSION_FENCED	4

static void serve(BrokerRequest *request);

const BrokerApi pgt_init_producer_id_api = {.key = KAFKA_API_INIT_PRODUCER_ID, .serve = serve, .uses_tables = true};

/*
 * May the client produce to any topic of the database, or create one to produce to?  A producer asks for its number before it names
 * topics, which it may be the first to create.
 */
static bool
may_produce(const BrokerConnection *client)
{
	Oid			schema;
	ListCell   *cell;

	pgt_turn_open();
	schema = pgt_topic_names_schema();
	if (OidIsValid(schema) && pgt_access_may_create(client, schema))
		return true;
	foreach(cell, pgt_topic_list())
		if (pgt_access_topic(client, lfirst_oid(cell), ACL_INSERT))
			return true;
	return false;
}

static void
answer(BrokerRequest *request, KafkaError error, TxnProducer given)
{
	KafkaInitProducerIdResponse response;

	pgt_kafka_default_struct(KAFKA_INIT_PRODUCER_ID_RESPONSE, &response);
	response.error_code = error;
	response.producer_id = error == KAFKA_ERROR_NONE ? given.id : NO_PRODUCER_ID;
	response.producer_epoch = error == KAFKA_ERROR_NONE ? given.epoch : NO_PRODUCER_EPOCH;
	pgt_broker_answer(request, &response);
}

static void
answer_error(BrokerRequest *request, KafkaError error)
{
	answer(request, error, (TxnProducer) {NO_PRODUCER_ID, NO_PRODUCER_EPOCH});
}

/* ---- without a transactional id ------------------------------------------------ */

static void
give_id(BrokerRequest *request)
{
	TxnProducer given = {NO_PRODUCER_ID, 0};

	if (!may_produce(request->client))
	{
		answer_error(request, KAFKA_ERROR_CLUSTER_AUTHORIZATION_FAILED);
		return;
	}
	given.id = pgt_producer_ids_next();
	answer(request, given.id != NO_PRODUCER_ID ? KAFKA_ERROR_NONE : KAFKA_ERROR_COORDINATOR_LOAD_IN_PROGRESS, given);
}

/* ---- with one ------------------------------------------------------------------- */

typedef struct InitTransactions
{
	TxnRequest	whole;			/* the first field */
	TxnProducer given;
} InitTransactions;

/* TxnRequest */
static KafkaError
step(TxnRequest *whole)
{
	const KafkaInitProducerIdRequest *body = whole->request->kafka.body;

	return pgt_txn_coordinator_init(whole->request->client, whole->id, body->transaction_timeout_ms,
									(TxnProducer) {body->producer_id, body->producer_epoch},
									&((InitTransactions *) whole)->given, &whole->keeps);
}

/* TxnRequest */
static void
answer_transactional(TxnRequest *whole, KafkaError error)
{
	answer(whole->request, pgt_txn_request_error(whole->request, error, VERSION_FENCED),
		   ((InitTransactions *) whole)->given);
}

static void
give_transactional(BrokerRequest *request)
{
	const KafkaInitProducerIdRequest *body = request->kafka.body;
	InitTransactions *state;

	if (body->transaction_timeout_ms <= 0 || body->transaction_timeout_ms > pgt_kafka_transaction_max_timeout)
	{
		answer_error(request, KAFKA_ERROR_INVALID_TRANSACTION_TIMEOUT);
		return;
	}
	if (!may_produce(request->client))
	{
		answer_error(request, KAFKA_ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
		return;
	}
	state = palloc0(sizeof(InitTransactions));
	state->whole.step = step;
	state->whole.answer = answer_transactional;
	pgt_txn_request_begin(&state->whole, request, body->transactional_id);
}

/* ---- the request ------------------------------------------------------------------ */

/* Are the id and the epoch that the client has both given, or both not? */
static bool
is_sound(const KafkaInitProducerIdRequest *body)
{
	return (body->producer_id == NO_PRODUCER_ID) == (body->producer_epoch == NO_PRODUCER_EPOCH) &&
		body->transactional_id.length != 0;
}

/* BrokerApi */
static void
serve(BrokerRequest *request)
{
	const KafkaInitProducerIdRequest *body = request->kafka.body;

	if (!is_sound(body))
		answer_error(request, KAFKA_ERROR_INVALID_REQUEST);
	else if (body->transactional_id.length > 0)
		give_transactional(request);
	else
		give_id(request);
}
