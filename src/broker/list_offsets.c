/*
 * list_offsets.c
 *	  The API ListOffsets: where partitions begin and end, and offsets by time.
 *
 * The end is the stable end (wal/log_stable_end.h), whichever isolation level is asked for, and
 * records behind it are not found.  Moments before 1970 stand for places:
 *
 *	  -1	the end
 *	  -2	the log start
 *	  -3	the record with the largest timestamp
 *	  -4	the first offset that is stored here: the log start
 *	  -5, -6	what tiered storage has, or is about to get: nothing
 *
 * After a start of the server it may take a moment until an end is known that is not before one
 * that clients were told earlier.  The request waits for it; clients that wait no longer are told to try again.
 */
#include "postgres.h"

#include "broker/cluster.h"
#include "broker/flusher.h"
#include "broker/list_offsets.h"
#include "broker/topic_lookup.h"
#include "broker/topic_names.h"
#include "broker/turn.h"
#include "kafka/kafka_default.h"
#include "util/clock.h"
#include "wal/durable_wal.h"
#include "wal/log_epochs.h"
#include "wal/log_stable_end.h"
#include "wal/log_times.h"

#define LATEST_TIMESTAMP			(-1)
#define EARLIEST_TIMESTAMP			(-2)
#define MAX_TIMESTAMP				(-3)
#define EARLIEST_LOCAL_TIMESTAMP	(-4)
#define LATEST_TIERED_TIMESTAMP		(-5)
#define EARLIEST_PENDING_TIMESTAMP	(-6)

/* How long a client waits that does not say so, or that would wait very long. */
#define WAIT_MS		2000

/* The first version whose responses have leaders' epochs. */
#define EPOCH_VERSION	4

/* The first version that has an error for an end that is not known yet. */
#define NOT_AVAILABLE_VERSION	5

typedef KafkaListOffsetsRequestListOffsetsPartition AskedPartition;
typedef KafkaListOffsetsResponseListOffsetsPartitionResponse AnsweredPartition;

/* A request that is being served. */
typedef struct ListOffsets
{
	TopicLookup *topics;
	KafkaListOffsetsResponse response;
	int64		deadline;
	XLogRecPtr	awaited;		/* when this is durable, an end is known; InvalidXLogRecPtr: all are */
} ListOffsets;

static void find_and_answer(BrokerRequest *request);

/* ---- one partition ------------------------------------------------------------- */

/* From which version on a moment before 1970 stands for something; no version has it: a large one. */
static int
version_of(int64 timestamp)
{
	switch (timestamp)
	{
		case LATEST_TIMESTAMP:
		case EARLIEST_TIMESTAMP:
			return 1;
		case MAX_TIMESTAMP:
			return 7;
		case EARLIEST_LOCAL_TIMESTAMP:
			return 8;
		case LATEST_TIERED_TIMESTAMP:
			return 9;
		case EARLIEST_PENDING_TIMESTAMP:
			return 11;
		default:
			return PG_INT16_MAX;
	}
}

/* Set the answer to a record, if one was found. */
static void
set_record(AnsweredPartition *answer, bool is_found, const LogTimesRecord *record)
{
	if (!is_found)
		return;
	answer->timestamp = record->timestamp;
	answer->offset = record->offset;
	answer->leader_epoch = record->epoch;
}

/* Set the answer to what the timestamp stands for. */
static void
find_offset(const TopicPartition *key, int64 timestamp, const LogStableEnd *end, AnsweredPartition *answer)
{
	LogTimesRecord record;

	switch (timestamp)
	{
		case LATEST_TIMESTAMP:
			answer->offset = end->end;
			answer->leader_epoch = pgt_cluster_leader_epoch();
			break;
		case EARLIEST_TIMESTAMP:
		case EARLIEST_LOCAL_TIMESTAMP:
			answer->offset = end->log_start;
			answer->leader_epoch = pgt_log_epochs_at(key, end->log_start);
			break;
		case LATEST_TIERED_TIMESTAMP:
		case EARLIEST_PENDING_TIMESTAMP:
			break;
		case MAX_TIMESTAMP:
			set_record(answer, pgt_log_times_largest(key, end->end, &record), &record);
			break;
		default:
			set_record(answer, pgt_log_times_first(key, timestamp, end->end, &record), &record);
	}
}

/* Is the end needed to answer? */
static bool
needs_end(int64 timestamp)
{
	return timestamp >= 0 || timestamp == LATEST_TIMESTAMP || timestamp == MAX_TIMESTAMP;
}

/* A partition that is looked at. */
typedef struct Look
{
	const BrokerRequest *request;
	const TopicLookup *topic;
	const AskedPartition *asked;
	AnsweredPartition *answer;
} Look;

/* Find what is asked of a partition. */
static KafkaError
find(const BrokerRequest *request, const TopicLookup *topic, const AskedPartition *asked, AnsweredPartition *answer)
{
	ListOffsets *state = request->state;
	int32		epoch = pgt_cluster_leader_epoch();
	TopicPartition key;
	LogStableEnd end;
	KafkaError	error = pgt_topic_lookup_partition(topic, asked->partition_index, &key);

	if (error != KAFKA_ERROR_NONE)
		return error;
	if (asked->timestamp < 0 && request->kafka.version < version_of(asked->timestamp))
		return KAFKA_ERROR_UNSUPPORTED_VERSION;
	error = pgt_cluster_check_epoch(asked->current_leader_epoch, epoch);
	if (error != KAFKA_ERROR_NONE)
		return error;
	(void) pgt_log_stable_end(&key, pgt_durable_wal_end(), &end);
	if (!end.is_known && needs_end(asked->timestamp))
	{
		state->awaited = Max(state->awaited, end.awaited);
		return request->kafka.version < NOT_AVAILABLE_VERSION ? KAFKA_ERROR_LEADER_NOT_AVAILABLE :
			KAFKA_ERROR_OFFSET_NOT_AVAILABLE;
	}
	find_offset(&key, asked->timestamp, &end, answer);
	if (request->kafka.version < EPOCH_VERSION)
		answer->leader_epoch = -1;
	return KAFKA_ERROR_NONE;
}

static void
look(void *arg)
{
	const Look *partition = arg;

	partition->answer->error_code = find(partition->request, partition->topic, partition->asked, partition->answer);
}

/* ---- the request ------------------------------------------------------------------ */

/* Look the topics up. */
static void
look_topics_up(BrokerRequest *request, ListOffsets *state)
{
	const KafkaListOffsetsRequest *body = request->kafka.body;

	pgt_turn_open();
	state->topics = MemoryContextAllocHuge(request->memory, Max(body->topics.count, 1) * sizeof(TopicLookup));
	for (int i = 0; i < body->topics.count; i++)
		state->topics[i] = pgt_topic_lookup_keep(request->client, pgt_topic_names_find(body->topics.items[i].name),
												 ACL_SELECT);
}

/* Make the response, with a place for each partition that is asked for. */
static void
make_response(BrokerRequest *request, KafkaListOffsetsResponse *response)
{
	const KafkaListOffsetsRequest *body = request->kafka.body;

	pgt_kafka_default_struct(KAFKA_LIST_OFFSETS_RESPONSE, response);
	response->topics.count = Max(body->topics.count, 0);
	response->topics.items = pgt_broker_array(request, KAFKA_LIST_OFFSETS_RESPONSE_LIST_OFFSETS_TOPIC_RESPONSE,
											  response->topics.count);
	for (int i = 0; i < response->topics.count; i++)
	{
		const KafkaListOffsetsRequestListOffsetsTopic *asked = &body->topics.items[i];
		KafkaListOffsetsResponseListOffsetsTopicResponse *topic = &response->topics.items[i];

		topic->name = asked->name;
		topic->partitions.count = Max(asked->partitions.count, 0);
		topic->partitions.items =
			pgt_broker_array(request, KAFKA_LIST_OFFSETS_RESPONSE_LIST_OFFSETS_PARTITION_RESPONSE,
							 topic->partitions.count);
	}
}

/* Find all that is asked for and was not found yet. */
static void
find_all(BrokerRequest *request, ListOffsets *state)
{
	const KafkaListOffsetsRequest *body = request->kafka.body;

	state->awaited = InvalidXLogRecPtr;
	for (int i = 0; i < body->topics.count; i++)
		for (int k = 0; k < body->topics.items[i].partitions.count; k++)
		{
			Look		partition = {
				request, &state->topics[i], &body->topics.items[i].partitions.items[k],
				&state->response.topics.items[i].partitions.items[k]
			};

			partition.answer->partition_index = partition.asked->partition_index;
			/* damage is an error of the partition */
			if (!pgt_turn_try(look, &partition, NULL))
				partition.answer->error_code = KAFKA_ERROR_KAFKA_STORAGE_ERROR;
		}
}

static void
find_and_answer(BrokerRequest *request)
{
	ListOffsets *state = request->state;
	BrokerWait	wait = {.wake = find_and_answer,.deadline = state->deadline,.durability = BROKER_SYNCED};

	find_all(request, state);
	if (state->awaited == InvalidXLogRecPtr || pgt_clock_monotonic_us() >= state->deadline)
	{
		pgt_broker_answer(request, &state->response);
		return;
	}
	wait.lsn = state->awaited;
	pgt_flusher_want(BROKER_SYNCED, state->awaited);
	pgt_broker_park(request, &wait);
}

static void
serve(BrokerRequest *request)
{
	const KafkaListOffsetsRequest *body = request->kafka.body;
	ListOffsets *state = palloc0(sizeof(ListOffsets));
	int			wait = body->timeout_ms > 0 ? Min(body->timeout_ms, WAIT_MS) : WAIT_MS;

	request->state = state;
	state->deadline = request->arrived + wait * INT64CONST(1000);
	look_topics_up(request, state);
	make_response(request, &state->response);
	find_and_answer(request);
}

const BrokerApi pgt_list_offsets_api = {.key = KAFKA_API_LIST_OFFSETS,.serve = serve};
