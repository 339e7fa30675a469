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
 * Shares.  What each member should have, and what its call does with each partition, is
 * lease_call.c's to plan; this file carries it out.
 *
 * Partitions that are leased to a member of Kafka's (kafka_claim.c) are nobody's here: a call that reads for
 * the group is refused, and so is a commit in such a partition.
 *
 * Renewal.  A call that delivers or commits writes rows anyway, and renews their leases.
 * Otherwise a lease is renewed once a quarter of it has passed, so that polling an idle
 * topic writes little.  The member's row is written with each write to one of its
 * partitions, and never ends before their leases.
 *
 * Time is the server's wall clock, since leases outlive the server and are replicated to
 * standbys.  The clock of a promoted standby may differ, so a lease may be a little longer
 * or shorter there.  If the clock is set forward, leases end early.  If it is set back, they
 * are cut (lease_cut.c).
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
#include "group/kafka_claim.h"
#include "group/lease.h"
#include "group/lease_cut.h"
#include "group/live_members.h"
#include "util/clock.h"

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

/* Lock the member and open a call in its name; ERROR where the group has no such member. */
static LeaseCall *
open_member_call(const LeaseHolder *holder)
{
	LeaseCall  *call;

	(void) pgt_group_member_lock(holder->group, holder->member, true);
	call = pgt_lease_call_open(holder);
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
		call->plan[partition] = pgt_lease_call_is_mine(call, part) ? LEASE_DRAIN : LEASE_OTHER;
}

/* Return to the committed offset in all partitions that the member still has. */
static void
rewind_positions(LeaseCall *call)
{
	for (int i = 0; i < call->holder->partitions; i++)
	{
		GroupPartition *part = &call->parts[i];

		if (!pgt_lease_call_is_mine(call, part) || part->lease.position == NO_OFFSET)
			continue;
		(void) pgt_group_lock(call->holder->group, part, true);
		if (!pgt_lease_call_is_mine(call, part))
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

		if (pgt_lease_call_is_mine(call, part))
			continue;
		notice_lost_lease(call->holder, part);
		lost = true;
	}
	if (!lost)
		return;
	rewind_positions(call);
	pgt_lease_call_plan(call);
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

	if (me != NULL && !call->wrote && !pgt_lease_call_needs_renewal(call, me->until) &&
		!list_has_changed(me, partitions, count))
		return;
	if (me == NULL && !group_has_rows(call))
		return;

	pgt_live_members_remove_expired_but(call->holder->group, call->members, call->now,
										call->holder->member);
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

/* ---- one call of consume() ---------------------------------------------- */

LeaseCall *
pgt_lease_look(const LeaseHolder *holder)
{
	LeaseCall  *call = pgt_lease_call_open(holder);

	pgt_kafka_claim_refuse_any(holder->group, call->parts, holder->partitions);
	return call;
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
			return pgt_lease_call_needs_renewal(call, part->lease.until);
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
	if (pgt_lease_call_needs_renewal(call, call->me->until) || pgt_lease_cut_is_due(call))
		return true;
	for (int i = 0; i < call->me->partition_count; i++)
	{
		if (!pgt_lease_call_is_mine(call, &call->parts[call->me->partitions[i]]))
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
	call = pgt_lease_call_open(holder);
	pgt_kafka_claim_refuse_any(holder->group, call->parts, holder->partitions);
	pgt_lease_cut_others(call);
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
	if (pgt_lease_call_is_uncommitted(part))
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
	part->lease.served = pgt_clock_shifted_now();
	part->lease.until = Max(part->lease.until, until);
	pgt_group_write_lease(group, part);
}

void
pgt_lease_end(LeaseCall *call)
{
	for (int i = 0; i < call->holder->partitions; i++)
	{
		GroupPartition *part = &call->parts[i];

		if (call->plan[i] == LEASE_KEEP && pgt_lease_call_needs_renewal(call, part->lease.until) &&
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
	pgt_kafka_claim_refuse(call->holder->group, part);
	if (!pgt_lease_call_is_mine(call, part))
		report_lost_lease(call->holder, part);
}

/* Commit the member's position in a partition that its row lists. */
static void
commit_position(LeaseCall *call, GroupPartition *part)
{
	int64		position;

	if (pgt_lease_call_is_mine(call, part) && part->lease.position == NO_OFFSET)
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
	pgt_lease_call_plan(call);
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

/* ---- leaving -------------------------------------------------------------- */

void
pgt_lease_leave(const LeaseHolder *holder)
{
	LeaseCall  *call;

	(void) pgt_group_member_lock(holder->group, holder->member, true);
	call = pgt_lease_call_open(holder);
	for (int i = 0; i < holder->partitions; i++)
	{
		GroupPartition *part = &call->parts[i];

		if (!pgt_lease_call_is_held(call, part))
			continue;
		(void) pgt_group_lock(holder->group, part, true);
		if (pgt_lease_call_is_held(call, part))
			release(call, part);
	}
	if (call->me != NULL)
	{
		pgt_group_member_delete(holder->group, call->me);
		pgt_group_wakeup_topic(holder->group->topic);
	}
}
