/*
 * txn_coordinator.h
 *	  The coordinator of transactions: what becomes of each wish of a producer with a transactional id.
 */
#ifndef TXN_COORDINATOR_H
#define TXN_COORDINATOR_H

#include "broker/core/broker.h"
#include "broker/transactions/txn_row.h"
#include "kafka/kafka_error.h"

/* A producer as a client names it; ids and epochs of -1 are none. */
typedef struct TxnProducer
{
	int64		id;
	int16		epoch;
} TxnProducer;

/* How a transactional id stands. */
typedef enum TxnCoordinatorState
{
	TXN_COORDINATOR_EMPTY,		/* there was no transaction since the epoch was given */
	TXN_COORDINATOR_OPEN,
	TXN_COORDINATOR_LOST,		/* one was begun, and is not open any more: it was aborted */
	TXN_COORDINATOR_COMMITTED,
	TXN_COORDINATOR_ABORTED
} TxnCoordinatorState;

/* How the transactional id of a row stands, and the number of its open transaction. */
extern TxnCoordinatorState pgt_txn_coordinator_state(const TxnRow *row, uint64 *number);

/* The same, with when the open one was begun. */
typedef struct TxnStanding
{
	TxnCoordinatorState state;
	uint64		number;			/* of the open one */
	TimestampTz started;
} TxnStanding;

extern void pgt_txn_coordinator_stand(const TxnRow *row, TxnStanding *standing);

/* As Kafka names the state; and is it a name of one of Kafka's states? */
extern const char *pgt_txn_coordinator_state_name(TxnCoordinatorState state);
extern bool pgt_txn_coordinator_is_state(KafkaString name);

/* May the client use the transactional id of a row?  In a transaction. */
extern bool pgt_txn_coordinator_may_use(const BrokerConnection *client, const TxnRow *row);

/*
 * Set *number to that of the producer's open transaction; with "begins" one is begun if there is none.  In a transaction, of
 * which it becomes no part: it holds whatever becomes of that.  Besides errors of Kafka's: CONCURRENT_TRANSACTIONS
 * means that it is not possible at the moment.
 */
extern KafkaError pgt_txn_coordinator_number(const BrokerConnection *client, const char *id, TxnProducer producer,
											 bool begins, uint64 *number);

/*
 * What follows becomes part of the current transaction, and is called in its before() (turn.h), each in a
 * subtransaction of its own, which is rolled back after any error, unless "marked" is set: then what was written is to be
 * committed, whatever the error.  CONCURRENT_TRANSACTIONS: to be called again in a later turn, after "marked" in the next one.
 *
 * Give the transactional id to the client, whose producer is the only one from then on.  Its open transaction is aborted.
 * "known" is the producer that the client has been until now, or none.
 */
extern KafkaError pgt_txn_coordinator_init(const BrokerConnection *client, const char *id, int32 timeout_ms,
										   TxnProducer known, TxnProducer *given, bool *marked);

/* Begin a transaction, if none is open. */
extern KafkaError pgt_txn_coordinator_begin(const BrokerConnection *client, const char *id, TxnProducer producer);

/* How a client wants its transaction to end. */
typedef struct TxnEnd
{
	bool		commit;
	bool		bumps;			/* the producer gets another epoch with it (KIP-890) */
	KafkaError	lost;			/* the error for a commit of what was aborted */
	bool		marked;			/* set, see above */
} TxnEnd;

/* End it.  *next is the producer from then on. */
extern KafkaError pgt_txn_coordinator_end(const BrokerConnection *client, const char *id, TxnProducer producer,
										  TxnEnd *end, TxnProducer *next);

/* Abort the open transaction of that number, of the producer of that row, and fence the producer. */
extern KafkaError pgt_txn_coordinator_fence(TxnRow *row, uint64 number, bool *marked);

#endif							/* TXN_COORDINATOR_H */
