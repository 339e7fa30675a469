/*
 * join_group.c
 *	  JoinGroup: a client becomes a member of a group, or joins its next generation.
 *
 * What it leads to is the group's affair (coordinator/classic_join.c).  Here it is asked whether the client may use the
 * group, whether all that is to be stored is text, and whether the group is in use in SQL: a client that subscribes to a
 * topic which a living member in SQL consumes is refused, and the server's log says who that is.  These topics are looked
 * at in slices.
 *
 * A group of the new protocol that has members is joined as such (classic_in_consumer.c): then the client needs the right to read
 * the topics, which the server is to assign.
 *
 * Ids that members get are "<client id>-<uuid>", of a static member "<instance id>-<uuid>".
 */
#include "postgres.h"

#include "broker/core/access.h"
#include "broker/core/broker_settings.h"
#include "broker/core/topic_names.h"
#include "broker/core/turn.h"
#include "broker/groups/classic_groups.h"
#include "broker/groups/classic_in_consumer.h"
#include "broker/groups/consumer_change.h"
#include "broker/groups/consumer_topics.h"
#include "broker/groups/join_group.h"
#include "broker/groups/shared_group_log.h"
#include "broker/groups/sql_share_group.h"
#include "coordinator/classic_join.h"
#include "coordinator/consumer_protocol.h"
#include "group/kafka_claim.h"
#include "util/clock.h"

/* From this version on a client is told its id before it joins, and can be told that it leads and has nothing to assign. */
#define VERSION_KNOWS_IDS	4
#define VERSION_SKIPS		9

#define MOST_NAME		255		/* bytes of a protocol, its type, an instance id, a client id */
#define MOST_METADATA	(1024 * 1024)	/* bytes of a member's protocols */

/* A request whose topics are looked at. */
typedef struct JoinGroup
{
	ConsumerProtocolReader reader;
	char	   *group_id;
} JoinGroup;

static void serve(BrokerRequest *request);

const BrokerApi pgt_join_group_api = {.key = KAFKA_API_JOIN_GROUP, .serve = serve, .uses_tables = true};

/* ---- ids and addresses --------------------------------------------------------------- */

/* What a client calls itself, with other characters than plain ones replaced; in the request's memory. */
static char *
plain_text(BrokerRequest *request, KafkaString string)
{
	int32		length = Min(Max(string.length, 0), MOST_NAME);
	char	   *text = MemoryContextAlloc(request->memory, length + 1);

	for (int32 i = 0; i < length; i++)
		text[i] = string.data[i] > ' ' && string.data[i] <= '~' ? string.data[i] : '_';
	text[length] = '\0';
	return text;
}

/* A new member id that begins so. */
static char *
new_id(BrokerRequest *request, const char *begin)
{
	uint8		bytes[16];
	MemoryContext caller = MemoryContextSwitchTo(request->memory);
	char	   *id;

	if (!pg_strong_random(bytes, sizeof(bytes)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values")));
	/* version 4 */
	bytes[6] = (bytes[6] & 0x0f) | 0x40;
	bytes[8] = (bytes[8] & 0x3f) | 0x80;
	id = psprintf("%s-%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", begin,
				  bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7],
				  bytes[8], bytes[9], bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]);
	MemoryContextSwitchTo(caller);
	return id;
}

/* ---- checks ------------------------------------------------------------------------------ */

/* Can all be stored that is to be? */
static bool
is_storable(const KafkaJoinGroupRequest *body)
{
	Size		bytes = 0;

	if (body->protocols.count > CLASSIC_GROUP_MAX_PROTOCOLS ||
		!pgt_group_coordinator_is_text(body->protocol_type, MOST_NAME) ||
		!pgt_group_coordinator_is_text(body->group_instance_id, MOST_NAME) || body->group_instance_id.length == 0)
		return false;
	for (int32 i = 0; i < body->protocols.count; i++)
	{
		if (!pgt_group_coordinator_is_text(body->protocols.items[i].name, MOST_NAME))
			return false;
		bytes += Max(body->protocols.items[i].metadata.length, 0);
	}
	return bytes <= MOST_METADATA;
}

/* The error for a request that does not get to a group, or none. */
static KafkaError
check(BrokerRequest *request)
{
	const KafkaJoinGroupRequest *body = request->kafka.body;
	KafkaError	error = pgt_group_coordinator_check(request->client, body->group_id);

	if (error != KAFKA_ERROR_NONE)
		return error;
	if (body->session_timeout_ms < pgt_kafka_group_min_session_timeout ||
		body->session_timeout_ms > pgt_kafka_group_max_session_timeout)
		return KAFKA_ERROR_INVALID_SESSION_TIMEOUT;
	return is_storable(body) ? KAFKA_ERROR_NONE : KAFKA_ERROR_INVALID_REQUEST;
}

/* Begin to look at the topics that the client subscribes to.  They are the same in all its protocols. */
static void
begin_topics(JoinGroup *state, const KafkaJoinGroupRequest *body)
{
	KafkaString type = body->protocol_type;

	if (body->protocols.count > 0 && type.length == strlen(CONSUMER_PROTOCOL_TYPE) &&
		memcmp(type.data, CONSUMER_PROTOCOL_TYPE, type.length) == 0)
		pgt_consumer_protocol_begin(&state->reader, body->protocols.items[0].metadata);
}

/* May the client read the topic at hand?  So that a group of the new protocol finds it at once, it is looked up as there. */
static bool
may_read(BrokerRequest *request, KafkaString name)
{
	Oid			topic;

	if (!pgt_group_coordinator_is_text(name, PG_INT32_MAX))
		return true;
	topic = pgt_consumer_topics_find(pnstrdup(name.data, Max(name.length, 0))).relid;
	return !OidIsValid(topic) || pgt_access_topic(request->client, topic, ACL_SELECT);
}

/* The error for the topics that the client subscribes to, or none.  With *more the slice is over. */
static KafkaError
check_topics(BrokerRequest *request, JoinGroup *state, bool *more)
{
	const KafkaJoinGroupRequest *body = request->kafka.body;

	*more = false;
	while (pgt_consumer_protocol_next_topic(&state->reader))
	{
		Oid			topic = pgt_topic_names_find(state->reader.topic);
		char	   *member = OidIsValid(topic) ? pgt_kafka_claim_find_sql_member(state->group_id, topic) : NULL;

		if (member != NULL)
		{
			pgt_shared_group_log_refused(state->group_id, state->reader.topic, member);
			return KAFKA_ERROR_INCONSISTENT_GROUP_PROTOCOL;
		}
		if (pgt_classic_in_consumer_find(body->group_id) != NULL && !may_read(request, state->reader.topic))
			return KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED;
		*more = pgt_broker_slice_is_over();
		if (*more)
			break;
	}
	return KAFKA_ERROR_NONE;
}

/* ---- joining -------------------------------------------------------------------------------- */

static void go_on(BrokerRequest *request);

/*
 * The group, which is made for somebody who has no id yet; or NULL, with *error.  One of the new protocol is empty, and gives way;
 * a share group does not.
 */
static ClassicGroup *
find_group(BrokerRequest *request, KafkaError *error)
{
	const KafkaJoinGroupRequest *body = request->kafka.body;
	CoordinatorGroup *registered = pgt_group_coordinator_find(body->group_id);
	ClassicGroup *group;

	*error = KAFKA_ERROR_UNKNOWN_MEMBER_ID;
	if (registered != NULL && registered->kind == KAFKA_GROUP_CLASSIC)
		return pgt_classic_groups_state(registered);
	if (registered != NULL ? registered->kind == KAFKA_GROUP_SHARE :
		pgt_sql_share_group_exists(pnstrdup(body->group_id.data, body->group_id.length)))
	{
		*error = KAFKA_ERROR_INCONSISTENT_GROUP_PROTOCOL;
		return NULL;
	}
	if (body->member_id.length > 0)
		return NULL;
	group = pgt_classic_groups_make(request->client, body->group_id);
	*error = KAFKA_ERROR_GROUP_AUTHORIZATION_FAILED;
	return group;
}

/* The longest that a rebalance may take for the client.  Version 0 has one timeout for both. */
static int32
rebalance_timeout_of(const BrokerRequest *request)
{
	const KafkaJoinGroupRequest *body = request->kafka.body;

	return request->kafka.version == 0 ? body->session_timeout_ms : Max(body->rebalance_timeout_ms, 0);
}

/* Let a classic group decide. */
static void
join_classic(BrokerRequest *request, const char *client_id, const char *new_member)
{
	const KafkaJoinGroupRequest *body = request->kafka.body;
	KafkaError	error;
	ClassicGroup *group = find_group(request, &error);
	MemoryContext caller;
	ClassicJoin message = {
		.member = body->member_id,
		.new_member = new_member,
		.instance_id = body->group_instance_id,
		.client_id = pgt_broker_string(client_id),
		.client_host = pgt_broker_string(pgt_consumer_change_host(request->client)),
		.protocol_type = body->protocol_type,
		.protocols = body->protocols.items,
		.protocol_count = Max(body->protocols.count, 0),
		.session_timeout = body->session_timeout_ms,
		.rebalance_timeout = rebalance_timeout_of(request),
		.knows_ids = request->kafka.version >= VERSION_KNOWS_IDS,
		.skips_assignment = request->kafka.version >= VERSION_SKIPS
	};

	if (group == NULL)
	{
		pgt_classic_answer_refuse_join(request, error, body->member_id);
		return;
	}
	message.wait = pgt_classic_answer_park(request, group, pgt_classic_groups_settle);
	caller = MemoryContextSwitchTo(pgt_group_coordinator_memory());
	pgt_classic_join(group, &message, pgt_clock_monotonic_us());
	MemoryContextSwitchTo(caller);
	pgt_classic_groups_settle(group);
}

/* Let a group of the new protocol decide. */
static void
join_consumer(BrokerRequest *request, const char *client_id, const char *new_member)
{
	const KafkaJoinGroupRequest *body = request->kafka.body;
	ModernJoin	message = {
		.member = body->member_id,
		.instance_id = body->group_instance_id,
		.protocol_type = body->protocol_type,
		.protocols = body->protocols.items,
		.protocol_count = Max(body->protocols.count, 0),
		.session_timeout = body->session_timeout_ms,
		.rebalance_timeout = rebalance_timeout_of(request),
		.knows_ids = request->kafka.version >= VERSION_KNOWS_IDS
	};

	pgt_classic_in_consumer_join(request, &message, client_id, new_member, go_on);
}

/* Let the group decide. */
static void
join(BrokerRequest *request)
{
	const KafkaJoinGroupRequest *body = request->kafka.body;
	char	   *client_id = plain_text(request, request->kafka.header->client_id);
	char	   *new_member = new_id(request, body->group_instance_id.length < 0 ? client_id :
									pgt_broker_cstring(request, body->group_instance_id));

	if (pgt_classic_in_consumer_find(body->group_id) != NULL)
		join_consumer(request, client_id, new_member);
	else
		join_classic(request, client_id, new_member);
}

/* Look at the topics, then join. */
static void
go_on(BrokerRequest *request)
{
	const KafkaJoinGroupRequest *body = request->kafka.body;
	JoinGroup  *state = request->state;
	KafkaError	error;
	bool		more;

	pgt_turn_open();
	error = check(request);
	if (error == KAFKA_ERROR_NONE)
		error = check_topics(request, state, &more);
	if (error != KAFKA_ERROR_NONE)
		pgt_classic_answer_refuse_join(request, error, body->member_id);
	else if (more)
		pgt_broker_go_on(request, go_on);
	else
		join(request);
}

static void
serve(BrokerRequest *request)
{
	const KafkaJoinGroupRequest *body = request->kafka.body;
	JoinGroup  *state = palloc0(sizeof(JoinGroup));

	request->state = state;
	state->group_id = pgt_broker_cstring(request, body->group_id);
	begin_topics(state, body);
	go_on(request);
}
