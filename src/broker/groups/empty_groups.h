/*
 * empty_groups.h
 *	  Groups of Kafka's clients that have no members any more.
 */
#ifndef EMPTY_GROUPS_H
#define EMPTY_GROUPS_H

#include "broker/groups/group_coordinator.h"

extern const BrokerHooks pgt_empty_groups_hooks;

#endif							/* EMPTY_GROUPS_H */
