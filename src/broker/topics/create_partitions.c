/*
 * create_partitions.c
 *	  CreatePartitions: more partitions for topics.
 *
 * The loop hands the request to a helper process, where each topic is altered by the statement that SQL
 * has for it, as the client's role, in a transaction of its own (topic_change.h); with validate_only it is
 * rolled back.
 *
 *	  3		there is no topic of the name
 *	  29	the role is not the topic's owner
 *	  37	no more partitions than there are, or more than a topic can have
 *	  39	an assignment to other brokers than this one, or not as many as there are new partitions
 *	  42	the name stands in the request twice
 *	  44	a limit of partitions is reached, or an event trigger refuses the change
 *	  89	the client's quota is used up; before version 3 it only has to wait
 *	  7		no time was left: the topic was in use
 */
#include "postgres.h"

#include "broker/core/cluster.h"
#include "broker/core/quota.h"
#include "broker/core/topic_lookup.h"
#include "broker/core/topic_names.h"
#include "broker/core/turn.h"
#include "broker/helpers/helper_pool.h"
#include "broker/helpers/topic_change.h"
#include "broker/topics/create_partitions.h"
#include "ddl/create_topic.h"
#include "kafka/kafka_default.h"
#include "topic/topic.h"

static void serve(BrokerRequest *request);
static void run(HelperCall *call);

const BrokerApi pgt_create_partitions_api = {.key = KAFKA_API_CREATE_PARTITIONS,.serve = serve};
const HelperApi pgt_create_partitions_helper = {.key = KAFKA_API_CREATE_PARTITIONS,.run = run};

#define FIRST_STRICT	3		/* version in which a quota that is used up is an error */

typedef KafkaCreatePartitionsRequestCreatePartitionsTopic WantedTopic;
typedef KafkaCreatePartitionsResponseCreatePartitionsTopicResult TopicResult;

/* A request with its response. */
typedef struct CreatePartitions
{
	HelperCall *call;
	TopicResult *results;
	const WantedTopic *wanted;	/* the topic that is being altered */
} CreatePartitions;

/* ---- one topic ------------------------------------------------------------------------ */

/* Refuse an assignment of new partitions that cannot be.  It is null where a client has none. */
static void
check_assignments(const WantedTopic *wanted, int32 added)
{
	int32		node = pgt_cluster_nodes()[0];

	if (wanted->assignments.count < 0)
		return;
	if (wanted->assignments.count != added)
		pgt_topic_change_refuse(KAFKA_ERROR_INVALID_REPLICA_ASSIGNMENT,
								"%d partitions are to be added, and %d are assigned", added, wanted->assignments.count);
	for (int32 i = 0; i < added; i++)
	{
		if (wanted->assignments.items[i].broker_ids.count != 1 || wanted->assignments.items[i].broker_ids.items[0] != node)
			pgt_topic_change_refuse(KAFKA_ERROR_INVALID_REPLICA_ASSIGNMENT,
									"a partition is not assigned to broker %d, the only one there is", node);
	}
}

static void
check_count(const WantedTopic *wanted, int32 partitions)
{
	if (wanted->count == partitions)
		pgt_topic_change_refuse(KAFKA_ERROR_INVALID_PARTITIONS, "the topic has %d partitions already", partitions);
	if (wanted->count < partitions)
		pgt_topic_change_refuse(KAFKA_ERROR_INVALID_PARTITIONS,
								"the topic has %d partitions, of which there can be more, but not fewer", partitions);
	if (wanted->count > TOPIC_PARTITIONS_MAX)
		pgt_topic_change_refuse(KAFKA_ERROR_INVALID_PARTITIONS, "a topic can have %d partitions at most",
								TOPIC_PARTITIONS_MAX);
}

static Oid
find_topic(void *arg)
{
	return pgt_topic_change_find(((CreatePartitions *) arg)->wanted->name);
}

/* Give a topic its new partitions; in a transaction. */
static void
add_partitions(void *arg)
{
	const WantedTopic *wanted = ((CreatePartitions *) arg)->wanted;
	Oid			topic = pgt_topic_change_lock(find_topic, arg, AccessExclusiveLock, "alter");
	int32		partitions = pgt_topic_get(topic)->partitions;
	CreateTopicOption change = {"partitions", psprintf("%d", wanted->count)};

	check_count(wanted, partitions);
	check_assignments(wanted, wanted->count - partitions);
	pgt_create_topic_alter(topic, list_make1(&change));
}

/* ---- the answer ------------------------------------------------------------------------- */

static void
fail(TopicResult *result, KafkaError error, const char *message)
{
	result->error_code = error;
	result->error_message = pgt_broker_string(message);
}

/* Serve a topic of the request, or refuse what stands there more than once. */
static void
serve_name(void *arg, int32 item, int32 entry, bool is_repeated)
{
	CreatePartitions *state = arg;
	const KafkaCreatePartitionsRequest *body = state->call->request.kafka.body;
	TopicResult *result = &state->results[entry];
	KafkaError	error;
	char	   *message;

	state->wanted = &body->topics.items[item];
	result->name = state->wanted->name;
	if (is_repeated)
	{
		fail(result, KAFKA_ERROR_INVALID_REQUEST, "the topic is in the request more than once");
		return;
	}
	error = pgt_topic_change_run(state->call, add_partitions, state, body->validate_only, &message);
	if (error != KAFKA_ERROR_NONE)
		fail(result, error, message);
}

/* A response with an entry for each topic of the request, without errors. */
static TopicResult *
begin_response(BrokerRequest *request, KafkaCreatePartitionsResponse *response)
{
	const KafkaCreatePartitionsRequest *body = request->kafka.body;
	TopicResult *results = pgt_broker_array(request, KAFKA_CREATE_PARTITIONS_RESPONSE_CREATE_PARTITIONS_TOPIC_RESULT,
											body->topics.count);

	pgt_kafka_default_struct(KAFKA_CREATE_PARTITIONS_RESPONSE, response);
	response->results.items = results;
	response->results.count = body->topics.count;
	return results;
}

/* In the helper. */
static void
run(HelperCall *call)
{
	const KafkaCreatePartitionsRequest *body = call->request.kafka.body;
	int32		count = body->topics.count;
	KafkaString *names = MemoryContextAllocHuge(CurrentMemoryContext, Max(count, 1) * sizeof(KafkaString));
	KafkaCreatePartitionsResponse response;
	CreatePartitions state = {.call = call,.results = begin_response(&call->request, &response)};

	for (int32 i = 0; i < count; i++)
		names[i] = body->topics.items[i].name;
	response.results.count = pgt_helper_each_name(names, count, serve_name, &state);
	pgt_helper_answer(call, &response);
}

/* ---- in the loop -------------------------------------------------------------------------- */

/* Answer with an error for all topics. */
static void
refuse(BrokerRequest *request, KafkaError error, const char *message)
{
	const KafkaCreatePartitionsRequest *body = request->kafka.body;
	KafkaCreatePartitionsResponse response;
	TopicResult *results = begin_response(request, &response);

	for (int32 i = 0; i < response.results.count; i++)
	{
		results[i].name = body->topics.items[i].name;
		fail(&results[i], error, message);
	}
	pgt_broker_answer(request, &response);
}

/* May the request add the partitions, by the client's quota?  What its topics have now is looked up without a lock. */
static bool
may_add(BrokerRequest *request)
{
	const KafkaCreatePartitionsRequest *body = request->kafka.body;
	double		partitions = 0;

	if (!pgt_quota_exists || body->validate_only)
		return true;
	pgt_turn_open();
	for (int32 i = 0; i < body->topics.count; i++)
	{
		const WantedTopic *wanted = &body->topics.items[i];
		TopicLookup found = pgt_topic_lookup_keep(request->client, pgt_topic_names_find(wanted->name),
												  ACL_SELECT | ACL_INSERT);

		if (found.error == KAFKA_ERROR_NONE)
			partitions += Max(wanted->count - found.partitions, 0);
	}
	return pgt_quota_may_mutate(request, partitions, request->kafka.version >= FIRST_STRICT);
}

static void
serve(BrokerRequest *request)
{
	const KafkaCreatePartitionsRequest *body = request->kafka.body;

	if (may_add(request))
		pgt_helper_pool_hand(request, body->timeout_ms, refuse);
	else
		refuse(request, KAFKA_ERROR_THROTTLING_QUOTA_EXCEEDED, "the quota of partitions that are created and deleted is used up");
}
