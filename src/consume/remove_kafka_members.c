/*
 * remove_kafka_members.c
 *	  remove_kafka_members(): ending the membership of Kafka's clients, where nobody else can.
 *
 * The process that serves Kafka's clients removes members whose sessions have timed out, and with the last one ends
 * what keeps consumers in SQL away (kafka_claim.c).  If its listener was switched off while there were members, or
 * a dump brought their claims into another database, nobody does.  Then this function does, and it refuses where such
 * a process runs: that one has the members in its memory.
 *
 * A dump has claims, as they are in the rows of committed offsets, and no members.  A trigger leaves the claims out
 * where it is restored: only statements in SQL, such as COPY, fire it.
 *
 * Who may delete the group may do that: whoever may use it in each topic where members have partitions.
 * Committed offsets stay.
 *
 * Locks: the coordination (kafka_claim.c); AccessShareLock on the topics, in the order of their oids, and the rows
 * of their partitions; all until the transaction's end.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "nodes/value.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "consume/consume_live.h"
#include "group/consumer_group.h"
#include "group/group_role.h"
#include "group/group_row.h"
#include "group/kafka_claim.h"
#include "group/kafka_group_row.h"
#include "topic/sql_argument.h"
#include "topic/topic.h"
#include "util/sql_version.h"

PGT_FUNCTION_INFO(pgt_remove_kafka_members);

/* Not PGT_FUNCTION_INFO(): a dump may be restored into a database of another version. */
PG_FUNCTION_INFO_V1(pgt_leave_out_claim);

/* Add names to a list of different ones. */
static List *
add_names(List *names, List *added)
{
	ListCell   *cell;

	foreach(cell, added)
	{
		String	   *name = makeString(lfirst(cell));

		names = list_append_unique(names, name);
	}
	return names;
}

/* Have members partitions?  Then their rows say whose the group is. */
static bool
has_claims(const ConsumerGroup *group)
{
	ListCell   *topic;

	foreach(topic, pgt_group_rows_topics(group))
	{
		if (pgt_kafka_claim_is_in(group->id, lfirst_oid(topic)))
			return true;
	}
	return false;
}

/* ERROR unless the user may use the group that the coordinator has left, which has partitions in no topic. */
static void
check_owner(const ConsumerGroup *group)
{
	Oid			owner;

	if (has_claims(group) || !pgt_kafka_group_row_owner(group->id, &owner) || owner == GROUP_UNCLAIMED ||
		(OidIsValid(owner) && has_privs_of_role(GetUserId(), owner)) || superuser())
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for consumer group \"%s\"", group->id),
			 errdetail("Kafka clients use the group as another role."),
			 errhint("Let that role, or a superuser, call remove_kafka_members().")));
}

/* End all claims of the group in its topic; returns the members' ids. */
static List *
remove_in_topic(const ConsumerGroup *group)
{
	LockRelationOid(group->topic, AccessShareLock);
	if (!pgt_topic_exists(group->topic))
		return NIL;
	return pgt_kafka_claim_remove(group);
}

/* remove_kafka_members(group_id): returns how many there were. */
Datum
pgt_remove_kafka_members(PG_FUNCTION_ARGS)
{
	ConsumerGroup group;
	List	   *members = NIL;
	ListCell   *topic;

	PreventCommandIfReadOnly("remove_kafka_members()");
	pgt_sql_argument_require(fcinfo, 0, "consumer group name");
	pgt_group_init(&group, fcinfo->flinfo->fn_oid, InvalidOid, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	check_owner(&group);
	pgt_kafka_claim_lock(group.id);
	foreach(topic, pgt_group_rows_topics(&group))
	{
		group.topic = lfirst_oid(topic);
		members = add_names(members, remove_in_topic(&group));
	}
	members = add_names(members, pgt_kafka_member_row_ids(group.id));
	pgt_kafka_group_row_delete(group.id);
	PG_RETURN_INT64(list_length(members));
}

/* The function of the trigger before a row of topic_group_offsets is inserted by a statement. */
Datum
pgt_leave_out_claim(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	TupleDesc	desc;
	GroupPartition part;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || !TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("leave_out_claim() was not called before the insertion of a row")));
	desc = RelationGetDescr(trigger->tg_relation);
	part.served = DT_NOBEGIN;
	pgt_group_row_fill(&part, trigger->tg_trigtuple, desc);
	if (!pgt_kafka_claim_is(&part))
		return PointerGetDatum(trigger->tg_trigtuple);
	return PointerGetDatum(pgt_group_row_without_lease(trigger->tg_trigtuple, desc));
}
