/*
 * visibility_horizon.h
 *	  What every snapshot sees of a log: the limit of what compaction and merging may
 *	  change.
 */
#ifndef VISIBILITY_HORIZON_H
#define VISIBILITY_HORIZON_H

#include "log/partition_log.h"

/*
 * Every snapshot of the database sees the transactions below the result, and so does every
 * one that is taken later.  Of standbys, those with hot_standby_feedback count.
 */
extern uint64 pgt_visibility_horizon_xid(Oid topic);

/* Every statement shows what lies below the result, if its snapshot sees all below that transaction id. */
extern int64 pgt_visibility_horizon_end(const TopicPartition *key, uint64 xid);

/*
 * The largest offset up to "limit" such that every statement shows what lies below it, and
 * that no transaction has batches on both sides of it.
 */
extern int64 pgt_visibility_horizon_whole_end(const TopicPartition *key, uint64 xid, int64 limit);

#endif							/* VISIBILITY_HORIZON_H */
