/*
 * delete_records.c
 *	  DeleteRecords: removing the records of partitions before an offset.
 *
 * The loop hands the request to a helper process, which does what delete_records() does in SQL, as the
 * client's role, in a transaction for each partition (topic_change.h).  The answer has the offset at which the
 * partition begins then.  It is not undone by anything.
 *
 *	  1		the offset is behind the last record that can be read, or negative; -1 stands for all that can be read
 *	  3		there is no such topic or partition
 *	  6		this server is a standby
 *	  29	the role is not the topic's owner
 *	  44	the topic is compacted and nothing else: as in Kafka, records of it stay until there are newer ones
 *	  56	trouble with the log's files
 *	  7		no time was left: another process works on the topic's files
 */
#include "postgres.h"

#include "broker/helpers/helper_pool.h"
#include "broker/helpers/topic_change.h"
#include "broker/topics/delete_records.h"
#include "kafka/kafka_default.h"
#include "maintenance/record_deletion.h"
#include "miscadmin.h"

static void serve(BrokerRequest *request);
static void run(HelperCall *call);

const BrokerApi pgt_delete_records_api = {.key = KAFKA_API_DELETE_RECORDS,.serve = serve};
const HelperApi pgt_delete_records_helper = {.key = KAFKA_API_DELETE_RECORDS,.run = run};

#define NO_WATERMARK	(-1)

/*
 * In Kafka the time of a request is for replicas to follow, and begins to count when the leader has deleted the
 * records: clients that give it no time have them deleted.  Here some time goes by until a helper has done it.
 */
#define MIN_TIMEOUT		1000	/* ms */

typedef KafkaDeleteRecordsRequestDeleteRecordsTopic WantedTopic;
typedef KafkaDeleteRecordsRequestDeleteRecordsPartition WantedPartition;
typedef KafkaDeleteRecordsResponseDeleteRecordsTopicResult TopicResult;
typedef KafkaDeleteRecordsResponseDeleteRecordsPartitionResult PartitionResult;

/* A partition whose records are being deleted. */
typedef struct Deletion
{
	KafkaString topic;
	const WantedPartition *wanted;
	int64		log_start;		/* afterwards */
} Deletion;

/* ---- one partition ---------------------------------------------------------------------- */

static Oid
find_topic(void *arg)
{
	return pgt_topic_change_find(((Deletion *) arg)->topic);
}

/* Delete the records; in a transaction. */
static void
delete(void *arg)
{
	Deletion   *deletion = arg;
	const Topic *topic;

	PreventCommandDuringRecovery("DeleteRecords");
	topic = pgt_topic_get(pgt_topic_change_lock(find_topic, deletion, ShareUpdateExclusiveLock, "delete records of"));
	if (deletion->wanted->partition_index < 0 || deletion->wanted->partition_index >= topic->partitions)
		pgt_topic_change_refuse(KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION, "the topic has no such partition");
	if ((topic->cleanup_policy & CLEANUP_DELETE) == 0)
		pgt_topic_change_refuse(KAFKA_ERROR_POLICY_VIOLATION, "records of a compacted topic are not deleted so");
	deletion->log_start = pgt_record_deletion_run(topic, deletion->wanted->partition_index, deletion->wanted->offset);
}

/* What Kafka's clients know by another error here than in other requests of this kind. */
static KafkaError
error_of(KafkaError error)
{
	switch (error)
	{
		case KAFKA_ERROR_INVALID_CONFIG:
			/* an argument that the function does not take, which is the offset */
			return KAFKA_ERROR_OFFSET_OUT_OF_RANGE;
		case KAFKA_ERROR_NOT_CONTROLLER:
			return KAFKA_ERROR_NOT_LEADER_OR_FOLLOWER;
		default:
			return error;
	}
}

static void
serve_partition(HelperCall *call, KafkaString topic, const WantedPartition *wanted, PartitionResult *result)
{
	Deletion	deletion = {.topic = topic,.wanted = wanted,.log_start = NO_WATERMARK};
	char	   *message;

	result->error_code = error_of(pgt_topic_change_run(call, delete, &deletion, false, &message));
	if (result->error_code == KAFKA_ERROR_NONE)
		result->low_watermark = deletion.log_start;
}

/* ---- the request --------------------------------------------------------------------------- */

/* A response with an entry for each partition of the request, which has this error. */
static void
begin_response(BrokerRequest *request, KafkaDeleteRecordsResponse *response, KafkaError error)
{
	const KafkaDeleteRecordsRequest *body = request->kafka.body;
	TopicResult *topics = pgt_broker_array(request, KAFKA_DELETE_RECORDS_RESPONSE_DELETE_RECORDS_TOPIC_RESULT,
										   body->topics.count);

	pgt_kafka_default_struct(KAFKA_DELETE_RECORDS_RESPONSE, response);
	for (int32 i = 0; i < body->topics.count; i++)
	{
		const WantedTopic *wanted = &body->topics.items[i];
		PartitionResult *partitions =
			pgt_broker_array(request, KAFKA_DELETE_RECORDS_RESPONSE_DELETE_RECORDS_PARTITION_RESULT,
							 wanted->partitions.count);

		topics[i].name = wanted->name;
		topics[i].partitions.items = partitions;
		topics[i].partitions.count = wanted->partitions.count;
		for (int32 j = 0; j < wanted->partitions.count; j++)
		{
			partitions[j].partition_index = wanted->partitions.items[j].partition_index;
			partitions[j].low_watermark = NO_WATERMARK;
			partitions[j].error_code = error;
		}
	}
	response->topics.items = topics;
	response->topics.count = body->topics.count;
}

/* In the helper. */
static void
run(HelperCall *call)
{
	const KafkaDeleteRecordsRequest *body = call->request.kafka.body;
	KafkaDeleteRecordsResponse response;

	begin_response(&call->request, &response, KAFKA_ERROR_NONE);
	for (int32 i = 0; i < body->topics.count; i++)
	{
		const WantedTopic *wanted = &body->topics.items[i];

		for (int32 j = 0; j < wanted->partitions.count; j++)
			serve_partition(call, wanted->name, &wanted->partitions.items[j],
							&response.topics.items[i].partitions.items[j]);
	}
	pgt_helper_answer(call, &response);
}

/* In the loop: answer with an error for all partitions. */
static void
refuse(BrokerRequest *request, KafkaError error, const char *message)
{
	KafkaDeleteRecordsResponse response;

	begin_response(request, &response, error);
	pgt_broker_answer(request, &response);
}

static void
serve(BrokerRequest *request)
{
	const KafkaDeleteRecordsRequest *body = request->kafka.body;

	pgt_helper_pool_hand(request, Max(body->timeout_ms, MIN_TIMEOUT), refuse);
}
