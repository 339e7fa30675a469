/*
 * orphaned_logs.c
 *	  Which of the logs nobody owns, and removing them.
 *
 * Files without a topic are left by a crash between the commit of a DROP and
 * the unlink, by a dropped database, and by a DROP committed as a prepared
 * transaction.  Nobody reads them, but they take space.
 *
 * The launcher removes those of dropped databases, which needs no more than
 * the list of databases; the worker of a database removes those of topics that
 * its catalog does not know.
 *
 * A topic that is being created is not in the catalog yet, but its creator
 * holds AccessExclusiveLock on its oid: who cannot get that lock at once leaves
 * the files alone.
 *
 * Removing is pgt_log_drop(): a WAL record, then unlink.  A crash in between
 * leaves what the next look finds.
 *
 * Layer 7.  Used by maintenance_launcher.c and maintenance_worker.c.
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "log_wal.h"
#include "miscadmin.h"
#include "orphaned_logs.h"
#include "storage/fd.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"

bool
pgt_database_has_files(Oid database)
{
	List	   *partitions = pgt_log_partitions(database, ERROR);
	bool		found = partitions != NIL;

	list_free_deep(partitions);
	return found;
}

/* Oids of the topics that have a slot or a directory in this database's logs. */
static List *
topics_with_logs(void)
{
	List	   *partitions = pgt_log_partitions(MyDatabaseId, ERROR);
	List	   *topics = NIL;
	ListCell   *cell;

	foreach(cell, partitions)
		topics = list_append_unique_oid(topics, ((TopicPartition *) lfirst(cell))->topic);
	list_free_deep(partitions);
	for (int i = pgt_partition_slots() - 1; i >= 0; i--)
	{
		TopicPartition key;

		if (pgt_partition_log_slot_key(pgt_partition_slot(i), &key) &&
			key.database == MyDatabaseId)
			topics = list_append_unique_oid(topics, key.topic);
	}
	return topics;
}

/*
 * Remove a topic's logs if the catalog does not know it.  Any foreign table is
 * spared: what looks unlike a topic may be one behind a changed wrapper.
 */
static void
collect_if_orphaned(Oid topic)
{
	if (get_rel_relkind(topic) == RELKIND_FOREIGN_TABLE)
		return;
	if (!ConditionalLockRelationOid(topic, AccessExclusiveLock))
		return;
	if (get_rel_relkind(topic) != RELKIND_FOREIGN_TABLE)
	{
		ereport(LOG,
				(errmsg("removing the logs of dropped topic %u of database %u",
						topic, MyDatabaseId)));
		pgt_log_drop(MyDatabaseId, topic);
	}
	UnlockRelationOid(topic, AccessExclusiveLock);
}

void
pgt_orphaned_logs_collect(void)
{
	List	   *topics = topics_with_logs();
	ListCell   *cell;

	foreach(cell, topics)
		collect_if_orphaned(lfirst_oid(cell));
	list_free(topics);
}
