/*
 * fuzz_kafka.c
 *	  Hostile bytes for Kafka's protocol: messages of all versions, frames, producers' batches.
 *
 * What decodes is read as a handler would read it, all of it, and encoded again: that must
 * be possible, give as many bytes as were told, decode again, and be encoded to the same
 * bytes from then on.  The bytes need not be those that came: a varint may have been
 * longer than it need be, and a tagged field have its default.
 *
 * Each piece of a decoded message lies in a block of malloc() of exactly its size.
 */
#include "fuzz_kafka.h"

#include "kafka/kafka_decode.h"
#include "kafka/kafka_encode.h"
#include "kafka/kafka_frame.h"
#include "kafka/kafka_name.h"
#include "kafka/producer_batch.h"
#include "util/crc32c.h"

#define SCRATCH_MAX		(1024 * 1024)

/* A byte of a message makes so many of memory: kafka_decode.c says 24, an array that fails not included. */
#define MEMORY_FACTOR	(24 * 6)
#define MEMORY_MIN		4096

typedef struct Block
{
	struct Block *next;
} Block;

typedef struct FuzzArena
{
	KafkaArena	arena;
	Block	   *blocks;
	size_t		taken;
} FuzzArena;

static bool
arena_more(KafkaArena *arena, size_t needed)
{
	FuzzArena  *f = (FuzzArena *) arena;
	Block	   *block = malloc(MAXALIGN(sizeof(Block)) + needed);

	block->next = f->blocks;
	f->blocks = block;
	f->taken += needed;
	arena->next = (char *) block + MAXALIGN(sizeof(Block));
	arena->end = arena->next + needed;
	return true;
}

static void
arena_free(FuzzArena *f)
{
	while (f->blocks != NULL)
	{
		Block	   *next = f->blocks->next;

		free(f->blocks);
		f->blocks = next;
	}
}

#define FUZZ_ARENA {.arena = {.more = arena_more}}

/* ---- reading a message ------------------------------------------------------ */

static void use_struct(const KafkaStruct *structure, const char *in);

static void
use_value(const KafkaField *field, const char *in)
{
	switch ((KafkaType) field->type)
	{
		case KAFKA_TYPE_STRING:
			touch(((const KafkaString *) in)->data, ((const KafkaString *) in)->length);
			pgt_kafka_name_topic_problem(*(const KafkaString *) in);
			pgt_kafka_name_is_software(*(const KafkaString *) in);
			break;
		case KAFKA_TYPE_BYTES:
			touch(((const KafkaBytes *) in)->data, ((const KafkaBytes *) in)->length);
			break;
		case KAFKA_TYPE_RECORDS:
			touch(((const KafkaRecords *) in)->data, ((const KafkaRecords *) in)->length);
			break;
		case KAFKA_TYPE_STRUCT:
			if (field->flags & KAFKA_FIELD_POINTER)
				in = *(const char *const *) in;
			if (in != NULL)
				use_struct(&pgt_kafka_structs[field->structure], in);
			break;
		default:
			touch(in, (int32) pgt_kafka_field_size(field));
			break;
	}
}

static void
use_field(const KafkaField *field, const char *in)
{
	const KafkaArray *array = (const KafkaArray *) in;

	if (!(field->flags & KAFKA_FIELD_ARRAY))
		use_value(field, in);
	else
	{
		for (int32 i = 0; i < array->count; i++)
			use_value(field, (const char *) array->items + i * pgt_kafka_field_size(field));
	}
}

static void
use_struct(const KafkaStruct *structure, const char *in)
{
	const KafkaField *field = &pgt_kafka_fields[structure->first_field];

	for (int i = 0; i < structure->plain_count + structure->tagged_count; i++)
		use_field(&field[i], in + field[i].offset);
	for (const KafkaTag *tag = *(const KafkaTag *const *) in; tag != NULL; tag = tag->next)
		touch(tag->data, tag->length);
}

/* ---- messages --------------------------------------------------------------- */

/* Encode, into a block of the size that is told; the caller frees it. */
static char *
encode(KafkaStructId id, int version, const void *message, size_t *length)
{
	KafkaWriter writer = {0};
	char	   *room;

	must(pgt_kafka_encode_count(&writer, id, version, message), "what was decoded can be encoded");
	*length = writer.size;
	room = malloc(*length);
	writer = (KafkaWriter) {.next = room, .end = room + *length};
	must(pgt_kafka_encode(&writer, id, version, message), "there is as much room as was told");
	must(writer.next == writer.end && writer.size == *length, "no more and no less is written than was told");
	return room;
}

/* Decode bytes that we have encoded, and encode them again. */
static void
check_again(KafkaStructId id, int version, const char *bytes, size_t length)
{
	FuzzArena	arena = FUZZ_ARENA;
	KafkaReader reader = {.next = bytes, .end = bytes + length, .arena = &arena.arena};
	void	   *message = pgt_kafka_decode(&reader, id, version);
	size_t		again_length;
	char	   *again;

	must(message != NULL && reader.next == reader.end, "what was encoded can be decoded");
	again = encode(id, version, message, &again_length);
	must(again_length == length && memcmp(again, bytes, length) == 0, "encoding is stable");
	free(again);
	arena_free(&arena);
}

static void
check_message(KafkaStructId id, int version, const void *message)
{
	size_t		length;
	char	   *bytes;

	use_struct(&pgt_kafka_structs[id], message);
	bytes = encode(id, version, message, &length);
	check_again(id, version, bytes, length);
	free(bytes);
}

void
fuzz_kafka_message(char *bytes, size_t length, bool repair)
{
	FuzzArena	arena = FUZZ_ARENA;
	KafkaReader reader = {.arena = &arena.arena};
	void	   *message;
	int			id;
	int			version;

	if (length < 2)
		return;
	id = (uint8) bytes[0] % (KAFKA_LAST_MESSAGE + 1);
	version = pgt_kafka_messages[id].first +
		(uint8) bytes[1] % (pgt_kafka_messages[id].last - pgt_kafka_messages[id].first + 1);
	reader.next = bytes + 2;
	reader.end = bytes + length;
	message = pgt_kafka_decode(&reader, id, version);
	must((message == NULL) == (reader.problem != NULL), "there is a message or a problem");
	must(reader.next >= bytes && reader.next <= reader.end, "a reader stays within its bytes");
	must(arena.taken <= length * MEMORY_FACTOR + MEMORY_MIN, "memory is a small multiple of the bytes");
	if (message != NULL)
		check_message(id, version, message);
	arena_free(&arena);
}

void
fuzz_kafka_frame(char *bytes, size_t length, bool repair)
{
	FuzzArena	arena = FUZZ_ARENA;
	KafkaRequest request;
	KafkaVerdict verdict = pgt_kafka_request_decode(&request, &arena.arena, bytes, length);

	must(verdict != KAFKA_VERDICT_NO_MEMORY, "memory is there");
	must((verdict == KAFKA_VERDICT_SERVE) == (request.body != NULL), "a request that is served has a body");
	must((verdict == KAFKA_VERDICT_CLOSE) == (request.problem != NULL), "a request that is refused has a problem");
	if (request.header != NULL)
		check_message(KAFKA_REQUEST_HEADER, pgt_kafka_api_request_header(request.api, request.version),
					  request.header);
	if (request.body != NULL)
		check_message(request.api->request, request.version, request.body);
	arena_free(&arena);
}

/* ---- producers' batches ----------------------------------------------------- */

static bool
scratch_grow(ProducerScratch *scratch, size_t needed)
{
	if (needed > SCRATCH_MAX)
		return false;
	free(scratch->data);
	scratch->data = malloc(needed);
	scratch->size = needed;
	return true;
}

/* Make a batch's checksum good. */
static void
repair_crc(char *bytes, size_t length)
{
	RecordBatchHeader header;
	uint32		crc;

	if (length < RECORD_BATCH_HEADER_SIZE)
		return;
	/* of a header that has a problem, the length counts here */
	header.length = 0;
	pgt_record_batch_read_header(bytes, length, &header);
	if (header.length < RECORD_BATCH_HEADER_SIZE || header.length > length)
		return;
	crc = pgt_crc32c(bytes + 21, header.length - 21);
	for (int i = 0; i < 4; i++)
		bytes[17 + i] = (char) (crc >> (24 - 8 * i));
}

void
fuzz_kafka_batch(char *bytes, size_t length, bool repair)
{
	static const ProducerRules rules = {
		.max_length = PG_INT32_MAX, .min_timestamp = PG_INT64_MIN, .max_timestamp = PG_INT64_MAX,
		.allow_zstd = true, .walk_records = true
	};
	ProducerScratch scratch = {.grow = scratch_grow};
	KafkaRecords records = {.data = bytes, .length = (int32) length};
	ProducerBatch batch;
	const char *problem;
	KafkaError	error;

	if (repair)
		repair_crc(bytes, length);
	error = pgt_producer_batch_check(&records, &rules, &scratch, &batch, &problem);
	must((error == KAFKA_ERROR_NONE) == (problem == NULL), "there is a batch or a problem");
	if (error == KAFKA_ERROR_NONE)
	{
		must(batch.header.length <= length, "a batch is within its bytes");
		must(batch.header.record_count > 0 && batch.header.record_count == batch.header.last_offset_delta + 1,
			 "a good batch has all its offsets");
		must(batch.min_timestamp <= batch.max_timestamp, "timestamps have an order");
	}
	free(scratch.data);
}
