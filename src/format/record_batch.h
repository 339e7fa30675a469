/*
 * record_batch.h
 *	  Kafka's record batch, format version 2: encoding and decoding.
 *
 * A batch is a header of 61 bytes and its records, all integers big-endian:
 *
 *	  0  baseOffset            i64   outside the CRC, set under the append lock
 *	  8  batchLength           i32   length of the whole batch - 12
 *	 12  partitionLeaderEpoch  i32   outside the CRC, set with the offset: the WAL's timeline
 *	 16  magic                 i8    2
 *	 17  crc                   u32   CRC-32C of byte 21 to the end
 *	 21  attributes            i16   codec, timestamp type, flags: BATCH_ATTR_*
 *	 23  lastOffsetDelta       i32
 *	 27  baseTimestamp         i64   milliseconds since 1970
 *	 35  maxTimestamp          i64
 *	 43  producerId            i64   of an idempotent producer; our own batches have -1
 *	 51  producerEpoch         i16   likewise
 *	 53  baseSequence          i32   likewise
 *	 57  recordsCount          i32
 *	 61  records                     the only part that is compressed
 *
 * These functions work on bytes only: no I/O, no locks, no palloc, no ereport, so
 * that the unit test and the fuzzer run them without a server.  A function that checks
 * returns NULL, or a constant string that says what is damaged.
 */
#ifndef RECORD_BATCH_H
#define RECORD_BATCH_H

#include "format/compression.h"

#define RECORD_BATCH_HEADER_SIZE	61
#define RECORD_BATCH_LOG_OVERHEAD	12	/* baseOffset and batchLength */
#define RECORD_BATCH_MAGIC			2

/*
 * A batch's uncompressed records take less than this, which is also the maximum of
 * max.message.bytes.  So no compressed bytes, sound or damaged, make a reader take
 * more memory.
 */
#define RECORD_BATCH_MAX_SIZE		(256 * 1024 * 1024)

#define BATCH_ATTR_CODEC_MASK		0x07
#define BATCH_ATTR_LOG_APPEND_TIME	0x08
#define BATCH_ATTR_TRANSACTIONAL	0x10
#define BATCH_ATTR_CONTROL			0x20
#define BATCH_ATTR_DELETE_HORIZON	0x40

/* The decoded fixed part of a batch. */
typedef struct RecordBatchHeader
{
	int64		base_offset;
	int32		length;			/* of the whole batch, header included */
	int32		leader_epoch;	/* the timeline on which it was appended; 0: appended before there were epochs */
	uint32		crc;			/* as stored; ignored by encode */
	int16		attributes;
	int32		last_offset_delta;
	int64		base_timestamp;
	int64		max_timestamp;
	int64		producer_id;	/* NO_PRODUCER_ID: the next two are -1 as well */
	int16		producer_epoch;
	int32		base_sequence;
	int32		record_count;
} RecordBatchHeader;

#define NO_PRODUCER_ID		((int64) -1)

/* For the header of a batch that no idempotent producer has made. */
static inline void
pgt_record_batch_set_no_producer(RecordBatchHeader *header)
{
	header->producer_id = NO_PRODUCER_ID;
	header->producer_epoch = -1;
	header->base_sequence = -1;
}

/* One record.  The pointers are the maker's: they point into the iterated bytes, or into a producer's memory. */
typedef struct Record
{
	int64		offset;			/* absolute */
	int64		timestamp;		/* milliseconds since 1970 */
	const char *key;
	int32		key_length;		/* -1: null key */
	const char *value;
	int32		value_length;	/* -1: null value, a tombstone */
	const char *headers;		/* header_count encoded headers */
	int32		headers_length;
	int32		header_count;
	int32		encoded_length; /* of a decoded record: its bytes in the uncompressed batch */
} Record;

/* One record header; a null value has length -1. */
typedef struct RecordHeader
{
	const char *key;
	int32		key_length;
	const char *value;
	int32		value_length;
} RecordHeader;

/* A walk over the uncompressed records of one batch. */
typedef struct RecordIterator
{
	const char *next;
	const char *end;
	int64		base_offset;
	int64		base_timestamp;
	int64		fixed_timestamp;	/* the batch's, where it has LogAppendTime */
	bool		has_fixed_timestamp;
	int32		last_offset_delta;
	int32		previous_delta; /* the last record's offset - base_offset; -1 before the first */
	int32		remaining;		/* records still to come */
	const char *problem;		/* set when the walk met damage */
} RecordIterator;

/* ---- encoding ------------------------------------------------------------ */

/*
 * An upper bound of the bytes that pgt_record_encode() writes, whatever the deltas
 * are.  If it is more than PG_INT32_MAX, no batch can hold the record.
 */
extern size_t pgt_record_size(const Record *record);

/*
 * Write the record, with offset and timestamp given by the deltas, and return the first
 * byte behind it.  pgt_record_timestamp_delta() makes timestamp_delta.
 *
 * REQUIRES: room for pgt_record_size() bytes, which is at most PG_INT32_MAX.
 */
extern char *pgt_record_encode(char *dst, const Record *record,
							   int64 timestamp_delta, int32 offset_delta);

/* The difference of a record's timestamp to the base timestamp; it wraps around at 64 bits, as in Kafka. */
static inline int64
pgt_record_timestamp_delta(int64 base_timestamp, int64 timestamp)
{
	return (int64) ((uint64) timestamp - (uint64) base_timestamp);
}

/* The exact size of an encoded record header. */
extern size_t pgt_record_header_size(const RecordHeader *header);

/* Write a record header, whose key is not null, and return the byte behind it. */
extern char *pgt_record_header_encode(char *dst, const RecordHeader *header);

/*
 * Write the 61 header bytes of a batch whose header->length bytes (header
 * included) stand at "batch", and its CRC.  header->crc is ignored.
 */
extern void pgt_record_batch_seal(char *batch, const RecordBatchHeader *header);

/* Set baseOffset.  It is outside the CRC, so this may be done at any time. */
extern void pgt_record_batch_set_base_offset(char *batch, int64 base_offset);

/* Set partitionLeaderEpoch, which is outside the CRC, too. */
extern void pgt_record_batch_set_leader_epoch(char *batch, int32 leader_epoch);

/*
 * Set maxTimestamp of a sealed batch of "length" bytes, and correct its CRC.  Takes two
 * microseconds at most, however long the batch is.
 */
extern void pgt_record_batch_set_max_timestamp(char *batch, size_t length, int64 timestamp);

/*
 * The same, and make the batch one of LogAppendTime, whoever has sealed it: maxTimestamp is the
 * time of all of its records then.
 */
extern void pgt_record_batch_set_append_time(char *batch, size_t length, int64 timestamp);

/* ---- decoding ------------------------------------------------------------ */

/*
 * Decode the header and check magic, lengths and counts.  Reads only the first
 * RECORD_BATCH_HEADER_SIZE bytes, so header->length may be more than "available":
 * the caller compares the two before it reads the rest.  If there is a problem,
 * *header is undefined.
 */
extern const char *pgt_record_batch_read_header(const char *batch, size_t available,
												RecordBatchHeader *header);

/*
 * Check the CRC.
 *
 * REQUIRES: header is of this batch, and header->length bytes are there.
 */
extern const char *pgt_record_batch_check_crc(const char *batch,
											  const RecordBatchHeader *header);

/*
 * Begin a walk over the "length" bytes of a batch's uncompressed records, which must
 * outlive the walk.  The header is one that pgt_record_batch_read_header() found
 * good.  A record count that these bytes cannot hold is a problem at once.
 */
extern void pgt_record_iterator_init(RecordIterator *it, const RecordBatchHeader *header,
									 const char *records, size_t length);

/*
 * Set *record to the next record; its pointers point into the iterated bytes.  It is
 * sound as a whole, its headers included.  False at the end, and once damage was
 * met: then it->problem says what is wrong, and *record is undefined.  Bytes left over
 * after the last record are damage, too.
 */
extern bool pgt_record_iterator_next(RecordIterator *it, Record *record);

/*
 * Split the first encoded header off *headers.  False, with *headers unchanged, if it is
 * damaged; a null key is damage, a null value is not.
 */
extern bool pgt_record_header_decode(const char **headers, const char *end,
									 RecordHeader *header);

/*
 * Zigzag varints of 32 bits (up to 5 bytes) and 64 bits (up to 10 bytes), exposed for
 * their test vectors.  Encoding returns the byte behind the varint.  Decoding advances
 * *src; it returns false, with *src unchanged, if the bytes end before the varint
 * does, or the number is too large.
 */
extern char *pgt_record_encode_varint(char *dst, int32 value);
extern char *pgt_record_encode_varlong(char *dst, int64 value);
extern bool pgt_record_decode_varint(const char **src, const char *end, int32 *value);
extern bool pgt_record_decode_varlong(const char **src, const char *end, int64 *value);

#endif							/* RECORD_BATCH_H */
