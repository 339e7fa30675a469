/*
 * topic_options.h
 *	  The options of a topic (Kafka's topic configuration).
 */
#ifndef TOPIC_OPTIONS_H
#define TOPIC_OPTIONS_H

#include "nodes/pg_list.h"
#include "topic/topic_types.h"

#define MAX_RETRY_DELAY_MS	(INT64CONST(365) * 86400000)	/* option retry.delay.ms */

/* Fill a Topic with the values that a topic without any option has. */
extern void pgt_topic_options_defaults(Topic *topic);

/* Does the topic's retention wait for that consumer group, once it is due? */
extern bool pgt_topic_options_waits_for(const Topic *topic, const char *group);

/*
 * Apply a foreign table's options, a List of DefElem, to a Topic; ERROR for an
 * unknown option or a value that the option does not take.
 */
extern void pgt_topic_options_apply(Topic *topic, List *options);

/*
 * The options explicitly set for a topic, as jsonb with numbers as numbers.
 * Without "partitions", so that the result can be passed to create_topic() as config.
 */
extern Datum pgt_topic_options_jsonb(Oid relid);

/* What kind of value an option has, in Kafka's numbers (ConfigType). */
typedef enum TopicOptionType
{
	TOPIC_OPTION_BOOLEAN = 1,
	TOPIC_OPTION_STRING = 2,
	TOPIC_OPTION_INT = 3,
	TOPIC_OPTION_LONG = 5,
	TOPIC_OPTION_DOUBLE = 6,
	TOPIC_OPTION_LIST = 7
} TopicOptionType;

/* An option and its value. */
typedef struct TopicOptionValue
{
	const char *name;
	TopicOptionType type;
	char	   *text;
	bool		is_set;			/* for the topic; else it is the default */
} TopicOptionValue;

/* All options there are, in alphabetical order, with the values that they have in a topic with these. */
extern List *pgt_topic_options_list(List *options);

/* ERROR (fdw_invalid_option_name), with the valid names, for an unknown option. */
extern void pgt_topic_options_check_name(const char *name);

#endif							/* TOPIC_OPTIONS_H */
