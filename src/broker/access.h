/*
 * access.h
 *	  What a client may do with a topic.
 */
#ifndef ACCESS_H
#define ACCESS_H

#include "broker/broker.h"
#include "nodes/parsenodes.h"

/* Has the client's role any of these privileges (ACL_SELECT, ACL_INSERT) on a topic?  Called in a transaction. */
extern bool pgt_access_topic(const BrokerConnection *client, Oid topic, AclMode any_of);

#endif							/* ACCESS_H */
