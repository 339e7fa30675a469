/*
 * topic_names.h
 *	  What a topic is called by Kafka's clients: names and ids.
 */
#ifndef TOPIC_NAMES_H
#define TOPIC_NAMES_H

#include "kafka/kafka_types.h"
#include "nodes/pg_list.h"

/* All are called in a transaction. */

/* The topic of a name: its oid; InvalidOid if there is none, or the name is none. */
extern Oid pgt_topic_names_find(KafkaString name);

/* The name of a topic, palloc'd; NULL if there is no such topic, or it has no name that leads to it. */
extern char *pgt_topic_names_of(Oid topic);

/* Where new topics are whose names say nothing of a schema; InvalidOid if no schema of the search path exists. */
extern Oid	pgt_topic_names_schema(void);

/* Where a new topic of a name, which is legal, is to be. */
typedef struct TopicPlace
{
	Oid			schema;
	char	   *relation;
	char	   *alias;			/* for the option "kafka.topic"; NULL: it needs none */
} TopicPlace;

/* Strings are palloc'd.  False if no schema of the search path exists. */
extern bool pgt_topic_names_place(const char *name, TopicPlace *place);

/* The id of a topic, and the topic of an id: InvalidOid, if it is not one of this database. */
extern KafkaUuid pgt_topic_names_id(Oid topic);
extern Oid pgt_topic_names_by_id(const KafkaUuid *id);
extern bool pgt_topic_names_id_is_null(const KafkaUuid *id);

#endif							/* TOPIC_NAMES_H */
