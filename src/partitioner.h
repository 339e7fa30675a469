/*
 * partitioner.h
 *	  Which partition a record goes to.  Layer 5.
 */
#ifndef PARTITIONER_H
#define PARTITIONER_H

#include "serializer.h"
#include "topic.h"

/*
 * The partition of a record for which none was named: the topic's rule, by
 * default murmur2 of the key as Kafka's Java client has it, a null key round
 * robin.
 */
extern int32 pgt_choose_partition(Topic *topic, ByteView key, ByteView value);

/* ERROR (invalid_parameter_value) naming the valid ones, for an unknown partitioner. */
extern void pgt_partitioner_check(const char *name);

#endif							/* PARTITIONER_H */
