/*
 * kafka_group_row.c
 *	  The rows of topic_kafka_groups and topic_kafka_members.
 *
 * They are written through the tables directly, as those of topic_group_offsets are.  The process that
 * coordinates the groups has all of them in memory, and reads them once, when it begins.  It is the only one
 * that writes them, for as long as it holds the coordinator's lock (kafka_claim.c); where no such process runs,
 * remove_kafka_members() takes that lock and deletes them.  So no row is ever locked by another transaction.
 *
 * Others read single rows: to say who uses a group, and whether somebody does.
 *
 * An update changes no column of an index, so it is HOT where the page has room.
 *
 * Locks: RowExclusiveLock on the tables until the transaction's end once a row is written.
 *
 * Durability and crash safety are the heap's.
 *
 * Memory: the caller's context; what is made of a row goes with it.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "group/group_row.h"
#include "group/group_row_columns.h"
#include "group/kafka_group_row.h"
#include "util/compat.h"
#include "util/sql_version.h"

#define GROUPS_TABLE_NAME	"topic_kafka_groups"
#define MEMBERS_TABLE_NAME	"topic_kafka_members"

/* Columns of topic_kafka_groups. */
#define Anum_groups_group_id		1
#define Anum_groups_owner			2
#define Anum_groups_kind			3
#define Anum_groups_protocol_type	4
#define Anum_groups_protocol		5
#define Anum_groups_leader			6
#define Anum_groups_epoch			7
#define Anum_groups_changed			8
#define Anum_groups_state			9
#define Natts_groups				9

/* Columns of topic_kafka_members. */
#define Anum_members_group_id		1
#define Anum_members_member_id		2
#define Anum_members_instance_id	3
#define Anum_members_client_id		4
#define Anum_members_client_host	5
#define Anum_members_session_timeout	6
#define Anum_members_rebalance_timeout	7
#define Anum_members_epoch			8
#define Anum_members_subscription	9
#define Anum_members_assignment		10
#define Anum_members_state			11
#define Natts_members				11

/* A table that is open, with a snapshot to read it: the latest one. */
typedef struct OpenTable
{
	Relation	table;
	TupleDesc	desc;
	Snapshot	snapshot;
} OpenTable;

/* ---- the tables ----------------------------------------------------------- */

/* Open a table of the extension; ERROR where it does not exist. */
static OpenTable
open_rows(const char *name, LOCKMODE mode)
{
	OpenTable	rows;
	rows.table = table_open(pgt_sql_version_relation(name), mode);
	rows.desc = RelationGetDescr(rows.table);
	rows.snapshot = RegisterSnapshot(GetLatestSnapshot());
	return rows;
}

/* Close it; a lock under which something may have been written stays. */
static void
close_rows(const OpenTable *rows, LOCKMODE mode)
{
	UnregisterSnapshot(rows->snapshot);
	table_close(rows->table, mode == AccessShareLock ? mode : NoLock);
}

/*
 * Begin a scan of the primary key: of a group, and if there is one of a member; NULL: of all.  Only a scan in the
 * order of the key is an ordered one.
 */
static SysScanDesc
scan_rows(const OpenTable *rows, const char *group, const char *member)
{
	Oid			index = PGT_PRIMARY_KEY_INDEX(rows->table);
	ScanKeyData keys[2];
	int			count = 0;

	/* group_id and member_id are the first columns of both tables */
	if (group != NULL)
		ScanKeyInit(&keys[count++], Anum_members_group_id, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(group));
	if (member != NULL)
		ScanKeyInit(&keys[count++], Anum_members_member_id, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(member));
	return systable_beginscan(rows->table, index, OidIsValid(index), rows->snapshot, count, keys);
}

/* ---- values ---------------------------------------------------------------- */

static char *
get_text(HeapTuple row, TupleDesc desc, int column)
{
	bool		isnull;
	Datum		value = heap_getattr(row, column, desc, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

static int32
get_int(HeapTuple row, TupleDesc desc, int column)
{
	bool		isnull;

	return DatumGetInt32(heap_getattr(row, column, desc, &isnull));
}

static KafkaGroupBytes
get_bytes(HeapTuple row, TupleDesc desc, int column)
{
	bool		isnull;
	Datum		value = heap_getattr(row, column, desc, &isnull);
	bytea	   *bytes;

	if (isnull)
		return (KafkaGroupBytes) {NULL, 0};
	bytes = DatumGetByteaPP(value);
	return (KafkaGroupBytes) {VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes)};
}

static void
set_text(Datum *values, bool *nulls, int column, const char *text)
{
	values[column - 1] = text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
	nulls[column - 1] = text == NULL;
}

static void
set_bytes(Datum *values, bool *nulls, int column, KafkaGroupBytes bytes)
{
	nulls[column - 1] = bytes.data == NULL;
	values[column - 1] = bytes.data == NULL ? (Datum) 0 :
		PointerGetDatum(cstring_to_text_with_len(bytes.data, (int) bytes.length));
}

/* ---- reading --------------------------------------------------------------- */

static const char *
name_of_kind(KafkaGroupKind kind)
{
	return kind == KAFKA_GROUP_CLASSIC ? "classic" : "consumer";
}

/* What a row of topic_kafka_groups says. */
static void
fill_group(KafkaGroupRow *group, HeapTuple row, TupleDesc desc)
{
	bool		isnull;
	Datum		owner = heap_getattr(row, Anum_groups_owner, desc, &isnull);

	group->owner = isnull ? GROUP_UNCLAIMED : DatumGetObjectId(owner);
	group->id = get_text(row, desc, Anum_groups_group_id);
	group->kind = strcmp(get_text(row, desc, Anum_groups_kind), name_of_kind(KAFKA_GROUP_CLASSIC)) == 0 ?
		KAFKA_GROUP_CLASSIC : KAFKA_GROUP_CONSUMER;
	group->protocol_type = get_text(row, desc, Anum_groups_protocol_type);
	group->protocol = get_text(row, desc, Anum_groups_protocol);
	group->leader = get_text(row, desc, Anum_groups_leader);
	group->epoch = get_int(row, desc, Anum_groups_epoch);
	group->changed = DatumGetTimestampTz(heap_getattr(row, Anum_groups_changed, desc, &isnull));
	group->state = get_bytes(row, desc, Anum_groups_state);
}

/* What a row of topic_kafka_members says. */
static void
fill_member(KafkaMemberRow *member, HeapTuple row, TupleDesc desc)
{
	member->id = get_text(row, desc, Anum_members_member_id);
	member->instance_id = get_text(row, desc, Anum_members_instance_id);
	member->client_id = get_text(row, desc, Anum_members_client_id);
	member->client_host = get_text(row, desc, Anum_members_client_host);
	member->session_timeout = get_int(row, desc, Anum_members_session_timeout);
	member->rebalance_timeout = get_int(row, desc, Anum_members_rebalance_timeout);
	member->epoch = get_int(row, desc, Anum_members_epoch);
	member->subscription = get_bytes(row, desc, Anum_members_subscription);
	member->assignment = get_bytes(row, desc, Anum_members_assignment);
	member->state = get_bytes(row, desc, Anum_members_state);
}

/* Who is told of rows that are loaded. */
typedef struct Loading
{
	void		(*group) (const KafkaGroupRow *row, void *arg);
	void		(*member) (const KafkaGroupRow *group, const KafkaMemberRow *row, void *arg);
	void	   *arg;
	OpenTable	members;
	MemoryContext scratch;		/* for a member */
} Loading;

/* Tell of a group's members. */
static void
load_members(const Loading *loading, const KafkaGroupRow *group)
{
	SysScanDesc scan = scan_rows(&loading->members, group->id, NULL);
	MemoryContext caller = CurrentMemoryContext;
	HeapTuple	row;

	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		KafkaMemberRow member;

		MemoryContextSwitchTo(loading->scratch);
		fill_member(&member, row, loading->members.desc);
		MemoryContextSwitchTo(caller);
		loading->member(group, &member, loading->arg);
		MemoryContextReset(loading->scratch);
	}
	systable_endscan(scan);
}

/* Tell of all groups, each before its members.  The scan is one in the order of the key. */
static void
load_groups(const Loading *loading, const OpenTable *groups, SysScanDesc scan)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "pg_topics Kafka group", ALLOCSET_SMALL_SIZES);
	MemoryContext caller = CurrentMemoryContext;
	HeapTuple	row;

	while (HeapTupleIsValid(row = systable_getnext_ordered(scan, ForwardScanDirection)))
	{
		KafkaGroupRow group;

		MemoryContextSwitchTo(scratch);
		fill_group(&group, row, groups->desc);
		MemoryContextSwitchTo(caller);
		loading->group(&group, loading->arg);
		load_members(loading, &group);
		MemoryContextReset(scratch);
	}
	MemoryContextDelete(scratch);
}

void
pgt_kafka_group_rows_load(void (*group) (const KafkaGroupRow *row, void *arg),
						  void (*member) (const KafkaGroupRow *group, const KafkaMemberRow *row, void *arg),
						  void *arg)
{
	OpenTable	groups = open_rows(GROUPS_TABLE_NAME, AccessShareLock);
	Relation	index = index_open(PGT_PRIMARY_KEY_INDEX(groups.table), AccessShareLock);
	SysScanDesc scan = systable_beginscan_ordered(groups.table, index, groups.snapshot, 0, NULL);
	Loading		loading = {group, member, arg};

	loading.members = open_rows(MEMBERS_TABLE_NAME, AccessShareLock);
	loading.scratch = AllocSetContextCreate(CurrentMemoryContext, "pg_topics Kafka member", ALLOCSET_SMALL_SIZES);
	load_groups(&loading, &groups, scan);
	MemoryContextDelete(loading.scratch);
	close_rows(&loading.members, AccessShareLock);
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	close_rows(&groups, AccessShareLock);
}

bool
pgt_kafka_group_row_owner(const char *group, Oid *owner)
{
	OpenTable	rows = open_rows(GROUPS_TABLE_NAME, AccessShareLock);
	SysScanDesc scan = scan_rows(&rows, group, NULL);
	HeapTuple	row = systable_getnext(scan);
	bool		found = HeapTupleIsValid(row);

	if (found)
	{
		bool		isnull;
		Datum		value = heap_getattr(row, Anum_groups_owner, rows.desc, &isnull);

		*owner = isnull ? GROUP_UNCLAIMED : DatumGetObjectId(value);
	}
	systable_endscan(scan);
	close_rows(&rows, AccessShareLock);
	return found;
}

void
pgt_kafka_group_rows_owners(void (*tell) (const char *group, Oid owner, void *arg), void *arg)
{
	OpenTable	rows = open_rows(GROUPS_TABLE_NAME, AccessShareLock);
	SysScanDesc scan = scan_rows(&rows, NULL, NULL);
	HeapTuple	row;

	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		bool		isnull;
		Datum		owner = heap_getattr(row, Anum_groups_owner, rows.desc, &isnull);
		char	   *id = get_text(row, rows.desc, Anum_groups_group_id);

		tell(id, isnull ? GROUP_UNCLAIMED : DatumGetObjectId(owner), arg);
		pfree(id);
	}
	systable_endscan(scan);
	close_rows(&rows, AccessShareLock);
}

bool
pgt_kafka_member_row_client(const char *group, const char *member, char **client_id, char **client_host)
{
	OpenTable	rows = open_rows(MEMBERS_TABLE_NAME, AccessShareLock);
	SysScanDesc scan = scan_rows(&rows, group, member);
	HeapTuple	row = systable_getnext(scan);
	bool		found = HeapTupleIsValid(row);

	if (found)
	{
		*client_id = get_text(row, rows.desc, Anum_members_client_id);
		*client_host = get_text(row, rows.desc, Anum_members_client_host);
	}
	systable_endscan(scan);
	close_rows(&rows, AccessShareLock);
	return found;
}

List *
pgt_kafka_member_row_ids(const char *group)
{
	OpenTable	rows = open_rows(MEMBERS_TABLE_NAME, AccessShareLock);
	SysScanDesc scan = scan_rows(&rows, group, NULL);
	List	   *ids = NIL;
	HeapTuple	row;

	while (HeapTupleIsValid(row = systable_getnext(scan)))
		ids = lappend(ids, get_text(row, rows.desc, Anum_members_member_id));
	systable_endscan(scan);
	close_rows(&rows, AccessShareLock);
	return ids;
}

bool
pgt_kafka_member_row_any(const char *group)
{
	OpenTable	rows = open_rows(MEMBERS_TABLE_NAME, AccessShareLock);
	SysScanDesc scan = scan_rows(&rows, group, NULL);
	bool		found = HeapTupleIsValid(systable_getnext(scan));

	systable_endscan(scan);
	close_rows(&rows, AccessShareLock);
	return found;
}

/* ---- writing --------------------------------------------------------------- */

/* Write a row, which takes the place of the one that the scan finds. */
static void
write_row(const OpenTable *rows, SysScanDesc scan, HeapTuple row)
{
	HeapTuple	old = systable_getnext(scan);

	if (HeapTupleIsValid(old))
		CatalogTupleUpdate(rows->table, &old->t_self, row);
	else
		CatalogTupleInsert(rows->table, row);
	systable_endscan(scan);
	/* visible to what follows in the transaction */
	CommandCounterIncrement();
}

/* Delete the rows that the scan finds. */
static void
delete_rows(const OpenTable *rows, SysScanDesc scan)
{
	HeapTuple	row;

	while (HeapTupleIsValid(row = systable_getnext(scan)))
		CatalogTupleDelete(rows->table, &row->t_self);
	systable_endscan(scan);
	CommandCounterIncrement();
}

void
pgt_kafka_group_row_write(const KafkaGroupRow *row)
{
	OpenTable	rows = open_rows(GROUPS_TABLE_NAME, RowExclusiveLock);
	Datum		values[Natts_groups] = {0};
	bool		nulls[Natts_groups] = {false};

	set_text(values, nulls, Anum_groups_group_id, row->id);
	values[Anum_groups_owner - 1] = ObjectIdGetDatum(row->owner);
	nulls[Anum_groups_owner - 1] = row->owner == GROUP_UNCLAIMED;
	set_text(values, nulls, Anum_groups_kind, name_of_kind(row->kind));
	set_text(values, nulls, Anum_groups_protocol_type, row->protocol_type);
	set_text(values, nulls, Anum_groups_protocol, row->protocol);
	set_text(values, nulls, Anum_groups_leader, row->leader);
	values[Anum_groups_epoch - 1] = Int32GetDatum(row->epoch);
	values[Anum_groups_changed - 1] = TimestampTzGetDatum(row->changed);
	set_bytes(values, nulls, Anum_groups_state, row->state);
	write_row(&rows, scan_rows(&rows, row->id, NULL), heap_form_tuple(rows.desc, values, nulls));
	close_rows(&rows, RowExclusiveLock);
}

void
pgt_kafka_group_row_set_owner(const char *group, Oid owner)
{
	OpenTable	rows = open_rows(GROUPS_TABLE_NAME, RowExclusiveLock);
	SysScanDesc scan = scan_rows(&rows, group, NULL);
	HeapTuple	old = systable_getnext(scan);

	if (HeapTupleIsValid(old))
	{
		Datum		values[Natts_groups] = {0};
		bool		nulls[Natts_groups] = {false};
		bool		replace[Natts_groups] = {false};

		values[Anum_groups_owner - 1] = ObjectIdGetDatum(owner);
		replace[Anum_groups_owner - 1] = true;
		CatalogTupleUpdate(rows.table, &old->t_self, heap_modify_tuple(old, rows.desc, values, nulls, replace));
	}
	systable_endscan(scan);
	CommandCounterIncrement();
	close_rows(&rows, RowExclusiveLock);
}

void
pgt_kafka_group_row_delete(const char *group)
{
	OpenTable	members = open_rows(MEMBERS_TABLE_NAME, RowExclusiveLock);
	OpenTable	groups = open_rows(GROUPS_TABLE_NAME, RowExclusiveLock);

	delete_rows(&members, scan_rows(&members, group, NULL));
	delete_rows(&groups, scan_rows(&groups, group, NULL));
	close_rows(&groups, RowExclusiveLock);
	close_rows(&members, RowExclusiveLock);
}

/* Rows of members that are written. */
struct KafkaMemberRows
{
	const char *group;
	OpenTable	table;
	CatalogIndexState indexes;
};

KafkaMemberRows *
pgt_kafka_member_rows_begin(const char *group)
{
	KafkaMemberRows *rows = palloc(sizeof(KafkaMemberRows));

	rows->group = group;
	rows->table = open_rows(MEMBERS_TABLE_NAME, RowExclusiveLock);
	rows->indexes = CatalogOpenIndexes(rows->table.table);
	return rows;
}

void
pgt_kafka_member_rows_write(KafkaMemberRows *rows, const KafkaMemberRow *row)
{
	SysScanDesc scan = scan_rows(&rows->table, rows->group, row->id);
	HeapTuple	old = systable_getnext(scan);
	HeapTuple	tuple;
	Datum		values[Natts_members] = {0};
	bool		nulls[Natts_members] = {false};

	set_text(values, nulls, Anum_members_group_id, rows->group);
	set_text(values, nulls, Anum_members_member_id, row->id);
	set_text(values, nulls, Anum_members_instance_id, row->instance_id);
	set_text(values, nulls, Anum_members_client_id, row->client_id);
	set_text(values, nulls, Anum_members_client_host, row->client_host);
	values[Anum_members_session_timeout - 1] = Int32GetDatum(row->session_timeout);
	values[Anum_members_rebalance_timeout - 1] = Int32GetDatum(row->rebalance_timeout);
	values[Anum_members_epoch - 1] = Int32GetDatum(row->epoch);
	set_bytes(values, nulls, Anum_members_subscription, row->subscription);
	set_bytes(values, nulls, Anum_members_assignment, row->assignment);
	set_bytes(values, nulls, Anum_members_state, row->state);
	tuple = heap_form_tuple(rows->table.desc, values, nulls);
	if (HeapTupleIsValid(old))
		CatalogTupleUpdateWithInfo(rows->table.table, &old->t_self, tuple, rows->indexes);
	else
		CatalogTupleInsertWithInfo(rows->table.table, tuple, rows->indexes);
	systable_endscan(scan);
}

void
pgt_kafka_member_rows_end(KafkaMemberRows *rows)
{
	CatalogCloseIndexes(rows->indexes);
	close_rows(&rows->table, RowExclusiveLock);
	/* visible to what follows in the transaction */
	CommandCounterIncrement();
	pfree(rows);
}

void
pgt_kafka_member_row_delete(const char *group, const char *member)
{
	OpenTable	rows = open_rows(MEMBERS_TABLE_NAME, RowExclusiveLock);

	delete_rows(&rows, scan_rows(&rows, group, member));
	close_rows(&rows, RowExclusiveLock);
}
