/*
 * offset_commit.c
 *	  The API OffsetCommit: a group's offsets, by its members and by clients without a membership.
 *
 * Each partition is answered for itself, as what concerns the group is: the response has no place for one error.  What
 * is committed is what commit_offset() commits in SQL (kafka_offset.h); how it is written, and when the answer is
 * sent, is told in offset_request.c.
 *
 * Rights are asked as in SQL: who may read a topic may commit there, for a group that is his own, or that of a role
 * whose privileges he has.
 *
 * The time for which clients of old versions want the offset to be kept does not count, as in Kafka: the setting
 * pg_topics.offsets_retention_minutes does.
 */
#include "postgres.h"

#include "broker/core/access.h"
#include "broker/core/database_text.h"
#include "broker/core/topic_names.h"
#include "broker/core/turn.h"
#include "broker/groups/group_coordinator.h"
#include "broker/offsets/offset_commit.h"
#include "broker/offsets/offset_metadata.h"
#include "broker/offsets/offset_request.h"
#include "kafka/kafka_default.h"
#include "topic/topic.h"

/* From this version on topics are told by their id. */
#define VERSION_IDS		10

/* ---- one partition ------------------------------------------------------------ */

/* Set what is to be committed, or return what is wrong with it. */
static KafkaError
set_offset(const KafkaOffsetCommitRequestPartition *sent, KafkaOffset *offset)
{
	if (sent->committed_offset < 0 || sent->committed_offset > MAX_OFFSET)
		return KAFKA_ERROR_OFFSET_OUT_OF_RANGE;
	if (sent->committed_metadata.length > MAX_OFFSET_METADATA)
		return KAFKA_ERROR_OFFSET_METADATA_TOO_LARGE;
	offset->next = sent->committed_offset;
	offset->leader_epoch = Max(sent->committed_leader_epoch, -1);
	offset->metadata = pgt_offset_metadata_of_client(sent->committed_metadata);
	return KAFKA_ERROR_NONE;
}

/* ---- a topic -------------------------------------------------------------------- */

/* The topic that an entry names; InvalidOid if there is none. */
static Oid
topic_of(const BrokerRequest *request, const KafkaOffsetCommitRequestTopic *sent)
{
	if (request->kafka.version < VERSION_IDS)
		return pgt_topic_names_find(sent->name);
	return pgt_topic_names_id_is_null(&sent->topic_id) ? InvalidOid : pgt_topic_names_by_id(&sent->topic_id);
}

/* May the client commit there? */
static KafkaError
check_topic(const OffsetRequest *whole)
{
	if (!OidIsValid(whole->topic) || !pgt_topic_exists(whole->topic))
		return whole->gone;
	if (!pgt_access_topic(whole->request->client, whole->topic, ACL_SELECT))
		return KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED;
	return KAFKA_ERROR_NONE;
}

/* OffsetRequestKind */
static int
begin_topic(OffsetRequest *whole, int n)
{
	const KafkaOffsetCommitRequest *body = whole->request->kafka.body;
	const KafkaOffsetCommitRequestTopic *sent = &body->topics.items[n];
	KafkaOffsetCommitResponseTopic *answers = &((KafkaOffsetCommitResponse *) whole->response)->topics.items[n];

	whole->topic = topic_of(whole->request, sent);
	whole->topic_error = check_topic(whole);
	answers->name = sent->name;
	answers->topic_id = sent->topic_id;
	answers->partitions.count = Max(sent->partitions.count, 0);
	answers->partitions.items = pgt_broker_array(whole->request, KAFKA_OFFSET_COMMIT_RESPONSE_PARTITION,
												 answers->partitions.count);
	return answers->partitions.count;
}

/* OffsetRequestKind */
static void
take_partition(OffsetRequest *whole, int n, int partition)
{
	const KafkaOffsetCommitRequest *body = whole->request->kafka.body;
	const KafkaOffsetCommitRequestPartition *sent = &body->topics.items[n].partitions.items[partition];
	KafkaOffsetCommitResponsePartition *answer =
		&((KafkaOffsetCommitResponse *) whole->response)->topics.items[n].partitions.items[partition];
	KafkaOffset offset;
	KafkaError	error = whole->topic_error != KAFKA_ERROR_NONE ? whole->topic_error : set_offset(sent, &offset);

	answer->partition_index = sent->partition_index;
	answer->error_code = error;
	if (error == KAFKA_ERROR_NONE)
		pgt_offset_request_add(whole, sent->partition_index, &answer->error_code)->write.offset = offset;
}

/* ---- the request ------------------------------------------------------------------ */

/* OffsetRequestKind */
static KafkaError
check(OffsetRequest *whole)
{
	const KafkaOffsetCommitRequest *body = whole->request->kafka.body;
	KafkaError	error = pgt_group_coordinator_check(whole->request->client, body->group_id);

	if (error != KAFKA_ERROR_NONE)
		return error;
	if (whole->group == NULL)
		return KAFKA_ERROR_INVALID_GROUP_ID;
	return pgt_group_coordinator_check_commit(body->group_id, body->member_id, body->group_instance_id,
											  body->generation_id_or_member_epoch);
}

/* OffsetRequestKind */
static void
answer(OffsetRequest *whole)
{
	pgt_broker_answer(whole->request, whole->response);
}

static const OffsetRequestKind commit_kind = {
	.begin_topic = begin_topic,.take_partition = take_partition,.check = check,.answer = answer,.sql_member = KAFKA_ERROR_UNKNOWN_MEMBER_ID
};

/* BrokerApi */
static void
serve(BrokerRequest *request)
{
	const KafkaOffsetCommitRequest *body = request->kafka.body;
	KafkaOffsetCommitResponse *response = palloc(sizeof(KafkaOffsetCommitResponse));
	int64		parts = 0;
	OffsetRequest *whole;

	for (int i = 0; i < body->topics.count; i++)
		parts += Max(body->topics.items[i].partitions.count, 0);
	pgt_kafka_default_struct(KAFKA_OFFSET_COMMIT_RESPONSE, response);
	response->topics.count = Max(body->topics.count, 0);
	response->topics.items = pgt_broker_array(request, KAFKA_OFFSET_COMMIT_RESPONSE_TOPIC, response->topics.count);
	whole = pgt_offset_request_begin(request, &commit_kind, parts);
	whole->response = response;
	whole->topics = response->topics.count;
	whole->gone = request->kafka.version < VERSION_IDS ? KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION :
		KAFKA_ERROR_UNKNOWN_TOPIC_ID;
	pgt_turn_open();
	whole->group = pgt_database_text_of_client(body->group_id);
	pgt_offset_request_go(whole);
}

const BrokerApi pgt_offset_commit_api = {.key = KAFKA_API_OFFSET_COMMIT, .serve = serve, .uses_tables = true};
