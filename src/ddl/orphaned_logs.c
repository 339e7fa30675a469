/*
 * orphaned_logs.c
 *	  Finding and removing logs that belong to no topic.
 *
 * Files and slots without a topic are left by a crash between the commit of a DROP and
 * the unlink, by a dropped database, and by a DROP in a prepared transaction; also by a
 * CREATE or an added partition that was undone by a crash or by the rollback of a
 * prepared transaction.  No reader uses them, but they take space, and slots are few.
 *
 * The launcher removes the logs of dropped databases, for which it needs only the list
 * of databases.  The worker of a database removes the logs of topics that are not in
 * its catalogs.
 *
 * A topic that is being created or given partitions is not in the catalogs yet, but the
 * session that does so holds AccessExclusiveLock on the topic's oid.  The collection
 * leaves files alone if it does not get that lock at once.
 *
 * pgt_log_writer_drop() removes a log: a WAL record, then the unlink.  A crash in between leaves
 * files for the next collection.
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "ddl/orphaned_logs.h"
#include "miscadmin.h"
#include "share/share_table.h"
#include "storage/fd.h"
#include "storage/lmgr.h"
#include "topic/topic.h"
#include "util/catch_error.h"
#include "utils/lsyscache.h"
#include "wal/log_writer.h"

bool
pgt_orphaned_logs_in_database(Oid database)
{
	List	   *partitions = pgt_log_directory_partitions(database, ERROR);
	bool		found = partitions != NIL;

	list_free_deep(partitions);
	return found;
}

/* A topic that has slots or directories in this database's logs. */
typedef struct LoggedTopic
{
	Oid			oid;
	int32		last_partition; /* the last one with a slot or directory */
} LoggedTopic;

/* Order partitions by topic and number. */
static int
compare_keys(const ListCell *a, const ListCell *b)
{
	const TopicPartition *left = lfirst(a);
	const TopicPartition *right = lfirst(b);

	if (left->topic != right->topic)
		return left->topic < right->topic ? -1 : 1;
	return left->partition < right->partition ? -1 : left->partition > right->partition;
}

/*
 * The topics with slots, and with "directories" also those with directories: a List of
 * LoggedTopic.
 */
static List *
topics_with_logs(bool directories)
{
	List	   *partitions = directories ? pgt_log_directory_partitions(MyDatabaseId, ERROR) : NIL;
	List	   *topics = NIL;
	LoggedTopic *last = NULL;
	ListCell   *cell;

	for (int i = pgt_log_state_slot_count() - 1; i >= 0; i--)
	{
		TopicPartition *key = palloc(sizeof(TopicPartition));

		if (pgt_partition_log_slot_key(pgt_log_state_slot(i), key) && key->database == MyDatabaseId)
			partitions = lappend(partitions, key);
	}
	list_sort(partitions, compare_keys);
	foreach(cell, partitions)
	{
		const TopicPartition *key = lfirst(cell);

		if (last == NULL || last->oid != key->topic)
		{
			last = palloc(sizeof(LoggedTopic));
			last->oid = key->topic;
			topics = lappend(topics, last);
		}
		last->last_partition = key->partition;
	}
	list_free_deep(partitions);
	return topics;
}

/*
 * Remove a topic's logs if the topic is not in the catalogs.  The logs of every foreign
 * table are kept: even one that is not a topic now may be a topic whose wrapper was changed.
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
		pgt_share_table_forget(MyDatabaseId, topic);
		pgt_log_writer_drop(MyDatabaseId, topic);
	}
	UnlockRelationOid(topic, AccessExclusiveLock);
}

/*
 * Lock a topic and return its number of partitions; -1 without a lock where the relation is
 * not a topic, or another session is changing it.
 */
static int32
settled_partitions(Oid topic, LOCKMODE lock)
{
	if (!ConditionalLockRelationOid(topic, lock))
		return -1;
	if (pgt_topic_exists(topic))
		return pgt_topic_get(topic)->partitions;
	UnlockRelationOid(topic, lock);
	return -1;
}

/* Remove the logs of partitions that the topic does not have (any more). */
static void
collect_partitions(const LoggedTopic *topic)
{
	int32		partitions = settled_partitions(topic->oid, AccessShareLock);

	if (partitions < 0)
		return;
	UnlockRelationOid(topic->oid, AccessShareLock);
	if (topic->last_partition < partitions)
		return;
	partitions = settled_partitions(topic->oid, AccessExclusiveLock);
	if (partitions < 0)
		return;
	if (topic->last_partition >= partitions)
	{
		ereport(LOG,
				(errmsg("removing the logs of partitions %d to %d, which topic %u of database %u does not have",
						partitions, topic->last_partition, topic->oid, MyDatabaseId)));
		pgt_log_writer_drop_partitions(MyDatabaseId, topic->oid, partitions);
	}
	UnlockRelationOid(topic->oid, AccessExclusiveLock);
}

/* Remove the orphaned logs among those of these topics. */
static void
collect(List *topics)
{
	ListCell   *cell;

	foreach(cell, topics)
	{
		const LoggedTopic *topic = lfirst(cell);

		collect_if_orphaned(topic->oid);
		collect_partitions(topic);
	}
	list_free_deep(topics);
}

void
pgt_orphaned_logs_collect(void)
{
	collect(topics_with_logs(true));
}

/* Remove the orphaned logs that have slots, for pgt_catch_error(). */
static void
collect_slots(void *arg)
{
	collect(topics_with_logs(false));
}

void
pgt_orphaned_logs_collect_slots(void)
{
	ErrorData  *error = pgt_catch_error(collect_slots, NULL);

	if (error == NULL)
		return;
	if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
		ReThrowError(error);
	pgt_catch_error_report(error);
}
