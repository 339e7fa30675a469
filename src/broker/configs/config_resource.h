/*
 * config_resource.h
 *	  What has a configuration: topics, the broker, and what there is nothing of.
 */
#ifndef CONFIG_RESOURCE_H
#define CONFIG_RESOURCE_H

#include "kafka/kafka_types.h"

/* In Kafka's numbers (ConfigResource.Type). */
typedef enum ConfigResource
{
	CONFIG_RESOURCE_TOPIC = 2,
	CONFIG_RESOURCE_BROKER = 4,
	CONFIG_RESOURCE_BROKER_LOGGER = 8,
	CONFIG_RESOURCE_CLIENT_METRICS = 16,
	CONFIG_RESOURCE_GROUP = 32
} ConfigResource;

/* Is it the number of the one broker, in digits? */
extern bool pgt_config_resource_is_broker(KafkaString name);

/* What tells a resource from others: its type and its name, palloc'd. */
extern KafkaString pgt_config_resource_key(int type, KafkaString name);

#endif							/* CONFIG_RESOURCE_H */
