/*
 * producer_batch.c
 *	  Is what a producer sent for a partition a batch that the log may take?
 *
 * The log keeps the batch byte for byte, and all who read the partition meet it, so what
 * does not decode must not get in.  The answers are those of Kafka, of which test/kafka has
 * examples, but stricter where Kafka lets in what our readers call damage, or what it
 * could not read itself:
 *
 *	  - records that do not decompress, or of an unknown codec, get INVALID_RECORD and
 *		UNSUPPORTED_COMPRESSION_TYPE; Kafka answers with an unknown error to all of them;
 *	  - offset deltas must be 0, 1, 2 ..., which Kafka demands of compressed batches alone;
 *	  - a header's value has a length or is null; Kafka takes each negative length for null;
 *	  - the producer of a batch with an id has an epoch, and has a sequence.
 *
 * Bytes behind the batch that are no whole batch themselves are nothing to Kafka, and are
 * left out.
 */
#include "c.h"

#include "port/pg_bswap.h"

#include "kafka/producer_batch.h"

/* Places in a batch that are looked at before it is known to be one; see record_batch.h. */
#define AT_BATCH_LENGTH		8
#define AT_MAGIC			16
#define AT_CRC				17
#define AT_ATTRIBUTES		21

/* first guess of the decompressed size: this times the compressed size, but at least the minimum */
#define UNPACKED_RATIO		4
#define UNPACKED_MIN		(8 * 1024)
#define UNPACKED_STEP		8

static int32
get_int32(const char *bytes)
{
	uint32		value;

	memcpy(&value, bytes, sizeof(value));
	return (int32) pg_ntoh32(value);
}

/* Note the problem, and return the error. */
static KafkaError
refuse(KafkaError error, const char *why, const char **problem)
{
	*problem = why;
	return error;
}

/* ---- one whole batch -------------------------------------------------------- */

/*
 * Set *length to that of the batch at the beginning.  An error if none is whole, or its
 * bytes are not those that the producer sent.
 */
static KafkaError
check_frame(const char *bytes, int32 available, int32 *length, const char **problem)
{
	RecordBatchHeader header = {0};
	int32		batch_length;

	if (available < RECORD_BATCH_LOG_OVERHEAD + 5)
		return refuse(KAFKA_ERROR_INVALID_RECORD, "records are no whole batch", problem);
	batch_length = get_int32(bytes + AT_BATCH_LENGTH);
	if (batch_length <= 0)
		return refuse(KAFKA_ERROR_CORRUPT_MESSAGE, "batch length is less than a header's", problem);
	if (batch_length > available - RECORD_BATCH_LOG_OVERHEAD)
		return refuse(KAFKA_ERROR_INVALID_RECORD, "batch length is more than the records'", problem);
	if (bytes[AT_MAGIC] == 0 || bytes[AT_MAGIC] == 1)
		return refuse(KAFKA_ERROR_INVALID_RECORD, "batch is of an old format version", problem);
	if (bytes[AT_MAGIC] != RECORD_BATCH_MAGIC)
		return refuse(KAFKA_ERROR_CORRUPT_MESSAGE, "batch is of an unknown format version", problem);
	if (batch_length < RECORD_BATCH_HEADER_SIZE - RECORD_BATCH_LOG_OVERHEAD)
		return refuse(KAFKA_ERROR_CORRUPT_MESSAGE, "batch length is less than a header's", problem);
	*length = batch_length + RECORD_BATCH_LOG_OVERHEAD;
	header.length = *length;
	header.crc = (uint32) get_int32(bytes + AT_CRC);
	*problem = pgt_record_batch_check_crc(bytes, &header);
	return *problem ? KAFKA_ERROR_CORRUPT_MESSAGE : KAFKA_ERROR_NONE;
}

/* Whether the bytes behind a batch are a batch, too. */
static bool
is_batch(const char *bytes, int32 available)
{
	int32		length;

	if (available < RECORD_BATCH_LOG_OVERHEAD + 5)
		return false;
	length = get_int32(bytes + AT_BATCH_LENGTH);
	return length > 0 && length <= available - RECORD_BATCH_LOG_OVERHEAD;
}

static KafkaError
check_codec(int codec, const ProducerRules *rules, const char **problem)
{
	if (pgt_compression_name(codec) == NULL)
		return refuse(KAFKA_ERROR_UNSUPPORTED_COMPRESSION_TYPE, "compression codec is unknown", problem);
	if (codec == COMPRESSION_ZSTD && !rules->allow_zstd)
		return refuse(KAFKA_ERROR_UNSUPPORTED_COMPRESSION_TYPE, "zstd needs a newer version of Produce", problem);
	return KAFKA_ERROR_NONE;
}

/* What a producer must and must not have in a header. */
static const char *
header_problem(const RecordBatchHeader *header)
{
	if (header->base_offset != 0)
		return "base offset of a producer's batch is not 0";
	if (header->attributes & BATCH_ATTR_CONTROL)
		return "producer has sent a control batch";
	/* which is not negative: so there are records */
	if (header->record_count - 1 != header->last_offset_delta)
		return "record count differs from the last offset delta";
	if (header->producer_id >= 0 && (header->producer_epoch < 0 || header->base_sequence < 0))
		return "batch has a producer id without an epoch and a sequence";
	return NULL;
}

/* ---- its records ------------------------------------------------------------ */

/* Decompress, into the scratch.  NULL or the problem. */
static const char *
decompress(const char *packed, size_t length, int codec, ProducerScratch *scratch, size_t *unpacked)
{
	size_t		needed = Max(length * UNPACKED_RATIO, UNPACKED_MIN);

	for (;;)
	{
		const char *problem;

		needed = Min(needed, RECORD_BATCH_MAX_SIZE);
		if (scratch->size < needed && !scratch->grow(scratch, needed))
			return pgt_decompress_overflow;
		problem = pgt_decompress(codec, packed, length, scratch->data, scratch->size, unpacked);
		if (problem != pgt_decompress_overflow || scratch->size >= RECORD_BATCH_MAX_SIZE)
			return problem;
		/* by large steps: what was decompressed so far was for nothing */
		needed = scratch->size * UNPACKED_STEP;
	}
}

/* Be ready to walk the records. */
static KafkaError
begin_walk(ProducerBatch *batch, const char *records, size_t length)
{
	batch->records = records;
	batch->records_length = length;
	batch->min_timestamp = PG_INT64_MAX;
	batch->max_timestamp = PG_INT64_MIN;
	pgt_record_iterator_init(&batch->iterator, &batch->header, records, length);
	return KAFKA_ERROR_NONE;
}

/* ---- the interface ---------------------------------------------------------- */

KafkaError
pgt_producer_batch_unpacked(ProducerBatch *batch, const char *unpacked, size_t length, const char *problem)
{
	if (problem == pgt_decompress_overflow)
		return KAFKA_ERROR_MESSAGE_TOO_LARGE;
	if (problem == pgt_compression_no_memory)
		return KAFKA_ERROR_UNKNOWN_SERVER_ERROR;
	return problem != NULL ? KAFKA_ERROR_INVALID_RECORD : begin_walk(batch, unpacked, length);
}

KafkaError
pgt_producer_batch_unpack(const KafkaRecords *records, ProducerScratch *scratch, ProducerBatch *batch, const char **problem)
{
	int			codec = batch->header.attributes & BATCH_ATTR_CODEC_MASK;
	const char *packed = records->data + RECORD_BATCH_HEADER_SIZE;
	size_t		length = batch->header.length - RECORD_BATCH_HEADER_SIZE;
	size_t		unpacked = 0;

	*problem = NULL;
	if (codec == COMPRESSION_NONE)
		return begin_walk(batch, packed, length);
	*problem = decompress(packed, length, codec, scratch, &unpacked);
	return pgt_producer_batch_unpacked(batch, scratch->data, unpacked, *problem);
}

KafkaError
pgt_producer_batch_head(const KafkaRecords *records, const ProducerRules *rules, ProducerBatch *batch, const char **problem)
{
	const char *bytes = records->data;
	KafkaError	error;
	int32		length;

	*problem = NULL;
	if (records->length <= 0)
		return refuse(KAFKA_ERROR_INVALID_RECORD, "there are no records", problem);
	error = check_frame(bytes, records->length, &length, problem);
	if (error != KAFKA_ERROR_NONE)
		return error;
	if (is_batch(bytes + length, records->length - length))
		return refuse(KAFKA_ERROR_INVALID_RECORD, "there is more than one batch", problem);
	if (length > rules->max_length)
		return refuse(KAFKA_ERROR_MESSAGE_TOO_LARGE, "batch is larger than max.message.bytes", problem);
	error = check_codec(bytes[AT_ATTRIBUTES + 1] & BATCH_ATTR_CODEC_MASK, rules, problem);
	if (error != KAFKA_ERROR_NONE)
		return error;
	*problem = pgt_record_batch_read_header(bytes, length, &batch->header);
	if (*problem)
		return KAFKA_ERROR_INVALID_RECORD;
	*problem = header_problem(&batch->header);
	if (*problem)
		return KAFKA_ERROR_INVALID_RECORD;
	if (rules->walk_records && rules->max_records > 0 && batch->header.record_count > rules->max_records)
		return refuse(KAFKA_ERROR_MESSAGE_TOO_LARGE, "batch has too many records", problem);
	batch->records = NULL;
	batch->records_length = 0;
	batch->min_timestamp = PG_INT64_MIN;
	batch->max_timestamp = batch->header.max_timestamp;
	return KAFKA_ERROR_NONE;
}

KafkaError
pgt_producer_batch_open(const KafkaRecords *records, const ProducerRules *rules, ProducerScratch *scratch,
						 ProducerBatch *batch, const char **problem)
{
	KafkaError	error = pgt_producer_batch_head(records, rules, batch, problem);

	if (error != KAFKA_ERROR_NONE || !rules->walk_records)
		return error;
	return pgt_producer_batch_unpack(records, scratch, batch, problem);
}

KafkaError
pgt_producer_batch_walk(ProducerBatch *batch, const ProducerRules *rules, int32 most, bool *at_end,
						const char **problem)
{
	RecordIterator *iterator = &batch->iterator;
	Record		record;

	*problem = NULL;
	*at_end = false;
	for (int32 n = 0; n < most; n++)
	{
		if (!pgt_record_iterator_next(iterator, &record))
		{
			*at_end = true;
			break;
		}
		if (rules->require_keys && record.key_length < 0)
			return refuse(KAFKA_ERROR_INVALID_RECORD, "record of a compacted topic has no key", problem);
		batch->min_timestamp = Min(batch->min_timestamp, record.timestamp);
		batch->max_timestamp = Max(batch->max_timestamp, record.timestamp);
	}
	*problem = iterator->problem;
	if (*problem)
		return KAFKA_ERROR_INVALID_RECORD;
	if (*at_end && (batch->min_timestamp < rules->min_timestamp || batch->max_timestamp > rules->max_timestamp))
		return refuse(KAFKA_ERROR_INVALID_TIMESTAMP, "timestamp of a record is out of range", problem);
	return KAFKA_ERROR_NONE;
}

KafkaError
pgt_producer_batch_check(const KafkaRecords *records, const ProducerRules *rules, ProducerScratch *scratch,
						 ProducerBatch *batch, const char **problem)
{
	KafkaError	error = pgt_producer_batch_open(records, rules, scratch, batch, problem);
	bool		at_end = !rules->walk_records;

	while (error == KAFKA_ERROR_NONE && !at_end)
		error = pgt_producer_batch_walk(batch, rules, PG_INT32_MAX, &at_end, problem);
	return error;
}
