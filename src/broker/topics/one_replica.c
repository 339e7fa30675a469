/*
 * one_replica.c
 *	  ElectLeaders, AlterPartitionReassignments and ListPartitionReassignments, where each partition has one replica.
 *
 * All partitions are this broker's, which is as clients see it their leader and their one replica.  So no election is
 * needed (84), a partition that is to be on this broker is there already, and nothing is ever on its way to another one:
 * any other assignment is refused (39), and there is none to cancel (85).
 *
 *	  3		there is no such topic or partition
 *	  29	the role has no privilege on the topic; to assign it anew, it must own it
 */
#include "postgres.h"

#include "broker/core/access.h"
#include "broker/core/cluster.h"
#include "broker/core/topic_lookup.h"
#include "broker/core/topic_names.h"
#include "broker/core/turn.h"
#include "broker/topics/one_replica.h"
#include "kafka/kafka_default.h"

#define ELECTION_TYPES		2	/* preferred and unclean */
#define FIRST_WITH_ERROR	1	/* version of ElectLeaders: before it there is no error for all */

typedef KafkaElectLeadersRequestTopicPartitions ElectedTopic;
typedef KafkaElectLeadersResponseReplicaElectionResult ElectionResult;
typedef KafkaAlterPartitionReassignmentsRequestReassignableTopic ReassignedTopic;
typedef KafkaAlterPartitionReassignmentsResponseReassignableTopicResponse ReassignmentResult;

/* How far a request is. */
typedef struct ReplicaProgress
{
	int32		next;			/* topic */
	void	   *results;		/* for all topics */
} ReplicaProgress;

/* ---- ElectLeaders ---------------------------------------------------------------------- */

static void
elect_in_topic(BrokerRequest *request, const ElectedTopic *topic, ElectionResult *result)
{
	TopicLookup found = pgt_topic_lookup_keep(request->client, pgt_topic_names_find(topic->topic), ACL_SELECT | ACL_INSERT);

	result->topic = topic->topic;
	result->partition_result.count = topic->partitions.count;
	result->partition_result.items = pgt_broker_array(request, KAFKA_ELECT_LEADERS_RESPONSE_PARTITION_RESULT,
													  topic->partitions.count);
	for (int32 i = 0; i < topic->partitions.count; i++)
	{
		TopicPartition key;
		KafkaError	error = pgt_topic_lookup_partition(&found, topic->partitions.items[i], &key);

		if (error == KAFKA_ERROR_NONE)
			error = KAFKA_ERROR_ELECTION_NOT_NEEDED;
		result->partition_result.items[i].partition_id = topic->partitions.items[i];
		result->partition_result.items[i].error_code = error;
		result->partition_result.items[i].error_message = pgt_broker_string(pgt_kafka_error_message(error));
	}
}

/* Answer for the topic that is next; false: none is left. */
static bool
elect_in_next(BrokerRequest *request)
{
	const KafkaElectLeadersRequest *body = request->kafka.body;
	ReplicaProgress *progress = request->state;
	int32		i = progress->next++;

	if (i >= body->topic_partitions.count)
		return false;
	elect_in_topic(request, &body->topic_partitions.items[i], &((ElectionResult *) progress->results)[i]);
	return true;
}

static void
finish_electing(BrokerRequest *request)
{
	const KafkaElectLeadersRequest *body = request->kafka.body;
	ReplicaProgress *progress = request->state;
	KafkaElectLeadersResponse response;

	pgt_kafka_default_struct(KAFKA_ELECT_LEADERS_RESPONSE, &response);
	response.replica_election_results.items = progress->results;
	response.replica_election_results.count = Max(body->topic_partitions.count, 0);
	pgt_broker_answer(request, &response);
}

/* Null asks for all partitions that need an election, which are none. */
static void
elect(BrokerRequest *request)
{
	const KafkaElectLeadersRequest *body = request->kafka.body;
	ReplicaProgress *progress;
	KafkaElectLeadersResponse response;

	if (request->kafka.version >= FIRST_WITH_ERROR && (body->election_type < 0 || body->election_type >= ELECTION_TYPES))
	{
		pgt_kafka_default_struct(KAFKA_ELECT_LEADERS_RESPONSE, &response);
		response.error_code = KAFKA_ERROR_INVALID_REQUEST;
		pgt_broker_answer(request, &response);
		return;
	}
	progress = palloc0(sizeof(ReplicaProgress));
	progress->results = pgt_broker_array(request, KAFKA_ELECT_LEADERS_RESPONSE_REPLICA_ELECTION_RESULT,
										 Max(body->topic_partitions.count, 0));
	request->state = progress;
	pgt_broker_take_steps(request, elect_in_next, finish_electing);
}

/* ---- AlterPartitionReassignments ---------------------------------------------------------- */

/* What there is to say of a wanted assignment of a partition that there is; null stands for the end of one that is under way. */
static KafkaError
judge(const KafkaAlterPartitionReassignmentsRequestReassignablePartition *partition)
{
	if (partition->replicas.count < 0)
		return KAFKA_ERROR_NO_REASSIGNMENT_IN_PROGRESS;
	if (partition->replicas.count != 1 || partition->replicas.items[0] != pgt_cluster_nodes()[0])
		return KAFKA_ERROR_INVALID_REPLICA_ASSIGNMENT;
	return KAFKA_ERROR_NONE;
}

static void
reassign_topic(BrokerRequest *request, const ReassignedTopic *topic, ReassignmentResult *result)
{
	Oid			oid = pgt_topic_names_find(topic->name);
	TopicLookup found = pgt_topic_lookup_keep(request->client, oid, ACL_SELECT | ACL_INSERT);

	if (found.error == KAFKA_ERROR_NONE && !pgt_access_owns_topic(request->client, oid))
		found.error = KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED;
	result->name = topic->name;
	result->partitions.count = topic->partitions.count;
	result->partitions.items = pgt_broker_array(request,
												KAFKA_ALTER_PARTITION_REASSIGNMENTS_RESPONSE_REASSIGNABLE_PARTITION_RESPONSE,
												topic->partitions.count);
	for (int32 i = 0; i < topic->partitions.count; i++)
	{
		TopicPartition key;
		KafkaError	error = pgt_topic_lookup_partition(&found, topic->partitions.items[i].partition_index, &key);

		if (error == KAFKA_ERROR_NONE)
			error = judge(&topic->partitions.items[i]);
		result->partitions.items[i].partition_index = topic->partitions.items[i].partition_index;
		result->partitions.items[i].error_code = error;
		result->partitions.items[i].error_message =
			pgt_broker_string(error == KAFKA_ERROR_NONE ? NULL :
							  error == KAFKA_ERROR_INVALID_REPLICA_ASSIGNMENT ?
							  "all partitions are on this broker, the only one there is" : pgt_kafka_error_message(error));
	}
}

/* Answer for the topic that is next; false: none is left. */
static bool
reassign_next(BrokerRequest *request)
{
	const KafkaAlterPartitionReassignmentsRequest *body = request->kafka.body;
	ReplicaProgress *progress = request->state;
	int32		i = progress->next++;

	if (i >= body->topics.count)
		return false;
	reassign_topic(request, &body->topics.items[i], &((ReassignmentResult *) progress->results)[i]);
	return true;
}

static void
finish_reassigning(BrokerRequest *request)
{
	const KafkaAlterPartitionReassignmentsRequest *body = request->kafka.body;
	ReplicaProgress *progress = request->state;
	KafkaAlterPartitionReassignmentsResponse response;

	pgt_kafka_default_struct(KAFKA_ALTER_PARTITION_REASSIGNMENTS_RESPONSE, &response);
	response.error_message = pgt_broker_string(NULL);
	response.allow_replication_factor_change = body->allow_replication_factor_change;
	response.responses.items = progress->results;
	response.responses.count = body->topics.count;
	pgt_broker_answer(request, &response);
}

static void
reassign(BrokerRequest *request)
{
	const KafkaAlterPartitionReassignmentsRequest *body = request->kafka.body;
	ReplicaProgress *progress = palloc0(sizeof(ReplicaProgress));

	progress->results = pgt_broker_array(request, KAFKA_ALTER_PARTITION_REASSIGNMENTS_RESPONSE_REASSIGNABLE_TOPIC_RESPONSE,
										 body->topics.count);
	request->state = progress;
	pgt_broker_take_steps(request, reassign_next, finish_reassigning);
}

/* ---- ListPartitionReassignments ------------------------------------------------------------ */

static void
list(BrokerRequest *request)
{
	KafkaListPartitionReassignmentsResponse response;

	pgt_kafka_default_struct(KAFKA_LIST_PARTITION_REASSIGNMENTS_RESPONSE, &response);
	response.error_message = pgt_broker_string(NULL);
	pgt_broker_answer(request, &response);
}

const BrokerApi pgt_one_replica_elect_api = {.key = KAFKA_API_ELECT_LEADERS, .serve = elect};
const BrokerApi pgt_one_replica_reassign_api = {.key = KAFKA_API_ALTER_PARTITION_REASSIGNMENTS, .serve = reassign};
const BrokerApi pgt_one_replica_list_api = {.key = KAFKA_API_LIST_PARTITION_REASSIGNMENTS, .serve = list};
