/*
 * consumer_group_describe.h
 *	  The API ConsumerGroupDescribe.
 */
#ifndef CONSUMER_GROUP_DESCRIBE_H
#define CONSUMER_GROUP_DESCRIBE_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_consumer_group_describe_api;

#endif							/* CONSUMER_GROUP_DESCRIBE_H */
