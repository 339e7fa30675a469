/*
 * modern_group.c
 *	  Groups of the new protocol: their members.
 *
 * Members stand in an array that is sorted by their ids: a member is found quickly, and what is
 * computed from all of them does not depend on the order in which they came.
 */
#include "postgres.h"

#include "coordinator/assignor_list.h"
#include "coordinator/modern_group.h"
#include "utils/memutils.h"

ModernGroup *
pgt_modern_group_create(MemoryContext memory)
{
	ModernGroup *group = MemoryContextAllocZero(memory, sizeof(ModernGroup));

	group->memory = memory;
	group->epoch = group->assignment_epoch = MODERN_EPOCH_FIRST;
	group->next_deadline = MODERN_NEVER;
	group->stale = true;
	group->dirty = true;
	return group;
}

/* ---- finding ------------------------------------------------------------------ */

/* Compare a string of Kafka's with a C string. */
static int
compare_ids(KafkaString left, const char *right)
{
	size_t		length = strlen(right);
	int			order = memcmp(left.data, right, Min((size_t) left.length, length));

	if (order != 0)
		return order;
	return (size_t) left.length < length ? -1 : (size_t) left.length > length;
}

/* The place of an id in the array, whether or not it is there. */
static int32
find_place(const ModernGroup *group, KafkaString id, bool *found)
{
	int32		low = 0;
	int32		high = group->member_count;

	while (low < high)
	{
		int32		middle = low + (high - low) / 2;
		int			order = compare_ids(id, group->members[middle]->id);

		if (order == 0)
		{
			*found = true;
			return middle;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	*found = false;
	return low;
}

ModernMember *
pgt_modern_group_find_member(const ModernGroup *group, KafkaString id)
{
	bool		found;
	int32		place;

	if (id.length <= 0)
		return NULL;
	place = find_place(group, id, &found);
	return found ? group->members[place] : NULL;
}

ModernMember *
pgt_modern_group_find_static(const ModernGroup *group, KafkaString instance)
{
	if (instance.length <= 0)
		return NULL;
	for (int32 m = 0; m < group->member_count; m++)
		if (group->members[m]->instance_id != NULL && compare_ids(instance, group->members[m]->instance_id) == 0)
			return group->members[m];
	return NULL;
}

int32
pgt_modern_group_count_classic(const ModernGroup *group)
{
	int32		count = 0;

	for (int32 m = 0; m < group->member_count; m++)
		count += group->members[m]->protocols != NULL;
	return count;
}

const char *
pgt_modern_group_state_name(const ModernGroup *group)
{
	if (group->member_count == 0)
		return "Empty";
	if (group->epoch > group->assignment_epoch)
		return "Assigning";
	for (int32 m = 0; m < group->member_count; m++)
		if (group->members[m]->state != MODERN_STABLE || group->members[m]->epoch != group->assignment_epoch)
			return "Reconciling";
	return "Stable";
}

const Assignor *
pgt_modern_group_assignor(const ModernGroup *group)
{
	const Assignor *best = pgt_assignor_list[0];
	int32		most = 0;

	for (int i = 0; pgt_assignor_list[i] != NULL; i++)
	{
		int32		votes = 0;

		for (int32 m = 0; m < group->member_count; m++)
			votes += group->members[m]->assignor == pgt_assignor_list[i];
		if (votes > most)
		{
			best = pgt_assignor_list[i];
			most = votes;
		}
	}
	return best;
}

/* ---- members come and go --------------------------------------------------------- */

/* The members' places from one on have moved. */
static void
number_members(ModernGroup *group, int32 from)
{
	for (int32 m = from; m < group->member_count; m++)
		group->members[m]->index = m;
}

void
pgt_modern_group_make_room(ModernGroup *group)
{
	int32		room = Max(8, group->member_room * 2);
	ModernMember **members;

	if (group->member_count < group->member_room)
		return;
	members = MemoryContextAlloc(group->memory, room * sizeof(ModernMember *));
	if (group->member_count > 0)
		memcpy(members, group->members, group->member_count * sizeof(ModernMember *));
	if (group->members != NULL)
		pfree(group->members);
	group->members = members;
	group->member_room = room;
}

/* Put a member where its id belongs; there is room. */
static void
insert_member(ModernGroup *group, ModernMember *member)
{
	KafkaString id = {.data = member->id, .length = (int32) strlen(member->id)};
	bool		found;
	int32		place = find_place(group, id, &found);

	Assert(!found && group->member_count < group->member_room);
	memmove(group->members + place + 1, group->members + place, (group->member_count - place) * sizeof(ModernMember *));
	group->members[place] = member;
	group->member_count++;
	number_members(group, place);
}

/* Take a member out of the array. */
static void
take_out(ModernGroup *group, ModernMember *member)
{
	int32		place = member->index;

	group->member_count--;
	memmove(group->members + place, group->members + place + 1, (group->member_count - place) * sizeof(ModernMember *));
	number_members(group, place);
}

/* The first of a member's deadlines. */
static int64
first_deadline(const ModernMember *member)
{
	return Min(Min(member->session_deadline, member->revoke_deadline),
			   Min(member->rejoin_deadline, member->sync_deadline));
}

void
pgt_modern_group_note_deadlines(ModernGroup *group, const ModernMember *member)
{
	group->next_deadline = Min(group->next_deadline, first_deadline(member));
}

void
pgt_modern_group_add_member(ModernGroup *group, ModernMember *member)
{
	insert_member(group, member);
	pgt_modern_group_note_deadlines(group, member);
}

/* An id is no member's any more. */
static void
note_gone(ModernGroup *group, ModernGone *gone, char *id)
{
	gone->id = id;
	gone->next = group->gone;
	group->gone = gone;
}

void
pgt_modern_group_rename_member(ModernGroup *group, ModernMember *member, char *id)
{
	ModernGone *gone = MemoryContextAllocZero(group->memory, sizeof(ModernGone));

	take_out(group, member);
	note_gone(group, gone, member->id);
	member->id = id;
	insert_member(group, member);
	member->dirty = member->reclaims = true;
}

void
pgt_modern_group_forget_gone(ModernGroup *group)
{
	while (group->gone != NULL)
	{
		ModernGone *gone = group->gone;

		group->gone = gone->next;
		pfree(gone->id);
		pfree(gone);
	}
}

/* Free what there is. */
static void
free_piece(void *piece)
{
	if (piece != NULL)
		pfree(piece);
}

/* Free a member, but for its id. */
static void
free_member(ModernMember *member)
{
	free_piece(member->instance_id);
	free_piece(member->rack_id);
	free_piece(member->client_id);
	free_piece(member->client_host);
	free_piece(member->protocols);
	pfree(member);
}

/* A member owns nothing any more, and is to own nothing. */
static void
release_all(ModernGroup *group, const ModernMember *member)
{
	for (int32 t = 0; t < group->topic_count; t++)
		for (int32 p = 0; p < group->topics[t]->room; p++)
		{
			ModernPartition *partition = &group->topics[t]->partitions[p];

			if (partition->owner == member)
			{
				partition->owner = NULL;
				partition->revoking = false;
			}
			if (partition->target == member)
				partition->target = NULL;
		}
}

void
pgt_modern_group_count_users(ModernGroup *group)
{
	for (int32 i = 0; i < group->subscription_count; i++)
		group->subscriptions[i]->users = 0;
	for (int32 i = 0; i < group->regex_count; i++)
		group->regexes[i]->users = 0;
	for (int32 m = 0; m < group->member_count; m++)
	{
		ModernSubscription *subscription = group->members[m]->subscription;

		subscription->users++;
		if (subscription->regex != NULL)
			subscription->regex->users++;
	}
}

void
pgt_modern_group_sweep(ModernGroup *group)
{
	int32		kept = 0;

	pgt_modern_group_count_users(group);
	for (int32 i = 0; i < group->subscription_count; i++)
	{
		ModernSubscription *subscription = group->subscriptions[i];

		if (subscription->users > 0)
		{
			group->subscriptions[kept++] = subscription;
			continue;
		}
		pfree(subscription->names);
		if (subscription->ids != NULL)
			pfree(subscription->ids);
		pfree(subscription);
	}
	group->subscription_count = kept;
	kept = 0;
	for (int32 i = 0; i < group->regex_count; i++)
	{
		ModernRegex *regex = group->regexes[i];

		if (regex->users > 0)
		{
			group->regexes[kept++] = regex;
			continue;
		}
		pfree(regex->names);
		pfree(regex->pattern);
		pfree(regex);
	}
	group->regex_count = kept;
}

void
pgt_modern_group_remove_member(ModernGroup *group, ModernMember *member)
{
	release_all(group, member);
	take_out(group, member);
	note_gone(group, member->gone, member->id);
	free_member(member);
	pgt_modern_group_sweep(group);
	group->epoch++;
	group->stale = true;
	group->dirty = true;
	if (group->member_count == 0)
		group->assignment_epoch = group->epoch;
}

/* ---- time --------------------------------------------------------------------------- */

static const char *
why_gone(const ModernMember *member, int64 now)
{
	if (now >= member->session_deadline)
		return "its session has timed out";
	if (now >= member->revoke_deadline)
		return "it has not given up its partitions in time";
	if (now >= member->rejoin_deadline)
		return "it has not joined again in time";
	if (now >= member->sync_deadline)
		return "it has not asked for its assignment in time";
	return NULL;
}

int
pgt_modern_group_expire(ModernGroup *group, int64 now,
						void (*gone) (ModernMember *member, const char *why, void *arg), void *arg)
{
	int			count = 0;

	if (now < group->next_deadline)
		return 0;
	group->next_deadline = MODERN_NEVER;
	for (int32 m = group->member_count - 1; m >= 0; m--)
	{
		ModernMember *member = group->members[m];
		const char *why = why_gone(member, now);

		if (why == NULL)
			pgt_modern_group_note_deadlines(group, member);
		else
		{
			gone(member, why, arg);
			pgt_modern_group_remove_member(group, member);
			count++;
		}
	}
	return count;
}

void
pgt_modern_group_renew_deadlines(ModernGroup *group, int64 now, int32 session_timeout)
{
	group->next_deadline = MODERN_NEVER;
	for (int32 m = 0; m < group->member_count; m++)
	{
		ModernMember *member = group->members[m];

		member->session_deadline = now + (member->protocols == NULL ? session_timeout : member->session_timeout);
		member->revoke_deadline = member->rejoin_deadline = member->sync_deadline = MODERN_NEVER;
		if (member->state == MODERN_UNREVOKED && member->rebalance_timeout >= 0 && member->protocols == NULL)
			member->revoke_deadline = now + member->rebalance_timeout;
		pgt_modern_group_note_deadlines(group, member);
	}
}
