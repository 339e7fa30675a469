/*
 * access.h
 *	  What a client may do with a topic.
 */
#ifndef ACCESS_H
#define ACCESS_H

#include "broker/broker.h"
#include "nodes/parsenodes.h"

/* All are called in a transaction, with a lock on the topic, which exists. */

/* Has the client's role any of these privileges (ACL_SELECT, ACL_INSERT) on a topic? */
extern bool pgt_access_topic(const BrokerConnection *client, Oid topic, AclMode any_of);

/* What the client's role may do with a topic, as a set of bits that Kafka's operations number. */
extern int32 pgt_access_topic_operations(const BrokerConnection *client, Oid topic);

#endif							/* ACCESS_H */
