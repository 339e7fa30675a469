/*
 * key_index_test.c
 *	  Tests of key_index_page.c without a server.
 *
 * "make unit" builds and runs it after key_map_test.  Output is TAP, the exit code 1 on a
 * failure.  Files are made in memory, as key_index_writer.c makes them on disk, and searched
 * as key_index_file.c does.
 */
#include "postgres.h"

#include "assertion.h"
#include "random_numbers.h"
#include "tap.h"
#include "format/key_index_page.h"

/* ---- a file in memory -------------------------------------------------------- */

typedef struct MemoryFile
{
	KeyIndexHeader header;
	uint8	   *pages;			/* from page 1 on */
	uint32		count;
	uint32		capacity;
} MemoryFile;

static const SegmentId id = {.base = 4711, .generation = 2};
static const IndexEntry last_entry = {.first_delta = 10, .last_delta = 19, .position = 1000, .length = 200, .max_timestamp = 77, .xid = 5, .lsn = 4242};

static uint8 *
add_page(MemoryFile *file)
{
	if (file->count == file->capacity)
	{
		file->capacity = Max(16, file->capacity * 2);
		file->pages = realloc(file->pages, (size_t) file->capacity * KEY_INDEX_PAGE_SIZE);
	}
	return file->pages + (size_t) file->count++ * KEY_INDEX_PAGE_SIZE;
}

static uint8 *
page_of(const MemoryFile *file, uint32 number)
{
	return file->pages + (size_t) (number - 1) * KEY_INDEX_PAGE_SIZE;
}

static void
finish_leaf(MemoryFile *file, KeyLeafWriter *writer)
{
	pgt_key_leaf_writer_seal(writer, file->count + 1);
	memcpy(add_page(file), writer->page, KEY_INDEX_PAGE_SIZE);
	file->header.leaves++;
	pgt_key_leaf_writer_begin(writer, &file->header);
}

/* Make a file of sorted slots. */
static MemoryFile
make_file(const KeySlotEntry *slots, uint32 count, uint32 first_entry, uint32 end_entry)
{
	MemoryFile	file = {0};
	KeyLeafWriter writer;
	uint32	   *hashes = malloc((count + 1) * sizeof(uint32));
	uint32		hash_count = 0;

	pgt_key_index_header_init(&file.header, 42, id, first_entry, end_entry, &last_entry, count, random_bits());
	pgt_key_leaf_writer_begin(&writer, &file.header);
	for (uint32 i = 0; i < count; i++)
	{
		if (!pgt_key_leaf_writer_add(&writer, slots[i]))
		{
			finish_leaf(&file, &writer);
			(void) pgt_key_leaf_writer_add(&writer, slots[i]);
		}
		if (writer.count == 1)
			hashes[hash_count++] = slots[i].hash;
	}
	if (writer.count > 0)
		finish_leaf(&file, &writer);
	while (hash_count > 1)
	{
		uint32		pages = 0;

		for (uint32 done = 0; done < hash_count; pages++)
		{
			uint32		first = hashes[done];
			uint32		number = file.count + 1;

			done += pgt_key_index_page_make_inner(add_page(&file), &file.header, number, hashes + done, hash_count - done);
			hashes[pages] = first;
		}
		hash_count = pages;
	}
	pgt_key_index_header_seal(&file.header);
	free(hashes);
	return file;
}

/* How many slots of the file have the hash; *entries gets the sum of their entries. */
static uint32
find(const MemoryFile *file, uint32 hash, uint64 *entries)
{
	KeyIndexLevel levels[KEY_INDEX_MAX_LEVELS];
	int			count = pgt_key_index_levels(&file->header, levels);
	uint32		leaf = 0;
	uint32		found = 0;

	*entries = 0;
	for (int i = count - 1; i > 0; i--)
		leaf = leaf * KEY_INNER_MAX + pgt_key_index_page_find(page_of(file, levels[i].first_page + leaf), hash);
	for (; leaf < file->header.leaves; leaf++)
	{
		KeyLeafReader reader;
		KeySlotEntry slot;

		pgt_key_leaf_reader_begin(&reader, &file->header, page_of(file, leaf + 1));
		while (pgt_key_leaf_reader_next(&reader, &slot))
		{
			if (slot.hash > hash)
				return found;
			if (slot.hash == hash)
			{
				found++;
				*entries += slot.entry;
			}
		}
	}
	return found;
}

/* ---- what is written is found ---------------------------------------------------- */

static int
compare_slots(const void *a, const void *b)
{
	const KeySlotEntry *left = a;
	const KeySlotEntry *right = b;

	if (left->hash != right->hash)
		return left->hash < right->hash ? -1 : 1;
	return left->entry < right->entry ? -1 : left->entry > right->entry;
}

/* Are all pages whole, all slots there in order, and hashes found with all their slots? */
static bool
holds(const MemoryFile *file, const KeySlotEntry *slots, uint32 count)
{
	uint32		n = 0;

	if (pgt_key_index_header_check(&file->header, id) != NULL ||
		pgt_key_index_pages(&file->header) != file->count + 1)
		return false;
	for (uint32 number = 1; number <= file->count; number++)
	{
		KeyLeafReader reader;
		KeySlotEntry slot;

		if (!pgt_key_index_page_is_whole(page_of(file, number), &file->header, number))
			return false;
		if (number > file->header.leaves)
			continue;
		pgt_key_leaf_reader_begin(&reader, &file->header, page_of(file, number));
		while (pgt_key_leaf_reader_next(&reader, &slot))
		{
			if (n == count || slot.hash != slots[n].hash || slot.entry != slots[n].entry)
				return false;
			n++;
		}
	}
	if (n != count)
		return false;
	for (uint32 i = 0; i < count;)
	{
		uint64		sum = 0;
		uint64		entries;
		uint32		end = i;

		for (; end < count && slots[end].hash == slots[i].hash; end++)
			sum += slots[end].entry;
		/* of a large file not all: a search reads a page */
		if ((count <= 20000 || i % 97 == 0 || end - i > 1) &&
			(find(file, slots[i].hash, &entries) != end - i || entries != sum))
			return false;
		i = end;
	}
	return true;
}

/* Slots with hashes of some spread: bits of them are cut off. */
static void
test_file(uint32 count, uint32 first_entry, uint32 end_entry, uint32 mask, const char *name)
{
	KeySlotEntry *slots = malloc((count + 1) * sizeof(KeySlotEntry));
	MemoryFile	file;
	uint64		entries;
	uint32		kept = 0;

	for (uint32 i = 0; i < count; i++)
		slots[i] = (KeySlotEntry) {(uint32) random_bits() & mask, first_entry + random_bits() % (end_entry - first_entry)};
	if (count > 2 && mask == PG_UINT32_MAX)
	{
		slots[0].hash = 0;
		slots[1].hash = PG_UINT32_MAX;
	}
	qsort(slots, count, sizeof(KeySlotEntry), compare_slots);
	for (uint32 i = 0; i < count; i++)
		if (i == 0 || compare_slots(&slots[i], &slots[kept - 1]) != 0)
			slots[kept++] = slots[i];
	file = make_file(slots, kept, first_entry, end_entry);
	ok(holds(&file, slots, kept), name);
	if (mask != PG_UINT32_MAX)
		ok(find(&file, mask + 1, &entries) == 0, "a hash that no slot has is not found");
	if (count >= 100000 && mask == PG_UINT32_MAX)
	{
		double		bytes = (double) file.count * KEY_INDEX_PAGE_SIZE / kept;

		printf("# %u keys in %u batches: %.2f bytes a key\n", kept, end_entry - first_entry, bytes);
		ok(bytes < 4.5, "a key takes little more than its batch's number");
	}
	free(slots);
	free(file.pages);
}

static void
test_files(void)
{
	test_file(0, 0, 1, PG_UINT32_MAX, "a file without slots");
	test_file(1, 0, 1, PG_UINT32_MAX, "a file of one slot");
	test_file(3, 7, 8, PG_UINT32_MAX, "slots of one batch: entries take no bits");
	test_file(5, 0, 16000000, PG_UINT32_MAX, "few slots: distances are escaped");
	test_file(1000, 100, 1100, PG_UINT32_MAX, "some pages");
	test_file(100000, 0, 1000, PG_UINT32_MAX, "two levels");
	test_file(1000000, 5, 30000, PG_UINT32_MAX, "three levels");
	test_file(100000, 0, 50000, 0x3, "few keys in many batches");
	test_file(100000, 0, 50000, 0xFF00, "keys that lie close together");
	test_file(20000, 0, 50000, 0x80000000, "two hashes, far from each other");
}

/* ---- damage ------------------------------------------------------------------------ */

static void
test_damage(void)
{
	KeySlotEntry slots[2000];
	MemoryFile	file;
	KeyIndexHeader header;
	IndexEntry	other = last_entry;
	bool		noticed = true;

	for (int i = 0; i < lengthof(slots); i++)
		slots[i] = (KeySlotEntry) {i * 2000000U, i};
	file = make_file(slots, lengthof(slots), 0, lengthof(slots));
	for (uint32 bit = 0; bit < KEY_INDEX_PAGE_SIZE * 8; bit++)
	{
		page_of(&file, 1)[bit / 8] ^= 1 << bit % 8;
		noticed &= !pgt_key_index_page_is_whole(page_of(&file, 1), &file.header, 1);
		page_of(&file, 1)[bit / 8] ^= 1 << bit % 8;
	}
	ok(noticed, "each changed bit of a page is noticed");
	ok(!pgt_key_index_page_is_whole(page_of(&file, 1), &file.header, 2), "a page in another place is noticed");
	header = file.header;
	header.salt++;
	ok(!pgt_key_index_page_is_whole(page_of(&file, 1), &header, 1), "a page of another file is noticed");
	noticed = true;
	for (uint32 bit = 0; bit < sizeof(header) * 8; bit++)
	{
		header = file.header;
		((uint8 *) &header)[bit / 8] ^= 1 << bit % 8;
		noticed &= pgt_key_index_header_check(&header, id) != NULL && !pgt_key_index_header_is_foreign(&header);
	}
	ok(noticed, "each changed bit of a header is noticed");
	header = file.header;
	header.version++;
	pgt_key_index_header_seal(&header);
	ok(pgt_key_index_header_is_foreign(&header) && pgt_key_index_header_check(&header, id) != NULL,
	   "a newer version is told from damage");
	ok(pgt_key_index_header_check(&file.header, (SegmentId) {.base = 4712, .generation = 2}) != NULL &&
	   pgt_key_index_header_check(&file.header, (SegmentId) {.base = 4711, .generation = 3}) != NULL,
	   "the file of another segment is noticed");
	other.lsn++;
	ok(pgt_key_index_header_matches(&file.header, &last_entry) && !pgt_key_index_header_matches(&file.header, &other),
	   "another last entry is noticed");
	free(file.pages);
}

/* Random bytes with any header that passes the check: a walk ends, and stays in range. */
static void
test_hostile(void)
{
	uint8		page[KEY_INDEX_PAGE_SIZE];
	bool		good = true;

	for (int i = 0; i < 20000; i++)
	{
		KeyIndexHeader header;
		KeyLeafReader reader;
		KeySlotEntry slot;
		uint32		first = random_bits() % 1000;
		uint32		end = first + 1 + random_bits() % (i % 2 ? 100 : 1 << 30);
		uint32		steps = 0;
		uint32		hash = 0;

		pgt_key_index_header_init(&header, 42, id, first, end, &last_entry, random_bits() % KEY_INDEX_MAX_SLOTS, 0);
		header.rice = random_bits() % 32;
		for (int byte = 0; byte < KEY_INDEX_PAGE_SIZE; byte++)
			page[byte] = i % 3 == 0 ? 0xFF : i % 3 == 1 ? random_bits() & random_bits() : random_bits();
		pgt_key_leaf_reader_begin(&reader, &header, page);
		while (pgt_key_leaf_reader_next(&reader, &slot))
		{
			good &= slot.entry >= first && slot.entry < end && slot.hash >= hash;
			hash = slot.hash;
			steps++;
		}
		good &= steps <= KEY_INDEX_PAGE_SIZE * 8;
		good &= pgt_key_index_page_find(page, (uint32) random_bits()) < KEY_INNER_MAX;
	}
	ok(good, "hostile pages lead nowhere");
}

/* ---- keys ------------------------------------------------------------------------------ */

static void
test_keys(void)
{
	KeyIndexKeys keys = pgt_key_index_keys_none;
	KeyIndexKeys others = pgt_key_index_keys_none;
	KeyShape	exact = {KEY_SHAPE_EXACT};
	KeyShape	integer = {KEY_SHAPE_INTEGER};
	KeyShape	uuid = {KEY_SHAPE_UUID};
	KeyShape	limited = {KEY_SHAPE_LIMITED, 2};
	KeyShape	none = {KEY_SHAPE_NONE};

	ok(pgt_key_index_keys_fit(keys, uuid) && pgt_key_index_keys_fit(keys, limited) && !pgt_key_index_keys_fit(keys, none),
	   "no keys fit each shape but none");
	pgt_key_index_keys_add(&keys, "17", 2);
	ok(pgt_key_index_keys_fit(keys, integer) && pgt_key_index_keys_fit(keys, exact) &&
	   pgt_key_index_keys_fit(keys, limited) && !pgt_key_index_keys_fit(keys, uuid), "an integer fits integers and short texts");
	pgt_key_index_keys_add(&others, "007", 3);
	ok(!pgt_key_index_keys_fit(others, integer) && !pgt_key_index_keys_fit(others, limited), "one that is not canonical does not");
	keys = pgt_key_index_keys_join(keys, others);
	ok(!pgt_key_index_keys_fit(keys, integer) && !pgt_key_index_keys_fit(keys, limited) && pgt_key_index_keys_fit(keys, exact),
	   "and keeps others from fitting that are joined with it");
	ok(pgt_key_index_page_hash(1, "key", 3) == pgt_key_index_page_hash(1, "key", 3) &&
	   pgt_key_index_page_hash(1, "key", 3) != pgt_key_index_page_hash(2, "key", 3), "the hash depends on the cluster");
}

int
main(void)
{
	test_files();
	test_damage();
	test_hostile();
	test_keys();
	return tap_end();
}
