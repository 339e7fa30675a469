/*
 * key_check.c
 *	  Checking a segment's index of keys against its batches, for verify_topic().
 *
 * Of each file all pages are read: they match their checksums, the slots are in order and as
 * many as the header says.  That they are the right ones is shown by a sum: each slot, made
 * of a key's hash and a batch, counts with a hash of both.  The same sum is made of the
 * batches, each key once in a batch, up to each entry; so that of a range is a difference.
 *
 * A file that is not used, because it is of another version, cluster or history of the
 * segment, is not looked at: the worker replaces it.
 *
 * Memory: eight bytes for each entry of the segment.  No locks.
 */
#include "postgres.h"

#include <unistd.h>

#include "access/xlog.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"
#include "views/key_check.h"

struct KeyCheck
{
	MemoryContext context;
	PartitionState *state;
	TopicPartition key;
	SegmentId	id;
	bool		is_known;		/* all batches could be read */
	uint32		entries;
	uint64	   *sums;			/* of the slots of all entries before */

	/* the batch under way */
	uint32		entry;
	uint32	   *hashes;
	int			count;
	int			capacity;

	/* the file under way */
	KeyIndexFile file;
	KeyCheckReport report;
	void	   *arg;
};

/* What a slot counts. */
static inline uint64
slot_sum(uint32 hash, uint32 entry)
{
	return hash_bytes_uint32_extended(hash, entry);
}

KeyCheck *
pgt_key_check_begin(PartitionState *state, Segment *segment, uint32 entries)
{
	MemoryContext context;
	KeyCheck   *check;
	char		path[MAXPGPATH];
	bool		any = false;

	for (int i = 0; i < SEGMENT_KEY_FILES && !any; i++)
	{
		pgt_segment_keys_path(path, &segment->key, segment->id, i);
		any = access(path, F_OK) == 0;
	}
	if (!any)
		return NULL;
	context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics key check", ALLOCSET_DEFAULT_SIZES);
	check = MemoryContextAllocZero(context, sizeof(KeyCheck));
	check->context = context;
	check->state = state;
	check->key = segment->key;
	check->id = segment->id;
	check->is_known = true;
	check->entries = entries;
	check->sums = MemoryContextAllocExtended(context, ((Size) entries + 1) * sizeof(uint64),
											 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	return check;
}

static int
compare_hashes(const void *a, const void *b)
{
	uint32		left = *(const uint32 *) a;
	uint32		right = *(const uint32 *) b;

	return left < right ? -1 : left > right;
}

/* Count the batch under way, and let the next one be that of an entry. */
static void
finish_batch(KeyCheck *check, uint32 entry)
{
	uint64		sum = check->sums[check->entry];

	if (check->count > 0)
		qsort(check->hashes, check->count, sizeof(uint32), compare_hashes);
	for (int i = 0; i < check->count; i++)
		if (i == 0 || check->hashes[i] != check->hashes[i - 1])
			sum += slot_sum(check->hashes[i], check->entry);
	check->count = 0;
	while (check->entry < Min(entry, check->entries))
		check->sums[++check->entry] = sum;
}

void
pgt_key_check_add(KeyCheck *check, uint32 entry, const Record *record)
{
	if (entry != check->entry)
		finish_batch(check, entry);
	if (record->key_length < 0)
		return;
	if (check->count == check->capacity)
	{
		check->capacity = Max(1024, check->capacity * 2);
		check->hashes = check->hashes == NULL ?
			MemoryContextAllocHuge(check->context, check->capacity * sizeof(uint32)) :
			repalloc_huge(check->hashes, check->capacity * sizeof(uint32));
	}
	check->hashes[check->count++] = pgt_key_index_page_hash(GetSystemIdentifier(), record->key, record->key_length);
}

void
pgt_key_check_give_up(KeyCheck *check)
{
	check->is_known = false;
}

/* ---- one file ------------------------------------------------------------------ */

/* Tell of a problem in the file under way. */
static void
tell(KeyCheck *check, uint32 page, const char *problem)
{
	check->report(check->arg, (int64) page * KEY_INDEX_PAGE_SIZE,
				  psprintf("the index of keys in file \"keys%d\": %s", check->file.number, problem));
}

/* Read a page; false, and a problem, if it is damaged. */
static bool
read_page(KeyCheck *check, uint32 number, uint8 *page)
{
	int			got = FileRead(check->file.file, (char *) page, KEY_INDEX_PAGE_SIZE,
							   (off_t) number * KEY_INDEX_PAGE_SIZE, WAIT_EVENT_DATA_FILE_READ);

	CHECK_FOR_INTERRUPTS();
	if (got == KEY_INDEX_PAGE_SIZE && pgt_key_index_page_is_whole(page, &check->file.header, number))
		return true;
	tell(check, number, got < KEY_INDEX_PAGE_SIZE ? "the file ends before the page" : "the page's checksum does not match");
	return false;
}

/* Check all pages of the file under way. */
static void
check_pages(KeyCheck *check)
{
	const KeyIndexHeader *header = &check->file.header;
	uint32		pages = pgt_key_index_pages(header);
	uint8		page[KEY_INDEX_PAGE_SIZE];
	KeySlotEntry last = {0};
	uint64		slots = 0;
	uint64		sum = 0;

	for (uint32 number = 1; number < pages; number++)
	{
		KeyLeafReader reader;
		KeySlotEntry slot;

		if (!read_page(check, number, page))
			return;
		if (number > header->leaves)
			continue;
		pgt_key_leaf_reader_begin(&reader, header, page);
		while (pgt_key_leaf_reader_next(&reader, &slot))
		{
			if (slots > 0 && (slot.hash < last.hash || (slot.hash == last.hash && slot.entry <= last.entry)))
			{
				tell(check, number, "the slots are not in order");
				return;
			}
			last = slot;
			sum += slot_sum(slot.hash, slot.entry);
			slots++;
		}
	}
	if (slots != header->slots)
		tell(check, 0, "the slots are not as many as the header says");
	else if (check->is_known && header->end_entry <= check->entries &&
			 sum != check->sums[header->end_entry] - check->sums[header->first_entry])
		tell(check, 0, "the slots are not those of the keys in the batches");
}

/* Is the file one that readers would use?  Tells of damage. */
static bool
check_header(KeyCheck *check)
{
	KeyIndexHeader *header = &check->file.header;
	Segment    *segment = pgt_log_segments_open(check->state, check->id);
	const char *problem = "the header is cut off";
	IndexEntry	last;

	if (FileRead(check->file.file, (char *) header, sizeof(*header), 0, WAIT_EVENT_DATA_FILE_READ) == sizeof(*header))
		problem = pgt_key_index_header_check(header, check->id);
	if (problem == NULL)
		return segment != NULL && header->system_identifier == GetSystemIdentifier() &&
			pgt_segment_peek_entry(segment, header->end_entry - 1, &last) &&
			pgt_key_index_header_matches(header, &last);
	if (!pgt_key_index_header_is_foreign(header))
		tell(check, 0, problem);
	return false;
}

void
pgt_key_check_end(KeyCheck *check, KeyCheckReport report, void *arg)
{
	finish_batch(check, check->entries);
	check->report = report;
	check->arg = arg;
	for (int i = 0; i < SEGMENT_KEY_FILES; i++)
	{
		char		path[MAXPGPATH];

		pgt_segment_keys_path(path, &check->key, check->id, i);
		check->file.number = i;
		/* one that is merged or removed meanwhile is no problem */
		check->file.file = PathNameOpenFile(path, O_RDONLY | PG_BINARY);
		if (check->file.file < 0)
			continue;
		if (check_header(check))
			check_pages(check);
		FileClose(check->file.file);
	}
	MemoryContextDelete(check->context);
}
