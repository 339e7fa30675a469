/*
 * init_producer_id.c
 *	  InitProducerId: an id for a producer that numbers its records.
 *
 * Whoever may produce to any topic gets a new id, with epoch 0 (wal/producer_ids.c).  A client
 * that has one already, and says so because it has lost the order of its records, gets
 * another one as well: that is what Kafka does for producers without a transactional id.
 *
 * Transactions of Kafka are not served: who asks for an id for them is not authorized to, which
 * clients take as final.
 *
 * Where no id can be had at the moment, on a standby or while the server is about to start, the
 * error is that of a broker whose ids have not arrived: clients ask again, a standby's
 * clients another broker.
 */
#include "postgres.h"

#include "broker/access.h"
#include "broker/init_producer_id.h"
#include "broker/turn.h"
#include "kafka/kafka_default.h"
#include "kafka/kafka_error.h"
#include "topic/topic.h"
#include "wal/producer_ids.h"

static void serve(BrokerRequest *request);

const BrokerApi pgt_init_producer_id_api = {.key = KAFKA_API_INIT_PRODUCER_ID, .serve = serve};

/* May the client produce to any topic of the database? */
static bool
may_produce(const BrokerConnection *client)
{
	ListCell   *cell;

	pgt_turn_open();
	foreach(cell, pgt_topic_list())
		if (pgt_access_topic(client, lfirst_oid(cell), ACL_INSERT))
			return true;
	return false;
}

/* Are the id and the epoch that the client has both given, or both not? */
static bool
is_sound(const KafkaInitProducerIdRequest *body)
{
	return (body->producer_id == NO_PRODUCER_ID) == (body->producer_epoch == NO_PRODUCER_EPOCH) &&
		body->transactional_id.length != 0;
}

/* The error, or the id. */
static KafkaError
give_id(BrokerRequest *request, int64 *producer_id)
{
	const KafkaInitProducerIdRequest *body = request->kafka.body;

	if (!is_sound(body))
		return KAFKA_ERROR_INVALID_REQUEST;
	if (body->transactional_id.length > 0)
		return KAFKA_ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
	if (!may_produce(request->client))
		return KAFKA_ERROR_CLUSTER_AUTHORIZATION_FAILED;
	*producer_id = pgt_producer_ids_next();
	return *producer_id != NO_PRODUCER_ID ? KAFKA_ERROR_NONE : KAFKA_ERROR_COORDINATOR_LOAD_IN_PROGRESS;
}

static void
serve(BrokerRequest *request)
{
	KafkaInitProducerIdResponse response;

	pgt_kafka_default_struct(KAFKA_INIT_PRODUCER_ID_RESPONSE, &response);
	response.producer_id = NO_PRODUCER_ID;
	response.error_code = give_id(request, &response.producer_id);
	response.producer_epoch = response.error_code == KAFKA_ERROR_NONE ? 0 : NO_PRODUCER_EPOCH;
	pgt_broker_answer(request, &response);
}
