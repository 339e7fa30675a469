/*
 * txn_request.h
 *	  A request to the coordinator of transactions: it is done at the end of a turn, and answered when that is durable.
 */
#ifndef TXN_REQUEST_H
#define TXN_REQUEST_H

#include "broker/core/turn.h"
#include "broker/transactions/txn_coordinator.h"

typedef struct TxnRequest
{
	TurnWork	work;			/* the first field: the request is found by it */
	BrokerRequest *request;
	const char *id;				/* the transactional id, in the encoding of the database */

	/*
	 * Do it, in a subtransaction, of which an error takes all back unless "keeps" is set.  CONCURRENT_TRANSACTIONS: it is
	 * called again in a while, or in the next turn if it "keeps" what it has done, and the answer if that does not help.
	 */
	KafkaError	(*step) (struct TxnRequest *whole);
	bool		keeps;

	void		(*answer) (struct TxnRequest *whole, KafkaError error);

	/* of txn_request.c */
	KafkaError	error;
	XLogRecPtr	lsn;			/* the answer is told when this is durable */
	uint64		xid;			/* of the turn that has done it; 0: it had none */
	int64		retry_until;
	int64		deadline;
	bool		queued;			/* the turn has it */
	bool		dropped;		/* its connection is closed */
} TxnRequest;

/*
 * Begin with it: the first field of a palloc'd struct, of zeros, with the functions set.  A transactional id
 * that is none, and a server that coordinates nothing, are answered at once.
 */
extern void pgt_txn_request_begin(TxnRequest *whole, BrokerRequest *request, KafkaString id);

/* The same for a request that is about no transactional id in particular. */
extern void pgt_txn_request_begin_any(TxnRequest *whole, BrokerRequest *request);

/* For versions before this one a fenced producer is told that its epoch is an old one, as the other error came later. */
extern KafkaError pgt_txn_request_error(const BrokerRequest *request, KafkaError error, int first_version);

/* A client's transactional id in the encoding of the database; NULL if it is none. */
extern char *pgt_txn_request_id(KafkaString id);

#endif							/* TXN_REQUEST_H */
