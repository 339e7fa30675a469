/*
 * classic_in_consumer.c
 *	  Members that speak the classic protocol in groups of the new one.
 *
 * The group decides (coordinator/modern_classic.c).  What changes it, JoinGroup and LeaveGroup, is done at the end of
 * the turn, and answered when it is durable (consumer_change.c); SyncGroup and Heartbeat are answered at once, and write nothing.
 */
#include "postgres.h"

#include "broker/groups/classic_answer.h"
#include "broker/groups/classic_in_consumer.h"
#include "broker/groups/consumer_change.h"
#include "broker/groups/consumer_groups.h"
#include "coordinator/consumer_protocol.h"
#include "kafka/kafka_default.h"

ConsumerStoreGroup *
pgt_classic_in_consumer_find(KafkaString id)
{
	ConsumerStoreGroup *entry = pgt_consumer_groups_entry(pgt_group_coordinator_find(id));

	return entry == NULL || entry->modern->member_count == 0 ? NULL : entry;
}

/* ---- what JoinGroup and LeaveGroup have in common -------------------------------------- */

/* A request. */
typedef struct ClassicRequest
{
	ConsumerChange change;		/* the first field */
	KafkaString group_id;
	void	   *state;			/* of the request, before */
	void		(*again) (BrokerRequest *request);

	/* JoinGroup */
	ModernJoin	join;
	KafkaError	error;
	const char *member_id;		/* for the answer */
	const char *protocol;
	int32		generation;

	/* LeaveGroup */
	void		(*leave) (BrokerRequest *request, ModernGroup *group, KafkaLeaveGroupResponse *response);
	KafkaLeaveGroupResponse response;
} ClassicRequest;

/* BrokerRequest */
static void
dropped(BrokerRequest *request)
{
	ClassicRequest *classic = request->state;

	pgt_consumer_store_cancel(&classic->change.job);
}

/* ConsumerChange */
static void
begin_anew(BrokerRequest *request)
{
	ClassicRequest *classic = request->state;

	request->state = classic->state;
	request->dropped = NULL;
	classic->again(request);
}

/* The group, which is job->entry then; NULL: it is another one by now, and the request begins anew. */
static ConsumerStoreGroup *
find_entry(ClassicRequest *classic)
{
	ConsumerStoreJob *job = &classic->change.job;

	MemoryContextSwitchTo(classic->change.request->memory);
	job->entry = pgt_classic_in_consumer_find(classic->group_id);
	classic->change.goes_again = job->entry == NULL;
	return job->entry;
}

static ClassicRequest *
make_request(BrokerRequest *request, KafkaString group_id, void (*again) (BrokerRequest *request))
{
	ClassicRequest *classic = MemoryContextAllocZero(request->memory, sizeof(ClassicRequest));

	classic->group_id = group_id;
	classic->again = again;
	classic->state = request->state;
	pgt_consumer_change_init(&classic->change, request, pgt_classic_in_consumer_find(group_id));
	classic->change.again = begin_anew;
	request->state = classic;
	request->dropped = dropped;
	return classic;
}

/* ---- JoinGroup -------------------------------------------------------------------------- */

/* How many bytes a member takes with these protocols, about.  The group keeps them, and the names that the first one brings. */
static Size
size_of(int32 count, Size bytes, int32 subscription)
{
	return CONSUMER_GROUPS_MEMBER_BYTES + count * sizeof(ClassicMemberProtocol) + bytes + Max(subscription, 0);
}

static Size
size_of_join(const ModernJoin *join)
{
	return size_of(join->protocol_count, pgt_classic_member_protocols_size(join->protocols, join->protocol_count),
				   join->protocol_count > 0 ? join->protocols[0].metadata.length : 0);
}

/* The same of a member that is to join again, or whose place it takes. */
static Size
size_of_member(const ModernGroup *group, const ModernJoin *join)
{
	const ModernMember *member = pgt_modern_group_find_member(group, join->member);

	if (member == NULL && join->instance_id.length >= 0)
		member = pgt_modern_group_find_static(group, join->instance_id);
	if (member == NULL)
		return 0;
	return member->protocols == NULL ? CONSUMER_GROUPS_MEMBER_BYTES :
		size_of(member->protocols->count, member->protocols->size, member->protocols->items[0].metadata.length);
}

/* Is there memory for the member, or for what one that there is says more than before? */
static bool
has_room(const ConsumerStoreGroup *entry, const ModernJoin *join)
{
	Size		after = size_of_join(join);
	Size		before = size_of_member(entry->modern, join);

	return after <= before || pgt_consumer_groups_has_room(entry, after - before);
}

/* ConsumerStoreJob */
static void
run_join(ConsumerStoreJob *job)
{
	ClassicRequest *classic = (ClassicRequest *) job;
	ConsumerStoreGroup *entry = find_entry(classic);
	ModernAnswer answer;
	ModernWorld world;

	if (entry == NULL)
		return;
	classic->error = KAFKA_ERROR_GROUP_MAX_SIZE_REACHED;
	if (!has_room(entry, &classic->join))
		return;
	/* what expressions match is found out by members that have some: until then the group does not look anew */
	classic->change.looks &= entry->modern->regex_count == 0;
	pgt_consumer_change_world(&classic->change, &world);
	pgt_modern_group_join_classic(entry->modern, &classic->join, &world, &answer);
	classic->error = answer.error;
	if (answer.error == KAFKA_ERROR_MEMBER_ID_REQUIRED)
		classic->member_id = classic->change.new_member_id;
	if (answer.error != KAFKA_ERROR_NONE)
		return;
	classic->member_id = pstrdup(answer.member->id);
	classic->protocol = pstrdup(answer.member->protocols->items[0].name.data);
	classic->generation = answer.epoch;
}

/* ConsumerChange */
static void
answer_join(ConsumerChange *change, KafkaError error, const char *message)
{
	ClassicRequest *classic = (ClassicRequest *) change;
	KafkaJoinGroupResponse response;

	if (error == KAFKA_ERROR_NONE)
		error = classic->error;
	if (error != KAFKA_ERROR_NONE)
	{
		pgt_classic_answer_refuse_join(change->request, error, error == KAFKA_ERROR_MEMBER_ID_REQUIRED ?
									   pgt_broker_string(classic->member_id) : classic->join.member);
		return;
	}
	pgt_kafka_default_struct(KAFKA_JOIN_GROUP_RESPONSE, &response);
	response.generation_id = classic->generation;
	response.protocol_type = pgt_broker_string(CONSUMER_PROTOCOL_TYPE);
	response.protocol_name = pgt_broker_string(classic->protocol);
	/* nobody leads */
	response.leader = pgt_broker_string("");
	response.member_id = pgt_broker_string(classic->member_id);
	pgt_broker_answer(change->request, &response);
}

void
pgt_classic_in_consumer_join(BrokerRequest *request, const ModernJoin *message, const char *client_id,
							 const char *new_member_id, void (*again) (BrokerRequest *request))
{
	const KafkaJoinGroupRequest *body = request->kafka.body;
	ClassicRequest *classic = make_request(request, body->group_id, again);

	classic->join = *message;
	classic->change.client_id = client_id;
	classic->change.new_member_id = new_member_id;
	classic->change.job.run = run_join;
	classic->change.answer = answer_join;
	pgt_consumer_change_begin(&classic->change, false);
}

/* ---- LeaveGroup --------------------------------------------------------------------------- */

/* ConsumerStoreJob */
static void
run_leave(ConsumerStoreJob *job)
{
	ClassicRequest *classic = (ClassicRequest *) job;
	ConsumerStoreGroup *entry = find_entry(classic);

	if (entry != NULL)
		classic->leave(classic->change.request, entry->modern, &classic->response);
}

/* ConsumerChange */
static void
answer_leave(ConsumerChange *change, KafkaError error, const char *message)
{
	ClassicRequest *classic = (ClassicRequest *) change;

	if (error != KAFKA_ERROR_NONE)
	{
		pgt_kafka_default_struct(KAFKA_LEAVE_GROUP_RESPONSE, &classic->response);
		classic->response.error_code = error;
	}
	pgt_broker_answer(change->request, &classic->response);
}

void
pgt_classic_in_consumer_leave(BrokerRequest *request, KafkaString group_id,
							  void (*leave) (BrokerRequest *request, ModernGroup *group, KafkaLeaveGroupResponse *response),
							  void (*again) (BrokerRequest *request))
{
	ClassicRequest *classic = make_request(request, group_id, again);

	pgt_kafka_default_struct(KAFKA_LEAVE_GROUP_RESPONSE, &classic->response);
	classic->leave = leave;
	classic->change.job.run = run_leave;
	classic->change.answer = answer_leave;
	pgt_consumer_change_begin(&classic->change, false);
}

/* ---- SyncGroup and Heartbeat ----------------------------------------------------------------- */

KafkaError
pgt_classic_in_consumer_sync(ConsumerStoreGroup *entry, const ModernClassicCall *call, const ModernMember **member)
{
	KafkaError	error = pgt_modern_group_sync_classic(entry->modern, call, pgt_consumer_groups_now(), member);

	pgt_consumer_groups_settle(entry);
	return error;
}

KafkaError
pgt_classic_in_consumer_beat(ConsumerStoreGroup *entry, const ModernClassicCall *call)
{
	KafkaError	error = pgt_modern_group_beat_classic(entry->modern, call, pgt_consumer_groups_now());

	/* it may have a deadline now */
	if (error == KAFKA_ERROR_REBALANCE_IN_PROGRESS)
		pgt_consumer_groups_settle(entry);
	return error;
}
