/*
 * key_map_test.c
 *	  Tests of key_map.c without a server.
 *
 * "make unit" builds and runs it after unit_test.  Output is TAP, the exit code
 * 1 on a failure.  The few functions of the server that the map calls are
 * replaced by plain ones below; hashes are those of the server's library.
 */
#include "postgres.h"

#include "assertion.h"
#include "tap.h"
#include "util/key_map.h"
#include "utils/memutils.h"

/* ----------
 * What the map takes from the server: one context, its chunks in a list
 * ----------
 */

typedef struct Chunk
{
	struct Chunk *next;
	double		align;
} Chunk;

static MemoryContextData the_context;
static Chunk *chunks = NULL;
static Size allocated = 0;

MemoryContext
AllocSetContextCreateInternal(MemoryContext parent, const char *name, Size minContextSize,
							  Size initBlockSize, Size maxBlockSize)
{
	return &the_context;
}

void *
MemoryContextAllocExtended(MemoryContext context, Size size, int flags)
{
	Chunk	   *chunk = calloc(1, sizeof(Chunk) + size);

	chunk->next = chunks;
	chunks = chunk;
	allocated += size;
	return chunk + 1;
}

void *
MemoryContextAllocZero(MemoryContext context, Size size)
{
	return MemoryContextAllocExtended(context, size, 0);
}

void
MemoryContextDelete(MemoryContext context)
{
	while (chunks != NULL)
	{
		Chunk	   *next = chunks->next;

		free(chunks);
		chunks = next;
	}
	allocated = 0;
}

bool
errstart_cold(int elevel, const char *domain)
{
	return true;
}

int
errcode(int sqlerrcode)
{
	return 0;
}

int
errmsg(const char *fmt,...)
{
	return 0;
}

void
errfinish(const char *filename, int lineno, const char *funcname)
{
	printf("Bail out! error in %s, line %d\n", filename, lineno);
	exit(1);
}

/* ----------
 * Tests
 * ----------
 */

static bool
put(KeyMap *map, const char *key, int64 offset)
{
	return pgt_key_map_put(map, key, (int32) strlen(key), offset);
}

static int64
get(const KeyMap *map, const char *key)
{
	return pgt_key_map_get(map, key, (int32) strlen(key));
}

/* The key number n; odd ones are too long to be kept as they are. */
static const char *
numbered_key(int n)
{
	static char key[64];

	snprintf(key, sizeof(key), n % 2 ? "a key of more than fifteen bytes %d" : "k%d", n);
	return key;
}

static void
test_put_and_get(void)
{
	KeyMap	   *map = pgt_key_map_create(NULL, 1 << 20, 1000);

	ok(get(map, "a") == -1, "an empty map has no key");
	ok(put(map, "a", 0) && get(map, "a") == 0, "offset 0 is an offset");
	ok(put(map, "a", 7) && get(map, "a") == 7, "the last offset counts");
	ok(pgt_key_map_count(map) == 1, "and the key counts once");
	ok(put(map, "", 8) && get(map, "") == 8 && get(map, "a") == 7, "the empty key is a key");
	ok(put(map, "b", PG_INT64_MAX - 1) && get(map, "b") == PG_INT64_MAX - 1, "the largest offset");

	pgt_key_map_reset(map);
	ok(pgt_key_map_count(map) == 0 && get(map, "a") == -1 && get(map, "") == -1, "a reset map is empty");
	ok(put(map, "a", 3) && get(map, "a") == 3, "and takes keys, also with smaller offsets");
	pgt_key_map_free(map);
}

/* Keys that are alike but for one thing are different keys. */
static void
test_keys_alike(void)
{
	KeyMap	   *map = pgt_key_map_create(NULL, 1 << 20, 10000);
	char		key[40] = {0};
	bool		good = true;

	for (int length = 0; length <= 40; length++)
		good &= pgt_key_map_put(map, key, length, length);
	for (int length = 0; length <= 40; length++)
		good &= pgt_key_map_get(map, key, length) == length;
	ok(good, "keys of 0 to 40 zero bytes are different keys");

	good = true;
	for (int bit = 0; bit < 40 * 8; bit++)
	{
		key[bit / 8] ^= 1 << (bit % 8);
		for (int length = bit / 8 + 1; length <= 40; length++)
			good &= pgt_key_map_get(map, key, length) == -1 &&
				pgt_key_map_put(map, key, length, 1000 + bit);
		key[bit / 8] ^= 1 << (bit % 8);
	}
	ok(good, "keys that differ in one bit are different keys");
	pgt_key_map_free(map);

	/* a short key that is what stands for a long one is not taken for it */
	map = pgt_key_map_create(NULL, 1 << 20, 10);
	memset(key, 0xFF, sizeof(key));
	good = pgt_key_map_put(map, key, 16, 5);
	for (int length = 0; length <= 15; length++)
		good &= pgt_key_map_get(map, key, length) == -1;
	ok(good, "no short key is taken for a long one");
	pgt_key_map_free(map);
}

/* A map that is as small as it gets: full, and still right. */
static void
test_full(Size limit)
{
	KeyMap	   *map = pgt_key_map_create(NULL, limit, 1000000);
	int			count = 0;
	bool		good = true;

	while (count < 1000000 && put(map, numbered_key(count), count))
		count++;
	ok(count == (int) pgt_key_map_count(map) && count >= (int) (limit / 24 * 3 / 4) &&
	   count <= (int) (Max(limit / 24, 16) * 3 / 4) + 1, "a map holds three quarters of its slots");
	ok(pgt_key_map_memory(map) <= Max(limit, 16 * 24) && allocated < pgt_key_map_memory(map) + 200,
	   "and takes no more than its limit");

	ok(!put(map, numbered_key(count), count) && get(map, numbered_key(count)) == -1,
	   "a full map takes no further key");
	for (int n = 0; n < count; n++)
		good &= put(map, numbered_key(n), count + n);
	ok(good, "but all that are there can be updated");
	for (int n = 0; n < count; n++)
		good &= get(map, numbered_key(n)) == count + n;
	ok(good, "and each has its offset");
	pgt_key_map_free(map);
	ok(chunks == NULL, "freed");
}

/* A map made for few keys is small, and holds those it was made for. */
static void
test_expected(void)
{
	bool		good = true;

	for (uint64 expected = 0; expected < 300; expected++)
	{
		KeyMap	   *map = pgt_key_map_create(NULL, (Size) 1 << 40, expected);

		good &= pgt_key_map_memory(map) <= 24 * (expected * 4 / 3 + 16);
		for (uint64 n = 0; n < expected; n++)
			good &= put(map, numbered_key((int) n), (int64) n);
		pgt_key_map_free(map);
	}
	ok(good, "a map has room for the keys expected and little more");
}

int
main(void)
{
	test_put_and_get();
	test_keys_alike();
	test_full(0);
	test_full(1000);
	test_full(65536);
	test_full(1 << 20);
	test_expected();
	return tap_end();
}
