/*
 * batch_reader.c
 *	  Reading and decoding the batches that an index cursor comes to.
 *
 * Log bytes are read in chunks of up to CHUNK_MAX bytes that cover several
 * batches; chunks grow as the reader goes on, so that a look at one record
 * stays cheap.
 *
 * Decoding is batch_decoder.c's.  An entry or batch that fails its checksum is an ERROR with
 * file, position and offset.  Of a batch whose records are only counted the header is looked
 * at, and more of it where the header does not fit the entry.
 *
 * Memory: the cursor's context, but for a chunk buffer that the process keeps, with what it
 * holds, and one reader at a time uses.  A record's bytes are in the chunk or in the decoder,
 * and are valid until the next batch is entered.
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "wal/batch_reader.h"

#define CHUNK_MIN			(16 * 1024)
#define CHUNK_MAX			(256 * 1024)

/* ---- the buffer ----------------------------------------------------------- */

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
	Size		unpacked_length;	/* of a compressed batch: of its records in kept_unpacked; 0: not there */
}			kept_batch;

/* The records of that batch, decompressed: CHUNK_MAX bytes, once one was small enough. */
static char *kept_unpacked = NULL;

/* The reader that has the kept buffer goes, in whatever way. */
static void
release_kept_chunk(void *arg)
{
	kept_chunk_in_use = false;
}

/* Let the reader have the kept buffer. */
static void
take_kept_chunk(BatchReader *reader)
{
	kept_chunk_in_use = reader->chunk_is_kept = true;
	reader->release.func = release_kept_chunk;
	MemoryContextRegisterResetCallback(reader->decoder.context, &reader->release);
	reader->chunk = kept_chunk;
	reader->chunk_capacity = CHUNK_MAX;
}

/* Have a chunk buffer for "length" bytes; what it held is gone. */
static void
grow_chunk(BatchReader *reader, uint32 length)
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
	reader->chunk = MemoryContextAllocHuge(reader->decoder.context, reader->chunk_capacity);
}

/* ---- bytes ---------------------------------------------------------------- */

/* How many bytes to read from an entry on: it, and what follows that is already known. */
static uint32
chunk_length_for(BatchReader *reader, const IndexEntry *entry)
{
	const IndexCursor *cursor = reader->cursor;
	const IndexEntry *known_end = cursor->entries + cursor->entry_count;
	uint32		length = entry->length;

	if (!pgt_index_cursor_may_have_keys(cursor, cursor->next_entry))
		return length;
	for (const IndexEntry *e = entry + 1; e < known_end; e++)
	{
		if (e->position != entry->position + length || length + e->length > reader->chunk_want)
			break;
		length += e->length;
	}
	return length;
}

/* ERROR: the log has no bytes where the entry says that its batch is. */
static void
fail_for_short_file(const IndexCursor *cursor, const IndexEntry *entry)
{
	pgt_batch_decoder_fail(&cursor->key, cursor->segment, entry->position,
						   cursor->segment.base + entry->first_delta, "the file ends before the batch");
}

/* The log bytes of an entry's batch; NULL where the segment went away. */
static char *
batch_bytes(BatchReader *reader, const IndexEntry *entry)
{
	IndexCursor *cursor = reader->cursor;
	Segment    *segment;
	uint32		length;

	if (reader->chunk_length > 0 && pgt_segment_id_equal(reader->chunk_segment, cursor->segment) &&
		entry->position >= reader->chunk_position &&
		entry->position + entry->length <= reader->chunk_position + reader->chunk_length)
		return reader->chunk + (entry->position - reader->chunk_position);

	segment = pgt_index_cursor_segment(cursor);
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
			fail_for_short_file(cursor, entry);
	}
	reader->chunk_segment = cursor->segment;
	reader->chunk_position = entry->position;
	reader->chunk_length = length;
	reader->chunk_want = Min(reader->chunk_want * 2, reader->chunk_max);
	return reader->chunk;
}

/* ---- batches -------------------------------------------------------------- */

/* Does the kept buffer hold an entry's batch, and may a reader that has no buffer yet take it? */
static bool
is_kept(const BatchReader *reader, const IndexEntry *entry)
{
	return reader->chunk == NULL && !kept_chunk_in_use && kept_batch.valid &&
		pgt_segment_id_equal(kept_batch.segment, reader->cursor->segment) &&
		memcmp(&kept_batch.key, &reader->cursor->key, sizeof(TopicPartition)) == 0 &&
		memcmp(&kept_batch.entry, entry, sizeof(IndexEntry)) == 0;
}

/* Keep in mind that the kept buffer has an entry's batch, which is checked. */
static void
keep_batch(const BatchReader *reader, const IndexEntry *entry, const RecordBatchHeader *header)
{
	kept_batch.key = reader->cursor->key;
	kept_batch.segment = reader->cursor->segment;
	kept_batch.chunk_position = reader->chunk_position;
	kept_batch.chunk_length = reader->chunk_length;
	kept_batch.entry = *entry;
	kept_batch.header = *header;
	kept_batch.position = PG_INT64_MAX;
	kept_batch.unpacked_length = 0;
	kept_batch.valid = true;
}

bool
pgt_batch_reader_enter(BatchReader *reader, const IndexEntry *entry)
{
	IndexCursor *cursor = reader->cursor;
	bool		kept = is_kept(reader, entry);
	RecordBatchHeader header;
	char	   *batch;

	if (kept)
	{
		take_kept_chunk(reader);
		reader->chunk_segment = kept_batch.segment;
		reader->chunk_position = kept_batch.chunk_position;
		reader->chunk_length = kept_batch.chunk_length;
	}
	batch = batch_bytes(reader, entry);
	if (batch == NULL)
		return false;
	if (kept)
		header = kept_batch.header;
	else
		pgt_batch_decoder_check(&cursor->key, cursor->segment, entry, batch, &header);
	if (!kept && reader->chunk_is_kept)
		keep_batch(reader, entry, &header);
	if (kept && kept_batch.unpacked_length > 0)
		pgt_record_iterator_init(&reader->iterator, &header, kept_unpacked, kept_batch.unpacked_length);
	else
		pgt_batch_decoder_decode(&reader->decoder, &cursor->key, cursor->segment, entry, batch, &header,
								 &reader->iterator);
	if (kept && kept_batch.position <= cursor->position)
		reader->iterator = kept_batch.iterator;
	reader->position = entry->position;
	reader->last_offset = header.base_offset + header.last_offset_delta;
	reader->in_batch = true;
	cursor->filter.counts->batches_read++;
	cursor->filter.counts->bytes_read += entry->length;
	return true;
}

bool
pgt_batch_reader_count(BatchReader *reader, const IndexEntry *entry, bool alone, int64 *records)
{
	IndexCursor *cursor = reader->cursor;
	char		bytes[RECORD_BATCH_HEADER_SIZE];
	const char *batch = bytes;
	RecordBatchHeader header;

	if (entry->length <= CHUNK_MIN && !alone)
		batch = batch_bytes(reader, entry);
	else
	{
		/* what is more would be read in vain */
		Segment    *segment = pgt_index_cursor_segment(cursor);

		if (segment == NULL)
			return false;
		if (!pgt_segment_read(segment, entry->position, bytes, sizeof(bytes)))
			fail_for_short_file(cursor, entry);
	}
	if (batch == NULL)
		return false;
	pgt_batch_decoder_check_header(&cursor->key, cursor->segment, entry, batch, &header);
	if (alone && header.record_count != pgt_index_entry_offsets(entry))
	{
		/* the header or the flag in the index is wrong: the checksum tells which */
		batch = batch_bytes(reader, entry);
		if (batch == NULL)
			return false;
		pgt_batch_decoder_check(&cursor->key, cursor->segment, entry, batch, &header);
	}
	*records = header.record_count;
	return true;
}

/* ---- begin and end ------------------------------------------------------- */

void
pgt_batch_reader_begin(BatchReader *reader, IndexCursor *cursor)
{
	Size		memory = cursor->filter.memory;

	reader->cursor = cursor;
	reader->decoder.context = cursor->context;
	reader->chunk_want = CHUNK_MIN;
	if (memory == 0 || memory >= CHUNK_MAX)
		reader->chunk_max = CHUNK_MAX;
	else
		reader->chunk_max = Max(memory / 2, CHUNK_MIN);
}

/* Keep the decompressed records of the batch, which the reader stands in.  False if they are too many. */
static bool
keep_unpacked(const BatchReader *reader)
{
	Size		length;

	if (kept_batch.unpacked_length > 0)
		return true;
	length = reader->iterator.end - reader->decoder.unpacked;
	if (length == 0 || length > CHUNK_MAX)
		return false;
	if (kept_unpacked == NULL)
		kept_unpacked = MemoryContextAllocExtended(TopMemoryContext, CHUNK_MAX, MCXT_ALLOC_NO_OOM);
	if (kept_unpacked == NULL)
		return false;
	memcpy(kept_unpacked, reader->decoder.unpacked, length);
	kept_batch.unpacked_length = length;
	return true;
}

void
pgt_batch_reader_end(const BatchReader *reader)
{
	bool		is_packed = (kept_batch.header.attributes & BATCH_ATTR_CODEC_MASK) != COMPRESSION_NONE;

	/* only where it stops in the kept batch */
	if (!reader->chunk_is_kept || !kept_batch.valid || !reader->in_batch ||
		reader->position != kept_batch.entry.position || (is_packed && !keep_unpacked(reader)))
		return;
	kept_batch.iterator = reader->iterator;
	kept_batch.position = reader->cursor->position;
	if (is_packed)
	{
		kept_batch.iterator.end = kept_unpacked + kept_batch.unpacked_length;
		kept_batch.iterator.next = kept_batch.iterator.end - (reader->iterator.end - reader->iterator.next);
	}
}
