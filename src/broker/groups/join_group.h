/*
 * join_group.h
 *	  The API JoinGroup.
 */
#ifndef JOIN_GROUP_H
#define JOIN_GROUP_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_join_group_api;

#endif							/* JOIN_GROUP_H */
