/*
 * share_row.c
 *	  What of share groups is durable: rows of topic_share_groups and topic_share_acks_*.
 *
 *	  topic_share_groups	a row for each share partition: owner, start, states of records
 *	  topic_share_acks_0	what transactions have acknowledged since then: a row for each
 *	  topic_share_acks_1	transaction and share partition, in either table
 *
 * A transaction that acknowledges adds one row before it commits and changes none, so no two
 * meet, and commit, rollback, crash, standbys, two-phase commit and backups need nothing of ours.  Nobody reads
 * these rows but who sets up a window (share_group.c) or looks.  The state of a share partition is
 * what all of its rows say together: whatever their order, finished records are finished, and
 * starts and numbers of deliveries only grow (share_window.c).
 *
 * Rows that are only added pile up, and to delete them would leave dead ones, for as long
 * as there are old snapshots.  So there are two tables.  Transactions write to one of them.  When
 * it has grown, they turn to the other one; and once all that have written to the first one have ended,
 * which AccessExclusiveLock on it tells, its rows are put into those of the groups, and it is truncated,
 * in one transaction (pgt_share_row_merge()).  Which table is written to is no more than a hint: a late
 * writer holds its lock.  The rows of the groups are updated once a merge.
 *
 * Who reads takes both tables' locks before he takes the snapshot for the row of the group:
 * so he sees each acknowledgement in either place.  He reads rows that are not committed too:
 * they are of prepared transactions, since a share partition that a running transaction has used has a window.
 * Whatever becomes of such a transaction, its row's start counts: what is before it was finished when it was written.
 *
 * The format of states, after a byte with its version; numbers are big-endian, entries not aligned:
 *
 *	  first offset - start_offset uint32 | records uint32 | state uint8 | deliveries uint16
 *
 * Locks: AccessShareLock on the tables while reading; RowExclusiveLock, until the transaction's end,
 * on those written to; in a merge ShareRowExclusiveLock on the groups', AccessExclusiveLock on the acknowledgements'.
 *
 * Memory: the caller's context.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "group/group_row.h"
#include "group/group_types.h"
#include "share/share_row.h"
#include "util/sql_version.h"
#include "share/share_table.h"
#include "util/compat.h"

#define GROUPS_TABLE		"topic_share_groups"
#define GROUPS_BY_GROUP		"topic_share_groups_by_group"

/* columns of topic_share_groups */
enum
{
	Anum_share_topic = 1,
	Anum_share_group_id,
	Anum_share_partition,
	Anum_share_share_id,
	Anum_share_owner,
	Anum_share_start_offset,
	Anum_share_states,
	Natts_share = Anum_share_states
};

/* columns of topic_share_acks_* */
enum
{
	Anum_acks_share_id = 1,
	Anum_acks_start_offset,
	Anum_acks_states,
	Natts_acks = Anum_acks_states
};

#define STATES_VERSION		1
#define STATES_ENTRY_SIZE	11

/* twice the largest value of pg_topics.share_partition_max_record_locks, and what may be added to that */
#define MAX_WINDOW			40000

static const char *const acks_tables[SHARE_ACKS_TABLES] = {"topic_share_acks_0", "topic_share_acks_1"};

/* ---- tables ---------------------------------------------------------------- */

static Relation
open_groups(Oid schema, LOCKMODE mode)
{
	return table_open(pgt_sql_version_relation_in(schema, GROUPS_TABLE), mode);
}

/* ---- states ---------------------------------------------------------------- */

void
pgt_share_row_begin_states(StringInfo states)
{
	initStringInfo(states);
	appendStringInfoSpaces(states, VARHDRSZ);
	appendStringInfoChar(states, STATES_VERSION);
}

void
pgt_share_row_add_range(StringInfo states, int64 start_offset, const ShareRange *range)
{
	uint32		first = pg_hton32((uint32) (range->first - start_offset));
	uint32		count = pg_hton32((uint32) (range->last - range->first + 1));
	uint16		deliveries = pg_hton16(range->deliveries);

	appendBinaryStringInfo(states, (const char *) &first, sizeof(first));
	appendBinaryStringInfo(states, (const char *) &count, sizeof(count));
	appendStringInfoChar(states, (char) range->state);
	appendBinaryStringInfo(states, (const char *) &deliveries, sizeof(deliveries));
}

/* The states as a Datum; they stay the StringInfo's. */
static Datum
states_datum(StringInfo states)
{
	SET_VARSIZE(states->data, states->len);
	return PointerGetDatum(states->data);
}

/* ERROR: the bytes are not what this file writes. */
static void
report_damaged(int64 share_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("states of share partition %lld are damaged", (long long) share_id)));
}

/* Take over a range; a window that is too small, since the setting was larger before, is replaced. */
static void
load_range(ShareWindow **window, const ShareRange *range, TransactionId xid)
{
	ShareWindow *larger;
	int64		wanted;

	if (pgt_share_window_load(*window, range, xid))
		return;
	wanted = Max(range->last - (*window)->start + 1, (int64) (*window)->size * 2);
	if (wanted > MAX_WINDOW)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("a share partition has offset %lld in flight although it begins at %lld",
						(long long) range->last, (long long) (*window)->start)));
	larger = palloc(pgt_share_window_bytes((int32) wanted));
	pgt_share_window_copy(larger, (int32) wanted, *window);
	pfree(*window);
	*window = larger;
	(void) pgt_share_window_load(*window, range, xid);
}

/* Take over encoded states into the window. */
static void
load_states(ShareWindow **window, int64 share_id, int64 start_offset, Datum value, TransactionId xid)
{
	bytea	   *states = DatumGetByteaPP(value);
	const char *next = VARDATA_ANY(states);
	int			length = VARSIZE_ANY_EXHDR(states);

	if (length < 1 || *next != STATES_VERSION || (length - 1) % STATES_ENTRY_SIZE != 0)
		report_damaged(share_id);
	for (next++; length > 1; length -= STATES_ENTRY_SIZE)
	{
		uint32		first;
		uint32		count;
		uint16		deliveries;
		ShareRange	range;

		memcpy(&first, next, sizeof(first));
		memcpy(&count, next + 4, sizeof(count));
		memcpy(&deliveries, next + 9, sizeof(deliveries));
		range.first = start_offset + pg_ntoh32(first);
		range.last = range.first + pg_ntoh32(count) - 1;
		range.state = (uint8) next[8];
		range.deliveries = pg_ntoh16(deliveries);
		if (range.last < range.first || range.state > SHARE_REJECTED)
			report_damaged(share_id);
		load_range(window, &range, xid);
		next += STATES_ENTRY_SIZE;
	}
	if ((Pointer) states != DatumGetPointer(value))
		pfree(states);
}

/* ---- rows of the groups ----------------------------------------------------- */

/* What a row has; in the current memory context. */
static void
fill_row(ShareRow *row, HeapTuple tuple, TupleDesc desc)
{
	bool		isnull;
	Datum		states;

	row->topic = DatumGetObjectId(heap_getattr(tuple, Anum_share_topic, desc, &isnull));
	row->group_id = TextDatumGetCString(heap_getattr(tuple, Anum_share_group_id, desc, &isnull));
	row->partition = DatumGetInt32(heap_getattr(tuple, Anum_share_partition, desc, &isnull));
	row->share_id = DatumGetInt64(heap_getattr(tuple, Anum_share_share_id, desc, &isnull));
	row->owner = DatumGetObjectId(heap_getattr(tuple, Anum_share_owner, desc, &isnull));
	if (isnull)
		row->owner = GROUP_UNCLAIMED;
	row->start_offset = DatumGetInt64(heap_getattr(tuple, Anum_share_start_offset, desc, &isnull));
	states = heap_getattr(tuple, Anum_share_states, desc, &isnull);
	row->states = isnull ? (Datum) 0 : PointerGetDatum(DatumGetByteaPCopy(states));
}

/* Begin to scan the rows of a group, of a topic, of both, of a partition of both, or all of them. */
static SysScanDesc
begin_scan(Relation table, Snapshot snapshot, const char *group_id, Oid topic, int32 partition)
{
	ScanKeyData keys[3];
	int			count = 0;
	Oid			index;

	if (OidIsValid(topic))
		ScanKeyInit(&keys[count++], Anum_share_topic, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(topic));
	if (group_id != NULL)
		ScanKeyInit(&keys[count++], Anum_share_group_id, BTEqualStrategyNumber, F_TEXTEQ,
					CStringGetTextDatum(group_id));
	if (partition >= 0)
		ScanKeyInit(&keys[count++], Anum_share_partition, BTEqualStrategyNumber, F_INT4EQ,
					Int32GetDatum(partition));
	index = OidIsValid(topic) ? PGT_PRIMARY_KEY_INDEX(table) :
		get_relname_relid(GROUPS_BY_GROUP, RelationGetNamespace(table));
	return systable_beginscan(table, index, OidIsValid(index) && count > 0, snapshot, count, keys);
}

/* Read one row by a snapshot. */
static bool
read_row(Relation table, Oid topic, const char *group_id, int32 partition, ShareRow *row)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	SysScanDesc scan = begin_scan(table, snapshot, group_id, topic, partition);
	HeapTuple	tuple = systable_getnext(scan);
	bool		found = HeapTupleIsValid(tuple);

	if (found)
		fill_row(row, tuple, RelationGetDescr(table));
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	return found;
}

bool
pgt_share_row_read(Oid schema, Oid topic, const char *group_id, int32 partition, ShareRow *row)
{
	Relation	table = open_groups(schema, AccessShareLock);
	bool		found = read_row(table, topic, group_id, partition, row);

	table_close(table, AccessShareLock);
	return found;
}

List *
pgt_share_row_list(Oid schema, const char *group_id, Oid topic)
{
	Relation	table = open_groups(schema, AccessShareLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	SysScanDesc scan = begin_scan(table, snapshot, group_id, topic, -1);
	List	   *rows = NIL;
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		ShareRow   *row = palloc(sizeof(ShareRow));

		fill_row(row, tuple, RelationGetDescr(table));
		rows = lappend(rows, row);
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(table, AccessShareLock);
	return rows;
}

char *
pgt_share_row_next_group(Oid schema, const char *group_id)
{
	Relation	table = open_groups(schema, AccessShareLock);
	Relation	index = index_open(pgt_sql_version_relation_in(schema, GROUPS_BY_GROUP), AccessShareLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	char	   *next = NULL;

	ScanKeyInit(&key, Anum_share_group_id, BTGreaterStrategyNumber, F_TEXT_GT,
				CStringGetTextDatum(group_id == NULL ? "" : group_id));
	scan = systable_beginscan_ordered(table, index, snapshot, group_id == NULL ? 0 : 1, &key);
	tuple = systable_getnext_ordered(scan, ForwardScanDirection);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;

		next = TextDatumGetCString(heap_getattr(tuple, Anum_share_group_id, RelationGetDescr(table), &isnull));
	}
	systable_endscan_ordered(scan);
	UnregisterSnapshot(snapshot);
	index_close(index, AccessShareLock);
	table_close(table, AccessShareLock);
	return next;
}

bool
pgt_share_row_has_group(Oid schema, const char *group_id)
{
	Relation	table = open_groups(schema, AccessShareLock);
	SnapshotData dirty;
	SysScanDesc scan;
	bool		found;

	InitDirtySnapshot(dirty);
	scan = begin_scan(table, &dirty, group_id, InvalidOid, -1);
	found = HeapTupleIsValid(systable_getnext(scan));
	systable_endscan(scan);
	table_close(table, AccessShareLock);
	return found;
}

void
pgt_share_row_insert(Oid schema, const ShareRow *row)
{
	Relation	table = open_groups(schema, RowExclusiveLock);
	Datum		values[Natts_share] = {0};
	bool		nulls[Natts_share] = {false};

	values[Anum_share_topic - 1] = ObjectIdGetDatum(row->topic);
	values[Anum_share_group_id - 1] = CStringGetTextDatum(row->group_id);
	values[Anum_share_partition - 1] = Int32GetDatum(row->partition);
	values[Anum_share_share_id - 1] = Int64GetDatum(row->share_id);
	values[Anum_share_owner - 1] = ObjectIdGetDatum(row->owner);
	values[Anum_share_start_offset - 1] = Int64GetDatum(row->start_offset);
	nulls[Anum_share_states - 1] = true;
	CatalogTupleInsert(table, heap_form_tuple(RelationGetDescr(table), values, nulls));
	CommandCounterIncrement();
	table_close(table, NoLock);
}

int
pgt_share_row_set_owner(Oid schema, Oid topic, const char *group_id, Oid owner)
{
	Relation	table = open_groups(schema, RowExclusiveLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	SysScanDesc scan = begin_scan(table, snapshot, group_id, topic, -1);
	Datum		values[Natts_share] = {0};
	bool		nulls[Natts_share] = {false};
	bool		replace[Natts_share] = {false};
	HeapTuple	tuple;
	int			count = 0;

	values[Anum_share_owner - 1] = ObjectIdGetDatum(owner);
	replace[Anum_share_owner - 1] = true;
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		HeapTuple	updated = heap_modify_tuple(tuple, RelationGetDescr(table), values, nulls, replace);

		CatalogTupleUpdate(table, &tuple->t_self, updated);
		count++;
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	CommandCounterIncrement();
	/* who remembers owners looks again */
	pgt_group_row_tell_owners(pgt_group_row_extension_table());
	table_close(table, NoLock);
	return count;
}

bool
pgt_share_row_try_lock_groups(Oid schema)
{
	return ConditionalLockRelationOid(pgt_sql_version_relation_in(schema, GROUPS_TABLE), ShareRowExclusiveLock);
}

/* Delete the rows of a group in a topic, of all groups there, or of one partition (-1: of all). */
static int
delete_rows(Oid schema, Oid topic, const char *group_id, int32 partition)
{
	Oid			relid = get_relname_relid(GROUPS_TABLE, schema);
	/* a topic may be dropped together with the extension */
	Relation	table = OidIsValid(relid) ? try_table_open(relid, RowExclusiveLock) : NULL;
	Snapshot	snapshot;
	SysScanDesc scan;
	HeapTuple	tuple;
	int			count = 0;

	if (table == NULL)
		return 0;
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan = begin_scan(table, snapshot, group_id, topic, partition);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		CatalogTupleDelete(table, &tuple->t_self);
		count++;
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	CommandCounterIncrement();
	table_close(table, NoLock);
	return count;
}

int
pgt_share_row_delete(Oid schema, Oid topic, const char *group_id)
{
	return delete_rows(schema, topic, group_id, -1);
}

void
pgt_share_row_delete_partition(Oid schema, Oid topic, const char *group_id, int32 partition)
{
	(void) delete_rows(schema, topic, group_id, partition);
}

/* ---- acknowledgements -------------------------------------------------------- */

int
pgt_share_row_try_lock(Oid schema)
{
	int			generation = pgt_share_table_generation();

	if (ConditionalLockRelationOid(pgt_sql_version_relation_in(schema, acks_tables[generation]), RowExclusiveLock) &&
		ConditionalLockRelationOid(pgt_sql_version_relation_in(schema, GROUPS_TABLE), RowExclusiveLock))
		return generation;
	return -1;
}

bool
pgt_share_row_try_lock_to_load(Oid schema)
{
	for (int i = 0; i < SHARE_ACKS_TABLES; i++)
	{
		if (!ConditionalLockRelationOid(pgt_sql_version_relation_in(schema, acks_tables[i]), AccessShareLock))
			return false;
	}
	return ConditionalLockRelationOid(pgt_sql_version_relation_in(schema, GROUPS_TABLE), AccessShareLock);
}

void
pgt_share_row_insert_ack(Oid schema, int generation, int64 share_id, int64 start_offset, StringInfo states)
{
	Relation	table = table_open(pgt_sql_version_relation_in(schema, acks_tables[generation]), RowExclusiveLock);
	Datum		values[Natts_acks];
	bool		nulls[Natts_acks] = {false};
	HeapTuple	tuple;

	values[Anum_acks_share_id - 1] = Int64GetDatum(share_id);
	values[Anum_acks_start_offset - 1] = Int64GetDatum(start_offset);
	values[Anum_acks_states - 1] = states_datum(states);
	tuple = heap_form_tuple(RelationGetDescr(table), values, nulls);
	/* the table has no index */
	simple_heap_insert(table, tuple);
	heap_freetuple(tuple);
	table_close(table, NoLock);
}

/* Called for each row of a table of acknowledgements; xid: the running transaction that wrote it, or 0. */
typedef void (*AckVisit) (int64 share_id, int64 start_offset, Datum states, TransactionId xid, void *arg);

/* Walk the rows of an open table that are committed or not decided. */
static int64
walk_acks(Relation table, AckVisit visit, void *arg)
{
	TupleTableSlot *slot = table_slot_create(table, NULL);
	SnapshotData dirty;
	TableScanDesc scan;
	int64		count = 0;

	InitDirtySnapshot(dirty);
	scan = table_beginscan(table, &dirty, 0, NULL);
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		TransactionId xid = dirty.xmin;
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		visit(DatumGetInt64(slot_getattr(slot, Anum_acks_share_id, &isnull)),
			  DatumGetInt64(slot_getattr(slot, Anum_acks_start_offset, &isnull)),
			  slot_getattr(slot, Anum_acks_states, &isnull), xid, arg);
		count++;
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	return count;
}

/* What a window is loaded from. */
typedef struct WindowLoad
{
	int64		share_id;
	ShareWindow *window;
	bool		starts;			/* this walk is for the starts */
} WindowLoad;

/* AckVisit: take over what concerns the window. */
static void
visit_for_window(int64 share_id, int64 start_offset, Datum states, TransactionId xid, void *arg)
{
	WindowLoad *load = arg;

	if (share_id != load->share_id)
		return;
	if (load->starts)
		pgt_share_window_raise_start(load->window, start_offset);
	else
		load_states(&load->window, share_id, start_offset, states, xid);
}

/* Make a window of a row and of the acknowledgements in the tables, which are open. */
static ShareWindow *
load_window(const ShareRow *row, Relation *acks, int count)
{
	int32		size = pgt_share_partition_max_record_locks;
	ShareWindow *window = palloc(pgt_share_window_bytes(size));
	WindowLoad	load = {.share_id = row->share_id,.window = window};

	pgt_share_window_init(window, size, row->start_offset);
	/* the starts first: the states fit the window from the last one on */
	load.starts = true;
	for (int i = 0; i < count; i++)
		(void) walk_acks(acks[i], visit_for_window, &load);
	if (row->states != (Datum) 0)
		load_states(&load.window, row->share_id, row->start_offset, row->states, InvalidTransactionId);
	load.starts = false;
	for (int i = 0; i < count; i++)
		(void) walk_acks(acks[i], visit_for_window, &load);
	return load.window;
}

bool
pgt_share_row_load(Oid schema, Oid topic, const char *group_id, int32 partition, ShareRow *row, ShareWindow **window)
{
	Relation	acks[SHARE_ACKS_TABLES];
	Relation	table;
	bool		found;

	for (int i = 0; i < SHARE_ACKS_TABLES; i++)
		acks[i] = table_open(pgt_sql_version_relation_in(schema, acks_tables[i]), AccessShareLock);
	table = open_groups(schema, AccessShareLock);
	found = read_row(table, topic, group_id, partition, row);
	if (found)
		*window = load_window(row, acks, SHARE_ACKS_TABLES);
	table_close(table, AccessShareLock);
	for (int i = 0; i < SHARE_ACKS_TABLES; i++)
		table_close(acks[i], AccessShareLock);
	return found;
}

/* ---- merging ------------------------------------------------------------------ */

/* A share partition in a merge. */
typedef struct MergedPartition
{
	int64		share_id;		/* the key */
	HeapTuple	tuple;			/* its row; NULL: there is none any more */
	ShareRow	row;
	ShareWindow *window;		/* NULL: nothing has changed */
} MergedPartition;

/* A merge under way. */
typedef struct Merge
{
	HTAB	   *partitions;
	ShareWindow *copy;			/* of a slot's window */
	int64		share_id;		/* of that slot; 0: none is left */
	int			next_slot;
	bool		starts;
} Merge;

/* The window of a partition in the merge, begun by its row. */
static ShareWindow **
merged_window(MergedPartition *partition)
{
	if (partition->window == NULL)
		partition->window = load_window(&partition->row, NULL, 0);
	return &partition->window;
}

/* AckVisit: take the row over into the window of its share partition, if that has not been deleted. */
static void
visit_for_merge(int64 share_id, int64 start_offset, Datum states, TransactionId xid, void *arg)
{
	Merge	   *merge = arg;
	MergedPartition *partition = hash_search(merge->partitions, &share_id, HASH_FIND, NULL);

	if (partition == NULL)
		return;
	if (merge->starts)
		pgt_share_window_raise_start(*merged_window(partition), start_offset);
	else
		load_states(merged_window(partition), share_id, start_offset, states, InvalidTransactionId);
}

/* The rows of the groups, by share_id. */
static void
read_partitions(Merge *merge, Relation table)
{
	HASHCTL		info = {.keysize = sizeof(int64),.entrysize = sizeof(MergedPartition),.hcxt = CurrentMemoryContext};
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	SysScanDesc scan = begin_scan(table, snapshot, NULL, InvalidOid, -1);
	HeapTuple	tuple;

	merge->partitions = hash_create("pg_topics share merge", 64, &info, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		ShareRow	row;
		MergedPartition *partition;

		fill_row(&row, tuple, RelationGetDescr(table));
		partition = hash_search(merge->partitions, &row.share_id, HASH_ENTER, NULL);
		partition->tuple = heap_copytuple(tuple);
		partition->row = row;
		partition->window = NULL;
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
}

/* visit of pgt_share_table_walk(): copy the next durable slot. */
static bool
copy_slot(ShareSlot *slot, void *arg)
{
	Merge	   *merge = arg;
	ShareRange	range;
	int64		offset = 0;

	if (merge->next_slot-- > 0 || !slot->durable || slot->removed)
		return true;
	merge->share_id = slot->share_id;
	pgt_share_window_copy(merge->copy, slot->window.size, &slot->window);
	while (pgt_share_window_next_unsaved(&slot->window, &offset, &range))
		;
	return false;
}

/* visit of pgt_share_table_walk(): count the slots. */
static bool
count_slot(ShareSlot *slot, void *arg)
{
	(*(int *) arg)++;
	return true;
}

/*
 * Take over what only the slots know: starts behind offsets without a record, and how often records were
 * delivered that nobody has acknowledged.
 */
static void
merge_slots(Merge *merge)
{
	int			slots = 0;

	merge->copy = palloc(pgt_share_window_bytes(pgt_share_partition_max_record_locks));
	pgt_share_table_walk(count_slot, &slots);
	for (int i = 0; i < slots; i++)
	{
		MergedPartition *partition;
		ShareRange	range;
		int64		offset = 0;

		merge->share_id = 0;
		merge->next_slot = i;
		pgt_share_table_walk(copy_slot, merge);
		partition = merge->share_id == 0 ? NULL :
			hash_search(merge->partitions, &merge->share_id, HASH_FIND, NULL);
		if (partition == NULL || (partition->window == NULL && merge->copy->unsaved == 0))
			continue;
		pgt_share_window_raise_start(*merged_window(partition), merge->copy->start);
		while (pgt_share_window_next_saved(merge->copy, &offset, &range))
			load_range(merged_window(partition), &range, InvalidTransactionId);
	}
}

/* Write the row of a partition in the merge. */
static void
update_partition(Relation table, const MergedPartition *partition)
{
	Datum		values[Natts_share] = {0};
	bool		nulls[Natts_share] = {false};
	bool		replace[Natts_share] = {false};
	StringInfoData states;
	ShareRange	range;
	int64		offset = 0;
	HeapTuple	updated;

	pgt_share_row_begin_states(&states);
	while (pgt_share_window_next_saved(partition->window, &offset, &range))
		pgt_share_row_add_range(&states, partition->window->start, &range);
	values[Anum_share_start_offset - 1] = Int64GetDatum(partition->window->start);
	values[Anum_share_states - 1] = states_datum(&states);
	replace[Anum_share_start_offset - 1] = replace[Anum_share_states - 1] = true;
	updated = heap_modify_tuple(partition->tuple, RelationGetDescr(table), values, nulls, replace);
	CatalogTupleUpdate(table, &partition->tuple->t_self, updated);
	pfree(states.data);
}

/* Write the rows of all partitions that have changed. */
static void
update_partitions(Merge *merge, Relation table)
{
	HASH_SEQ_STATUS status;
	MergedPartition *partition;

	hash_seq_init(&status, merge->partitions);
	while ((partition = hash_seq_search(&status)) != NULL)
	{
		if (partition->window != NULL)
			update_partition(table, partition);
	}
}

/* Empty one of our tables, which is locked. */
static void
truncate_table(Oid relid)
{
	char	   *name = quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid));

	SPI_connect();
	if (SPI_execute(psprintf("TRUNCATE %s", name), false, 0) < 0)
		elog(ERROR, "could not truncate %s", name);
	SPI_finish();
}

/* Put a table's rows into those of the groups; -1: somebody is in the way, and nothing is done. */
static int64
merge_table(Oid schema, Oid acks)
{
	Oid			groups = pgt_sql_version_relation_in(schema, GROUPS_TABLE);
	Relation	table;
	Relation	acks_table;
	Merge		merge = {0};
	int64		count;

	if (!ConditionalLockRelationOid(acks, AccessExclusiveLock) ||
		!ConditionalLockRelationOid(groups, ShareRowExclusiveLock))
		return -1;
	table = table_open(groups, NoLock);
	acks_table = table_open(acks, NoLock);
	read_partitions(&merge, table);
	merge.starts = true;
	(void) walk_acks(acks_table, visit_for_merge, &merge);
	merge.starts = false;
	count = walk_acks(acks_table, visit_for_merge, &merge);
	merge_slots(&merge);
	update_partitions(&merge, table);
	CommandCounterIncrement();
	table_close(acks_table, NoLock);
	table_close(table, NoLock);
	truncate_table(acks);
	return count;
}

/* How many blocks a table has. */
static BlockNumber
blocks_of(Oid relid)
{
	Relation	table = table_open(relid, AccessShareLock);
	BlockNumber blocks = RelationGetNumberOfBlocks(table);

	table_close(table, AccessShareLock);
	return blocks;
}

int64
pgt_share_row_merge(Oid schema, int blocks)
{
	int			current = pgt_share_table_generation();
	Oid			written = pgt_sql_version_relation_in(schema, acks_tables[current]);
	Oid			left = pgt_sql_version_relation_in(schema, acks_tables[1 - current]);
	int64		merged = 0;
	int64		more;

	if (blocks_of(left) > 0)
		merged = merge_table(schema, left);
	if (merged < 0)
		return 0;
	if (blocks_of(written) >= Max(blocks, 1))
	{
		pgt_share_table_turn(current);
		more = merge_table(schema, written);
		merged += Max(more, 0);
	}
	return merged;
}
