/*
 * classic_rebalance.c
 *	  Rebalances: how a group comes from one generation to the next.
 *
 *	  prepare		all members are to join again, which they learn from their heartbeats.  An empty group
 *					waits a little for more members to come
 *	  complete_join	all have joined, or the time is over: dynamic members that have not are out.  The others are
 *					told of the new generation; the leader is told of all members
 *	  (the leader's SyncGroup brings the assignments, classic_sync.c; they are stored)
 *	  stored		members are told of their assignments
 *
 * Static members that have not joined stay until their session ends: they are expected to come back.  If
 * nobody has joined but such members are left, the rebalance goes on.
 *
 * Who has joined must send SyncGroup within another rebalance timeout, or is out, and the rebalance begins anew.
 *
 * Memory: none is taken.
 */
#include "postgres.h"

#include "coordinator/classic_rebalance.h"

/* Members may allow no time for a rebalance at all, and the group waits for them all the same. */
#define LEAST_WAIT_US	(100 * INT64CONST(1000))

/* If what is to be stored is not by then, it is tried again. */
#define RESERVE_US		(10 * INT64CONST(1000000))

static void complete_join(ClassicGroup *group, int64 now);

/* ---- from COMPLETING_REBALANCE on -------------------------------------------------------- */

/* Members that wait for their assignment get this answer.  Their sessions begin anew. */
static void
answer_syncs(ClassicGroup *group, KafkaError error, int64 now)
{
	dlist_iter	iter;

	dlist_foreach(iter, &group->members)
	{
		ClassicMember *member = dlist_container(ClassicMember, node, iter.cur);

		if (!member->syncing)
			continue;
		pgt_classic_group_end_sync(group, member, error);
		pgt_classic_group_touch(group, member, now);
	}
}

/* The assignments are not to be, or could not be stored. */
static void
fail_assignments(ClassicGroup *group, KafkaError error, int64 now)
{
	group->storing = false;
	pgt_classic_group_clear_assignments(group);
	answer_syncs(group, error, now);
}

/* Nobody is to send SyncGroup any more. */
static void
clear_sync_due(ClassicGroup *group)
{
	dlist_iter	iter;

	if (group->sync_due_count > 0)
	{
		dlist_foreach(iter, &group->members)
			pgt_classic_group_set_sync_due(group, dlist_container(ClassicMember, node, iter.cur), false);
	}
	group->sync_deadline = DEADLINE_NEVER;
}

/* ---- PREPARING_REBALANCE ------------------------------------------------------------------ */

void
pgt_classic_rebalance_prepare(ClassicGroup *group, int64 now)
{
	int64		delay = pgt_classic_group_settings.initial_rebalance_delay * INT64CONST(1000);
	int64		timeout = pgt_classic_group_rebalance_timeout(group);

	if (group->state == CLASSIC_GROUP_COMPLETING_REBALANCE)
		fail_assignments(group, KAFKA_ERROR_REBALANCE_IN_PROGRESS, now);
	clear_sync_due(group);
	group->initial = group->state == CLASSIC_GROUP_EMPTY;
	group->state = CLASSIC_GROUP_PREPARING_REBALANCE;
	if (group->initial)
	{
		group->member_added = false;
		group->initial_left = Max(timeout - delay, 0);
		group->join_deadline = now + delay;
	}
	else if (pgt_classic_group_all_joined(group))
		complete_join(group, now);
	else
		group->join_deadline = now + timeout;
}

void
pgt_classic_rebalance_try_complete(ClassicGroup *group, int64 now)
{
	if (group->state == CLASSIC_GROUP_PREPARING_REBALANCE && !group->initial && pgt_classic_group_all_joined(group))
		complete_join(group, now);
}

void
pgt_classic_rebalance_begin(ClassicGroup *group, int64 now)
{
	if (group->state == CLASSIC_GROUP_PREPARING_REBALANCE || group->state == CLASSIC_GROUP_DEAD)
		pgt_classic_rebalance_try_complete(group, now);
	else
		pgt_classic_rebalance_prepare(group, now);
}

/* The time that an empty group waits for more members is over: once more, if some have come. */
static void
end_initial_delay(ClassicGroup *group, int64 now)
{
	int64		delay = pgt_classic_group_settings.initial_rebalance_delay * INT64CONST(1000);

	delay = Min(delay, group->initial_left);
	if (!group->member_added || delay <= 0)
	{
		complete_join(group, now);
		return;
	}
	group->member_added = false;
	group->initial_left -= delay;
	group->join_deadline = now + delay;
}

/* Remove a member that was missed. */
static void
remove_gone(ClassicGroup *group, ClassicMember *member, const char *why)
{
	group->actions->gone(group, member, why);
	pgt_classic_group_remove(group, member, KAFKA_ERROR_UNKNOWN_MEMBER_ID);
}

/* Remove dynamic members that have not joined. */
static void
remove_absent(ClassicGroup *group)
{
	dlist_mutable_iter iter;

	if (group->joining_count == group->member_count)
		return;
	dlist_foreach_modify(iter, &group->members)
	{
		ClassicMember *member = dlist_container(ClassicMember, node, iter.cur);

		if (!member->joining && member->instance_id == NULL)
			remove_gone(group, member, "it has not joined again in time");
	}
}

/* Let the leader be one who has joined.  False: nobody has. */
static bool
elect_leader(ClassicGroup *group)
{
	dlist_iter	iter;

	if (group->leader == NULL || group->leader->joining)
		return group->leader != NULL;
	dlist_foreach(iter, &group->members)
	{
		ClassicMember *member = dlist_container(ClassicMember, node, iter.cur);

		if (!member->joining)
			continue;
		group->leader = member;
		return true;
	}
	return false;
}

/* Tell members of the generation. */
static void
answer_joins(ClassicGroup *group, int64 now)
{
	dlist_iter	iter;

	dlist_foreach(iter, &group->members)
	{
		ClassicMember *member = dlist_container(ClassicMember, node, iter.cur);
		ClassicGroupJoined answer = pgt_classic_group_joined(group, member);

		pgt_classic_group_end_join(group, member, &answer);
		member->is_new = false;
		pgt_classic_group_touch(group, member, now);
		pgt_classic_group_set_sync_due(group, member, true);
	}
	group->sync_deadline = now + pgt_classic_group_rebalance_timeout(group);
}

/*
 * May the next generation be used?  After a crash nobody must be told of it who was not told before, or an assignment of the
 * one could be taken for one of the other.  If not, that it was used is stored first.
 */
static bool
is_reserved(ClassicGroup *group, int64 now)
{
	if (pgt_classic_group_next_generation(group) <= group->reserved)
		return true;
	if (!group->reserving || group->join_deadline <= now)
	{
		group->reserving = true;
		group->join_deadline = now + RESERVE_US;
		group->actions->store(group);
	}
	return false;
}

/* All have joined, or the time is over. */
static void
complete_join(ClassicGroup *group, int64 now)
{
	if (!is_reserved(group, now))
		return;
	group->join_deadline = DEADLINE_NEVER;
	remove_absent(group);
	if (!elect_leader(group) && group->member_count > 0)
	{
		group->initial = false;
		group->join_deadline = now + Max(pgt_classic_group_rebalance_timeout(group), LEAST_WAIT_US);
		return;
	}
	group->initial = group->reserving = false;
	group->generation = pgt_classic_group_next_generation(group);
	pgt_classic_group_use_protocol(group, pgt_classic_group_vote(group));
	if (group->member_count > 0)
	{
		group->state = CLASSIC_GROUP_COMPLETING_REBALANCE;
		answer_joins(group, now);
	}
	else
	{
		group->state = CLASSIC_GROUP_EMPTY;
		group->rebalance_due = false;
		group->actions->store(group);
	}
}

/* ---- members that go ------------------------------------------------------------------------ */

void
pgt_classic_rebalance_without(ClassicGroup *group, int64 now)
{
	if (group->state == CLASSIC_GROUP_STABLE || group->state == CLASSIC_GROUP_COMPLETING_REBALANCE)
		pgt_classic_rebalance_prepare(group, now);
	else if (group->state == CLASSIC_GROUP_PREPARING_REBALANCE && pgt_classic_group_all_joined(group))
		complete_join(group, now);
}

void
pgt_classic_rebalance_remove(ClassicGroup *group, ClassicMember *member, int64 now)
{
	bool		pending = member->pending;

	pgt_classic_group_remove(group, member, KAFKA_ERROR_UNKNOWN_MEMBER_ID);
	if (!pending || group->state == CLASSIC_GROUP_PREPARING_REBALANCE)
		pgt_classic_rebalance_without(group, now);
}

/* Members that were told of the generation have not sent SyncGroup: they are out. */
static void
expire_syncs(ClassicGroup *group, int64 now)
{
	dlist_mutable_iter iter;

	group->sync_deadline = DEADLINE_NEVER;
	if (group->sync_due_count == 0)
		return;
	dlist_foreach_modify(iter, &group->members)
	{
		ClassicMember *member = dlist_container(ClassicMember, node, iter.cur);

		if (member->sync_due)
			remove_gone(group, member, "it has not asked for its assignment in time");
	}
	pgt_classic_rebalance_prepare(group, now);
}

/* Is a member alive, though its session is over?  It waits for an answer, and cannot send heartbeats meanwhile. */
static bool
waits(const ClassicMember *member)
{
	return !member->is_new && ((member->joining && member->join != NULL) || (member->syncing && member->sync != NULL));
}

void
pgt_classic_rebalance_tick(ClassicGroup *group, int64 now)
{
	Deadline   *deadline;

	while ((deadline = pgt_deadline_take(&group->sessions, now)) != NULL)
	{
		ClassicMember *member = (ClassicMember *) ((char *) deadline - offsetof(ClassicMember, session));

		if (waits(member))
			continue;
		if (!member->pending)
			group->actions->gone(group, member, "its session has timed out");
		pgt_classic_rebalance_remove(group, member, now);
	}
	if (group->join_deadline <= now)
	{
		if (group->initial)
			end_initial_delay(group, now);
		else
			complete_join(group, now);
	}
	if (group->sync_deadline <= now)
		expire_syncs(group, now);
}

/* ---- stored ----------------------------------------------------------------------------------- */

/* Static members that have taken others' places in a stable group are told of it. */
static void
answer_replacing(ClassicGroup *group, KafkaError error, int64 now)
{
	dlist_iter	iter;

	if (group->replacing_count == 0)
		return;
	dlist_foreach(iter, &group->members)
	{
		ClassicMember *member = dlist_container(ClassicMember, node, iter.cur);
		ClassicGroupJoined answer = pgt_classic_group_joined(group, member);

		if (!member->replaces)
			continue;
		pgt_classic_group_touch(group, member, now);
		/* an old client would assign anew, and nobody would ask for that: it is not told that it leads */
		answer.with_members = answer.skip_assignment = group->leader == member && member->skips_assignment;
		if (group->leader == member && !member->skips_assignment)
			answer.leader = member->replaced_leader == NULL ? "" : member->replaced_leader;
		if (error == KAFKA_ERROR_NONE)
			pgt_classic_group_end_join(group, member, &answer);
		else
			pgt_classic_group_fail_join(group, member, error, "");
	}
}

/* The next generation may be used, or this is tried again a little later. */
static void
end_reserving(ClassicGroup *group, KafkaError error, int64 now)
{
	group->reserving = false;
	if (error == KAFKA_ERROR_NONE)
		complete_join(group, now);
	else
		group->join_deadline = now + LEAST_WAIT_US * 10;
}

void
pgt_classic_rebalance_stored(ClassicGroup *group, KafkaError error, int64 now)
{
	if (error == KAFKA_ERROR_NONE)
		group->reserved = Max(group->reserved, group->next_reserved);
	if (group->state == CLASSIC_GROUP_STABLE)
		answer_replacing(group, error, now);
	if (group->state == CLASSIC_GROUP_PREPARING_REBALANCE && group->reserving)
		end_reserving(group, error, now);
	if (group->state != CLASSIC_GROUP_COMPLETING_REBALANCE || !group->storing)
		return;
	if (error != KAFKA_ERROR_NONE)
	{
		fail_assignments(group, error, now);
		pgt_classic_rebalance_prepare(group, now);
		return;
	}
	group->storing = group->rebalance_due = false;
	pgt_classic_group_take_assignments(group);
	group->state = CLASSIC_GROUP_STABLE;
	answer_syncs(group, KAFKA_ERROR_NONE, now);
}
