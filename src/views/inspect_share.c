/*
 * inspect_share.c
 *	  What pg_topic_share_groups shows: where share groups stand.
 *
 * A share partition that is in use is looked at in shared memory, any other one is read from its
 * rows, on a standby too.
 *
 * Locks: AccessShareLock on the topic for the time of the look.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "share/share_group.h"
#include "topic/topic.h"
#include "util/clock.h"
#include "util/sql_version.h"
#include "views/inspect.h"
#include "wal/visible_end.h"

PGT_FUNCTION_INFO(pgt_topic_share_groups_info);
PGT_FUNCTION_INFO(pgt_merge_share_acks);

enum
{
	SHARE_COLUMN_GROUP_ID,
	SHARE_COLUMN_TOPIC,
	SHARE_COLUMN_PARTITION,
	SHARE_COLUMN_START_OFFSET,
	SHARE_COLUMN_END_OFFSET,
	SHARE_COLUMN_LAG,
	SHARE_COLUMN_AVAILABLE,
	SHARE_COLUMN_ACQUIRED,
	SHARE_COLUMN_PENDING,
	SHARE_COLUMN_FINISHED,
	SHARE_COLUMN_REDELIVERED,
	SHARE_COLUMN_MAX_DELIVERY_COUNT,
	SHARE_COLUMN_NEXT_LEASE_END,
	SHARE_COLUMN_OWNER,
	SHARE_COLUMNS
};

/* How many offsets are left that the group is not done with; -1: not known. */
static int64
lag_of(const ShareStatus *status)
{
	TopicPartition key = {MyDatabaseId, status->row.topic, status->row.partition};
	LogBounds	bounds;
	TransactionId blocker;
	int64		from;
	int64		lag = -1;

	if (!ConditionalLockRelationOid(status->row.topic, AccessShareLock))
		return -1;
	if (pgt_topic_exists(status->row.topic))
	{
		(void) pgt_partition_log_bounds(&key, &bounds);
		from = Max(status->start_offset, bounds.log_start_offset);
		lag = Max(pgt_visible_end(&key, GetActiveSnapshot(), &blocker) - from - status->finished, 0);
	}
	UnlockRelationOid(status->row.topic, AccessShareLock);
	return lag;
}

/* Put a share partition into the result. */
static void
put_status(ReturnSetInfo *result, const ShareStatus *status)
{
	Datum		values[SHARE_COLUMNS];
	bool		nulls[SHARE_COLUMNS] = {false};
	int64		lag = lag_of(status);

	values[SHARE_COLUMN_GROUP_ID] = CStringGetTextDatum(status->row.group_id);
	values[SHARE_COLUMN_TOPIC] = ObjectIdGetDatum(status->row.topic);
	values[SHARE_COLUMN_PARTITION] = Int32GetDatum(status->row.partition);
	values[SHARE_COLUMN_START_OFFSET] = Int64GetDatum(status->start_offset);
	values[SHARE_COLUMN_END_OFFSET] = Int64GetDatum(status->end_offset);
	values[SHARE_COLUMN_LAG] = Int64GetDatum(lag);
	nulls[SHARE_COLUMN_LAG] = lag < 0;
	values[SHARE_COLUMN_AVAILABLE] = Int64GetDatum(status->available);
	values[SHARE_COLUMN_ACQUIRED] = Int64GetDatum(status->acquired);
	values[SHARE_COLUMN_PENDING] = Int64GetDatum(status->pending);
	values[SHARE_COLUMN_FINISHED] = Int64GetDatum(status->finished);
	values[SHARE_COLUMN_REDELIVERED] = Int64GetDatum(status->redelivered);
	values[SHARE_COLUMN_MAX_DELIVERY_COUNT] = Int32GetDatum(status->most_deliveries);
	nulls[SHARE_COLUMN_NEXT_LEASE_END] = status->next_expiry == SHARE_NO_LEASE;
	values[SHARE_COLUMN_NEXT_LEASE_END] = nulls[SHARE_COLUMN_NEXT_LEASE_END] ? (Datum) 0 :
		TimestampTzGetDatum(pgt_clock_to_timestamptz(status->next_expiry));
	values[SHARE_COLUMN_OWNER] = ObjectIdGetDatum(status->row.owner);
	nulls[SHARE_COLUMN_OWNER] = status->row.owner == GROUP_UNCLAIMED;
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* pg_topic_share_groups_info(): a row for each share partition that the user may see. */
Datum
pgt_topic_share_groups_info(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			schema = pgt_sql_version_schema();
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	foreach(cell, pgt_share_row_list(schema, NULL, InvalidOid))
	{
		const ShareRow *row = lfirst(cell);
		ShareStatus status;

		CHECK_FOR_INTERRUPTS();
		if (!pgt_inspect_shows_group(row->topic, row->owner))
			continue;
		pgt_share_group_status(schema, row, &status);
		put_status(result, &status);
	}
	return (Datum) 0;
}

/* merge_share_acks(): put acknowledgements into the rows of their groups now; returns their number. */
Datum
pgt_merge_share_acks(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("merge_share_acks()");
	PG_RETURN_INT64(pgt_share_row_merge(pgt_sql_version_schema(), 1));
}
