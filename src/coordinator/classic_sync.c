/*
 * classic_sync.c
 *	  SyncGroup: the leader brings the assignments, each member gets its own.
 *
 * The assignments become those of the group when they are stored; until then members wait.
 */
#include "postgres.h"

#include "coordinator/classic_sync.h"

static void
refuse(ClassicGroup *group, const ClassicSync *sync, KafkaError error)
{
	ClassicGroupSynced synced = {.error = error};

	sync->wait->member = NULL;
	group->actions->answer_sync(group, sync->wait, &synced);
}

/* Does a request name something else than the group has?  Old clients name nothing. */
static bool
differs(KafkaString named, const char *own)
{
	return named.length >= 0 && own != NULL &&
		(named.length != strlen(own) || memcmp(named.data, own, named.length) != 0);
}

static KafkaError
check(const ClassicGroup *group, const ClassicSync *sync)
{
	KafkaError	error;

	if (group->state == CLASSIC_GROUP_DEAD)
		return KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
	error = pgt_classic_group_check_member(group, sync->member, sync->instance_id);
	if (error != KAFKA_ERROR_NONE)
		return error;
	if (sync->generation != group->generation)
		return KAFKA_ERROR_ILLEGAL_GENERATION;
	if (differs(sync->protocol_type, group->protocol_type) ||
		differs(sync->protocol, group->protocol == NULL ? NULL : group->protocol->by_name.id))
		return KAFKA_ERROR_INCONSISTENT_GROUP_PROTOCOL;
	return group->state == CLASSIC_GROUP_PREPARING_REBALANCE ? KAFKA_ERROR_REBALANCE_IN_PROGRESS : KAFKA_ERROR_NONE;
}

/* How much memory the assignments take. */
static Size
size_of(const ClassicSync *sync)
{
	Size		size = 0;

	for (int32 i = 0; i < sync->assignment_count; i++)
		size += Max(sync->assignments[i].assignment.length, 0);
	return size;
}

/* Note what the leader has sent.  Members that it does not name get nothing. */
static void
take_assignments(ClassicGroup *group, const ClassicSync *sync)
{
	dlist_iter	iter;

	dlist_foreach(iter, &group->members)
		pgt_classic_group_set_next_assignment(group, dlist_container(ClassicMember, node, iter.cur), (KafkaBytes) {NULL, 0});
	for (int32 i = 0; i < sync->assignment_count; i++)
	{
		ClassicMember *member = pgt_classic_group_find(group, sync->assignments[i].member_id);

		if (member != NULL && !member->pending)
			pgt_classic_group_set_next_assignment(group, member,
												  pgt_classic_member_copy_bytes(sync->assignments[i].assignment));
	}
}

/* In COMPLETING_REBALANCE: wait until the assignments are stored. */
static void
await(ClassicGroup *group, const ClassicSync *sync, ClassicMember *member)
{
	bool		stores = member == group->leader && !group->storing;

	if (stores)
		take_assignments(group, sync);
	pgt_classic_group_begin_sync(group, member, sync->wait);
	pgt_classic_group_set_sync_due(group, member, false);
	if (stores)
	{
		group->storing = true;
		group->actions->store(group);
	}
}

void
pgt_classic_sync(ClassicGroup *group, const ClassicSync *sync, int64 now)
{
	ClassicMember *member = pgt_classic_group_find(group, sync->member);
	KafkaError	error = check(group, sync);

	if (error == KAFKA_ERROR_NONE && member == group->leader && !pgt_classic_group_has_room(group, size_of(sync)))
		error = KAFKA_ERROR_UNKNOWN_SERVER_ERROR;
	if (error != KAFKA_ERROR_NONE)
	{
		refuse(group, sync, error);
		return;
	}
	if (group->state == CLASSIC_GROUP_COMPLETING_REBALANCE)
	{
		await(group, sync, member);
		return;
	}
	/* stable: it has missed the answer, or is late */
	pgt_classic_group_begin_sync(group, member, sync->wait);
	pgt_classic_group_set_sync_due(group, member, false);
	pgt_classic_group_end_sync(group, member, KAFKA_ERROR_NONE);
	pgt_classic_group_touch(group, member, now);
}
