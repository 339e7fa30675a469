/*
 * txn_offset_commit.c
 *	  The API TxnOffsetCommit: a group's offsets, committed when the transaction is.
 *
 * They are written as pending ones (pending_offset.h), durably before the answer.  From version 5 on the first of them
 * begins the transaction, as Produce does (KIP-890).
 *
 * What is asked of a member, and of its rights, is what OffsetCommit asks, as of now.  But a producer that does not say
 * what member it is may commit while the group has some, as clients of old versions do.
 *
 * Each partition is answered for itself, as what concerns the whole is: the response has no place for one error.
 */
#include "postgres.h"

#include "broker/core/database_text.h"
#include "broker/core/topic_lookup.h"
#include "broker/core/topic_names.h"
#include "broker/groups/group_coordinator.h"
#include "broker/offsets/offset_metadata.h"
#include "broker/offsets/pending_offset.h"
#include "broker/transactions/txn_offset_commit.h"
#include "broker/transactions/txn_request.h"
#include "kafka/kafka_default.h"

#define VERSION_BEGINS	5
#define VERSION_IDS		6

/* So many rows are written in a turn. */
#define WRITES_MAX		500

typedef KafkaTxnOffsetCommitRequestTopic AskedTopic;
typedef KafkaTxnOffsetCommitRequestPartition AskedPartition;
typedef KafkaTxnOffsetCommitResponseTopic AnsweredTopic;

typedef struct TxnOffsetCommit
{
	TxnRequest	whole;			/* the first field */
	KafkaTxnOffsetCommitResponse response;
	const char *group;			/* in the encoding of the database */
	int64		parts;
	int			topic;			/* how far it has come */
	int			partition;
	int			written;		/* in this turn */
} TxnOffsetCommit;

/* ---- what concerns the whole --------------------------------------------------- */

/* May the client commit for the group? */
static KafkaError
check_group(TxnOffsetCommit *state)
{
	BrokerRequest *request = state->whole.request;
	const KafkaTxnOffsetCommitRequest *body = request->kafka.body;
	KafkaError	error = pgt_group_coordinator_check(request->client, body->group_id);

	if (error != KAFKA_ERROR_NONE)
		return error;
	state->group = pgt_database_text_of_client(body->group_id);
	if (state->group == NULL)
		return KAFKA_ERROR_INVALID_GROUP_ID;
	if (body->generation_id_or_member_epoch < 0 && body->member_id.length <= 0 && body->group_instance_id.length < 0)
		return KAFKA_ERROR_NONE;
	return pgt_group_coordinator_check_commit(body->group_id, body->member_id, body->group_instance_id,
											  body->generation_id_or_member_epoch);
}

/* Find the transaction, or begin it. */
static KafkaError
find_transaction(const TxnOffsetCommit *state, PendingOffset *pending)
{
	BrokerRequest *request = state->whole.request;
	const KafkaTxnOffsetCommitRequest *body = request->kafka.body;
	KafkaError	error;

	pending->producer_id = body->producer_id;
	pending->group = state->group;
	error = pgt_txn_coordinator_number(request->client, state->whole.id,
									   (TxnProducer) {body->producer_id, body->producer_epoch},
									   request->kafka.version >= VERSION_BEGINS, &pending->transaction);
	if (error == KAFKA_ERROR_NONE && state->topic == 0 && state->partition == 0 &&
		pgt_pending_offset_count(pending->producer_id, pending->transaction) + state->parts > PENDING_OFFSET_MAX)
		error = KAFKA_ERROR_INVALID_COMMIT_OFFSET_SIZE;
	return error == KAFKA_ERROR_PRODUCER_FENCED ? KAFKA_ERROR_INVALID_PRODUCER_EPOCH : error;
}

/* ---- partitions ------------------------------------------------------------------- */

/* The topic that an entry names. */
static TopicLookup
look_up(BrokerRequest *request, const AskedTopic *asked)
{
	Oid			topic = request->kafka.version < VERSION_IDS ? pgt_topic_names_find(asked->name) :
		pgt_topic_names_id_is_null(&asked->topic_id) ? InvalidOid : pgt_topic_names_by_id(&asked->topic_id);
	TopicLookup found = pgt_topic_lookup_keep(request->client, topic, ACL_SELECT);

	if (found.error == KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION && request->kafka.version >= VERSION_IDS)
		found.error = KAFKA_ERROR_UNKNOWN_TOPIC_ID;
	return found;
}

/* Set what is to be committed in a partition, or return what is wrong with it. */
static KafkaError
set_offset(const TopicLookup *topic, const AskedPartition *asked, PendingOffset *pending)
{
	TopicPartition key;
	KafkaError	error = pgt_topic_lookup_partition(topic, asked->partition_index, &key);

	if (error != KAFKA_ERROR_NONE)
		return error;
	if (asked->committed_offset < 0 || asked->committed_offset > MAX_OFFSET)
		return KAFKA_ERROR_OFFSET_OUT_OF_RANGE;
	if (asked->committed_metadata.length > MAX_OFFSET_METADATA)
		return KAFKA_ERROR_OFFSET_METADATA_TOO_LARGE;
	pending->topic = topic->relid;
	pending->partition = asked->partition_index;
	pending->offset.next = asked->committed_offset;
	pending->offset.leader_epoch = Max(asked->committed_leader_epoch, -1);
	pending->offset.metadata = pgt_offset_metadata_of_client(asked->committed_metadata);
	return KAFKA_ERROR_NONE;
}

/* Write the partitions of the topic at hand.  False if the turn has enough before. */
static bool
write_topic(TxnOffsetCommit *state, PendingOffset *pending)
{
	const KafkaTxnOffsetCommitRequest *body = state->whole.request->kafka.body;
	const AskedTopic *asked = &body->topics.items[state->topic];
	AnsweredTopic *answer = &state->response.topics.items[state->topic];
	TopicLookup found = look_up(state->whole.request, asked);

	for (; state->partition < answer->partitions.count; state->partition++)
	{
		KafkaError	error;

		if (state->written >= WRITES_MAX)
			return false;
		error = set_offset(&found, &asked->partitions.items[state->partition], pending);
		if (error == KAFKA_ERROR_NONE)
		{
			pgt_pending_offset_write(pending);
			state->written++;
		}
		answer->partitions.items[state->partition].error_code = error;
	}
	state->topic++;
	state->partition = 0;
	return true;
}

/* ---- the request ------------------------------------------------------------------- */

/* TxnRequest.  Rows of an earlier turn are there; if that one was lost, the client is told to begin anew. */
static KafkaError
step(TxnRequest *whole)
{
	TxnOffsetCommit *state = (TxnOffsetCommit *) whole;
	PendingOffset pending = {0};
	KafkaError	error = check_group(state);

	if (error == KAFKA_ERROR_NONE)
		error = find_transaction(state, &pending);
	if (error != KAFKA_ERROR_NONE)
		return error;
	state->written = 0;
	while (state->topic < state->response.topics.count)
		if (!write_topic(state, &pending))
		{
			whole->keeps = true;
			return KAFKA_ERROR_CONCURRENT_TRANSACTIONS;
		}
	return KAFKA_ERROR_NONE;
}

/* TxnRequest.  An error of the whole is that of all partitions. */
static void
answer(TxnRequest *whole, KafkaError error)
{
	TxnOffsetCommit *state = (TxnOffsetCommit *) whole;

	for (int i = 0; i < state->response.topics.count && error != KAFKA_ERROR_NONE; i++)
	{
		AnsweredTopic *topic = &state->response.topics.items[i];

		for (int k = 0; k < topic->partitions.count; k++)
			topic->partitions.items[k].error_code = error;
	}
	pgt_broker_answer(whole->request, &state->response);
}

/* Make the response. */
static void
make_response(BrokerRequest *request, TxnOffsetCommit *state)
{
	const KafkaTxnOffsetCommitRequest *body = request->kafka.body;

	pgt_kafka_default_struct(KAFKA_TXN_OFFSET_COMMIT_RESPONSE, &state->response);
	state->response.topics.count = Max(body->topics.count, 0);
	state->response.topics.items = pgt_broker_array(request, KAFKA_TXN_OFFSET_COMMIT_RESPONSE_TOPIC, state->response.topics.count);
	for (int i = 0; i < state->response.topics.count; i++)
	{
		const AskedTopic *asked = &body->topics.items[i];
		AnsweredTopic *answer = &state->response.topics.items[i];

		answer->name = asked->name;
		answer->topic_id = asked->topic_id;
		answer->partitions.count = Max(asked->partitions.count, 0);
		answer->partitions.items = pgt_broker_array(request, KAFKA_TXN_OFFSET_COMMIT_RESPONSE_PARTITION, answer->partitions.count);
		for (int k = 0; k < answer->partitions.count; k++)
			answer->partitions.items[k].partition_index = asked->partitions.items[k].partition_index;
		state->parts += answer->partitions.count;
	}
}

/* BrokerApi */
static void
serve(BrokerRequest *request)
{
	const KafkaTxnOffsetCommitRequest *body = request->kafka.body;
	TxnOffsetCommit *state = palloc0(sizeof(TxnOffsetCommit));

	state->whole.step = step;
	state->whole.answer = answer;
	make_response(request, state);
	pgt_txn_request_begin(&state->whole, request, body->transactional_id);
}

const BrokerApi pgt_txn_offset_commit_api = {.key = KAFKA_API_TXN_OFFSET_COMMIT, .serve = serve, .uses_tables = true};
