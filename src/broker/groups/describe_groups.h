/*
 * describe_groups.h
 *	  The API DescribeGroups.
 */
#ifndef DESCRIBE_GROUPS_H
#define DESCRIBE_GROUPS_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_describe_groups_api;

#endif							/* DESCRIBE_GROUPS_H */
