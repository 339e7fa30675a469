/*
 * find_coordinator.c
 *	  The API FindCoordinator: which node coordinates groups and transactions.
 *
 * There is one node, and it coordinates all groups and transactions of its database; a standby coordinates none, and
 * clients ask again.  Who may use a group is answered by the requests about the group.
 *
 * So it is with transactional ids.  A share partition, which is what brokers ask for among themselves, is found at the
 * same node; whether there is one of that name is not asked, but it must be a name of one, as in Kafka.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "broker/core/cluster.h"
#include "broker/groups/find_coordinator.h"
#include "kafka/kafka_default.h"
#include "kafka/kafka_error.h"
#include "kafka/kafka_name.h"

#define TYPE_GROUP			0
#define TYPE_TRANSACTION	1
#define TYPE_SHARE			2

/* From this version on several keys are asked for, and from that one on share partitions. */
#define VERSION_KEYS	4
#define VERSION_SHARE	6

/* May a key of this type be looked for, and found now? */
static KafkaError
check(const BrokerRequest *request, int8 type, KafkaString key)
{
	if (type != TYPE_GROUP && type != TYPE_TRANSACTION && type != TYPE_SHARE)
		return KAFKA_ERROR_INVALID_REQUEST;
	if (type == TYPE_SHARE && (request->kafka.version < VERSION_SHARE || !pgt_kafka_name_is_share_partition(key)))
		return KAFKA_ERROR_INVALID_REQUEST;
	return RecoveryInProgress() ? KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE : KAFKA_ERROR_NONE;
}

/* What to tell with an error; null for none, as in Kafka. */
static KafkaString
message_of(KafkaError error)
{
	if (error == KAFKA_ERROR_NONE)
		return (KafkaString) {NULL, -1};
	return pgt_broker_string(pgt_kafka_error_message(error));
}

/* The node, or that there is none. */
static const ClusterNode *
node_of(const ClusterNode *here, KafkaError error)
{
	static const ClusterNode nowhere = {.id = -1,.host = {"", 0},.port = -1};

	return error == KAFKA_ERROR_NONE ? here : &nowhere;
}

/* Fill in an answer for each key. */
static void
fill_coordinators(BrokerRequest *request, const ClusterNode *here, KafkaFindCoordinatorResponse *response)
{
	const KafkaFindCoordinatorRequest *body = request->kafka.body;

	response->coordinators.count = Max(body->coordinator_keys.count, 0);
	response->coordinators.items = pgt_broker_array(request, KAFKA_FIND_COORDINATOR_RESPONSE_COORDINATOR,
													response->coordinators.count);
	for (int i = 0; i < response->coordinators.count; i++)
	{
		KafkaFindCoordinatorResponseCoordinator *coordinator = &response->coordinators.items[i];
		KafkaError	error = check(request, body->key_type, body->coordinator_keys.items[i]);
		const ClusterNode *node = node_of(here, error);

		coordinator->key = body->coordinator_keys.items[i];
		coordinator->node_id = node->id;
		coordinator->host = node->host;
		coordinator->port = node->port;
		coordinator->error_code = error;
		coordinator->error_message = message_of(error);
	}
}

/* BrokerApi */
static void
serve(BrokerRequest *request)
{
	const KafkaFindCoordinatorRequest *body = request->kafka.body;
	ClusterNode here = pgt_cluster_node(request->client);
	KafkaFindCoordinatorResponse response;

	pgt_kafka_default_struct(KAFKA_FIND_COORDINATOR_RESPONSE, &response);
	if (request->kafka.version < VERSION_KEYS)
	{
		KafkaError	error = check(request, body->key_type, body->key);
		const ClusterNode *node = node_of(&here, error);

		response.error_code = error;
		response.error_message = message_of(error);
		response.node_id = node->id;
		response.host = node->host;
		response.port = node->port;
	}
	else
		fill_coordinators(request, &here, &response);
	pgt_broker_answer(request, &response);
}

const BrokerApi pgt_find_coordinator_api = {.key = KAFKA_API_FIND_COORDINATOR,.serve = serve};
