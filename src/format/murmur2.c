/*
 * murmur2.c
 *	  The 32-bit murmur2 hash as Kafka's Java client computes it.
 *
 * A keyed record must land on the partition number that Kafka's default
 * partitioner would give it, so that a topic copied from there (or read by a
 * client that works out partitions itself) keeps each key in one place.  The
 * hash is therefore part of the interface: its value for a key never changes.  The
 * partitioner decides about null keys.
 *
 * Austin Appleby's MurmurHash2 with a fixed seed:
 *
 *		h = seed ^ length
 *		for each little-endian word k:	k *= m;  k ^= k >> r;  k *= m
 *										h *= m;  h ^= k
 *		1-3 bytes left over:			h ^= them (little-endian);  h *= m
 *		h ^= h >> 13;  h *= m;  h ^= h >> 15
 *
 * All arithmetic is modulo 2^32 with logical shifts; Java shows the result as
 * a signed number.  Words are put together byte by byte, which the compiler
 * makes one load of, so byte order and alignment do not matter.
 *
 * The partition is (h & 0x7fffffff) % n: masked, not abs(), which has no
 * answer for the smallest integer and maps the negative half differently.
 *
 * No state, no memory.
 */
#include "c.h"

#include "format/murmur2.h"

#define MURMUR2_SEED	0x9747b28cU
#define MURMUR2_M		0x5bd1e995U
#define MURMUR2_R		24

/* Four bytes as a little-endian word. */
static inline uint32
little_endian_word(const unsigned char *p)
{
	return (uint32) p[0] | ((uint32) p[1] << 8) | ((uint32) p[2] << 16) | ((uint32) p[3] << 24);
}

/* The hash with the last "length" (0-3) bytes mixed in. */
static inline uint32
mix_tail(uint32 h, const unsigned char *p, size_t length)
{
	if (length == 0)
		return h;
	if (length > 2)
		h ^= (uint32) p[2] << 16;
	if (length > 1)
		h ^= (uint32) p[1] << 8;
	h ^= p[0];
	return h * MURMUR2_M;
}

int32
pgt_murmur2(const char *data, size_t length)
{
	const unsigned char *p = (const unsigned char *) data;
	uint32		h = MURMUR2_SEED ^ (uint32) length;

	for (; length >= 4; p += 4, length -= 4)
	{
		uint32		k = little_endian_word(p) * MURMUR2_M;

		k ^= k >> MURMUR2_R;
		k *= MURMUR2_M;
		h = (h * MURMUR2_M) ^ k;
	}
	h = mix_tail(h, p, length);
	h ^= h >> 13;
	h *= MURMUR2_M;
	h ^= h >> 15;
	return (int32) h;
}

int32
pgt_murmur2_partition(const char *key, size_t length, int32 partitions)
{
	return (pgt_murmur2(key, length) & 0x7fffffff) % partitions;
}
