/*
 * make_seeds.c
 *	  What the fuzz target starts from: make_seeds DIRECTORY VECTORS.
 *
 * Writes sound inputs of every kind, in the form that fuzz_target.c reads: the
 * unit test's batches, and generated ones of each codec, their records and
 * their compressed bytes alone, an index and a recovery point; and of the vectors of
 * test/kafka the frames, the batches, and some messages of each API.
 */
#include "postgres.h"

#include "batch_vectors.h"
#include "format/compression.h"
#include "format/kafka_txn_file_format.h"
#include "format/producer_file_format.h"
#include "format/record_batch.h"
#include "format/recovery_point_format.h"
#include "format/segment_index.h"
#include "kafka/kafka_api.h"

#define RECORDS		4
#define ROOM		65536
#define VECTORS_MAX	(16 * 1024 * 1024)

/* The decoders of fuzz_target.c, in their order. */
enum
{
	SEED_LOG, SEED_RECORDS, SEED_PIECES, SEED_DECOMPRESS, SEED_COMPRESS, SEED_INDEX, SEED_RECOVERY_POINT,
	SEED_KAFKA_MESSAGE, SEED_KAFKA_FRAME, SEED_KAFKA_BATCH, SEED_PRODUCER_FILE, SEED_KAFKA_TXN_FILE
};

static const char *directory;

/* What segment_index.c wants of the server. */
uint64
GetSystemIdentifier(void)
{
	return 42;
}

/* One file: the kind, then up to two pieces. */
static void
write_seed(const char *name, int kind, const char *head, size_t head_length,
		   const char *bytes, size_t length)
{
	char		path[MAXPGPATH];
	FILE	   *file;

	snprintf(path, sizeof(path), "%s/seed_%s", directory, name);
	file = fopen(path, "wb");
	if (file == NULL || fputc(kind, file) == EOF || fwrite(head, 1, head_length, file) != head_length ||
		fwrite(bytes, 1, length, file) != length || fclose(file) != 0)
	{
		perror(path);
		exit(1);
	}
}

/* The same of hexadecimal digits; what is too long for the fuzzer is left out. */
static void
write_hex(const char *name, int kind, const char *head, size_t head_length, const char *hex)
{
	static char bytes[ROOM];
	size_t		length = strlen(hex) / 2;

	if (length > 4000)
		return;
	for (size_t i = 0; i < length; i++)
	{
		char		digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

		bytes[i] = (char) strtol(digits, NULL, 16);
	}
	write_seed(name, kind, head, head_length, bytes, length);
}

static void
write_vector(const char *name, const char *hex)
{
	write_hex(name, SEED_LOG, "", 0, hex);
}

/* Records with and without key, value and headers; returns their end. */
static char *
encode_records(char *dst)
{
	char		headers[64];
	RecordHeader header = {"trace", 5, "\xff\x00", 2};
	RecordHeader null_header = {"none", 4, NULL, -1};
	char	   *end = pgt_record_header_encode(pgt_record_header_encode(headers, &header), &null_header);
	Record		records[RECORDS] = {
		{.key = "key", .key_length = 3, .value = "value value value value", .value_length = 23},
		{.key_length = -1, .value = "without a key", .value_length = 13},
		{.key = "key", .key_length = 3, .value_length = -1},
		{.key = "", .key_length = 0, .value = "", .value_length = 0,
		.headers = headers, .headers_length = (int32) (end - headers), .header_count = 2}
	};

	for (int i = 0; i < RECORDS; i++)
		dst = pgt_record_encode(dst, &records[i], 100 * i, 2 * i);
	return dst;
}

/* A batch of the records, their compressed bytes, and compressing them. */
static void
write_codec(int codec, const char *records, size_t length)
{
	static char batch[ROOM];
	char	   *packed = batch + RECORD_BATCH_HEADER_SIZE;
	RecordBatchHeader header = {.base_offset = 1000, .last_offset_delta = 2 * (RECORDS - 1),
		.base_timestamp = INT64CONST(1700000000000), .max_timestamp = INT64CONST(1700000000300),
	.record_count = RECORDS};
	char		name[64];
	char		first = (char) codec;
	size_t		out;

	if (pgt_compress(codec, 0, records, length, packed, ROOM - RECORD_BATCH_HEADER_SIZE, &out) != NULL)
		exit(1);
	header.length = RECORD_BATCH_HEADER_SIZE + (int32) out;
	header.attributes = codec | BATCH_ATTR_LOG_APPEND_TIME;
	pgt_record_batch_set_no_producer(&header);
	pgt_record_batch_seal(batch, &header);
	snprintf(name, sizeof(name), "batch_%s", pgt_compression_name(codec));
	write_seed(name, SEED_LOG, "", 0, batch, header.length);
	snprintf(name, sizeof(name), "decompress_%s", pgt_compression_name(codec));
	write_seed(name, SEED_DECOMPRESS, &first, 1, packed, out);
	snprintf(name, sizeof(name), "compress_%s", pgt_compression_name(codec));
	write_seed(name, SEED_COMPRESS, &first, 1, records, length);
}

static void
write_index(void)
{
	struct
	{
		IndexHeader header;
		IndexEntry	entries[2];
	}			index = {0};
	SegmentSpan span = {.previous_end = 7};

	pgt_index_header_init(&index.header, pgt_segment_id_original(7), &span, InvalidXLogRecPtr);
	for (int i = 0; i < 2; i++)
	{
		index.entries[i] = (IndexEntry) {.first_delta = 3 * i, .last_delta = 3 * i + 2, .position = 100 * i,
			.length = 100, .min_timestamp = 1, .max_timestamp = 2, .largest_timestamp = 2, .xid = 700,
		.lsn = 0x1000000, .flags = i == 0 ? ENTRY_ABORTED : ENTRY_INTERLEAVED, .since_first = 3 * i};
		pgt_index_entry_seal(&index.entries[i]);
	}
	write_seed("index", SEED_INDEX, "", 0, (char *) &index, sizeof(index));
}

static void
write_recovery_point(void)
{
	RecoveryPointHeader header;
	RecoveryPointEntry entries[2] = {
		{.key = {5, 16400, 0}, .active_base = -1},
		{.key = {5, 16400, 1}, .active_entries = 2, .active_base = 7, .next_offset = 13,
		.log_start_offset = 7, .resolved_offset = 10, .active_end = 200}
	};

	pgt_recovery_point_format_seal(&header, GetSystemIdentifier(), 1024, 187, entries, 2);
	write_seed("recovery_point", SEED_RECOVERY_POINT, (char *) &header, sizeof(header),
			   (char *) entries, sizeof(entries));
}

static void
write_producer_file(void)
{
	ProducerFileHeader header;
	ProducerFileEntry entries[2] = {{.key = {5, 16400, 0}}, {.key = {5, 16400, 1}}};
	SequenceRange range = pgt_producer_sequence_range(1, 0, 10);

	for (int i = 0; i < 2; i++)
		pgt_producer_sequence_init(&entries[i].sequence, 7 + i, 1000);
	pgt_producer_sequence_apply(&entries[0].sequence, &range, 100, 700, 2000);
	range = pgt_producer_sequence_range(1, 10, 5);
	pgt_producer_sequence_apply(&entries[0].sequence, &range, 110, 701, 2000);
	pgt_producer_file_format_seal(&header, GetSystemIdentifier(), 4000, entries, 2);
	write_seed("producer_file", SEED_PRODUCER_FILE, (char *) &header, sizeof(header),
			   (char *) entries, sizeof(entries));
}

static void
write_kafka_txn_file(void)
{
	KafkaTxnFileHeader header;
	struct
	{
		KafkaTxnFileEntry entries[2];
		KafkaTxnFilePart parts[2];
	}			file = {{{ENTRY_NUMBERED | 1, 0, 7, 1000, 5}, {ENTRY_NUMBERED | 2, 801, 8, 1000, 5, 3, 1}},
	{{ENTRY_NUMBERED | 1, 10, 20, {5, 16400, 0}}, {ENTRY_NUMBERED | 2, 5, 6, {5, 16400, 1}}}};

	pgt_kafka_txn_file_format_seal(&header, GetSystemIdentifier(), 1024, (char *) &file, 2, 2);
	write_seed("kafka_txn_file", SEED_KAFKA_TXN_FILE, (char *) &header, sizeof(header), (char *) &file, sizeof(file));
}

/* ---- Kafka's messages ------------------------------------------------------- */

/* The message of a vector: of an API, or of a name. */
static int
message_id(char **columns)
{
	const KafkaApi *api = pgt_kafka_api(atoi(columns[2]));
	int			id = 0;

	if (api != NULL)
		return strcmp(columns[1], "request") == 0 ? api->request : api->response;
	while (strcmp(pgt_kafka_struct_name(&pgt_kafka_structs[id]), columns[1]) != 0)
	{
		if (++id > KAFKA_LAST_MESSAGE)
		{
			fprintf(stderr, "a vector of an unknown message: %s\n", columns[1]);
			exit(1);
		}
	}
	return id;
}

/*
 * A message as fuzz_kafka_message() reads it, if it is of the first or last version and has
 * more in it than others.
 */
static void
write_message(const char *name, char **columns)
{
	int			id = message_id(columns);
	int			version = atoi(columns[3]);
	char		head[2];

	if (version != pgt_kafka_messages[id].first && version != pgt_kafka_messages[id].last)
		return;
	if (strcmp(columns[4], "filled") != 0 && strcmp(columns[4], "null-nested") != 0 &&
		strcmp(columns[4], "unknown-tags-nested") != 0)
		return;
	head[0] = (char) id;
	head[1] = (char) (version - pgt_kafka_messages[id].first);
	write_hex(name, SEED_KAFKA_MESSAGE, head, sizeof(head), columns[5]);
}

/* One line of the vectors, split at its tabs; test/kafka/pack_vectors says what they are. */
static void
write_line(int number, char *line)
{
	char	   *columns[16] = {line};
	char		name[64];

	for (int i = 1; i < lengthof(columns) && (line = strchr(line, '\t')) != NULL; i++)
	{
		*line++ = '\0';
		columns[i] = line;
	}
	snprintf(name, sizeof(name), "kafka_%04d", number);
	if (strcmp(columns[0], "message") == 0)
		write_message(name, columns);
	else if (strcmp(columns[0], "bad") == 0)
		write_hex(name, SEED_KAFKA_FRAME, "", 0, columns[3]);
	else if (strcmp(columns[0], "batch") == 0)
		write_hex(name, SEED_KAFKA_BATCH, "", 0, columns[2]);
}

static void
write_vectors(const char *path)
{
	char	   *packed = malloc(VECTORS_MAX);
	char	   *text = malloc(VECTORS_MAX);
	FILE	   *file = fopen(path, "rb");
	size_t		length;
	int			number = 0;

	if (file == NULL || pgt_decompress(COMPRESSION_ZSTD, packed, fread(packed, 1, VECTORS_MAX, file),
									   text, VECTORS_MAX - 1, &length) != NULL)
	{
		perror(path);
		exit(1);
	}
	text[length] = '\0';
	for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
	{
		*end = '\0';
		write_line(number++, line);
	}
	fclose(file);
	free(packed);
	free(text);
}

int
main(int argc, char **argv)
{
	static char records[ROOM];
	char	   *end = encode_records(records);
	static const char head[] = {RECORDS, 2 * (RECORDS - 1), 0};

	if (argc != 3)
		return 2;
	directory = argv[1];
	write_vector("vector_one", KV_BATCH);
	write_vector("vector_headers", TWO_BATCH);
	write_vector("vector_tombstone", TOMBSTONE_BATCH);
	write_vector("vector_compacted", COMPACTED_BATCH);
	write_vector("vector_gzip", GZIP_BATCH);
	write_vector("vector_snappy", SNAPPY_BATCH);
	write_vector("vector_lz4", LZ4_BATCH);
	write_vector("vector_zstd", ZSTD_BATCH);
	write_seed("records", SEED_RECORDS, head, sizeof(head), records, end - records);
	write_seed("pieces", SEED_PIECES, "", 0, records, end - records);
	for (int codec = 0; codec < COMPRESSION_TYPE_COUNT; codec++)
		write_codec(codec, records, end - records);
	write_index();
	write_recovery_point();
	write_producer_file();
	write_kafka_txn_file();
	write_vectors(argv[2]);
	return 0;
}
