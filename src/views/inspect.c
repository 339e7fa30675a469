/*
 * inspect.c
 *	  The functions behind the views pg_topics, pg_topic_partitions and
 *	  pg_topic_segments, and what all such functions share.
 *
 * Each walks the topics of this database that the current user may do
 * something with, and shows the shared state of their partitions and what
 * the segment files' indexes say.  Numbers of one partition agree with each
 * other; those of different partitions are taken one after another.
 *
 * What a row shows of the log's end: log_end_offset counts everything
 * appended, last_stable_offset only what the calling statement can read.
 * Where they differ because a transaction has not ended yet, blocking_xid
 * names it, blocking_pid its session, and blocking_gid its name if it was
 * prepared.
 *
 * Locks: AccessShareLock on one topic at a time, so that its slots and files
 * stay while they are looked at.  No WAL.  Memory: per-query; a walk is short.
 *
 * Layer 6.  Read log_state.h next; inspect_stats.c shows counters.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/procarray.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "log/clock.h"
#include "topic/topic.h"
#include "util/guarded_look.h"
#include "views/inspect.h"
#include "wal/log_reader.h"

PG_FUNCTION_INFO_V1(pgt_topics_info);
PG_FUNCTION_INFO_V1(pgt_topic_partitions_info);
PG_FUNCTION_INFO_V1(pgt_topic_segments_info);

/* Add a column. */
void
pgt_row_add(Row *row, Datum value)
{
	row->nulls[row->columns] = false;
	row->values[row->columns++] = value;
}

/* Add a column that is null unless the condition holds. */
void
pgt_row_add_if(Row *row, bool condition, Datum value)
{
	row->nulls[row->columns] = !condition;
	row->values[row->columns++] = value;
}

/* Add the row to the result. */
void
pgt_row_put(Row *row, ReturnSetInfo *result)
{
	tuplestore_putvalues(result->setResult, result->setDesc, row->values, row->nulls);
}

/* Return the rows that "add_rows" makes of each topic. */
Datum
pgt_return_topics(FunctionCallInfo fcinfo, TopicRows add_rows)
{
	List	   *topics;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	topics = pgt_topic_list();
	foreach(cell, topics)
	{
		Oid			relid = lfirst_oid(cell);

		/* nobody waits for who has locked a topic that is none of his business */
		if (!pgt_topic_is_visible(relid))
			continue;
		LockRelationOid(relid, AccessShareLock);
		/* it may have been dropped, or closed to us, before we had the lock */
		if (pgt_topic_is_visible(relid))
			add_rows((ReturnSetInfo *) fcinfo->resultinfo, pgt_topic_get(relid));
		UnlockRelationOid(relid, AccessShareLock);
	}
	return (Datum) 0;
}

/* ---- pg_topics ---------------------------------------------------------- */

/* cleanup.policy as it is written in the options. */
static const char *
cleanup_policy_name(int policy)
{
	switch (policy)
	{
		case CLEANUP_DELETE:
			return "delete";
		case CLEANUP_COMPACT:
			return "compact";
		default:
			return "compact,delete";
	}
}

/* The topic's row of pg_topics. */
static void
add_topic(ReturnSetInfo *result, const Topic *topic)
{
	Row			row = {0};

	pgt_row_add(&row, ObjectIdGetDatum(topic->relid));
	pgt_row_add(&row, Int32GetDatum(topic->partitions));
	pgt_row_add(&row, CStringGetTextDatum(cleanup_policy_name(topic->cleanup_policy)));
	pgt_row_add(&row, ObjectIdGetDatum(topic->key.type));
	pgt_row_add(&row, ObjectIdGetDatum(topic->value.type));
	pgt_row_add(&row, pgt_topic_options_jsonb(topic->relid));
	pgt_row_put(&row, result);
}

/* pg_topics_info() */
Datum
pgt_topics_info(PG_FUNCTION_ARGS)
{
	return pgt_return_topics(fcinfo, add_topic);
}

/* ---- pg_topic_partitions ------------------------------------------------ */

/* The name of a prepared transaction, in the current context; NULL: it is none. */
static char *
prepared_transaction_name(TransactionId xid)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			types[] = {XIDOID};
	Datum		values[] = {TransactionIdGetDatum(xid)};
	char	   *name = NULL;

	SPI_connect();
	if (SPI_execute_with_args("SELECT gid FROM pg_catalog.pg_prepared_xacts WHERE transaction OPERATOR(pg_catalog.=) $1",
							  1, types, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not look up prepared transaction %u", xid);
	if (SPI_processed == 1)
		name = MemoryContextStrdup(caller, SPI_getvalue(SPI_tuptable->vals[0],
														SPI_tuptable->tupdesc, 1));
	SPI_finish();
	return name;
}

/* Add the columns blocking_xid, blocking_pid and blocking_gid. */
static void
row_add_blocker(Row *row, TransactionId xid)
{
	bool		blocked = TransactionIdIsValid(xid);
	int			pid = blocked ? BackendXidGetPid(xid) : 0;
	char	   *gid = blocked && pid == 0 ? prepared_transaction_name(xid) : NULL;

	pgt_row_add_if(row, blocked, TransactionIdGetDatum(xid));
	pgt_row_add_if(row, pid != 0, Int32GetDatum(pid));
	pgt_row_add_if(row, gid != NULL, gid != NULL ? CStringGetTextDatum(gid) : (Datum) 0);
}

/* How far a partition can be read. */
typedef struct ReadableEnd
{
	const TopicPartition *key;
	int64		offset;
	TransactionId blocker;
} ReadableEnd;

/* Find it.  arg: ReadableEnd. */
static void
look_at_end(void *arg)
{
	ReadableEnd *end = arg;

	end->offset = pgt_log_visible_end(end->key, GetActiveSnapshot(), &end->blocker);
}

/* The row of one partition of pg_topic_partitions. */
static void
add_partition(ReturnSetInfo *result, const TopicPartition *key)
{
	Row			row = {0};
	LogBounds	log;
	int			segments;
	int64		bytes;
	ReadableEnd end = {key, 0, InvalidTransactionId};
	bool		found;

	(void) pgt_partition_log_bounds(key, &log);
	bytes = pgt_partition_log_bytes(key, &log, &segments);
	found = pgt_guarded_look(look_at_end, &end);

	pgt_row_add(&row, ObjectIdGetDatum(key->topic));
	pgt_row_add(&row, Int32GetDatum(key->partition));
	pgt_row_add(&row, Int64GetDatum(log.log_start_offset));
	pgt_row_add(&row, Int64GetDatum(log.next_offset));
	pgt_row_add_if(&row, found, Int64GetDatum(end.offset));
	pgt_row_add(&row, Int64GetDatum(log.resolved_offset));
	pgt_row_add(&row, Int32GetDatum(segments));
	pgt_row_add(&row, Int64GetDatum(bytes));
	row_add_blocker(&row, end.blocker);
	pgt_row_add(&row, Int64GetDatum(log.deleted_end));
	pgt_row_put(&row, result);
}

/* The topic's rows of pg_topic_partitions. */
static void
add_partitions(ReturnSetInfo *result, const Topic *topic)
{
	for (int32 partition = 0; partition < topic->partitions; partition++)
	{
		TopicPartition key = pgt_topic_partition(topic, partition);

		add_partition(result, &key);
	}
}

/* pg_topic_partitions_info() */
Datum
pgt_topic_partitions_info(PG_FUNCTION_ARGS)
{
	return pgt_return_topics(fcinfo, add_partitions);
}

/* ---- pg_topic_segments -------------------------------------------------- */

/* What the index entries in use of a segment tell. */
typedef struct SegmentIndex
{
	PartitionState *state;
	const LogBounds *log;
	SegmentId	id;
	bool		there;			/* it has not just gone */
	uint32		count;
	IndexEntry	first;
	IndexEntry	last;
} SegmentIndex;

/* Read the first one and the last one.  arg: SegmentIndex. */
static void
look_at_index(void *arg)
{
	SegmentIndex *index = arg;
	Segment    *segment = pgt_partition_log_segment(index->state, index->id);

	index->there = segment != NULL;
	if (segment == NULL)
		return;
	index->count = pgt_partition_log_entries(segment, index->log);
	if (index->count > 0)
		index->there = pgt_segment_read_entries(segment, 0, 1, &index->first) == 1 &&
			pgt_segment_read_entries(segment, index->count - 1, 1, &index->last) == 1;
}

/* The row of one segment of pg_topic_segments. */
static void
add_segment(ReturnSetInfo *result, PartitionState *state, const TopicPartition *key,
			const LogBounds *log, SegmentId id)
{
	Row			row = {0};
	SegmentIndex index = {.state = state, .log = log, .id = id};
	bool		sound = pgt_guarded_look(look_at_index, &index);
	bool		any = sound && index.count > 0;
	char		path[MAXPGPATH];

	if (sound && !index.there)
		return;
	pgt_segment_log_path(path, key, id);
	pgt_row_add(&row, ObjectIdGetDatum(key->topic));
	pgt_row_add(&row, Int32GetDatum(key->partition));
	pgt_row_add(&row, Int64GetDatum(id.base));
	pgt_row_add_if(&row, any, Int64GetDatum(id.base + index.last.last_delta));
	pgt_row_add_if(&row, sound, Int64GetDatum(index.count));
	pgt_row_add_if(&row, sound, Int64GetDatum((int64) index.last.position + index.last.length));
	pgt_row_add_if(&row, any, TimestampTzGetDatum(pgt_ms_to_timestamptz(index.first.min_timestamp)));
	pgt_row_add_if(&row, any, TimestampTzGetDatum(pgt_ms_to_timestamptz(index.last.largest_timestamp)));
	pgt_row_add(&row, BoolGetDatum(pgt_same_segment(id, pgt_original_segment(log->active_base))));
	pgt_row_add(&row, CStringGetTextDatum(path));
	pgt_row_put(&row, result);
}

/* The topic's rows of pg_topic_segments. */
static void
add_segments(ReturnSetInfo *result, const Topic *topic)
{
	for (int32 partition = 0; partition < topic->partitions; partition++)
	{
		TopicPartition key = pgt_topic_partition(topic, partition);
		PartitionState *state = pgt_partition_find(&key);
		LogBounds	log;
		ListedSegment *list;
		int			segments;

		if (state == NULL || !pgt_partition_log_bounds(&key, &log))
			continue;
		segments = pgt_segment_list(&key, &list);
		for (int i = 0; i < segments; i++)
			add_segment(result, state, &key, &log, list[i].id);
	}
}

/* pg_topic_segments_info() */
Datum
pgt_topic_segments_info(PG_FUNCTION_ARGS)
{
	return pgt_return_topics(fcinfo, add_segments);
}
