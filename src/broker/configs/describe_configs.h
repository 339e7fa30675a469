/*
 * describe_configs.h
 *	  DescribeConfigs: the configuration of topics and of the broker.
 */
#ifndef DESCRIBE_CONFIGS_H
#define DESCRIBE_CONFIGS_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_describe_configs_api;

#endif							/* DESCRIBE_CONFIGS_H */
