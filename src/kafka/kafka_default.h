/*
 * kafka_default.h
 *	  Structures with the defaults of Kafka's schemas.
 */
#ifndef KAFKA_DEFAULT_H
#define KAFKA_DEFAULT_H

#include "kafka/kafka_table.h"

/* Give all fields of a structure their defaults. */
extern void pgt_kafka_default_struct(KafkaStructId id, void *structure);

/* An array of structures that have their defaults; NULL if the arena has no memory. */
extern void *pgt_kafka_default_array(KafkaArena *arena, KafkaStructId id, int32 count);

/* Give a field its default, where its memory is zeros. */
extern void pgt_kafka_default_field(const KafkaField *field, void *value);

#endif							/* KAFKA_DEFAULT_H */
