/*
 * group_owner.h
 *	  Whose a group is that Kafka's clients use, and who may use it.  All functions are called in a transaction.
 */
#ifndef GROUP_OWNER_H
#define GROUP_OWNER_H

#include "broker/groups/group_coordinator.h"
#include "group/kafka_claim.h"

/* May the client's role act for this one? */
extern bool pgt_group_owner_may_act_for(const BrokerConnection *client, Oid owner);

/* The role that the group belongs to now. */
extern Oid	pgt_group_owner_of(CoordinatorGroup *group);

/* May the client use the group?  No is said as of what is committed now. */
extern bool pgt_group_owner_may_use(const BrokerConnection *client, CoordinatorGroup *group);

/* The same for many groups, which are to be listed: those of topics' owners are left out. */
extern bool pgt_group_owner_may_list(const BrokerConnection *client, CoordinatorGroup *group);

/* Claim a partition for a member (pgt_kafka_claim_take()) as the role that the group belongs to now. */
extern KafkaClaim pgt_group_owner_claim(CoordinatorGroup *group, Oid topic, int32 partition, const char *member);

extern const BrokerHooks pgt_group_owner_hooks;

#endif							/* GROUP_OWNER_H */
