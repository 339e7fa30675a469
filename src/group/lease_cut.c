/*
 * lease_cut.c
 *	  Cutting others' leases that last too long.
 *
 * If the clock is set back, a lease may have more time left than its whole length, and the
 * partition of a member that is gone would stay where it is.  The next call of any member
 * shortens such leases to their length.
 *
 * Locks: those of the partitions' rows and of the members, none of which is waited for: who
 * has one writes that lease itself.
 */
#include "postgres.h"

#include "group/consumer_group.h"
#include "group/lease_cut.h"

/* The length of the leases of a partition's member. */
static int64
length_of_lease(const LeaseCall *call, const GroupLease *lease)
{
	const GroupMember *member = pgt_lease_call_find_member(call, lease->member);

	return member != NULL ? member->lease : call->lease;
}

/* Does another member have a lease with more time left than its whole length? */
static bool
partition_outlasts(const LeaseCall *call, const GroupPartition *part)
{
	return part->lease.member != NULL && !pgt_lease_call_is_held(call, part) &&
		pgt_lease_call_outlasts(call, part->lease.until, length_of_lease(call, &part->lease));
}

/* Is another member alive for longer than the length of its leases? */
static bool
member_outlasts(const LeaseCall *call, const GroupMember *member)
{
	return strcmp(member->id, call->holder->member) != 0 &&
		pgt_lease_call_outlasts(call, member->until, member->lease);
}

bool
pgt_lease_cut_is_due(const LeaseCall *call)
{
	ListCell   *cell;

	foreach(cell, call->members)
	{
		if (member_outlasts(call, lfirst(cell)))
			return true;
	}
	for (int i = 0; i < call->holder->partitions; i++)
	{
		if (partition_outlasts(call, &call->parts[i]))
			return true;
	}
	return false;
}

void
pgt_lease_cut_others(LeaseCall *call)
{
	ListCell   *cell;

	if (!pgt_lease_cut_is_due(call))
		return;
	for (int i = 0; i < call->holder->partitions; i++)
	{
		GroupPartition *part = &call->parts[i];

		if (!partition_outlasts(call, part) ||
			pgt_group_lock(call->holder->group, part, false) != GROUP_OWNED ||
			!partition_outlasts(call, part))
			continue;
		part->lease.until = call->now + length_of_lease(call, &part->lease);
		pgt_group_write_lease(call->holder->group, part);
	}
	foreach(cell, call->members)
	{
		const GroupMember *member = lfirst(cell);

		if (member_outlasts(call, member))
			(void) pgt_group_member_lock(call->holder->group, member->id, false);
	}
	/* read the members again, as some of them are locked now */
	foreach(cell, pgt_group_member_read(call->holder->group))
	{
		GroupMember *member = lfirst(cell);

		if (!member_outlasts(call, member) ||
			!pgt_group_member_lock(call->holder->group, member->id, false))
			continue;
		member->until = call->now + member->lease;
		pgt_group_member_write(call->holder->group, member);
	}
}
