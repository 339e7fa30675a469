/*
 * log_record.h
 *	  The logs' WAL records, and the changes that inserting one and replaying it
 *	  have in common.
 *
 * Private to log_wal.c, log_apply.c and log_redo.c.  Layer 3.
 */
#ifndef LOG_RECORD_H
#define LOG_RECORD_H

#include "log_wal.h"

/* The record's type, in the info bits that belong to the resource manager. */
#define XLOG_PGT_APPEND		0x00
#define XLOG_PGT_SYNC		0x10
#define XLOG_PGT_RESOLVE	0x20
#define XLOG_PGT_DELETE		0x30
#define XLOG_PGT_DROP		0x40

#define APPEND_SELF_SYNCED	0x01

#define DELETE_EXCLUSIVE	0x01	/* nobody was reading: give the space back at once */

/* The batch follows. */
typedef struct xl_pgt_append
{
	TopicPartition key;
	uint32		flags;
	int64		segment_base;
	uint32		position;
	uint32		entry;
	uint64		xid;
	int64		min_timestamp;
	int64		largest_timestamp;
	int64		previous_end;	/* the log end before */
} xl_pgt_append;

typedef struct xl_pgt_delete
{
	TopicPartition key;
	uint32		flags;			/* DELETE_* */
	int64		log_start_offset;
	int64		active_base;	/* a roll may have come with it */
} xl_pgt_delete;

typedef struct xl_pgt_drop
{
	Oid			database;
	Oid			topic;			/* InvalidOid: all of the database */
} xl_pgt_drop;

/* ---- log_apply.c --------------------------------------------------------- */

/* Unlink the finished segments that lie wholly below the log start; returns how many. */
extern int	pgt_apply_unlink_below(PartitionState *state, int64 log_start_offset, int64 active_base,
								   bool exclusive);

/* Move the log start up; caller holds the slot's lock exclusively. */
extern void pgt_apply_log_start(PartitionState *state, int64 log_start_offset);

/* Forget the slots of a topic (InvalidOid: of the database) and remove its directories. */
extern void pgt_apply_drop(Oid database, Oid topic);

/*
 * Flag the aborted batches of what a RESOLVE record holds, durably.  In
 * recovery damage is reported and passed over; otherwise it is an ERROR.
 */
extern void pgt_apply_aborted(const char *progress, int length);

/* Publish the progress that the RESOLVE record ending at "lsn" holds. */
extern void pgt_apply_resolved(const char *progress, int length, XLogRecPtr lsn);

#endif							/* LOG_RECORD_H */
