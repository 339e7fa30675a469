/*
 * classic_rebalance.h
 *	  Rebalances: how a group comes from one generation to the next.
 */
#ifndef CLASSIC_REBALANCE_H
#define CLASSIC_REBALANCE_H

#include "coordinator/classic_group.h"

/* Begin a rebalance, where the group is in a state for that; else end the one that is under way, if all have joined. */
extern void pgt_classic_rebalance_begin(ClassicGroup *group, int64 now);

/* Begin one from EMPTY, COMPLETING_REBALANCE or STABLE. */
extern void pgt_classic_rebalance_prepare(ClassicGroup *group, int64 now);

/* End PREPARING_REBALANCE, if all have joined and it is not an initial one. */
extern void pgt_classic_rebalance_try_complete(ClassicGroup *group, int64 now);

/* Members were removed. */
extern void pgt_classic_rebalance_without(ClassicGroup *group, int64 now);

/* Remove a member, and do what follows from that. */
extern void pgt_classic_rebalance_remove(ClassicGroup *group, ClassicMember *member, int64 now);

/* The group was stored as it was at the last call of store(), or could not be. */
extern void pgt_classic_rebalance_stored(ClassicGroup *group, KafkaError error, int64 now);

/* Do what is due by now. */
extern void pgt_classic_rebalance_tick(ClassicGroup *group, int64 now);

#endif							/* CLASSIC_REBALANCE_H */
