/*
 * group_row_write.c
 *	  Writing the rows of topic_group_offsets.
 *
 * A row is written only by the transaction that owns the partition for the group
 * (consumer_group.c), so two transactions never write a row at once.  The cost of a write
 * must not grow with the old versions of the row that vacuum has not removed: the new
 * version is put into the index without a visit to the others.
 *
 * A version is dead weight until no snapshot on the server is older than its successor, so a
 * transaction writes no more than one of each row, however often it consumes: what it has
 * written itself nobody else sees, and it overwrites that.  The change is logged as one of
 * bytes in a page, since the heap has no such operation.  A savepoint begins a new version,
 * which a rollback takes back.  With wal_level = logical, each write is a version: logical
 * decoding knows no others.  A cursor over the table that the transaction itself has opened
 * between two writes may show the later one.
 *
 * All rows of a group in a topic have one owner (group_role.c), though sessions of two
 * roles may write the first rows of two partitions at once, and neither sees the other's.
 * So whoever writes a row that has no owner yet looks first for one in all of the group's
 * rows, also those that are not committed, and takes it over.  From the look until the row
 * is in the table it holds an advisory lock on the group.  If the user may not use the group
 * of the owner found, the call waits for the other transaction, should that be running:
 * once it has committed, the group is the other role's and the call fails; once it has
 * rolled back, the call looks again.  Sessions of one role never wait here.
 *
 * Locks: RowExclusiveLock on the table until the transaction's end.  The advisory lock on
 * the group is held for a moment, by a process that waits for nothing.
 *
 * Durability and crash safety are the heap's.
 *
 * Memory: rows in the caller's context.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/generic_xlog.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/catalog.h"
#include "catalog/index.h"
#include "catalog/indexing.h"
#include "common/hashfn.h"
#include "common/int.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "group/group_role.h"
#include "group/group_row.h"
#include "group/group_row_columns.h"
#include "util/advisory_lock.h"
#include "util/compat.h"
#include "util/fault_point.h"

/* Is the name that of a group of another kind? */
static bool (*name_is_taken) (const ConsumerGroup *group) = NULL;

/* how many rows this process has written and deleted */
static uint64 changes = 0;

/* ---- columns ------------------------------------------------------------ */

/* Set the columns that a commit writes. */
static void
commit_values(Datum *values, bool *nulls, const GroupRowChange *change)
{
	const char *metadata = change->metadata;
	bool		is_none = change->next == NO_OFFSET;

	values[Anum_offsets_committed_offset - 1] = Int64GetDatum(change->next);
	nulls[Anum_offsets_committed_offset - 1] = is_none;
	values[Anum_offsets_metadata - 1] = metadata == NULL ? (Datum) 0 : CStringGetTextDatum(metadata);
	nulls[Anum_offsets_metadata - 1] = metadata == NULL;
	values[Anum_offsets_commit_timestamp - 1] = TimestampTzGetDatum(GetCurrentTimestamp());
	nulls[Anum_offsets_commit_timestamp - 1] = is_none;
	values[Anum_offsets_leader_epoch - 1] = Int32GetDatum(change->leader_epoch);
	nulls[Anum_offsets_leader_epoch - 1] = is_none || change->leader_epoch < 0;
}

/* Set the columns of the lease. */
static void
lease_values(Datum *values, bool *nulls, const GroupLease *lease)
{
	values[Anum_offsets_member_id - 1] = lease->member == NULL ? (Datum) 0 : CStringGetTextDatum(lease->member);
	nulls[Anum_offsets_member_id - 1] = lease->member == NULL;
	values[Anum_offsets_lease_until - 1] = TimestampTzGetDatum(lease->until);
	nulls[Anum_offsets_lease_until - 1] = lease->until == DT_NOBEGIN;
	values[Anum_offsets_generation - 1] = Int64GetDatum(lease->generation);
	nulls[Anum_offsets_generation - 1] = false;
	values[Anum_offsets_position - 1] = Int64GetDatum(lease->position);
	nulls[Anum_offsets_position - 1] = lease->position == NO_OFFSET;
	values[Anum_offsets_position_timestamp - 1] = TimestampTzGetDatum(lease->served);
	nulls[Anum_offsets_position_timestamp - 1] = lease->served == DT_NOBEGIN;
}

/* Set the columns with the number of records that the group has lost so far. */
static void
lost_values(Datum *values, bool *nulls, int64 lost)
{
	values[Anum_offsets_lost_records - 1] = Int64GetDatum(lost);
	values[Anum_offsets_lost_timestamp - 1] = TimestampTzGetDatum(GetCurrentTimestamp());
	nulls[Anum_offsets_lost_records - 1] = false;
	nulls[Anum_offsets_lost_timestamp - 1] = lost == 0;
}

/* Mark the columns from first to last as replaced. */
static void
replace_columns(bool *replace, int first, int last)
{
	for (int i = first; i <= last; i++)
		replace[i - 1] = true;
}

/*
 * Add a new version of a row to the table's indexes.  The key has not changed and the
 * caller owns the row, so the index need not check that the key is unique: that would
 * visit every version that vacuum has not removed.
 */
static void
index_version(Relation table, HeapTuple row)
{
	CatalogIndexState indexes = CatalogOpenIndexes(table);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(table), &TTSOpsHeapTuple);

	ExecStoreHeapTuple(row, slot, false);
	for (int i = 0; i < indexes->ri_NumIndices; i++)
	{
		IndexInfo  *info = indexes->ri_IndexRelationInfo[i];
		Datum		values[INDEX_MAX_KEYS];
		bool		nulls[INDEX_MAX_KEYS];

		if (!info->ii_ReadyForInserts)
			continue;
		FormIndexDatum(info, slot, NULL, values, nulls);
		(void) index_insert(indexes->ri_IndexRelationDescs[i], values, nulls, &row->t_self, table,
							UNIQUE_CHECK_NO, true, info);
	}
	ExecDropSingleTupleTableSlot(slot);
	CatalogCloseIndexes(indexes);
}

/* ---- the owner ---------------------------------------------------------- */

/* The tag of the lock under which a row gets its owner. */
static LOCKTAG
owner_tag(const ConsumerGroup *group)
{
	uint32		hash = hash_bytes((const unsigned char *) group->id, strlen(group->id));
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, group->topic, hash, OWNER_LOCK_CLASS);
	return tag;
}

/* Take that lock, and give it back; without "wait" it may not be to be had. */
static bool
lock_owner(const ConsumerGroup *group, bool wait)
{
	LOCKTAG		tag = owner_tag(group);

	return LockAcquire(&tag, ExclusiveLock, false, !wait) != LOCKACQUIRE_NOT_AVAIL;
}

static void
unlock_owner(const ConsumerGroup *group)
{
	LOCKTAG		tag = owner_tag(group);

	LockRelease(&tag, ExclusiveLock, false);
}

/*
 * The owner that the group's rows have by now, committed or not; *exists tells whether there
 * is any row.  *writer is the running transaction of another session without which the
 * group would not have that owner, or invalid.
 */
static Oid
find_owner(Relation table, const ConsumerGroup *group, bool *exists, TransactionId *writer)
{
	SnapshotData dirty;
	SysScanDesc scan;
	HeapTuple	row;
	Oid			owner = GROUP_UNCLAIMED;

	*exists = false;
	*writer = InvalidTransactionId;
	InitDirtySnapshot(dirty);
	scan = pgt_group_rows_scan(table, group, -1, &dirty);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		TransactionId xmin = dirty.xmin;
		Oid			found = pgt_group_row_owner(row, RelationGetDescr(table));

		*exists = true;
		if (found == GROUP_UNCLAIMED)
			continue;
		owner = found;
		*writer = xmin;
		if (!TransactionIdIsValid(xmin))
			break;
	}
	systable_endscan(scan);
	return owner;
}

void
pgt_group_row_refuse_names(bool (*taken) (const ConsumerGroup *group))
{
	name_is_taken = taken;
}

/* ERROR: the name is that of a share group. */
static void
report_taken(const ConsumerGroup *group)
{
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("\"%s\" is a share group, not a consumer group", group->id),
			 errdetail("Its consumers share the records of a partition."),
			 errhint("Use consume_shared() with it, or another name, or delete it with delete_group().")));
}

/*
 * Look for the owner for a row that has none yet.  GROUP_ROW_WRITTEN: the caller may write it, with
 * *owner, and the owner's lock is held until he has.  GROUP_ROW_BUSY: *writer decides, or whoever has
 * that lock.  GROUP_ROW_DENIED: the group belongs to a role that its user may not act for.  A group that is new
 * in its topic is told in the server's log, since it may be a mistyped name.
 */
static GroupRowWrite
try_claim(Relation table, const ConsumerGroup *group, bool wait, Oid *owner, TransactionId *writer)
{
	bool		exists;

	*writer = InvalidTransactionId;
	if (!lock_owner(group, wait))
		return GROUP_ROW_BUSY;
	*owner = find_owner(table, group, &exists, writer);
	if (!exists && name_is_taken != NULL && name_is_taken(group))
	{
		unlock_owner(group);
		if (wait)
			report_taken(group);
		return GROUP_ROW_DENIED;
	}
	if (!exists)
		ereport(LOG,
				(errmsg("consumer group \"%s\" is new in topic \"%s\"", group->id, get_rel_name(group->topic))));
	if (*owner == GROUP_UNCLAIMED)
		*owner = pgt_group_role_of(group);
	else if (!pgt_group_role_may_use(pgt_group_role_of(group), group->topic, *owner))
	{
		unlock_owner(group);
		return TransactionIdIsValid(*writer) ? GROUP_ROW_BUSY : GROUP_ROW_DENIED;
	}
	return GROUP_ROW_WRITTEN;
}

/* The same until it is known; ERROR where the group's user may not act for the owner. */
static Oid
claim(Relation table, const ConsumerGroup *group)
{
	for (;;)
	{
		Oid			owner;
		TransactionId writer;

		switch (try_claim(table, group, true, &owner, &writer))
		{
			case GROUP_ROW_WRITTEN:
				return owner;
			case GROUP_ROW_BUSY:
				XactLockTableWait(writer, NULL, NULL, XLTW_None);
				break;
			case GROUP_ROW_DENIED:
				pgt_group_role_check(group, owner);
				break;
		}
	}
}

/* Set the column of the owner. */
static void
owner_value(Datum *values, bool *nulls, Oid owner)
{
	values[Anum_offsets_owner - 1] = ObjectIdGetDatum(owner);
	nulls[Anum_offsets_owner - 1] = owner == GROUP_UNCLAIMED;
}

/* ---- writing rows ------------------------------------------------------- */

/* Have two rows the same layout, so that the bytes of one may take the place of the other's? */
static bool
is_alike(const HeapTupleHeader a, uint32 a_length, const HeapTupleHeader b, uint32 b_length)
{
	const uint16 layout = HEAP_HASNULL | HEAP_HASVARWIDTH;

	return a_length == b_length && a->t_hoff == b->t_hoff &&
		(a->t_infomask & layout) == (b->t_infomask & layout) &&
		((a->t_infomask | b->t_infomask) & HEAP_HASEXTERNAL) == 0 &&
		HeapTupleHeaderGetNatts(a) == HeapTupleHeaderGetNatts(b);
}

/* Has the running subtransaction written this version, so that it goes with it and nobody else sees it? */
static bool
is_own_version(const HeapTupleHeader version)
{
	return TransactionIdIsValid(GetCurrentTransactionIdIfAny()) &&
		HeapTupleHeaderGetRawXmin(version) == GetCurrentTransactionIdIfAny() &&
		!HeapTupleHeaderXminFrozen(version);
}

/*
 * Overwrite an owned row's version with another content; *content is the version then.
 * False, and nothing is done, unless the running subtransaction has written it.
 */
static bool
overwrite_row(Relation table, const HeapTuple version, HeapTuple content)
{
	ItemPointer tid = &version->t_self;
	GenericXLogState *state;
	Buffer		buffer;
	HeapTupleHeader header;
	Page		page;

	if (!is_own_version(version->t_data) || RelationIsLogicallyLogged(table) ||
		!is_alike(version->t_data, version->t_len, content->t_data, content->t_len))
		return false;

	buffer = ReadBuffer(table, ItemPointerGetBlockNumber(tid));
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	state = GenericXLogStart(table);
	page = GenericXLogRegisterBuffer(state, buffer, 0);
	header = (HeapTupleHeader) PageGetItem(page, PageGetItemId(page, ItemPointerGetOffsetNumber(tid)));
	Assert(is_own_version(header));
	memcpy((char *) header + SizeofHeapTupleHeader, (char *) content->t_data + SizeofHeapTupleHeader,
		   content->t_len - SizeofHeapTupleHeader);
	memcpy(content->t_data, header, SizeofHeapTupleHeader);
	content->t_self = *tid;
	GenericXLogFinish(state);
	UnlockReleaseBuffer(buffer);
	return true;
}

/* Put a new version in the place of an owned row, or another content into its own version. */
static HeapTuple
replace_row(Relation table, const GroupPartition *part, Datum *values, bool *nulls, bool *replace)
{
	HeapTuple	updated = heap_modify_tuple(part->row, RelationGetDescr(table), values, nulls, replace);

	if (overwrite_row(table, part->row, updated))
		return updated;
	PGT_HEAP_UPDATE(table, &part->row->t_self, updated);
	if (!HeapTupleIsHeapOnly(updated))
		index_version(table, updated);
	return updated;
}

/* Write a new version of an owned row. */
static HeapTuple
update_row(Relation table, const GroupPartition *part, Oid owner, const GroupRowChange *change)
{
	Datum		values[Natts_offsets] = {0};
	bool		nulls[Natts_offsets] = {false};
	bool		replace[Natts_offsets] = {false};
	int64		lost = change->lost;

	commit_values(values, nulls, change);
	if (change->next != NO_OFFSET)
	{
		replace_columns(replace, Anum_offsets_committed_offset, Anum_offsets_commit_timestamp);
		/* whoever commits the same offset again and does not know the epoch leaves it */
		replace[Anum_offsets_leader_epoch - 1] = change->next != part->committed || change->leader_epoch >= 0;
	}
	if (lost > 0)
	{
		bool		isnull;
		Datum		before = heap_getattr(part->row, Anum_offsets_lost_records,
										  RelationGetDescr(table), &isnull);

		if (!isnull && pg_add_s64_overflow(lost, DatumGetInt64(before), &lost))
			lost = PG_INT64_MAX;
		lost_values(values, nulls, lost);
		replace_columns(replace, Anum_offsets_lost_records, Anum_offsets_lost_timestamp);
	}
	lease_values(values, nulls, &part->lease);
	if (change->leased)
		replace_columns(replace, Anum_offsets_member_id, Anum_offsets_position_timestamp);
	owner_value(values, nulls, owner);
	replace[Anum_offsets_owner - 1] = owner != part->owner;
	return replace_row(table, part, values, nulls, replace);
}

/* Write the first row of an owned partition. */
static HeapTuple
insert_row(Relation table, const ConsumerGroup *group, const GroupPartition *part, Oid owner,
		   const GroupRowChange *change)
{
	Datum		values[Natts_offsets] = {0};
	bool		nulls[Natts_offsets] = {false};
	HeapTuple	row;

	commit_values(values, nulls, change);
	lost_values(values, nulls, change->lost);
	lease_values(values, nulls, &part->lease);
	owner_value(values, nulls, owner);
	values[Anum_offsets_group_id - 1] = CStringGetTextDatum(group->id);
	values[Anum_offsets_topic - 1] = ObjectIdGetDatum(group->topic);
	values[Anum_offsets_partition - 1] = Int32GetDatum(part->partition);

	row = heap_form_tuple(RelationGetDescr(table), values, nulls);
	CatalogTupleInsert(table, row);
	return row;
}

/* The row that one of the functions below has written: make it known. */
static void
row_written(Relation table, GroupPartition *part, HeapTuple row)
{
	/* make the new version visible to later calls in the same statement */
	CommandCounterIncrement();
	changes++;
	pgt_group_row_fill(part, row, RelationGetDescr(table));
	table_close(table, NoLock);
}

/* Has the partition no row yet that says who owns the group? */
static bool
needs_owner(const GroupPartition *part)
{
	return !part->exists || part->owner == GROUP_UNCLAIMED;
}

/* Write the row with that owner, whose lock is held where it needs one. */
static void
write_owned(Relation table, const ConsumerGroup *group, GroupPartition *part, Oid owner,
			const GroupRowChange *change)
{
	bool		claims = needs_owner(part);
	HeapTuple	row;

	if (part->exists)
		row = update_row(table, part, owner, change);
	else
		row = insert_row(table, group, part, owner, change);
	if (claims)
		unlock_owner(group);
	FAULT_POINT("offset-stored");
	row_written(table, part, row);
}

void
pgt_group_row_write(const ConsumerGroup *group, GroupPartition *part, const GroupRowChange *change)
{
	Relation	table = table_open(group->offsets_table, RowExclusiveLock);
	Oid			owner = needs_owner(part) ? claim(table, group) : part->owner;

	write_owned(table, group, part, owner, change);
}

GroupRowWrite
pgt_group_row_try_write(const ConsumerGroup *group, GroupPartition *part, const GroupRowChange *change)
{
	Relation	table = table_open(group->offsets_table, RowExclusiveLock);
	Oid			owner = part->owner;
	TransactionId writer;
	GroupRowWrite result = GROUP_ROW_WRITTEN;

	if (needs_owner(part))
		result = try_claim(table, group, false, &owner, &writer);
	else if (!pgt_group_role_may_use(pgt_group_role_of(group), group->topic, owner))
		result = GROUP_ROW_DENIED;
	if (result == GROUP_ROW_WRITTEN)
		write_owned(table, group, part, owner, change);
	else
		table_close(table, NoLock);
	return result;
}

void
pgt_group_row_set_owner(const ConsumerGroup *group, GroupPartition *part, Oid owner)
{
	Relation	table = table_open(group->offsets_table, RowExclusiveLock);
	Datum		values[Natts_offsets] = {0};
	bool		nulls[Natts_offsets] = {false};
	bool		replace[Natts_offsets] = {false};

	owner_value(values, nulls, owner);
	replace[Anum_offsets_owner - 1] = true;
	row_written(table, part, replace_row(table, part, values, nulls, replace));
}

void
pgt_group_row_tell_owners(Oid offsets_table)
{
	CacheInvalidateRelcacheByRelid(offsets_table);
}

void
pgt_group_row_forget_offset(const ConsumerGroup *group, GroupPartition *part)
{
	static const GroupRowChange none = {.next = NO_OFFSET};
	Relation	table = table_open(group->offsets_table, RowExclusiveLock);
	Datum		values[Natts_offsets] = {0};
	bool		nulls[Natts_offsets] = {false};
	bool		replace[Natts_offsets] = {false};

	commit_values(values, nulls, &none);
	lost_values(values, nulls, 0);
	replace_columns(replace, Anum_offsets_committed_offset, Anum_offsets_commit_timestamp);
	replace_columns(replace, Anum_offsets_lost_records, Anum_offsets_lost_timestamp);
	replace[Anum_offsets_leader_epoch - 1] = true;
	row_written(table, part, replace_row(table, part, values, nulls, replace));
}

HeapTuple
pgt_group_row_without_lease(HeapTuple row, TupleDesc desc)
{
	static const GroupLease none = {NULL, DT_NOBEGIN, NO_OFFSET, DT_NOBEGIN, 0};
	Datum		values[Natts_offsets] = {0};
	bool		nulls[Natts_offsets] = {false};
	bool		replace[Natts_offsets] = {false};

	if (heap_attisnull(row, Anum_offsets_committed_offset, desc))
		return NULL;
	lease_values(values, nulls, &none);
	replace_columns(replace, Anum_offsets_member_id, Anum_offsets_lease_until);
	replace_columns(replace, Anum_offsets_position, Anum_offsets_position);
	return heap_modify_tuple(row, desc, values, nulls, replace);
}

void
pgt_group_row_delete(Relation table, const GroupPartition *part)
{
	CatalogTupleDelete(table, &part->row->t_self);
	changes++;
}

uint64
pgt_group_row_changes(void)
{
	return changes;
}
