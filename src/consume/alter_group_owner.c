/*
 * alter_group_owner.c
 *	  alter_group_owner(): a consumer group is to belong to another role.
 *
 * The rules are those of ALTER ... OWNER TO: who owns the group, or its topic, may give it to
 * a role that he could become, and that may read the topic, as CREATE on the schema is asked
 * for with tables.  A superuser may give it to any role.
 *
 * All partitions of the group are owned meanwhile, those without a row too: no first row of
 * the group can be written with the owner of before.  So the call waits for consumers that
 * are in the midst of a transaction.  Members with leases are not waited for; if they may
 * not use the group any more, their next call says so, and their leases end by themselves.
 *
 * A share group changes hands whoever has records of it (share_group.c).
 *
 * Locks: AccessShareLock on the topic and all partitions of the group, until the transaction's
 * end.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "consume/consume_live.h"
#include "group/consumer_group.h"
#include "group/group_row.h"
#include "share/share_group.h"
#include "topic/sql_argument.h"
#include "topic/topic.h"
#include "util/compat.h"
#include "util/sql_version.h"

PGT_FUNCTION_INFO(pgt_alter_group_owner);

/* ERROR unless the current user may make that role the owner of groups of the topic. */
static void
check_new_owner(const Topic *topic, Oid role)
{
	if (superuser())
		return;
	PGT_CHECK_CAN_BECOME(GetUserId(), role);
	if (pg_class_aclcheck(topic->relid, role, ACL_SELECT) != ACLCHECK_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" may not read topic \"%s\"",
						GetUserNameFromId(role, false), get_rel_name(topic->relid)),
				 errdetail("Who owns a consumer group must be able to consume."),
				 errhint("Grant the role SELECT on the topic first.")));
}

/* alter_group_owner(topic, group_id, new_owner) */
Datum
pgt_alter_group_owner(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"topic", "consumer group name", "new_owner"};
	ConsumerGroup group;
	ShareGroup	share;
	bool		is_share = false;
	Topic	   *topic;
	Oid			role;
	Oid			owner;
	int			changed;

	PreventCommandIfReadOnly("alter_group_owner()");
	for (int i = 0; i < lengthof(names); i++)
		pgt_sql_argument_require(fcinfo, i, names[i]);
	LockRelationOid(PG_GETARG_OID(0), AccessShareLock);
	topic = pgt_topic_get(PG_GETARG_OID(0));
	if (!pgt_topic_is_owner(topic->relid))
		pgt_topic_check_acl(topic->relid, ACL_SELECT);
	pgt_group_init(&group, fcinfo->flinfo->fn_oid, topic->relid, text_to_cstring(PG_GETARG_TEXT_PP(1)));
	role = get_role_oid(NameStr(*PG_GETARG_NAME(2)), false);

	pgt_consume_live_settle(group.id);
	owner = pgt_group_rows_owner(&group);
	if (owner == GROUP_UNCLAIMED)
	{
		share = (ShareGroup) {.group = group,.schema = get_rel_namespace(group.offsets_table)};
		owner = pgt_share_group_owner(&share);
		is_share = owner != GROUP_UNCLAIMED;
	}
	if (role != owner)
		check_new_owner(topic, role);
	changed = is_share ? pgt_share_group_set_owner(&share, role) :
		pgt_group_set_owner(&group, topic->partitions, role);
	if (changed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("topic \"%s\" has no consumer group \"%s\"", get_rel_name(topic->relid), group.id),
				 errhint("A group exists from its first commit on; seek_to_beginning() makes one.")));
	PG_RETURN_VOID();
}
