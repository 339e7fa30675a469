/*
 * merging.c
 *	  Putting small batches together into full ones.
 *
 * A transaction's records are a batch of their own, so a transaction of one record leaves a
 * batch header of 61 bytes and an index entry of 64 for it.  Once its segment is finished
 * and every snapshot sees its transactions, nobody needs the bounds between them any more:
 *
 *	  [ 7 ][ 8 ][ 9 ][ 10 aborted ][ 11 ]   ->   [ 7 8 9 . 11 ]
 *
 * Merging rewrites such segments as compaction does (segment_filter.c, segment_rewrite.c).
 * Offsets, timestamps and the order of records stay; batches of aborted transactions and
 * records below the log start go.  How batches are put together, and which are not, is in
 * batch_builder.c.
 *
 * Which segments: those that may be rewritten (segment_survey.c), older than
 * batch.merge.lag.ms, up to the end that visibility_horizon.c gives.  Of a compacted topic
 * only what is compacted: compaction rewrites the rest anyhow, and merges meanwhile.  A
 * segment is worth rewriting if its batches are small on average.  What merging has written
 * is marked in its index entries (ENTRY_MERGED) and never worth it again; but it may be
 * joined to neighbours that are, so that no small segments stay:
 *
 *	  - as they are, they fit one segment, by segment.bytes and segment.ms
 *	  - a merged one is at most as large as what it is joined to; so no byte is written
 *		more often than the logarithm of the segment's size
 *
 * What synchronous standbys lack is left as it is (durable_horizon.c).
 *
 * Snapshots of a standby that gives no feedback may be older than the horizon; see
 * batch_visibility.c.
 *
 * The worker asks in each round, and mostly for nothing.  So it remembers where nothing was
 * found, and does not look again before a segment has come or gone.
 *
 * Locks: the caller's ShareUpdateExclusiveLock on the topic keeps retention, compaction and
 * DROP away; no other lock is held for longer than a moment.  An error or a crash leaves
 * the segments that were swapped so far, and nothing of the one being written.
 */
#include "postgres.h"

#include "maintenance/durable_horizon.h"
#include "maintenance/maintenance_stats.h"
#include "maintenance/merging.h"
#include "maintenance/segment_survey.h"
#include "maintenance/visibility_horizon.h"
#include "produce/pending_batch.h"
#include "storage/ipc.h"
#include "util/clock.h"
#include "util/fault_point.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "wal/durable_wal.h"
#include "wal/log_writer.h"

/*
 * The worker takes segments whose batches have at most so many bytes on average, so that
 * their headers and index entries are an eighth of what they take, or more.
 */
#define SMALL_BATCH		1024

/* A batch is small only if some of them make a full one. */
#define SMALL_SHARE		4

/* What is done by hand takes all segments whose batches are not half full on average. */
#define SMALL_SHARE_BY_HAND	2

/* A merging under way, or the question whether there is something to merge. */
typedef struct Merging
{
	const Topic *topic;
	SegmentSurvey survey;
	uint32		full;			/* bytes of a full batch */
	uint32		small;			/* batches of up to so many bytes on average are small */
	uint64		seen_xid;		/* every snapshot sees what is below it */
	uint64		visible_xid;	/* likewise, and synchronous standbys have it */
	SegmentFilter *filter;
} Merging;

/* Segments that follow each other and become one. */
typedef struct MergeGroup
{
	int			first;
	int			size;
	int64		bytes;
} MergeGroup;

/* ---- what is worth it ----------------------------------------------------- */

/* Is enough gained by merging the batches of that segment? */
static bool
is_worth(const Merging *merging, const SegmentSurveyItem *segment)
{
	return !segment->is_merged && segment->batches > 1 &&
		segment->bytes / segment->batches <= merging->small;
}

/* May it be part of a group?  What compaction has still to rewrite may not. */
static bool
takes_part(const Merging *merging, const SegmentSurveyItem *segment)
{
	if ((merging->topic->cleanup_policy & CLEANUP_COMPACT) != 0 &&
		segment->end_offset > merging->survey.compacted_end)
		return false;
	return segment->is_merged || is_worth(merging, segment);
}

/* Does that segment fit behind the group, so that the topic could have made one of all? */
static bool
fits(const Merging *merging, const MergeGroup *group, const SegmentSurveyItem *next)
{
	const SegmentSurveyItem *first = &merging->survey.segments[group->first];
	const LogConfig *config = &merging->topic->log;

	return group->bytes + next->bytes <= config->segment_bytes &&
		next->end_offset - first->id.base <= PG_INT32_MAX &&
		pgt_clock_ms_between(first->first_timestamp, next->largest_timestamp) <= config->segment_ms &&
		!(next->is_merged && next->bytes > group->bytes);
}

/* The largest group that begins with that segment. */
static MergeGroup
group_from(const Merging *merging, int first)
{
	const SegmentSurveyItem *segments = merging->survey.segments;
	MergeGroup		group = {first, 1, segments[first].bytes};

	while (first + group.size < merging->survey.count &&
		   takes_part(merging, &segments[first + group.size]) &&
		   fits(merging, &group, &segments[first + group.size]))
		group.bytes += segments[first + group.size++].bytes;

	/* without large ones before it that are merged already */
	while (group.size > 1 && segments[group.first].is_merged &&
		   segments[group.first].bytes > group.bytes - segments[group.first].bytes)
	{
		group.bytes -= segments[group.first++].bytes;
		group.size--;
	}
	return group;
}

/* Is there a segment in the group that is worth it? */
static bool
is_group_worth(const Merging *merging, const MergeGroup *group)
{
	for (int i = 0; i < group->size; i++)
		if (is_worth(merging, &merging->survey.segments[group->first + i]))
			return true;
	return false;
}

/* Find the next group that is worth it, from that segment on. */
static bool
next_group(const Merging *merging, int from, MergeGroup *group)
{
	while (from < merging->survey.count)
	{
		if (!takes_part(merging, &merging->survey.segments[from]))
		{
			from++;
			continue;
		}
		*group = group_from(merging, from);
		if (is_group_worth(merging, group))
			return true;
		from = group->first + group->size;
	}
	return false;
}

/* Begin to ask or to work, and with "wait" give standbys a moment for what they lack. */
static void
begin(Merging *merging, const Topic *topic, bool by_hand, bool wait)
{
	memset(merging, 0, sizeof(*merging));
	merging->topic = topic;
	merging->full = Min(pgt_batch_size, topic->log.max_message_bytes);
	merging->small = by_hand ? merging->full / SMALL_SHARE_BY_HAND : Min(SMALL_BATCH, merging->full / SMALL_SHARE);
	merging->seen_xid = pgt_visibility_horizon_xid(topic->relid);
	merging->visible_xid = pgt_durable_horizon_xid(merging->seen_xid, wait);
}

/* Survey the partition.  False if it has no log. */
static bool
survey_partition(Merging *merging, int32 partition, bool with_active)
{
	return pgt_segment_survey(merging->topic, partition, merging->topic->batch_merge_lag_ms, with_active,
							  &merging->survey);
}

/* ---- what was found before ------------------------------------------------ */

/* A partition in which this process found nothing to merge. */
typedef struct MergingLook
{
	uint32		slot;			/* hash key: its number */
	uint32		incarnation;
	uint32		segments_version;
	uint32		full;			/* the options that have decided */
	int64		segment_bytes;
	int64		segment_ms;
	int64		lag_ms;
	int64		cleanup_policy;
	uint64		visible_xid;	/* as of then, if a snapshot or a standby held it back; else 0 */
} MergingLook;

static HTAB *looks = NULL;		/* in TopMemoryContext */

/* What there is to remember of this look. */
static MergingLook
describe_look(const Merging *merging, const LogBounds *bounds, uint32 slot)
{
	const Topic *topic = merging->topic;
	MergingLook look;

	memset(&look, 0, sizeof(look));
	look.slot = slot;
	look.incarnation = bounds->incarnation;
	look.segments_version = bounds->segments_version;
	look.full = merging->full;
	look.segment_bytes = topic->log.segment_bytes;
	look.segment_ms = topic->log.segment_ms;
	look.lag_ms = topic->batch_merge_lag_ms;
	look.cleanup_policy = topic->cleanup_policy;
	return look;
}

/*
 * Remember that there was nothing to merge, unless time alone can change that.  A roll, a
 * deletion and a swap raise the version.
 */
static void
remember_look(const Merging *merging, bool is_held)
{
	HASHCTL		info = {.keysize = sizeof(uint32), .entrysize = sizeof(MergingLook)};
	uint32		slot = merging->survey.state - pgt_log_state->partitions;
	MergingLook look = describe_look(merging, &merging->survey.bounds, slot);

	if (merging->survey.obstacle == IS_YOUNG || merging->survey.obstacle == IS_UNRESOLVED)
		return;
	if (looks == NULL)
		looks = hash_create("pg_topics looked at to merge", 64, &info, HASH_ELEM | HASH_BLOBS);
	look.visible_xid = is_held ? merging->visible_xid : 0;
	memcpy(hash_search(looks, &slot, HASH_ENTER, NULL), &look, sizeof(look));
}

/* Is all as it was when there was nothing to merge?  For rounds over many segments. */
static bool
was_in_vain(const Merging *merging, int32 partition)
{
	TopicPartition key = pgt_topic_partition(merging->topic, partition);
	PartitionState *state = pgt_log_state_find(&key);
	MergingLook *found;
	MergingLook now;
	LogBounds	bounds;
	uint32		slot;

	if (looks == NULL || state == NULL || !pgt_partition_log_slot_bounds(state, &key, &bounds))
		return false;
	slot = state - pgt_log_state->partitions;
	found = hash_search(looks, &slot, HASH_FIND, NULL);
	if (found == NULL)
		return false;
	now = describe_look(merging, &bounds, slot);
	now.visible_xid = found->visible_xid != 0 ? merging->visible_xid : 0;
	return memcmp(&now, found, sizeof(now)) == 0;
}

/* ---- questions ------------------------------------------------------------ */

/* May a snapshot be open that does not see the last transaction of the group, or a standby lack it? */
static bool
is_held(const Merging *merging, const MergeGroup *group)
{
	return merging->survey.segments[group->first + group->size - 1].last_xid >= merging->visible_xid;
}

bool
pgt_merging_is_due(const Topic *topic, int32 partition)
{
	Merging		merging;
	MergeGroup		group;
	bool		found;
	bool		due;

	if (!topic->batch_merge)
		return false;
	begin(&merging, topic, false, false);
	if (was_in_vain(&merging, partition) || !survey_partition(&merging, partition, false))
		return false;
	found = next_group(&merging, 0, &group);
	due = found && !is_held(&merging, &group);
	if (!due)
		remember_look(&merging, found);
	pfree(merging.survey.segments);
	return due;
}

/* ---- a run ---------------------------------------------------------------- */

/* What becomes of a record: a SegmentFilterJudge. */
static SegmentFilterFate
judge(void *arg, const Record *record, int64 horizon)
{
	const Merging *merging = arg;

	return record->offset < merging->survey.bounds.log_start_offset ? RECORD_REMOVED : RECORD_KEPT;
}

/* After an error or FATAL. */
static void
clean_up(int code, Datum arg)
{
	Merging    *merging = (Merging *) DatumGetPointer(arg);

	LWLockReleaseAll();
	if (merging->filter != NULL)
		pgt_segment_filter_abandon(merging->filter);
	pgt_maintenance_stats_end_progress(merging->survey.state);
}

/*
 * Leave out the segments that end behind what every snapshot sees.  Returns where the
 * others end, such that no transaction has batches on both sides.
 */
static int64
cut_survey(Merging *merging)
{
	SegmentSurvey *survey = &merging->survey;

	while (survey->count > 0)
	{
		int64		end = survey->segments[survey->count - 1].end_offset;
		int64		whole = pgt_visibility_horizon_whole_end(&survey->key, merging->visible_xid, end);

		if (whole >= end)
			return end;
		while (survey->count > 0 && survey->segments[survey->count - 1].end_offset > whole)
			survey->count--;
	}
	return 0;
}

/* Rewrite the segments of one group. */
static void
merge_group(Merging *merging, const MergeGroup *group)
{
	const SegmentSurveyItem *segments = &merging->survey.segments[group->first];
	SegmentId  *ids = palloc(group->size * sizeof(SegmentId));
	int64		compacted_end = 0;

	for (int i = 0; i < group->size; i++)
	{
		ids[i] = segments[i].id;
		compacted_end = Max(compacted_end, segments[i].compacted_end);
	}
	pgt_segment_filter_run(merging->filter, ids, group->size, compacted_end, true);
	pfree(ids);
	FAULT_POINT("merge-group-done");
}

/* Rewrite all groups that are worth it. */
static void
merge_groups(Merging *merging)
{
	MergeGroup		group;
	int64		total = 0;

	for (int i = 0; next_group(merging, i, &group); i = group.first + group.size)
		total += group.bytes;
	pg_atomic_write_u64(&merging->survey.state->compaction.bytes_total, total);
	pgt_maintenance_stats_set_phase(merging->survey.state, COMPACTION_MERGING);
	for (int i = 0; next_group(merging, i, &group); i = group.first + group.size)
		merge_group(merging, &group);
}

/* Merge up to "end", and report what that has done. */
static void
run(Merging *merging, int64 end, bool dry_run, SegmentFilterCounts *result)
{
	PartitionState *state = merging->survey.state;

	pgt_segment_filter_check_log(state, &merging->survey.bounds);
	merging->filter = pgt_segment_filter_create(state, judge, merging, 0, &merging->topic->log, dry_run);
	pgt_segment_filter_merge(merging->filter, end, PG_INT64_MAX);
	merge_groups(merging);
	*result = *pgt_segment_filter_counts(merging->filter);
	if (!dry_run)
	{
		int64		batches = result->batches_before - result->batches_after;

		pgt_maintenance_stats_merged(state, batches, result->bytes_before - result->bytes_after +
									 batches * (int64) sizeof(IndexEntry));
	}
	pgt_segment_filter_free(merging->filter);
	merging->filter = NULL;
}

bool
pgt_merging_run(const Topic *topic, int32 partition, bool by_hand, bool dry_run,
				SegmentFilterCounts *result)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics merging",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Merging    *merging = palloc0(sizeof(Merging));
	MergeGroup		group;
	int64		end = 0;

	memset(result, 0, sizeof(*result));
	if (by_hand && !dry_run)
		pgt_segment_survey_roll(topic, partition);
	begin(merging, topic, by_hand, by_hand && !dry_run);
	if (survey_partition(merging, partition, by_hand && dry_run) && next_group(merging, 0, &group))
		end = cut_survey(merging);
	if (end > 0 && next_group(merging, 0, &group))
	{
		pgt_maintenance_stats_begin_progress(merging->survey.state);
		PG_ENSURE_ERROR_CLEANUP(clean_up, PointerGetDatum(merging));
		{
			run(merging, end, dry_run, result);
		}
		PG_END_ENSURE_ERROR_CLEANUP(clean_up, PointerGetDatum(merging));
		pgt_maintenance_stats_end_progress(merging->survey.state);
	}
	else if (!by_hand && merging->survey.state != NULL)
		remember_look(merging, true);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return result->records_before > 0;
}

/* ---- what holds it back --------------------------------------------------- */

/* The first segment that may not be rewritten has small batches, but is too young or not resolved. */
static void
explain_obstacle(const Merging *merging, MaintenanceHold *hold)
{
	const SegmentSurveyItem *segment = &merging->survey.segments[merging->survey.count];
	int64		lag_ms = merging->topic->batch_merge_lag_ms;

	hold->has_segment = true;
	hold->base_offset = segment->id.base;
	hold->end_offset = segment->end_offset;
	if (merging->survey.obstacle == IS_YOUNG)
	{
		pgt_maintenance_hold_by_timestamp(hold, "batch.merge.lag.ms", segment->largest_timestamp, lag_ms);
		hold->detail = psprintf("The next segment can be merged once its youngest record is %lld ms old.",
								(long long) lag_ms);
		return;
	}
	hold->by = "transaction";
	hold->detail = psprintf("The transaction that wrote offset %lld is not known to have ended; see pg_topic_partitions.",
							(long long) merging->survey.bounds.resolved_offset);
}

/* A snapshot or a standby keeps a group from being merged, by its last segment.  False if none does. */
static bool
explain_holder(const Merging *merging, const SegmentSurveyItem *last, MaintenanceHold *hold)
{
	long long	offset = last->end_offset - 1;

	if (last->last_xid >= merging->seen_xid)
	{
		hold->by = "snapshot";
		hold->detail = psprintf("A snapshot may be open that does not see transaction %u, which wrote offset %lld.",
								(TransactionId) last->last_xid, offset);
		return true;
	}
	/* what the worker has asked of standbys this process does not know */
	if (last->last_lsn > pgt_durable_wal_end())
	{
		hold->by = "standby";
		hold->detail = psprintf("Synchronous standbys do not have offset %lld yet.", offset);
		return true;
	}
	return false;
}

/* A group waits for the worker, for a snapshot, or for a standby. */
static void
explain_group(const Merging *merging, const MergeGroup *group, MaintenanceHold *hold)
{
	const SegmentSurveyItem *segments = &merging->survey.segments[group->first];
	int64		batches = 0;

	for (int i = 0; i < group->size; i++)
		batches += segments[i].batches;
	if (explain_holder(merging, &segments[group->size - 1], hold))
	{
		hold->has_segment = true;
		hold->base_offset = segments[0].id.base;
		hold->end_offset = segments[group->size - 1].end_offset;
		return;
	}
	hold->detail = psprintf("The next round merges: %lld batches have %lld bytes.",
							(long long) batches, (long long) group->bytes);
}

/* The active segment has small batches. */
static void
explain_active(const Merging *merging, MaintenanceHold *hold)
{
	PartitionState *state = merging->survey.state;
	int64		first;

	LWLockAcquire(&state->lock, LW_SHARED);
	first = state->active_first_timestamp;
	LWLockRelease(&state->lock);
	pgt_maintenance_hold_by_timestamp(hold, "segment.ms", first, merging->topic->log.segment_ms);
	hold->has_timestamp = false;
	hold->has_segment = true;
	hold->base_offset = merging->survey.bounds.active_base;
	hold->detail = pstrdup("The small batches are in the active segment; merge_batches() includes them.");
}

/* Does the segment with the obstacle have batches that would be merged without it? */
static bool
is_obstacle_worth(const Merging *merging)
{
	const SegmentSurveyItem *segment = &merging->survey.segments[merging->survey.count];

	if (merging->survey.obstacle == IS_UNRESOLVED)
		return true;
	return merging->survey.obstacle == IS_YOUNG && is_worth(merging, segment);
}

/* Does the active segment? */
static bool
is_active_worth(const Merging *merging)
{
	const LogBounds *bounds = &merging->survey.bounds;
	SegmentSurveyItem active = {.bytes = bounds->active_end, .batches = bounds->active_entries};

	return is_worth(merging, &active);
}

/* Why nothing is merged. */
static void
explain(const Merging *merging, MaintenanceHold *hold)
{
	MergeGroup		group;

	if (next_group(merging, 0, &group))
		explain_group(merging, &group, hold);
	else if (is_obstacle_worth(merging))
		explain_obstacle(merging, hold);
	else if (is_active_worth(merging))
		explain_active(merging, hold);
	else
		hold->detail = pstrdup("No batches are worth merging.");
}

bool
pgt_merging_hold(const Topic *topic, int32 partition, MaintenanceHold *hold)
{
	Merging		merging;

	if (!topic->batch_merge)
		return false;
	begin(&merging, topic, false, false);
	if (!survey_partition(&merging, partition, false))
		return false;
	explain(&merging, hold);
	pfree(merging.survey.segments);
	return true;
}
