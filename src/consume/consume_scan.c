/*
 * consume_scan.c
 *	  A call of consume(), consume_as() or consume_many() that gives one record at a time.
 *
 * Both forms of these functions read by a scan: the plan node (consume_node.c), which is
 * asked for one row after the other, and the function (consume.c), which takes all.
 *
 *	  begin		wait for records; read the group's rows	no lock
 *	  next		a record of the open partition			no lock, mostly no I/O
 *				or own and open the next partition, least recently served first
 *				or nothing is left, or max_records is reached
 *	  end		close the partition
 *
 * A record that was given is consumed, and only those are.  consume_live.c says when that is
 * written.  So a group with nothing to read writes nothing and locks nothing (except for a
 * keep-alive commit every few days, see pgt_group_refresh_expiry()), and no consumer ever
 * waits for another one.
 *
 * A member's call (leased mode) is begun and ended by the scan's begin: it says which
 * partitions the member has, and renews the leases if there is a record.  How far the member
 * has read is written for each partition when the scan leaves it, as for a transaction.
 *
 * Between two records the transaction may do anything.  Its other calls may consume from
 * partitions that the scan has listed and not opened yet, so these are read again then.  It
 * may move the group in the open partition, or roll back to a savepoint: then the scan cannot
 * go on (group_position.c), and says so, rather than give a record twice or never.
 *
 * Rewinding.  The scan keeps which ranges of offsets it has given.  The log does not change,
 * and the snapshot stays, so the same records are read again there.  If retention or
 * compaction has removed some, the statement fails and may be run again.
 *
 * Records are those that the statement's snapshot sees, so that a query that joins them with
 * tables sees both as of one moment.  What is consumed already is decided by the offset's
 * latest version, see consumer_group.c.  Only a call that has waited inside of its statement
 * needs a newer snapshot.
 *
 * Locks: AccessShareLock on the topics until the transaction's end; then the partitions'
 * rows, which are never waited for.
 *
 * Memory: one context for the scan's life.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

#include "consume/consume_live.h"
#include "consume/consume_look.h"
#include "consume/consume_partition.h"
#include "consume/consume_pass.h"
#include "consume/consume_scan.h"
#include "group/consumer_group.h"
#include "group/group_row.h"
#include "group/lease.h"
#include "wal/log_reader.h"

/* Offsets of a partition from which the scan has given all records. */
typedef struct ScanRange
{
	ConsumePassTopic *topic;
	int32		partition;
	int64		start;
	int64		end;
	int64		records;
} ScanRange;

struct ConsumeScan
{
	MemoryContext context;
	MemoryContextCallback gone;
	const ConsumeRequest *request;
	ConsumePass pass;
	ResourceOwner owner;		/* of the snapshot, if the scan has taken one; else NULL */

	ConsumePassPartition *ordered;	/* the partitions to serve */
	int			count;
	int			at;				/* the next one of them */
	uint64		changes;		/* pgt_group_row_changes() when they were read */
	int64		records;		/* given so far */
	bool		done;

	/* the partition that is open */
	ConsumePassTopic *open;		/* its topic; NULL: none is */
	bool		is_first;		/* the cursor's record is its first, and was not given yet */
	PartitionCursor cursor;
	PositionScan position;
	int64		bytes;			/* of its records */

	/* the ranges given; the last one is of the open partition */
	ScanRange  *ranges;
	int			range_count;
	int			range_capacity;
	bool		replaying;
	int			replay_at;
	LogReader  *replay;			/* NULL: that range is to be opened */
	Record		replay_record;
	int64		replayed;		/* records of that range */
};

/* ---- beginning ---------------------------------------------------------- */

/* As MemoryContextCallback: the scan's memory goes, in whatever way. */
static void
scan_is_gone(void *arg)
{
	pgt_position_scan_end(&((ConsumeScan *) arg)->position);
}

/* Wait within the statement; if nothing was there at first, a newer snapshot shows what came. */
static void
wait_inside(ConsumeScan *scan)
{
	if (!pgt_consume_look_wait(scan->request, scan->pass.snapshot))
		return;
	scan->owner = CurrentResourceOwner;
	scan->pass.snapshot = RegisterSnapshotOnOwner(GetLatestSnapshot(), scan->owner);
}

/* Remember for commit_offsets() that the transaction reads for the group in each topic. */
static void
note_reading(const ConsumePass *pass)
{
	ListCell   *cell;

	foreach(cell, pass->topics)
		pgt_group_position_note_reading(&((ConsumePassTopic *) lfirst(cell))->group);
}

/* ---- partitions --------------------------------------------------------- */

/* A new range, which begins where the cursor is. */
static void
add_range(ConsumeScan *scan)
{
	if (scan->range_count == scan->range_capacity)
	{
		scan->range_capacity = Max(scan->range_capacity * 2, 4);
		scan->ranges = scan->ranges == NULL ? palloc(sizeof(ScanRange) * scan->range_capacity) :
			repalloc(scan->ranges, sizeof(ScanRange) * scan->range_capacity);
	}
	scan->ranges[scan->range_count++] = (ScanRange) {
		.topic = scan->open, .partition = scan->cursor.key.partition,
		.start = scan->cursor.start, .end = scan->cursor.start
	};
}

/*
 * The transaction has run other code since the partition was listed: read it again where
 * something has changed.
 */
static void
refresh(ConsumeScan *scan, const ConsumePassTopic *topic, GroupPartition *part)
{
	GroupPartition now = {.partition = part->partition};
	Relation	table;

	pgt_group_position_read(&topic->group, &now);
	if (pgt_group_row_changes() == scan->changes && now.position == part->position &&
		now.start == part->start)
		return;
	table = table_open(topic->group.offsets_table, AccessShareLock);
	pgt_group_row_refresh(table, &topic->group, part);
	table_close(table, AccessShareLock);
}

/* Begin with the position in the partition that the cursor has opened. */
static void
begin_position(ConsumeScan *scan)
{
	PositionScan *position = &scan->position;

	position->group = scan->open->group;
	position->partition = scan->cursor.key.partition;
	position->member = scan->request->member;
	position->until = position->member == NULL ? DT_NOBEGIN : pgt_lease_until(scan->open->lease);
	position->commits = position->member != NULL || scan->request->auto_commit;
	position->next = scan->cursor.start;
	pgt_position_scan_begin(position);
}

/*
 * Where other queries of the transaction have consumed for the group, this one goes on.  A
 * member does so from the lease.  And what they leave to be committed must not become a
 * position that is not.  Else their positions count as they are.
 */
static void
settle_others(ConsumeScan *scan)
{
	if (scan->request->member != NULL || !scan->request->auto_commit)
		pgt_consume_live_settle(scan->request->group.id);
}

/* Own and open the next partition with records; false if there is none left. */
static bool
open_partition(ConsumeScan *scan)
{
	if (scan->records > 0)
		settle_others(scan);
	while (scan->at < scan->count)
	{
		ConsumePassPartition *next = &scan->ordered[scan->at++];

		if (scan->records > 0)
			refresh(scan, next->topic, next->offset);
		if (!pgt_consume_partition_begin(next->topic, next->offset, &scan->cursor))
			continue;
		scan->open = next->topic;
		scan->is_first = true;
		scan->bytes = 0;
		add_range(scan);
		begin_position(scan);
		return true;
	}
	return false;
}

/* Bring the open partition's range up to date. */
static void
mark_range(ConsumeScan *scan)
{
	scan->ranges[scan->range_count - 1].end = scan->position.next;
}

/* Count the open partition's records, for pg_stat_topics. */
static void
count_records(const ConsumeScan *scan)
{
	PartitionState *state = pgt_log_state_find(&scan->cursor.key);

	if (state == NULL)
		return;
	pg_atomic_fetch_add_u64(&state->records_out, scan->ranges[scan->range_count - 1].records);
	pg_atomic_fetch_add_u64(&state->bytes_out, scan->bytes);
}

/* The open partition is done with: others may go on there.  Its last record stays valid. */
static void
release_partition(ConsumeScan *scan)
{
	if (!scan->position.is_live)
		return;
	mark_range(scan);
	count_records(scan);
	pgt_consume_live_close(&scan->position);
}

/* Close the open partition. */
static void
close_partition(ConsumeScan *scan)
{
	release_partition(scan);
	pgt_partition_cursor_close(&scan->cursor);
	scan->open = NULL;
}

/* ---- records ------------------------------------------------------------ */

/* ERROR: the group does not stand where the scan has left it. */
static void
report_overtaken(const ConsumeScan *scan)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_CURSOR_STATE),
			 errmsg("query cannot go on consuming partition %d of topic \"%s\" for consumer group \"%s\"",
					scan->position.partition, get_rel_name(scan->position.group.topic),
					scan->position.group.id),
			 errdetail("The group's offset was moved, or went back with a savepoint, after the query had returned records."),
			 errhint("Close the cursor, and consume again.")));
}

/* Move to the next record of the open partition; false if it has no more. */
static bool
next_in_partition(ConsumeScan *scan)
{
	if (scan->is_first)
	{
		scan->is_first = false;
		return true;
	}
	if (unlikely(scan->position.overtaken))
		report_overtaken(scan);
	return pgt_consume_partition_next(scan->open, &scan->cursor, &scan->position.next);
}

/* Move to the next record that was not given yet; false if there is none. */
static bool
next_live(ConsumeScan *scan)
{
	if (scan->done || scan->records >= scan->request->max_records)
		return false;
	for (;;)
	{
		if (scan->open == NULL && !open_partition(scan))
		{
			scan->done = true;
			return false;
		}
		if (next_in_partition(scan))
			break;
		close_partition(scan);
	}
	scan->position.next = pgt_log_reader_position(scan->cursor.reader);
	scan->bytes += scan->cursor.record.encoded_length;
	scan->ranges[scan->range_count - 1].records++;
	if (++scan->records >= scan->request->max_records)
		release_partition(scan);
	return true;
}

/* ---- rewinding ---------------------------------------------------------- */

/* ERROR: the log does not have all records any more that were given. */
static void
report_deleted(const ScanRange *range)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not read consumed records again"),
			 errdetail("Records of partition %d of topic \"%s\" have been deleted since the query has consumed them.",
					   range->partition, get_rel_name(range->topic->group.topic)),
			 errhint("The transaction might succeed if retried.")));
}

/* Open a range to read it again. */
static void
begin_replay(ConsumeScan *scan, const ScanRange *range)
{
	LogReaderFilter filter = {PG_INT64_MIN, PG_INT64_MAX, range->end, false};
	TopicPartition key = pgt_topic_partition(range->topic->topic, range->partition);

	scan->replay = pgt_log_reader_begin(&key, range->start, scan->pass.snapshot, &filter);
	scan->replayed = 0;
	if (pgt_log_reader_log_start(scan->replay) > range->start)
		report_deleted(range);
}

/* End the reading of a range. */
static void
end_replay(ConsumeScan *scan)
{
	if (scan->replay != NULL)
		pgt_log_reader_end(scan->replay);
	scan->replay = NULL;
}

/* Move to the next record that was given before; false if all have been given again. */
static bool
next_again(ConsumeScan *scan)
{
	for (; scan->replay_at < scan->range_count; scan->replay_at++)
	{
		const ScanRange *range = &scan->ranges[scan->replay_at];

		if (range->records == 0)
			continue;
		if (scan->replay == NULL)
			begin_replay(scan, range);
		if (pgt_log_reader_next(scan->replay, &scan->replay_record))
		{
			scan->replayed++;
			return true;
		}
		if (scan->replayed != range->records)
			report_deleted(range);
		end_replay(scan);
	}
	scan->replaying = false;
	return false;
}

/* ---- the interface ------------------------------------------------------- */

/* List the partitions to serve, and begin to read. */
static void
begin_serving(ConsumeScan *scan)
{
	pgt_consume_pass_open_topics(&scan->pass);
	if (scan->request->member == NULL)
	{
		scan->count = pgt_consume_pass_list(&scan->pass, &scan->ordered);
		pgt_consume_pass_keep_groups(&scan->pass);
		if (!scan->request->auto_commit)
			note_reading(&scan->pass);
	}
	else
	{
		scan->count = pgt_consume_pass_begin_member(&scan->pass, &scan->ordered);
		if (open_partition(scan))
			pgt_lease_keep(scan->open->lease);
		pgt_consume_pass_end_member(&scan->pass);
		if (scan->open != NULL)
			scan->position.until = pgt_lease_until(scan->open->lease);
	}
	scan->changes = pgt_group_row_changes();
}

ConsumeScan *
pgt_consume_scan_begin(const ConsumeRequest *request, Snapshot snapshot, bool waited)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics consume",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	ConsumeScan *scan = palloc0(sizeof(ConsumeScan));

	scan->context = context;
	scan->gone.func = scan_is_gone;
	scan->gone.arg = scan;
	MemoryContextRegisterResetCallback(context, &scan->gone);
	scan->request = scan->pass.request = request;
	scan->pass.snapshot = snapshot;

	settle_others(scan);
	if (request->timeout > 0 && !waited && !IsolationUsesXactSnapshot())
		wait_inside(scan);
	begin_serving(scan);
	MemoryContextSwitchTo(caller);
	return scan;
}

bool
pgt_consume_scan_next(ConsumeScan *scan, ConsumeScanRow *row)
{
	MemoryContext caller = MemoryContextSwitchTo(scan->context);
	bool		again = scan->replaying && next_again(scan);
	bool		found = again || next_live(scan);

	MemoryContextSwitchTo(caller);
	if (again)
	{
		row->topic = scan->ranges[scan->replay_at].topic->topic;
		row->partition = scan->ranges[scan->replay_at].partition;
		row->record = &scan->replay_record;
	}
	else if (found)
	{
		row->topic = scan->open->topic;
		row->partition = scan->cursor.key.partition;
		row->record = &scan->cursor.record;
	}
	return found;
}

void
pgt_consume_scan_rewind(ConsumeScan *scan)
{
	end_replay(scan);
	if (scan->position.is_live)
		mark_range(scan);
	scan->replaying = true;
	scan->replay_at = 0;
}

int64
pgt_consume_scan_records(const ConsumeScan *scan)
{
	return scan->records;
}

int
pgt_consume_scan_partitions(const ConsumeScan *scan)
{
	return scan->range_count;
}

void
pgt_consume_scan_end(ConsumeScan *scan)
{
	MemoryContext caller = MemoryContextSwitchTo(scan->context);

	end_replay(scan);
	if (scan->open != NULL)
		close_partition(scan);
	if (scan->owner != NULL)
		UnregisterSnapshotFromOwner(scan->pass.snapshot, scan->owner);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scan->context);
}
