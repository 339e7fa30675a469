/*
 * group_configs.h
 *	  What is configured for single groups of Kafka's clients: which configurations there are, and their values.
 */
#ifndef GROUP_CONFIGS_H
#define GROUP_CONFIGS_H

#include "broker/core/broker.h"

/* In alphabetical order of their names. */
typedef enum GroupConfig
{
	GROUP_CONFIG_CONSUMER_HEARTBEAT_INTERVAL,
	GROUP_CONFIG_CONSUMER_SESSION_TIMEOUT,
	GROUP_CONFIG_SHARE_AUTO_OFFSET_RESET,	/* BrokerSettingsReset */
	GROUP_CONFIG_SHARE_HEARTBEAT_INTERVAL,
	GROUP_CONFIG_SHARE_ISOLATION_LEVEL,
	GROUP_CONFIG_SHARE_RECORD_LOCK_DURATION,
	GROUP_CONFIG_SHARE_SESSION_TIMEOUT,
	GROUP_CONFIG_COUNT
} GroupConfig;

/* What is fixed of one. */
typedef struct GroupConfigType
{
	const char *name;
	const int  *setting;		/* what groups have that say nothing; of a word it is its place among "words" */
	const char *broker_name;	/* of what Kafka's broker has for groups that say nothing; NULL: nothing */
	int			initial;		/* what the setting is at first, where there is no such name */
	const char *const *words;	/* NULL: it is a number, in milliseconds */
	int			least;
	int			most;
	GroupConfig less;			/* it must be greater than this one; GROUP_CONFIG_COUNT: there is none */
	const char *documentation;
} GroupConfigType;

extern const GroupConfigType pgt_group_configs_types[GROUP_CONFIG_COUNT];

/* The configuration of that name; GROUP_CONFIG_COUNT: there is none. */
extern int	pgt_group_configs_find(const char *name);

/* A value as a number, and back; false: it cannot be one. */
extern bool pgt_group_configs_parse(GroupConfig config, const char *text, int *value);
extern const char *pgt_group_configs_text(GroupConfig config, int value);

/* Which values there are, to be put behind a message. */
extern const char *pgt_group_configs_hint(GroupConfig config);

/* ---- in the loop ------------------------------------------------------------------- */

/* The value for a group, as was last read; and whether it was set for the group. */
extern int	pgt_group_configs_get(KafkaString group, GroupConfig config);
extern int	pgt_group_configs_of(const char *group, GroupConfig config);
extern bool pgt_group_configs_is_set(KafkaString group, GroupConfig config, int *value);

/* Read the table again, if it has changed; in a transaction. */
extern void pgt_group_configs_refresh(void);

extern const BrokerHooks pgt_group_configs_hooks;

#endif							/* GROUP_CONFIGS_H */
