/*
 * sql_group.c
 *	  Consumer groups that the registry does not know, since only SQL uses them, as Kafka's clients see them.
 *
 * They are groups of protocol type "consumer".  One with members that lease partitions (lease.c) is Stable, and these
 * are its members; any other one is Empty, whoever consumes with it in transactions.
 *
 * A client may see a group that belongs, in some topic, to a role that it may act for.  In a database that is not UTF-8 a name
 * may be one that clients cannot say: then they are not shown the group, as they are not shown such topics.
 */
#include "postgres.h"

#include "broker/groups/group_coordinator.h"
#include "broker/groups/group_owner.h"
#include "broker/groups/sql_group.h"
#include "group/group_member.h"
#include "group/group_row.h"
#include "group/kafka_claim.h"
#include "topic/topic.h"
#include "util/clock.h"

/* The role of a client that looks at owners, and what is known of the last one. */
typedef struct OwnerLook
{
	const BrokerConnection *client;
	Oid			last;
	bool		visible;
} OwnerLook;

/* May the client see groups of this owner? */
static bool
is_visible(Oid owner, void *arg)
{
	OwnerLook  *look = arg;

	if (owner != look->last)
	{
		look->last = owner;
		look->visible = owner == GROUP_UNCLAIMED || pgt_group_owner_may_act_for(look->client, owner);
	}
	return look->visible;
}

/* The group, in no topic yet; false where the extension's table is missing. */
static bool
init(ConsumerGroup *group, const char *id)
{
	*group = (ConsumerGroup) {.offsets_table = pgt_group_row_extension_table(),.id = id};
	return OidIsValid(group->offsets_table);
}

char *
pgt_sql_group_next(const char *id)
{
	Oid			table = pgt_group_row_extension_table();

	return OidIsValid(table) ? pgt_group_rows_next_group(table, id) : NULL;
}

SqlGroupFound
pgt_sql_group_find(const BrokerConnection *client, const char *id)
{
	OwnerLook	look = {.client = client,.last = InvalidOid,.visible = false};
	SqlGroupFound found = SQL_GROUP_MISSING;
	ConsumerGroup group;
	ListCell   *cell;

	if (!init(&group, id))
		return SQL_GROUP_MISSING;
	foreach(cell, pgt_group_rows_topics(&group))
	{
		group.topic = lfirst_oid(cell);
		if (is_visible(pgt_group_rows_owner(&group), &look))
			return SQL_GROUP_FOUND;
		found = SQL_GROUP_DENIED;
	}
	return found;
}

bool
pgt_sql_group_has_members(const char *id)
{
	ConsumerGroup group;
	ListCell   *cell;

	if (!init(&group, id))
		return false;
	foreach(cell, pgt_group_rows_topics(&group))
	{
		if (pgt_kafka_claim_find_sql_member(id, lfirst_oid(cell)) != NULL)
			return true;
	}
	return false;
}

/* The member of that id in a list, which it is added to if need be. */
static SqlGroupMember *
member_of(List **members, char *id)
{
	SqlGroupMember *member;
	ListCell   *cell;

	foreach(cell, *members)
	{
		member = lfirst(cell);
		if (strcmp(member->id, id) == 0)
			return member;
	}
	member = palloc0(sizeof(SqlGroupMember));
	member->id = id;
	*members = lappend(*members, member);
	return member;
}

/* Add the members of the group in its topic. */
static void
add_members(List **members, const ConsumerGroup *group)
{
	TimestampTz now = pgt_clock_shifted_now();
	ListCell   *cell;

	foreach(cell, pgt_group_member_read(group))
	{
		const GroupMember *read = lfirst(cell);
		SqlGroupMember *member;
		List	   *partitions = NIL;

		if (read->until <= now)
			continue;
		for (int i = 0; i < read->partition_count; i++)
			partitions = lappend_int(partitions, read->partitions[i]);
		member = member_of(members, read->id);
		member->topics = lappend_oid(member->topics, group->topic);
		member->partitions = lappend(member->partitions, partitions);
	}
}

List *
pgt_sql_group_members(const char *id)
{
	List	   *members = NIL;
	ConsumerGroup group;
	ListCell   *cell;

	if (!init(&group, id))
		return NIL;
	foreach(cell, pgt_group_rows_topics(&group))
	{
		group.topic = lfirst_oid(cell);
		if (pgt_topic_exists(group.topic))
			add_members(&members, &group);
	}
	return members;
}
