/*
 * publish_ddl.c
 *	  Hooks that keep DDL from parting a published table from its replicas.
 *
 * DDL that would make the application's next change fail, or take rows from a table or
 * give it some without a change that is published, is followed by the triggers, or refused
 * with a hint.  What that is for columns is in published_columns.c, for keys and their types
 * in published_keys.c, for partitions and children in published_partitions.c.
 *
 * The server tells of each object that is altered or dropped by object_access_hook.  What
 * must be judged with all that the statement does is kept in a list until the end of the
 * statement:
 *
 *	  ProcessUtility_hook		a statement begins
 *	      object_access_hook		lists what it does
 *	  ProcessUtility_hook		and is refused, or not
 *
 * Statements within statements (a function that executes one, an event trigger) have lists
 * of their own; subcommands of ALTER TABLE use their statement's.  DDL outside of any
 * statement, as when temporary tables go at a session's end, is not looked at.
 *
 * The hooks cost a statement on other tables a look into the system cache for each column
 * that it alters or drops, and one into pg_depend if there are more or fewer of them then, or
 * they have other names.  What may ask for a new number of a table's schema is noted here,
 * too, for schema_version.c.
 *
 * Memory: lists live in the transaction's context.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "publish/publish_ddl.h"
#include "publish/published_columns.h"
#include "publish/published_keys.h"
#include "publish/published_partitions.h"
#include "publish/publishing_trigger.h"
#include "publish/schema_version.h"
#include "topic/topic.h"
#include "util/compat.h"
#include "util/oid_list.h"

/* The statement that is running, and what must be looked at when it ends. */
typedef struct GuardedStatement
{
	Node	   *tree;			/* NULL: none is running */
	List	   *losses;			/* of published_columns.c */
	List	   *retyped;		/* oids of tables whose keys have other types */
	List	   *leaving;		/* of published_partitions.c */
	List	   *truncated;		/* oids */
	List	   *publishing;		/* oids of triggers that can publish to the topic, before it is altered */
	List	   *topics;			/* oids of topics that are altered */
	List	   *types;			/* oids of those whose values have another text */
	bool		renamed;		/* relations or schemas have other names */
} GuardedStatement;

static GuardedStatement current = {0};
static ProcessUtility_hook_type next_process_utility = NULL;
static object_access_hook_type next_object_access = NULL;

/* ---- what the statement says ---------------------------------------------- */

/* Is it a statement whose end we wait for? */
static bool
is_guarded(Node *tree)
{
	return IsA(tree, AlterTableStmt) || IsA(tree, DropStmt) || IsA(tree, DropOwnedStmt) ||
		IsA(tree, TruncateStmt) || IsA(tree, RenameStmt) || IsA(tree, AlterObjectSchemaStmt) ||
		IsA(tree, AlterEnumStmt);
}

/* Is it DROP TRIGGER, by which clones go without their partitions? */
static bool
drops_triggers(Node *tree)
{
	return IsA(tree, DropStmt) && castNode(DropStmt, tree)->removeType == OBJECT_TRIGGER;
}

/* Does it say CASCADE? */
static bool
cascades(Node *tree)
{
	ListCell   *cell;

	if (IsA(tree, DropStmt))
		return castNode(DropStmt, tree)->behavior == DROP_CASCADE;
	if (IsA(tree, DropOwnedStmt))
		return castNode(DropOwnedStmt, tree)->behavior == DROP_CASCADE;
	if (!IsA(tree, AlterTableStmt))
		return false;
	foreach(cell, castNode(AlterTableStmt, tree)->cmds)
	{
		if (lfirst_node(AlterTableCmd, cell)->behavior == DROP_CASCADE)
			return true;
	}
	return false;
}

/* Does it compute new values for the column, with USING or another expression to generate it from? */
static bool
computes(Node *tree, const char *column)
{
	ListCell   *cell;

	if (tree == NULL || !IsA(tree, AlterTableStmt) || column == NULL)
		return false;
	foreach(cell, castNode(AlterTableStmt, tree)->cmds)
	{
		AlterTableCmd *command = lfirst_node(AlterTableCmd, cell);

		if (command->name == NULL || strcmp(command->name, column) != 0)
			continue;
		if (PGT_SETS_EXPRESSION(command) ||
			(command->subtype == AT_AlterColumnType && castNode(ColumnDef, command->def)->raw_default != NULL))
			return true;
	}
	return false;
}

/* ---- object_access_hook ---------------------------------------------------- */

/* A column is altered. */
static void
column_altered(Oid relid, int column)
{
	if (!pgt_published_columns_altered(relid, column, computes(current.tree, get_attname(relid, column, true))) ||
		current.tree == NULL)
		return;
	current.retyped = pgt_oid_list_note(current.retyped, relid);
}

/* The values of a type have another text. */
static void
values_altered(Oid type)
{
	if (current.tree != NULL)
		current.types = pgt_oid_list_note(current.types, type);
}

/*
 * A column is altered, or it is "reshaped": the relation has more or fewer columns, or one has
 * another name.  That is noted for the schema's number, and so is the relation's row type, which
 * columns of other tables may have.  If these do, the server allows no other type of a column.
 */
static void
note_column(Oid relid, bool reshaped)
{
	if (pgt_publishing_trigger_publishes(relid))
		pgt_schema_version_note_table(relid);
	if (!reshaped || !OidIsValid(get_rel_type_id(relid)))
		return;
	pgt_schema_version_note_type(get_rel_type_id(relid));
	values_altered(get_rel_type_id(relid));
}

/* A topic, or a column of one, is altered or dropped. */
static void
topic_altered(Oid relid)
{
	if (current.tree != NULL && IsA(current.tree, AlterTableStmt) && pgt_topic_exists(relid))
		current.topics = pgt_oid_list_note(current.topics, relid);
}

/* A column is altered, of a topic perhaps. */
static void
topic_column_altered(Oid relid, int column)
{
	if (current.tree != NULL && IsA(current.tree, AlterTableStmt) && pgt_topic_exists(relid))
		pgt_published_columns_topic_altered(relid, column, current.publishing);
	topic_altered(relid);
}

/* A relation has another name or schema. */
static void
relation_renamed(Oid relid)
{
	if (current.tree != NULL && (IsA(current.tree, RenameStmt) || IsA(current.tree, AlterObjectSchemaStmt)))
		current.renamed |= pgt_topic_exists(relid) || pgt_publishing_trigger_list(relid) != NIL;
}

/* A type is altered. */
static void
type_altered(Oid type)
{
	pgt_schema_version_note_type(type);
	if (current.tree != NULL && IsA(current.tree, AlterEnumStmt) && castNode(AlterEnumStmt, current.tree)->oldVal != NULL)
		values_altered(type);
}

/* A trigger is altered, enabled perhaps. */
static void
trigger_altered(Oid oid)
{
	PublishingTrigger *trigger = pgt_publishing_trigger_find(oid, SnapshotSelf);

	if (trigger != NULL)
		pgt_published_partitions_check_lasting(trigger);
}

/* Something is altered. */
static void
object_altered(Oid class, Oid object, int column, ObjectAccessPostAlter *arg)
{
	if (class == RelationRelationId && column > 0)
	{
		column_altered(object, column);
		topic_column_altered(object, column);
		note_column(object, current.tree != NULL && IsA(current.tree, RenameStmt));
	}
	else if (class == RelationRelationId)
		relation_renamed(object);
	else if (class == ForeignTableRelationId)
		topic_altered(object);
	else if (class == TypeRelationId)
		type_altered(object);
	else if (class == TriggerRelationId)
		trigger_altered(object);
	else if (class == NamespaceRelationId && current.tree != NULL && IsA(current.tree, RenameStmt))
	{
		current.renamed = true;
		pgt_schema_version_note_schema(object);
	}
	else if (class == InheritsRelationId)
		pgt_published_partitions_inherited(object, arg->auxiliary_id);
}

/* A trigger is made. */
static void
trigger_made(Oid oid)
{
	PublishingTrigger *trigger = pgt_publishing_trigger_find(oid, SnapshotSelf);

	if (trigger == NULL)
		return;
	pgt_published_partitions_check_lasting(trigger);
	if (!OidIsValid(trigger->parent))
	{
		pgt_publishing_trigger_depend(trigger);
		pgt_schema_version_note_table(trigger->relid);
	}
	else if (current.tree != NULL && IsA(current.tree, AlterTableStmt))
		pgt_published_partitions_joined(trigger);
}

/* A trigger is about to be dropped. */
static void
trigger_dropped(Oid oid)
{
	PublishingTrigger *trigger = pgt_publishing_trigger_find(oid, SnapshotSelf);
	MemoryContext caller;

	if (trigger == NULL)
		return;
	if (!OidIsValid(trigger->parent))
		pgt_schema_version_note_drop();
	else if (current.tree != NULL && !drops_triggers(current.tree))
	{
		caller = MemoryContextSwitchTo(TopTransactionContext);
		current.leaving = list_concat(current.leaving, pgt_published_partitions_leaving(trigger));
		MemoryContextSwitchTo(caller);
	}
}

/* A column or a constraint is about to be dropped. */
static void
loss_ahead(Oid class, Oid object, int column)
{
	MemoryContext caller;

	if (current.tree == NULL)
		return;
	caller = MemoryContextSwitchTo(TopTransactionContext);
	if (class == RelationRelationId && column > 0)
		current.losses = list_concat(current.losses, pgt_published_columns_lost(object, column));
	else if (class == ConstraintRelationId)
		current.losses = list_concat(current.losses, pgt_published_columns_lost_constraint(object));
	MemoryContextSwitchTo(caller);
}

/* Something is about to be dropped. */
static void
object_dropped(Oid class, Oid object, int column)
{
	if (class == TriggerRelationId)
		trigger_dropped(object);
	else if (class == ConstraintRelationId)
		loss_ahead(class, object, 0);
	else if (class == RelationRelationId && column > 0)
	{
		topic_altered(object);
		note_column(object, true);
		loss_ahead(class, object, column);
	}
}

/* A table is about to be truncated. */
static void
table_truncated(Oid relid)
{
	MemoryContext caller;

	if (current.tree == NULL)
		return;
	caller = MemoryContextSwitchTo(TopTransactionContext);
	current.truncated = lappend_oid(current.truncated, relid);
	MemoryContextSwitchTo(caller);
}

/* object_access_hook */
static void
object_accessed(ObjectAccessType access, Oid class, Oid object, int column, void *arg)
{
	if (next_object_access != NULL)
		next_object_access(access, class, object, column, arg);

	if (access == OAT_POST_ALTER)
		object_altered(class, object, column, arg);
	else if (access == OAT_POST_CREATE && class == TriggerRelationId)
		trigger_made(object);
	else if (access == OAT_POST_CREATE && class == RelationRelationId && column > 0)
	{
		pgt_published_columns_added(object, column);
		note_column(object, true);
	}
	else if (access == OAT_DROP)
		object_dropped(class, object, column);
	else if (access == OAT_TRUNCATE)
		table_truncated(object);
}

/* ---- ProcessUtility_hook ---------------------------------------------------- */

/* If the statement alters a topic of the user's, list the triggers that can publish to it now. */
static void
note_publishing(AlterTableStmt *statement)
{
	Oid			topic = RangeVarGetRelid(statement->relation, NoLock, true);
	MemoryContext caller;

	if (!OidIsValid(topic) || !pgt_topic_exists(topic) || !pgt_topic_is_owner(topic))
		return;
	caller = MemoryContextSwitchTo(TopTransactionContext);
	current.publishing = pgt_published_columns_publishing(topic);
	MemoryContextSwitchTo(caller);
}

/* Judge the statement before it begins, as far as it may do what cannot be undone. */
static void
check_before(Node *tree)
{
	if (IsA(tree, TruncateStmt))
		pgt_published_partitions_check_truncate(pgt_published_partitions_named(castNode(TruncateStmt, tree)));
	else if (IsA(tree, AlterTableStmt))
	{
		note_publishing(castNode(AlterTableStmt, tree));
		pgt_published_partitions_check_detach(castNode(AlterTableStmt, tree));
		pgt_published_partitions_check_unlogged(castNode(AlterTableStmt, tree));
	}
}

/* Judge the statement that has ended. */
static void
check_after(void)
{
	ListCell   *cell;

	if (current.losses == NIL && current.retyped == NIL && current.leaving == NIL &&
		current.truncated == NIL && current.topics == NIL &&
		current.types == NIL && !current.renamed)
		return;
	CommandCounterIncrement();
	if (current.renamed)
		pgt_publishing_trigger_rename_topics();
	foreach(cell, current.topics)
	{
		if (get_rel_name(lfirst_oid(cell)) != NULL)
			pgt_published_columns_check_topic(lfirst_oid(cell), current.publishing);
	}
	foreach(cell, current.retyped)
	{
		if (get_rel_name(lfirst_oid(cell)) != NULL)
			pgt_published_columns_check_keys(lfirst_oid(cell));
	}
	foreach(cell, current.types)
		pgt_published_keys_check_values(lfirst_oid(cell));
	pgt_published_columns_check_losses(current.losses, cascades(current.tree));
	pgt_published_partitions_check_left(current.leaving);
	pgt_published_partitions_check_truncate(current.truncated);
}

/* ProcessUtility_hook */
static void
process_utility(PlannedStmt *statement, const char *query, bool read_only_tree,
				ProcessUtilityContext context, ParamListInfo params,
				QueryEnvironment *environment, DestReceiver *dest, QueryCompletion *completion)
{
	GuardedStatement outer = current;

	if (context == PROCESS_UTILITY_SUBCOMMAND || (!is_guarded(statement->utilityStmt) && current.tree == NULL))
	{
		next_process_utility(statement, query, read_only_tree, context, params, environment, dest, completion);
		return;
	}
	memset(&current, 0, sizeof(current));
	if (is_guarded(statement->utilityStmt))
		current.tree = statement->utilityStmt;
	PG_TRY();
	{
		if (current.tree != NULL)
			check_before(current.tree);
		next_process_utility(statement, query, read_only_tree, context, params, environment, dest, completion);
		if (current.tree != NULL)
			check_after();
	}
	PG_FINALLY();
	{
		current = outer;
	}
	PG_END_TRY();
}

/* Transaction callback: the lists' memory goes, also where a statement commits on its way. */
static void
forget_lists(XactEvent event, void *arg)
{
	current.losses = NIL;
	current.retyped = NIL;
	current.leaving = NIL;
	current.truncated = NIL;
	current.publishing = NIL;
	current.topics = NIL;
	current.types = NIL;
}

void
pgt_publish_ddl_init(void)
{
	pgt_schema_version_init();
	RegisterXactCallback(forget_lists, NULL);
	next_process_utility = ProcessUtility_hook ? ProcessUtility_hook : standard_ProcessUtility;
	ProcessUtility_hook = process_utility;
	next_object_access = object_access_hook;
	object_access_hook = object_accessed;
}
