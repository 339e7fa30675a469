/*
 * group_expiry.c
 *	  Removing consumer groups that are not used any more.
 *
 * A group's offsets in a topic expire together: when its last commit there and the end of
 * its last lease are longer ago than offsets_retention_minutes, and no consumer of the
 * group waits for the topic.  Kafka counts from the moment that a group has no members.
 * Here a consumer counts as a member while it owns a partition, has one leased, or waits;
 * a consumer that only polls makes a keep-alive commit now and then
 * (pgt_group_refresh_expiry()).  A client of Kafka's counts for as long as it is a member.
 *
 * A group with a consumer that owns a partition, or commits at this moment, must keep all
 * its offsets.  So a query selects the candidates, and each candidate is checked again with
 * all its rows locked.  The group is kept if another transaction owns one of the rows, has
 * changed one, or is about to commit a partition's first offset.  A consumer that comes
 * later finds the group removed, and begins like a new group's first consumer.
 *
 * Locks: AccessShareLock on the topic and the rows' locks, which are not waited for;
 * RowExclusiveLock on the tables.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "group/consumer_group.h"
#include "group/group_expiry.h"
#include "group/group_row.h"
#include "group/kafka_group_row.h"
#include "group/live_members.h"
#include "log/topic_waiters.h"
#include "topic/topic.h"
#include "util/clock.h"

/* %1$s stands for the name of the table of offsets. */
#define EXPIRED_GROUPS \
	"SELECT topic, group_id FROM %1$s GROUP BY topic, group_id" \
	" HAVING GREATEST(pg_catalog.max(commit_timestamp), pg_catalog.max(lease_until))" \
	" OPERATOR(pg_catalog.<) $1"

typedef struct ExpiredGroup
{
	Oid			topic;
	char	   *id;
} ExpiredGroup;

/* Select the groups whose last commit and lease end before a time; SPI has the result. */
static void
query_candidates(Oid table, TimestampTz before)
{
	char	   *name = quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)),
												  get_rel_name(table));
	Oid			types[] = {TIMESTAMPTZOID};
	Datum		values[] = {TimestampTzGetDatum(before)};

	if (SPI_execute_with_args(psprintf(EXPIRED_GROUPS, name), lengthof(types), types, values, NULL,
							  false, 0) < 0)
		elog(ERROR, "could not look for expired consumer groups");
}

/* The selected groups of which no consumer is waiting: a List of ConsumerGroup. */
static List *
expired_groups(Oid table, TimestampTz before)
{
	List	   *groups = NIL;

	query_candidates(table, before);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		ConsumerGroup *group = palloc(sizeof(ConsumerGroup));
		bool		isnull;

		group->offsets_table = table;
		group->role = InvalidOid;
		group->topic = DatumGetObjectId(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull));
		group->id = SPI_getvalue(row, SPI_tuptable->tupdesc, 2);
		if (!pgt_topic_waiters_exist(MyDatabaseId, group->topic, pgt_topic_waiters_group(group->id)))
			groups = lappend(groups, group);
	}
	return groups;
}

/* Has a member of the group, perhaps one without partitions, been alive at or after a time? */
static bool
has_members(const ConsumerGroup *group, TimestampTz before)
{
	ListCell   *cell;

	foreach(cell, pgt_group_member_read(group))
	{
		if (((GroupMember *) lfirst(cell))->until >= before)
			return true;
	}
	return false;
}

/*
 * Own all partitions of a group; false where another transaction owns one, or one was used
 * at or after a time.
 */
static bool
own_expired(const ConsumerGroup *group, TimestampTz before)
{
	int32		partitions = pgt_topic_exists(group->topic) ? pgt_topic_get(group->topic)->partitions : 0;
	GroupPartition *parts = pgt_group_rows_read(group, partitions);

	for (int32 i = 0; i < partitions; i++)
	{
		if (!parts[i].exists)
		{
			if (pgt_group_is_starting(group, i))
				return false;
			continue;
		}
		if (parts[i].served >= before || parts[i].lease.until >= before ||
			pgt_group_lock(group, &parts[i], false) != GROUP_OWNED)
			return false;
	}
	return true;
}

/* Remove a group's offsets and members in a topic; false where the group is in use after all. */
static bool
expire_group(const ConsumerGroup *group, TimestampTz before)
{
	if (!ConditionalLockRelationOid(group->topic, AccessShareLock))
		return false;
	if (has_members(group, before) || pgt_kafka_member_row_any(group->id) || !own_expired(group, before))
		return false;
	pgt_live_members_remove_expired(group);
	return pgt_group_delete(group, NULL, NULL) > 0;
}

/* Remove the table's expired groups; returns their number. */
static int
expire_groups(Oid table, TimestampTz before)
{
	int			expired = 0;
	List	   *groups;
	ListCell   *cell;

	groups = expired_groups(table, before);
	foreach(cell, groups)
	{
		const ConsumerGroup *group = lfirst(cell);

		if (!expire_group(group, before))
			continue;
		ereport(LOG,
				(errmsg("removed expired consumer group \"%s\" from topic \"%s\"",
						group->id, get_rel_name(group->topic)),
				 errdetail("The group has not committed for %d minutes (pg_topics.offsets_retention_minutes).",
						   pgt_offsets_retention_minutes)));
		expired++;
	}
	return expired;
}

int
pgt_group_expiry_run(void)
{
	int			expired = 0;
	Oid			table;

	if (pgt_offsets_retention_minutes < 0)
		return 0;
	SPI_connect();
	PushActiveSnapshot(GetLatestSnapshot());
	table = pgt_group_row_any_table();
	if (OidIsValid(table))
		expired = expire_groups(table, pgt_clock_to_timestamptz(pgt_clock_shifted_now_ms() -
																pgt_offsets_retention_minutes * INT64CONST(60000)));
	PopActiveSnapshot();
	SPI_finish();
	return expired;
}

void
pgt_group_expiry_init(void)
{
	DefineCustomIntVariable("pg_topics.offsets_retention_minutes",
							"How long the offsets of a consumer group are kept after its last commit.",
							"-1 keeps them for ever.",
							&pgt_offsets_retention_minutes, 10080, -1, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MIN, NULL, NULL, NULL);
}
