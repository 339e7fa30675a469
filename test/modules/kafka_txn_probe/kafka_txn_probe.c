/*
 * kafka_txn_probe.c
 *	  Driving Kafka transactions below the broker, for tests.
 *
 *	  kafka_begin(producer_id bigint, epoch int) returns text
 *		the number, or what is in the way
 *	  kafka_append(topic regclass, partition int, number bigint, producer_id bigint, epoch int,
 *				   sequence int, key text, values text[], batches int, flush boolean) returns text
 *		appends the values in so many batches, each record with that key, and returns the outcome of
 *		the first batch that is not appended, or of the first one.  With "flush" the WAL is durable then.
 *		ERROR if the transaction has got an id
 *	  kafka_end(number bigint, commit boolean) returns text
 *	  kafka_state(number bigint) returns text
 *	  kafka_transactions() returns setof (number bigint, producer_id bigint, epoch int, xid bigint,
 *				   aborted boolean, database oid, started timestamptz, parts text)
 *		the parts are "topic-partition:first-end", in order
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "format/record_batch.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "topic/topic.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"
#include "util/clock.h"
#include "wal/kafka_txn.h"
#include "wal/log_writer.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(kafka_begin);
PG_FUNCTION_INFO_V1(kafka_append);
PG_FUNCTION_INFO_V1(kafka_end);
PG_FUNCTION_INFO_V1(kafka_state);
PG_FUNCTION_INFO_V1(kafka_transactions);

/* A result in words. */
static const char *
describe_result(KafkaTxnResult result)
{
	switch (result)
	{
		case KAFKA_TXN_DONE:
			return "done";
		case KAFKA_TXN_NOT_OPEN:
			return "not open";
		case KAFKA_TXN_OTHER_EPOCH:
			return "other epoch";
		case KAFKA_TXN_FULL:
			return "full";
		default:
			return "try again";
	}
}

Datum
kafka_begin(PG_FUNCTION_ARGS)
{
	uint64		number;
	KafkaTxnResult result = pgt_kafka_txn_begin(PG_GETARG_INT64(0), PG_GETARG_INT32(1), MyDatabaseId, &number);

	if (result == KAFKA_TXN_FULL)
		pgt_kafka_txn_fail_full();
	PG_RETURN_TEXT_P(cstring_to_text(result == KAFKA_TXN_DONE ? psprintf("%lld", (long long) number) :
									 describe_result(result)));
}

/* An outcome in words. */
static char *
describe_outcome(const LogAppendRequest *request)
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
		case LOG_APPEND_NOT_OPEN:
			return "not open";
		default:
			return "not done";
	}
}

/* A sealed batch of these values, and its request. */
static void
make_request(LogAppendRequest *request, int64 producer_id, int16 epoch, int32 sequence, char *key, Datum *values,
			 int count)
{
	Size		room = RECORD_BATCH_HEADER_SIZE;
	char	   *batch;
	char	   *end;
	RecordBatchHeader header = {.last_offset_delta = count - 1,.producer_id = producer_id,
		.producer_epoch = epoch,.base_sequence = sequence,.record_count = count,
		.attributes = BATCH_ATTR_TRANSACTIONAL};

	for (int i = 0; i < count; i++)
		room += 64 + strlen(key) + VARSIZE_ANY_EXHDR(DatumGetPointer(values[i]));
	batch = palloc(room);
	end = batch + RECORD_BATCH_HEADER_SIZE;
	for (int i = 0; i < count; i++)
	{
		Record		record = {.key = key,.key_length = *key == '\0' ? -1 : strlen(key),
			.value = VARDATA_ANY(DatumGetPointer(values[i])),
			.value_length = VARSIZE_ANY_EXHDR(DatumGetPointer(values[i]))};

		end = pgt_record_encode(end, &record, 0, i);
	}
	header.length = end - batch;
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

Datum
kafka_append(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(7);
	int			batches = PG_GETARG_INT32(8);
	LogAppendRequest *requests = palloc(batches * sizeof(LogAppendRequest));
	const LogAppendRequest *told = &requests[0];
	XLogRecPtr	lsn = InvalidXLogRecPtr;
	Topic	   *topic;
	TopicPartition key;
	Datum	   *values;
	int			count;

	LockRelationOid(relid, RowExclusiveLock);
	topic = pgt_topic_get(relid);
	key = pgt_topic_partition(topic, PG_GETARG_INT32(1));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &values, NULL, &count);
	for (int i = 0; i < batches; i++)
	{
		int			first = count * i / batches;

		make_request(&requests[i], PG_GETARG_INT64(3), PG_GETARG_INT32(4), PG_GETARG_INT32(5) + first,
					 text_to_cstring(PG_GETARG_TEXT_PP(6)), values + first, count * (i + 1) / batches - first);
	}
	pgt_log_writer_append_numbered(pgt_log_state_get(&key), &topic->log, requests, batches,
								   (uint64) PG_GETARG_INT64(2));
	for (int i = batches - 1; i >= 0; i--)
	{
		lsn = Max(lsn, requests[i].lsn);
		if (requests[i].outcome != LOG_APPEND_DONE)
			told = &requests[i];
	}
	if (PG_GETARG_BOOL(9))
		XLogFlush(lsn);
	if (TransactionIdIsValid(GetTopTransactionIdIfAny()) && PG_GETARG_BOOL(9))
		elog(ERROR, "the transaction has got an id");
	PG_RETURN_TEXT_P(cstring_to_text(describe_outcome(told)));
}

Datum
kafka_end(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(describe_result(pgt_kafka_txn_end((uint64) PG_GETARG_INT64(0),
																	   PG_GETARG_BOOL(1)))));
}

Datum
kafka_state(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"open", "ending", "committed", "aborted", "forgotten"};

	PG_RETURN_TEXT_P(cstring_to_text(names[pgt_kafka_txn_state((uint64) PG_GETARG_INT64(0))]));
}

static int
compare_parts(const void *a, const void *b)
{
	const KafkaTxnFilePart *left = a;
	const KafkaTxnFilePart *right = b;

	if (left->key.topic != right->key.topic)
		return left->key.topic < right->key.topic ? -1 : 1;
	return left->key.partition - right->key.partition;
}

/* The parts in words. */
static text *
describe_parts(const KafkaTxnInfo *info)
{
	KafkaTxnFilePart *parts = palloc((info->part_count + 1) * sizeof(KafkaTxnFilePart));
	StringInfoData told;

	memcpy(parts, info->parts, info->part_count * sizeof(KafkaTxnFilePart));
	qsort(parts, info->part_count, sizeof(KafkaTxnFilePart), compare_parts);
	initStringInfo(&told);
	for (int i = 0; i < info->part_count; i++)
		appendStringInfo(&told, "%s%u-%d:%lld-%lld", i > 0 ? " " : "", parts[i].key.topic, parts[i].key.partition,
						 (long long) parts[i].first_offset, (long long) parts[i].end_offset);
	return cstring_to_text(told.data);
}

Datum
kafka_transactions(PG_FUNCTION_ARGS)
{
	KafkaTxnInfo *infos;
	int			count;
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	count = pgt_kafka_txn_map_list(&infos);
	for (int i = 0; i < count; i++)
	{
		Datum		values[] = {
			Int64GetDatum((int64) infos[i].number), Int64GetDatum(infos[i].producer_id),
			Int32GetDatum(infos[i].producer_epoch), Int64GetDatum((int64) infos[i].xid),
			BoolGetDatum(infos[i].aborted), ObjectIdGetDatum(infos[i].database),
			TimestampTzGetDatum(infos[i].started), PointerGetDatum(describe_parts(&infos[i]))
		};
		bool		nulls[lengthof(values)] = {false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
