/*
 * classic_group.c
 *	  A group of the classic protocol: its members, and what is true of them in each state.
 *
 * The model is Kafka's (group-coordinator/.../classic/ClassicGroup.java), whose behaviour clients know.
 *
 * Invariants:
 *	- A member is in by_id, in one of the lists "members" and "pending", and, if it is static and not pending,
 *	  in by_instance.  One that is gone is in "removed" if it was stored, until that is made undone.
 *	- In PREPARING_REBALANCE and COMPLETING_REBALANCE one of the two deadlines of the group is set, so
 *	  that no rebalance lasts for ever, whatever members do.
 *	- A member that does not wait for an answer has a deadline; so has a new one; and so has one whose
 *	  connection is gone.
 *	- A protocol counts its members, and is there as long as it has some or is the generation's.
 *	- All counts are kept, not counted: no request costs more with more members, but those that end or begin
 *	  a rebalance.
 */
#include "postgres.h"

#include "coordinator/classic_group.h"

ClassicGroupSettings pgt_classic_group_settings = {
	.initial_rebalance_delay = 3000,
	.new_member_join_timeout = 5 * 60 * 1000,
	.max_size = 10000,
	.reserve = 100
};

Size		pgt_classic_group_total_bytes = 0;

/* What a group takes without members, with what its caller keeps of it. */
#define GROUP_BYTES		2048

/* ---- the group ------------------------------------------------------------------------ */

ClassicGroup *
pgt_classic_group_make(const ClassicGroupActions *actions, void *owner)
{
	ClassicGroup *group = palloc0(sizeof(ClassicGroup));

	group->actions = actions;
	group->owner = owner;
	group->state = CLASSIC_GROUP_EMPTY;
	/* there is nobody yet who could take one of its generations for another one */
	group->reserved = pgt_classic_group_settings.reserve;
	group->join_deadline = group->sync_deadline = DEADLINE_NEVER;
	dlist_init(&group->members);
	dlist_init(&group->pending);
	dlist_init(&group->removed);
	dlist_init(&group->protocols);
	group->bytes = GROUP_BYTES;
	pgt_classic_group_total_bytes += GROUP_BYTES;
	return group;
}

/* A protocol may have lost its last use. */
static void
release_protocol(ClassicGroup *group, ClassicGroupProtocol *protocol)
{
	if (protocol == NULL || protocol->members > 0 || protocol == group->protocol)
		return;
	pgt_id_table_remove(&group->by_protocol, &protocol->by_name);
	dlist_delete(&protocol->node);
	pfree(protocol);
}

void
pgt_classic_group_use_protocol(ClassicGroup *group, ClassicGroupProtocol *protocol)
{
	ClassicGroupProtocol *old = group->protocol;

	group->protocol = protocol;
	release_protocol(group, old);
}

void
pgt_classic_group_forget_removed(ClassicGroup *group)
{
	while (!dlist_is_empty(&group->removed))
	{
		ClassicMember *member = dlist_container(ClassicMember, node, dlist_pop_head_node(&group->removed));

		pgt_classic_group_total_bytes -= member->counted;
		group->bytes -= member->counted;
		pgt_classic_member_free(member);
	}
}

void
pgt_classic_group_free(ClassicGroup *group, KafkaError error)
{
	group->state = CLASSIC_GROUP_DEAD;
	while (!dlist_is_empty(&group->members))
		pgt_classic_group_remove(group, dlist_head_element(ClassicMember, node, &group->members), error);
	while (!dlist_is_empty(&group->pending))
		pgt_classic_group_remove(group, dlist_head_element(ClassicMember, node, &group->pending), error);
	pgt_classic_group_forget_removed(group);
	pgt_classic_group_use_protocol(group, NULL);
	while (!dlist_is_empty(&group->protocols))
		release_protocol(group, dlist_head_element(ClassicGroupProtocol, node, &group->protocols));
	pgt_id_table_free(&group->by_id);
	pgt_id_table_free(&group->by_instance);
	pgt_id_table_free(&group->by_protocol);
	pgt_deadline_free(&group->sessions);
	if (group->protocol_type != NULL)
		pfree(group->protocol_type);
	pgt_classic_group_total_bytes -= GROUP_BYTES;
	pfree(group);
}

int64
pgt_classic_group_deadline(const ClassicGroup *group)
{
	return Min(Min(group->join_deadline, group->sync_deadline), pgt_deadline_next(&group->sessions));
}

const char *
pgt_classic_group_state_name(const ClassicGroup *group)
{
	switch (group->state)
	{
		case CLASSIC_GROUP_EMPTY:
			return "Empty";
		case CLASSIC_GROUP_PREPARING_REBALANCE:
			return "PreparingRebalance";
		case CLASSIC_GROUP_COMPLETING_REBALANCE:
			return "CompletingRebalance";
		case CLASSIC_GROUP_STABLE:
			return "Stable";
		case CLASSIC_GROUP_DEAD:
			break;
	}
	return "Dead";
}

/* ---- looking --------------------------------------------------------------------------- */

ClassicMember *
pgt_classic_group_find(const ClassicGroup *group, KafkaString id)
{
	IdTableEntry *entry = pgt_id_table_find(&group->by_id, id.data, id.length);

	return entry == NULL ? NULL : (ClassicMember *) ((char *) entry - offsetof(ClassicMember, by_id));
}

ClassicMember *
pgt_classic_group_find_instance(const ClassicGroup *group, KafkaString instance_id)
{
	IdTableEntry *entry = pgt_id_table_find(&group->by_instance, instance_id.data, instance_id.length);

	return entry == NULL ? NULL : (ClassicMember *) ((char *) entry - offsetof(ClassicMember, by_instance));
}

/* The entry of a protocol, or NULL. */
static ClassicGroupProtocol *
find_protocol(const ClassicGroup *group, KafkaString name)
{
	IdTableEntry *entry = pgt_id_table_find(&group->by_protocol, name.data, name.length);

	return entry == NULL ? NULL : (ClassicGroupProtocol *) ((char *) entry - offsetof(ClassicGroupProtocol, by_name));
}

KafkaError
pgt_classic_group_check_member(const ClassicGroup *group, KafkaString id, KafkaString instance_id)
{
	ClassicMember *member = pgt_classic_group_find(group, id);

	if (instance_id.length >= 0)
	{
		ClassicMember *static_member = pgt_classic_group_find_instance(group, instance_id);

		if (static_member == NULL)
			return KAFKA_ERROR_UNKNOWN_MEMBER_ID;
		if (static_member != member)
			return KAFKA_ERROR_FENCED_INSTANCE_ID;
	}
	return member == NULL || member->pending ? KAFKA_ERROR_UNKNOWN_MEMBER_ID : KAFKA_ERROR_NONE;
}

bool
pgt_classic_group_supports(const ClassicGroup *group, KafkaString protocol_type,
						   const KafkaJoinGroupRequestProtocol *protocols, int32 count)
{
	if (group->state == CLASSIC_GROUP_EMPTY)
		return protocol_type.length > 0 && count > 0;
	if (group->protocol_type == NULL || protocol_type.length != strlen(group->protocol_type) ||
		memcmp(protocol_type.data, group->protocol_type, protocol_type.length) != 0)
		return false;
	for (int32 i = 0; i < count; i++)
	{
		const ClassicGroupProtocol *protocol = find_protocol(group, protocols[i].name);

		if ((protocol == NULL ? 0 : protocol->members) == group->member_count)
			return true;
	}
	return false;
}

bool
pgt_classic_group_has_room(const ClassicGroup *group, Size bytes)
{
	return group->actions->has_room == NULL || group->actions->has_room(group, bytes);
}

int64
pgt_classic_group_rebalance_timeout(ClassicGroup *group)
{
	int32		longest = 0;
	dlist_iter	iter;

	dlist_foreach(iter, &group->members)
		longest = Max(longest, dlist_container(ClassicMember, node, iter.cur)->rebalance_timeout);
	return longest * INT64CONST(1000);
}

/* After the largest one comes the first. */
int32
pgt_classic_group_next_generation(const ClassicGroup *group)
{
	int32		last = Max(group->generation, group->last_used);

	return last < PG_INT32_MAX ? last + 1 : 1;
}

int32
pgt_classic_group_reserve_generations(ClassicGroup *group)
{
	int32		last = Max(group->generation, group->last_used);

	group->next_reserved = last > PG_INT32_MAX - pgt_classic_group_settings.reserve ? PG_INT32_MAX :
		last + pgt_classic_group_settings.reserve;
	return group->next_reserved;
}

bool
pgt_classic_group_all_joined(const ClassicGroup *group)
{
	return group->joining_count == group->member_count && group->pending_count == 0;
}

/* ---- protocols ---------------------------------------------------------------------------- */

/* Let there be an entry for a protocol. */
static void
make_protocol(ClassicGroup *group, KafkaString name)
{
	ClassicGroupProtocol *protocol;
	char	   *copy;

	if (find_protocol(group, name) != NULL)
		return;
	pgt_id_table_reserve(&group->by_protocol, 1);
	protocol = palloc0(sizeof(ClassicGroupProtocol) + name.length + 1);
	copy = (char *) (protocol + 1);
	memcpy(copy, name.data, name.length);
	pgt_id_table_add(&group->by_protocol, &protocol->by_name, copy, name.length);
	dlist_push_tail(&group->protocols, &protocol->node);
}

/* Count a member's protocols, each of which has an entry, or count them no longer. */
static void
count_protocols(ClassicGroup *group, const ClassicMember *member, int change)
{
	for (int32 i = 0; member->protocols != NULL && i < member->protocols->count; i++)
	{
		ClassicGroupProtocol *protocol = find_protocol(group, member->protocols->items[i].name);

		/* named twice, and gone with the first one */
		if (protocol == NULL || protocol->last == member)
			continue;
		protocol->last = member;
		protocol->members += change;
		if (change < 0)
			release_protocol(group, protocol);
	}
	for (int32 i = 0; member->protocols != NULL && i < member->protocols->count; i++)
	{
		ClassicGroupProtocol *protocol = find_protocol(group, member->protocols->items[i].name);

		if (protocol != NULL)
			protocol->last = NULL;
	}
}

/* The first of a member's protocols that all members support. */
static ClassicGroupProtocol *
vote_of(const ClassicGroup *group, const ClassicMember *member)
{
	for (int32 i = 0; i < member->protocols->count; i++)
	{
		ClassicGroupProtocol *protocol = find_protocol(group, member->protocols->items[i].name);

		if (protocol->members == group->member_count)
			return protocol;
	}
	return NULL;
}

/* Each member votes for one; of two with as many votes the one wins that had its first vote first. */
ClassicGroupProtocol *
pgt_classic_group_vote(ClassicGroup *group)
{
	ClassicGroupProtocol *best = NULL;
	dlist_iter	iter;

	dlist_foreach(iter, &group->protocols)
		dlist_container(ClassicGroupProtocol, node, iter.cur)->votes = 0;
	dlist_foreach(iter, &group->members)
	{
		ClassicGroupProtocol *protocol = vote_of(group, dlist_container(ClassicMember, node, iter.cur));

		if (protocol != NULL)
			protocol->votes++;
	}
	dlist_foreach(iter, &group->members)
	{
		ClassicGroupProtocol *protocol = vote_of(group, dlist_container(ClassicMember, node, iter.cur));

		if (protocol != NULL && (best == NULL || protocol->votes > best->votes))
			best = protocol;
	}
	return best;
}

/* ---- members ------------------------------------------------------------------------------- */

/* Count the bytes of a member anew. */
static void
count_bytes(ClassicGroup *group, ClassicMember *member)
{
	Size		size = pgt_classic_member_size(member);

	group->bytes += size - member->counted;
	pgt_classic_group_total_bytes += size - member->counted;
	member->counted = size;
}

void
pgt_classic_group_reserve(ClassicGroup *group, const ClassicMemberProtocols *protocols)
{
	pgt_id_table_reserve(&group->by_id, 1);
	pgt_id_table_reserve(&group->by_instance, 1);
	pgt_deadline_reserve(&group->sessions, group->member_count + group->pending_count + 1);
	for (int32 i = 0; protocols != NULL && i < protocols->count; i++)
		make_protocol(group, protocols->items[i].name);
}

/* Put a member, whose protocols are counted, into the structures. */
static void
put_in(ClassicGroup *group, ClassicMember *member)
{
	pgt_id_table_add(&group->by_id, &member->by_id, member->id, strlen(member->id));
	if (member->instance_id != NULL)
		pgt_id_table_add(&group->by_instance, &member->by_instance, member->instance_id, strlen(member->instance_id));
	dlist_push_tail(&group->members, &member->node);
	group->member_count++;
	count_bytes(group, member);
	if (group->leader == NULL)
		group->leader = member;
}

void
pgt_classic_group_add(ClassicGroup *group, ClassicMember *member)
{
	count_protocols(group, member, 1);
	put_in(group, member);
}

void
pgt_classic_group_add_pending(ClassicGroup *group, ClassicMember *member)
{
	member->pending = true;
	pgt_id_table_add(&group->by_id, &member->by_id, member->id, strlen(member->id));
	dlist_push_tail(&group->pending, &member->node);
	group->pending_count++;
	count_bytes(group, member);
}

/* Free a member that is in no list, or keep it until it is not stored any more. */
static void
discard(ClassicGroup *group, ClassicMember *member)
{
	if (member->stored && group->state != CLASSIC_GROUP_DEAD)
	{
		dlist_push_tail(&group->removed, &member->node);
		return;
	}
	group->bytes -= member->counted;
	pgt_classic_group_total_bytes -= member->counted;
	pgt_classic_member_free(member);
}

/* Take a member out of all structures. */
static void
take_out(ClassicGroup *group, ClassicMember *member)
{
	pgt_id_table_remove(&group->by_id, &member->by_id);
	pgt_deadline_cancel(&group->sessions, &member->session);
	dlist_delete(&member->node);
	if (member->pending)
	{
		group->pending_count--;
		return;
	}
	if (member->instance_id != NULL)
		pgt_id_table_remove(&group->by_instance, &member->by_instance);
	pgt_classic_group_set_sync_due(group, member, false);
	group->member_count--;
	count_protocols(group, member, -1);
}

void
pgt_classic_group_remove(ClassicGroup *group, ClassicMember *member, KafkaError error)
{
	pgt_classic_group_fail_join(group, member, error, "");
	pgt_classic_group_end_sync(group, member, error);
	take_out(group, member);
	if (group->leader == member)
		group->leader = dlist_is_empty(&group->members) ? NULL :
			dlist_head_element(ClassicMember, node, &group->members);
	discard(group, member);
}

/*
 * The new one has what the old one had: its place among the members, its assignment, its protocols.  Whoever still uses the
 * old one's id is fenced.
 */
void
pgt_classic_group_replace(ClassicGroup *group, ClassicMember *old, ClassicMember *member)
{
	bool		leads = group->leader == old;
	bool		sync_due = old->sync_due;

	pgt_classic_group_fail_join(group, old, KAFKA_ERROR_FENCED_INSTANCE_ID, old->id);
	pgt_classic_group_end_sync(group, old, KAFKA_ERROR_FENCED_INSTANCE_ID);
	member->assignment = old->assignment;
	old->assignment = (KafkaBytes) {NULL, 0};
	/* the new one's protocols first, so that the entry of one that both have remains */
	count_protocols(group, member, 1);
	take_out(group, old);
	put_in(group, member);
	pgt_classic_group_set_sync_due(group, member, sync_due);
	if (leads)
		group->leader = member;
	count_bytes(group, old);
	discard(group, old);
}

void
pgt_classic_group_set_protocols(ClassicGroup *group, ClassicMember *member, ClassicMemberProtocols *protocols)
{
	ClassicMemberProtocols *old = member->protocols;
	ClassicMember counted = *member;

	/* the new ones first, so that the entry of one that is in both remains */
	member->protocols = protocols;
	count_protocols(group, member, 1);
	count_protocols(group, &counted, -1);
	if (old != NULL)
		pfree(old);
	count_bytes(group, member);
}

/* ---- assignments ----------------------------------------------------------------------------- */

void
pgt_classic_group_set_next_assignment(ClassicGroup *group, ClassicMember *member, KafkaBytes assignment)
{
	pgt_classic_member_clear_bytes(&member->next_assignment);
	member->next_assignment = assignment;
	count_bytes(group, member);
}

void
pgt_classic_group_take_assignments(ClassicGroup *group)
{
	dlist_iter	iter;

	dlist_foreach(iter, &group->members)
	{
		ClassicMember *member = dlist_container(ClassicMember, node, iter.cur);

		pgt_classic_member_clear_bytes(&member->assignment);
		member->assignment = member->next_assignment;
		member->next_assignment = (KafkaBytes) {NULL, 0};
		count_bytes(group, member);
	}
}

void
pgt_classic_group_clear_assignments(ClassicGroup *group)
{
	dlist_iter	iter;

	dlist_foreach(iter, &group->members)
	{
		ClassicMember *member = dlist_container(ClassicMember, node, iter.cur);

		pgt_classic_member_clear_bytes(&member->assignment);
		pgt_classic_group_set_next_assignment(group, member, (KafkaBytes) {NULL, 0});
	}
}

/* ---- requests that wait ------------------------------------------------------------------------ */

void
pgt_classic_group_begin_join(ClassicGroup *group, ClassicMember *member, ClassicMemberWait *wait)
{
	pgt_classic_group_fail_join(group, member, KAFKA_ERROR_REBALANCE_IN_PROGRESS, member->id);
	member->joining = true;
	group->joining_count++;
	member->join = wait;
	wait->member = member;
}

void
pgt_classic_group_end_join(ClassicGroup *group, ClassicMember *member, const ClassicGroupJoined *answer)
{
	ClassicMemberWait *wait = member->join;

	if (!member->joining)
		return;
	member->joining = false;
	group->joining_count--;
	group->replacing_count -= member->replaces;
	member->replaces = false;
	member->join = NULL;
	if (wait == NULL)
		return;
	wait->member = NULL;
	group->actions->answer_join(group, wait, answer);
}

void
pgt_classic_group_fail_join(ClassicGroup *group, ClassicMember *member, KafkaError error, const char *id)
{
	ClassicGroupJoined answer = {.error = error,.member = id,.leader = "",.generation = -1};

	pgt_classic_group_end_join(group, member, &answer);
}

KafkaBytes
pgt_classic_group_told(const ClassicGroup *group, const ClassicMember *member)
{
	return group->actions->told == NULL ? member->assignment : group->actions->told(group, member->assignment);
}

void
pgt_classic_group_refuse_waiting(ClassicGroup *group, KafkaError error)
{
	dlist_iter	iter;

	dlist_foreach(iter, &group->members)
	{
		ClassicMember *member = dlist_container(ClassicMember, node, iter.cur);

		pgt_classic_group_fail_join(group, member, error, member->id);
		pgt_classic_group_end_sync(group, member, error);
	}
}

ClassicGroupJoined
pgt_classic_group_joined(const ClassicGroup *group, const ClassicMember *member)
{
	return (ClassicGroupJoined) {
		.error = KAFKA_ERROR_NONE,
		.member = member->id,
		.protocol_type = group->protocol_type,
		.protocol = group->protocol == NULL ? NULL : group->protocol->by_name.id,
		.leader = group->leader == NULL ? "" : group->leader->id,
		.generation = group->generation,
		.with_members = group->leader == member
	};
}

void
pgt_classic_group_begin_sync(ClassicGroup *group, ClassicMember *member, ClassicMemberWait *wait)
{
	pgt_classic_group_end_sync(group, member, KAFKA_ERROR_REBALANCE_IN_PROGRESS);
	member->syncing = true;
	member->sync = wait;
	wait->member = member;
}

void
pgt_classic_group_end_sync(ClassicGroup *group, ClassicMember *member, KafkaError error)
{
	ClassicMemberWait *wait = member->sync;
	ClassicGroupSynced answer = {.error = error};

	if (!member->syncing)
		return;
	member->syncing = false;
	member->sync = NULL;
	if (wait == NULL)
		return;
	if (error == KAFKA_ERROR_NONE)
	{
		answer.protocol_type = group->protocol_type;
		answer.protocol = group->protocol == NULL ? NULL : group->protocol->by_name.id;
		answer.assignment = member->assignment;
	}
	wait->member = NULL;
	group->actions->answer_sync(group, wait, &answer);
}

void
pgt_classic_group_set_sync_due(ClassicGroup *group, ClassicMember *member, bool due)
{
	group->sync_due_count += due - member->sync_due;
	member->sync_due = due;
	if (group->sync_due_count == 0)
		group->sync_deadline = DEADLINE_NEVER;
}

void
pgt_classic_group_touch(ClassicGroup *group, ClassicMember *member, int64 now)
{
	pgt_deadline_set(&group->sessions, &member->session, now + member->session_timeout * INT64CONST(1000));
}

/* Kafka does not notice it, and waits for a dead client; here it has the time of its session to come back. */
void
pgt_classic_group_drop(ClassicGroup *group, ClassicMemberWait *wait, int64 now)
{
	ClassicMember *member = wait->member;

	if (member == NULL)
		return;
	wait->member = NULL;
	if (member->join == wait)
		member->join = NULL;
	if (member->sync == wait)
		member->sync = NULL;
	pgt_classic_group_touch(group, member, now);
}

/* ---- loading ------------------------------------------------------------------------------------- */

void
pgt_classic_group_load(ClassicGroup *group, const char *protocol_type, int32 generation, int32 last_used)
{
	if (protocol_type != NULL)
		group->protocol_type = pstrdup(protocol_type);
	group->generation = generation;
	group->last_used = group->reserved = last_used;
}

void
pgt_classic_group_load_member(ClassicGroup *group, const ClassicMemberOrigin *origin,
							  const KafkaJoinGroupRequestProtocol *protocols, int32 protocol_count,
							  KafkaBytes assignment, int64 now)
{
	ClassicMember *member = pgt_classic_member_make(origin);

	member->protocols = pgt_classic_member_copy_protocols(protocols, protocol_count);
	member->assignment = pgt_classic_member_copy_bytes(assignment);
	member->stored = true;
	pgt_classic_group_reserve(group, member->protocols);
	pgt_classic_group_add(group, member);
	pgt_classic_group_touch(group, member, now);
}

void
pgt_classic_group_loaded(ClassicGroup *group, KafkaString protocol, KafkaString leader)
{
	ClassicMember *member = pgt_classic_group_find(group, leader);

	if (group->member_count == 0)
		return;
	group->state = CLASSIC_GROUP_STABLE;
	pgt_classic_group_use_protocol(group, find_protocol(group, protocol));
	if (group->protocol == NULL)
		pgt_classic_group_use_protocol(group, pgt_classic_group_vote(group));
	if (member != NULL)
		group->leader = member;
}

void
pgt_classic_group_reset(ClassicGroup *group)
{
	while (!dlist_is_empty(&group->members))
		pgt_classic_group_remove(group, dlist_head_element(ClassicMember, node, &group->members), KAFKA_ERROR_UNKNOWN_MEMBER_ID);
	group->state = CLASSIC_GROUP_EMPTY;
	pgt_classic_group_use_protocol(group, NULL);
	group->actions->store(group);
}
