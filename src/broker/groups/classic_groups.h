/*
 * classic_groups.h
 *	  The groups of the classic protocol, as the APIs find them.
 */
#ifndef CLASSIC_GROUPS_H
#define CLASSIC_GROUPS_H

#include "broker/groups/classic_answer.h"
#include "broker/groups/group_coordinator.h"
#include "coordinator/modern_group.h"

/* The state of a group of that kind; NULL: it is none. */
extern ClassicGroup *pgt_classic_groups_state(const CoordinatorGroup *registered);

/* The same of an id; NULL: there is no such group. */
extern ClassicGroup *pgt_classic_groups_find(KafkaString id);

/* A new group of an id that is not known, or is that of an empty group of the other kind; or NULL: the client may not use it.  In a transaction. */
extern ClassicGroup *pgt_classic_groups_make(const BrokerConnection *client, KafkaString id);

/*
 * The state of a classic group with the members of one of the new protocol, for the registry; its rows are written with it.
 * Takes memory, and is in a transaction.
 */
extern void *pgt_classic_groups_draft(CoordinatorGroup *registered, const ModernGroup *modern);

/* A group begins its life with members: with a rebalance, if one is due. */
extern void pgt_classic_groups_begin(CoordinatorGroup *registered);

/*
 * Call after whatever may have changed the group: it is woken in time, and is forgotten, if it has become empty and nobody
 * needs to know of it.
 */
extern void pgt_classic_groups_settle(ClassicGroup *group);

extern const BrokerHooks pgt_classic_groups_hooks;

#endif							/* CLASSIC_GROUPS_H */
