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
 *	  42	a topic is in the request twice; or an item has a name and an id, or neither
 *	  44	something depends on the topic, such as a view; or an event trigger keeps it
 *	  73	pg_topics.kafka_delete_topic_enable is off; before version 3 that is 42
 *	  7		it was in use until the time was up
 */
#include "postgres.h"

#include "broker/broker_settings.h"
#include "broker/delete_topics.h"
#include "broker/helper_pool.h"
#include "broker/topic_change.h"
#include "broker/topic_names.h"
#include "ddl/create_topic.h"
#include "kafka/kafka_default.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "topic/topic.h"
#include "util/compat.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

static void serve(BrokerRequest *request);
static void run(HelperCall *call);

const BrokerApi pgt_delete_topics_api = {.key = KAFKA_API_DELETE_TOPICS, .serve = serve};
const HelperApi pgt_delete_topics_helper = {.key = KAFKA_API_DELETE_TOPICS, .run = run};

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

/* The topic that is meant. */
static Oid
find_topic(const Deletion *deletion)
{
	Oid			topic = deletion->by_id ? pgt_topic_names_by_id(&deletion->wanted->topic_id) :
		pgt_topic_names_find(deletion->wanted->name);

	if (OidIsValid(topic))
		return topic;
	if (deletion->by_id)
		pgt_topic_change_refuse(KAFKA_ERROR_UNKNOWN_TOPIC_ID, "no topic has this id");
	pgt_topic_change_refuse(KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION, "topic does not exist");
}

/* The answer has the name of a topic that was asked for by its id, if the role may know of the topic. */
static void
note_name(Deletion *deletion, Oid topic)
{
	MemoryContext old = MemoryContextSwitchTo(deletion->call->request.memory);

	if (deletion->by_id && pgt_topic_is_visible(topic))
		deletion->name = pgt_topic_names_of(topic);
	MemoryContextSwitchTo(old);
}

/* ERROR unless the role may delete a topic.  One that is gone meanwhile is looked for again. */
static void
check_owner(Oid topic)
{
	if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(topic)) && !PGT_OWNS_RELATION(topic, GetUserId()))
		pgt_topic_change_refuse(KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED, "only the topic's owner may delete it");
}

/*
 * Delete the topic; in a transaction.  Who may not delete it must not lock it either; and when it is
 * locked it may be another one that has the name.
 */
static void
delete(void *arg)
{
	Deletion   *deletion = arg;
	Oid			topic = find_topic(deletion);

	for (Oid locked = InvalidOid; locked != topic; topic = find_topic(deletion))
	{
		note_name(deletion, topic);
		check_owner(topic);
		LockRelationOid(topic, AccessExclusiveLock);
		locked = topic;
	}
	check_owner(topic);
	pgt_create_topic_drop(topic);
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

/* What tells a wanted topic from others: its name, or its id. */
static KafkaString *
keys_of(const WantedTopic *wanted, int32 count)
{
	KafkaString *keys = MemoryContextAllocHuge(CurrentMemoryContext, Max(count, 1) * sizeof(KafkaString));

	for (int32 i = 0; i < count; i++)
	{
		keys[i] = wanted[i].name;
		if (keys[i].length < 0)
			keys[i] = (KafkaString) {.data = (const char *) wanted[i].topic_id.bytes, .length = sizeof(KafkaUuid)};
	}
	return keys;
}

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

/* In the helper. */
static void
run(HelperCall *call)
{
	int32		wanted_count;
	const WantedTopic *wanted = wanted_topics(&call->request, &wanted_count);
	BrokerRepeated *repeated = pgt_broker_find_repeated(keys_of(wanted, wanted_count), wanted_count);
	KafkaDeleteTopicsResponse response;
	TopicResult *results = begin_response(&call->request, &response, wanted, wanted_count);
	int32		count = 0;

	for (int32 i = 0; i < wanted_count; i++)
	{
		if (repeated[i] == BROKER_REPETITION)
			continue;
		results[count].name = wanted[i].name;
		results[count].topic_id = wanted[i].topic_id;
		if (repeated[i] == BROKER_REPEATED)
			fail(&results[count], KAFKA_ERROR_INVALID_REQUEST, "the topic is in the request more than once");
		else
			serve_topic(call, &wanted[i], &results[count]);
		count++;
	}
	response.responses.count = count;
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

static void
serve(BrokerRequest *request)
{
	const KafkaDeleteTopicsRequest *body = request->kafka.body;

	if (pgt_kafka_delete_topic_enable)
		pgt_helper_pool_hand(request, body->timeout_ms, refuse);
	else
		refuse(request, request->kafka.version < 3 ? KAFKA_ERROR_INVALID_REQUEST : KAFKA_ERROR_TOPIC_DELETION_DISABLED,
			   "topics cannot be deleted by Kafka's clients, as pg_topics.kafka_delete_topic_enable is off");
}
