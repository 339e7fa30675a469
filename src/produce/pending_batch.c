/*
 * pending_batch.c
 *	  The batches of a running transaction: in memory, compressed, in a
 *	  temporary file.
 *
 * A batch is open while records are encoded straight into its buffer, and sealed
 * once it is complete: compressed, with header and checksum, as it will go to the
 * log.  A sealed batch may be moved to the transaction's temporary file, which holds
 * all such batches and only grows; the caller (pending_partition.c) decides when.
 *
 * If the topic names no codec, batches are compressed only where that pays
 * (compression_rule.h).  So that nobody comes to rely on it, a record that is too large then
 * stays so.
 *
 * A rollback to a savepoint cuts a sealed batch back to its first records by
 * setting its counters.  Its bytes are read back and decompressed only when they are
 * next needed, since a rollback must not fail.
 *
 * Memory: the batches' buffers and the one buffer for compression are in the context
 * that pgt_pending_batch_begin() was given.  They and the file end with the transaction.
 */
#include "postgres.h"

#include "format/compression_rule.h"
#include "pgstat.h"
#include "produce/pending_batch.h"
#include "storage/fd.h"
#include "util/fault_point.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/wait_event.h"

StaticAssertDecl(RECORD_BATCH_MAX_SIZE < MaxAllocSize, "a batch of any size can be read");

/* A buffer for a codec's output up to this size is kept until the transaction ends. */
#define CODEC_BUFFER_KEPT	(256 * 1024)

int			pgt_batch_size = 64 * 1024;

/* Of the running transaction; reset when it ends. */
static MemoryContext context = NULL;
static Size memory_used = 0;	/* by batches' buffers */
static char *codec_buffer = NULL;	/* takes the output of a codec */
static Size codec_buffer_size = 0;
static File spill_file = -1;
static int64 spill_end = 0;

/* ---- batches ------------------------------------------------------------- */

void
pgt_pending_batch_begin(MemoryContext of_transaction)
{
	context = of_transaction;
	memory_used = 0;
}

void
pgt_pending_batch_init(PendingBatch *batch, uint32 capacity)
{
	memset(batch, 0, sizeof(*batch));
	batch->data = MemoryContextAllocHuge(context, capacity);
	batch->capacity = capacity;
	batch->length = RECORD_BATCH_HEADER_SIZE;
	batch->required_offset = NO_OFFSET;
	memory_used += capacity;
}

void
pgt_pending_batch_free(PendingBatch *batch)
{
	if (batch->data == NULL)
		return;
	pfree(batch->data);
	memory_used -= batch->capacity;
	batch->data = NULL;
	batch->capacity = 0;
}

void
pgt_pending_batch_reserve(PendingBatch *batch, Size more)
{
	Size		wanted = batch->capacity;

	if (batch->length + more <= wanted)
		return;
	while (wanted < batch->length + more)
		wanted *= 2;
	batch->data = repalloc_huge(batch->data, wanted);
	memory_used += wanted - batch->capacity;
	batch->capacity = wanted;
}

void
pgt_pending_batch_load(PendingBatch *batch)
{
	if (batch->data != NULL)
		return;
	batch->data = MemoryContextAllocHuge(context, batch->stored);
	batch->capacity = batch->stored;
	memory_used += batch->capacity;
	if (FAULT_ERROR("spill-read") ||
		FileRead(spill_file, batch->data, batch->stored, batch->file_position,
				 WAIT_EVENT_BUFFILE_READ) != batch->stored)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read pending records from temporary file \"%s\": %m",
						FilePathName(spill_file))));
}

/* Free the buffer for a codec's output. */
static void
free_codec_buffer(void)
{
	if (codec_buffer != NULL)
		pfree(codec_buffer);
	codec_buffer = NULL;
	codec_buffer_size = 0;
}

/* The buffer for a codec's output, of at least "size" bytes. */
static char *
get_codec_buffer(Size size)
{
	if (size <= codec_buffer_size)
		return codec_buffer;
	free_codec_buffer();
	codec_buffer = MemoryContextAllocHuge(context, size);
	codec_buffer_size = size;
	return codec_buffer;
}

/* Compress a batch's records into a buffer of "bound" bytes; returns their length there. */
static Size
compress_records(const LogConfig *config, const char *records, Size length, char *buffer, Size bound)
{
	Size		compressed;
	const char *problem = pgt_compress(config->compression, config->compression_level,
									   records, length, buffer, bound, &compressed);

	if (problem != NULL)
		ereport(ERROR,
				(errcode(problem == pgt_compression_no_memory ?
						 ERRCODE_OUT_OF_MEMORY : ERRCODE_INTERNAL_ERROR),
				 errmsg("could not compress a record batch with %s",
						pgt_compression_name(config->compression)),
				 errdetail_internal("%s", problem)));
	return compressed;
}

/* Compress a complete batch's records in place, and keep that by compression_rule.h. */
static void
compress_batch(const LogConfig *config, PendingBatch *batch)
{
	Size		length = batch->length - RECORD_BATCH_HEADER_SIZE;
	Size		bound = pgt_compress_bound(config->compression, length);
	char	   *buffer = get_codec_buffer(bound);
	char	   *records = batch->data + RECORD_BATCH_HEADER_SIZE;
	Size		compressed = compress_records(config, records, length, buffer, bound);

	if (pgt_compression_rule_keeps(config->compress_by_size, length, compressed))
	{
		memcpy(records, buffer, compressed);
		batch->codec = config->compression;
		batch->stored = RECORD_BATCH_HEADER_SIZE + compressed;
	}
	/* the buffer for a large record is not kept */
	if (codec_buffer_size > Max((Size) pgt_batch_size * 2, CODEC_BUFFER_KEPT))
		free_codec_buffer();
}

/* Shrink a sealed batch's buffer to its size, if that saves a quarter or more. */
static void
shrink_batch(PendingBatch *batch)
{
	if (batch->capacity - batch->stored < batch->capacity / 4)
		return;
	batch->data = repalloc_huge(batch->data, batch->stored);
	memory_used -= batch->capacity - batch->stored;
	batch->capacity = batch->stored;
}

void
pgt_pending_batch_reopen(PendingBatch *batch)
{
	Assert(!batch->sealed);
	if (batch->stored == 0)
		return;
	pgt_pending_batch_load(batch);
	if (batch->codec != COMPRESSION_NONE)
	{
		char	   *data = MemoryContextAllocHuge(context, batch->stored_length);
		Size		length;
		const char *problem = pgt_decompress(batch->codec, batch->data + RECORD_BATCH_HEADER_SIZE,
											 batch->stored - RECORD_BATCH_HEADER_SIZE,
											 data + RECORD_BATCH_HEADER_SIZE,
											 batch->stored_length - RECORD_BATCH_HEADER_SIZE, &length);

		if (problem != NULL || length != batch->stored_length - RECORD_BATCH_HEADER_SIZE)
			elog(ERROR, "could not decompress pending records: %s",
				 problem != NULL ? problem : "unexpected length");
		pgt_pending_batch_free(batch);
		batch->data = data;
		batch->capacity = batch->stored_length;
		memory_used += batch->capacity;
	}
	batch->stored = 0;
	batch->codec = COMPRESSION_NONE;
}

void
pgt_pending_batch_seal(const LogConfig *config, PendingBatch *batch)
{
	RecordBatchHeader header = {0};

	pgt_pending_batch_reopen(batch);
	batch->stored = batch->stored_length = batch->length;
	if (config->compression != COMPRESSION_NONE &&
		pgt_compression_rule_tries(config->compress_by_size, batch->length - RECORD_BATCH_HEADER_SIZE))
		compress_batch(config, batch);
	header.attributes = batch->codec;
	/* the append sets the time, but for records that come with offset and time from a dump */
	if (config->log_append_time && batch->required_offset == NO_OFFSET)
		header.attributes |= BATCH_ATTR_LOG_APPEND_TIME;
	header.length = batch->stored;
	header.last_offset_delta = batch->last_offset_delta;
	header.base_timestamp = batch->base_timestamp;
	header.max_timestamp = batch->max_timestamp;
	header.record_count = batch->records;
	pgt_record_batch_set_no_producer(&header);
	pgt_record_batch_seal(batch->data, &header);
	batch->sealed = true;
	shrink_batch(batch);
}

Size
pgt_pending_batch_size_alone(const LogConfig *config, const Record *record)
{
	Size		length = pgt_record_size(record);
	Size		bound;
	char	   *bytes;
	char	   *buffer;

	if (!pgt_pending_batch_counts_compressed(config))
		return RECORD_BATCH_HEADER_SIZE + length;
	bytes = palloc(length);
	length = pgt_record_encode(bytes, record, 0, 0) - bytes;
	bound = pgt_compress_bound(config->compression, length);
	buffer = palloc_extended(bound, MCXT_ALLOC_HUGE);
	length = Min(length, compress_records(config, bytes, length, buffer, bound));
	pfree(buffer);
	pfree(bytes);
	return RECORD_BATCH_HEADER_SIZE + length;
}

/* ---- the temporary file -------------------------------------------------- */

/* Make the file; it lives until the end of the whole transaction. */
static void
open_spill_file(void)
{
	ResourceOwner old = CurrentResourceOwner;

	if (spill_file >= 0)
		return;
	CurrentResourceOwner = TopTransactionResourceOwner;
	spill_file = OpenTemporaryFile(false);
	CurrentResourceOwner = old;
	spill_end = 0;
}

void
pgt_pending_batch_close_file(void)
{
	if (spill_file >= 0)
		FileClose(spill_file);
	spill_file = -1;
}

void
pgt_pending_batch_spill(PendingBatch *batch)
{
	int			written;

	open_spill_file();
	errno = 0;
	written = FAULT_ERROR("spill-write") ? -1 :
		FileWrite(spill_file, batch->data, batch->stored, spill_end, WAIT_EVENT_BUFFILE_WRITE);
	if (written != batch->stored)
	{
		if (errno == 0)
			errno = ENOSPC;
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not write pending records to temporary file \"%s\": %m",
						FilePathName(spill_file)),
				 errhint("Check free disk space and temp_tablespaces.")));
	}
	batch->file_position = spill_end;
	spill_end += written;
	pgt_pending_batch_free(batch);
}

/* ---- the transaction's end ----------------------------------------------- */

void
pgt_pending_batch_forget(void)
{
	context = NULL;
	codec_buffer = NULL;
	codec_buffer_size = 0;
	memory_used = 0;
	spill_file = -1;
}

Size
pgt_pending_batch_memory(void)
{
	return memory_used;
}
