/*
 * list_groups.h
 *	  The API ListGroups.
 */
#ifndef LIST_GROUPS_H
#define LIST_GROUPS_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_list_groups_api;

#endif							/* LIST_GROUPS_H */
