/*
 * murmur2.h
 *	  The 32-bit murmur2 hash as Kafka's Java client computes it.
 */
#ifndef MURMUR2_H
#define MURMUR2_H

#include "c.h"

/* The hash of the bytes, signed as in Java.  data may be NULL if length is 0. */
extern int32 pgt_murmur2(const char *data, size_t length);

/* The partition that Kafka's default partitioner gives the key.  REQUIRES: partitions > 0. */
extern int32 pgt_murmur2_partition(const char *key, size_t length, int32 partitions);

#endif							/* MURMUR2_H */
