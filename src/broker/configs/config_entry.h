/*
 * config_entry.h
 *	  A configuration of a topic, broker or group, as Kafka's clients see it.
 */
#ifndef CONFIG_ENTRY_H
#define CONFIG_ENTRY_H

#include "nodes/pg_list.h"
#include "topic/topic_options.h"

/* Where a value comes from, in Kafka's numbers (ConfigSource). */
typedef enum ConfigSource
{
	CONFIG_SOURCE_TOPIC = 1,	/* an option of the topic */
	CONFIG_SOURCE_SETTING = 4,	/* a setting that is not as it is initially: STATIC_BROKER_CONFIG */
	CONFIG_SOURCE_DEFAULT = 5,
	CONFIG_SOURCE_GROUP = 8		/* of the group itself: DYNAMIC_GROUP_CONFIG */
} ConfigSource;

/* What else gives the value, or would if those before it did not. */
typedef struct ConfigSynonym
{
	const char *name;
	const char *value;
	ConfigSource source;
} ConfigSynonym;

typedef struct ConfigEntry
{
	const char *name;
	const char *value;			/* NULL: none */
	TopicOptionType type;
	ConfigSource source;
	bool		read_only;
	const char *documentation;
	List	   *synonyms;		/* of ConfigSynonym, in the order in which they count */
} ConfigEntry;

#endif							/* CONFIG_ENTRY_H */
