/*
 * kafka_name.h
 *	  Kafka's rules for names.
 */
#ifndef KAFKA_NAME_H
#define KAFKA_NAME_H

#include "kafka/kafka_types.h"

#define KAFKA_NAME_MAX_TOPIC	249

/* What is wrong with a topic's name, a constant string; NULL: it is a legal one. */
extern const char *pgt_kafka_name_topic_problem(KafkaString name);

/*
 * Whether two names of topics are one in Kafka's metrics, which have "_" for ".": Kafka
 * does not create a topic whose name collides with another one's.
 */
extern bool pgt_kafka_name_topics_collide(KafkaString a, KafkaString b);

/* Whether this may be the name or version of a client's software, as ApiVersions has them. */
extern bool pgt_kafka_name_is_software(KafkaString name);

/*
 * Whether this names a share partition, as brokers ask for its coordinator: group:topic id:partition, of which the group may
 * have colons.
 */
extern bool pgt_kafka_name_is_share_partition(KafkaString name);

#endif							/* KAFKA_NAME_H */
