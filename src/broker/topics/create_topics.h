/*
 * create_topics.h
 *	  CreateTopics.
 */
#ifndef CREATE_TOPICS_H
#define CREATE_TOPICS_H

#include "broker/helpers/helper.h"
#include "kafka/kafka_error.h"

extern const BrokerApi pgt_create_topics_api;
extern const HelperApi pgt_create_topics_helper;

/*
 * Create a topic of a name, which need not be legal, as a client that leaves all to the server does.
 * KAFKA_ERROR_NONE, or the error with its text, palloc'd in the call's memory.
 */
extern KafkaError pgt_create_topics_by_default(HelperCall *call, KafkaString name, char **message);

#endif							/* CREATE_TOPICS_H */
