/*
 * share_role.c
 *	  The share groups of roles that are given up or dropped.
 *
 * As role_groups.c does for consumer groups, whose head says why.  DROP OWNED deletes a group although
 * leases last, but not under a running transaction.
 *
 * Locks: AccessShareLock on the topics.
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "storage/lmgr.h"
#include "utils/syscache.h"

#include "share/share_group.h"
#include "share/share_role.h"
#include "util/sql_version.h"

/* Is the owner one of these roles?  With NIL: one that does not exist. */
static bool
is_wanted(Oid owner, List *roles)
{
	if (roles != NIL)
		return list_member_oid(roles, owner);
	return OidIsValid(owner) && owner != GROUP_UNCLAIMED &&
		!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(owner));
}

/* The share groups of these roles, each in a topic that is locked: a List of ShareGroup. */
static List *
groups_of(List *roles)
{
	Oid			schema = pgt_sql_version_schema();
	List	   *groups = NIL;
	ShareGroup *last = NULL;
	ListCell   *cell;

	if (!OidIsValid(schema))
		return NIL;
	foreach(cell, pgt_share_row_list(schema, NULL, InvalidOid))
	{
		const ShareRow *row = lfirst(cell);

		if (!is_wanted(row->owner, roles))
			continue;
		if (last != NULL && last->group.topic == row->topic && strcmp(last->group.id, row->group_id) == 0)
			continue;
		LockRelationOid(row->topic, AccessShareLock);
		if (!pgt_topic_exists(row->topic))
			continue;
		last = palloc0(sizeof(ShareGroup));
		last->schema = schema;
		last->group.topic = row->topic;
		last->group.id = row->group_id;
		groups = lappend(groups, last);
	}
	return groups;
}

void
pgt_share_role_reassign(List *roles, Oid new_owner)
{
	ListCell   *cell;

	foreach(cell, groups_of(roles))
		(void) pgt_share_group_set_owner(lfirst(cell), new_owner);
}

void
pgt_share_role_drop(List *roles)
{
	ListCell   *cell;

	foreach(cell, groups_of(roles))
		(void) pgt_share_group_delete(lfirst(cell), true);
}

int
pgt_share_role_disown(void)
{
	int			changed = 0;
	ListCell   *cell;

	foreach(cell, groups_of(NIL))
		changed += pgt_share_group_set_owner(lfirst(cell), InvalidOid);
	return changed;
}
