/*
 * produce.c
 *	  The SQL functions produce(), produced() and flush().
 *
 * produce() takes the key and the value in any type, brings them into the
 * types of the topic's columns, chooses the partition and hands the record to
 * the producer, which appends it just before the transaction commits.  All checks of
 * a record are made here, so that a bad record fails the call and not the commit.
 * Offsets are known only after the append: produced() and flush() show them.
 *
 * Locks: RowExclusiveLock on the topic, until the transaction's end.  It is taken
 * after the privilege was checked, so that a user without it cannot block others.
 *
 * WAL: none here; flush() has the producer append.
 *
 * Memory: the function runs in the executor's per-row context, so nothing is
 * freed here; encoded headers use one buffer of the session's.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_class.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "produce/partitioner.h"
#include "produce/producer.h"
#include "topic/serializer.h"
#include "topic/sql_argument.h"
#include "util/clock.h"
#include "util/sql_version.h"

PGT_FUNCTION_INFO(pgt_produce);
PGT_FUNCTION_INFO(pgt_produce_text_key);
PGT_FUNCTION_INFO(pgt_produce_character_key);
PGT_FUNCTION_INFO(pgt_produce_value);
PGT_FUNCTION_INFO(pgt_produced);
PGT_FUNCTION_INFO(pgt_flush);

#define PRODUCED_COLUMNS	5

/* The topic to produce to: checks everything that does not depend on the record. */
static Topic *
open_topic(FunctionCallInfo fcinfo)
{
	Oid			relid;

	pgt_sql_argument_require(fcinfo, 0, "topic");
	relid = PG_GETARG_OID(0);
	PreventCommandDuringRecovery("produce()");
	PreventCommandIfReadOnly("produce()");
	PreventCommandIfParallelMode("produce()");
	pgt_topic_check_acl(relid, ACL_INSERT);
	LockRelationOid(relid, RowExclusiveLock);
	return pgt_topic_get(relid);
}

/* The bytes of argument n in the serializer's type. */
static ByteView
serialize_argument(FunctionCallInfo fcinfo, int n, Serializer *serializer)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, n);

	if (!OidIsValid(type))
		ereport(ERROR,
				(errcode(ERRCODE_INDETERMINATE_DATATYPE),
				 errmsg("could not determine the data type of argument %d of produce()", n + 1)));
	return pgt_serialize_any(serializer, PG_ARGISNULL(n) ? (Datum) 0 : PG_GETARG_DATUM(n),
							 PG_ARGISNULL(n), type);
}

/* Encode the headers into a buffer that stays good until the next call. */
static void
set_headers(Record *record, Datum headers)
{
	static StringInfoData buffer;

	if (buffer.data == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);

		initStringInfo(&buffer);
		MemoryContextSwitchTo(caller);
	}
	resetStringInfo(&buffer);
	pgt_serialize_headers(headers, &buffer, &record->header_count);
	record->headers = buffer.data;
	record->headers_length = buffer.len;
}

/* Add the record to the transaction. */
static void
add_record(Topic *topic, int32 partition, ByteView key, ByteView value, Record *record)
{
	TopicPartition topic_partition = pgt_topic_partition(topic, partition);

	record->offset = NO_OFFSET;
	record->key = key.data;
	record->key_length = key.length;
	record->value = value.data;
	record->value_length = value.length;
	pgt_producer_add(&topic_partition, &topic->log, record);
}

/*
 * produce(topic regclass, key "any", value anycompatible, partition int,
 *		   record_timestamp timestamptz, headers jsonb) returns int
 */
Datum
pgt_produce(PG_FUNCTION_ARGS)
{
	Topic	   *topic = open_topic(fcinfo);
	ByteView	key = serialize_argument(fcinfo, 1, &topic->key);
	ByteView	value = serialize_argument(fcinfo, 2, &topic->value);
	Record		record = {0};
	int32		partition;

	record.timestamp = PG_ARGISNULL(4) ? pgt_clock_now_ms() :
		pgt_clock_from_timestamptz(PG_GETARG_TIMESTAMPTZ(4));
	/* before the headers: a partitioner may produce too, and use their buffer */
	partition = PG_ARGISNULL(3) ? pgt_partitioner_choose(topic, key, value) : PG_GETARG_INT32(3);
	if (!PG_ARGISNULL(5))
		set_headers(&record, PG_GETARG_DATUM(5));
	add_record(topic, partition, key, value, &record);
	PG_RETURN_INT32(partition);
}

/* produce() with a key of type text, or of a parameter without a type */
Datum
pgt_produce_text_key(PG_FUNCTION_ARGS)
{
	return pgt_produce(fcinfo);
}

/* produce() with a key of type character */
Datum
pgt_produce_character_key(PG_FUNCTION_ARGS)
{
	return pgt_produce(fcinfo);
}

/* produce(topic regclass, value anycompatible) returns int: a record with a null key */
Datum
pgt_produce_value(PG_FUNCTION_ARGS)
{
	Topic	   *topic = open_topic(fcinfo);
	ByteView	key = pgt_serialize(&topic->key, (Datum) 0, true);
	ByteView	value = serialize_argument(fcinfo, 1, &topic->value);
	Record		record = {0};
	int32		partition = pgt_partitioner_choose(topic, key, value);

	record.timestamp = pgt_clock_now_ms();
	add_record(topic, partition, key, value, &record);
	PG_RETURN_INT32(partition);
}

/* Return the ranges as rows (topic, partition, base_offset, last_offset, records). */
static Datum
return_ranges(FunctionCallInfo fcinfo, const ProducerRange *ranges, int count)
{
	ReturnSetInfo *result;

	InitMaterializedSRF(fcinfo, 0);
	result = (ReturnSetInfo *) fcinfo->resultinfo;
	for (int i = 0; i < count; i++)
	{
		const ProducerRange *range = &ranges[i];
		bool		nulls[PRODUCED_COLUMNS] = {0};
		Datum		values[PRODUCED_COLUMNS] = {
			ObjectIdGetDatum(range->topic),
			Int32GetDatum(range->partition),
			Int64GetDatum(range->base_offset),
			Int64GetDatum(range->last_offset),
			Int32GetDatum((int32) Min(range->records, PG_INT32_MAX))
		};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/*
 * produced(): the offsets that this session's last committed transaction with records has
 * appended
 */
Datum
pgt_produced(PG_FUNCTION_ARGS)
{
	int			count;
	const ProducerRange *ranges = pgt_producer_last_committed(&count);

	return return_ranges(fcinfo, ranges, count);
}

/*
 * flush(): append all pending records; returns the offsets that this transaction has
 * flushed so far
 */
Datum
pgt_flush(PG_FUNCTION_ARGS)
{
	int			count;
	const ProducerRange *ranges;

	PreventCommandIfParallelMode("flush()");
	pgt_producer_flush();
	ranges = pgt_producer_flushed(&count);
	return return_ranges(fcinfo, ranges, count);
}
