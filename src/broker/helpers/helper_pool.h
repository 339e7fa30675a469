/*
 * helper_pool.h
 *	  The loop's side of the helper processes.
 */
#ifndef HELPER_POOL_H
#define HELPER_POOL_H

#include "broker/core/broker.h"
#include "kafka/kafka_error.h"

/*
 * Let a helper process serve a request, which is parked until it is answered.  Where no answer comes
 * within timeout_ms, or the helper ends, refuse() answers it with an error for all that the
 * request asks for; a part of it may have been done.  Nothing is done where timeout_ms is not positive.
 */
extern void pgt_helper_pool_hand(BrokerRequest *request, int32 timeout_ms,
								 void (*refuse) (BrokerRequest *request, KafkaError error, const char *message));

/*
 * Let a helper process do what it does for a request of this kind, which the caller answers
 * by itself, and need not keep.  False where too much of that waits already.
 */
extern bool pgt_helper_pool_leave(const BrokerRequest *request, int32 timeout_ms);

extern const BrokerHooks pgt_helper_pool_hooks;

#endif							/* HELPER_POOL_H */
