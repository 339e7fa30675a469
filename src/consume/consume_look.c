/*
 * consume_look.c
 *	  What a call of consume() waits for: looks at the topics.
 *
 * Waiting is in consume_wait.c.  A look owns a partition that has something to read, so that
 * of many waiting consumers only those wake up that will get something; the scan that begins
 * then finds it owned.  A look that finds nothing has taken no row lock and no transaction
 * id, and keeps no lock on the topics.  Waiting consumers are woken when a transaction with
 * records ends, and when another consumer gives a partition up (group_wakeup.c).
 *
 * A member waits for half its lease at most, so that its next call renews the lease; and it
 * does not wait at all when it has something to write, such as when it joins.
 *
 * Locks: AccessShareLock on the topics for the time of a look, or until the transaction's
 * end where there is something to read; then that partition's row.
 *
 * Memory: the caller's context, which is reset after a look.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "consume/consume_look.h"
#include "consume/consume_partition.h"
#include "consume/consume_pass.h"
#include "consume/consume_request.h"
#include "consume/consume_wait.h"
#include "consume/partition_cursor.h"
#include "consume/record_count.h"
#include "group/group_position.h"
#include "group/group_wakeup.h"
#include "group/lease.h"
#include "util/clock.h"

/* ---- looks -------------------------------------------------------------- */

/*
 * Look whether a member's call has anything to deliver or to write in one topic.
 * If not, the partitions that it waits for are added to the set, and their records counted.
 */
static ConsumeWaitVerdict
look_topic_leased(ConsumePassTopic *topic, PartitionSet *partitions, RecordCount *records)
{
	ConsumePassPartition *ordered;
	int			count;
	bool		retry = false;
	int64		next_end;

	if (pgt_consume_pass_look_member(topic, &retry))
		return WAIT_DONE;

	count = pgt_consume_pass_list_leased(topic, &ordered);
	for (int i = 0; i < count; i++)
	{
		PartitionCursor cursor;

		*partitions |= PARTITION_SET_OF(ordered[i].offset->partition);
		/* another query of the transaction is reading there */
		if (pgt_position_scan_is_live(&topic->group, ordered[i].offset->partition, true))
			continue;
		/* a gap is passed when the call ends */
		(void) pgt_partition_cursor_open(topic, ordered[i].offset, &cursor);
		if (cursor.must_commit)
		{
			pgt_partition_cursor_close(&cursor);
			return WAIT_DONE;
		}
		(void) pgt_record_count_add(records, topic, &cursor);
		if (records->found == records->wanted)
			return WAIT_DONE;
	}
	/* a partition whose lease is not renewed may be taken then */
	if ((next_end = pgt_lease_next_end(topic->lease)) != NEVER_US)
		pgt_consume_wait_for_lease(next_end);
	return retry ? WAIT_RETRY : WAIT_IDLE;
}

/* Look whether a member has anything to read or to write. */
static ConsumeWaitVerdict
look_leased(ConsumePass *pass)
{
	PartitionSet partitions = 0;
	RecordCount records;
	bool		retry = false;
	ListCell   *cell;

	pgt_consume_pass_open_topics(pass);
	pgt_record_count_begin(&records, pass->request);
	foreach(cell, pass->topics)
	{
		ConsumeWaitVerdict verdict = look_topic_leased(lfirst(cell), &partitions, &records);

		if (verdict == WAIT_DONE || pgt_record_count_is_enough(&records))
			return WAIT_DONE;
		retry |= verdict == WAIT_RETRY;
	}
	pgt_topic_waiters_set_partitions(partitions);
	return retry ? WAIT_RETRY : WAIT_IDLE;
}

/* If the call chooses partitions, wait for those only. */
static void
wait_for_chosen(const ConsumeRequest *request)
{
	PartitionSet partitions = 0;

	if (request->partitions == NULL)
		return;
	for (int i = 0; i < request->partition_count; i++)
		partitions |= PARTITION_SET_OF(request->partitions[i]);
	pgt_topic_waiters_set_partitions(partitions);
}

/* Look in transactional mode for one record: own a partition with something to read. */
static bool
own_one(ConsumePass *pass)
{
	ConsumePassPartition *ordered;
	int			count;

	pgt_consume_pass_open_topics(pass);
	count = pgt_consume_pass_list(pass, &ordered);
	for (int i = 0; i < count; i++)
	{
		PartitionCursor cursor;

		if (!pgt_consume_partition_own(ordered[i].topic, ordered[i].offset, &cursor))
			continue;
		pgt_partition_cursor_close(&cursor);
		return true;
	}
	return false;
}

/* Look in transactional mode: own partitions with as many records as the call waits for. */
static ConsumeWaitVerdict
look_transactional(ConsumePass *pass)
{
	bool		owns;

	wait_for_chosen(pass->request);
	owns = pass->request->min_records > 1 ? pgt_record_count_own(pass) : own_one(pass);
	if (owns)
		return WAIT_DONE;
	return pass->retry ? WAIT_RETRY : WAIT_IDLE;
}

/* Look as a snapshot sees the topics. */
static ConsumeWaitVerdict
look_as_of(const ConsumeRequest *request, Snapshot snapshot)
{
	ConsumePass pass = {.request = request,.snapshot = snapshot,.looks = true};
	ConsumeWaitVerdict verdict;

	verdict = request->member != NULL ? look_leased(&pass) : look_transactional(&pass);
	if (verdict != WAIT_DONE)
		pgt_consume_pass_unlock_topics(&pass);
	return verdict;
}

/* The look of a waiter.  arg: the request. */
static ConsumeWaitVerdict
look(void *arg)
{
	return look_as_of(arg, GetActiveSnapshot());
}

/* ---- waiting ------------------------------------------------------------ */

/* Fill in what a call that begins now waits for and how long: all but the look. */
static void
fill_waiter(ConsumeWaiter *waiter, const ConsumeRequest *request)
{
	int64		longest = request->timeout;

	if (request->member != NULL)
		longest = Min(longest, request->lease / 2);
	waiter->topics = request->topics;
	waiter->topic_count = request->topic_count;
	waiter->deadline = pgt_clock_monotonic_us() + longest;
	waiter->group = pgt_topic_waiters_group(request->group.id);
	/* what comes to a partition that this transaction owns, no other consumer can read */
	waiter->each = request->partitions != NULL || request->member != NULL || pgt_group_wakeup_owns();
	waiter->wanted = request->min_records;
}

/* Let a request wait before its statement; false if it does not wait. */
static bool
wait_for_request(ConsumeRequest *request, ConsumeWaiter *waiter)
{
	fill_waiter(waiter, request);
	waiter->look = look;
	waiter->arg = request;
	return request->timeout > 0;
}

bool
pgt_consume_look_wait(const ConsumeRequest *request, Snapshot snapshot)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "pg_topics look",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(scratch);
	ConsumeWaitVerdict verdict = look_as_of(request, snapshot);
	ConsumeWaiter waiter = {.look = look,.arg = unconstify(ConsumeRequest *, request)};

	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
	if (verdict == WAIT_DONE)
		return false;
	fill_waiter(&waiter, request);
	pgt_consume_wait_inside(&waiter);
	return true;
}

bool
pgt_consume_look_prepare(const FuncExpr *call, const NullableDatum *args, ConsumeWaiter *waiter)
{
	ConsumeRequest *request = palloc(sizeof(ConsumeRequest));

	if (XactReadOnly)
		return false;
	pgt_consume_request_parse(request, call, args);
	return wait_for_request(request, waiter);
}

void
pgt_consume_look_note_no_topics(const ConsumeRequest *request)
{
	if (request->topic_count == 0)
		ereport(NOTICE,
				(errmsg("consume_many() has no topics to consume"),
				 errdetail("The list of topics is empty.")));
}

bool
pgt_consume_look_prepare_many(const FuncExpr *call, const NullableDatum *args, ConsumeWaiter *waiter)
{
	ConsumeRequest *request = palloc(sizeof(ConsumeRequest));

	if (XactReadOnly)
		return false;
	pgt_consume_request_parse_many(request, call->funcid, args);
	if (!wait_for_request(request, waiter))
		return false;
	pgt_consume_look_note_no_topics(request);
	return true;
}
