/*
 * partition_room.c
 *	  Taking slots for a topic's partitions, within the limits of server, database
 *	  and role.
 *
 * The server has pg_topics.max_partitions slots in shared memory, one for each partition
 * of each topic.  A topic's slots are taken when it is created or given more partitions.
 * So the statement that asks for too many partitions fails, and not the producer of some
 * later record; and a topic never loses its slots to another database's topics.
 *
 * Two settings, which superusers set, keep one tenant from taking all slots:
 *
 *	  max_partitions_per_database	limits the slots of the database, exactly under
 *									any concurrency
 *	  max_partitions_per_role		limits the partitions of all topics that a role
 *									owns in the database, counted in the catalogs
 *									under a lock on that role
 *
 * The values of the session that creates, alters or gives away the topic count, so both
 * can be set for a role or a database.
 *
 * Taking a slot is logged (log_writer.c).  Slots are given back as the files of new topics
 * are removed: at rollback (topic_drop.c), and after a crash or the rollback of a prepared
 * transaction when orphans are collected (orphaned_logs.c).
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/reloptions.h"
#include "access/table.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_foreign_table.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "ddl/partition_room.h"
#include "ddl/topic_drop.h"
#include "topic/topic.h"
#include "topic/topic_options.h"
#include "wal/log_writer.h"

static int	max_partitions_per_role;	/* -1: no limit */

/* ---- the server's and the database's ------------------------------------- */

/* ERROR where a topic could not have so many partitions even if it were the only one. */
static void
check_possible(Oid topic, int32 partitions)
{
	if (partitions <= pgt_log_state->max_partitions)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("topic \"%s\" cannot have %d partitions", get_rel_name(topic), partitions),
			 errdetail("All topics of the server together can have at most %d partitions (pg_topics.max_partitions).",
					   pgt_log_state->max_partitions),
			 errhint("Create it with fewer partitions, or raise pg_topics.max_partitions and restart the server.")));
}

/* ERROR: there are not enough slots. */
static void
report_no_room(Oid topic, const PartitionRoom *room)
{
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("no room for %d more partitions of topic \"%s\": too many topic partitions",
					room->wanted, get_rel_name(topic)),
			 room->by_database ?
			 errdetail("The topics of this database have %d of at most %d partitions (pg_topics.max_partitions_per_database).",
					   room->of_database, pgt_max_partitions_per_database) :
			 errdetail("The topics of the server have %d of at most %d partitions (pg_topics.max_partitions), %d of them in this database.",
					   room->taken, pgt_log_state->max_partitions, room->of_database),
			 room->by_database ?
			 errhint("Ask for fewer partitions, drop topics, or have a superuser raise the limit.") :
			 errhint("Ask for fewer partitions, drop topics, or raise pg_topics.max_partitions and restart the server.")));
}

void
pgt_partition_room_keep(Oid topic, int32 first, int32 end)
{
	PartitionRoom room;

	check_possible(topic, end);
	/* note this before slots are taken: an error from here on gives them back */
	pgt_topic_drop_if_rolled_back(topic, first);
	if (!pgt_log_writer_reserve(MyDatabaseId, topic, first, end, &room))
		report_no_room(topic, &room);
}

/* ---- a role's ------------------------------------------------------------- */

/* The number of partitions in a topic's row of pg_foreign_table. */
static int32
partitions_of(Relation catalog, HeapTuple tuple)
{
	Topic		topic;
	bool		isnull;
	Datum		options = heap_getattr(tuple, Anum_pg_foreign_table_ftoptions,
									   RelationGetDescr(catalog), &isnull);

	memset(&topic, 0, sizeof(topic));
	pgt_topic_options_defaults(&topic);
	if (!isnull)
		pgt_topic_options_apply(&topic, untransformRelOptions(options));
	return topic.partitions;
}

/* The number of partitions of all topics that a role owns in this database. */
static int64
partitions_of_role(Oid owner)
{
	Relation	catalog = table_open(ForeignTableRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
	int64		partitions = 0;
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Oid			relid = ((Form_pg_foreign_table) GETSTRUCT(tuple))->ftrelid;

		if (pgt_topic_owner(relid) == owner && pgt_topic_exists(relid))
			partitions += partitions_of(catalog, tuple);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return partitions;
}

void
pgt_partition_room_check_role(Oid owner, int32 more)
{
	int64		partitions;

	if (max_partitions_per_role < 0)
		return;
	LockSharedObject(AuthIdRelationId, owner, 0, ShareUpdateExclusiveLock);
	partitions = partitions_of_role(owner) + more;
	if (partitions <= max_partitions_per_role)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("topics of role \"%s\" cannot have %lld partitions",
					GetUserNameFromId(owner, false), (long long) partitions),
			 errdetail("In this database they can have at most %d partitions (pg_topics.max_partitions_per_role).",
					   max_partitions_per_role),
			 errhint("Ask for fewer partitions, drop topics, or have a superuser raise the limit.")));
}

/* ---- settings ------------------------------------------------------------- */

void
pgt_partition_room_init(void)
{
	DefineCustomIntVariable("pg_topics.max_partitions_per_database",
							"Sets the maximum number of topic partitions in a database.",
							"-1 means no limit but that of the server.",
							&pgt_max_partitions_per_database, -1, -1, 1000000,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.max_partitions_per_role",
							"Sets the maximum number of partitions of all topics that a role owns in a database.",
							"-1 means no limit.",
							&max_partitions_per_role, -1, -1, 1000000,
							PGC_SUSET, 0, NULL, NULL, NULL);
}
