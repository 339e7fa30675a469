/*
 * sql_share_group.c
 *	  Share groups that have no members among Kafka's clients, as these see them.
 *
 * A share group is there as soon as somebody has acquired records with it, in SQL or as a Kafka client, until it is deleted.  Who
 * consumes in SQL is no member of anything: such a group is Empty.
 */
#include "postgres.h"

#include "broker/groups/group_owner.h"
#include "broker/groups/sql_share_group.h"
#include "group/group_row.h"
#include "share/share_group.h"
#include "utils/lsyscache.h"

/* The schema of the extension; InvalidOid: it is not there. */
static Oid
schema_of_extension(void)
{
	Oid			table = pgt_group_row_extension_table();

	return OidIsValid(table) ? get_rel_namespace(table) : InvalidOid;
}

char *
pgt_sql_share_group_next(const char *id)
{
	Oid			schema = schema_of_extension();

	return OidIsValid(schema) ? pgt_share_row_next_group(schema, id) : NULL;
}

SqlGroupFound
pgt_sql_share_group_find(const BrokerConnection *client, const char *id)
{
	Oid			schema = schema_of_extension();
	List	   *rows = OidIsValid(schema) ? pgt_share_row_list(schema, id, InvalidOid) : NIL;
	ListCell   *cell;

	foreach(cell, rows)
	{
		Oid			owner = ((const ShareRow *) lfirst(cell))->owner;

		if (owner == GROUP_UNCLAIMED || pgt_group_owner_may_act_for(client, owner))
			return SQL_GROUP_FOUND;
	}
	return rows == NIL ? SQL_GROUP_MISSING : SQL_GROUP_DENIED;
}

bool
pgt_sql_share_group_exists(const char *id)
{
	Oid			schema = schema_of_extension();

	return OidIsValid(schema) && pgt_share_group_exists(schema, id);
}
