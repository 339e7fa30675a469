/*
 * key_placement.c
 *	  The partition that a topic's partitioner gives a key, where nothing but the key decides.
 *
 * A topic can promise that each of its records with a key is where its own partitioner
 * places the key (the option partitioner.enforce).  Then a query for one key reads one
 * partition.  Producing and the check of existing records ask this file whether a record
 * keeps the promise, and queries ask it where to look; so both mean the same.
 *
 * Only built-in partitioners can be enforced, and of these the ones that look at nothing but
 * the key: a function may change, or may look at the value.
 *
 * A key must also be canonical (key_shape.h).  Else the integer 7 might stand as '007' in
 * another partition than that of '7'.
 *
 * No state, no memory.
 */
#include "c.h"

#include <zlib.h>

#include "format/fnv1a.h"
#include "format/key_placement.h"
#include "format/murmur2.h"

PlacementRule
pgt_placement_rule_of(const char *partitioner)
{
	static const struct
	{
		const char *name;
		PlacementRule rule;
	}			rules[] = {
		{"", PLACED_BY_MURMUR2},
		{"murmur2", PLACED_BY_MURMUR2},
		{"murmur2_random", PLACED_BY_MURMUR2},
		{"consistent", PLACED_BY_CRC32},
		{"consistent_random", PLACED_BY_CRC32_OR_EMPTY},
		{"fnv1a", PLACED_BY_FNV1A},
		{"fnv1a_random", PLACED_BY_FNV1A},
	};

	for (int i = 0; i < lengthof(rules); i++)
		if (strcmp(rules[i].name, partitioner) == 0)
			return rules[i].rule;
	return PLACED_ANYWHERE;
}

int32
pgt_placement_rule_apply(PlacementRule rule, int32 partitions, const char *key, int32 length)
{
	switch (rule)
	{
		case PLACED_BY_MURMUR2:
			return pgt_murmur2_partition(key, length, partitions);
		case PLACED_BY_CRC32_OR_EMPTY:
			if (length == 0)
				return NO_PLACEMENT;
			/* FALLTHROUGH */
		case PLACED_BY_CRC32:
			/* librdkafka's rule: an empty key's CRC is 0 */
			return length == 0 ? 0 :
				(int32) (crc32(0, (const Bytef *) key, length) % (uint32) partitions);
		case PLACED_BY_FNV1A:
			return pgt_fnv1a_partition(key, length, partitions);
		case PLACED_ANYWHERE:
			break;
	}
	return NO_PLACEMENT;
}

bool
pgt_key_placement_allows(const KeyPlacement *placement, int32 partition, const char *key,
						 int32 length)
{
	int32		placed = pgt_placement_rule_apply(placement->rule, placement->partitions, key, length);

	if (placed != NO_PLACEMENT && placed != partition)
		return false;
	return placement->shape.form == KEY_SHAPE_NONE ||
		pgt_key_shape_is_canonical(placement->shape, key, length);
}
