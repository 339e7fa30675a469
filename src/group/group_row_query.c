/*
 * group_row_query.c
 *	  What the rows of topic_group_offsets say about all groups, or about a group in all
 *	  of its topics.
 *
 * These go through many rows, and are asked rarely: by retention, by who leaves a role's
 * groups to somebody else, by who looks.  They see the latest versions, as consumers do
 * (group_row.c).
 *
 * Locks: AccessShareLock on the table, for the time of the look.
 *
 * Memory: results in the caller's context.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "group/group_row.h"
#include "group/group_row_columns.h"

List *
pgt_group_rows_groups(Oid offsets_table, bool (*wanted) (Oid owner, const void *arg), const void *arg)
{
	Relation	table = table_open(offsets_table, AccessShareLock);
	Oid			index = pgt_group_row_index(table);
	Snapshot	snapshot = pgt_group_rows_snapshot();
	SysScanDesc scan = systable_beginscan(table, index, OidIsValid(index), snapshot, 0, NULL);
	List	   *groups = NIL;
	ConsumerGroup *last = NULL;
	HeapTuple	row;

	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		TupleDesc	desc = RelationGetDescr(table);
		Oid			owner = pgt_group_row_owner(row, desc);
		bool		isnull;

		if (owner == GROUP_UNCLAIMED || !wanted(owner, arg) ||
			(last != NULL && pgt_group_row_is_of(row, desc, last, pgt_group_row_partition(row, desc))))
			continue;
		last = palloc(sizeof(ConsumerGroup));
		last->offsets_table = offsets_table;
		last->role = InvalidOid;
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
		if (pgt_group_row_partition(row, desc) == partition && is_named(id, names))
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
	index = index_open(pgt_group_row_index(table), AccessShareLock);
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
		owner = pgt_group_row_owner(row, RelationGetDescr(table));
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(table, AccessShareLock);
	return owner;
}

Oid
pgt_group_rows_next_topic(const ConsumerGroup *group, Oid topic)
{
	Relation	table = table_open(group->offsets_table, AccessShareLock);
	Relation	index = index_open(pgt_group_row_group_index(table), AccessShareLock);
	Snapshot	snapshot = pgt_group_rows_snapshot();
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	row;
	Oid			next = InvalidOid;

	ScanKeyInit(&keys[0], Anum_offsets_group_id, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(group->id));
	ScanKeyInit(&keys[1], Anum_offsets_topic, BTGreaterStrategyNumber, F_OIDGT, ObjectIdGetDatum(topic));
	scan = systable_beginscan_ordered(table, index, snapshot, 2, keys);
	row = systable_getnext_ordered(scan, ForwardScanDirection);
	if (HeapTupleIsValid(row))
	{
		bool		isnull;

		next = DatumGetObjectId(heap_getattr(row, Anum_offsets_topic, RelationGetDescr(table), &isnull));
	}
	systable_endscan_ordered(scan);
	UnregisterSnapshot(snapshot);
	index_close(index, AccessShareLock);
	table_close(table, AccessShareLock);
	return next;
}

List *
pgt_group_rows_partitions(const ConsumerGroup *group, int32 partition, int most)
{
	Relation	table = table_open(group->offsets_table, AccessShareLock);
	Relation	index = index_open(pgt_group_row_index(table), AccessShareLock);
	Snapshot	snapshot = pgt_group_rows_snapshot();
	ScanKeyData keys[3];
	SysScanDesc scan;
	HeapTuple	row;
	List	   *partitions = NIL;

	ScanKeyInit(&keys[0], Anum_offsets_topic, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(group->topic));
	ScanKeyInit(&keys[1], Anum_offsets_group_id, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(group->id));
	ScanKeyInit(&keys[2], Anum_offsets_partition, BTGreaterStrategyNumber, F_INT4GT, Int32GetDatum(partition));
	scan = systable_beginscan_ordered(table, index, snapshot, 3, keys);
	while (list_length(partitions) < most && HeapTupleIsValid(row = systable_getnext_ordered(scan, ForwardScanDirection)))
		partitions = lappend_int(partitions, pgt_group_row_partition(row, RelationGetDescr(table)));
	systable_endscan_ordered(scan);
	UnregisterSnapshot(snapshot);
	index_close(index, AccessShareLock);
	table_close(table, AccessShareLock);
	return partitions;
}

char *
pgt_group_rows_next_group(Oid offsets_table, const char *group)
{
	Relation	table = table_open(offsets_table, AccessShareLock);
	Relation	index = index_open(pgt_group_row_group_index(table), AccessShareLock);
	Snapshot	snapshot = pgt_group_rows_snapshot();
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;
	char	   *next = NULL;

	ScanKeyInit(&key, Anum_offsets_group_id, BTGreaterStrategyNumber, F_TEXT_GT, CStringGetTextDatum(group == NULL ? "" : group));
	scan = systable_beginscan_ordered(table, index, snapshot, group == NULL ? 0 : 1, &key);
	row = systable_getnext_ordered(scan, ForwardScanDirection);
	if (HeapTupleIsValid(row))
	{
		bool		isnull;

		next = TextDatumGetCString(heap_getattr(row, Anum_offsets_group_id, RelationGetDescr(table), &isnull));
	}
	systable_endscan_ordered(scan);
	UnregisterSnapshot(snapshot);
	index_close(index, AccessShareLock);
	table_close(table, AccessShareLock);
	return next;
}

List *
pgt_group_rows_topics(const ConsumerGroup *group)
{
	List	   *topics = NIL;
	Oid			topic = InvalidOid;

	while (OidIsValid(topic = pgt_group_rows_next_topic(group, topic)))
		topics = lappend_oid(topics, topic);
	return topics;
}

bool
pgt_group_row_has_group(const ConsumerGroup *group)
{
	Relation	table = table_open(group->offsets_table, AccessShareLock);
	Oid			index = pgt_group_row_group_index(table);
	SnapshotData dirty;
	ScanKeyData key;
	SysScanDesc scan;
	bool		found;

	InitDirtySnapshot(dirty);
	ScanKeyInit(&key, Anum_offsets_group_id, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(group->id));
	scan = systable_beginscan(table, index, OidIsValid(index), &dirty, 1, &key);
	found = HeapTupleIsValid(systable_getnext(scan));
	systable_endscan(scan);
	table_close(table, AccessShareLock);
	return found;
}
