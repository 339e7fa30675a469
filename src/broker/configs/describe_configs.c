/*
 * describe_configs.c
 *	  DescribeConfigs: the configuration of topics and of the broker.
 *
 * Who may know of a topic may know its options, as in the view pg_topics.  They are read from the catalog as
 * they were committed last, without a lock: a statement that is changing them does not keep an answer waiting.
 *
 *	  TOPIC				its options (topic_configs.c)
 *	  BROKER			of this node: its settings (broker_configs.c); of no name, which would be what all brokers have been
 *						given at run time: nothing
 *	  BROKER_LOGGER		of this node: nothing
 *	  GROUP				of any name: what is set for it, or the defaults (group_config_list.c)
 *	  CLIENT_METRICS	of any name: defaults (other_configs.c)
 *
 * A request may name any number of these, and is served in slices.  What it names a second time is refused, as
 * its answer is many times as large as the question.
 */
#include "postgres.h"

#include "broker/configs/broker_configs.h"
#include "broker/configs/config_resource.h"
#include "broker/configs/describe_configs.h"
#include "broker/configs/group_config_list.h"
#include "broker/configs/other_configs.h"
#include "broker/configs/topic_configs.h"
#include "broker/core/access.h"
#include "broker/core/database_text.h"
#include "broker/core/topic_lookup.h"
#include "broker/core/topic_names.h"
#include "broker/core/turn.h"
#include "broker/groups/group_coordinator.h"
#include "kafka/kafka_default.h"
#include "kafka/kafka_error.h"
#include "kafka/kafka_name.h"

static void serve(BrokerRequest *request);

const BrokerApi pgt_describe_configs_api = {.key = KAFKA_API_DESCRIBE_CONFIGS, .serve = serve};

#define KNOWING		(ACL_SELECT | ACL_INSERT)
#define KEYS_MAX	1000		/* names of configurations that may be asked for, of one resource */

typedef KafkaDescribeConfigsRequestDescribeConfigsResource AskedResource;
typedef KafkaDescribeConfigsResponseDescribeConfigsResult AnsweredResource;
typedef KafkaDescribeConfigsResponseDescribeConfigsResourceResult AnsweredConfig;
typedef KafkaDescribeConfigsResponseDescribeConfigsSynonym AnsweredSynonym;

/* How far a request has come. */
typedef struct DescribeConfigs
{
	KafkaDescribeConfigsResponse response;
	BrokerRepeated *repeated;
	int			next;
} DescribeConfigs;

/* ---- what is configured -------------------------------------------------------- */

static KafkaError
fail(AnsweredResource *answer, KafkaError error, const char *message)
{
	answer->error_message = pgt_broker_string(message);
	return error;
}

static KafkaError
describe_topic(BrokerRequest *request, KafkaString name, AnsweredResource *answer, List **entries)
{
	const char *problem = pgt_kafka_name_topic_problem(name);
	Oid			topic;
	List	   *options;

	if (problem != NULL)
		return fail(answer, KAFKA_ERROR_INVALID_TOPIC_EXCEPTION, problem);
	topic = pgt_topic_names_find(name);
	if (!pgt_topic_lookup_options(topic, &options))
		return KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
	if (!pgt_access_topic(request->client, topic, KNOWING))
		return fail(answer, KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED, "the role has no privilege on the topic");
	*entries = pgt_topic_configs_list(options);
	return KAFKA_ERROR_NONE;
}

static KafkaError
describe_broker(BrokerRequest *request, KafkaString name, AnsweredResource *answer, List **entries)
{
	if (name.length <= 0)
		return KAFKA_ERROR_NONE;
	if (!pgt_config_resource_is_broker(name))
		return fail(answer, KAFKA_ERROR_INVALID_REQUEST, "there is no such broker");
	*entries = pgt_broker_configs_list(request->client);
	return KAFKA_ERROR_NONE;
}

/* Find the configuration that is asked for. */
static KafkaError
describe(BrokerRequest *request, const AskedResource *asked, AnsweredResource *answer, List **entries)
{
	KafkaString name = asked->resource_name;

	switch (asked->resource_type)
	{
		case CONFIG_RESOURCE_TOPIC:
			return describe_topic(request, name, answer, entries);
		case CONFIG_RESOURCE_BROKER:
			return describe_broker(request, name, answer, entries);
		case CONFIG_RESOURCE_BROKER_LOGGER:
			if (!pgt_config_resource_is_broker(name))
				return fail(answer, KAFKA_ERROR_INVALID_REQUEST, "there is no such broker");
			return KAFKA_ERROR_NONE;
		case CONFIG_RESOURCE_CLIENT_METRICS:
			if (name.length <= 0)
				return fail(answer, KAFKA_ERROR_INVALID_REQUEST, "a subscription must have a name");
			*entries = pgt_other_configs_metrics();
			return KAFKA_ERROR_NONE;
		case CONFIG_RESOURCE_GROUP:
			if (name.length <= 0)
				return fail(answer, KAFKA_ERROR_INVALID_REQUEST, "a group must have a name");
			if (pgt_group_coordinator_check(request->client, name) == KAFKA_ERROR_GROUP_AUTHORIZATION_FAILED)
				return fail(answer, KAFKA_ERROR_GROUP_AUTHORIZATION_FAILED, "the group belongs to another role");
			*entries = pgt_group_config_list(name);
			return KAFKA_ERROR_NONE;
		default:
			return fail(answer, KAFKA_ERROR_INVALID_REQUEST, "there is no such type of resource");
	}
}

/* ---- the answer ------------------------------------------------------------------ */

/* Is the configuration one of those that are asked for?  No names stand for all. */
static bool
is_asked(const AskedResource *asked, const char *name)
{
	int			length = strlen(name);

	for (int i = 0; i < asked->configuration_keys.count; i++)
	{
		KafkaString key = asked->configuration_keys.items[i];

		if (key.length == length && memcmp(key.data, name, length) == 0)
			return true;
	}
	return asked->configuration_keys.count <= 0;
}

static KafkaString
string_or_null(const char *text)
{
	return text == NULL ? (KafkaString) {.length = -1} : pgt_database_text_for_client(text);
}

static void
fill_synonyms(BrokerRequest *request, AnsweredConfig *answer, List *synonyms)
{
	AnsweredSynonym *items = pgt_broker_array(request, KAFKA_DESCRIBE_CONFIGS_RESPONSE_DESCRIBE_CONFIGS_SYNONYM,
											  list_length(synonyms));
	int			count = 0;
	ListCell   *cell;

	foreach(cell, synonyms)
	{
		const ConfigSynonym *synonym = lfirst(cell);

		items[count].name = pgt_broker_string(synonym->name);
		items[count].value = string_or_null(synonym->value);
		items[count++].source = synonym->source;
	}
	answer->synonyms.items = items;
	answer->synonyms.count = count;
}

static void
fill_config(BrokerRequest *request, AnsweredConfig *answer, const ConfigEntry *entry)
{
	const KafkaDescribeConfigsRequest *body = request->kafka.body;

	answer->name = pgt_broker_string(entry->name);
	answer->value = string_or_null(entry->value);
	answer->read_only = entry->read_only;
	answer->config_source = entry->source;
	answer->config_type = entry->type;
	answer->documentation = string_or_null(body->include_documentation ? entry->documentation : NULL);
	if (body->include_synonyms)
		fill_synonyms(request, answer, entry->synonyms);
}

static void
fill_configs(BrokerRequest *request, const AskedResource *asked, AnsweredResource *answer, List *entries)
{
	AnsweredConfig *configs = pgt_broker_array(request, KAFKA_DESCRIBE_CONFIGS_RESPONSE_DESCRIBE_CONFIGS_RESOURCE_RESULT,
											   list_length(entries));
	int			count = 0;
	ListCell   *cell;

	foreach(cell, entries)
	{
		const ConfigEntry *entry = lfirst(cell);

		if (is_asked(asked, entry->name))
			fill_config(request, &configs[count++], entry);
	}
	answer->configs.items = configs;
	answer->configs.count = count;
}

/* Answer for a resource. */
static void
answer_resource(BrokerRequest *request, DescribeConfigs *state, int n)
{
	const KafkaDescribeConfigsRequest *body = request->kafka.body;
	const AskedResource *asked = &body->resources.items[n];
	AnsweredResource *answer = &state->response.results.items[n];
	List	   *entries = NIL;

	answer->resource_type = asked->resource_type;
	answer->resource_name = asked->resource_name;
	answer->error_message.length = -1;
	if (state->repeated[n] != BROKER_SINGLE)
		answer->error_code = fail(answer, KAFKA_ERROR_INVALID_REQUEST, "the resource is in the request more than once");
	else if (asked->configuration_keys.count > KEYS_MAX)
		answer->error_code = fail(answer, KAFKA_ERROR_INVALID_REQUEST, "more configurations are asked for than there are");
	else
		answer->error_code = describe(request, asked, answer, &entries);
	fill_configs(request, asked, answer, entries);
}

/* ---- the request ------------------------------------------------------------------- */

/* Answer for the resource that is next; false: none is left. */
static bool
step(BrokerRequest *request)
{
	DescribeConfigs *state = request->state;

	if (state->next >= state->response.results.count)
		return false;
	answer_resource(request, state, state->next++);
	return true;
}

static void
finish(BrokerRequest *request)
{
	pgt_broker_answer_in_slices(request, &((DescribeConfigs *) request->state)->response, NULL);
}

/* Which resources are there more than once: by name and type. */
static BrokerRepeated *
find_repeated(const KafkaDescribeConfigsRequest *body)
{
	KafkaString *names = MemoryContextAllocHuge(CurrentMemoryContext, Max(body->resources.count, 1) * sizeof(KafkaString));

	for (int i = 0; i < body->resources.count; i++)
		names[i] = pgt_config_resource_key(body->resources.items[i].resource_type, body->resources.items[i].resource_name);
	return pgt_broker_find_repeated(names, body->resources.count);
}

static void
serve(BrokerRequest *request)
{
	const KafkaDescribeConfigsRequest *body = request->kafka.body;
	DescribeConfigs *state = palloc0(sizeof(DescribeConfigs));
	int			count = Max(body->resources.count, 0);

	request->state = state;
	state->repeated = find_repeated(body);
	pgt_kafka_default_struct(KAFKA_DESCRIBE_CONFIGS_RESPONSE, &state->response);
	state->response.results.count = count;
	state->response.results.items = pgt_broker_array(request, KAFKA_DESCRIBE_CONFIGS_RESPONSE_DESCRIBE_CONFIGS_RESULT, count);
	pgt_broker_take_steps(request, step, finish);
}
