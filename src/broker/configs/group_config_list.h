/*
 * group_config_list.h
 *	  The configuration of a group, as Kafka's clients see it.
 */
#ifndef GROUP_CONFIG_LIST_H
#define GROUP_CONFIG_LIST_H

#include "broker/configs/config_entry.h"
#include "kafka/kafka_types.h"

/* A List of ConfigEntry, of a group that need not be there.  In a transaction. */
extern List *pgt_group_config_list(KafkaString group);

#endif							/* GROUP_CONFIG_LIST_H */
