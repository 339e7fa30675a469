/*
 * consume_look.h
 *	  What a call of consume() waits for: looks at the topics.
 */
#ifndef CONSUME_LOOK_H
#define CONSUME_LOOK_H

#include "consume/consume_request.h"
#include "consume/consume_wait.h"
#include "utils/snapshot.h"

/*
 * Wait within the running statement until the request has something to consume, or its time
 * is up.  False, without waiting, if the statement's snapshot sees something at once.
 */
extern bool pgt_consume_look_wait(const ConsumeRequest *request, Snapshot snapshot);

/* The ConsumeWaitPrepare of consume() and consume_as(), and the one of consume_many(). */
extern bool pgt_consume_look_prepare(const FuncExpr *call, const NullableDatum *args,
									 ConsumeWaiter *waiter);
extern bool pgt_consume_look_prepare_many(const FuncExpr *call, const NullableDatum *args,
										  ConsumeWaiter *waiter);

/* Tell that a call of consume_many() has an empty list of topics, which may be a query's mistake. */
extern void pgt_consume_look_note_no_topics(const ConsumeRequest *request);

#endif							/* CONSUME_LOOK_H */
