/*
 * consumer_group_heartbeat.h
 *	  The API ConsumerGroupHeartbeat.
 */
#ifndef CONSUMER_GROUP_HEARTBEAT_H
#define CONSUMER_GROUP_HEARTBEAT_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_consumer_group_heartbeat_api;

#endif							/* CONSUMER_GROUP_HEARTBEAT_H */
