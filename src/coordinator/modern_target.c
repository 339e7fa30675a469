/*
 * modern_target.c
 *	  Groups of the new protocol: who is to own which partition.
 *
 * The group is handed to its assignor as numbers, and what comes back becomes the target of each partition.
 * Only partitions of topics that members are subscribed to have a target.
 */
#include "postgres.h"

#include "coordinator/modern_group.h"

/* The topics of a subscription, as indexes into the assignor's topics. */
typedef struct TargetTopics
{
	const ModernSubscription *subscription;
	int32	   *topics;
	int32		count;
} TargetTopics;

typedef struct TargetState
{
	ModernGroup *group;
	AssignorGroup input;
	AssignorTopic *topics;
	ModernTopic **sources;		/* of the assignor's topics */
	AssignorMember *members;
	TargetTopics *subscribed;	/* of each subscription */
} TargetState;

/* The topics, with the members that are to own their partitions until now. */
static void
list_topics(TargetState *state)
{
	ModernGroup *group = state->group;
	int32		n = 0;

	state->topics = palloc(Max(group->topic_count, 1) * sizeof(AssignorTopic));
	state->sources = palloc(Max(group->topic_count, 1) * sizeof(ModernTopic *));
	for (int32 t = 0; t < group->topic_count; t++)
	{
		ModernTopic *topic = group->topics[t];

		if (!topic->subscribed)
			continue;
		state->sources[n] = topic;
		state->topics[n].id = topic->id;
		state->topics[n].partitions = topic->count;
		state->topics[n].owner = palloc(Max(topic->count, 1) * sizeof(int32));
		for (int32 p = 0; p < topic->count; p++)
			state->topics[n].owner[p] = topic->partitions[p].target == NULL ? ASSIGNOR_NOBODY :
				topic->partitions[p].target->index;
		n++;
	}
	state->input.topics = state->topics;
	state->input.topic_count = n;
}

/* The topics of a subscription.  Both lists are sorted by id. */
static void
list_subscribed(TargetState *state, const ModernSubscription *subscription, TargetTopics *subscribed)
{
	int32		t = 0;

	subscribed->subscription = subscription;
	subscribed->topics = palloc(Max(subscription->id_count, 1) * sizeof(int32));
	subscribed->count = 0;
	for (int32 i = 0; i < subscription->id_count; i++)
	{
		while (t < state->input.topic_count &&
			   memcmp(&state->topics[t].id, &subscription->ids[i], sizeof(KafkaUuid)) < 0)
			t++;
		if (t < state->input.topic_count && memcmp(&state->topics[t].id, &subscription->ids[i], sizeof(KafkaUuid)) == 0)
			subscribed->topics[subscribed->count++] = t;
	}
}

/* What has been listed for a subscription.  Members that stand beside each other mostly have the same one. */
static const TargetTopics *
find_subscribed(const TargetState *state, const ModernSubscription *subscription, const TargetTopics *last)
{
	if (last != NULL && last->subscription == subscription)
		return last;
	for (int32 i = 0; i < state->group->subscription_count; i++)
		if (state->subscribed[i].subscription == subscription)
			return &state->subscribed[i];
	pg_unreachable();
}

/* The members. */
static void
list_members(TargetState *state)
{
	ModernGroup *group = state->group;
	const TargetTopics *last = NULL;

	state->members = palloc0(Max(group->member_count, 1) * sizeof(AssignorMember));
	state->subscribed = palloc(Max(group->subscription_count, 1) * sizeof(TargetTopics));
	for (int32 i = 0; i < group->subscription_count; i++)
		list_subscribed(state, group->subscriptions[i], &state->subscribed[i]);
	state->input.alike = true;
	for (int32 m = 0; m < group->member_count; m++)
	{
		const ModernMember *member = group->members[m];

		if (member->subscription != group->members[0]->subscription)
			state->input.alike = false;
		last = find_subscribed(state, member->subscription, last);
		state->members[m].id = member->id;
		state->members[m].instance_id = member->instance_id;
		state->members[m].topics = last->topics;
		state->members[m].topic_count = last->count;
	}
	state->input.members = state->members;
	state->input.member_count = group->member_count;
}

/* Take what the assignor has made of it. */
static void
take_target(TargetState *state)
{
	ModernGroup *group = state->group;

	for (int32 t = 0; t < group->topic_count; t++)
		if (!group->topics[t]->subscribed)
			for (int32 p = 0; p < group->topics[t]->room; p++)
				group->topics[t]->partitions[p].target = NULL;
	for (int32 t = 0; t < state->input.topic_count; t++)
		for (int32 p = 0; p < state->topics[t].partitions; p++)
		{
			int32		m = state->topics[t].owner[p];

			state->sources[t]->partitions[p].target = m == ASSIGNOR_NOBODY ? NULL : group->members[m];
		}
	group->assignment_epoch = group->epoch;
	group->dirty = true;
}

void
pgt_modern_group_compute_target(ModernGroup *group)
{
	TargetState state = {.group = group};

	if (group->assignment_epoch >= group->epoch)
		return;
	list_topics(&state);
	list_members(&state);
	pgt_modern_group_assignor(group)->assign(&state.input);
	take_target(&state);
}
