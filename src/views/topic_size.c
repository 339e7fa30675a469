/*
 * topic_size.c
 *	  pg_topic_size(): the size of a topic's files on disk.
 *
 * All files in the directories of the topic's partitions count, also those of segments
 * that have been replaced and not been removed yet: it is what the disk has to hold.
 *
 * Locks: AccessShareLock on the topic, so that its directories stay.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"

#include "log/log_directory.h"
#include "topic/topic.h"
#include "util/sql_version.h"
#include "views/inspect.h"

PGT_FUNCTION_INFO(pgt_topic_size);

/* The size of the files of a partition.  One that was never appended to has no directory. */
static int64
partition_size(const TopicPartition *key)
{
	char		path[MAXPGPATH];
	DIR		   *dir;
	int64		size = 0;

	pgt_log_directory_partition_path(path, key);
	dir = AllocateDir(path);
	if (dir == NULL && errno == ENOENT)
		return 0;
	while (pgt_log_directory_add_size(dir, path, &size))
		CHECK_FOR_INTERRUPTS();
	FreeDir(dir);
	return size;
}

/* pg_topic_size(topic); needs any privilege on it */
Datum
pgt_topic_size(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	const Topic *topic;
	int64		size = 0;

	pgt_topic_require(relid);
	if (!pgt_inspect_shows_topic(relid))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FOREIGN_TABLE, get_rel_name(relid));
	LockRelationOid(relid, AccessShareLock);
	topic = pgt_topic_get(relid);
	for (int32 partition = 0; partition < topic->partitions; partition++)
	{
		TopicPartition key = pgt_topic_partition(topic, partition);

		size += partition_size(&key);
	}
	UnlockRelationOid(relid, AccessShareLock);
	PG_RETURN_INT64(size);
}
