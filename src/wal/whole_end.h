/*
 * whole_end.h
 *	  Where a statement that shows a partition's log as a table ends.
 *
 * Layer 4.
 */
#ifndef WHOLE_END_H
#define WHOLE_END_H

#include "log/partition_log.h"
#include "utils/snapshot.h"

/*
 * The end of what a statement with this snapshot sees of the partition: at most the
 * last stable offset, and no transaction has records that the snapshot sees on both
 * sides of it.  *blocker as for pgt_log_visible_end(), whose cost it has; where
 * batches of several transactions alternate before it, the walk is as long as they do.
 */
extern int64 pgt_whole_end(const TopicPartition *key, Snapshot snapshot, TransactionId *blocker);

/*
 * Must a reader that begins at "first_offset" be told that end?  Mostly one look at the
 * bounds says no: then it stops there by itself.
 */
extern bool pgt_needs_whole_end(const TopicPartition *key, Snapshot snapshot, int64 first_offset);

#endif							/* WHOLE_END_H */
