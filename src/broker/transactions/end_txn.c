/*
 * end_txn.c
 *	  The API EndTxn: committing and aborting a transaction.
 *
 * From version 5 on the producer gets another epoch with it, which it is told (KIP-890).
 */
#include "postgres.h"

#include "broker/transactions/end_txn.h"
#include "broker/transactions/txn_request.h"
#include "format/producer_sequence.h"
#include "format/record_batch.h"
#include "kafka/kafka_default.h"
#include "util/fault_point.h"

#define VERSION_FENCED		2	/* from this one on PRODUCER_FENCED is known */
#define VERSION_ABORTABLE	4	/* likewise TRANSACTION_ABORTABLE */
#define VERSION_BUMPS		5

typedef struct EndTxn
{
	TxnRequest	whole;			/* the first field */
	TxnEnd		end;
	TxnProducer next;
} EndTxn;

/* TxnRequest */
static KafkaError
step(TxnRequest *whole)
{
	EndTxn	   *state = (EndTxn *) whole;
	const KafkaEndTxnRequest *body = whole->request->kafka.body;
	KafkaError	error;

	state->end.marked = false;
	error = pgt_txn_coordinator_end(whole->request->client, whole->id,
									(TxnProducer) {body->producer_id, body->producer_epoch}, &state->end, &state->next);
	whole->keeps = state->end.marked;
	FAULT_POINT("txn-end-done");
	return error;
}

/* TxnRequest */
static void
answer(TxnRequest *whole, KafkaError error)
{
	const EndTxn *state = (const EndTxn *) whole;
	bool		tells = error == KAFKA_ERROR_NONE && state->end.bumps;
	KafkaEndTxnResponse response;

	pgt_kafka_default_struct(KAFKA_END_TXN_RESPONSE, &response);
	response.error_code = pgt_txn_request_error(whole->request, error, VERSION_FENCED);
	response.producer_id = tells ? state->next.id : NO_PRODUCER_ID;
	response.producer_epoch = tells ? state->next.epoch : NO_PRODUCER_EPOCH;
	pgt_broker_answer(whole->request, &response);
}

/* BrokerApi */
static void
serve(BrokerRequest *request)
{
	const KafkaEndTxnRequest *body = request->kafka.body;
	EndTxn	   *state = palloc0(sizeof(EndTxn));

	state->whole.step = step;
	state->whole.answer = answer;
	state->end.commit = body->committed;
	state->end.bumps = request->kafka.version >= VERSION_BUMPS;
	state->end.lost = request->kafka.version >= VERSION_ABORTABLE ? KAFKA_ERROR_TRANSACTION_ABORTABLE :
		KAFKA_ERROR_PRODUCER_FENCED;
	pgt_txn_request_begin(&state->whole, request, body->transactional_id);
}

const BrokerApi pgt_end_txn_api = {.key = KAFKA_API_END_TXN, .serve = serve, .uses_tables = true};
