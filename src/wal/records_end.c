/*
 * records_end.c
 *	  Where the records in a range of offsets end, as opposed to the offsets.
 *
 *	  from                                      before
 *	   | [ batch ] [ batch ] [ aborted ]  (gap)  |
 *	                        ^ the records end here
 *
 * Nobody loses anything if offsets without a record are deleted.  So a process that deletes
 * records, or waits until a group has read them, asks where the records end.  The
 * search goes backward, and mostly looks at one entry only, the last one of a segment: a
 * batch counts unless its transaction has aborted.  A batch is read only if it has fewer
 * records than offsets (compaction removed some, or a producer gave offsets), as its entry
 * or, in older segments, its header tells.
 *
 * Damage must not keep records from being deleted: a batch or segment that cannot be read is
 * taken to have records.  If that is wrong, a group is told of a loss that it did not
 * have.
 *
 * Locks: none.  The caller keeps the range from being deleted or rewritten meanwhile; if
 * it does not, a segment that has gone counts as one that cannot be read.
 */
#include "postgres.h"

#include "log/batch_decoder.h"
#include "log/kafka_txn_map.h"
#include "miscadmin.h"
#include "util/catch_error.h"
#include "util/transaction.h"
#include "utils/memutils.h"
#include "wal/records_end.h"

#define ENTRIES_PER_READ	64

/* The range, and how far the backward search has come. */
typedef struct Search
{
	PartitionState *state;
	const LogBounds *bounds;
	int64		from;
	int64		before;			/* from here on there is no record */
	bool		ended;
	SegmentId	id;				/* the segment that is searched */
	bool		over;			/* and whether the search ended in it */
} Search;

/*
 * Let the entry of a Kafka transaction's batch say how that has ended; it is read again where the number was
 * forgotten since.  False if that is open, or was lost.
 */
static bool
translate(Segment *segment, uint32 n, IndexEntry *entry)
{
	if (!pgt_kafka_txn_map_translate(entry, NULL) && pgt_segment_read_entries(segment, n, 1, entry) == 1 &&
		pgt_index_entry_is_numbered(entry))
		(void) pgt_kafka_txn_map_translate(entry, NULL);
	return !pgt_index_entry_is_numbered(entry);
}

/* Has the transaction of entry n aborted, so that its offsets are a gap?  An unknown one is taken to have records. */
static bool
is_aborted(const Search *search, Segment *segment, uint32 n, IndexEntry *entry)
{
	SegmentId	id = segment->id;

	if (pgt_index_entry_is_numbered(entry) && !translate(segment, n, entry))
		return false;
	if ((entry->flags & ENTRY_ABORTED) != 0)
		return true;
	if (id.generation > 0 || id.base + entry->last_delta < search->bounds->resolved_offset)
		return false;
	return search->ended && pgt_transaction_outcome(entry->xid) == TRANSACTION_ABORTED;
}

/* The bytes of an entry's batch, palloc'd; NULL if the file ends before the batch. */
static char *
read_batch(Segment *segment, const IndexEntry *entry)
{
	char	   *batch = MemoryContextAllocHuge(CurrentMemoryContext, entry->length);

	return pgt_segment_read(segment, entry->position, batch, entry->length) ? batch : NULL;
}

/* The offset behind the batch's last record below "before", or NO_OFFSET. */
static int64
decode_end(const Search *search, Segment *segment, const IndexEntry *entry)
{
	BatchDecoder decoder = {.context = CurrentMemoryContext};
	TopicPartition key = segment->key;
	SegmentId	id = segment->id;
	char	   *batch = read_batch(segment, entry);
	int64		end = NO_OFFSET;
	RecordBatchHeader header;
	RecordIterator iterator;
	Record		record;

	if (batch == NULL)
		return search->before;
	pgt_batch_decoder_check(&key, id, entry, batch, &header);
	pgt_batch_decoder_decode(&decoder, &key, id, entry, batch, &header, &iterator);
	while (pgt_record_iterator_next(&iterator, &record) && record.offset < search->before)
		end = record.offset + 1;
	return iterator.problem == NULL ? end : search->before;
}

/* Does the batch have a record at each of its offsets? */
static bool
is_dense(Segment *segment, const IndexEntry *entry)
{
	char		bytes[RECORD_BATCH_HEADER_SIZE];
	RecordBatchHeader header;

	if ((entry->flags & ENTRY_DENSE) != 0)
		return true;
	return entry->length >= sizeof(bytes) &&
		pgt_segment_read(segment, entry->position, bytes, sizeof(bytes)) &&
		pgt_record_batch_read_header(bytes, sizeof(bytes), &header) == NULL &&
		header.record_count == header.last_offset_delta + 1;
}

/* The offset behind the last record below "before" of a batch that has not aborted, or NO_OFFSET. */
static int64
batch_end(const Search *search, Segment *segment, const IndexEntry *entry)
{
	if (is_dense(segment, entry))
		return Min(search->before, segment->id.base + entry->last_delta + 1);
	return decode_end(search, segment, entry);
}

/*
 * Search a block of entries, of which the first one is entry "from" of the segment, backward.  True if the
 * search is over: then search->before is where the records end, unless it is at or below search->from.
 */
static bool
search_entries(Search *search, Segment *segment, uint32 from, IndexEntry *entries, uint32 count)
{
	while (count-- > 0)
	{
		IndexEntry *entry = &entries[count];
		int64		first = segment->id.base + entry->first_delta;

		if (first >= search->before)
			continue;
		if (segment->id.base + entry->last_delta < search->from)
		{
			search->before = search->from;
			return true;
		}
		if (!is_aborted(search, segment, from + count, entry))
		{
			int64		end = batch_end(search, segment, entry);

			if (end != NO_OFFSET)
			{
				search->before = end;
				return true;
			}
		}
		search->before = Min(search->before, first);
	}
	return false;
}

/* Search a segment backward.  True if the search is over. */
static bool
search_segment(Search *search, SegmentId id)
{
	IndexEntry	entries[ENTRIES_PER_READ];
	Segment    *segment = NULL;
	uint32		left;

	if (pgt_log_segments_can_open(search->state, id))
		segment = pgt_log_segments_open(search->state, id);
	if (segment == NULL)
		return true;
	left = pgt_partition_log_entries(segment, search->bounds);
	left = Min(left, pgt_segment_find_offset(segment, left, search->before) + 1);
	while (left > 0)
	{
		uint32		count = Min(left, ENTRIES_PER_READ);

		CHECK_FOR_INTERRUPTS();
		left -= count;
		if (pgt_segment_read_entries(segment, left, count, entries) != count ||
			search_entries(search, segment, left, entries, count))
			return true;
	}
	search->before = Min(search->before, id.base);
	return false;
}

/* Search the segment that search->id names backward, for pgt_catch_damage_reading(). */
static void
search_one(void *arg)
{
	Search	   *search = arg;

	search->over = search_segment(search, search->id);
}

/* Search a segment backward.  Damage ends the search, as if the last offset had a record. */
static bool
search_or_give_up(Search *search, SegmentId id)
{
	search->id = id;
	search->over = true;
	(void) pgt_catch_damage_reading(search_one, search);
	return search->over;
}

int64
pgt_records_end(PartitionState *state, const LogBounds *bounds, int64 from, int64 before, bool ended)
{
	Search		search = {state, bounds, from, before, ended};
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics records end",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);

	while (search.before > from)
	{
		SegmentId	id = pgt_partition_log_segment_for(state, bounds, search.before - 1);

		/* nothing lies before the first segment */
		if (id.base >= search.before)
			search.before = from;
		else if (search_or_give_up(&search, id))
			break;
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return search.before > from ? search.before : NO_OFFSET;
}
