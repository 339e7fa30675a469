/*
 * whole_end.h
 *	  The end of the records that a statement shows of a partition.
 */
#ifndef WHOLE_END_H
#define WHOLE_END_H

#include "log/partition_log.h"
#include "utils/snapshot.h"

/*
 * The end of the records that a statement with this snapshot may show of the partition:
 * at most the last stable offset, and no transaction that the snapshot sees has records
 * on both sides of it.  *blocker and the cost are those of pgt_visible_end();
 * while batches of several transactions alternate, the walk also goes over those.
 */
extern int64 pgt_whole_end(const TopicPartition *key, Snapshot snapshot, TransactionId *blocker);

/* The last offset up to "end" with no transaction that the snapshot sees on both sides of it. */
extern int64 pgt_whole_end_below(const TopicPartition *key, Snapshot snapshot, int64 end);

/*
 * Must a reader that begins at "first_offset" be told that end?  If not, as is nearly always
 * the case, it stops there by itself; that takes one look at the partition's bounds.
 */
extern bool pgt_whole_end_is_needed(const TopicPartition *key, Snapshot snapshot, int64 first_offset);

#endif							/* WHOLE_END_H */
