/*
 * add_offsets_to_txn.c
 *	  The API AddOffsetsToTxn: clients begin a transaction with it, before they commit offsets of a group in that.
 *
 * Which groups a transaction has offsets of is known when it has some (pending_offset.h).  So what is named is checked, and not
 * kept.
 */
#include "postgres.h"

#include "broker/groups/group_coordinator.h"
#include "broker/transactions/add_offsets_to_txn.h"
#include "broker/transactions/txn_request.h"
#include "kafka/kafka_default.h"

/* From this version on PRODUCER_FENCED is known. */
#define VERSION_FENCED	2

/* TxnRequest */
static KafkaError
step(TxnRequest *whole)
{
	const KafkaAddOffsetsToTxnRequest *body = whole->request->kafka.body;
	KafkaError	error = pgt_group_coordinator_check(whole->request->client, body->group_id);

	if (error != KAFKA_ERROR_NONE)
		return error;
	return pgt_txn_coordinator_begin(whole->request->client, whole->id,
									 (TxnProducer) {body->producer_id, body->producer_epoch});
}

/* TxnRequest */
static void
answer(TxnRequest *whole, KafkaError error)
{
	KafkaAddOffsetsToTxnResponse response;

	pgt_kafka_default_struct(KAFKA_ADD_OFFSETS_TO_TXN_RESPONSE, &response);
	response.error_code = pgt_txn_request_error(whole->request, error, VERSION_FENCED);
	pgt_broker_answer(whole->request, &response);
}

/* BrokerApi */
static void
serve(BrokerRequest *request)
{
	const KafkaAddOffsetsToTxnRequest *body = request->kafka.body;
	TxnRequest *whole = palloc0(sizeof(TxnRequest));

	whole->step = step;
	whole->answer = answer;
	pgt_txn_request_begin(whole, request, body->transactional_id);
}

const BrokerApi pgt_add_offsets_to_txn_api = {.key = KAFKA_API_ADD_OFFSETS_TO_TXN, .serve = serve, .uses_tables = true};
