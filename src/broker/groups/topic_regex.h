/*
 * topic_regex.h
 *	  Regular expressions that Kafka's clients subscribe to.
 */
#ifndef TOPIC_REGEX_H
#define TOPIC_REGEX_H

#include "kafka/kafka_types.h"

typedef struct TopicRegex TopicRegex;

/*
 * Compile a pattern, in the current memory context.  NULL: it is not good, and *problem says why.  ERROR if it takes too long, as
 * may matching.
 */
extern TopicRegex *pgt_topic_regex_compile(KafkaString pattern, const char **problem);

/* Does it match the whole name, in UTF-8?  Call it between begin and end, which limit its time; the latter also after an ERROR. */
extern bool pgt_topic_regex_matches(TopicRegex *regex, const char *name);
extern void pgt_topic_regex_begin(void);
extern void pgt_topic_regex_end(void);

extern void pgt_topic_regex_free(TopicRegex *regex);

#endif							/* TOPIC_REGEX_H */
