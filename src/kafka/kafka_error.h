/*
 * kafka_error.h
 *	  The error codes of the protocol.
 */
#ifndef KAFKA_ERROR_H
#define KAFKA_ERROR_H

#include "c.h"

typedef enum KafkaError
{
#define KAFKA_ERROR(code, name, retriable, message) KAFKA_ERROR_##name = code,
#include "kafka/kafka_error_list.h"
#undef KAFKA_ERROR
} KafkaError;

/* An unknown code is UNKNOWN_SERVER_ERROR to these functions. */

/* The name, as Kafka's clients print it. */
extern const char *pgt_kafka_error_name(int code);

/* What to tell where a response has room for a message: in words, without a period. */
extern const char *pgt_kafka_error_message(int code);

/* Whether Kafka's Java clients try the same again by themselves. */
extern bool pgt_kafka_error_is_retriable(int code);

#endif							/* KAFKA_ERROR_H */
