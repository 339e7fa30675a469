/*
 * published_keys.c
 *	  DDL that would give the rows of a published table other keys.
 *
 * A key is text, and the records of rows that are there have it.  Nothing would ever end
 * these records if DDL made it another, so that is refused:
 *
 *	  rename a column			of a key of several, which is an object with the names
 *	  another type for a column		unless the text is the same: among integers, and among
 *							text and varchar without a shorter limit
 *	  another type for a topic's key	the same
 *	  rename an enum's value		of a type that a key is made of
 *	  add, rename or drop an attribute	the same; also of a table whose row type that is
 *
 * A primary key that comes later gives keys to rows without one, and is not refused: it is
 * what such a table needs, and its records identify nothing before.
 *
 * A key's column may be of the type itself, or of one made of it: an array, a range, a domain,
 * a composite type with an attribute of it, a table's row type.  The server has dependencies
 * for all of these, so the columns are found from the type, and a statement on a type that
 * nobody uses costs a look into pg_depend.
 *
 * Clones in partitions have the key of the partitioned table's trigger, which counts.
 *
 * Locks: AccessShareLock on published tables with a column that is made of the type.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "publish/change_publisher.h"
#include "publish/published_keys.h"

/* ---- the key -------------------------------------------------------------- */

/* Is the column in the key that the trigger publishes? */
static bool
is_key_column(const PublishingTrigger *trigger, Relation relation, AttrNumber attnum, const char *name)
{
	if (pgt_publishing_trigger_option(trigger, COLUMN_OPTION_KEY) != NULL)
		return pgt_publishing_trigger_names(trigger, COLUMN_OPTION_KEY, name);
	return list_member_int(pgt_change_publisher_primary_key(relation), attnum);
}

/* The number of columns of the key that the trigger publishes. */
static int
key_length(const PublishingTrigger *trigger, Relation relation)
{
	List	   *names = pgt_publishing_trigger_list_names(trigger, COLUMN_OPTION_KEY);

	return names != NIL ? list_length(names) : list_length(pgt_change_publisher_primary_key(relation));
}

/* ---- columns ---------------------------------------------------------------- */

/* Do values that are cast from one column's type to the other's keep their text?  A shorter limit cuts off spaces. */
static bool
keeps_text(const FormData_pg_attribute *from, const FormData_pg_attribute *to)
{
#define IS_INTEGER(type)	((type) == INT2OID || (type) == INT4OID || (type) == INT8OID)
#define IS_TEXT(type)		((type) == TEXTOID || (type) == VARCHAROID)
	if (IS_TEXT(from->atttypid) && IS_TEXT(to->atttypid))
		return to->atttypmod < 0 || (from->atttypmod >= 0 && to->atttypmod >= from->atttypmod);
	return IS_INTEGER(from->atttypid) && IS_INTEGER(to->atttypid);
}

/* ERROR: the keys would have another form.  "action" is what was done to the column, "form" what they have now. */
static void
refuse_form(const PublishingTrigger *trigger, const char *action, const char *column, const char *form)
{
	ereport(ERROR,
			(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
			 errmsg("cannot %s column \"%s\" of table \"%s\" because trigger \"%s\" publishes it in the key of changes",
					action, column, pgt_publishing_trigger_table(trigger->relid), trigger->name),
			 errdetail("The records of present rows have keys %s, and would not be replaced.", form),
			 errhint("Call unpublish_table() first, and then publish the table to another topic with snapshot => true.")));
}

void
pgt_published_keys_check_rename(Oid relid, const FormData_pg_attribute *before)
{
	Relation	relation = table_open(relid, NoLock);
	ListCell   *cell;

	foreach(cell, pgt_publishing_trigger_list(relid))
	{
		PublishingTrigger *trigger = lfirst(cell);

		if (!OidIsValid(trigger->parent) && key_length(trigger, relation) > 1 &&
			is_key_column(trigger, relation, before->attnum, NameStr(before->attname)))
			refuse_form(trigger, "rename", NameStr(before->attname), "with the names of their columns");
	}
	table_close(relation, NoLock);
}

bool
pgt_published_keys_check_type(Oid relid, const FormData_pg_attribute *before, const FormData_pg_attribute *after,
							  bool computed)
{
	List	   *triggers = pgt_publishing_trigger_list(relid);
	bool		found = false;
	ListCell   *cell;
	Relation	relation;

	if (triggers == NIL)
		return false;
	relation = table_open(relid, NoLock);
	foreach(cell, triggers)
	{
		PublishingTrigger *trigger = lfirst(cell);

		if (OidIsValid(trigger->parent) ||
			!is_key_column(trigger, relation, before->attnum, NameStr(before->attname)))
			continue;
		if (computed)
			refuse_form(trigger, "compute new values of", NameStr(before->attname), "with its old values");
		if (!keeps_text(before, after))
			refuse_form(trigger, "alter type of", NameStr(before->attname),
						psprintf("made from type %s", format_type_with_typemod(before->atttypid, before->atttypmod)));
		found = true;
	}
	table_close(relation, NoLock);
	return found;
}

void
pgt_published_keys_check_topic(const PublishingTrigger *trigger, Oid topic,
							   const FormData_pg_attribute *before, const FormData_pg_attribute *after)
{
	if (keeps_text(before, after))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
			 errmsg("cannot alter type of the key of topic \"%s\" because trigger \"%s\" on table \"%s\" publishes to it",
					pgt_publishing_trigger_table(topic), trigger->name, pgt_publishing_trigger_table(trigger->relid)),
			 errdetail("The records of present rows have keys written as type %s, and would not be replaced.",
					   format_type_with_typemod(before->atttypid, before->atttypmod)),
			 errhint("Call unpublish_table() first, and then publish the table to another topic with snapshot => true.")));
}

/* ---- types ------------------------------------------------------------------ */

/* ERROR: the column is in the key, and its values have another text. */
static void
refuse_values(const PublishingTrigger *trigger, const char *column, Oid altered)
{
	ereport(ERROR,
			(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
			 errmsg("cannot alter type \"%s\" because trigger \"%s\" publishes values of it in the key of changes",
					format_type_be(altered), trigger->name),
			 errdetail("The keys are in column \"%s\" of table \"%s\". The records of present rows have keys with the old text of its values, and would not be replaced.",
					   column, pgt_publishing_trigger_table(trigger->relid)),
			 errhint("Call unpublish_table() first, and then publish the table to another topic with snapshot => true.")));
}

/* ERROR if columns of these types, which are made of the altered one, are in keys of the relation. */
static void
check_columns(Oid relid, List *types, Oid altered)
{
	List	   *triggers = pgt_publishing_trigger_list(relid);
	ListCell   *cell;
	Relation	relation;

	if (triggers == NIL)
		return;
	relation = table_open(relid, AccessShareLock);
	foreach(cell, triggers)
	{
		PublishingTrigger *trigger = lfirst(cell);

		for (int i = 0; !OidIsValid(trigger->parent) && i < RelationGetDescr(relation)->natts; i++)
		{
			Form_pg_attribute att = TupleDescAttr(RelationGetDescr(relation), i);

			if (!att->attisdropped && list_member_oid(types, att->atttypid) &&
				is_key_column(trigger, relation, att->attnum, NameStr(att->attname)))
				refuse_values(trigger, NameStr(att->attname), altered);
		}
	}
	table_close(relation, NoLock);
}

void
pgt_published_keys_check_values(Oid type)
{
	List	   *types = list_make1_oid(type);
	ListCell   *cell;

	foreach(cell, pgt_publishing_trigger_list_of_types(&types))
		check_columns(lfirst_oid(cell), types, type);
}
