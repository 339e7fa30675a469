/*
 * erase.c
 *	  Removing all records of a key from a partition's log, for good.
 *
 * The active segment is rolled first.  Then erasing waits for the transactions that have
 * appended, until the log is resolved up to its end.  Last, it rewrites each segment that
 * has records of the key, or batches of aborted transactions, which may have some.
 * Segments are swapped one by one: an error or a crash in between leaves some segments
 * erased and the others unchanged, and erasing again does the rest.
 *
 * Erasing is no compaction: how far the log counts as compacted does not change.
 *
 * Locks: the caller's ShareUpdateExclusiveLock on the topic, as for compaction.  Waiting
 * for a transaction means waiting for its lock, so that deadlocks are found.  A
 * transaction does not wait for its own lock, so the caller has made sure that its own
 * transaction has appended nothing to the topic (maintenance_functions.c).
 */
#include "postgres.h"

#include "maintenance/erase.h"
#include "maintenance/maintenance_stats.h"
#include "maintenance/segment_filter.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/wait_event.h"
#include "wal/log_writer.h"
#include "wal/sync_process.h"
#include "wal/visible_end.h"

/* How often an open Kafka transaction is looked at. */
#define KAFKA_TXN_POLL_MS	20

typedef struct Erasure
{
	TopicPartition key;
	PartitionState *state;
	ByteView	record_key;
	int64		end_offset;		/* base of the segment made for what comes now */
	int64		last_erased;	/* a segment may be looked at twice: offset of the last one counted */
	int64		erased;
	SegmentFilter *filter;
} Erasure;

/* What becomes of a record: a SegmentFilterJudge. */
static SegmentFilterFate
judge(void *arg, const Record *record, int64 horizon)
{
	Erasure    *erasure = arg;

	if (record->key_length != erasure->record_key.length ||
		memcmp(record->key, erasure->record_key.data, record->key_length) != 0)
		return RECORD_KEPT;
	if (record->offset > erasure->last_erased)
	{
		erasure->last_erased = record->offset;
		erasure->erased++;
	}
	return RECORD_REMOVED;
}

/* Wait for a transaction that keeps the log from being resolved; false if there is none. */
static bool
wait_for_blocker(const TopicPartition *key)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TransactionId blocker;

	(void) pgt_visible_end(key, snapshot, &blocker);
	UnregisterSnapshot(snapshot);
	if (!TransactionIdIsValid(blocker))
		return false;
	if (blocker == VISIBLE_END_KAFKA_TXN)
	{
		/* it has no lock that could be waited for, and may be open for a quarter of an hour */
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, KAFKA_TXN_POLL_MS,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		return true;
	}
	XactLockTableWait(blocker, NULL, NULL, XLTW_None);
	return true;
}

/* Is all below the erasure's end resolved? */
static bool
is_resolved(const Erasure *erasure)
{
	LogBounds	bounds;

	(void) pgt_partition_log_bounds(&erasure->key, &bounds);
	return bounds.resolved_offset >= erasure->end_offset;
}

/*
 * Wait until all below the erasure's end is resolved.  A whole round of resolving that
 * finds no transaction in the way must resolve it; if it does not, something is wrong.
 */
static void
wait_until_resolved(const Erasure *erasure)
{
	while (!is_resolved(erasure))
	{
		bool		waited = wait_for_blocker(&erasure->key);
		bool		resolved = pgt_sync_process_resolve();

		if (!waited && !(resolved && is_resolved(erasure)))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("cannot erase records of partition %d of topic \"%s\" because its transactions are not resolved",
							erasure->key.partition, get_rel_name(erasure->key.topic)),
					 errdetail("Background process \"pg_topics sync\" is not running, or has found damaged files."),
					 errhint("Look for its errors in the server log.")));
	}
}

/* After an error or FATAL. */
static void
clean_up(int code, Datum arg)
{
	Erasure    *erasure = (Erasure *) DatumGetPointer(arg);

	LWLockReleaseAll();
	pgt_segment_filter_abandon(erasure->filter);
	pgt_maintenance_stats_end_progress(erasure->state);
}

/* Rewrite the segments below the end that hold the key. */
static void
filter_segments(Erasure *erasure)
{
	SegmentListItem *segments;
	int			count = pgt_segment_list(&erasure->key, &segments);

	pgt_maintenance_stats_set_phase(erasure->state, COMPACTION_REWRITING);
	for (int i = 0; i < count && segments[i].id.base < erasure->end_offset; i++)
		pgt_segment_filter_run(erasure->filter, &segments[i].id, 1, segments[i].span.compacted_end, false);
	pfree(segments);
}

/* Erase from a partition that has a log. */
static void
run(Erasure *erasure, const Topic *topic)
{
	const SegmentFilterCounts *counts;
	LogBounds	bounds;

	pgt_log_writer_roll(erasure->state);
	(void) pgt_partition_log_bounds(&erasure->key, &bounds);
	erasure->end_offset = bounds.active_base;
	wait_until_resolved(erasure);
	(void) pgt_partition_log_bounds(&erasure->key, &bounds);
	pgt_segment_filter_check_log(erasure->state, &bounds);
	erasure->filter = pgt_segment_filter_create(erasure->state, judge, erasure, 0, &topic->log, false);
	pgt_maintenance_stats_begin_progress(erasure->state);
	PG_ENSURE_ERROR_CLEANUP(clean_up, PointerGetDatum(erasure));
	{
		filter_segments(erasure);
	}
	PG_END_ENSURE_ERROR_CLEANUP(clean_up, PointerGetDatum(erasure));
	pgt_maintenance_stats_end_progress(erasure->state);
	counts = pgt_segment_filter_counts(erasure->filter);
	pgt_maintenance_stats_compacted(erasure->state, counts->records_before - counts->records_after,
									counts->bytes_before - counts->bytes_after);
	pgt_segment_filter_free(erasure->filter);
}

int64
pgt_erase_key(const Topic *topic, int32 partition, ByteView key)
{
	Erasure    *erasure = palloc0(sizeof(Erasure));
	LogBounds	bounds;
	int64		erased;

	erasure->key = pgt_topic_partition(topic, partition);
	erasure->state = pgt_log_state_find(&erasure->key);
	erasure->record_key = key;
	erasure->last_erased = -1;
	if (erasure->state != NULL && pgt_partition_log_bounds(&erasure->key, &bounds))
		run(erasure, topic);
	erased = erasure->erased;
	pfree(erasure);
	return erased;
}
