/*
 * modern_reconcile.c
 *	  Groups of the new protocol: a member goes from what it has to what it is to have.
 *
 * A member first gives up what it is not to have any more.  Until it has said that it has, it stays in its
 * epoch and gets nothing new.  Then it moves to the epoch of the target, and gets what is free; for
 * what others have not given up yet it asks again with each heartbeat.
 *
 * What is free is claimed before it is given (ModernWorld), and a claim that is not to be had for the moment
 * counts as one that another member still owns.
 *
 * A member that changes its subscription gives up what it is not subscribed to any more at once, whatever
 * the target says.
 */
#include "postgres.h"

#include "coordinator/modern_group.h"

/* Where a member is under way to. */
typedef struct ReconcileState
{
	ModernGroup *group;
	ModernMember *member;
	const ModernWorld *world;
	const ModernOwned *owned;
	bool		changed;		/* of what is assigned to it */

	/* partitions that are free for it */
	ModernPartition **granted;
	int32		granted_count;
	bool		unreleased;		/* there are others */
	bool		refused;		/* some of these are nobody's, and could not be claimed */
} ReconcileState;

/* One that speaks the classic protocol joins again to try claims that were refused: not too often. */
#define CLAIM_PAUSE_FIRST	1000
#define CLAIM_PAUSE_MOST	60000

/* ---- what the member says -------------------------------------------------------------- */

/* The partition of a topic; NULL if it is unknown. */
static ModernPartition *
find_partition(const ModernGroup *group, const KafkaUuid *id, int32 partition, ModernTopic **topic)
{
	*topic = pgt_modern_group_find_topic(group, id);
	if (*topic == NULL || partition < 0 || partition >= (*topic)->room)
		return NULL;
	return &(*topic)->partitions[partition];
}

bool
pgt_modern_group_owns_less(const ModernGroup *group, const ModernMember *member, const ModernOwned *owned)
{
	ModernTopic *topic;

	for (int32 i = 0; i < owned->count; i++)
		for (int32 k = 0; k < owned->items[i].partitions.count; k++)
		{
			const ModernPartition *partition =
				find_partition(group, &owned->items[i].topic_id, owned->items[i].partitions.items[k], &topic);

			if (partition == NULL || partition->owner != member || partition->revoking)
				return false;
		}
	return owned->count >= 0;
}

/* ---- what it is to give up ----------------------------------------------------------------- */

/* Is the partition to be the member's? */
static bool
is_wanted(const ReconcileState *state, const ModernPartition *partition, bool subscribed)
{
	return subscribed && partition->target == state->member;
}

/* May it keep the partition that it owns? */
typedef bool (*Keeps) (const ReconcileState *state, const ModernPartition *partition, bool subscribed);

/* When only its subscription counts, not the target. */
static bool
keeps_subscribed(const ReconcileState *state, const ModernPartition *partition, bool subscribed)
{
	return subscribed && !partition->revoking;
}

static bool
keeps_target(const ReconcileState *state, const ModernPartition *partition, bool subscribed)
{
	return !partition->revoking && is_wanted(state, partition, subscribed);
}

static bool
is_subscribed(const ReconcileState *state, const ModernTopic *topic)
{
	return pgt_modern_group_subscription_leads_to(state->member->subscription, &topic->id);
}

/*
 * Is there something that it is to give up?  That is what it owns and may not keep; what it has been told before, and
 * has confirmed, does not count, unless "pending".
 */
static bool
has_to_revoke(const ReconcileState *state, Keeps keeps, bool pending)
{
	for (int32 t = 0; t < state->group->topic_count; t++)
	{
		const ModernTopic *topic = state->group->topics[t];
		bool		subscribed = is_subscribed(state, topic);

		for (int32 p = 0; p < topic->room; p++)
		{
			const ModernPartition *partition = &topic->partitions[p];

			if (partition->owner == state->member && (pending || !partition->revoking) &&
				!keeps(state, partition, subscribed))
				return true;
		}
	}
	return false;
}

/* Does it say that it owns something that it may not keep, or does it say nothing? */
static bool
owns_revoked(const ReconcileState *state, Keeps keeps, bool pending)
{
	ModernTopic *topic;

	if (state->owned->count < 0)
		return true;
	for (int32 i = 0; i < state->owned->count; i++)
		for (int32 k = 0; k < state->owned->items[i].partitions.count; k++)
		{
			const ModernPartition *partition = find_partition(state->group, &state->owned->items[i].topic_id,
															  state->owned->items[i].partitions.items[k], &topic);

			if (partition != NULL && partition->owner == state->member && (pending || !partition->revoking) &&
				!keeps(state, partition, is_subscribed(state, topic)))
				return true;
		}
	return false;
}

/* Keeps what was assigned to it before. */
static bool
keeps_assigned(const ReconcileState *state, const ModernPartition *partition, bool subscribed)
{
	return !partition->revoking;
}

/* ---- moves ------------------------------------------------------------------------------------- */

/* What is done with the partitions that it may not keep. */
typedef enum Parting
{
	PARTING_REVOKE,				/* it is told to give them up */
	PARTING_RELEASE				/* it has given them up */
} Parting;

static void
part_with(ReconcileState *state, const ModernTopic *topic, ModernPartition *partition, Parting parting)
{
	if (!partition->revoking)
		state->changed = true;
	partition->revoking = parting == PARTING_REVOKE;
	if (parting == PARTING_REVOKE)
		return;
	partition->owner = NULL;
	/* a topic that is kept for its owners only may go now */
	if (!topic->subscribed)
		state->group->stale = true;
}

/* Part with what it may not keep.  What was to be given up before is free now, unless "pending": then it still is. */
static void
part(ReconcileState *state, Keeps keeps, Parting parting, bool pending)
{
	for (int32 t = 0; t < state->group->topic_count; t++)
	{
		ModernTopic *topic = state->group->topics[t];
		bool		subscribed = is_subscribed(state, topic);

		for (int32 p = 0; p < topic->room; p++)
		{
			ModernPartition *partition = &topic->partitions[p];

			if (partition->owner != state->member)
				continue;
			if (partition->revoking && !pending)
				part_with(state, topic, partition, PARTING_RELEASE);
			else if (!partition->revoking && !keeps(state, partition, subscribed))
				part_with(state, topic, partition, parting);
		}
	}
}

/* It is in this state and epoch from now on. */
static void
set_state(ReconcileState *state, ModernState new_state, int32 epoch)
{
	ModernMember *member = state->member;

	if (member->state != new_state || member->epoch != epoch || state->changed)
		member->dirty = true;
	if (member->epoch != epoch)
		member->previous_epoch = member->epoch;
	member->epoch = epoch;
	member->state = new_state;
	if (new_state != MODERN_UNREVOKED)
		member->revoke_deadline = MODERN_NEVER;
}

/* It is to give something up, for which it has its rebalance timeout. */
static void
begin_revoking(ReconcileState *state)
{
	ModernMember *member = state->member;

	set_state(state, MODERN_UNREVOKED, member->epoch);
	/* one that speaks the classic protocol has to join again in time, once it is told to */
	member->revoke_deadline = member->rebalance_timeout < 0 || member->protocols != NULL ? MODERN_NEVER :
		state->world->now + member->rebalance_timeout;
	pgt_modern_group_note_deadlines(state->group, member);
}

/* Is the partition one that it does not have, and may have once it is free? */
static bool
is_missing(const ReconcileState *state, const ModernPartition *partition, bool subscribed)
{
	return is_wanted(state, partition, subscribed) && (partition->owner != state->member || partition->revoking);
}

/* Note a partition that it does not have: it is granted, or unreleased. */
static void
try_grant(ReconcileState *state, ModernTopic *topic, int32 p)
{
	ModernPartition *partition = &topic->partitions[p];
	bool		is_free = partition->owner == NULL || partition->owner == state->member;

	if (is_free && state->world->claim(state->world->arg, topic, p, state->member))
		state->granted[state->granted_count++] = partition;
	else
	{
		state->unreleased = true;
		state->refused |= is_free;
	}
}

/* Claim what is free for it.  Nothing has changed yet. */
static void
find_granted(ReconcileState *state)
{
	Size		room = 1;

	for (int pass = 0; pass < 2; pass++)
	{
		if (pass == 1)
			state->granted = palloc_extended(room * sizeof(ModernPartition *), MCXT_ALLOC_HUGE);
		for (int32 t = 0; t < state->group->topic_count; t++)
		{
			ModernTopic *topic = state->group->topics[t];
			bool		subscribed = is_subscribed(state, topic);

			for (int32 p = 0; subscribed && p < topic->count; p++)
			{
				if (!is_missing(state, &topic->partitions[p], subscribed))
					continue;
				room++;
				if (pass == 1)
					try_grant(state, topic, p);
			}
		}
	}
}

/* Note whether claims were refused, and when they may be tried again. */
static void
set_claim_retry(ReconcileState *state)
{
	ModernMember *member = state->member;

	member->claim_pause = !state->refused ? 0 :
		Min(Max(member->claim_pause * 2, CLAIM_PAUSE_FIRST), CLAIM_PAUSE_MOST);
	member->claim_retry = state->world->now + member->claim_pause;
}

/* It gives nothing up any more: it moves to the epoch of the target, and gets what is free. */
static void
advance(ReconcileState *state)
{
	find_granted(state);
	part(state, keeps_target, PARTING_RELEASE, false);
	for (int32 i = 0; i < state->granted_count; i++)
	{
		ModernPartition *partition = state->granted[i];

		partition->owner = state->member;
		partition->epoch = state->group->assignment_epoch;
		partition->revoking = false;
		state->changed = true;
	}
	set_state(state, state->unreleased ? MODERN_UNRELEASED : MODERN_STABLE, state->group->assignment_epoch);
	set_claim_retry(state);
}

/* Go towards the target. */
static void
compute_next(ReconcileState *state)
{
	if (has_to_revoke(state, keeps_target, false) && owns_revoked(state, keeps_target, false))
	{
		part(state, keeps_target, PARTING_REVOKE, false);
		begin_revoking(state);
	}
	else
		advance(state);
}

/* Its subscription has changed, and it is not to go towards the target now. */
static void
drop_unsubscribed(ReconcileState *state)
{
	if (!has_to_revoke(state, keeps_subscribed, false))
		return;
	if (owns_revoked(state, keeps_subscribed, true))
	{
		part(state, keeps_subscribed, PARTING_REVOKE, true);
		begin_revoking(state);
	}
	else
	{
		part(state, keeps_subscribed, PARTING_RELEASE, true);
		set_state(state, state->member->state, state->member->epoch);
	}
}

/* Claim what it owns, under its new id.  What is busy is tried again with the next heartbeat; the old claim still stands. */
static void
reclaim(ReconcileState *state)
{
	bool		all = true;

	for (int32 t = 0; t < state->group->topic_count; t++)
		for (int32 p = 0; p < state->group->topics[t]->room; p++)
			if (state->group->topics[t]->partitions[p].owner == state->member &&
				!state->world->claim(state->world->arg, state->group->topics[t], p, state->member))
				all = false;
	state->member->reclaims = !all;
}

bool
pgt_modern_group_reconcile(ModernGroup *group, ModernMember *member, const ModernWorld *world,
						   const ModernOwned *owned, bool subscription_changed)
{
	ReconcileState state = {.group = group, .member = member, .world = world, .owned = owned};
	bool		waits = false;

	if (member->reclaims)
		reclaim(&state);
	if (member->state == MODERN_STABLE)
		waits = member->epoch == group->assignment_epoch;
	else if (member->state == MODERN_UNREVOKED)
		waits = owns_revoked(&state, keeps_assigned, true);
	if (!waits)
		compute_next(&state);
	else if (subscription_changed)
		drop_unsubscribed(&state);
	return state.changed;
}

bool
pgt_modern_group_waits_for_others(const ModernGroup *group, const ModernMember *member)
{
	for (int32 t = 0; t < group->topic_count; t++)
	{
		const ModernTopic *topic = group->topics[t];

		for (int32 p = 0; p < topic->count; p++)
			if (topic->partitions[p].target == member && topic->partitions[p].owner != NULL &&
				topic->partitions[p].owner != member)
				return true;
	}
	return false;
}

void
pgt_modern_group_assigned(const ModernGroup *group, const ModernMember *member, bool revoking,
						  void (*take) (const ModernTopic *topic, int32 partition, void *arg), void *arg)
{
	for (int32 t = 0; t < group->topic_count; t++)
		for (int32 p = 0; p < group->topics[t]->room; p++)
		{
			const ModernPartition *partition = &group->topics[t]->partitions[p];

			if (partition->owner == member && partition->revoking == revoking)
				take(group->topics[t], p, arg);
		}
}

void
pgt_modern_group_withdraw(ModernGroup *group, ModernTopic *topic, int32 partition)
{
	ModernPartition *it = &topic->partitions[partition];

	if (it->owner == NULL)
		return;
	it->owner->dirty = true;
	if (it->owner->state == MODERN_STABLE)
		it->owner->state = MODERN_UNRELEASED;
	it->owner = NULL;
	it->revoking = false;
}
