/*
 * wal_record.h
 *	  The logs' WAL records, and the changes that inserting one and replaying it
 *	  have in common.
 *
 * Private to log_writer.c, log_apply.c, log_redo.c and segment_rewrite.c.  Layer 3.
 */
#ifndef WAL_RECORD_H
#define WAL_RECORD_H

#include "access/xloginsert.h"
#include "access/xlogreader.h"
#include "utils/memdebug.h"
#include "wal/log_writer.h"

/*
 * The first byte of each record is the version of the layouts of all of them, which
 * one number counts.  The byte's place never changes; all behind it may.  A newer
 * library replays older versions as far as PGT_WAL_OLDEST_VERSION says; an older one
 * refuses newer WAL, see format_version.h.
 */
#define PGT_WAL_VERSION			1
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

#define APPEND_SELF_SYNCED			0x01
/* which of the int64's follow that are mostly what the batch's header says */
#define APPEND_MIN_TIMESTAMP		0x02	/* else the base timestamp */
#define APPEND_LARGEST_TIMESTAMP	0x04	/* else the batch's largest */
#define APPEND_PREVIOUS_END			0x08	/* else the base offset */
#define APPEND_OPTIONAL				3

#define REWRITE_FIRST		0x01	/* the segment is made, or made anew */
#define REWRITE_SELF_SYNCED	0x02	/* no SYNC record will come: redo must fsync */

#define DELETE_EXCLUSIVE	0x01	/* nobody was reading: give the space back at once */

/*
 * The int64's that "flags" tells of follow, in their order, then the batch.  A
 * transaction of one record is the usual case, and it should not log much more
 * than that record.
 */
typedef struct xl_pgt_append
{
	TopicPartition key;
	uint32		flags;			/* APPEND_* */
	int64		segment_base;
	uint32		position;
	uint32		entry;
	uint64		xid;
} xl_pgt_append;

typedef struct xl_pgt_delete
{
	TopicPartition key;
	uint32		flags;			/* DELETE_* */
	int64		log_start_offset;
	int64		deleted_end;	/* behind the last record that this or an earlier one deleted */
	int64		active_base;	/* a roll may have come with it */
} xl_pgt_delete;

/* Batches of a segment being rewritten: "entries" IndexEntry's follow, then log bytes. */
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

/* A rewritten segment takes the place of others, whose SegmentId's follow. */
typedef struct xl_pgt_swap
{
	TopicPartition key;
	uint32		replaced;
	SegmentId	id;
	uint32		entries;		/* that it must have */
	uint32		log_end;
	int64		active_base;	/* a roll may have come before */
} xl_pgt_swap;

/* A segment's files, which did not count, are gone. */
typedef struct xl_pgt_discard
{
	TopicPartition key;
	SegmentId	id;
} xl_pgt_discard;

typedef struct xl_pgt_drop
{
	Oid			database;
	Oid			topic;			/* InvalidOid: all of the database */
	int32		first_partition;	/* those before stay */
} xl_pgt_drop;

/* A topic's partitions from "first" to below "end" have slots. */
typedef struct xl_pgt_reserve
{
	Oid			database;
	Oid			topic;
	int32		first;
	int32		end;
} xl_pgt_reserve;

/* Settings of the server that writes the WAL, which a standby needs to follow. */
typedef struct xl_pgt_settings
{
	int32		max_partitions;
} xl_pgt_settings;

/*
 * Add bytes to the record being made: all that is logged goes through here, so that
 * valgrind says where a byte was never set.  Files need no such check, since it knows
 * the system calls, but those that write the WAL are not ours.
 */
static inline void
pgt_log_register(const void *bytes, uint32 length)
{
	VALGRIND_CHECK_MEM_IS_DEFINED(bytes, length);
	XLogRegisterData((char *) bytes, length);
}

/* Begin a record: XLogBeginInsert() with the version. */
static inline void
pgt_log_begin(void)
{
	static const uint8 version = PGT_WAL_VERSION;

	XLogBeginInsert();
	pgt_log_register(&version, sizeof(version));
}

/* A record's version, and what was registered behind it. */
static inline uint8
pgt_log_record_version(XLogReaderState *record)
{
	return *(uint8 *) XLogRecGetData(record);
}

static inline char *
pgt_log_record_data(XLogReaderState *record)
{
	return XLogRecGetData(record) + sizeof(uint8);
}

static inline uint32
pgt_log_record_length(XLogReaderState *record)
{
	return XLogRecGetDataLen(record) - sizeof(uint8);
}

/* No record without a version, and none that is read with it: these are for the functions above. */
#undef XLogRecGetData
#undef XLogRecGetDataLen
#pragma GCC poison XLogBeginInsert XLogRecGetData XLogRecGetDataLen

/* ---- log_redo.c ---------------------------------------------------------- */

/* The slot of a record's partition; recovery of a standby pauses where there is none left. */
extern PartitionState *pgt_redo_partition(const TopicPartition *key);

/* ---- segment_rewrite.c ------------------------------------------------------- */

extern void pgt_redo_rewrite(XLogReaderState *record);
extern void pgt_redo_swap(XLogReaderState *record);
extern void pgt_redo_discard(XLogReaderState *record);

/* Make durable what redo has rewritten; before a SYNC record counts. */
extern void pgt_redo_sync_rewritten(void);

/* ---- log_apply.c --------------------------------------------------------- */

/* Unlink the finished segments that lie wholly below the log start; returns how many. */
extern int	pgt_apply_unlink_below(PartitionState *state, int64 log_start_offset, int64 active_base,
								   bool exclusive);

/*
 * Move to the active segment that a record found, should its making be news to
 * this recovery: a roll alone is not logged.  Caller holds the slot's lock
 * exclusively.
 */
extern void pgt_apply_active_base(PartitionState *state, int64 active_base);

/* Move the log start up, and what is deleted; caller holds the slot's lock exclusively. */
extern void pgt_apply_log_start(PartitionState *state, int64 log_start_offset, int64 deleted_end);

/*
 * Forget the slots of a topic (InvalidOid: of the database) from that partition on
 * and remove their directories.
 */
extern void pgt_apply_drop(Oid database, Oid topic, int32 first_partition);

/*
 * Flag the aborted batches of what a RESOLVE record holds, durably.  In
 * recovery damage is reported and passed over; otherwise it is an ERROR.
 */
extern void pgt_apply_aborted(const char *progress, int length);

/* Publish the progress that the RESOLVE record ending at "lsn" holds. */
extern void pgt_apply_resolved(const char *progress, int length, XLogRecPtr lsn);

#endif							/* WAL_RECORD_H */
