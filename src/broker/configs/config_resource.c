/*
 * config_resource.c
 *	  What has a configuration: topics, the broker, and what there is nothing of.
 */
#include "postgres.h"

#include "broker/configs/config_resource.h"
#include "broker/core/broker_settings.h"

bool
pgt_config_resource_is_broker(KafkaString name)
{
	char		digits[16];
	int			length = snprintf(digits, sizeof(digits), "%d", pgt_kafka_node_id);

	return name.length == length && memcmp(name.data, digits, length) == 0;
}

KafkaString
pgt_config_resource_key(int type, KafkaString name)
{
	int			length = Max(name.length, 0);
	char	   *key = palloc(length + 1);

	*key = (char) type;
	if (length > 0)
		memcpy(key + 1, name.data, length);
	return (KafkaString) {.data = key, .length = length + 1};
}
