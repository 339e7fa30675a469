/*
 * kafka_api.h
 *	  The APIs of the protocol: what a key stands for, and which versions are served.
 *
 * All that is asked here is answered from the tables of kafka_table.h, so that what is told
 * to a client, what is decoded and what is encoded cannot differ.
 */
#ifndef KAFKA_API_H
#define KAFKA_API_H

#include "kafka/kafka_messages.h"
#include "kafka/kafka_table.h"

/* The API of a key, or NULL. */
extern const KafkaApi *pgt_kafka_api(int key);

extern const char *pgt_kafka_api_name(const KafkaApi *api);

/* Whether requests of this version are answered.  It is told to clients, but for old ones of Produce. */
extern bool pgt_kafka_api_serves(const KafkaApi *api, int version);

/* The version of the header before a request or response of this version, which need not be one that is served. */
extern int	pgt_kafka_api_request_header(const KafkaApi *api, int version);
extern int	pgt_kafka_api_response_header(const KafkaApi *api, int version);

/*
 * Set the response's list of APIs to those that "offered" says yes to, NULL standing for
 * all.  False if the arena has no memory.
 */
extern bool pgt_kafka_api_list(KafkaArena *arena, bool (*offered) (int key), KafkaApiVersionsResponse *response);

#endif							/* KAFKA_API_H */
