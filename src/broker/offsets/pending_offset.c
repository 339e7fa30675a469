/*
 * pending_offset.c
 *	  The rows of topic_kafka_pending_offsets: offsets that are committed with an open transaction.
 *
 * A client commits offsets in its transaction before that ends.  They are kept here, durably, and become the group's
 * by the commit that ends the transaction in the log (kafka_offset.h); so records and offsets are there together or not
 * at all.  They are deleted when it ends.  Where a crash has lost its commit, they are deleted when its client aborts it, or at the
 * latest when the transactional id is taken over or forgotten; until then nobody heeds them.
 *
 * While some transaction keeps vacuum from removing old rows, a look-up in an index visits those, too, and each transaction leaves
 * some.  So rows are looked for by the number of their transaction, which those of other ones do not have.
 *
 * A topic that was dropped meanwhile has no offsets any more.
 *
 * Locks: RowExclusiveLock on the table until the transaction's end once a row is written, and those of committing offsets.
 *
 * Durability and crash safety are the heap's.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "broker/offsets/pending_offset.h"
#include "catalog/indexing.h"
#include "log/kafka_txn_map.h"
#include "util/compat.h"
#include "util/sql_version.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#define TABLE_NAME		"topic_kafka_pending_offsets"
#define GROUPS_INDEX	"topic_kafka_pending_offsets_by_group"

#define Anum_pending_producer_id	1
#define Anum_pending_group_id		2
#define Anum_pending_topic			3
#define Anum_pending_partition		4
#define Anum_pending_transaction	5
#define Anum_pending_next_offset	6
#define Anum_pending_leader_epoch	7
#define Anum_pending_metadata		8
#define Natts_pending				8

/* A scan of some rows. */
typedef struct PendingScan
{
	Relation	table;
	TupleDesc	desc;
	Snapshot	snapshot;
	SysScanDesc scan;
	LOCKMODE	mode;
} PendingScan;

/* ---- scans ------------------------------------------------------------------- */

/* Begin a scan by keys of the primary key's index, or of the one of groups. */
static PendingScan
begin_scan(LOCKMODE mode, bool by_group, ScanKey keys, int count)
{
	PendingScan scan;
	Oid			index;

	scan.table = table_open(pgt_sql_version_relation(TABLE_NAME), mode);
	scan.desc = RelationGetDescr(scan.table);
	scan.mode = mode;
	scan.snapshot = RegisterSnapshot(GetLatestSnapshot());
	index = by_group ? pgt_sql_version_relation(GROUPS_INDEX) : PGT_PRIMARY_KEY_INDEX(scan.table);
	scan.scan = systable_beginscan(scan.table, index, OidIsValid(index), scan.snapshot, count, keys);
	return scan;
}

static void
end_scan(const PendingScan *scan)
{
	systable_endscan(scan->scan);
	UnregisterSnapshot(scan->snapshot);
	table_close(scan->table, scan->mode == AccessShareLock ? scan->mode : NoLock);
}

/* The rows of a producer's transaction, or of all of them (0). */
static PendingScan
scan_producer(LOCKMODE mode, int64 producer_id, uint64 transaction)
{
	ScanKeyData keys[2];

	ScanKeyInit(&keys[0], Anum_pending_producer_id, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(producer_id));
	ScanKeyInit(&keys[1], Anum_pending_transaction, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum((int64) transaction));
	return begin_scan(mode, false, keys, transaction == 0 ? 1 : 2);
}

/* ---- rows --------------------------------------------------------------------- */

static uint64
transaction_of(HeapTuple row, TupleDesc desc)
{
	bool		isnull;

	return (uint64) DatumGetInt64(heap_getattr(row, Anum_pending_transaction, desc, &isnull));
}

static void
fill(PendingOffset *pending, HeapTuple row, TupleDesc desc)
{
	bool		isnull;
	Datum		metadata;

	pending->group = TextDatumGetCString(heap_getattr(row, Anum_pending_group_id, desc, &isnull));
	pending->topic = DatumGetObjectId(heap_getattr(row, Anum_pending_topic, desc, &isnull));
	pending->partition = DatumGetInt32(heap_getattr(row, Anum_pending_partition, desc, &isnull));
	pending->offset.next = DatumGetInt64(heap_getattr(row, Anum_pending_next_offset, desc, &isnull));
	pending->offset.leader_epoch = DatumGetInt32(heap_getattr(row, Anum_pending_leader_epoch, desc, &isnull));
	metadata = heap_getattr(row, Anum_pending_metadata, desc, &isnull);
	pending->offset.metadata = isnull ? NULL : TextDatumGetCString(metadata);
}

static HeapTuple
form(const PendingOffset *pending, TupleDesc desc)
{
	Datum		values[Natts_pending] = {0};
	bool		nulls[Natts_pending] = {false};

	values[Anum_pending_producer_id - 1] = Int64GetDatum(pending->producer_id);
	values[Anum_pending_group_id - 1] = CStringGetTextDatum(pending->group);
	values[Anum_pending_topic - 1] = ObjectIdGetDatum(pending->topic);
	values[Anum_pending_partition - 1] = Int32GetDatum(pending->partition);
	values[Anum_pending_transaction - 1] = Int64GetDatum((int64) pending->transaction);
	values[Anum_pending_next_offset - 1] = Int64GetDatum(pending->offset.next);
	values[Anum_pending_leader_epoch - 1] = Int32GetDatum(pending->offset.leader_epoch);
	nulls[Anum_pending_metadata - 1] = pending->offset.metadata == NULL;
	if (pending->offset.metadata != NULL)
		values[Anum_pending_metadata - 1] = CStringGetTextDatum(pending->offset.metadata);
	return heap_form_tuple(desc, values, nulls);
}

void
pgt_pending_offset_write(const PendingOffset *pending)
{
	ScanKeyData keys[5];
	PendingScan scan;
	HeapTuple	old;
	HeapTuple	row;

	ScanKeyInit(&keys[0], Anum_pending_producer_id, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(pending->producer_id));
	ScanKeyInit(&keys[1], Anum_pending_transaction, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum((int64) pending->transaction));
	ScanKeyInit(&keys[2], Anum_pending_group_id, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(pending->group));
	ScanKeyInit(&keys[3], Anum_pending_topic, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(pending->topic));
	ScanKeyInit(&keys[4], Anum_pending_partition, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(pending->partition));
	scan = begin_scan(RowExclusiveLock, false, keys, lengthof(keys));
	row = form(pending, scan.desc);
	old = systable_getnext(scan.scan);
	if (HeapTupleIsValid(old))
		CatalogTupleUpdate(scan.table, &old->t_self, row);
	else
		CatalogTupleInsert(scan.table, row);
	end_scan(&scan);
	CommandCounterIncrement();
}

int
pgt_pending_offset_count(int64 producer_id, uint64 transaction)
{
	PendingScan scan = scan_producer(AccessShareLock, producer_id, transaction);
	int			count = 0;

	while (HeapTupleIsValid(systable_getnext(scan.scan)))
		count++;
	end_scan(&scan);
	return count;
}

bool
pgt_pending_offset_is_open(const char *group, Oid topic, int32 partition)
{
	ScanKeyData keys[3];
	PendingScan scan;
	HeapTuple	row;
	uint64		xid;
	bool		found = false;

	/* the columns by their place in the table, in the order of the index */
	ScanKeyInit(&keys[0], Anum_pending_group_id, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(group));
	ScanKeyInit(&keys[1], Anum_pending_topic, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(topic));
	ScanKeyInit(&keys[2], Anum_pending_partition, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(partition));
	scan = begin_scan(AccessShareLock, true, keys, lengthof(keys));
	while (!found && HeapTupleIsValid(row = systable_getnext(scan.scan)))
		found = pgt_kafka_txn_map_look_up(transaction_of(row, scan.desc), &xid) == KAFKA_TXN_OPEN;
	end_scan(&scan);
	return found;
}

/* ---- the end ---------------------------------------------------------------------- */

/* Commit one. */
static PendingOffsetResult
commit_one(const PendingOffset *pending, Oid role)
{
	switch (pgt_kafka_offset_commit(pending->group, pending->topic, pending->partition, role, &pending->offset))
	{
		case KAFKA_CLAIM_DONE:
		case KAFKA_CLAIM_GONE:
			return PENDING_OFFSET_DONE;
		case KAFKA_CLAIM_BUSY:
			return PENDING_OFFSET_BUSY;
		default:
			return PENDING_OFFSET_REFUSED;
	}
}

PendingOffsetResult
pgt_pending_offset_commit(int64 producer_id, uint64 transaction, Oid role)
{
	PendingScan scan = scan_producer(AccessShareLock, producer_id, transaction);
	PendingOffsetResult result = PENDING_OFFSET_DONE;
	HeapTuple	row;

	while (result == PENDING_OFFSET_DONE && HeapTupleIsValid(row = systable_getnext(scan.scan)))
	{
		PendingOffset pending;

		fill(&pending, row, scan.desc);
		result = commit_one(&pending, role);
	}
	end_scan(&scan);
	return result;
}

/* Delete those of a transaction, or of all of them (0). */
static void
delete_rows(int64 producer_id, uint64 transaction)
{
	PendingScan scan = scan_producer(RowExclusiveLock, producer_id, transaction);
	HeapTuple	row;
	bool		any = false;

	while (HeapTupleIsValid(row = systable_getnext(scan.scan)))
	{
		CatalogTupleDelete(scan.table, &row->t_self);
		any = true;
	}
	end_scan(&scan);
	if (any)
		CommandCounterIncrement();
}

void
pgt_pending_offset_delete(int64 producer_id)
{
	delete_rows(producer_id, 0);
}

void
pgt_pending_offset_delete_of(int64 producer_id, uint64 transaction)
{
	delete_rows(producer_id, transaction);
}
