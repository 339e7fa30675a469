/*
 * heartbeat.c
 *	  Heartbeat: a member that speaks the classic protocol is alive.
 *
 * As in Kafka, members hear nothing of groups that are being loaded: they would join again for nothing.  The same where somebody
 * has locked tables of the groups, which a heartbeat has no need of: then it counts.
 */
#include "postgres.h"

#include "broker/core/access.h"
#include "broker/core/turn.h"
#include "broker/groups/classic_groups.h"
#include "broker/groups/classic_in_consumer.h"
#include "broker/groups/heartbeat.h"
#include "coordinator/classic_heartbeat.h"
#include "kafka/kafka_default.h"
#include "util/clock.h"

static void serve(BrokerRequest *request);

const BrokerApi pgt_heartbeat_api = {.key = KAFKA_API_HEARTBEAT,.serve = serve};

/* In a group of the new protocol. */
static KafkaError
beat_in_consumer(const KafkaHeartbeatRequest *body)
{
	ModernClassicCall call = {
		.member = body->member_id,
		.instance_id = body->group_instance_id,
		.generation = body->generation_id
	};

	return pgt_classic_in_consumer_beat(pgt_classic_in_consumer_find(body->group_id), &call);
}

/* In its group, whichever that is. */
static KafkaError
beat_in_group(const KafkaHeartbeatRequest *body)
{
	ClassicGroup *group;

	if (pgt_classic_in_consumer_find(body->group_id) != NULL)
		return beat_in_consumer(body);
	group = pgt_classic_groups_find(body->group_id);
	return group == NULL ? KAFKA_ERROR_UNKNOWN_MEMBER_ID :
		pgt_classic_heartbeat(group, body->member_id, body->group_instance_id, body->generation_id,
							  pgt_clock_monotonic_us());
}

/* Is it known without a look at tables that the client may use the group? */
static bool
is_allowed(const BrokerRequest *request)
{
	const KafkaHeartbeatRequest *body = request->kafka.body;
	CoordinatorGroup *group = pgt_group_coordinator_find(body->group_id);

	return group != NULL && group->allowed_role == request->client->role && group->allowed_version == pgt_access_version();
}

static KafkaError
beat(BrokerRequest *request)
{
	const KafkaHeartbeatRequest *body = request->kafka.body;
	KafkaError	error = pgt_group_coordinator_check(request->client, body->group_id);

	if (error == KAFKA_ERROR_NONE)
		return beat_in_group(body);
	if (error != KAFKA_ERROR_COORDINATOR_LOAD_IN_PROGRESS)
		return error;
	if (is_allowed(request))
		(void) beat_in_group(body);
	return KAFKA_ERROR_NONE;
}

static void
serve(BrokerRequest *request)
{
	KafkaHeartbeatResponse response;

	pgt_turn_open();
	pgt_kafka_default_struct(KAFKA_HEARTBEAT_RESPONSE, &response);
	response.error_code = beat(request);
	pgt_broker_answer(request, &response);
}
