/*
 * share_group_describe.h
 *	  The API ShareGroupDescribe.
 */
#ifndef SHARE_GROUP_DESCRIBE_H
#define SHARE_GROUP_DESCRIBE_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_share_group_describe_api;

#endif							/* SHARE_GROUP_DESCRIBE_H */
