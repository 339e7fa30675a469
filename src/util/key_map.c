/*
 * key_map.c
 *	  A bounded map from a record's key to the offset of its last record.
 *
 * Compaction and latest() go over a log twice: once to learn which offset is
 * the last of each key, once to keep or give the records at those offsets.
 * What they learn goes here.  Its size is fixed when it is made, so memory is
 * bounded whatever the keys are; who meets a full map ends his range there or
 * divides the keys.
 *
 * One slot, KEY_SLOT_SIZE bytes in a table of open addressing, probed one
 * after the other and at most three quarters full:
 *
 *	  0   1                16                24
 *	  +---+----------------+-----------------+
 *	  | n | key            | offset + 1      |	0: the slot is empty
 *	  +---+----------------+-----------------+
 *
 * n <= KEY_INLINE_MAX: the key itself, n bytes and zeros.  KEY_IS_HASHED: the
 * first 15 bytes of its SHA-256.  Two keys that count as one would lose a
 * record for good, so short keys are exact and long ones need a collision in
 * 120 bits, which nobody can make (with MD5 anybody can).
 *
 * Where a key's probing begins is a hash seeded anew for each map, so that
 * nobody can choose keys that all begin at one place.
 *
 * Memory: one context with the map and its table.  The hashing context is the
 * resource owner's, which frees it where a transaction is rolled back; the map
 * is gone then too.  No I/O, no locks.  Layer 0.
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

/* See the header. */
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

/* See the header. */
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

/* See the header. */
int64
pgt_key_map_get(const KeyMap *map, const char *key, int32 length)
{
	uint8		identity[KEY_IDENTITY_SIZE];

	identify(map, key, length, identity);
	return find_slot(map, identity)->next_offset - 1;
}

/* See the header. */
uint64
pgt_key_map_count(const KeyMap *map)
{
	return map->count;
}

/* See the header. */
Size
pgt_key_map_memory(const KeyMap *map)
{
	return map->slot_count * KEY_SLOT_SIZE;
}

/* See the header. */
void
pgt_key_map_reset(KeyMap *map)
{
	if (map->count > 0)
		memset(map->slots, 0, pgt_key_map_memory(map));
	map->count = 0;
}

/* See the header. */
void
pgt_key_map_free(KeyMap *map)
{
	pg_cryptohash_free(map->sha256);
	MemoryContextDelete(map->context);
}
