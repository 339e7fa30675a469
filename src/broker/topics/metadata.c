/*
 * metadata.c
 *	  Metadata: topics, their partitions, and where they are served.
 *
 * A client asks for topics by name, by id, or for all; it gets those that its role has a
 * privilege on.  All partitions are led by this node.  A topic that a statement has for
 * itself, for instance DROP or ALTER, is reported as being without a leader for the moment:
 * clients ask again.
 *
 * Topics that there are not may be created by being asked for: see auto_create.h.
 *
 * A request may name any number of topics: it is served in slices.
 */
#include "postgres.h"

#include "broker/core/access.h"
#include "broker/core/cluster.h"
#include "broker/core/topic_lookup.h"
#include "broker/core/topic_names.h"
#include "broker/core/turn.h"
#include "broker/topics/auto_create.h"
#include "broker/topics/metadata.h"
#include "kafka/kafka_default.h"
#include "kafka/kafka_name.h"
#include "topic/topic.h"
#include "utils/hsearch.h"

static void serve(BrokerRequest *request);

const BrokerApi pgt_metadata_api = {.key = KAFKA_API_METADATA, .serve = serve};

/* Who may do one of these may know of a topic. */
#define KNOWING		(ACL_SELECT | ACL_INSERT)

/* How far a request has come. */
typedef struct MetadataState
{
	KafkaMetadataResponse response;	/* its topics so far */
	int			next;			/* the next item of the request, or of "all" */
	int			end;
	List	   *all;			/* where all topics are asked for */
	HTAB	   *seen;			/* the topics that have been answered already; NULL with "all" */
	bool		creates;		/* some are to be created that the client has named */
} MetadataState;

/* ---- one topic ------------------------------------------------------------- */

/* Fill in the partitions. */
static void
fill_partitions(BrokerRequest *request, KafkaMetadataResponseTopic *entry, int32 count)
{
	int32		epoch = pgt_cluster_leader_epoch();
	int32	   *nodes = pgt_cluster_nodes();
	KafkaMetadataResponsePartition *partitions =
		pgt_broker_array(request, KAFKA_METADATA_RESPONSE_PARTITION, count);

	for (int32 i = 0; i < count; i++)
	{
		partitions[i].partition_index = i;
		partitions[i].leader_id = nodes[0];
		partitions[i].leader_epoch = epoch;
		partitions[i].replica_nodes.items = partitions[i].isr_nodes.items = nodes;
		partitions[i].replica_nodes.count = partitions[i].isr_nodes.count = 1;
	}
	entry->partitions.items = partitions;
	entry->partitions.count = count;
}

/* Fill in what is known of a topic, or the error; entry->name and id are what the client asked for. */
static KafkaError
fill_topic(BrokerRequest *request, KafkaMetadataResponseTopic *entry, Oid oid)
{
	const KafkaMetadataRequest *body = request->kafka.body;
	const Topic *topic;

	entry->error_code = pgt_topic_lookup(request->client, oid, KNOWING, &topic);
	if (entry->error_code != KAFKA_ERROR_NONE)
		return entry->error_code;
	entry->topic_id = pgt_topic_names_id(oid);
	fill_partitions(request, entry, topic->partitions);
	if (body->include_topic_authorized_operations)
		entry->topic_authorized_operations = pgt_access_topic_operations(request->client, oid);
	return KAFKA_ERROR_NONE;
}

/* ---- which topics ---------------------------------------------------------- */

/* The topics that have been answered already, so that a request cannot ask for one many times. */
static HTAB *
make_oid_set(BrokerRequest *request)
{
	HASHCTL		info = {.keysize = sizeof(Oid), .entrysize = sizeof(Oid), .hcxt = request->memory};

	return hash_create("pg_topics metadata topics", 64, &info, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Is it the first time that the topic is asked for?  It always is, for what is no topic. */
static bool
is_first(HTAB *seen, Oid topic)
{
	bool		found;

	if (!OidIsValid(topic))
		return true;
	(void) hash_search(seen, &topic, HASH_ENTER, &found);
	return !found;
}

/*
 * The topic that an item of the request stands for; *error, if it cannot be one.  *by_id tells
 * that it is an id and not a name: an id counts, whatever name stands beside it, since some clients
 * say an empty one there and others none.
 */
static Oid
find_item(const KafkaMetadataRequestTopic *item, int version, bool *by_id, KafkaError *error)
{
	bool		has_id = !pgt_topic_names_id_is_null(&item->topic_id);

	*by_id = false;
	*error = KAFKA_ERROR_NONE;
	if (version < 12 && (has_id || item->name.length < 0))
		*error = KAFKA_ERROR_INVALID_REQUEST;
	else if (has_id || item->name.length < 0)
	{
		*by_id = true;
		return pgt_topic_names_by_id(&item->topic_id);
	}
	else if (pgt_kafka_name_topic_problem(item->name) != NULL)
		*error = KAFKA_ERROR_INVALID_TOPIC_EXCEPTION;
	else
		return pgt_topic_names_find(item->name);
	return InvalidOid;
}

/* The error for a topic that a client has asked for by its id: it must not learn that there is one. */
static KafkaError
error_for_id(KafkaError error)
{
	return error == KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION || error == KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED ?
		KAFKA_ERROR_UNKNOWN_TOPIC_ID : error;
}

/* Fill in one item of the request. */
static void
fill_item(BrokerRequest *request, const KafkaMetadataRequestTopic *item, KafkaMetadataResponseTopic *entry,
		  Oid oid, bool by_id, KafkaError error)
{
	entry->name = item->name;
	entry->topic_id = item->topic_id;
	if (by_id)
		entry->name = (KafkaString) {.length = -1};
	if (entry->name.length < 0 && request->kafka.version < 12)
		entry->name.length = 0;
	if (error == KAFKA_ERROR_NONE)
		error = fill_topic(request, entry, oid);
	if (by_id && error == KAFKA_ERROR_NONE)
	{
		char	   *name = pgt_topic_names_of(oid);

		if (name != NULL)
			entry->name = pgt_broker_string(name);
		else
			error = KAFKA_ERROR_UNKNOWN_TOPIC_ID;
	}
	else if (!by_id && error == KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION)
		error = pgt_auto_create_judge(request, item->name);
	entry->error_code = by_id ? error_for_id(error) : error;
	if (entry->error_code != KAFKA_ERROR_NONE)
		entry->partitions.count = 0;
}

/* Is a topic to be created that the client has asked for?  Only then is it without a leader, and not there. */
static bool
is_wanted(const KafkaMetadataResponseTopic *entry, Oid oid)
{
	return !OidIsValid(oid) && entry->error_code == KAFKA_ERROR_LEADER_NOT_AVAILABLE;
}

/* A topic that the client names. */
static void
add_named(BrokerRequest *request, MetadataState *state, const KafkaMetadataRequestTopic *item)
{
	bool		by_id;
	KafkaError	error;
	Oid			oid = find_item(item, request->kafka.version, &by_id, &error);
	KafkaMetadataResponseTopic *entry = &state->response.topics.items[state->response.topics.count];

	if (!is_first(state->seen, oid))
		return;
	fill_item(request, item, entry, oid, by_id, error);
	state->creates |= is_wanted(entry, oid);
	state->response.topics.count++;
}

/* One of all topics, if the client may know of it. */
static void
add_one_of_all(BrokerRequest *request, MetadataState *state, Oid oid)
{
	KafkaMetadataResponseTopic *entry = &state->response.topics.items[state->response.topics.count];
	char	   *name = pgt_topic_names_of(oid);
	KafkaError	error;

	if (name == NULL)
		return;
	entry->name = pgt_broker_string(name);
	error = fill_topic(request, entry, oid);
	if (error == KAFKA_ERROR_NONE || error == KAFKA_ERROR_LEADER_NOT_AVAILABLE)
		state->response.topics.count++;
}

/* ---- the answer ------------------------------------------------------------ */

/* Does the client want all topics? */
static bool
wants_all(const BrokerRequest *request)
{
	const KafkaMetadataRequest *body = request->kafka.body;

	return body->topics.count < 0 || (request->kafka.version == 0 && body->topics.count == 0);
}

/* The one broker. */
static void
fill_broker(BrokerRequest *request, KafkaMetadataResponse *response)
{
	KafkaMetadataResponseBroker *broker = pgt_broker_array(request, KAFKA_METADATA_RESPONSE_BROKER, 1);
	ClusterNode node = pgt_cluster_node(request->client);

	broker->node_id = node.id;
	broker->host = node.host;
	broker->port = node.port;
	broker->rack = node.rack;
	response->brokers.items = broker;
	response->brokers.count = 1;
	response->controller_id = node.id;
}

/* Add the topic that is next; false: none is left. */
static bool
step(BrokerRequest *request)
{
	const KafkaMetadataRequest *body = request->kafka.body;
	MetadataState *state = request->state;
	int			i = state->next++;

	if (i >= state->end)
		return false;
	if (state->seen != NULL)
		add_named(request, state, &body->topics.items[i]);
	else
		add_one_of_all(request, state, list_nth_oid(state->all, i));
	return true;
}

static void
finish(BrokerRequest *request)
{
	const KafkaMetadataRequest *body = request->kafka.body;
	MetadataState *state = request->state;

	/* now, as a reload between two slices changes it */
	fill_broker(request, &state->response);
	if (body->include_cluster_authorized_operations)
		state->response.cluster_authorized_operations = pgt_access_cluster_operations(request->client);
	if (state->creates)
		pgt_auto_create_begin(request);
	pgt_broker_answer_in_slices(request, &state->response, NULL);
}

static void
serve(BrokerRequest *request)
{
	const KafkaMetadataRequest *body = request->kafka.body;
	MetadataState *state = palloc0(sizeof(MetadataState));

	pgt_turn_open();
	request->state = state;
	pgt_kafka_default_struct(KAFKA_METADATA_RESPONSE, &state->response);
	state->response.cluster_id = pgt_cluster_id();
	if (wants_all(request))
		state->all = pgt_topic_list();
	else
		state->seen = make_oid_set(request);
	state->end = state->seen != NULL ? body->topics.count : list_length(state->all);
	state->response.topics.items = pgt_broker_array(request, KAFKA_METADATA_RESPONSE_TOPIC, state->end);
	state->response.topics.count = 0;
	pgt_broker_take_steps(request, step, finish);
}
