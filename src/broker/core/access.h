/*
 * access.h
 *	  What a client may do with a topic, and with the cluster.
 */
#ifndef ACCESS_H
#define ACCESS_H

#include "broker/core/broker.h"
#include "nodes/parsenodes.h"

/* All are called in a transaction.  On a topic that does not exist nobody has any right. */

/* Has the client's role any of these privileges (ACL_SELECT, ACL_INSERT) on a topic? */
extern bool pgt_access_topic(const BrokerConnection *client, Oid topic, AclMode any_of);

/* Is the role the topic's owner, or a member of it?  It may alter and drop the topic. */
extern bool pgt_access_owns_topic(const BrokerConnection *client, Oid topic);

/* May the role create topics in a schema? */
extern bool pgt_access_may_create(const BrokerConnection *client, Oid schema);

/* What the client's role may do with a topic, as a set of bits that Kafka's operations number. */
extern int32 pgt_access_topic_operations(const BrokerConnection *client, Oid topic);

/* The same of the cluster. */
extern int32 pgt_access_cluster_operations(const BrokerConnection *client);

/*
 * Another number than before, if any of these may have another answer than before.  Of changes elsewhere it
 * knows as soon as the turn does.
 */
extern uint64 pgt_access_version(void);

extern const BrokerHooks pgt_access_hooks;

#endif							/* ACCESS_H */
