/*
 * batch_decoder.h
 *	  From the bytes of a batch to its records, checked on the way.
 */
#ifndef BATCH_DECODER_H
#define BATCH_DECODER_H

#include "format/record_batch.h"
#include "log/segment.h"
#include "util/compat.h"

/* Decompresses one batch after another into the same memory. */
typedef struct BatchDecoder
{
	MemoryContext context;		/* set by the maker; the other fields begin as zero */
	char	   *unpacked;
	Size		capacity;
} BatchDecoder;

/* Throw an ERROR (data_corrupted) that names file, position and offset. */
pg_noreturn extern void pgt_batch_decoder_fail(const TopicPartition *key, SegmentId id, uint32 position,
											   int64 offset, const char *problem);

/* Check a batch's first bytes, its header, against its entry, and decode it.  ERROR if it is damaged. */
extern void pgt_batch_decoder_check_header(const TopicPartition *key, SegmentId id,
										   const IndexEntry *entry, const char *batch,
										   RecordBatchHeader *header);

/* Check a batch against its entry and its checksum, and decode its header.  ERROR if it is damaged. */
extern void pgt_batch_decoder_check(const TopicPartition *key, SegmentId id, const IndexEntry *entry,
									const char *batch, RecordBatchHeader *header);

/*
 * Begin to iterate over the records of a checked batch.  They point into the batch or into
 * the decoder's memory, and are valid until the decoder is used again.
 */
extern void pgt_batch_decoder_decode(BatchDecoder *decoder, const TopicPartition *key, SegmentId id,
									 const IndexEntry *entry, const char *batch,
									 const RecordBatchHeader *header, RecordIterator *iterator);

#endif							/* BATCH_DECODER_H */
