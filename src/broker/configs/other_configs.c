/*
 * other_configs.c
 *	  Configurations of what Kafka lets be configured and this server does not.
 *
 * Kafka answers for any name of a group, or of a subscription to clients' metrics, whether there is one or not,
 * and with its defaults where nothing was set.  Here nothing can be set for one of them.  What groups have is said by
 * settings, for all of them.
 */
#include "postgres.h"

#include "broker/configs/other_configs.h"
#include "broker/core/broker_settings.h"

/* With the values that the settings have initially. */
static const ConfigEntry group_configs[] = {
	{.name = "consumer.heartbeat.interval.ms", .value = "5000", .type = TOPIC_OPTION_INT,
	.documentation = "How often members of the group tell that they are alive."},
	{.name = "consumer.session.timeout.ms", .value = "45000", .type = TOPIC_OPTION_INT,
	.documentation = "A member of the group that is silent for that long is taken to be gone."},
};

static const ConfigEntry metrics_configs[] = {
	{.name = "interval.ms", .value = "300000", .type = TOPIC_OPTION_INT,
	.documentation = "How often clients would send metrics. None are collected."},
	{.name = "match", .value = "", .type = TOPIC_OPTION_LIST,
	.documentation = "Which clients would send metrics. None are collected."},
	{.name = "metrics", .value = "", .type = TOPIC_OPTION_LIST,
	.documentation = "Which metrics clients would send. None are collected."},
};

static List *
copy_of(const ConfigEntry *entries, int count)
{
	List	   *list = NIL;

	for (int i = 0; i < count; i++)
	{
		ConfigEntry *entry = palloc(sizeof(ConfigEntry));

		*entry = entries[i];
		entry->source = CONFIG_SOURCE_DEFAULT;
		list = lappend(list, entry);
	}
	return list;
}

/* Give a configuration the value of a setting, which is one of the broker's in Kafka. */
static void
take_setting(ConfigEntry *entry, int setting)
{
	const char *value = psprintf("%d", setting);

	if (strcmp(value, entry->value) == 0)
		return;
	entry->value = value;
	entry->source = CONFIG_SOURCE_SETTING;
}

List *
pgt_other_configs_group(void)
{
	List	   *list = copy_of(group_configs, lengthof(group_configs));

	take_setting(linitial(list), pgt_kafka_group_consumer_heartbeat_interval);
	take_setting(lsecond(list), pgt_kafka_group_consumer_session_timeout);
	return list;
}

List *
pgt_other_configs_metrics(void)
{
	return copy_of(metrics_configs, lengthof(metrics_configs));
}
