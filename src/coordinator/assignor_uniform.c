/*
 * assignor_uniform.c
 *	  The assignor "uniform": to each member as many partitions, and few of them move.
 *
 * Where all members are subscribed to the same topics, it is done here: the numbers of their partitions differ
 * by one at most, and a partition moves only where its member has too many.  Else assignor_mixed.c
 * does it.
 *
 * With P partitions and M members each one gets P / M, and P % M of them get one more: those that
 * have so many already, the first in the order of members, and else the last ones.
 */
#include "postgres.h"

#include "coordinator/assignor_mixed.h"
#include "coordinator/assignor_uniform.h"

typedef struct PartitionPlace
{
	int32		topic;
	int32		partition;
} PartitionPlace;

typedef struct UniformState
{
	const AssignorGroup *group;
	int64	   *begin;			/* of each member, in "owned" */
	PartitionPlace *owned;		/* the partitions that members have, by member */
	PartitionPlace *open;		/* the partitions that nobody has, in the order in which they are given */
	int64		open_count;
	int32	   *missing;		/* of each member: how many it is to get */
} UniformState;

/* Take the memory. */
static void
init_state(UniformState *state, const AssignorGroup *group)
{
	Size		partitions = (Size) pgt_assignor_partitions(group);

	state->group = group;
	state->begin = palloc0(((Size) group->member_count + 1) * sizeof(int64));
	state->owned = palloc(Max(partitions, 1) * sizeof(PartitionPlace));
	state->open = palloc(Max(partitions, 1) * sizeof(PartitionPlace));
	state->open_count = 0;
	state->missing = palloc0(Max(group->member_count, 1) * sizeof(int32));
}

/* Call for each partition. */
#define FOR_EACH_PARTITION(group, t, p) \
	for (int32 t = 0; t < (group)->topic_count; t++) \
		for (int32 p = 0; p < (group)->topics[t].partitions; p++)

/* List the partitions by the member that has them, and those that nobody has. */
static void
list_partitions(UniformState *state, int64 *next)
{
	const AssignorGroup *group = state->group;

	FOR_EACH_PARTITION(group, t, p)
	{
		if (group->topics[t].owner[p] != ASSIGNOR_NOBODY)
			state->begin[group->topics[t].owner[p] + 1]++;
	}
	for (int32 m = 0; m < group->member_count; m++)
	{
		next[m] = state->begin[m];
		state->begin[m + 1] += state->begin[m];
	}
	FOR_EACH_PARTITION(group, t, p)
	{
		int32		m = group->topics[t].owner[p];
		PartitionPlace place = {t, p};

		if (m == ASSIGNOR_NOBODY)
			state->open[state->open_count++] = place;
		else
			state->owned[next[m]++] = place;
	}
}

/* Take from a member what is more than its share.  How many it lacks is what is returned. */
static int32
cut_to(UniformState *state, int32 member, int32 share)
{
	for (int64 i = state->begin[member]; i < state->begin[member + 1]; i++)
	{
		if (share > 0)
			share--;
		else
			state->open[state->open_count++] = state->owned[i];
	}
	return share;
}

/* Say of each member how many partitions it lacks, after those have been taken that are too many. */
static void
share_out(UniformState *state)
{
	int32		members = state->group->member_count;
	int64		partitions = pgt_assignor_partitions(state->group);
	int32		share = (int32) (partitions / members);
	int32		larger = (int32) (partitions % members);

	for (int32 m = 0; m < members; m++)
	{
		bool		is_larger = larger > 0;
		int32		missing = cut_to(state, m, share + is_larger);

		/* somebody else may have so many already, as long as there are enough members left */
		if (is_larger && missing > 0 && members - m > larger)
		{
			is_larger = false;
			missing--;
		}
		larger -= is_larger;
		state->missing[m] = missing;
	}
}

/* Give the open partitions to those who lack some. */
static void
fill_up(UniformState *state)
{
	int64		next = 0;

	for (int32 m = 0; m < state->group->member_count; m++)
		for (int32 i = 0; i < state->missing[m] && next < state->open_count; i++)
		{
			PartitionPlace place = state->open[next++];

			state->group->topics[place.topic].owner[place.partition] = m;
		}
	Assert(next == state->open_count);
}

/* Assignor */
static void
assign(const AssignorGroup *group)
{
	UniformState state;

	if (group->member_count == 0)
		return;
	if (!group->alike)
	{
		pgt_assignor_mixed_assign(group);
		return;
	}
	init_state(&state, group);
	list_partitions(&state, palloc(group->member_count * sizeof(int64)));
	share_out(&state);
	fill_up(&state);
}

const Assignor pgt_assignor_uniform = {.name = "uniform", .assign = assign};
