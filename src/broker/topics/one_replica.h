/*
 * one_replica.h
 *	  ElectLeaders, AlterPartitionReassignments and ListPartitionReassignments, where each partition has one replica.
 */
#ifndef ONE_REPLICA_H
#define ONE_REPLICA_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_one_replica_elect_api;
extern const BrokerApi pgt_one_replica_reassign_api;
extern const BrokerApi pgt_one_replica_list_api;

#endif							/* ONE_REPLICA_H */
