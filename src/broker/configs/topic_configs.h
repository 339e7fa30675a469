/*
 * topic_configs.h
 *	  The options of a topic as Kafka's clients see and set them.
 */
#ifndef TOPIC_CONFIGS_H
#define TOPIC_CONFIGS_H

#include "broker/configs/config_entry.h"

/* The options of a topic that has these set (a List of DefElem), as a List of ConfigEntry. */
extern List *pgt_topic_configs_list(List *options);

/* Is it an option that clients neither see nor set so: the number of partitions, and the topic's name? */
extern bool pgt_topic_configs_is_hidden(const char *name);

#endif							/* TOPIC_CONFIGS_H */
