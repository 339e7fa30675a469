/*
 * partition_cursor.c
 *	  A partition opened where a group continues: the offset at which it does so, and
 *	  the first record there.
 *
 *	  nothing committed		auto_offset_reset decides
 *	  a record was deleted	auto_offset_reset decides; the deleted records are lost
 *	  past the log end		auto_offset_reset decides; the topic was restored without
 *							its records
 *	  otherwise				at the group's next offset, or at the log start
 *
 * Gaps.  Readers pass over offsets without a record as if they did not exist: offsets of
 * transactions that rolled back, of records that compaction removed, and offsets that no
 * record ever had.  Behind a record the reader does so.  If a group has only such offsets
 * left to read, up to the log's end or to the first record that its snapshot takes for
 * running, the cursor says where they end ("passed"), and the group's offset is moved
 * there, once.  Otherwise the group would lag behind for ever, hold retention.consumers
 * up, and count these offsets as lost once they are deleted.  If the log starts behind the
 * group's offset, that is such a gap too, unless a record between was deleted
 * (deleted_end).
 *
 * Offset reset.  A group with nothing committed, or whose next record was deleted, starts
 * where auto_offset_reset says; its row counts what it has lost.  "latest" must be fixed
 * by the first call, even if that returns nothing, or the group would miss the records
 * produced before its next call: so the log's visible end is committed at once, and by a
 * call that waits when it has waited.  Until then the transaction remembers it.
 *
 * The log's start may move while a cursor is opened; if it has passed the first record,
 * the cursor is opened again and finds a gap.
 *
 * A record that must not be delivered yet (nack_header.c) holds its partition back like
 * the end of the log; a look that meets such a record asks for another look at its time.
 * A group that has committed nothing commits its start there, so that pg_topic_groups can
 * show that it waits, and for how long.
 *
 * A cursor is opened by what the caller has read of the group, and changes nothing: it
 * takes no lock and no transaction id.  The caller commits, counts and owns.
 *
 * Memory: the reader's, until the cursor is closed.
 */
#include "postgres.h"

#include "utils/lsyscache.h"

#include "consume/consume_pass.h"
#include "consume/consume_wait.h"
#include "consume/nack_header.h"
#include "consume/partition_cursor.h"
#include "group/lease.h"
#include "util/clock.h"
#include "wal/log_reader.h"
#include "wal/visible_end.h"

/* ---- where a group starts ----------------------------------------------- */

/* ERROR: the group has committed nothing, and auto_offset_reset is "none". */
static void
report_no_offset(const ConsumePassTopic *pass, int32 partition)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("consumer group \"%s\" has no committed offset in partition %d of topic \"%s\"",
					pass->group.id, partition, get_rel_name(pass->topic->relid)),
			 errdetail("auto_offset_reset is \"none\"."),
			 errhint("Commit an offset with commit_offset() or one of the seek functions, "
					 "or set auto_offset_reset to \"earliest\" or \"latest\".")));
}

/* ERROR: the group's next record was deleted, and auto_offset_reset is "none". */
static void
report_offset_out_of_range(const ConsumePassTopic *pass, int32 partition, int64 offset,
						   int64 log_start)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("offset %lld of consumer group \"%s\" in partition %d of topic \"%s\" is below the log start offset %lld",
					(long long) offset, pass->group.id, partition,
					get_rel_name(pass->topic->relid), (long long) log_start),
			 errdetail("The records in between have been deleted; auto_offset_reset is \"none\"."),
			 errhint("To accept the loss, use seek_to_beginning(), or set auto_offset_reset to \"earliest\". "
					 "To keep records until the group has read them, set the topic's option retention.consumers to \"wait\".")));
}

/* ERROR: the group's offset is past the log end, and auto_offset_reset is "none". */
static void
report_offset_past_end(const ConsumePassTopic *pass, int32 partition, int64 offset, int64 log_end)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("offset %lld of consumer group \"%s\" in partition %d of topic \"%s\" is past the log end offset %lld",
					(long long) offset, pass->group.id, partition,
					get_rel_name(pass->topic->relid), (long long) log_end),
			 errdetail("The topic was restored without its earlier records; auto_offset_reset is \"none\"."),
			 errhint("To read what the topic has now, use seek_to_beginning(); to read only what comes, use seek_to_end(). "
					 "If the records should be there, restore them first.")));
}

/*
 * Start at the end of what the snapshot sees, or at the end that the transaction has
 * remembered when it first looked, and have that committed.  A remembered start before
 * what the group has read since ("next", or NO_OFFSET) no longer counts.
 */
static void
start_at_end(const ConsumePassTopic *pass, const GroupPartition *offset, PartitionCursor *cursor,
			 int64 next, int64 log_start)
{
	TransactionId blocker;

	if (offset->start == NO_OFFSET || offset->start < next)
		cursor->start = pgt_visible_end(&cursor->key, pass->whole->snapshot, &blocker);
	else
		cursor->start = Max(offset->start, log_start);
	cursor->must_commit = true;
}

/* Set cursor->start for a group that has committed nothing. */
static void
start_new_group(const ConsumePassTopic *pass, const GroupPartition *offset, PartitionCursor *cursor,
				int64 log_start)
{
	switch (pass->whole->request->reset)
	{
		case OFFSET_RESET_EARLIEST:
			cursor->start = log_start;
			break;
		case OFFSET_RESET_LATEST:
			start_at_end(pass, offset, cursor, NO_OFFSET, log_start);
			break;
		case OFFSET_RESET_NONE:
			report_no_offset(pass, offset->partition);
			break;
	}
}

/* Set cursor->start for a group whose next record was deleted. */
static void
start_behind_lost(const ConsumePassTopic *pass, const GroupPartition *offset, PartitionCursor *cursor,
				  int64 next, const LogBounds *bounds)
{
	int64		log_start = bounds->log_start_offset;

	cursor->lost = bounds->deleted_end - next;
	cursor->log_start = log_start;
	switch (pass->whole->request->reset)
	{
		case OFFSET_RESET_EARLIEST:
			cursor->start = log_start;
			break;
		case OFFSET_RESET_LATEST:
			start_at_end(pass, offset, cursor, next, log_start);
			break;
		case OFFSET_RESET_NONE:
			report_offset_out_of_range(pass, cursor->key.partition, next, log_start);
			break;
	}
}

/*
 * Set cursor->start for a group whose offset is past the log end: the topic
 * was restored without its records, and what is there now is another log.
 */
static void
start_over(const ConsumePassTopic *pass, const GroupPartition *offset, PartitionCursor *cursor,
		   int64 next, const LogBounds *bounds)
{
	switch (pass->whole->request->reset)
	{
		case OFFSET_RESET_EARLIEST:
			cursor->start = bounds->log_start_offset;
			cursor->past_end = next;
			break;
		case OFFSET_RESET_LATEST:
			start_at_end(pass, offset, cursor, NO_OFFSET, bounds->log_start_offset);
			break;
		case OFFSET_RESET_NONE:
			report_offset_past_end(pass, cursor->key.partition, next, bounds->next_offset);
			break;
	}
}

/* ---- the cursor --------------------------------------------------------- */

void
pgt_partition_cursor_close(PartitionCursor *cursor)
{
	if (cursor->reader != NULL)
		pgt_log_reader_end(cursor->reader);
	cursor->reader = NULL;
}

bool
pgt_partition_cursor_is_due(const ConsumePassTopic *pass, const PartitionCursor *cursor)
{
	int64		wait_ms = pgt_nack_header_held_until(pass->topic, &cursor->record);

	if (wait_ms > 0)
		wait_ms -= pgt_clock_shifted_now_ms();
	if (wait_ms <= 0)
		return true;
	pgt_consume_wait_again_in((int64) Min(wait_ms * 1000.0, LONGEST_TIMEOUT));
	return false;
}

/*
 * Open a reader at cursor->start and read the first record; if there is none, the cursor
 * has no reader.  False if the log's start has moved past cursor->start meanwhile.
 */
static bool
open_reader(const ConsumePassTopic *pass, PartitionCursor *cursor)
{
	bool		found;

	cursor->reader = pgt_log_reader_begin(&cursor->key, cursor->start, pass->whole->snapshot, NULL);
	found = pgt_log_reader_next(cursor->reader, &cursor->record);
	if (pgt_log_reader_log_start(cursor->reader) > cursor->start)
	{
		pgt_partition_cursor_close(cursor);
		return false;
	}
	if (!found)
		cursor->passed = pgt_log_reader_position(cursor->reader);
	cursor->held = found && !pgt_partition_cursor_is_due(pass, cursor);
	if (!found || cursor->held)
		pgt_partition_cursor_close(cursor);
	return true;
}

/* The next offset of the pass's consumer in a partition; NO_OFFSET if nothing is committed yet. */
static int64
next_offset(const ConsumePassTopic *pass, const GroupPartition *offset)
{
	return pass->lease != NULL ? pgt_lease_next_offset(offset) : pgt_group_next_offset(offset);
}

/* Set cursor->start by the log's present bounds. */
static void
choose_start(const ConsumePassTopic *pass, const GroupPartition *offset, PartitionCursor *cursor,
			 const LogBounds *bounds)
{
	int64		next = cursor->next;

	cursor->lost = 0;
	cursor->past_end = NO_OFFSET;
	cursor->must_commit = false;
	cursor->held = false;
	if (next == NO_OFFSET)
		start_new_group(pass, offset, cursor, bounds->log_start_offset);
	else if (next < bounds->deleted_end)
		start_behind_lost(pass, offset, cursor, next, bounds);
	else if (next > bounds->next_offset)
		start_over(pass, offset, cursor, next, bounds);
	else
		cursor->start = Max(next, bounds->log_start_offset);
	cursor->passed = cursor->start;
}

bool
pgt_partition_cursor_has_work(const PartitionCursor *cursor)
{
	return cursor->reader != NULL || cursor->must_commit;
}

/* Has the cursor found a gap right at the group's next offset? */
static bool
is_before_gap(const PartitionCursor *cursor)
{
	return cursor->passed > cursor->start ||
		(cursor->next != NO_OFFSET && cursor->start > cursor->next);
}

bool
pgt_partition_cursor_open(const ConsumePassTopic *pass, const GroupPartition *offset,
						  PartitionCursor *cursor)
{
	LogBounds	bounds;

	cursor->key = pgt_topic_partition(pass->topic, offset->partition);
	cursor->next = next_offset(pass, offset);
	cursor->reader = NULL;
	do
	{
		(void) pgt_partition_log_bounds(&cursor->key, &bounds);
		choose_start(pass, offset, cursor, &bounds);
	} while (bounds.next_offset > cursor->start && !open_reader(pass, cursor));

	if (cursor->held && cursor->next == NO_OFFSET)
		cursor->must_commit = true;
	return pgt_partition_cursor_has_work(cursor) || is_before_gap(cursor);
}

/* Tell a consumer that it starts again, because its offset was past the log end. */
static void
report_start_over(const ConsumePassTopic *pass, const PartitionCursor *cursor)
{
	ereport(NOTICE,
			(errmsg("consumer group \"%s\" starts over at offset %lld of partition %d of topic \"%s\"",
					pass->group.id, (long long) cursor->start,
					cursor->key.partition, get_rel_name(pass->topic->relid)),
			 errdetail("The group had committed offset %lld, which is past the log end.",
					   (long long) cursor->past_end)));
}

/* Tell a consumer that records were deleted before it read them. */
static void
report_lost_records(const ConsumePassTopic *pass, const PartitionCursor *cursor)
{
	ereport(NOTICE,
			(errmsg_plural("consumer group \"%s\" skips %lld offset of partition %d of topic \"%s\" whose record has been deleted",
						   "consumer group \"%s\" skips %lld offsets of partition %d of topic \"%s\" whose records have been deleted",
						   cursor->lost,
						   pass->group.id, (long long) cursor->lost,
						   cursor->key.partition, get_rel_name(pass->topic->relid)),
			 errdetail("The group had committed offset %lld; the log starts at %lld.",
					   (long long) cursor->next, (long long) cursor->log_start)));
}

void
pgt_partition_cursor_report(const ConsumePassTopic *pass, const PartitionCursor *cursor)
{
	if (cursor->lost > 0)
		report_lost_records(pass, cursor);
	if (cursor->past_end != NO_OFFSET)
		report_start_over(pass, cursor);
}
