/*
 * group_expiry.c
 *	  Forgetting the offsets of consumer groups that nobody uses any more.
 *
 * A group's offsets in a topic expire together, when its last commit there is
 * longer ago than offsets_retention_minutes, and so is the end of its last
 * lease, and nobody of the group waits for the topic.  Kafka counts from the
 * moment that a group has no members; here a consumer is a member while it holds
 * a partition, by a lock or a lease, or waits.
 *
 * Who holds a partition, or commits just now, must keep all its offsets, so each
 * group goes in two steps, of which the second has a later snapshot:
 *
 *	  lock		all rows that nobody else has locked
 *	  delete	if the group is still expired, and all its rows are locked
 *
 * Locks: of rows, none waited for; RowExclusiveLock on the table.
 *
 * Layer 7.  Read consumer_group.c next.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "consumer_group.h"
#include "group_expiry.h"
#include "maintenance_stats.h"
#include "serializer.h"
#include "topic.h"
#include "topic_waiters.h"

/* Every statement has the table for %1$s. */
#define EXPIRED_GROUPS \
	"SELECT topic, group_id FROM %1$s GROUP BY topic, group_id" \
	" HAVING GREATEST(pg_catalog.max(commit_timestamp), pg_catalog.max(lease_until))" \
	" OPERATOR(pg_catalog.<) $1"

#define LOCK_GROUP \
	"SELECT partition FROM %1$s WHERE topic OPERATOR(pg_catalog.=) $2" \
	" AND group_id OPERATOR(pg_catalog.=) $3 FOR UPDATE SKIP LOCKED"

#define DELETE_GROUP \
	"DELETE FROM %1$s WHERE topic OPERATOR(pg_catalog.=) $2 AND group_id OPERATOR(pg_catalog.=) $3" \
	" AND (SELECT GREATEST(pg_catalog.max(commit_timestamp), pg_catalog.max(lease_until))" \
	" OPERATOR(pg_catalog.<) $1" \
	" AND pg_catalog.count(*) OPERATOR(pg_catalog.=) $4 FROM %1$s" \
	" WHERE topic OPERATOR(pg_catalog.=) $2 AND group_id OPERATOR(pg_catalog.=) $3)"

typedef struct ExpiredGroup
{
	Oid			topic;
	char	   *id;
} ExpiredGroup;

static int	offsets_retention_minutes = 10080;

/* The table of offsets, quoted, or NULL where this database has no topics. */
static char *
offsets_table(void)
{
	List	   *topics = pgt_topic_list();
	Oid			relid = topics == NIL ? InvalidOid : pgt_group_offsets_table(linitial_oid(topics));

	return !OidIsValid(relid) ? NULL :
		quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid));
}

/* Run a statement, with a new snapshot; arguments as the macros above number them. */
static void
run(const char *statement, const char *table, TimestampTz before, const ExpiredGroup *group,
	int64 rows)
{
	static const char *const unused = "";
	Oid			types[] = {TIMESTAMPTZOID, OIDOID, TEXTOID, INT8OID};
	Datum		values[] = {
		TimestampTzGetDatum(before),
		ObjectIdGetDatum(group == NULL ? InvalidOid : group->topic),
		CStringGetTextDatum(group == NULL ? unused : group->id),
		Int64GetDatum(rows)
	};

	PushActiveSnapshot(GetLatestSnapshot());
	if (SPI_execute_with_args(psprintf(statement, table), lengthof(types), types, values, NULL,
							  false, 0) < 0)
		elog(ERROR, "could not look for expired consumer groups");
	PopActiveSnapshot();
}

/* The groups whose last commit was before then and who are not waiting. */
static List *
expired_groups(const char *table, TimestampTz before)
{
	List	   *groups = NIL;

	run(EXPIRED_GROUPS, table, before, NULL, 0);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		ExpiredGroup *group = palloc(sizeof(ExpiredGroup));
		bool		isnull;

		group->topic = DatumGetObjectId(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull));
		group->id = SPI_getvalue(row, SPI_tuptable->tupdesc, 2);
		if (!pgt_topic_is_waited_for(MyDatabaseId, group->topic, pgt_wait_group(group->id)))
			groups = lappend(groups, group);
	}
	return groups;
}

/* Forget a group's offsets in a topic; false where it is in use after all. */
static bool
expire_group(const char *table, TimestampTz before, const ExpiredGroup *group)
{
	run(LOCK_GROUP, table, before, group, 0);
	run(DELETE_GROUP, table, before, group, (int64) SPI_processed);
	return SPI_processed > 0;
}

/* See the header. */
int
pgt_groups_expire(void)
{
	int			expired = 0;
	TimestampTz before;
	List	   *groups;
	ListCell   *cell;
	char	   *table;

	if (offsets_retention_minutes < 0)
		return 0;
	PushActiveSnapshot(GetLatestSnapshot());
	table = offsets_table();
	PopActiveSnapshot();
	if (table == NULL)
		return 0;

	SPI_connect();
	before = pgt_ms_to_timestamptz(pgt_maintenance_now() - offsets_retention_minutes * INT64CONST(60000));
	groups = expired_groups(table, before);
	foreach(cell, groups)
	{
		const ExpiredGroup *group = lfirst(cell);

		if (!expire_group(table, before, group))
			continue;
		ereport(LOG,
				(errmsg("forgot consumer group \"%s\" in topic \"%s\"", group->id,
						get_rel_name(group->topic)),
				 errdetail("It has committed nothing for %d minutes (pg_topics.offsets_retention_minutes).",
						   offsets_retention_minutes)));
		expired++;
	}
	SPI_finish();
	return expired;
}

/* See the header. */
void
pgt_group_expiry_init(void)
{
	DefineCustomIntVariable("pg_topics.offsets_retention_minutes",
							"How long the offsets of a consumer group are kept after its last commit.",
							"-1: for ever.",
							&offsets_retention_minutes, 10080, -1, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MIN, NULL, NULL, NULL);
}
