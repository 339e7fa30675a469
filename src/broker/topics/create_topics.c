/*
 * create_topics.c
 *	  CreateTopics: a topic for each name, or an error.
 *
 * The loop hands the request to a helper process.  There each topic is created by the statement that
 * create_topic() runs in SQL, as the client's role, in a transaction of its own (topic_change.h); with
 * validate_only it is rolled back.  What is wrong has Kafka's errors:
 *
 *	  29	the role may not create anything in the schema, or not use the server "topics"
 *	  36	there is such a topic
 *	  17	no name of a topic; or it differs from another topic's in "." and "_" alone; or something else
 *			than a topic has the table's name
 *	  37	a number of partitions that cannot be
 *	  38	a replication factor that cannot be.  Any from 1 on is taken: replicas are the server's standbys
 *	  39	an assignment to other brokers than this one, or with gaps
 *	  40	an option that there is not, or does not take the value
 *	  42	the name stands in the request twice; or an assignment together with numbers
 *	  44	a limit of partitions is reached, or an event trigger refuses the topic
 *	  7		no time was left
 *	  89	the client's quota is used up; before version 6 it only has to wait
 *
 * Keys and values of such a topic are bytea, which takes what any client sends.
 */
#include "postgres.h"

#include "access/xact.h"
#include "broker/configs/topic_configs.h"
#include "broker/core/broker_settings.h"
#include "broker/core/cluster.h"
#include "broker/core/quota.h"
#include "broker/core/topic_names.h"
#include "broker/helpers/helper_pool.h"
#include "broker/helpers/topic_change.h"
#include "broker/topics/create_topics.h"
#include "catalog/pg_type.h"
#include "ddl/create_topic.h"
#include "foreign/foreign.h"
#include "kafka/kafka_default.h"
#include "kafka/kafka_name.h"
#include "miscadmin.h"
#include "topic/topic.h"
#include "util/compat.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

static void serve(BrokerRequest *request);
static void run(HelperCall *call);

const BrokerApi pgt_create_topics_api = {.key = KAFKA_API_CREATE_TOPICS, .serve = serve};
const HelperApi pgt_create_topics_helper = {.key = KAFKA_API_CREATE_TOPICS, .run = run};

#define FIRST_STRICT			6	/* version in which a quota that is used up is an error */
#define CLUSTER_METADATA_TOPIC	"__cluster_metadata"

typedef KafkaCreateTopicsRequestCreatableTopic WantedTopic;
typedef KafkaCreateTopicsResponseCreatableTopicResult TopicResult;
typedef KafkaCreateTopicsResponseCreatableTopicConfigs ConfigResult;

/* A topic that is being created. */
typedef struct Creation
{
	HelperCall *call;
	const WantedTopic *wanted;
	int32		partitions;
	Oid			topic;
	List	   *configs;		/* of ConfigEntry, in the call's memory */
} Creation;

/* ---- what is wanted ------------------------------------------------------------------ */

/* The number of partitions of a manual assignment, each of which is this broker's. */
static int32
assigned_partitions(const WantedTopic *wanted)
{
	int32		count = wanted->assignments.count;
	bool	   *seen = palloc0(count);

	if (wanted->replication_factor != -1 || wanted->num_partitions != -1)
		pgt_topic_change_refuse(KAFKA_ERROR_INVALID_REQUEST,
								"with an assignment of partitions, their number and the replication factor must be -1");
	for (int32 i = 0; i < count; i++)
	{
		int32		partition = wanted->assignments.items[i].partition_index;

		if (wanted->assignments.items[i].broker_ids.count != 1 ||
			wanted->assignments.items[i].broker_ids.items[0] != pgt_cluster_nodes()[0])
			pgt_topic_change_refuse(KAFKA_ERROR_INVALID_REPLICA_ASSIGNMENT,
									"partition %d is not assigned to broker %d, the only one there is",
									partition, pgt_cluster_nodes()[0]);
		if (partition < 0 || partition >= count || seen[partition])
			pgt_topic_change_refuse(KAFKA_ERROR_INVALID_REPLICA_ASSIGNMENT,
									"partitions of an assignment must be numbered from 0 on, each once");
		seen[partition] = true;
	}
	return count;
}

/* The number of partitions that a topic is to have. */
static int32
wanted_partitions(const WantedTopic *wanted)
{
	int32		partitions = wanted->num_partitions;

	if (wanted->assignments.count > 0)
		partitions = assigned_partitions(wanted);
	else if (wanted->replication_factor < -1 || wanted->replication_factor == 0)
		pgt_topic_change_refuse(KAFKA_ERROR_INVALID_REPLICATION_FACTOR,
								"replication factor must be larger than 0, or -1 for the default");
	else if (partitions == -1)
		return pgt_kafka_num_partitions;
	if (partitions < 1 || partitions > TOPIC_PARTITIONS_MAX)
		pgt_topic_change_refuse(KAFKA_ERROR_INVALID_PARTITIONS,
								"number of partitions must be from 1 to %d, or -1 for the default", TOPIC_PARTITIONS_MAX);
	return partitions;
}

/* Options that are not for clients to set so. */
static void
refuse_own_options(const char *name)
{
	if (pgt_topic_configs_is_hidden(name))
		pgt_topic_change_refuse(KAFKA_ERROR_INVALID_CONFIG, "option \"%s\" cannot be set by Kafka's clients", name);
}

static void
push_text(PgtJsonb *json, JsonbIteratorToken token, char *text)
{
	JsonbValue	value;

	value.type = jbvString;
	value.val.string.val = text;
	value.val.string.len = strlen(text);
	PGT_JSONB_PUSH(*json, token, &value);
}

/* The options of the request, and the name for Kafka, as create_topic() takes them. */
static Jsonb *
wanted_config(HelperCall *call, const WantedTopic *wanted, const char *alias)
{
	PgtJsonb	json = {0};

	PGT_JSONB_PUSH(json, WJB_BEGIN_OBJECT, NULL);
	for (int32 i = 0; i < wanted->configs.count; i++)
	{
		char	   *name = pgt_topic_change_text(call, wanted->configs.items[i].name);

		refuse_own_options(name);
		if (wanted->configs.items[i].value.length < 0)
			pgt_topic_change_refuse(KAFKA_ERROR_INVALID_CONFIG, "option \"%s\" has no value", name);
		push_text(&json, WJB_KEY, name);
		push_text(&json, WJB_VALUE, pgt_topic_change_text(call, wanted->configs.items[i].value));
	}
	if (alias != NULL)
	{
		push_text(&json, WJB_KEY, "kafka.topic");
		push_text(&json, WJB_VALUE, pstrdup(alias));
	}
	PGT_JSONB_PUSH(json, WJB_END_OBJECT, NULL);
	return JsonbValueToJsonb(json.result);
}

/* ---- names ----------------------------------------------------------------------------- */

/* Refuse a name that Kafka's metrics could not tell from that of another topic. */
static void
refuse_collision(KafkaString name)
{
	ListCell   *cell;

	if (memchr(name.data, '.', name.length) == NULL && memchr(name.data, '_', name.length) == NULL)
		return;
	foreach(cell, pgt_topic_list())
	{
		char	   *other = pgt_topic_names_of(lfirst_oid(cell));

		CHECK_FOR_INTERRUPTS();
		if (other != NULL && pgt_kafka_name_topics_collide(name, pgt_broker_string(other)))
			pgt_topic_change_refuse(KAFKA_ERROR_INVALID_TOPIC_EXCEPTION,
									"name \"%.*s\" differs from that of another topic in \".\" and \"_\" alone",
									name.length, name.data);
	}
}

static void
refuse_existing(KafkaString name)
{
	if (OidIsValid(pgt_topic_names_find(name)))
		pgt_topic_change_refuse(KAFKA_ERROR_TOPIC_ALREADY_EXISTS, "topic \"%.*s\" exists already",
								name.length, name.data);
}

/* Where the topic is to be; refuses names that cannot be had.  Who may create nothing there learns no more. */
static TopicPlace
find_place(KafkaString name)
{
	TopicPlace	place;

	if (!pgt_topic_names_place(pnstrdup(name.data, name.length), &place))
		pgt_topic_change_refuse(KAFKA_ERROR_POLICY_VIOLATION, "no schema of pg_topics.kafka_search_path exists");
	if (PGT_SCHEMA_ACLCHECK(place.schema, GetUserId(), ACL_CREATE) != ACLCHECK_OK ||
		PGT_SCHEMA_ACLCHECK(place.schema, GetUserId(), ACL_USAGE) != ACLCHECK_OK)
		pgt_topic_change_refuse(KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED,
								"role \"%s\" may not create topics in schema \"%s\"",
								GetUserNameFromId(GetUserId(), false), get_namespace_name(place.schema));
	refuse_existing(name);
	refuse_collision(name);
	if (!OidIsValid(get_relname_relid(place.relation, place.schema)))
		return place;
	/* it may have come meanwhile */
	refuse_existing(name);
	pgt_topic_change_refuse(KAFKA_ERROR_INVALID_TOPIC_EXCEPTION,
							"schema \"%s\" has something else by the name \"%s\"",
							get_namespace_name(place.schema), place.relation);
}

/* ---- one topic --------------------------------------------------------------------------- */

/* Take down what the topic has become, in the call's memory. */
static void
note_configs(Creation *creation)
{
	MemoryContext old = MemoryContextSwitchTo(creation->call->request.memory);

	creation->configs = pgt_topic_configs_list(GetForeignTable(creation->topic)->options);
	MemoryContextSwitchTo(old);
}

/* Create the topic; in a transaction. */
static void
create(void *arg)
{
	Creation   *creation = arg;
	const WantedTopic *wanted = creation->wanted;
	TopicPlace	place = find_place(wanted->name);

	creation->partitions = wanted_partitions(wanted);
	creation->topic =
		pgt_create_topic_by_name(cstring_to_text(quote_qualified_identifier(get_namespace_name(place.schema),
																			place.relation)),
								 creation->partitions, BYTEAOID, BYTEAOID,
								 wanted_config(creation->call, wanted, place.alias), false);
	CommandCounterIncrement();
	if (pgt_topic_names_find(wanted->name) != creation->topic)
		pgt_topic_change_refuse(KAFKA_ERROR_INVALID_TOPIC_EXCEPTION, "a topic of this name could not be found by it");
	note_configs(creation);
}

/* Create a topic, or find out whether that could be done. */
static KafkaError
create_topic(Creation *creation, bool dry, char **message)
{
	KafkaString name = creation->wanted->name;
	const char *problem = pgt_kafka_name_topic_problem(name);

	if (problem != NULL)
	{
		*message = pstrdup(problem);
		return KAFKA_ERROR_INVALID_TOPIC_EXCEPTION;
	}
	if (name.length == strlen(CLUSTER_METADATA_TOPIC) &&
		memcmp(name.data, CLUSTER_METADATA_TOPIC, name.length) == 0)
	{
		*message = pstrdup("topic \"" CLUSTER_METADATA_TOPIC "\" is Kafka's own");
		return KAFKA_ERROR_INVALID_REQUEST;
	}
	return pgt_topic_change_run(creation->call, create, creation, dry, message);
}

KafkaError
pgt_create_topics_by_default(HelperCall *call, KafkaString name, char **message)
{
	WantedTopic wanted = {.name = name, .num_partitions = -1, .replication_factor = -1};
	Creation	creation = {.call = call, .wanted = &wanted};

	return create_topic(&creation, false, message);
}

/* ---- the answer ----------------------------------------------------------------------------- */

static void
fail(TopicResult *result, KafkaError error, const char *message)
{
	result->error_code = error;
	result->error_message = pgt_broker_string(message);
}

/* The configuration of a new topic. */
static void
fill_configs(HelperCall *call, TopicResult *result, List *entries)
{
	ConfigResult *configs = pgt_broker_array(&call->request, KAFKA_CREATE_TOPICS_RESPONSE_CREATABLE_TOPIC_CONFIGS,
											 list_length(entries));
	int32		count = 0;
	ListCell   *cell;

	foreach(cell, entries)
	{
		const ConfigEntry *entry = lfirst(cell);

		configs[count].name = pgt_broker_string(entry->name);
		configs[count].value = pgt_broker_string(entry->value);
		configs[count].config_source = entry->source;
		count++;
	}
	result->configs.items = configs;
	result->configs.count = count;
}

/* Serve one topic of the request. */
static void
serve_topic(HelperCall *call, const WantedTopic *wanted, TopicResult *result)
{
	const KafkaCreateTopicsRequest *body = call->request.kafka.body;
	Creation	creation = {.call = call, .wanted = wanted};
	char	   *message;
	KafkaError	error = create_topic(&creation, body->validate_only, &message);

	if (error != KAFKA_ERROR_NONE)
	{
		fail(result, error, message);
		return;
	}
	if (!body->validate_only)
		result->topic_id = pgt_topic_names_id(creation.topic);
	result->num_partitions = creation.partitions;
	result->replication_factor = 1;
	fill_configs(call, result, creation.configs);
}

/* The names of the request's topics. */
static KafkaString *
names_of(const KafkaCreateTopicsRequest *body)
{
	KafkaString *names = MemoryContextAllocHuge(CurrentMemoryContext,
												Max(body->topics.count, 1) * sizeof(KafkaString));

	for (int32 i = 0; i < body->topics.count; i++)
		names[i] = body->topics.items[i].name;
	return names;
}

/* A response with an entry for each topic of the request, without errors. */
static TopicResult *
begin_response(BrokerRequest *request, KafkaCreateTopicsResponse *response)
{
	const KafkaCreateTopicsRequest *body = request->kafka.body;
	TopicResult *results = pgt_broker_array(request, KAFKA_CREATE_TOPICS_RESPONSE_CREATABLE_TOPIC_RESULT,
											body->topics.count);

	pgt_kafka_default_struct(KAFKA_CREATE_TOPICS_RESPONSE, response);
	for (int32 i = 0; i < body->topics.count; i++)
	{
		results[i].name = body->topics.items[i].name;
		results[i].error_message.length = -1;
		results[i].configs.count = -1;
	}
	response->topics.items = results;
	response->topics.count = body->topics.count;
	return results;
}

/* A request with its response. */
typedef struct CreateTopics
{
	HelperCall *call;
	TopicResult *results;
} CreateTopics;

/* Serve a topic of the request, or refuse what stands there more than once. */
static void
serve_name(void *arg, int32 item, int32 entry, bool is_repeated)
{
	CreateTopics *state = arg;
	const KafkaCreateTopicsRequest *body = state->call->request.kafka.body;
	TopicResult *result = &state->results[entry];

	result->name = body->topics.items[item].name;
	if (is_repeated)
		fail(result, KAFKA_ERROR_INVALID_REQUEST, "the topic is in the request more than once");
	else
		serve_topic(state->call, &body->topics.items[item], result);
}

/* In the helper. */
static void
run(HelperCall *call)
{
	const KafkaCreateTopicsRequest *body = call->request.kafka.body;
	KafkaCreateTopicsResponse response;
	CreateTopics state = {call, begin_response(&call->request, &response)};

	response.topics.count = pgt_helper_each_name(names_of(body), body->topics.count, serve_name, &state);
	pgt_helper_answer(call, &response);
}

/* ---- in the loop -------------------------------------------------------------------------------- */

/* Answer with an error for all topics. */
static void
refuse(BrokerRequest *request, KafkaError error, const char *message)
{
	KafkaCreateTopicsResponse response;
	TopicResult *results = begin_response(request, &response);

	for (int32 i = 0; i < response.topics.count; i++)
		fail(&results[i], error, message);
	pgt_broker_answer(request, &response);
}

/* How many partitions the request's topics would have, as far as it says. */
static double
wanted_in_all(const KafkaCreateTopicsRequest *body)
{
	double		partitions = 0;

	for (int32 i = 0; i < body->topics.count; i++)
	{
		const WantedTopic *wanted = &body->topics.items[i];

		partitions += wanted->assignments.count > 0 ? wanted->assignments.count :
			wanted->num_partitions == -1 ? pgt_kafka_num_partitions : Max(wanted->num_partitions, 0);
	}
	return partitions;
}

static void
serve(BrokerRequest *request)
{
	const KafkaCreateTopicsRequest *body = request->kafka.body;

	if (body->validate_only || pgt_quota_may_mutate(request, wanted_in_all(body), request->kafka.version >= FIRST_STRICT))
		pgt_helper_pool_hand(request, body->timeout_ms, refuse);
	else
		refuse(request, KAFKA_ERROR_THROTTLING_QUOTA_EXCEEDED, "the quota of partitions that are created and deleted is used up");
}
