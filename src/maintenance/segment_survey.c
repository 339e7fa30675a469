/*
 * segment_survey.c
 *	  The segments of a partition that may be rewritten: what compaction and merging
 *	  choose from.
 *
 * A segment may be rewritten if it is finished, lies below the resolved offset, and its
 * youngest record has some age.  The first segment that may not ends the survey, so that
 * what is rewritten is one part of the log, at its start.
 *
 * All that is told of a segment is in the header, the first and the last entry of its index.
 *
 * Locks: none.  The caller's lock on the topic keeps the segments from being replaced, or
 * it takes an answer that may be out of date.
 */
#include "postgres.h"

#include "maintenance/segment_survey.h"
#include "util/clock.h"
#include "wal/log_writer.h"

/* Fill in what the first and the last entry of a segment tell of it. */
static void
look_at_entries(Segment *segment, uint32 count, SegmentSurveyItem *found)
{
	IndexEntry	first;
	IndexEntry	last;

	if (count == 0 || pgt_segment_read_entries(segment, 0, 1, &first) != 1 ||
		pgt_segment_read_entries(segment, count - 1, 1, &last) != 1)
		return;
	found->batches = count;
	found->bytes = last.position + last.length;
	found->is_merged = (last.flags & ENTRY_MERGED) != 0;
	found->last_xid = last.xid;
	found->last_lsn = last.lsn;
	found->first_timestamp = first.min_timestamp;
	found->largest_timestamp = last.largest_timestamp;
}

/* Fill in what there is to know of a listed segment; returns why it may not be rewritten. */
static SurveyObstacle
look_at(const SegmentSurvey *survey, const SegmentListItem *listed, int64 lag_ms, bool with_active,
		SegmentSurveyItem *found)
{
	Segment    *segment;

	if (listed->id.base >= survey->bounds.active_base + (with_active ? 1 : 0))
		return IS_ACTIVE;
	segment = pgt_log_segments_open(survey->state, listed->id);
	if (segment == NULL)
		return IS_GONE;
	memset(found, 0, sizeof(*found));
	found->id = listed->id;
	found->compacted_end = listed->span.compacted_end;
	found->end_offset = pgt_partition_log_segment_end(segment, &survey->bounds);
	if (found->end_offset > survey->bounds.resolved_offset)
		return IS_UNRESOLVED;
	look_at_entries(segment, pgt_partition_log_entries(segment, &survey->bounds), found);
	if (found->batches > 0 && lag_ms > 0 &&
		pgt_clock_ms_between(found->largest_timestamp, pgt_clock_shifted_now_ms()) < lag_ms)
		return IS_YOUNG;
	return NO_OBSTACLE;
}

bool
pgt_segment_survey(const Topic *topic, int32 partition, int64 lag_ms, bool with_active,
				   SegmentSurvey *survey)
{
	SegmentListItem *listed;
	int			files;

	memset(survey, 0, sizeof(*survey));
	survey->key = pgt_topic_partition(topic, partition);
	survey->state = pgt_log_state_find(&survey->key);
	if (survey->state == NULL || !pgt_partition_log_bounds(&survey->key, &survey->bounds))
		return false;
	files = pgt_segment_list(&survey->key, &listed);
	survey->segments = palloc((files + 1) * sizeof(SegmentSurveyItem));
	for (int i = 0; i < files; i++)
	{
		survey->obstacle = look_at(survey, &listed[i], lag_ms, with_active,
								   &survey->segments[survey->count]);
		if (survey->obstacle != NO_OBSTACLE)
			break;
		survey->compacted_end = Max(survey->compacted_end, listed[i].span.compacted_end);
		survey->count++;
	}
	pfree(listed);
	return true;
}

void
pgt_segment_survey_roll(const Topic *topic, int32 partition)
{
	TopicPartition key = pgt_topic_partition(topic, partition);
	PartitionState *state = pgt_log_state_find(&key);

	if (state != NULL)
		pgt_log_writer_roll(state);
}
