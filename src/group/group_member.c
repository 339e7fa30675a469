/*
 * group_member.c
 *	  The members of consumer groups that lease partitions: the rows of
 *	  topic_group_members.
 *
 * The table has one row for each group, topic and member.  The partitions' rows
 * (consumer_group.c) decide which partitions are leased to which member.  A member's row
 * says until when the member is alive, so that a member without partitions counts when
 * shares are computed, and which partitions it had as of its last call.
 *
 * Only the member itself writes its row; other members may delete it once its lease has
 * expired, and shorten a lease that lasts too long.  Both hold the member's lock, an
 * advisory lock in a class of its own: a row read under it is the latest version, and two
 * calls in the name of one member follow each other.  Two members with the same hash
 * merely wait for each other.
 *
 * Rows are written through the table directly, as those of topic_group_offsets are.
 * Only columns outside the primary key change, so updates are HOT.
 *
 * Locks: the member's lock, and RowExclusiveLock on the table once a row is written,
 * until the transaction's end.
 *
 * Memory: the caller's context.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "group/group_member.h"
#include "util/advisory_lock.h"
#include "util/compat.h"
#include "util/sql_version.h"

#define MEMBERS_TABLE_NAME	"topic_group_members"

/* Columns of topic_group_members. */
#define Anum_members_group_id		1
#define Anum_members_topic			2
#define Anum_members_member_id		3
#define Anum_members_joined			4
#define Anum_members_lease_until	5
#define Anum_members_lease			6
#define Anum_members_partitions		7
#define Natts_members				7

void
pgt_group_member_check_id(const char *id)
{
	size_t		length = strlen(id);

	if (length == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("member_id must not be empty"),
				 errhint("Each running worker needs a name of its own.")));
	if (length > MAX_MEMBER_ID_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("member_id is too long"),
				 errdetail("It has %zu bytes; the limit is %d.", length, MAX_MEMBER_ID_LENGTH)));
	if (strncmp(id, KAFKA_MEMBER_PREFIX, strlen(KAFKA_MEMBER_PREFIX)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_RESERVED_NAME),
				 errmsg("member_id must not begin with \"%s\"", KAFKA_MEMBER_PREFIX),
				 errdetail("Names that begin so are those of Kafka clients.")));
}

bool
pgt_group_member_lock(const ConsumerGroup *group, const char *id, bool wait)
{
	uint32		group_hash = hash_bytes((const unsigned char *) group->id, strlen(group->id));
	uint32		member_hash = hash_bytes((const unsigned char *) id, strlen(id));
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, group->topic,
						 hash_combine(group_hash, member_hash), MEMBER_LOCK_CLASS);
	return LockAcquire(&tag, ExclusiveLock, false, !wait) != LOCKACQUIRE_NOT_AVAIL;
}

Oid
pgt_group_member_table(Oid offsets_table)
{
	return OidIsValid(offsets_table) ?
		get_relname_relid(MEMBERS_TABLE_NAME, get_rel_namespace(offsets_table)) : InvalidOid;
}

/* Open the table of members; ERROR where it does not exist. */
static Relation
open_members(const ConsumerGroup *group, LOCKMODE mode)
{
	return table_open(pgt_sql_version_relation_in(get_rel_namespace(group->offsets_table), MEMBERS_TABLE_NAME), mode);
}

/* ---- reading ------------------------------------------------------------ */

/* The partitions of a row. */
static void
fill_partitions(GroupMember *member, ArrayType *array)
{
	Datum	   *elements;

	deconstruct_array(array, INT4OID, sizeof(int32), true, TYPALIGN_INT,
					  &elements, NULL, &member->partition_count);
	member->partitions = palloc(sizeof(int32) * (member->partition_count + 1));
	for (int i = 0; i < member->partition_count; i++)
		member->partitions[i] = DatumGetInt32(elements[i]);
}

/* The member that a row describes; the row must stay allocated. */
static GroupMember *
member_of_row(HeapTuple row, TupleDesc desc)
{
	GroupMember *member = palloc(sizeof(GroupMember));
	bool		isnull;
	const Interval *lease;

	member->row = row;
	member->id = TextDatumGetCString(heap_getattr(row, Anum_members_member_id, desc, &isnull));
	member->joined = DatumGetTimestampTz(heap_getattr(row, Anum_members_joined, desc, &isnull));
	member->until = DatumGetTimestampTz(heap_getattr(row, Anum_members_lease_until, desc, &isnull));
	lease = DatumGetIntervalP(heap_getattr(row, Anum_members_lease, desc, &isnull));
	member->lease = lease->time;
	fill_partitions(member, DatumGetArrayTypeP(heap_getattr(row, Anum_members_partitions, desc, &isnull)));
	return member;
}

/* Order members by the time they joined. */
static int
compare_joined(const ListCell *a, const ListCell *b)
{
	const GroupMember *left = lfirst(a);
	const GroupMember *right = lfirst(b);

	if (left->joined != right->joined)
		return left->joined < right->joined ? -1 : 1;
	return strcmp(left->id, right->id);
}

List *
pgt_group_member_read(const ConsumerGroup *group)
{
	Relation	table = open_members(group, AccessShareLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	row;
	List	   *members = NIL;
	Oid			index = PGT_PRIMARY_KEY_INDEX(table);

	ScanKeyInit(&keys[0], Anum_members_topic, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(group->topic));
	ScanKeyInit(&keys[1], Anum_members_group_id, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(group->id));
	scan = systable_beginscan(table, index, OidIsValid(index), snapshot, 2, keys);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
		members = lappend(members, member_of_row(heap_copytuple(row), RelationGetDescr(table)));
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(table, AccessShareLock);

	list_sort(members, compare_joined);
	return members;
}

/* Order partitions, for bsearch. */
static int
compare_int32(const void *a, const void *b)
{
	int32		left = *(const int32 *) a;
	int32		right = *(const int32 *) b;

	return left < right ? -1 : left > right;
}

bool
pgt_group_member_lists(const GroupMember *member, int32 partition)
{
	return bsearch(&partition, member->partitions, member->partition_count, sizeof(int32), compare_int32) != NULL;
}

/* ---- writing ------------------------------------------------------------ */

/* A member's partitions as an array. */
static Datum
partitions_datum(const GroupMember *member)
{
	Datum	   *elements = palloc(sizeof(Datum) * (member->partition_count + 1));

	for (int i = 0; i < member->partition_count; i++)
		elements[i] = Int32GetDatum(member->partitions[i]);
	return PointerGetDatum(construct_array(elements, member->partition_count, INT4OID,
										   sizeof(int32), true, TYPALIGN_INT));
}

void
pgt_group_member_write(const ConsumerGroup *group, GroupMember *member)
{
	Relation	table = open_members(group, RowExclusiveLock);
	Interval	lease = {.time = member->lease};
	bool		nulls[Natts_members] = {false};
	Datum		values[Natts_members];
	HeapTuple	row;

	values[Anum_members_group_id - 1] = CStringGetTextDatum(group->id);
	values[Anum_members_topic - 1] = ObjectIdGetDatum(group->topic);
	values[Anum_members_member_id - 1] = CStringGetTextDatum(member->id);
	values[Anum_members_joined - 1] = TimestampTzGetDatum(member->joined);
	values[Anum_members_lease_until - 1] = TimestampTzGetDatum(member->until);
	values[Anum_members_lease - 1] = IntervalPGetDatum(&lease);
	values[Anum_members_partitions - 1] = partitions_datum(member);

	row = heap_form_tuple(RelationGetDescr(table), values, nulls);
	if (member->row == NULL)
		CatalogTupleInsert(table, row);
	else
		CatalogTupleUpdate(table, &member->row->t_self, row);
	member->row = row;
	CommandCounterIncrement();
	table_close(table, NoLock);
}

void
pgt_group_member_delete(const ConsumerGroup *group, const GroupMember *member)
{
	Relation	table = open_members(group, RowExclusiveLock);

	CatalogTupleDelete(table, &member->row->t_self);
	CommandCounterIncrement();
	table_close(table, NoLock);
}
