/*
 * key_map.c
 *	  A bounded map from a record's key to the offset of its last record.
 *
 * Compaction and latest() go over a log twice: first to learn which offset is the last
 * one of each key, then to keep or return the records at those offsets.  This map
 * holds what the first pass learns.  Its size is fixed when it is made, so its memory is
 * bounded whatever the keys are; a caller that fills it ends its range there, or
 * divides the keys into several maps.
 *
 * The map is a table with open addressing: slots of KEY_SLOT_SIZE bytes, probed one after
 * the other, at most three quarters of them in use.  One slot:
 *
 *	  0   1                16                24
 *	  +---+----------------+-----------------+
 *	  | n | key            | offset + 1      |	0: the slot is empty
 *	  +---+----------------+-----------------+
 *
 * If n <= KEY_INLINE_MAX, the key itself follows: n bytes, then zeros.  If n is
 * KEY_IS_HASHED, the first 15 bytes of the key's SHA-256 follow.  Two keys that count as
 * one would lose a record for good, so short keys are stored exactly, and two long
 * keys are mixed up only by a collision in 120 bits of SHA-256, which nobody can
 * construct (MD5 collisions can be).
 *
 * Probing begins at a hash of the key with a seed that each map draws anew, so nobody
 * can choose keys that all begin at the same slot.
 *
 * Memory: one context for the map and its table.  The hashing context belongs to the
 * current resource owner, which frees it if the transaction is rolled back; the map is
 * gone then, too.  No I/O, no locks.
 */
#include "postgres.h"

#include "common/cryptohash.h"
#include "common/hashfn.h"
#include "common/pg_prng.h"
#include "common/sha2.h"
#include "util/key_map.h"
#include "utils/memutils.h"

#define KEY_IDENTITY_SIZE	16
#define KEY_INLINE_MAX		(KEY_IDENTITY_SIZE - 1)
#define KEY_IS_HASHED		0xFF
#define KEY_SLOT_SIZE		24

/* a slot's number is the high half of a product of 32-bit numbers */
#define KEY_SLOTS_MIN		16
#define KEY_SLOTS_MAX		((uint64) PG_UINT32_MAX)

typedef struct KeySlot
{
	uint8		identity[KEY_IDENTITY_SIZE];
	int64		next_offset;	/* offset + 1; 0: empty */
} KeySlot;

StaticAssertDecl(sizeof(KeySlot) == KEY_SLOT_SIZE, "a slot of the key map has no padding");

struct KeyMap
{
	MemoryContext context;
	KeySlot    *slots;
	uint64		slot_count;
	uint64		count;			/* slots in use */
	uint64		count_max;
	uint64		seed;
	pg_cryptohash_ctx *sha256;
};

/* ---- identity and place -------------------------------------------------- */

/* The first bytes of the key's SHA-256. */
static void
hash_long_key(const KeyMap *map, const char *key, int32 length, uint8 *out)
{
	uint8		digest[PG_SHA256_DIGEST_LENGTH];

	if (pg_cryptohash_init(map->sha256) < 0 ||
		pg_cryptohash_update(map->sha256, (const uint8 *) key, length) < 0 ||
		pg_cryptohash_final(map->sha256, digest, sizeof(digest)) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not compute the SHA-256 hash of a key: %s",
						pg_cryptohash_error(map->sha256))));
	memcpy(out, digest, KEY_INLINE_MAX);
}

/* What stands for the key in a slot. */
static inline void
identify(const KeyMap *map, const char *key, int32 length, uint8 *identity)
{
	Assert(length >= 0);
	if (length > KEY_INLINE_MAX)
	{
		identity[0] = KEY_IS_HASHED;
		hash_long_key(map, key, length, identity + 1);
		return;
	}
	memset(identity, 0, KEY_IDENTITY_SIZE);
	identity[0] = (uint8) length;
	memcpy(identity + 1, key, length);
}

/* The key's slot, or the empty one where it would be. */
static inline KeySlot *
find_slot(const KeyMap *map, const uint8 *identity)
{
	uint64		hash = hash_bytes_extended(identity, KEY_IDENTITY_SIZE, map->seed);
	uint64		n = ((hash >> 32) * map->slot_count) >> 32;

	for (;;)
	{
		KeySlot    *slot = &map->slots[n];

		if (slot->next_offset == 0 || memcmp(slot->identity, identity, KEY_IDENTITY_SIZE) == 0)
			return slot;
		if (++n == map->slot_count)
			n = 0;
	}
}

/* ---- the map ------------------------------------------------------------- */

/* How many slots: for the keys expected, but no more than the limit allows. */
static uint64
choose_slot_count(Size memory_limit, uint64 expected_keys)
{
	uint64		fit = Min(memory_limit / KEY_SLOT_SIZE, KEY_SLOTS_MAX);
	uint64		wanted = Min(expected_keys, KEY_SLOTS_MAX);

	wanted += wanted / 3 + 1;
	return Max(Min(wanted, fit), KEY_SLOTS_MIN);
}

KeyMap *
pgt_key_map_create(MemoryContext parent, Size memory_limit, uint64 expected_keys)
{
	MemoryContext context = AllocSetContextCreate(parent, "pg_topics key map",
												  ALLOCSET_SMALL_SIZES);
	KeyMap	   *map = MemoryContextAllocZero(context, sizeof(KeyMap));

	map->context = context;
	map->slot_count = choose_slot_count(memory_limit, expected_keys);
	map->count_max = map->slot_count - map->slot_count / 4;
	map->slots = MemoryContextAllocExtended(context, map->slot_count * KEY_SLOT_SIZE,
											MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	map->seed = pg_prng_uint64(&pg_global_prng_state);
	map->sha256 = pg_cryptohash_create(PG_SHA256);
	if (map->sha256 == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("could not prepare hashing of keys: %s", pg_cryptohash_error(NULL))));
	return map;
}

bool
pgt_key_map_put(KeyMap *map, const char *key, int32 length, int64 offset)
{
	uint8		identity[KEY_IDENTITY_SIZE];
	KeySlot    *slot;

	Assert(offset >= 0);
	identify(map, key, length, identity);
	slot = find_slot(map, identity);
	if (slot->next_offset == 0)
	{
		if (map->count >= map->count_max)
			return false;
		memcpy(slot->identity, identity, KEY_IDENTITY_SIZE);
		map->count++;
	}
	Assert(slot->next_offset <= offset);
	slot->next_offset = offset + 1;
	return true;
}

int64
pgt_key_map_get(const KeyMap *map, const char *key, int32 length)
{
	uint8		identity[KEY_IDENTITY_SIZE];

	identify(map, key, length, identity);
	return find_slot(map, identity)->next_offset - 1;
}

uint64
pgt_key_map_count(const KeyMap *map)
{
	return map->count;
}

Size
pgt_key_map_memory(const KeyMap *map)
{
	return map->slot_count * KEY_SLOT_SIZE;
}

void
pgt_key_map_reset(KeyMap *map)
{
	if (map->count > 0)
		memset(map->slots, 0, pgt_key_map_memory(map));
	map->count = 0;
}

void
pgt_key_map_free(KeyMap *map)
{
	pg_cryptohash_free(map->sha256);
	MemoryContextDelete(map->context);
}
