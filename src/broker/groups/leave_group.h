/*
 * leave_group.h
 *	  The API LeaveGroup.
 */
#ifndef LEAVE_GROUP_H
#define LEAVE_GROUP_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_leave_group_api;

#endif							/* LEAVE_GROUP_H */
