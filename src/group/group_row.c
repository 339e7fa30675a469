/*
 * group_row.c
 *	  The rows of topic_group_offsets: reading those of one group.
 *
 * A group's state is one row for each partition in which it has committed an offset.
 * Only the files group_row*.c know the columns: group_row_write.c writes rows, and
 * group_row_query.c answers questions about all groups.  Two other files use the table:
 * consumer_group.c locks and deletes rows, and topic_drop.c deletes the rows of a dropped
 * topic.  All of them use the table directly, not through SQL: a role that may read a topic
 * may consume it, and needs no privilege on the table.
 *
 * Rows are read in their latest version, whatever the statement's snapshot is: records
 * that another session has consumed and committed are consumed.  Under REPEATABLE READ
 * the version that the transaction's snapshot sees is read, and a later change is a
 * serialization failure.  Which records of the log a statement may read is decided by its
 * snapshot; see consume.c.
 *
 * Each commit writes a new version of a row, and there are many where some transaction keeps
 * vacuum from removing them.  The cost of a commit must not grow with them: so a row is
 * looked for first where it was found before (group_row_cache.c).
 *
 * Locks: AccessShareLock on the table during a read.
 *
 * Memory: rows in the caller's context.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "group/group_position.h"
#include "group/group_role.h"
#include "group/group_row.h"
#include "group/group_row_cache.h"
#include "group/group_row_columns.h"
#include "topic/topic.h"
#include "util/sql_version.h"

/*
 * Up to this number, missing rows are looked up in the index one by one; more are read by
 * one scan.
 */
#define ONE_BY_ONE_MAX	8

/* ---- the table ---------------------------------------------------------- */

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

Oid
pgt_group_row_extension_table(void)
{
	Oid			schema = pgt_sql_version_schema();

	return OidIsValid(schema) ? get_relname_relid(OFFSETS_TABLE_NAME, schema) : InvalidOid;
}

/* ---- reading ------------------------------------------------------------ */

Snapshot
pgt_group_rows_snapshot(void)
{
	return RegisterSnapshot(IsolationUsesXactSnapshot() ? GetTransactionSnapshot() :
							GetLatestSnapshot());
}

Oid
pgt_group_row_index(Relation table)
{
	if (!table->rd_indexvalid)
		list_free(RelationGetIndexList(table));
	return table->rd_pkindex;
}

Oid
pgt_group_row_group_index(Relation table)
{
	Oid			found = InvalidOid;
	ListCell   *cell;
	List	   *indexes = RelationGetIndexList(table);

	foreach(cell, indexes)
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		if (index->rd_index->indnatts == 2 && index->rd_index->indkey.values[0] == Anum_offsets_group_id &&
			index->rd_index->indkey.values[1] == Anum_offsets_topic && index->rd_index->indisvalid)
			found = lfirst_oid(cell);
		index_close(index, AccessShareLock);
	}
	list_free(indexes);
	if (!OidIsValid(found))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("table \"%s\" has no index on group_id and topic", RelationGetRelationName(table)),
				 errhint("Create it as the extension does: CREATE INDEX ON %s (group_id, topic).",
						 RelationGetRelationName(table))));
	return found;
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

	return systable_beginscan(table, pgt_group_row_index(table), true, snapshot, nkeys, keys);
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

Oid
pgt_group_row_owner(HeapTuple row, TupleDesc desc)
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
	part->owner = pgt_group_row_owner(row, desc);

	value = heap_getattr(row, Anum_offsets_committed_offset, desc, &isnull);
	part->committed = isnull ? NO_OFFSET : DatumGetInt64(value);

	value = heap_getattr(row, Anum_offsets_commit_timestamp, desc, &isnull);
	if (!isnull)
		part->served = Max(part->served, DatumGetTimestampTz(value));

	fill_lease(&part->lease, row, desc);
	part->served = Max(part->served, part->lease.served);
}

int32
pgt_group_row_partition(HeapTuple row, TupleDesc desc)
{
	bool		isnull;

	return DatumGetInt32(heap_getattr(row, Anum_offsets_partition, desc, &isnull));
}

void
pgt_group_row_take(GroupPartition *part, const ConsumerGroup *group, HeapTuple row, TupleDesc desc)
{
	pgt_group_row_clear(part, group, pgt_group_row_partition(row, desc));
	pgt_group_row_fill(part, heap_copytuple(row), desc);
}

bool
pgt_group_row_is_of(HeapTuple row, TupleDesc desc, const ConsumerGroup *group, int32 partition)
{
	bool		isnull;
	text	   *id;

	if (pgt_group_row_partition(row, desc) != partition ||
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

	return row != NULL && pgt_group_row_is_of(row, desc, group, partition) ? row : NULL;
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
		int32		partition = pgt_group_row_partition(row, desc);

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
