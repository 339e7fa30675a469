/*
 * broker_wait.h
 *	  Parked requests: what the dispatcher does with them.  broker.h has what APIs do.
 */
#ifndef BROKER_WAIT_H
#define BROKER_WAIT_H

#include "broker/core/broker.h"

extern void pgt_broker_wait_init(void);

/* The request is not parked any more: it is about to be answered, woken or freed. */
extern void pgt_broker_wait_forget(BrokerRequest *request);

/* WAL up to there is durable: wake the requests that wait for that. */
extern void pgt_broker_wait_reached(BrokerDurability durability, XLogRecPtr lsn);

/*
 * The next request that is to be woken, which is not parked any more; NULL: there is none.  Its
 * wake function is in request->wait.
 */
extern BrokerRequest *pgt_broker_wait_next(void);

/* How many are to be woken. */
extern int	pgt_broker_wait_woken_count(void);

/* The same for requests that have had a slice and are to get another one. */
extern BrokerRequest *pgt_broker_wait_next_slice(void);
extern int	pgt_broker_wait_slice_count(void);

/* A slice begins: of a request that is about to be served or woken. */
extern void pgt_broker_wait_begin_slice(void);

#endif							/* BROKER_WAIT_H */
