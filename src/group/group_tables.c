/*
 * group_tables.c
 *	  The tables in which groups are, for who must not wait for locks on them.
 *
 * Whoever uses them in SQL waits for a statement that has one of them for itself, as VACUUM FULL and REINDEX do, or that waits
 * for that behind somebody's transaction.  The process that serves Kafka's clients must not, and takes all the locks beforehand.
 *
 * It does so again and again, so which tables they are is remembered until one of them changes.
 */
#include "postgres.h"

#include "group/group_tables.h"
#include "util/relation_change.h"
#include "util/sql_version.h"
#include "utils/lsyscache.h"

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
static bool is_known = false;
static uint64 changes = 0;		/* of relations, that this process has heard of */
static bool hears = false;

/* A relation has changed. */
static void
note_change(Datum arg, Oid relid)
{
	changes++;
	for (int i = 0; i < lengthof(tables); i++)
		if (!OidIsValid(relid) || tables[i].relid == relid)
			is_known = false;
}

/* Look them up.  Returns how many there are. */
static int
look_up(void)
{
	Oid			schema = pgt_sql_version_schema();
	int			count = 0;

	for (int i = 0; OidIsValid(schema) && i < lengthof(used); i++)
	{
		Oid			relid = get_relname_relid(used[i].name, schema);

		if (OidIsValid(relid))
			tables[count++] = (GroupTable) {relid, used[i].mode};
	}
	return count;
}

int
pgt_group_tables_find(const GroupTable **found)
{
	uint64		before = changes;
	int			count;

	*found = tables;
	if (is_known)
		return lengthof(tables);
	if (!hears)
		pgt_relation_change_register(note_change);
	hears = true;
	count = look_up();
	is_known = count == lengthof(tables) && before == changes;
	return count;
}
