/*
 * delete_groups.h
 *	  The API DeleteGroups.
 */
#ifndef DELETE_GROUPS_H
#define DELETE_GROUPS_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_delete_groups_api;

#endif							/* DELETE_GROUPS_H */
