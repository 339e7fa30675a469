/*
 * topic_ddl.c
 *	  Hooks that check and complete data definition statements on topics.
 *
 * Users create, alter, rename, grant and drop topics with PostgreSQL's own
 * statements on foreign tables; create_topic.c only wraps them.  Two hooks do
 * the work that the server does not know about:
 *
 *	  object access   while the statement runs: which relations did it create,
 *					  alter (directly, through a parent, ...) or drop?
 *	  utility         when the statement is done, with its changes visible:
 *					  are those of them that are topics still valid topics?
 *
 * A valid topic has only columns that a topic may have, and takes no part in inheritance
 * or partitioning, where rows of several relations would pass for the records of one
 * log.  If its partitioner is enforced, all its records are where that places them
 * (placement_check.c).  Kafka's clients can tell it from others of its schema.  An ERROR here rolls the whole statement back.  Two rules are checked at the
 * moment that the options change, while the old options can still be read: a topic's
 * partitions do not become fewer, and a new partitioner exists.
 *
 * When a relation is created, files that exist under its oid are left over from a crash
 * or from an earlier relation of that oid.  They are removed at once, so that a new topic
 * never sees old records.  Dropping is in topic_drop.c.
 *
 * The utility hook has three more jobs.  It knows whether a TRUNCATE is a transaction of its
 * own: files of a topic are truncated at once, which no rollback could undo.  It wakes
 * consumers that wait for records when a prepared transaction ends.  And it lets REASSIGN
 * OWNED and DROP OWNED take the consumer groups along.
 *
 * Locks: those of the statements, which hold AccessExclusiveLock on the relations that
 * are checked here.  Memory: the list of relations to check lives in
 * TopTransactionContext.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/reloptions.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_inherits.h"
#include "common/hashfn.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/lock.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "ddl/orphaned_logs.h"
#include "ddl/partition_room.h"
#include "ddl/placement_check.h"
#include "ddl/topic_ddl.h"
#include "ddl/topic_drop.h"
#include "group/group_wakeup.h"
#include "group/role_groups.h"
#include "share/share_role.h"
#include "share/share_transaction.h"
#include "log/topic_waiters.h"
#include "produce/partitioner_lookup.h"
#include "produce/producer.h"
#include "topic/kafka_alias.h"
#include "topic/topic.h"
#include "topic/topic_options.h"
#include "util/advisory_lock.h"
#include "util/compat.h"
#include "util/sql_version.h"
#include "wal/log_resolve.h"
#include "wal/log_writer.h"
#include "wal/recovery_point.h"

/* A relation that the running statement has created or altered. */
typedef struct TouchedRelation
{
	Oid			relid;
	bool		created;
	Oid			owner;			/* before the statement; InvalidOid where it was created */
	KeyPlacement placement;		/* of a topic before the statement */
} TouchedRelation;

static List *touched = NIL;		/* of TouchedRelation, in TopTransactionContext */
static bool truncate_is_top_level = false;

static ProcessUtility_hook_type next_process_utility = NULL;
static object_access_hook_type next_object_access = NULL;

/* ---- checking ----------------------------------------------------------- */

/* Remember to check a relation when the statement is done; it need not be a topic. */
static void
touch(Oid relid, bool created)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	TouchedRelation *relation = palloc(sizeof(TouchedRelation));

	relation->relid = relid;
	relation->created = created;
	/* the caches still show the state before the running command */
	relation->owner = created ? InvalidOid : pgt_topic_owner(relid);
	memset(&relation->placement, 0, sizeof(relation->placement));
	if (!created && pgt_topic_exists(relid))
		relation->placement = pgt_topic_get(relid)->log.placement;
	touched = lappend(touched, relation);
	MemoryContextSwitchTo(old);
}

/* ERROR where a topic inherits, is inherited from, or is a partition. */
static void
check_inheritance(Oid relid)
{
	if (has_superclass(relid) || has_subclass(relid))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("topic \"%s\" cannot inherit, be inherited from or be a partition of a table",
						get_rel_name(relid)),
				 errhint("A topic has partitions of its own: see its option \"partitions\".")));
}

/* ERROR where the option partitioner.class names a partitioner that does not exist. */
static void
check_partitioner(const Topic *topic)
{
	if (topic->partitioner_class[0] != '\0')
		pgt_partitioner_lookup_check(topic);
	if (topic->partitioner_enforce && topic->log.placement.rule == PLACED_ANYWHERE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("partitioner \"%s\" of topic \"%s\" cannot be enforced",
						topic->partitioner_class, get_rel_name(topic->relid)),
				 errdetail("Not only the key decides where it places a record."),
				 errhint("Partitioners that can be enforced are: murmur2, murmur2_random, consistent, consistent_random, fnv1a, fnv1a_random.")));
}

/*
 * ERROR where a topic shows offsets but not of which partition: a dump of its records could
 * not be restored, as offsets are counted in each partition.
 */
static void
check_restorable(const Topic *topic)
{
	if (topic->partitions > 1 && topic->attnum[TOPIC_RECORD_OFFSET] != InvalidAttrNumber &&
		topic->attnum[TOPIC_PARTITION] == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("topic \"%s\" has %d partitions and a column \"record_offset\", but no column \"partition\"",
						get_rel_name(topic->relid), topic->partitions),
				 errdetail("Offsets are counted in each partition, so a dump of the topic could not be restored."),
				 errhint("Add a column \"partition\" of type integer, or leave \"record_offset\" out.")));
}

/* ERROR where another topic of the schema has this name for Kafka's clients. */
static void
refuse_kafka_name(const char *name, Oid other)
{
	if (OidIsValid(other))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("Kafka's clients have the name \"%s\" for topic \"%s\" already", name, get_rel_name(other)),
				 errhint("Set the option \"kafka.topic\" of one of the topics to another name.")));
}

/*
 * ERROR where Kafka's clients could not tell a topic from another one of its schema.  Those who set
 * the same name at the same time follow each other; a table that gets this name meanwhile
 * comes first for clients, which harms nobody.
 */
static void
check_kafka_name(const Topic *topic)
{
	const char *name = topic->kafka_topic;
	LOCKTAG		tag;
	Oid			table;

	if (name[0] == '\0')
	{
		refuse_kafka_name(get_rel_name(topic->relid),
						  pgt_kafka_alias_find(topic->schema, get_rel_name(topic->relid), topic->relid));
		return;
	}
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, topic->schema, string_hash(name, KAFKA_NAME_MAX_TOPIC + 1),
						 NAME_LOCK_CLASS);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	AcceptInvalidationMessages();
	refuse_kafka_name(name, pgt_kafka_alias_find(topic->schema, name, topic->relid));
	table = strlen(name) < NAMEDATALEN ? get_relname_relid(name, topic->schema) : InvalidOid;
	if (table != topic->relid && pgt_topic_exists(table) && pgt_kafka_alias_of(table) == NULL)
		refuse_kafka_name(name, table);
}

/* Check a topic that was created or altered; the changes are visible. */
static void
check_topic(const TouchedRelation *relation)
{
	Topic	   *topic;

	pgt_topic_check_columns(relation->relid);
	check_inheritance(relation->relid);
	topic = pgt_topic_get(relation->relid);
	check_restorable(topic);
	check_kafka_name(topic);
	if (topic->owner != relation->owner)
		pgt_partition_room_check_role(topic->owner, 0);
	if (!relation->created)
	{
		if (topic->log.placement.rule != PLACED_ANYWHERE &&
			memcmp(&topic->log.placement, &relation->placement, sizeof(KeyPlacement)) != 0)
			pgt_placement_check_run(topic);
		return;
	}
	check_partitioner(topic);

	/* in pg_upgrade the old cluster's files are to follow, with what they know of slots */
	if (IsBinaryUpgrade)
	{
		pgt_recovery_point_await();
		return;
	}
	if (pgt_log_writer_has_log(MyDatabaseId, relation->relid, topic->partitions))
		pgt_log_writer_drop(MyDatabaseId, relation->relid);
	pgt_partition_room_keep(relation->relid, 0, topic->partitions);
}

/* Check the relations that the statement which has just ended created or altered. */
static void
check_touched(void)
{
	List	   *relations = touched;
	ListCell   *cell;

	if (relations == NIL)
		return;
	touched = NIL;

	CommandCounterIncrement();
	foreach(cell, relations)
	{
		TouchedRelation *relation = lfirst(cell);

		if (pgt_topic_exists(relation->relid))
			check_topic(relation);
	}
	list_free_deep(relations);
}

/* Transaction callback: reset the list, whose memory the transaction's end frees. */
static void
forget_touched(XactEvent event, void *arg)
{
	touched = NIL;
}

/*
 * Read a foreign table's owner, schema and options.  The snapshot (NULL: a catalog
 * snapshot) decides which version of the options is read; SnapshotSelf sees a change
 * before the next command does.
 */
static void
read_options(Oid relid, Snapshot snapshot, Topic *topic)
{
	Relation	catalog = table_open(ForeignTableRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Datum		options;
	bool		isnull;

	ScanKeyInit(&key, Anum_pg_foreign_table_ftrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(catalog, ForeignTableRelidIndexId, true, snapshot, 1, &key);
	tuple = systable_getnext(scan);
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "could not find foreign table %u", relid);
	options = heap_getattr(tuple, Anum_pg_foreign_table_ftoptions,
						   RelationGetDescr(catalog), &isnull);

	memset(topic, 0, sizeof(*topic));
	topic->relid = relid;
	topic->owner = pgt_topic_owner(relid);
	topic->schema = get_rel_namespace(relid);
	pgt_topic_options_defaults(topic);
	if (!isnull)
		pgt_topic_options_apply(topic, untransformRelOptions(options));
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
}

/*
 * Check options that have just been changed: ERROR where they reduce the number of
 * partitions, add more partitions than there are slots, or name a partitioner that does
 * not exist.  New partitions change the shares of groups' members, so waiting members are
 * woken at commit.  Runs before the command counter is incremented, so that the old
 * version of the options is still visible.
 */
static void
check_changed_options(Oid relid)
{
	Topic		before;
	Topic		after;

	if (!pgt_topic_exists(relid))
		return;
	read_options(relid, NULL, &before);
	read_options(relid, SnapshotSelf, &after);
	if (after.partitions < before.partitions)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot reduce topic \"%s\" from %d to %d partitions",
						get_rel_name(relid), before.partitions, after.partitions),
				 errhint("Partitions can only be added; to have fewer, produce the records to a new topic.")));
	if (after.partitions > before.partitions)
	{
		pgt_partition_room_check_role(after.owner, after.partitions - before.partitions);
		pgt_partition_room_keep(relid, before.partitions, after.partitions);
		pgt_group_wakeup_topic(relid);
	}
	/* as for a table that is renamed */
	if (after.kafka_topic[0] != '\0' && strcmp(after.kafka_topic, before.kafka_topic) != 0 &&
		PGT_SCHEMA_ACLCHECK(after.schema, GetUserId(), ACL_CREATE) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_SCHEMA, get_namespace_name(after.schema));
	/* a partitioner that was dropped meanwhile does not prevent other changes */
	if (strcmp(after.partitioner_class, before.partitioner_class) != 0 ||
		after.partitioner_enforce != before.partitioner_enforce)
		check_partitioner(&after);
}

/* ---- hooks -------------------------------------------------------------- */

/* Something was created or altered. */
static void
object_changed(ObjectAccessType access, Oid class, Oid object, int column, void *arg)
{
	if (class == RelationRelationId)
		touch(object, access == OAT_POST_CREATE && column == 0);
	else if (class == InheritsRelationId && access == OAT_POST_ALTER)
	{
		touch(object, false);
		touch(((ObjectAccessPostAlter *) arg)->auxiliary_id, false);
	}
	else if (class == ForeignTableRelationId && access == OAT_POST_ALTER)
	{
		check_changed_options(object);
		touch(object, false);
	}
	else if (class == DatabaseRelationId && access == OAT_POST_CREATE && !IsBinaryUpgrade)
		pgt_topic_drop_leftovers(object);
	else if (class == ExtensionRelationId)
		pgt_sql_version_check_new(object);
}

/* Something is about to be dropped. */
static void
object_dropped(Oid class, Oid object, int column)
{
	if (class == DatabaseRelationId && !IsBinaryUpgrade)
		pgt_topic_drop_database(object);
	else if (class == RelationRelationId && column != 0)
		touch(object, false);
	else if (class == RelationRelationId && pgt_topic_exists(object))
		pgt_topic_drop(object);
}

/* object_access_hook */
static void
object_accessed(ObjectAccessType access, Oid class, Oid object, int column, void *arg)
{
	if (next_object_access != NULL)
		next_object_access(access, class, object, column, arg);

	switch (access)
	{
		case OAT_POST_CREATE:
		case OAT_POST_ALTER:
			object_changed(access, class, object, column, arg);
			break;
		case OAT_DROP:
			object_dropped(class, object, column);
			break;
		default:
			break;
	}
}

/* Is it the statement that ends a prepared transaction in that way? */
static bool
ends_prepared_transaction(Node *statement, TransactionStmtKind kind)
{
	return IsA(statement, TransactionStmt) && castNode(TransactionStmt, statement)->kind == kind;
}

/*
 * A prepared transaction has ended: wake all waiters, and after a rollback remove the
 * slots it had taken.
 */
static void
prepared_transaction_ended(bool rolled_back)
{
	pgt_share_transaction_end_all_prepared();
	pgt_topic_waiters_wake_all();
	if (rolled_back)
		pgt_orphaned_logs_collect_slots();
}

/* DISCARD ALL was run, with which poolers clean a session before another client gets it. */
static bool
discards_all(Node *statement)
{
	return IsA(statement, DiscardStmt) && castNode(DiscardStmt, statement)->target == DISCARD_ALL;
}

/* The oids of the roles that a statement names. */
static List *
role_oids(List *roles)
{
	List	   *oids = NIL;
	ListCell   *cell;

	foreach(cell, roles)
		oids = lappend_oid(oids, get_rolespec_oid(lfirst(cell), false));
	return oids;
}

/* Do with consumer groups what a statement has done with the objects of roles. */
static void
follow_owners(Node *statement)
{
	if (!IsA(statement, ReassignOwnedStmt) && !IsA(statement, DropOwnedStmt))
		return;
	if (!pgt_sql_version_check(DEBUG1))
		return;
	if (IsA(statement, ReassignOwnedStmt))
	{
		ReassignOwnedStmt *reassign = castNode(ReassignOwnedStmt, statement);

	{
		List	   *roles = role_oids(reassign->roles);
		Oid			new_owner = get_rolespec_oid(reassign->newrole, false);

		pgt_role_groups_reassign(roles, new_owner);
		pgt_share_role_reassign(roles, new_owner);
	}
	}
	else
	{
		List	   *roles = role_oids(castNode(DropOwnedStmt, statement)->roles);

		pgt_role_groups_drop(roles);
		pgt_share_role_drop(roles);
	}
}

/* ProcessUtility_hook */
static void
process_utility(PlannedStmt *pstmt, const char *query, bool read_only_tree,
				ProcessUtilityContext context, ParamListInfo params,
				QueryEnvironment *environment, DestReceiver *dest, QueryCompletion *completion)
{
	bool		outer = truncate_is_top_level;
	volatile bool rolled_back = ends_prepared_transaction(pstmt->utilityStmt, TRANS_STMT_ROLLBACK_PREPARED);
	volatile bool ended = rolled_back ||
		ends_prepared_transaction(pstmt->utilityStmt, TRANS_STMT_COMMIT_PREPARED);

	/* a single-user server has no sync process, and may have been started to run VACUUM FREEZE */
	if (IsA(pstmt->utilityStmt, VacuumStmt) && !IsPostmasterEnvironment)
		pgt_log_resolve_all();
	if (IsA(pstmt->utilityStmt, TruncateStmt))
		truncate_is_top_level = !IsInTransactionBlock(context == PROCESS_UTILITY_TOPLEVEL);
	PG_TRY();
	{
		next_process_utility(pstmt, query, read_only_tree, context, params, environment, dest,
							 completion);
	}
	PG_FINALLY();
	{
		truncate_is_top_level = outer;
	}
	PG_END_TRY();

	check_touched();
	follow_owners(pstmt->utilityStmt);
	if (discards_all(pstmt->utilityStmt))
		pgt_producer_forget_committed();
	if (ended)
		prepared_transaction_ended(rolled_back);
}

bool
pgt_topic_ddl_truncate_is_top_level(void)
{
	if (truncate_is_top_level)
		MyXactFlags |= XACT_FLAGS_NEEDIMMEDIATECOMMIT;
	return truncate_is_top_level;
}

void
pgt_topic_ddl_init(void)
{
	pgt_topic_drop_init();
	RegisterXactCallback(forget_touched, NULL);

	next_process_utility = ProcessUtility_hook ? ProcessUtility_hook : standard_ProcessUtility;
	ProcessUtility_hook = process_utility;
	next_object_access = object_access_hook;
	object_access_hook = object_accessed;
}
