/*
 * list_config_resources.c
 *	  ListConfigResources: what there is that has a configuration.
 *
 * That are the topics that the client may know of, and the one broker, once for itself and once for its loggers.
 * Groups are those that something was set for, by a role for which the client may act; subscriptions to clients' metrics
 * would be, but nothing can be set for one.
 * Version 0 knows these subscriptions alone.
 */
#include "postgres.h"

#include "broker/configs/config_resource.h"
#include "broker/configs/list_config_resources.h"
#include "broker/core/access.h"
#include "broker/core/cluster.h"
#include "broker/core/topic_names.h"
#include "broker/core/turn.h"
#include "broker/groups/group_owner.h"
#include "group/group_types.h"
#include "group/kafka_group_config.h"
#include "kafka/kafka_default.h"
#include "kafka/kafka_error.h"
#include "topic/topic.h"

static void serve(BrokerRequest *request);

const BrokerApi pgt_list_config_resources_api = {.key = KAFKA_API_LIST_CONFIG_RESOURCES, .serve = serve};

#define KNOWING		(ACL_SELECT | ACL_INSERT)
#define GROUP_ROWS_MAX	20000
#define BROKERS		2			/* entries of the answer for the one broker */

typedef KafkaListConfigResourcesResponseConfigResource ResourceEntry;

/* How far a request has come. */
typedef struct ListConfigResources
{
	List	   *topics;			/* all of the database; NIL where none are asked for */
	int			next;
	KafkaListConfigResourcesResponse response;
} ListConfigResources;

/* Is a type of resources asked for?  No types stand for all. */
static bool
is_asked(const BrokerRequest *request, int8 type)
{
	const KafkaListConfigResourcesRequest *body = request->kafka.body;

	if (request->kafka.version == 0)
		return type == CONFIG_RESOURCE_CLIENT_METRICS;
	for (int i = 0; i < body->resource_types.count; i++)
	{
		if (body->resource_types.items[i] == type)
			return true;
	}
	return body->resource_types.count <= 0;
}

/* Are all types that are asked for known? */
static bool
is_sound(const KafkaListConfigResourcesRequest *body)
{
	for (int i = 0; i < body->resource_types.count; i++)
	{
		switch (body->resource_types.items[i])
		{
			case CONFIG_RESOURCE_TOPIC:
			case CONFIG_RESOURCE_BROKER:
			case CONFIG_RESOURCE_BROKER_LOGGER:
			case CONFIG_RESOURCE_CLIENT_METRICS:
			case CONFIG_RESOURCE_GROUP:
				break;
			default:
				return false;
		}
	}
	return true;
}

static void
add(ListConfigResources *state, int8 type, const char *name)
{
	ResourceEntry *entry = &state->response.config_resources.items[state->response.config_resources.count++];

	entry->resource_type = type;
	entry->resource_name = pgt_broker_string(name);
}

static void
add_topic(BrokerRequest *request, ListConfigResources *state, Oid topic)
{
	char	   *name = pgt_access_topic(request->client, topic, KNOWING) ? pgt_topic_names_of(topic) : NULL;

	if (name != NULL)
		add(state, CONFIG_RESOURCE_TOPIC, name);
}

/* Add the topic that is next; false: none is left. */
static bool
step(BrokerRequest *request)
{
	ListConfigResources *state = request->state;

	if (state->next >= list_length(state->topics))
		return false;
	add_topic(request, state, list_nth_oid(state->topics, state->next++));
	return true;
}

static void
finish(BrokerRequest *request)
{
	pgt_broker_answer_in_slices(request, &((ListConfigResources *) request->state)->response, NULL);
}

/* The groups with a configuration that the client may know of. */
static List *
find_groups(const BrokerRequest *request)
{
	List	   *groups = NIL;
	const char *last = NULL;
	ListCell   *cell;

	foreach(cell, pgt_kafka_group_config_read(NULL, GROUP_ROWS_MAX))
	{
		const KafkaGroupConfig *row = lfirst(cell);

		if (row->owner != GROUP_UNCLAIMED && !pgt_group_owner_may_act_for(request->client, row->owner))
			continue;
		if (last == NULL || strcmp(last, row->group) != 0)
			groups = lappend(groups, row->group);
		last = row->group;
	}
	return groups;
}

static void
add_broker(const BrokerRequest *request, ListConfigResources *state, int8 type)
{
	if (is_asked(request, type))
		add(state, type, psprintf("%d", pgt_cluster_nodes()[0]));
}

static void
serve(BrokerRequest *request)
{
	ListConfigResources *state = palloc0(sizeof(ListConfigResources));
	List	   *groups = NIL;
	ListCell   *cell;

	pgt_turn_open();
	request->state = state;
	pgt_kafka_default_struct(KAFKA_LIST_CONFIG_RESOURCES_RESPONSE, &state->response);
	if (!is_sound(request->kafka.body))
	{
		state->response.error_code = KAFKA_ERROR_UNSUPPORTED_VERSION;
		pgt_broker_answer(request, &state->response);
		return;
	}
	if (is_asked(request, CONFIG_RESOURCE_TOPIC))
		state->topics = pgt_topic_list();
	if (is_asked(request, CONFIG_RESOURCE_GROUP))
		groups = find_groups(request);
	state->response.config_resources.items =
		pgt_broker_array(request, KAFKA_LIST_CONFIG_RESOURCES_RESPONSE_CONFIG_RESOURCE,
						 list_length(state->topics) + list_length(groups) + BROKERS);
	foreach(cell, groups)
		add(state, CONFIG_RESOURCE_GROUP, lfirst(cell));
	add_broker(request, state, CONFIG_RESOURCE_BROKER_LOGGER);
	add_broker(request, state, CONFIG_RESOURCE_BROKER);
	pgt_broker_take_steps(request, step, finish);
}
