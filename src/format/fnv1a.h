/*
 * fnv1a.h
 *	  The partition that librdkafka's and Sarama's FNV-1a gives a key.
 */
#ifndef FNV1A_H
#define FNV1A_H

/* The hash without its sign: 0 to 2^31.  data may be NULL if length is 0. */
extern uint32 pgt_fnv1a(const char *data, size_t length);

/* The partition of the key.  REQUIRES: partitions > 0. */
extern int32 pgt_fnv1a_partition(const char *key, size_t length, int32 partitions);

#endif							/* FNV1A_H */
