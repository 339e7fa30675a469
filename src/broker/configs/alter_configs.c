/*
 * alter_configs.c
 *	  AlterConfigs and IncrementalAlterConfigs: changing the options of topics.
 *
 * The loop hands the request to a helper process, where each topic is altered by the statement that
 * alter_topic() runs in SQL, as the client's role, in a transaction of its own (topic_change.h); with
 * validate_only it is rolled back.  A topic is altered as a whole or not at all.  AlterConfigs replaces all
 * options that clients can set; IncrementalAlterConfigs sets them, removes them, or changes lists:
 *
 *	  SET		the option has the value
 *	  DELETE	it has its default again; no error where it had that, or where there is no such option
 *	  APPEND	words that the list, or its default, does not have are added to it
 *	  SUBTRACT	words are taken out of it
 *
 * A group's configuration is rows of a table (alter_group_config.c), with the same operations, but for those on lists.
 *
 * The other resources are there to be read.  A client that alters the broker's configuration is told
 * which setting of postgresql.conf it is.
 *
 *	  3		there is no topic of the name
 *	  17	it cannot be a name
 *	  29	the role is not the topic's owner; 30: nor the group's
 *	  40	an option that there is not, or does not take the value; APPEND to what is no list
 *	  42	a resource, or an option of one, is in the request twice; a value is null; a resource that cannot be altered
 *	  44	an event trigger refuses the change
 *	  7		no time was left: the topic was in use
 */
#include "postgres.h"

#include "broker/configs/alter_configs.h"
#include "broker/configs/alter_group_config.h"
#include "broker/configs/broker_configs.h"
#include "broker/configs/config_resource.h"
#include "broker/configs/topic_configs.h"
#include "broker/helpers/helper_pool.h"
#include "broker/helpers/topic_change.h"
#include "commands/defrem.h"
#include "ddl/create_topic.h"
#include "foreign/foreign.h"
#include "kafka/kafka_default.h"
#include "kafka/kafka_name.h"
#include "topic/topic_options.h"

static void serve(BrokerRequest *request);
static void run(HelperCall *call);

const BrokerApi pgt_alter_configs_api = {.key = KAFKA_API_ALTER_CONFIGS,.serve = serve};
const BrokerApi pgt_alter_configs_incremental_api = {.key = KAFKA_API_INCREMENTAL_ALTER_CONFIGS,.serve = serve};
const HelperApi pgt_alter_configs_helper = {.key = KAFKA_API_ALTER_CONFIGS,.run = run};
const HelperApi pgt_alter_configs_incremental_helper = {.key = KAFKA_API_INCREMENTAL_ALTER_CONFIGS,.run = run};

/* The requests do not say how long they may take; Java's client waits for 30 s. */
#define TIMEOUT_MS	25000
#define OPTIONS_MAX	1000		/* of one resource */
#define LIST_MAX	32767		/* bytes of a list that words are added to: more than Kafka's strings can have */

/* What is done with an option, in Kafka's numbers (AlterConfigOp.OpType). */
typedef enum AlterOperation
{
	ALTER_SET = 0,
	ALTER_DELETE = 1,
	ALTER_APPEND = 2,
	ALTER_SUBTRACT = 3
} AlterOperation;

typedef struct WantedOption
{
	KafkaString name;
	KafkaString value;
	int			operation;
} WantedOption;

/* A resource of either request, with what becomes of it. */
typedef struct WantedResource
{
	int			type;
	KafkaString name;
	WantedOption *options;
	int32		count;
	KafkaError	error;
	char	   *message;
} WantedResource;

typedef struct AlterConfigs
{
	HelperCall *call;
	WantedResource *resources;
	int32		count;
	bool		replaces;		/* options that are not named are removed */
	bool		dry;
	WantedResource *resource;	/* the one that is being altered */
} AlterConfigs;

/* ---- what a topic's options become ------------------------------------------------- */

/* Options that are not for clients to set so. */
static void
refuse_hidden(const char *name)
{
	if (pgt_topic_configs_is_hidden(name))
		pgt_topic_change_refuse(KAFKA_ERROR_INVALID_CONFIG, "option \"%s\" cannot be set by Kafka's clients", name);
}

static List *
add_change(List *changes, const char *name, char *value)
{
	CreateTopicOption *change = palloc(sizeof(CreateTopicOption));

	change->name = pstrdup(name);
	change->value = value;
	return lappend(changes, change);
}

/* Is the word in a list of such? */
static bool
has_word(List *words, const char *word)
{
	ListCell   *cell;

	foreach(cell, words)
	{
		if (strcmp(lfirst(cell), word) == 0)
			return true;
	}
	return false;
}

/* The words of a list of Kafka's, between its commas. */
static List *
words_of(const char *text)
{
	List	   *words = NIL;

	while (*text != '\0')
	{
		int			length = strcspn(text, ",");

		words = lappend(words, pnstrdup(text, length));
		text += length;
		text += *text == ',';
	}
	return words;
}

static char *
join(List *words)
{
	StringInfoData text;
	ListCell   *cell;

	initStringInfo(&text);
	foreach(cell, words)
		appendStringInfo(&text, "%s%s", text.len > 0 ? "," : "", (char *) lfirst(cell));
	return text.data;
}

/* A list with the words of another one, or without them. */
static char *
changed_list(const char *old, const char *given, bool adds)
{
	List	   *words = words_of(old);
	List	   *given_words = words_of(given);
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, words)
	{
		if (adds || !has_word(given_words, lfirst(cell)))
			result = lappend(result, lfirst(cell));
	}
	foreach(cell, given_words)
	{
		if (adds && !has_word(result, lfirst(cell)))
			result = lappend(result, lfirst(cell));
	}
	return join(result);
}

/* The value of an option that is a list, when that has been changed. */
static char *
list_value(const char *name, List *options, int operation, const char *given)
{
	List	   *values = pgt_topic_options_list(options);
	ListCell   *cell;

	foreach(cell, values)
	{
		TopicOptionValue *option = lfirst(cell);

		if (strcmp(option->name, name) == 0 && option->type == TOPIC_OPTION_LIST)
		{
			char	   *list = changed_list(option->text, given, operation == ALTER_APPEND);

			if (strlen(list) > LIST_MAX)
				pgt_topic_change_refuse(KAFKA_ERROR_INVALID_CONFIG, "option \"%s\" would be too long", name);
			return list;
		}
	}
	pgt_topic_change_refuse(KAFKA_ERROR_INVALID_CONFIG, "option \"%s\" is not a list", name);
}

/* Add what becomes of an option. */
static List *
add_wanted(AlterConfigs *state, List *changes, List *options, const WantedOption *wanted)
{
	char	   *name = pgt_topic_change_text(state->call, wanted->name);
	char	   *value;

	refuse_hidden(name);
	if (wanted->operation == ALTER_DELETE)
		return add_change(changes, name, NULL);
	pgt_topic_options_check_name(name);
	value = pgt_topic_change_text(state->call, wanted->value);
	if (wanted->operation != ALTER_SET)
		value = list_value(name, options, wanted->operation, value);
	return add_change(changes, name, value);
}

/* Is the option among the changes? */
static bool
is_changed(List *changes, const char *name)
{
	ListCell   *cell;

	foreach(cell, changes)
	{
		if (strcmp(((CreateTopicOption *) lfirst(cell))->name, name) == 0)
			return true;
	}
	return false;
}

/* Remove the options that are set, and not changed. */
static List *
add_removed(List *changes, List *options)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		const char *name = lfirst_node(DefElem, cell)->defname;

		if (!pgt_topic_configs_is_hidden(name) && !is_changed(changes, name))
			changes = add_change(changes, name, NULL);
	}
	return changes;
}

static Oid
find_topic(void *arg)
{
	return pgt_topic_change_find(((AlterConfigs *) arg)->resource->name);
}

/* Alter a topic; in a transaction. */
static void
alter(void *arg)
{
	AlterConfigs *state = arg;
	Oid			topic = pgt_topic_change_lock(find_topic, state, AccessExclusiveLock, "alter");
	List	   *options = GetForeignTable(topic)->options;
	List	   *changes = NIL;

	for (int32 i = 0; i < state->resource->count; i++)
		changes = add_wanted(state, changes, options, &state->resource->options[i]);
	if (state->replaces)
		changes = add_removed(changes, options);
	pgt_create_topic_alter(topic, changes);
}

/* ---- one resource --------------------------------------------------------------------- */

static KafkaError
refuse_resource(WantedResource *resource, KafkaError error, const char *message)
{
	resource->message = pstrdup(message);
	return error;
}

static KafkaError
alter_topic(AlterConfigs *state, WantedResource *resource)
{
	const char *problem = resource->name.length <= 0 ? NULL : pgt_kafka_name_topic_problem(resource->name);

	if (resource->name.length <= 0)
		return refuse_resource(resource, KAFKA_ERROR_INVALID_REQUEST, "a topic must have a name");
	if (problem != NULL)
		return refuse_resource(resource, KAFKA_ERROR_INVALID_TOPIC_EXCEPTION, problem);
	state->resource = resource;
	return pgt_topic_change_run(state->call, alter, state, state->dry, &resource->message);
}

/* The broker's configuration is what the administrator of the server has written. */
static KafkaError
alter_broker(AlterConfigs *state, WantedResource *resource)
{
	char	   *name;
	const char *setting;

	if (resource->name.length > 0 && !pgt_config_resource_is_broker(resource->name))
		return refuse_resource(resource, KAFKA_ERROR_INVALID_REQUEST, "there is no such broker");
	if (resource->count == 0)
		return KAFKA_ERROR_NONE;
	name = pgt_broker_cstring(&state->call->request, resource->options[0].name);
	setting = name == NULL ? NULL : pgt_broker_configs_setting(name);
	if (setting != NULL)
		resource->message = psprintf("the broker's configuration \"%s\" is the setting %s in postgresql.conf", name, setting);
	else
		resource->message = pstrdup("the broker's configuration cannot be altered by Kafka's clients");
	return KAFKA_ERROR_INVALID_REQUEST;
}

/* What is to become of a configuration of a group. */
static AlterGroupOption
group_option(AlterConfigs *state, const WantedOption *wanted)
{
	AlterGroupOption option = {.name = pgt_topic_change_text(state->call, wanted->name)};

	if (wanted->operation == ALTER_APPEND || wanted->operation == ALTER_SUBTRACT)
		pgt_topic_change_refuse(KAFKA_ERROR_INVALID_CONFIG, "configuration \"%s\" is not a list", option.name);
	if (wanted->operation == ALTER_SET)
		option.value = pgt_topic_change_text(state->call, wanted->value);
	return option;
}

/* Change a group's; in a transaction. */
static void
change_group(void *arg)
{
	AlterConfigs *state = arg;
	const WantedResource *resource = state->resource;
	AlterGroupConfig change = {
		.group = resource->name,.count = resource->count,.replaces = state->replaces,
		.options = palloc(Max(resource->count, 1) * sizeof(AlterGroupOption))
	};

	for (int32 i = 0; i < resource->count; i++)
		change.options[i] = group_option(state, &resource->options[i]);
	pgt_alter_group_config(&change);
}

static KafkaError
alter_group(AlterConfigs *state, WantedResource *resource)
{
	if (resource->name.length <= 0)
		return refuse_resource(resource, KAFKA_ERROR_INVALID_REQUEST, "a group must have a name");
	state->resource = resource;
	return pgt_topic_change_run(state->call, change_group, state, state->dry, &resource->message);
}

/* Resources of which nothing can be set, so that there is nothing to be removed either. */
static KafkaError
alter_nothing(WantedResource *resource, const char *message)
{
	if (resource->name.length <= 0)
		return refuse_resource(resource, KAFKA_ERROR_INVALID_REQUEST, "the resource must have a name");
	for (int32 i = 0; i < resource->count; i++)
	{
		if (resource->options[i].operation != ALTER_DELETE)
			return refuse_resource(resource, KAFKA_ERROR_INVALID_REQUEST, message);
	}
	return KAFKA_ERROR_NONE;
}

/* What is wrong with the options of a resource, whatever it is; NULL: nothing. */
static const char *
options_problem(const WantedResource *resource)
{
	KafkaString *names = palloc(Max(resource->count, 1) * sizeof(KafkaString));
	BrokerRepeated *repeated;

	for (int32 i = 0; i < resource->count; i++)
		names[i] = resource->options[i].name;
	repeated = pgt_broker_find_repeated(names, resource->count);
	for (int32 i = 0; i < resource->count; i++)
	{
		int			operation = resource->options[i].operation;

		if (repeated[i] != BROKER_SINGLE)
			return "an option is in the request more than once";
		if (operation < ALTER_SET || operation > ALTER_SUBTRACT)
			return "there is no such operation on an option";
		if (operation != ALTER_DELETE && resource->options[i].value.length < 0)
			return "the value of an option is null";
	}
	return NULL;
}

/* Alter a resource that is in the request once. */
static KafkaError
alter_resource(AlterConfigs *state, WantedResource *resource)
{
	const char *problem = resource->count > OPTIONS_MAX ? "more options are named than there are" : options_problem(resource);

	if (problem != NULL)
		return refuse_resource(resource, KAFKA_ERROR_INVALID_REQUEST, problem);
	switch (resource->type)
	{
		case CONFIG_RESOURCE_TOPIC:
			return alter_topic(state, resource);
		case CONFIG_RESOURCE_BROKER:
			return alter_broker(state, resource);
		case CONFIG_RESOURCE_BROKER_LOGGER:
			if (state->replaces)
				break;
			return alter_nothing(resource, "there is no such logger");
		case CONFIG_RESOURCE_CLIENT_METRICS:
			return alter_nothing(resource, "metrics of clients are not collected");
		case CONFIG_RESOURCE_GROUP:
			return alter_group(state, resource);
		default:
			break;
	}
	return refuse_resource(resource, KAFKA_ERROR_INVALID_REQUEST, "there is no such type of resource that can be altered");
}

static void
refuse_all(AlterConfigs *state, KafkaError error, const char *message)
{
	for (int32 i = 0; i < state->count; i++)
		state->resources[i].error = refuse_resource(&state->resources[i], error, message);
}

static KafkaString
message_of(const WantedResource *resource)
{
	return resource->error == KAFKA_ERROR_NONE ? (KafkaString) {.length = -1} : pgt_broker_string(resource->message);
}

/* Alter all. */
static void
alter_all(AlterConfigs *state)
{
	KafkaString *keys = MemoryContextAllocHuge(CurrentMemoryContext, Max(state->count, 1) * sizeof(KafkaString));
	BrokerRepeated *repeated;

	for (int32 i = 0; i < state->count; i++)
		keys[i] = pgt_config_resource_key(state->resources[i].type, state->resources[i].name);
	repeated = pgt_broker_find_repeated(keys, state->count);
	for (int32 i = 0; i < state->count; i++)
	{
		WantedResource *resource = &state->resources[i];

		if (repeated[i] != BROKER_SINGLE)
			resource->error = refuse_resource(resource, KAFKA_ERROR_INVALID_REQUEST, "the resource is in the request more than once");
		else
			resource->error = alter_resource(state, resource);
	}
}

/* ---- the request: of either API ------------------------------------------------------------- */

/* What the two APIs answer is the same, in structures of two names. */
typedef KafkaAlterConfigsResponse Response;
typedef KafkaAlterConfigsResponseAlterConfigsResourceResponse ResourceResponse;
typedef KafkaIncrementalAlterConfigsResponse IncrementalResponse;
typedef KafkaIncrementalAlterConfigsResponseAlterConfigsResourceResponse IncrementalResourceResponse;

#define SAME_PLACE(a, b, field) (offsetof(a, field) == offsetof(b, field) && sizeof(((a *) 0)->field) == sizeof(((b *) 0)->field))

StaticAssertDecl(sizeof(Response) == sizeof(IncrementalResponse) && SAME_PLACE(Response, IncrementalResponse, responses) &&
				 SAME_PLACE(Response, IncrementalResponse, throttle_time_ms),
				 "responses of AlterConfigs and IncrementalAlterConfigs differ");
StaticAssertDecl(sizeof(ResourceResponse) == sizeof(IncrementalResourceResponse) &&
				 SAME_PLACE(ResourceResponse, IncrementalResourceResponse, error_code) &&
				 SAME_PLACE(ResourceResponse, IncrementalResourceResponse, error_message) &&
				 SAME_PLACE(ResourceResponse, IncrementalResourceResponse, resource_type) &&
				 SAME_PLACE(ResourceResponse, IncrementalResourceResponse, resource_name),
				 "resources of these responses differ");

/* Room for the resources of a request, and for the options of one. */
static void
make_resources(AlterConfigs *state, int32 count)
{
	state->count = Max(count, 0);
	state->resources = MemoryContextAllocExtended(CurrentMemoryContext, Max(count, 1) * sizeof(WantedResource),
												  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

static WantedOption *
make_options(WantedResource *resource, int type, KafkaString name, int32 count)
{
	resource->type = type;
	resource->name = name;
	resource->count = Max(count, 0);
	resource->options = MemoryContextAllocHuge(CurrentMemoryContext, Max(count, 1) * sizeof(WantedOption));
	return resource->options;
}

static void
take_whole(AlterConfigs *state, const KafkaAlterConfigsRequest *body)
{
	state->replaces = true;
	state->dry = body->validate_only;
	make_resources(state, body->resources.count);
	for (int32 i = 0; i < state->count; i++)
	{
		const KafkaAlterConfigsRequestAlterConfigsResource *asked = &body->resources.items[i];
		WantedOption *options = make_options(&state->resources[i], asked->resource_type, asked->resource_name,
											 asked->configs.count);

		for (int32 j = 0; j < asked->configs.count; j++)
			options[j] = (WantedOption) {asked->configs.items[j].name, asked->configs.items[j].value, ALTER_SET};
	}
}

static void
take_incremental(AlterConfigs *state, const KafkaIncrementalAlterConfigsRequest *body)
{
	state->dry = body->validate_only;
	make_resources(state, body->resources.count);
	for (int32 i = 0; i < state->count; i++)
	{
		const KafkaIncrementalAlterConfigsRequestAlterConfigsResource *asked = &body->resources.items[i];
		WantedOption *options = make_options(&state->resources[i], asked->resource_type, asked->resource_name,
											 asked->configs.count);

		for (int32 j = 0; j < asked->configs.count; j++)
			options[j] = (WantedOption) {asked->configs.items[j].name, asked->configs.items[j].value,
				asked->configs.items[j].config_operation};
	}
}

/* What a request wants. */
static void
take(AlterConfigs *state, const BrokerRequest *request)
{
	if (request->kafka.api->key == KAFKA_API_ALTER_CONFIGS)
		take_whole(state, request->kafka.body);
	else
		take_incremental(state, request->kafka.body);
}

/* Fill in a response; the resources have what has become of them. */
static void
fill_response(BrokerRequest *request, const AlterConfigs *state, Response *response)
{
	ResourceResponse *entries =
		pgt_broker_array(request, KAFKA_ALTER_CONFIGS_RESPONSE_ALTER_CONFIGS_RESOURCE_RESPONSE, state->count);

	pgt_kafka_default_struct(KAFKA_ALTER_CONFIGS_RESPONSE, response);
	for (int32 i = 0; i < state->count; i++)
	{
		entries[i].resource_type = state->resources[i].type;
		entries[i].resource_name = state->resources[i].name;
		entries[i].error_code = state->resources[i].error;
		entries[i].error_message = message_of(&state->resources[i]);
	}
	response->responses.items = entries;
	response->responses.count = state->count;
}

/* In the helper. */
static void
run(HelperCall *call)
{
	AlterConfigs state = {.call = call};
	Response	response;

	take(&state, &call->request);
	alter_all(&state);
	fill_response(&call->request, &state, &response);
	pgt_helper_answer(call, &response);
}

/* In the loop: answer with an error for all. */
static void
refuse(BrokerRequest *request, KafkaError error, const char *message)
{
	AlterConfigs state = {0};
	Response	response;

	take(&state, request);
	refuse_all(&state, error, message);
	fill_response(request, &state, &response);
	pgt_broker_answer(request, &response);
}

static void
serve(BrokerRequest *request)
{
	pgt_helper_pool_hand(request, TIMEOUT_MS, refuse);
}
