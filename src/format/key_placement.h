/*
 * key_placement.h
 *	  The partition that a topic's partitioner gives a key, where nothing but the key decides.
 */
#ifndef KEY_PLACEMENT_H
#define KEY_PLACEMENT_H

#include "format/key_shape.h"

typedef enum PlacementRule
{
	PLACED_ANYWHERE,			/* more than the key decides */
	PLACED_BY_MURMUR2,
	PLACED_BY_CRC32,
	PLACED_BY_CRC32_OR_EMPTY,	/* an empty key is placed anywhere */
	PLACED_BY_FNV1A
} PlacementRule;

/* What holds for each record with a key in a topic; all zero: nothing does. */
typedef struct KeyPlacement
{
	PlacementRule rule;
	int32		partitions;
	KeyShape	shape;			/* keys are canonical, where it has a form */
} KeyPlacement;

#define NO_PLACEMENT	(-1)

/* The rule of a built-in partitioner for records with a key; "" stands for the default. */
extern PlacementRule pgt_placement_rule_of(const char *partitioner);

/* The key's partition, or NO_PLACEMENT where it may be in any.  length >= 0, partitions > 0. */
extern int32 pgt_placement_rule_apply(PlacementRule rule, int32 partitions, const char *key,
									  int32 length);

/* May a record with that key be in that partition? */
extern bool pgt_key_placement_allows(const KeyPlacement *placement, int32 partition,
									 const char *key, int32 length);

#endif							/* KEY_PLACEMENT_H */
