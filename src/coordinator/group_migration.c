/*
 * group_migration.c
 *	  A group with members goes from the classic protocol to the new one, and back.
 *
 *	  up	a member of the new protocol joins a classic group of consumers.  The members are in the new group at once, in the
 *			generation that they have as their epoch, each with what it was assigned last.  They go on by the classic
 *			protocol (modern_classic.c)
 *	  down	the last member of the new protocol is gone, and some of the classic one are left.  The classic group has
 *			the epoch that they have reached as its generation.  Unless all have what they are to have, it rebalances
 *
 * Both are as in Kafka (ConsumerGroup.fromClassicGroup(), ClassicGroup.fromConsumerGroup()), with these differences:
 *
 *	- An assignment in which a partition has two owners, as only a client's own assignor makes one, leaves it to the first.
 *	- A group that has not come to its first generation has no protocol: the first one of each member tells
 *	  its subscription.
 *	- A member whose assignment was taken back by a rebalance has what it says it owns, where in Kafka it has nothing, so that
 *	  others are given that while it goes on with it.
 *	- On the way down a member keeps what it has, where Kafka gives it what it was to have, though others
 *	  may have that yet.
 *
 * Generations only grow, on both ways: a crash may have kept some that were used from being stored, and
 * they are passed over.
 */
#include "postgres.h"

#include "coordinator/consumer_protocol.h"
#include "coordinator/group_migration.h"
#include "utils/memutils.h"

/* Bytes of all assignments of a classic group: what is more is not worth while to be read in one go. */
#define ASSIGNMENTS_MAX		(8 * 1024 * 1024)

/* ---- up ------------------------------------------------------------------------------- */

static char *
keep(ModernGroup *group, const char *string)
{
	return string == NULL ? NULL : MemoryContextStrdup(group->memory, string);
}

/* The member's protocols as a request has them, palloc'd. */
static KafkaJoinGroupRequestProtocol *
list_protocols(const ClassicMemberProtocols *protocols)
{
	KafkaJoinGroupRequestProtocol *list = palloc0(Max(protocols->count, 1) * sizeof(KafkaJoinGroupRequestProtocol));

	for (int32 i = 0; i < protocols->count; i++)
	{
		list[i].name = protocols->items[i].name;
		list[i].metadata = protocols->items[i].metadata;
	}
	return list;
}

/* The same in the new group's memory. */
static ClassicMemberProtocols *
copy_protocols(ModernGroup *group, const ClassicMemberProtocols *protocols)
{
	KafkaJoinGroupRequestProtocol *list = list_protocols(protocols);
	ClassicMemberProtocols *copy =
		MemoryContextAlloc(group->memory, pgt_classic_member_protocols_size(list, protocols->count));

	pgt_classic_member_fill_protocols(copy, list, protocols->count);
	return copy;
}

/* What the member is subscribed to; false: that is no subscription of a consumer, or too large a one. */
static bool
read_subscription(const ClassicGroup *classic, const ClassicMember *member, ConsumerSubscription *subscription)
{
	const ClassicMemberProtocol *protocol = NULL;

	if (classic->protocol != NULL)
		protocol = pgt_classic_member_find_protocol(member->protocols,
													(KafkaString) {classic->protocol->by_name.id, classic->protocol->by_name.length});
	if (protocol == NULL)
		protocol = &member->protocols->items[0];
	return pgt_consumer_protocol_read_subscription(protocol->metadata, subscription) &&
		subscription->topic_count <= MODERN_NAMES_MAX;
}

/* A member may say a megabyte of itself, which takes several times as much as lists, and there may be many. */
static void
free_subscription(ConsumerSubscription *subscription)
{
	for (int32 i = 0; i < subscription->owned_count; i++)
		pfree(subscription->owned[i].partitions);
	if (subscription->owned != NULL)
		pfree(subscription->owned);
	pfree(subscription->topics);
}

/* Add a member, which has nothing yet. */
static bool
add_member(const ClassicGroup *classic, const ClassicMember *old, ModernGroup *modern, int64 now)
{
	ConsumerSubscription subscription;
	ModernMember *member;

	if (!read_subscription(classic, old, &subscription))
		return false;
	pgt_modern_group_make_room(modern);
	member = MemoryContextAllocZero(modern->memory, sizeof(ModernMember));
	member->gone = MemoryContextAllocZero(modern->memory, sizeof(ModernGone));
	member->id = keep(modern, old->id);
	member->instance_id = keep(modern, old->instance_id);
	member->client_id = keep(modern, old->client_id);
	member->client_host = keep(modern, old->client_host);
	if (subscription.rack.length > 0)
		member->rack_id = keep(modern, pnstrdup(subscription.rack.data, subscription.rack.length));
	member->protocols = copy_protocols(modern, old->protocols);
	member->subscription = pgt_modern_group_subscribe(modern, subscription.topics, subscription.topic_count, NULL);
	member->rebalance_timeout = old->rebalance_timeout;
	member->session_timeout = old->session_timeout;
	member->session_deadline = now + old->session_timeout;
	member->revoke_deadline = member->rejoin_deadline = member->sync_deadline = MODERN_NEVER;
	member->epoch = member->previous_epoch = classic->generation;
	member->state = MODERN_STABLE;
	/* what was in use in SQL until the rebalance timeout, members have without a claim */
	member->dirty = member->reclaims = true;
	pgt_modern_group_add_member(modern, member);
	free_subscription(&subscription);
	return true;
}

/* A name that members are subscribed to, with what it leads to. */
typedef struct NamedTopic
{
	const char *name;
	ModernTopic *topic;			/* NULL: there is none */
} NamedTopic;

/* All of them, sorted by name. */
typedef struct NamedTopics
{
	NamedTopic *items;
	int32		count;
} NamedTopics;

static int
compare_named(const void *a, const void *b)
{
	return strcmp(((const NamedTopic *) a)->name, ((const NamedTopic *) b)->name);
}

/* What a name leads to, which the group has looked at. */
static ModernTopic *
look_up(const ModernGroup *modern, const ModernWorld *world, const char *name)
{
	KafkaUuid	id;
	int32		partitions;

	return world->describe(world->arg, name, &id, &partitions) == MODERN_LOOK_NOTHING ? NULL : pgt_modern_group_find_topic(modern, &id);
}

static NamedTopics
list_topics(const ModernGroup *modern, const ModernWorld *world)
{
	NamedTopics topics = {0};
	Size		room = 1;
	int32		kept = 0;

	for (int32 s = 0; s < modern->subscription_count; s++)
		room += modern->subscriptions[s]->count;
	topics.items = palloc_extended(room * sizeof(NamedTopic), MCXT_ALLOC_HUGE);
	for (int32 s = 0; s < modern->subscription_count; s++)
		for (int32 i = 0; i < modern->subscriptions[s]->count; i++)
			topics.items[topics.count++].name = modern->subscriptions[s]->names[i];
	qsort(topics.items, topics.count, sizeof(NamedTopic), compare_named);
	for (int32 i = 0; i < topics.count; i++)
		if (kept == 0 || strcmp(topics.items[kept - 1].name, topics.items[i].name) != 0)
			topics.items[kept++].name = topics.items[i].name;
	topics.count = kept;
	for (int32 i = 0; i < topics.count; i++)
		topics.items[i].topic = look_up(modern, world, topics.items[i].name);
	return topics;
}

/* The topic of a name in an assignment, where the leader may have written anything. */
static ModernTopic *
find_topic(const NamedTopics *topics, KafkaString name)
{
	NamedTopic	key = {.name = pnstrdup(name.data, name.length)};
	const NamedTopic *found = NULL;

	if (topics->count > 0 && (int32) strlen(key.name) == name.length)
		found = bsearch(&key, topics->items, topics->count, sizeof(NamedTopic), compare_named);
	pfree((char *) key.name);
	return found == NULL ? NULL : found->topic;
}

/* Let a member have partitions of a topic, as far as these are nobody's. */
static void
give(ModernMember *member, ModernTopic *topic, const ConsumerPartitions *partitions)
{
	for (int32 i = 0; i < partitions->count; i++)
	{
		int32		p = partitions->partitions[i];

		if (p < 0 || p >= topic->count || topic->partitions[p].owner != NULL)
			continue;
		topic->partitions[p].owner = topic->partitions[p].target = member;
		topic->partitions[p].epoch = member->epoch;
	}
}

/* Let a member have what it was assigned; or why it cannot. */
static const char *
give_assignment(const ClassicGroup *classic, const ClassicMember *old, ModernGroup *modern, const NamedTopics *topics)
{
	ModernMember *member = pgt_modern_group_find_member(modern, (KafkaString) {old->id, (int32) strlen(old->id)});
	ConsumerAssignment assignment;

	if (!pgt_consumer_protocol_read_assignment(pgt_classic_group_told(classic, old), &assignment))
		return "an assignment of the classic group is malformed";
	if (assignment.user_data > 0)
		return "the assignor of the classic group tells members more than their partitions, which would be lost";
	for (int32 i = 0; i < assignment.count; i++)
	{
		ModernTopic *topic = find_topic(topics, assignment.topics[i].topic);

		if (topic != NULL)
			give(member, topic, &assignment.topics[i]);
		pfree(assignment.topics[i].partitions);
	}
	if (assignment.topics != NULL)
		pfree(assignment.topics);
	return NULL;
}

/*
 * A rebalance that was begun anew before it had come to its end has taken the assignments back: then a member that gives up only what it
 * must has what it says.
 */
static void
give_owned(const ClassicGroup *classic, const ClassicMember *old, ModernGroup *modern, const NamedTopics *topics)
{
	ModernMember *member = pgt_modern_group_find_member(modern, (KafkaString) {old->id, (int32) strlen(old->id)});
	ConsumerSubscription subscription;

	if (!read_subscription(classic, old, &subscription))
		return;
	for (int32 i = 0; i < subscription.owned_count; i++)
	{
		ModernTopic *topic = find_topic(topics, subscription.owned[i].topic);

		if (topic != NULL)
			give(member, topic, &subscription.owned[i]);
	}
	free_subscription(&subscription);
}

/* Let all have what they were assigned; or why they cannot. */
static const char *
give_assignments(ClassicGroup *classic, ModernGroup *modern, const ModernWorld *world)
{
	NamedTopics topics = list_topics(modern, world);
	Size		bytes = 0;
	dlist_iter	iter;

	dlist_foreach(iter, &classic->members)
		bytes += dlist_container(ClassicMember, node, iter.cur)->assignment.length;
	if (bytes > ASSIGNMENTS_MAX)
		return "the assignments of the classic group are too large";
	dlist_foreach(iter, &classic->members)
	{
		const char *problem = give_assignment(classic, dlist_container(ClassicMember, node, iter.cur), modern, &topics);

		if (problem != NULL)
			return problem;
	}
	dlist_foreach(iter, &classic->members)
	{
		const ClassicMember *old = dlist_container(ClassicMember, node, iter.cur);

		if (old->assignment.length <= 0)
			give_owned(classic, old, modern, &topics);
	}
	return NULL;
}

/* Is a partition to be nobody's? */
static bool
has_unassigned(const ModernGroup *modern)
{
	for (int32 t = 0; t < modern->topic_count; t++)
		for (int32 p = 0; p < modern->topics[t]->count; p++)
			if (modern->topics[t]->partitions[p].target == NULL)
				return true;
	return false;
}

const char *
pgt_group_migration_upgrade(ClassicGroup *classic, ModernGroup *modern, const ModernWorld *world)
{
	const char *problem;
	dlist_iter	iter;

	if (classic->protocol_type == NULL || strcmp(classic->protocol_type, CONSUMER_PROTOCOL_TYPE) != 0)
		return "the classic group is none of consumers";
	if (classic->member_count > world->max_size)
		return "the classic group has too many members";
	modern->epoch = modern->assignment_epoch = Max(classic->generation, classic->last_used);
	dlist_foreach(iter, &classic->members)
		if (!add_member(classic, dlist_container(ClassicMember, node, iter.cur), modern, world->now))
			return "a subscription in the classic group is malformed, or too large";
	pgt_modern_group_look_at_topics(modern, world);
	problem = give_assignments(classic, modern, world);
	if (problem != NULL)
		return problem;
	/* where all have what they are to have, and no more is to be had, they need not hear of it */
	modern->bump = classic->state != CLASSIC_GROUP_STABLE || classic->rebalance_due ||
		modern->epoch != classic->generation || has_unassigned(modern);
	return NULL;
}

/* ---- down ------------------------------------------------------------------------------- */

bool
pgt_group_migration_can_downgrade(const ModernGroup *modern, int32 max_size)
{
	return modern->member_count > 0 && modern->member_count <= max_size &&
		pgt_modern_group_count_classic(modern) == modern->member_count;
}

/* Add a member, with what it has, and be it to give up. */
static void
load_member(const ModernGroup *modern, const ModernMember *member, ClassicGroup *classic, int64 now)
{
	ClassicMemberOrigin origin = {
		.id = {member->id, (int32) strlen(member->id)},
		.instance_id = {NULL, -1},
		.client_id = {member->client_id, (int32) strlen(member->client_id)},
		.client_host = {member->client_host, (int32) strlen(member->client_host)},
		.session_timeout = member->session_timeout,
		.rebalance_timeout = Max(member->rebalance_timeout, 0)
	};
	KafkaJoinGroupRequestProtocol *protocols = list_protocols(member->protocols);
	StringInfoData assignment;

	if (member->instance_id != NULL)
		origin.instance_id = (KafkaString) {member->instance_id, (int32) strlen(member->instance_id)};
	initStringInfo(&assignment);
	pgt_modern_group_put_assignment(modern, member, true, &assignment);
	pgt_classic_group_load_member(classic, &origin, protocols, member->protocols->count,
								  (KafkaBytes) {assignment.data, assignment.len}, now);
	pfree(assignment.data);
	pfree(protocols);
}

/* Does a member know another protocol than the classic group has? */
static bool
differs(const ModernMember *member, const ClassicGroup *classic)
{
	return classic->protocol == NULL ||
		strcmp(member->protocols->items[0].name.data, classic->protocol->by_name.id) != 0;
}

/* Has each member what it is to have, and knows it by the protocol that the classic group has? */
static bool
is_settled(const ModernGroup *modern, const ClassicGroup *classic)
{
	if (modern->stale || modern->bump || modern->epoch != modern->assignment_epoch)
		return false;
	for (int32 m = 0; m < modern->member_count; m++)
	{
		const ModernMember *member = modern->members[m];

		if (member->state != MODERN_STABLE || member->epoch != modern->epoch || differs(member, classic))
			return false;
	}
	return true;
}

/* Is one about to ask for its assignment by another protocol than the classic group has?  That would be its end. */
static bool
asks_otherwise(const ModernGroup *modern, const ClassicGroup *classic)
{
	for (int32 m = 0; m < modern->member_count; m++)
		if (modern->members[m]->sync_deadline != MODERN_NEVER && differs(modern->members[m], classic))
			return true;
	return false;
}

/*
 * Members have reached the assignment epoch, so that is the generation: then they hear of the rebalance in time to commit, and
 * are not fenced.  The group epoch has moved on with the member that is gone.
 */
void
pgt_group_migration_downgrade(const ModernGroup *modern, ClassicGroup *classic, int64 now)
{
	pgt_classic_group_load(classic, CONSUMER_PROTOCOL_TYPE, modern->assignment_epoch, modern->epoch);
	for (int32 m = 0; m < modern->member_count; m++)
		load_member(modern, modern->members[m], classic, now);
	pgt_classic_group_loaded(classic, (KafkaString) {"", 0}, (KafkaString) {"", 0});
	classic->rebalance_due = !is_settled(modern, classic);
	if (classic->rebalance_due && asks_otherwise(modern, classic))
		classic->generation = pgt_classic_group_next_generation(classic);
}
