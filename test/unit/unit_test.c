/*
 * unit_test.c
 *	  Tests of layer 0 (record_batch.c, compression.c, fnv1a.c, key_placement.c,
 *	  key_shape.c, murmur2.c, segment_index.c) and of ascii.h without a server.
 *
 * "make unit" builds and runs it.  Output is TAP, the exit code 1 on a
 * failure.  Four kinds of tests:
 *
 *	  - vectors: hashes, CRCs, varints and whole batches as Kafka writes them,
 *		compressed and not, the same bytes that test/kafka_decode.py gives to a stock client;
 *	  - round trips of what the vectors leave out;
 *	  - named damage: one crafted fault each, and the problem it must give;
 *	  - mass damage: every truncation, every bit flip, garbage of a fixed seed.
 *
 * Whatever is decoded lies in a block of malloc() of exactly its size, so
 * that valgrind or AddressSanitizer sees a read past the end:
 *
 *		valgrind --error-exitcode=2 test/unit/unit_test
 */
#include "postgres.h"

#include "assertion.h"
#include "random_numbers.h"
#include "tap.h"
#include "access/xlog.h"
#include "port/pg_bswap.h"
#include "port/pg_crc32c.h"

#include "batch_vectors.h"
#include "format/compression.h"
#include "format/fnv1a.h"
#include "format/key_placement.h"
#include "format/murmur2.h"
#include "format/record_batch.h"
#include "format/segment_index.h"
#include "util/ascii.h"

#define MAX_RECORDS		4

/* Called by segment_index.c; the server is not there to ask. */
uint64
GetSystemIdentifier(void)
{
	return 1;
}

/* Report one test, and on a failure the two strings that should be the same. */
static void
is_string(const char *got, const char *want, const char *name)
{
	bool		same = (got == NULL || want == NULL) ? got == want : strcmp(got, want) == 0;

	ok(same, name);
	if (!same)
		printf("#   got: %s\n#  want: %s\n", got ? got : "(null)", want ? want : "(null)");
}

/* ----------
 * Helpers
 * ----------
 */

/* Bytes in a block of exactly their size; the caller frees it. */
typedef struct Bytes
{
	char	   *data;
	size_t		length;
} Bytes;

static Bytes
bytes_copy(const char *data, size_t length)
{
	Bytes		b = {malloc(length), length};

	if (length > 0)
		memcpy(b.data, data, length);
	return b;
}

static Bytes
bytes_from_hex(const char *hex)
{
	Bytes		b = {malloc(strlen(hex) / 2), strlen(hex) / 2};

	for (size_t i = 0; i < b.length; i++)
	{
		char		digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

		b.data[i] = (char) strtol(digits, NULL, 16);
	}
	return b;
}

static bool
bytes_equal(Bytes a, Bytes b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

/* Overwrite some bytes by random or by extreme ones. */
static void
mutate(Bytes b)
{
	static const char extremes[] = {0x00, 0x01, 0x02, 0x7e, 0x7f, (char) 0x80, (char) 0xff, 0x0f};
	int			times = 1 + (int) (random_bits() % 4);

	while (times-- > 0)
	{
		size_t		at = random_bits() % b.length;
		int			run = 1 + (int) (random_bits() % 5);
		char		fill = extremes[random_bits() % lengthof(extremes)];

		if (random_bits() % 2)
			b.data[at] = (char) random_bits();
		else
			for (; run > 0 && at < b.length; run--, at++)
				b.data[at] = fill;
	}
}

/* A record of C strings, NULL meaning null, without headers. */
static Record
make_record(int64 offset, int64 timestamp, const char *key, const char *value)
{
	Record		r = {0};

	r.offset = offset;
	r.timestamp = timestamp;
	r.key = key;
	r.key_length = key ? (int32) strlen(key) : -1;
	r.value = value;
	r.value_length = value ? (int32) strlen(value) : -1;
	return r;
}

static bool
same_field(const char *a, int32 a_length, const char *b, int32 b_length)
{
	return a_length == b_length && (a_length <= 0 || memcmp(a, b, a_length) == 0);
}

static bool
same_record(const Record *a, const Record *b)
{
	return a->offset == b->offset && a->timestamp == b->timestamp &&
		a->header_count == b->header_count &&
		same_field(a->key, a->key_length, b->key, b->key_length) &&
		same_field(a->value, a->value_length, b->value, b->value_length) &&
		same_field(a->headers, a->headers_length, b->headers, b->headers_length);
}

/*
 * A sealed batch of the records.  Timestamps count from the first record's,
 * and each record is encoded into a block of the promised size.
 */
static Bytes
build_batch(RecordBatchHeader *header, const Record *records, int count)
{
	Bytes		b = {malloc(RECORD_BATCH_HEADER_SIZE), RECORD_BATCH_HEADER_SIZE};

	header->base_timestamp = header->max_timestamp = count > 0 ? records[0].timestamp : 0;
	header->record_count = count;
	pgt_record_batch_set_no_producer(header);
	for (int i = 0; i < count; i++)
	{
		char	   *block = malloc(pgt_record_size(&records[i]));
		char	   *end = pgt_record_encode(block, &records[i],
											records[i].timestamp - header->base_timestamp,
											(int32) (records[i].offset - header->base_offset));

		b.data = realloc(b.data, b.length + (end - block));
		memcpy(b.data + b.length, block, end - block);
		b.length += end - block;
		free(block);
		header->max_timestamp = Max(header->max_timestamp, records[i].timestamp);
	}
	header->length = (int32) b.length;
	pgt_record_batch_seal(b.data, header);
	return b;
}

/* Does a field lie within the bytes it was decoded from? */
static bool
inside(const char *field, int32 length, Bytes bytes)
{
	return length == -1 ||
		(length >= 0 && field >= bytes.data && field + length <= bytes.data + bytes.length);
}

/* Split all headers of a record off; true where that is just what there is. */
static bool
headers_are_sound(const Record *record, Bytes bytes)
{
	const char *next = record->headers;
	const char *end = record->headers + record->headers_length;
	RecordHeader header;

	for (int32 i = 0; i < record->header_count; i++)
	{
		if (!pgt_record_header_decode(&next, end, &header) ||
			!inside(header.key, header.key_length, bytes) ||
			!inside(header.value, header.value_length, bytes))
			return false;
	}
	return next == end;
}

/*
 * Walk the records.  Returns NULL or the problem; up to MAX_RECORDS records go
 * to out.  A record that comes back in spite of being unsound is a failure of
 * its own kind.
 */
static const char *
walk_records(const RecordBatchHeader *header, Bytes bytes, Record *out, int *count)
{
	RecordIterator it;
	Record		record;
	int64		last = header->base_offset - 1;

	*count = 0;
	pgt_record_iterator_init(&it, header, bytes.data, bytes.length);
	while (pgt_record_iterator_next(&it, &record))
	{
		if (!inside(record.key, record.key_length, bytes) ||
			!inside(record.value, record.value_length, bytes) ||
			!headers_are_sound(&record, bytes))
			return "UNSOUND: a field is outside the bytes";
		if (record.offset <= last || record.offset > header->base_offset + header->last_offset_delta)
			return "UNSOUND: an offset is out of order";
		last = record.offset;
		if (*count < MAX_RECORDS)
			out[*count] = record;
		(*count)++;
	}
	if (it.problem == NULL && *count != header->record_count)
		return "UNSOUND: the walk ended early";
	if (pgt_record_iterator_next(&it, &record))
		return "UNSOUND: the walk went on after its end";
	return it.problem;
}

static bool
is_unsound(const char *problem)
{
	return problem && strncmp(problem, "UNSOUND", 7) == 0;
}

/* Decode a whole uncompressed batch, as a reader of the log does. */
static const char *
walk_batch(Bytes batch, bool check_crc, RecordBatchHeader *header, Record *out, int *count)
{
	const char *problem = pgt_record_batch_read_header(batch.data, batch.length, header);
	Bytes		records;
	const char *start;

	*count = 0;
	if (problem)
		return problem;
	if (header->length > batch.length)
		return "batch is cut off";
	if (check_crc && (problem = pgt_record_batch_check_crc(batch.data, header)) != NULL)
		return problem;
	start = batch.data + RECORD_BATCH_HEADER_SIZE;
	records.data = unconstify(char *, start);
	records.length = header->length - RECORD_BATCH_HEADER_SIZE;
	return walk_records(header, records, out, count);
}

/* ----------
 * Vectors
 * ----------
 */

static uint32
crc32c(const char *data, size_t length)
{
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, data, length);
	FIN_CRC32C(crc);
	return crc;
}

static void
test_crc_vectors(void)
{
	char		zeros[32] = {0};

	ok(crc32c("123456789", 9) == 0xe3069283U, "crc32c: 123456789");
	ok(crc32c(zeros, 32) == 0x8a9136aaU, "crc32c: 32 zero bytes");
}

static void
test_varint_vectors(void)
{
	static const struct
	{
		int32		value;
		const char *hex;
	}			vectors[] = {
		{0, "00"}, {-1, "01"}, {1, "02"}, {63, "7e"}, {-64, "7f"}, {64, "8001"},
		{8191, "fe7f"}, {8192, "808001"},
		{PG_INT32_MAX, "feffffff0f"}, {PG_INT32_MIN, "ffffffff0f"}
	};

	for (int i = 0; i < lengthof(vectors); i++)
	{
		Bytes		want = bytes_from_hex(vectors[i].hex);
		char		buffer[5];
		Bytes		got = {buffer, 0};
		const char *next = want.data;
		int32		value = 12345;
		char		name[64];
		bool		good;

		got.length = pgt_record_encode_varint(buffer, vectors[i].value) - buffer;
		good = bytes_equal(got, want) &&
			pgt_record_decode_varint(&next, want.data + want.length, &value) &&
			value == vectors[i].value && next == want.data + want.length;
		snprintf(name, sizeof(name), "varint: %d is %s", vectors[i].value, vectors[i].hex);
		ok(good, name);
		free(want.data);
	}
}

/* Encode, decode, and decode each truncation, from exact blocks. */
static bool
varlong_round_trip(int64 value)
{
	char		buffer[10];
	size_t		length = pgt_record_encode_varlong(buffer, value) - buffer;
	bool		good = true;

	for (size_t cut = 0; cut <= length; cut++)
	{
		Bytes		b = bytes_copy(buffer, cut);
		const char *next = b.data;
		int64		got = ~value;
		bool		decoded = pgt_record_decode_varlong(&next, b.data + b.length, &got);

		good &= decoded == (cut == length);
		good &= decoded ? (got == value && next == b.data + cut) : next == b.data;
		free(b.data);
	}
	return good;
}

static bool
varint_round_trip(int32 value)
{
	char		buffer[5];
	size_t		length = pgt_record_encode_varint(buffer, value) - buffer;
	bool		good = true;

	for (size_t cut = 0; cut <= length; cut++)
	{
		Bytes		b = bytes_copy(buffer, cut);
		const char *next = b.data;
		int32		got = ~value;
		bool		decoded = pgt_record_decode_varint(&next, b.data + b.length, &got);

		good &= decoded == (cut == length);
		good &= decoded ? (got == value && next == b.data + cut) : next == b.data;
		free(b.data);
	}
	return good;
}

static void
test_varint_round_trips(void)
{
	bool		good32 = true;
	bool		good64 = true;

	for (int bit = 0; bit < 64; bit++)
	{
		for (int64 near = -1; near <= 1; near++)
		{
			int64		value = (int64) ((UINT64CONST(1) << bit) + (uint64) near);

			good64 &= varlong_round_trip(value) && varlong_round_trip(~value);
			good32 &= varint_round_trip((int32) value) && varint_round_trip((int32) ~value);
		}
	}
	ok(good32, "varint: around each power of two, and cut off");
	ok(good64, "varlong: around each power of two, and cut off");
}

static void
test_varint_too_large(void)
{
	static const struct
	{
		const char *hex;
		bool		fits32;
		bool		fits64;
	}			vectors[] = {
		{"ffffffff1f", false, true},	/* 33 bits */
		{"808080808000", false, true},	/* six bytes */
		{"8080808000", true, true}, /* a long zero */
		{"ffffffffffffffffff01", false, true},	/* 64 bits */
		{"ffffffffffffffffff02", false, false}, /* 65 bits */
		{"8080808080808080808000", false, false}	/* eleven bytes */
	};
	bool		good = true;

	for (int i = 0; i < lengthof(vectors); i++)
	{
		Bytes		b = bytes_from_hex(vectors[i].hex);
		const char *next32 = b.data;
		const char *next64 = b.data;
		int32		value32;
		int64		value64;

		good &= pgt_record_decode_varint(&next32, b.data + b.length, &value32) == vectors[i].fits32;
		good &= pgt_record_decode_varlong(&next64, b.data + b.length, &value64) == vectors[i].fits64;
		free(b.data);
	}
	ok(good, "varint: numbers too large for the type are refused");
}

static void
test_murmur2_vectors(void)
{
	static const struct
	{
		const char *key;
		int32		hash;
	}			vectors[] = {
		{"21", -973932308}, {"foobar", -790332482},
		{"a-little-bit-long-string", -985981536},
		{"a-little-bit-longer-string", -1486304829},
		{"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
		{"abc", 479470107}, {"", 275646681}, {"a", -1563381124},
		{"key", -1079937367}, {"123447777", 1317509454}
	};

	for (int i = 0; i < lengthof(vectors); i++)
	{
		Bytes		key = bytes_copy(vectors[i].key, strlen(vectors[i].key));
		char		name[128];

		snprintf(name, sizeof(name), "murmur2: \"%s\"", vectors[i].key);
		ok(pgt_murmur2(key.data, key.length) == vectors[i].hash, name);
		free(key.data);
	}
}

static void
test_murmur2_partitions(void)
{
	static const char *const keys[] = {"123447777", "abc", "key", "foobar", ""};
	static const int32 counts[] = {3, 6, 12};
	static const int32 want[3][5] = {{0, 0, 1, 0, 0}, {0, 3, 1, 0, 3}, {6, 3, 1, 6, 9}};

	for (int n = 0; n < lengthof(counts); n++)
	{
		bool		good = true;
		char		name[64];

		for (int k = 0; k < lengthof(keys); k++)
			good &= pgt_murmur2_partition(keys[k], strlen(keys[k]), counts[n]) == want[n][k];
		snprintf(name, sizeof(name), "murmur2: partitions of %d", counts[n]);
		ok(good, name);
	}
}

/* Which bytes are those that the server writes for a value. */
static void
test_key_shapes(void)
{
	static const struct
	{
		KeyShape	shape;
		const char *canonical[4];
		const char *others[8];
	}			shapes[] = {
		{{KEY_SHAPE_EXACT}, {"", "a", " a "}, {NULL}},
		{{KEY_SHAPE_NONE}, {NULL}, {"", "a"}},
		{{KEY_SHAPE_LIMITED, 3}, {"", "abc", "a  "}, {"abcd", "ab  "}},
		{{KEY_SHAPE_INTEGER}, {"0", "7", "-70", "12345678901234567890"},
		{"", "-", "-0", "007", " 7", "7 ", "+7", "0x7"}},
		{{KEY_SHAPE_INTEGER}, {NULL}, {"7a", "1_000", "--7", "-07"}},
		{{KEY_SHAPE_UUID}, {"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
		{"", "A0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc999c0b4ef8bb6d6bb9bd380a11",
			"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g",
		"a0eebc9999c0b-4ef8-bb6d-6bb9bd380a11"}},
	};
	bool		good = true;

	for (int i = 0; i < lengthof(shapes); i++)
	{
		for (int k = 0; k < lengthof(shapes[i].canonical) && shapes[i].canonical[k] != NULL; k++)
			good &= pgt_key_shape_is_canonical(shapes[i].shape, shapes[i].canonical[k],
											   strlen(shapes[i].canonical[k]));
		for (int k = 0; k < lengthof(shapes[i].others) && shapes[i].others[k] != NULL; k++)
			good &= !pgt_key_shape_is_canonical(shapes[i].shape, shapes[i].others[k],
												strlen(shapes[i].others[k]));
	}
	ok(good, "key shapes: bytes as the server writes them are told from others");
}

static void
test_key_placement(void)
{
	KeyPlacement placement = {PLACED_BY_MURMUR2, 6, {KEY_SHAPE_INTEGER}};

	ok(pgt_placement_rule_of("") == PLACED_BY_MURMUR2 &&
	   pgt_placement_rule_of("fnv1a_random") == PLACED_BY_FNV1A &&
	   pgt_placement_rule_of("sticky") == PLACED_ANYWHERE &&
	   pgt_placement_rule_of("public.f") == PLACED_ANYWHERE, "placement: the rules of partitioners");
	ok(pgt_placement_rule_apply(PLACED_BY_MURMUR2, 12, "foobar", 6) == 6 &&
	   pgt_placement_rule_apply(PLACED_BY_CRC32, 17, "23456", 5) == 0xb1b451d7 % 17 &&
	   pgt_placement_rule_apply(PLACED_BY_CRC32, 17, "", 0) == 0 &&
	   pgt_placement_rule_apply(PLACED_BY_CRC32_OR_EMPTY, 17, "", 0) == NO_PLACEMENT &&
	   pgt_placement_rule_apply(PLACED_BY_FNV1A, 17, "hejsan", 6) == 0x17b1e27a % 17 &&
	   pgt_placement_rule_apply(PLACED_ANYWHERE, 17, "hejsan", 6) == NO_PLACEMENT,
	   "placement: the partitions of keys");
	ok(pgt_key_placement_allows(&placement, pgt_murmur2_partition("7", 1, 6), "7", 1) &&
	   !pgt_key_placement_allows(&placement, (pgt_murmur2_partition("7", 1, 6) + 1) % 6, "7", 1) &&
	   !pgt_key_placement_allows(&placement, pgt_murmur2_partition("07", 2, 6), "07", 2),
	   "placement: a record belongs where its key does, and its key is canonical");
}

/* Sarama's hashes, signs taken off; the last key's is the one that has no counterpart. */
static void
test_fnv1a_vectors(void)
{
	static const struct
	{
		const char *key;
		uint32		hash;
	}			vectors[] = {
		{"kafka", 0x0d33c4e1}, {"giberish123456789", 0x77a58295},
		{"1234", 0x023bdd03}, {"234", 0x2dea3cd2}, {"34", 0x740fa83e},
		{"4", 0x310ca263}, {"", 0x7ee3623b}, {"23456", 0x27e6f469},
		{"hejsan", 0x17b1e27a}, {"rdklaij", 0x80000000}
	};

	for (int i = 0; i < lengthof(vectors); i++)
	{
		Bytes		key = bytes_copy(vectors[i].key, strlen(vectors[i].key));
		char		name[128];

		snprintf(name, sizeof(name), "fnv1a: \"%s\"", vectors[i].key);
		ok(pgt_fnv1a(key.data, key.length) == vectors[i].hash, name);
		free(key.data);
	}
	ok(pgt_fnv1a_partition("rdklaij", strlen("rdklaij"), 7) == 0x80000000U % 7,
	   "fnv1a: the partition of the smallest integer");
	ok(pgt_fnv1a_partition("hejsan", 6, 17) == 0x17b1e27a % 17, "fnv1a: a partition of 17");
}

/* ----------
 * Compression
 * ----------
 */

static void
test_compression_names(void)
{
	static const char *const names[] = {"none", "gzip", "snappy", "lz4", "zstd"};
	bool		good = true;

	for (int type = 0; type < COMPRESSION_TYPE_COUNT; type++)
		good &= pgt_compression_by_name(names[type]) == type &&
			strcmp(pgt_compression_name(type), names[type]) == 0;
	ok(good, "compression: codecs have Kafka's names and numbers");
	ok(pgt_compression_by_name("uncompressed") == COMPRESSION_NONE, "compression: uncompressed is none");
	ok(pgt_compression_by_name("") == -1 && pgt_compression_by_name("producer") == -1 && pgt_compression_by_name("lzma") == -1 &&
	   pgt_compression_name(-1) == NULL && pgt_compression_name(COMPRESSION_TYPE_COUNT) == NULL,
	   "compression: unknown names and numbers are refused");
}

static void
test_compression_none(void)
{
	Bytes		src = bytes_copy("records", 7);
	Bytes		dst = bytes_copy("-------", 7);
	size_t		out = 99;

	ok(pgt_compress_bound(COMPRESSION_NONE, 7) == 7 &&
	   pgt_compress(COMPRESSION_NONE, 0, src.data, 7, dst.data, 7, &out) == NULL &&
	   out == 7 && bytes_equal(src, dst), "compression: none copies");
	memset(dst.data, '-', 7);
	ok(pgt_decompress(COMPRESSION_NONE, src.data, 7, dst.data, 7, &out) == NULL &&
	   out == 7 && bytes_equal(src, dst), "compression: none copies back");
	ok(pgt_compress(COMPRESSION_NONE, 0, NULL, 0, NULL, 0, &out) == NULL && out == 0 &&
	   pgt_decompress(COMPRESSION_NONE, NULL, 0, NULL, 0, &out) == NULL && out == 0,
	   "compression: none takes no bytes");
	ok(pgt_decompress(COMPRESSION_NONE, src.data, 7, dst.data, 6, &out) == pgt_decompress_overflow,
	   "compression: a buffer too small is told apart");
	is_string(pgt_compress(COMPRESSION_NONE, 0, src.data, 7, dst.data, 6, &out),
			  "compressed records do not fit the buffer",
			  "compression: nothing is written past the buffer");
	free(src.data);
	free(dst.data);
}

static const int real_codecs[] = {
	COMPRESSION_GZIP, COMPRESSION_SNAPPY, COMPRESSION_LZ4, COMPRESSION_ZSTD
};

/* Kinds of records that compress very well, as text does, and not at all. */
typedef enum Filling
{
	FILLED_ZEROS,
	FILLED_TEXT,
	FILLED_NOISE
} Filling;

static Bytes
bytes_filled(Filling filling, size_t length)
{
	static const char text[] = "{\"time\": \"2025-06-24T14:36:25\", \"action\": \"status\", \"package\": ";
	Bytes		b = {malloc(length), length};

	for (size_t i = 0; i < length; i++)
	{
		if (filling == FILLED_ZEROS)
			b.data[i] = 0;
		else if (filling == FILLED_NOISE || i % 97 == 0)
			b.data[i] = (char) random_bits();
		else
			b.data[i] = text[i % (sizeof(text) - 1)];
	}
	return b;
}

/* Compressed, in a block of exactly its size; data NULL where that fails. */
static Bytes
bytes_compressed(int codec, int level, Bytes src)
{
	size_t		bound = pgt_compress_bound(codec, src.length);
	char	   *dst = malloc(bound);
	size_t		length = 0;
	Bytes		b = {NULL, 0};

	if (pgt_compress(codec, level, src.data, src.length, dst, bound, &length) == NULL &&
		length <= bound)
		b = bytes_copy(dst, length);
	free(dst);
	return b;
}

/* Decompress into a block of that size; true where it gives just these bytes. */
static bool
decompresses_to(int codec, Bytes compressed, size_t capacity, Bytes want)
{
	char	   *dst = malloc(capacity);
	size_t		length = 0;
	bool		good = pgt_decompress(codec, compressed.data, compressed.length,
									  dst, capacity, &length) == NULL &&
		length == want.length && (length == 0 || memcmp(dst, want.data, length) == 0);

	free(dst);
	return good;
}

/* Through a codec and back, into room that just does, is ample, and is one byte short. */
static bool
codec_round_trip(int codec, int level, Bytes src)
{
	Bytes		compressed = bytes_compressed(codec, level, src);
	bool		good = compressed.data != NULL &&
		decompresses_to(codec, compressed, src.length, src) &&
		decompresses_to(codec, compressed, src.length * 2 + 100, src);

	if (src.length > 0 && good)
	{
		char	   *dst = malloc(src.length);
		size_t		length = 99;

		for (int part = 0; part < 3; part++)
		{
			size_t		capacity = part == 0 ? 0 : part == 1 ? src.length / 2 : src.length - 1;

			good &= pgt_decompress(codec, compressed.data, compressed.length,
								   dst, capacity, &length) == pgt_decompress_overflow &&
				length == 99;
		}
		free(dst);
	}
	free(compressed.data);
	return good;
}

static void
test_codec_round_trips(void)
{
	static const size_t lengths[] = {
		0, 1, 2, 15, 16, 100, 4096, 32767, 32768, 32769, 65535, 65536, 65537, 100000, 1024 * 1024
	};

	for (int c = 0; c < lengthof(real_codecs); c++)
	{
		for (Filling filling = FILLED_ZEROS; filling <= FILLED_NOISE; filling++)
		{
			static const char *const fillings[] = {"zeros", "text", "noise"};
			bool		good = true;
			char		name[80];

			for (int i = 0; i < lengthof(lengths); i++)
			{
				Bytes		src = bytes_filled(filling, lengths[i]);

				good &= codec_round_trip(real_codecs[c], 0, src);
				free(src.data);
			}
			snprintf(name, sizeof(name), "compression: %s takes %s of any length there and back",
					 pgt_compression_name(real_codecs[c]), fillings[filling]);
			ok(good, name);
		}
	}
}

/* Each level gives the same back, and the highest no more bytes than the lowest. */
static void
test_codec_levels(void)
{
	static const struct
	{
		int			codec;
		int			levels[8];
	}			cases[] = {
		{COMPRESSION_GZIP, {1, -1, 6, 9}},
		{COMPRESSION_LZ4, {1, 3, 9, 12, 17}},
		{COMPRESSION_ZSTD, {-131072, -5, 1, 3, 9, 22}}
	};
	Bytes		src = bytes_filled(FILLED_TEXT, 200000);

	for (int c = 0; c < lengthof(cases); c++)
	{
		size_t		first = 0;
		size_t		last = 0;
		bool		good = true;
		char		name[80];

		for (int i = 0; i < 8 && cases[c].levels[i] != 0; i++)
		{
			Bytes		compressed = bytes_compressed(cases[c].codec, cases[c].levels[i], src);

			good &= codec_round_trip(cases[c].codec, cases[c].levels[i], src);
			last = compressed.length;
			if (i == 0)
				first = last;
			free(compressed.data);
		}
		snprintf(name, sizeof(name), "compression: %s has levels", pgt_compression_name(cases[c].codec));
		ok(good && last < first, name);
	}
	free(src.data);
}

/* What is written begins as Kafka's Java client has it. */
static void
test_codec_framing(void)
{
	static const char *const begins[COMPRESSION_TYPE_COUNT] = {
		[COMPRESSION_GZIP] = "1f8b08",
		[COMPRESSION_SNAPPY] = "82534e41505059000000000100000001",
		[COMPRESSION_LZ4] = "04224d186040",
		[COMPRESSION_ZSTD] = "28b52ffd"
	};
	Bytes		src = bytes_filled(FILLED_TEXT, 100000);

	for (int c = 0; c < lengthof(real_codecs); c++)
	{
		Bytes		want = bytes_from_hex(begins[real_codecs[c]]);
		Bytes		compressed = bytes_compressed(real_codecs[c], 0, src);
		char		name[80];

		snprintf(name, sizeof(name), "compression: %s begins as Kafka's",
				 pgt_compression_name(real_codecs[c]));
		ok(compressed.length > want.length && memcmp(compressed.data, want.data, want.length) == 0, name);
		free(want.data);
		free(compressed.data);
	}
	free(src.data);
}

/* Framings that only others write. */
static void
test_codec_foreign_framing(void)
{
	static const struct
	{
		int			codec;
		const char *hex;
		const char *want;
		const char *name;
	}			cases[] = {
		{COMPRESSION_SNAPPY, "0308616263", "abc", "a snappy block without framing"},
		{COMPRESSION_SNAPPY, "00", "", "an empty snappy block"},
		{COMPRESSION_SNAPPY, "82534e41505059000000000100000001000000050308616263" "000000050308616263",
		"abcabc", "two snappy blocks"},
		{COMPRESSION_ZSTD, "28b52ffd0058190000616263", "abc", "a zstd frame without its content's size"},
		{COMPRESSION_LZ4, "04224d186040820300008061626300000000", "abc", "an lz4 frame as Kafka writes it"},
		{COMPRESSION_LZ4, "04224d18604082030000806162630000000004224d186040820300008061626300000000",
		"abcabc", "two lz4 frames"},
		{COMPRESSION_GZIP, "1f8b08000000000000ff4b4c4a0600c241243503000000", "abc", "a gzip member"},
		{COMPRESSION_GZIP, "1f8b08000000000000ff4b4c4a0600c2412435030000001f8b08000000000000ff4b4c4a0600c241243503000000",
		"abcabc", "two gzip members"}
	};

	for (int i = 0; i < lengthof(cases); i++)
	{
		Bytes		b = bytes_from_hex(cases[i].hex);
		Bytes		want = bytes_copy(cases[i].want, strlen(cases[i].want));
		char		name[80];

		snprintf(name, sizeof(name), "compression: reads %s", cases[i].name);
		ok(decompresses_to(cases[i].codec, b, want.length, want) &&
		   decompresses_to(cases[i].codec, b, 100, want), name);
		free(b.data);
		free(want.data);
	}
}

static void
test_codec_damage(void)
{
	static const struct
	{
		int			codec;
		const char *hex;
		const char *problem;
	}			cases[] = {
		{COMPRESSION_GZIP, "", "gzip stream is cut off"},
		{COMPRESSION_GZIP, "00", "gzip stream is cut off"},
		{COMPRESSION_GZIP, "616263646566", "gzip stream is damaged"},
		{COMPRESSION_GZIP, "1f8b08000000000000ff4b4c4a0600c24124350300000061", "gzip stream is cut off"},
		{COMPRESSION_GZIP, "1f8b08000000000000ff4b4c4a0600c241243603000000", "gzip stream is damaged"},
		{COMPRESSION_SNAPPY, "", "snappy block is damaged"},
		{COMPRESSION_SNAPPY, "ffffffff0f00", "snappy block is damaged"},
		{COMPRESSION_SNAPPY, "82534e4150505900000000010000000100", "snappy block is cut off"},
		{COMPRESSION_SNAPPY, "82534e41505059000000000100000001000000060308616263", "snappy block is cut off"},
		{COMPRESSION_SNAPPY, "82534e41505059000000000100000001ffffffff0308616263", "snappy block is cut off"},
		{COMPRESSION_SNAPPY, "82534e4150505900000000010000000100000000", "snappy block is damaged"},
		{COMPRESSION_LZ4, "", "lz4 frame is cut off"},
		{COMPRESSION_LZ4, "04224d18604082", "lz4 frame is cut off"},
		{COMPRESSION_LZ4, "04224d18604083030000806162630000000000", "lz4 frame is damaged"},
		{COMPRESSION_LZ4, "04224d18604082ffffff7f61626300000000", "lz4 frame is damaged"},
		{COMPRESSION_ZSTD, "", "zstd frame is cut off"},
		{COMPRESSION_ZSTD, "28b52ffd00581900006162", "zstd frame is cut off"},
		{COMPRESSION_ZSTD, "28b52ffd0158190000616263", "zstd frame is damaged"}
	};
	char		dst[100];

	for (int i = 0; i < lengthof(cases); i++)
	{
		Bytes		b = bytes_from_hex(cases[i].hex);
		size_t		out = 99;
		char		name[128];

		snprintf(name, sizeof(name), "compression damage: %s (%s)", cases[i].problem, cases[i].hex);
		is_string(pgt_decompress(cases[i].codec, b.data, b.length, dst, sizeof(dst), &out),
				  cases[i].problem, name);
		if (out != 99)
			ok(false, "compression damage: the length is not set");
		free(b.data);
	}
}

/*
 * Decompress damaged bytes.  What comes out may be anything, since the CRC of
 * the batch is what finds damage; it may not be more than the room there is.
 */
static bool
survives(int codec, Bytes compressed, size_t capacity)
{
	char	   *dst = malloc(capacity);
	size_t		length = 0;
	const char *problem = pgt_decompress(codec, compressed.data, compressed.length,
										 dst, capacity, &length);
	bool		good = problem != NULL || length <= capacity;

	free(dst);
	return good;
}

/* Cut at each byte it is a problem; with a bit or more changed it does no harm. */
static void
test_codec_mass_damage(void)
{
	for (int c = 0; c < lengthof(real_codecs); c++)
	{
		bool		cuts = true;
		bool		changes = true;
		char		name[80];

		for (Filling filling = FILLED_ZEROS; filling <= FILLED_NOISE; filling++)
		{
			Bytes		src = bytes_filled(filling, 700);
			Bytes		whole = bytes_compressed(real_codecs[c], 0, src);

			for (size_t cut = 0; cut < whole.length; cut++)
			{
				Bytes		b = bytes_copy(whole.data, cut);

				/* between two blocks xerial's framing may end */
				cuts &= !decompresses_to(real_codecs[c], b, 1400, src);
				free(b.data);
			}
			for (size_t bit = 0; bit < whole.length * 8; bit++)
			{
				Bytes		b = bytes_copy(whole.data, whole.length);

				b.data[bit / 8] ^= 1 << (bit % 8);
				changes &= survives(real_codecs[c], b, 700) && survives(real_codecs[c], b, 1400);
				free(b.data);
			}
			free(whole.data);
			free(src.data);
		}
		snprintf(name, sizeof(name), "compression damage: %s cut at each byte is seen",
				 pgt_compression_name(real_codecs[c]));
		ok(cuts, name);
		snprintf(name, sizeof(name), "compression damage: %s with each bit flipped does no harm",
				 pgt_compression_name(real_codecs[c]));
		ok(changes, name);
	}
}

/* Larger ones with some bytes overwritten, and pure noise; then all is still well. */
static void
test_codec_garbage(void)
{
	Bytes		src = bytes_filled(FILLED_TEXT, 100000);

	for (int c = 0; c < lengthof(real_codecs); c++)
	{
		Bytes		whole = bytes_compressed(real_codecs[c], 0, src);
		bool		good = true;
		char		name[80];

		for (int i = 0; i < 2000; i++)
		{
			Bytes		b = i % 4 == 0 ? bytes_filled(FILLED_NOISE, random_bits() % 200) :
				bytes_copy(whole.data, whole.length);

			if (i % 4 != 0)
				mutate(b);
			good &= survives(real_codecs[c], b, random_bits() % 200000);
			free(b.data);
		}
		good &= codec_round_trip(real_codecs[c], 0, src);
		snprintf(name, sizeof(name), "compression damage: noise does no harm to %s",
				 pgt_compression_name(real_codecs[c]));
		ok(good, name);
		free(whole.data);
	}
	free(src.data);
}

static void
test_codec_unknown(void)
{
	char		dst[16];
	size_t		out;

	is_string(pgt_decompress(7, "x", 1, dst, sizeof(dst), &out), "compression codec is unknown",
			  "compression: an unknown codec is a problem when read");
	is_string(pgt_compress(-1, 0, "x", 1, dst, sizeof(dst), &out), "compression codec is unknown",
			  "compression: an unknown codec is a problem when written");
	ok(pgt_compress_bound(5, 1) == 0, "compression: an unknown codec has no bound");
	for (int c = 0; c < lengthof(real_codecs); c++)
	{
		char		name[80];

		snprintf(name, sizeof(name), "compression: %s writes nothing past the buffer",
				 pgt_compression_name(real_codecs[c]));
		is_string(pgt_compress(real_codecs[c], 0, "records", 7, dst, 3, &out),
				  "compressed records do not fit the buffer", name);
	}
}

/* ----------
 * Batches
 * ----------
 */

#define T0	INT64CONST(1700000000000)

static const char *const plain_batches[] = {KV_BATCH, TWO_BATCH, TOMBSTONE_BATCH, COMPACTED_BATCH};

/* Encode the records to just these bytes, and decode them back. */
static void
check_batch_vector(const char *label, const char *hex, int64 base_offset, int32 last_offset_delta,
				   const Record *records, int count)
{
	Bytes		want = bytes_from_hex(hex);
	RecordBatchHeader header = {.base_offset = base_offset,.last_offset_delta = last_offset_delta};
	RecordBatchHeader decoded;
	Record		out[MAX_RECORDS];
	Bytes		got = build_batch(&header, records, count);
	char		name[128];
	int			n;
	bool		good;

	snprintf(name, sizeof(name), "batch %s: encodes to Kafka's bytes", label);
	ok(bytes_equal(got, want), name);

	snprintf(name, sizeof(name), "batch %s: decodes without a problem", label);
	is_string(walk_batch(want, true, &decoded, out, &n), NULL, name);

	good = n == count && decoded.base_offset == base_offset && decoded.length == want.length &&
		decoded.last_offset_delta == last_offset_delta && decoded.record_count == count &&
		decoded.attributes == 0 && decoded.base_timestamp == header.base_timestamp &&
		decoded.max_timestamp == header.max_timestamp;
	for (int i = 0; i < count && good; i++)
		good = same_record(&out[i], &records[i]);
	snprintf(name, sizeof(name), "batch %s: decodes to the same records", label);
	ok(good, name);
	free(want.data);
	free(got.data);
}

static void
test_batch_vectors(void)
{
	Record		kv = make_record(0, 0, "k", "v");
	Record		two[2];
	Record		tombstone = make_record(7, T0, "k", NULL);
	Record		compacted = make_record(3, T0, "a", "1");

	two[0] = make_record(5, T0, "123447777", "{\"item\":\"book\",\"price\":10.99}");
	two[1] = make_record(6, T0 + 10, NULL, NULL);
	two[1].headers = "\x02h\x02x";
	two[1].headers_length = 4;
	two[1].header_count = 1;

	check_batch_vector("k/v", KV_BATCH, 0, 0, &kv, 1);
	check_batch_vector("of two", TWO_BATCH, 5, 1, two, 2);
	check_batch_vector("tombstone", TOMBSTONE_BATCH, 7, 0, &tombstone, 1);
	check_batch_vector("compacted", COMPACTED_BATCH, 0, 9, &compacted, 1);
}

/* Batches that others compressed decode to the records they had. */
static void
check_compressed_vector(int codec, const char *hex)
{
	Bytes		b = bytes_from_hex(hex);
	Bytes		records = {malloc(256), 256};
	RecordBatchHeader header;
	Record		out[MAX_RECORDS];
	char		name[80];
	int			n;
	bool		good = true;

	snprintf(name, sizeof(name), "batch %s: header decodes", pgt_compression_name(codec));
	is_string(pgt_record_batch_read_header(b.data, b.length, &header), NULL, name);
	snprintf(name, sizeof(name), "batch %s: header names the codec", pgt_compression_name(codec));
	ok(header.length == b.length && header.record_count == 3 && header.last_offset_delta == 2 &&
	   (header.attributes & BATCH_ATTR_CODEC_MASK) == codec, name);
	snprintf(name, sizeof(name), "batch %s: checksum is good", pgt_compression_name(codec));
	is_string(pgt_record_batch_check_crc(b.data, &header), NULL, name);
	snprintf(name, sizeof(name), "batch %s: records decompress", pgt_compression_name(codec));
	is_string(pgt_decompress(codec, b.data + RECORD_BATCH_HEADER_SIZE,
							 b.length - RECORD_BATCH_HEADER_SIZE,
							 records.data, records.length, &records.length), NULL, name);
	snprintf(name, sizeof(name), "batch %s: records decode", pgt_compression_name(codec));
	is_string(walk_records(&header, records, out, &n), NULL, name);
	for (int i = 0; i < n && good; i++)
	{
		char		key[] = {'k', (char) ('0' + i), '\0'};
		Record		want = make_record(i, T0, key, "vvvvvvvvvvvvvvvvvvvv");

		good = same_record(&out[i], &want);
	}
	snprintf(name, sizeof(name), "batch %s: they are the records that were written", pgt_compression_name(codec));
	ok(good && n == 3, name);
	free(records.data);
	free(b.data);
}

static void
test_compressed_vectors(void)
{
	check_compressed_vector(COMPRESSION_GZIP, GZIP_BATCH);
	check_compressed_vector(COMPRESSION_SNAPPY, SNAPPY_BATCH);
	check_compressed_vector(COMPRESSION_LZ4, LZ4_BATCH);
	check_compressed_vector(COMPRESSION_ZSTD, ZSTD_BATCH);
}

static void
test_set_base_offset(void)
{
	Bytes		b = bytes_from_hex(TWO_BATCH);
	RecordBatchHeader header;
	Record		out[MAX_RECORDS];
	int			n;

	pgt_record_batch_set_base_offset(b.data, INT64CONST(0x0102030405060708));
	is_string(walk_batch(b, true, &header, out, &n), NULL, "base offset: set after sealing, CRC still good");
	ok(n == 2 && out[1].offset == INT64CONST(0x0102030405060709), "base offset: records follow it");
	free(b.data);
}

static void
test_leader_epoch(void)
{
	Bytes		b = bytes_from_hex(TWO_BATCH);
	RecordBatchHeader header;

	is_string(pgt_record_batch_read_header(b.data, b.length, &header), NULL, "leader epoch: header decodes");
	ok(header.leader_epoch == 0, "leader epoch: a batch that has none has 0");
	pgt_record_batch_set_leader_epoch(b.data, 0x01020304);
	ok(memcmp(b.data + 12, "\x01\x02\x03\x04", 4) == 0, "leader epoch: it lies where Kafka has it");
	is_string(pgt_record_batch_read_header(b.data, b.length, &header), NULL, "leader epoch: the header still decodes");
	ok(header.leader_epoch == 0x01020304, "leader epoch: it comes back");
	is_string(pgt_record_batch_check_crc(b.data, &header), NULL, "leader epoch: the checksum does not cover it");
	pgt_record_batch_set_leader_epoch(b.data, 0);
	pgt_record_batch_seal(b.data, &header);
	ok(memcmp(b.data + 12, "\x01\x02\x03\x04", 4) == 0, "leader epoch: sealing writes the header's");
	free(b.data);
}

/* An entry of the batch, as an append makes it, with or without the flag beforehand. */
static IndexEntry
entry_of(Bytes b, uint32 first_delta, uint32 last_delta, uint32 flags)
{
	IndexEntry	entry = {.first_delta = first_delta,.last_delta = last_delta,.length = b.length,.flags = flags};

	pgt_index_entry_set_dense(&entry, b.data);
	return entry;
}

static void
test_entry_dense(void)
{
	RecordBatchHeader header = {.base_offset = 10,.last_offset_delta = 2};
	Record		records[3];
	Bytes		whole;
	Bytes		holed;

	for (int i = 0; i < 3; i++)
		records[i] = make_record(10 + i, T0, "a", "1");
	whole = build_batch(&header, records, 3);
	records[1] = records[2];
	holed = build_batch(&header, records, 2);

	ok(entry_of(whole, 5, 7, ENTRY_ABORTED).flags == (ENTRY_ABORTED | ENTRY_DENSE),
	   "index entry: dense where each offset has a record; other flags stay");
	ok(entry_of(holed, 5, 7, ENTRY_DENSE | ENTRY_INTERLEAVED).flags == ENTRY_INTERLEAVED,
	   "index entry: not dense with a hole, though its origin was");
	ok(entry_of(whole, 5, 8, ENTRY_DENSE).flags == 0, "index entry: not dense where the offsets differ from the batch's");
	ok(entry_of(whole, 0, 2, 0).flags == ENTRY_DENSE, "index entry: dense at the segment's base");
	whole.data[16] = 1;
	ok(entry_of(whole, 5, 7, ENTRY_DENSE).flags == 0, "index entry: not dense where the batch's header is damaged");
	free(whole.data);
	free(holed.data);
}

static void
test_entry_valid(void)
{
	IndexEntry	entry = {.first_delta = 5,.last_delta = 7,.position = 100,.length = 80,.flags = ENTRY_DENSE};
	IndexEntry	changed;

	pgt_index_entry_seal(&entry);
	ok(pgt_index_entry_is_valid(&entry) && pgt_index_entry_offsets(&entry) == 3, "index entry: sealed, it is valid");
	changed = entry;
	changed.flags = 0;
	ok(!pgt_index_entry_is_valid(&changed), "index entry: the checksum covers the flags");
	pgt_index_entry_seal(&changed);
	ok(pgt_index_entry_is_valid(&changed), "index entry: valid without the flag");
	changed = (IndexEntry) {.first_delta = 0,.last_delta = PG_INT32_MAX,.length = 80};
	ok(pgt_index_entry_offsets(&changed) == INT64CONST(0x80000000), "index entry: the most offsets do not overflow");
}

/* A batch of an idempotent producer keeps its fields when its header is written again. */
static void
test_producer_fields(void)
{
	Bytes		b = bytes_from_hex(TWO_BATCH);
	RecordBatchHeader header;
	RecordBatchHeader again;

	is_string(pgt_record_batch_read_header(b.data, b.length, &header), NULL, "producer: header decodes");
	ok(header.producer_id == NO_PRODUCER_ID && header.producer_epoch == -1 && header.base_sequence == -1,
	   "producer: a batch without one says so");
	header.producer_id = INT64CONST(0x0102030405060708);
	header.producer_epoch = 7;
	header.base_sequence = PG_INT32_MAX;
	pgt_record_batch_seal(b.data, &header);
	ok(memcmp(b.data + 43, "\x01\x02\x03\x04\x05\x06\x07\x08\x00\x07\x7f\xff\xff\xff", 14) == 0,
	   "producer: id, epoch and sequence lie where Kafka has them");
	is_string(pgt_record_batch_read_header(b.data, b.length, &again), NULL, "producer: the new header decodes");
	ok(again.producer_id == header.producer_id && again.producer_epoch == header.producer_epoch &&
	   again.base_sequence == header.base_sequence, "producer: the fields come back");
	is_string(pgt_record_batch_check_crc(b.data, &again), NULL, "producer: the checksum covers them");
	free(b.data);
}

static void
test_log_append_time(void)
{
	RecordBatchHeader header = {.base_offset = 10,.last_offset_delta = 1,
	.attributes = BATCH_ATTR_LOG_APPEND_TIME};
	RecordBatchHeader decoded;
	Record		records[2];
	Record		out[MAX_RECORDS];
	Bytes		b;
	int			n;

	records[0] = make_record(10, T0, "a", "1");
	records[1] = make_record(11, T0 + 7, "b", "2");
	b = build_batch(&header, records, 2);
	ok(walk_batch(b, true, &decoded, out, &n) == NULL && n == 2 &&
	   out[0].timestamp == T0 + 7 && out[1].timestamp == T0 + 7,
	   "log append time: every record has the batch's largest timestamp");
	free(b.data);
}

/*
 * The time of a sealed batch is set, whatever its length and the times.  A batch of CreateTime
 * becomes one of LogAppendTime, or keeps its records' own time.
 */
static void
check_set_time(int16 attributes, void (*set) (char *batch, size_t length, int64 timestamp), const char *name)
{
	static const int64 times[] = {T0 + 1, 0, -1, PG_INT64_MAX, PG_INT64_MIN, T0};
	RecordBatchHeader header = {.base_offset = 10,.attributes = attributes};
	bool		fixed = attributes != 0 || set == pgt_record_batch_set_append_time;
	RecordBatchHeader decoded;
	Record		record = make_record(10, T0, "a", "");
	Record		out[MAX_RECORDS];
	int			n;
	bool		good = true;
	char	   *value = malloc(1 << 20);

	memset(value, 'x', 1 << 20);
	record.value = value;
	for (record.value_length = 0; record.value_length < (1 << 20); record.value_length = record.value_length * 9 / 8 + 1)
	{
		Bytes		b = build_batch(&header, &record, 1);

		for (int i = 0; i < lengthof(times); i++)
		{
			set(b.data, b.length, times[i]);
			good = good && walk_batch(b, true, &decoded, out, &n) == NULL && n == 1 &&
				decoded.attributes == (fixed ? BATCH_ATTR_LOG_APPEND_TIME : 0) &&
				decoded.base_timestamp == T0 && decoded.max_timestamp == times[i] &&
				out[0].timestamp == (fixed ? times[i] : T0);
		}
		free(b.data);
	}
	free(value);
	ok(good, name);
}

static void
test_set_time(void)
{
	check_set_time(BATCH_ATTR_LOG_APPEND_TIME, pgt_record_batch_set_max_timestamp,
				   "log append time: set in sealed batches of any length, CRC still good");
	check_set_time(BATCH_ATTR_LOG_APPEND_TIME, pgt_record_batch_set_append_time,
				   "log append time: set again");
	check_set_time(0, pgt_record_batch_set_append_time,
				   "log append time: given to batches that had the producer's");
	check_set_time(0, pgt_record_batch_set_max_timestamp,
				   "largest timestamp: set in batches of CreateTime");
}

/* ----------
 * Round trips
 * ----------
 */

/* Through a batch and back; last_offset_delta is the last record's. */
static bool
batch_round_trip(const Record *records, int count)
{
	RecordBatchHeader header = {.base_offset = records[0].offset};
	RecordBatchHeader decoded;
	Record		out[MAX_RECORDS];
	Bytes		b;
	int			n;
	bool		good;

	header.last_offset_delta = (int32) (records[count - 1].offset - records[0].offset);
	b = build_batch(&header, records, count);
	good = walk_batch(b, true, &decoded, out, &n) == NULL && n == count;
	for (int i = 0; i < count && good; i++)
		good = same_record(&out[i], &records[i]);
	free(b.data);
	return good;
}

static void
test_round_trips(void)
{
	Record		r[MAX_RECORDS];
	Bytes		large = {malloc(100000), 100000};

	r[0] = make_record(1, T0, NULL, NULL);
	r[1] = make_record(2, T0, "", "");
	r[2] = make_record(3, T0, NULL, "");
	r[3] = make_record(4, T0, "", NULL);
	ok(batch_round_trip(r, 4), "round trip: null and empty keys and values stay apart");

	r[1] = make_record(2, T0 - 1, "k", "v");
	r[2] = make_record(3, 0, "k", "v");
	r[3] = make_record(4, -T0, "k", "v");
	ok(batch_round_trip(r, 4), "round trip: timestamps before the first record's");

	r[0] = make_record(0, 0, "k", "v");
	r[1] = make_record(1, PG_INT64_MAX, "k", "v");
	r[2] = make_record(2, PG_INT64_MIN, "k", "v");
	r[3] = make_record(PG_INT32_MAX, -1, "k", "v");
	ok(batch_round_trip(r, 4), "round trip: largest timestamp and offset deltas");

	r[0] = make_record(PG_INT64_MAX - PG_INT32_MAX, T0, "k", "v");
	r[1] = make_record(PG_INT64_MAX, T0, "k", "v");
	ok(batch_round_trip(r, 2), "round trip: the last offset there is");

	memset(large.data, 'x', large.length);
	for (int i = 0; i < 4; i++)
	{
		static const int32 lengths[] = {63, 64, 8192, 100000};

		r[i] = make_record(i, T0, NULL, NULL);
		r[i].key = r[i].value = large.data;
		r[i].key_length = r[i].value_length = lengths[i];
	}
	ok(batch_round_trip(r, 4), "round trip: lengths of one, two and three bytes");
	free(large.data);
}

static void
test_record_headers(void)
{
	RecordHeader want[] = {
		{"trace", 5, "abc", 3}, {"null", 4, NULL, -1}, {"empty", 5, "", 0}, {"", 0, "x", 1}
	};
	Record		record = make_record(0, T0, "k", "v");
	size_t		size = 0;
	Bytes		block;
	const char *next;
	char	   *end;
	bool		good = true;

	for (int i = 0; i < lengthof(want); i++)
		size += pgt_record_header_size(&want[i]);
	block.data = end = malloc(size);
	block.length = size;
	for (int i = 0; i < lengthof(want); i++)
		end = pgt_record_header_encode(end, &want[i]);
	ok(end == block.data + size, "record headers: size is exact");

	next = block.data;
	for (int i = 0; i < lengthof(want) && good; i++)
	{
		RecordHeader got;

		good = pgt_record_header_decode(&next, end, &got) &&
			same_field(got.key, got.key_length, want[i].key, want[i].key_length) &&
			same_field(got.value, got.value_length, want[i].value, want[i].value_length);
	}
	ok(good && next == end, "record headers: decode to the same, null values included");

	record.headers = block.data;
	record.headers_length = (int32) size;
	record.header_count = lengthof(want);
	ok(batch_round_trip(&record, 1), "record headers: round trip in a record");
	free(block.data);
}

/* record_size() must be a bound for any deltas; build_batch() encodes into it. */
static void
test_size_bound(void)
{
	Record		record = make_record(0, 0, "k", "v");
	char	   *block = malloc(pgt_record_size(&record));
	size_t		worst = pgt_record_encode(block, &record, PG_INT64_MIN, PG_INT32_MAX) - block;
	size_t		usual = pgt_record_encode(block, &record, 0, 0) - block;

	ok(usual == 9 && worst > usual && worst <= pgt_record_size(&record),
	   "record size: bounds the worst deltas");
	free(block);
}

/* ----------
 * Named damage
 * ----------
 */

static void
test_header_damage(void)
{
	static const struct
	{
		int			at;
		const char *hex;
		const char *problem;
	}			cases[] = {
		{16, "01", "batch is of an unknown format version"},
		{8, "00000030", "batch length is less than a header's"},
		{8, "ffffffff", "batch length is less than a header's"},
		{8, "7ffffff4", "batch length is out of range"},
		{21, "0005", "compression codec is unknown"},
		{0, "ffffffffffffffff", "base offset is negative"},
		{23, "ffffffff", "last offset delta is negative"},
		{57, "ffffffff", "record count is negative"},
		{57, "00000002", "record count is more than the batch has offsets"},
		{57, "7fffffff", "record count is more than the batch has offsets"}
	};

	for (int i = 0; i < lengthof(cases); i++)
	{
		Bytes		b = bytes_from_hex(KV_BATCH);
		Bytes		patch = bytes_from_hex(cases[i].hex);
		RecordBatchHeader header;
		char		name[128];

		memcpy(b.data + cases[i].at, patch.data, patch.length);
		snprintf(name, sizeof(name), "header damage: %s (%s)", cases[i].problem, cases[i].hex);
		is_string(pgt_record_batch_read_header(b.data, b.length, &header), cases[i].problem, name);
		free(b.data);
		free(patch.data);
	}
}

/* Faults that need two fields to be wrong. */
static void
test_header_damage_of_two_fields(void)
{
	Bytes		b = bytes_from_hex(KV_BATCH);
	RecordBatchHeader header;
	uint32		one = pg_hton32(1);

	pgt_record_batch_set_base_offset(b.data, PG_INT64_MAX);
	memcpy(b.data + 23, &one, 4);
	is_string(pgt_record_batch_read_header(b.data, b.length, &header),
			  "last offset is out of range", "header damage: last offset overflows");
	free(b.data);

	b = bytes_from_hex(COMPACTED_BATCH);
	b.data[60] = 2;
	is_string(pgt_record_batch_read_header(b.data, b.length, &header),
			  "record count is more than the batch can hold",
			  "header damage: more records than bytes for them");
	free(b.data);
}

static void
test_record_damage(void)
{
	static const struct
	{
		const char *hex;		/* of the records; k/v is 10000000026b027600 */
		int32		count;
		int32		last_offset_delta;
		int64		base_timestamp;
		const char *problem;
	}			cases[] = {
		{"10000000026b027600", 1, 0, 0, NULL},
		{"", 0, 0, 0, NULL},
		{"10000000026b027600", 1, 0, PG_INT64_MAX, NULL},
		{"10000000026b027600", 2, 1, 0, "record count is more than the batch can hold"},
		{"", PG_INT32_MAX, PG_INT32_MAX, 0, "record count is more than the batch can hold"},
		{"10000000026b02760000", 1, 0, 0, "batch has bytes left over after its last record"},
		{"10000000026b027600", 0, 0, 0, "batch has bytes left over after its last record"},
		{"80808080808080", 1, 0, 0, "record length is damaged"},
		{"01000000010100", 1, 0, 0, "record length is damaged"},
		{"180000000a6b6b6b6b6b027600", 1, 0, 0, NULL},
		{"1a0000000a6b6b6b6b6b02760080", 1, 0, 0, "record has bytes left over after its headers"},
		{"1a0000000a6b6b6b6b6b0476760002", 2, 1, 0, "record length passes the end of the batch"},
		{"1a0000000a6b6b6b6b6b04767600", 2, 1, 0, "record length is damaged"},
		{"7e000000010100", 1, 0, 0, "record length passes the end of the batch"},
		{"feffffff0f00000001010000", 1, 0, 0, "record length passes the end of the batch"},
		{"00000000000000", 1, 0, 0, "record is cut off before its attributes"},
		{"04008000000000", 1, 0, 0, "record timestamp is damaged"},
		/* a timestamp's sum goes round */
		{"10000200026b027600", 1, 0, PG_INT64_MAX, NULL},
		{"10000100026b027600", 1, 0, PG_INT64_MIN, NULL},
		{"06000080000000", 1, 0, 0, "record offset is damaged"},
		{"10000002026b027600", 1, 0, 0, "record offset is outside the batch"},
		{"10000001026b027600", 1, 0, 0, "record offset is outside the batch"},
		{"10000000026b02760010000000026b027600", 2, 1, 0, "record offsets do not ascend"},
		{"10000002026b02760010000000026b027600", 2, 1, 0, "record offsets do not ascend"},
		{"100000007e6b027600", 1, 0, 0, "record key is damaged or passes the end of the record"},
		{"10000000036b027600", 1, 0, 0, "record key is damaged or passes the end of the record"},
		{"10000000026b7e7600", 1, 0, 0, "record value is damaged or passes the end of the record"},
		{"10000000026b037600", 1, 0, 0, "record value is damaged or passes the end of the record"},
		{"0e000000026b0276", 1, 0, 0, "record header count is damaged"},
		{"10000000026b027601", 1, 0, 0, "record header count is damaged"},
		{"10000000026b02767e", 1, 0, 0, "record header count is more than the record can hold"},
		{"12000000026b02760000", 1, 0, 0, "record has bytes left over after its headers"},
		{"14000000026b0276020101", 1, 0, 0, "record header is damaged"},
		{"14000000026b0276020002", 1, 0, 0, "record header is damaged"}
	};

	for (int i = 0; i < lengthof(cases); i++)
	{
		Bytes		b = bytes_from_hex(cases[i].hex);
		RecordBatchHeader header = {.base_timestamp = cases[i].base_timestamp,
			.last_offset_delta = cases[i].last_offset_delta,
		.record_count = cases[i].count};
		Record		out[MAX_RECORDS];
		int			n;
		char		name[160];

		snprintf(name, sizeof(name), "record damage: %s (%d in %s)",
				 cases[i].problem ? cases[i].problem : "none", cases[i].count, cases[i].hex);
		is_string(walk_records(&header, b, out, &n), cases[i].problem, name);
		free(b.data);
	}
}

/* ----------
 * Mass damage
 * ----------
 */

/* Cut the batch at each byte: the header, then the records, see it. */
static void
test_truncation(void)
{
	bool		good = true;

	for (int v = 0; v < lengthof(plain_batches); v++)
	{
		Bytes		whole = bytes_from_hex(plain_batches[v]);
		RecordBatchHeader header;
		Record		out[MAX_RECORDS];
		int			n;

		for (size_t cut = 0; cut < whole.length; cut++)
		{
			Bytes		b = bytes_copy(whole.data, cut);

			good &= walk_batch(b, true, &header, out, &n) != NULL;
			free(b.data);
		}
		pgt_record_batch_read_header(whole.data, whole.length, &header);
		for (size_t cut = 0; cut < whole.length - RECORD_BATCH_HEADER_SIZE; cut++)
		{
			Bytes		b = bytes_copy(whole.data + RECORD_BATCH_HEADER_SIZE, cut);
			const char *problem = walk_records(&header, b, out, &n);

			good &= problem != NULL && !is_unsound(problem);
			free(b.data);
		}
		free(whole.data);
	}
	ok(good, "truncation: seen at each byte of each batch");
}

/*
 * What one flipped bit may do: bytes 0-7 (the base offset) are the index's to
 * check, bytes 12-15 (the leader epoch) are not looked at; everywhere else it
 * must be a problem.
 */
static bool
flip_is_seen(Bytes whole, size_t bit)
{
	Bytes		b = bytes_copy(whole.data, whole.length);
	size_t		byte = bit / 8;
	RecordBatchHeader header;
	Record		out[MAX_RECORDS];
	int			n;
	const char *problem;

	b.data[byte] ^= 1 << (bit % 8);
	problem = walk_batch(b, true, &header, out, &n);
	free(b.data);
	if (is_unsound(problem))
		return false;
	if (byte < 8)
		return true;
	if (byte >= 12 && byte < 16)
		return problem == NULL;
	return problem != NULL;
}

static void
test_bit_flips(void)
{
	static const char *const labels[] = {"k/v", "of two", "tombstone", "compacted"};

	for (int v = 0; v < lengthof(plain_batches); v++)
	{
		Bytes		whole = bytes_from_hex(plain_batches[v]);
		char		name[64];
		bool		good = true;

		for (size_t bit = 0; bit < whole.length * 8; bit++)
			good &= flip_is_seen(whole, bit);
		snprintf(name, sizeof(name), "bit flips: each one is seen in batch %s", labels[v]);
		ok(good, name);
		free(whole.data);
	}
}

/* Pure noise, as a batch and as the records of a header that believes in them. */
static void
test_garbage(void)
{
	bool		good = true;

	for (int i = 0; i < 20000; i++)
	{
		Bytes		b = {NULL, random_bits() % 200};
		RecordBatchHeader header = {0};
		Record		out[MAX_RECORDS];
		int			n;
		int			small = (int) (random_bits() % 3);

		b.data = malloc(b.length);
		for (size_t j = 0; j < b.length; j++)
			b.data[j] = (char) (random_bits() >> (small == 0 ? 20 : 58));
		if (b.length > 16)
			b.data[16] = RECORD_BATCH_MAGIC;
		good &= !is_unsound(walk_batch(b, false, &header, out, &n));

		header.base_offset = 0;
		header.last_offset_delta = PG_INT32_MAX;
		header.record_count = (int32) (random_bits() % 8);
		good &= !is_unsound(walk_records(&header, b, out, &n));
		free(b.data);
	}
	ok(good, "garbage: noise never gives an unsound record");
}

/* Sound batches with a few bytes changed, the CRC not looked at. */
static void
test_mutations(void)
{
	bool		good = true;
	int			sound = 0;
	int			damaged = 0;

	for (int i = 0; i < 40000; i++)
	{
		Bytes		b = bytes_from_hex(plain_batches[i % lengthof(plain_batches)]);
		Bytes		records = {b.data + RECORD_BATCH_HEADER_SIZE, b.length - RECORD_BATCH_HEADER_SIZE};
		RecordBatchHeader header;
		Record		out[MAX_RECORDS];
		const char *problem;
		int			n;

		mutate(i % 3 == 0 ? b : records);
		problem = walk_batch(b, false, &header, out, &n);
		good &= !is_unsound(problem);
		if (problem)
			damaged++;
		else
			sound++;
		free(b.data);
	}
	ok(good, "mutations: a changed batch never gives an unsound record");
	ok(sound > 1000 && damaged > 1000, "mutations: both outcomes were met");
}

/* A text of up to 40 bytes, with one byte that is not ASCII, or none. */
static void
test_ascii(void)
{
	static const unsigned char others[] = {0, 128, 129, 195, 254, 255};
	bool		good = true;
	bool		bad = true;

	for (int length = 0; length <= 40; length++)
	{
		char	   *text = malloc(length + 1);

		for (int i = 0; i < length; i++)
			text[i] = (char) (1 + (i * 63) % 127);
		good &= pgt_ascii_is_all(text, length);
		for (int i = 0; i < length * (int) lengthof(others); i++)
		{
			char		before = text[i % length];

			text[i % length] = (char) others[i / length];
			bad &= !pgt_ascii_is_all(text, length);
			text[i % length] = before;
		}
		free(text);
	}
	ok(good, "ascii: texts of bytes from 1 to 127 are ASCII");
	ok(bad, "ascii: one byte of another value is found everywhere");
}

int
main(void)
{
	test_ascii();
	test_crc_vectors();
	test_varint_vectors();
	test_varint_round_trips();
	test_varint_too_large();
	test_murmur2_vectors();
	test_murmur2_partitions();
	test_fnv1a_vectors();
	test_key_shapes();
	test_key_placement();
	test_compression_names();
	test_compression_none();
	test_codec_round_trips();
	test_codec_levels();
	test_codec_framing();
	test_codec_foreign_framing();
	test_codec_unknown();
	test_codec_damage();
	test_codec_mass_damage();
	test_codec_garbage();
	test_batch_vectors();
	test_compressed_vectors();
	test_set_base_offset();
	test_leader_epoch();
	test_producer_fields();
	test_log_append_time();
	test_set_time();
	test_entry_dense();
	test_entry_valid();
	test_round_trips();
	test_record_headers();
	test_size_bound();
	test_header_damage();
	test_header_damage_of_two_fields();
	test_record_damage();
	test_truncation();
	test_bit_flips();
	test_garbage();
	test_mutations();
	return tap_end();
}
