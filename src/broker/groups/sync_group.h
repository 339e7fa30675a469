/*
 * sync_group.h
 *	  The API SyncGroup.
 */
#ifndef SYNC_GROUP_H
#define SYNC_GROUP_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_sync_group_api;

#endif							/* SYNC_GROUP_H */
