/*
 * fuzz_target.c
 *	  Hostile bytes for all that decodes: batches, records, headers, compressed
 *	  bytes, index headers and entries, recovery points, files of producers; and Kafka's
 *	  messages, by fuzz_kafka.c.
 *
 * A libFuzzer target over the layers that know bytes alone, linked with
 * AddressSanitizer and UBSan and without a server; test/fuzz/run builds and
 * runs it.  An input's first byte says what the rest is (decoders[]), and, by
 * its top bit, whether the checksums are to be made good first: else no input
 * would ever get behind them.
 *
 * What is decoded lies in a block of malloc() of exactly its size, so a read
 * past its end is seen.  What comes back as sound is used as the server would
 * use it, and must be what was promised; a broken promise aborts.  No decoder
 * gets more than OUTPUT_MAX bytes of room, so whatever takes more memory than
 * run's limit took it on the word of the input.
 */
#include "postgres.h"

#include "fuzz_kafka.h"
#include "format/compression.h"
#include "format/murmur2.h"
#include "format/kafka_txn_file_format.h"
#include "format/producer_file_format.h"
#include "format/record_batch.h"
#include "format/recovery_point_format.h"
#include "format/segment_index.h"
#include "util/crc32c.h"

#define OUTPUT_MAX		(1024 * 1024)
#define OUTPUT_MIN		512

#define REPAIR_CHECKSUMS	0x80

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What segment_index.c wants of the server. */
uint64
GetSystemIdentifier(void)
{
	return 42;
}

/* A copy in a block of exactly that size; the caller frees it. */
static char *
copy_of(const void *bytes, size_t length)
{
	char	   *copy = malloc(length);

	if (length > 0)
		memcpy(copy, bytes, length);
	return copy;
}

/* ---- records -------------------------------------------------------------- */

/* Encoded again, a record decodes to the same. */
static void
check_encoding(const Record *record)
{
	RecordBatchHeader header = {.base_offset = record->offset, .record_count = 1,
	.base_timestamp = record->timestamp};
	size_t		bound = pgt_record_size(record);
	char	   *bytes = malloc(bound);
	char	   *end = pgt_record_encode(bytes, record, 0, 0);
	RecordIterator it;
	Record		again;

	must(end <= bytes + bound, "record_size() is a bound");
	pgt_record_iterator_init(&it, &header, bytes, end - bytes);
	must(pgt_record_iterator_next(&it, &again), "an encoded record decodes");
	must(again.offset == record->offset && again.timestamp == record->timestamp &&
		 again.key_length == record->key_length && again.value_length == record->value_length &&
		 again.header_count == record->header_count &&
		 (again.value_length <= 0 || memcmp(again.value, record->value, again.value_length) == 0),
		 "an encoded record decodes to itself");
	must(!pgt_record_iterator_next(&it, &again) && it.problem == NULL, "nothing follows it");
	free(bytes);
}

/* Read all of a record as a consumer does. */
static void
use_record(const Record *record)
{
	const char *next = record->headers;
	const char *end = next + record->headers_length;
	RecordHeader header;

	touch(record->key, record->key_length);
	touch(record->value, record->value_length);
	for (int32 i = 0; i < record->header_count; i++)
	{
		must(pgt_record_header_decode(&next, end, &header), "a sound record has sound headers");
		touch(header.key, header.key_length);
		touch(header.value, header.value_length);
	}
	must(next == end, "headers end where the record does");
	if (record->key_length >= 0)
	{
		int32		partition = pgt_murmur2_partition(record->key, record->key_length, 7);

		must(partition >= 0 && partition < 7, "a partition is in range");
	}
	check_encoding(record);
}

/* Walk uncompressed records. */
static void
walk(const RecordBatchHeader *header, const char *records, size_t length)
{
	RecordIterator it;
	Record		record;
	int64		last = header->base_offset - 1;
	int32		count = 0;

	pgt_record_iterator_init(&it, header, records, length);
	while (pgt_record_iterator_next(&it, &record))
	{
		must(record.offset > last && record.offset <= header->base_offset + header->last_offset_delta,
			 "offsets ascend within the batch");
		last = record.offset;
		use_record(&record);
		count++;
	}
	must(it.problem != NULL || count == header->record_count, "the walk ends with the last record");
}

/* ---- compressed bytes ----------------------------------------------------- */

/*
 * Decompress into room that is doubled as long as it does not do, as
 * batch_decoder.c does.  NULL where they are damaged or need more than
 * OUTPUT_MAX; the caller frees.
 */
static char *
decompress(int codec, const char *bytes, size_t length, size_t *out)
{
	const char *problem = pgt_decompress_overflow;

	for (size_t capacity = OUTPUT_MIN; capacity <= OUTPUT_MAX && problem == pgt_decompress_overflow;
		 capacity *= 2)
	{
		char	   *room = malloc(capacity);

		problem = pgt_decompress(codec, bytes, length, room, capacity, out);
		must(problem != pgt_compression_no_memory, "decompression takes no memory on the input's word");
		if (problem == NULL)
		{
			must(*out <= capacity, "what is decompressed is in its room");
			touch(room, *out);
			return room;
		}
		free(room);
	}
	return NULL;
}

/* First byte: the codec. */
static void
fuzz_decompress(char *bytes, size_t length, bool repair pg_attribute_unused())
{
	size_t		out;

	if (length > 0)
		free(decompress(bytes[0], bytes + 1, length - 1, &out));
}

/* Compressing any bytes and back is the identity.  First byte: codec and level. */
static void
fuzz_compress(char *bytes, size_t length, bool repair pg_attribute_unused())
{
	int			codec;
	int			level;
	size_t		bound;
	size_t		packed;
	size_t		out;
	char	   *room;
	char	   *back;

	if (length == 0)
		return;
	codec = (bytes[0] & 0x0f) % COMPRESSION_TYPE_COUNT;
	level = codec == COMPRESSION_SNAPPY ? 0 : (bytes[0] >> 4) & 7;
	bytes++, length--;
	bound = pgt_compress_bound(codec, length);
	room = malloc(bound);
	must(pgt_compress(codec, level, bytes, length, room, bound, &packed) == NULL, "any bytes can be compressed");
	must(packed <= bound, "compress_bound() is a bound");
	back = decompress(codec, room, packed, &out);
	must(back != NULL && out == length && memcmp(back, bytes, length) == 0,
		 "decompressing gives back what was compressed");
	free(back);
	free(room);
}

/* ---- batches -------------------------------------------------------------- */

/* Decode one whole batch whose checksum is good. */
static void
decode_batch(const char *batch, const RecordBatchHeader *header)
{
	const char *records = batch + RECORD_BATCH_HEADER_SIZE;
	size_t		length = header->length - RECORD_BATCH_HEADER_SIZE;
	int			codec = header->attributes & BATCH_ATTR_CODEC_MASK;
	char	   *unpacked;

	if (codec == COMPRESSION_NONE)
	{
		walk(header, records, length);
		return;
	}
	unpacked = decompress(codec, records, length, &length);
	if (unpacked != NULL)
	{
		char	   *exact = copy_of(unpacked, length);

		free(unpacked);
		walk(header, exact, length);
		free(exact);
	}
}

/* A log: batches one behind the other. */
static void
fuzz_log(char *bytes, size_t length, bool repair)
{
	while (length > 0)
	{
		RecordBatchHeader header;
		char	   *batch;

		if (pgt_record_batch_read_header(bytes, length, &header) != NULL || header.length > length)
			return;
		must(header.length >= RECORD_BATCH_HEADER_SIZE, "a batch has a header");
		batch = copy_of(bytes, header.length);
		if (repair)
		{
			pgt_record_batch_seal(batch, &header);
			must(pgt_record_batch_read_header(batch, header.length, &header) == NULL, "a sealed header reads");
		}
		if (pgt_record_batch_check_crc(batch, &header) == NULL)
			decode_batch(batch, &header);
		else
			must(!repair, "a sealed batch has a good checksum");
		free(batch);
		bytes += header.length;
		length -= header.length;
	}
}

/* Uncompressed records of a batch: count, last offset delta and attributes go before. */
static void
fuzz_records(char *bytes, size_t length, bool repair pg_attribute_unused())
{
	RecordBatchHeader header = {.base_offset = 1000, .base_timestamp = PG_INT64_MAX - 1000};
	char	   *records;

	if (length < 3)
		return;
	header.record_count = (int8) bytes[0];
	header.last_offset_delta = (uint8) bytes[1];
	header.attributes = bytes[2] & BATCH_ATTR_LOG_APPEND_TIME;
	records = copy_of(bytes + 3, length - 3);
	walk(&header, records, length - 3);
	free(records);
}

/* Varints and record headers, wherever they begin. */
static void
fuzz_pieces(char *bytes, size_t length, bool repair pg_attribute_unused())
{
	const char *end = bytes + length;
	const char *next = bytes;
	RecordHeader header;
	int32		value32;
	int64		value64;
	char		room[16];

	while (pgt_record_decode_varint(&next, end, &value32))
	{
		const char *again = room;
		int32		same;
		char	   *stop = pgt_record_encode_varint(room, value32);

		must(stop - room <= 5 && pgt_record_decode_varint(&again, stop, &same) && same == value32 && again == stop,
			 "a varint encodes to itself");
	}
	for (next = bytes; pgt_record_decode_varlong(&next, end, &value64);)
		must(pgt_record_encode_varlong(room, value64) - room <= 10,
			 "a varlong takes ten bytes at most");
	for (next = bytes; next < end && pgt_record_header_decode(&next, end, &header);)
	{
		char	   *encoded = malloc(pgt_record_header_size(&header));

		must(pgt_record_header_encode(encoded, &header) == encoded + pgt_record_header_size(&header),
			 "record_header_size() is exact");
		touch(header.key, header.key_length);
		touch(header.value, header.value_length);
		free(encoded);
	}
	(void) pgt_murmur2(bytes, length);
}

/* ---- what PostgreSQL adds ------------------------------------------------- */

/* A header, then entries, as much as there is. */
static void
fuzz_index(char *bytes, size_t length, bool repair)
{
	IndexHeader header;
	IndexEntry	entry;

	if (length < sizeof(header))
		return;
	memcpy(&header, bytes, sizeof(header));
	if (repair)
		header.crc = pgt_crc32c(&header, offsetof(IndexHeader, crc));
	if (pgt_index_header_check(&header, pgt_segment_id_original(7)) == NULL)
		must(header.magic == INDEX_MAGIC && header.version == INDEX_VERSION &&
			 header.base_offset == 7 && header.generation == 0, "a good header is of this segment");
	for (size_t at = sizeof(header); at + sizeof(entry) <= length; at += sizeof(entry))
	{
		memcpy(&entry, bytes + at, sizeof(entry));
		if (repair)
			pgt_index_entry_seal(&entry);
		if (!pgt_index_entry_is_valid(&entry))
			continue;
		must(!pgt_index_entry_is_zero(&entry), "a valid entry is not the end");
		must(entry.length >= RECORD_BATCH_HEADER_SIZE && entry.length <= RECORD_BATCH_MAX_SIZE,
			 "a valid entry is of a possible batch");
		must(entry.position + entry.length > entry.position, "a valid entry's end is a position");
		must(entry.last_delta >= entry.first_delta, "a valid entry's offsets ascend");
	}
}

static void
fuzz_recovery_point(char *bytes, size_t length, bool repair)
{
	RecoveryPointHeader header;

	if (repair && length >= sizeof(header))
	{
		memcpy(&header, bytes, sizeof(header));
		header.magic = RECOVERY_POINT_MAGIC;
		header.entries_crc = pgt_crc32c(bytes + sizeof(header), length - sizeof(header));
		header.crc = pgt_crc32c(&header, offsetof(RecoveryPointHeader, crc));
		memcpy(bytes, &header, sizeof(header));
	}
	if (pgt_recovery_point_format_check_header(bytes, length, &header) != NULL ||
		header.version != RECOVERY_POINT_VERSION ||
		pgt_recovery_point_format_check_entries(bytes, length, &header) != NULL)
		return;
	must(sizeof(header) + (size_t) header.count * sizeof(RecoveryPointEntry) == length,
		 "a good recovery point has as many entries as bytes for them");
}

/* No transaction has aborted. */
static SequenceOutcome
ask_committed(uint64 xid, void *arg)
{
	return SEQUENCE_COMMITTED;
}

/* A state that was taken from a file can be asked and changed, and stays one that can be saved. */
static void
use_sequence(ProducerSequence *sequence)
{
	SequenceRange range = pgt_producer_sequence_range(Max(sequence->epoch, 0), sequence->next, 3);
	int64		offset = sequence->count > 0 ? sequence->batches[sequence->count - 1].base_offset : 0;
	int64		found = -1;

	if (pgt_producer_sequence_check(sequence, &range, ask_committed, NULL, &found) != SEQUENCE_GOES_ON)
		return;
	if (offset == PG_INT64_MAX)
		return;
	pgt_producer_sequence_apply(sequence, &range, offset + 1, 7, 0);
	must(pgt_producer_sequence_check(sequence, &range, ask_committed, NULL, &found) == SEQUENCE_DUPLICATE &&
		 found == offset + 1, "what was appended is a duplicate");
	must(pgt_producer_sequence_settle(sequence, PG_INT64_MAX, ask_committed, NULL), "what has committed can be settled");
	sequence->seen = 0;
	must(pgt_producer_sequence_problem(sequence) == NULL, "a state that was changed can be saved");
}

static void
fuzz_producer_file(char *bytes, size_t length, bool repair)
{
	ProducerFileHeader header;

	if (repair && length >= sizeof(header))
	{
		memcpy(&header, bytes, sizeof(header));
		header.magic = PRODUCER_FILE_MAGIC;
		header.entries_crc = pgt_crc32c(bytes + sizeof(header), length - sizeof(header));
		header.crc = pgt_crc32c(&header, offsetof(ProducerFileHeader, crc));
		memcpy(bytes, &header, sizeof(header));
	}
	if (pgt_producer_file_format_check_header(bytes, length, &header) != NULL ||
		header.version != PRODUCER_FILE_VERSION ||
		pgt_producer_file_format_check_entries(bytes, length, &header) != NULL)
		return;
	must(sizeof(header) + (size_t) header.count * sizeof(ProducerFileEntry) == length,
		 "a good file of producers has as many entries as bytes for them");
	for (uint32 i = 0; i < header.count; i++)
	{
		ProducerFileEntry entry;

		memcpy(&entry, bytes + sizeof(header) + i * sizeof(entry), sizeof(entry));
		use_sequence(&entry.sequence);
	}
}

static void
fuzz_kafka_txn_file(char *bytes, size_t length, bool repair)
{
	KafkaTxnFileHeader header;

	if (repair && length >= sizeof(header))
	{
		memcpy(&header, bytes, sizeof(header));
		header.magic = KAFKA_TXN_FILE_MAGIC;
		header.entries_crc = pgt_crc32c(bytes + sizeof(header), length - sizeof(header));
		header.crc = pgt_crc32c(&header, offsetof(KafkaTxnFileHeader, crc));
		memcpy(bytes, &header, sizeof(header));
	}
	if (pgt_kafka_txn_file_format_check_header(bytes, length, &header) != NULL ||
		header.version != KAFKA_TXN_FILE_VERSION ||
		pgt_kafka_txn_file_format_check_entries(bytes, length, &header) != NULL)
		return;
	must(sizeof(header) + pgt_kafka_txn_file_format_length(header.transactions, header.parts) == length,
		 "a good file of Kafka transactions has as many entries as bytes for them");
}

/* ---- the target ----------------------------------------------------------- */

static void (*const decoders[]) (char *bytes, size_t length, bool repair) =
{
	fuzz_log, fuzz_records, fuzz_pieces, fuzz_decompress, fuzz_compress, fuzz_index, fuzz_recovery_point,
	fuzz_kafka_message, fuzz_kafka_frame, fuzz_kafka_batch, fuzz_producer_file, fuzz_kafka_txn_file
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	   *bytes;

	if (size == 0 || (data[0] & ~REPAIR_CHECKSUMS) >= lengthof(decoders))
		return -1;				/* of no interest: not for the corpus */
	bytes = copy_of(data + 1, size - 1);
	decoders[data[0] & ~REPAIR_CHECKSUMS] (bytes, size - 1, (data[0] & REPAIR_CHECKSUMS) != 0);
	free(bytes);
	return 0;
}
