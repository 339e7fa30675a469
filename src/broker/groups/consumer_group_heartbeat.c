/*
 * consumer_group_heartbeat.c
 *	  ConsumerGroupHeartbeat: members of groups of Kafka's new protocol say that they live, and what has changed.
 *
 *	  quiet			nothing has changed on either side: it is answered at once, and writes nothing
 *	  prepare		names of topics are looked up, and regular expressions matched, in slices
 *	  run			at the end of the turn the group takes the request (consumer_change.c)
 *	  (durable)		when that is durable it is answered
 *
 * Topics are looked at again when any may have changed, by the first member whose heartbeat comes then.  Until it has done
 * so, the others go by what is known.
 *
 * The answer is made when the request is run, since the group may be another one when it is sent.
 *
 * Who joins a group of the classic protocol makes it one of the new protocol (migrate_group.c), if the group lets it join.
 */
#include "postgres.h"

#include "broker/core/access.h"
#include "broker/core/turn.h"
#include "broker/groups/classic_groups.h"
#include "broker/groups/consumer_change.h"
#include "broker/groups/consumer_group_heartbeat.h"
#include "broker/groups/consumer_groups.h"
#include "broker/groups/consumer_topics.h"
#include "broker/groups/group_configs.h"
#include "broker/groups/group_owner.h"
#include "broker/groups/migrate_group.h"
#include "broker/groups/regex_resolver.h"
#include "broker/groups/sql_share_group.h"
#include "coordinator/consumer_protocol.h"
#include "group/kafka_claim.h"
#include "kafka/kafka_default.h"
#include "util/clock.h"

#define UUID_TEXT		37
#define NAME_BYTES		32		/* of a name, beside its letters */

/* A request that is not quiet. */
typedef struct Heartbeat
{
	ConsumerChange change;		/* the first field */
	BrokerRequest *request;
	char		new_member_id[UUID_TEXT];
	int			checked;		/* how many of the request's names the client may subscribe to */
	int			subscription;	/* the group's subscription whose names are looked up ... */
	int			name;			/* ... and how many of them have been */
	RegexResolver *resolver;	/* NULL: there are no regular expressions to match */
	CoordinatorGroup *resolving;	/* its mark is ours */

	/* of run */
	KafkaConsumerGroupHeartbeatResponse response;
} Heartbeat;

/* ---- answers ------------------------------------------------------------------------- */

static void
answer_error(BrokerRequest *request, KafkaError error, const char *message)
{
	KafkaConsumerGroupHeartbeatResponse response;

	pgt_kafka_default_struct(KAFKA_CONSUMER_GROUP_HEARTBEAT_RESPONSE, &response);
	response.error_code = error;
	response.error_message = pgt_broker_string(message != NULL ? message : pgt_kafka_error_message(error));
	pgt_broker_answer(request, &response);
}

/* The group that a heartbeat was to look at has another one for that. */
static void
end_resolving(Heartbeat *heartbeat)
{
	ConsumerStoreGroup *entry;
	const KafkaConsumerGroupHeartbeatRequest *body = heartbeat->request->kafka.body;

	if (heartbeat->resolver != NULL)
		pgt_regex_resolver_free(heartbeat->resolver);
	heartbeat->resolver = NULL;
	if (heartbeat->resolving == NULL)
		return;
	/* it may have been forgotten meanwhile */
	entry = pgt_consumer_groups_entry(pgt_group_coordinator_find(body->group_id));
	if (entry != NULL && entry->registered == heartbeat->resolving)
		entry->resolving = false;
	heartbeat->resolving = NULL;
}

/* BrokerRequest */
static void
dropped(BrokerRequest *request)
{
	Heartbeat  *heartbeat = request->state;

	pgt_consumer_store_cancel(&heartbeat->change.job);
	end_resolving(heartbeat);
}

/* A list of partitions for an answer that grows. */
typedef struct AnswerList
{
	KafkaConsumerGroupHeartbeatResponseAssignment *assignment;
	const ModernTopic *last;
	int			topics;
} AnswerList;

static void
count_partition(const ModernTopic *topic, int32 partition, void *arg)
{
	AnswerList *list = arg;

	list->topics += topic != list->last;
	list->last = topic;
}

/* Add a partition; those of a topic come one after the other, and are as many as the topic has at most. */
static void
add_partition(const ModernTopic *topic, int32 partition, void *arg)
{
	AnswerList *list = arg;
	KafkaConsumerGroupHeartbeatResponseTopicPartitions *entry;

	if (topic != list->last)
	{
		entry = &list->assignment->topic_partitions.items[list->assignment->topic_partitions.count++];
		entry->topic_id = topic->id;
		entry->partitions.items = palloc((Size) topic->room * sizeof(int32));
		entry->partitions.count = 0;
		list->last = topic;
	}
	entry = &list->assignment->topic_partitions.items[list->assignment->topic_partitions.count - 1];
	entry->partitions.items[entry->partitions.count++] = partition;
}

/* What the member is to have. */
static KafkaConsumerGroupHeartbeatResponseAssignment *
make_assignment(BrokerRequest *request, const ModernGroup *group, const ModernMember *member)
{
	AnswerList	list = {0};

	list.assignment = pgt_broker_array(request, KAFKA_CONSUMER_GROUP_HEARTBEAT_RESPONSE_ASSIGNMENT, 1);
	pgt_modern_group_assigned(group, member, false, count_partition, &list);
	list.assignment->topic_partitions.items =
		pgt_broker_array(request, KAFKA_CONSUMER_GROUP_HEARTBEAT_RESPONSE_TOPIC_PARTITIONS, list.topics);
	list.assignment->topic_partitions.count = 0;
	list.last = NULL;
	pgt_modern_group_assigned(group, member, false, add_partition, &list);
	return list.assignment;
}

/* Fill in the response. */
static void
make_response(BrokerRequest *request, const ModernGroup *group, const ModernAnswer *answer,
			  KafkaConsumerGroupHeartbeatResponse *response)
{
	const KafkaConsumerGroupHeartbeatRequest *body = request->kafka.body;

	pgt_kafka_default_struct(KAFKA_CONSUMER_GROUP_HEARTBEAT_RESPONSE, response);
	response->error_code = answer->error;
	if (answer->error != KAFKA_ERROR_NONE)
	{
		response->error_message = pgt_broker_string(answer->message != NULL ? answer->message :
													pgt_kafka_error_message(answer->error));
		return;
	}
	response->member_id = body->member_id;
	if (answer->member != NULL)
		response->member_id = pgt_broker_string(MemoryContextStrdup(request->memory, answer->member->id));
	response->member_epoch = answer->epoch;
	if (answer->epoch < 0)
		return;
	response->heartbeat_interval_ms = pgt_group_configs_get(body->group_id, GROUP_CONFIG_CONSUMER_HEARTBEAT_INTERVAL);
	if (answer->has_assignment)
		response->assignment = make_assignment(request, group, answer->member);
}

/* ---- run: the group takes the request --------------------------------------------------------- */

/* The group that the request is for, which it may make; NULL with an answer. */
static ConsumerStoreGroup *
find_entry(Heartbeat *heartbeat, bool *is_new)
{
	const KafkaConsumerGroupHeartbeatRequest *body = heartbeat->request->kafka.body;
	ConsumerStoreGroup *entry = pgt_consumer_groups_entry(pgt_group_coordinator_find(body->group_id));
	ModernAnswer answer = {.error = KAFKA_ERROR_GROUP_ID_NOT_FOUND};

	*is_new = false;
	if (entry != NULL)
		return entry;
	if (body->member_epoch == MODERN_EPOCH_JOIN)
	{
		*is_new = true;
		entry = pgt_consumer_groups_make(heartbeat->request->client, body->group_id);
		if (entry != NULL)
			return entry;
		answer.error = KAFKA_ERROR_GROUP_AUTHORIZATION_FAILED;
	}
	make_response(heartbeat->request, NULL, &answer, &heartbeat->response);
	return NULL;
}

/* Hand the request to the group. */
static void
call_group(Heartbeat *heartbeat, ModernAnswer *answer)
{
	ConsumerStoreGroup *entry = heartbeat->change.job.entry;
	ModernWorld world;

	pgt_consumer_change_world(&heartbeat->change, &world);
	if (heartbeat->resolver != NULL)
		pgt_regex_resolver_take(heartbeat->resolver, entry->modern, &world);
	pgt_modern_group_heartbeat(entry->modern, heartbeat->request->kafka.body, &world, answer);
}

/* How many bytes a subscription takes, about. */
static Size
size_of_subscription(const ModernSubscription *subscription)
{
	Size		size = 0;

	for (int32 i = 0; subscription != NULL && i < subscription->count; i++)
		size += NAME_BYTES + strlen(subscription->names[i]);
	return size;
}

/* How many bytes the group takes more with what the request tells, about. */
static Size
growth_of(const KafkaConsumerGroupHeartbeatRequest *body, const ConsumerStoreGroup *entry)
{
	const ModernMember *member = pgt_modern_group_find_member(entry->modern, body->member_id);
	Size		before = member == NULL ? 0 : CONSUMER_GROUPS_MEMBER_BYTES + size_of_subscription(member->subscription);
	Size		after = CONSUMER_GROUPS_MEMBER_BYTES + Max(body->subscribed_topic_regex.length, 0);

	for (int32 i = 0; i < body->subscribed_topic_names.count; i++)
		after += NAME_BYTES + Max(body->subscribed_topic_names.items[i].length, 0);
	return after > before ? after - before : 0;
}

/* Does the request tell of something that the group would keep, and has no room for? */
static bool
is_too_much(const KafkaConsumerGroupHeartbeatRequest *body, const ConsumerStoreGroup *entry)
{
	Size		growth;

	if (body->member_epoch != MODERN_EPOCH_JOIN && body->subscribed_topic_names.count <= 0 && body->subscribed_topic_regex.length <= 0)
		return false;
	growth = growth_of(body, entry);
	return growth > 0 && !pgt_consumer_groups_has_room(entry, growth);
}

/* Let the group answer, unless something is in the way. */
static ModernAnswer
answer_of_group(Heartbeat *heartbeat)
{
	ModernAnswer answer = {0};

	if (is_too_much(heartbeat->request->kafka.body, heartbeat->change.job.entry))
	{
		answer.error = KAFKA_ERROR_GROUP_MAX_SIZE_REACHED;
		answer.message = "the groups of this role take as much memory as they may";
	}
	else
		call_group(heartbeat, &answer);
	return answer;
}

/* Let the member join what the classic group would be in the new protocol. */
static ModernAnswer
join_upgraded(Heartbeat *heartbeat, CoordinatorGroup *registered)
{
	ModernAnswer answer = {.error = KAFKA_ERROR_GROUP_ID_NOT_FOUND};
	ModernWorld world;

	pgt_consumer_change_world(&heartbeat->change, &world);
	answer.message = pgt_migrate_group_fill(registered, heartbeat->change.job.entry, &world);
	if (answer.message != NULL)
		return answer;
	if (heartbeat->change.job.entry->modern->stale)
	{
		answer.error = KAFKA_ERROR_COORDINATOR_LOAD_IN_PROGRESS;
		answer.message = "a topic that the group has partitions of is being changed";
		return answer;
	}
	return answer_of_group(heartbeat);
}

/* A member joins a group of the classic protocol that has members: the group becomes one of the new, or stays as it is. */
static void
run_upgrade(Heartbeat *heartbeat, CoordinatorGroup *registered)
{
	BrokerRequest *request = heartbeat->request;
	ConsumerStoreJob *job = &heartbeat->change.job;
	ModernAnswer answer = {.error = KAFKA_ERROR_GROUP_ID_NOT_FOUND,.message = pgt_migrate_group_refuse_upgrade(registered)};
	bool		joined;

	if (answer.message != NULL)
	{
		make_response(request, NULL, &answer, &heartbeat->response);
		return;
	}
	job->entry = pgt_consumer_groups_draft(registered);
	PG_TRY();
	{
		answer = join_upgraded(heartbeat, registered);
		make_response(request, job->entry->modern, &answer, &heartbeat->response);
		joined = answer.error == KAFKA_ERROR_NONE;
	}
	PG_CATCH();
	{
		pgt_consumer_groups_discard(job->entry);
		job->entry = NULL;
		PG_RE_THROW();
	}
	PG_END_TRY();
	if (joined)
	{
		pgt_migrate_group_upgrade(registered, job->entry);
		return;
	}
	pgt_consumer_groups_discard(job->entry);
	job->entry = NULL;
}

/* Hand the request to its group, which may be made for it. */
static void
run_in_group(Heartbeat *heartbeat)
{
	ConsumerStoreJob *job = &heartbeat->change.job;
	ModernAnswer answer;
	bool		is_new;

	job->entry = find_entry(heartbeat, &is_new);
	if (job->entry == NULL)
		return;
	answer = answer_of_group(heartbeat);
	make_response(heartbeat->request, job->entry->modern, &answer, &heartbeat->response);
	/* one that has taken the place of another has to clean up after that */
	if (is_new && job->entry->modern->member_count == 0 && !job->entry->inherits)
	{
		pgt_group_coordinator_remove(job->entry->registered);
		job->entry = NULL;
	}
}

/* Has a share group the name of one that a member would make? */
static bool
is_share_group(const KafkaConsumerGroupHeartbeatRequest *body, const CoordinatorGroup *registered)
{
	if (registered != NULL)
		return registered->kind == KAFKA_GROUP_SHARE;
	return body->member_epoch == MODERN_EPOCH_JOIN &&
		pgt_sql_share_group_exists(pnstrdup(body->group_id.data, body->group_id.length));
}

/* The group of a member that is about to join, which may be made for it; NULL: none that it joins without further ado. */
static ConsumerStoreGroup *
find_entry_to_join(const Heartbeat *heartbeat)
{
	const BrokerConnection *client = heartbeat->request->client;
	const KafkaConsumerGroupHeartbeatRequest *body = heartbeat->request->kafka.body;
	CoordinatorGroup *registered = pgt_group_coordinator_find(body->group_id);

	if (is_share_group(body, registered))
		return NULL;
	if (registered == NULL)
		return pgt_consumer_groups_make(client, body->group_id);
	return pgt_group_owner_may_use(client, registered) ? pgt_consumer_groups_entry(registered) : NULL;
}

/* ConsumerStoreJob: a member joins.  With a regular expression it is not announced, since that is taken when the request is run. */
static void
announce(ConsumerStoreJob *job)
{
	Heartbeat  *heartbeat = (Heartbeat *) job;
	const KafkaConsumerGroupHeartbeatRequest *body = heartbeat->request->kafka.body;
	ModernWorld world;

	job->entry = body->member_epoch == MODERN_EPOCH_JOIN && body->member_id.length > 0 && heartbeat->resolver == NULL ?
		find_entry_to_join(heartbeat) : NULL;
	if (job->entry == NULL)
		return;
	pgt_consumer_change_world(&heartbeat->change, &world);
	if (!is_too_much(body, job->entry))
		pgt_modern_group_announce(job->entry->modern, body, &world);
	/* it was made in vain */
	if (job->entry->modern->member_count == 0 && !job->entry->has_row && !job->entry->inherits)
	{
		pgt_group_coordinator_remove(job->entry->registered);
		job->entry = NULL;
	}
}

/* ConsumerStoreJob */
static void
run(ConsumerStoreJob *job)
{
	Heartbeat  *heartbeat = (Heartbeat *) job;
	const KafkaConsumerGroupHeartbeatRequest *body = heartbeat->request->kafka.body;
	CoordinatorGroup *registered = pgt_group_coordinator_find(body->group_id);

	MemoryContextSwitchTo(heartbeat->request->memory);
	job->entry = NULL;
	heartbeat->change.goes_again = registered != NULL && registered->kind != KAFKA_GROUP_CONSUMER &&
		registered->former != NULL;
	if (heartbeat->change.goes_again)
		return;
	/* somebody else may have made it while names were looked up */
	if (registered != NULL && !pgt_group_owner_may_use(heartbeat->request->client, registered))
	{
		ModernAnswer answer = {.error = KAFKA_ERROR_GROUP_AUTHORIZATION_FAILED};

		make_response(heartbeat->request, NULL, &answer, &heartbeat->response);
	}
	else if (is_share_group(body, registered))
	{
		ModernAnswer answer = {.error = KAFKA_ERROR_GROUP_ID_NOT_FOUND,.message = "the group is a share group"};

		make_response(heartbeat->request, NULL, &answer, &heartbeat->response);
	}
	else if (registered != NULL && registered->kind != KAFKA_GROUP_CONSUMER &&
		pgt_group_coordinator_kind(registered)->has_members(registered))
	{
		ModernAnswer answer = {.error = KAFKA_ERROR_GROUP_ID_NOT_FOUND,
			.message = "the group has members of the classic protocol"};

		if (body->member_epoch == MODERN_EPOCH_JOIN)
			run_upgrade(heartbeat, registered);
		else
			make_response(heartbeat->request, NULL, &answer, &heartbeat->response);
	}
	else
		run_in_group(heartbeat);
	end_resolving(heartbeat);
}

/* ConsumerChange */
static void
answer_change(ConsumerChange *change, KafkaError error, const char *message)
{
	Heartbeat  *heartbeat = (Heartbeat *) change;

	end_resolving(heartbeat);
	if (error != KAFKA_ERROR_NONE)
		answer_error(heartbeat->request, error, message);
	else
		pgt_broker_answer(heartbeat->request, &heartbeat->response);
}

/* ---- prepare ------------------------------------------------------------------------------------ */

typedef enum PrepareStep
{
	PREPARE_DONE,
	PREPARE_MORE,				/* the slice is over before */
	PREPARE_ANSWERED			/* with an error */
} PrepareStep;

static PrepareStep
refuse(Heartbeat *heartbeat, KafkaError error, const char *message)
{
	end_resolving(heartbeat);
	answer_error(heartbeat->request, error, message);
	return PREPARE_ANSWERED;
}

/* Does a member in SQL use the group in the topic?  Then no member from elsewhere begins with it. */
static bool
is_used_in_sql(Heartbeat *heartbeat, Oid topic)
{
	const KafkaConsumerGroupHeartbeatRequest *body = heartbeat->request->kafka.body;
	ConsumerStoreGroup *entry = pgt_consumer_groups_entry(pgt_group_coordinator_find(body->group_id));
	char	   *group_id;
	char	   *member;

	if (body->member_epoch != MODERN_EPOCH_JOIN || (entry != NULL && entry->modern->member_count > 0))
		return false;
	group_id = pnstrdup(body->group_id.data, body->group_id.length);
	member = pgt_kafka_claim_find_sql_member(group_id, topic);
	if (member == NULL)
		return false;
	ereport(LOG,
			(errcode(ERRCODE_OBJECT_IN_USE),
			 errmsg("a Kafka client cannot join consumer group \"%s\", which member \"%s\" uses in SQL", group_id, member)));
	return true;
}

/* May the client subscribe to the topics that it names?  That there is no such topic is no secret. */
static PrepareStep
check_names(Heartbeat *heartbeat)
{
	BrokerRequest *request = heartbeat->request;
	const KafkaConsumerGroupHeartbeatRequest *body = request->kafka.body;

	while (heartbeat->checked < body->subscribed_topic_names.count)
	{
		KafkaString name = body->subscribed_topic_names.items[heartbeat->checked++];
		Oid			relid;

		if (!pgt_group_coordinator_is_text(name, PG_INT32_MAX))
			return refuse(heartbeat, KAFKA_ERROR_INVALID_REQUEST, "the name of a topic is no text");
		relid = pgt_consumer_topics_find(pnstrdup(name.data, Max(name.length, 0))).relid;
		if (OidIsValid(relid) && !pgt_access_topic(request->client, relid, ACL_SELECT))
			return refuse(heartbeat, KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED, NULL);
		if (OidIsValid(relid) && is_used_in_sql(heartbeat, relid))
			return refuse(heartbeat, KAFKA_ERROR_INCONSISTENT_GROUP_PROTOCOL, "a member in SQL uses the group");
		if (pgt_broker_slice_is_over())
			return PREPARE_MORE;
	}
	return PREPARE_DONE;
}

/* Match regular expressions. */
static PrepareStep
resolve(Heartbeat *heartbeat)
{
	const char *problem;

	if (heartbeat->resolver == NULL)
		return PREPARE_DONE;
	switch (pgt_regex_resolver_go_on(heartbeat->resolver, &problem))
	{
		case REGEX_RESOLVER_DONE:
			break;
		case REGEX_RESOLVER_MORE:
			return PREPARE_MORE;
		case REGEX_RESOLVER_FAILED:
			return refuse(heartbeat, KAFKA_ERROR_INVALID_REGULAR_EXPRESSION, problem);
	}
	return PREPARE_DONE;
}

/* The same of a classic group, which is to become one of the new protocol.  False: the slice is over. */
static bool
look_up_classic(Heartbeat *heartbeat, ClassicGroup *classic)
{
	int			place = 0;
	dlist_iter	iter;

	dlist_foreach(iter, &classic->members)
	{
		ConsumerProtocolReader reader;

		if (place++ < heartbeat->subscription)
			continue;
		/* all protocols of a member bring the same subscription; one of a megabyte is no more than a slice */
		pgt_consumer_protocol_begin(&reader, dlist_container(ClassicMember, node, iter.cur)->protocols->items[0].metadata);
		while (pgt_consumer_protocol_next_topic(&reader))
			if (pgt_group_coordinator_is_text(reader.topic, PG_INT32_MAX))
				(void) pgt_consumer_topics_find(pnstrdup(reader.topic.data, Max(reader.topic.length, 0)));
		heartbeat->subscription++;
		if (pgt_broker_slice_is_over())
			return false;
	}
	return true;
}

/* The same of a group of the new protocol. */
static bool
look_up_consumer(Heartbeat *heartbeat, const ModernGroup *modern)
{
	for (; heartbeat->subscription < modern->subscription_count; heartbeat->subscription++, heartbeat->name = 0)
	{
		const ModernSubscription *subscription = modern->subscriptions[heartbeat->subscription];

		while (heartbeat->name < subscription->count)
		{
			(void) pgt_consumer_topics_find(subscription->names[heartbeat->name++]);
			if (pgt_broker_slice_is_over())
				return false;
		}
	}
	return true;
}

/* Look up what members are subscribed to, so that the group finds it at once.  It may be another one with each slice. */
static PrepareStep
look_up_names(Heartbeat *heartbeat)
{
	const KafkaConsumerGroupHeartbeatRequest *body = heartbeat->request->kafka.body;
	ConsumerStoreGroup *entry = pgt_consumer_groups_entry(pgt_group_coordinator_find(body->group_id));
	ClassicGroup *classic = pgt_classic_groups_find(body->group_id);
	bool		done = true;

	if (entry != NULL && heartbeat->change.looks)
		done = look_up_consumer(heartbeat, entry->modern);
	else if (classic != NULL && body->member_epoch == MODERN_EPOCH_JOIN)
		done = look_up_classic(heartbeat, classic);
	return done ? PREPARE_DONE : PREPARE_MORE;
}

/* Does a member join a group that has none, and is not about to get some from the classic protocol? */
static bool
joins_nobody(const KafkaConsumerGroupHeartbeatRequest *body)
{
	CoordinatorGroup *registered = pgt_group_coordinator_find(body->group_id);
	ConsumerStoreGroup *entry = pgt_consumer_groups_entry(registered);

	return body->member_epoch == MODERN_EPOCH_JOIN &&
		(registered == NULL || (entry != NULL && entry->modern->member_count == 0));
}

/* Go on with the preparation; then the request waits for the turn's end. */
static void
prepare(BrokerRequest *request)
{
	Heartbeat  *heartbeat = request->state;
	PrepareStep step;

	pgt_turn_open();
	step = check_names(heartbeat);
	if (step == PREPARE_DONE)
		step = resolve(heartbeat);
	if (step == PREPARE_DONE)
		step = look_up_names(heartbeat);
	if (step == PREPARE_MORE)
		pgt_broker_go_on(request, prepare);
	if (step != PREPARE_DONE)
		return;
	pgt_consumer_change_begin(&heartbeat->change, joins_nobody(request->kafka.body));
}

/* An id for a member that brings none, as Kafka's are: 16 random bytes. */
static void
make_member_id(char *id)
{
	uint8		bytes[16];
	static uint64 sequence = 0;

	if (!pg_strong_random(bytes, sizeof(bytes)))
	{
		sequence += (uint64) pgt_clock_monotonic_us();
		memset(bytes, 0, sizeof(bytes));
		memcpy(bytes, &sequence, sizeof(sequence));
	}
	for (int i = 0; i < 16; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*id++ = '-';
		sprintf(id, "%02x", bytes[i]);
		id += 2;
	}
}

/* Begin with a request that is not quiet.  The turn is open. */
static void
begin(BrokerRequest *request, ConsumerStoreGroup *entry)
{
	const KafkaConsumerGroupHeartbeatRequest *body = request->kafka.body;
	Heartbeat  *heartbeat = palloc0(sizeof(Heartbeat));

	heartbeat->request = request;
	heartbeat->change.job.run = run;
	heartbeat->change.job.announce = announce;
	heartbeat->change.answer = answer_change;
	heartbeat->change.again = prepare;
	heartbeat->change.new_member_id = heartbeat->new_member_id;
	pgt_consumer_change_init(&heartbeat->change, request, entry);
	make_member_id(heartbeat->new_member_id);
	request->state = heartbeat;
	request->dropped = dropped;
	if (body->member_epoch >= MODERN_EPOCH_JOIN)
		heartbeat->resolver = pgt_regex_resolver_begin(request, body->subscribed_topic_regex,
													   entry == NULL ? NULL : entry->modern, heartbeat->change.looks);
	if (heartbeat->resolver != NULL && heartbeat->change.looks && entry != NULL)
	{
		entry->resolving = true;
		heartbeat->resolving = entry->registered;
	}
	prepare(request);
}

/* ---- quiet requests ------------------------------------------------------------------------------- */

/* Does the request say nothing but that the member lives? */
static bool
says_nothing(const KafkaConsumerGroupHeartbeatRequest *body)
{
	return body->member_epoch > 0 && body->rebalance_timeout_ms == -1 && body->subscribed_topic_names.count < 0 &&
		body->subscribed_topic_regex.length < 0 && body->server_assignor.length < 0 && body->topic_partitions.count < 0 &&
		body->rack_id.length < 0;
}

/* Is there nothing to tell a member, and nothing for it to wait for? */
static bool
has_no_news(const ConsumerStoreGroup *entry, const ModernMember *member)
{
	const ModernGroup *modern = entry->modern;

	if (modern->stale || modern->bump || modern->epoch != modern->assignment_epoch || member->dirty ||
		member->reclaims)
		return false;
	if (member->state == MODERN_UNREVOKED)
		return true;
	return member->state == MODERN_STABLE && member->epoch == modern->assignment_epoch;
}

/* The member of a request that changes nothing; NULL: it may change something. */
static ModernMember *
find_quiet(const BrokerRequest *request, const ConsumerStoreGroup *entry)
{
	const KafkaConsumerGroupHeartbeatRequest *body = request->kafka.body;
	ModernMember *member;

	if (!says_nothing(body) || !pgt_consumer_topics_is_current(entry->modern->topics_version))
		return NULL;
	member = pgt_modern_group_find_member(entry->modern, body->member_id);
	if (member == NULL || member->protocols != NULL || member->epoch != body->member_epoch || !has_no_news(entry, member) ||
		strcmp(member->client_id, request->client->client_id) != 0)
		return NULL;
	if (body->instance_id.length >= 0 &&
		member != pgt_modern_group_find_static(entry->modern, body->instance_id))
		return NULL;
	return member;
}

/*
 * Answer a request that changes nothing, without a transaction.  False: it may change something, or this process has to
 * listen for changes of topics.
 */
static bool
answer_quietly(BrokerRequest *request)
{
	const KafkaConsumerGroupHeartbeatRequest *body = request->kafka.body;
	CoordinatorGroup *registered = pgt_group_coordinator_find(body->group_id);
	ConsumerStoreGroup *entry = pgt_consumer_groups_entry(registered);
	ModernMember *member;
	KafkaConsumerGroupHeartbeatResponse response;
	ModernAnswer answer = {0};

	if (entry == NULL || registered->allowed_role != request->client->role ||
		registered->allowed_version != pgt_access_version() || pgt_consumer_topics_must_listen())
		return false;
	member = find_quiet(request, entry);
	if (member == NULL)
		return false;
	member->session_deadline = pgt_consumer_groups_now() +
		pgt_group_configs_get(body->group_id, GROUP_CONFIG_CONSUMER_SESSION_TIMEOUT);
	answer.member = member;
	answer.epoch = member->epoch;
	make_response(request, entry->modern, &answer, &response);
	pgt_broker_answer(request, &response);
	return true;
}

/* ---- the API -------------------------------------------------------------------------------------- */

/* Can all ids be stored? */
static bool
has_texts(const KafkaConsumerGroupHeartbeatRequest *body)
{
	return pgt_group_coordinator_is_text(body->member_id, KAFKA_GROUP_MEMBER_ID_MAX) &&
		pgt_group_coordinator_is_text(body->instance_id, KAFKA_GROUP_MEMBER_ID_MAX) &&
		pgt_group_coordinator_is_text(body->rack_id, KAFKA_GROUP_MEMBER_ID_MAX);
}

static void
serve(BrokerRequest *request)
{
	const KafkaConsumerGroupHeartbeatRequest *body = request->kafka.body;
	const char *problem;
	KafkaError	error;

	if (answer_quietly(request))
		return;
	pgt_turn_open();
	error = pgt_group_coordinator_check(request->client, body->group_id);
	if (error != KAFKA_ERROR_NONE)
	{
		answer_error(request, error, NULL);
		return;
	}
	problem = pgt_modern_group_check_request(body, request->kafka.version, &error);
	if (problem == NULL && !has_texts(body))
	{
		problem = "an id is no text";
		error = KAFKA_ERROR_INVALID_REQUEST;
	}
	if (problem != NULL)
		answer_error(request, error, problem);
	else
		begin(request, pgt_consumer_groups_entry(pgt_group_coordinator_find(body->group_id)));
}

const BrokerApi pgt_consumer_group_heartbeat_api = {.key = KAFKA_API_CONSUMER_GROUP_HEARTBEAT, .serve = serve, .uses_tables = true};
