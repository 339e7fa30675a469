/*
 * group_config_list.c
 *	  The configuration of a group, as Kafka's clients see it.
 *
 * A value is the group's own, or the setting's that counts for groups that say nothing.  As in Kafka, any name has a configuration, whether
 * there is such a group or not.
 */
#include "postgres.h"

#include "broker/configs/broker_configs.h"
#include "broker/configs/group_config_list.h"
#include "broker/groups/group_configs.h"

static ConfigSynonym *
make_synonym(const char *name, const char *value, ConfigSource source)
{
	ConfigSynonym *synonym = palloc(sizeof(ConfigSynonym));

	*synonym = (ConfigSynonym) {name, value, source};
	return synonym;
}

/* What groups have that say nothing: the broker's configuration or, where Kafka has none of the kind, the setting. */
static List *
default_synonyms(GroupConfig config)
{
	const GroupConfigType *type = &pgt_group_configs_types[config];
	const char *const names[] = {type->broker_name, NULL};

	if (type->broker_name != NULL)
		return pgt_broker_configs_synonyms(names, NIL);
	return list_make1(make_synonym(type->name, pgt_group_configs_text(config, *type->setting),
								   *type->setting == type->initial ? CONFIG_SOURCE_DEFAULT : CONFIG_SOURCE_SETTING));
}

static ConfigEntry *
make_entry(KafkaString group, GroupConfig config)
{
	const GroupConfigType *type = &pgt_group_configs_types[config];
	ConfigEntry *entry = palloc0(sizeof(ConfigEntry));
	const ConfigSynonym *first;
	int			value;

	entry->name = type->name;
	entry->type = type->words == NULL ? TOPIC_OPTION_INT : TOPIC_OPTION_STRING;
	entry->documentation = type->documentation;
	entry->synonyms = default_synonyms(config);
	if (pgt_group_configs_is_set(group, config, &value))
		entry->synonyms = lcons(make_synonym(type->name, pgt_group_configs_text(config, value), CONFIG_SOURCE_GROUP),
								entry->synonyms);
	first = linitial(entry->synonyms);
	entry->value = first->value;
	entry->source = first->source;
	return entry;
}

List *
pgt_group_config_list(KafkaString group)
{
	List	   *entries = NIL;

	pgt_group_configs_refresh();
	for (int config = 0; config < GROUP_CONFIG_COUNT; config++)
		entries = lappend(entries, make_entry(group, config));
	return entries;
}
