/*
 * consumer_group.c
 *	  The committed offsets of consumer groups, and who owns a partition.
 *
 * A group's state is one row of topic_group_offsets for each partition it has
 * committed something for.  This file is the only one that touches the table,
 * but for topic_drop.c, which removes a dropped topic's rows.
 * It goes through the table directly, not through SQL: whoever may read a
 * topic may consume it, and needs no privilege on the table.
 *
 * Owning a partition.  In transactional mode the owner is who holds the row's
 * lock (the one that UPDATE takes), till its transaction ends.  Where there is
 * no row yet, two first consumers must not wait for each other's uncommitted
 * insert, so the owner is who holds an advisory lock in a class of its own:
 *
 *	  row is there      row lock                   taken over by heap_update
 *	  no row            advisory lock (topic, hash of group and partition)
 *						with the lock: look again, and only then insert
 *
 * The lock outlives the insert's commit, so whoever gets it next sees the row.
 * Two groups whose hashes meet merely skip a partition once.
 *
 * A consumer locks just the version of the row (or the absence) that it has
 * read and opened the log by.  Where that is not the latest any more, the
 * attempt takes no lock and no transaction id, and tells what is now.  So who
 * waits for records never goes back to sleep with either.  Seeking takes
 * whatever version is the latest, in its turn.
 *
 * Rows are read in their latest version (under REPEATABLE READ: the snapshot's,
 * and a later change is a serialization failure): what another session has
 * consumed and committed is consumed, whatever the statement's snapshot is.
 * What the statement may read of the log is a matter of its snapshot; see
 * consume.c.
 *
 * A group that polls and finds nothing commits nothing, and would expire
 * (group_expiry.c).  So once a quarter of the time that it has has passed, a poll
 * commits again what is committed in one partition.
 *
 * Old versions of a row.  A commit writes a new one, and where a transaction
 * somewhere keeps vacuum from removing them they become many.  What a commit
 * takes must not grow with them: a row is looked for where it was last
 * (row_place.c), and its new version goes into the index without a look at the
 * others.
 *
 * Locks: AccessShareLock on the table for the time of a read, RowExclusiveLock
 * till the transaction's end once something is locked or written.
 *
 * Durability and crash safety are the heap's.
 *
 * Memory: rows in the caller's context.
 *
 * Layer 6.  Read group_position.c and consume.c next.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/indexing.h"
#include "common/hashfn.h"
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
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "consumer_group.h"
#include "fault_point.h"
#include "group_position.h"
#include "maintenance_stats.h"
#include "partition_release.h"
#include "row_place.h"

#define OFFSETS_TABLE_NAME	"topic_group_offsets"

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
#define Natts_offsets					13

/* Partitions that are looked up in the index one by one; where there are more, all at once. */
#define ONE_BY_ONE_MAX	8

/* The last field of our advisory lock tags; pg_advisory_lock() uses 1 and 2. */
#define MISSING_ROW_LOCK_CLASS	3

int			pgt_offsets_retention_minutes = 10080;

/* ---- the group ---------------------------------------------------------- */

/* See the header. */
void
pgt_group_check_id(const char *id)
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

/* See the header. */
void
pgt_group_init(ConsumerGroup *group, Oid function, Oid topic, const char *id)
{
	pgt_group_check_id(id);
	group->offsets_table = get_relname_relid(OFFSETS_TABLE_NAME, get_func_namespace(function));
	if (!OidIsValid(group->offsets_table))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"%s\" of extension \"pg_topics\" is missing", OFFSETS_TABLE_NAME),
				 errhint("It must be in the same schema as the extension's functions.")));
	group->topic = topic;
	group->id = id;
}

/* See the header. */
void
pgt_consumer_group_init(void)
{
	pgt_partition_release_init();
	pgt_group_position_init();
}

/* ---- reading rows ------------------------------------------------------- */

/*
 * The snapshot to look at rows with, registered: the latest, but under
 * REPEATABLE READ and SERIALIZABLE the transaction's.
 */
static Snapshot
offsets_snapshot(void)
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

/* A partition for which nothing is known yet but, maybe, a position. */
static void
clear_offset(GroupOffset *offset, const ConsumerGroup *group, int32 partition)
{
	offset->partition = partition;
	offset->exists = false;
	offset->row = NULL;
	offset->committed = NO_OFFSET;
	pgt_position_read(group, offset);
	offset->lease = (GroupLease) {NULL, DT_NOBEGIN, NO_OFFSET, DT_NOBEGIN, 0};
}

/* Take over the lease that a row tells of. */
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

/* Take over what a row says; the row is kept, so it must be the caller's to keep. */
static void
fill_offset(GroupOffset *offset, HeapTuple row, TupleDesc desc)
{
	bool		isnull;
	Datum		value;

	offset->exists = true;
	offset->row = row;

	value = heap_getattr(row, Anum_offsets_committed_offset, desc, &isnull);
	offset->committed = isnull ? NO_OFFSET : DatumGetInt64(value);

	value = heap_getattr(row, Anum_offsets_commit_timestamp, desc, &isnull);
	if (!isnull)
		offset->served = Max(offset->served, DatumGetTimestampTz(value));

	fill_lease(&offset->lease, row, desc);
	offset->served = Max(offset->served, offset->lease.served);
}

/* The partition a row is about. */
static int32
row_partition(HeapTuple row, TupleDesc desc)
{
	bool		isnull;

	return DatumGetInt32(heap_getattr(row, Anum_offsets_partition, desc, &isnull));
}

/* Is this the row of that partition of the group? */
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

/* A partition's row where it was found before, or NULL. */
static HeapTuple
row_at_place(PlaceScan *scan, TupleDesc desc, const ConsumerGroup *group, int32 partition,
			 ItemPointer place)
{
	HeapTuple	row = pgt_place_scan_fetch(scan, place);

	return row != NULL && is_row_of(row, desc, group, partition) ? row : NULL;
}

/* A partition's row by the index, or NULL. */
static HeapTuple
row_by_index(Relation table, const ConsumerGroup *group, int32 partition, Snapshot snapshot)
{
	ScanKeyData keys[3];
	int			nkeys = offsets_scan_keys(keys, group, partition);
	SysScanDesc scan = systable_beginscan(table, offsets_index(table), true, snapshot, nkeys, keys);
	HeapTuple	row = heap_copytuple(systable_getnext(scan));

	systable_endscan(scan);
	return row;
}

/* Read the rows of all partitions by the index. */
static void
read_by_index(Relation table, const ConsumerGroup *group, GroupOffset *offsets, int32 partitions,
			  Snapshot snapshot)
{
	TupleDesc	desc = RelationGetDescr(table);
	ScanKeyData keys[3];
	int			nkeys = offsets_scan_keys(keys, group, -1);
	SysScanDesc scan = systable_beginscan(table, offsets_index(table), true, snapshot, nkeys, keys);
	HeapTuple	row;

	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		int32		partition = row_partition(row, desc);

		if (partition >= 0 && partition < partitions)
			fill_offset(&offsets[partition], heap_copytuple(row), desc);
	}
	systable_endscan(scan);
}

/*
 * Read the rows of all partitions where they were found before, and the others
 * by the index.
 */
static void
read_rows(Relation table, const ConsumerGroup *group, GroupOffset *offsets, int32 partitions,
		  Snapshot snapshot)
{
	TupleDesc	desc = RelationGetDescr(table);
	ItemPointer places = pgt_row_places(group->topic, group->id, partitions);
	PlaceScan  *scan = pgt_place_scan_begin(table, snapshot);
	int			missing = 0;

	for (int32 i = 0; i < partitions; i++)
	{
		HeapTuple	row = row_at_place(scan, desc, group, i, &places[i]);

		if (row != NULL)
			fill_offset(&offsets[i], row, desc);
		else
			missing++;
	}
	pgt_place_scan_end(scan);

	if (missing > ONE_BY_ONE_MAX)
		read_by_index(table, group, offsets, partitions, snapshot);
	for (int32 i = 0; i < partitions; i++)
	{
		HeapTuple	row;

		if (!offsets[i].exists && missing <= ONE_BY_ONE_MAX &&
			(row = row_by_index(table, group, i, snapshot)) != NULL)
			fill_offset(&offsets[i], row, desc);
		if (offsets[i].exists)
			places[i] = offsets[i].row->t_self;
	}
}

/* See the header. */
GroupOffset *
pgt_group_read(const ConsumerGroup *group, int32 partitions)
{
	GroupOffset *offsets = palloc(sizeof(GroupOffset) * partitions);
	Relation	table = table_open(group->offsets_table, AccessShareLock);
	Snapshot	snapshot = offsets_snapshot();

	for (int32 i = 0; i < partitions; i++)
		clear_offset(&offsets[i], group, i);
	read_rows(table, group, offsets, partitions, snapshot);
	UnregisterSnapshot(snapshot);
	table_close(table, AccessShareLock);
	return offsets;
}

/* Read one partition's row again, in its latest version. */
static void
refresh_offset(Relation table, const ConsumerGroup *group, GroupOffset *offset)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	int32		partition = offset->partition;
	ItemPointer places = pgt_row_places(group->topic, group->id, partition + 1);
	PlaceScan  *scan = pgt_place_scan_begin(table, snapshot);
	HeapTuple	row = row_at_place(scan, RelationGetDescr(table), group, partition, &places[partition]);

	pgt_place_scan_end(scan);
	if (row == NULL)
		row = row_by_index(table, group, partition, snapshot);
	clear_offset(offset, group, partition);
	if (row != NULL)
	{
		fill_offset(offset, row, RelationGetDescr(table));
		places[partition] = row->t_self;
	}
	UnregisterSnapshot(snapshot);
}

/* See the header. */
void
pgt_group_mend_served(GroupOffset *offsets, int32 partitions)
{
	TimestampTz now = GetCurrentTimestamp() + (int64) (Max(pgt_clock_offset, 0) * 1000);

	for (int32 i = 0; i < partitions; i++)
	{
		if (offsets[i].served > now)
			offsets[i].served = DT_NOBEGIN;
	}
}

/* See the header. */
int64
pgt_group_next_offset(const GroupOffset *offset)
{
	return offset->position != NO_OFFSET ? offset->position : offset->committed;
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
 * Lock a partition's row: with "wait" its latest version, else the one that
 * *offset tells of.  GROUP_MOVED where that is history; then *offset tells
 * what is now.  A row that this transaction has written needs no further lock:
 * others find the version below it locked.
 */
static GroupLock
lock_row(Relation table, const ConsumerGroup *group, GroupOffset *offset, bool wait)
{
	ItemPointerData tid = offset->row->t_self;
	TupleTableSlot *slot;
	TM_FailureData failure;
	TM_Result	result;

	if (TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(offset->row->t_data)))
		return GROUP_OWNED;

	slot = table_slot_create(table, NULL);
	result = table_tuple_lock(table, &tid, GetActiveSnapshot(), slot,
							  GetCurrentCommandId(true), LockTupleNoKeyExclusive,
							  wait ? LockWaitBlock : LockWaitSkip,
							  wait && !IsolationUsesXactSnapshot() ? TUPLE_LOCK_FLAG_FIND_LAST_VERSION : 0,
							  &failure);
	if (result == TM_Ok)
		fill_offset(offset, ExecCopySlotHeapTuple(slot), RelationGetDescr(table));
	ExecDropSingleTupleTableSlot(slot);

	if (result == TM_Ok)
		return GROUP_OWNED;
	if (result == TM_WouldBlock)
		return GROUP_BUSY;
	if (IsolationUsesXactSnapshot())
		report_serialization_failure();
	if (result != TM_Updated && result != TM_Deleted)
		elog(ERROR, "unexpected result %d of locking a consumer group's row", (int) result);
	refresh_offset(table, group, offset);
	return GROUP_MOVED;
}

/* The lock that stands for a row which is not there. */
static LOCKTAG
missing_row_tag(const ConsumerGroup *group, int32 partition)
{
	uint32		hash = hash_bytes((const unsigned char *) group->id, strlen(group->id));
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, group->topic,
						 hash_combine(hash, murmurhash32(partition)), MISSING_ROW_LOCK_CLASS);
	return tag;
}

/* See the header. */
bool
pgt_group_is_starting(const ConsumerGroup *group, int32 partition)
{
	LOCKTAG		tag = missing_row_tag(group, partition);

	if (LockAcquire(&tag, ExclusiveLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
		return true;
	LockRelease(&tag, ExclusiveLock, false);
	return false;
}

/*
 * Own a partition that has no row, see the file's head.  GROUP_MOVED, and the
 * lock given back, where one was committed meanwhile; *offset then tells of it.
 */
static GroupLock
lock_missing_row(Relation table, const ConsumerGroup *group, GroupOffset *offset, bool wait)
{
	LOCKTAG		tag = missing_row_tag(group, offset->partition);

	if (LockAcquire(&tag, ExclusiveLock, false, !wait) == LOCKACQUIRE_NOT_AVAIL)
		return GROUP_BUSY;
	refresh_offset(table, group, offset);
	if (!offset->exists)
		return GROUP_OWNED;

	/* the snapshot does not see it */
	if (IsolationUsesXactSnapshot())
		report_serialization_failure();
	LockRelease(&tag, ExclusiveLock, false);
	return GROUP_MOVED;
}

/* See the header. */
GroupLock
pgt_group_lock(const ConsumerGroup *group, GroupOffset *offset, bool wait)
{
	Relation	table = table_open(group->offsets_table, RowExclusiveLock);
	GroupLock	result;

	do
	{
		CHECK_FOR_INTERRUPTS();
		result = offset->exists ? lock_row(table, group, offset, wait) :
			lock_missing_row(table, group, offset, wait);
	} while (result == GROUP_MOVED && wait);

	if (result == GROUP_OWNED)
		pgt_release_note_owned(group->topic, offset->partition, group->id);
	table_close(table, result == GROUP_OWNED ? NoLock : RowExclusiveLock);
	return result;
}

/* ---- writing rows ------------------------------------------------------- */

/* Set the columns that a commit writes; NO_OFFSET: nothing was committed. */
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

/* Set the columns that say how many records the group has lost so far. */
static void
lost_values(Datum *values, bool *nulls, int64 lost)
{
	values[Anum_offsets_lost_records - 1] = Int64GetDatum(lost);
	values[Anum_offsets_lost_timestamp - 1] = TimestampTzGetDatum(GetCurrentTimestamp());
	nulls[Anum_offsets_lost_records - 1] = false;
	nulls[Anum_offsets_lost_timestamp - 1] = lost == 0;
}

/* Mark columns first .. last as to be replaced. */
static void
replace_columns(bool *replace, int first, int last)
{
	for (int i = first; i <= last; i++)
		replace[i - 1] = true;
}

/*
 * Add a new version of a row to the table's indexes.  Its key is as before, and
 * the row is ours: asking whether the key is unique would visit every version
 * that vacuum has not removed.
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

/*
 * Write the new version of an owned row.  NO_OFFSET: what is committed stays;
 * "lost" is added to what the row says; without "leased" the lease stays.
 */
static HeapTuple
update_row(Relation table, const GroupOffset *offset, int64 next, int64 lost,
		   const char *metadata, bool leased)
{
	Datum		values[Natts_offsets] = {0};
	bool		nulls[Natts_offsets] = {false};
	bool		replace[Natts_offsets] = {false};
	HeapTuple	updated;

	commit_values(values, nulls, next, metadata);
	if (next != NO_OFFSET)
		replace_columns(replace, Anum_offsets_committed_offset, Anum_offsets_commit_timestamp);
	if (lost > 0)
	{
		bool		isnull;
		Datum		before = heap_getattr(offset->row, Anum_offsets_lost_records,
										  RelationGetDescr(table), &isnull);

		lost_values(values, nulls, lost + (isnull ? 0 : DatumGetInt64(before)));
		replace_columns(replace, Anum_offsets_lost_records, Anum_offsets_lost_timestamp);
	}
	lease_values(values, nulls, &offset->lease);
	if (leased)
		replace_columns(replace, Anum_offsets_member_id, Anum_offsets_position_timestamp);

	updated = heap_modify_tuple(offset->row, RelationGetDescr(table), values, nulls, replace);
	simple_heap_update(table, &offset->row->t_self, updated);
	if (!HeapTupleIsHeapOnly(updated))
		index_version(table, updated);
	return updated;
}

/* Write the first row of a partition whose absence is locked. */
static HeapTuple
insert_row(Relation table, const ConsumerGroup *group, const GroupOffset *offset, int64 next,
		   int64 lost, const char *metadata)
{
	Datum		values[Natts_offsets] = {0};
	bool		nulls[Natts_offsets] = {false};
	HeapTuple	row;

	commit_values(values, nulls, next, metadata);
	lost_values(values, nulls, lost);
	lease_values(values, nulls, &offset->lease);
	values[Anum_offsets_group_id - 1] = CStringGetTextDatum(group->id);
	values[Anum_offsets_topic - 1] = ObjectIdGetDatum(group->topic);
	values[Anum_offsets_partition - 1] = Int32GetDatum(offset->partition);

	row = heap_form_tuple(RelationGetDescr(table), values, nulls);
	CatalogTupleInsert(table, row);
	return row;
}

/* Write an owned partition's row, new or not; see update_row(). */
static void
write_row(const ConsumerGroup *group, GroupOffset *offset, int64 next, int64 lost,
		  const char *metadata, bool leased)
{
	Relation	table = table_open(group->offsets_table, RowExclusiveLock);
	HeapTuple	row;

	if (offset->exists)
		row = update_row(table, offset, next, lost, metadata, leased);
	else
		row = insert_row(table, group, offset, next, lost, metadata);
	FAULT_POINT("offset-stored");

	/* later calls of the same statement go on from here */
	CommandCounterIncrement();
	fill_offset(offset, row, RelationGetDescr(table));
	table_close(table, NoLock);
}

/* Commit an owned partition's next offset; with "leased" together with its lease. */
static void
commit_row(const ConsumerGroup *group, GroupOffset *offset, int64 next, const char *metadata,
		   bool leased)
{
	if (next < offset->committed)
		pgt_release_wake_all(group->topic);
	pgt_release_note_next(group->topic, offset->partition, group->id, next);
	write_row(group, offset, next, pgt_position_lost(group, offset->partition), metadata, leased);
	pgt_position_set(group, offset, NO_OFFSET);
}

/* See the header. */
void
pgt_group_commit(const ConsumerGroup *group, GroupOffset *offset, int64 next, const char *metadata)
{
	bool		leased = offset->lease.member != NULL;

	offset->lease.member = NULL;
	offset->lease.until = DT_NOBEGIN;
	offset->lease.position = NO_OFFSET;
	commit_row(group, offset, next, metadata, leased);
}

/* When the group last did something with the partition that counts as use. */
static TimestampTz
last_use(const GroupOffset *offset)
{
	return Max(offset->served, offset->lease.until);
}

/* The metadata of a row, or NULL. */
static char *
metadata_of(const ConsumerGroup *group, const GroupOffset *offset)
{
	Relation	table = table_open(group->offsets_table, AccessShareLock);
	bool		isnull;
	Datum		value = heap_getattr(offset->row, Anum_offsets_metadata, RelationGetDescr(table), &isnull);
	char	   *metadata = isnull ? NULL : TextDatumGetCString(value);

	table_close(table, AccessShareLock);
	return metadata;
}

/* See the header. */
void
pgt_group_keep(const ConsumerGroup *group, GroupOffset *offsets, int32 partitions)
{
	GroupOffset *latest = NULL;
	TimestampTz soon = GetCurrentTimestamp() + (int64) (pgt_clock_offset * 1000) -
	pgt_offsets_retention_minutes * (USECS_PER_MINUTE / 4);

	if (pgt_offsets_retention_minutes <= 0)
		return;
	for (int32 i = 0; i < partitions; i++)
	{
		if (last_use(&offsets[i]) > soon)
			return;
		if (offsets[i].committed != NO_OFFSET && offsets[i].position == NO_OFFSET &&
			(latest == NULL || last_use(&offsets[i]) > last_use(latest)))
			latest = &offsets[i];
	}
	if (latest != NULL && pgt_group_lock(group, latest, false) == GROUP_OWNED)
		pgt_group_commit(group, latest, latest->committed, metadata_of(group, latest));
}

/* See the header. */
void
pgt_group_commit_leased(const ConsumerGroup *group, GroupOffset *offset, int64 next,
						const char *metadata)
{
	commit_row(group, offset, next, metadata, true);
}

/* See the header. */
void
pgt_group_write_lease(const ConsumerGroup *group, GroupOffset *offset)
{
	write_row(group, offset, NO_OFFSET, 0, NULL, true);
}

/* See the header. */
void
pgt_group_commit_positions(const ConsumerGroup *group)
{
	List	   *partitions = pgt_position_partitions(group);
	ListCell   *cell;

	foreach(cell, partitions)
	{
		GroupOffset offset;
		Relation	table = table_open(group->offsets_table, RowExclusiveLock);

		clear_offset(&offset, group, lfirst_int(cell));
		refresh_offset(table, group, &offset);
		table_close(table, NoLock);
		pgt_group_lock(group, &offset, true);
		pgt_group_commit(group, &offset, offset.position, NULL);
	}
	list_free(partitions);
}

/* See the header. */
int64
pgt_group_delete(const ConsumerGroup *group)
{
	Relation	table = table_open(group->offsets_table, RowExclusiveLock);
	Snapshot	snapshot = offsets_snapshot();
	ScanKeyData keys[3];
	SysScanDesc scan;
	HeapTuple	row;
	int64		deleted = 0;
	int			nkeys = offsets_scan_keys(keys, group, -1);

	scan = systable_beginscan(table, offsets_index(table), true, snapshot, nkeys, keys);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		GroupOffset offset;

		clear_offset(&offset, group, row_partition(row, RelationGetDescr(table)));
		fill_offset(&offset, heap_copytuple(row), RelationGetDescr(table));
		if (lock_row(table, group, &offset, true) != GROUP_OWNED)
			continue;
		CatalogTupleDelete(table, &offset.row->t_self);
		pgt_position_set(group, &offset, NO_OFFSET);
		deleted++;
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(table, NoLock);
	CommandCounterIncrement();
	if (deleted > 0)
		pgt_release_wake_all(group->topic);
	return deleted;
}

/* ---- all groups of a topic ---------------------------------------------- */

/* See the header. */
Oid
pgt_group_offsets_table(Oid topic)
{
	ForeignServer *server = GetForeignServer(GetForeignServerIdByRelId(topic));
	ForeignDataWrapper *wrapper = GetForeignDataWrapper(server->fdwid);
	Oid			schema = get_func_namespace(wrapper->fdwhandler);

	return OidIsValid(schema) ? get_relname_relid(OFFSETS_TABLE_NAME, schema) : InvalidOid;
}

/*
 * The lowest offset that the groups whose rows a scan gives, group by group,
 * have committed for the partition: 0 for a group without one.
 */
static int64
lowest_committed(SysScanDesc scan, TupleDesc desc, int32 partition)
{
	int64		lowest = PG_INT64_MAX;
	int64		committed = PG_INT64_MAX;	/* of the group at hand */
	char	   *group = NULL;
	HeapTuple	row;

	while (HeapTupleIsValid(row = systable_getnext_ordered(scan, ForwardScanDirection)))
	{
		bool		isnull;
		char	   *id = TextDatumGetCString(heap_getattr(row, Anum_offsets_group_id, desc, &isnull));

		if (group == NULL || strcmp(group, id) != 0)
		{
			lowest = Min(lowest, committed);
			committed = 0;
		}
		if (group != NULL)
			pfree(group);
		group = id;
		if (row_partition(row, desc) == partition)
		{
			Datum		value = heap_getattr(row, Anum_offsets_committed_offset, desc, &isnull);

			committed = isnull ? 0 : DatumGetInt64(value);
		}
	}
	return Min(lowest, committed);
}

/* See the header. */
int64
pgt_groups_consumed(Oid topic, int32 partition)
{
	Oid			relid = pgt_group_offsets_table(topic);
	Relation	table = OidIsValid(relid) ? try_table_open(relid, AccessShareLock) : NULL;
	Relation	index;
	Snapshot	snapshot;
	ScanKeyData key;
	SysScanDesc scan;
	int64		lowest;

	/* with the table went what is known of the groups: keep all */
	if (table == NULL)
		return 0;
	index = index_open(offsets_index(table), AccessShareLock);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	ScanKeyInit(&key, Anum_offsets_topic, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(topic));
	scan = systable_beginscan_ordered(table, index, snapshot, 1, &key);
	lowest = lowest_committed(scan, RelationGetDescr(table), partition);
	systable_endscan_ordered(scan);
	UnregisterSnapshot(snapshot);
	index_close(index, AccessShareLock);
	table_close(table, AccessShareLock);
	return lowest;
}

/* See the header. */
List *
pgt_group_topics(const ConsumerGroup *group)
{
	Relation	table = table_open(group->offsets_table, AccessShareLock);
	Snapshot	snapshot = offsets_snapshot();
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
