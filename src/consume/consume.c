/*
 * consume.c
 *	  consume(), consume_as(), consume_many(), commit_offsets() and leave_group():
 *	  reading for a group.
 *
 * One call, in transactional mode:
 *
 *	  read the group's rows                           no lock
 *	  for each wanted partition, least recently served first, until max_records
 *		 consume from it                              consume_partition.c
 *
 * So a group with nothing to read writes nothing and locks nothing (except for a
 * keep-alive commit every few days, see pgt_group_refresh_expiry()), and no consumer ever
 * waits for another one.
 *
 * In leased mode, with a member_id, lease.c makes the first steps: it decides
 * which partitions the member has, and records how far the member has read.  The
 * rest, offset reset included (partition_cursor.c), is the same.
 *
 * A call sees the records that the calling statement's snapshot sees, so that a
 * query that joins the records with tables sees both as of one moment.  What is
 * already consumed is decided by the offset's latest version, see consumer_group.c.
 *
 * Waiting is in consume_wait.c.  Before the statement starts, a look owns a
 * partition that has something to read, so that of many waiting consumers only
 * those wake up that will get something; the function then finds it owned.  A look
 * that finds nothing to deliver has taken no row lock and no transaction id.
 * Waiting consumers are woken when a transaction with records ends, and when
 * another consumer gives a partition up (group_wakeup.c).  A member waits
 * for half its lease at most, so that its next call renews the lease; and it does
 * not wait at all when it has something to write, such as when it joins.
 *
 * Locks: AccessShareLock on the topics until the transaction's end (while waiting
 * before the statement: for the time of a look); then the partitions' rows, which
 * are never waited for.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "consume/consume.h"
#include "consume/consume_partition.h"
#include "consume/consume_pass.h"
#include "consume/consume_request.h"
#include "consume/consume_wait.h"
#include "consume/consume_whole.h"
#include "consume/partition_cursor.h"
#include "group/group_position.h"
#include "group/group_role.h"
#include "group/group_row.h"
#include "group/lease.h"
#include "topic/record_rows.h"
#include "topic/sql_argument.h"
#include "util/clock.h"
#include "util/sql_version.h"

PGT_FUNCTION_INFO(pgt_consume);
PGT_FUNCTION_INFO(pgt_consume_as);
PGT_FUNCTION_INFO(pgt_consume_as_by_name);
PGT_FUNCTION_INFO(pgt_consume_many);
PGT_FUNCTION_INFO(pgt_commit_offsets);
PGT_FUNCTION_INFO(pgt_leave_group);

/* ---- one pass ----------------------------------------------------------- */

/* Serve partitions in the given order until the pass has enough. */
static void
serve(ConsumePass *pass, ConsumePassPartition *ordered, int count)
{
	int64		enough = pass->sink == NULL ? 1 : pass->request->max_records;

	for (int i = 0; i < count && pass->delivered < enough; i++)
	{
		if (pass->sink != NULL)
			pgt_record_rows_set_topic(pass->sink, ordered[i].topic->topic);
		pgt_consume_partition(ordered[i].topic, ordered[i].offset);
	}
}

/* Remember for commit_offsets() that the transaction reads for the group in each topic. */
static void
note_reading(const ConsumePass *pass)
{
	ListCell   *cell;

	foreach(cell, pass->topics)
		pgt_group_position_note_reading(&((ConsumePassTopic *) lfirst(cell))->group);
}

/* Serve the request once, without waiting for anything. */
static void
consume_once(ConsumePass *pass)
{
	ConsumePassPartition *ordered;
	int			count;

	pgt_consume_pass_open_topics(pass);
	count = pgt_consume_pass_list(pass, &ordered);
	serve(pass, ordered, count);
	if (pass->sink == NULL)
		return;
	pgt_consume_pass_keep_groups(pass);
	if (!pass->request->auto_commit)
		note_reading(pass);
}

/* Serve a member's request once, without waiting for records. */
static void
consume_leased(ConsumePass *pass)
{
	ConsumePassPartition *ordered;
	int			count;

	pgt_consume_pass_open_topics(pass);
	pass->waiting = false;
	count = pgt_consume_pass_begin_member(pass, &ordered);
	serve(pass, ordered, count);
	pgt_consume_pass_end_member(pass);
	pass->served_member = true;
}

/* ---- waiting ------------------------------------------------------------ */

/* The verdict on a pass in transactional mode that is over. */
static ConsumeWaitVerdict
verdict_of(const ConsumePass *pass)
{
	if (pass->delivered > 0)
		return WAIT_DONE;
	return pass->retry ? WAIT_RETRY : WAIT_IDLE;
}

/*
 * Look whether a member's call has anything to deliver or to write in one topic.
 * If not, the partitions that it waits for are added to the set.
 */
static ConsumeWaitVerdict
look_topic_leased(ConsumePassTopic *topic, PartitionSet *partitions)
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
		/* a gap is passed when the call ends */
		if (pgt_partition_cursor_open(topic, ordered[i].offset, &cursor) &&
			pgt_partition_cursor_has_work(&cursor))
		{
			pgt_partition_cursor_close(&cursor);
			return WAIT_DONE;
		}
	}
	/* a partition whose lease is not renewed may be taken then */
	if ((next_end = pgt_lease_next_end(topic->lease)) != NEVER_US)
		pgt_consume_wait_for_lease(next_end);
	return retry ? WAIT_RETRY : WAIT_IDLE;
}

/* Look whether consume_leased() has anything to deliver or to write. */
static ConsumeWaitVerdict
look_leased(ConsumePass *pass)
{
	PartitionSet partitions = 0;
	bool		retry = false;
	ListCell   *cell;

	pgt_consume_pass_open_topics(pass);
	foreach(cell, pass->topics)
	{
		ConsumeWaitVerdict verdict = look_topic_leased(lfirst(cell), &partitions);

		if (verdict == WAIT_DONE)
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

/* Look in transactional mode: consume what is there, or own a partition with something to read. */
static ConsumeWaitVerdict
look_transactional(ConsumePass *pass)
{
	wait_for_chosen(pass->request);
	consume_once(pass);
	return verdict_of(pass);
}

/* Look inside the function: consume what is there.  arg: the pass. */
static ConsumeWaitVerdict
look_and_consume(void *arg)
{
	ConsumePass *pass = arg;
	ConsumeWaitVerdict verdict;

	pass->snapshot = GetActiveSnapshot();
	pass->retry = false;
	if (pass->request->member == NULL)
		return look_transactional(pass);
	verdict = look_leased(pass);
	if (verdict == WAIT_DONE)
		consume_leased(pass);
	return verdict;
}

/*
 * Look before the statement: own a partition with something to read.  If there is none,
 * keeps no lock on the topics.  arg: the request.
 */
static ConsumeWaitVerdict
look_and_own(void *arg)
{
	ConsumePass pass = {.request = arg,.waiting = true};
	ConsumeWaitVerdict verdict;

	pass.snapshot = GetActiveSnapshot();
	verdict = pass.request->member != NULL ? look_leased(&pass) : look_transactional(&pass);
	if (verdict != WAIT_DONE)
		pgt_consume_pass_unlock_topics(&pass);
	return verdict;
}

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
	waiter->each = request->partitions != NULL || request->member != NULL;
}

/* Let a request wait before its statement; false if it does not wait. */
static bool
wait_for_request(ConsumeRequest *request, ConsumeWaiter *waiter)
{
	fill_waiter(waiter, request);
	waiter->look = look_and_own;
	waiter->arg = request;
	return request->timeout > 0;
}

/* The ConsumeWaitPrepare of consume() and consume_as(). */
static bool
prepare_waiting(const FuncExpr *call, const NullableDatum *args, ConsumeWaiter *waiter)
{
	ConsumeRequest *request = palloc(sizeof(ConsumeRequest));

	if (XactReadOnly)
		return false;
	pgt_consume_request_parse(request, call, args);
	return wait_for_request(request, waiter);
}

/* Tell that a call of consume_many() has an empty list of topics, which may be a query's mistake. */
static void
note_no_topics(const ConsumeRequest *request)
{
	if (request->topic_count == 0)
		ereport(NOTICE,
				(errmsg("consume_many() has no topics to consume"),
				 errdetail("The list of topics is empty.")));
}

/* The ConsumeWaitPrepare of consume_many(). */
static bool
prepare_waiting_many(const FuncExpr *call, const NullableDatum *args, ConsumeWaiter *waiter)
{
	ConsumeRequest *request = palloc(sizeof(ConsumeRequest));

	if (XactReadOnly)
		return false;
	pgt_consume_request_parse_many(request, call->funcid, args);
	if (!wait_for_request(request, waiter))
		return false;
	note_no_topics(request);
	return true;
}

/* ---- consume(), consume_as(), consume_many() ----------------------------- */

/*
 * Wait within the statement until a pass delivers something or the request's
 * time is up.  The pass has delivered nothing yet.
 */
static void
wait_and_consume(ConsumePass *pass)
{
	ConsumeWaiter waiter = {.look = look_and_consume,.arg = pass};

	fill_waiter(&waiter, pass->request);
	pgt_consume_wait_inside(&waiter);
	pass->snapshot = GetActiveSnapshot();
}

/* Serve a member's request. */
static void
consume_for_member(ConsumePass *pass)
{
	if (pass->waiting && look_leased(pass) != WAIT_DONE)
		wait_and_consume(pass);
	if (!pass->served_member)
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

/* Serve a call's request into the sink; waited: its waiting was done before the statement. */
static void
consume_into(RecordRows *sink, const ConsumeRequest *request, bool waited)
{
	ConsumePass pass = {.request = request,.sink = sink};

	pass.waiting = request->timeout > 0 && !waited && !IsolationUsesXactSnapshot();
	pass.snapshot = GetActiveSnapshot();
	if (request->member != NULL)
		consume_for_member(&pass);
	else
		consume_for_transaction(&pass);
}

/* consume() and consume_as(). */
static void
consume_one_topic(FunctionCallInfo fcinfo)
{
	const FuncExpr *call = (const FuncExpr *) fcinfo->flinfo->fn_expr;
	bool		waited = pgt_consume_wait_was_done((const Node *) call);
	ConsumeRequest request;
	Topic	   *topic;

	PreventCommandIfReadOnly("consume()");
	if (call == NULL || !IsA(call, FuncExpr))
		elog(ERROR, "consume() was called without its expression");
	pgt_consume_request_parse(&request, call, fcinfo->args);
	topic = pgt_consume_request_open_topic(&request, request.topics[0]);
	consume_into(pgt_record_rows_begin(fcinfo, topic, pgt_consume_request_is_typed(call)), &request, waited);
}

/* consume(topic, group_id, ...): the next records, key and value as text. */
Datum
pgt_consume(PG_FUNCTION_ARGS)
{
	consume_one_topic(fcinfo);
	return (Datum) 0;
}

/* consume_as(NULL::topic, group_id, ...): the next records as rows of the topic. */
Datum
pgt_consume_as(PG_FUNCTION_ARGS)
{
	consume_one_topic(fcinfo);
	return (Datum) 0;
}

/* consume_as('topic', group_id, ...): an error */
Datum
pgt_consume_as_by_name(PG_FUNCTION_ARGS)
{
	pgt_record_rows_refuse_name(fcinfo, "consume_as", ", ...");
}

/* consume_many(topics, group_id, ...): the next records, each with its topic. */
Datum
pgt_consume_many(PG_FUNCTION_ARGS)
{
	bool		waited = pgt_consume_wait_was_done((const Node *) fcinfo->flinfo->fn_expr);
	ConsumeRequest request;

	PreventCommandIfReadOnly("consume_many()");
	pgt_consume_request_parse_many(&request, fcinfo->flinfo->fn_oid, fcinfo->args);
	if (!waited)
		note_no_topics(&request);
	consume_into(pgt_record_rows_begin_many(fcinfo), &request, waited);
	return (Datum) 0;
}

/* ---- commit_offsets(), leave_group() ------------------------------------- */

/*
 * Set *group to the topic and the group that a call's first two arguments name, and
 * *holder to the member that its argument "member_arg" names, or to none if that is null.
 * ERROR in a read-only transaction.
 */
static void
parse_holder(FunctionCallInfo fcinfo, const char *function, int member_arg,
			 ConsumerGroup *group, LeaseHolder *holder)
{
	Topic	   *topic;

	PreventCommandIfReadOnly(function);
	pgt_sql_argument_require(fcinfo, 0, "topic");
	pgt_sql_argument_require(fcinfo, 1, "consumer group name");
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
	pgt_group_member_check_id(holder->member);
}

/* Tell that commit_offsets() commits nothing, unless the transaction has read and found nothing. */
static void
warn_if_not_reading(const ConsumerGroup *group)
{
	if (pgt_group_position_is_reading(group))
		return;
	pgt_group_role_check(group, pgt_group_rows_owner(group));
	ereport(WARNING,
			(errcode(ERRCODE_NO_ACTIVE_SQL_TRANSACTION),
			 errmsg("there are no offsets of consumer group \"%s\" in topic \"%s\" to commit",
					group->id, get_rel_name(group->topic)),
			 errdetail("This transaction has not consumed from the topic with auto_commit => false."),
			 errhint("Consume and commit in one transaction, or consume with member_id.")));
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
	{
		warn_if_not_reading(&group);
		pgt_group_commit_positions(&group);
	}
	PG_RETURN_VOID();
}

/* leave_group(topic, group_id, member_id): give up all partitions leased to the member, and remove it. */
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
				 errdetail("A consumer without a member_id gives up its partitions when its transaction ends.")));
	pgt_lease_leave(&holder);
	PG_RETURN_VOID();
}

void
pgt_consume_init(void)
{
	pgt_consume_request_init();
	pgt_consumer_group_init();
	pgt_consume_wait_init();
	pgt_consume_whole_init();
	pgt_consume_wait_register(pgt_consume, prepare_waiting);
	pgt_consume_wait_register(pgt_consume_as, prepare_waiting);
	pgt_consume_wait_register(pgt_consume_many, prepare_waiting_many);
}
