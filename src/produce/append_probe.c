/*
 * append_probe.c
 *	  For tests: appending a batch of an idempotent producer in a transaction of SQL, and
 *	  looking at what partitions remember of producers.
 *
 * A broker's transactions are short, and it gives each batch one answer.  Tests want to hold a
 * transaction open, to abort it, and to see what is remembered.  Only a build with fault
 * points has these functions, and a test makes the SQL functions for them:
 *
 *	  append_batch(topic regclass, partition int, producer_id bigint, epoch int, sequence int,
 *				   records int) returns text: the outcome, and the offset if there is one.  The
 *				   value of each record is its number
 *	  producers(topic regclass, partition int) returns text: for each producer
 *				   "id/epoch/next number:number of batches", in the order of the ids
 *	  next_producer_id() returns bigint
 */
#include "postgres.h"

#ifdef PGT_FAULT_POINTS

#include "access/xact.h"
#include "fmgr.h"
#include "format/record_batch.h"
#include "lib/stringinfo.h"
#include "log/producer_state.h"
#include "storage/lmgr.h"
#include "topic/topic.h"
#include "util/clock.h"
#include "utils/builtins.h"
#include "wal/log_writer.h"
#include "wal/producer_ids.h"

#define MOST_RECORDS	1000

PG_FUNCTION_INFO_V1(pgt_append_probe);
PG_FUNCTION_INFO_V1(pgt_append_probe_producers);
PG_FUNCTION_INFO_V1(pgt_append_probe_next_id);

/* Encode the records; each has its number as its value.  Returns the byte behind them. */
static char *
encode_records(char *end, int32 sequence, int32 count)
{
	for (int32 i = 0; i < count; i++)
	{
		char	   *value = psprintf("%d", sequence + i);
		Record		record = {.key_length = -1,.value = value,.value_length = strlen(value)};

		end = pgt_record_encode(end, &record, 0, i);
	}
	return end;
}

/* A sealed batch of so many records, and its request. */
static void
make_request(LogAppendRequest *request, int64 producer_id, int16 epoch, int32 sequence, int32 count)
{
	char	   *batch = palloc(RECORD_BATCH_HEADER_SIZE + count * 64);
	char	   *end = encode_records(batch + RECORD_BATCH_HEADER_SIZE, sequence, count);
	RecordBatchHeader header = {.length = end - batch,.last_offset_delta = count - 1,
		.producer_id = producer_id,.producer_epoch = epoch,.base_sequence = sequence,.record_count = count};

	header.base_timestamp = header.max_timestamp = pgt_clock_now_ms();
	pgt_record_batch_seal(batch, &header);
	memset(request, 0, sizeof(*request));
	request->batch = batch;
	request->length = header.length;
	request->records_length = header.length - RECORD_BATCH_HEADER_SIZE;
	request->last_offset_delta = header.last_offset_delta;
	request->records = count;
	request->min_timestamp = request->max_timestamp = header.max_timestamp;
	request->required_offset = NO_OFFSET;
	pgt_partition_log_set_producer(request, &header);
}

/* An outcome in words. */
static char *
describe(const LogAppendRequest *request)
{
	switch (request->outcome)
	{
		case LOG_APPEND_DONE:
			return psprintf("appended %lld", (long long) request->base_offset);
		case LOG_APPEND_DUPLICATE:
			return psprintf("duplicate %lld", (long long) request->base_offset);
		case LOG_APPEND_OLD_DUPLICATE:
			return "old duplicate";
		case LOG_APPEND_OUT_OF_ORDER:
			return "out of order";
		case LOG_APPEND_FENCED:
			return "fenced";
		case LOG_APPEND_TRY_AGAIN:
			return "try again";
		default:
			return "not done";
	}
}

/* The slot of a topic's partition, with the topic locked. */
static PartitionState *
open_partition(Oid relid, int32 partition, Topic **topic)
{
	TopicPartition key;

	LockRelationOid(relid, RowExclusiveLock);
	*topic = pgt_topic_get(relid);
	key = pgt_topic_partition(*topic, partition);
	return pgt_log_state_get(&key);
}

Datum
pgt_append_probe(PG_FUNCTION_ARGS)
{
	Topic	   *topic;
	PartitionState *state = open_partition(PG_GETARG_OID(0), PG_GETARG_INT32(1), &topic);
	LogAppendRequest request;
	LogWriterRange own = {0};

	make_request(&request, PG_GETARG_INT64(2), PG_GETARG_INT32(3), PG_GETARG_INT32(4),
				 Min(PG_GETARG_INT32(5), MOST_RECORDS));
	pgt_log_writer_append(state, &topic->log, &request, 1, GetTopFullTransactionId(), &own);
	PG_RETURN_TEXT_P(cstring_to_text(describe(&request)));
}

/* Order by producer id. */
static int
compare_entries(const void *a, const void *b)
{
	int64		left = ((const ProducerFileEntry *) a)->sequence.producer_id;
	int64		right = ((const ProducerFileEntry *) b)->sequence.producer_id;

	return left < right ? -1 : left > right;
}

Datum
pgt_append_probe_producers(PG_FUNCTION_ARGS)
{
	Topic	   *topic;
	PartitionState *state = open_partition(PG_GETARG_OID(0), PG_GETARG_INT32(1), &topic);
	int			room = pgt_producer_table_room();
	ProducerFileEntry *entries = palloc(room * sizeof(ProducerFileEntry));
	StringInfoData text;
	int			count;

	LWLockAcquire(&state->lock, LW_SHARED);
	count = pgt_producer_state_save(state, entries, room);
	LWLockRelease(&state->lock);
	qsort(entries, count, sizeof(*entries), compare_entries);
	initStringInfo(&text);
	for (int i = 0; i < count; i++)
	{
		const ProducerSequence *sequence = &entries[i].sequence;

		appendStringInfo(&text, "%s%lld/%d/%d:%d", i > 0 ? " " : "", (long long) sequence->producer_id,
						 sequence->epoch, sequence->next, sequence->count);
	}
	PG_RETURN_TEXT_P(cstring_to_text(text.data));
}

Datum
pgt_append_probe_next_id(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(pgt_producer_ids_next());
}

#endif
