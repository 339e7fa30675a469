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
 *
 * As in Kafka a partition that is asked for more than once is answered once, with an error.
 *
 * A request may have any number of partitions, and a look-up by time reads files: it is served in slices.
 */
#include "postgres.h"

#include "broker/core/cluster.h"
#include "broker/core/flusher.h"
#include "broker/core/topic_lookup.h"
#include "broker/core/topic_names.h"
#include "broker/core/turn.h"
#include "broker/data/list_offsets.h"
#include "kafka/kafka_default.h"
#include "util/clock.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
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

/* What is asked of a partition, with its place in the response. */
typedef struct PlacedPartition
{
	const AskedPartition *asked;
	AnsweredPartition *answer;
	bool		is_repeated;	/* asked for more than once, which is an error */
} PlacedPartition;

/* A topic that is asked for. */
typedef struct ListedTopic
{
	TopicLookup found;
	PlacedPartition *places;	/* as many as the response has */
} ListedTopic;

/* A request that is being served. */
typedef struct ListOffsets
{
	ListedTopic *topics;
	KafkaListOffsetsResponse response;
	HTAB	   *seen;			/* of SeenPartition; NULL: none yet */
	int64		deadline;
	XLogRecPtr	awaited;		/* when this is durable, an end is known; InvalidXLogRecPtr: all are */

	/* how far it has come */
	int			prepared;		/* topics */
	int			next_topic;		/* to be looked at */
	int			next_partition;
} ListOffsets;

static void park(BrokerRequest *request, ListOffsets *state);

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

/* The key of a partition in the table of those that are asked for. */
typedef struct SeenKey
{
	Oid			topic;
	int32		partition;
} SeenKey;

typedef struct SeenPartition
{
	SeenKey		key;
	PlacedPartition *place;
} SeenPartition;

/*
 * The place of a partition that was asked for before; NULL with a first one, which is at this place.
 * Topics that the client may not know of have no such table, and answers that are all the same.
 */
static PlacedPartition *
note_seen(BrokerRequest *request, ListOffsets *state, const TopicLookup *topic, PlacedPartition *place)
{
	HASHCTL		info = {.keysize = sizeof(SeenKey),.entrysize = sizeof(SeenPartition),.hcxt = request->memory};
	SeenKey		key = {topic->relid, place->asked->partition_index};
	SeenPartition *entry;
	bool		found;

	if (topic->error != KAFKA_ERROR_NONE)
		return NULL;
	if (state->seen == NULL)
		state->seen = hash_create("pg_topics listed partitions", 64, &info, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	entry = hash_search(state->seen, &key, HASH_ENTER, &found);
	if (!found)
		entry->place = place;
	return found ? entry->place : NULL;
}

/* Look a topic up, and make a place for each of its partitions that is asked for. */
static void
prepare_topic(BrokerRequest *request, ListOffsets *state, int n)
{
	const KafkaListOffsetsRequest *body = request->kafka.body;
	const KafkaListOffsetsRequestListOffsetsTopic *asked = &body->topics.items[n];
	KafkaListOffsetsResponseListOffsetsTopicResponse *answers = &state->response.topics.items[n];
	ListedTopic *topic = &state->topics[n];
	int			count = Max(asked->partitions.count, 0);

	topic->found = pgt_topic_lookup_keep(request->client, pgt_topic_names_find(asked->name), ACL_SELECT);
	topic->places = MemoryContextAllocHuge(request->memory, Max(count, 1) * sizeof(PlacedPartition));
	answers->name = asked->name;
	answers->partitions.count = 0;
	answers->partitions.items =
		pgt_broker_array(request, KAFKA_LIST_OFFSETS_RESPONSE_LIST_OFFSETS_PARTITION_RESPONSE, count);
	for (int i = 0; i < count; i++)
	{
		PlacedPartition *place = &topic->places[answers->partitions.count];
		PlacedPartition *before;

		*place = (PlacedPartition) {&asked->partitions.items[i], &answers->partitions.items[answers->partitions.count]};
		before = note_seen(request, state, &topic->found, place);
		if (before != NULL)
		{
			before->is_repeated = true;
			continue;
		}
		place->answer->partition_index = place->asked->partition_index;
		answers->partitions.count++;
	}
}

/* Find what is asked of a partition. */
static void
find_partition(BrokerRequest *request, const ListedTopic *topic, PlacedPartition *place)
{
	Look		partition = {request, &topic->found, place->asked, place->answer};

	if (place->is_repeated)
		place->answer->error_code = KAFKA_ERROR_INVALID_REQUEST;
	/* damage is an error of the partition */
	else if (!pgt_turn_try(look, &partition, NULL))
		place->answer->error_code = KAFKA_ERROR_KAFKA_STORAGE_ERROR;
}

/* Prepare all topics.  False if the slice is over before. */
static bool
prepare_all(BrokerRequest *request, ListOffsets *state)
{
	while (state->prepared < state->response.topics.count)
	{
		prepare_topic(request, state, state->prepared++);
		if (pgt_broker_slice_is_over())
			return false;
	}
	return true;
}

/* Find all that is asked for.  False if the slice is over before. */
static bool
find_all(BrokerRequest *request, ListOffsets *state)
{
	while (state->next_topic < state->response.topics.count)
	{
		const ListedTopic *topic = &state->topics[state->next_topic];
		int			i = state->next_partition++;

		if (i >= state->response.topics.items[state->next_topic].partitions.count)
		{
			state->next_topic++;
			state->next_partition = 0;
		}
		else
			find_partition(request, topic, &topic->places[i]);
		if (pgt_broker_slice_is_over())
			return false;
	}
	return true;
}

/* Look, and answer when all is found, or it is time; else wait. */
static void
go_on(BrokerRequest *request)
{
	ListOffsets *state = request->state;

	pgt_turn_open();
	if (!prepare_all(request, state) || !find_all(request, state))
	{
		pgt_broker_go_on(request, go_on);
		return;
	}
	if (state->awaited == InvalidXLogRecPtr || pgt_clock_monotonic_us() >= state->deadline)
	{
		pgt_broker_answer(request, &state->response);
		return;
	}
	park(request, state);
}

/* What it waited for has come, or the time is over: look at all again. */
static void
woken(BrokerRequest *request)
{
	ListOffsets *state = request->state;

	state->awaited = InvalidXLogRecPtr;
	state->next_topic = state->next_partition = 0;
	go_on(request);
}

/* Wait until the ends are known. */
static void
park(BrokerRequest *request, ListOffsets *state)
{
	BrokerWait	wait = {.wake = woken,.deadline = state->deadline,.lsn = state->awaited,.durability = BROKER_SYNCED};

	pgt_flusher_want(BROKER_SYNCED, state->awaited);
	pgt_broker_park(request, &wait);
}

static void
serve(BrokerRequest *request)
{
	const KafkaListOffsetsRequest *body = request->kafka.body;
	ListOffsets *state = palloc0(sizeof(ListOffsets));
	int			wait = body->timeout_ms > 0 ? Min(body->timeout_ms, WAIT_MS) : WAIT_MS;
	int			count = Max(body->topics.count, 0);

	request->state = state;
	state->deadline = request->arrived + wait * INT64CONST(1000);
	state->topics = MemoryContextAllocHuge(request->memory, Max(count, 1) * sizeof(ListedTopic));
	pgt_kafka_default_struct(KAFKA_LIST_OFFSETS_RESPONSE, &state->response);
	state->response.topics.count = count;
	state->response.topics.items = pgt_broker_array(request, KAFKA_LIST_OFFSETS_RESPONSE_LIST_OFFSETS_TOPIC_RESPONSE, count);
	go_on(request);
}

const BrokerApi pgt_list_offsets_api = {.key = KAFKA_API_LIST_OFFSETS,.serve = serve};
