/*
 * leave_group.c
 *	  LeaveGroup: members go, or an administrator removes static ones.
 *
 * Up to version 2 it is one member, whose error is that of the response.
 *
 * A group of the new protocol is left at the end of the turn (classic_in_consumer.c), by members of either protocol.
 */
#include "postgres.h"

#include "broker/core/turn.h"
#include "broker/groups/classic_groups.h"
#include "broker/groups/classic_in_consumer.h"
#include "broker/groups/leave_group.h"
#include "coordinator/classic_leave.h"
#include "kafka/kafka_default.h"
#include "util/clock.h"

/* From this version on a request names several members. */
#define VERSION_MEMBERS	3

static void serve(BrokerRequest *request);

const BrokerApi pgt_leave_group_api = {.key = KAFKA_API_LEAVE_GROUP, .serve = serve, .uses_tables = true};

/* How one goes. */
typedef KafkaError (*Leave) (void *group, KafkaString member, KafkaString instance, void *arg);

/* In a classic group; NULL: there is none. */
static KafkaError
leave_classic(void *group, KafkaString member, KafkaString instance, void *arg)
{
	return group == NULL ? KAFKA_ERROR_UNKNOWN_MEMBER_ID : pgt_classic_leave(group, member, instance, arg);
}

/* In a group of the new protocol. */
static KafkaError
leave_consumer(void *group, KafkaString member, KafkaString instance, void *arg)
{
	return pgt_modern_group_leave_classic(group, member, instance);
}

/* Let all go that the request names. */
static void
leave_all(BrokerRequest *request, KafkaLeaveGroupResponse *response, Leave leave, void *group, void *arg)
{
	const KafkaLeaveGroupRequest *body = request->kafka.body;
	int32		count = Max(body->members.count, 0);

	if (request->kafka.version < VERSION_MEMBERS)
	{
		response->error_code = leave(group, body->member_id, (KafkaString) {NULL, -1}, arg);
		return;
	}
	response->members.items = pgt_broker_array(request, KAFKA_LEAVE_GROUP_RESPONSE_MEMBER_RESPONSE, count);
	response->members.count = count;
	for (int32 i = 0; i < count; i++)
	{
		KafkaLeaveGroupResponseMemberResponse *answer = &response->members.items[i];

		answer->member_id = body->members.items[i].member_id;
		answer->group_instance_id = body->members.items[i].group_instance_id;
		answer->error_code = leave(group, answer->member_id, answer->group_instance_id, arg);
	}
}

/* For pgt_classic_in_consumer_leave(). */
static void
leave_modern(BrokerRequest *request, ModernGroup *group, KafkaLeaveGroupResponse *response)
{
	leave_all(request, response, leave_consumer, group, NULL);
}

static void
serve(BrokerRequest *request)
{
	const KafkaLeaveGroupRequest *body = request->kafka.body;
	KafkaLeaveGroupResponse response;
	ClassicGroup *group;
	bool		left = false;

	pgt_turn_open();
	pgt_kafka_default_struct(KAFKA_LEAVE_GROUP_RESPONSE, &response);
	response.error_code = pgt_group_coordinator_check(request->client, body->group_id);
	if (response.error_code != KAFKA_ERROR_NONE)
	{
		pgt_broker_answer(request, &response);
		return;
	}
	if (pgt_classic_in_consumer_find(body->group_id) != NULL)
	{
		pgt_classic_in_consumer_leave(request, body->group_id, leave_modern, serve);
		return;
	}
	group = pgt_classic_groups_find(body->group_id);
	leave_all(request, &response, leave_classic, group, &left);
	if (group != NULL)
	{
		pgt_classic_leave_end(group, left, pgt_clock_monotonic_us());
		pgt_classic_groups_settle(group);
	}
	pgt_broker_answer(request, &response);
}
