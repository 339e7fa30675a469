/*
 * migrate_group.h
 *	  Groups with members that go from the classic protocol to the new one, and back: in memory and in rows.
 */
#ifndef MIGRATE_GROUP_H
#define MIGRATE_GROUP_H

#include "broker/groups/consumer_store.h"

/* ---- to the new protocol: in run() of a job (consumer_store.h) ---------------------------- */

/* Why a classic group cannot become one of the new protocol, for the client's log; NULL: it may. */
extern const char *pgt_migrate_group_refuse_upgrade(const CoordinatorGroup *registered);

/* Let a draft have the members of the classic group, which stays as it is; NULL, or why it cannot.  Takes memory. */
extern const char *pgt_migrate_group_fill(const CoordinatorGroup *registered, ConsumerStoreGroup *draft,
										  const ModernWorld *world);

/* The classic group is that from now on, and is what it was if that cannot be stored.  Throws nothing. */
extern void pgt_migrate_group_upgrade(CoordinatorGroup *registered, ConsumerStoreGroup *draft);

/* ---- to the classic one ---------------------------------------------------------------------- */

/* Groups of the new protocol become classic ones by themselves (consumer_groups.h). */
extern const BrokerHooks pgt_migrate_group_hooks;

#endif							/* MIGRATE_GROUP_H */
