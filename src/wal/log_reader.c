/*
 * log_reader.c
 *	  Reading the records of one partition that a snapshot sees, in order.
 *
 * The reader walks over index entries, decides by each batch's transaction whether the
 * snapshot sees it, and decodes the records of those that it sees:
 *
 *	  transaction running as of the snapshot, or our own	stop, to keep the order
 *		(with past_running, for a caller that does not need the order: skip it)
 *	  merged batch that may have one of them	an ERROR; only on a standby
 *	  below the resolved offset		seen unless flagged aborted
 *	  otherwise						seen if the commit log says committed
 *
 * Only batches that were appended before the reader began can be seen by its
 * snapshot, so it works on one copy of the partition's bounds and takes no
 * lock while it reads files.  Entries are read after the bounds were copied,
 * so an aborted batch below the resolved offset is found flagged.
 *
 * A segment may be deleted or replaced while the reader is in it.  Then the reader finds
 * no file of that name, or a new version of the list of segments when it goes to the
 * next segment.  It copies the bounds again and looks up its position.
 *
 * A reader that is asked for some keys looks them up in each segment's index of keys, where
 * there is one, and skips the batches that have none of them.  It may do so without a look
 * at them only where no transaction is running as of the snapshot; behind that it still
 * goes from batch to batch, since one of a running transaction is where it must stop.
 *
 * Log bytes are read in chunks of up to CHUNK_MAX bytes that cover several
 * batches; chunks grow as the reader goes on, so that a look at one record
 * stays cheap.  So does the number of entries that are read at once.
 *
 * A caller may go from batch to batch, and take one as it is in the index.  Then of its
 * damage only that is noticed which shows in the entry or, without ENTRY_DENSE, in the
 * header.  Of dense batches the first and the last one of each read of the index must fit
 * their headers, too, lest an index that belongs to another log be believed.
 *
 * Decoding is batch_decoder.c's.  Damage (an entry or batch that fails its
 * checksum, segments that do not follow each other) is an ERROR with file,
 * position and offset.
 *
 * Memory: one context for the reader's life, but for a chunk buffer that the
 * process keeps, with what it holds, and one reader at a time uses.  A record's bytes are in the chunk or in
 * the decoder, and are valid until the next call.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "log/batch_decoder.h"
#include "miscadmin.h"
#include "storage/procarray.h"
#include "util/fault_point.h"
#include "util/transaction.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "wal/log_reader.h"
#include "wal/log_resolve.h"

#define ENTRIES_MIN			128
#define ENTRIES_MAX			1024
#define CHUNK_MIN			(16 * 1024)
#define CHUNK_MAX			(256 * 1024)

/* How the snapshot sees a batch. */
typedef enum Visibility
{
	BATCH_SEEN,
	BATCH_SKIPPED,				/* its transaction aborted */
	BATCH_BLOCKS,				/* running: nothing from here on may be read */
	BATCH_GONE					/* its segment was replaced: look again */
} Visibility;

struct LogReader
{
	MemoryContext context;
	TopicPartition key;
	PartitionState *state;
	Snapshot	snapshot;
	uint64		snapshot_xmin;	/* as 64-bit ids */
	uint64		snapshot_xmax;
	LogReaderFilter filter;
	LogReaderCounts uncounted;	/* where nobody asks for the counts */
	LogBounds	bounds;

	int64		position;		/* next offset to give, or to skip to */
	int64		next_start;		/* of what was found at or past end_offset, or 0 */
	bool		done;
	TransactionId blocker;

	/* the place in the index */
	SegmentId	segment;		/* base NO_SEGMENT: to be looked up */
	uint32		segment_entries;
	uint32		next_entry;

	/* by filter.keys, of that segment */
	int64		ended;			/* below it no transaction is running as of the snapshot */
	uint32		ended_entries;	/* as many of its entries lie below that */
	bool		has_skipped;	/* up to next_entry */
	KeyProbeResult *hits;

	/* entries read ahead, of that segment */
	IndexEntry *entries;
	uint32		entry_capacity;
	uint32		first_entry;
	uint32		entry_count;

	/* log bytes read ahead */
	char	   *chunk;
	uint32		chunk_capacity;
	uint32		chunk_position;
	uint32		chunk_length;
	uint32		chunk_want;
	uint32		chunk_max;
	bool		chunk_is_kept;	/* it is the process's, not the reader's own */
	MemoryContextCallback release;

	BatchDecoder decoder;

	/* the batch that the reader stands at, and the one being decoded */
	IndexEntry *found;
	bool		in_batch;
	RecordIterator iterator;
	uint32		batch_position;
	int64		batch_last;

	/* the last transaction looked up */
	uint64		last_xid;
	Visibility	last_visibility;
};

/* ---- visibility ---------------------------------------------------------- */

/* Is the transaction running as of the snapshot?  Our own transaction counts as running. */
static bool
is_running(LogReader *reader, uint64 xid)
{
	if (xid < reader->snapshot_xmin)
		return false;
	if (xid >= reader->snapshot_xmax)
		return true;
	return TransactionIdIsCurrentTransactionId((TransactionId) xid) ||
		XidInMVCCSnapshot((TransactionId) xid, reader->snapshot);
}

/*
 * The commit log was cut since the bounds were copied.  So the entry is resolved by now, and
 * flagged if its transaction aborted.  If it is not resolved, the server has cut a part of
 * the commit log that was not held: an ERROR.
 */
static Visibility
reread_visibility(LogReader *reader, uint32 n)
{
	LogBounds	now;
	Segment    *segment;
	IndexEntry	entry;

	/* read the offset before the flag, since they are set in the other order */
	if (!pgt_partition_log_bounds(&reader->key, &now))
		return BATCH_GONE;
	segment = pgt_log_segments_open(reader->state, reader->segment);
	if (segment == NULL || pgt_segment_read_entries(segment, n, 1, &entry) != 1)
		return BATCH_GONE;
	if ((entry.flags & ENTRY_ABORTED) != 0)
		return BATCH_SKIPPED;
	if (reader->segment.base + entry.last_delta >= Max(now.resolved_offset, reader->state->trusted_end))
		pgt_log_resolve_fail_forgotten(&reader->key, reader->segment.base, &entry);
	return BATCH_SEEN;
}

/*
 * Is a transaction of that range of ids running as of a snapshot that was taken on a
 * standby?  There all ids that are running are among the subtransactions.
 */
static bool
is_any_running(const LogReader *reader, uint64 from, uint64 upto)
{
	Snapshot	snapshot = reader->snapshot;

	if (upto < reader->snapshot_xmin)
		return false;
	if (upto >= reader->snapshot_xmax)
		return true;
	for (int32 i = 0; i < snapshot->subxcnt; i++)
	{
		uint64		xid = pgt_transaction_full_id(snapshot->subxip[i]);

		if (xid >= from && xid <= upto)
			return true;
	}
	return false;
}

/*
 * ERROR if the snapshot may see only some of the transactions of a merged batch: which of
 * its records those have written is not known any more.  To snapshots of the server that
 * merged it this cannot happen.
 */
static void
check_merged(const LogReader *reader, const IndexEntry *entry)
{
	if (!reader->snapshot->takenDuringRecovery ||
		!is_any_running(reader, pgt_index_entry_oldest_xid(entry), entry->xid))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("canceling statement due to conflict with recovery"),
			 errdetail("The record batches of partition %d of topic %u from offset %lld to %lld were merged; the snapshot is older, and may not see all of their transactions.",
					   reader->key.partition, reader->key.topic,
					   (long long) (reader->segment.base + entry->first_delta),
					   (long long) (reader->segment.base + entry->last_delta)),
			 errhint("Run the transaction again. With hot_standby_feedback, or a longer batch.merge.lag.ms, batches are merged later.")));
}

/* How the snapshot sees entry n. */
static Visibility
visibility(LogReader *reader, const IndexEntry *entry, uint32 n)
{
	Visibility	result;

	if ((entry->flags & ENTRY_MERGED) != 0)
		check_merged(reader, entry);
	if (entry->xid == reader->last_xid && (entry->flags & ENTRY_ABORTED) == 0)
		return reader->last_visibility;
	if (is_running(reader, entry->xid))
		result = BATCH_BLOCKS;
	else if ((entry->flags & ENTRY_ABORTED) != 0)
		return BATCH_SKIPPED;
	else if (reader->segment.base + entry->last_delta < reader->bounds.resolved_offset)
		return BATCH_SEEN;
	else
	{
		switch (pgt_transaction_outcome(entry->xid))
		{
			case TRANSACTION_COMMITTED:
				result = BATCH_SEEN;
				break;
			case TRANSACTION_ABORTED:
				result = BATCH_SKIPPED;
				break;
			default:
				return reread_visibility(reader, n);
		}
	}
	reader->last_xid = entry->xid;
	reader->last_visibility = result;
	return result;
}

/* ---- the place in the index ---------------------------------------------- */

/* Copy the partition's bounds as of now. */
static bool
take_bounds(LogReader *reader)
{
	if (!pgt_partition_log_bounds(&reader->key, &reader->bounds))
		return false;
	reader->position = Max(reader->position, reader->bounds.log_start_offset);
	reader->segment.base = NO_SEGMENT;
	reader->entry_count = 0;
	if (reader->filter.keys != NULL)
		reader->ended = reader->filter.past_running ? PG_INT64_MAX :
			pgt_log_reader_ended_below(&reader->bounds, reader->snapshot);
	return true;
}

/* Look the filter's keys up in the segment being entered. */
static void
look_up_keys(LogReader *reader, Segment *segment)
{
	MemoryContext caller = MemoryContextSwitchTo(reader->context);

	if (reader->hits == NULL)
		reader->hits = palloc0(sizeof(KeyProbeResult));
	reader->ended_entries = reader->segment_entries;
	if (reader->ended < reader->bounds.next_offset)
		reader->ended_entries = pgt_segment_find_offset(segment, reader->segment_entries, reader->ended);
	pgt_key_probe_run(reader->state, segment, reader->filter.keys, reader->hits);
	MemoryContextSwitchTo(caller);
}

/* Enter a segment at its entry n. */
static void
enter_segment(LogReader *reader, Segment *segment, uint32 n)
{
	reader->segment = segment->id;
	reader->segment_entries = pgt_partition_log_entries(segment, &reader->bounds);
	reader->next_entry = n;
	reader->entry_count = 0;
	reader->chunk_length = 0;
	if (reader->filter.keys != NULL)
		look_up_keys(reader, segment);
}

/* May the batch of entry n have one of the filter's keys? */
static inline bool
may_have_keys(const LogReader *reader, uint32 n)
{
	return reader->hits == NULL || pgt_key_probe_next(reader->hits, n) == n;
}

/* Skip the entries that have none of the filter's keys, without reading them. */
static void
skip_entries(LogReader *reader)
{
	uint32		next = Min(pgt_key_probe_next(reader->hits, reader->next_entry), reader->ended_entries);

	if (next <= reader->next_entry)
		return;
	reader->filter.counts->batches_without_key += next - reader->next_entry;
	reader->next_entry = next;
	reader->has_skipped = true;
}

/* Report that a segment is missing, although nothing was deleted. */
static void
fail_for_missing_segment(LogReader *reader, SegmentId id)
{
	char		path[MAXPGPATH];

	pgt_segment_log_path(path, &reader->key, id);
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("segment \"%s\" is missing", path),
			 errdetail("It holds offset %lld of partition %d.",
					   (long long) reader->position, reader->key.partition)));
}

/*
 * Open a segment.  NULL if it was deleted or replaced since the bounds were copied: then
 * they are copied again, and the caller begins anew.
 */
static Segment *
open_segment(LogReader *reader, SegmentId id)
{
	Segment    *segment = pgt_log_segments_open(reader->state, id);
	uint32		version = reader->bounds.segments_version;

	if (segment != NULL)
	{
		FAULT_HALT("reader-segment");
		return segment;
	}
	if (!take_bounds(reader))
		reader->done = true;
	else if (reader->bounds.segments_version == version)
		fail_for_missing_segment(reader, id);
	return NULL;
}

/* Segments do not follow each other: what was between them is lost. */
static void
records_are_missing(LogReader *reader, int64 from, const Segment *segment)
{
	char		path[MAXPGPATH];

	pgt_segment_log_path(path, &reader->key, segment->id);
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("records of partition %d from offset %lld to %lld are missing",
					reader->key.partition, (long long) from,
					(long long) segment->span.previous_end - 1),
			 errdetail("The segment before \"%s\" is missing or its index is cut.", path),
			 errhint("Restore it from a backup, or continue to read from offset %lld.",
					 (long long) segment->id.base)));
}

/*
 * If segments were added or removed since the bounds were copied, the list may not fit the
 * bounds: copy the bounds again.  True: begin anew, or done.
 */
static bool
renew_bounds(LogReader *reader)
{
	if (!pgt_partition_log_has_changed(reader->state, &reader->bounds))
		return false;
	if (!take_bounds(reader))
		reader->done = true;
	return true;
}

/* Look up the reader's position.  False: begin anew, or done. */
static bool
locate(LogReader *reader)
{
	SegmentId	id = pgt_partition_log_segment_for(reader->state, &reader->bounds,
												   reader->position);
	Segment    *segment = renew_bounds(reader) ? NULL : open_segment(reader, id);

	if (segment == NULL)
		return false;
	if (id.base > reader->position && segment->span.previous_end > reader->position)
		records_are_missing(reader, reader->position, segment);
	enter_segment(reader, segment,
				  pgt_log_segments_find_entry(reader->state, segment,
											  pgt_partition_log_entries(segment, &reader->bounds),
											  reader->position));
	return true;
}

/* The offset at which the segment being left ends; -1: begin anew or done. */
static int64
segment_end(LogReader *reader)
{
	Segment    *segment = open_segment(reader, reader->segment);

	return segment == NULL ? -1 : pgt_partition_log_segment_end(segment, &reader->bounds);
}

/* Is the segment the active one, with nothing in it? */
static bool
is_empty_active(const LogReader *reader, SegmentId id)
{
	return id.base == reader->bounds.active_base && reader->bounds.active_entries == 0;
}

/* There is nothing to read from this segment on (its base NO_SEGMENT: at all). */
static void
finish(LogReader *reader, SegmentId id)
{
	reader->done = true;
	reader->next_start = id.base == NO_SEGMENT ? PG_INT64_MAX : id.base;
	if (id.base < reader->filter.end_offset)
		reader->position = Max(reader->position, reader->bounds.next_offset);
}

/* Go on in the next segment.  False: begin anew or done. */
static bool
next_segment(LogReader *reader)
{
	SegmentId	id = pgt_partition_log_next_segment(reader->state, &reader->bounds,
													reader->segment.base);
	Segment    *segment;
	int64		end;

	if (renew_bounds(reader))
		return false;

	/* an empty one that is damaged holds nothing: the next append makes it anew */
	if (id.base == NO_SEGMENT || id.base >= reader->filter.end_offset ||
		(is_empty_active(reader, id) && !pgt_log_segments_can_open(reader->state, id)))
	{
		finish(reader, id);
		return false;
	}
	end = segment_end(reader);
	segment = end >= 0 ? open_segment(reader, id) : NULL;
	if (segment == NULL)
		return false;
	if (segment->span.previous_end != end)
		records_are_missing(reader, end, segment);
	if (is_empty_active(reader, id))
	{
		finish(reader, id);
		return false;
	}
	enter_segment(reader, segment, 0);
	return true;
}

/* Make room for more entries than were read the last time; those are lost. */
static void
grow_entries(LogReader *reader)
{
	if (reader->entries != NULL && reader->entry_capacity == ENTRIES_MAX)
		return;
	reader->entry_capacity = reader->entries == NULL ? ENTRIES_MIN :
		Min(reader->entry_capacity * 2, ENTRIES_MAX);
	if (reader->entries != NULL)
		pfree(reader->entries);
	reader->entries = NULL;
	reader->entries = MemoryContextAlloc(reader->context, reader->entry_capacity * sizeof(IndexEntry));
}

/* Read entries from next_entry on.  False: begin anew or done. */
static bool
read_entries(LogReader *reader)
{
	Segment    *segment = open_segment(reader, reader->segment);

	if (segment == NULL)
		return false;
	if (reader->entries == NULL || reader->entry_count == reader->entry_capacity)
	{
		reader->entry_count = 0;
		grow_entries(reader);
	}
	reader->first_entry = reader->next_entry;
	reader->entry_count =
		pgt_segment_read_entries(segment, reader->next_entry,
								 Min(reader->entry_capacity, reader->segment_entries - reader->next_entry),
								 reader->entries);
	if (reader->entry_count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("segment index \"%s\" ends at entry %u of %u",
						FilePathName(segment->index), reader->next_entry,
						reader->segment_entries),
				 errdetail("Offset %lld of partition %d is past its end.",
						   (long long) reader->position, reader->key.partition)));
	return true;
}

/* The next entry, or NULL at the end. */
static IndexEntry *
next_entry(LogReader *reader)
{
	IndexEntry *entry;

	while (!reader->done)
	{
		if (reader->segment.base == NO_SEGMENT)
		{
			locate(reader);
			continue;
		}
		if (reader->hits != NULL)
			skip_entries(reader);
		if (reader->next_entry >= reader->segment_entries)
		{
			next_segment(reader);
			continue;
		}
		if (reader->next_entry - reader->first_entry >= reader->entry_count &&
			!read_entries(reader))
			continue;
		entry = &reader->entries[reader->next_entry++ - reader->first_entry];
		if (reader->has_skipped)
			reader->position = Max(reader->position, reader->segment.base + entry->first_delta);
		reader->has_skipped = false;
		return entry;
	}
	return NULL;
}

/* ---- batches ------------------------------------------------------------- */

/*
 * A buffer that the process keeps for the next reader: consumers open one for
 * each call, and a fresh one costs as many page faults as it has pages.
 */
static char *kept_chunk = NULL;
static bool kept_chunk_in_use = false;

/*
 * What that buffer holds: bytes of a segment, and among them the batch that was checked last.
 * A consumer's next call mostly goes on in the batch in which the last one stopped, and need
 * not read it, check it and walk to its place again.  Bytes of a segment never change, and
 * the index entry tells whether it is still the same batch: it has the batch's LSN.
 */
static struct
{
	bool		valid;
	TopicPartition key;
	SegmentId	segment;
	uint32		chunk_position;
	uint32		chunk_length;
	IndexEntry	entry;			/* of the batch */
	RecordBatchHeader header;
	RecordIterator iterator;	/* where the reader stopped in it */
	int64		position;		/* the reader's position then; PG_INT64_MAX: there is no iterator */
}			kept_batch;

/* The reader that has the kept buffer goes, in whatever way. */
static void
release_kept_chunk(void *arg)
{
	kept_chunk_in_use = false;
}

/* Let the reader have the kept buffer. */
static void
take_kept_chunk(LogReader *reader)
{
	kept_chunk_in_use = reader->chunk_is_kept = true;
	reader->release.func = release_kept_chunk;
	MemoryContextRegisterResetCallback(reader->context, &reader->release);
	reader->chunk = kept_chunk;
	reader->chunk_capacity = CHUNK_MAX;
}

/* Have a chunk buffer for "length" bytes; what it held is gone. */
static void
grow_chunk(LogReader *reader, uint32 length)
{
	if (length <= reader->chunk_capacity)
		return;
	if (reader->chunk == NULL && length <= CHUNK_MAX && !kept_chunk_in_use)
	{
		if (kept_chunk == NULL)
			kept_chunk = MemoryContextAlloc(TopMemoryContext, CHUNK_MAX);
		take_kept_chunk(reader);
		return;
	}
	if (reader->chunk != NULL && !reader->chunk_is_kept)
		pfree(reader->chunk);
	reader->chunk = NULL;
	reader->chunk_is_kept = false;
	reader->chunk_capacity = Max(length, reader->chunk_want);
	reader->chunk = MemoryContextAllocHuge(reader->context, reader->chunk_capacity);
}

/* How many bytes to read from an entry on: it, and what follows that is already known. */
static uint32
chunk_length_for(LogReader *reader, const IndexEntry *entry)
{
	const IndexEntry *known_end = reader->entries + reader->entry_count;
	uint32		length = entry->length;

	if (!may_have_keys(reader, reader->next_entry))
		return length;
	for (const IndexEntry *e = entry + 1; e < known_end; e++)
	{
		if (e->position != entry->position + length || length + e->length > reader->chunk_want)
			break;
		length += e->length;
	}
	return length;
}

/* The log bytes of an entry's batch; NULL where the segment went away. */
static char *
batch_bytes(LogReader *reader, const IndexEntry *entry)
{
	Segment    *segment;
	uint32		length;

	if (reader->chunk_length > 0 && entry->position >= reader->chunk_position &&
		entry->position + entry->length <= reader->chunk_position + reader->chunk_length)
		return reader->chunk + (entry->position - reader->chunk_position);

	segment = open_segment(reader, reader->segment);
	if (segment == NULL)
		return NULL;
	length = chunk_length_for(reader, entry);
	grow_chunk(reader, length);
	reader->chunk_length = 0;
	if (reader->chunk_is_kept)
		kept_batch.valid = false;
	if (!pgt_segment_read(segment, entry->position, reader->chunk, length))
	{
		/* the file is cut; but maybe behind this batch */
		length = entry->length;
		if (!pgt_segment_read(segment, entry->position, reader->chunk, length))
			pgt_batch_decoder_fail(&reader->key, reader->segment, entry->position,
								   reader->segment.base + entry->first_delta,
								   "the file ends before the batch");
	}
	reader->chunk_position = entry->position;
	reader->chunk_length = length;
	reader->chunk_want = Min(reader->chunk_want * 2, reader->chunk_max);
	return reader->chunk;
}

/* Does the kept buffer hold an entry's batch, and may a reader that has no buffer yet take it? */
static bool
is_kept(const LogReader *reader, const IndexEntry *entry)
{
	return reader->chunk == NULL && !kept_chunk_in_use && kept_batch.valid &&
		pgt_segment_id_equal(kept_batch.segment, reader->segment) &&
		memcmp(&kept_batch.key, &reader->key, sizeof(TopicPartition)) == 0 &&
		memcmp(&kept_batch.entry, entry, sizeof(IndexEntry)) == 0;
}

/* Keep in mind that the kept buffer has an entry's batch, which is checked. */
static void
keep_batch(const LogReader *reader, const IndexEntry *entry, const RecordBatchHeader *header)
{
	kept_batch.key = reader->key;
	kept_batch.segment = reader->segment;
	kept_batch.chunk_position = reader->chunk_position;
	kept_batch.chunk_length = reader->chunk_length;
	kept_batch.entry = *entry;
	kept_batch.header = *header;
	kept_batch.position = PG_INT64_MAX;
	kept_batch.valid = true;
}

/* Keep in mind where the reader stops, if that is in the kept batch, and not in a decompressed copy. */
static void
keep_iterator(const LogReader *reader)
{
	if (!reader->chunk_is_kept || !kept_batch.valid || !reader->in_batch ||
		reader->batch_position != kept_batch.entry.position ||
		(kept_batch.header.attributes & BATCH_ATTR_CODEC_MASK) != COMPRESSION_NONE)
		return;
	kept_batch.iterator = reader->iterator;
	kept_batch.position = reader->position;
}

/* Begin decoding an entry's batch; false where the segment went away. */
static bool
enter_batch(LogReader *reader, const IndexEntry *entry)
{
	bool		kept = is_kept(reader, entry);
	RecordBatchHeader header;
	char	   *batch;

	if (kept)
	{
		take_kept_chunk(reader);
		reader->chunk_position = kept_batch.chunk_position;
		reader->chunk_length = kept_batch.chunk_length;
	}
	batch = batch_bytes(reader, entry);
	if (batch == NULL)
		return false;
	if (kept)
		header = kept_batch.header;
	else
		pgt_batch_decoder_check(&reader->key, reader->segment, entry, batch, &header);
	if (!kept && reader->chunk_is_kept)
		keep_batch(reader, entry, &header);
	pgt_batch_decoder_decode(&reader->decoder, &reader->key, reader->segment, entry, batch, &header,
							 &reader->iterator);
	if (kept && kept_batch.position <= reader->position)
		reader->iterator = kept_batch.iterator;
	reader->batch_position = entry->position;
	reader->batch_last = header.base_offset + header.last_offset_delta;
	reader->in_batch = true;
	reader->filter.counts->batches_read++;
	reader->filter.counts->bytes_read += entry->length;
	return true;
}

/*
 * How many records a batch has, by its header; false where the segment went away.  With
 * "alone" it is one that its entry calls dense, and those behind it will not be asked for.
 */
static bool
read_record_count(LogReader *reader, const IndexEntry *entry, bool alone, int64 *records)
{
	char		bytes[RECORD_BATCH_HEADER_SIZE];
	const char *batch = bytes;
	RecordBatchHeader header;

	if (entry->length <= CHUNK_MIN && !alone)
		batch = batch_bytes(reader, entry);
	else
	{
		/* what is more would be read in vain */
		Segment    *segment = open_segment(reader, reader->segment);

		if (segment == NULL)
			return false;
		if (!pgt_segment_read(segment, entry->position, bytes, sizeof(bytes)))
			pgt_batch_decoder_fail(&reader->key, reader->segment, entry->position,
								   reader->segment.base + entry->first_delta,
								   "the file ends before the batch");
	}
	if (batch == NULL)
		return false;
	pgt_batch_decoder_check_header(&reader->key, reader->segment, entry, batch, &header);
	if (alone && header.record_count != pgt_index_entry_offsets(entry))
	{
		/* the header or the flag in the index is wrong: the checksum tells which */
		batch = batch_bytes(reader, entry);
		if (batch == NULL)
			return false;
		pgt_batch_decoder_check(&reader->key, reader->segment, entry, batch, &header);
	}
	*records = header.record_count;
	return true;
}

/* Is the batch outside of the filter? */
static bool
filtered(const LogReader *reader, const IndexEntry *entry)
{
	return entry->max_timestamp < reader->filter.min_timestamp ||
		entry->min_timestamp > reader->filter.max_timestamp;
}

/* What the entry tells about its batch. */
static void
describe_batch(const LogReader *reader, const IndexEntry *entry, LogReaderBatch *batch)
{
	batch->xid = entry->xid;
	batch->first_offset = reader->segment.base + entry->first_delta;
	batch->last_offset = reader->segment.base + entry->last_delta;
	batch->transaction_first = pgt_index_entry_transaction_first(entry, reader->segment.base);
	batch->min_timestamp = entry->min_timestamp;
	batch->max_timestamp = entry->max_timestamp;
	batch->is_dense = (entry->flags & ENTRY_DENSE) != 0;
	batch->is_whole = batch->first_offset >= reader->position &&
		batch->last_offset < reader->filter.end_offset;
}

/* Go behind a batch without giving its records. */
static void
skip_batch(LogReader *reader, const IndexEntry *entry)
{
	reader->position = reader->segment.base + entry->last_delta + 1;
	reader->filter.counts->batches_skipped++;
	reader->filter.counts->bytes_skipped += entry->length;
}

/* The next batch that has something to give; NULL at the end. */
static IndexEntry *
find_batch(LogReader *reader)
{
	IndexEntry *entry;

	CHECK_FOR_INTERRUPTS();
	while ((entry = next_entry(reader)) != NULL)
	{
		uint32		n = reader->next_entry - 1;
		int64		first = reader->segment.base + entry->first_delta;
		int64		last = reader->segment.base + entry->last_delta;

		if (last < reader->position)
			continue;
		if (first >= reader->filter.end_offset)
		{
			reader->next_start = first;
			break;
		}
		switch (visibility(reader, entry, n))
		{
			case BATCH_BLOCKS:
				if (reader->filter.past_running)
					break;
				reader->blocker = (TransactionId) entry->xid;
				reader->done = true;
				return NULL;
			case BATCH_SEEN:
				if (filtered(reader, entry))
					break;
				if (!may_have_keys(reader, n))
				{
					reader->filter.counts->batches_without_key++;
					break;
				}
				return entry;
			case BATCH_SKIPPED:
				break;
			case BATCH_GONE:
				if (!take_bounds(reader))
					reader->done = true;
				continue;
		}
		skip_batch(reader, entry);
	}
	reader->done = true;
	return NULL;
}

/* The batch that was entered is read: its problem, if it has one, is an ERROR. */
static void
leave_batch(LogReader *reader)
{
	if (reader->iterator.problem != NULL)
		pgt_batch_decoder_fail(&reader->key, reader->segment, reader->batch_position,
							   reader->position, reader->iterator.problem);
	reader->in_batch = false;
	reader->position = reader->batch_last + 1;
}

/* The next record of the batch that was entered; false at its end, or at that of what is to be read. */
static inline bool
next_in_batch(LogReader *reader, Record *record)
{
	while (pgt_record_iterator_next(&reader->iterator, record))
	{
		if (record->offset < reader->position)
			continue;
		if (record->offset >= reader->filter.end_offset)
		{
			reader->next_start = record->offset;
			reader->done = true;
			reader->in_batch = false;
			return false;
		}
		reader->position = record->offset + 1;
		return true;
	}
	leave_batch(reader);
	return false;
}

/* ---- the interface ------------------------------------------------------- */

LogReader *
pgt_log_reader_begin(const TopicPartition *key, int64 offset, Snapshot snapshot,
					 const LogReaderFilter *filter)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics reader",
												  ALLOCSET_SMALL_SIZES);
	LogReader  *reader = MemoryContextAllocZero(context, sizeof(LogReader));

	reader->context = reader->decoder.context = context;
	reader->key = *key;
	reader->snapshot = snapshot;
	reader->snapshot_xmin = pgt_transaction_full_id(snapshot->xmin);
	reader->snapshot_xmax = pgt_transaction_full_id(snapshot->xmax);
	reader->position = Max(offset, 0);
	reader->filter.min_timestamp = PG_INT64_MIN;
	reader->filter.max_timestamp = reader->filter.end_offset = PG_INT64_MAX;
	if (filter != NULL)
		reader->filter = *filter;
	if (reader->filter.counts == NULL)
		reader->filter.counts = &reader->uncounted;
	reader->segment.base = NO_SEGMENT;
	reader->chunk_want = CHUNK_MIN;
	if (reader->filter.memory == 0 || reader->filter.memory >= CHUNK_MAX)
		reader->chunk_max = CHUNK_MAX;
	else
		reader->chunk_max = Max(reader->filter.memory / 2, CHUNK_MIN);
	reader->state = pgt_log_state_find(key);
	reader->done = reader->state == NULL || !take_bounds(reader) ||
		reader->position >= reader->bounds.next_offset;
	return reader;
}

bool
pgt_log_reader_next(LogReader *reader, Record *record)
{
	IndexEntry *entry;

	for (;;)
	{
		if (reader->in_batch && next_in_batch(reader, record))
			return true;
		if (reader->done || (entry = find_batch(reader)) == NULL)
			return false;
		(void) enter_batch(reader, entry);
	}
}

bool
pgt_log_reader_next_batch(LogReader *reader, LogReaderBatch *batch)
{
	if (reader->in_batch)
		leave_batch(reader);
	reader->found = reader->done ? NULL : find_batch(reader);
	if (reader->found == NULL)
		return false;
	describe_batch(reader, reader->found, batch);
	return true;
}

bool
pgt_log_reader_take_batch(LogReader *reader, int64 *records)
{
	const IndexEntry *entry = reader->found;
	bool		is_dense = (entry->flags & ENTRY_DENSE) != 0;

	/* an index that is not this log's shows in the headers: look at some of them */
	if (is_dense && entry != reader->entries && entry != &reader->entries[reader->entry_count - 1])
		*records = pgt_index_entry_offsets(entry);
	else if (!read_record_count(reader, entry, is_dense, records))
		return false;
	reader->position = reader->segment.base + entry->last_delta + 1;
	reader->filter.counts->batches_counted++;
	reader->filter.counts->bytes_counted += entry->length;
	return true;
}

bool
pgt_log_reader_enter_batch(LogReader *reader)
{
	return enter_batch(reader, reader->found);
}

bool
pgt_log_reader_next_in_batch(LogReader *reader, Record *record)
{
	return reader->in_batch && next_in_batch(reader, record);
}

int64
pgt_log_reader_position(const LogReader *reader)
{
	return reader->position;
}

int64
pgt_log_reader_next_start(const LogReader *reader)
{
	return reader->next_start;
}

int64
pgt_log_reader_log_start(const LogReader *reader)
{
	return reader->bounds.log_start_offset;
}

/*
 * Tell the next reader where this one stopped: at the entry before the next one,
 * maybe inside of it.  Who has just looked at a record reads it again.
 */
static void
leave_hint(const LogReader *reader)
{
	uint32		n = reader->next_entry - 1;
	int64		first = reader->position;

	if (n - reader->first_entry < reader->entry_count)
		first = Min(first, reader->segment.base +
					reader->entries[n - reader->first_entry].first_delta);
	pgt_log_segments_keep_hint(reader->state, reader->segment, n, first, reader->position);
}

void
pgt_log_reader_end(LogReader *reader)
{
	/* one that skips batches need not have come by all up to its position */
	if (reader->segment.base != NO_SEGMENT && reader->next_entry > 0 && reader->filter.keys == NULL)
		leave_hint(reader);
	keep_iterator(reader);
	MemoryContextDelete(reader->context);
}

/* ---- questions ----------------------------------------------------------- */

/* The next batch at or past the position, and what the snapshot makes of it; NULL at the end. */
static IndexEntry *
next_judged(LogReader *reader, Visibility *verdict)
{
	IndexEntry *entry;

	while (!reader->done && (entry = next_entry(reader)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (reader->segment.base + entry->last_delta < reader->position)
			continue;
		if (reader->segment.base + entry->first_delta >= reader->filter.end_offset)
			break;
		*verdict = visibility(reader, entry, reader->next_entry - 1);
		if (*verdict != BATCH_GONE)
			return entry;
		if (!take_bounds(reader))
			break;
	}
	reader->done = true;
	return NULL;
}

/*
 * Walk over the batches from the reader's position on without decoding, until
 * the end or a running transaction.
 */
static void
walk_batches(LogReader *reader)
{
	IndexEntry *entry;
	Visibility	verdict;

	while ((entry = next_judged(reader, &verdict)) != NULL)
	{
		if (verdict == BATCH_BLOCKS)
		{
			reader->blocker = (TransactionId) entry->xid;
			return;
		}
		reader->position = reader->segment.base + entry->last_delta + 1;
	}
}

bool
pgt_log_reader_next_seen(LogReader *reader, LogReaderBatch *batch)
{
	IndexEntry *entry;
	Visibility	verdict;

	while ((entry = next_judged(reader, &verdict)) != NULL)
	{
		describe_batch(reader, entry, batch);
		reader->position = batch->last_offset + 1;
		if (verdict == BATCH_SEEN)
			return true;
	}
	return false;
}

/*
 * Is no transaction that has resolved batches running as of the snapshot?  That is so for
 * each snapshot that is newer than the resolving: every transaction that it has as
 * running, up to the largest resolved id, must still be running now, and so was not
 * resolved when the bounds were copied.  Also false if that cannot be decided.
 */
static bool
sees_all_resolved(Snapshot snapshot, const LogBounds *bounds)
{
	/* on a standby all are among the subtransactions */
	const TransactionId *running = snapshot->takenDuringRecovery ? snapshot->subxip : snapshot->xip;
	uint32		count = snapshot->takenDuringRecovery ? snapshot->subxcnt : snapshot->xcnt;

	if (bounds->resolved_max_xid < pgt_transaction_full_id(snapshot->xmin))
		return true;
	if (bounds->resolved_max_xid >= pgt_transaction_full_id(snapshot->xmax))
		return false;
	for (uint32 i = 0; i < count; i++)
		if (TransactionIdPrecedesOrEquals(running[i], (TransactionId) bounds->resolved_max_xid) &&
			!TransactionIdIsInProgress(running[i]))
			return false;
	return true;
}

int64
pgt_log_reader_ended_below(const LogBounds *bounds, Snapshot snapshot)
{
	return sees_all_resolved(snapshot, bounds) ? bounds->resolved_offset : bounds->log_start_offset;
}

int64
pgt_log_reader_visible_end_by(const TopicPartition *key, const LogBounds *bounds,
							  Snapshot snapshot, TransactionId *blocker)
{
	int64		ended = pgt_log_reader_ended_below(bounds, snapshot);
	LogReader  *reader;
	int64		end;

	*blocker = InvalidTransactionId;
	if (ended >= bounds->next_offset)
		return bounds->next_offset;

	reader = pgt_log_reader_begin(key, ended, snapshot, NULL);
	walk_batches(reader);
	*blocker = reader->blocker;
	end = reader->position;
	pgt_log_reader_end(reader);
	return end;
}

int64
pgt_log_reader_visible_end(const TopicPartition *key, Snapshot snapshot, TransactionId *blocker)
{
	LogBounds	bounds;

	*blocker = InvalidTransactionId;
	if (!pgt_partition_log_bounds(key, &bounds))
		return bounds.next_offset;
	return pgt_log_reader_visible_end_by(key, &bounds, snapshot, blocker);
}

int64
pgt_log_reader_stop(const TopicPartition *key, int64 offset, int64 end, Snapshot snapshot)
{
	LogReaderFilter filter = {PG_INT64_MIN, PG_INT64_MAX, end};
	LogReader  *reader = pgt_log_reader_begin(key, offset, snapshot, &filter);
	int64		stop;

	walk_batches(reader);
	stop = TransactionIdIsValid(reader->blocker) ? Min(reader->position, end) : end;
	pgt_log_reader_end(reader);
	return stop;
}

bool
pgt_log_reader_sees_behind(const TopicPartition *key, Snapshot snapshot, int64 offset)
{
	LogReader  *reader = pgt_log_reader_begin(key, offset, snapshot, NULL);
	LogReaderBatch batch;
	bool		seen = pgt_log_reader_next_seen(reader, &batch);

	pgt_log_reader_end(reader);
	return seen;
}

/* Let the reader begin at the first segment and entry that reach "timestamp". */
static void
skip_to_timestamp(LogReader *reader, int64 timestamp)
{
	SegmentId	id = pgt_partition_log_segment_for(reader->state, &reader->bounds,
												   reader->position);

	while (id.base != NO_SEGMENT)
	{
		Segment    *segment = renew_bounds(reader) ? NULL : open_segment(reader, id);
		uint32		count;
		uint32		found;
		IndexEntry	entry;

		if (reader->done)
			return;
		if (segment == NULL)
		{
			id = pgt_partition_log_segment_for(reader->state, &reader->bounds, reader->position);
			continue;
		}
		count = pgt_partition_log_entries(segment, &reader->bounds);
		found = count > 0 ? pgt_segment_find_timestamp(segment, count, timestamp) : 0;

		if (found < count && pgt_segment_read_entries(segment, found, 1, &entry) == 1)
		{
			reader->position = Max(reader->position, id.base + entry.first_delta);
			return;
		}
		id = pgt_partition_log_next_segment(reader->state, &reader->bounds, id.base);
	}
	reader->done = true;
}

int64
pgt_log_reader_offset_for_timestamp(const TopicPartition *key, int64 timestamp, Snapshot snapshot)
{
	LogReaderFilter filter = {timestamp, PG_INT64_MAX, PG_INT64_MAX};
	LogReader  *reader = pgt_log_reader_begin(key, 0, snapshot, &filter);
	Record		record;
	int64		found = -1;
	int64		begin = reader->position;

	if (!reader->done)
		skip_to_timestamp(reader, timestamp);

	/* a batch of a running transaction before it would hide it */
	if (!reader->done && reader->position > begin)
	{
		TransactionId blocker;

		if (pgt_log_reader_visible_end(key, snapshot, &blocker) <= reader->position)
			reader->done = true;
	}
	while (found < 0 && pgt_log_reader_next(reader, &record))
		if (record.timestamp >= timestamp)
			found = record.offset;
	pgt_log_reader_end(reader);
	return found;
}
