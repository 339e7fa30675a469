/*
 * classic_join.c
 *	  JoinGroup: somebody becomes a member, or a member takes part in the next generation.
 *
 *	  no id, dynamic		gets an id, and joins with that, so that who does not hear the answer leaves no
 *							dead member behind; old clients join at once
 *	  no id, static			a new member, or it takes the place of the one with its instance id, whose
 *							assignment it keeps: in a stable group without a rebalance
 *	  an id					a member joins again; in the midst of a rebalance it may have missed the answer, and
 *							is told what it was
 */
#include "postgres.h"

#include "coordinator/classic_join.h"
#include "coordinator/classic_rebalance.h"

/* ---- answers ---------------------------------------------------------------------------- */

/* Answer at once. */
static void
answer(ClassicGroup *group, const ClassicJoin *join, const ClassicGroupJoined *joined)
{
	join->wait->member = NULL;
	group->actions->answer_join(group, join->wait, joined);
}

static void
refuse(ClassicGroup *group, const ClassicJoin *join, KafkaError error, const char *member)
{
	ClassicGroupJoined joined = {.error = error,.member = member,.leader = "",.generation = -1};

	answer(group, join, &joined);
}

/* ---- whether one may join ------------------------------------------------------------------ */

/* Is the group not too large for this member?  Who was in it may remain. */
static bool
has_place(const ClassicGroup *group, const ClassicMember *member)
{
	int32		limit = pgt_classic_group_settings.max_size;
	bool		belongs = member != NULL && !member->pending;

	switch (group->state)
	{
		case CLASSIC_GROUP_PREPARING_REBALANCE:
			/* those come out who join last, if the limit was lowered */
			return (belongs && member->joining) || group->joining_count < limit;
		case CLASSIC_GROUP_COMPLETING_REBALANCE:
		case CLASSIC_GROUP_STABLE:
			return belongs || group->member_count < limit;
		case CLASSIC_GROUP_EMPTY:
		case CLASSIC_GROUP_DEAD:
			break;
	}
	return true;
}

/* How many bytes the protocols of the request take. */
static Size
size_of_protocols(const ClassicJoin *join)
{
	Size		size = 0;

	for (int32 i = 0; i < join->protocol_count; i++)
		size += sizeof(ClassicMemberProtocol) + sizeof(ClassicGroupProtocol) + join->protocols[i].name.length +
			Max(join->protocols[i].metadata.length, 0);
	return size;
}

/* The same of a member's. */
static Size
size_of_member_protocols(const ClassicMember *member)
{
	Size		size = 0;

	for (int32 i = 0; member->protocols != NULL && i < member->protocols->count; i++)
		size += sizeof(ClassicMemberProtocol) + sizeof(ClassicGroupProtocol) + member->protocols->items[i].name.length +
			Max(member->protocols->items[i].metadata.length, 0);
	return size;
}

/* Is there memory for the member, or for what one that there is says more than before? */
static bool
has_room(const ClassicGroup *group, const ClassicJoin *join, const ClassicMember *member)
{
	Size		after = size_of_protocols(join);
	Size		before = member == NULL ? 0 : size_of_member_protocols(member);

	if (member == NULL)
		after += sizeof(ClassicMember) + strlen(join->new_member) + Max(join->instance_id.length, 0) +
			join->client_id.length + join->client_host.length;
	return after <= before || pgt_classic_group_has_room(group, after - before);
}

/* The error for a request that is refused in any state, or none. */
static KafkaError
check(const ClassicGroup *group, const ClassicJoin *join, const ClassicMember *member)
{
	if (group->state == CLASSIC_GROUP_DEAD)
		return KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
	if (join->protocol_count > CLASSIC_GROUP_MAX_PROTOCOLS ||
		!pgt_classic_group_supports(group, join->protocol_type, join->protocols, join->protocol_count))
		return KAFKA_ERROR_INCONSISTENT_GROUP_PROTOCOL;
	if (!has_room(group, join, member))
		return KAFKA_ERROR_GROUP_MAX_SIZE_REACHED;
	return KAFKA_ERROR_NONE;
}

/* ---- new members ----------------------------------------------------------------------------- */

/* A new member of these parts. */
static ClassicMember *
make_member(const ClassicJoin *join, KafkaString id)
{
	ClassicMemberOrigin origin = {
		.id = id,
		.instance_id = join->instance_id,
		.client_id = join->client_id,
		.client_host = join->client_host,
		.session_timeout = join->session_timeout,
		.rebalance_timeout = join->rebalance_timeout
	};

	return pgt_classic_member_make(&origin);
}

static KafkaString
new_id(const ClassicJoin *join)
{
	return (KafkaString) {join->new_member, strlen(join->new_member)};
}

/* Let the group have the type of its first member. */
static void
set_type(ClassicGroup *group, const ClassicJoin *join)
{
	char	   *type;

	if (group->member_count > 0)
		return;
	type = pnstrdup(join->protocol_type.data, join->protocol_type.length);
	if (group->protocol_type != NULL)
		pfree(group->protocol_type);
	group->protocol_type = type;
}

/* Add a member.  It may have been pending. */
static void
add(ClassicGroup *group, const ClassicJoin *join, KafkaString id, ClassicMember *pending, int64 now)
{
	ClassicMember *member = make_member(join, id);

	member->protocols = pgt_classic_member_copy_protocols(join->protocols, join->protocol_count);
	pgt_classic_group_reserve(group, member->protocols);
	set_type(group, join);
	if (pending != NULL)
		pgt_classic_group_remove(group, pending, KAFKA_ERROR_UNKNOWN_MEMBER_ID);
	member->is_new = true;
	if (group->state == CLASSIC_GROUP_PREPARING_REBALANCE && group->initial)
		group->member_added = true;
	pgt_classic_group_add(group, member);
	pgt_classic_group_begin_join(group, member, join->wait);
	/* it has no generation yet, so that it cannot send heartbeats */
	pgt_deadline_set(&group->sessions, &member->session,
					  now + pgt_classic_group_settings.new_member_join_timeout * INT64CONST(1000));
	pgt_classic_rebalance_begin(group, now);
}

/* Give a member an id, with which it is to join. */
static void
add_pending(ClassicGroup *group, const ClassicJoin *join, int64 now)
{
	ClassicMember *member;

	if (group->pending_count >= pgt_classic_group_settings.max_size)
	{
		refuse(group, join, KAFKA_ERROR_GROUP_MAX_SIZE_REACHED, "");
		return;
	}
	member = make_member(join, new_id(join));
	pgt_classic_group_reserve(group, NULL);
	pgt_classic_group_add_pending(group, member);
	pgt_classic_group_touch(group, member, now);
	refuse(group, join, KAFKA_ERROR_MEMBER_ID_REQUIRED, member->id);
}

/* ---- static members that come back -------------------------------------------------------------- */

/* A member in the place of "old", with new protocols; it waits for its answer. */
static ClassicMember *
replace(ClassicGroup *group, const ClassicJoin *join, ClassicMember *old, int64 now)
{
	ClassicMember *member = make_member(join, new_id(join));

	member->protocols = pgt_classic_member_copy_protocols(join->protocols, join->protocol_count);
	if (group->leader == old)
		member->replaced_leader = pstrdup(old->id);
	pgt_classic_group_reserve(group, member->protocols);
	pgt_classic_group_replace(group, old, member);
	pgt_classic_group_begin_join(group, member, join->wait);
	pgt_classic_group_touch(group, member, now);
	return member;
}

/*
 * In a stable group nobody has to hear of it, if the group's protocol remains the same.  The member is told as soon as
 * it is stored, or its place would be another one's after a restart.
 */
static void
rejoin_static(ClassicGroup *group, const ClassicJoin *join, ClassicMember *old, int64 now)
{
	ClassicMember *member = replace(group, join, old, now);

	if (group->state == CLASSIC_GROUP_STABLE && pgt_classic_group_vote(group) == group->protocol)
	{
		member->replaces = true;
		member->skips_assignment = join->skips_assignment;
		group->replacing_count++;
		group->actions->store(group);
	}
	else
		pgt_classic_rebalance_begin(group, now);
}

/* ---- members that there are ------------------------------------------------------------------------ */

/* A member takes part in the next generation. */
static void
update(ClassicGroup *group, const ClassicJoin *join, ClassicMember *member, int64 now)
{
	ClassicMemberProtocols *protocols = pgt_classic_member_copy_protocols(join->protocols, join->protocol_count);

	pgt_classic_group_reserve(group, protocols);
	pgt_classic_group_set_protocols(group, member, protocols);
	member->session_timeout = join->session_timeout;
	member->rebalance_timeout = join->rebalance_timeout;
	pgt_classic_group_begin_join(group, member, join->wait);
	pgt_classic_rebalance_begin(group, now);
}

/* A member joins again. */
static void
rejoin(ClassicGroup *group, const ClassicJoin *join, ClassicMember *member, int64 now)
{
	bool		same = pgt_classic_member_matches(member, join->protocols, join->protocol_count);
	ClassicGroupJoined joined = pgt_classic_group_joined(group, member);

	/* it has missed the answer; in a stable group the leader asks for a rebalance by that, others for their assignment */
	if (same && (group->state == CLASSIC_GROUP_COMPLETING_REBALANCE ||
				 (group->state == CLASSIC_GROUP_STABLE && group->leader != member)))
		answer(group, join, &joined);
	else
		update(group, join, member, now);
}

/* Somebody with an id joins. */
static void
join_with_id(ClassicGroup *group, const ClassicJoin *join, int64 now)
{
	ClassicMember *member = pgt_classic_group_find(group, join->member);
	char	   *id = pnstrdup(join->member.data, join->member.length);
	KafkaError	error;

	if (member != NULL && member->pending)
	{
		if (join->instance_id.length >= 0)
			refuse(group, join, KAFKA_ERROR_UNKNOWN_SERVER_ERROR, id);
		else
			add(group, join, join->member, member, now);
	}
	else if ((error = pgt_classic_group_check_member(group, join->member, join->instance_id)) != KAFKA_ERROR_NONE)
		refuse(group, join, error, id);
	else if (group->state == CLASSIC_GROUP_EMPTY)
		refuse(group, join, KAFKA_ERROR_UNKNOWN_MEMBER_ID, id);
	else
		rejoin(group, join, member, now);
	pfree(id);
}

/* Somebody without an id joins. */
static void
join_without_id(ClassicGroup *group, const ClassicJoin *join, int64 now)
{
	ClassicMember *old = pgt_classic_group_find_instance(group, join->instance_id);

	if (old != NULL)
		rejoin_static(group, join, old, now);
	else if (join->instance_id.length < 0 && join->knows_ids)
		add_pending(group, join, now);
	else
		add(group, join, new_id(join), NULL, now);
}

void
pgt_classic_join(ClassicGroup *group, const ClassicJoin *join, int64 now)
{
	ClassicMember *member = pgt_classic_group_find(group, join->member);
	KafkaError	error;

	if (!has_place(group, member))
	{
		refuse(group, join, KAFKA_ERROR_GROUP_MAX_SIZE_REACHED, "");
		if (member != NULL)
			pgt_classic_rebalance_remove(group, member, now);
		return;
	}
	/* whose place it takes, if it does, gives its memory back */
	error = check(group, join, member != NULL ? member : pgt_classic_group_find_instance(group, join->instance_id));
	if (error == KAFKA_ERROR_NONE && join->member.length > 0)
		join_with_id(group, join, now);
	else if (error == KAFKA_ERROR_NONE)
		join_without_id(group, join, now);
	else
	{
		char	   *id = pnstrdup(join->member.data, join->member.length);

		refuse(group, join, error, id);
		pfree(id);
	}
}
