/*
 * consumer_topics.h
 *	  What the names of topics lead to, for consumer groups, which ask it again and again.
 */
#ifndef CONSUMER_TOPICS_H
#define CONSUMER_TOPICS_H

#include "broker/core/broker.h"

/* What a name leads to. */
typedef struct ConsumerTopic
{
	Oid			relid;			/* InvalidOid: nothing */
	int32		partitions;
	bool		busy;			/* a statement has the topic for itself: how many partitions there are is not known */
} ConsumerTopic;

/* In a transaction.  What was found before, and has not changed since, costs little. */
extern ConsumerTopic pgt_consumer_topics_find(const char *name);

/* Another number than before, if any name may lead elsewhere than before.  In a transaction. */
extern uint64 pgt_consumer_topics_version(void);

/*
 * Is that number still the same, as far as this process has heard?  Of changes elsewhere it hears with each transaction; it
 * is to have one now and then, which the second function asks for.  Neither needs one.
 */
extern bool pgt_consumer_topics_is_current(uint64 version);
extern bool pgt_consumer_topics_must_listen(void);

extern const BrokerHooks pgt_consumer_topics_hooks;

#endif							/* CONSUMER_TOPICS_H */
