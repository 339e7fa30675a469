/*
 * produce_check.c
 *	  May a batch of a Kafka producer go into a topic?  And as which bytes?
 *
 * A batch that passes stands in the log as it was sent, and SQL reads it with the topic's
 * types.  So what a topic's options and columns refuse of a record that SQL produces is
 * refused here, and what would keep SQL from reading the partition:
 *
 *	  the bytes				checksum, counts, codec, every record (producer_batch.c)
 *	  max.message.bytes		the batch as it is stored
 *	  message.timestamp.*	each record's timestamp; with LogAppendTime none is looked at
 *	  cleanup.policy		compact: each record has a key
 *	  partitioner.enforce	each key is in the partition that the topic's partitioner gives it
 *	  compression.type		a codec: a batch of another one is compressed anew; "producer", the
 *							default, takes what is sent
 *	  column types			a key and a value that SQL could not read are refused, record by record
 *
 * Triggers do not fire, as with produce() in SQL.
 *
 * Types.  Whether bytes are good for a type its input function tells, by an ERROR.  Then the
 * turn's subtransaction is rolled back, and the check goes on behind that record, until
 * enough of them are named.  Functions of the server itself are called as they
 * are.  Others, of extensions or in a domain's constraint, belong to whoever has made
 * them: they are called as the client's role, which may do no more in them than in a
 * security-restricted operation, with a snapshot, and not for longer than CHECK_MS a batch, of which a slice has
 * SLICE_CPU_MS of a processor, as all clients wait meanwhile: so that is the most that they may take for one record.
 * If they wait for WAIT_MS in a slice, for a lock for instance, the check ends, and is begun anew a second later, until the request's
 * time is over: what they wait for may come.
 * Settings that they change are changed back.
 *
 * Slices.  Records are looked at one by one, and a batch may have many: so that is done in slices.  In between its
 * topic is not locked.  If it has become another one, by its options for instance, all is done again.  A batch that
 * was decompressed has its records in memory meanwhile.  Where others have KEPT_MAX of it, one with many records waits
 * before it is decompressed, and one with few is checked at a stretch.
 *
 * Codecs.  What takes longer than a slice is compressed and decompressed beside the loop (codec_work.c): what becomes larger than
 * LOOP_UNPACKED_MAX, and what is LOOP_PACKED_MAX or more before it is compressed anew.
 *
 * Size.  Kafka has no limit for what a batch becomes behind its codec.  Here all clients wait while it is
 * decompressed and looked at, so what is more than EXPANDED_TIMES as large as the topic lets a batch be
 * is too large, and so is one of more than RECORDS_MAX records.  Java's producer divides such a batch.
 *
 * Memory: the caller's context, for the answer and a batch that was compressed anew.  Room for decompressed
 * records is kept for the next batch if it is not large; a batch that is not ready in its slice keeps it to itself.
 */
#include "postgres.h"

#include "broker/core/cpu_limit.h"
#include "broker/core/database_text.h"
#include "broker/core/turn.h"
#include "broker/core/wait_limit.h"
#include "broker/data/codec_work.h"
#include "broker/data/produce_check.h"
#include "kafka/producer_batch.h"
#include "miscadmin.h"
#include "produce/producer.h"
#include "storage/latch.h"
#include "util/clock.h"
#include "util/fault_point.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

/* How long functions that are not the server's may take for a batch. */
#define CHECK_MS		1000
#define SLICE_CPU_MS	200
#define WAIT_MS			50

/* Room for decompressed records up to this size is kept. */
#define SCRATCH_KEPT	(4 * 1024 * 1024)

/* So much is decompressed, and compressed, in the loop: some milliseconds with the slowest codec. */
#define LOOP_UNPACKED_MAX	(2 * 1024 * 1024)
#define LOOP_PACKED_MAX		(256 * 1024)

/* What is decompressed leaves nack() room for the headers that it adds, as records of SQL do. */
#define SCRATCH_MAX		(RECORD_BATCH_MAX_SIZE - PRODUCER_HEADER_ROOM)

/* Behind its codec a batch may be so many times as large as the topic's max.message.bytes, and at least EXPANDED_MIN. */
#define EXPANDED_TIMES	16
#define EXPANDED_MIN	(4 * 1024 * 1024)

/* A batch may have so many records: each costs time, however small it is. */
#define RECORDS_MAX		500000

/* Checks that go on in other slices keep so many decompressed bytes together, and one batch's more. */
#define KEPT_MAX		(64 * 1024 * 1024)

/* After so many records it is asked whether the slice is over: when they are walked, and when a topic looks at them. */
#define WALKED_RECORDS	4096
#define CHECKED_RECORDS	16

/* ---- room for decompressed records ------------------------------------------ */

static size_t scratch_max = SCRATCH_MAX;	/* for the batch that is checked */

static bool
grow_scratch(ProducerScratch *scratch, size_t needed)
{
	if (needed > scratch_max)
	{
		if (scratch->size >= scratch_max)
			return false;
		needed = scratch_max;
	}
	if (scratch->data != NULL)
		pfree(scratch->data);
	scratch->size = 0;
	scratch->data = MemoryContextAllocExtended(TopMemoryContext, needed, MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
	if (scratch->data == NULL)
		return false;
	scratch->size = needed;
	return true;
}

static ProducerScratch scratch = {.grow = grow_scratch};

/* Give it back if it has become large. */
static void
trim_scratch(void)
{
	if (scratch.size <= SCRATCH_KEPT)
		return;
	pfree(scratch.data);
	scratch.data = NULL;
	scratch.size = 0;
}

/* ---- record by record ------------------------------------------------------- */

/* A walk over a batch's records. */
typedef struct RecordCheck
{
	Topic	   *topic;
	int32		partition;
	int64		first_time;		/* limits of a record's timestamp */
	int64		last_time;
	RecordIterator iterator;
	int32		index;			/* of the record that is looked at */
	MemoryContext memory;		/* of what a type's functions leave */
	ProduceProblem *problem;
	bool		may_pause;		/* when the slice is over */
	bool		paused;			/* it has */
	bool		waited;			/* functions that are not the server's have waited for too long */
	int64		taken_us;		/* by functions that are not the server's */
} RecordCheck;

/* How many bytes all checks keep. */
static size_t kept_bytes = 0;

struct ProduceCheck
{
	uint64		topic_version;	/* of the topic as it was */
	ProducerRules rules;
	ProducerBatch batch;
	bool		is_open;		/* the batch has passed as a whole */
	bool		has_head;		/* it has, but for its records */
	bool		is_large;		/* these are decompressed beside the loop */
	bool		is_walked;		/* and each of its records by itself */
	bool		is_checked;		/* and as the topic wants them */
	RecordCheck records;		/* as the topic wants them; problem is NULL before it has begun */
	ProduceProblem problem;
	CodecWork  *unpacks;		/* its records, beside the loop; NULL: it does not */
	CodecWork  *packs;			/* likewise, by the topic's codec */
	ProduceCheckCaller caller;
	char	   *kept;			/* decompressed records, between slices; NULL: none */
	size_t		kept_size;
	MemoryContextCallback free_kept;
};

/* Note that the record is refused. */
static void
refuse_record(RecordCheck *check, KafkaError error, char *why)
{
	ProduceProblem *problem = check->problem;
	ProduceRefusedRecord *refused = &problem->records[problem->record_count++];

	refused->index = check->index;
	refused->problem = why;
	/* as in Kafka: timestamps have an error of their own, if there is no other */
	if (problem->record_count == 1)
		problem->error = error;
	else if (problem->error != error)
		problem->error = KAFKA_ERROR_INVALID_RECORD;
}

/* Refuse a timestamp; "where" it is, seen from the server's clock. */
static void
refuse_timestamp(RecordCheck *check, const Record *record, const char *where, const char *option, int64 limit)
{
	refuse_record(check, KAFKA_ERROR_INVALID_TIMESTAMP,
				  psprintf("timestamp %s is too far %s the server's clock; the topic's option %s allows %lld ms",
						   timestamptz_to_str(pgt_clock_to_timestamptz(record->timestamp)), where, option,
						   (long long) limit));
}

/* Refuse a key that is not where the topic's partitioner places it. */
static void
refuse_place(RecordCheck *check, const Record *record)
{
	const KeyPlacement *placement = &check->topic->log.placement;
	int32		placed = pgt_placement_rule_apply(placement->rule, placement->partitions, record->key, record->key_length);

	if (placed != check->partition && placed != NO_PLACEMENT)
		refuse_record(check, KAFKA_ERROR_INVALID_RECORD,
					  psprintf("key belongs to partition %d, and the topic's option partitioner.enforce is on", placed));
	else
		refuse_record(check, KAFKA_ERROR_INVALID_RECORD,
					  pstrdup("key is not in the form of its type, and the topic's option partitioner.enforce is on"));
}

/* Refuse the record if an option does.  Returns whether it is good. */
static bool
check_options(RecordCheck *check, const Record *record)
{
	const LogConfig *config = &check->topic->log;

	if (config->compacted && record->key_length < 0)
		refuse_record(check, KAFKA_ERROR_INVALID_RECORD, pstrdup("record has no key, and the topic is compacted"));
	else if (record->timestamp > check->last_time)
		refuse_timestamp(check, record, "ahead of", "message.timestamp.after.max.ms", config->timestamp_after_max_ms);
	else if (record->timestamp < check->first_time)
		refuse_timestamp(check, record, "behind", "message.timestamp.before.max.ms", config->timestamp_before_max_ms);
	else if (!pgt_serializer_takes_headers(record))
		refuse_record(check, KAFKA_ERROR_INVALID_RECORD, pstrdup("headers are too many or too long for jsonb"));
	else if (config->placement.rule != PLACED_ANYWHERE && record->key_length >= 0 &&
			 !pgt_key_placement_allows(&config->placement, check->partition, record->key, record->key_length))
		refuse_place(check, record);
	else
		return true;
	return false;
}

/* ERROR if the bytes are not good for the column. */
static void
check_column(RecordCheck *check, Serializer *serializer, const char *bytes, int32 length)
{
	MemoryContext caller;

	if (pgt_serializer_takes(serializer, bytes, length))
		return;
	caller = MemoryContextSwitchTo(check->memory);
	pgt_serializer_check(serializer, bytes, length);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(check->memory);
}

/* Is it to go on in another slice? */
static bool
must_pause(const RecordCheck *check)
{
	if (!check->may_pause)
		return false;
	return pgt_broker_slice_is_over() || FAULT_IS("produce-check", "slices") || FAULT_IS("produce-check", "waits");
}

/*
 * Look at the next records, until one is not good for its column, which is an ERROR, or the slice is over.  A slice gets
 * on in any case.
 */
static void
walk(RecordCheck *check)
{
	Record		record;

	check->paused = false;
	for (int looked = 0; check->problem->record_count < PRODUCE_CHECK_RECORDS; looked++)
	{
		if (looked > 0 && looked % CHECKED_RECORDS == 0 && must_pause(check))
		{
			check->paused = true;
			break;
		}
		if (!pgt_record_iterator_next(&check->iterator, &record))
			break;
		check->index++;
		if (!check_options(check, &record))
			continue;
		check_column(check, &check->topic->key, record.key, record.key_length);
		check_column(check, &check->topic->value, record.value, record.value_length);
	}
}

/* Do the same as that role, for a limited time. */
static void
walk_as(RecordCheck *check, Oid role)
{
	Oid			user;
	int			context;
	int			settings = NewGUCNestLevel();

	GetUserIdAndSecContext(&user, &context);
	PushActiveSnapshot(GetTransactionSnapshot());
	pgt_cpu_limit_begin(SLICE_CPU_MS);
	pgt_wait_limit_begin(WAIT_MS);
	enable_timeout_after(STATEMENT_TIMEOUT, Max(CHECK_MS - (int) (check->taken_us / 1000), 1));
	SetUserIdAndSecContext(role, context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
	walk(check);
	SetUserIdAndSecContext(user, context);
	disable_timeout(STATEMENT_TIMEOUT, false);
	/* one may have come in a function that does not look for it */
	(void) pgt_wait_limit_end();
	(void) pgt_cpu_limit_end();
	PopActiveSnapshot();
	/* what they have set, even for the session */
	AtEOXact_GUC(false, settings);
}

/* The text of an error, with its detail, for clients; "is_over": the time of a processor was. */
static char *
text_of(const ErrorData *error, bool is_over)
{
	char	   *text;

	if (is_over && error->sqlerrcode == ERRCODE_QUERY_CANCELED)
		return psprintf("functions of the topic's types took more than %d ms of a processor", SLICE_CPU_MS);
	text = error->detail == NULL ? pstrdup(error->message) : psprintf("%s: %s", error->message, error->detail);
	return unconstify(char *, pgt_database_text_for_client(text).data);
}

/*
 * Walk on; an ERROR refuses the record at which it was thrown.  True when the walk is at its end, pauses, or has taken
 * too long.
 */
static bool
walk_on(RecordCheck *check, bool builtin, Oid role)
{
	MemoryContext caller = CurrentMemoryContext;
	int64		began = pgt_clock_monotonic_us();
	volatile bool ends = false;
	bool		is_over;
	bool		waited;

	PG_TRY();
	{
		if (builtin)
			walk(check);
		else
			walk_as(check, role);
		ends = true;
	}
	PG_CATCH();
	{
		ErrorData  *error;

		disable_timeout(STATEMENT_TIMEOUT, false);
		waited = !builtin && pgt_wait_limit_end();
		is_over = !builtin && pgt_cpu_limit_end();
		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		pgt_turn_recover();
		MemoryContextReset(check->memory);
		ends = error->sqlerrcode == ERRCODE_QUERY_CANCELED;
		check->waited = waited && ends;
		if (!check->waited)
			refuse_record(check, KAFKA_ERROR_INVALID_RECORD, text_of(error, is_over));
		FreeErrorData(error);
	}
	PG_END_TRY();
	check->taken_us += pgt_clock_monotonic_us() - began;
	return ends;
}

/* Would a look at the single records tell more than is known of the batch? */
static bool
must_walk(const RecordCheck *check, const ProducerBatch *batch)
{
	const Topic *topic = check->topic;

	return !pgt_serializer_takes_any(&topic->key) || !pgt_serializer_takes_any(&topic->value) ||
		topic->log.compacted || topic->log.placement.rule != PLACED_ANYWHERE ||
		batch->min_timestamp < check->first_time || batch->max_timestamp > check->last_time ||
		batch->records_length > SERIALIZER_HEADERS_TAKEN;
}

/* The earliest and the latest timestamp that the topic takes. */
static void
set_time_limits(const LogConfig *config, int64 *first, int64 *last)
{
	int64		now = pgt_clock_now_ms();

	*first = PG_INT64_MIN;
	*last = PG_INT64_MAX;
	if (config->log_append_time)
		return;
	if (config->timestamp_before_max_ms != PG_INT64_MAX)
		*first = now - config->timestamp_before_max_ms;
	if (config->timestamp_after_max_ms < PG_INT64_MAX - now)
		*last = now + config->timestamp_after_max_ms;
}

/* Begin to check the records.  False if there is nothing to check. */
static bool
begin_records(ProduceCheck *check, Topic *topic, int32 partition)
{
	RecordCheck *records = &check->records;

	*records = (RecordCheck) {.topic = topic,.partition = partition,.index = -1,.may_pause = records->may_pause};
	set_time_limits(&topic->log, &records->first_time, &records->last_time);
	if (!must_walk(records, &check->batch))
		return false;
	records->problem = &check->problem;
	records->memory = AllocSetContextCreate(CurrentMemoryContext, "pg_topics produce check", ALLOCSET_DEFAULT_SIZES);
	pgt_record_iterator_init(&records->iterator, &check->batch.header, check->batch.records, check->batch.records_length);
	return true;
}

/* Check the records, as far as the slice allows.  Refused: problem.records says which. */
static ProduceChecked
check_records(ProduceCheck *check, Topic *topic, int32 partition, Oid role)
{
	RecordCheck *records = &check->records;
	ProduceProblem *problem = &check->problem;
	bool		builtin = pgt_serializer_is_builtin(&topic->key) && pgt_serializer_is_builtin(&topic->value);

	if (records->problem == NULL && !begin_records(check, topic, partition))
		return PRODUCE_GOOD;
	/* the same, but perhaps somewhere else */
	records->topic = topic;
	while (!walk_on(records, builtin, role))
		;
	/* a function that has slept, or waited for a lock, has reset the latch that the loop waits for */
	if (!builtin)
		SetLatch(MyLatch);
	if (records->waited)
		return PRODUCE_BUSY;
	if (records->paused)
		return PRODUCE_UNFINISHED;
	MemoryContextDelete(records->memory);
	if (problem->record_count == 0)
		return PRODUCE_GOOD;
	problem->message = psprintf("record %d of the batch: %s", problem->records[0].index, problem->records[0].problem);
	return PRODUCE_REFUSED;
}

/* ---- the batch -------------------------------------------------------------- */

/* Note the problem. */
static ProduceChecked
refuse(ProduceProblem *problem, KafkaError error, const char *message)
{
	problem->error = error;
	problem->message = message;
	return PRODUCE_REFUSED;
}

/* Is the batch as it is stored small enough? */
static ProduceChecked
check_length(const Topic *topic, int32 partition, int32 length, ProduceProblem *problem)
{
	if (length <= topic->log.max_message_bytes)
		return PRODUCE_GOOD;
	return refuse(problem, KAFKA_ERROR_MESSAGE_TOO_LARGE,
				  psprintf("record batch of %d bytes for partition %d of topic \"%s\" is too large: it can have at most %d bytes (max.message.bytes)",
						   length, partition, get_rel_name(topic->relid), topic->log.max_message_bytes));
}

/* Compress the records in the loop. */
static size_t
pack(const LogConfig *config, const ProducerBatch *batch, char *out, Size room)
{
	size_t		packed = 0;
	const char *problem = pgt_compress(config->compression, config->compression_level, batch->records, batch->records_length,
									   out, room, &packed);

	if (problem != NULL)
		elog(ERROR, "could not compress a record batch with %s: %s", pgt_compression_name(config->compression), problem);
	return packed;
}

/* The same beside it, if it is to be done there; *bytes is NULL if it is not. */
static ProduceChecked
pack_beside(ProduceCheck *check, const LogConfig *config, const char **bytes, size_t *packed)
{
	const ProducerBatch *batch = &check->batch;
	bool		busy = false;
	const char *problem;

	*bytes = NULL;
	if (config->compression == COMPRESSION_NONE || batch->records_length < LOOP_PACKED_MAX)
		return PRODUCE_GOOD;
	if (check->packs == NULL)
	{
		check->packs = pgt_codec_work_pack(config->compression, config->compression_level, batch->records, batch->records_length,
										   check->caller.ready, check->caller.arg, &busy);
		return check->packs != NULL || busy ? PRODUCE_WAITS : PRODUCE_GOOD;
	}
	if (!pgt_codec_work_is_done(check->packs))
		return PRODUCE_WAITS;
	problem = pgt_codec_work_result(check->packs, bytes, packed);
	if (problem != NULL)
		elog(ERROR, "could not compress a record batch with %s: %s", pgt_compression_name(config->compression), problem);
	return PRODUCE_GOOD;
}

/*
 * The batch with its records compressed by the topic's codec, where that makes them smaller.
 * The header stays but for what tells that.
 */
static ProduceChecked
compress_anew(ProduceCheck *check, const LogConfig *config, char **out)
{
	ProducerBatch *batch = &check->batch;
	RecordBatchHeader *header = &batch->header;
	size_t		plain = batch->records_length;
	size_t		packed = plain;
	int			codec = config->compression;
	const char *done;
	ProduceChecked result = pack_beside(check, config, &done, &packed);
	Size		room;

	if (result != PRODUCE_GOOD)
		return result;
	room = done != NULL || codec == COMPRESSION_NONE ? plain : Max(plain, pgt_compress_bound(codec, plain));
	*out = MemoryContextAllocHuge(CurrentMemoryContext, RECORD_BATCH_HEADER_SIZE + room);
	if (done == NULL && codec != COMPRESSION_NONE)
		packed = pack(config, batch, *out + RECORD_BATCH_HEADER_SIZE, room);
	if (packed >= plain)
		codec = COMPRESSION_NONE;
	if (codec == COMPRESSION_NONE)
		memcpy(*out + RECORD_BATCH_HEADER_SIZE, batch->records, plain);
	else if (done != NULL)
		memcpy(*out + RECORD_BATCH_HEADER_SIZE, done, packed);
	header->attributes = (header->attributes & ~BATCH_ATTR_CODEC_MASK) | codec;
	header->length = RECORD_BATCH_HEADER_SIZE + (codec == COMPRESSION_NONE ? plain : packed);
	header->max_timestamp = batch->max_timestamp;
	pgt_record_batch_seal(*out, header);
	return PRODUCE_GOOD;
}

/* The bytes that are to be stored: those that were sent, or others. */
static ProduceChecked
make_stored(ProduceCheck *check, const LogConfig *config, const KafkaRecords *sent, char **bytes)
{
	ProducerBatch *batch = &check->batch;

	*bytes = unconstify(char *, sent->data);
	if (!config->compress_by_size && config->compression != (batch->header.attributes & BATCH_ATTR_CODEC_MASK))
		return compress_anew(check, config, bytes);
	/* retention and lookups by time trust it; with LogAppendTime the append sets it */
	if (batch->header.max_timestamp != batch->max_timestamp && !config->log_append_time)
		pgt_record_batch_set_max_timestamp(*bytes, batch->header.length, batch->max_timestamp);
	return PRODUCE_GOOD;
}

/* What the log is to append. */
static void
make_request(const LogConfig *config, const ProducerBatch *batch, char *bytes, LogAppendRequest *request)
{
	memset(request, 0, sizeof(*request));
	request->batch = bytes;
	request->length = batch->header.length;
	request->records_length = batch->records_length;
	request->last_offset_delta = batch->header.last_offset_delta;
	request->records = batch->header.record_count;
	request->min_timestamp = batch->min_timestamp;
	request->max_timestamp = batch->max_timestamp;
	request->log_append_time = config->log_append_time;
	request->required_offset = NO_OFFSET;
	pgt_partition_log_set_producer(request, &batch->header);
}

/* How large its records may be behind their codec. */
static size_t
unpacked_limit(const LogConfig *config)
{
	return Min(Max((size_t) config->max_message_bytes * EXPANDED_TIMES, EXPANDED_MIN), SCRATCH_MAX);
}

/* Look at the batch as a whole, but for its records. */
static ProduceChecked
open_head(ProduceCheck *check, const Topic *topic, int32 partition, const KafkaRecords *sent, bool allow_zstd)
{
	const LogConfig *config = &topic->log;
	ProducerRules *rules = &check->rules;
	ProduceProblem *problem = &check->problem;
	const char *why;
	KafkaError	error;

	*rules = (ProducerRules) {
		.max_length = PG_INT32_MAX,.max_records = RECORDS_MAX,.min_timestamp = PG_INT64_MIN,
		.max_timestamp = PG_INT64_MAX,.allow_zstd = allow_zstd,.walk_records = true
	};
	/* before the look at the records, which costs more the larger they are */
	if (sent->length > config->max_message_bytes && config->compress_by_size)
		rules->max_length = config->max_message_bytes;
	error = pgt_producer_batch_head(sent, rules, &check->batch, &why);
	if (error == KAFKA_ERROR_MESSAGE_TOO_LARGE && rules->max_length < sent->length)
		return check_length(topic, partition, sent->length, problem);
	if (error == KAFKA_ERROR_MESSAGE_TOO_LARGE)
		return refuse(problem, error,
					  psprintf("batch of %d records is too large: it can have at most %d",
							   check->batch.header.record_count, RECORDS_MAX));
	return error == KAFKA_ERROR_NONE ? PRODUCE_GOOD : refuse(problem, error, why);
}

/* Decompress the records in the loop, if they are no larger than that. */
static KafkaError
unpack_here(ProduceCheck *check, const KafkaRecords *sent, size_t limit, const char **why)
{
	scratch_max = limit;
	return pgt_producer_batch_unpack(sent, &scratch, &check->batch, why);
}

/* Decompress them beside it.  *here: nobody can do that. */
static ProduceChecked
unpack_beside(ProduceCheck *check, const KafkaRecords *sent, size_t limit, KafkaError *error, const char **why, bool *here)
{
	ProducerBatch *batch = &check->batch;
	bool		busy = false;
	const char *records;
	size_t		length;

	*here = false;
	if (check->unpacks == NULL)
	{
		check->unpacks = pgt_codec_work_unpack(batch->header.attributes & BATCH_ATTR_CODEC_MASK, sent->data + RECORD_BATCH_HEADER_SIZE,
											   batch->header.length - RECORD_BATCH_HEADER_SIZE, limit,
											   check->caller.ready, check->caller.arg, &busy);
		*here = check->unpacks == NULL && !busy;
		return PRODUCE_WAITS;
	}
	if (!pgt_codec_work_is_done(check->unpacks))
		return PRODUCE_WAITS;
	*why = pgt_codec_work_result(check->unpacks, &records, &length);
	*error = pgt_producer_batch_unpacked(batch, records, length, *why);
	return PRODUCE_GOOD;
}

/* Find the records: decompress them, where they are large beside the loop. */
static ProduceChecked
open_records(ProduceCheck *check, const Topic *topic, int32 partition, const KafkaRecords *sent)
{
	size_t		limit = unpacked_limit(&topic->log);
	size_t		packed = check->batch.header.length - RECORD_BATCH_HEADER_SIZE;
	bool		is_packed = (check->batch.header.attributes & BATCH_ATTR_CODEC_MASK) != COMPRESSION_NONE;
	KafkaError	error = KAFKA_ERROR_MESSAGE_TOO_LARGE;
	const char *why = NULL;
	bool		here;

	if (check->unpacks == NULL && !check->is_large && (!is_packed || packed < LOOP_UNPACKED_MAX / 4))
		error = unpack_here(check, sent, is_packed ? Min(limit, LOOP_UNPACKED_MAX) : limit, &why);
	if (error == KAFKA_ERROR_MESSAGE_TOO_LARGE && is_packed && limit > LOOP_UNPACKED_MAX)
	{
		check->is_large = true;
		if (unpack_beside(check, sent, limit, &error, &why, &here) == PRODUCE_WAITS && !here)
			return PRODUCE_WAITS;
		if (here)
			error = unpack_here(check, sent, limit, &why);
	}
	if (error == KAFKA_ERROR_MESSAGE_TOO_LARGE)
		return refuse(&check->problem, error,
					  psprintf("records of a batch for partition %d of topic \"%s\" are too large before they were compressed: they can have at most %zu bytes, %d times max.message.bytes",
							   partition, get_rel_name(topic->relid), limit, EXPANDED_TIMES));
	return error == KAFKA_ERROR_NONE ? PRODUCE_GOOD : refuse(&check->problem, error, why);
}

/* Walk the records, as far as the slice allows. */
static ProduceChecked
walk_batch(ProduceCheck *check)
{
	const char *why;

	while (!check->is_walked)
	{
		KafkaError	error = pgt_producer_batch_walk(&check->batch, &check->rules, WALKED_RECORDS, &check->is_walked, &why);

		if (error != KAFKA_ERROR_NONE)
			return refuse(&check->problem, error, why);
		if (!check->is_walked && must_pause(&check->records))
			return PRODUCE_UNFINISHED;
	}
	return PRODUCE_GOOD;
}

/* The same as pgt_produce_check(), from where it has stopped on; scratch is in use when it returns. */
static ProduceChecked
check_on(ProduceCheck *check, Topic *topic, int32 partition, Oid role, const KafkaRecords *sent, bool allow_zstd,
		 LogAppendRequest *request)
{
	const LogConfig *config = &topic->log;
	ProducerBatch *batch = &check->batch;
	ProduceChecked result = PRODUCE_GOOD;
	char	   *bytes;

	if (!check->has_head)
		result = open_head(check, topic, partition, sent, allow_zstd);
	check->has_head = result == PRODUCE_GOOD;
	if (check->has_head && !check->is_open)
		result = open_records(check, topic, partition, sent);
	if (result != PRODUCE_GOOD)
		return result;
	check->is_open = true;
	check->records.may_pause = batch->records != scratch.data || kept_bytes < KEPT_MAX;
	result = walk_batch(check);
	if (result != PRODUCE_GOOD)
		return result;
	/* its records have no time of their own then */
	if ((batch->header.attributes & BATCH_ATTR_LOG_APPEND_TIME) != 0 && !config->log_append_time)
		return refuse(&check->problem, KAFKA_ERROR_INVALID_TIMESTAMP, "producer has sent a batch with LogAppendTime");
	if (!check->is_checked)
		result = check_records(check, topic, partition, role);
	check->is_checked = result == PRODUCE_GOOD;
	if (check->is_checked)
		result = make_stored(check, config, sent, &bytes);
	if (result != PRODUCE_GOOD)
		return result;
	make_request(config, batch, bytes, request);
	return check_length(topic, partition, request->length, &check->problem);
}

/* ---- between slices --------------------------------------------------------- */

/* The check's memory goes, or its records are not needed any more. */
static void
free_kept(void *arg)
{
	ProduceCheck *check = arg;

	if (check->unpacks != NULL)
		pgt_codec_work_free(check->unpacks);
	if (check->packs != NULL)
		pgt_codec_work_free(check->packs);
	check->unpacks = check->packs = NULL;
	if (check->kept == NULL)
		return;
	pfree(check->kept);
	check->kept = NULL;
	kept_bytes -= check->kept_size;
}

/* Decompressed records stay where they are until the check goes on; others get other room. */
static void
keep_records(ProduceCheck *check)
{
	if (!check->is_open || check->batch.records != scratch.data)
		return;
	check->kept = scratch.data;
	check->kept_size = scratch.size;
	kept_bytes += scratch.size;
	scratch.data = NULL;
	scratch.size = 0;
}

/* Is there no room to keep the records of a batch, of which there are many? */
static bool
must_wait(const ProduceCheck *check, const KafkaRecords *sent)
{
	RecordBatchHeader header;

	return !check->is_open && kept_bytes >= KEPT_MAX && sent->length >= RECORD_BATCH_HEADER_SIZE &&
		pgt_record_batch_read_header(sent->data, sent->length, &header) == NULL &&
		(header.attributes & BATCH_ATTR_CODEC_MASK) != COMPRESSION_NONE && header.record_count > WALKED_RECORDS;
}

/* The topic is another one than it was: nothing is known of the batch. */
static void
begin_anew(ProduceCheck *check)
{
	if (check->records.memory != NULL)
		MemoryContextDelete(check->records.memory);
	check->records = (RecordCheck) {0};
	check->problem = (ProduceProblem) {0};
	check->has_head = check->is_large = check->is_open = check->is_walked = check->is_checked = false;
	free_kept(check);
}

/* A check of the caller's, in its memory. */
static ProduceCheck *
make_check(const ProduceCheckCaller *caller)
{
	ProduceCheck *check = palloc0(sizeof(ProduceCheck));

	check->caller = *caller;
	check->free_kept = (MemoryContextCallback) {.func = free_kept,.arg = check};
	MemoryContextRegisterResetCallback(GetMemoryChunkContext(check), &check->free_kept);
	return check;
}

ProduceChecked
pgt_produce_check(ProduceCheck **kept_check, const ProduceCheckCaller *caller, Topic *topic, int32 partition, Oid role,
				  const KafkaRecords *sent, bool allow_zstd, LogAppendRequest *request, ProduceProblem *problem)
{
	ProduceCheck *check = *kept_check;
	ProduceChecked result;

	if (check == NULL)
		check = *kept_check = make_check(caller);
	else if (check->topic_version != topic->version)
		begin_anew(check);
	else if (check->is_open && FAULT_IS("produce-check", "waits"))
		return PRODUCE_UNFINISHED;
	check->topic_version = topic->version;
	if (must_wait(check, sent))
		return PRODUCE_UNFINISHED;
	result = check_on(check, topic, partition, role, sent, allow_zstd, request);
	if (result == PRODUCE_UNFINISHED || result == PRODUCE_WAITS)
		keep_records(check);
	else if (result == PRODUCE_BUSY)
		begin_anew(check);
	else
	{
		free_kept(check);
		*problem = check->problem;
	}
	trim_scratch();
	return result;
}
