/*
 * inspect_stats.c
 *	  The functions behind the views pg_stat_topics and
 *	  pg_stat_progress_topic_compaction, and pg_stat_reset_topics().
 *
 * They show counters in shared memory, which start from zero with the server.  The
 * counters of producing and consuming are read one by one.  Those of retention and
 * compaction agree with each other, except the progress of a running compaction, where
 * each number is read by itself.
 *
 * Locks: AccessShareLock on one topic at a time (inspect.c), a partition's
 * lock while its counters are copied.
 */
#include "postgres.h"

#include "funcapi.h"
#include "storage/lmgr.h"
#include "storage/procarray.h"
#include "util/sql_version.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "views/inspect.h"

PGT_FUNCTION_INFO(pgt_stat_topics_info);
PGT_FUNCTION_INFO(pgt_stat_reset_topics);
PGT_FUNCTION_INFO(pgt_stat_progress_topic_compaction_info);

/* ---- pg_stat_topics ----------------------------------------------------- */

/* Add a counter as a column; 0 if the partition was never appended to. */
static void
row_add_counter(InspectRow *row, PartitionState *state, size_t counter)
{
	uint64		value = 0;

	if (state != NULL)
		value = pg_atomic_read_u64((pg_atomic_uint64 *) ((char *) state + counter));
	pgt_inspect_add(row, Int64GetDatum((int64) value));
}

/* A number of microseconds as an interval. */
static Datum
interval_datum(int64 us)
{
	Interval   *interval = palloc0(sizeof(Interval));

	interval->time = us;
	return IntervalPGetDatum(interval);
}

/* Add the columns of retention, compaction and merging. */
static void
row_add_maintenance(InspectRow *row, PartitionState *state)
{
	MaintenanceStats stats = {0};

	if (state != NULL)
	{
		LWLockAcquire(&state->lock, LW_SHARED);
		stats = state->maintenance;
		LWLockRelease(&state->lock);
	}
	pgt_inspect_add(row, Int64GetDatum(stats.segments_deleted));
	pgt_inspect_add(row, Int64GetDatum(stats.bytes_deleted));
	pgt_inspect_add(row, Int64GetDatum(stats.compactions));
	pgt_inspect_add(row, Int64GetDatum(stats.records_compacted));
	pgt_inspect_add(row, Int64GetDatum(stats.bytes_compacted));
	pgt_inspect_add(row, Int64GetDatum(stats.merges));
	pgt_inspect_add(row, Int64GetDatum(stats.batches_merged));
	pgt_inspect_add(row, Int64GetDatum(stats.bytes_merged));
	pgt_inspect_add_if(row, stats.last_run != 0, TimestampTzGetDatum(stats.last_run));
	pgt_inspect_add_if(row, stats.last_run != 0, interval_datum(stats.last_duration_us));
	pgt_inspect_add(row, Int64GetDatum(stats.errors));
	pgt_inspect_add_if(row, stats.errors != 0, TimestampTzGetDatum(stats.last_error_at));
	pgt_inspect_add_if(row, stats.errors != 0, CStringGetTextDatum(stats.last_error));
}

/* The topic's rows of pg_stat_topics. */
static void
add_statistics(ReturnSetInfo *result, const Topic *topic)
{
	for (int32 partition = 0; partition < topic->partitions; partition++)
	{
		TopicPartition key = pgt_topic_partition(topic, partition);
		PartitionState *state = pgt_log_state_find(&key);
		InspectRow	row = {0};

		pgt_inspect_add(&row, ObjectIdGetDatum(key.topic));
		pgt_inspect_add(&row, Int32GetDatum(key.partition));
		row_add_counter(&row, state, offsetof(PartitionState, records_in));
		row_add_counter(&row, state, offsetof(PartitionState, bytes_in));
		row_add_counter(&row, state, offsetof(PartitionState, batches_in));
		row_add_counter(&row, state, offsetof(PartitionState, records_out));
		row_add_counter(&row, state, offsetof(PartitionState, bytes_out));
		row_add_maintenance(&row, state);
		pgt_inspect_add_if(&row, state != NULL, TimestampTzGetDatum(state != NULL ? state->stats_reset : 0));
		pgt_inspect_put(&row, result);
	}
}

/* pg_stat_topics_info() */
Datum
pgt_stat_topics_info(PG_FUNCTION_ARGS)
{
	return pgt_inspect_topics(fcinfo, add_statistics);
}

/* Begin to count anew for all partitions of a topic, which is locked. */
static void
reset_statistics(const Topic *topic)
{
	for (int32 partition = 0; partition < topic->partitions; partition++)
	{
		TopicPartition key = pgt_topic_partition(topic, partition);
		PartitionState *state = pgt_log_state_find(&key);

		if (state != NULL)
			pgt_log_state_reset_statistics(state);
	}
}

/* pg_stat_reset_topics(topic): its owner's; null: all topics that the user owns. */
Datum
pgt_stat_reset_topics(PG_FUNCTION_ARGS)
{
	bool		all = PG_ARGISNULL(0);
	List	   *topics = all ? pgt_topic_list() : list_make1_oid(PG_GETARG_OID(0));
	ListCell   *cell;

	foreach(cell, topics)
	{
		Oid			relid = lfirst_oid(cell);

		if (all && !pgt_topic_is_owner(relid))
			continue;
		if (!all)
			pgt_topic_require(relid);
		LockRelationOid(relid, AccessShareLock);
		if (!all)
			pgt_topic_check_owner(relid);
		if (pgt_topic_exists(relid) && pgt_topic_is_owner(relid))
			reset_statistics(pgt_topic_get(relid));
		UnlockRelationOid(relid, AccessShareLock);
	}
	PG_RETURN_VOID();
}

/* ---- pg_stat_progress_topic_compaction ---------------------------------- */

/* The name of a phase in the view. */
static const char *
phase_name(uint32 phase)
{
	switch (phase)
	{
		case COMPACTION_BUILDING_MAP:
			return "building map";
		case COMPACTION_REWRITING:
			return "rewriting";
		case COMPACTION_SWAPPING:
			return "swapping";
		case COMPACTION_MERGING:
			return "merging";
		default:
			return "initializing";
	}
}

/* Add a number of the progress as a column. */
static void
row_add_progress(InspectRow *row, pg_atomic_uint64 *number)
{
	pgt_inspect_add(row, Int64GetDatum((int64) pg_atomic_read_u64(number)));
}

/*
 * Add the row of one partition if it is being compacted.  A compaction whose process
 * has ended is over.
 */
static void
add_partition_progress(ReturnSetInfo *result, const TopicPartition *key,
					   CompactionProgress *progress)
{
	int			pid = (int) pg_atomic_read_u32(&progress->pid);
	InspectRow	row = {0};

	if (pid == 0 || BackendPidGetProc(pid) == NULL)
		return;
	pg_read_barrier();
	pgt_inspect_add(&row, Int32GetDatum(pid));
	pgt_inspect_add(&row, ObjectIdGetDatum(key->topic));
	pgt_inspect_add(&row, Int32GetDatum(key->partition));
	pgt_inspect_add(&row, CStringGetTextDatum(phase_name(pg_atomic_read_u32(&progress->phase))));
	row_add_progress(&row, &progress->bytes_total);
	row_add_progress(&row, &progress->bytes_mapped);
	row_add_progress(&row, &progress->bytes_read);
	row_add_progress(&row, &progress->bytes_written);
	row_add_progress(&row, &progress->keys);
	row_add_progress(&row, &progress->records_removed);
	pgt_inspect_put(&row, result);
}

/* The topic's rows of pg_stat_progress_topic_compaction. */
static void
add_progress(ReturnSetInfo *result, const Topic *topic)
{
	for (int32 partition = 0; partition < topic->partitions; partition++)
	{
		TopicPartition key = pgt_topic_partition(topic, partition);
		PartitionState *state = pgt_log_state_find(&key);

		if (state != NULL)
			add_partition_progress(result, &key, &state->compaction);
	}
}

/* pg_stat_progress_topic_compaction_info() */
Datum
pgt_stat_progress_topic_compaction_info(PG_FUNCTION_ARGS)
{
	return pgt_inspect_topics(fcinfo, add_progress);
}
