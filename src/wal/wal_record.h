/*
 * wal_record.h
 *	  The layouts of the logs' WAL records.
 */
#ifndef WAL_RECORD_H
#define WAL_RECORD_H

#include "access/xloginsert.h"
#include "access/xlogreader.h"
#include "format/segment_index.h"
#include "format/topic_partition.h"
#include "util/format_version.h"
#include "utils/memdebug.h"

/*
 * The first byte of each record is the version of the layouts of all of them, which
 * one number counts.  The byte's place never changes; all behind it may.  A newer
 * library replays older versions as far as PGT_WAL_OLDEST_VERSION says; an older one
 * refuses newer WAL, see format_version.h.
 */
#define PGT_WAL_VERSION			1

/* The versions that this library reads, for pgt_format_version_check_wal(). */
#define PGT_WAL_VERSIONS		((FormatVersions) {"its WAL records", PGT_WAL_OLDEST_VERSION, PGT_WAL_VERSION})
#define PGT_WAL_OLDEST_VERSION	1

/* The record's type, in the info bits that belong to the resource manager. */
#define XLOG_PGT_APPEND		0x00
#define XLOG_PGT_SYNC		0x10
#define XLOG_PGT_RESOLVE	0x20
#define XLOG_PGT_DELETE		0x30
#define XLOG_PGT_DROP		0x40
#define XLOG_PGT_REWRITE	0x50
#define XLOG_PGT_SWAP		0x60
#define XLOG_PGT_DISCARD	0x70
#define XLOG_PGT_SETTINGS	0x80
#define XLOG_PGT_RESERVE	0x90
#define XLOG_PGT_PRODUCER_IDS	0xA0
#define XLOG_PGT_KAFKA_BEGIN	0xB0
#define XLOG_PGT_KAFKA_END	0xC0
#define XLOG_PGT_SETTLE		0xD0
#define XLOG_PGT_KAFKA_SETTLED	0xE0

#define APPEND_SELF_SYNCED			0x01
/* which optional int64's follow; each is left out if it equals what the batch's header says */
#define APPEND_MIN_TIMESTAMP		0x02	/* else the base timestamp */
#define APPEND_LARGEST_TIMESTAMP	0x04	/* else the batch's largest */
#define APPEND_PREVIOUS_END			0x08	/* else the base offset */
#define APPEND_FIRST_OFFSET			0x10	/* the transaction's in the partition; else the base offset */
#define APPEND_OPTIONAL				4
/* batches of others stand between it and one of its transaction before */
#define APPEND_INTERLEAVED			0x20
/* the log was empty and starts at this batch, past where it ended */
#define APPEND_STARTS_LOG			0x40
/* nothing was known of its idempotent producer */
#define APPEND_STARTS_PRODUCER		0x80

#define REWRITE_FIRST		0x01	/* the first chunk: redo makes the segment anew */
#define REWRITE_SELF_SYNCED	0x02	/* no SYNC record will follow: redo must fsync */

#define DELETE_EXCLUSIVE	0x01	/* no process was reading: redo frees the space at once */

/*
 * APPEND.  The optional int64's that "flags" names follow in the order of the flags, then
 * the batch.  They are optional because the usual transaction appends one record, and
 * should not log much more than that record.
 */
typedef struct xl_pgt_append
{
	TopicPartition key;
	uint32		flags;			/* APPEND_* */
	int64		segment_base;
	uint32		position;
	uint32		entry;
	uint64		xid;			/* or the number of a Kafka transaction, as in the entry */
} xl_pgt_append;

/* How many bytes the optional values of an APPEND take. */
static inline Size
pgt_wal_record_optional_length(const xl_pgt_append *xlrec)
{
	return sizeof(int64) * (((xlrec->flags & APPEND_MIN_TIMESTAMP) != 0) +
							((xlrec->flags & APPEND_LARGEST_TIMESTAMP) != 0) +
							((xlrec->flags & APPEND_PREVIOUS_END) != 0) +
							((xlrec->flags & APPEND_FIRST_OFFSET) != 0));
}

/* DELETE: the log start moved up. */
typedef struct xl_pgt_delete
{
	TopicPartition key;
	uint32		flags;			/* DELETE_* */
	int64		log_start_offset;
	int64		deleted_end;	/* behind the last record that this or an earlier one deleted */
	int64		active_base;	/* a roll may have come with it */
} xl_pgt_delete;

/* REWRITE: batches of a segment that is being rewritten.  "entries" IndexEntry's follow, then log bytes. */
typedef struct xl_pgt_rewrite
{
	TopicPartition key;
	uint32		flags;			/* REWRITE_* */
	SegmentId	id;
	SegmentSpan span;
	uint32		position;		/* of the bytes in the log */
	uint32		first_entry;
	uint32		entries;
	uint32		length;			/* of the log bytes */
} xl_pgt_rewrite;

/* SWAP: a rewritten segment replaces others, whose SegmentId's follow. */
typedef struct xl_pgt_swap
{
	TopicPartition key;
	uint32		replaced;
	SegmentId	id;
	uint32		entries;		/* that it must have */
	uint32		log_end;
	int64		active_base;	/* a roll may have come before */
} xl_pgt_swap;

/* DISCARD: a segment's files, which did not count, are gone. */
typedef struct xl_pgt_discard
{
	TopicPartition key;
	SegmentId	id;
} xl_pgt_discard;

/* DROP: the logs of a topic or a database are gone. */
typedef struct xl_pgt_drop
{
	Oid			database;
	Oid			topic;			/* InvalidOid: all of the database */
	int32		first_partition;	/* those before stay */
} xl_pgt_drop;

/* RESERVE: a topic's partitions from "first" to end - 1 have slots. */
typedef struct xl_pgt_reserve
{
	Oid			database;
	Oid			topic;
	int32		first;
	int32		end;
} xl_pgt_reserve;

/*
 * RESOLVE: how far one partition is resolved, and its aborted batches.  A record
 * holds one or more of these, each followed by its WalAbortedEntry's.
 */
typedef struct WalResolvedPartition
{
	TopicPartition key;
	uint32		aborted_count;	/* WalAbortedEntry's that follow */
	int64		resolved_offset;
	uint64		max_xid;		/* largest transaction id passed */
} WalResolvedPartition;

typedef struct WalAbortedEntry
{
	int64		segment_base;
	uint32		entry;
	uint32		unused;			/* 0: what is logged has no padding */
} WalAbortedEntry;

/* SETTINGS: settings of the server that writes the WAL, which a standby must match.  Older ones end early. */
typedef struct xl_pgt_settings
{
	int32		max_partitions;
	int32		kafka_max_transactions;
} xl_pgt_settings;

/* KAFKA_BEGIN: a producer has a Kafka transaction, of this number. */
typedef struct xl_pgt_kafka_begin
{
	uint64		number;
	int64		producer_id;
	int64		started;		/* TimestampTz */
	Oid			database;
	int16		producer_epoch;
	uint16		unused;			/* 0 */
} xl_pgt_kafka_begin;

#define KAFKA_END_ABORTED	0x01

/* KAFKA_END: it is mapped to a transaction of the server, or aborted in it.  One record may correct another. */
typedef struct xl_pgt_kafka_end
{
	uint64		number;
	uint64		xid;
	uint32		flags;			/* KAFKA_END_* */
	uint32		unused;			/* 0 */
} xl_pgt_kafka_end;

#define SETTLED_ABORTED		0x01

/*
 * SETTLE: entries of a partition have ids and outcomes in place of the numbers of Kafka
 * transactions.  "count" WalSettledEntry's follow.  Comes before the RESOLVE that is past them, and before a
 * KAFKA_SETTLED of their transactions.
 */
typedef struct xl_pgt_settle
{
	TopicPartition key;
	uint32		count;
} xl_pgt_settle;

typedef struct WalSettledEntry
{
	int64		segment_base;
	uint64		xid;
	uint32		entry;
	uint32		flags;			/* SETTLED_* */
} WalSettledEntry;

/*
 * KAFKA_SETTLED: no entry of a partition has the numbers any more that follow, "count" uint64's, of Kafka transactions that
 * have ended.
 */
typedef struct xl_pgt_kafka_settled
{
	TopicPartition key;
	uint32		count;
} xl_pgt_kafka_settled;

/* PRODUCER_IDS: numbers below "end" may have been given out (producer_ids.c). */
typedef struct xl_pgt_producer_ids
{
	uint64		end;
} xl_pgt_producer_ids;

/*
 * Add bytes to the WAL record that is being made.  All our logging goes through here, so
 * that valgrind reports bytes that were never set.  For files it does so by itself,
 * since it knows the system calls; the WAL is written by the server later.
 */
static inline void
pgt_wal_record_register(const void *bytes, uint32 length)
{
	VALGRIND_CHECK_MEM_IS_DEFINED(bytes, length);
	XLogRegisterData((char *) bytes, length);
}

/* Begin a record: XLogBeginInsert() with the version. */
static inline void
pgt_wal_record_begin(void)
{
	static const uint8 version = PGT_WAL_VERSION;

	XLogBeginInsert();
	pgt_wal_record_register(&version, sizeof(version));
}

/* A record's version, and what was registered behind it. */
static inline uint8
pgt_wal_record_version(XLogReaderState *record)
{
	return *(uint8 *) XLogRecGetData(record);
}

static inline char *
pgt_wal_record_data(XLogReaderState *record)
{
	return XLogRecGetData(record) + sizeof(uint8);
}

static inline uint32
pgt_wal_record_length(XLogReaderState *record)
{
	return XLogRecGetDataLen(record) - sizeof(uint8);
}

/* No record without a version, and none that is read with it: these are for the functions above. */
#undef XLogRecGetData
#undef XLogRecGetDataLen
#pragma GCC poison XLogBeginInsert XLogRecGetData XLogRecGetDataLen

#endif							/* WAL_RECORD_H */
