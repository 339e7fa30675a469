/*
 * broker_configs.h
 *	  The configuration of the broker, in Kafka's names.
 */
#ifndef BROKER_CONFIGS_H
#define BROKER_CONFIGS_H

#include "broker/configs/config_entry.h"
#include "broker/core/broker.h"

/* All of it, as a List of ConfigEntry, for a client. */
extern List *pgt_broker_configs_list(const BrokerConnection *client);

/*
 * Those of these names, a list that ends with NULL, that have a value, as a List of ConfigSynonym.  "options" is
 * what pgt_topic_options_list() says of a topic without options.
 */
extern List *pgt_broker_configs_synonyms(const char *const *names, List *options);

/*
 * The name of the setting in postgresql.conf that one of Kafka's names is; NULL: a name of Kafka's for something
 * that cannot be set, or no name that is known.
 */
extern const char *pgt_broker_configs_setting(const char *name);

#endif							/* BROKER_CONFIGS_H */
