/*
 * sync_group.c
 *	  SyncGroup: a member asks for its assignment, and the leader brings all.
 *
 * The group decides (coordinator/classic_sync.c), and answers when the assignments are stored.  In a group of the new protocol
 * what is assigned is stored already, and answered at once (coordinator/modern_classic.c).
 */
#include "postgres.h"

#include "broker/core/turn.h"
#include "broker/groups/classic_groups.h"
#include "broker/groups/classic_in_consumer.h"
#include "broker/groups/sync_group.h"
#include "coordinator/classic_sync.h"
#include "kafka/kafka_default.h"
#include "util/clock.h"

static void serve(BrokerRequest *request);

const BrokerApi pgt_sync_group_api = {.key = KAFKA_API_SYNC_GROUP, .serve = serve, .uses_tables = true};

static void
refuse(BrokerRequest *request, KafkaError error)
{
	KafkaSyncGroupResponse response;

	pgt_kafka_default_struct(KAFKA_SYNC_GROUP_RESPONSE, &response);
	response.error_code = error;
	pgt_broker_answer(request, &response);
}

/* Let the group decide. */
static void
synchronize(BrokerRequest *request, ClassicGroup *group)
{
	const KafkaSyncGroupRequest *body = request->kafka.body;
	ClassicSync message = {
		.member = body->member_id,
		.instance_id = body->group_instance_id,
		.generation = body->generation_id,
		.protocol_type = body->protocol_type,
		.protocol = body->protocol_name,
		.assignments = body->assignments.items,
		.assignment_count = Max(body->assignments.count, 0)
	};
	MemoryContext caller;

	message.wait = pgt_classic_answer_park(request, group, pgt_classic_groups_settle);
	caller = MemoryContextSwitchTo(pgt_group_coordinator_memory());
	pgt_classic_sync(group, &message, pgt_clock_monotonic_us());
	MemoryContextSwitchTo(caller);
	pgt_classic_groups_settle(group);
}

/* Let a group of the new protocol answer. */
static void
synchronize_consumer(BrokerRequest *request, ConsumerStoreGroup *entry)
{
	const KafkaSyncGroupRequest *body = request->kafka.body;
	ModernClassicCall call = {
		.member = body->member_id,
		.instance_id = body->group_instance_id,
		.generation = body->generation_id,
		.protocol_type = body->protocol_type,
		.protocol = body->protocol_name
	};
	KafkaSyncGroupResponse response;
	StringInfoData assignment;
	const ModernMember *member;

	pgt_kafka_default_struct(KAFKA_SYNC_GROUP_RESPONSE, &response);
	response.error_code = pgt_classic_in_consumer_sync(entry, &call, &member);
	if (response.error_code == KAFKA_ERROR_NONE)
	{
		initStringInfo(&assignment);
		pgt_modern_group_put_assignment(entry->modern, member, false, &assignment);
		response.protocol_type = body->protocol_type;
		response.protocol_name = body->protocol_name;
		response.assignment = (KafkaBytes) {assignment.data, assignment.len};
	}
	pgt_broker_answer(request, &response);
}

static void
serve(BrokerRequest *request)
{
	const KafkaSyncGroupRequest *body = request->kafka.body;
	KafkaError	error;
	ClassicGroup *group;

	pgt_turn_open();
	error = pgt_group_coordinator_check(request->client, body->group_id);
	group = pgt_classic_groups_find(body->group_id);
	if (error == KAFKA_ERROR_NONE && pgt_classic_in_consumer_find(body->group_id) != NULL)
	{
		synchronize_consumer(request, pgt_classic_in_consumer_find(body->group_id));
		return;
	}
	if (error == KAFKA_ERROR_NONE && group == NULL)
		error = KAFKA_ERROR_UNKNOWN_MEMBER_ID;
	if (error != KAFKA_ERROR_NONE)
		refuse(request, error);
	else
		synchronize(request, group);
}
