/*
 * group_row.c
 *	  The rows of topic_group_offsets: reading them, writing them, and queries over
 *	  all groups of a topic.
 *
 * A group's state is one row for each partition in which it has committed an offset.
 * Only this file knows the columns.  Two other files use the table: consumer_group.c
 * locks and deletes rows, and topic_drop.c deletes the rows of a dropped topic.  All of
 * them use the table directly, not through SQL: a role that may read a topic may consume
 * it, and needs no privilege on the table.
 *
 * Rows are read in their latest version, whatever the statement's snapshot is: records
 * that another session has consumed and committed are consumed.  Under REPEATABLE READ
 * the version that the transaction's snapshot sees is read, and a later change is a
 * serialization failure.  Which records of the log a statement may read is decided by its
 * snapshot; see consume.c.
 *
 * Old versions of a row.  Each commit writes a new version, and there are many where some
 * transaction keeps vacuum from removing them.  The cost of a commit must not grow with
 * them: a row is looked for first where it was found before (group_row_cache.c), and its
 * new version is put into the index without a visit to the others.
 *
 * A row is written only by the transaction that owns the partition for the group
 * (consumer_group.c), so two transactions never write a row at once.
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
 * Locks: AccessShareLock on the table during a read; RowExclusiveLock until the
 * transaction's end once a row is written.  The advisory lock on the group is held for a
 * moment, by a process that waits for nothing.
 *
 * Durability and crash safety are the heap's.
 *
 * Memory: rows in the caller's context.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/indexing.h"
#include "common/hashfn.h"
#include "common/int.h"
#include "executor/tuptable.h"
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "group/group_position.h"
#include "group/group_role.h"
#include "group/group_row.h"
#include "group/group_row_cache.h"
#include "topic/topic.h"
#include "util/advisory_lock.h"
#include "util/compat.h"
#include "util/fault_point.h"

/* Columns of topic_group_offsets. */
#define Anum_offsets_group_id			1
#define Anum_offsets_topic				2
#define Anum_offsets_partition			3
#define Anum_offsets_committed_offset	4
#define Anum_offsets_metadata			5
#define Anum_offsets_commit_timestamp	6
#define Anum_offsets_lost_records		7
#define Anum_offsets_lost_timestamp		8
#define Anum_offsets_member_id			9
#define Anum_offsets_lease_until		10
#define Anum_offsets_generation			11
#define Anum_offsets_position			12
#define Anum_offsets_position_timestamp	13
#define Anum_offsets_owner				14
#define Natts_offsets					14

/*
 * Up to this number, missing rows are looked up in the index one by one; more are read by
 * one scan.
 */
#define ONE_BY_ONE_MAX	8

/* ---- reading ------------------------------------------------------------ */

Snapshot
pgt_group_rows_snapshot(void)
{
	return RegisterSnapshot(IsolationUsesXactSnapshot() ? GetTransactionSnapshot() :
							GetLatestSnapshot());
}

/* The primary key's index of the open table. */
static Oid
offsets_index(Relation table)
{
	if (!table->rd_indexvalid)
		list_free(RelationGetIndexList(table));
	return table->rd_pkindex;
}

/* Scan keys of (topic, group[, partition]); partition -1: all.  Returns how many. */
static int
offsets_scan_keys(ScanKeyData *keys, const ConsumerGroup *group, int32 partition)
{
	ScanKeyInit(&keys[0], Anum_offsets_topic, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(group->topic));
	ScanKeyInit(&keys[1], Anum_offsets_group_id, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(group->id));
	if (partition < 0)
		return 2;
	ScanKeyInit(&keys[2], Anum_offsets_partition, BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum(partition));
	return 3;
}

SysScanDesc
pgt_group_rows_scan(Relation table, const ConsumerGroup *group, int32 partition, Snapshot snapshot)
{
	ScanKeyData keys[3];
	int			nkeys = offsets_scan_keys(keys, group, partition);

	return systable_beginscan(table, offsets_index(table), true, snapshot, nkeys, keys);
}

void
pgt_group_row_clear(GroupPartition *part, const ConsumerGroup *group, int32 partition)
{
	part->partition = partition;
	part->exists = false;
	part->row = NULL;
	part->owner = GROUP_UNCLAIMED;
	part->committed = NO_OFFSET;
	pgt_group_position_read(group, part);
	part->lease = (GroupLease) {NULL, DT_NOBEGIN, NO_OFFSET, DT_NOBEGIN, 0};
}

/* Fill a lease from a row. */
static void
fill_lease(GroupLease *lease, HeapTuple row, TupleDesc desc)
{
	bool		isnull;
	Datum		value;

	value = heap_getattr(row, Anum_offsets_member_id, desc, &isnull);
	lease->member = isnull ? NULL : TextDatumGetCString(value);
	value = heap_getattr(row, Anum_offsets_lease_until, desc, &isnull);
	lease->until = isnull ? DT_NOBEGIN : DatumGetTimestampTz(value);
	value = heap_getattr(row, Anum_offsets_generation, desc, &isnull);
	lease->generation = isnull ? 0 : DatumGetInt64(value);
	value = heap_getattr(row, Anum_offsets_position, desc, &isnull);
	lease->position = isnull ? NO_OFFSET : DatumGetInt64(value);
	value = heap_getattr(row, Anum_offsets_position_timestamp, desc, &isnull);
	lease->served = isnull ? DT_NOBEGIN : DatumGetTimestampTz(value);
}

/* The owner in a row. */
static Oid
row_owner(HeapTuple row, TupleDesc desc)
{
	bool		isnull;
	Datum		value = heap_getattr(row, Anum_offsets_owner, desc, &isnull);

	return isnull ? GROUP_UNCLAIMED : DatumGetObjectId(value);
}

void
pgt_group_row_fill(GroupPartition *part, HeapTuple row, TupleDesc desc)
{
	bool		isnull;
	Datum		value;

	part->exists = true;
	part->row = row;
	part->owner = row_owner(row, desc);

	value = heap_getattr(row, Anum_offsets_committed_offset, desc, &isnull);
	part->committed = isnull ? NO_OFFSET : DatumGetInt64(value);

	value = heap_getattr(row, Anum_offsets_commit_timestamp, desc, &isnull);
	if (!isnull)
		part->served = Max(part->served, DatumGetTimestampTz(value));

	fill_lease(&part->lease, row, desc);
	part->served = Max(part->served, part->lease.served);
}

/* The partition of a row. */
static int32
row_partition(HeapTuple row, TupleDesc desc)
{
	bool		isnull;

	return DatumGetInt32(heap_getattr(row, Anum_offsets_partition, desc, &isnull));
}

void
pgt_group_row_take(GroupPartition *part, const ConsumerGroup *group, HeapTuple row, TupleDesc desc)
{
	pgt_group_row_clear(part, group, row_partition(row, desc));
	pgt_group_row_fill(part, heap_copytuple(row), desc);
}

/* Is this the group's row for the partition? */
static bool
is_row_of(HeapTuple row, TupleDesc desc, const ConsumerGroup *group, int32 partition)
{
	bool		isnull;
	text	   *id;

	if (row_partition(row, desc) != partition ||
		DatumGetObjectId(heap_getattr(row, Anum_offsets_topic, desc, &isnull)) != group->topic)
		return false;
	id = DatumGetTextPP(heap_getattr(row, Anum_offsets_group_id, desc, &isnull));
	return VARSIZE_ANY_EXHDR(id) == strlen(group->id) &&
		memcmp(VARDATA_ANY(id), group->id, VARSIZE_ANY_EXHDR(id)) == 0;
}

/* A partition's row, looked for where it was found before; else NULL. */
static HeapTuple
row_at_tid(GroupRowFetch *scan, TupleDesc desc, const ConsumerGroup *group, int32 partition,
		   ItemPointer tid)
{
	HeapTuple	row = pgt_group_row_cache_fetch(scan, tid);

	return row != NULL && is_row_of(row, desc, group, partition) ? row : NULL;
}

/* A partition's row, looked up in the index; else NULL. */
static HeapTuple
row_by_index(Relation table, const ConsumerGroup *group, int32 partition, Snapshot snapshot)
{
	SysScanDesc scan = pgt_group_rows_scan(table, group, partition, snapshot);
	HeapTuple	row = heap_copytuple(systable_getnext(scan));

	systable_endscan(scan);
	return row;
}

/* Read the rows of all partitions by a scan of the index. */
static void
read_by_index(Relation table, const ConsumerGroup *group, GroupPartition *parts, int32 partitions,
			  Snapshot snapshot)
{
	TupleDesc	desc = RelationGetDescr(table);
	SysScanDesc scan = pgt_group_rows_scan(table, group, -1, snapshot);
	HeapTuple	row;

	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		int32		partition = row_partition(row, desc);

		if (partition >= 0 && partition < partitions)
			pgt_group_row_fill(&parts[partition], heap_copytuple(row), desc);
	}
	systable_endscan(scan);
}

/* Read the rows of all partitions: first where they were found before, then by the index. */
static void
read_rows(Relation table, const ConsumerGroup *group, GroupPartition *parts, int32 partitions,
		  Snapshot snapshot)
{
	TupleDesc	desc = RelationGetDescr(table);
	ItemPointer tids = pgt_group_row_cache_tids(group->topic, group->id, partitions);
	GroupRowFetch  *scan = pgt_group_row_cache_begin(table, snapshot);
	int			missing = 0;

	for (int32 i = 0; i < partitions; i++)
	{
		HeapTuple	row = row_at_tid(scan, desc, group, i, &tids[i]);

		if (row != NULL)
			pgt_group_row_fill(&parts[i], row, desc);
		else
			missing++;
	}
	pgt_group_row_cache_end(scan);

	if (missing > ONE_BY_ONE_MAX)
		read_by_index(table, group, parts, partitions, snapshot);
	for (int32 i = 0; i < partitions; i++)
	{
		HeapTuple	row;

		if (!parts[i].exists && missing <= ONE_BY_ONE_MAX &&
			(row = row_by_index(table, group, i, snapshot)) != NULL)
			pgt_group_row_fill(&parts[i], row, desc);
		if (parts[i].exists)
			tids[i] = parts[i].row->t_self;
	}
}

/* ERROR unless the user may use the group; its rows hardly ever differ in their owners. */
static void
check_owner(const ConsumerGroup *group, const GroupPartition *parts, int32 partitions)
{
	Oid			checked = GROUP_UNCLAIMED;

	for (int32 i = 0; i < partitions; i++)
	{
		if (parts[i].owner == checked)
			continue;
		pgt_group_role_check(group, parts[i].owner);
		checked = parts[i].owner;
	}
}

GroupPartition *
pgt_group_rows_read(const ConsumerGroup *group, int32 partitions)
{
	GroupPartition *parts = palloc(sizeof(GroupPartition) * partitions);
	Relation	table = table_open(group->offsets_table, AccessShareLock);
	Snapshot	snapshot = pgt_group_rows_snapshot();

	for (int32 i = 0; i < partitions; i++)
		pgt_group_row_clear(&parts[i], group, i);
	read_rows(table, group, parts, partitions, snapshot);
	UnregisterSnapshot(snapshot);
	table_close(table, AccessShareLock);
	check_owner(group, parts, partitions);
	return parts;
}

void
pgt_group_row_refresh(Relation table, const ConsumerGroup *group, GroupPartition *part)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	int32		partition = part->partition;
	ItemPointer tids = pgt_group_row_cache_tids(group->topic, group->id, partition + 1);
	GroupRowFetch  *scan = pgt_group_row_cache_begin(table, snapshot);
	HeapTuple	row = row_at_tid(scan, RelationGetDescr(table), group, partition, &tids[partition]);

	pgt_group_row_cache_end(scan);
	if (row == NULL)
		row = row_by_index(table, group, partition, snapshot);
	pgt_group_row_clear(part, group, partition);
	if (row != NULL)
	{
		pgt_group_row_fill(part, row, RelationGetDescr(table));
		tids[partition] = row->t_self;
	}
	UnregisterSnapshot(snapshot);
}

char *
pgt_group_row_metadata(const ConsumerGroup *group, const GroupPartition *part)
{
	Relation	table = table_open(group->offsets_table, AccessShareLock);
	bool		isnull;
	Datum		value = heap_getattr(part->row, Anum_offsets_metadata, RelationGetDescr(table), &isnull);
	char	   *metadata = isnull ? NULL : TextDatumGetCString(value);

	table_close(table, AccessShareLock);
	return metadata;
}

/* ---- writing ------------------------------------------------------------ */

/* Set the columns that a commit writes; next is NO_OFFSET where nothing is committed. */
static void
commit_values(Datum *values, bool *nulls, int64 next, const char *metadata)
{
	values[Anum_offsets_committed_offset - 1] = Int64GetDatum(next);
	nulls[Anum_offsets_committed_offset - 1] = next == NO_OFFSET;
	values[Anum_offsets_metadata - 1] = metadata == NULL ? (Datum) 0 : CStringGetTextDatum(metadata);
	nulls[Anum_offsets_metadata - 1] = metadata == NULL;
	values[Anum_offsets_commit_timestamp - 1] = TimestampTzGetDatum(GetCurrentTimestamp());
	nulls[Anum_offsets_commit_timestamp - 1] = next == NO_OFFSET;
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

/* Take that lock, and give it back. */
static void
lock_owner(const ConsumerGroup *group)
{
	LOCKTAG		tag = owner_tag(group);

	(void) LockAcquire(&tag, ExclusiveLock, false, false);
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
		Oid			found = row_owner(row, RelationGetDescr(table));

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

/*
 * The owner for a row that has none yet.  The owner's lock is held afterwards, until the
 * caller has written the row.  ERROR where the group belongs to a role that the user may not
 * act for.  A group that is new in its topic is told in the server's log, since it may be a
 * mistyped name.
 */
static Oid
claim(Relation table, const ConsumerGroup *group)
{
	for (;;)
	{
		bool		exists;
		TransactionId writer;
		Oid			owner;

		lock_owner(group);
		owner = find_owner(table, group, &exists, &writer);
		if (!exists)
			ereport(LOG,
					(errmsg("consumer group \"%s\" is new in topic \"%s\"", group->id, get_rel_name(group->topic))));
		if (owner == GROUP_UNCLAIMED)
			return GetUserId();
		if (pgt_group_role_may_use(group->topic, owner))
			return owner;
		unlock_owner(group);
		if (!TransactionIdIsValid(writer))
			pgt_group_role_check(group, owner);
		XactLockTableWait(writer, NULL, NULL, XLTW_None);
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

/* Put a new version in the place of an owned row. */
static HeapTuple
replace_row(Relation table, const GroupPartition *part, Datum *values, bool *nulls, bool *replace)
{
	HeapTuple	updated = heap_modify_tuple(part->row, RelationGetDescr(table), values, nulls, replace);

	PGT_HEAP_UPDATE(table, &part->row->t_self, updated);
	if (!HeapTupleIsHeapOnly(updated))
		index_version(table, updated);
	return updated;
}

/* Write a new version of an owned row; arguments as for pgt_group_row_write(). */
static HeapTuple
update_row(Relation table, const GroupPartition *part, Oid owner, int64 next, int64 lost,
		   const char *metadata, bool leased)
{
	Datum		values[Natts_offsets] = {0};
	bool		nulls[Natts_offsets] = {false};
	bool		replace[Natts_offsets] = {false};

	commit_values(values, nulls, next, metadata);
	if (next != NO_OFFSET)
		replace_columns(replace, Anum_offsets_committed_offset, Anum_offsets_commit_timestamp);
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
	if (leased)
		replace_columns(replace, Anum_offsets_member_id, Anum_offsets_position_timestamp);
	owner_value(values, nulls, owner);
	replace[Anum_offsets_owner - 1] = owner != part->owner;
	return replace_row(table, part, values, nulls, replace);
}

/* Write the first row of an owned partition. */
static HeapTuple
insert_row(Relation table, const ConsumerGroup *group, const GroupPartition *part, Oid owner,
		   int64 next, int64 lost, const char *metadata)
{
	Datum		values[Natts_offsets] = {0};
	bool		nulls[Natts_offsets] = {false};
	HeapTuple	row;

	commit_values(values, nulls, next, metadata);
	lost_values(values, nulls, lost);
	lease_values(values, nulls, &part->lease);
	owner_value(values, nulls, owner);
	values[Anum_offsets_group_id - 1] = CStringGetTextDatum(group->id);
	values[Anum_offsets_topic - 1] = ObjectIdGetDatum(group->topic);
	values[Anum_offsets_partition - 1] = Int32GetDatum(part->partition);

	row = heap_form_tuple(RelationGetDescr(table), values, nulls);
	CatalogTupleInsert(table, row);
	return row;
}

/* The row that pgt_group_row_write() or pgt_group_row_set_owner() has written: make it known. */
static void
row_written(Relation table, GroupPartition *part, HeapTuple row)
{
	/* make the new version visible to later calls in the same statement */
	CommandCounterIncrement();
	pgt_group_row_fill(part, row, RelationGetDescr(table));
	table_close(table, NoLock);
}

void
pgt_group_row_write(const ConsumerGroup *group, GroupPartition *part, int64 next, int64 lost,
					const char *metadata, bool leased)
{
	Relation	table = table_open(group->offsets_table, RowExclusiveLock);
	bool		claims = !part->exists || part->owner == GROUP_UNCLAIMED;
	Oid			owner = claims ? claim(table, group) : part->owner;
	HeapTuple	row;

	if (part->exists)
		row = update_row(table, part, owner, next, lost, metadata, leased);
	else
		row = insert_row(table, group, part, owner, next, lost, metadata);
	if (claims)
		unlock_owner(group);
	FAULT_POINT("offset-stored");
	row_written(table, part, row);
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

/* ---- groups and topics -------------------------------------------------- */

Oid
pgt_group_row_table(Oid topic)
{
	ForeignServer *server = GetForeignServer(GetForeignServerIdByRelId(topic));
	ForeignDataWrapper *wrapper = GetForeignDataWrapper(server->fdwid);
	Oid			schema = get_func_namespace(wrapper->fdwhandler);

	return OidIsValid(schema) ? get_relname_relid(OFFSETS_TABLE_NAME, schema) : InvalidOid;
}

Oid
pgt_group_row_any_table(void)
{
	List	   *topics = pgt_topic_list();

	return topics == NIL ? InvalidOid : pgt_group_row_table(linitial_oid(topics));
}

List *
pgt_group_rows_groups(Oid offsets_table, bool (*wanted) (Oid owner, const void *arg), const void *arg)
{
	Relation	table = table_open(offsets_table, AccessShareLock);
	Oid			index = offsets_index(table);
	Snapshot	snapshot = pgt_group_rows_snapshot();
	SysScanDesc scan = systable_beginscan(table, index, OidIsValid(index), snapshot, 0, NULL);
	List	   *groups = NIL;
	ConsumerGroup *last = NULL;
	HeapTuple	row;

	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		TupleDesc	desc = RelationGetDescr(table);
		Oid			owner = row_owner(row, desc);
		bool		isnull;

		if (owner == GROUP_UNCLAIMED || !wanted(owner, arg) ||
			(last != NULL && is_row_of(row, desc, last, row_partition(row, desc))))
			continue;
		last = palloc(sizeof(ConsumerGroup));
		last->offsets_table = offsets_table;
		last->topic = DatumGetObjectId(heap_getattr(row, Anum_offsets_topic, desc, &isnull));
		last->id = TextDatumGetCString(heap_getattr(row, Anum_offsets_group_id, desc, &isnull));
		groups = lappend(groups, last);
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(table, AccessShareLock);
	return groups;
}

/* Is it one of these names?  With NIL all are. */
static bool
is_named(const char *id, const List *names)
{
	ListCell   *cell;

	foreach(cell, names)
	{
		if (strcmp(lfirst(cell), id) == 0)
			return true;
	}
	return names == NIL;
}

/*
 * The lowest offset that groups of these names have committed for the partition; a group
 * without one counts as 0.  The scan returns all rows of the topic, group by group.
 */
static int64
lowest_committed(SysScanDesc scan, TupleDesc desc, int32 partition, const List *names)
{
	int64		lowest = PG_INT64_MAX;
	int64		committed = PG_INT64_MAX;	/* of the group at hand */
	int			groups = 0;
	char	   *group = NULL;
	HeapTuple	row;

	while (HeapTupleIsValid(row = systable_getnext_ordered(scan, ForwardScanDirection)))
	{
		bool		isnull;
		char	   *id = TextDatumGetCString(heap_getattr(row, Anum_offsets_group_id, desc, &isnull));

		if (group == NULL || strcmp(group, id) != 0)
		{
			lowest = Min(lowest, committed);
			committed = is_named(id, names) ? 0 : PG_INT64_MAX;
			groups += is_named(id, names);
		}
		if (group != NULL)
			pfree(group);
		group = id;
		if (row_partition(row, desc) == partition && is_named(id, names))
		{
			Datum		value = heap_getattr(row, Anum_offsets_committed_offset, desc, &isnull);

			committed = isnull ? 0 : DatumGetInt64(value);
		}
	}
	/* one that is named has everything before it until its first commit */
	return groups < list_length(names) ? 0 : Min(lowest, committed);
}

int64
pgt_group_rows_consumed(Oid topic, int32 partition, List *names)
{
	Oid			relid = pgt_group_row_table(topic);
	Relation	table = OidIsValid(relid) ? try_table_open(relid, AccessShareLock) : NULL;
	Relation	index;
	Snapshot	snapshot;
	ScanKeyData key;
	SysScanDesc scan;
	int64		lowest;

	/* without the table nothing is known of the groups, so retention must keep all records */
	if (table == NULL)
		return 0;
	index = index_open(offsets_index(table), AccessShareLock);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	ScanKeyInit(&key, Anum_offsets_topic, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(topic));
	scan = systable_beginscan_ordered(table, index, snapshot, 1, &key);
	lowest = lowest_committed(scan, RelationGetDescr(table), partition, names);
	systable_endscan_ordered(scan);
	UnregisterSnapshot(snapshot);
	index_close(index, AccessShareLock);
	table_close(table, AccessShareLock);
	return lowest;
}

Oid
pgt_group_rows_owner(const ConsumerGroup *group)
{
	Relation	table = table_open(group->offsets_table, AccessShareLock);
	Snapshot	snapshot = pgt_group_rows_snapshot();
	SysScanDesc scan = pgt_group_rows_scan(table, group, -1, snapshot);
	HeapTuple	row;
	Oid			owner = GROUP_UNCLAIMED;

	while (owner == GROUP_UNCLAIMED && HeapTupleIsValid(row = systable_getnext(scan)))
		owner = row_owner(row, RelationGetDescr(table));
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(table, AccessShareLock);
	return owner;
}

List *
pgt_group_rows_topics(const ConsumerGroup *group)
{
	Relation	table = table_open(group->offsets_table, AccessShareLock);
	Snapshot	snapshot = pgt_group_rows_snapshot();
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;
	List	   *topics = NIL;

	ScanKeyInit(&key, Anum_offsets_group_id, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(group->id));
	scan = systable_beginscan(table, InvalidOid, false, snapshot, 1, &key);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		bool		isnull;
		Datum		topic = heap_getattr(row, Anum_offsets_topic, RelationGetDescr(table), &isnull);

		topics = list_append_unique_oid(topics, DatumGetObjectId(topic));
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(table, AccessShareLock);
	return topics;
}
