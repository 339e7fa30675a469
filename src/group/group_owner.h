/*
 * group_owner.h
 *	  Which transaction owns a partition for a consumer group.
 */
#ifndef GROUP_OWNER_H
#define GROUP_OWNER_H

#include "group/group_types.h"

/* A transaction that owns a partition for a group. */
typedef struct GroupOwner
{
	int			pid;			/* its session's process; 0 where the transaction is prepared */
	TransactionId xid;			/* its id; invalid where it has none yet */
} GroupOwner;

/*
 * Find the transaction that owns the partition now; false where none does.  Locks no row,
 * waits for nobody, and leaves no lock on the table.  On a standby the answer is always
 * false, since the owner is a transaction of the primary.
 */
extern bool pgt_group_owner(const ConsumerGroup *group, int32 partition, GroupOwner *owner);

#endif							/* GROUP_OWNER_H */
