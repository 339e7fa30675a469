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

/* Setting for tests: how far transaction ids may run ahead of resolving. */
extern int	pgt_max_xid_distance;

/*
 * Append one sealed batch and return its base offset.  Takes the slot's lock
 * for the time of the writes; nothing is flushed but while no sync process
 * runs.  ERROR (nothing logged, nothing changed) where the disk is full, the
 * required offset is below the log end, or xid is too far from the oldest
 * unresolved one.
 */
extern int64 pgt_log_writer_append(PartitionState *state, const LogConfig *config,
								   AppendRequest *request, FullTransactionId xid);

/*
 * Start a new active segment, unless the active one is empty.  Not logged: the
 * next record that depends on it tells redo.
 */
extern void pgt_log_writer_roll(PartitionState *state);

/*
 * Remove everything below "offset" (at most the log end) by whole segments;
 * the active one is replaced first where it goes too.  Acts at once and is not
 * undone by a rollback.  "exclusive": the caller holds AccessExclusiveLock on
 * the topic, so that the files' space can be given back whoever has them open.
 * Returns the number of segments removed.
 */
extern int	pgt_log_writer_delete_before(PartitionState *state, int64 offset, bool exclusive);

/* Remove all records if the log still ends at "log_end_offset"; else do nothing and return 0. */
extern int	pgt_log_writer_delete_idle(PartitionState *state, int64 log_end_offset);

/*
 * Remove the segments below the log start that are still there: a crash or a
 * failed unlink left them.  The caller keeps others from deleting.
 */
extern int	pgt_log_writer_collect_deleted(PartitionState *state);

/*
 * Take slots for a topic's partitions from "first" to below "end" and log that, so
 * that they are its own on standbys and after a crash; those that are there
 * stay.  False, with nothing changed, where there is no room: *room says why.
 * The caller gives them back should the transaction fail.
 */
extern bool pgt_log_writer_reserve(Oid database, Oid topic, int32 first, int32 end, PartitionRoom *room);

/*
 * Remove a dropped topic's files and slots (topic InvalidOid: the whole
 * database's).  Called after the dropping transaction has committed or by who
 * found an orphan.  Trouble with files is a WARNING and left for the
 * collection of orphans.
 */
extern void pgt_log_writer_drop(Oid database, Oid topic);

/* The same of the topic's partitions from "first" on alone. */
extern void pgt_log_writer_drop_partitions(Oid database, Oid topic, int32 first);

/*
 * Is there something of that topic (InvalidOid: of the database) that pgt_log_writer_drop()
 * would remove: a slot, or a directory of one of so many partitions?  Every segment
 * that was there when the server started has a slot.
 */
extern bool pgt_log_writer_has_log(Oid database, Oid topic, int partitions);

/* ---- for the sync process ------------------------------------------------ */

/*
 * Flag the aborted batches in "progress" (ResolvedPartition, AbortedEntry...)*,
 * durably.  ERROR where that fails: then it must not be logged.
 */
extern void pgt_log_writer_flag_aborted(const char *progress, int length);

/* Log progress whose aborted batches are flagged, and publish it. */
extern void pgt_log_writer_log_resolved(const char *progress, int length);

/*
 * Log the settings that it takes to replay what this server logs, if the last that
 * did so had others.  Flushed, so that standbys know before they need it.
 */
extern void pgt_log_writer_log_settings(void);

#endif							/* LOG_WRITER_H */
