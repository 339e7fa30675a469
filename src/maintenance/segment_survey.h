/*
 * segment_survey.h
 *	  The segments of a partition that may be rewritten.
 */
#ifndef SEGMENT_SURVEY_H
#define SEGMENT_SURVEY_H

#include "topic/topic.h"

/* A segment that may be rewritten. */
typedef struct SegmentSurveyItem
{
	SegmentId	id;
	int64		end_offset;
	int64		compacted_end;	/* as its header has it */
	uint32		bytes;			/* of its log */
	uint32		batches;
	bool		is_merged;		/* merging has written it, up to its end */
	uint64		last_xid;		/* of its last batch; 0 if it has none */
	XLogRecPtr	last_lsn;		/* of that batch */
	int64		first_timestamp;
	int64		largest_timestamp;
} SegmentSurveyItem;

/* Reasons why a segment may not be rewritten. */
typedef enum SurveyObstacle
{
	NO_OBSTACLE,
	IS_ACTIVE,
	IS_GONE,
	IS_UNRESOLVED,
	IS_YOUNG					/* its youngest record has not the age asked for */
} SurveyObstacle;

/* The segments of a partition that may be rewritten: those before the first obstacle. */
typedef struct SegmentSurvey
{
	TopicPartition key;
	PartitionState *state;
	LogBounds	bounds;
	SegmentSurveyItem *segments;	/* palloc'd; behind the last one is that with the obstacle */
	int			count;
	int64		compacted_end;	/* the largest of theirs */
	SurveyObstacle obstacle;
} SegmentSurvey;

/*
 * Survey a partition's finished segments whose records are at least "lag_ms" old, and the
 * active one as well if "with_active".  False if the partition has no log.
 */
extern bool pgt_segment_survey(const Topic *topic, int32 partition, int64 lag_ms, bool with_active,
							   SegmentSurvey *survey);

/* Start a new active segment, if there is a log, so that a survey finds the old one finished. */
extern void pgt_segment_survey_roll(const Topic *topic, int32 partition);

#endif							/* SEGMENT_SURVEY_H */
