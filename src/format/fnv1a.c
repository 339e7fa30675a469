/*
 * fnv1a.c
 *	  The 32-bit FNV-1a hash as librdkafka and Sarama take it for a partition.
 *
 * Sarama, the Go client, hashes keys with FNV-1a, reads the hash as a signed
 * number and takes its absolute value; librdkafka's partitioner "fnv1a" is made
 * to agree with it.  As with murmur2 the value for a key never changes.
 *
 *		h = 0x811c9dc5
 *		for each byte:	h ^= byte;  h *= 0x01000193
 *		h = |h|
 *
 * The smallest integer has no absolute value among 32-bit signed numbers.  Sarama
 * divides first, librdkafka converts to unsigned: both arrive at 2^31 modulo the
 * number of partitions, and so does the unsigned arithmetic here.
 *
 * No state, no memory.
 */
#include "c.h"

#include "format/fnv1a.h"

#define FNV_OFFSET_BASIS	0x811c9dc5U
#define FNV_PRIME			0x01000193U
#define SIGN_BIT			0x80000000U

uint32
pgt_fnv1a(const char *data, size_t length)
{
	uint32		h = FNV_OFFSET_BASIS;

	for (size_t i = 0; i < length; i++)
		h = (h ^ (unsigned char) data[i]) * FNV_PRIME;
	return (h & SIGN_BIT) ? 0 - h : h;
}

int32
pgt_fnv1a_partition(const char *key, size_t length, int32 partitions)
{
	return (int32) (pgt_fnv1a(key, length) % (uint32) partitions);
}
