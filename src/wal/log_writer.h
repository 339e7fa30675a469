/*
 * log_writer.h
 *	  Changing the logs through the WAL.
 */
#ifndef LOG_WRITER_H
#define LOG_WRITER_H

#include "lib/stringinfo.h"
#include "log/partition_log.h"

/* The setting pg_topics.max_xid_distance, for tests: how far transaction ids may run ahead of resolving. */
extern int	pgt_max_xid_distance;

/* What a transaction has appended to a partition; zeros: nothing. */
typedef struct LogWriterRange
{
	int64		first;			/* its first offset there */
	int64		end;			/* behind its last; others' may stand between */
} LogWriterRange;

/*
 * Append sealed batches of a transaction, one behind the other, and set their base
 * offsets and outcomes.  A batch of an idempotent producer whose numbers do not go on is not
 * appended, which is an outcome and no error, and those behind it are tried all the same.
 * Takes the slot's lock for the time of the writes, so they should be few;
 * nothing is flushed but while no sync process runs.  ERROR where the disk is full, the
 * required offset is below the log end, or xid is too far from the oldest unresolved one: then
 * the batch that meets it, and those after it, are not logged, as their "outcome" tells.
 */
extern void pgt_log_writer_append(PartitionState *state, const LogConfig *config, LogAppendRequest *requests,
								  int count, FullTransactionId xid, LogWriterRange *own);

/*
 * The same for batches of a Kafka transaction, all of its producer, under its number
 * (kafka_txn.h).  No transaction of the server is needed, and none gets an id.  If the Kafka
 * transaction is not open, or not of that producer and epoch, nothing is appended, which is an
 * outcome as well.  ERROR in addition where the table of Kafka transactions has no room.
 */
extern void pgt_log_writer_append_numbered(PartitionState *state, const LogConfig *config,
										   LogAppendRequest *requests, int count, uint64 number);

/*
 * Start a new active segment, unless the active one is empty.  This is not logged: the next
 * record that depends on it tells redo.
 */
extern void pgt_log_writer_roll(PartitionState *state);

/*
 * Move the log start to "offset" (at most the log end), and remove the segments that lie
 * wholly below it; if the active one is among them, the log rolls first.  This acts
 * at once, and a rollback does not undo it.  "exclusive": the caller holds
 * AccessExclusiveLock on the topic, so the files' disk space can be freed even if a process
 * has them open.  Returns the number of segments removed.
 */
extern int	pgt_log_writer_delete_before(PartitionState *state, int64 offset, bool exclusive);

/* Remove all records if the log still ends at "log_end_offset"; otherwise do nothing and return 0. */
extern int	pgt_log_writer_delete_idle(PartitionState *state, int64 log_end_offset);

/*
 * Remove segments below the log start that are still there because of a crash or a failed
 * unlink.  The caller keeps other processes from deleting.
 */
extern int	pgt_log_writer_collect_deleted(PartitionState *state);

/*
 * Take slots for those of a topic's partitions from "first" to end - 1 that have none yet,
 * and log that, so that the topic has them on standbys and after a crash.  If there is
 * no room, return false with nothing changed; *room says why.  The caller gives the slots
 * back if the transaction fails.
 */
extern bool pgt_log_writer_reserve(Oid database, Oid topic, int32 first, int32 end, PartitionRoom *room);

/*
 * Remove the files and slots of a topic (InvalidOid: of the database).  Called after the
 * transaction that drops it has committed, or when orphaned files were found.
 * Trouble with files is a WARNING; the collection of orphaned files tries again.
 */
extern void pgt_log_writer_drop(Oid database, Oid topic);

/* Remove the files and slots of the topic's partitions from "first" on. */
extern void pgt_log_writer_drop_partitions(Oid database, Oid topic, int32 first);

/*
 * Does the topic (InvalidOid: the database) have something that pgt_log_writer_drop() would
 * remove: a slot, or a directory of one of its first "partitions" partitions?  Every
 * partition that had segments when the server started has a slot.
 */
extern bool pgt_log_writer_has_log(Oid database, Oid topic, int partitions);

/* ---- for the sync process ------------------------------------------------ */

/*
 * Flag the aborted batches in "progress", the contents of a RESOLVE record (wal_record.h),
 * durably.  ERROR if that fails: then the progress must not be logged.
 */
extern void pgt_log_writer_flag_aborted(const char *progress, int length);

/*
 * Log durably that the entries of Kafka transactions' batches that "settled" names, the contents of a
 * SETTLE record, are written anew, and do so, durably.  ERROR if that fails.
 */
extern void pgt_log_writer_settle(const char *settled, int length);

/* Log that the numbers are in no entry of the partition any more that "settled" names, the contents of a KAFKA_SETTLED record, and forget them. */
extern void pgt_log_writer_log_kafka_settled(const char *settled, int length);

/* Log progress whose aborted batches have been flagged, and publish it. */
extern void pgt_log_writer_log_resolved(const char *progress, int length);

/*
 * Log the settings that a server needs to replay this server's records, unless they were
 * logged already.  The record is flushed, so that standbys have it before they need it.
 */
extern void pgt_log_writer_log_settings(void);

#endif							/* LOG_WRITER_H */
