/*
 * modern_heartbeat.c
 *	  ConsumerGroupHeartbeat: what a group makes of a request.
 *
 * In three steps, each of which leaves a sound group, also where the next one throws an error:
 *
 *	  1. the member is made, or becomes what the request says; group->stale and group->bump remember
 *		 what follows from that for the group;
 *	  2. topics are looked at, the group epoch moves, and the target is computed;
 *	  3. the member moves towards the target.
 *
 * Most heartbeats say nothing new, and none of the steps has anything to do.
 *
 * Who may speak for a member is told by its epoch.  The one before is taken, too, from a member that owns no more
 * than it was assigned: it has not got the last answer.  0 joins again, with nothing owned.
 *
 * A JoinGroup is served as a request that joins (modern_classic.c).  Whose request it is decides which protocol the member
 * speaks from then on.  Static members that change it need not have left: a client that is rolled over does not say so.
 */
#include "postgres.h"

#include "coordinator/assignor_list.h"
#include "coordinator/modern_group.h"
#include "utils/memutils.h"

/* What clients may make us keep. */
#define ID_MAX			512
#define REGEX_MAX		1024

/* A request under way. */
typedef struct HeartbeatState
{
	ModernGroup *group;
	const KafkaConsumerGroupHeartbeatRequest *request;
	const ModernJoin *join;		/* NULL: the request is of the new protocol */
	const ModernWorld *world;
	ModernOwned owned;
	ModernAnswer *answer;
} HeartbeatState;

/* ---- requests by themselves ---------------------------------------------------------- */

static bool
is_text(KafkaString string)
{
	return string.length <= 0 || memchr(string.data, '\0', string.length) == NULL;
}

/* Is a string there, and yet empty? */
static bool
is_empty(KafkaString string)
{
	return string.length == 0;
}

/* What is wrong with the strings? */
static const char *
check_strings(const KafkaConsumerGroupHeartbeatRequest *request, int version)
{
	if (request->member_id.length <= 0 &&
		(version >= 1 || request->member_epoch > 0 || request->member_epoch == MODERN_EPOCH_LEAVE))
		return "a member id is missing";
	if (request->group_id.length <= 0)
		return "a group id is missing";
	if (is_empty(request->instance_id))
		return "the instance id is empty";
	if (is_empty(request->rack_id))
		return "the rack id is empty";
	if (request->member_id.length > ID_MAX || request->instance_id.length > ID_MAX || request->rack_id.length > ID_MAX)
		return "an id is too long";
	if (!is_text(request->member_id) || !is_text(request->instance_id) || !is_text(request->rack_id) ||
		!is_text(request->subscribed_topic_regex))
		return "a string has a zero byte";
	if (request->subscribed_topic_names.count > MODERN_NAMES_MAX)
		return "there are too many topics";
	return NULL;
}

/* What is missing where a member joins? */
static const char *
check_join(const KafkaConsumerGroupHeartbeatRequest *request)
{
	if (request->rebalance_timeout_ms == -1)
		return "a member that joins has to tell its rebalance timeout";
	if (request->topic_partitions.count != 0)
		return "a member that joins owns no partitions";
	if (request->subscribed_topic_names.count < 0 && request->subscribed_topic_regex.length < 0)
		return "a member that joins has to tell its subscription";
	return NULL;
}

const char *
pgt_modern_group_check_request(const KafkaConsumerGroupHeartbeatRequest *request, int version, KafkaError *error)
{
	const char *problem = check_strings(request, version);

	*error = KAFKA_ERROR_INVALID_REQUEST;
	if (problem == NULL && request->member_epoch == MODERN_EPOCH_JOIN)
		problem = check_join(request);
	if (problem == NULL && request->member_epoch == MODERN_EPOCH_LEAVE_STATIC && request->instance_id.length < 0)
		problem = "only static members leave for a while";
	if (problem == NULL && request->member_epoch < MODERN_EPOCH_LEAVE_STATIC)
		problem = "there is no such member epoch";
	if (problem != NULL)
		return problem;
	if (request->server_assignor.length >= 0 && pgt_assignor_list_find(request->server_assignor) == NULL)
	{
		*error = KAFKA_ERROR_UNSUPPORTED_ASSIGNOR;
		return "the assignors are uniform and range";
	}
	if (request->subscribed_topic_regex.length > REGEX_MAX)
	{
		*error = KAFKA_ERROR_INVALID_REGULAR_EXPRESSION;
		return "the regular expression is too long";
	}
	*error = KAFKA_ERROR_NONE;
	return NULL;
}

/* ---- who speaks? ---------------------------------------------------------------------- */

/* Set the error.  Returns false. */
static bool
refuse(HeartbeatState *state, KafkaError error, const char *message)
{
	state->answer->error = error;
	state->answer->message = message;
	return false;
}

static bool
check_epoch(HeartbeatState *state, const ModernMember *member)
{
	int32		epoch = state->request->member_epoch;

	if (epoch == MODERN_EPOCH_JOIN || epoch == member->epoch)
		return true;
	if (epoch > member->epoch)
		return refuse(state, KAFKA_ERROR_FENCED_MEMBER_EPOCH, "the member epoch is ahead of the coordinator's");
	if (epoch == member->previous_epoch && pgt_modern_group_owns_less(state->group, member, &state->owned))
		return true;
	return refuse(state, KAFKA_ERROR_FENCED_MEMBER_EPOCH, "the member epoch is behind the coordinator's");
}

/* The member of a request that does not join; NULL with an error. */
static ModernMember *
find_speaker(HeartbeatState *state)
{
	const KafkaConsumerGroupHeartbeatRequest *request = state->request;
	ModernMember *member;

	if (request->instance_id.length < 0)
	{
		member = pgt_modern_group_find_member(state->group, request->member_id);
		if (member == NULL)
			refuse(state, KAFKA_ERROR_UNKNOWN_MEMBER_ID, NULL);
		return member;
	}
	member = pgt_modern_group_find_static(state->group, request->instance_id);
	if (member == NULL)
	{
		refuse(state, KAFKA_ERROR_UNKNOWN_MEMBER_ID, "there is no member with this instance id");
		return NULL;
	}
	if (member != pgt_modern_group_find_member(state->group, request->member_id))
	{
		refuse(state, KAFKA_ERROR_FENCED_INSTANCE_ID, "another member has the instance id");
		return NULL;
	}
	return member;
}

/* ---- leaving ------------------------------------------------------------------------------ */

/* A static member leaves for a while: what it is to give up is free, what it has is kept for it. */
static void
leave_for_a_while(ModernGroup *group, ModernMember *member)
{
	for (int32 t = 0; t < group->topic_count; t++)
		for (int32 p = 0; p < group->topics[t]->room; p++)
		{
			ModernPartition *partition = &group->topics[t]->partitions[p];

			if (partition->owner != member)
				continue;
			if (partition->revoking)
				partition->owner = NULL;
			partition->revoking = false;
			partition->epoch = 0;
		}
	member->epoch = MODERN_EPOCH_LEAVE_STATIC;
	member->revoke_deadline = MODERN_NEVER;
	member->dirty = true;
}

/* Serve a request to leave. */
static void
leave(HeartbeatState *state)
{
	ModernMember *member = find_speaker(state);

	if (member == NULL)
		return;
	state->answer->epoch = state->request->member_epoch;
	if (state->request->member_epoch == MODERN_EPOCH_LEAVE_STATIC)
	{
		leave_for_a_while(state->group, member);
		state->answer->member = member;
	}
	else
		pgt_modern_group_remove_member(state->group, member);
}

/* ---- joining -------------------------------------------------------------------------------- */

/* A copy in the group's memory; NULL where there is none. */
static char *
keep(ModernGroup *group, KafkaString string)
{
	char	   *copy;

	if (string.length < 0)
		return NULL;
	copy = MemoryContextAllocZero(group->memory, string.length + 1);
	if (string.length > 0)
		memcpy(copy, string.data, string.length);
	return copy;
}

/* The id of a member that joins. */
static KafkaString
joining_id(const HeartbeatState *state)
{
	KafkaString id = state->request->member_id;

	if (id.length <= 0)
	{
		id.data = state->world->new_member_id;
		id.length = (int32) strlen(id.data);
	}
	return id;
}

bool
pgt_modern_group_is_full(const ModernGroup *group, const ModernWorld *world, KafkaString member, KafkaString instance)
{
	return group->member_count >= world->max_size && pgt_modern_group_find_static(group, instance) == NULL &&
		pgt_modern_group_find_member(group, member) == NULL;
}

/*
 * A static member joins whose instance id is known.  Either it has left for a while, and comes back, mostly with another id;
 * or it is the same member as before, that has lost an answer or was fenced; or one of the two speaks the classic protocol, in
 * which static members come back without having left.
 */
static ModernMember *
join_again(HeartbeatState *state, ModernMember *member)
{
	KafkaString id = joining_id(state);
	ModernMember *other = pgt_modern_group_find_member(state->group, id);

	if (member->epoch != MODERN_EPOCH_LEAVE_STATIC &&
		(other == member || (member->protocols == NULL && state->join == NULL)))
	{
		if (other != member)
			refuse(state, KAFKA_ERROR_UNRELEASED_INSTANCE_ID, "another member has the instance id");
		return other == member ? member : NULL;
	}
	if (other != NULL && other != member)
	{
		refuse(state, KAFKA_ERROR_INVALID_REQUEST, "another member has the member id");
		return NULL;
	}
	if (other == NULL)
		pgt_modern_group_rename_member(state->group, member, keep(state->group, id));
	member->epoch = member->previous_epoch = 0;
	member->dirty = true;
	return member;
}

/* A new member, without a subscription. */
static ModernMember *
make_member(HeartbeatState *state)
{
	ModernGroup *group = state->group;
	ModernMember *member;

	pgt_modern_group_make_room(group);
	member = MemoryContextAllocZero(group->memory, sizeof(ModernMember));
	member->gone = MemoryContextAllocZero(group->memory, sizeof(ModernGone));
	member->id = keep(group, joining_id(state));
	member->instance_id = keep(group, state->request->instance_id);
	member->client_id = MemoryContextStrdup(group->memory, state->world->client_id);
	member->client_host = MemoryContextStrdup(group->memory, state->world->client_host);
	member->rebalance_timeout = -1;
	member->previous_epoch = -1;
	member->session_deadline = state->world->now + state->world->session_timeout;
	member->revoke_deadline = member->rejoin_deadline = member->sync_deadline = MODERN_NEVER;
	member->dirty = true;
	return member;
}

/* The member that joins, which may be known; NULL with an error.  *is_new: it is not in the group yet. */
static ModernMember *
find_joining(HeartbeatState *state, bool *is_new)
{
	ModernMember *member;

	*is_new = false;
	/* in the classic protocol a static member brings its id, unless it is to take the place of one */
	if (state->join != NULL && state->request->instance_id.length >= 0 && state->request->member_id.length > 0)
		return find_speaker(state);
	if (state->request->instance_id.length < 0)
		member = pgt_modern_group_find_member(state->group, state->request->member_id);
	else
	{
		member = pgt_modern_group_find_static(state->group, state->request->instance_id);
		if (member != NULL)
			return join_again(state, member);
		member = pgt_modern_group_find_member(state->group, state->request->member_id);
	}
	if (member != NULL)
		return member;
	*is_new = true;
	return make_member(state);
}

/* ---- what the request says of the member ------------------------------------------------------ */

static bool
is_same(const char *known, KafkaString string)
{
	return known != NULL && (int32) strlen(known) == string.length && memcmp(known, string.data, string.length) == 0;
}

/* Let *known become the string, where the request has one. */
static void
take_string(HeartbeatState *state, ModernMember *member, char **known, KafkaString string)
{
	char	   *copy;

	if (string.length < 0 || is_same(*known, string))
		return;
	copy = keep(state->group, string);
	if (*known != NULL)
		pfree(*known);
	*known = copy;
	member->dirty = true;
}

static KafkaString
string_of(const char *text)
{
	KafkaString string = {.data = text, .length = (int32) strlen(text)};

	return string;
}

/* The expression that the member is subscribed to with this request; NULL: none. */
static ModernRegex *
take_regex(HeartbeatState *state, const ModernMember *member)
{
	KafkaString pattern = state->request->subscribed_topic_regex;
	ModernRegex *regex;

	if (pattern.length < 0)
		return member->subscription == NULL ? NULL : member->subscription->regex;
	if (pattern.length == 0)
		return NULL;
	regex = pgt_modern_group_find_regex(state->group, pattern);
	if (regex == NULL)
		regex = pgt_modern_group_add_regex(state->group, pattern, state->world->matches, state->world->match_count);
	return regex;
}

/* What the member is subscribed to with this request. */
static ModernSubscription *
take_subscription(HeartbeatState *state, const ModernMember *member)
{
	const KafkaConsumerGroupHeartbeatRequest *request = state->request;
	const ModernSubscription *known = member->subscription;
	ModernRegex *regex;
	KafkaString *names;

	if (known != NULL && request->subscribed_topic_names.count < 0 && request->subscribed_topic_regex.length < 0)
		return member->subscription;
	regex = take_regex(state, member);
	if (request->subscribed_topic_names.count >= 0)
		return pgt_modern_group_subscribe(state->group, request->subscribed_topic_names.items,
										  request->subscribed_topic_names.count, regex);
	if (known == NULL)
		return pgt_modern_group_subscribe(state->group, NULL, 0, regex);
	names = palloc(Max(known->count, 1) * sizeof(KafkaString));
	for (int32 i = 0; i < known->count; i++)
		names[i] = string_of(known->names[i]);
	return pgt_modern_group_subscribe(state->group, names, known->count, regex);
}

static void
take_assignor(HeartbeatState *state, ModernMember *member)
{
	const Assignor *assignor;

	if (state->request->server_assignor.length < 0)
		return;
	assignor = pgt_assignor_list_find(state->request->server_assignor);
	if (assignor == member->assignor)
		return;
	member->assignor = assignor;
	member->dirty = true;
}

static void
take_timeout(HeartbeatState *state, ModernMember *member)
{
	int32		timeout = state->request->rebalance_timeout_ms;

	if (timeout == -1 || timeout == member->rebalance_timeout)
		return;
	member->rebalance_timeout = Max(timeout, 0);
	member->dirty = true;
}

/* The protocols of the member with this request; NULL: it speaks the new protocol. */
static ClassicMemberProtocols *
take_protocols(HeartbeatState *state, const ModernMember *member)
{
	const ModernJoin *join = state->join;
	ClassicMemberProtocols *protocols;

	if (join == NULL)
		return NULL;
	if (member->protocols != NULL &&
		pgt_classic_member_protocols_match(member->protocols, join->protocols, join->protocol_count))
		return member->protocols;
	protocols = MemoryContextAlloc(state->group->memory,
								   pgt_classic_member_protocols_size(join->protocols, join->protocol_count));
	pgt_classic_member_fill_protocols(protocols, join->protocols, join->protocol_count);
	return protocols;
}

static void
set_protocols(ModernMember *member, ClassicMemberProtocols *protocols)
{
	if (protocols == member->protocols)
		return;
	if (member->protocols != NULL)
		pfree(member->protocols);
	member->protocols = protocols;
	member->dirty = true;
}

/* It was heard of; one that speaks the classic protocol is to ask for its assignment next. */
static void
set_deadlines(HeartbeatState *state, ModernMember *member)
{
	int64		now = state->world->now;

	member->rejoin_deadline = member->sync_deadline = MODERN_NEVER;
	if (state->join == NULL)
	{
		member->session_deadline = now + state->world->session_timeout;
		if (member->state == MODERN_UNREVOKED && member->revoke_deadline == MODERN_NEVER && member->rebalance_timeout >= 0)
			member->revoke_deadline = now + member->rebalance_timeout;
	}
	else
	{
		if (member->session_timeout != state->join->session_timeout)
			member->dirty = true;
		member->session_timeout = state->join->session_timeout;
		member->session_deadline = now + member->session_timeout;
		member->revoke_deadline = MODERN_NEVER;
		member->sync_deadline = now + Max(member->rebalance_timeout, MODERN_LEAST_WAIT);
	}
	pgt_modern_group_note_deadlines(state->group, member);
}

/*
 * Step 1.  The last thing that may fail is the subscription; then the member, if it is new, joins.  Returns whether
 * its subscription has changed.
 */
static bool
update_member(HeartbeatState *state, ModernMember *member, bool is_new)
{
	ModernGroup *group = state->group;
	const Assignor *preferred = pgt_modern_group_assignor(group);
	ClassicMemberProtocols *protocols = take_protocols(state, member);
	ModernSubscription *subscription;
	bool		changed;

	take_string(state, member, &member->instance_id, state->request->instance_id);
	take_string(state, member, &member->rack_id, state->request->rack_id);
	take_string(state, member, &member->client_id, string_of(state->world->client_id));
	take_string(state, member, &member->client_host, string_of(state->world->client_host));
	subscription = take_subscription(state, member);

	/* from here on nothing is thrown */
	changed = subscription != member->subscription;
	member->subscription = subscription;
	take_timeout(state, member);
	take_assignor(state, member);
	set_protocols(member, protocols);
	set_deadlines(state, member);
	if (is_new)
		pgt_modern_group_add_member(group, member);
	if (changed)
	{
		member->dirty = true;
		group->stale = group->bump = true;
		pgt_modern_group_sweep(group);
	}
	if (pgt_modern_group_assignor(group) != preferred)
		group->bump = true;
	return changed;
}

/* Step 2. */
static void
update_group(HeartbeatState *state)
{
	ModernGroup *group = state->group;

	if (group->stale || group->topics_version != state->world->topics_version)
		pgt_modern_group_look_at_topics(group, state->world);
	if (group->bump)
	{
		group->epoch++;
		group->bump = false;
		group->dirty = true;
	}
	if (group->epoch > group->assignment_epoch)
		pgt_modern_group_compute_target(group);
}

/* ---- the whole ------------------------------------------------------------------------------------- */

/* Does the request have all that a member may say? */
static bool
is_whole(const KafkaConsumerGroupHeartbeatRequest *request)
{
	return request->rebalance_timeout_ms != -1 && request->topic_partitions.count >= 0 &&
		(request->subscribed_topic_names.count >= 0 || request->subscribed_topic_regex.length >= 0);
}

/* Serve a request that does not leave. */
static void
stay(HeartbeatState *state)
{
	const KafkaConsumerGroupHeartbeatRequest *request = state->request;
	bool		joins = request->member_epoch == MODERN_EPOCH_JOIN;
	bool		is_new = false;
	bool		subscription_changed;
	bool		assigned;
	ModernMember *member;

	if (joins && pgt_modern_group_is_full(state->group, state->world, request->member_id, request->instance_id))
	{
		refuse(state, KAFKA_ERROR_GROUP_MAX_SIZE_REACHED, NULL);
		return;
	}
	member = joins ? find_joining(state, &is_new) : find_speaker(state);
	if (member == NULL || (!joins && !check_epoch(state, member)))
		return;
	subscription_changed = update_member(state, member, is_new);
	update_group(state);
	assigned = pgt_modern_group_reconcile(state->group, member, state->world, &state->owned, subscription_changed);
	state->answer->member = member;
	state->answer->epoch = member->epoch;
	state->answer->has_assignment = joins || assigned || is_whole(request);
}

void
pgt_modern_group_announce(ModernGroup *group, const KafkaConsumerGroupHeartbeatRequest *request, const ModernWorld *world)
{
	ModernAnswer answer = {0};
	HeartbeatState state = {.group = group, .request = request, .world = world, .answer = &answer};

	if (request->member_epoch != MODERN_EPOCH_JOIN || request->member_id.length <= 0 ||
		pgt_modern_group_find_member(group, request->member_id) != NULL ||
		pgt_modern_group_find_static(group, request->instance_id) != NULL ||
		pgt_modern_group_is_full(group, world, request->member_id, request->instance_id))
		return;
	(void) update_member(&state, make_member(&state), true);
}

void
pgt_modern_group_heartbeat(ModernGroup *group, const KafkaConsumerGroupHeartbeatRequest *request,
						   const ModernWorld *world, ModernAnswer *answer)
{
	HeartbeatState state = {.group = group, .request = request, .world = world, .answer = answer};

	memset(answer, 0, sizeof(*answer));
	state.owned.items = request->topic_partitions.items;
	state.owned.count = request->topic_partitions.count;
	if (request->member_epoch == MODERN_EPOCH_LEAVE || request->member_epoch == MODERN_EPOCH_LEAVE_STATIC)
		leave(&state);
	else
		stay(&state);
}

void
pgt_modern_group_serve_join(ModernGroup *group, const KafkaConsumerGroupHeartbeatRequest *request, const ModernJoin *join,
							const ModernWorld *world, ModernAnswer *answer)
{
	HeartbeatState state = {.group = group, .request = request, .join = join, .world = world, .answer = answer};

	memset(answer, 0, sizeof(*answer));
	state.owned.items = request->topic_partitions.items;
	state.owned.count = request->topic_partitions.count;
	stay(&state);
}
