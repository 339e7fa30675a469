/*
 * kafka_group_config.c
 *	  The rows of topic_kafka_group_configs: what is configured for single groups of Kafka's clients.
 *
 * A row is a name and a value of a group, under Kafka's names.  What they mean, and which values there are, is known above
 * (src/broker/groups/group_configs.c).  A group need not be there to be configured.
 *
 * Whoever changes rows invalidates the table in the relation cache, as its trigger does for changes by SQL: so processes that
 * serve clients are told when the transaction commits, on standbys as well.
 *
 * Locks: RowExclusiveLock on the table until the transaction's end once a row is written; ShareRowExclusiveLock by who deletes
 * without waiting, as nobody else changes a row then.
 *
 * Memory: the caller's context.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "group/group_types.h"
#include "group/kafka_group_config.h"
#include "util/compat.h"
#include "util/sql_version.h"

#define TABLE_NAME	"topic_kafka_group_configs"

/* columns */
enum
{
	Anum_config_group_id = 1,
	Anum_config_name,
	Anum_config_value,
	Anum_config_owner,
	Natts_config = Anum_config_owner
};

/* The open table, with the latest snapshot. */
typedef struct OpenTable
{
	Relation	table;
	Snapshot	snapshot;
} OpenTable;

Oid
pgt_kafka_group_config_table(void)
{
	Oid			schema = pgt_sql_version_schema();

	return OidIsValid(schema) ? get_relname_relid(TABLE_NAME, schema) : InvalidOid;
}

/* Open the table; false: there is none. */
static bool
open_table(LOCKMODE mode, OpenTable *open)
{
	Oid			relid = pgt_kafka_group_config_table();

	open->table = OidIsValid(relid) ? try_table_open(relid, mode) : NULL;
	if (open->table == NULL)
		return false;
	open->snapshot = RegisterSnapshot(GetLatestSnapshot());
	return true;
}

static void
close_table(const OpenTable *open, LOCKMODE mode)
{
	UnregisterSnapshot(open->snapshot);
	table_close(open->table, mode);
}

/* Begin a scan of a configuration, of all of a group, or of all, in their order. */
static SysScanDesc
begin_scan(const OpenTable *open, const char *group, const char *name)
{
	Oid			index = PGT_PRIMARY_KEY_INDEX(open->table);
	ScanKeyData keys[2];
	int			count = 0;

	if (group != NULL)
		ScanKeyInit(&keys[count++], Anum_config_group_id, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(group));
	if (name != NULL)
		ScanKeyInit(&keys[count++], Anum_config_name, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(name));
	return systable_beginscan(open->table, index, OidIsValid(index), open->snapshot, count, keys);
}

/* ---- reading ------------------------------------------------------------------------- */

static char *
text_of(HeapTuple tuple, TupleDesc desc, int column)
{
	bool		isnull;

	return TextDatumGetCString(heap_getattr(tuple, column, desc, &isnull));
}

static KafkaGroupConfig *
take_row(HeapTuple tuple, TupleDesc desc)
{
	KafkaGroupConfig *row = palloc(sizeof(KafkaGroupConfig));
	bool		isnull;
	Datum		owner = heap_getattr(tuple, Anum_config_owner, desc, &isnull);

	row->group = text_of(tuple, desc, Anum_config_group_id);
	row->name = text_of(tuple, desc, Anum_config_name);
	row->value = text_of(tuple, desc, Anum_config_value);
	row->owner = isnull ? GROUP_UNCLAIMED : DatumGetObjectId(owner);
	return row;
}

static List *
read_rows(const OpenTable *open, const char *group, int most)
{
	SysScanDesc scan = begin_scan(open, group, NULL);
	List	   *rows = NIL;
	HeapTuple	tuple;

	while (list_length(rows) < most && HeapTupleIsValid(tuple = systable_getnext(scan)))
		rows = lappend(rows, take_row(tuple, RelationGetDescr(open->table)));
	systable_endscan(scan);
	return rows;
}

List *
pgt_kafka_group_config_read(const char *group, int most)
{
	OpenTable	open;
	List	   *rows;

	if (!open_table(AccessShareLock, &open))
		return NIL;
	rows = read_rows(&open, group, most);
	close_table(&open, AccessShareLock);
	return rows;
}

bool
pgt_kafka_group_config_try_read_all(int most, List **rows)
{
	Oid			relid = pgt_kafka_group_config_table();

	*rows = NIL;
	if (!OidIsValid(relid))
		return true;
	if (!ConditionalLockRelationOid(relid, AccessShareLock))
		return false;
	*rows = pgt_kafka_group_config_read(NULL, most);
	UnlockRelationOid(relid, AccessShareLock);
	return true;
}

int
pgt_kafka_group_config_count(Oid owner)
{
	int			count = 0;
	ListCell   *cell;

	foreach(cell, pgt_kafka_group_config_read(NULL, PG_INT32_MAX))
		count += ((const KafkaGroupConfig *) lfirst(cell))->owner == owner;
	return count;
}

/* ---- writing ------------------------------------------------------------------------- */

bool
pgt_kafka_group_config_may_change(Oid role, Oid owner)
{
	return owner == GROUP_UNCLAIMED || !SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(owner)) || has_privs_of_role(role, owner);
}

/* Delete a configuration, or all of a group. */
static void
delete_rows(const char *group, const char *name)
{
	OpenTable	open;
	SysScanDesc scan;
	HeapTuple	tuple;

	if (!open_table(RowExclusiveLock, &open))
		return;
	scan = begin_scan(&open, group, name);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		CatalogTupleDelete(open.table, &tuple->t_self);
		CacheInvalidateRelcache(open.table);
	}
	systable_endscan(scan);
	CommandCounterIncrement();
	close_table(&open, NoLock);
}

static void
insert_row(const char *group, const char *name, const char *value, Oid owner)
{
	Datum		values[Natts_config];
	bool		nulls[Natts_config] = {false};
	OpenTable	open;

	if (!open_table(RowExclusiveLock, &open))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"%s\" of extension \"pg_topics\" is missing", TABLE_NAME),
				 errhint("It must be in the same schema as the extension's functions.")));
	values[Anum_config_group_id - 1] = CStringGetTextDatum(group);
	values[Anum_config_name - 1] = CStringGetTextDatum(name);
	values[Anum_config_value - 1] = CStringGetTextDatum(value);
	values[Anum_config_owner - 1] = ObjectIdGetDatum(owner);
	nulls[Anum_config_owner - 1] = owner == GROUP_UNCLAIMED;
	CatalogTupleInsert(open.table, heap_form_tuple(RelationGetDescr(open.table), values, nulls));
	CacheInvalidateRelcache(open.table);
	CommandCounterIncrement();
	close_table(&open, NoLock);
}

void
pgt_kafka_group_config_set(const char *group, const char *name, const char *value, Oid owner)
{
	delete_rows(group, name);
	if (value != NULL)
		insert_row(group, name, value, owner);
}

/* Is there something of the group that the role may delete? */
static bool
may_delete(const char *group, Oid role)
{
	List	   *rows = pgt_kafka_group_config_read(group, 1);

	return rows != NIL && pgt_kafka_group_config_may_change(role, ((const KafkaGroupConfig *) linitial(rows))->owner);
}

void
pgt_kafka_group_config_delete(const char *group, Oid role)
{
	if (may_delete(group, role))
		delete_rows(group, NULL);
}

bool
pgt_kafka_group_config_try_delete(const char *group, Oid role)
{
	Oid			relid = pgt_kafka_group_config_table();

	if (!OidIsValid(relid))
		return true;
	if (!ConditionalLockRelationOid(relid, AccessShareLock))
		return false;
	if (!may_delete(group, role))
		return true;
	if (!ConditionalLockRelationOid(relid, ShareRowExclusiveLock))
		return false;
	delete_rows(group, NULL);
	return true;
}
