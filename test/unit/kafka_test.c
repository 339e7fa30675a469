/*
 * kafka_test.c
 *	  Tests of src/kafka against bytes that Kafka's own classes wrote.
 *
 *		kafka_test VECTORS
 *
 * "make unit" builds and runs it with test/kafka/vectors.zst, whose lines
 * test/kafka/pack_vectors describes.  Output is TAP, the exit code 1 on a failure.
 *
 *	  - Each message, of each version of each API, is decoded, printed as Kafka prints it,
 *		compared, and encoded again to the same bytes; cut off anywhere it is refused.
 *	  - Each frame is taken apart and put together again.
 *	  - Each hostile frame is taken or refused as Kafka does, and so are the records of
 *		its Produce requests.  Where we are stricter, a list here says so.
 *	  - Each batch is found good as a producer's, or refused, and its records are the ones
 *		that Kafka says it has.
 *	  - What vectors cannot tell: names, error codes, defaults, values that a version
 *		cannot carry, room that ends, records that lie elsewhere.
 *
 * Each decoded message lies in blocks of malloc() of exactly their size, as its bytes do, so
 * that valgrind or AddressSanitizer sees a step past the end:
 *
 *		valgrind --error-exitcode=2 test/unit/kafka_test test/kafka/vectors.zst
 */
#include "c.h"

#include "assertion.h"
#include "tap.h"
#include "port/pg_bswap.h"

#include "format/compression.h"
#include "kafka/kafka_api.h"
#include "kafka/kafka_decode.h"
#include "kafka/kafka_default.h"
#include "kafka/kafka_encode.h"
#include "kafka/kafka_error.h"
#include "kafka/kafka_frame.h"
#include "kafka/kafka_name.h"
#include "kafka/producer_batch.h"

#define MAX_COLUMNS		16
#define VECTORS_MAX		(16 * 1024 * 1024)

/* Stop: the test itself is broken, or there is no memory. */
static void
give_up(const char *why, const char *what)
{
	printf("Bail out! %s %s\n", why, what);
	exit(2);
}

static void *
must_malloc(size_t size)
{
	void	   *memory = malloc(size > 0 ? size : 1);

	if (memory == NULL)
		give_up("out of memory", "");
	return memory;
}

/* ----------
 * Text and bytes
 * ----------
 */

/* A text that grows. */
typedef struct Text
{
	char	   *data;
	size_t		length;
	size_t		capacity;
} Text;

static void
text_add(Text *t, const char *bytes, size_t length)
{
	if (t->length + length + 1 > t->capacity)
	{
		t->capacity = (t->length + length + 1) * 2;
		t->data = realloc(t->data, t->capacity);
		if (t->data == NULL)
			give_up("out of memory", "");
	}
	if (length > 0)
		memcpy(t->data + t->length, bytes, length);
	t->length += length;
	t->data[t->length] = '\0';
}

static void text_format(Text *t, const char *format, ...) pg_attribute_printf(2, 3);

static void
text_format(Text *t, const char *format, ...)
{
	char		buffer[256];
	va_list		args;

	va_start(args, format);
	vsnprintf(buffer, sizeof(buffer), format, args);
	va_end(args);
	text_add(t, buffer, strlen(buffer));
}

/* Bytes in a block of exactly their size; the caller frees it. */
typedef struct Bytes
{
	char	   *data;
	size_t		length;
} Bytes;

static int
hex_digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

static Bytes
bytes_from_hex(const char *hex, size_t zeros)
{
	size_t		length = strlen(hex) / 2;
	Bytes		b = {must_malloc(length + zeros), length + zeros};

	for (size_t i = 0; i < length; i++)
		b.data[i] = (char) (hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
	memset(b.data + length, 0, zeros);
	return b;
}

/* ----------
 * Arenas whose blocks are exactly as large as what they were asked for
 * ----------
 */

typedef struct Block
{
	struct Block *next;
} Block;

typedef struct TestArena
{
	KafkaArena	arena;
	Block	   *blocks;
	size_t		taken;
	size_t		limit;
} TestArena;

static bool
test_arena_more(KafkaArena *arena, size_t needed)
{
	TestArena  *t = (TestArena *) arena;
	Block	   *block;

	if (t->limit > 0 && t->taken + needed > t->limit)
		return false;
	block = must_malloc(MAXALIGN(sizeof(Block)) + needed);
	block->next = t->blocks;
	t->blocks = block;
	t->taken += needed;
	arena->next = (char *) block + MAXALIGN(sizeof(Block));
	arena->end = arena->next + needed;
	memset(arena->next, 0x7f, needed);
	return true;
}

static void
test_arena_free(TestArena *t)
{
	while (t->blocks != NULL)
	{
		Block	   *next = t->blocks->next;

		free(t->blocks);
		t->blocks = next;
	}
	t->arena.next = t->arena.end = NULL;
	t->taken = 0;
}

#define TEST_ARENA {.arena = {.more = test_arena_more}}

/* ----------
 * Messages as JSON, as Kafka prints them
 * ----------
 */

static void print_struct(Text *t, const KafkaStruct *structure, int version, const char *in);

static void
print_string(Text *t, const char *data, int32 length)
{
	text_add(t, "\"", 1);
	for (int32 i = 0; i < length; i++)
	{
		if (data[i] == '"' || data[i] == '\\')
			text_format(t, "\\%c", data[i]);
		else if ((unsigned char) data[i] < 0x20)
			text_format(t, "\\u%04X", data[i]);
		else
			text_add(t, data + i, 1);
	}
	text_add(t, "\"", 1);
}

static void
print_base64(Text *t, const char *digits, const uint8 *data, int32 length, bool padded)
{
	for (int32 i = 0; i < length; i += 3)
	{
		int32		left = length - i;
		uint32		bits = data[i] << 16 | (left > 1 ? data[i + 1] << 8 : 0) | (left > 2 ? data[i + 2] : 0);

		for (int j = 0; j < 4; j++)
		{
			if (j <= left)
				text_add(t, &digits[(bits >> (18 - 6 * j)) & 0x3f], 1);
			else if (padded)
				text_add(t, "=", 1);
		}
	}
}

static void
print_bytes(Text *t, const char *data, int32 length)
{
	text_add(t, "\"", 1);
	print_base64(t, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", (const uint8 *) data, length, true);
	text_add(t, "\"", 1);
}

static void
print_uuid(Text *t, const KafkaUuid *uuid)
{
	text_add(t, "\"", 1);
	print_base64(t, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", uuid->bytes, 16, false);
	text_add(t, "\"", 1);
}

static void
print_value(Text *t, const KafkaField *field, int version, const char *in)
{
	const KafkaString *string = (const KafkaString *) in;

	switch ((KafkaType) field->type)
	{
		case KAFKA_TYPE_BOOL:
			text_format(t, *(const bool *) in ? "true" : "false");
			break;
		case KAFKA_TYPE_INT8:
			text_format(t, "%d", *(const int8 *) in);
			break;
		case KAFKA_TYPE_INT16:
			text_format(t, "%d", *(const int16 *) in);
			break;
		case KAFKA_TYPE_UINT16:
			text_format(t, "%d", *(const uint16 *) in);
			break;
		case KAFKA_TYPE_INT32:
		case KAFKA_TYPE_RECORDS:
			text_format(t, "%d", field->type == KAFKA_TYPE_INT32 ? *(const int32 *) in :
						((const KafkaRecords *) in)->length);
			break;
		case KAFKA_TYPE_INT64:
			text_format(t, "%lld", (long long) *(const int64 *) in);
			break;
		case KAFKA_TYPE_FLOAT64:
			text_format(t, "%.17g", *(const double *) in);
			break;
		case KAFKA_TYPE_UUID:
			print_uuid(t, (const KafkaUuid *) in);
			break;
		case KAFKA_TYPE_STRING:
			if (string->length < 0)
				text_format(t, "null");
			else
				print_string(t, string->data, string->length);
			break;
		case KAFKA_TYPE_BYTES:
			if (((const KafkaBytes *) in)->length < 0)
				text_format(t, "null");
			else
				print_bytes(t, ((const KafkaBytes *) in)->data, ((const KafkaBytes *) in)->length);
			break;
		case KAFKA_TYPE_STRUCT:
			if (field->flags & KAFKA_FIELD_POINTER)
				in = *(const char *const *) in;
			if (in == NULL)
				text_format(t, "null");
			else
				print_struct(t, &pgt_kafka_structs[field->structure], version, in);
			break;
	}
}

static void
print_array(Text *t, const KafkaField *field, int version, const KafkaArray *array)
{
	if (array->count < 0)
	{
		text_format(t, "null");
		return;
	}
	text_add(t, "[", 1);
	for (int32 i = 0; i < array->count; i++)
	{
		if (i > 0)
			text_add(t, ",", 1);
		print_value(t, field, version, (const char *) array->items + i * pgt_kafka_field_size(field));
	}
	text_add(t, "]", 1);
}

/* Whether a tagged field is as it would be if it had not been there. */
static bool
has_default(const KafkaField *field, const char *in)
{
	Text		now = {0};
	Text		initial = {0};
	char		memory[512] = {0};
	bool		same;

	pgt_kafka_default_field(field, memory);
	if (field->flags & KAFKA_FIELD_ARRAY)
		return ((const KafkaArray *) in)->count == ((const KafkaArray *) memory)->count;
	print_value(&now, field, field->first, in);
	print_value(&initial, field, field->first, memory);
	same = strcmp(now.data, initial.data) == 0;
	free(now.data);
	free(initial.data);
	return same;
}

/* The fields of the version, in the order of Kafka's schema, which "order" tells. */
static void
print_struct(Text *t, const KafkaStruct *structure, int version, const char *in)
{
	const KafkaField *first = &pgt_kafka_fields[structure->first_field];
	int			count = structure->plain_count + structure->tagged_count;
	const char *comma = "";

	text_add(t, "{", 1);
	for (int offset = 0; offset < structure->size; offset++)
	{
		for (const KafkaField *field = first; field < first + count; field++)
		{
			/* members are in the order of the schema; the rows have tagged ones last */
			if (field->offset != offset || !pgt_kafka_field_in(field, version) ||
				(field->tag >= 0 && has_default(field, in + field->offset)))
				continue;
			text_format(t, "%s\"%s", comma, pgt_kafka_field_name(field));
			comma = ",";
			if (field->type == KAFKA_TYPE_RECORDS && ((const KafkaRecords *) (in + offset))->length < 0)
			{
				text_format(t, "\":null");
				continue;
			}
			text_format(t, field->type == KAFKA_TYPE_RECORDS ? "SizeInBytes\":" : "\":");
			if (field->flags & KAFKA_FIELD_ARRAY)
				print_array(t, field, version, (const KafkaArray *) (in + offset));
			else
				print_value(t, field, version, in + offset);
		}
	}
	text_add(t, "}", 1);
}

/*
 * Whether our text is Kafka's.  Kafka has put U+FFFD in the place of bytes that are no
 * UTF-8, which we leave alone: a run of them stands for a run of bytes that are not ASCII.
 */
static bool
same_text(const char *ours, const char *kafka)
{
	while (*kafka != '\0')
	{
		if (strncmp(kafka, "\xef\xbf\xbd", 3) == 0)
		{
			while (strncmp(kafka, "\xef\xbf\xbd", 3) == 0)
				kafka += 3;
			if ((unsigned char) *ours < 0x80)
				return false;
			while ((unsigned char) *ours >= 0x80)
				ours++;
		}
		else if (*ours++ != *kafka++)
			return false;
	}
	return *ours == '\0';
}

/* ----------
 * Vectors
 * ----------
 */

/* The columns of the line that is at work. */
static char *columns[MAX_COLUMNS];
static int	column_count;

/* Say what is wrong with the line at work; returns false. */
static bool
wrong(const char *what, const char *got, const char *want)
{
	printf("# %s %s %s %s %s: %s\n", columns[0], columns[1], columns[2], column_count > 3 ? columns[3] : "",
		   column_count > 4 && strlen(columns[4]) < 60 ? columns[4] : "", what);
	if (got || want)
		printf("#   got: %.2000s\n#  want: %.2000s\n", got ? got : "(null)", want ? want : "(null)");
	return false;
}

static bool
check_json(const KafkaStruct *structure, int version, const void *message, const char *want)
{
	Text		json = {0};
	bool		good;

	print_struct(&json, structure, version, message);
	good = same_text(json.data, want) || wrong("other values", json.data, want);
	free(json.data);
	return good;
}

/* Encode a message, which must give these bytes and be of the size that was told. */
static bool
check_bytes(KafkaStructId id, int version, const void *message, Bytes want, const char *what)
{
	KafkaWriter counter = {0};
	KafkaWriter writer = {0};
	char	   *room;
	bool		good;

	if (!pgt_kafka_encode_count(&counter, id, version, message))
		return wrong(what, counter.problem, counter.field ? pgt_kafka_field_name(counter.field) : "");
	room = must_malloc(counter.size);
	writer.next = room;
	writer.end = room + counter.size;
	good = pgt_kafka_encode(&writer, id, version, message) && writer.next == writer.end &&
		writer.size == counter.size && counter.size == want.length && memcmp(room, want.data, want.length) == 0;
	free(room);
	return good || wrong(what, writer.problem, NULL);
}

/* Before which elements a message pauses: each one, or each one but the first of these. */
typedef struct PausingWriter
{
	KafkaWriter writer;
	int			every;
	int			asked;
} PausingWriter;

static int	pauses = 0;
static int	deepest_pause = 0;

static bool
pause_often(KafkaWriter *writer, int level, void *item)
{
	PausingWriter *pausing = (PausingWriter *) writer;

	if (++pausing->asked % pausing->every != 0)
		return false;
	pauses++;
	deepest_pause = Max(deepest_pause, level);
	return true;
}

/* Encode a message with pauses, with which it is the same. */
static bool
check_parts(KafkaStructId id, int version, const void *message, Bytes want, int every)
{
	char	   *room = must_malloc(want.length);
	PausingWriter pausing = {.writer = {.next = room, .end = room + want.length, .pause = pause_often}, .every = every};
	KafkaWriter *writer = &pausing.writer;
	bool		good;

	while (!(good = pgt_kafka_encode(writer, id, version, message)) && writer->paused && writer->problem == NULL)
		;
	good = good && writer->next == writer->end && writer->size == want.length && memcmp(room, want.data, want.length) == 0;
	free(room);
	return good || wrong("encoding in parts gives other bytes", writer->problem, NULL);
}

/* Whether a message that is cut off anywhere is refused.  Bytes end where their block ends. */
static bool
check_cuts(KafkaStructId id, int version, Bytes whole)
{
	char	   *block = must_malloc(whole.length);
	size_t		step = 1 + whole.length / 400;
	bool		good = true;

	for (size_t length = 0; length < whole.length && good; length += step)
	{
		TestArena	arena = TEST_ARENA;
		KafkaReader reader = {.next = block + whole.length - length, .end = block + whole.length, .arena = &arena.arena};

		memcpy(block + whole.length - length, whole.data, length);
		good = pgt_kafka_decode(&reader, id, version) == NULL && reader.problem != NULL;
		test_arena_free(&arena);
	}
	free(block);
	return good || wrong("a part of the message is taken for a whole one", NULL, NULL);
}

static size_t largest_factor = 0;

/* One message: decode, compare, encode. */
static bool
check_message(KafkaStructId id, int version, const char *name, Bytes bytes, const char *json)
{
	TestArena	arena = TEST_ARENA;
	KafkaReader reader = {.next = bytes.data, .end = bytes.data + bytes.length, .arena = &arena.arena};
	void	   *message = pgt_kafka_decode(&reader, id, version);
	bool		good;

	if (message == NULL)
		good = wrong("not decoded", reader.problem, reader.field ? pgt_kafka_field_name(reader.field) : "");
	else if (reader.next != reader.end)
		good = wrong("bytes are left", NULL, NULL);
	else
		good = check_json(&pgt_kafka_structs[id], version, message, json) &&
			check_bytes(id, version, message, bytes, "encoded again it is not the same") &&
			check_parts(id, version, message, bytes, 1) && check_parts(id, version, message, bytes, 3);
	if (bytes.length > 0)
		largest_factor = Max(largest_factor, arena.taken / bytes.length);
	if (good && strcmp(name, "default") == 0)
	{
		void	   *made = must_malloc(pgt_kafka_structs[id].size);

		pgt_kafka_default_struct(id, made);
		good = check_bytes(id, version, made, bytes, "defaults are other ones");
		free(made);
	}
	test_arena_free(&arena);
	return good && check_cuts(id, version, bytes);
}

/* What has been seen of each API: for requests and responses, vectors and versions. */
typedef struct Seen
{
	int			vectors;
	int			bad;
	uint64		versions;
} Seen;

static Seen messages_seen[KAFKA_LAST_MESSAGE + 1];
static Seen frames_seen;
static Seen bad_frames_seen;
static Seen appends_seen;
static Seen batches_seen;

static void
count(Seen *seen, int version, bool good)
{
	seen->vectors++;
	seen->bad += !good;
	seen->versions |= UINT64CONST(1) << version;
}

/* The message of the line at work: of an API, or of a name. */
static KafkaStructId
message_id(void)
{
	const KafkaApi *api = pgt_kafka_api(atoi(columns[2]));

	if (api != NULL)
		return strcmp(columns[1], "response") == 0 ? api->response : api->request;
	for (int id = 0; id <= KAFKA_LAST_MESSAGE; id++)
	{
		if (strcmp(pgt_kafka_struct_name(&pgt_kafka_structs[id]), columns[1]) == 0)
			return id;
	}
	give_up("a vector of an unknown message:", columns[1]);
	return 0;
}

static void
message_line(void)
{
	KafkaStructId id = message_id();
	int			version = atoi(columns[3]);
	Bytes		bytes = bytes_from_hex(columns[5], 0);

	count(&messages_seen[id], version, check_message(id, version, columns[4], bytes, columns[6]));
	free(bytes.data);
}

/* A response's header and body, to a frame and back. */
static bool
check_response_frame(const KafkaApi *api, int version, Bytes bytes)
{
	TestArena	arena = TEST_ARENA;
	KafkaReader reader = {.next = bytes.data, .end = bytes.data + bytes.length, .arena = &arena.arena};
	KafkaWriter writer = {0};
	KafkaResponseHeader *header;
	void	   *body = NULL;
	char	   *room;
	size_t		size = 0;
	int32		told;
	bool		good;

	header = pgt_kafka_decode(&reader, KAFKA_RESPONSE_HEADER, pgt_kafka_api_response_header(api, version));
	good = header != NULL && reader.next - bytes.data == atoi(columns[8]) &&
		atoi(columns[7]) == pgt_kafka_api_response_header(api, version) &&
		check_json(&pgt_kafka_structs[KAFKA_RESPONSE_HEADER], atoi(columns[7]), header, columns[6]);
	if (good)
		body = pgt_kafka_decode(&reader, api->response, version);
	good = good && body != NULL && reader.next == reader.end;
	/* we write no tags in headers */
	if (good && header->unknown_tags == NULL)
	{
		good = pgt_kafka_frame_response_size(&writer, api, version, body, &size) && size == bytes.length + 4;
		room = must_malloc(size);
		writer.next = room;
		writer.end = room + size;
		good = good && pgt_kafka_frame_response(&writer, api, version, header->correlation_id, body) &&
			writer.next == writer.end && memcmp(room + 4, bytes.data, bytes.length) == 0 &&
			pgt_kafka_frame_size(room, PG_INT32_MAX, &told) == NULL && told == bytes.length;
		free(room);
	}
	test_arena_free(&arena);
	return good || wrong("not taken apart or put together", reader.problem, writer.problem);
}

static bool
check_request_frame(const KafkaApi *api, int version, Bytes bytes)
{
	TestArena	arena = TEST_ARENA;
	KafkaRequest request;
	KafkaVerdict verdict = pgt_kafka_request_decode(&request, &arena.arena, bytes.data, bytes.length);
	int			header_version = pgt_kafka_api_request_header(api, version);
	Bytes		header = {bytes.data, atoi(columns[8])};
	bool		good;

	/* the one unstable version is written by Kafka, but not served by a broker */
	if (!pgt_kafka_api_serves(api, version))
		good = verdict == KAFKA_VERDICT_CLOSE && api->key == KAFKA_API_INIT_PRODUCER_ID;
	else
		good = verdict == KAFKA_VERDICT_SERVE && request.left == bytes.data + bytes.length &&
			request.api == api && request.version == version && request.body != NULL;
	good = good && atoi(columns[7]) == header_version &&
		check_json(&pgt_kafka_structs[KAFKA_REQUEST_HEADER], header_version, request.header, columns[6]) &&
		check_bytes(KAFKA_REQUEST_HEADER, header_version, request.header, header, "other header");
	test_arena_free(&arena);
	return good || wrong("not taken apart", request.problem, NULL);
}

static void
frame_line(void)
{
	int			version = atoi(columns[3]);
	const KafkaApi *api = pgt_kafka_api(atoi(columns[2]));
	Bytes		bytes = bytes_from_hex(columns[5], 0);

	if (api == NULL)
		give_up("a vector of an unknown API:", columns[2]);
	count(&frames_seen, 0, strcmp(columns[1], "response") == 0 ? check_response_frame(api, version, bytes) :
		  check_request_frame(api, version, bytes));
	free(bytes.data);
}

/* ----------
 * Records of producers
 * ----------
 */

static bool
scratch_grow(ProducerScratch *scratch, size_t needed)
{
	free(scratch->data);
	scratch->data = must_malloc(needed);
	scratch->size = needed;
	return true;
}

/* one hour ahead, as message.timestamp.after.max.ms has it, of the vectors' time */
static const ProducerRules kafka_rules = {
	.max_length = 1048588, .min_timestamp = PG_INT64_MIN, .max_timestamp = INT64CONST(32503680000000),
	.allow_zstd = true, .walk_records = true
};

/* Where our answer to records is another than Kafka's, and what it is. */
static const struct
{
	const char *name;
	KafkaError	error;
}			other_answers[] =
{
	/* Kafka has no answer but an exception */
	{"null records", KAFKA_ERROR_INVALID_RECORD},
	{"records length -2", KAFKA_ERROR_INVALID_RECORD},
	{"records: records of no codec's, codec 1", KAFKA_ERROR_INVALID_RECORD},
	{"records: records of no codec's, codec 2", KAFKA_ERROR_INVALID_RECORD},
	{"records: records of no codec's, codec 3", KAFKA_ERROR_INVALID_RECORD},
	{"records: records of no codec's, codec 4", KAFKA_ERROR_INVALID_RECORD},
	{"records: records of no codec's, codec 5", KAFKA_ERROR_UNSUPPORTED_COMPRESSION_TYPE},
	{"records: records of no codec's, codec 6", KAFKA_ERROR_UNSUPPORTED_COMPRESSION_TYPE},
	{"records: records of no codec's, codec 7", KAFKA_ERROR_UNSUPPORTED_COMPRESSION_TYPE},
	{"records: codec gzip, offset delta 1", KAFKA_ERROR_INVALID_RECORD},
	{"records: codec snappy, offset delta 1", KAFKA_ERROR_INVALID_RECORD},
	{"records: codec lz4, offset delta 1", KAFKA_ERROR_INVALID_RECORD},
	{"records: codec zstd, offset delta 1", KAFKA_ERROR_INVALID_RECORD},
	{"records: codec gzip, cut", KAFKA_ERROR_INVALID_RECORD},
	{"records: codec snappy, cut", KAFKA_ERROR_INVALID_RECORD},
	{"records: codec lz4, cut", KAFKA_ERROR_INVALID_RECORD},
	{"records: codec zstd, cut", KAFKA_ERROR_INVALID_RECORD},
	{"records: codec snappy, bytes after", KAFKA_ERROR_INVALID_RECORD},
	{"records: codec zstd, bytes after", KAFKA_ERROR_INVALID_RECORD},
	/* Kafka takes what our readers would call damage */
	{"records: codec gzip, bytes after", KAFKA_ERROR_INVALID_RECORD},
	{"records: codec lz4, bytes after", KAFKA_ERROR_INVALID_RECORD},
	{"records: offset delta 1", KAFKA_ERROR_INVALID_RECORD},
	{"records: offset delta -1", KAFKA_ERROR_INVALID_RECORD},
	{"records: header value length -2", KAFKA_ERROR_INVALID_RECORD},
	{"records: producer id 1, epoch -1, sequence 0", KAFKA_ERROR_INVALID_RECORD},
};

/* What we answer to the records of a vector to which Kafka answers "kafka". */
static int
wanted_answer(const char *name, int kafka)
{
	for (int i = 0; i < lengthof(other_answers); i++)
	{
		if (strcmp(other_answers[i].name, name) == 0)
			return other_answers[i].error;
	}
	return kafka;
}

static bool
check_append(const KafkaProduceRequest *request)
{
	ProducerScratch scratch = {.grow = scratch_grow};
	ProducerBatch batch;
	const char *problem;
	int			want = wanted_answer(columns[1], atoi(columns[8]));
	int			error = pgt_producer_batch_check(&request->topic_data.items[0].partition_data.items[0].records,
												 &kafka_rules, &scratch, &batch, &problem);

	free(scratch.data);
	if (error != want || (error == KAFKA_ERROR_NONE) != (problem == NULL))
		return wrong(problem ? problem : "no problem", pgt_kafka_error_name(error), pgt_kafka_error_name(want));
	return true;
}

/* A frame that was accepted: its values, what is left of it, and what else is said of it. */
static bool
check_accepted(KafkaRequest *request, Bytes bytes)
{
	bool		good = true;

	if (request->body == NULL)
		return wrong("refused", request->problem, NULL);
	if (strcmp(columns[4], "-") != 0)
		good = check_json(&pgt_kafka_structs[request->api->request], request->version, request->body, columns[4]) &&
			bytes.data + bytes.length - request->left == atoi(columns[6]);
	if (strcmp(columns[7], "-") != 0 && request->version >= 3)
	{
		const KafkaApiVersionsRequest *body = request->body;
		bool		sound = pgt_kafka_name_is_software(body->client_software_name) &&
			pgt_kafka_name_is_software(body->client_software_version);

		if (sound != (strcmp(columns[7], "yes") == 0))
			good = wrong("the name of the software is judged otherwise", NULL, NULL);
	}
	if (strcmp(columns[8], "-") != 0)
		count(&appends_seen, 0, check_append(request->body));
	return good;
}

static void
bad_line(void)
{
	TestArena	arena = TEST_ARENA;
	Bytes		bytes = bytes_from_hex(columns[3], strcmp(columns[9], "-") == 0 ? 0 : atoi(columns[9]));
	KafkaRequest request;
	KafkaVerdict verdict = pgt_kafka_request_decode(&request, &arena.arena, bytes.data, bytes.length);
	bool		accepted = strcmp(columns[5], "accepted") == 0;
	bool		good = true;

	if (verdict == KAFKA_VERDICT_CLOSE)
		good = (!accepted && request.problem != NULL) || wrong("refused", request.problem, NULL);
	else if (!accepted)
		good = wrong("accepted", NULL, NULL);
	else if (verdict == KAFKA_VERDICT_TELL_VERSIONS)
		good = request.api->key == KAFKA_API_API_VERSIONS && request.header != NULL;
	else
		good = check_accepted(&request, bytes);
	/* an array that fails may have been made before */
	if (arena.taken > 2 * 24 * bytes.length + 1024)
		good = wrong("it took too much memory", NULL, NULL);
	count(&bad_frames_seen, 0, good);
	test_arena_free(&arena);
	free(bytes.data);
}

static void
print_hex(Text *t, const char *bytes, int32 length)
{
	if (length < 0)
		text_add(t, "-", 1);
	for (int32 i = 0; i < length; i++)
		text_format(t, "%02x", (unsigned char) bytes[i]);
}

/* A record as pack_vectors writes it; "times" says how often its value is repeated in the vector. */
static void
print_record(Text *t, const Record *record, int times)
{
	const char *next = record->headers;
	RecordHeader header;

	text_format(t, "%lld,%lld,", (long long) record->offset, (long long) record->timestamp);
	print_hex(t, record->key, record->key_length);
	text_add(t, ",", 1);
	print_hex(t, record->value, record->value_length < 0 ? -1 : record->value_length / times);
	text_format(t, ",%d", times);
	for (int32 i = 0; i < record->header_count; i++)
	{
		if (!pgt_record_header_decode(&next, record->headers + record->headers_length, &header))
			give_up("a sound record has a damaged header", "");
		text_add(t, ",", 1);
		print_hex(t, header.key, header.key_length);
		text_add(t, "=", 1);
		print_hex(t, header.value, header.value_length);
	}
}

/* How often the n-th record's value is repeated, as the vector says it. */
static int
times_of(const char *records, int n)
{
	for (; n > 0; n--)
		records = strchr(records, ';') + 1;
	for (int comma = 0; comma < 4; comma++)
		records = strchr(records, ',') + 1;
	return atoi(records);
}

/* Whether a value consists of that many times the same. */
static bool
is_repeated(const Record *record, int times)
{
	int32		piece = record->value_length / times;

	for (int i = 1; i < times; i++)
	{
		if (memcmp(record->value, record->value + i * piece, piece) != 0)
			return false;
	}
	return record->value_length < 0 || piece * times == record->value_length;
}

/* Whether the batch's records are those of the vector. */
static bool
check_records_of(Bytes bytes, const RecordBatchHeader *header, const char *want)
{
	size_t		length = bytes.length - RECORD_BATCH_HEADER_SIZE;
	char	   *unpacked = must_malloc(1024 * 1024);
	const char *records = bytes.data + RECORD_BATCH_HEADER_SIZE;
	Text		got = {0};
	RecordIterator it;
	Record		record;
	bool		good = true;

	text_add(&got, "", 0);
	if (header->attributes & BATCH_ATTR_CODEC_MASK)
	{
		if (pgt_decompress(header->attributes & BATCH_ATTR_CODEC_MASK, records, length, unpacked, 1024 * 1024, &length) != NULL)
			give_up("a batch does not decompress:", columns[1]);
		records = unpacked;
	}
	pgt_record_iterator_init(&it, header, records, length);
	for (int n = 0; pgt_record_iterator_next(&it, &record); n++)
	{
		int			times = times_of(want, n);

		good = good && is_repeated(&record, times);
		if (n > 0)
			text_add(&got, ";", 1);
		print_record(&got, &record, times);
	}
	if (got.length == 0)
		text_add(&got, "-", 1);
	good = good && it.problem == NULL && strcmp(got.data, want) == 0;
	if (!good)
		wrong("other records", got.data, want);
	free(got.data);
	free(unpacked);
	return good;
}

/* What a producer may send of the vectors' batches: those from 0 on, with all offsets, that are no markers. */
static bool
is_producers(const RecordBatchHeader *header)
{
	return header->base_offset == 0 && !(header->attributes & BATCH_ATTR_CONTROL) && header->record_count > 0 &&
		header->record_count == header->last_offset_delta + 1;
}

static bool
check_batch(Bytes bytes)
{
	ProducerScratch scratch = {.grow = scratch_grow};
	KafkaRecords records = {.data = bytes.data, .length = (int32) bytes.length};
	RecordBatchHeader header;
	ProducerBatch batch;
	const char *problem = pgt_record_batch_read_header(bytes.data, bytes.length, &header);
	Text		got = {0};
	Text		want = {0};
	bool		good;
	KafkaError	error;

	if (problem != NULL)
		return wrong("not a batch", problem, NULL);
	text_format(&got, "%lld %d %d %d %lld %lld %lld %d %d %d", (long long) header.base_offset, header.length,
				header.attributes, header.last_offset_delta, (long long) header.base_timestamp,
				(long long) header.max_timestamp, (long long) header.producer_id, header.producer_epoch, header.base_sequence,
				header.record_count);
	for (int i = 3; i < 13; i++)
		text_format(&want, "%s%s", i > 3 ? " " : "", columns[i]);
	good = strcmp(got.data, want.data) == 0 || wrong("other header", got.data, want.data);
	good = good && check_records_of(bytes, &header, columns[13]);
	error = pgt_producer_batch_check(&records, &kafka_rules, &scratch, &batch, &problem);
	if ((error == KAFKA_ERROR_NONE) != is_producers(&header) || (problem == NULL) != (error == KAFKA_ERROR_NONE))
		good = wrong("as a producer's it is judged otherwise", problem, NULL);
	if (error == KAFKA_ERROR_NONE && batch.max_timestamp != header.max_timestamp)
		good = wrong("another maximum timestamp", NULL, NULL);
	free(got.data);
	free(want.data);
	free(scratch.data);
	return good;
}

static void
batch_line(void)
{
	Bytes		bytes = bytes_from_hex(columns[2], 0);

	count(&batches_seen, 0, check_batch(bytes));
	free(bytes.data);
}

/* The unpacked vectors. */
static char *
read_vectors(const char *path)
{
	FILE	   *file = fopen(path, "rb");
	char	   *packed = must_malloc(VECTORS_MAX);
	char	   *text = must_malloc(VECTORS_MAX);
	size_t		packed_length;
	size_t		length;

	if (file == NULL)
		give_up("could not read", path);
	packed_length = fread(packed, 1, VECTORS_MAX, file);
	fclose(file);
	if (pgt_decompress(COMPRESSION_ZSTD, packed, packed_length, text, VECTORS_MAX - 1, &length) != NULL)
		give_up("could not decompress", path);
	text[length] = '\0';
	free(packed);
	return text;
}

/* Split a line at its tabs into columns. */
static void
split(char *line)
{
	for (column_count = 0; line != NULL; column_count++)
	{
		char	   *tab = strchr(line, '\t');

		if (column_count == MAX_COLUMNS)
			give_up("a line has too many columns", "");
		if (tab != NULL)
			*tab++ = '\0';
		columns[column_count] = line;
		line = tab;
	}
}

static void
run_vectors(const char *path)
{
	static const struct
	{
		const char *kind;
		void		(*run) (void);
		int			columns;
	}			kinds[] =
	{
		{"message", message_line, 7}, {"frame", frame_line, 9}, {"bad", bad_line, 10}, {"batch", batch_line, 14}
	};
	char	   *text = read_vectors(path);

	for (char *line = text, *next; *line != '\0'; line = next)
	{
		int			kind = 0;

		next = strchr(line, '\n');
		*next++ = '\0';
		split(line);
		while (kind < lengthof(kinds) && strcmp(kinds[kind].kind, columns[0]) != 0)
			kind++;
		if (kind == lengthof(kinds) || column_count != kinds[kind].columns)
			give_up("not a vector:", line);
		kinds[kind].run();
	}
	free(text);
}

/* Whether vectors of all versions of a message were there, and all good. */
static void
report_message(KafkaStructId id)
{
	const Seen *seen = &messages_seen[id];
	const KafkaMessage *message = &pgt_kafka_messages[id];
	uint64		all = (UINT64CONST(1) << (message->last + 1)) - (UINT64CONST(1) << message->first);
	char		name[128];

	snprintf(name, sizeof(name), "%s, versions %d to %d: %d vectors", pgt_kafka_struct_name(&pgt_kafka_structs[id]),
			 message->first, message->last, seen->vectors);
	if (seen->versions != all)
		printf("# versions are missing: %llx, not %llx\n", (long long) seen->versions, (long long) all);
	ok(seen->bad == 0 && seen->versions == all, name);
}

static void
report(const Seen *seen, const char *what)
{
	char		name[128];

	snprintf(name, sizeof(name), "%s: %d vectors", what, seen->vectors);
	ok(seen->bad == 0 && seen->vectors > 0, name);
}

static void
test_vectors(const char *path)
{
	run_vectors(path);
	for (int id = 0; id <= KAFKA_LAST_MESSAGE; id++)
	{
		/* which have frames of their own */
		if (id != KAFKA_REQUEST_HEADER && id != KAFKA_RESPONSE_HEADER)
			report_message(id);
	}
	report(&frames_seen, "frames");
	report(&bad_frames_seen, "hostile frames");
	report(&appends_seen, "records of hostile Produce requests");
	report(&batches_seen, "batches");
	ok(pauses > 1000 && deepest_pause >= 3, "messages were encoded in parts");
	printf("# %d parts, at level %d the deepest\n", pauses, deepest_pause);
	printf("# a decoded vector takes at most %d times its bytes\n", (int) largest_factor + 1);
}

/* ----------
 * What vectors cannot tell
 * ----------
 */

static void
test_api_table(void)
{
	TestArena	arena = TEST_ARENA;
	KafkaApiVersionsResponse response;
	const KafkaApi *api;
	bool		good = true;

	ok(lengthof(messages_seen) == 2 * 75 + 4 && KAFKA_API_COUNT == 75, "there are 75 APIs, and four messages that are none");
	for (int key = -3; key < 200; key++)
	{
		api = pgt_kafka_api(key);
		good &= api == NULL || api->key == key;
	}
	ok(good && pgt_kafka_api(4) == NULL && pgt_kafka_api(93) == NULL && pgt_kafka_api(-1) == NULL,
	   "a key is looked up to its API, or to none");
	api = pgt_kafka_api(KAFKA_API_PRODUCE);
	ok(api->first == 0 && !pgt_kafka_api_serves(api, 2) && pgt_kafka_api_serves(api, 3) &&
	   pgt_kafka_api_serves(api, 13) && !pgt_kafka_api_serves(api, 14),
	   "Produce tells version 0 but serves 3 to 13");
	api = pgt_kafka_api(KAFKA_API_INIT_PRODUCER_ID);
	ok(api->last == 5 && !pgt_kafka_api_serves(api, 6), "an unstable version is neither told nor served");
	api = pgt_kafka_api(KAFKA_API_API_VERSIONS);
	ok(pgt_kafka_api_response_header(api, 4) == 0 && pgt_kafka_api_request_header(api, 4) == 2,
	   "ApiVersions has the plain response header");
	pgt_kafka_default_struct(KAFKA_API_VERSIONS_RESPONSE, &response);
	ok(pgt_kafka_api_list(&arena.arena, NULL, &response) && response.api_keys.count == 75 &&
	   response.api_keys.items[0].api_key == 0 && response.api_keys.items[0].max_version == 13 &&
	   response.api_keys.items[74].api_key == 92 && response.finalized_features_epoch == -1,
	   "all APIs are listed");
	test_arena_free(&arena);
}

static bool
only_produce(int key)
{
	return key == KAFKA_API_PRODUCE;
}

static void
test_api_choice(void)
{
	TestArena	arena = TEST_ARENA;
	KafkaApiVersionsResponse response;

	pgt_kafka_default_struct(KAFKA_API_VERSIONS_RESPONSE, &response);
	ok(pgt_kafka_api_list(&arena.arena, only_produce, &response) && response.api_keys.count == 1 &&
	   response.api_keys.items[0].max_version == 13, "APIs that are not offered are not listed");
	test_arena_free(&arena);
}

/*
 * Memory that hostile bytes can ask for: the structures that arrays may have many of, in
 * bytes of memory to one on the wire.  kafka_decode.c says how many.
 */
static void
test_memory_factor(void)
{
	size_t		worst = 0;

	for (int i = KAFKA_LAST_MESSAGE + 1; i < KAFKA_STRUCT_COUNT; i++)
		worst = Max(worst, pgt_kafka_structs[i].min_size == 0 ? PG_INT32_MAX :
					(pgt_kafka_structs[i].size - 1) / pgt_kafka_structs[i].min_size + 1);
	ok(worst == 24, "no structure of an array takes more than 24 times its bytes");
}

static KafkaString
string_of(const char *text)
{
	KafkaString string = {text, (int32) strlen(text)};

	return string;
}

static void
test_names(void)
{
	char		longest[251];

	memset(longest, 'a', 250);
	longest[250] = '\0';
	ok(pgt_kafka_name_topic_problem(string_of("Orders.v1_eu-west")) == NULL, "a legal topic name");
	ok(pgt_kafka_name_topic_problem(string_of("")) && pgt_kafka_name_topic_problem(string_of(".")) &&
	   pgt_kafka_name_topic_problem(string_of("..")) && !pgt_kafka_name_topic_problem(string_of("...")),
	   "a topic name is not empty and no dots of a path");
	ok(pgt_kafka_name_topic_problem(string_of("a b")) && pgt_kafka_name_topic_problem(string_of("a/b")) &&
	   pgt_kafka_name_topic_problem(string_of("\xc3\xa9")) &&
	   pgt_kafka_name_topic_problem((KafkaString) {"a\0b", 3}) &&
	   pgt_kafka_name_topic_problem((KafkaString) {NULL, -1}),
	   "a topic name is ASCII letters, digits, and three others");
	ok(pgt_kafka_name_topic_problem(string_of(longest)) && !pgt_kafka_name_topic_problem(string_of(longest + 1)),
	   "a topic name has at most 249 characters");
	ok(pgt_kafka_name_topics_collide(string_of("a.b"), string_of("a_b")) &&
	   !pgt_kafka_name_topics_collide(string_of("a.b"), string_of("a-b")) &&
	   !pgt_kafka_name_topics_collide(string_of("a.b"), string_of("a.b.")), "topic names collide by dots and underscores");
	ok(pgt_kafka_name_is_software(string_of("apache-kafka-java")) && pgt_kafka_name_is_software(string_of("4.4.0")) &&
	   !pgt_kafka_name_is_software(string_of("-a")) && !pgt_kafka_name_is_software(string_of("a.")) &&
	   !pgt_kafka_name_is_software(string_of("")) && !pgt_kafka_name_is_software(string_of("a b")) &&
	   pgt_kafka_name_is_software(string_of("a")), "names of software");
	ok(pgt_kafka_name_is_share_partition(string_of("g:AAAAAAAAAAAAAAAAAAAAAQ:0")) &&
	   pgt_kafka_name_is_share_partition(string_of("a:b:AAAAAAAAAAAAAAAAAAAA-_:2147483647")) &&
	   pgt_kafka_name_is_share_partition(string_of("\xc3\xa9:AAAAAAAAAAAAAAAAAAAAAQ==:-2147483648")) &&
	   pgt_kafka_name_is_share_partition(string_of("g:AAAAAAAAAAAAAAAAAAAAAQ:+07::")), "share partitions");
	ok(!pgt_kafka_name_is_share_partition(string_of("g")) && !pgt_kafka_name_is_share_partition(string_of("")) &&
	   !pgt_kafka_name_is_share_partition((KafkaString) {NULL, -1}) &&
	   !pgt_kafka_name_is_share_partition(string_of("AAAAAAAAAAAAAAAAAAAAAQ:0")) &&
	   !pgt_kafka_name_is_share_partition(string_of(" :AAAAAAAAAAAAAAAAAAAAAQ:0")) &&
	   !pgt_kafka_name_is_share_partition(string_of("g:AAAAAAAAAAAAAAAAAAAAA:0")) &&
	   !pgt_kafka_name_is_share_partition(string_of("g:AAAAAAAAAAAAAAAAAAAAAQ=:0")) &&
	   !pgt_kafka_name_is_share_partition(string_of("g:AAAAAAAAAAAAAAAAAAAA+/:0")) &&
	   !pgt_kafka_name_is_share_partition(string_of("g:AAAAAAAAAAAAAAAAAAAAAQ:")) &&
	   !pgt_kafka_name_is_share_partition(string_of("g:AAAAAAAAAAAAAAAAAAAAAQ:-")) &&
	   !pgt_kafka_name_is_share_partition(string_of("g:AAAAAAAAAAAAAAAAAAAAAQ:1x")) &&
	   !pgt_kafka_name_is_share_partition(string_of("g:AAAAAAAAAAAAAAAAAAAAAQ:2147483648")), "and what is none");
}

static void
test_errors(void)
{
	ok(strcmp(pgt_kafka_error_name(KAFKA_ERROR_NONE), "NONE") == 0 &&
	   strcmp(pgt_kafka_error_name(-1), "UNKNOWN_SERVER_ERROR") == 0 &&
	   strcmp(pgt_kafka_error_name(87), "INVALID_RECORD") == 0 &&
	   strcmp(pgt_kafka_error_name(136), "CONTROLLER_ID_NOT_REGISTERED") == 0, "a code is looked up to its name");
	ok(strcmp(pgt_kafka_error_name(137), "UNKNOWN_SERVER_ERROR") == 0 &&
	   strcmp(pgt_kafka_error_name(-2), "UNKNOWN_SERVER_ERROR") == 0, "an unknown code is an unknown error");
	ok(pgt_kafka_error_is_retriable(KAFKA_ERROR_REQUEST_TIMED_OUT) && !pgt_kafka_error_is_retriable(KAFKA_ERROR_INVALID_RECORD) &&
	   pgt_kafka_error_message(KAFKA_ERROR_GROUP_ID_NOT_FOUND)[0] == 'g', "an error knows whether to retry and what to say");
}

/* Whether the message cannot be encoded, because of that field. */
static bool
cannot_encode(KafkaStructId id, int version, const void *message, const char *field)
{
	KafkaWriter writer = {0};
	bool		encoded = pgt_kafka_encode_count(&writer, id, version, message);

	return !encoded && writer.problem != NULL &&
		(field == NULL ? writer.field == NULL : writer.field != NULL && strcmp(pgt_kafka_field_name(writer.field), field) == 0);
}

static void
test_unfit_values(void)
{
	KafkaWriter writer = {0};
	KafkaHeartbeatRequest heartbeat;
	KafkaFetchRequest fetch;
	KafkaTag	tag = {.tag = 9};
	static char longest[32768];

	pgt_kafka_default_struct(KAFKA_HEARTBEAT_REQUEST, &heartbeat);
	ok(pgt_kafka_encode_count(&writer, KAFKA_HEARTBEAT_REQUEST, 0, &heartbeat), "defaults fit an old version");
	heartbeat.group_instance_id = string_of("instance");
	ok(cannot_encode(KAFKA_HEARTBEAT_REQUEST, 0, &heartbeat, "groupInstanceId") &&
	   pgt_kafka_encode_count(&writer, KAFKA_HEARTBEAT_REQUEST, 3, &heartbeat),
	   "a value that an old version has no field for is a problem");
	heartbeat.group_id.length = -1;
	ok(cannot_encode(KAFKA_HEARTBEAT_REQUEST, 4, &heartbeat, "groupId"), "a null that may not be is a problem");
	heartbeat.group_id = (KafkaString) {longest, sizeof(longest)};
	ok(cannot_encode(KAFKA_HEARTBEAT_REQUEST, 3, &heartbeat, "groupId") &&
	   cannot_encode(KAFKA_HEARTBEAT_REQUEST, 4, &heartbeat, "groupId"), "a string over 32,767 bytes is a problem");
	heartbeat.group_id.length--;
	ok(pgt_kafka_encode_count(&writer, KAFKA_HEARTBEAT_REQUEST, 3, &heartbeat), "one of 32,767 bytes is none");
	heartbeat.unknown_tags = &tag;
	ok(cannot_encode(KAFKA_HEARTBEAT_REQUEST, 3, &heartbeat, NULL) &&
	   pgt_kafka_encode_count(&writer, KAFKA_HEARTBEAT_REQUEST, 4, &heartbeat), "tags need a flexible version");
	ok(cannot_encode(KAFKA_HEARTBEAT_REQUEST, 5, &heartbeat, NULL) && cannot_encode(KAFKA_HEARTBEAT_REQUEST, -1, &heartbeat, NULL),
	   "an unknown version is a problem");
	pgt_kafka_default_struct(KAFKA_FETCH_REQUEST, &fetch);
	fetch.replica_state.replica_id = 3;
	ok(cannot_encode(KAFKA_FETCH_REQUEST, 12, &fetch, "replicaState"), "a tagged value without a field is a problem");
	fetch.replica_state.replica_id = -1;
	fetch.rack_id = string_of("rack");
	ok(pgt_kafka_encode_count(&writer, KAFKA_FETCH_REQUEST, 4, &fetch), "what is ignorable is left out");
}

/* Decode hexadecimal digits; the arena is the caller's to free, the bytes stay. */
static void *
decode_hex(TestArena *arena, KafkaReader *reader, KafkaStructId id, int version, const char *hex)
{
	static Bytes bytes;

	free(bytes.data);
	bytes = bytes_from_hex(hex, 0);
	*reader = (KafkaReader) {.next = bytes.data, .end = bytes.data + bytes.length, .arena = &arena->arena};
	return pgt_kafka_decode(reader, id, version);
}

/* A Fetch request of version 12 or 15, in hexadecimal, until its tags. */
#define FETCH_15 "000001f4000000010010000000" "00000000" "ffffffff" "010101"
#define FETCH_12 "ffffffff" FETCH_15

static void
test_tags(void)
{
	TestArena	arena = TEST_ARENA;
	KafkaReader reader;
	KafkaFetchRequest *fetch;
	Bytes		bytes;

	ok(decode_hex(&arena, &reader, KAFKA_FETCH_REQUEST, 12, FETCH_12 "00") && reader.next == reader.end,
	   "a request without tags");
	ok(!decode_hex(&arena, &reader, KAFKA_FETCH_REQUEST, 12, FETCH_12 "01010d" "00000007" "0000000000000001" "00") &&
	   reader.field != NULL && strcmp(pgt_kafka_field_name(reader.field), "replicaState") == 0,
	   "a known tag is refused in versions before its own");
	fetch = decode_hex(&arena, &reader, KAFKA_FETCH_REQUEST, 15, FETCH_15 "01010d" "00000007" "0000000000000001" "00");
	ok(fetch != NULL && reader.next == reader.end && fetch->replica_state.replica_id == 7 &&
	   fetch->replica_state.replica_epoch == 1, "a known tag has its value");
	/* defaults, but with an unknown tag 9 in the structure */
	fetch = decode_hex(&arena, &reader, KAFKA_FETCH_REQUEST, 15, FETCH_15 "010110" "ffffffff" "ffffffffffffffff" "01090155");
	bytes = bytes_from_hex(FETCH_15 "010110" "ffffffff" "ffffffffffffffff" "01090155", 0);
	columns[0] = columns[1] = columns[2] = columns[3] = columns[4] = "unknown tag in a tagged structure";
	ok(fetch != NULL && check_bytes(KAFKA_FETCH_REQUEST, 15, fetch, bytes, "not the same"),
	   "a tagged structure that has nothing but an unknown tag is written");
	free(bytes.data);
	test_arena_free(&arena);
}

static void
test_lengths(void)
{
	TestArena	arena = TEST_ARENA;
	KafkaReader reader;
	KafkaMetadataRequest *metadata = decode_hex(&arena, &reader, KAFKA_METADATA_REQUEST, 4, "80000000" "01");
	KafkaFindCoordinatorRequest *find;
	Text		hex = {0};

	ok(metadata != NULL && metadata->topics.count == -1, "each negative count is a count of -1");
	test_arena_free(&arena);
	ok(!decode_hex(&arena, &reader, KAFKA_METADATA_REQUEST, 4, "000f423f" "000361626301") &&
	   arena.taken <= sizeof(KafkaMetadataRequest) + MAXIMUM_ALIGNOF,
	   "no memory is taken for 999,999 elements that are not there");
	/* version 3 has a compact string, of 32,767 or 32,768 bytes */
	for (int more = 0; more <= 1; more++)
	{
		text_format(&hex, more ? "818002" : "808002");
		for (int i = 0; i < 32767 + more; i++)
			text_add(&hex, "61", 2);
		text_format(&hex, "0000");
		find = decode_hex(&arena, &reader, KAFKA_FIND_COORDINATOR_REQUEST, 3, hex.data);
		ok(more ? find == NULL && reader.field != NULL : find != NULL && find->key.length == 32767,
		   more ? "a string of 32,768 bytes is refused" : "a string of 32,767 bytes is taken");
		hex.length = 0;
	}
	free(hex.data);
	test_arena_free(&arena);
}

static void
test_end_of_memory(void)
{
	/* Metadata version 0: 1,000 topics without a name */
	Bytes		bytes = {must_malloc(2004), 2004};
	TestArena	arena = TEST_ARENA;
	KafkaReader reader = {.next = bytes.data, .end = bytes.data + bytes.length, .arena = &arena.arena};
	bool		good = true;

	memset(bytes.data, 0, bytes.length);
	bytes.data[2] = 1000 >> 8;
	bytes.data[3] = (char) (1000 & 0xff);
	for (size_t limit = 8; good; limit += 16)
	{
		arena.limit = limit;
		reader.next = bytes.data;
		if (pgt_kafka_decode(&reader, KAFKA_METADATA_REQUEST, 0) != NULL)
			break;
		good = reader.problem == pgt_kafka_decode_no_memory;
		test_arena_free(&arena);
	}
	ok(good && arena.taken >= 1000 * sizeof(KafkaMetadataRequestTopic), "the end of memory is told apart from damage");
	test_arena_free(&arena);
	free(bytes.data);
}

/* Writers whose room is in pieces of one size, which stay where they are until they are joined. */
typedef struct PieceWriter
{
	KafkaWriter writer;
	size_t		size;
	struct
	{
		char	   *data;
		size_t		length;
	}			pieces[1000];
	int			count;
} PieceWriter;

/* Note how much of the last piece is used. */
static void
end_piece(PieceWriter *p)
{
	if (p->count > 0 && p->writer.next != NULL)
		p->pieces[p->count - 1].length = p->writer.next - p->pieces[p->count - 1].data;
	p->writer.next = p->writer.end = NULL;
}

static char *
new_piece(PieceWriter *p, size_t length)
{
	end_piece(p);
	if (p->count == lengthof(p->pieces))
		give_up("too many pieces", "");
	p->pieces[p->count].data = must_malloc(length);
	p->pieces[p->count].length = length;
	return p->pieces[p->count++].data;
}

static bool
grow_piece(KafkaWriter *writer, size_t needed)
{
	PieceWriter *p = (PieceWriter *) writer;
	size_t		length = Max(needed, p->size);

	writer->next = new_piece(p, length);
	writer->end = writer->next + length;
	return true;
}

static bool
splice_piece(KafkaWriter *writer, const KafkaRecords *records)
{
	memcpy(new_piece((PieceWriter *) writer, records->length), records->source, records->length);
	return true;
}

/* All bytes, which the caller frees, as it need not the pieces any more. */
static Text
join_pieces(PieceWriter *p)
{
	Text		all = {0};

	end_piece(p);
	for (int i = 0; i < p->count; i++)
	{
		text_add(&all, p->pieces[i].data, p->pieces[i].length);
		free(p->pieces[i].data);
	}
	return all;
}

/* A response to Fetch with two partitions, whose records are in memory or elsewhere. */
static KafkaFetchResponse *
fetch_response(KafkaArena *arena, bool elsewhere)
{
	static const char records[] = "these are the bytes of a batch, as far as a response knows";
	KafkaFetchResponse *response = pgt_kafka_arena_alloc(arena, sizeof(*response));
	KafkaFetchResponseFetchableTopicResponse *topic = pgt_kafka_default_array(arena, KAFKA_FETCH_RESPONSE_FETCHABLE_TOPIC_RESPONSE, 1);

	pgt_kafka_default_struct(KAFKA_FETCH_RESPONSE, response);
	response->responses.items = topic;
	response->responses.count = 1;
	topic->topic = string_of("orders");
	topic->partitions.items = pgt_kafka_default_array(arena, KAFKA_FETCH_RESPONSE_PARTITION_DATA, 2);
	topic->partitions.count = 2;
	for (int i = 0; i < 2; i++)
	{
		KafkaRecords *r = &topic->partitions.items[i].records;

		r->length = sizeof(records) - i;
		if (elsewhere)
			r->source = records;
		else
			r->data = records;
	}
	return response;
}

static void
test_pieces(void)
{
	TestArena	arena = TEST_ARENA;
	const KafkaApi *api = pgt_kafka_api(KAFKA_API_FETCH);
	KafkaFetchResponse *whole = fetch_response(&arena.arena, false);
	KafkaFetchResponse *spliced = fetch_response(&arena.arena, true);
	bool		good = true;

	for (int version = 4; version <= 18; version++)
	{
		PieceWriter one = {.writer = {.grow = grow_piece}, .size = 100000};
		Text		want;

		good &= pgt_kafka_frame_response(&one.writer, api, version, 7, whole);
		want = join_pieces(&one);
		for (int size = 1; size < 40; size++)
		{
			PieceWriter many = {.writer = {.grow = grow_piece, .splice = splice_piece}, .size = size};
			Text		got;

			good &= pgt_kafka_frame_response(&many.writer, api, version, 7, size % 2 ? whole : spliced);
			got = join_pieces(&many);
			good &= got.length == want.length && many.writer.size == want.length &&
				memcmp(got.data, want.data, want.length) == 0;
			free(got.data);
		}
		free(want.data);
	}
	ok(good, "room in pieces and records from elsewhere give the same bytes");
	test_arena_free(&arena);
}

static void
test_end_of_room(void)
{
	TestArena	arena = TEST_ARENA;
	const KafkaApi *api = pgt_kafka_api(KAFKA_API_FETCH);
	KafkaFetchResponse *response = fetch_response(&arena.arena, false);
	bool		good;
	size_t		size = 0;
	KafkaWriter writer = {0};
	PieceWriter alone = {.writer = {.grow = grow_piece}, .size = 100000};

	good = pgt_kafka_frame_response_size(&writer, api, 18, response, &size);
	for (size_t room = 0; room <= size; room++)
	{
		char	   *block = must_malloc(room);

		writer = (KafkaWriter) {.next = block, .end = block + room};
		good &= pgt_kafka_frame_response(&writer, api, 18, 7, response) == (room == size) &&
			(writer.problem == NULL) == (room == size);
		free(block);
	}
	ok(good, "a response that has too little room is not written");
	response = fetch_response(&arena.arena, true);
	ok(!pgt_kafka_frame_response(&alone.writer, api, 18, 7, response) && alone.writer.problem != NULL,
	   "records from elsewhere need someone who brings them");
	free(join_pieces(&alone).data);
	test_arena_free(&arena);
}

static void
test_tell_versions(void)
{
	TestArena	arena = TEST_ARENA;
	char		room[64];
	KafkaWriter writer = {.next = room, .end = room + sizeof(room)};
	static const char want[] = "\0\0\0\x10" "\0\0\0\7" "\0\x23" "\0\0\0\1" "\0\x12" "\0\0" "\0\5";

	ok(pgt_kafka_frame_tell_versions(&writer, &arena.arena, 7) && writer.size == sizeof(want) - 1 &&
	   memcmp(room, want, sizeof(want) - 1) == 0, "a client whose ApiVersions is unknown is told which are known");
	test_arena_free(&arena);
}

static void
test_frame_size(void)
{
	int32		size;

	ok(pgt_kafka_frame_size("\0\0\1\0", 256, &size) == NULL && size == 256 &&
	   pgt_kafka_frame_size("\0\0\1\1", 256, &size) != NULL, "a frame has at most as many bytes as the limit says");
	ok(pgt_kafka_frame_size("\xff\xff\xff\xff", PG_INT32_MAX, &size) != NULL &&
	   pgt_kafka_frame_size("\x80\0\0\0", PG_INT32_MAX, &size) != NULL, "a frame's size is not negative");
	ok(pgt_kafka_frame_size("\0\0\0\0", 256, &size) == NULL && size == 0, "an empty frame is one, with nothing in it");
}

/* The answer to a batch by some rules. */
static KafkaError
judge(Bytes bytes, const ProducerRules *rules)
{
	KafkaRecords records = {.data = bytes.data, .length = (int32) bytes.length};
	ProducerBatch batch;
	const char *problem;

	return pgt_producer_batch_check(&records, rules, NULL, &batch, &problem);
}

/* A good batch of three records, and the rules that refuse it. */
static void
test_rules(void)
{
	static const char hex[] =
		"000000000000000000000063ffffffff028b60c18b0000000000020000018bcfe568000000018bcfe5680affffffffffffffffffffff"
		"ffffff000000031e000000046b3104763102026804c3a92400020201187365636f6e642076616c7565001c001404046b330102086e6f6e6501";
	Bytes		bytes = bytes_from_hex(hex, 0);
	KafkaRecords records = {.data = bytes.data, .length = (int32) bytes.length};
	ProducerRules rules = kafka_rules;
	ProducerBatch batch;
	const char *problem;

	ok(pgt_producer_batch_check(&records, &rules, NULL, &batch, &problem) == KAFKA_ERROR_NONE && problem == NULL &&
	   batch.header.length == bytes.length && batch.header.producer_id == -1 &&
	   batch.min_timestamp == INT64CONST(1700000000000) && batch.max_timestamp == INT64CONST(1700000000010),
	   "a good batch, and what it is said to have");
	rules.walk_records = false;
	ok(pgt_producer_batch_check(&records, &rules, NULL, &batch, &problem) == KAFKA_ERROR_NONE &&
	   batch.min_timestamp == PG_INT64_MIN && batch.max_timestamp == INT64CONST(1700000000010),
	   "a good batch whose records are taken on trust");
	rules = kafka_rules;
	rules.max_length = batch.header.length - 1;
	ok(judge(bytes, &rules) == KAFKA_ERROR_MESSAGE_TOO_LARGE, "one that is too large");
	rules = kafka_rules;
	rules.require_keys = true;
	ok(judge(bytes, &rules) == KAFKA_ERROR_INVALID_RECORD, "one without a key that there must be");
	rules = kafka_rules;
	rules.max_timestamp = INT64CONST(1700000000009);
	ok(judge(bytes, &rules) == KAFKA_ERROR_INVALID_TIMESTAMP, "one that is too late");
	rules = kafka_rules;
	rules.min_timestamp = INT64CONST(1700000000001);
	ok(judge(bytes, &rules) == KAFKA_ERROR_INVALID_TIMESTAMP, "one that is too early");
	free(bytes.data);
}

int
main(int argc, char **argv)
{
	if (argc != 2)
		give_up("usage:", "kafka_test VECTORS");
	test_vectors(argv[1]);
	test_api_table();
	test_api_choice();
	test_memory_factor();
	test_names();
	test_errors();
	test_unfit_values();
	test_tags();
	test_lengths();
	test_end_of_memory();
	test_pieces();
	test_end_of_room();
	test_tell_versions();
	test_frame_size();
	test_rules();
	return tap_end();
}
