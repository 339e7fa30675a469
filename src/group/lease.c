/*
 * lease.c
 *	  Leased partitions: consuming as a member of a group, without holding a
 *	  transaction open.
 *
 * Each call of a member is a short transaction of its own, from any session.  All state
 * that lasts from one call to the next is in rows, so it survives a connection pooler, a
 * crash and a fail-over.
 *
 *	  topic_group_offsets    one row a partition: the member that has it, until
 *							 when, its next record (position), how often the
 *							 partition was taken (generation)
 *	  topic_group_members    one row a member: until when it is alive, and which
 *							 partitions it had at its last call
 *
 * The partition's row alone decides which member has the partition, and every change is
 * made with the row's lock and its latest version (consumer_group.c).  A partition whose
 * lease has expired is free; until another member takes it, the old member may continue.
 *
 *	  free  --take (generation + 1, position = none)-->  leased by m
 *	  leased by m  --m reads-->    position = next
 *	  leased by m  --m commits-->  committed offset = position, position = none
 *	  leased by m  --m gives up, leaves-->  free
 *	  leased by m  --time-->       free, still named after m
 *
 * So a partition that is taken starts at its committed offset: at least once.
 *
 * Fencing.  A member's row lists the partitions that it had when it consumed last.  A
 * commit compares the list with the partitions' rows, and fails if one of the partitions
 * is not the member's any more, or if the member's row is gone.  A partition is a member's
 * only if both rows say so: a partition whose row names a member that was removed and has
 * joined again since counts as free.  The next consume() brings the list up to date.  As
 * the failed commit may have rolled back work, all records that the member has not
 * committed are delivered again then.
 *
 * The rows of partitions say which role a group belongs to (group_role.c).  So a member
 * joins only a group that has such a row, its own or another's.  Where other transactions
 * are about to write all of a new group's first rows, the member waits for them.
 *
 * Shares.  With n live members each has 1/n of the partitions; the members that joined
 * first have the remainder.  Each member computes its share from the same rows at each
 * call: a member with more gives partitions up, a member with less takes free ones.  Two
 * members may see different rows for a moment; at worst a partition stays free until the
 * next call.  A partition with uncommitted records is not given up at once: the member
 * receives no more records of it and its lease is not renewed, so either the commit gives
 * it up or its lease expires.
 *
 * Renewal.  A call that delivers or commits writes rows anyway, and renews their leases.
 * Otherwise a lease is renewed once a quarter of it has passed, so that polling an idle
 * topic writes little.  The member's row is written with each write to one of its
 * partitions, and never ends before their leases.
 *
 * Time is the server's wall clock, since leases outlive the server and are replicated to
 * standbys.  The clock of a promoted standby may differ, so a lease may be a little longer
 * or shorter there.  If the clock is set forward, leases end early.  If it is set back, a
 * lease may have more time left than its whole length; the next call of any member
 * shortens it to its length.
 *
 * Locks: the member's lock (group_member.c), then the locks of partitions' rows.  Row locks
 * are waited for only in ascending order; otherwise a locked row is skipped.
 *
 * Durability and crash safety are the heap's.
 */
#include "postgres.h"

#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "group/consumer_group.h"
#include "group/group_position.h"
#include "group/group_row.h"
#include "group/group_wakeup.h"
#include "group/lease.h"
#include "util/clock.h"

/* What a call does with a partition. */
typedef enum LeasePlan
{
	LEASE_OTHER,				/* nothing: it is not the member's */
	LEASE_KEEP,
	LEASE_DRAIN,				/* give it up once its records are committed */
	LEASE_GIVE_UP,
	LEASE_TAKE
} LeasePlan;

struct LeaseCall
{
	const LeaseHolder *holder;
	TimestampTz now;
	List	   *members;		/* of GroupMember, in the order they joined */
	GroupMember **by_id;		/* the same, in the order of their ids */
	GroupMember *me;			/* one of them; NULL: the member is new */
	int64		lease;
	GroupPartition *parts;		/* of all partitions */
	LeasePlan  *plan;			/* for each of them */
	bool		wrote;			/* has it written a partition's row? */
};

/* ---- time --------------------------------------------------------------- */

/* The current time, by which leases end. */
static TimestampTz
lease_now(void)
{
	return GetCurrentTimestamp() + (int64) (pgt_clock_offset * 1000);
}

bool
pgt_lease_is_live(const GroupPartition *part)
{
	return part->lease.member != NULL && part->lease.until > lease_now();
}

/* Does a lease have more time left than its whole length, since the clock was set back? */
static bool
outlasts(const LeaseCall *call, TimestampTz until, int64 lease)
{
	return until - call->now > lease;
}

/* Has a quarter of a lease passed, or does it last too long, so that it must be written again? */
static bool
needs_renewal(const LeaseCall *call, TimestampTz until)
{
	return until - call->now < call->lease / 4 * 3 || outlasts(call, until, call->lease);
}

/* ---- errors ------------------------------------------------------------- */

/* ERROR (fencing): the group has no such member, or not any more. */
static void
report_unknown_member(const LeaseHolder *holder)
{
	ereport(ERROR,
			(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
			 errmsg("\"%s\" is not a member of consumer group \"%s\" in topic \"%s\"",
					holder->member, holder->group->id, get_rel_name(holder->group->topic)),
			 errdetail("The member has never joined, it has left, or its lease has expired."),
			 errhint("Call consume() to join; it continues at the committed offsets.")));
}

/* ERROR (fencing): the member has lost a partition. */
static void
report_lost_lease(const LeaseHolder *holder, const GroupPartition *part)
{
	ereport(ERROR,
			(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
			 errmsg("member \"%s\" of consumer group \"%s\" has lost its lease of partition %d of topic \"%s\"",
					holder->member, holder->group->id, part->partition,
					get_rel_name(holder->group->topic)),
			 part->lease.member == NULL ?
			 errdetail("The lease has expired.") :
			 errdetail("Member \"%s\" has taken the partition, with generation %lld.", part->lease.member,
					   (long long) part->lease.generation),
			 errhint("Nothing was committed. Call consume() to continue at the committed offsets.")));
}

/* Report to a member that it has lost a partition. */
static void
notice_lost_lease(const LeaseHolder *holder, const GroupPartition *part)
{
	ereport(NOTICE,
			(errmsg("member \"%s\" of consumer group \"%s\" has lost its lease of partition %d of topic \"%s\"",
					holder->member, holder->group->id, part->partition,
					get_rel_name(holder->group->topic)),
			 errdetail("Records that the member had not committed are delivered again.")));
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

/* ---- the plan ----------------------------------------------------------- */

bool
pgt_lease_is_held(const LeaseCall *call, const GroupPartition *part)
{
	return part->lease.member != NULL && strcmp(part->lease.member, call->holder->member) == 0;
}

/*
 * Is the partition the member's?  Its row must name the member, and the member's row must
 * list it.  A partition that a member of that name had before it was removed and joined
 * again is not the member's: its position may lie behind records that were never
 * processed.
 */
static bool
is_mine(const LeaseCall *call, const GroupPartition *part)
{
	return call->me != NULL && pgt_lease_is_held(call, part) && pgt_group_member_lists(call->me, part->partition);
}

/* May the member take the partition, which is not its own? */
static bool
is_free(const LeaseCall *call, const GroupPartition *part)
{
	return part->lease.member == NULL || part->lease.until <= call->now ||
		pgt_lease_is_held(call, part);
}

/* Has the partition's member read records that it has not committed? */
static bool
is_uncommitted(const GroupPartition *part)
{
	return part->lease.position != NO_OFFSET && part->lease.position != part->committed;
}

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
		if (call->plan[i] != LEASE_KEEP || (committed && is_uncommitted(&call->parts[i])))
			continue;
		call->plan[i] = plan;
		count--;
	}
	return count;
}

/* Decide what the call does with each partition. */
static void
make_plan(LeaseCall *call)
{
	int			partitions = call->holder->partitions;
	int			excess = -share_of_member(call);

	for (int i = 0; i < partitions; i++)
	{
		call->plan[i] = is_mine(call, &call->parts[i]) ? LEASE_KEEP : LEASE_OTHER;
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

/* The member of that name, or NULL. */
static GroupMember *
find_member(const LeaseCall *call, const char *id)
{
	GroupMember wanted = {.id = unconstify(char *, id)};
	GroupMember *key = &wanted;
	GroupMember **found = bsearch(&key, call->by_id, list_length(call->members), sizeof(GroupMember *), compare_ids);

	return found == NULL ? NULL : *found;
}

/* Read the rows of the group's members and partitions, and make a plan. */
static LeaseCall *
open_call(const LeaseHolder *holder)
{
	LeaseCall  *call = palloc0(sizeof(LeaseCall));

	call->holder = holder;
	call->now = lease_now();
	call->members = pgt_group_member_read(holder->group);
	call->by_id = sort_by_id(call->members);
	call->me = find_member(call, holder->member);
	call->lease = holder->lease > 0 || call->me == NULL ? holder->lease : call->me->lease;
	call->parts = pgt_group_rows_read(holder->group, holder->partitions);
	pgt_group_clamp_future_served(call->parts, holder->partitions);
	call->plan = palloc(sizeof(LeasePlan) * holder->partitions);
	make_plan(call);
	return call;
}

/* Lock the member and open a call in its name; ERROR where the group has no such member. */
static LeaseCall *
open_member_call(const LeaseHolder *holder)
{
	LeaseCall  *call;

	(void) pgt_group_member_lock(holder->group, holder->member, true);
	call = open_call(holder);
	if (call->me == NULL)
		report_unknown_member(holder);
	return call;
}

/* ---- changing partitions' rows ------------------------------------------ */

/* Write an owned partition's lease; a lease that names a member is renewed. */
static void
write_lease(LeaseCall *call, GroupPartition *part)
{
	if (part->lease.member != NULL)
		part->lease.until = call->now + call->lease;
	pgt_group_write_lease(call->holder->group, part);
	call->wrote = true;
}

/* Give up an owned partition. */
static void
release(LeaseCall *call, GroupPartition *part)
{
	part->lease.member = NULL;
	part->lease.until = DT_NOBEGIN;
	part->lease.position = NO_OFFSET;
	write_lease(call, part);
	pgt_position_scan_stop_member(call->holder->group, part->partition);
	pgt_group_wakeup_topic(call->holder->group->topic);
}

/* Take an owned partition that is free. */
static void
take(LeaseCall *call, GroupPartition *part)
{
	part->lease.member = pstrdup(call->holder->member);
	part->lease.position = NO_OFFSET;
	part->lease.generation++;
	write_lease(call, part);
}

/*
 * Give up or take one partition as planned.  If another transaction has locked or changed
 * its row, nothing is done, and the next call makes a new plan.
 */
static void
carry_out(LeaseCall *call, int partition)
{
	GroupPartition *part = &call->parts[partition];
	bool		owned;

	if (call->plan[partition] != LEASE_GIVE_UP && call->plan[partition] != LEASE_TAKE)
		return;
	owned = pgt_group_lock(call->holder->group, part, false) == GROUP_OWNED;
	if (call->plan[partition] == LEASE_TAKE)
	{
		if (owned)
			take(call, part);
		call->plan[partition] = owned ? LEASE_KEEP : LEASE_OTHER;
	}
	else if (owned)
	{
		release(call, part);
		call->plan[partition] = LEASE_OTHER;
	}
	else
		call->plan[partition] = is_mine(call, part) ? LEASE_DRAIN : LEASE_OTHER;
}

/* Return to the committed offset in all partitions that the member still has. */
static void
rewind_positions(LeaseCall *call)
{
	for (int i = 0; i < call->holder->partitions; i++)
	{
		GroupPartition *part = &call->parts[i];

		if (!is_mine(call, part) || part->lease.position == NO_OFFSET)
			continue;
		(void) pgt_group_lock(call->holder->group, part, true);
		if (!is_mine(call, part))
			continue;
		part->lease.position = NO_OFFSET;
		write_lease(call, part);
		pgt_position_scan_stop_member(call->holder->group, part->partition);
	}
}

/*
 * If the member has lost partitions, report them, and return to the committed offsets in
 * the others.
 */
static void
notice_losses(LeaseCall *call)
{
	bool		lost = false;

	for (int i = 0; call->me != NULL && i < call->me->partition_count; i++)
	{
		GroupPartition *part = &call->parts[call->me->partitions[i]];

		if (is_mine(call, part))
			continue;
		notice_lost_lease(call->holder, part);
		lost = true;
	}
	if (!lost)
		return;
	rewind_positions(call);
	make_plan(call);
}

/* ---- the member's row --------------------------------------------------- */

/* List the partitions that the member has now, in ascending order; returns their number. */
static int
list_partitions(const LeaseCall *call, int32 *partitions)
{
	int			count = 0;

	for (int i = 0; i < call->holder->partitions; i++)
	{
		if (call->plan[i] != LEASE_OTHER && call->plan[i] != LEASE_TAKE)
			partitions[count++] = i;
	}
	return count;
}

/* Does the member's row list other partitions than these? */
static bool
list_has_changed(const GroupMember *me, const int32 *partitions, int count)
{
	return me->partition_count != count ||
		memcmp(me->partitions, partitions, sizeof(int32) * count) != 0;
}

/*
 * Remove members whose leases have expired, except for members that are calling at this
 * moment and for the member "me", which may be NULL.
 */
static void
remove_expired_members(const ConsumerGroup *group, List *members, TimestampTz now, const char *me)
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

/* Has the group a row in any partition, as the call has read or written it? */
static bool
group_has_rows(const LeaseCall *call)
{
	for (int i = 0; i < call->holder->partitions; i++)
	{
		if (call->parts[i].exists)
			return true;
	}
	return false;
}

/*
 * Write the member's row if it is new, has changed, needs renewal, or the call has written
 * a partition's row; not the first row of a group that has no partition's row.
 */
static void
update_member(LeaseCall *call)
{
	int32	   *partitions = palloc(sizeof(int32) * (call->holder->partitions + 1));
	int			count = list_partitions(call, partitions);
	GroupMember *me = call->me;

	if (me != NULL && !call->wrote && !needs_renewal(call, me->until) &&
		!list_has_changed(me, partitions, count))
		return;
	if (me == NULL && !group_has_rows(call))
		return;

	remove_expired_members(call->holder->group, call->members, call->now, call->holder->member);
	if (me == NULL)
	{
		me = palloc0(sizeof(GroupMember));
		me->id = pstrdup(call->holder->member);
		me->joined = call->now;
		/* members that wait and have more than their new share have to give partitions up */
		pgt_group_wakeup_topic(call->holder->group->topic);
	}
	me->until = call->now + call->lease;
	me->lease = call->lease;
	me->partitions = partitions;
	me->partition_count = count;
	pgt_group_member_write(call->holder->group, me);
	call->me = me;
}

/* ---- others' leases that last too long ----------------------------------- */

/* The length of the leases of a partition's member. */
static int64
length_of_lease(const LeaseCall *call, const GroupLease *lease)
{
	const GroupMember *member = find_member(call, lease->member);

	return member != NULL ? member->lease : call->lease;
}

/* Does another member have a lease with more time left than its whole length? */
static bool
partition_outlasts(const LeaseCall *call, const GroupPartition *part)
{
	return part->lease.member != NULL && !pgt_lease_is_held(call, part) &&
		outlasts(call, part->lease.until, length_of_lease(call, &part->lease));
}

/* Is another member alive for longer than the length of its leases? */
static bool
member_outlasts(const LeaseCall *call, const GroupMember *member)
{
	return strcmp(member->id, call->holder->member) != 0 &&
		outlasts(call, member->until, member->lease);
}

/* Has the clock been set back since another member wrote its lease? */
static bool
others_outlast(const LeaseCall *call)
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

/*
 * Shorten other members' leases that last too long, since the clock was set back: they end
 * as if their members had called now.  A member that is calling at this moment holds the
 * locks, and writes its leases itself.  The plan does not change, as these members are
 * alive before and after.
 */
static void
cut_leases(LeaseCall *call)
{
	ListCell   *cell;

	if (!others_outlast(call))
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

/* ---- one call of consume() ---------------------------------------------- */

LeaseCall *
pgt_lease_look(const LeaseHolder *holder)
{
	return open_call(holder);
}

/* Does the plan need a write to a partition's row?  A partition to be taken is owned. */
static bool
partition_is_due(LeaseCall *call, int partition, bool *retry)
{
	GroupPartition *part = &call->parts[partition];

	switch (call->plan[partition])
	{
		case LEASE_GIVE_UP:
			return true;
		case LEASE_KEEP:
			return needs_renewal(call, part->lease.until);
		case LEASE_TAKE:
			if (pgt_group_lock(call->holder->group, part, false) == GROUP_OWNED)
				return true;
			*retry = true;
			return false;
		default:
			return false;
	}
}

/* Does the member's row have to be written, or another member's? */
static bool
member_is_due(const LeaseCall *call)
{
	if (call->me == NULL)
		return group_has_rows(call);
	if (needs_renewal(call, call->me->until) || others_outlast(call))
		return true;
	for (int i = 0; i < call->me->partition_count; i++)
	{
		if (!is_mine(call, &call->parts[call->me->partitions[i]]))
			return true;
	}
	return false;
}

bool
pgt_lease_is_due(LeaseCall *call, bool *retry)
{
	if (member_is_due(call))
		return true;
	for (int i = 0; i < call->holder->partitions; i++)
	{
		if (partition_is_due(call, i, retry))
			return true;
	}
	return false;
}

int64
pgt_lease_next_end(const LeaseCall *call)
{
	int64		next = NEVER_US;
	ListCell   *cell;

	for (int i = 0; i < call->holder->partitions; i++)
	{
		const GroupLease *lease = &call->parts[i].lease;

		if (call->plan[i] == LEASE_OTHER && lease->until > call->now)
			next = Min(next, lease->until - call->now);
	}
	/* a member may be alive for longer than its partitions' leases, and counts for the shares */
	foreach(cell, call->members)
	{
		const GroupMember *member = lfirst(cell);

		if (member != call->me && member->until > call->now)
			next = Min(next, member->until - call->now);
	}
	return next;
}

LeaseCall *
pgt_lease_begin(const LeaseHolder *holder)
{
	LeaseCall  *call;

	(void) pgt_group_member_lock(holder->group, holder->member, true);
	call = open_call(holder);
	cut_leases(call);
	notice_losses(call);
	for (int i = 0; i < holder->partitions; i++)
		carry_out(call, i);
	return call;
}

int
pgt_lease_partitions(LeaseCall *call, GroupPartition **parts)
{
	int			count = 0;

	for (int i = 0; i < call->holder->partitions; i++)
	{
		if (call->plan[i] == LEASE_KEEP)
			parts[count++] = &call->parts[i];
	}
	return count;
}

int64
pgt_lease_next_offset(const GroupPartition *part)
{
	return part->lease.position != NO_OFFSET ? part->lease.position : part->committed;
}

void
pgt_lease_start(LeaseCall *call, GroupPartition *part, int64 start)
{
	part->lease.position = NO_OFFSET;
	part->lease.until = call->now + call->lease;
	pgt_group_commit_leased(call->holder->group, part, start, NULL);
	call->wrote = true;
}

void
pgt_lease_pass_gap(LeaseCall *call, GroupPartition *part, int64 next)
{
	if (is_uncommitted(part))
	{
		part->lease.position = next;
		write_lease(call, part);
		return;
	}
	part->lease.position = NO_OFFSET;
	part->lease.until = call->now + call->lease;
	pgt_group_commit_leased(call->holder->group, part, next,
							part->exists ? pgt_group_row_metadata(call->holder->group, part) : NULL);
	call->wrote = true;
}

void
pgt_lease_keep(LeaseCall *call)
{
	call->wrote = true;
}

TimestampTz
pgt_lease_until(const LeaseCall *call)
{
	return call->me == NULL ? call->now : call->me->until;
}

void
pgt_lease_advance(const ConsumerGroup *group, GroupPartition *part, const char *member,
				  TimestampTz until, int64 next)
{
	LeaseHolder holder = {.group = group, .member = member};

	if (part->lease.member == NULL || strcmp(part->lease.member, member) != 0)
		report_lost_lease(&holder, part);
	part->lease.position = next;
	part->lease.served = lease_now();
	part->lease.until = Max(part->lease.until, until);
	pgt_group_write_lease(group, part);
}

void
pgt_lease_end(LeaseCall *call)
{
	for (int i = 0; i < call->holder->partitions; i++)
	{
		GroupPartition *part = &call->parts[i];

		if (call->plan[i] == LEASE_KEEP && needs_renewal(call, part->lease.until) &&
			pgt_group_lock(call->holder->group, part, false) == GROUP_OWNED)
			write_lease(call, part);
	}
	update_member(call);
}

/* ---- committing --------------------------------------------------------- */

/* Own a partition of the member, in its latest version; ERROR where the member has lost it. */
static void
own_mine(LeaseCall *call, GroupPartition *part)
{
	(void) pgt_group_lock(call->holder->group, part, true);
	if (!is_mine(call, part))
		report_lost_lease(call->holder, part);
}

/* Commit the member's position in a partition that its row lists. */
static void
commit_position(LeaseCall *call, GroupPartition *part)
{
	int64		position;

	if (is_mine(call, part) && part->lease.position == NO_OFFSET)
		return;
	own_mine(call, part);
	position = part->lease.position;
	if (position == NO_OFFSET)
		return;
	part->lease.position = NO_OFFSET;
	part->lease.until = call->now + call->lease;
	pgt_group_commit_leased(call->holder->group, part, position, NULL);
	call->wrote = true;
}

/* End a call that commits: give up partitions beyond the member's share. */
static void
end_commit(LeaseCall *call)
{
	make_plan(call);
	for (int i = 0; i < call->holder->partitions; i++)
	{
		if (call->plan[i] == LEASE_GIVE_UP)
			carry_out(call, i);
	}
	pgt_lease_end(call);
}

void
pgt_lease_commit(const LeaseHolder *holder)
{
	LeaseCall  *call = open_member_call(holder);

	for (int i = 0; i < call->me->partition_count; i++)
		commit_position(call, &call->parts[call->me->partitions[i]]);
	end_commit(call);
}

void
pgt_lease_commit_offset(const LeaseHolder *holder, GroupPartition *part, int64 next,
						const char *metadata)
{
	LeaseCall  *call = open_member_call(holder);
	GroupPartition *mine = &call->parts[part->partition];

	own_mine(call, mine);
	if (mine->lease.position <= next)
		mine->lease.position = NO_OFFSET;
	mine->lease.until = call->now + call->lease;
	pgt_group_commit_leased(holder->group, mine, next, metadata);
	call->wrote = true;
	end_commit(call);
	*part = *mine;
}

/* ---- leaving and resetting ---------------------------------------------- */

void
pgt_lease_leave(const LeaseHolder *holder)
{
	LeaseCall  *call;

	(void) pgt_group_member_lock(holder->group, holder->member, true);
	call = open_call(holder);
	for (int i = 0; i < holder->partitions; i++)
	{
		GroupPartition *part = &call->parts[i];

		if (!pgt_lease_is_held(call, part))
			continue;
		(void) pgt_group_lock(holder->group, part, true);
		if (pgt_lease_is_held(call, part))
			release(call, part);
	}
	if (call->me != NULL)
	{
		pgt_group_member_delete(holder->group, call->me);
		pgt_group_wakeup_topic(holder->group->topic);
	}
}

void
pgt_lease_refuse_members(const ConsumerGroup *group)
{
	TimestampTz now = lease_now();
	ListCell   *cell;

	foreach(cell, pgt_group_member_read(group))
	{
		const GroupMember *member = lfirst(cell);

		if (member->until > now)
			report_live_member(group, member->id, member->until);
	}
}

void
pgt_lease_refuse_leased(const ConsumerGroup *group, const GroupPartition *part)
{
	if (pgt_lease_is_live(part))
		report_live_member(group, part->lease.member, part->lease.until);
}

void
pgt_lease_remove_expired_members(const ConsumerGroup *group)
{
	remove_expired_members(group, pgt_group_member_read(group), lease_now(), NULL);
}

int64
pgt_lease_delete_group(const ConsumerGroup *group)
{
	int64		deleted;

	pgt_lease_refuse_members(group);
	pgt_lease_remove_expired_members(group);
	deleted = pgt_group_delete(group);
	/* the deletion has waited for consumers that were joining */
	pgt_lease_refuse_members(group);
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
pgt_lease_drop_group(const ConsumerGroup *group)
{
	remove_all_members(group);
	(void) pgt_group_delete(group);
	/* the deletion has waited for consumers that were joining */
	remove_all_members(group);
}
