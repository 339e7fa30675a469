/*
 * compaction.c
 *	  Keeping the last record of each key: Kafka's log cleaner.
 *
 *	  log start           compacted           cleanable end     log end
 *	      |   clean           |     dirty           |              |
 *	  [ 0.2 ][ 5000.2 ][ 9000.1 ][ 12000 ][ 15000 ][ 18000 = active ..]
 *
 * A segment is cleanable if it is finished, lies below the resolved offset and is
 * older than min.compaction.lag.ms.  The dirty segments among the cleanable ones are
 * those past the end of the last compaction, which the headers of rewritten segments
 * record.
 *
 *	1. Compaction builds a map of the dirty part: the last offset of each key.  The
 *	   map ends early where it is full (maintenance_work_mem), or at a batch that
 *	   some snapshot does not see yet, or that a statement with an old snapshot may
 *	   not show yet, since it shows each transaction as a whole (whole_end.c).
 *	2. It filters all cleanable segments below the map's end: a record is removed
 *	   if the map knows a later record of its key.  Segments that together fit
 *	   segment.bytes become one segment.
 *	3. A tombstone stays until the delete horizon that the first compaction to
 *	   meet it writes into its batch: now + delete.retention.ms.
 *
 * Ending the map early in step 1 makes compaction safe for snapshots: a record is
 * removed only in favor of a record that every statement sees, so a SELECT or latest() finds the
 * last record of each key whatever the age of its snapshot.  The removal of tombstones
 * takes no account of snapshots, like retention.
 *
 * Small batches that are old enough become full ones on the way (merging.c).
 *
 * The rules are Kafka's (KIP-58, KIP-354, KIP-534 and its LogCleaner), with two
 * exceptions: a single segment in which nothing changes is not written again, and the
 * active segment of an idle topic is rolled when its age demands it.
 *
 * Groups of segments are compacted from the oldest on, and the header of the last group
 * records how far the log is compacted.  If a crash or an error stops compaction between
 * two groups, the next compaction repeats the work, and no tombstone is removed before
 * the records that it deletes.  After an error the segments swapped so far stay, and
 * nothing remains of the segment being written.
 *
 * Locks: the caller's ShareUpdateExclusiveLock on the topic keeps retention, another
 * compaction and DROP away; no other lock is held for longer than a moment.
 */
#include "postgres.h"

#include "access/transam.h"
#include "common/int.h"
#include "maintenance/cleaner_throttle.h"
#include "maintenance/compaction.h"
#include "maintenance/durable_horizon.h"
#include "maintenance/maintenance_hold.h"
#include "maintenance/maintenance_stats.h"
#include "maintenance/segment_survey.h"
#include "maintenance/visibility_horizon.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "util/clock.h"
#include "util/fault_point.h"
#include "util/key_map.h"
#include "utils/memutils.h"
#include "wal/log_writer.h"

/* The cleanable segments of a partition: those that may be rewritten. */
typedef struct Survey
{
	SegmentSurvey log;
	int			first_dirty;	/* index of the first that is dirty, wholly or in part */
	int64		clean_bytes;
	int64		dirty_bytes;
} Survey;

/* A compaction under way. */
typedef struct Compaction
{
	const Topic *topic;
	Survey		survey;
	MemoryContext context;
	int64		now;
	KeyMap	   *map;			/* NULL: nothing is dirty */
	int64		map_end;		/* the map knows all records below it */
	uint64		visible_xid;	/* every snapshot sees what is below it */
	int64		scans_end;		/* every statement sees what lies below it, if its snapshot does */
	bool		map_is_full;
	SegmentFilter *filter;
	bool		dry_run;
} Compaction;

/* ---- what can be cleaned -------------------------------------------------- */

/*
 * List the cleanable segments, "with_active" as if the active one were rolled.
 * False if the partition has no log.
 */
static bool
survey_partition(const Topic *topic, int32 partition, bool with_active, Survey *survey)
{
	memset(survey, 0, sizeof(*survey));
	if (!pgt_segment_survey(topic, partition, topic->min_compaction_lag_ms, with_active, &survey->log))
		return false;
	for (int i = 0; i < survey->log.count; i++)
	{
		const SegmentSurveyItem *segment = &survey->log.segments[i];

		if (segment->end_offset <= survey->log.compacted_end)
		{
			survey->first_dirty = i + 1;
			survey->clean_bytes += segment->bytes;
		}
		else
			survey->dirty_bytes += segment->bytes;
	}
	return true;
}

/*
 * Roll the active segment if its age demands it, although no append asks for it.
 * Otherwise the records in an idle topic's active segment would never be compacted.
 */
static void
roll_if_old(const Topic *topic, const Survey *survey)
{
	int64		first;

	LWLockAcquire(&survey->log.state->lock, LW_SHARED);
	first = survey->log.state->active_entries > 0 ? survey->log.state->active_first_timestamp : PG_INT64_MAX;
	LWLockRelease(&survey->log.state->lock);
	if (first != PG_INT64_MAX && pgt_clock_ms_between(first, pgt_clock_shifted_now_ms()) > topic->log.segment_ms)
		pgt_log_writer_roll(survey->log.state);
}

/* The share of the cleanable bytes that is dirty. */
static double
dirty_ratio(const Survey *survey)
{
	if (survey->dirty_bytes == 0)
		return 0;
	return (double) survey->dirty_bytes / (survey->clean_bytes + survey->dirty_bytes);
}

/* Is enough of the log dirty, or is a dirty record old enough? */
static bool
is_due(const Topic *topic, const Survey *survey)
{
	if (survey->dirty_bytes == 0)
		return false;
	return dirty_ratio(survey) > topic->min_cleanable_dirty_ratio ||
		pgt_clock_ms_between(survey->log.segments[survey->first_dirty].first_timestamp,
							 pgt_clock_shifted_now_ms()) > topic->max_compaction_lag_ms;
}

bool
pgt_compaction_is_due(const Topic *topic, int32 partition, double *ratio)
{
	Survey		survey;
	bool		due;

	*ratio = 0;
	if ((topic->cleanup_policy & CLEANUP_COMPACT) == 0 ||
		!survey_partition(topic, partition, false, &survey))
		return false;
	roll_if_old(topic, &survey);
	*ratio = dirty_ratio(&survey);
	due = is_due(topic, &survey);
	pfree(survey.log.segments);
	return due;
}

/* ---- the map -------------------------------------------------------------- */

/* Every statement sees what lies below the result; PG_INT64_MAX if all that is not compacted does. */
static int64
end_of_scans(const Compaction *compaction)
{
	const Survey *survey = &compaction->survey;

	/* an end that is not before what is compacted already does not matter */
	if (survey->log.bounds.interleaved_end <= survey->log.compacted_end)
		return PG_INT64_MAX;
	return pgt_visibility_horizon_end(&survey->log.key, compaction->visible_xid);
}

/* Put a batch's records into the map.  False: the map ends here. */
static bool
map_batch(Compaction *compaction, SegmentScan *scan, BatchDecoder *decoder, const IndexEntry *entry)
{
	const char *batch;
	RecordBatchHeader header;
	RecordIterator iterator;
	Record		record;

	if (entry->xid >= compaction->visible_xid ||
		scan->id.base + entry->first_delta >= compaction->scans_end)
	{
		compaction->map_end = scan->id.base + entry->first_delta;
		return false;
	}
	batch = pgt_segment_scan_batch(scan, entry);
	pgt_batch_decoder_check(&compaction->survey.log.key, scan->id, entry, batch, &header);
	pgt_batch_decoder_decode(decoder, &compaction->survey.log.key, scan->id, entry, batch, &header, &iterator);
	while (pgt_record_iterator_next(&iterator, &record))
		if (record.key_length >= 0 && record.offset >= compaction->survey.log.compacted_end &&
			!pgt_key_map_put(compaction->map, record.key, record.key_length, record.offset))
		{
			compaction->map_end = record.offset;
			compaction->map_is_full = true;
			return false;
		}
	if (iterator.problem != NULL)
		pgt_batch_decoder_fail(&compaction->survey.log.key, scan->id, entry->position,
							   scan->id.base + entry->first_delta, iterator.problem);
	return true;
}

/* Put a segment's records into the map.  False: the map ends in it. */
static bool
map_segment(Compaction *compaction, SegmentScan *scan, BatchDecoder *decoder,
			const SegmentSurveyItem *segment)
{
	CompactionProgress *progress = &compaction->survey.log.state->compaction;
	const IndexEntry *entry;

	pgt_segment_scan_begin(scan, compaction->survey.log.state, segment->id);
	while ((entry = pgt_segment_scan_next(scan)) != NULL)
	{
		if ((entry->flags & ENTRY_ABORTED) == 0 &&
			segment->id.base + entry->last_delta >= compaction->survey.log.compacted_end &&
			!map_batch(compaction, scan, decoder, entry))
			return false;
		pg_atomic_fetch_add_u64(&progress->bytes_mapped, entry->length);
		pg_atomic_write_u64(&progress->keys, pgt_key_map_count(compaction->map));
		pgt_cleaner_throttle_pause(&compaction->survey.log.key, entry->length);
	}
	compaction->map_end = segment->end_offset;
	return true;
}

/* Make the map of the dirty segments. */
static void
build_map(Compaction *compaction)
{
	const Survey *survey = &compaction->survey;
	BatchDecoder decoder = {0};
	SegmentScan *scan;
	int64		offsets;

	compaction->map_end = survey->log.compacted_end;
	compaction->scans_end = end_of_scans(compaction);
	if (survey->first_dirty == survey->log.count)
		return;
	offsets = survey->log.segments[survey->log.count - 1].end_offset -
		Max(survey->log.compacted_end, survey->log.segments[survey->first_dirty].id.base);
	compaction->map = pgt_key_map_create(compaction->context,
										 (Size) maintenance_work_mem * 1024, offsets);
	decoder.context = AllocSetContextCreate(compaction->context, "pg_topics key scan",
											ALLOCSET_DEFAULT_SIZES);
	scan = MemoryContextAlloc(decoder.context, sizeof(SegmentScan));
	pgt_segment_scan_init(scan, decoder.context);
	for (int i = survey->first_dirty; i < survey->log.count; i++)
		if (!map_segment(compaction, scan, &decoder, &survey->log.segments[i]))
			break;
	MemoryContextDelete(decoder.context);
}

/* ---- filtering ------------------------------------------------------------ */

/* What becomes of a record: a SegmentFilterJudge. */
static SegmentFilterFate
judge(void *arg, const Record *record, int64 horizon)
{
	const Compaction *compaction = arg;

	if (record->offset < compaction->survey.log.bounds.log_start_offset)
		return RECORD_REMOVED;
	if (record->offset >= compaction->map_end)
		return RECORD_KEPT;
	if (record->key_length < 0)
		return RECORD_REMOVED;	/* of a time before the topic was compacted; as Kafka's */
	if (compaction->map != NULL &&
		pgt_key_map_get(compaction->map, record->key, record->key_length) > record->offset)
		return RECORD_REMOVED;
	if (record->value_length >= 0)
		return RECORD_KEPT;
	if (horizon == PG_INT64_MIN)
		return RECORD_KEPT_UNTIL_HORIZON;
	return compaction->now < horizon ? RECORD_KEPT : RECORD_REMOVED;
}

/* How many segments from the first one on make a group: as they are, they fit one segment. */
static int
group_size(const Compaction *compaction, int first, int end)
{
	const SegmentSurveyItem *segments = compaction->survey.log.segments;
	int64		bytes = segments[first].bytes;
	int			size = 1;

	while (first + size < end)
	{
		const SegmentSurveyItem *next = &segments[first + size];

		if (bytes + next->bytes > compaction->topic->log.segment_bytes ||
			next->end_offset - segments[first].id.base > PG_INT32_MAX)
			break;
		bytes += next->bytes;
		size++;
	}
	return size;
}

/* Filter the segments of one group. */
static void
filter_group(Compaction *compaction, int first, int size, bool is_last)
{
	SegmentId  *ids = palloc(size * sizeof(SegmentId));
	bool		advances = compaction->map_end > compaction->survey.log.compacted_end;

	for (int i = 0; i < size; i++)
		ids[i] = compaction->survey.log.segments[first + i].id;

	/*
	 * How far the log is compacted is true when all groups are done: so the last
	 * one says it, and is written if that is news.
	 */
	pgt_segment_filter_run(compaction->filter, ids, size,
						   is_last ? compaction->map_end : compaction->survey.log.compacted_end,
						   is_last && advances);
	pfree(ids);
}

/* Filter all cleanable segments that begin below the map's end. */
static void
filter_segments(Compaction *compaction)
{
	Survey	   *survey = &compaction->survey;
	int64		total = 0;
	int			end = 0;
	int			size;

	while (end < survey->log.count && survey->log.segments[end].id.base < compaction->map_end)
		total += survey->log.segments[end++].bytes;
	pg_atomic_write_u64(&survey->log.state->compaction.bytes_total, total);
	for (int first = 0; first < end; first += size)
	{
		size = group_size(compaction, first, end);
		filter_group(compaction, first, size, first + size == end);
		FAULT_POINT("compact-group-done");
	}
}

/* ---- a run ---------------------------------------------------------------- */

/* After an error or FATAL. */
static void
clean_up(int code, Datum arg)
{
	Compaction *compaction = (Compaction *) DatumGetPointer(arg);

	LWLockReleaseAll();
	if (compaction->filter != NULL)
		pgt_segment_filter_abandon(compaction->filter);
	pgt_maintenance_stats_end_progress(compaction->survey.log.state);
}

/* The time at which tombstones may be removed that this compaction is the first to meet. */
static int64
delete_horizon(const Compaction *compaction)
{
	int64		horizon;

	if (pg_add_s64_overflow(compaction->now, compaction->topic->delete_retention_ms, &horizon))
		return LAST_MOMENT;
	return Min(horizon, LAST_MOMENT);
}

/* Up to where small batches may be merged into full ones while segments are rewritten. */
static int64
end_of_merging(const Compaction *compaction)
{
	return pgt_visibility_horizon_whole_end(&compaction->survey.log.key,
											pgt_durable_horizon_xid(compaction->visible_xid, false),
											compaction->map_end);
}

/* The timestamp that the youngest record of such batches may have. */
static int64
youngest_to_merge(const Compaction *compaction)
{
	int64		lag_ms = compaction->topic->batch_merge_lag_ms;
	int64		youngest;

	if (lag_ms == 0)
		return PG_INT64_MAX;
	return pg_sub_s64_overflow(compaction->now, lag_ms, &youngest) ? PG_INT64_MIN : youngest;
}

/*
 * Add a pass's counts to the result.  A pass reads all that the pass before it has
 * left, and possibly more.
 */
static void
add_counts(SegmentFilterCounts *result, const SegmentFilterCounts *counts)
{
	int64		records_gone = result->records_before - result->records_after;
	int64		bytes_gone = result->bytes_before - result->bytes_after;
	int64		batches_gone = result->batches_before - result->batches_after;

	*result = *counts;
	result->records_before += records_gone;
	result->bytes_before += bytes_gone;
	result->batches_before += batches_gone;
}

/* One pass: build a map and filter the segments below its end. */
static void
run_pass(Compaction *compaction, SegmentFilterCounts *result)
{
	const Topic *topic = compaction->topic;
	PartitionState *state = compaction->survey.log.state;
	const SegmentFilterCounts *counts;

	pgt_segment_filter_check_log(state, &compaction->survey.log.bounds);
	pgt_maintenance_stats_set_phase(state, COMPACTION_BUILDING_MAP);
	build_map(compaction);
	compaction->filter = pgt_segment_filter_create(state, judge, compaction, delete_horizon(compaction),
												   &topic->log, compaction->dry_run);
	if (topic->batch_merge)
		pgt_segment_filter_merge(compaction->filter, end_of_merging(compaction), youngest_to_merge(compaction));
	pgt_maintenance_stats_set_phase(state, COMPACTION_REWRITING);
	filter_segments(compaction);
	counts = pgt_segment_filter_counts(compaction->filter);
	add_counts(result, counts);
	if (!compaction->dry_run)
		pgt_maintenance_stats_compacted(state, counts->records_before - counts->records_after,
										counts->bytes_before - counts->bytes_after);
	pgt_segment_filter_free(compaction->filter);
	compaction->filter = NULL;
	if (compaction->map != NULL)
		pgt_key_map_free(compaction->map);
	compaction->map = NULL;
}

/* Run as many passes as it takes; a dry run changes nothing, so it makes only one. */
static void
run_passes(Compaction *compaction, int32 partition, SegmentFilterCounts *result)
{
	for (;;)
	{
		run_pass(compaction, result);
		if (!compaction->map_is_full || compaction->dry_run)
			return;
		compaction->map_is_full = false;
		pfree(compaction->survey.log.segments);
		(void) survey_partition(compaction->topic, partition, false, &compaction->survey);
	}
}

void
pgt_compaction_run(const Topic *topic, int32 partition, bool roll, bool dry_run,
				   SegmentFilterCounts *result)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics compaction",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Compaction *compaction = palloc0(sizeof(Compaction));

	memset(result, 0, sizeof(*result));
	compaction->topic = topic;
	compaction->context = context;
	compaction->dry_run = dry_run;
	compaction->now = pgt_clock_shifted_now_ms();
	if (roll && !dry_run)
		pgt_segment_survey_roll(topic, partition);
	compaction->visible_xid = pgt_visibility_horizon_xid(topic->relid);
	if (survey_partition(topic, partition, roll && dry_run, &compaction->survey))
	{
		pgt_maintenance_stats_begin_progress(compaction->survey.log.state);
		PG_ENSURE_ERROR_CLEANUP(clean_up, PointerGetDatum(compaction));
		{
			run_passes(compaction, partition, result);
		}
		PG_END_ENSURE_ERROR_CLEANUP(clean_up, PointerGetDatum(compaction));
		pgt_maintenance_stats_end_progress(compaction->survey.log.state);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/* ---- leftovers ------------------------------------------------------------ */

int
pgt_compaction_collect(const Topic *topic, int32 partition)
{
	TopicPartition key = pgt_topic_partition(topic, partition);
	PartitionState *state = pgt_log_state_find(&key);
	SegmentId  *ids;
	int			files;
	int			collected = 0;

	if (state == NULL)
		return 0;
	files = pgt_segment_files(&key, &ids);
	for (int i = 0; i < files; i++)
		if (pgt_segment_is_leftover(&key, ids[i]))
		{
			pgt_segment_rewrite_discard(state, ids[i]);
			collected++;
		}
	pfree(ids);
	return collected;
}

/* ---- what holds it back --------------------------------------------------- */

/* Has an open snapshot still to see the oldest record that is not compacted? */
static bool
hold_by_snapshot(const Topic *topic, const Survey *survey, MaintenanceHold *hold)
{
	Segment    *segment = pgt_log_segments_open(survey->log.state, survey->log.segments[survey->first_dirty].id);
	uint32		count;
	uint32		n;
	IndexEntry	entry;

	if (segment == NULL)
		return false;
	count = pgt_partition_log_entries(segment, &survey->log.bounds);
	n = pgt_segment_find_offset(segment, count, survey->log.compacted_end);
	for (; n < count && pgt_segment_read_entries(segment, n, 1, &entry) == 1; n++)
	{
		if ((entry.flags & ENTRY_ABORTED) != 0)
			continue;
		if (entry.xid < pgt_visibility_horizon_xid(topic->relid))
			return false;
		hold->by = "snapshot";
		hold->detail = psprintf("A snapshot may be open that does not see transaction %u, which wrote offset %lld.",
								(TransactionId) entry.xid, (long long) (segment->id.base + entry.first_delta));
		return true;
	}
	return false;
}

/* The first segment that is not cleanable. */
static void
explain_obstacle(const Topic *topic, const Survey *survey, MaintenanceHold *hold)
{
	const SegmentSurveyItem *segment = &survey->log.segments[survey->log.count];

	hold->has_segment = true;
	hold->base_offset = segment->id.base;
	hold->end_offset = segment->end_offset;
	if (survey->log.obstacle == IS_YOUNG)
	{
		pgt_maintenance_hold_by_timestamp(hold, "min.compaction.lag.ms", segment->largest_timestamp,
										  topic->min_compaction_lag_ms);
		hold->detail = psprintf("The first segment that is not compacted can be compacted once its youngest record is %lld ms old.",
								(long long) topic->min_compaction_lag_ms);
		return;
	}
	hold->by = "transaction";
	hold->detail = psprintf("The transaction that wrote offset %lld is not known to have ended; see pg_topic_partitions.",
							(long long) survey->log.bounds.resolved_offset);
}

/* Nothing is dirty but what may be in the active segment. */
static void
explain_active(const Topic *topic, const Survey *survey, MaintenanceHold *hold)
{
	int64		first = 0;

	if (survey->log.bounds.active_entries == 0)
	{
		hold->detail = pstrdup("All records are compacted.");
		return;
	}
	LWLockAcquire(&survey->log.state->lock, LW_SHARED);
	first = survey->log.state->active_first_timestamp;
	LWLockRelease(&survey->log.state->lock);
	pgt_maintenance_hold_by_timestamp(hold, "segment.ms", first, topic->log.segment_ms);
	hold->has_timestamp = false;
	hold->has_segment = true;
	hold->base_offset = survey->log.bounds.active_base;
	hold->detail = pstrdup("The records that are not compacted are in the active segment; compact() includes them.");
}

/* Why nothing is compacted. */
static void
explain(const Topic *topic, const Survey *survey, MaintenanceHold *hold)
{
	const SegmentSurveyItem *oldest = &survey->log.segments[survey->first_dirty];
	bool		obstructed = survey->log.obstacle == IS_YOUNG || survey->log.obstacle == IS_UNRESOLVED;

	if (is_due(topic, survey))
	{
		if (!hold_by_snapshot(topic, survey, hold))
			hold->detail = psprintf("The next round compacts: %.0f%% of %lld bytes are dirty.", 100 * dirty_ratio(survey),
									(long long) (survey->clean_bytes + survey->dirty_bytes));
	}
	else if (obstructed)
		explain_obstacle(topic, survey, hold);
	else if (survey->dirty_bytes == 0)
		explain_active(topic, survey, hold);
	else
	{
		pgt_maintenance_hold_by_timestamp(hold, "min.cleanable.dirty.ratio", oldest->first_timestamp,
										  topic->max_compaction_lag_ms);
		hold->has_timestamp = false;
		hold->has_segment = true;
		hold->base_offset = oldest->id.base;
		hold->detail = psprintf("%.0f%% of %lld bytes are dirty, but %.0f%% must be; compact() works regardless.",
								100 * dirty_ratio(survey), (long long) (survey->clean_bytes + survey->dirty_bytes),
								100 * topic->min_cleanable_dirty_ratio);
	}
}

bool
pgt_compaction_hold(const Topic *topic, int32 partition, MaintenanceHold *hold)
{
	Survey		survey;

	if ((topic->cleanup_policy & CLEANUP_COMPACT) == 0 ||
		!survey_partition(topic, partition, false, &survey))
		return false;
	explain(topic, &survey, hold);
	pfree(survey.log.segments);
	return true;
}
