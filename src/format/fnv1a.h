/*
 * fnv1a.h
 *	  The partition that librdkafka's and Sarama's FNV-1a gives a key.  Layer 0.
 */
#ifndef FNV1A_H
#define FNV1A_H

/* The hash without its sign: 0 .. 2^31.  data may be NULL where length is 0. */
extern uint32 pgt_fnv1a(const char *data, size_t length);

/* The partition of that key.  REQUIRES: partitions > 0. */
extern int32 pgt_fnv1a_partition(const char *key, size_t length, int32 partitions);

#endif							/* FNV1A_H */
