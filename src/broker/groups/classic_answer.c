/*
 * classic_answer.c
 *	  Answers to JoinGroup and SyncGroup, which may be given long after the request.
 *
 * The group decides (coordinator/classic_group.h), in the midst of some other request or of a timer; here its
 * decision becomes a response, at once, so that nothing of the group is needed later.
 */
#include "postgres.h"

#include "broker/core/turn.h"
#include "broker/groups/classic_answer.h"
#include "kafka/kafka_default.h"
#include "util/clock.h"

/* From this version on the protocol may be null. */
#define VERSION_NULL_PROTOCOL	7

/* ---- requests that wait ------------------------------------------------------------- */

/* Its connection is closed. */
static void
dropped(BrokerRequest *request)
{
	ClassicAnswer *waiting = request->state;

	if (waiting->wait.member == NULL)
		return;
	pgt_classic_group_drop(waiting->group, &waiting->wait, pgt_clock_monotonic_us());
	waiting->settle(waiting->group);
}

ClassicMemberWait *
pgt_classic_answer_park(BrokerRequest *request, ClassicGroup *group, void (*settle) (ClassicGroup *group))
{
	ClassicAnswer *waiting = MemoryContextAllocZero(request->memory, sizeof(ClassicAnswer));
	BrokerWait	wait = {0};

	waiting->request = request;
	waiting->group = group;
	waiting->settle = settle;
	request->state = waiting;
	request->dropped = dropped;
	pgt_broker_park(request, &wait);
	return &waiting->wait;
}

/* ---- answers -------------------------------------------------------------------------- */

/* An answer that is to be given. */
typedef struct Answering
{
	ClassicGroup *group;
	BrokerRequest *request;
	const ClassicGroupJoined *joined;
	const ClassicGroupSynced *synced;
} Answering;

/* Give it, or close the connection. */
static void
give(void (*work) (void *arg), Answering *answering)
{
	MemoryContext caller = MemoryContextSwitchTo(answering->request->memory);

	if (!pgt_turn_try(work, answering, NULL) && !answering->request->exchange->answered)
		pgt_broker_close(answering->request, "an error while a member of a group was answered");
	MemoryContextSwitchTo(caller);
}

/* A C string, or null. */
static KafkaString
string_or_null(const char *text)
{
	return text == NULL ? (KafkaString) {NULL, -1} : pgt_broker_string(text);
}

/* The leader is told of all members, with their metadata of the protocol. */
static void
tell_members(ClassicGroup *group, BrokerRequest *request, KafkaJoinGroupResponse *response)
{
	KafkaString protocol = pgt_broker_string(group->protocol->by_name.id);
	KafkaJoinGroupResponseMember *next = pgt_broker_array(request, KAFKA_JOIN_GROUP_RESPONSE_MEMBER, group->member_count);
	dlist_iter	iter;

	response->members.items = next;
	response->members.count = group->member_count;
	dlist_foreach(iter, &group->members)
	{
		const ClassicMember *member = dlist_container(ClassicMember, node, iter.cur);

		next->member_id = pgt_broker_string(member->id);
		next->group_instance_id = string_or_null(member->instance_id);
		next->metadata = pgt_classic_member_metadata(member, protocol);
		if (next->metadata.length < 0)
			next->metadata.length = 0;
		next++;
	}
}

static void
give_join(void *arg)
{
	Answering  *answering = arg;
	const ClassicGroupJoined *joined = answering->joined;
	BrokerRequest *request = answering->request;
	KafkaJoinGroupResponse response;

	pgt_kafka_default_struct(KAFKA_JOIN_GROUP_RESPONSE, &response);
	response.error_code = joined->error;
	response.generation_id = joined->generation;
	response.protocol_type = string_or_null(joined->protocol_type);
	response.protocol_name = string_or_null(joined->protocol);
	if (response.protocol_name.length < 0 && request->kafka.version < VERSION_NULL_PROTOCOL)
		response.protocol_name = pgt_broker_string("");
	response.leader = pgt_broker_string(joined->leader);
	response.member_id = pgt_broker_string(joined->member);
	response.skip_assignment = joined->skip_assignment;
	if (joined->with_members)
		tell_members(answering->group, request, &response);
	pgt_broker_answer(request, &response);
}

void
pgt_classic_answer_join(ClassicGroup *group, ClassicMemberWait *wait, const ClassicGroupJoined *answer)
{
	Answering	answering = {.group = group,.request = ((ClassicAnswer *) wait)->request,.joined = answer};

	give(give_join, &answering);
}

void
pgt_classic_answer_refuse_join(BrokerRequest *request, KafkaError error, KafkaString member)
{
	char	   *id = pgt_broker_cstring(request, member);
	ClassicGroupJoined joined = {.error = error,.member = id == NULL ? "" : id,.leader = "",.generation = -1};
	Answering	answering = {.request = request,.joined = &joined};

	give_join(&answering);
}

static void
give_sync(void *arg)
{
	Answering  *answering = arg;
	const ClassicGroupSynced *synced = answering->synced;
	KafkaSyncGroupResponse response;

	pgt_kafka_default_struct(KAFKA_SYNC_GROUP_RESPONSE, &response);
	response.error_code = synced->error;
	response.protocol_type = string_or_null(synced->protocol_type);
	response.protocol_name = string_or_null(synced->protocol);
	response.assignment = synced->assignment;
	if (answering->group != NULL && answering->group->actions->told != NULL)
		response.assignment = answering->group->actions->told(answering->group, synced->assignment);
	pgt_broker_answer(answering->request, &response);
}

void
pgt_classic_answer_sync(ClassicGroup *group, ClassicMemberWait *wait, const ClassicGroupSynced *answer)
{
	Answering	answering = {.group = group,.request = ((ClassicAnswer *) wait)->request,.synced = answer};

	give(give_sync, &answering);
}
