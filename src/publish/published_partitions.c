/*
 * published_partitions.c
 *	  DDL that gives rows to a published table, or takes rows from it, without changing them.
 *
 * The rows of a partition are rows of the partitioned table. When a partition with rows is
 * attached, detached, dropped, or truncated by itself, no trigger is fired, and a replica
 * would keep rows that are gone, or miss some.  To publish all of a partition's rows in
 * such a statement would surprise who expects it to take no time, so it is refused:
 * partitions come and go empty, and their rows by INSERT and DELETE.  A disabled trigger
 * does not publish, and does not ask for this either.
 *
 * The server clones a row trigger to each partition.  So that a clone is made, or dropped,
 * tells that a partition comes or goes:
 *
 *	  a clone is made by ALTER TABLE	a partition is attached
 *	  a clone is dropped			a partition is detached or dropped, unless the trigger itself,
 *							or the partitioned table, is dropped by the statement
 *
 * An unlogged table, or partition, is empty after a crash, and a temporary one after its session
 * or transaction.  So they do not publish deletions.
 *
 * Inheritance is different: row triggers are not inherited, so the changes of a parent are
 * published without those of its children, and its snapshot has its own rows only.  A
 * trigger for each statement would see rows of children, too, but only those that are changed
 * by statements on the parent.  So tables published in that way have neither parents nor
 * children.
 *
 * Locks: AccessShareLock on a partition while it is looked at. The statements have it locked
 * exclusively then, but for the first part of DETACH CONCURRENTLY.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "publish/published_partitions.h"
#include "publish/publishing_trigger.h"
#include "util/compat.h"

/* A partition with rows that loses a trigger. */
typedef struct Leaving
{
	char	   *partition;
	Oid			source;			/* the trigger that the partition had a clone of */
} Leaving;

/* ---- rows ----------------------------------------------------------------- */

/* Has the relation rows? */
static bool
has_rows(Oid relid)
{
	Relation	relation = table_open(relid, AccessShareLock);
	bool		found = false;

	if (RELKIND_HAS_TABLE_AM(relation->rd_rel->relkind))
	{
		Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
		TupleTableSlot *slot = table_slot_create(relation, NULL);
		TableScanDesc scan = PGT_BEGIN_SCAN(relation, snapshot);

		found = table_scan_getnextslot(scan, ForwardScanDirection, slot);
		table_endscan(scan);
		ExecDropSingleTupleTableSlot(slot);
		UnregisterSnapshot(snapshot);
	}
	table_close(relation, AccessShareLock);
	return found;
}

/* The trigger that a clone publishes for, if it publishes now; else NULL. */
static PublishingTrigger *
publishes_for(PublishingTrigger *clone)
{
	PublishingTrigger *source;

	if (!OidIsValid(clone->parent))
		return NULL;
	source = pgt_publishing_trigger_source(clone);
	return source != NULL && pgt_publishing_trigger_fires(source) ? source : NULL;
}

/* ---- partitions that come ---------------------------------------------------- */

void
pgt_published_partitions_joined(PublishingTrigger *clone)
{
	PublishingTrigger *source = publishes_for(clone);

	if (source == NULL || !TRIGGER_FOR_INSERT(clone->type) || !has_rows(clone->relid))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("cannot attach partition \"%s\", which has rows, to published table \"%s\"",
					pgt_publishing_trigger_table(clone->relid), pgt_publishing_trigger_table(source->relid)),
			 errdetail("Trigger \"%s\" publishes the table's changes, and is not fired for rows that are there already.",
					   source->name),
			 errhint("Attach an empty partition and insert the rows, or disable the table's triggers meanwhile and leave replicas without these rows.")));
}

/* ---- partitions that go ------------------------------------------------------- */

List *
pgt_published_partitions_leaving(PublishingTrigger *clone)
{
	PublishingTrigger *source = publishes_for(clone);
	Leaving    *leaving;

	if (source == NULL || !TRIGGER_FOR_DELETE(clone->type) || !has_rows(clone->relid))
		return NIL;
	leaving = palloc(sizeof(Leaving));
	leaving->partition = pgt_publishing_trigger_table(clone->relid);
	leaving->source = source->oid;
	return list_make1(leaving);
}

/* ERROR: a partition cannot go. */
static void
refuse_leaving(const char *partition, const PublishingTrigger *source)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("cannot remove partition \"%s\", which has rows, from published table \"%s\"",
					partition, pgt_publishing_trigger_table(source->relid)),
			 errdetail("Trigger \"%s\" publishes the table's changes, and would not be fired for the rows that go.",
					   source->name),
			 errhint("Delete the partition's rows first, or disable the table's triggers meanwhile and leave these rows in replicas.")));
}

void
pgt_published_partitions_check_left(List *list)
{
	ListCell   *cell;

	foreach(cell, list)
	{
		Leaving    *leaving = lfirst(cell);
		PublishingTrigger *source = pgt_publishing_trigger_find(leaving->source, NULL);

		if (source != NULL)
			refuse_leaving(leaving->partition, source);
	}
}

void
pgt_published_partitions_check_detach(AlterTableStmt *statement)
{
	ListCell   *cell;

	foreach(cell, statement->cmds)
	{
		AlterTableCmd *command = lfirst_node(AlterTableCmd, cell);
		ListCell   *trigger;
		Oid			partition;

		if (command->subtype != AT_DetachPartition || !castNode(PartitionCmd, command->def)->concurrent)
			continue;
		partition = RangeVarGetRelid(castNode(PartitionCmd, command->def)->name, NoLock, true);
		foreach(trigger, OidIsValid(partition) ? pgt_publishing_trigger_list(partition) : NIL)
		{
			PublishingTrigger *clone = lfirst(trigger);
			PublishingTrigger *source = publishes_for(clone);

			if (source != NULL && TRIGGER_FOR_DELETE(clone->type) && has_rows(partition))
				refuse_leaving(pgt_publishing_trigger_table(partition), source);
		}
	}
}

/* ---- rows that do not last -------------------------------------------------- */

/* Does the trigger, or the one that it is a clone of, publish deletions now? */
static bool
publishes_deletions(PublishingTrigger *trigger)
{
	PublishingTrigger *source = pgt_publishing_trigger_source(trigger);

	return source != NULL && pgt_publishing_trigger_fires(source) && TRIGGER_FOR_DELETE(trigger->type);
}

void
pgt_published_partitions_check_lasting(PublishingTrigger *trigger)
{
	char		persistence = get_rel_persistence(trigger->relid);
	bool		temporary = persistence == RELPERSISTENCE_TEMP;

	if (persistence == RELPERSISTENCE_PERMANENT || !publishes_deletions(trigger))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot publish %s table \"%s\"", temporary ? "temporary" : "unlogged", get_rel_name(trigger->relid)),
			 errdetail("Trigger \"%s\" would not be fired when %s takes the rows.",
					   trigger->name, temporary ? "the end of the session or transaction" : "a crash"),
			 errhint("Use a permanent table that is logged, or a trigger for INSERT and UPDATE alone.")));
}

/* Does one of the subcommands make the table unlogged? */
static bool
sets_unlogged(AlterTableStmt *statement)
{
	ListCell   *cell;

	foreach(cell, statement->cmds)
	{
		if (lfirst_node(AlterTableCmd, cell)->subtype == AT_SetUnLogged)
			return true;
	}
	return false;
}

void
pgt_published_partitions_check_unlogged(AlterTableStmt *statement)
{
	Oid			relid;
	ListCell   *cell;

	if (!sets_unlogged(statement))
		return;
	relid = RangeVarGetRelid(statement->relation, NoLock, true);
	foreach(cell, OidIsValid(relid) ? pgt_publishing_trigger_list(relid) : NIL)
	{
		PublishingTrigger *trigger = lfirst(cell);

		if (!publishes_deletions(trigger))
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot make published table \"%s\" unlogged", pgt_publishing_trigger_table(relid)),
				 errdetail("Trigger \"%s\" would not be fired when a crash takes the rows.", trigger->name),
				 errhint("Call unpublish_table() first.")));
	}
}

/* ---- TRUNCATE ------------------------------------------------------------------ */

List *
pgt_published_partitions_named(TruncateStmt *statement)
{
	List	   *relids = NIL;
	ListCell   *cell;

	foreach(cell, statement->relations)
		relids = lappend_oid(relids, RangeVarGetRelid(lfirst_node(RangeVar, cell), NoLock, true));
	return relids;
}

void
pgt_published_partitions_check_truncate(List *relids)
{
	ListCell   *cell;
	ListCell   *trigger;

	foreach(cell, relids)
	{
		foreach(trigger, OidIsValid(lfirst_oid(cell)) ? pgt_publishing_trigger_list(lfirst_oid(cell)) : NIL)
		{
			PublishingTrigger *clone = lfirst(trigger);
			PublishingTrigger *source = publishes_for(clone);

			if (source == NULL || !TRIGGER_FOR_DELETE(clone->type) || list_member_oid(relids, source->relid))
				continue;
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cannot truncate partition \"%s\" of published table \"%s\"",
							pgt_publishing_trigger_table(clone->relid), pgt_publishing_trigger_table(source->relid)),
					 errdetail("Trigger \"%s\" publishes the table's changes, and is not fired when a partition alone is truncated.",
							   source->name),
					 errhint("Use DELETE, or disable the table's triggers meanwhile and leave these rows in replicas.")));
		}
	}
}

/* ---- inheritance ----------------------------------------------------------------- */

/* A trigger that publishes changes of the relation's rows for each statement; NULL if there is none. */
static PublishingTrigger *
statement_trigger(Oid relid)
{
	ListCell   *cell;

	foreach(cell, pgt_publishing_trigger_list(relid))
	{
		PublishingTrigger *trigger = lfirst(cell);

		if (!TRIGGER_FOR_ROW(trigger->type) &&
			(TRIGGER_FOR_INSERT(trigger->type) || TRIGGER_FOR_UPDATE(trigger->type) || TRIGGER_FOR_DELETE(trigger->type)))
			return trigger;
	}
	return NULL;
}

void
pgt_published_partitions_inherited(Oid child, Oid parent)
{
	PublishingTrigger *trigger = statement_trigger(child);

	/* for a partitioned table only statements on itself are published anyway */
	if (trigger == NULL && get_rel_relkind(parent) != RELKIND_PARTITIONED_TABLE)
		trigger = statement_trigger(parent);
	if (trigger == NULL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("table \"%s\" cannot become a child of table \"%s\" because trigger \"%s\" publishes changes for each statement",
					pgt_publishing_trigger_table(child), pgt_publishing_trigger_table(parent), trigger->name),
			 errdetail("Rows of the child can be changed by statements on either table, and the trigger is fired for one of them only."),
			 errhint("Publish the table with for_each => 'row'.")));
}
