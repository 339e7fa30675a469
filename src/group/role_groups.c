/*
 * role_groups.c
 *	  The consumer groups of roles that are given up or dropped.
 *
 * A group is a name in rows, not an object of the catalogs, so the server knows of no
 * dependency on the role that it belongs to (group_role.c), and REASSIGN OWNED and DROP OWNED
 * pass it over.  The hook of statements calls the first two functions here after the server
 * has done its part, in the same transaction.
 *
 * DROP OWNED deletes groups although they have live members, as it drops a table although
 * somebody uses it: it waits for transactions, not for leases, which a member that polls would
 * renew for ever.  A member that commits afterwards is told that it is none (lease.c).  Clients of Kafka's remain members of
 * a group that has committed nothing, for as long as they may.
 *
 * DROP ROLE is not held up by groups.  The maintenance worker of each database puts "no role"
 * in the place of an oid that no role has.  It does so with every round, minutes apart, and an
 * oid that was given out comes around after four billion others, so no new role finds itself
 * the owner of groups.
 *
 * Locks: AccessShareLock on the topics; all partitions of the groups are owned
 * (consumer_group.c).
 */
#include "postgres.h"

#include "access/xact.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "group/consumer_group.h"
#include "group/group_row.h"
#include "group/live_members.h"
#include "group/role_groups.h"
#include "topic/topic.h"

/* Writes what the transaction has consumed so far. */
static void (*settle_first) (const char *group_id) = NULL;

void
pgt_role_groups_call_first(void (*settle) (const char *group_id))
{
	settle_first = settle;
}

/* Is the owner one of these roles?  arg: List of oids. */
static bool
is_one_of(Oid owner, const void *arg)
{
	return list_member_oid((const List *) arg, owner);
}

/* The groups of these roles, in the order in which sessions lock topics and groups. */
static List *
groups_of(List *roles)
{
	Oid			table = pgt_group_row_any_table();

	/* the server's part of the statement may have dropped topics, and their rows */
	CommandCounterIncrement();
	/* what is written later would bring a deleted group back, or write another role's */
	if (settle_first != NULL)
		settle_first(NULL);
	return OidIsValid(table) ? pgt_group_rows_groups(table, is_one_of, roles) : NIL;
}

void
pgt_role_groups_reassign(List *roles, Oid new_owner)
{
	ListCell   *cell;

	foreach(cell, groups_of(roles))
	{
		const ConsumerGroup *group = lfirst(cell);

		LockRelationOid(group->topic, AccessShareLock);
		if (pgt_topic_exists(group->topic))
			(void) pgt_group_set_owner(group, pgt_topic_get(group->topic)->partitions, new_owner);
	}
}

void
pgt_role_groups_drop(List *roles)
{
	ListCell   *cell;

	foreach(cell, groups_of(roles))
	{
		const ConsumerGroup *group = lfirst(cell);

		LockRelationOid(group->topic, AccessShareLock);
		if (pgt_topic_exists(group->topic))
			pgt_live_members_drop_group(group);
	}
}

/* Is there no role with that oid, which is not 0? */
static bool
is_gone(Oid owner, const void *arg)
{
	return OidIsValid(owner) && !SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(owner));
}

/* Take the owner from a group's rows, as far as nobody uses them; returns their number. */
static int
disown(const ConsumerGroup *group)
{
	int32		partitions;
	GroupPartition *parts;
	int			changed = 0;

	if (!ConditionalLockRelationOid(group->topic, AccessShareLock))
		return 0;
	partitions = pgt_topic_exists(group->topic) ? pgt_topic_get(group->topic)->partitions : 0;
	parts = pgt_group_rows_read(group, partitions);
	for (int32 i = 0; i < partitions; i++)
	{
		if (!parts[i].exists || !is_gone(parts[i].owner, NULL) ||
			pgt_group_lock(group, &parts[i], false) != GROUP_OWNED)
			continue;
		pgt_group_row_set_owner(group, &parts[i], InvalidOid);
		changed++;
	}
	if (changed > 0)
		pgt_group_row_tell_owners(group->offsets_table);
	return changed;
}

int
pgt_role_groups_disown(void)
{
	int			changed = 0;
	Oid			table;
	ListCell   *cell;

	PushActiveSnapshot(GetLatestSnapshot());
	table = pgt_group_row_any_table();
	if (OidIsValid(table))
	{
		foreach(cell, pgt_group_rows_groups(table, is_gone, NULL))
			changed += disown(lfirst(cell));
	}
	PopActiveSnapshot();
	return changed;
}
