/*
 * visible_end.h
 *	  The end of what a snapshot can read of a partition in order.
 */
#ifndef VISIBLE_END_H
#define VISIBLE_END_H

#include "log/partition_log.h"
#include "utils/snapshot.h"

/* In place of an id, for an open Kafka transaction: nobody can wait for it as for a transaction. */
#define VISIBLE_END_KAFKA_TXN	FrozenTransactionId

/*
 * The offset behind the last record that can be read in order: the last stable offset as
 * of the snapshot, where a reader stops by itself.  Consumers go by it, since they read in
 * order and go on behind it later: consume(), the seek functions, pg_topic_partitions,
 * delete_records().  A part of a transaction may lie before it and the rest behind; code
 * that shows the log as a table takes pgt_whole_end() (whole_end.h) instead.  *blocker is
 * the transaction that keeps the rest from being read, or InvalidTransactionId if the
 * log's end was reached.  An open Kafka transaction, which has no id yet, is
 * VISIBLE_END_KAFKA_TXN.
 *
 * This looks only at batches that are not resolved yet, however old the oldest running
 * transaction is.  But for a snapshot that is older than the resolving it goes through
 * the log's index, which takes about a quarter of a second for a million batches.
 */
extern int64 pgt_visible_end(const TopicPartition *key, Snapshot snapshot, TransactionId *blocker);

/*
 * The same by bounds of the partition that the caller has copied since the snapshot was
 * taken.  If they say that all is resolved, no file is looked at.
 */
extern int64 pgt_visible_end_by(const TopicPartition *key, const LogBounds *bounds, Snapshot snapshot,
								TransactionId *blocker);

/*
 * Where a reader of the records from "offset" to below "end" would stop by itself: at the
 * first batch of a transaction that is running as of the snapshot, or at "end".  It goes
 * through the index from "offset" on.
 */
extern int64 pgt_visible_end_between(const TopicPartition *key, int64 offset, int64 end, Snapshot snapshot);

/*
 * Does the snapshot see the transaction of any batch at or past an offset?  If "offset" is
 * the visible end, such a batch lies behind one of a running transaction: its records
 * cannot be read yet, but rows that the same transaction wrote can.
 */
extern bool pgt_visible_end_sees_behind(const TopicPartition *key, Snapshot snapshot, int64 offset);

#endif							/* VISIBLE_END_H */
