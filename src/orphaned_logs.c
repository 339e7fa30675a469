/*
 * orphaned_logs.c
 *	  Which databases and topics have logs, and removing logs that nobody owns.
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

List *
pgt_databases_with_files(void)
{
	DIR		   *dir = AllocateDir(pgt_log_dir);
	struct dirent *de;
	List	   *databases = NIL;

	while ((de = ReadDir(dir, pgt_log_dir)) != NULL)
	{
		char	   *end;
		unsigned long database = strtoul(de->d_name, &end, 10);

		if (database != 0 && *end == '\0')
			databases = lappend_oid(databases, (Oid) database);
	}
	FreeDir(dir);
	return databases;
}

/*
 * The topics that have a partition's directory in a database's logs; no more
 * than "limit" of them (0: all).
 */
static List *
topics_with_files(Oid database, int limit)
{
	char		path[MAXPGPATH];
	DIR		   *dir;
	struct dirent *de;
	List	   *topics = NIL;

	pgt_database_path(path, database);
	dir = AllocateDir(path);
	if (dir == NULL && errno == ENOENT)
		return NIL;
	while ((de = ReadDir(dir, path)) != NULL)
	{
		Oid			topic;
		int32		partition;

		if (!pgt_partition_parse_name(de->d_name, &topic, &partition))
			continue;
		topics = list_append_unique_oid(topics, topic);
		if (limit > 0 && list_length(topics) >= limit)
			break;
	}
	FreeDir(dir);
	return topics;
}

bool
pgt_database_has_files(Oid database)
{
	List	   *topics = topics_with_files(database, 1);
	bool		found = topics != NIL;

	list_free(topics);
	return found;
}

/* Oids of the topics that have a slot or a directory in this database's logs. */
static List *
topics_with_logs(void)
{
	List	   *topics = topics_with_files(MyDatabaseId, 0);

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
