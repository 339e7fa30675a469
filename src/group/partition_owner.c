/*
 * partition_owner.c
 *	  Which transaction owns a partition for a consumer group.
 *
 * For those who look at groups: consumer_group.c tells how a partition is owned.  Where
 * the partition has a row, its owner's id is the xmax of the version that a new snapshot
 * sees, for as long as that transaction runs.  Without a row the owner holds the advisory
 * lock that stands for it.
 *
 * The answer is of the moment and may be outdated when the caller reads it.
 *
 * Locks: AccessShareLock on the table for the time of the look.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/multixact.h"
#include "access/subtrans.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "group/consumer_group.h"
#include "group/group_row.h"
#include "group/partition_owner.h"
#include "util/compat.h"

/* The transaction that writes a row or has it locked as a consumer does, or an invalid id. */
static TransactionId
row_owner(HeapTupleHeader row)
{
	TransactionId xid = HeapTupleHeaderGetRawXmax(row);
	MultiXactMember *members;
	int			count;

	if ((row->t_infomask & HEAP_XMAX_INVALID) != 0)
		return InvalidTransactionId;
	if ((row->t_infomask & HEAP_XMAX_IS_MULTI) == 0)
		return TransactionIdIsInProgress(xid) ? xid : InvalidTransactionId;

	/* a transaction that locked the row before a savepoint and wrote it after */
	xid = InvalidTransactionId;
	count = GetMultiXactIdMembers(HeapTupleHeaderGetRawXmax(row), &members, false,
								  HEAP_XMAX_IS_LOCKED_ONLY(row->t_infomask));
	for (int i = 0; i < count && !TransactionIdIsValid(xid); i++)
	{
		if (members[i].status >= MultiXactStatusForNoKeyUpdate &&
			TransactionIdIsInProgress(members[i].xid))
			xid = members[i].xid;
	}
	return xid;
}

/* Look for the row and its owner.  False where the partition has no row. */
static bool
find_row(const ConsumerGroup *group, int32 partition, TransactionId *xid)
{
	Relation	table = table_open(group->offsets_table, AccessShareLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	SysScanDesc scan = pgt_group_rows_scan(table, group, partition, snapshot);
	HeapTuple	row = systable_getnext(scan);

	if (HeapTupleIsValid(row))
		*xid = row_owner(row->t_data);
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(table, AccessShareLock);
	return HeapTupleIsValid(row);
}

/* The owner of a partition that has no row. */
static bool
missing_row_owner(const ConsumerGroup *group, int32 partition, PartitionOwner *owner)
{
	LOCKTAG		tag = pgt_group_missing_row_tag(group, partition);
	int			count = 0;
	VirtualTransactionId *holders;
	PGPROC	   *proc = NULL;

	if (PGT_LOCK_HELD_BY_ME(&tag, ExclusiveLock))
		proc = MyProc;
	else
	{
		holders = GetLockConflicts(&tag, ExclusiveLock, &count);
		if (count == 0)
			return false;
		proc = pgt_vxid_proc(&holders[0]);
		if (proc == NULL)
			owner->xid = holders[0].localTransactionId;
	}
	owner->pid = proc != NULL ? proc->pid : 0;
	return owner->pid != 0 || TransactionIdIsValid(owner->xid);
}

bool
pgt_partition_owner_find(const ConsumerGroup *group, int32 partition, PartitionOwner *owner)
{
	*owner = (PartitionOwner) {0, InvalidTransactionId};
	if (RecoveryInProgress())
		return false;
	if (!find_row(group, partition, &owner->xid))
		return missing_row_owner(group, partition, owner);
	if (!TransactionIdIsValid(owner->xid))
		return false;
	owner->xid = SubTransGetTopmostTransaction(owner->xid);
	owner->pid = BackendXidGetPid(owner->xid);
	return true;
}

bool
pgt_partition_owner_is_other(const ConsumerGroup *group, const GroupPartition *part)
{
	TransactionId xid;

	if (!part->exists)
		return pgt_group_is_starting(group, part->partition);
	xid = row_owner(part->row->t_data);
	return TransactionIdIsValid(xid) && !TransactionIdIsCurrentTransactionId(xid);
}
