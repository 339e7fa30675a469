/*
 * classic_heartbeat.h
 *	  Heartbeats, and other signs of life.
 */
#ifndef CLASSIC_HEARTBEAT_H
#define CLASSIC_HEARTBEAT_H

#include "coordinator/classic_group.h"

/* A member is alive: the answer, which is REBALANCE_IN_PROGRESS where it is to join again. */
extern KafkaError pgt_classic_heartbeat(ClassicGroup *group, KafkaString member, KafkaString instance_id,
										int32 generation, int64 now);

/* It commits offsets: may it?  Without a generation and a member, anybody may where the group has no members. */
extern KafkaError pgt_classic_heartbeat_commit(ClassicGroup *group, KafkaString member, KafkaString instance_id,
											   int32 generation, int64 now);

#endif							/* CLASSIC_HEARTBEAT_H */
