/*
 * record_count.c
 *	  Counting the records that a waiting call could get (min_records).
 *
 * A call waits until it can return min_records records, which may be in several partitions.
 * Offsets do not tell how many there are: transactions have rolled back, compaction has
 * removed records, nack() holds some back.  So a look reads the records and counts them, up to
 * the number wanted.  It is woken about once for that number (topic_waiters.c), so each
 * record is read about twice.
 *
 *	  for each wanted partition, least recently served first, until there are enough
 *		 open a cursor at the group's next offset, count		no lock
 *	  enough: own these partitions in the same order
 *
 * The locks on partitions cannot be given back before the transaction ends.  So the first
 * one decides: if another consumer has got it meanwhile, or has moved the offset, nothing is
 * owned, and another look follows soon, since partitions that were not counted may have
 * enough.  Of consumers that count the same partitions one gets the first, and then the
 * others.
 *
 * How many are missing.  Every record that the look did not see is announced when its
 * transaction ends, and the waiter adds these up.  There is one exception: a record behind
 * one of a running transaction was announced before, but cannot be read yet.  When that
 * transaction ends it announces its own records only.  So such offsets count as if they
 * could be read, and the waiter looks when the rest is announced, or at the next
 * news.
 *
 * Partitions that other consumers own do not count.  What is left there is announced when
 * their transactions end.
 *
 * Locks: the partitions' rows (consumer_group.c), until the transaction's end.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "consume/consume_wait.h"
#include "consume/record_count.h"
#include "group/group_position.h"
#include "group/group_wakeup.h"
#include "group/live_members.h"
#include "group/partition_owner.h"
#include "wal/log_reader.h"
#include "wal/visible_end.h"

/* ---- counting ----------------------------------------------------------- */

void
pgt_record_count_begin(RecordCount *count, const ConsumeRequest *request)
{
	count->wanted = request->min_records;
	count->found = 0;
	count->behind = 0;
}

/* Read the cursor's records that can be delivered now, "most" at most.  Returns their number. */
static int64
read_records(const ConsumePassTopic *pass, PartitionCursor *cursor, int64 most)
{
	int64		count = 1;

	while (count < most && pgt_log_reader_next(cursor->reader, &cursor->record) &&
		   pgt_partition_cursor_is_due(pass, cursor))
	{
		CHECK_FOR_INTERRUPTS();
		count++;
	}
	return count;
}

/* How many offsets from "position" on hold records that only a running transaction keeps from being read. */
static int64
held_up(const ConsumePassTopic *pass, const TopicPartition *key, int64 position)
{
	LogBounds	bounds;

	(void) pgt_partition_log_bounds(key, &bounds);
	if (bounds.next_offset <= position ||
		!pgt_visible_end_sees_behind(key, pass->whole->snapshot, position))
		return 0;
	return bounds.next_offset - position;
}

int64
pgt_record_count_add(RecordCount *count, const ConsumePassTopic *pass, PartitionCursor *cursor)
{
	int64		missing = count->wanted - count->found;
	int64		found = 0;
	int64		position = cursor->passed;

	if (cursor->reader != NULL)
	{
		found = read_records(pass, cursor, missing);
		position = pgt_log_reader_position(cursor->reader);
		pgt_partition_cursor_close(cursor);
	}
	count->found += found;
	/* one record is missing if any is */
	if (found < missing && count->wanted > 1)
		count->behind += held_up(pass, &cursor->key, position);
	return found;
}

bool
pgt_record_count_is_enough(const RecordCount *count)
{
	if (count->found >= count->wanted)
		return true;
	pgt_consume_wait_for_records(Max(count->wanted - count->found - count->behind, 1));
	return false;
}

/* ---- owning ------------------------------------------------------------- */

/* Does another consumer have the partition? */
static bool
is_others(const ConsumePassPartition *part)
{
	return pgt_live_members_have(part->offset) ||
		pgt_partition_owner_is_other(&part->topic->group, part->offset);
}

/* Another consumer has a partition with records: look again soon, unless its end will be announced. */
static void
note_busy(const ConsumePassPartition *part)
{
	if (!pgt_group_wakeup_will_come(&part->topic->group, part->offset->partition))
		part->topic->whole->retry = true;
}

/*
 * Count a partition's records, unless another consumer has it.  Where a group
 * that has committed nothing begins is remembered for when the waiting is over.
 */
static int64
count_partition(RecordCount *count, const ConsumePassPartition *part)
{
	ConsumePassTopic *topic = part->topic;
	PartitionCursor cursor;

	/* another query of this transaction is reading there */
	if (pgt_position_scan_is_live(&topic->group, part->offset->partition, false))
		return 0;
	(void) pgt_partition_cursor_open(topic, part->offset, &cursor);
	if (cursor.reader == NULL && cursor.must_commit)
		pgt_group_position_set_start(&topic->group, part->offset, cursor.start);
	if (cursor.reader != NULL && is_others(part))
	{
		note_busy(part);
		pgt_partition_cursor_close(&cursor);
		return 0;
	}
	return pgt_record_count_add(count, topic, &cursor);
}

/*
 * Own partitions, in this order.  Nothing if another consumer has got the first one, or has
 * moved its offset, since it was counted; another look counts without it then.  Returns how
 * many are owned.
 */
static int
own_partitions(const ConsumePassPartition *parts, int count)
{
	int			owned = 0;

	for (int i = 0; i < count; i++)
	{
		if (pgt_group_lock(&parts[i].topic->group, parts[i].offset, false) == GROUP_OWNED)
			owned++;
		else if (owned == 0)
		{
			/* other partitions may have enough, and were announced before */
			parts[i].topic->whole->retry = true;
			return 0;
		}
	}
	return owned;
}

bool
pgt_record_count_own(ConsumePass *pass)
{
	RecordCount count;
	ConsumePassPartition *ordered;
	int			partitions;
	int			chosen = 0;

	pgt_consume_pass_open_topics(pass);
	partitions = pgt_consume_pass_list(pass, &ordered);
	pgt_record_count_begin(&count, pass->request);
	for (int i = 0; i < partitions && count.found < count.wanted; i++)
	{
		/* those with records move to the front */
		if (count_partition(&count, &ordered[i]) > 0)
			ordered[chosen++] = ordered[i];
	}
	if (!pgt_record_count_is_enough(&count))
		return false;
	return own_partitions(ordered, chosen) > 0;
}
