/*
 * kafka_throttle.h
 *	  Where a response tells how long its client has to wait.
 */
#ifndef KAFKA_THROTTLE_H
#define KAFKA_THROTTLE_H

#include "kafka/kafka_table.h"

/* Set ThrottleTimeMs of a response's structure, if it has that in this version. */
extern void pgt_kafka_throttle_set(const KafkaApi *api, int version, void *response, int32 ms);

/*
 * The place of ThrottleTimeMs in the frame of a response, behind the frame's size and the header.  0: it has none in
 * this version, or something of no fixed length stands before it.
 */
extern size_t pgt_kafka_throttle_place(const KafkaApi *api, int version);

#endif							/* KAFKA_THROTTLE_H */
