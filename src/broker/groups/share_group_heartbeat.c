/*
 * share_group_heartbeat.c
 *	  ShareGroupHeartbeat: members of share groups say that they live, and what they are subscribed to.
 *
 *	  quiet			nothing has changed on either side: it is answered without a transaction
 *	  prepare		names of topics are looked up, in slices
 *	  the group takes the request, and it is answered at once: nothing of it is durable (share_members.c)
 *
 * Topics are looked at again when any may have changed, by the first member whose heartbeat comes then.
 */
#include "postgres.h"

#include "broker/core/access.h"
#include "broker/core/broker_settings.h"
#include "broker/core/topic_names.h"
#include "broker/core/turn.h"
#include "broker/groups/consumer_change.h"
#include "broker/groups/consumer_topics.h"
#include "broker/groups/group_configs.h"
#include "broker/groups/group_owner.h"
#include "broker/groups/share_group_heartbeat.h"
#include "broker/groups/share_groups.h"
#include "broker/groups/sql_share_group.h"
#include "group/group_row.h"
#include "kafka/kafka_default.h"
#include "topic/topic_types.h"
#include "util/clock.h"

/* What a member takes, about, and a name of its subscription beside its letters. */
#define MEMBER_BYTES	4096
#define NAME_BYTES		64

typedef KafkaShareGroupHeartbeatRequest Body;

/* A request that is not quiet. */
typedef struct ShareHeartbeat
{
	int			checked;		/* how many of the request's names the client may subscribe to */
	int			member;			/* of the group's members, so many had their names looked up */
} ShareHeartbeat;

/* ---- answers ------------------------------------------------------------------------- */

static void
answer_error(BrokerRequest *request, KafkaError error, const char *message)
{
	KafkaShareGroupHeartbeatResponse response;

	pgt_kafka_default_struct(KAFKA_SHARE_GROUP_HEARTBEAT_RESPONSE, &response);
	response.error_code = error;
	response.error_message = pgt_broker_string(message != NULL ? message : pgt_kafka_error_message(error));
	pgt_broker_answer(request, &response);
}

/* What the member is to fetch. */
static KafkaShareGroupHeartbeatResponseAssignment *
make_assignment(BrokerRequest *request, const ShareAssignment *target)
{
	KafkaShareGroupHeartbeatResponseAssignment *assignment =
		pgt_broker_array(request, KAFKA_SHARE_GROUP_HEARTBEAT_RESPONSE_ASSIGNMENT, 1);

	assignment->topic_partitions.items =
		pgt_broker_array(request, KAFKA_SHARE_GROUP_HEARTBEAT_RESPONSE_TOPIC_PARTITIONS, target->count);
	assignment->topic_partitions.count = target->count;
	for (int32 t = 0; t < target->count; t++)
	{
		assignment->topic_partitions.items[t].topic_id = target->topics[t].topic;
		assignment->topic_partitions.items[t].partitions.items = target->topics[t].partitions;
		assignment->topic_partitions.items[t].partitions.count = target->topics[t].count;
	}
	return assignment;
}

static void
answer_member(BrokerRequest *request, const ShareMembersAnswer *answer)
{
	const Body *body = request->kafka.body;
	KafkaShareGroupHeartbeatResponse response;

	if (answer->error != KAFKA_ERROR_NONE)
	{
		answer_error(request, answer->error, answer->message);
		return;
	}
	pgt_kafka_default_struct(KAFKA_SHARE_GROUP_HEARTBEAT_RESPONSE, &response);
	response.member_id = body->member_id;
	response.member_epoch = answer->epoch;
	if (answer->member != NULL)
		response.heartbeat_interval_ms = pgt_group_configs_get(body->group_id, GROUP_CONFIG_SHARE_HEARTBEAT_INTERVAL);
	if (answer->has_assignment)
		response.assignment = make_assignment(request, &answer->member->target);
	pgt_broker_answer(request, &response);
}

/* ---- the group takes the request -------------------------------------------------------- */

/* ShareMembersWorld */
static bool
find_topic(const char *name, KafkaUuid *id, int32 *partitions, void *arg)
{
	ConsumerTopic topic = pgt_consumer_topics_find(name);

	if (!OidIsValid(topic.relid))
		return false;
	*id = pgt_topic_names_id(topic.relid);
	*partitions = topic.partitions;
	return true;
}

/* Has a group of another kind the name? */
static bool
is_other_kind(const char *id)
{
	ConsumerGroup group = {.offsets_table = pgt_group_row_extension_table(),.id = id};

	return OidIsValid(group.offsets_table) && pgt_group_row_has_group(&group) && !pgt_sql_share_group_exists(id);
}

/* The group of a request, which one that joins may make; NULL with an error. */
static ShareGroupEntry *
find_group(const BrokerRequest *request, ShareMembersAnswer *answer)
{
	const Body *body = request->kafka.body;
	CoordinatorGroup *registered = pgt_group_coordinator_find(body->group_id);
	ShareGroupEntry *entry = pgt_share_groups_entry(registered);
	const char *id;

	if (entry != NULL)
		return entry;
	answer->error = KAFKA_ERROR_GROUP_ID_NOT_FOUND;
	answer->message = "there is no such share group";
	if (registered != NULL || body->member_epoch != SHARE_EPOCH_JOIN)
	{
		/* its members do not wait for the end of a session to join a group that has been forgotten */
		if (registered == NULL && body->member_epoch > SHARE_EPOCH_JOIN)
			*answer = (ShareMembersAnswer) {.error = KAFKA_ERROR_UNKNOWN_MEMBER_ID};
		return NULL;
	}
	id = pnstrdup(body->group_id.data, body->group_id.length);
	if (is_other_kind(id))
	{
		answer->message = "the group is a consumer group";
		return NULL;
	}
	entry = pgt_share_groups_make(request->client, body->group_id);
	answer->error = entry == NULL ? KAFKA_ERROR_GROUP_AUTHORIZATION_FAILED : KAFKA_ERROR_NONE;
	answer->message = NULL;
	return entry;
}

/* How many bytes the group takes more with what the request tells, about. */
static Size
growth_of(const Body *body)
{
	Size		growth = MEMBER_BYTES;

	for (int32 i = 0; i < body->subscribed_topic_names.count; i++)
		growth += NAME_BYTES + body->subscribed_topic_names.items[i].length;
	return growth;
}

/* Does the request tell of something that the group would keep, and has no room for? */
static bool
is_too_much(const Body *body, const ShareGroupEntry *entry)
{
	if (body->member_epoch == SHARE_EPOCH_LEAVE || body->subscribed_topic_names.count < 0)
		return false;
	return !pgt_share_groups_has_room(entry, growth_of(body));
}

static void
call_group(BrokerRequest *request, ShareGroupEntry *entry, ShareMembersAnswer *answer)
{
	ShareMembersWorld world = {
		.now = pgt_clock_monotonic_us() / 1000,
		.session_timeout = pgt_group_configs_of(entry->registered->id, GROUP_CONFIG_SHARE_SESSION_TIMEOUT),
		.most_members = pgt_kafka_group_share_max_size,
		.client_id = request->client->client_id,
		.client_host = pgt_consumer_change_host(request->client),
		.topics_version = pgt_consumer_topics_version(),
		.find_topic = find_topic
	};

	if (is_too_much(request->kafka.body, entry))
	{
		answer->error = KAFKA_ERROR_GROUP_MAX_SIZE_REACHED;
		answer->message = "the groups of this role take as much memory as they may";
	}
	else
		pgt_share_members_heartbeat(entry->members, request->kafka.body, &world, answer);
}

static void
run(BrokerRequest *request)
{
	ShareMembersAnswer answer = {.error = KAFKA_ERROR_NONE};
	ShareGroupEntry *entry = find_group(request, &answer);

	if (entry != NULL)
	{
		call_group(request, entry, &answer);
		pgt_share_groups_settle(entry);
	}
	answer_member(request, &answer);
	/* a group that nobody could join */
	if (entry != NULL && answer.error != KAFKA_ERROR_NONE && entry->members->count == 0 && entry->members->epoch == 0)
		pgt_group_coordinator_remove(entry->registered);
}

/* ---- prepare ------------------------------------------------------------------------------- */

/* Look up what the group's members are subscribed to, so that all is found at once; false: the slice is over. */
static bool
look_up_group(ShareHeartbeat *heartbeat, const ShareGroupEntry *entry)
{
	int			n = 0;
	dlist_iter	iter;

	if (entry == NULL || pgt_consumer_topics_is_current(entry->members->topics_version))
		return true;
	/* members may come and go between slices, so that some are looked up twice, or later */
	dlist_foreach(iter, &entry->members->members)
	{
		const ShareMember *member = dlist_container(ShareMember, node, iter.cur);

		if (n++ < heartbeat->member)
			continue;
		heartbeat->member++;
		for (int32 i = 0; i < member->name_count; i++)
			(void) pgt_consumer_topics_find(member->names[i]);
		if (pgt_broker_slice_is_over())
			return false;
	}
	return true;
}

/* Go on with the preparation; then the group takes the request. */
static void
prepare(BrokerRequest *request)
{
	const Body *body = request->kafka.body;
	ShareHeartbeat *heartbeat = request->state;
	KafkaError	error;

	pgt_turn_open();
	error = pgt_group_coordinator_check(request->client, body->group_id);
	if (error != KAFKA_ERROR_NONE)
	{
		answer_error(request, error, NULL);
		return;
	}
	while (heartbeat->checked < body->subscribed_topic_names.count)
	{
		KafkaString name = body->subscribed_topic_names.items[heartbeat->checked++];
		Oid			relid = pgt_consumer_topics_find(pnstrdup(name.data, name.length)).relid;

		if (OidIsValid(relid) && !pgt_access_topic(request->client, relid, ACL_SELECT))
		{
			answer_error(request, KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED, NULL);
			return;
		}
		if (pgt_broker_slice_is_over())
		{
			pgt_broker_go_on(request, prepare);
			return;
		}
	}
	if (look_up_group(heartbeat, pgt_share_groups_entry(pgt_group_coordinator_find(body->group_id))))
		run(request);
	else
		pgt_broker_go_on(request, prepare);
}

/* ---- the API ---------------------------------------------------------------------------------- */

/* Answer a request that changes nothing, without a transaction.  False: it may change something. */
static bool
answer_quietly(BrokerRequest *request)
{
	const Body *body = request->kafka.body;
	CoordinatorGroup *registered = pgt_group_coordinator_find(body->group_id);
	ShareGroupEntry *entry = pgt_share_groups_entry(registered);
	const ShareMember *member;
	ShareMembersAnswer answer = {.error = KAFKA_ERROR_NONE};

	if (entry == NULL || body->member_epoch <= SHARE_EPOCH_JOIN || body->subscribed_topic_names.count >= 0 ||
		registered->allowed_role != request->client->role || registered->allowed_version != pgt_access_version() ||
		pgt_consumer_topics_must_listen() || !pgt_consumer_topics_is_current(entry->members->topics_version))
		return false;
	member = pgt_share_members_find(entry->members, body->member_id);
	if (member == NULL || !member->told || member->epoch != body->member_epoch || member->epoch != entry->members->epoch)
		return false;
	call_group(request, entry, &answer);
	pgt_share_groups_settle(entry);
	answer_member(request, &answer);
	return true;
}

/* Can all ids be stored and shown? */
static bool
has_texts(const Body *body)
{
	for (int32 i = 0; i < body->subscribed_topic_names.count; i++)
	{
		if (!pgt_group_coordinator_is_text(body->subscribed_topic_names.items[i], PG_INT32_MAX))
			return false;
	}
	return pgt_group_coordinator_is_text(body->member_id, KAFKA_GROUP_MEMBER_ID_MAX) &&
		pgt_group_coordinator_is_text(body->rack_id, KAFKA_GROUP_MEMBER_ID_MAX);
}

static void
serve(BrokerRequest *request)
{
	const Body *body = request->kafka.body;
	const char *problem;
	KafkaError	error;

	if (answer_quietly(request))
		return;
	pgt_turn_open();
	error = pgt_group_coordinator_check(request->client, body->group_id);
	problem = pgt_share_members_check(body);
	if (problem == NULL && !has_texts(body))
		problem = "an id or a name is no text";
	if (error == KAFKA_ERROR_NONE && problem != NULL)
		error = KAFKA_ERROR_INVALID_REQUEST;
	if (error != KAFKA_ERROR_NONE)
	{
		answer_error(request, error, error == KAFKA_ERROR_INVALID_REQUEST ? problem : NULL);
		return;
	}
	request->state = palloc0(sizeof(ShareHeartbeat));
	prepare(request);
}

const BrokerApi pgt_share_group_heartbeat_api = {.key = KAFKA_API_SHARE_GROUP_HEARTBEAT, .serve = serve, .uses_tables = true};
