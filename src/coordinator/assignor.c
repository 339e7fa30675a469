/*
 * assignor.c
 *	  What assignors have in common.
 *
 * Memory is palloc'd and left to the caller's context, which is short-lived.
 */
#include "postgres.h"

#include "coordinator/assignor.h"

AssignorSubscribers
pgt_assignor_subscribers(const AssignorGroup *group)
{
	AssignorSubscribers all;
	int32	   *next = palloc0(((Size) group->topic_count + 1) * sizeof(int32));
	Size		count = 0;

	all.begin = palloc0(((Size) group->topic_count + 1) * sizeof(int32));
	for (int32 m = 0; m < group->member_count; m++)
	{
		for (int32 i = 0; i < group->members[m].topic_count; i++)
			all.begin[group->members[m].topics[i] + 1]++;
		count += group->members[m].topic_count;
	}
	for (int32 t = 0; t < group->topic_count; t++)
		next[t + 1] = all.begin[t + 1] += all.begin[t];
	all.members = palloc(Max(count, 1) * sizeof(int32));
	for (int32 m = 0; m < group->member_count; m++)
		for (int32 i = 0; i < group->members[m].topic_count; i++)
			all.members[next[group->members[m].topics[i]]++] = m;
	return all;
}

int64
pgt_assignor_partitions(const AssignorGroup *group)
{
	int64		count = 0;

	for (int32 t = 0; t < group->topic_count; t++)
		count += group->topics[t].partitions;
	return count;
}
