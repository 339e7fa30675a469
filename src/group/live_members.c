/*
 * live_members.c
 *	  Groups with members: what those that are alive forbid, and how members are
 *	  removed without being asked.
 *
 * A group with live members is not moved or deleted: they would go on where they stand, and
 * write its rows again.  A member whose lease has expired forbids nothing, and its row is
 * removed by whoever comes by; only a member that is calling at this moment keeps its row,
 * by its lock.
 *
 * Where the group has to go in any case, its members are removed although they are alive.
 * What they do next is fenced (lease.c): they are told that they are none.
 *
 * Consumers that are joining write the group's rows before their own, so after a group's rows
 * were deleted, which waits for such consumers, its members are looked at once more.
 *
 * Members of Kafka's are alive for as long as they have partitions (kafka_claim.c), and forbid the same.
 *
 * Locks: members' locks (group_member.c), those of the group's rows for a deletion.
 */
#include "postgres.h"

#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "group/consumer_group.h"
#include "group/kafka_claim.h"
#include "group/live_members.h"
#include "util/clock.h"

/* ---- what they forbid ---------------------------------------------------- */

bool
pgt_live_members_have(const GroupPartition *part)
{
	return part->lease.member != NULL && part->lease.until > pgt_clock_shifted_now();
}

/* ERROR: a group with live members cannot be moved or deleted. */
static void
report_live_member(const ConsumerGroup *group, const char *member, TimestampTz until)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_IN_USE),
			 errmsg("consumer group \"%s\" has live members in topic \"%s\"",
					group->id, get_rel_name(group->topic)),
			 errdetail("The lease of member \"%s\" ends at %s.", member, timestamptz_to_str(until)),
			 errhint("Let its members call leave_group(), or wait until their leases have ended.")));
}

void
pgt_live_members_refuse(const ConsumerGroup *group)
{
	TimestampTz now = pgt_clock_shifted_now();
	ListCell   *cell;

	foreach(cell, pgt_group_member_read(group))
	{
		const GroupMember *member = lfirst(cell);

		if (member->until > now)
			report_live_member(group, member->id, member->until);
	}
}

void
pgt_live_members_refuse_lease(const ConsumerGroup *group, const GroupPartition *part)
{
	pgt_kafka_claim_refuse(group, part);
	if (pgt_live_members_have(part))
		report_live_member(group, part->lease.member, part->lease.until);
}

/* ---- removing them ------------------------------------------------------- */

void
pgt_live_members_remove_expired_but(const ConsumerGroup *group, List *members, TimestampTz now,
									const char *me)
{
	bool		any = false;
	ListCell   *cell;

	foreach(cell, members)
	{
		const GroupMember *member = lfirst(cell);

		if (member->until <= now && (me == NULL || strcmp(member->id, me) != 0))
			any = pgt_group_member_lock(group, member->id, false) || any;
	}
	if (!any)
		return;

	/* read the members again, as some of them are locked now */
	foreach(cell, pgt_group_member_read(group))
	{
		const GroupMember *member = lfirst(cell);

		if (member->until <= now && (me == NULL || strcmp(member->id, me) != 0) &&
			pgt_group_member_lock(group, member->id, false))
			pgt_group_member_delete(group, member);
	}
}

void
pgt_live_members_remove_expired(const ConsumerGroup *group)
{
	pgt_live_members_remove_expired_but(group, pgt_group_member_read(group), pgt_clock_shifted_now(), NULL);
}

/* ---- removing their groups ------------------------------------------------ */

int64
pgt_live_members_delete_group(const ConsumerGroup *group)
{
	int64		deleted;

	pgt_live_members_refuse(group);
	pgt_live_members_remove_expired(group);
	deleted = pgt_group_delete(group, pgt_kafka_claim_refuse, NULL);
	/* the deletion has waited for consumers that were joining */
	pgt_live_members_refuse(group);
	return deleted;
}

/* Remove all members of a group, waiting for their calls. */
static void
remove_all_members(const ConsumerGroup *group)
{
	ListCell   *cell;

	foreach(cell, pgt_group_member_read(group))
		(void) pgt_group_member_lock(group, ((const GroupMember *) lfirst(cell))->id, true);
	/* read the members again, as they are locked now; one that has joined meanwhile is locked here */
	foreach(cell, pgt_group_member_read(group))
	{
		const GroupMember *member = lfirst(cell);

		if (pgt_group_member_lock(group, member->id, false))
			pgt_group_member_delete(group, member);
	}
}

void
pgt_live_members_drop_group(const ConsumerGroup *group)
{
	remove_all_members(group);
	/* what Kafka's clients have claimed they have until the coordinator releases it */
	(void) pgt_group_delete(group, NULL, pgt_kafka_claim_is);
	/* the deletion has waited for consumers that were joining */
	remove_all_members(group);
}
