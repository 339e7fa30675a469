/*
 * assignor_mixed.c
 *	  The assignor "uniform" for members that are not subscribed to the same topics.
 *
 * A partition may only go to the subscribers of its topic, so that equal numbers are not always to be
 * had.  Topic by topic, the hardest first:
 *
 *	  1. what a member has of a topic that it is not subscribed to becomes open;
 *	  2. the open partitions of a topic go to those of its subscribers that have the fewest;
 *	  3. partitions of a topic move from the subscribers that have the most to those that have the
 *		 fewest, until these numbers differ by one at most, or those with the most have none of the topic.
 *		 Over all topics, again and again, until nothing moves, or ROUNDS times.
 *
 * So, unless the rounds have ended it, no move of a single partition between two subscribers
 * of its topic makes their numbers more equal.
 *
 * Steps 2 and 3 go along a list of the topic's subscribers, which is sorted by how many partitions
 * they have, and of which two ranges are under way:
 *
 *		   least					most
 *		  [  ->     )	...	   [       <-  )	(have none of the topic)
 *
 * All members in "least" had the same number when the range was entered, and get one each, from
 * left to right; then their level is one higher, and those who had that number anyway join them.  "most" is the
 * mirror image of it.
 */
#include "postgres.h"

#include "coordinator/assignor_mixed.h"

#define ROUNDS	16

typedef struct MixedState
{
	const AssignorGroup *group;
	AssignorSubscribers subscribers;
	int32	   *load;			/* of each member: how many partitions it has */
	int32	   *order;			/* the topics, the hardest first */

	/* of the topic that is being balanced */
	int32	   *sorted;			/* its subscribers */
	int32		count;
	int32		least_end;
	int32		least_load;
	int32		least_next;
	int32		most_begin;
	int32		most_end;
	int32		most_load;
	int32		most_next;
	int32	   *partitions;		/* by the member that has them */
	int32	   *part_begin;		/* of each member, in "partitions" */
	int32	   *part_end;
} MixedState;

/* what qsort's functions look at */
static const MixedState *sorting;

static int32
subscriber_count(const MixedState *state, int32 topic)
{
	return state->subscribers.begin[topic + 1] - state->subscribers.begin[topic];
}

/* ---- the order of topics ---------------------------------------------------- */

/* Most partitions for a subscriber first, then fewest subscribers, then by id, which is the index. */
static int
compare_topics(const void *a, const void *b)
{
	int32		left = *(const int32 *) a;
	int32		right = *(const int32 *) b;
	int32		left_count = subscriber_count(sorting, left);
	int32		right_count = subscriber_count(sorting, right);
	double		left_share = (double) sorting->group->topics[left].partitions / left_count;
	double		right_share = (double) sorting->group->topics[right].partitions / right_count;

	if (left_share != right_share)
		return left_share > right_share ? -1 : 1;
	if (left_count != right_count)
		return left_count < right_count ? -1 : 1;
	return left < right ? -1 : left > right;
}

static void
sort_topics(MixedState *state)
{
	for (int32 t = 0; t < state->group->topic_count; t++)
		state->order[t] = t;
	sorting = state;
	qsort(state->order, state->group->topic_count, sizeof(int32), compare_topics);
}

/* ---- the ranges of the list --------------------------------------------------- */

static int
compare_loads(const void *a, const void *b)
{
	int32		left = *(const int32 *) a;
	int32		right = *(const int32 *) b;

	if (sorting->load[left] != sorting->load[right])
		return sorting->load[left] < sorting->load[right] ? -1 : 1;
	return left < right ? -1 : left > right;
}

static int32
load_at(const MixedState *state, int32 i)
{
	return state->load[state->sorted[i]];
}

/* Begin with a topic: sort its subscribers. */
static void
begin_topic(MixedState *state, int32 topic)
{
	state->count = subscriber_count(state, topic);
	memcpy(state->sorted, state->subscribers.members + state->subscribers.begin[topic], state->count * sizeof(int32));
	sorting = state;
	qsort(state->sorted, state->count, sizeof(int32), compare_loads);
	state->least_end = state->least_next = 0;
	state->least_load = load_at(state, 0) - 1;
	state->most_begin = state->most_end = state->count;
	state->most_next = state->count - 1;
	state->most_load = load_at(state, state->count - 1) + 1;
}

/* By how much do the numbers of a topic's subscribers differ? */
static int32
imbalance(const MixedState *state, int32 topic)
{
	int32		least = PG_INT32_MAX;
	int32		most = 0;

	for (int32 i = state->subscribers.begin[topic]; i < state->subscribers.begin[topic + 1]; i++)
	{
		int32		load = state->load[state->subscribers.members[i]];

		least = Min(least, load);
		most = Max(most, load);
	}
	return most - least;
}

/* The member that gets the next partition. */
static int32
next_least(MixedState *state)
{
	if (state->least_next >= state->least_end)
	{
		state->least_load++;
		while (state->least_end < state->count && load_at(state, state->least_end) == state->least_load)
			state->least_end++;
		state->least_next = 0;
	}
	return state->sorted[state->least_next++];
}

/* The member that gives the next partition; -1: there is none. */
static int32
next_most(MixedState *state)
{
	if (state->most_next < state->most_begin)
	{
		/* where all of the range have been put aside, the next level may be any */
		if (state->most_end <= state->most_begin && state->most_begin > 0)
			state->most_load = load_at(state, state->most_begin - 1);
		else
			state->most_load--;
		while (state->most_begin > 0 && load_at(state, state->most_begin - 1) == state->most_load)
			state->most_begin--;
		state->most_next = state->most_end - 1;
	}
	return state->most_next < 0 ? -1 : state->sorted[state->most_next--];
}

/* The member that next_most() has returned has nothing to give: put it aside. */
static void
exclude_most(MixedState *state)
{
	int32		i = state->most_next + 1;
	int32		member = state->sorted[i];

	state->sorted[i] = state->sorted[--state->most_end];
	state->sorted[state->most_end] = member;
}

static bool
is_balanced(const MixedState *state)
{
	return state->most_load - state->least_load <= 1;
}

/* ---- the steps ------------------------------------------------------------------ */

/* The topics of members are sorted. */
static bool
is_subscribed(const AssignorMember *member, int32 topic)
{
	int32		low = 0;
	int32		high = member->topic_count;

	while (low < high)
	{
		int32		middle = low + (high - low) / 2;

		if (member->topics[middle] < topic)
			low = middle + 1;
		else
			high = middle;
	}
	return low < member->topic_count && member->topics[low] == topic;
}

static void
give(MixedState *state, int32 topic, int32 partition, int32 member)
{
	int32	   *owner = &state->group->topics[topic].owner[partition];

	if (*owner != ASSIGNOR_NOBODY)
		state->load[*owner]--;
	*owner = member;
	state->load[member]++;
}

/* Step 1, and count what members have. */
static void
revoke_unsubscribed(MixedState *state)
{
	const AssignorGroup *group = state->group;

	for (int32 t = 0; t < group->topic_count; t++)
		for (int32 p = 0; p < group->topics[t].partitions; p++)
		{
			int32	   *owner = &group->topics[t].owner[p];

			if (*owner == ASSIGNOR_NOBODY)
				continue;
			if (is_subscribed(&group->members[*owner], t))
				state->load[*owner]++;
			else
				*owner = ASSIGNOR_NOBODY;
		}
}

/* Step 2 for a topic. */
static void
assign_open(MixedState *state, int32 topic)
{
	const AssignorTopic *it = &state->group->topics[topic];
	bool		begun = false;

	for (int32 p = 0; p < it->partitions; p++)
	{
		if (it->owner[p] != ASSIGNOR_NOBODY)
			continue;
		if (!begun)
			begin_topic(state, topic);
		begun = true;
		give(state, topic, p, next_least(state));
	}
}

/* List a topic's partitions by the member that has them. */
static void
list_partitions(MixedState *state, int32 topic)
{
	const AssignorTopic *it = &state->group->topics[topic];
	int32		next = 0;

	for (int32 i = 0; i < state->count; i++)
		state->part_end[state->sorted[i]] = 0;
	for (int32 p = 0; p < it->partitions; p++)
		state->part_end[it->owner[p]]++;
	for (int32 i = 0; i < state->count; i++)
	{
		int32		m = state->sorted[i];

		state->part_begin[m] = next;
		next += state->part_end[m];
		state->part_end[m] = state->part_begin[m];
	}
	for (int32 p = 0; p < it->partitions; p++)
		state->partitions[state->part_end[it->owner[p]]++] = p;
}

/* The next member that has most, and has something of the topic; -1: there is none. */
static int32
next_giver(MixedState *state)
{
	for (;;)
	{
		int32		member = next_most(state);

		if (member < 0 || state->part_end[member] > state->part_begin[member])
			return member;
		exclude_most(state);
	}
}

/* Step 3 for a topic.  Has anything moved? */
static bool
balance_topic(MixedState *state, int32 topic)
{
	bool		moved = false;

	if (imbalance(state, topic) <= 1)
		return false;
	begin_topic(state, topic);
	list_partitions(state, topic);
	while (!is_balanced(state))
	{
		int32		giver = next_giver(state);
		int32		taker;

		if (giver < 0)
			break;
		taker = next_least(state);
		if (is_balanced(state))
			break;
		give(state, topic, state->partitions[--state->part_end[giver]], taker);
		moved = true;
	}
	return moved;
}

/* Step 3: until all topics in a row have had nothing to move since the last one that had. */
static void
balance(MixedState *state)
{
	int32		count = 0;
	int32		last = -1;

	/* topics with one subscriber have nothing to move */
	for (int32 i = 0; i < state->group->topic_count; i++)
		if (subscriber_count(state, state->order[i]) >= 2)
			state->order[count++] = state->order[i];
	for (int round = 0; round < ROUNDS; round++)
		for (int32 i = 0; i < count; i++)
		{
			if (i == last)
				return;
			if (balance_topic(state, state->order[i]) || last < 0)
				last = i;
		}
}

/* Take the memory. */
static void
init_state(MixedState *state, const AssignorGroup *group)
{
	Size		members = Max(group->member_count, 1) * sizeof(int32);
	int32		largest = 1;

	for (int32 t = 0; t < group->topic_count; t++)
		largest = Max(largest, group->topics[t].partitions);
	state->group = group;
	state->subscribers = pgt_assignor_subscribers(group);
	state->load = palloc0(members);
	state->order = palloc(Max(group->topic_count, 1) * sizeof(int32));
	state->sorted = palloc(members);
	state->part_begin = palloc(members);
	state->part_end = palloc(members);
	state->partitions = palloc((Size) largest * sizeof(int32));
}

void
pgt_assignor_mixed_assign(const AssignorGroup *group)
{
	MixedState	state;

	init_state(&state, group);
	revoke_unsubscribed(&state);
	sort_topics(&state);
	for (int32 i = 0; i < group->topic_count; i++)
		assign_open(&state, state.order[i]);
	balance(&state);
}
