/*
 * group_migration.h
 *	  A group with members goes from the classic protocol to the new one, and back.
 */
#ifndef GROUP_MIGRATION_H
#define GROUP_MIGRATION_H

#include "coordinator/classic_group.h"
#include "coordinator/modern_group.h"

/*
 * Let a new, empty group have the members of a classic one, with what they have.  NULL, or why it cannot be done: for the
 * client's log; then the new group is of no use.  Takes memory; asks the world for topics.  The classic group stays as it is.
 * Where the new group is stale afterwards a topic was busy, what members have in it is not known, and the new group is of no use yet.
 */
extern const char *pgt_group_migration_upgrade(ClassicGroup *classic, ModernGroup *modern, const ModernWorld *world);

/* Do all of its members, of which there are some, speak the classic protocol, and are they not more than so many? */
extern bool pgt_group_migration_can_downgrade(const ModernGroup *modern, int32 max_size);

/*
 * Let a new, empty classic group have the members of one of the new protocol, all of which speak the classic one, as of
 * now in microseconds.  It is stable, but if rebalance_due is set then, it has to begin a rebalance once it is stored.
 * Takes memory in the current context.
 */
extern void pgt_group_migration_downgrade(const ModernGroup *modern, ClassicGroup *classic, int64 now);

#endif							/* GROUP_MIGRATION_H */
