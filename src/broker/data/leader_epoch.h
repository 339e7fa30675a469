/*
 * leader_epoch.h
 *	  The API OffsetForLeaderEpoch: where the batches of a leader end.
 */
#ifndef LEADER_EPOCH_H
#define LEADER_EPOCH_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_leader_epoch_api;

#endif							/* LEADER_EPOCH_H */
