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
 *
 * Keys and values of such a topic are bytea, which takes what any client sends.
 */
#include "postgres.h"

#include "access/xact.h"
#include "broker/broker_settings.h"
#include "broker/cluster.h"
#include "broker/create_topics.h"
#include "broker/helper_pool.h"
#include "broker/topic_change.h"
#include "broker/topic_names.h"
#include "catalog/pg_type.h"
#include "ddl/create_topic.h"
#include "foreign/foreign.h"
#include "kafka/kafka_default.h"
#include "kafka/kafka_name.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "topic/topic.h"
#include "topic/topic_options.h"
#include "util/compat.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

static void serve(BrokerRequest *request);
static void run(HelperCall *call);

const BrokerApi pgt_create_topics_api = {.key = KAFKA_API_CREATE_TOPICS, .serve = serve};
const HelperApi pgt_create_topics_helper = {.key = KAFKA_API_CREATE_TOPICS, .run = run};

#define PARTITIONS_MAX			65536	/* of the option "partitions" */
#define CLUSTER_METADATA_TOPIC	"__cluster_metadata"

/* Kafka's numbers of where a topic's configuration comes from (ConfigSource). */
#define SOURCE_TOPIC		1
#define SOURCE_DEFAULT		5

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
	List	   *options;		/* of TopicOptionValue, in the call's memory */
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
	if (partitions < 1 || partitions > PARTITIONS_MAX)
		pgt_topic_change_refuse(KAFKA_ERROR_INVALID_PARTITIONS,
								"number of partitions must be from 1 to %d, or -1 for the default", PARTITIONS_MAX);
	return partitions;
}

/* Text of the request in the encoding of the database; an ERROR, which is INVALID_CONFIG, where there is none. */
static char *
config_text(HelperCall *call, KafkaString string)
{
	char	   *text = pgt_broker_cstring(&call->request, string);

	if (text == NULL)
		pgt_topic_change_refuse(KAFKA_ERROR_INVALID_CONFIG, "names and values of options must be text");
	return pg_any_to_server(text, strlen(text), PG_UTF8);
}

/* Options that are not for clients to set so. */
static void
refuse_own_options(const char *name)
{
	if (strcmp(name, "partitions") == 0 || strcmp(name, "kafka.topic") == 0)
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
		char	   *name = config_text(call, wanted->configs.items[i].name);

		refuse_own_options(name);
		if (wanted->configs.items[i].value.length < 0)
			pgt_topic_change_refuse(KAFKA_ERROR_INVALID_CONFIG, "option \"%s\" has no value", name);
		push_text(&json, WJB_KEY, name);
		push_text(&json, WJB_VALUE, config_text(call, wanted->configs.items[i].value));
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
									"name \"%.*s\" differs from that of topic \"%s\" in \".\" and \"_\" alone",
									name.length, name.data, other);
	}
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
	if (OidIsValid(pgt_topic_names_find(name)))
		pgt_topic_change_refuse(KAFKA_ERROR_TOPIC_ALREADY_EXISTS, "topic \"%.*s\" exists already",
								name.length, name.data);
	refuse_collision(name);
	if (OidIsValid(get_relname_relid(place.relation, place.schema)))
		pgt_topic_change_refuse(KAFKA_ERROR_INVALID_TOPIC_EXCEPTION,
								"schema \"%s\" has something else by the name \"%s\"",
								get_namespace_name(place.schema), place.relation);
	return place;
}

/* ---- one topic --------------------------------------------------------------------------- */

/* Take down what the topic has become, in the call's memory. */
static void
note_options(Creation *creation)
{
	MemoryContext old = MemoryContextSwitchTo(creation->call->request.memory);

	creation->options = pgt_topic_options_list(GetForeignTable(creation->topic)->options);
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
	note_options(creation);
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
fill_configs(HelperCall *call, TopicResult *result, List *options)
{
	ConfigResult *configs = pgt_broker_array(&call->request, KAFKA_CREATE_TOPICS_RESPONSE_CREATABLE_TOPIC_CONFIGS,
											 list_length(options));
	int32		count = 0;
	ListCell   *cell;

	foreach(cell, options)
	{
		TopicOptionValue *option = lfirst(cell);

		if (strcmp(option->name, "partitions") == 0 || strcmp(option->name, "kafka.topic") == 0)
			continue;
		configs[count].name = pgt_broker_string(option->name);
		configs[count].value = pgt_broker_string(option->text);
		configs[count].config_source = option->is_set ? SOURCE_TOPIC : SOURCE_DEFAULT;
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
	fill_configs(call, result, creation.options);
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

/* In the helper. */
static void
run(HelperCall *call)
{
	const KafkaCreateTopicsRequest *body = call->request.kafka.body;
	BrokerRepeated *repeated = pgt_broker_find_repeated(names_of(body), body->topics.count);
	KafkaCreateTopicsResponse response;
	TopicResult *results = begin_response(&call->request, &response);
	int32		count = 0;

	for (int32 i = 0; i < body->topics.count; i++)
	{
		if (repeated[i] == BROKER_REPETITION)
			continue;
		results[count].name = body->topics.items[i].name;
		if (repeated[i] == BROKER_REPEATED)
			fail(&results[count], KAFKA_ERROR_INVALID_REQUEST, "the topic is in the request more than once");
		else
			serve_topic(call, &body->topics.items[i], &results[count]);
		count++;
	}
	response.topics.count = count;
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

static void
serve(BrokerRequest *request)
{
	const KafkaCreateTopicsRequest *body = request->kafka.body;

	pgt_helper_pool_hand(request, body->timeout_ms, refuse);
}
