/*
 * consume.c
 *	  consume(), consume_as(), commit_offsets() and leave_group(): reading for
 *	  a group.
 *
 * One call, in transactional mode:
 *
 *	  read the group's rows                           no lock
 *	  for each wanted partition, least recently served first
 *		 open a reader at the group's next offset     no lock; nothing there: next
 *		 own the partition                            owned by another: next
 *		 the offset has moved meanwhile: not owned, open again
 *		 deliver records until max_records
 *		 auto_commit: commit the reader's position, else remember it
 *
 * So a group with nothing to read writes nothing and locks nothing (but once in
 * days, that it is still there: pgt_group_keep()), and nobody ever waits for
 * another consumer.
 *
 * In leased mode, with a member_id, the first steps are lease.c's: it says which
 * partitions are the member's, and takes down how far it has read.  The rest,
 * offset reset included, is the same.  A partition that is leased is skipped
 * in transactional mode.
 *
 * What is read: what the calling statement's snapshot sees, so that a query
 * that joins the records with tables sees both as of one moment.  What is
 * already consumed: the offset's latest version, see consumer_group.c.
 *
 * Offset reset.  A group with nothing committed, or whose offset lies below
 * the log start (its records were deleted), starts where auto_offset_reset
 * says; what it has lost is counted in its row.  Records that are deleted
 * while they are read end the call at the gap, so that the next one finds it.
 * "latest" must be fixed at the first call, even where nothing is returned, or
 * the group would miss what is produced until its next one: the log's visible
 * end is committed at once, by a call that waits when it has waited.  Until
 * then the transaction remembers it.
 *
 * A record that must not be delivered yet (nack.c) holds back its partition as
 * the end of the log does; a look that meets one asks for another look then.
 *
 * Waiting is in consume_wait.c.  Before the statement starts a look claims a
 * partition that has something to read, so that of many who wait only those
 * wake up that will get something; the function then finds it owned.  A look
 * that finds nothing to deliver has taken no row lock and no transaction id.
 * Records of a running transaction are announced when it ends, and so is that
 * another consumer gives a partition up (partition_release.c).  A member waits
 * for half its lease at most, so that its next call renews it; and not when it
 * has anything to write, such as when it joins.
 *
 * Locks: AccessShareLock on the topic till the transaction's end (while
 * waiting before the statement: for the time of a look), then a partition's
 * row.
 *
 * Layer 6.  Read consume_request.c, consumer_group.c, consume_wait.c,
 * consume_rows.c, consume_many.c and seek.c next.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "consume.h"
#include "consume_many.h"
#include "consume_pass.h"
#include "consume_request.h"
#include "consume_rows.h"
#include "consume_wait.h"
#include "log_reader.h"
#include "maintenance_stats.h"
#include "nack.h"
#include "serializer.h"

/* A partition opened at the group's next offset. */
typedef struct PartitionCursor
{
	TopicPartition key;
	LogReader  *reader;			/* NULL: nothing to read */
	Record		record;			/* the first one, where there is a reader */
	int64		start;
	int64		lost;			/* offsets from the group's next one to the log start: deleted */
	int64		log_start;
	int64		past_end;		/* committed offset past the log end, or NO_OFFSET */
	bool		must_commit;	/* "start" must be committed though nothing is read */
} PartitionCursor;

PG_FUNCTION_INFO_V1(pgt_consume);
PG_FUNCTION_INFO_V1(pgt_consume_as);
PG_FUNCTION_INFO_V1(pgt_commit_offsets);
PG_FUNCTION_INFO_V1(pgt_leave_group);

/* ---- where a group starts ----------------------------------------------- */

/* The group has committed nothing and is not to start by itself. */
static void
report_no_offset(const ConsumePass *pass, int32 partition)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("consumer group \"%s\" has no committed offset in topic \"%s\" partition %d",
					pass->request->group.id, get_rel_name(pass->topic->relid), partition),
			 errdetail("auto_offset_reset is \"none\"."),
			 errhint("Commit an offset with commit_offset() or one of the seek functions, "
					 "or set auto_offset_reset to \"earliest\" or \"latest\".")));
}

/* The group's next record was deleted and it is not to go on by itself. */
static void
report_offset_out_of_range(const ConsumePass *pass, int32 partition, int64 offset, int64 log_start)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("offset %lld of consumer group \"%s\" in topic \"%s\" partition %d is below the log start offset %lld",
					(long long) offset, pass->request->group.id,
					get_rel_name(pass->topic->relid), partition, (long long) log_start),
			 errdetail("The records in between have been deleted; auto_offset_reset is \"none\"."),
			 errhint("Use seek_to_beginning() or another of the seek functions, "
					 "or set auto_offset_reset to \"earliest\" or \"latest\".")));
}

/* The group's offset is of a log that was longer, and it is not to start by itself. */
static void
report_offset_past_end(const ConsumePass *pass, int32 partition, int64 offset, int64 log_end)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("offset %lld of consumer group \"%s\" in topic \"%s\" partition %d is past the log end offset %lld",
					(long long) offset, pass->request->group.id,
					get_rel_name(pass->topic->relid), partition, (long long) log_end),
			 errdetail("The topic was restored without the records that had been there; auto_offset_reset is \"none\"."),
			 errhint("Use seek_to_beginning() or another of the seek functions, "
					 "or set auto_offset_reset to \"earliest\" or \"latest\".")));
}

/* Tell a consumer that it starts again, since its offset was of a longer log. */
static void
report_start_over(const ConsumePass *pass, const PartitionCursor *cursor)
{
	ereport(NOTICE,
			(errmsg("consumer group \"%s\" starts over at offset %lld of topic \"%s\" partition %d",
					pass->request->group.id, (long long) cursor->start,
					get_rel_name(pass->topic->relid), cursor->key.partition),
			 errdetail("It had committed offset %lld, which is past the log end.",
					   (long long) cursor->past_end)));
}

/* Tell a consumer that it goes on behind a gap. */
static void
report_lost_records(const ConsumePass *pass, const PartitionCursor *cursor)
{
	ereport(NOTICE,
			(errmsg("consumer group \"%s\" skips %lld offsets of topic \"%s\" partition %d whose records have been deleted",
					pass->request->group.id, (long long) cursor->lost,
					get_rel_name(pass->topic->relid), cursor->key.partition),
			 errdetail("It had committed offset %lld; the log starts at %lld.",
					   (long long) (cursor->log_start - cursor->lost),
					   (long long) cursor->log_start)));
}

/*
 * Start at the end: of what the snapshot sees, or as it was when the
 * transaction first looked, and fix that.  A start before what the group has
 * read since ("next", or NO_OFFSET) counts no more.
 */
static void
start_at_end(const ConsumePass *pass, const GroupOffset *offset, PartitionCursor *cursor,
			 int64 next, int64 log_start)
{
	TransactionId blocker;

	if (offset->start == NO_OFFSET || offset->start < next)
		cursor->start = pgt_log_visible_end(&cursor->key, pass->snapshot, &blocker);
	else
		cursor->start = Max(offset->start, log_start);
	cursor->must_commit = true;
}

/* Set cursor->start for a group that has committed nothing. */
static void
start_new_group(const ConsumePass *pass, const GroupOffset *offset, PartitionCursor *cursor,
				int64 log_start)
{
	switch (pass->request->reset)
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
start_behind_gap(const ConsumePass *pass, const GroupOffset *offset, PartitionCursor *cursor,
				 int64 next, int64 log_start)
{
	cursor->lost = log_start - next;
	cursor->log_start = log_start;
	switch (pass->request->reset)
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
start_over(const ConsumePass *pass, const GroupOffset *offset, PartitionCursor *cursor,
		   int64 next, const LogBounds *bounds)
{
	switch (pass->request->reset)
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

/* ---- one partition ------------------------------------------------------ */

/* Close the cursor's reader, if it has one. */
static void
close_cursor(PartitionCursor *cursor)
{
	if (cursor->reader != NULL)
		pgt_log_reader_end(cursor->reader);
	cursor->reader = NULL;
}

/* May the record be delivered yet?  One that must wait is looked for again at its time. */
static bool
is_due(const Record *record)
{
	int64		wait_ms = pgt_record_not_before(record);

	if (wait_ms > 0)
		wait_ms -= pgt_maintenance_now();
	if (wait_ms <= 0)
		return true;
	pgt_wait_again_at(GetCurrentTimestamp() + (int64) Min(wait_ms * 1000.0, LONGEST_TIMEOUT));
	return false;
}

/*
 * Open a reader at cursor->start and read the first record; without one the
 * cursor has no reader.  False where the log's start has moved past it
 * meanwhile.
 */
static bool
open_reader(ConsumePass *pass, PartitionCursor *cursor)
{
	bool		found;

	cursor->reader = pgt_log_reader_begin(&cursor->key, cursor->start, pass->snapshot, NULL);
	found = pgt_log_reader_next(cursor->reader, &cursor->record);
	if (pgt_log_reader_log_start(cursor->reader) > cursor->start)
	{
		close_cursor(cursor);
		return false;
	}
	if (!found || !is_due(&cursor->record))
		close_cursor(cursor);
	return true;
}

/* Where the consumer of the pass goes on in a partition; NO_OFFSET: nothing committed yet. */
static int64
next_offset(const ConsumePass *pass, const GroupOffset *offset)
{
	return pass->lease != NULL ? pgt_lease_next_offset(offset) : pgt_group_next_offset(offset);
}

/* May the consumer of the pass own a partition, as far as leases go? */
static bool
lease_allows(const ConsumePass *pass, const GroupOffset *offset)
{
	return pass->lease != NULL ? pgt_lease_is_held(pass->lease, offset) : !pgt_lease_is_live(offset);
}

/*
 * Open a partition where the group goes on.  Returns whether there is
 * something to do for it.
 */
static bool
open_cursor(ConsumePass *pass, const GroupOffset *offset, PartitionCursor *cursor)
{
	int64		next = next_offset(pass, offset);
	LogBounds	bounds;

	cursor->key = pgt_topic_partition(pass->topic, offset->partition);
	cursor->reader = NULL;
	do
	{
		cursor->lost = 0;
		cursor->past_end = NO_OFFSET;
		cursor->must_commit = false;
		(void) pgt_partition_log_bounds(&cursor->key, &bounds);
		if (next == NO_OFFSET)
			start_new_group(pass, offset, cursor, bounds.log_start_offset);
		else if (next < bounds.log_start_offset)
			start_behind_gap(pass, offset, cursor, next, bounds.log_start_offset);
		else if (next > bounds.next_offset)
			start_over(pass, offset, cursor, next, &bounds);
		else
			cursor->start = next;
	} while (bounds.next_offset > cursor->start && !open_reader(pass, cursor));

	return cursor->reader != NULL || cursor->must_commit;
}

/* Count what was delivered, for pg_stat_topics. */
static void
count_delivered(const TopicPartition *key, int64 records, int64 bytes)
{
	PartitionState *state = pgt_partition_find(key);

	if (state != NULL)
	{
		pg_atomic_fetch_add_u64(&state->records_out, records);
		pg_atomic_fetch_add_u64(&state->bytes_out, bytes);
	}
}

/*
 * Deliver the partition's records until the pass has enough.  Returns the
 * group's next offset.  Where records behind the ones delivered are deleted
 * meanwhile, it stops there: the next call finds the gap.
 */
static int64
deliver_records(ConsumePass *pass, PartitionCursor *cursor)
{
	int64		before = pass->delivered;
	int64		bytes = 0;
	int64		next;
	bool		more;
	bool		held_back;

	do
	{
		Record	   *record = &cursor->record;

		CHECK_FOR_INTERRUPTS();
		pgt_rows_put(pass->sink, cursor->key.partition, record);
		bytes += Max(record->key_length, 0) + Max(record->value_length, 0);
		pass->delivered++;
		next = pgt_log_reader_position(cursor->reader);
		more = pass->delivered < pass->request->max_records &&
			pgt_log_reader_next(cursor->reader, &cursor->record);
		held_back = more && !is_due(&cursor->record);
	} while (more && !held_back && pgt_log_reader_log_start(cursor->reader) <= next);

	count_delivered(&cursor->key, pass->delivered - before, bytes);
	if (held_back || pgt_log_reader_log_start(cursor->reader) > next)
		return next;
	return pgt_log_reader_position(cursor->reader);
}

/* Deliver to a member, which has the partition; take down how far it has read. */
static void
deliver_to_member(ConsumePass *pass, GroupOffset *offset, PartitionCursor *cursor)
{
	if (cursor->must_commit || cursor->lost > 0 || cursor->past_end != NO_OFFSET)
		pgt_lease_start(pass->lease, offset, cursor->start);
	if (cursor->reader != NULL)
		pgt_lease_advance(pass->lease, offset, deliver_records(pass, cursor));
}

/* Deliver from a partition that is owned, and move the group's offset. */
static void
consume_owned(ConsumePass *pass, GroupOffset *offset, PartitionCursor *cursor)
{
	const ConsumerGroup *group = &pass->request->group;
	int64		next = cursor->start;

	if (cursor->lost > 0)
	{
		report_lost_records(pass, cursor);
		pgt_group_note_lost(group, offset, cursor->lost);
	}
	if (cursor->past_end != NO_OFFSET)
		report_start_over(pass, cursor);
	if (pass->lease != NULL)
	{
		deliver_to_member(pass, offset, cursor);
		return;
	}
	if (cursor->reader != NULL)
		next = deliver_records(pass, cursor);

	if (pass->request->auto_commit)
		pgt_group_commit(group, offset, next, NULL);
	else
	{
		if (cursor->must_commit)
			pgt_group_commit(group, offset, cursor->start, NULL);
		if (cursor->reader != NULL)
			pgt_group_set_position(group, offset, next);
	}
}

/*
 * Open a partition and own it.  False where there is nothing to do for it, or
 * somebody else owns it: then there is neither a reader nor a lock.
 */
static bool
open_and_own(ConsumePass *pass, GroupOffset *offset, PartitionCursor *cursor)
{
	const ConsumerGroup *group = &pass->request->group;
	GroupLock	lock;

	do
	{
		if (!open_cursor(pass, offset, cursor))
			return false;
		if (pass->waiting && cursor->reader == NULL)
		{
			pgt_group_set_start(group, offset, cursor->start);
			pass->remembered = true;
			return false;
		}
		lock = lease_allows(pass, offset) ? pgt_group_lock(group, offset, false) : GROUP_BUSY;
		if (lock == GROUP_OWNED)
			return true;
		close_cursor(cursor);
	} while (lock == GROUP_MOVED);

	pass->retry = true;
	return false;
}

/* See the header. */
void
pgt_consume_partition(ConsumePass *pass, GroupOffset *offset)
{
	PartitionCursor cursor;

	if (!open_and_own(pass, offset, &cursor))
		return;
	if (pass->sink == NULL)
		pass->delivered++;
	else
		consume_owned(pass, offset, &cursor);
	close_cursor(&cursor);
}

/* ---- one topic ---------------------------------------------------------- */

/* Order by when the group was served there last, then by partition. */
static int
compare_served(const void *a, const void *b)
{
	const GroupOffset *left = *(GroupOffset *const *) a;
	const GroupOffset *right = *(GroupOffset *const *) b;

	if (left->served != right->served)
		return left->served < right->served ? -1 : 1;
	return left->partition < right->partition ? -1 : left->partition > right->partition;
}

/*
 * The wanted partitions of "offsets" in the order to serve them, each once.
 * Returns how many; the array has room for all.
 */
static int
order_partitions(const ConsumePass *pass, GroupOffset *offsets, GroupOffset **ordered)
{
	const ConsumeRequest *request = pass->request;
	int			partitions = pass->topic->partitions;
	int			count = 0;

	if (request->partitions == NULL)
	{
		for (count = 0; count < partitions; count++)
			ordered[count] = &offsets[count];
	}
	else
	{
		bool	   *wanted = palloc0(sizeof(bool) * partitions);

		for (int i = 0; i < request->partition_count; i++)
		{
			int32		partition = request->partitions[i];

			if (!wanted[partition])
				ordered[count++] = &offsets[partition];
			wanted[partition] = true;
		}
		pfree(wanted);
	}
	if (count > 1)
		qsort(ordered, count, sizeof(GroupOffset *), compare_served);
	return count;
}

/* Serve the request once, without waiting for anything. */
static void
consume_once(ConsumePass *pass)
{
	GroupOffset *offsets = pgt_group_read(&pass->request->group, pass->topic->partitions);
	GroupOffset **ordered = palloc(sizeof(GroupOffset *) * pass->topic->partitions);
	int64		enough = pass->sink == NULL ? 1 : pass->request->max_records;
	int			count;

	pgt_group_mend_served(offsets, pass->topic->partitions);
	count = order_partitions(pass, offsets, ordered);
	for (int i = 0; i < count && pass->delivered < enough; i++)
		pgt_consume_partition(pass, ordered[i]);
	if (pass->sink != NULL)
		pgt_group_keep(&pass->request->group, offsets, pass->topic->partitions);
}

/* ---- leased mode -------------------------------------------------------- */

/* Let the member of the request be the consumer of the pass. */
static void
set_holder(ConsumePass *pass)
{
	pass->holder.group = &pass->request->group;
	pass->holder.member = pass->request->member;
	pass->holder.lease = pass->request->lease;
	pass->holder.partitions = pass->topic->partitions;
}

/*
 * The partitions that the member may read, in the order to serve them, palloc'd;
 * returns how many.
 */
static int
order_leased(ConsumePass *pass, GroupOffset ***ordered)
{
	int			count;

	*ordered = palloc(sizeof(GroupOffset *) * pass->topic->partitions);
	count = pgt_lease_partitions(pass->lease, *ordered);
	if (count > 1)
		qsort(*ordered, count, sizeof(GroupOffset *), compare_served);
	return count;
}

/* See the header. */
int
pgt_consume_begin_member(ConsumePass *pass, GroupOffset ***ordered)
{
	set_holder(pass);
	pass->waiting = false;
	pass->lease = pgt_lease_begin(&pass->holder);
	return order_leased(pass, ordered);
}

/* Serve a member's request once, without waiting for records. */
static void
consume_leased(ConsumePass *pass)
{
	GroupOffset **ordered;
	int			count = pgt_consume_begin_member(pass, &ordered);

	for (int i = 0; i < count && pass->delivered < pass->request->max_records; i++)
		pgt_consume_partition(pass, ordered[i]);
	pgt_lease_end(pass->lease);
	pass->called = true;
}

/* See the header. */
WaitVerdict
pgt_consume_look_member(ConsumePass *pass, PartitionSet *partitions)
{
	GroupOffset **ordered;
	int			count;
	bool		retry = false;

	set_holder(pass);
	pass->lease = pgt_lease_look(&pass->holder);
	if (pgt_lease_is_due(pass->lease, &retry))
		return WAIT_DONE;

	count = order_leased(pass, &ordered);
	for (int i = 0; i < count; i++)
	{
		PartitionCursor cursor;

		*partitions |= PARTITION_SET_OF(ordered[i]->partition);
		if (open_cursor(pass, ordered[i], &cursor))
		{
			close_cursor(&cursor);
			return WAIT_DONE;
		}
	}
	/* a partition whose lease is not renewed may be taken then */
	pgt_wait_again_at(pgt_lease_next_end(pass->lease));
	return retry ? WAIT_RETRY : WAIT_IDLE;
}

/* Look for a member of one topic. */
static WaitVerdict
look_leased(ConsumePass *pass)
{
	PartitionSet partitions = 0;
	WaitVerdict verdict = pgt_consume_look_member(pass, &partitions);

	pgt_topic_wait_for(partitions);
	return verdict;
}

/* ---- waiting ------------------------------------------------------------ */

/* See the header. */
WaitVerdict
pgt_consume_verdict(const ConsumePass *pass)
{
	if (pass->delivered > 0)
		return WAIT_DONE;
	return pass->retry ? WAIT_RETRY : WAIT_IDLE;
}

/* See the header. */
void
pgt_consume_fill_waiter(Waiter *waiter, const ConsumeRequest *request)
{
	int64		longest = request->timeout;

	if (request->member != NULL)
		longest = Min(longest, request->lease / 2);
	waiter->deadline = GetCurrentTimestamp() + longest;
	waiter->group = pgt_wait_group(request->group.id);
	waiter->each = request->partitions != NULL || request->member != NULL;
}

/* Tell for which partitions a call waits that chooses them. */
static void
wait_for_chosen(const ConsumeRequest *request)
{
	PartitionSet partitions = 0;

	if (request->partitions == NULL)
		return;
	for (int i = 0; i < request->partition_count; i++)
		partitions |= PARTITION_SET_OF(request->partitions[i]);
	pgt_topic_wait_for(partitions);
}

/* Look inside the function: consume what is there.  arg: the pass. */
static WaitVerdict
look_and_consume(void *arg)
{
	ConsumePass *pass = arg;

	pass->snapshot = GetActiveSnapshot();
	pass->retry = false;
	if (pass->request->member != NULL)
	{
		WaitVerdict verdict = look_leased(pass);

		if (verdict == WAIT_DONE)
			consume_leased(pass);
		return verdict;
	}
	wait_for_chosen(pass->request);
	consume_once(pass);
	return pgt_consume_verdict(pass);
}

/*
 * Look before the statement: claim a partition with something to read.  Keeps
 * no lock on the topic where there is none.  arg: the request.
 */
static WaitVerdict
look_and_claim(void *arg)
{
	const ConsumeRequest *request = arg;
	ConsumePass pass = {0};
	WaitVerdict verdict;

	pass.request = request;
	pass.waiting = true;
	pass.topic = pgt_consume_open_topic(request);
	pass.snapshot = GetActiveSnapshot();
	if (request->member != NULL)
		verdict = look_leased(&pass);
	else
	{
		wait_for_chosen(request);
		consume_once(&pass);
		verdict = pgt_consume_verdict(&pass);
	}
	if (verdict != WAIT_DONE)
		UnlockRelationOid(request->group.topic, AccessShareLock);
	return verdict;
}

/* WaitPrepare of consume() and consume_as(). */
static bool
prepare_waiting(const FuncExpr *call, const NullableDatum *args, Waiter *waiter)
{
	ConsumeRequest *request = palloc(sizeof(ConsumeRequest));

	if (XactReadOnly)
		return false;
	pgt_consume_parse(request, call->funcid, pgt_consume_topic_of_call(call, &args[0]), args);
	waiter->topics = &request->group.topic;
	waiter->topic_count = 1;
	pgt_consume_fill_waiter(waiter, request);
	waiter->look = look_and_claim;
	waiter->arg = request;
	return request->timeout > 0;
}

/* ---- SQL functions ------------------------------------------------------ */

/*
 * Wait within the statement until a pass delivers something or the request's
 * time is up.  The pass has delivered nothing yet.
 */
static void
wait_and_consume(ConsumePass *pass)
{
	Waiter		waiter = {
		.topics = &pass->topic->relid,
		.topic_count = 1,
		.look = look_and_consume,
		.arg = pass
	};

	pgt_consume_fill_waiter(&waiter, pass->request);
	pgt_wait_inside(&waiter);
	pass->snapshot = GetActiveSnapshot();
}

/* Serve a member's request. */
static void
consume_for_member(ConsumePass *pass)
{
	if (pass->waiting && look_leased(pass) != WAIT_DONE)
		wait_and_consume(pass);
	if (!pass->called)
		consume_leased(pass);
}

/* Serve a request in transactional mode. */
static void
consume_for_transaction(ConsumePass *pass)
{
	consume_once(pass);
	if (pass->waiting && pass->delivered == 0)
		wait_and_consume(pass);
	if (pass->remembered)
	{
		pass->waiting = false;
		consume_once(pass);
	}
}

/* consume() and consume_as(). */
static void
consume_into_result(FunctionCallInfo fcinfo)
{
	const FuncExpr *call = (const FuncExpr *) fcinfo->flinfo->fn_expr;
	bool		waited = pgt_wait_was_done((const Node *) call);
	ConsumeRequest request;
	ConsumePass pass = {0};

	PreventCommandIfReadOnly("consume()");
	if (call == NULL || !IsA(call, FuncExpr))
		elog(ERROR, "consume() was called without its expression");
	pgt_consume_parse(&request, fcinfo->flinfo->fn_oid,
					  pgt_consume_topic_of_call(call, &fcinfo->args[0]), fcinfo->args);

	pass.request = &request;
	pass.waiting = request.timeout > 0 && !waited && !IsolationUsesXactSnapshot();
	pass.snapshot = GetActiveSnapshot();
	pass.topic = pgt_consume_open_topic(&request);
	pass.sink = pgt_rows_begin(fcinfo, pass.topic, pgt_consume_is_typed(call));

	if (request.member != NULL)
		consume_for_member(&pass);
	else
		consume_for_transaction(&pass);
}

/* consume(topic, group_id, ...): the next records, key and value as text. */
Datum
pgt_consume(PG_FUNCTION_ARGS)
{
	consume_into_result(fcinfo);
	return (Datum) 0;
}

/* consume_as(NULL::topic, group_id, ...): the same as rows of the topic. */
Datum
pgt_consume_as(PG_FUNCTION_ARGS)
{
	consume_into_result(fcinfo);
	return (Datum) 0;
}

/*
 * Topic and group of a call whose first two arguments they are, and the member
 * that its argument "member_arg" names or NULL; ERROR in a read-only
 * transaction.
 */
static void
parse_holder(FunctionCallInfo fcinfo, const char *function, int member_arg,
			 ConsumerGroup *group, LeaseHolder *holder)
{
	Topic	   *topic;

	PreventCommandIfReadOnly(function);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("topic and consumer group name must not be null")));
	LockRelationOid(PG_GETARG_OID(0), AccessShareLock);
	topic = pgt_topic_get(PG_GETARG_OID(0));
	pgt_topic_check_acl(topic->relid, ACL_SELECT);
	pgt_group_init(group, fcinfo->flinfo->fn_oid, topic->relid,
				   text_to_cstring(PG_GETARG_TEXT_PP(1)));

	holder->group = group;
	holder->member = NULL;
	holder->lease = 0;
	holder->partitions = topic->partitions;
	if (PG_ARGISNULL(member_arg))
		return;
	holder->member = text_to_cstring(PG_GETARG_TEXT_PP(member_arg));
	pgt_member_check_id(holder->member);
}

/* commit_offsets(topic, group_id, member_id): commit this transaction's positions, or the member's. */
Datum
pgt_commit_offsets(PG_FUNCTION_ARGS)
{
	ConsumerGroup group;
	LeaseHolder holder;

	parse_holder(fcinfo, "commit_offsets()", 2, &group, &holder);
	if (holder.member != NULL)
		pgt_lease_commit(&holder);
	else
		pgt_group_commit_positions(&group);
	PG_RETURN_VOID();
}

/* leave_group(topic, group_id, member_id) */
Datum
pgt_leave_group(PG_FUNCTION_ARGS)
{
	ConsumerGroup group;
	LeaseHolder holder;

	parse_holder(fcinfo, "leave_group()", 2, &group, &holder);
	if (holder.member == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("member_id must not be null"),
				 errhint("A consumer without one has nothing to leave: its partitions are free when its transaction ends.")));
	pgt_lease_leave(&holder);
	PG_RETURN_VOID();
}

/* See the header. */
void
pgt_consumer_init(void)
{
	pgt_consume_request_init();
	pgt_consumer_group_init();
	pgt_consume_wait_init();
	pgt_wait_register(pgt_consume, prepare_waiting);
	pgt_wait_register(pgt_consume_as, prepare_waiting);
	pgt_consume_many_init();
}
