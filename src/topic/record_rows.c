/*
 * record_rows.c
 *	  Records as rows, for consume(), consume_as() and latest().
 *
 * A plan node takes the columns one by one.  Two ways lead into a function's tuplestore.  Any row can go the long one: a
 * Datum for each column, in the order of the topic's columns, and the server
 * forms the tuple.  Most rows that consume() returns (text, in a UTF-8
 * database, no headers) go a short one, which copies the record's bytes
 * straight into a tuple of the fixed shape
 *
 *	  header, null bitmap | partition int4 | pad | record_offset int8 |
 *	  record_timestamp int8 | key text | value text		(headers: null)
 *
 * (with consume_many(): topic oid | partition int4 | record_offset int8 | ...)
 *
 * laid out as heap_fill_tuple() does, and so saves a fifth of the time of
 * draining a topic.
 *
 * Memory: one row at a time; Datums in a context that is reset for each row,
 * the short way's tuple in a buffer that grows to the largest.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/tupmacs.h"
#include "executor/tuptable.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "topic/record_rows.h"
#include "topic/serializer.h"
#include "util/ascii.h"
#include "util/clock.h"
#include "util/compat.h"

/* The short way's tuple: header with its bitmap, then the columns of fixed size. */
#define ROW_HEADER_SIZE		MAXALIGN(SizeofMinimalTupleHeader + BITMAPLEN(TOPIC_COLUMN_COUNT + 1))
#define ROW_OFFSET_AT		MAXALIGN(sizeof(int32))
#define ROW_TIMESTAMP_AT	(ROW_OFFSET_AT + sizeof(int64))
#define ROW_TEXT_AT			(ROW_TIMESTAMP_AT + sizeof(int64))

/* The most bytes that two texts need beside their own: padding and length words. */
#define ROW_TEXT_OVERHEAD	(2 * (sizeof(int32) + VARHDRSZ))

struct RecordRows
{
	Tuplestorestate *store;
	TupleDesc	desc;
	Topic	   *topic;
	AttrNumber	attnum[TOPIC_COLUMN_COUNT]; /* 0: the column is left out */
	bool		many;			/* with a column of the topic before the others */
	bool		typed;			/* key and value in the topic's types, else as text */

	/* the long way */
	Datum	   *values;
	bool	   *nulls;
	MemoryContext per_record;

	/* the short way */
	bool		plain_text;		/* may the short way be taken? */
	TupleTableSlot *slot;
	MinimalTuple row;
	Size		capacity;
};

/* Begin the result; topic is NULL for a result with several topics. */
static RecordRows *
begin(FunctionCallInfo fcinfo, Topic *topic, bool typed)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RecordRows *rows = palloc0(sizeof(RecordRows));

	InitMaterializedSRF(fcinfo, 0);
	rows->store = result->setResult;
	rows->desc = result->setDesc;
	rows->many = topic == NULL;
	rows->typed = typed;
	for (int i = 0; i < TOPIC_COLUMN_COUNT; i++)
		rows->attnum[i] = typed ? topic->attnum[i] : i + 1 + (rows->many ? 1 : 0);

	rows->values = palloc0(sizeof(Datum) * rows->desc->natts);
	rows->nulls = palloc(sizeof(bool) * rows->desc->natts);
	memset(rows->nulls, true, sizeof(bool) * rows->desc->natts);
	rows->per_record = AllocSetContextCreate(CurrentMemoryContext, "pg_topics record",
											 ALLOCSET_DEFAULT_SIZES);

	rows->slot = PGT_TUPLE_SLOT(rows->desc, &TTSOpsMinimalTuple);
	return rows;
}

RecordRows *
pgt_record_rows_begin(FunctionCallInfo fcinfo, Topic *topic, bool typed)
{
	RecordRows *rows = begin(fcinfo, topic, typed);

	pgt_record_rows_set_topic(rows, topic);
	return rows;
}

RecordRows *
pgt_record_rows_begin_many(FunctionCallInfo fcinfo)
{
	return begin(fcinfo, NULL, false);
}

void
pgt_record_rows_set_topic(RecordRows *rows, Topic *topic)
{
	rows->topic = topic;
	rows->plain_text = !rows->typed && !topic->key.is_bytea && !topic->value.is_bytea &&
		GetDatabaseEncoding() == PG_UTF8;
}

Oid
pgt_record_rows_topic_of_call(const FuncExpr *call, const char *usage)
{
	Oid			type = get_call_expr_argtype((Node *) call, 0);
	Oid			topic = OidIsValid(type) ? get_typ_typrelid(type) : InvalidOid;

	if (!OidIsValid(topic))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("type %s is not the row type of a topic", format_type_be(type)),
				 errhint("Use %s.", usage)));
	return topic;
}

void
pgt_record_rows_refuse_name(FunctionCallInfo fcinfo, const char *function, const char *rest)
{
	const char *name = PG_ARGISNULL(0) ? "topic_name" : text_to_cstring(PG_GETARG_TEXT_PP(0));

	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("%s() takes a null of the topic's row type, not the topic's name", function),
			 errdetail("The row type says which columns the result has."),
			 errhint("Write %s(NULL::%s%s).", function, name, rest)));
}

/* ---- the long way ------------------------------------------------------- */

/* A key or value. */
static Datum
payload(Serializer *serializer, bool typed, const char *bytes, int32 length, bool *isnull)
{
	return typed ? pgt_deserialize(serializer, bytes, length, isnull) :
		pgt_deserialize_as_text(serializer, bytes, length, isnull);
}

Datum
pgt_record_rows_column(Topic *topic, TopicColumnId column, bool typed,
					   int32 partition, const Record *record, bool *isnull)
{
	*isnull = false;
	switch (column)
	{
		case TOPIC_PARTITION:
			return Int32GetDatum(partition);
		case TOPIC_RECORD_OFFSET:
			return Int64GetDatum(record->offset);
		case TOPIC_RECORD_TIMESTAMP:
			return TimestampTzGetDatum(pgt_clock_to_timestamptz(record->timestamp));
		case TOPIC_KEY:
			return payload(&topic->key, typed, record->key, record->key_length, isnull);
		case TOPIC_VALUE:
			return payload(&topic->value, typed, record->value, record->value_length, isnull);
		default:
			*isnull = record->header_count == 0;
			return *isnull ? (Datum) 0 : pgt_deserialize_headers(record, isnull);
	}
}

/* Add a record as a row of Datums. */
static void
put_datums(RecordRows *rows, int32 partition, const Record *record)
{
	MemoryContext caller = MemoryContextSwitchTo(rows->per_record);

	if (rows->many)
	{
		rows->values[0] = ObjectIdGetDatum(rows->topic->relid);
		rows->nulls[0] = false;
	}
	for (int i = 0; i < TOPIC_COLUMN_COUNT; i++)
	{
		AttrNumber	attnum = rows->attnum[i];

		if (attnum > 0)
			rows->values[attnum - 1] = pgt_record_rows_column(rows->topic, i, rows->typed, partition,
															  record, &rows->nulls[attnum - 1]);
	}
	tuplestore_putvalues(rows->store, rows->desc, rows->values, rows->nulls);

	MemoryContextSwitchTo(caller);
	MemoryContextReset(rows->per_record);
}

/* ---- the short way ------------------------------------------------------ */

/* Can a key or value be copied unchanged?  Invalid text goes the long way, which reports it. */
static inline bool
is_plain_text(const char *bytes, int32 length)
{
	return length <= 0 || pgt_ascii_is_all(bytes, length) || pg_verify_mbstr(PG_UTF8, bytes, length, true);
}

/* Make room for a tuple of that many bytes. */
static void
reserve_row(RecordRows *rows, Size size)
{
	if (size <= rows->capacity)
		return;
	rows->capacity = Max(size, rows->capacity * 2);
	if (rows->row == NULL)
		rows->row = MemoryContextAllocHuge(GetMemoryChunkContext(rows), rows->capacity);
	else
		rows->row = repalloc_huge(rows->row, rows->capacity);
}

/*
 * Write a text attribute at "at" bytes behind "data"; returns where the next
 * one begins.  Short texts have a one-byte header and are not aligned; padding
 * must be zero, by which readers tell the two apart.
 */
static Size
put_text(char *data, Size at, const char *bytes, int32 length)
{
	if (length + VARHDRSZ_SHORT <= VARATT_SHORT_MAX)
	{
		SET_VARSIZE_SHORT(data + at, length + VARHDRSZ_SHORT);
		at += VARHDRSZ_SHORT;
	}
	else
	{
		Size		aligned = INTALIGN(at);

		memset(data + at, 0, aligned - at);
		SET_VARSIZE(data + aligned, length + VARHDRSZ);
		at = aligned + VARHDRSZ;
	}
	memcpy(data + at, bytes, length);
	return at + length;
}

/* Add a record of plain text without headers. */
static void
put_plain_text(RecordRows *rows, int32 partition, const Record *record)
{
	Size		at = ROW_TEXT_AT;
	uint8		present = (1 << TOPIC_PARTITION) | (1 << TOPIC_RECORD_OFFSET) | (1 << TOPIC_RECORD_TIMESTAMP);
	int			before = rows->many ? 1 : 0;	/* columns */
	char	   *data;

	reserve_row(rows, ROW_HEADER_SIZE + ROW_TEXT_AT + ROW_TEXT_OVERHEAD +
				Max(record->key_length, 0) + Max(record->value_length, 0));
	memset(rows->row, 0, ROW_HEADER_SIZE + ROW_TEXT_AT);
	data = (char *) rows->row + ROW_HEADER_SIZE;

	if (rows->many)
		*(Oid *) data = rows->topic->relid;
	((int32 *) data)[before] = partition;
	*(int64 *) (data + ROW_OFFSET_AT) = record->offset;
	*(int64 *) (data + ROW_TIMESTAMP_AT) = pgt_clock_to_timestamptz(record->timestamp);
	if (record->key_length >= 0)
	{
		at = put_text(data, at, record->key, record->key_length);
		present |= 1 << TOPIC_KEY;
	}
	if (record->value_length >= 0)
	{
		at = put_text(data, at, record->value, record->value_length);
		present |= 1 << TOPIC_VALUE;
	}

	rows->row->t_len = ROW_HEADER_SIZE + at;
	rows->row->t_infomask = HEAP_HASNULL | HEAP_HASVARWIDTH;
	HeapTupleHeaderSetNatts(rows->row, before + TOPIC_COLUMN_COUNT);
	rows->row->t_hoff = ROW_HEADER_SIZE + MINIMAL_TUPLE_OFFSET;
	rows->row->t_bits[0] = before == 0 ? present : (present << 1) | 1;

	ExecStoreMinimalTuple(rows->row, rows->slot, false);
	tuplestore_puttupleslot(rows->store, rows->slot);
}

void
pgt_record_rows_put(RecordRows *rows, int32 partition, const Record *record)
{
	if (rows->plain_text && record->header_count == 0 &&
		is_plain_text(record->key, record->key_length) &&
		is_plain_text(record->value, record->value_length))
		put_plain_text(rows, partition, record);
	else
		put_datums(rows, partition, record);
}
