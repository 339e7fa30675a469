/*
 * describe_cluster.c
 *	  DescribeCluster: the brokers, for administrators' tools.
 */
#include "postgres.h"

#include "broker/core/access.h"
#include "broker/core/cluster.h"
#include "broker/core/turn.h"
#include "broker/topics/describe_cluster.h"
#include "kafka/kafka_default.h"
#include "kafka/kafka_error.h"

static void serve(BrokerRequest *request);

const BrokerApi pgt_describe_cluster_api = {.key = KAFKA_API_DESCRIBE_CLUSTER, .serve = serve};

#define ENDPOINT_BROKERS	1	/* of version 1 and later; 2 stands for controllers, which are none of their own here */

/* The one broker. */
static void
fill_broker(BrokerRequest *request, KafkaDescribeClusterResponse *response)
{
	KafkaDescribeClusterResponseDescribeClusterBroker *broker =
		pgt_broker_array(request, KAFKA_DESCRIBE_CLUSTER_RESPONSE_DESCRIBE_CLUSTER_BROKER, 1);
	ClusterNode node = pgt_cluster_node(request->client);

	broker->broker_id = node.id;
	broker->host = node.host;
	broker->port = node.port;
	broker->rack = node.rack;
	response->brokers.items = broker;
	response->brokers.count = 1;
	response->controller_id = node.id;
	response->cluster_id = pgt_cluster_id();
}

static void
serve(BrokerRequest *request)
{
	const KafkaDescribeClusterRequest *body = request->kafka.body;
	KafkaDescribeClusterResponse response;

	pgt_kafka_default_struct(KAFKA_DESCRIBE_CLUSTER_RESPONSE, &response);
	if (body->endpoint_type == ENDPOINT_BROKERS)
	{
		fill_broker(request, &response);
		if (body->include_cluster_authorized_operations)
		{
			pgt_turn_open();
			response.cluster_authorized_operations = pgt_access_cluster_operations(request->client);
		}
	}
	else
	{
		response.error_code = KAFKA_ERROR_MISMATCHED_ENDPOINT_TYPE;
		response.error_message = pgt_broker_string("this listener serves brokers, not controllers");
	}
	pgt_broker_answer(request, &response);
}
