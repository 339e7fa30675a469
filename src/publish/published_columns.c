/*
 * published_columns.c
 *	  DDL on columns that publishing triggers need.
 *
 * The options of a trigger are strings, so the server does not know that they name
 * columns.  Were such a column renamed or dropped, the next change of the table would
 * fail, which is the application's.  So DDL is watched:
 *
 *	  rename a column			the options get its new name
 *	  drop a column that is named, or the
 *	  primary key that is the key	refused; with CASCADE the triggers are dropped too
 *	  add a virtual column		refused, if a trigger publishes in its condition, where the
 *							server would replace the row by an expression
 *
 * What would give the rows other keys is refused by published_keys.c.  The values of other
 * columns may have any type: a change of it shows with the next change of each row.
 *
 * What is dropped is judged at the statement's end: the trigger may be dropped by the same
 * statement, with its table or schema; and a primary key may be replaced by one of the
 * same columns, as is done to rebuild its index.
 *
 * Clones in partitions have the arguments of the partitioned table's trigger, and follow a
 * new name for themselves; for the rest that trigger counts.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "publish/change_publisher.h"
#include "publish/published_columns.h"
#include "publish/published_keys.h"
#include "publish/publishing_trigger.h"
#include "util/catch_error.h"
#include "util/compat.h"

static const char *const option_names[COLUMN_OPTION_COUNT] = {
	[COLUMN_OPTION_KEY] = "key",
	[COLUMN_OPTION_COLUMNS] = "columns",
	[COLUMN_OPTION_EXCLUDE] = "exclude",
};

/* Something that a statement drops and a trigger needs. */
typedef struct Loss
{
	Oid			trigger;
	Oid			relid;
	char	   *column;			/* NULL: the primary key */
	PublishingTriggerOption option;		/* names the column */
	List	   *key;			/* the primary key's column numbers */
} Loss;

/* ---- altering ------------------------------------------------------------- */

/* Read a column as it is with the snapshot; false if there is no such column. */
static bool
read_column(Oid relid, AttrNumber attnum, Snapshot snapshot, FormData_pg_attribute *column)
{
	Relation	catalog = table_open(AttributeRelationId, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_pg_attribute_attrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relid));
	ScanKeyInit(&keys[1], Anum_pg_attribute_attnum, BTEqualStrategyNumber, F_INT2EQ, Int16GetDatum(attnum));
	scan = systable_beginscan(catalog, AttributeRelidNumIndexId, true, snapshot, 2, keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		memcpy(column, GETSTRUCT(tuple), ATTRIBUTE_FIXED_PART_SIZE);
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return HeapTupleIsValid(tuple);
}

bool
pgt_published_columns_altered(Oid relid, AttrNumber attnum, bool computed)
{
	FormData_pg_attribute before;
	FormData_pg_attribute after;

	if (pgt_publishing_trigger_list(relid) == NIL ||
		!read_column(relid, attnum, NULL, &before) || !read_column(relid, attnum, SnapshotSelf, &after))
		return false;
	if (strcmp(NameStr(before.attname), NameStr(after.attname)) != 0)
	{
		pgt_published_keys_check_rename(relid, &before);
		pgt_publishing_trigger_rename_column(relid, NameStr(before.attname), NameStr(after.attname));
	}
	return (before.atttypid != after.atttypid || before.atttypmod != after.atttypmod || computed) &&
		pgt_published_keys_check_type(relid, &before, &after, computed);
}

void
pgt_published_columns_added(Oid relid, AttrNumber attnum)
{
	FormData_pg_attribute added;
	ListCell   *cell;

	foreach(cell, pgt_publishing_trigger_list(relid))
	{
		PublishingTrigger *trigger = lfirst(cell);

		if (OidIsValid(trigger->parent) || !trigger->in_condition ||
			!read_column(relid, attnum, SnapshotSelf, &added) || !PGT_IS_VIRTUAL(&added))
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot add virtual generated column \"%s\" to table \"%s\" because trigger \"%s\" publishes changes in its condition",
						NameStr(added.attname), pgt_publishing_trigger_table(relid), trigger->name),
				 errdetail("Rows with virtual columns can be published by events only."),
				 errhint("Call unpublish_table() first and publish_table() afterwards, in one transaction, or declare the column STORED.")));
	}
}

/* ERROR if the trigger, which is no clone, cannot publish. */
static void
check_trigger(const PublishingTrigger *trigger)
{
	Relation	relation = table_open(trigger->relid, AccessShareLock);

	(void) pgt_change_publisher_make(relation, trigger->relid, trigger->name, trigger->function,
									 trigger->argument_count, trigger->arguments);
	table_close(relation, NoLock);
}

void
pgt_published_columns_check_keys(Oid relid)
{
	ListCell   *cell;

	foreach(cell, pgt_publishing_trigger_list(relid))
	{
		if (!OidIsValid(((PublishingTrigger *) lfirst(cell))->parent))
			check_trigger(lfirst(cell));
	}
}

/* check_trigger() for pgt_catch_error() */
static void
try_trigger(void *arg)
{
	check_trigger(arg);
}

/* May the owner of the trigger's table produce to the topic? */
static bool
may_publish(const PublishingTrigger *trigger, Oid topic)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(trigger->relid));
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	result = pg_class_aclcheck(topic, ((Form_pg_class) GETSTRUCT(tuple))->relowner, ACL_INSERT) == ACLCHECK_OK;
	ReleaseSysCache(tuple);
	return result;
}

/* Can the trigger publish as things are?  What stops the statement itself is thrown on. */
static bool
can_publish(PublishingTrigger *trigger)
{
	ErrorData  *error = pgt_catch_error(try_trigger, trigger);

	if (error == NULL)
		return true;
	if (ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION ||
		ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_TRANSACTION_ROLLBACK ||
		error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE)
		ReThrowError(error);
	FreeErrorData(error);
	return false;
}

List *
pgt_published_columns_publishing(Oid topic)
{
	List	   *oids = NIL;
	ListCell   *cell;

	foreach(cell, pgt_publishing_trigger_list_of_topic(topic))
	{
		PublishingTrigger *trigger = lfirst(cell);

		if (may_publish(trigger, topic) && can_publish(trigger))
			oids = lappend_oid(oids, trigger->oid);
	}
	return oids;
}

void
pgt_published_columns_check_topic(Oid topic, List *publishing)
{
	ListCell   *cell;

	foreach(cell, pgt_publishing_trigger_list_of_topic(topic))
	{
		PublishingTrigger *trigger = lfirst(cell);

		if (list_member_oid(publishing, trigger->oid))
			check_trigger(trigger);
	}
}

void
pgt_published_columns_topic_altered(Oid topic, AttrNumber attnum, List *publishing)
{
	FormData_pg_attribute before;
	FormData_pg_attribute after;

	if (publishing == NIL ||
		!read_column(topic, attnum, NULL, &before) || !read_column(topic, attnum, SnapshotSelf, &after) ||
		strcmp(NameStr(before.attname), "key") != 0 ||
		(before.atttypid == after.atttypid && before.atttypmod == after.atttypmod))
		return;
	pgt_published_keys_check_topic(pgt_publishing_trigger_find(linitial_oid(publishing), NULL), topic, &before, &after);
}

/* ---- dropping ------------------------------------------------------------- */

/* Add a loss of a trigger's to the list. */
static List *
add_loss(List *losses, const PublishingTrigger *trigger, char *column, PublishingTriggerOption option, List *key)
{
	Loss	   *loss = palloc(sizeof(Loss));

	loss->trigger = trigger->oid;
	loss->relid = trigger->relid;
	loss->column = column;
	loss->option = option;
	loss->key = key;
	return lappend(losses, loss);
}

List *
pgt_published_columns_lost(Oid relid, AttrNumber attnum)
{
	List	   *triggers = pgt_publishing_trigger_list(relid);
	List	   *losses = NIL;
	ListCell   *cell;
	char	   *column;

	if (triggers == NIL)
		return NIL;
	column = get_attname(relid, attnum, false);
	foreach(cell, triggers)
	{
		PublishingTrigger *trigger = lfirst(cell);

		for (PublishingTriggerOption option = 0; option < COLUMN_OPTION_COUNT; option++)
		{
			if (!OidIsValid(trigger->parent) && pgt_publishing_trigger_names(trigger, option, column))
				losses = add_loss(losses, trigger, column, option, NIL);
		}
	}
	return losses;
}

/* The columns of a constraint, by number. */
static List *
constraint_columns(HeapTuple tuple)
{
	List	   *columns = NIL;
	bool		isnull;
	Datum		value = SysCacheGetAttr(CONSTROID, tuple, Anum_pg_constraint_conkey, &isnull);
	Datum	   *numbers;
	int			count;

	if (isnull)
		return NIL;
	deconstruct_array(DatumGetArrayTypeP(value), INT2OID, 2, true, TYPALIGN_SHORT, &numbers, NULL, &count);
	for (int i = 0; i < count; i++)
		columns = lappend_int(columns, DatumGetInt16(numbers[i]));
	return columns;
}

List *
pgt_published_columns_lost_constraint(Oid constraint)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
	Form_pg_constraint form;
	List	   *losses = NIL;
	ListCell   *cell;

	if (!HeapTupleIsValid(tuple))
		return NIL;
	form = (Form_pg_constraint) GETSTRUCT(tuple);
	if (form->contype == CONSTRAINT_PRIMARY && !form->condeferrable)
	{
		foreach(cell, pgt_publishing_trigger_list(form->conrelid))
		{
			PublishingTrigger *trigger = lfirst(cell);

			if (!OidIsValid(trigger->parent) && pgt_publishing_trigger_option(trigger, COLUMN_OPTION_KEY) == NULL)
				losses = add_loss(losses, trigger, NULL, COLUMN_OPTION_KEY, constraint_columns(tuple));
		}
	}
	ReleaseSysCache(tuple);
	return losses;
}

/* Has the relation a primary key of these columns? */
static bool
has_key(Oid relid, List *key)
{
	Relation	relation = table_open(relid, AccessShareLock);
	bool		result = equal(pgt_change_publisher_primary_key(relation), key);

	table_close(relation, NoLock);
	return result;
}

/* ERROR: the trigger needs what is dropped. */
static void
refuse_drop(const Loss *loss, const PublishingTrigger *trigger)
{
	const char *table = pgt_publishing_trigger_table(loss->relid);

	ereport(ERROR,
			(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
			 loss->column != NULL ?
			 errmsg("cannot drop column \"%s\" of table \"%s\" because trigger \"%s\" names it in \"%s=%s\"",
					loss->column, table, trigger->name, option_names[loss->option],
					pgt_publishing_trigger_option(trigger, loss->option)) :
			 errmsg("cannot drop primary key of table \"%s\" because trigger \"%s\" publishes it as the key of changes",
					table, trigger->name),
			 errdetail("The table's changes could not be published any more as the trigger says."),
			 errhint("Call unpublish_table() first, and publish the table anew afterwards. DROP ... CASCADE ends publishing too.")));
}

/* Drop a trigger whose table has lost what it needs. */
static void
drop_trigger(const PublishingTrigger *trigger)
{
	ObjectAddress address;

	ereport(NOTICE,
			(errmsg("drop cascades to trigger %s on table %s",
					quote_identifier(trigger->name), pgt_publishing_trigger_table(trigger->relid))));
	ObjectAddressSet(address, TriggerRelationId, trigger->oid);
	performDeletion(&address, DROP_CASCADE, 0);
}

void
pgt_published_columns_check_losses(List *losses, bool cascade)
{
	ListCell   *cell;

	foreach(cell, losses)
	{
		Loss	   *loss = lfirst(cell);
		PublishingTrigger *trigger = pgt_publishing_trigger_find(loss->trigger, NULL);

		if (trigger == NULL || (loss->column == NULL && has_key(loss->relid, loss->key)))
			continue;
		if (!cascade)
			refuse_drop(loss, trigger);
		drop_trigger(trigger);
		CommandCounterIncrement();
	}
}
