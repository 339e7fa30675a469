/*
 * key_index_page.c
 *	  The bytes of a key index file: header, leaves and inner pages, written and read.
 *
 * See key_index_page.h for the format.
 *
 * Reading trusts no byte: the numbers of a header are checked against each other, a leaf's
 * slots end where its bits do, and an entry outside of the file's range ends the leaf.
 * Whatever a page with a right checksum says, a search visits no page twice.
 *
 * 32 bits of hash are enough: a file of ten million keys then names a batch in vain once in
 * some four hundred look-ups, which costs the reading of that batch.
 *
 * No state, no memory.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "format/key_index_page.h"
#include "port/pg_bitutils.h"
#include "util/crc32c.h"

/* A page: checksum, number of slots or hashes, first hash, then the bits or the hashes. */
#define PAGE_COUNT_AT		4
#define PAGE_FIRST_AT		8
#define PAGE_BODY_AT		12
#define PAGE_BITS			((KEY_INDEX_PAGE_SIZE - PAGE_BODY_AT) * 8)

#define KEY_ESCAPE			24

StaticAssertDecl(PAGE_BODY_AT + KEY_INNER_MAX * sizeof(uint32) <= KEY_INDEX_PAGE_SIZE,
				 "an inner page fits");

const KeyIndexKeys pgt_key_index_keys_none = {KEYS_ARE_INTEGERS | KEYS_ARE_UUIDS, 0};

/* ---- keys ----------------------------------------------------------------- */

uint32
pgt_key_index_page_hash(uint64 system_identifier, const char *key, int32 length)
{
	return (uint32) (hash_bytes_extended((const unsigned char *) key, length, system_identifier) >> 32);
}

void
pgt_key_index_keys_add(KeyIndexKeys *keys, const char *key, int32 length)
{
	if ((keys->flags & KEYS_ARE_INTEGERS) != 0 &&
		!pgt_key_shape_is_canonical((KeyShape) {KEY_SHAPE_INTEGER}, key, length))
		keys->flags &= ~KEYS_ARE_INTEGERS;
	if ((keys->flags & KEYS_ARE_UUIDS) != 0 &&
		!pgt_key_shape_is_canonical((KeyShape) {KEY_SHAPE_UUID}, key, length))
		keys->flags &= ~KEYS_ARE_UUIDS;
	keys->longest = Max(keys->longest, length);
}

KeyIndexKeys
pgt_key_index_keys_join(KeyIndexKeys a, KeyIndexKeys b)
{
	return (KeyIndexKeys) {a.flags & b.flags, Max(a.longest, b.longest)};
}

bool
pgt_key_index_keys_fit(KeyIndexKeys keys, KeyShape shape)
{
	switch (shape.form)
	{
		case KEY_SHAPE_EXACT:
			return true;
		case KEY_SHAPE_LIMITED:
			return keys.longest <= shape.limit;
		case KEY_SHAPE_INTEGER:
			return (keys.flags & KEYS_ARE_INTEGERS) != 0;
		case KEY_SHAPE_UUID:
			return (keys.flags & KEYS_ARE_UUIDS) != 0;
		case KEY_SHAPE_NONE:
			break;
	}
	return false;
}

/* ---- the header ------------------------------------------------------------ */

/* How many bits a number below "end" takes. */
static uint8
bits_below(uint32 end)
{
	return end <= 1 ? 0 : pg_leftmost_one_pos32(end - 1) + 1;
}

/* The Rice parameter for so many hashes, spread evenly: two thirds of their mean distance. */
static uint8
rice_for(uint64 slots)
{
	uint64		distance = ((uint64) 1 << 32) / Max(slots, 1) * 2 / 3;

	return distance <= 1 ? 0 : Min(pg_leftmost_one_pos64(distance), 31);
}

void
pgt_key_index_header_init(KeyIndexHeader *header, uint64 system_identifier, SegmentId id,
						  uint32 first_entry, uint32 end_entry, const IndexEntry *last,
						  uint64 slots, uint64 salt)
{
	memset(header, 0, sizeof(*header));
	header->magic = KEY_INDEX_MAGIC;
	header->version = KEY_INDEX_VERSION;
	header->system_identifier = system_identifier;
	header->base_offset = id.base;
	header->generation = id.generation;
	header->first_entry = first_entry;
	header->end_entry = end_entry;
	header->last_first_delta = last->first_delta;
	header->last_position = last->position;
	header->last_length = last->length;
	header->last_max_timestamp = last->max_timestamp;
	header->last_xid = last->xid;
	header->last_lsn = last->lsn;
	header->salt = salt;
	header->slots = slots;
	header->keys = pgt_key_index_keys_none;
	header->rice = rice_for(slots);
	header->entry_bits = bits_below(end_entry - first_entry);
}

void
pgt_key_index_header_seal(KeyIndexHeader *header)
{
	header->crc = pgt_crc32c(header, offsetof(KeyIndexHeader, crc));
}

/* Is it a whole header, of any version? */
static bool
is_whole(const KeyIndexHeader *header)
{
	return header->magic == KEY_INDEX_MAGIC &&
		header->crc == pgt_crc32c(header, offsetof(KeyIndexHeader, crc));
}

bool
pgt_key_index_header_is_foreign(const KeyIndexHeader *header)
{
	return is_whole(header) && header->version != KEY_INDEX_VERSION;
}

const char *
pgt_key_index_header_check(const KeyIndexHeader *header, SegmentId id)
{
	if (header->magic != KEY_INDEX_MAGIC)
		return "the header is not that of a key index";
	if (!is_whole(header))
		return "the header's checksum does not match";
	if (header->version != KEY_INDEX_VERSION)
		return "the key index has a format version that this library does not know";
	if (header->base_offset != id.base || header->generation != id.generation)
		return "the header names another segment";
	if (header->first_entry >= header->end_entry || header->slots > KEY_INDEX_MAX_SLOTS ||
		header->leaves > header->slots || (header->slots > 0 && header->leaves == 0) ||
		header->rice > 31 || header->entry_bits != bits_below(header->end_entry - header->first_entry))
		return "the numbers in the header do not fit each other";
	return NULL;
}

bool
pgt_key_index_header_matches(const KeyIndexHeader *header, const IndexEntry *last)
{
	return header->last_first_delta == last->first_delta &&
		header->last_position == last->position &&
		header->last_length == last->length &&
		header->last_max_timestamp == last->max_timestamp &&
		header->last_xid == last->xid &&
		header->last_lsn == last->lsn;
}

/* ---- the levels ------------------------------------------------------------ */

int
pgt_key_index_levels(const KeyIndexHeader *header, KeyIndexLevel *levels)
{
	int			count = 1;

	levels[0] = (KeyIndexLevel) {1, header->leaves};
	while (levels[count - 1].pages > 1 && count < KEY_INDEX_MAX_LEVELS)
	{
		const KeyIndexLevel *below = &levels[count - 1];

		levels[count++] = (KeyIndexLevel) {below->first_page + below->pages,
			(below->pages - 1) / KEY_INNER_MAX + 1};
	}
	return count;
}

uint32
pgt_key_index_pages(const KeyIndexHeader *header)
{
	KeyIndexLevel levels[KEY_INDEX_MAX_LEVELS];
	int			count = pgt_key_index_levels(header, levels);

	return levels[count - 1].first_page + levels[count - 1].pages;
}

/* ---- pages ------------------------------------------------------------------ */

static inline uint32
get_uint32(const uint8 *page, Size at)
{
	uint32		number;

	memcpy(&number, page + at, sizeof(number));
	return number;
}

static inline void
set_uint32(uint8 *page, Size at, uint32 number)
{
	memcpy(page + at, &number, sizeof(number));
}

/* The checksum that a page should have. */
static uint32
page_crc(const uint8 *page, const KeyIndexHeader *header, uint32 page_number)
{
	return pgt_crc32c(page + PAGE_COUNT_AT, KEY_INDEX_PAGE_SIZE - PAGE_COUNT_AT) ^
		(uint32) header->salt ^ (uint32) (header->salt >> 32) ^ (page_number * 0x9E3779B1U);
}

bool
pgt_key_index_page_is_whole(const uint8 *page, const KeyIndexHeader *header, uint32 page_number)
{
	return get_uint32(page, 0) == page_crc(page, header, page_number);
}

/* ---- leaves ----------------------------------------------------------------- */

void
pgt_key_leaf_writer_begin(KeyLeafWriter *writer, const KeyIndexHeader *header)
{
	writer->header = header;
	writer->bit = writer->count = 0;
	writer->last_hash = 0;
	memset(writer->page, 0, KEY_INDEX_PAGE_SIZE);
}

/* Append the lowest "count" bits of a number; there is room for them. */
static void
put_bits(KeyLeafWriter *writer, uint32 number, int count)
{
	while (count > 0)
	{
		uint8	   *byte = &writer->page[PAGE_BODY_AT + writer->bit / 8];
		int			shift = writer->bit % 8;
		int			taken = Min(8 - shift, count);

		*byte |= (uint8) ((number & ((1U << taken) - 1)) << shift);
		number >>= taken;
		count -= taken;
		writer->bit += taken;
	}
}

/* How many bits the code of a distance takes. */
static inline uint32
distance_bits(const KeyIndexHeader *header, uint32 distance)
{
	uint32		quotient = distance >> header->rice;

	return quotient < KEY_ESCAPE ? quotient + 1 + header->rice : KEY_ESCAPE + 32;
}

/* Append the code of a distance. */
static void
put_distance(KeyLeafWriter *writer, uint32 distance)
{
	int			rice = writer->header->rice;
	uint32		quotient = distance >> rice;

	if (quotient >= KEY_ESCAPE)
	{
		put_bits(writer, (1U << KEY_ESCAPE) - 1, KEY_ESCAPE);
		put_bits(writer, distance, 32);
		return;
	}
	put_bits(writer, (1U << quotient) - 1, quotient + 1);
	put_bits(writer, distance, rice);
}

bool
pgt_key_leaf_writer_add(KeyLeafWriter *writer, KeySlotEntry slot)
{
	const KeyIndexHeader *header = writer->header;
	uint32		distance = writer->count == 0 ? 0 : slot.hash - writer->last_hash;

	Assert(writer->count == 0 || slot.hash >= writer->last_hash);
	Assert(slot.entry >= header->first_entry && slot.entry < header->end_entry);
	if (writer->bit + distance_bits(header, distance) + header->entry_bits > PAGE_BITS)
		return false;
	if (writer->count == 0)
		set_uint32(writer->page, PAGE_FIRST_AT, slot.hash);
	put_distance(writer, distance);
	put_bits(writer, slot.entry - header->first_entry, header->entry_bits);
	writer->last_hash = slot.hash;
	writer->count++;
	return true;
}

void
pgt_key_leaf_writer_seal(KeyLeafWriter *writer, uint32 page_number)
{
	set_uint32(writer->page, PAGE_COUNT_AT, writer->count);
	set_uint32(writer->page, 0, page_crc(writer->page, writer->header, page_number));
}

void
pgt_key_leaf_reader_begin(KeyLeafReader *reader, const KeyIndexHeader *header, const uint8 *page)
{
	reader->header = header;
	reader->page = page;
	reader->bit = 0;
	reader->left = get_uint32(page, PAGE_COUNT_AT);
	reader->hash = get_uint32(page, PAGE_FIRST_AT);
}

/* Up to 32 bits from the reader's place on; false where the page has no more. */
static inline bool
get_bits(KeyLeafReader *reader, int count, uint32 *number)
{
	uint64		window = 0;
	Size		byte = PAGE_BODY_AT + reader->bit / 8;

	if (reader->bit + count > PAGE_BITS)
		return false;
	memcpy(&window, reader->page + byte, Min(sizeof(window), KEY_INDEX_PAGE_SIZE - byte));
#ifdef WORDS_BIGENDIAN
	window = __builtin_bswap64(window);
#endif
	*number = (uint32) ((window >> (reader->bit % 8)) & (((uint64) 1 << count) - 1));
	reader->bit += count;
	return true;
}

/* Read the code of a distance. */
static inline bool
get_distance(KeyLeafReader *reader, uint32 *distance)
{
	uint32		start = reader->bit;
	uint32		ones;
	uint32		rest;

	if (!get_bits(reader, Min(KEY_ESCAPE, PAGE_BITS - start), &ones))
		return false;
	if (ones == (1U << KEY_ESCAPE) - 1)
		return get_bits(reader, 32, distance);
	ones = pg_rightmost_one_pos32(~ones);
	reader->bit = start + ones + 1;
	if (!get_bits(reader, reader->header->rice, &rest))
		return false;
	*distance = (ones << reader->header->rice) | rest;
	return true;
}

bool
pgt_key_leaf_reader_next(KeyLeafReader *reader, KeySlotEntry *slot)
{
	const KeyIndexHeader *header = reader->header;
	uint32		distance;
	uint32		entry;

	if (reader->left == 0 || !get_distance(reader, &distance) ||
		!get_bits(reader, header->entry_bits, &entry) ||
		entry >= header->end_entry - header->first_entry ||
		distance > PG_UINT32_MAX - reader->hash)
	{
		reader->left = 0;
		return false;
	}
	reader->left--;
	reader->hash += distance;
	slot->hash = reader->hash;
	slot->entry = header->first_entry + entry;
	return true;
}

/* ---- inner pages ------------------------------------------------------------- */

uint32
pgt_key_index_page_make_inner(uint8 *page, const KeyIndexHeader *header, uint32 page_number,
						 const uint32 *hashes, uint32 count)
{
	count = Min(count, KEY_INNER_MAX);
	memset(page, 0, KEY_INDEX_PAGE_SIZE);
	set_uint32(page, PAGE_COUNT_AT, count);
	set_uint32(page, PAGE_FIRST_AT, hashes[0]);
	memcpy(page + PAGE_BODY_AT, hashes, count * sizeof(uint32));
	set_uint32(page, 0, page_crc(page, header, page_number));
	return count;
}

uint32
pgt_key_index_page_find(const uint8 *page, uint32 hash)
{
	uint32		low = 0;
	uint32		high = Min(get_uint32(page, PAGE_COUNT_AT), KEY_INNER_MAX);

	/* the first page that begins at or past the hash: the one before it may end with the hash */
	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;

		if (get_uint32(page, PAGE_BODY_AT + middle * sizeof(uint32)) < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? low - 1 : 0;
}
