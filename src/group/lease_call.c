/*
 * lease_call.c
 *	  A call of a member: what it reads, and what it is to do with each partition.
 *
 * A call reads the rows of all members and partitions of its group and plans from them alone;
 * nothing is locked or written here.
 *
 * Shares.  With n live members each has 1/n of the partitions; the members that joined
 * first have the remainder.  Each member computes its share from the same rows at each
 * call: a member with more gives partitions up, a member with less takes free ones.  Two
 * members may see different rows for a moment; at worst a partition stays free until the
 * next call.  A partition with uncommitted records is not given up at once: the member
 * receives no more records of it and its lease is not renewed, so either the commit gives
 * it up or its lease expires.
 *
 * Memory: the current context.
 */
#include "postgres.h"

#include "group/consumer_group.h"
#include "group/group_row.h"
#include "group/lease_call.h"
#include "util/clock.h"

/* ---- time ---------------------------------------------------------------- */

bool
pgt_lease_call_outlasts(const LeaseCall *call, TimestampTz until, int64 lease)
{
	return until - call->now > lease;
}

bool
pgt_lease_call_needs_renewal(const LeaseCall *call, TimestampTz until)
{
	return until - call->now < call->lease / 4 * 3 || pgt_lease_call_outlasts(call, until, call->lease);
}

/* ---- whose a partition is ------------------------------------------------ */

bool
pgt_lease_call_is_held(const LeaseCall *call, const GroupPartition *part)
{
	return part->lease.member != NULL && strcmp(part->lease.member, call->holder->member) == 0;
}

bool
pgt_lease_call_is_mine(const LeaseCall *call, const GroupPartition *part)
{
	return call->me != NULL && pgt_lease_call_is_held(call, part) &&
		pgt_group_member_lists(call->me, part->partition);
}

/* May the member take the partition, which is not its own? */
static bool
is_free(const LeaseCall *call, const GroupPartition *part)
{
	return part->lease.member == NULL || part->lease.until <= call->now ||
		pgt_lease_call_is_held(call, part);
}

bool
pgt_lease_call_is_uncommitted(const GroupPartition *part)
{
	return part->lease.position != NO_OFFSET && part->lease.position != part->committed;
}

/* ---- shares -------------------------------------------------------------- */

/* The number of partitions that the member should have. */
static int
share_of_member(const LeaseCall *call)
{
	int			partitions = call->holder->partitions;
	int			alive = 0;
	int			rank = -1;
	ListCell   *cell;

	foreach(cell, call->members)
	{
		const GroupMember *member = lfirst(cell);

		if (member == call->me)
			rank = alive++;
		else if (member->until > call->now)
			alive++;
	}
	if (rank < 0)
		rank = alive++;
	return partitions / alive + (rank < partitions % alive ? 1 : 0);
}

/*
 * Give up to "count" of the partitions that are to be kept another plan, beginning with
 * the last one; with "committed" only partitions without uncommitted records.  Returns
 * the part of "count" that remains.
 */
static int
plan_fewer(LeaseCall *call, int count, LeasePlan plan, bool committed)
{
	for (int i = call->holder->partitions - 1; i >= 0 && count > 0; i--)
	{
		if (call->plan[i] != LEASE_KEEP || (committed && pgt_lease_call_is_uncommitted(&call->parts[i])))
			continue;
		call->plan[i] = plan;
		count--;
	}
	return count;
}

void
pgt_lease_call_plan(LeaseCall *call)
{
	int			partitions = call->holder->partitions;
	int			excess = -share_of_member(call);

	for (int i = 0; i < partitions; i++)
	{
		call->plan[i] = pgt_lease_call_is_mine(call, &call->parts[i]) ? LEASE_KEEP : LEASE_OTHER;
		if (call->plan[i] == LEASE_KEEP)
			excess++;
	}
	if (excess > 0)
		excess = plan_fewer(call, excess, LEASE_GIVE_UP, true);
	if (excess > 0)
		excess = plan_fewer(call, excess, LEASE_DRAIN, false);

	for (int i = 0; i < partitions && excess < 0; i++)
	{
		if (call->plan[i] != LEASE_OTHER || !is_free(call, &call->parts[i]))
			continue;
		call->plan[i] = LEASE_TAKE;
		excess++;
	}
}

/* ---- members -------------------------------------------------------------- */

/* Order members by their ids. */
static int
compare_ids(const void *a, const void *b)
{
	return strcmp((*(GroupMember *const *) a)->id, (*(GroupMember *const *) b)->id);
}

/* The members of the call in the order of their ids. */
static GroupMember **
sort_by_id(List *members)
{
	GroupMember **sorted = palloc(sizeof(GroupMember *) * (list_length(members) + 1));

	for (int i = 0; i < list_length(members); i++)
		sorted[i] = list_nth(members, i);
	qsort(sorted, list_length(members), sizeof(GroupMember *), compare_ids);
	return sorted;
}

GroupMember *
pgt_lease_call_find_member(const LeaseCall *call, const char *id)
{
	GroupMember wanted = {.id = unconstify(char *, id)};
	GroupMember *key = &wanted;
	GroupMember **found = bsearch(&key, call->by_id, list_length(call->members), sizeof(GroupMember *), compare_ids);

	return found == NULL ? NULL : *found;
}

/* ---- the call -------------------------------------------------------------- */

LeaseCall *
pgt_lease_call_open(const LeaseHolder *holder)
{
	LeaseCall  *call = palloc0(sizeof(LeaseCall));

	call->holder = holder;
	call->now = pgt_clock_shifted_now();
	call->members = pgt_group_member_read(holder->group);
	call->by_id = sort_by_id(call->members);
	call->me = pgt_lease_call_find_member(call, holder->member);
	call->lease = holder->lease > 0 || call->me == NULL ? holder->lease : call->me->lease;
	call->parts = pgt_group_rows_read(holder->group, holder->partitions);
	pgt_group_clamp_future_served(call->parts, holder->partitions);
	call->plan = palloc(sizeof(LeasePlan) * holder->partitions);
	pgt_lease_call_plan(call);
	return call;
}
