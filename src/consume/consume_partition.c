/*
 * consume_partition.c
 *	  Consuming from one partition: own it for the group, deliver its records,
 *	  move the group's offset.
 *
 *	  open a reader at the group's next offset		no lock; nothing there: done
 *	  own the partition								owned by another: done
 *	  the offset has moved meanwhile: not owned, open again
 *	  deliver records until max_records
 *	  auto_commit: commit the reader's position, else remember it
 *
 * So a partition with nothing to read is neither locked nor written, and no consumer
 * waits for another one.  A partition that has nothing but a gap (partition_cursor.c) is
 * owned, and its offset moved behind the gap, only once: by the call that would return
 * nothing, not while that call waits.  A partition that is leased to a member (lease.c)
 * counts as owned for all other consumers; lease.c records the member's position and its
 * lease.
 *
 * A pass without a sink owns the partition and delivers nothing; the function that runs
 * next then finds it owned.  A pass that waits owns only a partition with records.  If
 * there is a start to commit, or a gap to pass, it only remembers that there is.
 *
 * If records are deleted while they are read, the partition's part of the call ends at
 * the gap, so that the next call finds it.
 *
 * Locks: the partition's row (consumer_group.c), until the transaction's end.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "consume/consume_partition.h"
#include "consume/partition_cursor.h"
#include "group/group_position.h"
#include "group/group_row.h"
#include "group/lease.h"
#include "topic/record_rows.h"
#include "wal/log_reader.h"

/* Do leases allow the consumer of the pass to own a partition? */
static bool
lease_allows(const ConsumePassTopic *pass, const GroupPartition *offset)
{
	return pass->lease != NULL ? pgt_lease_is_held(pass->lease, offset) : !pgt_lease_is_live(offset);
}

/* Count the records delivered, for pg_stat_topics. */
static void
count_delivered(const TopicPartition *key, int64 records, int64 bytes)
{
	PartitionState *state = pgt_log_state_find(key);

	if (state != NULL)
	{
		pg_atomic_fetch_add_u64(&state->records_out, records);
		pg_atomic_fetch_add_u64(&state->bytes_out, bytes);
	}
}

/*
 * Deliver the partition's records until the pass has enough.  Returns the group's next
 * offset.  If the records behind those delivered are deleted meanwhile, delivery stops
 * there, and the next call finds the gap.
 */
static int64
deliver_records(ConsumePassTopic *pass, PartitionCursor *cursor)
{
	int64		before = pass->whole->delivered;
	int64		bytes = 0;
	int64		next;
	bool		more;
	bool		held_back;

	do
	{
		Record	   *record = &cursor->record;

		CHECK_FOR_INTERRUPTS();
		pgt_record_rows_put(pass->whole->sink, cursor->key.partition, record);
		bytes += record->encoded_length;
		pass->whole->delivered++;
		next = pgt_log_reader_position(cursor->reader);
		more = pass->whole->delivered < pass->whole->request->max_records &&
			pgt_log_reader_next(cursor->reader, &cursor->record);
		held_back = more && !pgt_partition_cursor_is_due(pass, cursor);
	} while (more && !held_back && pgt_log_reader_log_start(cursor->reader) <= next);

	count_delivered(&cursor->key, pass->whole->delivered - before, bytes);
	if (held_back || pgt_log_reader_log_start(cursor->reader) > next)
		return next;
	return pgt_log_reader_position(cursor->reader);
}

/* Deliver to a member, which has the partition, and record how far it has read. */
static void
deliver_to_member(ConsumePassTopic *pass, GroupPartition *offset, PartitionCursor *cursor)
{
	if (cursor->must_commit || cursor->lost > 0 || cursor->past_end != NO_OFFSET)
		pgt_lease_start(pass->lease, offset, cursor->start);
	if (cursor->reader != NULL)
		pgt_lease_advance(pass->lease, offset, deliver_records(pass, cursor));
	else if (pgt_lease_next_offset(offset) != cursor->passed)
		pgt_lease_pass_gap(pass->lease, offset, cursor->passed);
}

/*
 * Move the group's offset behind a gap, when nothing was delivered.  The gap holds no
 * record that could be lost, so the move is committed even without auto_commit, unless
 * the caller has records to commit before the gap or has never committed any.
 */
static void
pass_gap(const ConsumePassTopic *pass, GroupPartition *offset, const PartitionCursor *cursor)
{
	const ConsumerGroup *group = &pass->group;
	bool		commit = pass->whole->request->auto_commit || cursor->must_commit ||
		(offset->committed != NO_OFFSET && offset->position == NO_OFFSET);
	bool		moved_on = !cursor->must_commit && cursor->lost == 0;
	char	   *metadata = offset->exists && moved_on ? pgt_group_row_metadata(group, offset) : NULL;

	if (commit)
		pgt_group_commit(group, offset, cursor->passed, metadata);
	else
		pgt_group_position_set(group, offset, cursor->passed);
}

/* Deliver from a partition that is owned, and move the group's offset. */
static void
consume_owned(ConsumePassTopic *pass, GroupPartition *offset, PartitionCursor *cursor)
{
	const ConsumerGroup *group = &pass->group;
	int64		next;

	pgt_partition_cursor_report(pass, cursor);
	if (cursor->lost > 0)
		pgt_group_position_note_lost(group, offset, cursor->lost);
	if (pass->lease != NULL)
	{
		deliver_to_member(pass, offset, cursor);
		return;
	}
	if (cursor->reader == NULL)
	{
		pass_gap(pass, offset, cursor);
		return;
	}
	next = deliver_records(pass, cursor);
	if (pass->whole->request->auto_commit)
		pgt_group_commit(group, offset, next, NULL);
	else
	{
		if (cursor->must_commit)
			pgt_group_commit(group, offset, cursor->start, NULL);
		pgt_group_position_set(group, offset, next);
	}
}

/*
 * Open a partition and own it.  False if there is nothing to do for it, or if another
 * consumer owns it: then there is neither a reader nor a lock.
 */
static bool
open_and_own(ConsumePassTopic *pass, GroupPartition *offset, PartitionCursor *cursor)
{
	const ConsumerGroup *group = &pass->group;
	GroupLock	lock;

	do
	{
		if (!pgt_partition_cursor_open(pass, offset, cursor))
			return false;
		if (pass->whole->waiting && cursor->reader == NULL)
		{
			if (cursor->must_commit)
				pgt_group_position_set_start(group, offset, cursor->start);
			pass->whole->remembered = true;
			return false;
		}
		lock = lease_allows(pass, offset) ? pgt_group_lock(group, offset, false) : GROUP_BUSY;
		if (lock == GROUP_OWNED)
			return true;
		pgt_partition_cursor_close(cursor);
	} while (lock == GROUP_MOVED);

	pass->whole->retry = true;
	return false;
}

void
pgt_consume_partition(ConsumePassTopic *pass, GroupPartition *offset)
{
	PartitionCursor cursor;

	if (!open_and_own(pass, offset, &cursor))
		return;
	if (pass->whole->sink == NULL)
		pass->whole->delivered++;
	else
		consume_owned(pass, offset, &cursor);
	pgt_partition_cursor_close(&cursor);
}
