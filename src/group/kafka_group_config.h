/*
 * kafka_group_config.h
 *	  The rows of topic_kafka_group_configs: what is configured for single groups of Kafka's clients.
 */
#ifndef KAFKA_GROUP_CONFIG_H
#define KAFKA_GROUP_CONFIG_H

#include "nodes/pg_list.h"

typedef struct KafkaGroupConfig
{
	char	   *group;
	char	   *name;
	char	   *value;
	Oid			owner;			/* who has set it; GROUP_UNCLAIMED: nobody in particular */
} KafkaGroupConfig;

/* The table of this database; InvalidOid: there is none. */
extern Oid	pgt_kafka_group_config_table(void);

/* The rows of a group, or so many of all groups (NULL): a List of KafkaGroupConfig, palloc'd. */
extern List *pgt_kafka_group_config_read(const char *group, int most);

/* The same of all groups without waiting.  False: somebody has the table for itself. */
extern bool pgt_kafka_group_config_try_read_all(int most, List **rows);

/* How many rows are of this owner. */
extern int	pgt_kafka_group_config_count(Oid owner);

/* Set a configuration, or remove it (NULL).  Whoever serves clients is told with the commit. */
extern void pgt_kafka_group_config_set(const char *group, const char *name, const char *value, Oid owner);

/*
 * Remove all of a group, unless it is of a role whose privileges this one has not.  The second one waits for nobody: false, somebody
 * is changing the table.
 */
extern void pgt_kafka_group_config_delete(const char *group, Oid role);
extern bool pgt_kafka_group_config_try_delete(const char *group, Oid role);

/* Is a row of that owner for this role to change? */
extern bool pgt_kafka_group_config_may_change(Oid role, Oid owner);

#endif							/* KAFKA_GROUP_CONFIG_H */
