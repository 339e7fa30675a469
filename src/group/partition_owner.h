/*
 * partition_owner.h
 *	  Which transaction owns a partition for a consumer group.
 */
#ifndef PARTITION_OWNER_H
#define PARTITION_OWNER_H

#include "group/group_types.h"

/* A transaction that owns a partition for a group. */
typedef struct PartitionOwner
{
	int			pid;			/* its session's process; 0 where the transaction is prepared */
	TransactionId xid;			/* its id; invalid where it has none yet */
} PartitionOwner;

/*
 * Find the transaction that owns the partition now; false where none does.  Locks no row,
 * waits for nobody, and leaves no lock on the table.  On a standby the answer is always
 * false, since the owner is a transaction of the primary.
 */
extern bool pgt_partition_owner_find(const ConsumerGroup *group, int32 partition, PartitionOwner *owner);

/*
 * Did another transaction own the partition when *part was read?  That is known without
 * reading anything if the partition has a row.
 */
extern bool pgt_partition_owner_is_other(const ConsumerGroup *group, const GroupPartition *part);

#endif							/* PARTITION_OWNER_H */
