/*
 * txn_row.c
 *	  The rows of topic_kafka_transactional_ids.
 *
 * They are written through the table directly, as those of topic_kafka_groups are.  An update changes no column
 * of an index, unless a producer's epochs are used up, so it is HOT where the page has room.
 *
 * While some transaction keeps vacuum from removing old versions, a look-up in an index visits all of them, and each transaction of a
 * producer leaves one.  So it is remembered where a row was found last, by hashes of the keys, and it is looked for there first
 * (group_row_cache.h): whatever has the key is the row.
 *
 * A function in SQL that changes a row has locked it.  The coordinator locks a row before it writes it, and
 * where that is not to be had at once it has written nothing, and comes again.
 *
 * Locks: AccessShareLock on the table while a row is read; RowExclusiveLock and the row until the transaction's end
 * once it is written.
 *
 * Memory: a table of tids for the life of the process, which is begun anew when it has TIDS_MAX.
 *
 * Durability and crash safety are the heap's.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "broker/transactions/txn_row.h"
#include "catalog/indexing.h"
#include "common/hashfn.h"
#include "executor/tuptable.h"
#include "format/record_batch.h"
#include "group/group_row_cache.h"
#include "util/compat.h"
#include "util/sql_version.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#define TABLE_NAME		"topic_kafka_transactional_ids"
#define PRODUCERS_INDEX	"topic_kafka_transactional_ids_by_producer"

#define Anum_ids_transactional_id		1
#define Anum_ids_owner					2
#define Anum_ids_producer_id			3
#define Anum_ids_epoch					4
#define Anum_ids_previous_producer_id	5
#define Anum_ids_previous_epoch			6
#define Anum_ids_timeout				7
#define Anum_ids_state					8
#define Anum_ids_changed				9
#define Natts_ids						9

static const char *const state_names[] = {
	[TXN_ROW_EMPTY] = "empty",[TXN_ROW_BEGUN] = "begun",[TXN_ROW_COMMITTED] = "committed",[TXN_ROW_ABORTED] = "aborted"
};

/* ---- reading ----------------------------------------------------------------- */

/* A state by its name; one that nobody has written is as good as none. */
static TxnRowState
state_of(const char *name)
{
	for (int i = 0; i < lengthof(state_names); i++)
		if (strcmp(name, state_names[i]) == 0)
			return i;
	return TXN_ROW_EMPTY;
}

/* What a tuple says.  No column is null. */
static void
fill(TxnRow *row, HeapTuple tuple, TupleDesc desc)
{
	bool		isnull;

#define GET(column) heap_getattr(tuple, column, desc, &isnull)
	row->id = TextDatumGetCString(GET(Anum_ids_transactional_id));
	row->owner = DatumGetObjectId(GET(Anum_ids_owner));
	row->producer_id = DatumGetInt64(GET(Anum_ids_producer_id));
	row->epoch = (int16) DatumGetInt32(GET(Anum_ids_epoch));
	row->previous_producer_id = DatumGetInt64(GET(Anum_ids_previous_producer_id));
	row->previous_epoch = (int16) DatumGetInt32(GET(Anum_ids_previous_epoch));
	row->timeout_ms = DatumGetInt32(GET(Anum_ids_timeout));
	row->state = state_of(TextDatumGetCString(GET(Anum_ids_state)));
	row->changed = DatumGetTimestampTz(GET(Anum_ids_changed));
#undef GET
	row->is_new = TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple->t_data));
	row->tid = tuple->t_self;
	row->exists = true;
}

/* ---- where rows were found ------------------------------------------------------ */

#define TIDS_MAX	32768

typedef struct FoundTid
{
	uint64		key;			/* the hash of a key */
	ItemPointerData tid;
} FoundTid;

static HTAB *tids = NULL;

static uint64
hash_of_id(const char *id)
{
	return hash_bytes_extended((const unsigned char *) id, strlen(id), 0);
}

static uint64
hash_of_producer(int64 producer_id)
{
	return hash_bytes_extended((const unsigned char *) &producer_id, sizeof(producer_id), 1);
}

/* Remember where the row of a key is. */
static void
note_tid(uint64 key, ItemPointer tid)
{
	HASHCTL		info = {.keysize = sizeof(uint64),.entrysize = sizeof(FoundTid),.hcxt = TopMemoryContext};
	FoundTid   *found;

	if (tids != NULL && hash_get_num_entries(tids) >= TIDS_MAX)
	{
		hash_destroy(tids);
		tids = NULL;
	}
	if (tids == NULL)
		tids = hash_create("pg_topics transactional ids", 256, &info, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	found = hash_search(tids, &key, HASH_ENTER, NULL);
	found->tid = *tid;
}

static void
note_row(TxnRow *row)
{
	note_tid(hash_of_id(row->id), &row->tid);
	note_tid(hash_of_producer(row->producer_id), &row->tid);
}

/* Read what is where the row of a key was found.  False if nothing is there that can be seen. */
static bool
find_at_tid(Relation table, Snapshot snapshot, uint64 key, TxnRow *row)
{
	FoundTid   *found = tids == NULL ? NULL : hash_search(tids, &key, HASH_FIND, NULL);
	GroupRowFetch *fetch;
	HeapTuple	tuple;

	if (found == NULL)
		return false;
	fetch = pgt_group_row_cache_begin(table, snapshot);
	tuple = pgt_group_row_cache_fetch(fetch, &found->tid);
	pgt_group_row_cache_end(fetch);
	if (tuple != NULL)
		fill(row, tuple, RelationGetDescr(table));
	return tuple != NULL;
}

/* ---- finding ---------------------------------------------------------------------- */

/* The key that a row is looked for by: one of the two. */
typedef struct WantedRow
{
	const char *id;				/* NULL: by the producer */
	int64		producer_id;
} WantedRow;

static bool
is_wanted(const TxnRow *row, const WantedRow *wanted)
{
	return wanted->id != NULL ? strcmp(row->id, wanted->id) == 0 : row->producer_id == wanted->producer_id;
}

/* Read the row that an index finds by a key. */
static bool
find_by_index(Relation table, Snapshot snapshot, Oid index, ScanKey key, TxnRow *row)
{
	SysScanDesc scan;
	HeapTuple	tuple;

	if (!OidIsValid(index))
		index = PGT_PRIMARY_KEY_INDEX(table);
	scan = systable_beginscan(table, index, OidIsValid(index), snapshot, 1, key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		fill(row, tuple, RelationGetDescr(table));
	systable_endscan(scan);
	return row->exists;
}

/* Read the row, where it was found last or by an index. */
static bool
find(const WantedRow *wanted, TxnRow *row)
{
	Relation	table = table_open(pgt_sql_version_relation(TABLE_NAME), AccessShareLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	uint64		hash = wanted->id != NULL ? hash_of_id(wanted->id) : hash_of_producer(wanted->producer_id);
	ScanKeyData key;

	memset(row, 0, sizeof(*row));
	if (!find_at_tid(table, snapshot, hash, row) || !is_wanted(row, wanted))
	{
		memset(row, 0, sizeof(*row));
		if (wanted->id != NULL)
			ScanKeyInit(&key, Anum_ids_transactional_id, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(wanted->id));
		else
			ScanKeyInit(&key, Anum_ids_producer_id, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(wanted->producer_id));
		if (find_by_index(table, snapshot, wanted->id != NULL ? InvalidOid : pgt_sql_version_relation(PRODUCERS_INDEX), &key, row))
			note_row(row);
	}
	UnregisterSnapshot(snapshot);
	table_close(table, AccessShareLock);
	return row->exists;
}

bool
pgt_txn_row_find(const char *id, TxnRow *row)
{
	WantedRow	wanted = {.id = id};

	if (!find(&wanted, row))
		row->id = pstrdup(id);
	return row->exists;
}

bool
pgt_txn_row_find_producer(int64 producer_id, TxnRow *row)
{
	WantedRow	wanted = {.producer_id = producer_id};

	return find(&wanted, row);
}

bool
pgt_txn_row_next(const char *behind, TxnRow *row)
{
	Relation	table = table_open(pgt_sql_version_relation(TABLE_NAME), AccessShareLock);
	Relation	index = index_open(PGT_PRIMARY_KEY_INDEX(table), AccessShareLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	memset(row, 0, sizeof(*row));
	ScanKeyInit(&key, Anum_ids_transactional_id, BTGreaterStrategyNumber, F_TEXT_GT,
				behind == NULL ? (Datum) 0 : CStringGetTextDatum(behind));
	scan = systable_beginscan_ordered(table, index, snapshot, behind == NULL ? 0 : 1, &key);
	tuple = systable_getnext_ordered(scan, ForwardScanDirection);
	if (HeapTupleIsValid(tuple))
		fill(row, tuple, RelationGetDescr(table));
	systable_endscan_ordered(scan);
	UnregisterSnapshot(snapshot);
	index_close(index, AccessShareLock);
	table_close(table, AccessShareLock);
	return row->exists;
}

int
pgt_txn_row_count(Oid owner)
{
	Relation	table = table_open(pgt_sql_version_relation(TABLE_NAME), AccessShareLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	SysScanDesc scan = systable_beginscan(table, InvalidOid, false, snapshot, 0, NULL);
	HeapTuple	tuple;
	int			count = 0;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;

		count += DatumGetObjectId(heap_getattr(tuple, Anum_ids_owner, RelationGetDescr(table), &isnull)) == owner;
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(table, AccessShareLock);
	return count;
}

/* ---- writing ----------------------------------------------------------------- */

/* Lock the version that was read; false where it is not the latest one, or somebody else has it. */
static bool
lock(Relation table, const TxnRow *row)
{
	ItemPointerData tid = row->tid;
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TupleTableSlot *slot = table_slot_create(table, NULL);
	TM_FailureData failure;
	TM_Result	result = table_tuple_lock(table, &tid, snapshot, slot, GetCurrentCommandId(true),
										  LockTupleNoKeyExclusive, LockWaitSkip, 0, &failure);

	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	return result == TM_Ok;
}

static HeapTuple
form(const TxnRow *row, TupleDesc desc)
{
	Datum		values[Natts_ids];
	bool		nulls[Natts_ids] = {false};

	values[Anum_ids_transactional_id - 1] = CStringGetTextDatum(row->id);
	values[Anum_ids_owner - 1] = ObjectIdGetDatum(row->owner);
	values[Anum_ids_producer_id - 1] = Int64GetDatum(row->producer_id);
	values[Anum_ids_epoch - 1] = Int32GetDatum(row->epoch);
	values[Anum_ids_previous_producer_id - 1] = Int64GetDatum(row->previous_producer_id);
	values[Anum_ids_previous_epoch - 1] = Int32GetDatum(row->previous_epoch);
	values[Anum_ids_timeout - 1] = Int32GetDatum(row->timeout_ms);
	values[Anum_ids_state - 1] = CStringGetTextDatum(state_names[row->state]);
	values[Anum_ids_changed - 1] = TimestampTzGetDatum(row->changed);
	return heap_form_tuple(desc, values, nulls);
}

bool
pgt_txn_row_write(TxnRow *row)
{
	Relation	table = table_open(pgt_sql_version_relation(TABLE_NAME), RowExclusiveLock);
	HeapTuple	tuple;
	bool		may_write = !row->exists || lock(table, row);

	if (may_write)
	{
		tuple = form(row, RelationGetDescr(table));
		if (row->exists)
			CatalogTupleUpdate(table, &row->tid, tuple);
		else
			CatalogTupleInsert(table, tuple);
		row->tid = tuple->t_self;
		row->exists = row->is_new = true;
		note_row(row);
		/* visible to what follows in the transaction */
		CommandCounterIncrement();
	}
	table_close(table, NoLock);
	return may_write;
}

void
pgt_txn_row_delete(const TxnRow *row)
{
	Relation	table = table_open(pgt_sql_version_relation(TABLE_NAME), RowExclusiveLock);

	if (lock(table, row))
	{
		ItemPointerData tid = row->tid;

		CatalogTupleDelete(table, &tid);
		CommandCounterIncrement();
	}
	table_close(table, NoLock);
}
