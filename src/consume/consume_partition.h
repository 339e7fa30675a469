/*
 * consume_partition.h
 *	  Consuming from one partition.
 */
#ifndef CONSUME_PARTITION_H
#define CONSUME_PARTITION_H

#include "consume/consume_pass.h"
#include "consume/partition_cursor.h"

/*
 * Open a partition and own it.  False if there is nothing to do for it, or if another
 * consumer owns it: then there is neither a reader nor a lock.
 */
extern bool pgt_consume_partition_own(ConsumePassTopic *pass, GroupPartition *offset,
									  PartitionCursor *cursor);

/*
 * The same, and begin to consume.  True if there are records: the cursor has the first one.
 * If not, what there was to do is done, and there is no reader.
 */
extern bool pgt_consume_partition_begin(ConsumePassTopic *pass, GroupPartition *offset,
										PartitionCursor *cursor);

/*
 * Set the cursor's record to the one behind *next, where the group goes on.  If there is
 * none to deliver now: false, and *next is behind the gap there, if there is one.
 */
extern bool pgt_consume_partition_next(const ConsumePassTopic *pass, PartitionCursor *cursor,
									   int64 *next);

#endif							/* CONSUME_PARTITION_H */
