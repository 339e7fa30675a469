/*
 * produce.c
 *	  The API Produce: batches of Kafka's producers, into the log as they are.
 *
 * A request has a batch for each of some partitions, and each of them is answered for itself.
 *
 *	  PART_NEW		the topic is locked, the batch is checked (produce_check.c)
 *		|  \
 *		|	PART_BUSY		the lock was not to be had, or functions of the topic's types wait: again, a little later
 *		|  /
 *	  PART_QUEUED	it waits for the end of the turn, which appends it and commits
 *		|
 *	  PART_APPENDED	it waits until the commit is durable: here (acks=1), or on the
 *		|			synchronous standbys, too (acks=all)
 *	  PART_DONE		its answer is ready; any error leads here
 *
 * The request is answered when all its parts are done.  Meanwhile it is parked, and the
 * connection's next requests are served: Kafka's clients keep several under way.  Only behind
 * a part that is busy they wait, or they would overtake it.
 *
 * A request may have any number of parts, each with a batch that costs time: it is taken apart, its
 * parts are admitted, and a batch with many records is checked, in slices.  What a slice has queued is appended at the
 * end of its turn.
 *
 * What is asked of a client is what the function produce() asks in SQL: the right to INSERT
 * into the topic, and no more.  Triggers do not fire.  On a standby there is no leader
 * to produce to.
 *
 * acks=0: there is no answer, but an error closes the connection, so that the client learns of
 * it and looks for the topic anew.  What such a client has sent before it closes the connection
 * is appended.
 *
 * acks=all: where standbys are away, REQUEST_TIMED_OUT is the answer after the time that the request
 * allows.  As in Kafka the records are in the log then, and may yet become durable; an
 * idempotent producer that sends them again does not produce them twice.
 *
 * A batch that an idempotent producer sends again is answered with its offset, as soon as that is
 * durable: the turn has a transaction of its own even if it appends nothing else, whose commit
 * is behind that of the batch.
 *
 * Batches of a transaction are appended under its number (wal/kafka_txn.h), all of one producer, which must be that of the
 * transactional id.  From version 12 on the first of them begins the transaction (KIP-890); older clients have begun it by
 * AddPartitionsToTxn.  They are durable with their own WAL records, and need no commit of the turn.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "broker/core/access.h"
#include "broker/core/flusher.h"
#include "broker/core/quota.h"
#include "broker/core/topic_names.h"
#include "broker/core/turn.h"
#include "broker/data/produce.h"
#include "broker/data/produce_check.h"
#include "broker/data/turn_batch.h"
#include "broker/groups/group_coordinator.h"
#include "broker/transactions/txn_request.h"
#include "kafka/kafka_default.h"
#include "miscadmin.h"
#include "produce/acks.h"
#include "util/clock.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#define ACKS_NONE	0
#define ACKS_LEADER	1
#define ACKS_ALL	(-1)

/* A request waits at least so long for its flush, or for a topic's lock, whatever it allows. */
#define LEAST_TIMEOUT_MS	1000

/* From this version on zstd is known to clients, and topics are told by their id. */
#define VERSION_ZSTD	7
#define VERSION_IDS		13

/* From this version on Produce begins transactions. */
#define VERSION_BEGINS	12

/* A frame of so many bytes is given back while its request waits for standbys. */
#define RELEASED_MIN	(16 * 1024)

/* With more partitions, repeated ones are looked for with a hash table. */
#define COMPARED_PARTS	8

typedef enum PartState
{
	PART_NEW,
	PART_BUSY,
	PART_QUEUED,
	PART_APPENDED,
	PART_DONE
} PartState;

/* One partition of a request. */
typedef struct ProducePart
{
	TurnBatch	batch;			/* the first field: the part is found by it */
	struct Produce *produce;
	PartState	state;
	Oid			topic;			/* InvalidOid: there is none of that name */
	int32		partition;
	KafkaRecords records;
	KafkaProduceResponsePartitionProduceResponse *answer;
	ProduceCheck *check;		/* that is under way, or has been */
	bool		is_unfinished;	/* it goes on in another slice */
	bool		is_waiting;		/* for what is done beside the loop */
	bool		has_waited;		/* functions of the topic's types have, for too long */
} ProducePart;

/* A request. */
typedef struct Produce
{
	BrokerRequest *request;
	int			acks;
	KafkaProduceResponse response;
	uint64		transaction;	/* the number of that of its transactional batches; 0: it has none */
	ProducePart *parts;
	int			count;
	HTAB	   *table;			/* to find a part by its partition; NULL: they are compared */
	int			taken;			/* topics that were taken apart */
	bool		admitting;		/* parts of this state, of which some are still to be admitted ... */
	PartState	admitted_state;
	int			admitted;		/* ... from this one on */
	int			queued;			/* parts in that state */
	int			busy;			/* likewise */
	XLogRecPtr	lsn;			/* up to where all that it has appended is committed */
	int64		deadline;
	bool		dropped;		/* its connection is closed: there is nobody to answer */
} Produce;

static void serve(BrokerRequest *request);
static void wake(BrokerRequest *request);

const BrokerApi pgt_produce_api = {.key = KAFKA_API_PRODUCE,.serve = serve};

/* ---- answers of parts ------------------------------------------------------- */

/* A part's answer is an error. */
static void
fail(ProducePart *part, KafkaError error, const char *message)
{
	part->state = PART_DONE;
	part->answer->error_code = error;
	part->answer->base_offset = -1;
	if (message != NULL)
		part->answer->error_message = pgt_broker_string(message);
}

/* The same, with the records that are to blame. */
static void
fail_check(ProducePart *part, const ProduceProblem *problem)
{
	KafkaProduceResponseBatchIndexAndErrorMessage *records;

	fail(part, problem->error, problem->message);
	if (problem->record_count == 0)
		return;
	records = pgt_broker_array(part->produce->request,
							   KAFKA_PRODUCE_RESPONSE_BATCH_INDEX_AND_ERROR_MESSAGE, problem->record_count);
	for (int i = 0; i < problem->record_count; i++)
	{
		records[i].batch_index = problem->records[i].index;
		records[i].batch_index_error_message = pgt_broker_string(problem->records[i].problem);
	}
	part->answer->record_errors.items = records;
	part->answer->record_errors.count = problem->record_count;
}

/* The error for a topic that does not exist, by what the request names topics. */
static KafkaError
unknown_topic(const BrokerRequest *request)
{
	return request->kafka.version < VERSION_IDS ? KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION : KAFKA_ERROR_UNKNOWN_TOPIC_ID;
}

/* The batch is in the log. */
static void
succeed(ProducePart *part)
{
	const LogAppendRequest *appended = &part->batch.request;

	part->state = PART_APPENDED;
	part->answer->base_offset = appended->base_offset;
	part->answer->log_start_offset = appended->log_start_offset;
	if (appended->log_append_time)
		part->answer->log_append_time_ms = appended->max_timestamp;
}

/* ---- one part --------------------------------------------------------------- */

/* Read the header of a batch that was sent, if that says that it belongs to a transaction. */
static bool
read_transactional(const KafkaRecords *sent, RecordBatchHeader *header)
{
	return sent->length >= RECORD_BATCH_HEADER_SIZE &&
		pgt_record_batch_read_header(sent->data, sent->length, header) == NULL &&
		(header->attributes & BATCH_ATTR_TRANSACTIONAL) != 0;
}

static bool
is_transactional(const KafkaRecords *sent)
{
	RecordBatchHeader header;

	return read_transactional(sent, &header);
}

/* Are there too few replicas for a request that wants all? */
static bool
lacks_replicas(ProducePart *part, const Topic *topic)
{
	int32		least = topic->log.min_insync_replicas;
	int32		in_sync;

	if (part->produce->acks != ACKS_ALL || least <= 1)
		return false;
	in_sync = pgt_acks_replicas_in_sync();
	if (in_sync >= least)
		return false;
	fail(part, KAFKA_ERROR_NOT_ENOUGH_REPLICAS,
		 psprintf("only %d of %d required replicas are in sync", in_sync, least));
	return true;
}

/* A part's check can go on, which waits for what is done beside the loop. */
static void
check_ready(void *arg)
{
	Produce    *produce = ((ProducePart *) arg)->produce;

	if (produce->request->parked && !produce->dropped)
		pgt_broker_wake(produce->request);
}

/* Check what was sent against the topic, and queue it.  The topic is locked. */
static void
queue(ProducePart *part, Topic *topic)
{
	BrokerRequest *request = part->produce->request;
	ProduceCheckCaller caller = {check_ready, part};
	ProduceProblem problem;

	if (part->partition < 0 || part->partition >= topic->partitions)
	{
		fail(part, KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION,
			 psprintf("partition %d of topic \"%s\" does not exist: its partitions are numbered from 0 to %d",
					  part->partition, get_rel_name(topic->relid), topic->partitions - 1));
		return;
	}
	if (lacks_replicas(part, topic))
		return;
	switch (pgt_produce_check(&part->check, &caller, topic, part->partition, request->client->role, &part->records,
							  request->kafka.version >= VERSION_ZSTD, &part->batch.request, &problem))
	{
		case PRODUCE_GOOD:
			break;
		case PRODUCE_REFUSED:
			fail_check(part, &problem);
			return;
		case PRODUCE_UNFINISHED:
			part->is_unfinished = true;
			return;
		case PRODUCE_WAITS:
			part->is_waiting = true;
			return;
		case PRODUCE_BUSY:
			part->has_waited = true;
			part->state = PART_BUSY;
			part->produce->busy++;
			return;
	}
	part->batch.key = pgt_topic_partition(topic, part->partition);
	part->batch.config = &topic->log;
	part->batch.memory = request->memory;
	part->batch.transaction = is_transactional(&part->records) ? part->produce->transaction : 0;
	pgt_turn_batch_add(&part->batch);
	part->state = PART_QUEUED;
	part->produce->queued++;
}

/* Bring a part as far as it goes without waiting. */
static void
admit(void *arg)
{
	ProducePart *part = arg;
	Topic	   *topic;

	if (part->state == PART_BUSY)
		part->produce->busy--;
	part->state = PART_NEW;
	pgt_turn_open();
	/* dropped since it was looked up */
	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(part->topic)))
	{
		fail(part, unknown_topic(part->produce->request), NULL);
		return;
	}
	if (!pgt_access_topic(part->produce->request->client, part->topic, ACL_INSERT))
	{
		fail(part, KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED, NULL);
		return;
	}
	switch (pgt_turn_lock(part->topic, &topic))
	{
		case TURN_LOCK_HELD:
			queue(part, topic);
			break;
		case TURN_LOCK_BUSY:
			part->state = PART_BUSY;
			part->produce->busy++;
			break;
		case TURN_LOCK_GONE:
			fail(part, unknown_topic(part->produce->request), NULL);
			break;
	}
}

/* The same; an ERROR is the part's alone. */
static void
admit_or_fail(ProducePart *part)
{
	ErrorData  *error;

	if (!pgt_turn_try(admit, part, &error))
		fail(part, KAFKA_ERROR_UNKNOWN_SERVER_ERROR, error->message);
}

/* Bring parts as far as they go that are in the state that is asked for.  False if the slice is over before. */
static bool
admit_some(Produce *produce)
{
	pgt_turn_batch_make_room(produce->request->exchange->length);
	while (produce->admitted < produce->count)
	{
		ProducePart *part = &produce->parts[produce->admitted];

		if (part->state == produce->admitted_state || part->is_unfinished || part->is_waiting)
		{
			part->is_unfinished = part->is_waiting = part->has_waited = false;
			admit_or_fail(part);
			if (part->is_unfinished || part->is_waiting)
				return false;
		}
		produce->admitted++;
		if (produce->admitted < produce->count && pgt_broker_slice_is_over())
			return false;
	}
	return true;
}

/* ---- the request ------------------------------------------------------------ */

/* Is there an error in the answer? */
static bool
has_error(const Produce *produce)
{
	for (int i = 0; i < produce->response.responses.count; i++)
	{
		const KafkaProduceResponseTopicProduceResponse *answers = &produce->response.responses.items[i];

		for (int k = 0; k < answers->partition_responses.count; k++)
			if (answers->partition_responses.items[k].error_code != KAFKA_ERROR_NONE)
				return true;
	}
	return false;
}

/* All parts are done: answer. */
static void
finish(Produce *produce)
{
	BrokerRequest *request = produce->request;

	if (produce->acks != ACKS_NONE)
		pgt_broker_answer(request, &produce->response);
	else if (has_error(produce))
		pgt_broker_close(request, "an error of a producer with acks=0");
	else
		pgt_broker_answer_nothing(request);
}

/* Give parts in this state, which wait in vain, an error. */
static void
time_out(Produce *produce, PartState state, const char *message)
{
	for (int i = 0; i < produce->count; i++)
		if (produce->parts[i].state == state)
			fail(&produce->parts[i], KAFKA_ERROR_REQUEST_TIMED_OUT,
				 produce->parts[i].has_waited ? "functions of the topic's types wait for too long" : message);
	if (state == PART_BUSY)
		produce->busy = 0;
}

/* Has it a part that is busy since functions of its topic's types wait? */
static bool
has_waited(const Produce *produce)
{
	for (int i = 0; i < produce->count; i++)
		if (produce->parts[i].state == PART_BUSY && produce->parts[i].has_waited)
			return true;
	return false;
}

/* Which durability the request waits for. */
static BrokerDurability
durability_of(const Produce *produce)
{
	return produce->acks == ACKS_ALL ? BROKER_SYNCED : BROKER_FLUSHED;
}

/* Wait for the turn's end. */
static void
park_for_turn(Produce *produce)
{
	BrokerWait	wait = {.wake = wake,.pipelined = produce->busy == 0};

	pgt_broker_park(produce->request, &wait);
}

/* Wait a little for locks. */
static void
park_for_locks(Produce *produce, int64 now)
{
	BrokerWait	wait = {.wake = wake};

	wait.deadline = Min(now + (has_waited(produce) ? PRODUCE_CHECK_PAUSE_US : TURN_RETRY_MS * INT64CONST(1000)), produce->deadline);
	pgt_broker_park(produce->request, &wait);
}

/*
 * The records are in the log: give the frame back.  Standbys may be away for long, and those who wait
 * for them must not keep the memory that others need.
 */
static void
release_frame(Produce *produce)
{
	BrokerRequest *request = produce->request;

	if (request->exchange->length < RELEASED_MIN)
		return;
	for (int i = 0; i < produce->response.responses.count; i++)
	{
		KafkaString *name = &produce->response.responses.items[i].name;

		if (name->length > 0)
			name->data = memcpy(MemoryContextAlloc(request->memory, name->length), name->data, name->length);
	}
	pgt_exchange_release_frame(request->exchange);
}

/* Wait until what is committed is durable. */
static void
park_for_durable(Produce *produce)
{
	BrokerWait	wait = {.wake = wake,.pipelined = true};

	if (produce->acks == ACKS_ALL)
		release_frame(produce);
	wait.lsn = produce->lsn;
	wait.durability = durability_of(produce);
	/* the flush of this server is not given up, as nobody could say more */
	if (produce->acks == ACKS_ALL)
		wait.deadline = produce->deadline;
	pgt_flusher_want(wait.durability, wait.lsn);
	pgt_broker_park(produce->request, &wait);
}

/* Answer, or wait for what is missing. */
static void
proceed(void *arg)
{
	Produce    *produce = arg;
	int64		now = pgt_clock_monotonic_us();

	if (produce->queued > 0)
	{
		park_for_turn(produce);
		return;
	}
	if (produce->busy > 0 && now < produce->deadline)
	{
		park_for_locks(produce, now);
		return;
	}
	if (produce->busy > 0)
		time_out(produce, PART_BUSY, "another session holds a lock on the topic or waits for one");
	if (produce->acks != ACKS_NONE && produce->lsn > pgt_flusher_reached(durability_of(produce)))
	{
		if (produce->acks != ACKS_ALL || now < produce->deadline)
		{
			park_for_durable(produce);
			return;
		}
		time_out(produce, PART_APPENDED, "records are in the log, but synchronous standbys have not confirmed them in time");
	}
	finish(produce);
}

static void go_on(BrokerRequest *request);

/* Wait for what is done beside the loop, or until others that do the same have come to their end. */
static void
park_for_check(Produce *produce)
{
	BrokerWait	wait = {.wake = go_on};

	wait.deadline = pgt_clock_monotonic_us() + TURN_RETRY_MS * INT64CONST(1000);
	pgt_broker_park(produce->request, &wait);
}

/* Bring parts as far as they go, then the request. */
static void
go_on(BrokerRequest *request)
{
	Produce    *produce = request->state;

	pgt_turn_open();
	if (!admit_some(produce))
	{
		if (produce->parts[produce->admitted].is_waiting)
			park_for_check(produce);
		else
			pgt_broker_go_on(request, go_on);
		return;
	}
	produce->admitting = false;
	proceed(produce);
}

/* The same from the first part in that state on. */
static void
admit_all(Produce *produce, PartState state)
{
	produce->admitting = true;
	produce->admitted_state = state;
	produce->admitted = 0;
	go_on(produce->request);
}

/* What it waited for has come, or the time is over. */
static void
wake(BrokerRequest *request)
{
	Produce    *produce = request->state;

	if (produce->queued == 0 && produce->busy > 0 && pgt_clock_monotonic_us() < produce->deadline)
		admit_all(produce, PART_BUSY);
	else
		proceed(produce);
}

/* The same, where an ERROR would be other requests' as well. */
static void
proceed_or_close(Produce *produce)
{
	if (!pgt_turn_try(proceed, produce, NULL))
		pgt_broker_close(produce->request, "an error while it was answered");
}

/* The turn has committed: give a part the answer for what has become of its batch. */
static void
answer_outcome(ProducePart *part)
{
	switch (part->batch.request.outcome)
	{
		case LOG_APPEND_NOT_DONE:
			fail(part, KAFKA_ERROR_KAFKA_STORAGE_ERROR, part->batch.problem);
			break;
		case LOG_APPEND_DONE:
		case LOG_APPEND_DUPLICATE:
			succeed(part);
			break;
		case LOG_APPEND_OLD_DUPLICATE:
			/* as in Kafka, which does not tell it from a gap */
			fail(part, KAFKA_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER, "the records are in the log already, with later ones of the producer behind them");
			break;
		case LOG_APPEND_OUT_OF_ORDER:
			fail(part, KAFKA_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER, "records that the producer has sent before are missing");
			break;
		case LOG_APPEND_FENCED:
			fail(part, KAFKA_ERROR_INVALID_PRODUCER_EPOCH, "the producer has a later epoch");
			break;
		case LOG_APPEND_TRY_AGAIN:
			fail(part, KAFKA_ERROR_REQUEST_TIMED_OUT, "the state of the producer is not certain at the moment");
			break;
		case LOG_APPEND_NOT_OPEN:
			/* it has ended since the request came: when that is sent again, what that means is known */
			fail(part, KAFKA_ERROR_REQUEST_TIMED_OUT, "the transaction has ended meanwhile");
			break;
	}
}

/* The turn has ended with the batch. */
static void
part_done(TurnBatch *batch, bool committed, XLogRecPtr lsn)
{
	ProducePart *part = (ProducePart *) batch;
	Produce    *produce = part->produce;

	if (!committed)
		fail(part, KAFKA_ERROR_REQUEST_TIMED_OUT, batch->problem != NULL ? batch->problem :
			 "the transaction that appended the records could not be committed");
	else
	{
		answer_outcome(part);
		/* behind the commit of a duplicate, too, which was before */
		produce->lsn = Max(produce->lsn, lsn);
		if (batch->transaction != 0 && part->state == PART_APPENDED)
			produce->lsn = Max(produce->lsn, batch->request.lsn);
	}
	if (--produce->queued == 0 && !produce->dropped && !produce->admitting)
		proceed_or_close(produce);
}

/* The connection is closed: what is queued is appended all the same, while its memory is there. */
static void
dropped(BrokerRequest *request)
{
	Produce    *produce = request->state;

	produce->dropped = true;
	if (produce->queued > 0)
		pgt_turn_end();
}

/* ---- taking a request apart ------------------------------------------------- */

/* Is there a part for the same partition? */
static ProducePart *
find_part(Produce *produce, Oid topic, int32 partition)
{
	for (int i = produce->count - 1; i >= 0; i--)
		if (produce->parts[i].topic == topic && produce->parts[i].partition == partition)
			return &produce->parts[i];
	return NULL;
}

/* The key of a part in a hash table. */
typedef struct PartKey
{
	Oid			topic;
	int32		partition;
} PartKey;

typedef struct PartEntry
{
	PartKey		key;
	ProducePart *part;
} PartEntry;

/* A table for requests with many partitions, or NULL. */
static HTAB *
make_table(const BrokerRequest *request, int parts)
{
	HASHCTL		info = {.keysize = sizeof(PartKey),.entrysize = sizeof(PartEntry),.hcxt = request->memory};

	if (parts <= COMPARED_PARTS)
		return NULL;
	return hash_create("pg_topics produce", parts, &info, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* The part of a partition that was named before, or a new one; *found tells which. */
static ProducePart *
part_of(Produce *produce, Oid topic, int32 partition, bool *found)
{
	PartKey		key = {topic, partition};
	PartEntry  *entry = NULL;
	ProducePart *part;

	if (produce->table == NULL)
	{
		part = find_part(produce, topic, partition);
		*found = part != NULL;
	}
	else
	{
		entry = hash_search(produce->table, &key, HASH_ENTER, found);
		part = *found ? entry->part : NULL;
	}
	if (*found)
		return part;
	part = &produce->parts[produce->count++];
	part->produce = produce;
	part->topic = topic;
	part->partition = partition;
	part->batch.done = part_done;
	if (entry != NULL)
		entry->part = part;
	return part;
}

/* The topic that an entry names; InvalidOid if there is none. */
static Oid
topic_of(const BrokerRequest *request, const KafkaProduceRequestTopicProduceData *data)
{
	if (request->kafka.version < VERSION_IDS)
		return pgt_topic_names_find(data->name);
	return pgt_topic_names_id_is_null(&data->topic_id) ? InvalidOid : pgt_topic_names_by_id(&data->topic_id);
}

/*
 * Take the entry of a topic apart.  As in Kafka, of repeated partitions the last one counts, and
 * has the only answer.
 */
static void
take_topic(Produce *produce, const KafkaProduceRequestTopicProduceData *data,
		   KafkaProduceResponseTopicProduceResponse *answers)
{
	BrokerRequest *request = produce->request;
	Oid			topic = topic_of(request, data);
	KafkaProduceResponsePartitionProduceResponse *next;

	answers->name = data->name;
	answers->topic_id = data->topic_id;
	next = pgt_broker_array(request, KAFKA_PRODUCE_RESPONSE_PARTITION_PRODUCE_RESPONSE, data->partition_data.count);
	answers->partition_responses.items = next;
	for (int i = 0; i < data->partition_data.count; i++)
	{
		const KafkaProduceRequestPartitionProduceData *sent = &data->partition_data.items[i];
		bool		found = false;

		next->index = sent->index;
		if (!OidIsValid(topic))
		{
			next->error_code = unknown_topic(request);
			next->base_offset = -1;
		}
		else
		{
			ProducePart *part = part_of(produce, topic, sent->index, &found);

			part->records = sent->records;
			if (!found)
				part->answer = next;
		}
		next += !found;
	}
	answers->partition_responses.count = next - answers->partition_responses.items;
}

/* Make what is needed to take the request apart. */
static Produce *
begin(BrokerRequest *request)
{
	const KafkaProduceRequest *body = request->kafka.body;
	Produce    *produce = palloc0(sizeof(Produce));
	int			parts = 0;

	for (int i = 0; i < body->topic_data.count; i++)
		parts += Max(body->topic_data.items[i].partition_data.count, 0);
	produce->request = request;
	produce->acks = body->acks;
	produce->deadline = request->arrived + Max(body->timeout_ms, LEAST_TIMEOUT_MS) * INT64CONST(1000);
	pgt_kafka_default_struct(KAFKA_PRODUCE_RESPONSE, &produce->response);
	produce->parts = MemoryContextAllocExtended(request->memory, Max(parts, 1) * sizeof(ProducePart),
												MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	produce->table = make_table(request, parts);
	produce->response.responses.count = Max(body->topic_data.count, 0);
	produce->response.responses.items = pgt_broker_array(request, KAFKA_PRODUCE_RESPONSE_TOPIC_PRODUCE_RESPONSE,
														 produce->response.responses.count);
	return produce;
}

/* Take the request apart: its parts are in the state PART_NEW.  False if the slice is over before. */
static bool
take_some(Produce *produce)
{
	const KafkaProduceRequest *body = produce->request->kafka.body;

	while (produce->taken < produce->response.responses.count)
	{
		int			i = produce->taken++;

		take_topic(produce, &body->topic_data.items[i], &produce->response.responses.items[i]);
		if (produce->taken < produce->response.responses.count && pgt_broker_slice_is_over())
			return false;
	}
	return true;
}

/* ---- what concerns a whole request ------------------------------------------ */

/* Find the producer of its transactional batches; false: there are some of several. */
static bool
find_producer(const Produce *produce, TxnProducer *producer)
{
	RecordBatchHeader header;

	*producer = (TxnProducer) {NO_PRODUCER_ID, NO_PRODUCER_EPOCH};
	for (int i = 0; i < produce->count; i++)
	{
		if (!read_transactional(&produce->parts[i].records, &header))
			continue;
		if (producer->id != NO_PRODUCER_ID &&
			(producer->id != header.producer_id || producer->epoch != header.producer_epoch))
			return false;
		*producer = (TxnProducer) {header.producer_id, header.producer_epoch};
	}
	return true;
}

/* Has it transactional batches at all? */
static bool
has_transactional(const Produce *produce)
{
	for (int i = 0; i < produce->count; i++)
		if (is_transactional(&produce->parts[i].records))
			return true;
	return false;
}

/* Find the transaction of its batches, or begin it. */
static KafkaError
find_transaction(Produce *produce)
{
	BrokerRequest *request = produce->request;
	const KafkaProduceRequest *body = request->kafka.body;
	char	   *id = pgt_txn_request_id(body->transactional_id);
	TxnProducer producer;
	KafkaError	error;

	if (id == NULL)
		return KAFKA_ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
	if (!find_producer(produce, &producer) || producer.id < 0)
		return KAFKA_ERROR_INVALID_PRODUCER_ID_MAPPING;
	/* its groups are about to be read, and transactional ids with them */
	if (pgt_group_coordinator_check_active() != KAFKA_ERROR_NONE)
		return KAFKA_ERROR_REQUEST_TIMED_OUT;
	error = pgt_txn_coordinator_number(request->client, id, producer, request->kafka.version >= VERSION_BEGINS,
									   &produce->transaction);
	return error == KAFKA_ERROR_PRODUCER_FENCED ? KAFKA_ERROR_INVALID_PRODUCER_EPOCH : error;
}

/* The error that all partitions get, or none. */
static KafkaError
whole_error(Produce *produce)
{
	if (produce->acks < ACKS_ALL || produce->acks > ACKS_LEADER)
		return KAFKA_ERROR_INVALID_REQUIRED_ACKS;
	return has_transactional(produce) ? find_transaction(produce) : KAFKA_ERROR_NONE;
}

/* Give all partitions an error, also those of topics that do not exist. */
static void
fail_all(Produce *produce, KafkaError error)
{
	for (int i = 0; i < produce->response.responses.count; i++)
	{
		KafkaProduceResponseTopicProduceResponse *answers = &produce->response.responses.items[i];

		for (int k = 0; k < answers->partition_responses.count; k++)
		{
			answers->partition_responses.items[k].error_code = error;
			answers->partition_responses.items[k].base_offset = -1;
		}
	}
	for (int i = 0; i < produce->count; i++)
		produce->parts[i].state = PART_DONE;
}

/* Take the request apart, then admit its parts. */
static void
take_on(BrokerRequest *request)
{
	Produce    *produce = request->state;
	KafkaError	error;

	pgt_turn_open();
	if (!take_some(produce))
	{
		pgt_broker_go_on(request, take_on);
		return;
	}
	error = RecoveryInProgress() ? KAFKA_ERROR_NOT_LEADER_OR_FOLLOWER : whole_error(produce);
	if (error != KAFKA_ERROR_NONE)
	{
		fail_all(produce, error);
		proceed(produce);
	}
	else
		admit_all(produce, PART_NEW);
}

/* BrokerApi */
static void
serve(BrokerRequest *request)
{
	pgt_quota_charge(request, QUOTA_PRODUCER_BYTE_RATE, request->exchange->length);
	request->state = begin(request);
	request->dropped = dropped;
	take_on(request);
}
