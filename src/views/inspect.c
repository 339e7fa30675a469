/*
 * inspect.c
 *	  The functions behind the views pg_topics, pg_topic_partitions and
 *	  pg_topic_segments, and the walk over topics that all such functions share.
 *
 * Each function walks the topics of this database on which the current user has any
 * privilege, or all of them for a role that may read all statistics, and shows the shared state of their partitions and the contents of the
 * segments' indexes.  Numbers of one partition agree with each other; those of different
 * partitions are taken one after another.
 *
 * A row shows two ends of a log: log_end_offset counts everything appended,
 * last_stable_offset only what the calling statement can read.  If they differ because a
 * transaction has not ended yet, blocking_xid is its id, blocking_pid its session, and
 * blocking_gid its name if it was prepared.  An open Kafka transaction has no id; its producer is
 * blocking_producer_id.
 *
 * Locks: AccessShareLock on one topic at a time, so that its slots and files
 * stay while they are looked at.  No WAL.  Memory: per-query; a walk is short.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/procarray.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "group/group_role.h"
#include "log/kafka_txn_map.h"
#include "log/key_index_file.h"
#include "topic/topic.h"
#include "topic/topic_options.h"
#include "util/catch_error.h"
#include "util/clock.h"
#include "util/sql_version.h"
#include "views/inspect.h"
#include "wal/visible_end.h"

PGT_FUNCTION_INFO(pgt_topics_info);
PGT_FUNCTION_INFO(pgt_topic_partitions_info);
PGT_FUNCTION_INFO(pgt_topic_segments_info);

void
pgt_inspect_add(InspectRow *row, Datum value)
{
	row->nulls[row->columns] = false;
	row->values[row->columns++] = value;
}

void
pgt_inspect_add_if(InspectRow *row, bool condition, Datum value)
{
	row->nulls[row->columns] = !condition;
	row->values[row->columns++] = value;
}

void
pgt_inspect_put(InspectRow *row, ReturnSetInfo *result)
{
	tuplestore_putvalues(result->setResult, result->setDesc, row->values, row->nulls);
}

/* May the user see what belongs to others?  So it is with pg_stat_activity and its kin. */
static bool
sees_all(void)
{
	return has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
}

bool
pgt_inspect_shows_groups(Oid relid)
{
	return pgt_topic_exists(relid) &&
		(pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK || sees_all());
}

bool
pgt_inspect_shows_group(Oid relid, Oid owner)
{
	return sees_all() || (pgt_inspect_shows_groups(relid) && pgt_group_role_may_use(GetUserId(), relid, owner));
}

bool
pgt_inspect_shows_role(Oid role)
{
	return sees_all() || (OidIsValid(role) && has_privs_of_role(GetUserId(), role));
}

bool
pgt_inspect_shows_topic(Oid relid)
{
	return pgt_topic_is_visible(relid) || (sees_all() && pgt_topic_exists(relid));
}

Datum
pgt_inspect_topics(FunctionCallInfo fcinfo, InspectAddRows add_rows)
{
	List	   *topics;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	topics = pgt_topic_list();
	foreach(cell, topics)
	{
		Oid			relid = lfirst_oid(cell);

		/* do not wait for the lock of a topic that the user may not see */
		if (!pgt_inspect_shows_topic(relid))
			continue;
		LockRelationOid(relid, AccessShareLock);
		/* it may have been dropped, or its privileges revoked, before we had the lock */
		if (pgt_inspect_shows_topic(relid))
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
	InspectRow	row = {0};

	pgt_inspect_add(&row, ObjectIdGetDatum(topic->relid));
	pgt_inspect_add(&row, Int32GetDatum(topic->partitions));
	pgt_inspect_add(&row, CStringGetTextDatum(cleanup_policy_name(topic->cleanup_policy)));
	pgt_inspect_add(&row, ObjectIdGetDatum(topic->key.type));
	pgt_inspect_add(&row, ObjectIdGetDatum(topic->value.type));
	pgt_inspect_add(&row, pgt_topic_options_jsonb(topic->relid));
	pgt_inspect_put(&row, result);
}

/* pg_topics_info() */
Datum
pgt_topics_info(PG_FUNCTION_ARGS)
{
	return pgt_inspect_topics(fcinfo, add_topic);
}

/* ---- pg_topic_partitions ------------------------------------------------ */

char *
pgt_inspect_prepared_name(TransactionId xid)
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

/* Add the columns blocking_xid, blocking_pid, blocking_gid and blocking_producer_id. */
static void
row_add_blocker(InspectRow *row, const TopicPartition *key, TransactionId xid)
{
	PartitionState *state = xid == VISIBLE_END_KAFKA_TXN ? pgt_log_state_find(key) : NULL;
	int64		producer_id = 0;
	bool		has_producer = state != NULL &&
		pgt_kafka_txn_map_first_open(pgt_log_state_slot_number(state), &producer_id);

	bool		blocked = TransactionIdIsNormal(xid);
	int			pid = blocked ? BackendXidGetPid(xid) : 0;
	char	   *gid = blocked && pid == 0 ? pgt_inspect_prepared_name(xid) : NULL;

	pgt_inspect_add_if(row, blocked, TransactionIdGetDatum(xid));
	pgt_inspect_add_if(row, pid != 0, Int32GetDatum(pid));
	pgt_inspect_add_if(row, gid != NULL, gid != NULL ? CStringGetTextDatum(gid) : (Datum) 0);
	pgt_inspect_add_if(row, has_producer, Int64GetDatum(producer_id));
}

/* The end up to which a partition can be read. */
typedef struct ReadableEnd
{
	const TopicPartition *key;
	int64		offset;
	TransactionId blocker;
} ReadableEnd;

/* Find the end.  arg: ReadableEnd. */
static void
look_at_end(void *arg)
{
	ReadableEnd *end = arg;

	end->offset = pgt_visible_end(end->key, GetActiveSnapshot(), &end->blocker);
}

/* The row of one partition of pg_topic_partitions. */
static void
add_partition(ReturnSetInfo *result, const TopicPartition *key)
{
	InspectRow	row = {0};
	LogBounds	log;
	int			segments;
	int64		bytes;
	ReadableEnd end = {key, 0, InvalidTransactionId};
	bool		found;

	(void) pgt_partition_log_bounds(key, &log);
	bytes = pgt_partition_log_bytes(key, &log, &segments);
	found = pgt_catch_damage(look_at_end, &end);

	pgt_inspect_add(&row, ObjectIdGetDatum(key->topic));
	pgt_inspect_add(&row, Int32GetDatum(key->partition));
	pgt_inspect_add(&row, Int64GetDatum(log.log_start_offset));
	pgt_inspect_add(&row, Int64GetDatum(log.next_offset));
	pgt_inspect_add_if(&row, found, Int64GetDatum(end.offset));
	pgt_inspect_add(&row, Int64GetDatum(log.resolved_offset));
	pgt_inspect_add(&row, Int32GetDatum(segments));
	pgt_inspect_add(&row, Int64GetDatum(bytes));
	row_add_blocker(&row, key, end.blocker);
	pgt_inspect_add(&row, Int64GetDatum(log.deleted_end));
	pgt_inspect_put(&row, result);
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
	return pgt_inspect_topics(fcinfo, add_partitions);
}

/* ---- pg_topic_segments -------------------------------------------------- */

/* The first and the last index entry in use of a segment. */
typedef struct SegmentIndex
{
	PartitionState *state;
	const LogBounds *log;
	SegmentId	id;
	bool		there;			/* the segment still exists */
	uint32		count;
	IndexEntry	first;
	IndexEntry	last;
	int64		indexed;		/* entries in its index of keys */
	int64		key_bytes;
} SegmentIndex;

/* Read the entries.  arg: SegmentIndex. */
static void
look_at_index(void *arg)
{
	SegmentIndex *index = arg;
	Segment    *segment = pgt_log_segments_open(index->state, index->id);
	KeyIndexFiles *keys;

	index->there = segment != NULL;
	if (segment == NULL)
		return;
	keys = pgt_key_index_files(index->state, segment);
	for (int i = 0; keys != NULL && i < keys->count; i++)
	{
		index->indexed += keys->files[i].header.end_entry - keys->files[i].header.first_entry;
		index->key_bytes += (int64) pgt_key_index_pages(&keys->files[i].header) * KEY_INDEX_PAGE_SIZE;
	}
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
	InspectRow	row = {0};
	SegmentIndex index = {.state = state, .log = log, .id = id};
	bool		sound = pgt_catch_damage(look_at_index, &index);
	bool		any = sound && index.count > 0;
	char		path[MAXPGPATH];

	if (sound && !index.there)
		return;
	pgt_segment_log_path(path, key, id);
	pgt_inspect_add(&row, ObjectIdGetDatum(key->topic));
	pgt_inspect_add(&row, Int32GetDatum(key->partition));
	pgt_inspect_add(&row, Int64GetDatum(id.base));
	pgt_inspect_add_if(&row, any, Int64GetDatum(id.base + index.last.last_delta));
	pgt_inspect_add_if(&row, sound, Int64GetDatum(index.count));
	pgt_inspect_add_if(&row, sound, Int64GetDatum((int64) index.last.position + index.last.length));
	pgt_inspect_add_if(&row, any, TimestampTzGetDatum(pgt_clock_to_timestamptz(index.first.min_timestamp)));
	pgt_inspect_add_if(&row, any, TimestampTzGetDatum(pgt_clock_to_timestamptz(index.last.largest_timestamp)));
	pgt_inspect_add(&row, BoolGetDatum(pgt_segment_id_equal(id, pgt_segment_id_original(log->active_base))));
	pgt_inspect_add(&row, CStringGetTextDatum(path));
	pgt_inspect_add_if(&row, sound, Int64GetDatum(index.indexed));
	pgt_inspect_add_if(&row, sound, Int64GetDatum(index.key_bytes));
	pgt_inspect_put(&row, result);
}

/* The files of a partition. */
typedef struct SegmentFiles
{
	TopicPartition key;
	SegmentListItem *list;
	int			count;
} SegmentFiles;

/* List them, for pgt_catch_damage(). */
static void
list_segments(void *arg)
{
	SegmentFiles *files = arg;

	files->count = pgt_segment_list(&files->key, &files->list);
}

/* The topic's rows of pg_topic_segments. */
static void
add_segments(ReturnSetInfo *result, const Topic *topic)
{
	for (int32 partition = 0; partition < topic->partitions; partition++)
	{
		SegmentFiles files = {.key = pgt_topic_partition(topic, partition)};
		PartitionState *state = pgt_log_state_find(&files.key);
		LogBounds	log;

		if (state == NULL || !pgt_partition_log_bounds(&files.key, &log) ||
			!pgt_catch_damage(list_segments, &files))
			continue;
		for (int i = 0; i < files.count; i++)
			add_segment(result, state, &files.key, &log, files.list[i].id);
	}
}

/* pg_topic_segments_info() */
Datum
pgt_topic_segments_info(PG_FUNCTION_ARGS)
{
	return pgt_inspect_topics(fcinfo, add_segments);
}
