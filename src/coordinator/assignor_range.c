/*
 * assignor_range.c
 *	  The assignor "range": to each member a range of each topic.
 *
 * The members of a topic, in a fixed order, get neighbouring ranges of its partitions, whose lengths differ
 * by one at most; the longer ones come first.  So topics with the same number of partitions and the
 * same members are assigned alike, which joins of streams need.
 *
 * In the order static members come first, by their instance ids, as these outlive a member's id; then the
 * others, by their ids.  What was assigned before does not count: it stays where the order stays.
 */
#include "postgres.h"

#include "coordinator/assignor_range.h"

/* How far a topic is distributed. */
typedef struct TopicRange
{
	int32		next;			/* the first partition that is left */
	int32		length;			/* of the shorter ranges */
	int32		longer;			/* how many longer ones are left */
} TopicRange;

/* For qsort of pointers to members. */
static int
compare_members(const void *a, const void *b)
{
	const AssignorMember *left = *(const AssignorMember *const *) a;
	const AssignorMember *right = *(const AssignorMember *const *) b;

	if (left->instance_id != NULL && right->instance_id != NULL)
		return strcmp(left->instance_id, right->instance_id);
	if (left->instance_id != NULL || right->instance_id != NULL)
		return left->instance_id != NULL ? -1 : 1;
	return strcmp(left->id, right->id);
}

/* The members in their order. */
static const AssignorMember **
sort_members(const AssignorGroup *group)
{
	const AssignorMember **sorted = palloc(Max(group->member_count, 1) * sizeof(AssignorMember *));

	for (int32 m = 0; m < group->member_count; m++)
		sorted[m] = &group->members[m];
	qsort(sorted, group->member_count, sizeof(AssignorMember *), compare_members);
	return sorted;
}

/* The topics, of which nothing is distributed yet. */
static TopicRange *
make_ranges(const AssignorGroup *group)
{
	TopicRange *ranges = palloc0(Max(group->topic_count, 1) * sizeof(TopicRange));

	for (int32 m = 0; m < group->member_count; m++)
		for (int32 i = 0; i < group->members[m].topic_count; i++)
			ranges[group->members[m].topics[i]].length++;
	for (int32 t = 0; t < group->topic_count; t++)
	{
		int32		members = Max(ranges[t].length, 1);

		ranges[t].length = group->topics[t].partitions / members;
		ranges[t].longer = group->topics[t].partitions % members;
	}
	return ranges;
}

/* Give a member its range of a topic. */
static void
give_range(const AssignorTopic *topic, TopicRange *range, int32 member)
{
	int32		length = range->length;

	if (range->longer > 0)
	{
		length++;
		range->longer--;
	}
	for (int32 i = 0; i < length; i++)
		topic->owner[range->next++] = member;
}

/* Assignor */
static void
assign(const AssignorGroup *group)
{
	const AssignorMember **sorted = sort_members(group);
	TopicRange *ranges = make_ranges(group);

	for (int32 m = 0; m < group->member_count; m++)
		for (int32 i = 0; i < sorted[m]->topic_count; i++)
		{
			int32		t = sorted[m]->topics[i];

			give_range(&group->topics[t], &ranges[t], (int32) (sorted[m] - group->members));
		}
}

const Assignor pgt_assignor_range = {.name = "range", .assign = assign};
