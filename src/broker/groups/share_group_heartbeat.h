/*
 * share_group_heartbeat.h
 *	  The API ShareGroupHeartbeat.
 */
#ifndef SHARE_GROUP_HEARTBEAT_H
#define SHARE_GROUP_HEARTBEAT_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_share_group_heartbeat_api;

#endif							/* SHARE_GROUP_HEARTBEAT_H */
