/*
 * batch_decoder.c
 *	  From the bytes of a batch to its records, checked on the way.
 *
 * A compressed batch is decompressed once, into a buffer that the next batch uses
 * again.  The buffer grows up to the size that a producer may have compressed; if that is
 * too small, the batch is damaged.
 *
 * Damage (a batch that fails its checksum or does not match its entry, bytes that do not
 * decompress) is an ERROR with file, position and offset.
 *
 * No locks, no I/O.
 */
#include "postgres.h"

#include "log/batch_decoder.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* first guess of the decompressed size: this times the compressed size, but at least the minimum */
#define UNPACKED_RATIO		4
#define UNPACKED_MIN		(8 * 1024)

void
pgt_batch_decoder_fail(const TopicPartition *key, SegmentId id, uint32 position, int64 offset,
					   const char *problem)
{
	char		path[MAXPGPATH];

	pgt_segment_log_path(path, key, id);
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("damaged record batch in \"%s\" at position %u, offset %lld",
					path, position, (long long) offset),
			 errdetail("The problem: %s.", problem)));
}

void
pgt_batch_decoder_check_header(const TopicPartition *key, SegmentId id, const IndexEntry *entry,
							   const char *batch, RecordBatchHeader *header)
{
	int64		offset = id.base + entry->first_delta;
	const char *problem = pgt_record_batch_read_header(batch, entry->length, header);

	if (problem == NULL && header->length != entry->length)
		problem = "the length of the batch differs from the length in the index";
	if (problem == NULL && (header->base_offset != offset ||
							header->last_offset_delta != entry->last_delta - entry->first_delta))
		problem = "the offsets of the batch differ from the offsets in the index";
	if (problem != NULL)
		pgt_batch_decoder_fail(key, id, entry->position, offset, problem);
}

void
pgt_batch_decoder_check(const TopicPartition *key, SegmentId id, const IndexEntry *entry,
						const char *batch, RecordBatchHeader *header)
{
	const char *problem;

	pgt_batch_decoder_check_header(key, id, entry, batch, header);
	problem = pgt_record_batch_check_crc(batch, header);
	if (problem != NULL)
		pgt_batch_decoder_fail(key, id, entry->position, header->base_offset, problem);
}

/* Make the buffer for decompressed records at least that large; its contents are lost. */
static void
grow(BatchDecoder *decoder, Size capacity)
{
	capacity = Min(capacity, RECORD_BATCH_MAX_SIZE);
	if (capacity <= decoder->capacity)
		return;
	if (decoder->unpacked != NULL)
		pfree(decoder->unpacked);
	decoder->unpacked = NULL;
	decoder->capacity = 0;
	decoder->unpacked = MemoryContextAlloc(decoder->context, capacity);
	decoder->capacity = capacity;
}

/* Decompress a batch's records; returns the problem or NULL. */
static const char *
decompress(BatchDecoder *decoder, const char *batch, const RecordBatchHeader *header, Size *length)
{
	Size		stored = header->length - RECORD_BATCH_HEADER_SIZE;
	const char *problem;

	grow(decoder, Max(stored * UNPACKED_RATIO, UNPACKED_MIN));
	for (;;)
	{
		problem = pgt_decompress(header->attributes & BATCH_ATTR_CODEC_MASK,
								 batch + RECORD_BATCH_HEADER_SIZE, stored,
								 decoder->unpacked, decoder->capacity, length);
		if (problem != pgt_decompress_overflow || decoder->capacity == RECORD_BATCH_MAX_SIZE)
			return problem;
		CHECK_FOR_INTERRUPTS();
		grow(decoder, decoder->capacity * 2);
	}
}

void
pgt_batch_decoder_decode(BatchDecoder *decoder, const TopicPartition *key, SegmentId id,
						 const IndexEntry *entry, const char *batch, const RecordBatchHeader *header,
						 RecordIterator *iterator)
{
	const char *records = batch + RECORD_BATCH_HEADER_SIZE;
	Size		length = header->length - RECORD_BATCH_HEADER_SIZE;

	if ((header->attributes & BATCH_ATTR_CODEC_MASK) != COMPRESSION_NONE)
	{
		const char *problem = decompress(decoder, batch, header, &length);

		if (problem == pgt_compression_no_memory)
			ereport(ERROR,
					(errcode(ERRCODE_OUT_OF_MEMORY),
					 errmsg("out of memory"),
					 errdetail_internal("%s", problem)));
		if (problem != NULL)
			pgt_batch_decoder_fail(key, id, entry->position, header->base_offset, problem);
		records = decoder->unpacked;
	}
	pgt_record_iterator_init(iterator, header, records, length);
}
