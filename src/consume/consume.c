/*
 * consume.c
 *	  consume(), consume_as(), commit_offsets() and leave_group(): reading for
 *	  a group.
 *
 * One call, in transactional mode:
 *
 *	  read the group's rows                           no lock
 *	  for each wanted partition, least recently served first, until max_records
 *		 consume from it                              consume_partition.c
 *
 * So a group with nothing to read writes nothing and locks nothing (but once in
 * days, that it is still there: pgt_group_keep()), and nobody ever waits for
 * another consumer.
 *
 * In leased mode, with a member_id, the first steps are lease.c's: it says which
 * partitions are the member's, and takes down how far it has read.  The rest,
 * offset reset included (partition_cursor.c), is the same.
 *
 * What is read: what the calling statement's snapshot sees, so that a query
 * that joins the records with tables sees both as of one moment.  What is
 * already consumed: the offset's latest version, see consumer_group.c.
 *
 * Waiting is in consume_wait.c.  Before the statement starts a look claims a
 * partition that has something to read, so that of many who wait only those
 * wake up that will get something; the function then finds it owned.  A look
 * that finds nothing to deliver has taken no row lock and no transaction id.
 * Records of a running transaction are announced when it ends, and so is that
 * another consumer gives a partition up (group_wakeup.c).  A member waits
 * for half its lease at most, so that its next call renews it; and not when it
 * has anything to write, such as when it joins.
 *
 * Locks: AccessShareLock on the topic till the transaction's end (while
 * waiting before the statement: for the time of a look), then a partition's
 * row.
 *
 * Layer 6.  Read consume_request.c, consume_partition.c, consume_wait.c,
 * record_rows.c, consume_many.c and seek.c next.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "consume/consume.h"
#include "consume/consume_many.h"
#include "consume/consume_partition.h"
#include "consume/consume_pass.h"
#include "consume/consume_request.h"
#include "consume/consume_wait.h"
#include "consume/partition_cursor.h"
#include "group/group_row.h"
#include "group/lease.h"
#include "log/clock.h"
#include "topic/record_rows.h"
#include "util/sql_version.h"

PGT_FUNCTION_INFO(pgt_consume);
PGT_FUNCTION_INFO(pgt_consume_as);
PGT_FUNCTION_INFO(pgt_commit_offsets);
PGT_FUNCTION_INFO(pgt_leave_group);

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
	int64		next_end;

	set_holder(pass);
	pass->lease = pgt_lease_look(&pass->holder);
	if (pgt_lease_is_due(pass->lease, &retry))
		return WAIT_DONE;

	count = order_leased(pass, &ordered);
	for (int i = 0; i < count; i++)
	{
		PartitionCursor cursor;

		*partitions |= PARTITION_SET_OF(ordered[i]->partition);
		/* a gap is passed when the call ends */
		if (pgt_cursor_open(pass, ordered[i], &cursor) && pgt_cursor_has_work(&cursor))
		{
			pgt_cursor_close(&cursor);
			return WAIT_DONE;
		}
	}
	/* a partition whose lease is not renewed may be taken then */
	if ((next_end = pgt_lease_next_end(pass->lease)) != NEVER_US)
		pgt_wait_for_lease(next_end);
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
	waiter->deadline = pgt_monotonic_us() + longest;
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

	/* it may have been revoked while the call waited */
	pgt_topic_check_acl(pass->topic->relid, ACL_SELECT);
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
