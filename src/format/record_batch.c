/*
 * record_batch.c
 *	  Kafka's record batch, format version 2: encoding and decoding.
 *
 * A segment's ".log" holds these batches and nothing else, byte for byte as a
 * Kafka broker would, so that any of Kafka's tools can read it.  This file
 * turns records into such bytes and back.  It does not compress (compression.c
 * does; this file is given uncompressed records), it does not choose offsets, and it
 * does no I/O.
 *
 * record_batch.h has the picture of the 61 header bytes.  A record behind it:
 *
 *		length			varint		of what follows
 *		attributes		i8			0 written, ignored when read
 *		timestampDelta	varlong		to the batch's baseTimestamp
 *		offsetDelta		varint		to the batch's baseOffset
 *		keyLength		varint		-1: null
 *		key
 *		valueLength		varint		-1: null, a tombstone
 *		value
 *		headerCount		varint
 *		headers						each: keyLength varint, key,
 *									valueLength varint (-1: null), value
 *
 * Varints hold seven bits a byte, lowest first, the top bit set on all bytes
 * but the last; negative numbers are zigzag-folded (0, -1, 1, -2 is 0, 1, 2, 3),
 * so that lengths up to 63 take one byte and up to 8191 two.  Those two sizes
 * are decoded inline; everything longer goes through one loop.
 *
 * The CRC covers byte 21 to the end, as stored, that is, compressed.  baseOffset and
 * partitionLeaderEpoch are outside, so that a batch is sealed, here or by a producer, before
 * the append lock is taken and gets them under the lock.  batchLength and magic are outside, too: a wrong length moves
 * the end of the CRC's range, and a wrong magic is refused.
 *
 * Invariants: decoding trusts no byte.  Every length is compared with the bytes that
 * are there before it is used, sums are checked before they can overflow, and a count
 * only bounds a loop that ends at the latest when the bytes end.  Within a batch
 * offsets ascend and stay in 0..lastOffsetDelta; gaps are legal (compaction leaves
 * them).  The batch must end where its last record ends.  Anything else is damage,
 * which is returned as a constant string.
 *
 * Memory: none is allocated; decoded records point into the caller's bytes.
 */
#include "c.h"

#include "port/pg_bswap.h"

#include "format/record_batch.h"
#include "util/crc32c.h"

/* Where the header's fields are. */
#define AT_BASE_OFFSET			0
#define AT_BATCH_LENGTH			8
#define AT_LEADER_EPOCH			12
#define AT_MAGIC				16
#define AT_CRC					17
#define AT_ATTRIBUTES			21
#define AT_LAST_OFFSET_DELTA	23
#define AT_BASE_TIMESTAMP		27
#define AT_MAX_TIMESTAMP		35
#define AT_PRODUCER_ID			43
#define AT_PRODUCER_EPOCH		51
#define AT_BASE_SEQUENCE		53
#define AT_RECORD_COUNT			57

StaticAssertDecl(AT_RECORD_COUNT + sizeof(int32) == RECORD_BATCH_HEADER_SIZE,
				 "the header's fields fill the header");
StaticAssertDecl(AT_LEADER_EPOCH == RECORD_BATCH_LOG_OVERHEAD,
				 "batchLength counts from behind itself");

#define VARINT_MAX_SIZE		5
#define VARLONG_MAX_SIZE	10

/* seven fields, each of at least a byte */
#define RECORD_MIN_SIZE		7

/* a key's and a value's length */
#define HEADER_MIN_SIZE		2

/* ----------
 * Big-endian integers at any address
 * ----------
 */

static inline void
put_int16(char *p, int16 value)
{
	uint16		v = pg_hton16((uint16) value);

	memcpy(p, &v, sizeof(v));
}

static inline void
put_int32(char *p, int32 value)
{
	uint32		v = pg_hton32((uint32) value);

	memcpy(p, &v, sizeof(v));
}

static inline void
put_int64(char *p, int64 value)
{
	uint64		v = pg_hton64((uint64) value);

	memcpy(p, &v, sizeof(v));
}

static inline int16
get_int16(const char *p)
{
	uint16		v;

	memcpy(&v, p, sizeof(v));
	return (int16) pg_ntoh16(v);
}

static inline int32
get_int32(const char *p)
{
	uint32		v;

	memcpy(&v, p, sizeof(v));
	return (int32) pg_ntoh32(v);
}

static inline int64
get_int64(const char *p)
{
	uint64		v;

	memcpy(&v, p, sizeof(v));
	return (int64) pg_ntoh64(v);
}

/* ----------
 * Varints
 * ----------
 */

/* Fold the sign into the lowest bit, so that small negatives stay small. */
static inline uint32
zigzag32(int32 value)
{
	return ((uint32) value << 1) ^ (value < 0 ? PG_UINT32_MAX : 0);
}

static inline uint64
zigzag64(int64 value)
{
	return ((uint64) value << 1) ^ (value < 0 ? PG_UINT64_MAX : 0);
}

/* And out again. */
static inline int32
unzigzag32(uint32 value)
{
	return (int32) ((value >> 1) ^ (0 - (value & 1)));
}

static inline int64
unzigzag64(uint64 value)
{
	return (int64) ((value >> 1) ^ (0 - (value & 1)));
}

/* How many bytes the folded value takes. */
static inline size_t
varint_size(uint64 folded)
{
	size_t		size = 1;

	while (folded >= 0x80)
	{
		folded >>= 7;
		size++;
	}
	return size;
}

/* Write the folded value; returns the byte behind it. */
static inline char *
put_varint(char *dst, uint64 folded)
{
	while (folded >= 0x80)
	{
		*dst++ = (char) (folded | 0x80);
		folded >>= 7;
	}
	*dst++ = (char) folded;
	return dst;
}

/*
 * Read a folded value of up to max_bits bits and advance *src.  False, and
 * *src is left alone, where the bytes end first or hold a larger number.
 */
static bool
get_varint_slow(const char **src, const char *end, int max_bits, uint64 *folded)
{
	const char *p = *src;
	uint64		value = 0;

	for (int shift = 0; p < end && shift < max_bits; shift += 7)
	{
		unsigned char byte = (unsigned char) *p++;
		uint64		bits = byte & 0x7f;

		if (max_bits - shift < 7 && (bits >> (max_bits - shift)) != 0)
			return false;
		value |= bits << shift;
		if (byte < 0x80)
		{
			*folded = value;
			*src = p;
			return true;
		}
	}
	return false;
}

/* Read a varint of 32 bits; values of one and two bytes are decoded inline. */
static inline bool
get_varint(const char **src, const char *end, int max_bits, uint64 *folded)
{
	const unsigned char *p = (const unsigned char *) *src;

	if (likely(end > *src && p[0] < 0x80))
	{
		*folded = p[0];
		*src += 1;
		return true;
	}
	if (likely(end - *src >= 2 && p[1] < 0x80))
	{
		*folded = (p[0] & 0x7f) | ((uint64) p[1] << 7);
		*src += 2;
		return true;
	}
	return get_varint_slow(src, end, max_bits, folded);
}

static inline bool
get_int32_varint(const char **src, const char *end, int32 *value)
{
	uint64		folded;

	if (!get_varint(src, end, 32, &folded))
		return false;
	*value = unzigzag32((uint32) folded);
	return true;
}

static inline bool
get_int64_varint(const char **src, const char *end, int64 *value)
{
	uint64		folded;

	if (!get_varint(src, end, 64, &folded))
		return false;
	*value = unzigzag64(folded);
	return true;
}

char *
pgt_record_encode_varint(char *dst, int32 value)
{
	return put_varint(dst, zigzag32(value));
}

char *
pgt_record_encode_varlong(char *dst, int64 value)
{
	return put_varint(dst, zigzag64(value));
}

bool
pgt_record_decode_varint(const char **src, const char *end, int32 *value)
{
	return get_int32_varint(src, end, value);
}

bool
pgt_record_decode_varlong(const char **src, const char *end, int64 *value)
{
	return get_int64_varint(src, end, value);
}

/* ----------
 * Nullable byte strings: a varint length, -1 for null, and the bytes
 * ----------
 */

static inline size_t
bytes_size(int32 length)
{
	return length < 0 ? 1 : varint_size(zigzag32(length)) + (size_t) length;
}

static inline char *
put_bytes(char *dst, const char *bytes, int32 length)
{
	if (length < 0)
		return put_varint(dst, zigzag32(-1));
	dst = put_varint(dst, zigzag32(length));
	if (length > 0)
		memcpy(dst, bytes, length);
	return dst + length;
}

/* False where the bytes end first or the length is below -1. */
static inline bool
get_bytes(const char **src, const char *end, const char **bytes, int32 *length)
{
	if (!get_int32_varint(src, end, length))
		return false;
	if (*length < 0)
	{
		*bytes = NULL;
		return *length == -1;
	}
	if (*length > end - *src)
		return false;
	*bytes = *src;
	*src += *length;
	return true;
}

/* ----------
 * Encoding
 * ----------
 */

/* Size of what does not depend on the deltas: key, value and headers. */
static inline size_t
payload_size(const Record *record)
{
	return bytes_size(record->key_length) + bytes_size(record->value_length) +
		varint_size(zigzag32(record->header_count)) + (size_t) record->headers_length;
}

size_t
pgt_record_size(const Record *record)
{
	return VARINT_MAX_SIZE + sizeof(int8) + VARLONG_MAX_SIZE + VARINT_MAX_SIZE +
		payload_size(record);
}

char *
pgt_record_encode(char *dst, const Record *record, int64 timestamp_delta, int32 offset_delta)
{
	uint64		timestamp = zigzag64(timestamp_delta);
	uint32		offset = zigzag32(offset_delta);
	size_t		length = sizeof(int8) + varint_size(timestamp) + varint_size(offset) +
		payload_size(record);

	dst = put_varint(dst, zigzag32((int32) length));
	*dst++ = 0;					/* attributes */
	dst = put_varint(dst, timestamp);
	dst = put_varint(dst, offset);
	dst = put_bytes(dst, record->key, record->key_length);
	dst = put_bytes(dst, record->value, record->value_length);
	dst = put_varint(dst, zigzag32(record->header_count));
	if (record->headers_length > 0)
		memcpy(dst, record->headers, record->headers_length);
	return dst + record->headers_length;
}

size_t
pgt_record_header_size(const RecordHeader *header)
{
	return bytes_size(header->key_length) + bytes_size(header->value_length);
}

char *
pgt_record_header_encode(char *dst, const RecordHeader *header)
{
	dst = put_bytes(dst, header->key, header->key_length);
	return put_bytes(dst, header->value, header->value_length);
}

/* The CRC-32C of a batch of "length" bytes. */
static uint32
batch_crc(const char *batch, int32 length)
{
	return pgt_crc32c(batch + AT_ATTRIBUTES, length - AT_ATTRIBUTES);
}

void
pgt_record_batch_seal(char *batch, const RecordBatchHeader *header)
{
	put_int64(batch + AT_BASE_OFFSET, header->base_offset);
	put_int32(batch + AT_BATCH_LENGTH, header->length - RECORD_BATCH_LOG_OVERHEAD);
	put_int32(batch + AT_LEADER_EPOCH, header->leader_epoch);
	batch[AT_MAGIC] = RECORD_BATCH_MAGIC;
	put_int16(batch + AT_ATTRIBUTES, header->attributes);
	put_int32(batch + AT_LAST_OFFSET_DELTA, header->last_offset_delta);
	put_int64(batch + AT_BASE_TIMESTAMP, header->base_timestamp);
	put_int64(batch + AT_MAX_TIMESTAMP, header->max_timestamp);
	put_int64(batch + AT_PRODUCER_ID, header->producer_id);
	put_int16(batch + AT_PRODUCER_EPOCH, header->producer_epoch);
	put_int32(batch + AT_BASE_SEQUENCE, header->base_sequence);
	put_int32(batch + AT_RECORD_COUNT, header->record_count);
	put_int32(batch + AT_CRC, (int32) batch_crc(batch, header->length));
}

void
pgt_record_batch_set_base_offset(char *batch, int64 base_offset)
{
	put_int64(batch + AT_BASE_OFFSET, base_offset);
}

void
pgt_record_batch_set_leader_epoch(char *batch, int32 leader_epoch)
{
	put_int32(batch + AT_LEADER_EPOCH, leader_epoch);
}

/* ----------
 * Correcting the CRC
 *
 * How a change of bytes changes the CRC does not depend on the other bytes: the change is
 * the CRC of the difference alone, with zeros in place of all other bytes.  Zeros
 * before the difference change nothing; each zero behind it multiplies by x^8, modulo
 * the polynomial.  Numbers here have the coefficient of x^0 in the top bit, as in
 * CRC-32C.
 * ----------
 */

#define CRC32C_POLYNOMIAL	0x82F63B78
#define POWER_8				((uint32) 1 << 23)

/* Up to this length it is quicker to compute the CRC of all bytes. */
#define CORRECTED_FROM			8192

/* The product of two polynomials, modulo CRC-32C's. */
static uint32
multiply_modulo(uint32 a, uint32 b)
{
	uint32		product = 0;

	/* without branches, which no processor could foresee */
	for (; a != 0; a <<= 1)
	{
		product ^= b & (0 - (a >> 31));
		b = (b >> 1) ^ (CRC32C_POLYNOMIAL & (0 - (b & 1)));
	}
	return product;
}

/* The CRC of a difference with that many zero bytes behind it. */
static uint32
shift_crc(uint32 crc, size_t zeros)
{
	uint32		power = POWER_8;

	for (; zeros > 0; zeros >>= 1)
	{
		if (zeros & 1)
			crc = multiply_modulo(crc, power);
		power = multiply_modulo(power, power);
	}
	return crc;
}

/* What an append may change under the CRC lies in these bytes: from attributes to maxTimestamp. */
#define CHANGED_LENGTH		(AT_MAX_TIMESTAMP + (int) sizeof(int64) - AT_ATTRIBUTES)

/* Replace those bytes of a batch of "length" bytes by others, and correct the CRC. */
static void
change_times(char *batch, size_t length, const char *bytes)
{
	char		difference[CHANGED_LENGTH];
	pg_crc32c	crc = 0;		/* without the bits that a whole CRC starts with */

	for (int i = 0; i < CHANGED_LENGTH; i++)
		difference[i] = bytes[i] ^ batch[AT_ATTRIBUTES + i];
	memcpy(batch + AT_ATTRIBUTES, bytes, CHANGED_LENGTH);
	if (length <= CORRECTED_FROM)
	{
		put_int32(batch + AT_CRC, (int32) batch_crc(batch, length));
		return;
	}
	COMP_CRC32C(crc, difference, sizeof(difference));
	crc = shift_crc(crc, length - AT_ATTRIBUTES - sizeof(difference));
	put_int32(batch + AT_CRC, get_int32(batch + AT_CRC) ^ (int32) crc);
}

/* Set maxTimestamp, and these attributes beside those that the batch has. */
static void
set_times(char *batch, size_t length, int16 attributes, int64 timestamp)
{
	char		bytes[CHANGED_LENGTH];

	memcpy(bytes, batch + AT_ATTRIBUTES, CHANGED_LENGTH);
	put_int16(bytes, get_int16(bytes) | attributes);
	put_int64(bytes + AT_MAX_TIMESTAMP - AT_ATTRIBUTES, timestamp);
	change_times(batch, length, bytes);
}

void
pgt_record_batch_set_max_timestamp(char *batch, size_t length, int64 timestamp)
{
	set_times(batch, length, 0, timestamp);
}

void
pgt_record_batch_set_append_time(char *batch, size_t length, int64 timestamp)
{
	set_times(batch, length, BATCH_ATTR_LOG_APPEND_TIME, timestamp);
}

/* ----------
 * Decoding
 * ----------
 */

/* Check the fields against each other.  NULL or the problem. */
static const char *
header_problem(const RecordBatchHeader *header)
{
	if ((header->attributes & BATCH_ATTR_CODEC_MASK) >= COMPRESSION_TYPE_COUNT)
		return "compression codec is unknown";
	if (header->base_offset < 0)
		return "base offset is negative";
	if (header->last_offset_delta < 0)
		return "last offset delta is negative";
	if (header->base_offset > PG_INT64_MAX - header->last_offset_delta)
		return "last offset is out of range";
	if (header->record_count < 0)
		return "record count is negative";
	if (header->record_count - 1 > header->last_offset_delta)
		return "record count is more than the batch has offsets";
	if ((header->attributes & BATCH_ATTR_CODEC_MASK) == COMPRESSION_NONE &&
		header->record_count > (header->length - RECORD_BATCH_HEADER_SIZE) / RECORD_MIN_SIZE)
		return "record count is more than the batch can hold";
	return NULL;
}

const char *
pgt_record_batch_read_header(const char *batch, size_t available, RecordBatchHeader *header)
{
	int32		batch_length;

	if (available < RECORD_BATCH_HEADER_SIZE)
		return "batch header is cut off";
	if (batch[AT_MAGIC] != RECORD_BATCH_MAGIC)
		return "batch is of an unknown format version";
	batch_length = get_int32(batch + AT_BATCH_LENGTH);
	if (batch_length < RECORD_BATCH_HEADER_SIZE - RECORD_BATCH_LOG_OVERHEAD)
		return "batch length is less than a header's";
	if (batch_length > PG_INT32_MAX - RECORD_BATCH_LOG_OVERHEAD)
		return "batch length is out of range";

	header->base_offset = get_int64(batch + AT_BASE_OFFSET);
	header->length = batch_length + RECORD_BATCH_LOG_OVERHEAD;
	header->leader_epoch = get_int32(batch + AT_LEADER_EPOCH);
	header->crc = (uint32) get_int32(batch + AT_CRC);
	header->attributes = get_int16(batch + AT_ATTRIBUTES);
	header->last_offset_delta = get_int32(batch + AT_LAST_OFFSET_DELTA);
	header->base_timestamp = get_int64(batch + AT_BASE_TIMESTAMP);
	header->max_timestamp = get_int64(batch + AT_MAX_TIMESTAMP);
	header->producer_id = get_int64(batch + AT_PRODUCER_ID);
	header->producer_epoch = get_int16(batch + AT_PRODUCER_EPOCH);
	header->base_sequence = get_int32(batch + AT_BASE_SEQUENCE);
	header->record_count = get_int32(batch + AT_RECORD_COUNT);
	return header_problem(header);
}

const char *
pgt_record_batch_check_crc(const char *batch, const RecordBatchHeader *header)
{
	if (!EQ_CRC32C(batch_crc(batch, header->length), header->crc))
		return "batch checksum does not match its content";
	return NULL;
}

void
pgt_record_iterator_init(RecordIterator *it, const RecordBatchHeader *header,
						 const char *records, size_t length)
{
	it->next = records;
	it->end = records + length;
	it->base_offset = header->base_offset;
	it->base_timestamp = header->base_timestamp;
	it->fixed_timestamp = header->max_timestamp;
	it->has_fixed_timestamp = (header->attributes & BATCH_ATTR_LOG_APPEND_TIME) != 0;
	it->last_offset_delta = header->last_offset_delta;
	it->previous_delta = -1;
	it->remaining = header->record_count;
	it->problem = NULL;
	if (header->record_count < 0 || (size_t) header->record_count > length / RECORD_MIN_SIZE)
		it->problem = "record count is more than the batch can hold";
}

/*
 * Decode attributes, timestamp and offset, and set it->previous_delta.  NULL or the
 * problem.  The sum of the timestamps wraps around at 64 bits, as in Kafka, so any two
 * timestamps fit one batch.
 */
static inline const char *
decode_place(RecordIterator *it, const char **src, const char *end, Record *record)
{
	int64		timestamp_delta;
	int32		offset_delta;

	if (*src == end)
		return "record is cut off before its attributes";
	(*src)++;
	if (!get_int64_varint(src, end, &timestamp_delta))
		return "record timestamp is damaged";
	if (it->has_fixed_timestamp)
		record->timestamp = it->fixed_timestamp;
	else
		record->timestamp = (int64) ((uint64) it->base_timestamp + (uint64) timestamp_delta);
	if (!get_int32_varint(src, end, &offset_delta))
		return "record offset is damaged";
	if (offset_delta < 0 || offset_delta > it->last_offset_delta)
		return "record offset is outside the batch";
	if (offset_delta <= it->previous_delta)
		return "record offsets do not ascend";
	it->previous_delta = offset_delta;
	record->offset = it->base_offset + offset_delta;
	return NULL;
}

/* Walk the headers, which must end where the record does.  NULL or the problem. */
static const char *
check_headers(const char *headers, const char *end, int32 count)
{
	RecordHeader header;

	if (count > (end - headers) / HEADER_MIN_SIZE)
		return "record header count is more than the record can hold";
	for (; count > 0; count--)
	{
		if (!pgt_record_header_decode(&headers, end, &header))
			return "record header is damaged";
	}
	if (headers != end)
		return "record has bytes left over after its headers";
	return NULL;
}

/* Decode a record's bytes behind its length.  NULL or the problem. */
static inline const char *
decode_record(RecordIterator *it, const char *src, const char *end, Record *record)
{
	const char *problem = decode_place(it, &src, end, record);

	if (unlikely(problem))
		return problem;
	if (!get_bytes(&src, end, &record->key, &record->key_length))
		return "record key is damaged or passes the end of the record";
	if (!get_bytes(&src, end, &record->value, &record->value_length))
		return "record value is damaged or passes the end of the record";
	if (!get_int32_varint(&src, end, &record->header_count) || record->header_count < 0)
		return "record header count is damaged";
	record->headers = src;
	record->headers_length = (int32) (end - src);
	if (record->header_count == 0 && src == end)
		return NULL;
	return check_headers(src, end, record->header_count);
}

bool
pgt_record_iterator_next(RecordIterator *it, Record *record)
{
	const char *src = it->next;
	int32		length;

	if (unlikely(it->problem))
		return false;
	if (it->remaining == 0)
	{
		if (src != it->end)
			it->problem = "batch has bytes left over after its last record";
		return false;
	}
	if (!get_int32_varint(&src, it->end, &length) || length < 0)
		it->problem = "record length is damaged";
	else if (length > it->end - src)
		it->problem = "record length passes the end of the batch";
	else
		it->problem = decode_record(it, src, src + length, record);
	if (unlikely(it->problem))
		return false;
	record->encoded_length = (int32) (src + length - it->next);
	it->next = src + length;
	it->remaining--;
	return true;
}

bool
pgt_record_header_decode(const char **headers, const char *end, RecordHeader *header)
{
	const char *src = *headers;

	if (!get_bytes(&src, end, &header->key, &header->key_length) || header->key_length < 0)
		return false;
	if (!get_bytes(&src, end, &header->value, &header->value_length))
		return false;
	*headers = src;
	return true;
}
