/*
 * delete_topics.c
 *	  DeleteTopics: by name or, from version 6 on, by id.
 *
 * The loop hands the request to a helper process, where each topic is dropped by the statement that SQL
 * has for it, as the client's role, in a transaction of its own (topic_change.h).  It waits for sessions
 * that use the topic until the request's time is up, and then the topic stays as it is.
 *
 *	  3		there is no topic of the name
 *	  100	there is none of the id
 *	  29	the role is not the topic's owner
 *	  42	a topic is in the request twice, also once by name and once by id; or an item has a name and an id, or neither
 *	  44	something depends on the topic, such as a view; or an event trigger keeps it
 *	  73	pg_topics.kafka_delete_topic_enable is off; before version 3 that is 42
 *	  89	the client's quota is used up; before version 5 it only has to wait
 *	  7		it was in use until the time was up
 */
#include "postgres.h"

#include "broker/core/broker_settings.h"
#include "broker/core/quota.h"
#include "broker/core/topic_lookup.h"
#include "broker/core/topic_names.h"
#include "broker/helpers/helper_pool.h"
#include "broker/helpers/topic_change.h"
#include "broker/topics/delete_topics.h"
#include "ddl/create_topic.h"
#include "kafka/kafka_default.h"
#include "topic/topic.h"

static void serve(BrokerRequest *request);
static void run(HelperCall *call);

const BrokerApi pgt_delete_topics_api = {.key = KAFKA_API_DELETE_TOPICS, .serve = serve};
const HelperApi pgt_delete_topics_helper = {.key = KAFKA_API_DELETE_TOPICS, .run = run};

#define FIRST_STRICT		5	/* version in which a quota that is used up is an error */
#define FIRST_WITH_ITEMS	6	/* version; before it there are names alone */

typedef KafkaDeleteTopicsResponseDeletableTopicResult TopicResult;
typedef KafkaDeleteTopicsRequestDeleteTopicState WantedTopic;

/* A topic that is being deleted. */
typedef struct Deletion
{
	const WantedTopic *wanted;	/* by its id if that is not null */
	bool		by_id;
	char	   *name;			/* of a topic of an id, in the call's memory */
	HelperCall *call;
} Deletion;

/* ---- one topic --------------------------------------------------------------------------- */

/* The answer has the name of a topic that was asked for by its id, if the role may know of the topic. */
static void
note_name(Deletion *deletion, Oid topic)
{
	MemoryContext old = MemoryContextSwitchTo(deletion->call->request.memory);

	if (deletion->by_id && pgt_topic_is_visible(topic))
		deletion->name = pgt_topic_names_of(topic);
	MemoryContextSwitchTo(old);
}

/* The topic that is meant. */
static Oid
find_topic(void *arg)
{
	Deletion   *deletion = arg;
	Oid			topic;

	if (!deletion->by_id)
		return pgt_topic_change_find(deletion->wanted->name);
	topic = pgt_topic_names_by_id(&deletion->wanted->topic_id);
	if (!OidIsValid(topic))
		pgt_topic_change_refuse(KAFKA_ERROR_UNKNOWN_TOPIC_ID, "no topic has this id");
	note_name(deletion, topic);
	return topic;
}

/* Delete the topic; in a transaction. */
static void
delete(void *arg)
{
	pgt_create_topic_drop(pgt_topic_change_lock(find_topic, arg, AccessExclusiveLock, "delete"));
}

/* ---- the answer ----------------------------------------------------------------------------- */

static void
fail(TopicResult *result, KafkaError error, const char *message)
{
	result->error_code = error;
	result->error_message = pgt_broker_string(message);
}

/* Serve one topic of the request. */
static void
serve_topic(HelperCall *call, const WantedTopic *wanted, TopicResult *result)
{
	bool		has_id = !pgt_topic_names_id_is_null(&wanted->topic_id);
	Deletion	deletion = {.call = call, .wanted = wanted, .by_id = has_id};
	char	   *message;
	KafkaError	error;

	if (has_id == (wanted->name.length >= 0))
	{
		fail(result, KAFKA_ERROR_INVALID_REQUEST,
			 has_id ? "a topic must not be given by name and id" : "neither a name nor an id is given");
		return;
	}
	error = pgt_topic_change_run(call, delete, &deletion, false, &message);
	if (deletion.name != NULL)
		result->name = pgt_broker_string(deletion.name);
	if (error != KAFKA_ERROR_NONE)
		fail(result, error, message);
}

/* What is wanted, in the form of the last version; *count of it. */
static WantedTopic *
wanted_topics(const BrokerRequest *request, int32 *count)
{
	const KafkaDeleteTopicsRequest *body = request->kafka.body;
	WantedTopic *wanted;

	if (request->kafka.version >= FIRST_WITH_ITEMS)
	{
		*count = body->topics.count;
		return body->topics.items;
	}
	*count = body->topic_names.count;
	wanted = MemoryContextAllocExtended(CurrentMemoryContext, Max(*count, 1) * sizeof(WantedTopic),
										MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int32 i = 0; i < *count; i++)
		wanted[i].name = body->topic_names.items[i];
	return wanted;
}

/* ---- topics that are wanted twice -------------------------------------------------------------- */

/* A request with its response. */
typedef struct DeleteTopics
{
	HelperCall *call;
	const WantedTopic *wanted;
	int32		count;
	KafkaString *keys;			/* what tells a wanted topic from others: its name, or its id */
	TopicResult *results;
} DeleteTopics;

static KafkaString
id_key(const KafkaUuid *id)
{
	return (KafkaString) {.data = (const char *) id->bytes,.length = sizeof(KafkaUuid)};
}

/*
 * Topics that are wanted by their name may be wanted by their id as well: their keys become their ids.  Not
 * those that the role may not delete, since it would learn their ids so.
 */
static void
unify_keys(void *arg)
{
	DeleteTopics *state = arg;

	for (int32 i = 0; i < state->count; i++)
	{
		Oid			topic = state->wanted[i].name.length < 0 ? InvalidOid : pgt_topic_names_find(state->wanted[i].name);
		KafkaUuid  *id;

		if (!OidIsValid(topic) || !pgt_topic_is_owner(topic))
			continue;
		id = MemoryContextAlloc(state->call->request.memory, sizeof(KafkaUuid));
		*id = pgt_topic_names_id(topic);
		state->keys[i] = id_key(id);
	}
}

/* Find the keys of what is wanted. */
static void
find_keys(DeleteTopics *state)
{
	int32		ids = 0;
	char	   *message;

	state->keys = MemoryContextAllocHuge(CurrentMemoryContext, Max(state->count, 1) * sizeof(KafkaString));
	for (int32 i = 0; i < state->count; i++)
	{
		bool		has_name = state->wanted[i].name.length >= 0;

		state->keys[i] = has_name ? state->wanted[i].name : id_key(&state->wanted[i].topic_id);
		ids += !has_name;
	}
	/* without time nothing will be deleted either */
	if (ids > 0 && ids < state->count)
		(void) pgt_topic_change_run(state->call, unify_keys, state, true, &message);
}

/* ---- the response ------------------------------------------------------------------------------ */

/* A response with an entry for each topic, without errors. */
static TopicResult *
begin_response(BrokerRequest *request, KafkaDeleteTopicsResponse *response, const WantedTopic *wanted, int32 count)
{
	TopicResult *results = pgt_broker_array(request, KAFKA_DELETE_TOPICS_RESPONSE_DELETABLE_TOPIC_RESULT, count);

	pgt_kafka_default_struct(KAFKA_DELETE_TOPICS_RESPONSE, response);
	for (int32 i = 0; i < count; i++)
	{
		results[i].name = wanted[i].name;
		results[i].topic_id = wanted[i].topic_id;
	}
	response->responses.items = results;
	response->responses.count = count;
	return results;
}

/* Serve a topic of the request, or refuse what stands there more than once. */
static void
serve_key(void *arg, int32 item, int32 entry, bool is_repeated)
{
	DeleteTopics *state = arg;
	TopicResult *result = &state->results[entry];

	result->name = state->wanted[item].name;
	result->topic_id = state->wanted[item].topic_id;
	if (is_repeated)
		fail(result, KAFKA_ERROR_INVALID_REQUEST, "the topic is in the request more than once");
	else
		serve_topic(state->call, &state->wanted[item], result);
}

/* In the helper. */
static void
run(HelperCall *call)
{
	KafkaDeleteTopicsResponse response;
	DeleteTopics state = {.call = call};

	state.wanted = wanted_topics(&call->request, &state.count);
	state.results = begin_response(&call->request, &response, state.wanted, state.count);
	find_keys(&state);
	response.responses.count = pgt_helper_each_name(state.keys, state.count, serve_key, &state);
	pgt_helper_answer(call, &response);
}

/* ---- in the loop -------------------------------------------------------------------------------- */

/* Answer with an error for all topics. */
static void
refuse(BrokerRequest *request, KafkaError error, const char *message)
{
	KafkaDeleteTopicsResponse response;
	int32		count;
	const WantedTopic *wanted = wanted_topics(request, &count);
	TopicResult *results = begin_response(request, &response, wanted, count);

	for (int32 i = 0; i < count; i++)
		fail(&results[i], error, message);
	pgt_broker_answer(request, &response);
}

/* Does the client's quota allow the request? */
static bool
may_delete(BrokerRequest *request)
{
	double		partitions = 0;
	int32		count;
	const WantedTopic *wanted;

	if (!pgt_quota_exists)
		return true;
	wanted = wanted_topics(request, &count);
	for (int32 i = 0; i < count; i++)
	{
		Oid			topic = pgt_topic_names_id_is_null(&wanted[i].topic_id) ? pgt_topic_names_find(wanted[i].name) :
			pgt_topic_names_by_id(&wanted[i].topic_id);

		partitions += pgt_topic_lookup_keep(request->client, topic, ACL_SELECT | ACL_INSERT).partitions;
	}
	return pgt_quota_may_mutate(request, partitions, request->kafka.version >= FIRST_STRICT);
}

static void
serve(BrokerRequest *request)
{
	const KafkaDeleteTopicsRequest *body = request->kafka.body;

	if (pgt_kafka_delete_topic_enable && !may_delete(request))
		refuse(request, KAFKA_ERROR_THROTTLING_QUOTA_EXCEEDED, "the quota of partitions that are created and deleted is used up");
	else if (pgt_kafka_delete_topic_enable)
		pgt_helper_pool_hand(request, body->timeout_ms, refuse);
	else
		refuse(request, request->kafka.version < 3 ? KAFKA_ERROR_INVALID_REQUEST : KAFKA_ERROR_TOPIC_DELETION_DISABLED,
			   "topics cannot be deleted by Kafka's clients, as pg_topics.kafka_delete_topic_enable is off");
}
