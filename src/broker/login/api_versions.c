/*
 * api_versions.c
 *	  ApiVersions: what is served, and in which versions.
 *
 * The first request of nearly every client.  APIs without an entry in api_table.c are not
 * told of: clients then do without what they would need them for.
 */
#include "postgres.h"

#include "broker/core/broker_settings.h"
#include "broker/core/cluster.h"
#include "broker/login/api_versions.h"
#include "broker/login/authentication.h"
#include "kafka/kafka_default.h"
#include "kafka/kafka_error.h"
#include "kafka/kafka_name.h"


static void serve(BrokerRequest *request);

const BrokerApi pgt_api_versions_api = {.key = KAFKA_API_API_VERSIONS, .anonymous = true, .serve = serve};

static bool
is_served(int key)
{
	return pgt_broker_find_api(key) != NULL;
}

/* Copy a name that is legal. */
static void
note_name(char *to, KafkaString name)
{
	int			length = Min(name.length, NAMEDATALEN - 1);

	memcpy(to, name.data, length);
	to[length] = '\0';
}

/* Note what software the client is, as its version 3 and later tell.  False: it is no legal name. */
static bool
note_software(BrokerRequest *request)
{
	const KafkaApiVersionsRequest *body = request->kafka.body;
	BrokerConnection *client = request->client;

	if (request->kafka.version < 3)
		return true;
	if (!pgt_kafka_name_is_software(body->client_software_name) ||
		!pgt_kafka_name_is_software(body->client_software_version))
		return false;
	note_name(client->software_name, body->client_software_name);
	note_name(client->software_version, body->client_software_version);
	return true;
}

/*
 * Does the client, as its version 5 tells, take this for the node that it has met before?  Where an
 * address has become another node's, the client has to find its cluster anew.
 */
static bool
is_expected_node(BrokerRequest *request)
{
	const KafkaApiVersionsRequest *body = request->kafka.body;
	KafkaString id = pgt_cluster_id();

	if (request->kafka.version < 5)
		return true;
	if (body->cluster_id.length >= 0 &&
		(body->cluster_id.length != id.length || memcmp(body->cluster_id.data, id.data, id.length) != 0))
		return false;
	return body->node_id < 0 || body->node_id == pgt_kafka_node_id;
}

/*
 * Features of the whole cluster: clients use what is finalized.  That is, as in Kafka 4.4, its new consumer protocol, transactions
 * of which each has an epoch of its own (KIP-890), and share groups.
 */
static const struct
{
	const char *name;
	int16		version;
}			features[] = {
	{"group.version", 1},
	{"transaction.version", 2},
	{"share.version", 1},
};

static void
add_features(BrokerRequest *request, KafkaApiVersionsResponse *response)
{
	KafkaApiVersionsResponseSupportedFeatureKey *supported =
		pgt_broker_array(request, KAFKA_API_VERSIONS_RESPONSE_SUPPORTED_FEATURE_KEY, lengthof(features));
	KafkaApiVersionsResponseFinalizedFeatureKey *finalized =
		pgt_broker_array(request, KAFKA_API_VERSIONS_RESPONSE_FINALIZED_FEATURE_KEY, lengthof(features));

	for (int i = 0; i < lengthof(features); i++)
	{
		supported[i].name = finalized[i].name = pgt_broker_string(features[i].name);
		supported[i].max_version = features[i].version;
		finalized[i].min_version_level = finalized[i].max_version_level = features[i].version;
	}
	response->supported_features.items = supported;
	response->finalized_features.items = finalized;
	response->supported_features.count = response->finalized_features.count = lengthof(features);
	response->finalized_features_epoch = 0;
}

static void
serve(BrokerRequest *request)
{
	KafkaApiVersionsResponse response;

	pgt_authentication_expect(request->client);
	pgt_kafka_default_struct(KAFKA_API_VERSIONS_RESPONSE, &response);
	if (!note_software(request))
		response.error_code = KAFKA_ERROR_INVALID_REQUEST;
	else if (!is_expected_node(request))
		response.error_code = KAFKA_ERROR_REBOOTSTRAP_REQUIRED;
	else if (!pgt_kafka_api_list(&request->arena, is_served, &response))
	{
		pgt_broker_close(request, "there is no memory for an answer");
		return;
	}
	else
		add_features(request, &response);
	pgt_broker_answer(request, &response);
}
