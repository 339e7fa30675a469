/*
 * consume.c
 *	  consume(), consume_as(), consume_many(), commit_offsets() and leave_group():
 *	  reading for a group.
 *
 * In FROM these calls are plan nodes (consume_plan.c), and the functions are not run.  They
 * are run where no node can stand: in a SELECT list, in ROWS FROM, WITH ORDINALITY, and
 * where a copy of the function is SECURITY DEFINER or has settings of its own.  There they
 * consume all that the call may return before the statement gets the first row, so
 * consume_whole.c refuses statements that would then leave rows out.
 *
 * Both ways read by a scan (consume_scan.c), one record at a time; a function puts all of
 * them into its result.
 *
 * Locks: see consume_scan.c; commit_offsets() and leave_group() take AccessShareLock on the
 * topic, until the transaction's end, and the partitions' rows.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "consume/consume.h"
#include "consume/consume_live.h"
#include "consume/consume_look.h"
#include "consume/consume_plan.h"
#include "consume/consume_request.h"
#include "consume/consume_scan.h"
#include "consume/consume_shared.h"
#include "consume/consume_wait.h"
#include "consume/consume_whole.h"
#include "group/group_position.h"
#include "group/group_role.h"
#include "group/group_row.h"
#include "group/lease.h"
#include "topic/record_rows.h"
#include "topic/sql_argument.h"
#include "util/sql_version.h"

PGT_FUNCTION_INFO(pgt_consume);
PGT_FUNCTION_INFO(pgt_consume_as);
PGT_FUNCTION_INFO(pgt_consume_as_by_name);
PGT_FUNCTION_INFO(pgt_consume_many);
PGT_FUNCTION_INFO(pgt_commit_offsets);
PGT_FUNCTION_INFO(pgt_leave_group);

/* ---- consume(), consume_as(), consume_many() ----------------------------- */

/* Serve a call's request into the result; waited: its waiting was done before the statement. */
static void
consume_into(RecordRows *rows, const ConsumeRequest *request, bool waited)
{
	ConsumeScan *scan = pgt_consume_scan_begin(request, GetActiveSnapshot(), waited);
	Topic	   *topic = NULL;
	ConsumeScanRow row;

	while (pgt_consume_scan_next(scan, &row))
	{
		CHECK_FOR_INTERRUPTS();
		if (row.topic != topic)
			pgt_record_rows_set_topic(rows, row.topic);
		topic = row.topic;
		pgt_record_rows_put(rows, row.partition, row.record);
	}
	pgt_consume_scan_end(scan);
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
		pgt_consume_look_note_no_topics(&request);
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
	pgt_consume_live_settle(group.id);
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
	pgt_consume_live_settle(group.id);
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
	pgt_consume_plan_init();
	pgt_consume_wait_register(pgt_consume, pgt_consume_look_prepare);
	pgt_consume_wait_register(pgt_consume_as, pgt_consume_look_prepare);
	pgt_consume_wait_register(pgt_consume_many, pgt_consume_look_prepare_many);
	pgt_consume_shared_init();
}
