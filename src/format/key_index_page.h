/*
 * key_index_page.h
 *	  The bytes of a key index file: which batches of a segment may hold a key.
 *
 * A file covers a range of a segment's index entries, "first_entry" to below "end_entry".
 * For each key in each batch of the range it has a slot: a hash of the key, and the number
 * of the batch's entry.  Slots are sorted by hash, then by entry.
 *
 *	  page 0			the header
 *	  pages 1 ...		leaves: the slots
 *	  pages behind		inner pages, level by level: the first hash of each page of the
 *						level below; the last page is the root
 *
 * A leaf begins with its first hash.  The slots follow as bits, the lowest bit of a byte
 * first:
 *
 *	  the distance to the hash before it, as a Rice code: the distance / 2^rice as so many
 *		ones and a zero, then the lower "rice" bits; or KEY_ESCAPE ones and 32 bits
 *	  the entry - first_entry, in "entry_bits" bits
 *
 * As hashes are spread evenly, a slot takes little more than two bits for its hash beside
 * what tells it from the others; so most of it is the batch's number.
 *
 * Each page has a checksum that covers its number and the file's salt as well, so a page of
 * another file, or of another place, is noticed.
 *
 * A key index is derived: without one, or with one that cannot be used, batches are read
 * instead.  Therefore a file of another version is just not used.  In all versions magic and
 * version are in front, and the last four of the first 128 bytes are the checksum of the
 * others.
 *
 * These functions work on bytes, without I/O.  key_index_file.h does the I/O.
 */
#ifndef KEY_INDEX_PAGE_H
#define KEY_INDEX_PAGE_H

#include "format/key_shape.h"
#include "format/segment_index.h"

#define KEY_INDEX_MAGIC		0x5047544B	/* "PGTK" */
#define KEY_INDEX_VERSION	1
#define KEY_INDEX_PAGE_SIZE	4096

/* The most slots: one for each record, and a segment has no more than 2^31 offsets. */
#define KEY_INDEX_MAX_SLOTS	((uint64) 1 << 31)

#define KEYS_ARE_INTEGERS	0x01	/* all are canonical integers, see key_shape.h */
#define KEYS_ARE_UUIDS		0x02

/* What is known of all keys of a file; begin with pgt_key_index_keys_none. */
typedef struct KeyIndexKeys
{
	uint32		flags;			/* KEYS_* */
	int32		longest;		/* bytes of the longest key */
} KeyIndexKeys;

typedef struct KeyIndexHeader
{
	uint32		magic;
	uint32		version;
	uint64		system_identifier;	/* also the seed of the hashes */
	int64		base_offset;	/* of the segment */
	uint32		generation;
	uint32		first_entry;
	uint32		end_entry;
	/* the last entry covered, by which a segment with other contents is noticed */
	uint32		last_first_delta;
	uint32		last_position;
	uint32		last_length;
	int64		last_max_timestamp;
	uint64		last_xid;
	XLogRecPtr	last_lsn;
	uint64		salt;			/* differs from file to file */
	uint64		slots;
	KeyIndexKeys keys;
	uint32		leaves;
	uint8		rice;
	uint8		entry_bits;
	uint16		unused;
	uint32		reserved[5];
	uint32		crc;			/* of all the bytes before */
} KeyIndexHeader;

StaticAssertDecl(sizeof(KeyIndexHeader) == 128, "a key index's header is 128 bytes");

/* One key in one batch. */
typedef struct KeySlotEntry
{
	uint32		hash;
	uint32		entry;			/* of the segment, not relative to first_entry */
} KeySlotEntry;

extern const KeyIndexKeys pgt_key_index_keys_none;

/* The hash that a key has in the files of a cluster. */
extern uint32 pgt_key_index_page_hash(uint64 system_identifier, const char *key, int32 length);

/* Add a key to what is known of all of them. */
extern void pgt_key_index_keys_add(KeyIndexKeys *keys, const char *key, int32 length);

/* The same for the keys of two files together. */
extern KeyIndexKeys pgt_key_index_keys_join(KeyIndexKeys a, KeyIndexKeys b);

/* Can a key of that shape be looked up: are all keys canonical? */
extern bool pgt_key_index_keys_fit(KeyIndexKeys keys, KeyShape shape);

/*
 * Fill the header of a file with so many slots, for entries whose last one is "last".  The
 * caller sets "leaves" and "keys" once they are known, and seals it.
 */
extern void pgt_key_index_header_init(KeyIndexHeader *header, uint64 system_identifier, SegmentId id,
									  uint32 first_entry, uint32 end_entry, const IndexEntry *last,
									  uint64 slots, uint64 salt);
extern void pgt_key_index_header_seal(KeyIndexHeader *header);

/* NULL if the header is whole, of a version that is known and of that segment; else the problem. */
extern const char *pgt_key_index_header_check(const KeyIndexHeader *header, SegmentId id);

/* Is the header whole, but of a version that this library does not know? */
extern bool pgt_key_index_header_is_foreign(const KeyIndexHeader *header);

/* Is that the last entry that the file covers? */
extern bool pgt_key_index_header_matches(const KeyIndexHeader *header, const IndexEntry *last);

/* How many pages the file has, the header among them. */
extern uint32 pgt_key_index_pages(const KeyIndexHeader *header);

/* ---- writing ------------------------------------------------------------- */

/* A leaf that is being filled. */
typedef struct KeyLeafWriter
{
	const KeyIndexHeader *header;
	uint32		bit;			/* where the next one goes */
	uint32		count;
	uint32		last_hash;
	uint8		page[KEY_INDEX_PAGE_SIZE];
} KeyLeafWriter;

extern void pgt_key_leaf_writer_begin(KeyLeafWriter *writer, const KeyIndexHeader *header);

/* Add a slot, not before the one added last.  False: the leaf is full. */
extern bool pgt_key_leaf_writer_add(KeyLeafWriter *writer, KeySlotEntry slot);

/* Set the page's checksum. */
extern void pgt_key_leaf_writer_seal(KeyLeafWriter *writer, uint32 page_number);

/*
 * Make an inner page of the first hashes of up to KEY_INNER_MAX pages of the level below,
 * and seal it; returns how many it took.
 */
extern uint32 pgt_key_index_page_make_inner(uint8 *page, const KeyIndexHeader *header, uint32 page_number,
									   const uint32 *hashes, uint32 count);

/* ---- reading ------------------------------------------------------------- */

/* Does the page match its checksum? */
extern bool pgt_key_index_page_is_whole(const uint8 *page, const KeyIndexHeader *header,
										uint32 page_number);

/* A walk over the slots of a whole leaf. */
typedef struct KeyLeafReader
{
	const KeyIndexHeader *header;
	const uint8 *page;
	uint32		bit;
	uint32		left;			/* slots */
	uint32		hash;
} KeyLeafReader;

extern void pgt_key_leaf_reader_begin(KeyLeafReader *reader, const KeyIndexHeader *header,
									  const uint8 *page);

/* The next slot; false at the end, and where bytes are not slots. */
extern bool pgt_key_leaf_reader_next(KeyLeafReader *reader, KeySlotEntry *slot);

/* Where a search for a hash goes on: an inner level, or the leaves (level 0). */
typedef struct KeyIndexLevel
{
	uint32		first_page;
	uint32		pages;
} KeyIndexLevel;

#define KEY_INDEX_MAX_LEVELS	4
#define KEY_INNER_MAX			1020

/* The levels of a file, the leaves first; returns how many.  One level: there is no root. */
extern int	pgt_key_index_levels(const KeyIndexHeader *header, KeyIndexLevel *levels);

/*
 * The number, among the pages below a whole inner page, of the first that may have slots with
 * the hash.
 */
extern uint32 pgt_key_index_page_find(const uint8 *page, uint32 hash);

#endif							/* KEY_INDEX_PAGE_H */
