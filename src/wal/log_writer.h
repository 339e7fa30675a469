/*
 * log_writer.h
 *	  Changes to the logs that go through the WAL, and their redo.
 *
 * Layer 3.
 */
#ifndef LOG_WRITER_H
#define LOG_WRITER_H

#include "lib/stringinfo.h"
#include "log/partition_log.h"

#define NO_OFFSET	((int64) -1)

/* Offsets stay so far below the largest int64 that no batch can pass it. */
#define MAX_OFFSET	(PG_INT64_MAX - PG_UINT32_MAX)

/*
 * The largest offset that a record may ask for.  What is left above it cannot be
 * used up by counting, so no offset that somebody gives ends a partition.
 */
#define MAX_EXPLICIT_OFFSET	(INT64CONST(1) << 62)

/* Setting for tests: how far transaction ids may run ahead of resolving. */
extern int	pgt_max_xid_distance;

/* What a transaction has appended to a partition; zeros: nothing. */
typedef struct OwnRange
{
	int64		first;			/* its first offset there */
	int64		end;			/* behind its last; others' may stand between */
} OwnRange;

/*
 * Append sealed batches of a transaction, one behind the other, and set their base
 * offsets.  Takes the slot's lock for the time of the writes, so they should be few;
 * nothing is flushed but while no sync process runs.  ERROR (the batch that meets it,
 * and those after it, are not logged) where the disk is full, the required offset is
 * below the log end, or xid is too far from the oldest unresolved one.
 */
extern void pgt_log_append(PartitionState *state, const LogConfig *config, AppendRequest *requests,
						   int count, FullTransactionId xid, OwnRange *own);

/*
 * Start a new active segment, unless the active one is empty.  Not logged: the
 * next record that depends on it tells redo.
 */
extern void pgt_log_roll(PartitionState *state);

/*
 * Remove everything below "offset" (at most the log end) by whole segments;
 * the active one is replaced first where it goes too.  Acts at once and is not
 * undone by a rollback.  "exclusive": the caller holds AccessExclusiveLock on
 * the topic, so that the files' space can be given back whoever has them open.
 * Returns the number of segments removed.
 */
extern int	pgt_log_delete_before(PartitionState *state, int64 offset, bool exclusive);

/* Remove all records if the log still ends at "log_end_offset"; else do nothing and return 0. */
extern int	pgt_log_delete_idle(PartitionState *state, int64 log_end_offset);

/*
 * Remove the segments below the log start that are still there: a crash or a
 * failed unlink left them.  The caller keeps others from deleting.
 */
extern int	pgt_log_collect_deleted(PartitionState *state);

/*
 * Take slots for a topic's partitions from "first" to below "end" and log that, so
 * that they are its own on standbys and after a crash; those that are there
 * stay.  False, with nothing changed, where there is no room: *room says why.
 * The caller gives them back should the transaction fail.
 */
extern bool pgt_log_reserve(Oid database, Oid topic, int32 first, int32 end, PartitionRoom *room);

/*
 * Remove a dropped topic's files and slots (topic InvalidOid: the whole
 * database's).  Called after the dropping transaction has committed or by who
 * found an orphan.  Trouble with files is a WARNING and left for the
 * collection of orphans.
 */
extern void pgt_log_drop(Oid database, Oid topic);

/* The same of the topic's partitions from "first" on alone. */
extern void pgt_log_drop_partitions(Oid database, Oid topic, int32 first);

/* ---- for the sync process ------------------------------------------------ */

/* One partition's progress in resolving, and the aborted batches met. */
typedef struct AbortedEntry
{
	int64		segment_base;
	uint32		entry;
	uint32		unused;			/* 0: what is logged has no padding */
} AbortedEntry;

typedef struct ResolvedPartition
{
	TopicPartition key;
	uint32		aborted_count;	/* AbortedEntry's that follow */
	int64		resolved_offset;
	uint64		max_xid;		/* largest transaction id passed */
} ResolvedPartition;

/*
 * Flag the aborted batches in "progress" (ResolvedPartition, AbortedEntry...)*,
 * durably.  ERROR where that fails: then it must not be logged.
 */
extern void pgt_log_flag_aborted(const char *progress, int length);

/* Log progress whose aborted batches are flagged, and publish it. */
extern void pgt_log_resolve(const char *progress, int length);

/* Log that all appends so far are on disk, and flush that record. */
extern void pgt_log_write_sync_record(void);

/*
 * Log the settings that it takes to replay what this server logs, if the last that
 * did so had others.  Flushed, so that standbys know before they need it.
 */
extern void pgt_log_write_settings(void);

/* ---- log_apply.c --------------------------------------------------------- */

/*
 * Are there slots of that topic (InvalidOid: of the database) or directories of
 * so many of its partitions?  Each segment there was when the server started has a
 * slot.  Quick however many other topics there are: no directory is read.
 */
extern bool pgt_log_exists(Oid database, Oid topic, int partitions);

/* ---- log_redo.c ---------------------------------------------------------- */

extern void pgt_log_wal_init(void); /* registers the resource manager */

#endif							/* LOG_WRITER_H */
