/*
 * retention.c
 *	  Removing old segments by the topic's rules, and telling when they will go.
 *
 * Retention cuts a partition's log at its front, by whole segments:
 *
 *	  [ segment ][ segment ][ segment ][ segment ][ active ....]
 *	     goes       goes       stays, and with it all behind it
 *
 * A segment goes if
 *	  - it lies below the log start already, because a crash or a failed unlink
 *		left it there;
 *	  - or the segments behind it have at least retention.bytes, unless the topic is
 *		only compacted;
 *	  - or its largest timestamp is more than retention.ms ago, unless the topic is
 *		only compacted.
 *
 * Each of the two rules gives the moment from which on a segment may go, DUE_NOW and
 * NEVER among them, and the earlier moment counts.  With retention.consumers = wait, a
 * segment with records that a group has still to read stays until the caps allow its
 * removal as well: the later of the rules' and the caps' moments counts.  With
 * retention.consumers.groups only the groups named there count, and they do so before their
 * first commit.  Offsets
 * without a record do not keep a segment: if all that a group has not read of it was
 * rolled back, the group is done with it (records_end.c).  The one function due_at()
 * serves both retention and the view pg_topic_groups.
 *
 * Records at or past the resolved offset are never removed: what a running or prepared
 * transaction wrote stays.  The active segment goes like any other, so that the records
 * of an idle topic do not outlive their time.  Since another session may append to it
 * meanwhile, it is removed on condition that the log still ends where it did.
 *
 * The decision is made on a copy of the bounds and stays right without a lock: a
 * finished segment does not change, later appends lie behind it, and everything else
 * that removes segments holds a lock on the topic that excludes ours.  A group that is
 * moved back at the same time may find its records gone, as it may a moment later.
 *
 * Removing is one WAL record and then unlinking (log_writer.c).  A crash in between
 * leaves segments below the log start, which the next run removes.
 *
 * Locks: the caller's ShareUpdateExclusiveLock on the topic, so that retention,
 * compaction and delete_records() of one topic exclude each other while producing and
 * consuming go on.  A slot's lock is held only for the WAL record.
 */
#include "postgres.h"

#include <sys/stat.h>

#include "common/int.h"
#include "group/group_row.h"
#include "maintenance/maintenance_hold.h"
#include "maintenance/maintenance_stats.h"
#include "maintenance/retention.h"
#include "share/share_group.h"
#include "topic/topic_options.h"
#include "util/clock.h"
#include "utils/timestamp.h"
#include "wal/log_writer.h"
#include "wal/records_end.h"

/* Moments from which on a segment may go, beside milliseconds since 1970. */
#define DUE_NOW		PG_INT64_MIN
#define NEVER		PG_INT64_MAX

typedef struct LogSegment
{
	SegmentId	id;
	int64		end;			/* where the next one begins, or the log end */
	int64		bytes;
	int64		bytes_behind;	/* of all segments behind it */
	int64		modified;		/* its file, milliseconds since 1970 */
} LogSegment;

/* A partition's log as one run finds it. */
typedef struct LogFront
{
	const Topic *topic;
	TopicPartition key;
	PartitionState *state;
	LogBounds	bounds;
	int64		consumed;		/* every group has read up to here */
	LogSegment *segments;		/* oldest first; an empty active one is left out */
	int			count;
} LogFront;

/* ---- the segments ------------------------------------------------------- */

/* Is it the active segment? */
static bool
is_active(const LogFront *front, SegmentId id)
{
	return pgt_segment_id_equal(id, pgt_segment_id_original(front->bounds.active_base));
}

/* Set size and age of a segment's log file; both are zero if the file is gone. */
static void
stat_segment(const LogFront *front, LogSegment *segment)
{
	char		path[MAXPGPATH];
	struct stat file = {0};

	pgt_segment_log_path(path, &front->key, segment->id);
	if (stat(path, &file) != 0 && errno != ENOENT)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not stat file \"%s\": %m", path)));
	segment->modified = (int64) file.st_mtime * 1000;
	segment->bytes = is_active(front, segment->id) ? front->bounds.active_end : file.st_size;
}

/* Read the partition's bounds and segments; false if nothing was ever appended. */
static bool
look_at_log(LogFront *front, const Topic *topic, int32 partition)
{
	SegmentListItem *listed;
	int			count;
	int64		behind = 0;

	memset(front, 0, sizeof(*front));
	front->topic = topic;
	front->key = pgt_topic_partition(topic, partition);
	front->state = pgt_log_state_find(&front->key);
	front->consumed = PG_INT64_MAX;
	if (front->state == NULL || !pgt_partition_log_bounds(&front->key, &front->bounds))
		return false;

	count = pgt_segment_list(&front->key, &listed);
	/* made since the bounds were taken, or empty */
	while (count > 0 && (listed[count - 1].id.base > front->bounds.active_base ||
						 (is_active(front, listed[count - 1].id) &&
						  front->bounds.active_entries == 0)))
		count--;
	front->segments = palloc0(count * sizeof(LogSegment) + 1);
	front->count = count;
	for (int i = count - 1; i >= 0; i--)
	{
		LogSegment *segment = &front->segments[i];

		segment->id = listed[i].id;
		segment->end = i + 1 < count ? listed[i + 1].id.base :
			is_active(front, segment->id) ? front->bounds.next_offset : front->bounds.active_base;
		stat_segment(front, segment);
		segment->bytes_behind = behind;
		behind += segment->bytes;
	}
	pfree(listed);
	return true;
}

/*
 * The largest timestamp in a segment, milliseconds since 1970.  A segment that has
 * lost its index is taken to be as old as its file.
 */
static int64
largest_timestamp(const LogFront *front, const LogSegment *segment)
{
	Segment    *open = pgt_log_segments_open(front->state, segment->id);
	uint32		count = open == NULL ? 0 : pgt_partition_log_entries(open, &front->bounds);
	IndexEntry	entry;

	if (count == 0 || pgt_segment_read_entries(open, count - 1, 1, &entry) != 1)
		return segment->modified;
	return entry.largest_timestamp;
}

/* The offset behind the last record of a segment at or past "next"; NO_OFFSET: it has none. */
static int64
records_end(const LogFront *front, const LogSegment *segment, int64 next)
{
	return pgt_records_end(front->state, &front->bounds, Max(next, segment->id.base),
						   segment->end, false);
}

/* Has a group still to read any of the segment's records? */
static bool
is_wanted(const LogFront *front, const LogSegment *segment)
{
	return segment->end > front->consumed &&
		records_end(front, segment, front->consumed) != NO_OFFSET;
}

/* ---- when a segment may go ---------------------------------------------- */

/* When a segment may go by a limit of time; a negative limit is none. */
static int64
due_by_time(const LogFront *front, const LogSegment *segment, int64 limit)
{
	int64		at;

	if (limit < 0 || pg_add_s64_overflow(largest_timestamp(front, segment), limit, &at))
		return NEVER;
	return at;
}

/* When a segment may go by a limit of size; a negative limit is none. */
static int64
due_by_size(const LogSegment *segment, int64 limit)
{
	return limit >= 0 && segment->bytes_behind >= limit ? DUE_NOW : NEVER;
}

/* When a segment may go by the first of two limits that it passes. */
static int64
due_by(const LogFront *front, const LogSegment *segment, int64 bytes, int64 ms)
{
	if (due_by_size(segment, bytes) == DUE_NOW)
		return DUE_NOW;
	return due_by_time(front, segment, ms);
}

/* How far the groups have read that retention waits for. */
static int64
consumed_by_groups(const Topic *topic, int32 partition)
{
	List	   *others;
	int64		shared;

	if (!topic->retention_waits)
		return PG_INT64_MAX;
	shared = pgt_share_group_consumed(topic->relid, partition, topic->retention_groups, &others);
	if (topic->retention_groups != NIL && others == NIL)
		return shared;
	return Min(shared, pgt_group_rows_consumed(topic->relid, partition, others));
}

/* When a segment may go by the topic's rules. */
static int64
due_at(const LogFront *front, const LogSegment *segment)
{
	const Topic *topic = front->topic;
	int64		at;

	if ((topic->cleanup_policy & CLEANUP_DELETE) == 0)
		return NEVER;
	at = due_by(front, segment, topic->retention_bytes, topic->retention_ms);
	if (at != NEVER && topic->retention_waits && is_wanted(front, segment))
		at = Max(at, due_by(front, segment, topic->retention_waits_bytes,
							topic->retention_waits_ms));
	return at;
}

/* How many segments go now, from the oldest on. */
static int
count_due(const LogFront *front)
{
	int64		now = pgt_clock_shifted_now_ms();
	int			due = 0;

	while (due < front->count)
	{
		const LogSegment *segment = &front->segments[due];

		if (segment->end > front->bounds.resolved_offset)
			break;
		if (segment->end > front->bounds.log_start_offset && due_at(front, segment) >= now)
			break;
		due++;
	}
	return due;
}

/* ---- removing ----------------------------------------------------------- */

/* Fill in the result of removing the first "removed" segments. */
static void
fill_result(const LogFront *front, int removed, RetentionResult *result)
{
	result->segments_deleted = removed;
	for (int i = 0; i < removed && i < front->count; i++)
		result->bytes_deleted += front->segments[i].bytes;
}

/* Count the segments removed, and close the files that this process has open. */
static void
finish_removal(const LogFront *front, int removed, RetentionResult *result)
{
	LogBounds	bounds;

	fill_result(front, removed, result);
	(void) pgt_partition_log_bounds(&front->key, &bounds);
	result->log_start_offset = bounds.log_start_offset;
	if (removed > 0)
	{
		pgt_maintenance_stats_deleted(front->state, removed, result->bytes_deleted);
		pgt_log_segments_close_deleted(front->state);
	}
}

/* Remove the first "due" segments, as far as they are still due; returns how many went. */
static int
remove_segments(const LogFront *front, int due)
{
	const LogSegment *last = &front->segments[due - 1];
	int			removed;

	if (last->end <= front->bounds.log_start_offset)
		return pgt_log_writer_collect_deleted(front->state);
	if (!is_active(front, last->id))
		return pgt_log_writer_delete_before(front->state, last->end, false);

	removed = pgt_log_writer_delete_idle(front->state, last->end);
	if (removed == 0 && due > 1)
		removed = remove_segments(front, due - 1);
	return removed;
}

void
pgt_retention_run(const Topic *topic, int32 partition, bool dry_run, RetentionResult *result)
{
	LogFront	front;
	int			due;

	memset(result, 0, sizeof(*result));
	if (!look_at_log(&front, topic, partition))
		return;
	front.consumed = consumed_by_groups(topic, partition);
	due = count_due(&front);
	if (dry_run)
	{
		fill_result(&front, due, result);
		result->log_start_offset = front.bounds.log_start_offset;
		if (due > 0)
			result->log_start_offset = Max(result->log_start_offset, front.segments[due - 1].end);
	}
	else
		finish_removal(&front, due > 0 ? remove_segments(&front, due) : 0, result);
	pfree(front.segments);
}

void
pgt_retention_delete_before(const Topic *topic, int32 partition, int64 offset,
							RetentionResult *result)
{
	LogFront	front;

	memset(result, 0, sizeof(*result));
	if (!look_at_log(&front, topic, partition))
		return;
	finish_removal(&front, pgt_log_writer_delete_before(front.state, offset, false), result);
	pfree(front.segments);
}

/* ---- what a group is about to lose --------------------------------------- */

bool
pgt_retention_at_risk(const Topic *topic, const char *group, int32 partition, int64 next,
					  int64 *records, int64 *at)
{
	LogFront	front;
	const LogSegment *segment;
	int64		end = NO_OFFSET;
	int			i = 0;

	if (!look_at_log(&front, topic, partition))
		return false;
	next = Max(next, front.bounds.log_start_offset);
	front.consumed = pgt_topic_options_waits_for(topic, group) ? next : consumed_by_groups(topic, partition);
	while (i < front.count &&
		   (front.segments[i].end <= next ||
			(end = records_end(&front, &front.segments[i], next)) == NO_OFFSET))
		i++;
	if (i == front.count)
		return false;
	segment = &front.segments[i];
	*records = end - Max(next, segment->id.base);
	*at = due_at(&front, segment);
	if (*at >= LAST_MOMENT)
		return false;
	if (*at == DUE_NOW)
		*at = pgt_clock_shifted_now_ms();
	return true;
}

/* ---- what holds it back --------------------------------------------------- */

/* Why a segment that the rules do not keep for ever stays for now. */
static void
explain_rules(const LogFront *front, const LogSegment *segment, MaintenanceHold *hold)
{
	const Topic *topic = front->topic;
	int64		largest = largest_timestamp(front, segment);

	if (due_by(front, segment, topic->retention_bytes, topic->retention_ms) < pgt_clock_shifted_now_ms())
	{
		pgt_maintenance_hold_by_timestamp(hold, "retention.consumers", largest, topic->retention_waits_ms);
		hold->has_timestamp = topic->retention_waits_ms >= 0;
		hold->detail = psprintf("A consumer group has read only up to offset %lld; the segment ends at %lld.",
								(long long) front->consumed, (long long) segment->end);
		return;
	}
	pgt_maintenance_hold_by_timestamp(hold, "retention.ms", largest, topic->retention_ms);
	hold->detail = topic->retention_ms < 0 ? pstrdup("Records are kept for ever.") :
		psprintf("The youngest record of the oldest segment is kept for %lld ms.", (long long) topic->retention_ms);
	if (topic->retention_bytes >= 0)
		hold->detail = psprintf("%s The segments behind it have %lld bytes, and retention.bytes keeps %lld.", hold->detail,
								(long long) segment->bytes_behind, (long long) topic->retention_bytes);
}

/* Why the oldest segment stays. */
static void
explain_oldest(const LogFront *front, MaintenanceHold *hold)
{
	const LogSegment *segment = &front->segments[0];

	hold->has_segment = true;
	hold->base_offset = segment->id.base;
	hold->end_offset = segment->end;
	if (segment->end > front->bounds.resolved_offset)
	{
		hold->by = "transaction";
		hold->detail = psprintf("The transaction that wrote offset %lld is not known to have ended; see pg_topic_partitions.",
								(long long) front->bounds.resolved_offset);
	}
	else if (count_due(front) > 0)
		hold->detail = pstrdup("The next round removes the oldest segment.");
	else if ((front->topic->cleanup_policy & CLEANUP_DELETE) == 0)
	{
		hold->by = "cleanup.policy";
		hold->detail = pstrdup("The topic is only compacted.");
	}
	else
		explain_rules(front, segment, hold);
}

bool
pgt_retention_hold(const Topic *topic, int32 partition, MaintenanceHold *hold)
{
	LogFront	front;

	if (!look_at_log(&front, topic, partition))
		return false;
	front.consumed = consumed_by_groups(topic, partition);
	if (front.count > 0)
		explain_oldest(&front, hold);
	else
		hold->detail = pstrdup("The partition has no records.");
	pfree(front.segments);
	return true;
}
