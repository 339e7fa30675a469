/*
 * list_config_resources.h
 *	  ListConfigResources: what there is that has a configuration.
 */
#ifndef LIST_CONFIG_RESOURCES_H
#define LIST_CONFIG_RESOURCES_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_list_config_resources_api;

#endif							/* LIST_CONFIG_RESOURCES_H */
