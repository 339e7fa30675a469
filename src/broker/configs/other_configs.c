/*
 * other_configs.c
 *	  Configurations of what Kafka lets be configured and this server does not: subscriptions to clients' metrics.
 *
 * Kafka answers for any name of one, whether there is one or not, and with its defaults where nothing was set.  Here nothing
 * can be set.
 */
#include "postgres.h"

#include "broker/configs/other_configs.h"

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

List *
pgt_other_configs_metrics(void)
{
	return copy_of(metrics_configs, lengthof(metrics_configs));
}
