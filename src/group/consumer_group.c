/*
 * consumer_group.c
 *	  The committed offsets of consumer groups, and the ownership of partitions.
 *
 * A group's state is one row of topic_group_offsets for each partition in which it has
 * committed an offset (group_row.c).  Only the transaction that owns a partition for the
 * group writes its row; how far the transaction has read without committing is kept by
 * group_position.c.
 *
 * Owning a partition.  The owner is the transaction that holds the row's lock (the one
 * that UPDATE takes), until it ends.  Where there is no row yet, two first consumers must
 * not wait for each other's uncommitted insert, so the owner is the transaction that
 * holds an advisory lock in a class of its own:
 *
 *	  row is there      row lock                   taken over by heap_update
 *	  no row            advisory lock (topic, hash of group and partition)
 *						with the lock: look again, and only then insert
 *
 * The lock is released after the insert's commit, so the next transaction that gets it
 * sees the row.  Two groups with the same hash merely skip a partition once.
 *
 * A consumer locks exactly the version of the row (or the absence of one) that it has
 * read, and whose offset it has opened the log at.  If that version is not the latest any
 * more, the attempt takes neither a lock nor a transaction id, and returns the latest
 * version.  So a consumer that waits for records never goes back to sleep with either.
 * The seek functions wait for other owners, and lock the latest version.
 *
 * A group that polls and finds no records commits nothing, and would expire
 * (group_expiry.c).  Therefore a poll commits the offset of one partition again once a
 * quarter of the retention time of offsets has passed since the last commit.
 *
 * Locks: RowExclusiveLock on the table until the transaction's end once a row is locked
 * or written; the row's lock, or the advisory lock where there is no row.
 *
 * Durability and crash safety are the heap's.
 *
 * Memory: rows in the caller's context.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "common/hashfn.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "group/consumer_group.h"
#include "group/group_position.h"
#include "group/group_role.h"
#include "group/group_row.h"
#include "group/group_wakeup.h"
#include "util/advisory_lock.h"
#include "util/sql_version.h"
#include "util/clock.h"

int			pgt_offsets_retention_minutes = 10080;

/* ---- the group ---------------------------------------------------------- */

/* ERROR where the name is empty or too long for a group. */
static void
check_id(const char *id)
{
	size_t		length = strlen(id);

	if (length == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("consumer group name must not be empty"),
				 errhint("Each group has offsets of its own; name the one that consumes.")));
	if (length > MAX_GROUP_ID_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("consumer group name is too long"),
				 errdetail("It has %zu bytes; the limit is %d.", length, MAX_GROUP_ID_LENGTH)));
}

void
pgt_group_init(ConsumerGroup *group, Oid function, Oid topic, const char *id)
{
	check_id(id);
	group->offsets_table = pgt_sql_version_relation_in(get_func_namespace(function), OFFSETS_TABLE_NAME);
	group->topic = topic;
	group->id = id;
	group->role = InvalidOid;
}

void
pgt_consumer_group_init(void)
{
	pgt_group_wakeup_init();
	pgt_group_position_init();
}

/* ---- where a group stands ----------------------------------------------- */

void
pgt_group_clamp_future_served(GroupPartition *parts, int32 partitions)
{
	TimestampTz now = GetCurrentTimestamp() + (int64) (Max(pgt_clock_offset, 0) * 1000);

	for (int32 i = 0; i < partitions; i++)
	{
		if (parts[i].served > now)
			parts[i].served = DT_NOBEGIN;
	}
}

int64
pgt_group_next_offset(const GroupPartition *part)
{
	return part->position != NO_OFFSET ? part->position : part->committed;
}

/* ---- owning partitions -------------------------------------------------- */

/* The row changed after the transaction's snapshot. */
static void
report_serialization_failure(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not serialize access due to concurrent update"),
			 errdetail("The consumer group's committed offset has changed since the transaction's snapshot."),
			 errhint("The transaction might succeed if retried.")));
}

/*
 * Lock a partition's row: with "wait" its latest version, else the version in *part.
 * GROUP_MOVED where that version is outdated; *part is the latest one then.  A row that
 * this transaction has written needs no further lock: other transactions find the version
 * before it locked.
 */
static GroupLock
lock_row(Relation table, const ConsumerGroup *group, GroupPartition *part, bool wait)
{
	ItemPointerData tid = part->row->t_self;
	TupleTableSlot *slot;
	TM_FailureData failure;
	TM_Result	result;

	if (TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(part->row->t_data)))
		return GROUP_OWNED;

	slot = table_slot_create(table, NULL);
	result = table_tuple_lock(table, &tid, GetActiveSnapshot(), slot,
							  GetCurrentCommandId(true), LockTupleNoKeyExclusive,
							  wait ? LockWaitBlock : LockWaitSkip,
							  wait && !IsolationUsesXactSnapshot() ? TUPLE_LOCK_FLAG_FIND_LAST_VERSION : 0,
							  &failure);
	if (result == TM_Ok)
		pgt_group_row_fill(part, ExecCopySlotHeapTuple(slot), RelationGetDescr(table));
	ExecDropSingleTupleTableSlot(slot);

	if (result == TM_Ok)
		return GROUP_OWNED;
	if (result == TM_WouldBlock)
		return GROUP_BUSY;
	if (IsolationUsesXactSnapshot())
		report_serialization_failure();
	if (result != TM_Updated && result != TM_Deleted)
		elog(ERROR, "unexpected result %d of locking a consumer group's row", (int) result);
	pgt_group_row_refresh(table, group, part);
	return GROUP_MOVED;
}

LOCKTAG
pgt_group_missing_row_tag(const ConsumerGroup *group, int32 partition)
{
	uint32		hash = hash_bytes((const unsigned char *) group->id, strlen(group->id));
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, group->topic,
						 hash_combine(hash, murmurhash32(partition)), MISSING_ROW_LOCK_CLASS);
	return tag;
}

bool
pgt_group_is_starting(const ConsumerGroup *group, int32 partition)
{
	LOCKTAG		tag = pgt_group_missing_row_tag(group, partition);

	if (LockAcquire(&tag, ExclusiveLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
		return true;
	LockRelease(&tag, ExclusiveLock, false);
	return false;
}

/*
 * Own a partition that has no row; see the file's head.  Where a row was committed
 * meanwhile, the lock is released, *part has the row, and the result is GROUP_MOVED.
 */
static GroupLock
lock_missing_row(Relation table, const ConsumerGroup *group, GroupPartition *part, bool wait)
{
	LOCKTAG		tag = pgt_group_missing_row_tag(group, part->partition);

	if (LockAcquire(&tag, ExclusiveLock, false, !wait) == LOCKACQUIRE_NOT_AVAIL)
		return GROUP_BUSY;
	pgt_group_row_refresh(table, group, part);
	if (!part->exists)
		return GROUP_OWNED;

	/* the snapshot does not see the new row */
	if (IsolationUsesXactSnapshot())
		report_serialization_failure();
	LockRelease(&tag, ExclusiveLock, false);
	return GROUP_MOVED;
}

GroupLock
pgt_group_lock(const ConsumerGroup *group, GroupPartition *part, bool wait)
{
	Relation	table = table_open(group->offsets_table, RowExclusiveLock);
	GroupLock	result;

	do
	{
		CHECK_FOR_INTERRUPTS();
		result = part->exists ? lock_row(table, group, part, wait) :
			lock_missing_row(table, group, part, wait);
	} while (result == GROUP_MOVED && wait);

	if (result == GROUP_OWNED)
		pgt_group_role_check(group, part->owner);
	if (result == GROUP_OWNED)
		pgt_group_wakeup_note_owned(group->topic, part->partition, group->id);
	table_close(table, result == GROUP_OWNED ? NoLock : RowExclusiveLock);
	return result;
}

/* ---- committing --------------------------------------------------------- */

/* Commit an owned partition's next offset; with "leased" write its lease as well. */
static void
commit_row(const ConsumerGroup *group, GroupPartition *part, int64 next, const char *metadata,
		   bool leased)
{
	GroupRowChange change = {
		.next = next, .lost = pgt_group_position_lost(group, part->partition),
		.metadata = metadata, .leader_epoch = -1, .leased = leased
	};

	if (next < part->committed)
		pgt_group_wakeup_topic(group->topic);
	pgt_group_wakeup_note_next(group->topic, part->partition, group->id, next);
	pgt_group_row_write(group, part, &change);
	pgt_group_position_set(group, part, NO_OFFSET);
}

void
pgt_group_commit(const ConsumerGroup *group, GroupPartition *part, int64 next, const char *metadata)
{
	bool		leased = part->lease.member != NULL;

	part->lease.member = NULL;
	part->lease.until = DT_NOBEGIN;
	part->lease.position = NO_OFFSET;
	commit_row(group, part, next, metadata, leased);
}

/* When the group last used the partition, as far as expiry is concerned. */
static TimestampTz
last_use(const GroupPartition *part)
{
	return Max(part->served, part->lease.until);
}

void
pgt_group_refresh_expiry(const ConsumerGroup *group, GroupPartition *parts, int32 partitions)
{
	GroupPartition *latest = NULL;
	TimestampTz soon = pgt_clock_shifted_now() - pgt_offsets_retention_minutes * (USECS_PER_MINUTE / 4);

	if (pgt_offsets_retention_minutes <= 0)
		return;
	for (int32 i = 0; i < partitions; i++)
	{
		if (last_use(&parts[i]) > soon)
			return;
		if (parts[i].committed != NO_OFFSET && parts[i].position == NO_OFFSET &&
			(latest == NULL || last_use(&parts[i]) > last_use(latest)))
			latest = &parts[i];
	}
	if (latest != NULL && pgt_group_lock(group, latest, false) == GROUP_OWNED)
		pgt_group_commit(group, latest, latest->committed, pgt_group_row_metadata(group, latest));
}

void
pgt_group_commit_leased(const ConsumerGroup *group, GroupPartition *part, int64 next,
						const char *metadata)
{
	commit_row(group, part, next, metadata, true);
}

void
pgt_group_write_lease(const ConsumerGroup *group, GroupPartition *part)
{
	pgt_group_row_write(group, part, &(GroupRowChange) {.next = NO_OFFSET,.leased = true});
}

void
pgt_group_commit_positions(const ConsumerGroup *group)
{
	List	   *partitions = pgt_group_position_partitions(group);
	ListCell   *cell;

	foreach(cell, partitions)
	{
		GroupPartition part;
		Relation	table = table_open(group->offsets_table, RowExclusiveLock);

		pgt_group_row_clear(&part, group, lfirst_int(cell));
		pgt_group_row_refresh(table, group, &part);
		table_close(table, NoLock);
		pgt_group_lock(group, &part, true);
		pgt_group_commit(group, &part, part.position, NULL);
	}
	list_free(partitions);
}

/* ---- the group as a whole ------------------------------------------------ */

int32
pgt_group_set_owner(const ConsumerGroup *group, int32 partitions, Oid owner)
{
	GroupPartition *parts = pgt_group_rows_read(group, partitions);
	int32		changed = 0;

	for (int32 i = 0; i < partitions; i++)
	{
		(void) pgt_group_lock(group, &parts[i], true);
		if (!parts[i].exists)
			continue;
		pgt_group_row_set_owner(group, &parts[i], owner);
		changed++;
	}
	if (changed > 0)
		pgt_group_row_tell_owners(group->offsets_table);
	return changed;
}

int64
pgt_group_delete(const ConsumerGroup *group, void (*refuse) (const ConsumerGroup *group, const GroupPartition *part),
				 bool (*keep) (const GroupPartition *part))
{
	Relation	table = table_open(group->offsets_table, RowExclusiveLock);
	Snapshot	snapshot = pgt_group_rows_snapshot();
	SysScanDesc scan = pgt_group_rows_scan(table, group, -1, snapshot);
	HeapTuple	row;
	int64		deleted = 0;

	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		GroupPartition part;

		pgt_group_row_take(&part, group, row, RelationGetDescr(table));
		if (lock_row(table, group, &part, true) != GROUP_OWNED)
			continue;
		pgt_group_role_check(group, part.owner);
		if (refuse != NULL)
			refuse(group, &part);
		if (keep != NULL && keep(&part))
			pgt_group_row_forget_offset(group, &part);
		else
			pgt_group_row_delete(table, &part);
		part.committed = NO_OFFSET;
		pgt_group_position_set(group, &part, NO_OFFSET);
		pgt_position_scan_stop_member(group, part.partition);
		deleted++;
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(table, NoLock);
	CommandCounterIncrement();
	if (deleted > 0)
		pgt_group_wakeup_topic(group->topic);
	return deleted;
}
