/*
 * find_coordinator.c
 *	  The API FindCoordinator: which node coordinates groups and transactions.
 *
 * There is one node, and it coordinates all groups and transactions of its database; a standby coordinates none, and
 * clients ask again.  Who may use a group is answered by the requests about the group.
 *
 * So it is with transactional ids.  A share partition, which is what brokers ask for among themselves, is found at the
 * same node.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "broker/core/cluster.h"
#include "broker/groups/find_coordinator.h"
#include "kafka/kafka_default.h"
#include "kafka/kafka_error.h"

#define TYPE_GROUP			0
#define TYPE_TRANSACTION	1
#define TYPE_SHARE			2

/* From this version on several keys are asked for. */
#define VERSION_KEYS	4

/* May keys of this type be looked for, and found now? */
static KafkaError
check_type(int8 type)
{
	if (type != TYPE_GROUP && type != TYPE_TRANSACTION && type != TYPE_SHARE)
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
static ClusterNode
find_node(const BrokerRequest *request, KafkaError error)
{
	if (error != KAFKA_ERROR_NONE)
		return (ClusterNode) {.id = -1,.host = {"", 0},.port = -1};
	return pgt_cluster_node(request->client);
}

/* Fill in an answer for each key; they differ in their keys alone. */
static void
fill_coordinators(BrokerRequest *request, KafkaError error, const ClusterNode *node,
				  KafkaFindCoordinatorResponse *response)
{
	const KafkaFindCoordinatorRequest *body = request->kafka.body;

	response->coordinators.count = Max(body->coordinator_keys.count, 0);
	response->coordinators.items = pgt_broker_array(request, KAFKA_FIND_COORDINATOR_RESPONSE_COORDINATOR,
													response->coordinators.count);
	for (int i = 0; i < response->coordinators.count; i++)
	{
		KafkaFindCoordinatorResponseCoordinator *coordinator = &response->coordinators.items[i];

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
	KafkaError	error = check_type(body->key_type);
	ClusterNode node = find_node(request, error);
	KafkaFindCoordinatorResponse response;

	pgt_kafka_default_struct(KAFKA_FIND_COORDINATOR_RESPONSE, &response);
	if (request->kafka.version < VERSION_KEYS)
	{
		response.error_code = error;
		response.error_message = message_of(error);
		response.node_id = node.id;
		response.host = node.host;
		response.port = node.port;
	}
	else
		fill_coordinators(request, error, &node, &response);
	pgt_broker_answer(request, &response);
}

const BrokerApi pgt_find_coordinator_api = {.key = KAFKA_API_FIND_COORDINATOR,.serve = serve};
