/*
 * alter_group_config.h
 *	  Changing the configuration of a group, for a client.
 */
#ifndef ALTER_GROUP_CONFIG_H
#define ALTER_GROUP_CONFIG_H

#include "broker/helpers/helper.h"

/* What becomes of a configuration. */
typedef struct AlterGroupOption
{
	char	   *name;
	char	   *value;			/* NULL: it is removed */
} AlterGroupOption;

/* In a transaction, as the client's role. */
typedef struct AlterGroupConfig
{
	KafkaString group;
	AlterGroupOption *options;
	int			count;
	bool		replaces;		/* those that are not named are removed */
} AlterGroupConfig;

/* Change the configuration of a group; throws where the role may not, or there is no such configuration or value. */
extern void pgt_alter_group_config(const AlterGroupConfig *change);

#endif							/* ALTER_GROUP_CONFIG_H */
