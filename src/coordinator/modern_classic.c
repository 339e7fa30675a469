/*
 * modern_classic.c
 *	  Groups of the new protocol: requests of members that speak the classic one.
 *
 *	  JoinGroup		the member tells its subscription and what it owns, and takes its next step towards the target.  It is
 *					answered at once, with its epoch as the generation: there is no barrier, and nobody leads
 *	  SyncGroup		it gets what is assigned to it
 *	  Heartbeat		it is told to join again (REBALANCE_IN_PROGRESS) when the target has moved, when it is to give something
 *					up, and when all that it waits for is free
 *	  LeaveGroup	it goes
 *
 * So a member that has something to give up joins twice: the first answer leaves that out, by the second request
 * it has given it up.  One whose client gives all up before it joins needs one step.
 *
 * As in Kafka the rebalance timeout is what it has to join again once it is told to, and to ask for its assignment once it has
 * joined.  The errors are Kafka's, too (GroupMetadataManager, classicGroup...ToConsumerGroup).
 */
#include "postgres.h"

#include "coordinator/consumer_protocol.h"
#include "coordinator/modern_group.h"

/* ---- JoinGroup --------------------------------------------------------------------- */

static bool
is_text(KafkaString string, const char *text)
{
	return string.length == (int32) strlen(text) && memcmp(string.data, text, string.length) == 0;
}

/* Do all members that speak the classic protocol support this one of theirs? */
static bool
is_common(const ModernGroup *group, KafkaString protocol)
{
	for (int32 m = 0; m < group->member_count; m++)
		if (group->members[m]->protocols != NULL &&
			pgt_classic_member_find_protocol(group->members[m]->protocols, protocol) == NULL)
			return false;
	return true;
}

/* Has the group use for the request's protocols?  If all its members are to speak the classic protocol again, they need one in common. */
static bool
supports(const ModernGroup *group, const ModernJoin *join)
{
	if (!is_text(join->protocol_type, CONSUMER_PROTOCOL_TYPE))
		return false;
	for (int32 i = 0; i < join->protocol_count; i++)
		if (is_common(group, join->protocols[i].name))
			return true;
	return false;
}

/* ---- what a member says it owns ------------------------------------------------------- */

static int
compare_names(const void *a, const void *b)
{
	const KafkaString *left = a;
	const KafkaString *right = b;
	int			order = memcmp(left->data, right->data, Min(left->length, right->length));

	return order != 0 ? order : left->length < right->length ? -1 : left->length > right->length;
}

/* A topic of the group by its name. */
typedef struct NamedTopic
{
	KafkaString name;			/* the first field */
	const ModernTopic *topic;
} NamedTopic;

/*
 * Names that lead to something here.  Whatever else a member writes is not its topic, and is not asked for: it may be a hundred thousand
 * names that nobody knows.
 */
typedef struct OwnedNames
{
	KafkaString *subscribed;	/* sorted; of the request */
	int32		subscribed_count;
	NamedTopic *known;			/* sorted; of the group */
	int32		known_count;
} OwnedNames;

static OwnedNames
list_names(const ModernGroup *group, const ConsumerSubscription *subscription)
{
	OwnedNames	names = {.subscribed_count = subscription->topic_count};

	names.subscribed = palloc(Max(subscription->topic_count, 1) * sizeof(KafkaString));
	memcpy(names.subscribed, subscription->topics, subscription->topic_count * sizeof(KafkaString));
	qsort(names.subscribed, names.subscribed_count, sizeof(KafkaString), compare_names);
	names.known = palloc(Max(group->topic_count, 1) * sizeof(NamedTopic));
	for (int32 t = 0; t < group->topic_count; t++)
	{
		const ModernTopic *topic = group->topics[t];

		names.known[names.known_count++] = (NamedTopic) {{topic->name, (int32) strlen(topic->name)}, topic};
	}
	qsort(names.known, names.known_count, sizeof(NamedTopic), compare_names);
	return names;
}

/* The topic of a name; false: there is none. */
static bool
find_owned(const OwnedNames *names, KafkaString name, const ModernWorld *world, KafkaUuid *id)
{
	const NamedTopic *known;
	int32		partitions;

	if (name.length <= 0 || memchr(name.data, '\0', name.length) != NULL)
		return false;
	if (bsearch(&name, names->subscribed, names->subscribed_count, sizeof(KafkaString), compare_names) != NULL)
		return world->describe(world->arg, pnstrdup(name.data, name.length), id, &partitions);
	known = bsearch(&name, names->known, names->known_count, sizeof(NamedTopic), compare_names);
	if (known == NULL)
		return false;
	*id = known->topic->id;
	return true;
}

/* What the member says it owns, as far as there are such topics. */
static void
fill_owned(KafkaConsumerGroupHeartbeatRequest *request, const ModernGroup *group, const ConsumerSubscription *subscription,
		   const ModernWorld *world)
{
	OwnedNames	names;

	request->topic_partitions.items = palloc0(Max(subscription->owned_count, 1) * sizeof(request->topic_partitions.items[0]));
	request->topic_partitions.count = 0;
	if (subscription->owned_count == 0)
		return;
	names = list_names(group, subscription);
	for (int32 i = 0; i < subscription->owned_count; i++)
	{
		const ConsumerPartitions *owned = &subscription->owned[i];
		KafkaConsumerGroupHeartbeatRequestTopicPartitions *item =
			&request->topic_partitions.items[request->topic_partitions.count];

		if (!find_owned(&names, owned->topic, world, &item->topic_id))
			continue;
		item->partitions.items = owned->partitions;
		item->partitions.count = owned->count;
		request->topic_partitions.count++;
	}
}

/* ---- JoinGroup, as a request of the new protocol ------------------------------------------ */

/* The same as a request of the new protocol. */
static void
fill_request(KafkaConsumerGroupHeartbeatRequest *request, const ModernGroup *group, const ModernJoin *join,
			 const ConsumerSubscription *subscription, const ModernWorld *world)
{
	memset(request, 0, sizeof(*request));
	request->member_id = join->member;
	request->member_epoch = MODERN_EPOCH_JOIN;
	request->instance_id = join->instance_id;
	request->rack_id = subscription->rack.length > 0 ? subscription->rack : (KafkaString) {NULL, -1};
	request->rebalance_timeout_ms = join->rebalance_timeout;
	request->subscribed_topic_names.items = subscription->topics;
	request->subscribed_topic_names.count = subscription->topic_count;
	/* an expression that the member was subscribed to before counts no more */
	request->subscribed_topic_regex = (KafkaString) {"", 0};
	request->server_assignor = (KafkaString) {NULL, -1};
	fill_owned(request, group, subscription, world);
}

/* Why the request is refused before the group has looked for its member; NONE: it is not. */
static KafkaError
check_join(const ModernGroup *group, const ModernJoin *join, const ModernWorld *world, ConsumerSubscription *subscription)
{
	if (pgt_modern_group_is_full(group, world, join->member, join->instance_id))
		return KAFKA_ERROR_GROUP_MAX_SIZE_REACHED;
	if (!supports(group, join))
		return KAFKA_ERROR_INCONSISTENT_GROUP_PROTOCOL;
	if (join->instance_id.length < 0 && join->member.length <= 0 && join->knows_ids)
		return KAFKA_ERROR_MEMBER_ID_REQUIRED;
	/* all protocols of a client bring the same subscription */
	if (!pgt_consumer_protocol_read_subscription(join->protocols[0].metadata, subscription))
		return KAFKA_ERROR_UNKNOWN_SERVER_ERROR;
	return subscription->topic_count > MODERN_NAMES_MAX ? KAFKA_ERROR_INVALID_REQUEST : KAFKA_ERROR_NONE;
}

void
pgt_modern_group_join_classic(ModernGroup *group, const ModernJoin *join, const ModernWorld *world, ModernAnswer *answer)
{
	KafkaConsumerGroupHeartbeatRequest request;
	ConsumerSubscription subscription;

	memset(answer, 0, sizeof(*answer));
	answer->error = check_join(group, join, world, &subscription);
	if (answer->error != KAFKA_ERROR_NONE)
		return;
	fill_request(&request, group, join, &subscription, world);
	pgt_modern_group_serve_join(group, &request, join, world, answer);
}

/* ---- the others ------------------------------------------------------------------------ */

/* The member of these ids; NULL with an error. */
static ModernMember *
find(const ModernGroup *group, KafkaString id, KafkaString instance_id, KafkaError *error)
{
	ModernMember *member = pgt_modern_group_find_member(group, id);

	*error = KAFKA_ERROR_UNKNOWN_MEMBER_ID;
	if (instance_id.length >= 0)
	{
		ModernMember *static_member = pgt_modern_group_find_static(group, instance_id);

		if (static_member == NULL)
			return NULL;
		*error = KAFKA_ERROR_FENCED_INSTANCE_ID;
		if (static_member != member)
			return NULL;
	}
	if (member != NULL)
		*error = KAFKA_ERROR_NONE;
	return member;
}

/* The member of a call, in its generation; NULL with an error. */
static ModernMember *
find_caller(const ModernGroup *group, const ModernClassicCall *call, KafkaError *error)
{
	ModernMember *member = find(group, call->member, call->instance_id, error);

	if (member == NULL)
		return NULL;
	if (member->protocols == NULL)
		*error = KAFKA_ERROR_UNKNOWN_MEMBER_ID;
	else if (member->epoch != call->generation)
		*error = KAFKA_ERROR_ILLEGAL_GENERATION;
	return *error == KAFKA_ERROR_NONE ? member : NULL;
}

/* A member is told to join again, for which it has its time from the first time on. */
static KafkaError
ask_to_rejoin(ModernGroup *group, ModernMember *member, int64 now)
{
	if (member->rejoin_deadline == MODERN_NEVER)
		member->rejoin_deadline = now + Max(member->rebalance_timeout, MODERN_LEAST_WAIT);
	pgt_modern_group_note_deadlines(group, member);
	return KAFKA_ERROR_REBALANCE_IN_PROGRESS;
}

KafkaError
pgt_modern_group_sync_classic(ModernGroup *group, const ModernClassicCall *call, int64 now, const ModernMember **found)
{
	KafkaError	error;
	ModernMember *member = find_caller(group, call, &error);

	if (member == NULL)
		return error;
	if ((call->protocol_type.length >= 0 && !is_text(call->protocol_type, CONSUMER_PROTOCOL_TYPE)) ||
		(call->protocol.length >= 0 && !is_text(call->protocol, member->protocols->items[0].name.data)))
		return KAFKA_ERROR_INCONSISTENT_GROUP_PROTOCOL;
	/* one that has something to give up has joined already, and is told again once it has its assignment without that */
	if (group->epoch > member->epoch && member->state != MODERN_UNREVOKED)
		return ask_to_rejoin(group, member, now);
	/* what it has is not stored: it must not hear of what a crash would undo */
	if (member->dirty)
		return ask_to_rejoin(group, member, now);
	member->sync_deadline = MODERN_NEVER;
	member->session_deadline = now + member->session_timeout;
	*found = member;
	return KAFKA_ERROR_NONE;
}

KafkaError
pgt_modern_group_beat_classic(ModernGroup *group, const ModernClassicCall *call, int64 now)
{
	KafkaError	error;
	ModernMember *member = find_caller(group, call, &error);

	if (member == NULL)
		return error;
	member->session_deadline = now + member->session_timeout;
	if (member->epoch < group->epoch || member->state == MODERN_UNREVOKED ||
		(member->state == MODERN_UNRELEASED && now >= member->claim_retry &&
		 !pgt_modern_group_waits_for_others(group, member)))
		return ask_to_rejoin(group, member, now);
	return KAFKA_ERROR_NONE;
}

KafkaError
pgt_modern_group_leave_classic(ModernGroup *group, KafkaString id, KafkaString instance_id)
{
	KafkaError	error = KAFKA_ERROR_NONE;
	ModernMember *member;

	/* an administrator removes a static member without knowing its id */
	if (instance_id.length >= 0 && id.length <= 0)
	{
		member = pgt_modern_group_find_static(group, instance_id);
		if (member == NULL)
			error = KAFKA_ERROR_UNKNOWN_MEMBER_ID;
	}
	else
		member = find(group, id, instance_id, &error);
	if (member != NULL)
		pgt_modern_group_remove_member(group, member);
	return error;
}

/* ---- assignments ------------------------------------------------------------------------- */

/* What a member has of a topic; with "all" also what it is to give up. */
static ConsumerPartitions
list_partitions(const ModernTopic *topic, const ModernMember *member, bool all)
{
	ConsumerPartitions list = {.topic = {topic->name, (int32) strlen(topic->name)}};

	list.partitions = palloc((Size) Max(topic->room, 1) * sizeof(int32));
	for (int32 p = 0; p < topic->room; p++)
		if (topic->partitions[p].owner == member && (all || !topic->partitions[p].revoking))
			list.partitions[list.count++] = p;
	return list;
}

/* Is it one that is gone, while there is another one of its name?  Members of the classic protocol know them by their names. */
static bool
is_replaced(const ModernGroup *group, const ModernTopic *topic)
{
	if (topic->subscribed)
		return false;
	for (int32 t = 0; t < group->topic_count; t++)
		if (group->topics[t]->subscribed && strcmp(group->topics[t]->name, topic->name) == 0)
			return true;
	return false;
}

void
pgt_modern_group_put_assignment(const ModernGroup *group, const ModernMember *member, bool all, StringInfo out)
{
	ConsumerPartitions *topics = palloc(Max(group->topic_count, 1) * sizeof(ConsumerPartitions));
	int32		count = 0;

	for (int32 t = 0; t < group->topic_count; t++)
	{
		if (is_replaced(group, group->topics[t]))
			continue;
		topics[count] = list_partitions(group->topics[t], member, all);
		if (topics[count].count > 0)
			count++;
		else
			pfree(topics[count].partitions);
	}
	pgt_consumer_protocol_write_assignment(out, pgt_consumer_protocol_version(member->protocols->items[0].metadata),
										   topics, count);
}
