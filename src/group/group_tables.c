/*
 * group_tables.c
 *	  The tables in which groups are, for who must not wait for locks on them.
 *
 * Whoever uses them in SQL waits for a statement that has one of them for itself, as VACUUM FULL and REINDEX do, or that waits
 * for that behind somebody's transaction.  The process that serves Kafka's clients must not, and takes all the locks beforehand.
 */
#include "postgres.h"

#include "group/group_tables.h"
#include "util/sql_version.h"

static const struct
{
	const char *name;
	LOCKMODE	mode;
}			used[] = {
	{"topic_group_offsets", RowExclusiveLock},
	{"topic_group_members", RowExclusiveLock},
	{"topic_kafka_groups", RowExclusiveLock},
	{"topic_kafka_members", RowExclusiveLock},
	{"topic_kafka_transactional_ids", RowExclusiveLock},
	{"topic_kafka_pending_offsets", RowExclusiveLock},
	{"topic_share_groups", AccessShareLock},	/* it is only asked whether a share group has a name */
};

StaticAssertDecl(lengthof(used) == GROUP_TABLES_MAX, "the number of tables has changed");

static GroupTable tables[GROUP_TABLES_MAX];

int
pgt_group_tables_find(const GroupTable **found)
{
	int			count = 0;

	*found = tables;
	for (int i = 0; i < lengthof(used); i++)
	{
		Oid			relid = pgt_sql_version_find_relation(used[i].name);

		if (OidIsValid(relid))
			tables[count++] = (GroupTable) {relid, used[i].mode};
	}
	return count;
}
