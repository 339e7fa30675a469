/*
 * consume_partition.c
 *	  Consuming from one partition: own it for the group, read its records one by
 *	  one.
 *
 *	  open a reader at the group's next offset		no lock; nothing there: done
 *	  own the partition								owned by another: done
 *	  the offset has moved meanwhile: not owned, open again
 *	  read records until the scan has enough		consume_scan.c
 *	  note how far it came							consume_live.c
 *
 * So a partition with nothing to read is neither locked nor written, and no consumer
 * waits for another one.  A partition that has nothing but a gap (partition_cursor.c) is
 * owned, and its offset moved behind the gap, only once: by the call that would return
 * nothing, not while that call waits.  A partition that is leased to a member (lease.c)
 * counts as owned for all other consumers.  One in which another query of this transaction
 * is reading for the group, such as a cursor, counts as owned as well: its records are that
 * query's, in their order.
 *
 * A pass that looks owns the partition and reads nothing; the scan that begins next then
 * finds it owned.  It owns only a partition with records.  If there is a start to commit it
 * only remembers it, and passes no gap.
 *
 * If records are deleted while they are read, the partition's part of the call ends at
 * the gap, so that the next call finds it.
 *
 * Locks: the partition's row (consumer_group.c), until the transaction's end.
 */
#include "postgres.h"

#include "consume/consume_partition.h"
#include "consume/partition_cursor.h"
#include "group/group_position.h"
#include "group/group_row.h"
#include "group/group_wakeup.h"
#include "group/kafka_claim.h"
#include "group/lease.h"
#include "group/live_members.h"
#include "wal/log_reader.h"

/* Do leases allow the consumer of the pass to own a partition?  ERROR where Kafka's members have come first. */
static bool
lease_allows(const ConsumePassTopic *pass, const GroupPartition *offset)
{
	pgt_kafka_claim_refuse(&pass->group, offset);
	return pass->lease != NULL ? pgt_lease_call_is_held(pass->lease, offset) : !pgt_live_members_have(offset);
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

/*
 * Begin to consume a partition that is owned, as a member.  False if there is nothing but a
 * start to commit or a gap to pass; that is done then.
 */
static bool
begin_for_member(ConsumePassTopic *pass, GroupPartition *offset, PartitionCursor *cursor)
{
	if (cursor->must_commit || cursor->lost > 0 || cursor->past_end != NO_OFFSET)
		pgt_lease_start(pass->lease, offset, cursor->start);
	if (cursor->reader == NULL && pgt_lease_next_offset(offset) != cursor->passed)
		pgt_lease_pass_gap(pass->lease, offset, cursor->passed);
	return cursor->reader != NULL;
}

/* The same in transactional mode. */
static bool
begin_for_transaction(ConsumePassTopic *pass, GroupPartition *offset, PartitionCursor *cursor)
{
	if (cursor->reader == NULL)
	{
		pass_gap(pass, offset, cursor);
		return false;
	}
	if (cursor->must_commit && !pass->whole->request->auto_commit)
		pgt_group_commit(&pass->group, offset, cursor->start, NULL);
	return true;
}

bool
pgt_consume_partition_own(ConsumePassTopic *pass, GroupPartition *offset, PartitionCursor *cursor)
{
	const ConsumerGroup *group = &pass->group;
	GroupLock	lock;

	/* another query of this transaction is reading there */
	if (pgt_position_scan_is_live(group, offset->partition, pass->lease != NULL))
		return false;
	do
	{
		if (!pgt_partition_cursor_open(pass, offset, cursor))
			return false;
		if (pass->whole->looks && cursor->reader == NULL)
		{
			if (cursor->must_commit)
				pgt_group_position_set_start(group, offset, cursor->start);
			return false;
		}
		lock = lease_allows(pass, offset) ? pgt_group_lock(group, offset, false) : GROUP_BUSY;
		if (lock == GROUP_OWNED)
			return true;
		pgt_partition_cursor_close(cursor);
	} while (lock == GROUP_MOVED);

	if (!pgt_group_wakeup_will_come(group, offset->partition))
		pass->whole->retry = true;
	return false;
}

bool
pgt_consume_partition_begin(ConsumePassTopic *pass, GroupPartition *offset, PartitionCursor *cursor)
{
	if (!pgt_consume_partition_own(pass, offset, cursor))
		return false;
	pgt_partition_cursor_report(pass, cursor);
	if (cursor->lost > 0)
		pgt_group_position_note_lost(&pass->group, offset, cursor->lost);
	return pass->lease != NULL ? begin_for_member(pass, offset, cursor) :
		begin_for_transaction(pass, offset, cursor);
}

bool
pgt_consume_partition_next(const ConsumePassTopic *pass, PartitionCursor *cursor, int64 *next)
{
	int64		behind = *next;

	if (!pgt_log_reader_next(cursor->reader, &cursor->record))
	{
		if (pgt_log_reader_log_start(cursor->reader) <= behind)
			*next = pgt_log_reader_position(cursor->reader);
		return false;
	}
	return pgt_log_reader_log_start(cursor->reader) <= behind &&
		pgt_partition_cursor_is_due(pass, cursor);
}
