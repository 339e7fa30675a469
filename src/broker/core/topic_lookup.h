/*
 * topic_lookup.h
 *	  From the topic of a request to its configuration, without waiting for anybody.
 */
#ifndef TOPIC_LOOKUP_H
#define TOPIC_LOOKUP_H

#include "broker/core/broker.h"
#include "format/topic_partition.h"
#include "kafka/kafka_error.h"
#include "nodes/parsenodes.h"
#include "topic/topic_types.h"

/*
 * The configuration of a topic for a client that has any of these privileges (ACL_SELECT,
 * ACL_INSERT).  Else an error that a response can have:
 *
 *	  UNKNOWN_TOPIC_OR_PARTITION	there is no such topic, or the oid is invalid
 *	  TOPIC_AUTHORIZATION_FAILED
 *	  LEADER_NOT_AVAILABLE			a statement has the topic for itself: clients try again
 *
 * Called in a transaction, until whose end the pointer is valid.  No lock is kept.
 */
extern KafkaError pgt_topic_lookup(const BrokerConnection *client, Oid oid, AclMode any_of, const Topic **topic);

/* What such a look-up has found, for as long as a request needs it. */
typedef struct TopicLookup
{
	Oid			relid;
	int32		partitions;		/* 0 with an error */
	KafkaError	error;			/* of those above */
} TopicLookup;

extern TopicLookup pgt_topic_lookup_keep(const BrokerConnection *client, Oid oid, AclMode any_of);

/*
 * Set *key to that of a partition of the topic.  Else the topic's error, or
 * UNKNOWN_TOPIC_OR_PARTITION where it has no such partition.
 */
extern KafkaError pgt_topic_lookup_partition(const TopicLookup *topic, int32 partition, TopicPartition *key);

/*
 * The options of a topic as they were committed last, as a List of DefElem, and how many partitions they say that it has.  A
 * statement that has the topic for itself is not waited for.  False if there is no such topic.
 */
extern bool pgt_topic_lookup_options(Oid oid, List **options);
extern int32 pgt_topic_lookup_partition_count(List *options);

#endif							/* TOPIC_LOOKUP_H */
