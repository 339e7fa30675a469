/*
 * log_look.c
 *	  What consumers outside of the database are shown of a partition, for tests.
 *
 *	  stable_end(topic regclass, partition int, flush boolean)
 *		returns (log_start, stable_end, log_end, is_known, awaited)
 *	  log_ranges(topic regclass, partition int, record_offset bigint, max_bytes bigint, at_least_one boolean)
 *		returns (next_offset, ranges, bytes)
 *	  hold_ranges(topic regclass, partition int, record_offset bigint, max_bytes bigint)
 *	  held_bytes() returns bytea
 *
 * The first looks at the partition as this session remembers it, and with "flush" makes
 * durable what the end waits for, and looks again.  The second one reads what is found
 * from the files, up to the stable end of now.  The last two are what is between finding and
 * sending: held_bytes() gives what the files still have.
 */
#include "postgres.h"

#include <unistd.h>

#include "access/htup_details.h"
#include "access/xlog.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/pg_lsn.h"
#include "wal/durable_wal.h"
#include "wal/log_ranges.h"
#include "wal/log_stable_end.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(stable_end);
PG_FUNCTION_INFO_V1(log_ranges);
PG_FUNCTION_INFO_V1(hold_ranges);
PG_FUNCTION_INFO_V1(held_bytes);

static MemoryContext held_context = NULL;
static LogRanges held;

/* The partition of the first two arguments. */
static TopicPartition
partition_argument(FunctionCallInfo fcinfo)
{
	TopicPartition key;

	memset(&key, 0, sizeof(key));
	key.database = MyDatabaseId;
	key.topic = PG_GETARG_OID(0);
	key.partition = PG_GETARG_INT32(1);
	return key;
}

static Datum
make_row(FunctionCallInfo fcinfo, Datum *values, bool *nulls)
{
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "not called with a row type");
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

Datum
stable_end(PG_FUNCTION_ARGS)
{
	TopicPartition key = partition_argument(fcinfo);
	LogStableEnd end;
	Datum		values[5];
	bool		nulls[5] = {false};

	pgt_log_stable_end(&key, pgt_durable_wal_end(), &end);
	while (PG_GETARG_BOOL(2) && end.awaited != InvalidXLogRecPtr && !RecoveryInProgress())
	{
		XLogFlush(end.awaited);
		pgt_log_stable_end(&key, pgt_durable_wal_end(), &end);
	}
	values[0] = Int64GetDatum(end.log_start);
	values[1] = Int64GetDatum(end.end);
	values[2] = Int64GetDatum(end.log_end);
	values[3] = BoolGetDatum(end.is_known);
	values[4] = LSNGetDatum(end.awaited);
	nulls[4] = end.awaited == InvalidXLogRecPtr;
	PG_RETURN_DATUM(make_row(fcinfo, values, nulls));
}

/* Find ranges up to the stable end. */
static bool
find_ranges(const TopicPartition *key, int64 offset, int64 max_bytes, bool at_least_one, LogRanges *found)
{
	LogStableEnd end;
	LogRangesWish wish = {.offset = offset,.max_bytes = max_bytes,.at_least_one = at_least_one};

	pgt_log_stable_end(key, pgt_durable_wal_end(), &end);
	wish.end = end.end;
	return pgt_log_ranges(key, &wish, found);
}

/* The bytes of ranges, as far as the files have them. */
static bytea *
read_ranges(const LogRanges *found)
{
	bytea	   *result = palloc(VARHDRSZ + found->length);
	char	   *next = VARDATA(result);

	for (int i = 0; i < found->count; i++)
	{
		const LogRange *range = &found->ranges[i];
		ssize_t		got = pread(range->file->fd, next, range->length, range->position);

		if (got < 0)
			elog(ERROR, "could not read: %m");
		next += got;
		if (got < range->length)
			break;
	}
	SET_VARSIZE(result, next - (char *) result);
	return result;
}

Datum
log_ranges(PG_FUNCTION_ARGS)
{
	TopicPartition key = partition_argument(fcinfo);
	LogRanges	found;
	Datum		values[3];
	bool		nulls[3] = {false};

	if (!find_ranges(&key, PG_GETARG_INT64(2), PG_GETARG_INT64(3), PG_GETARG_BOOL(4), &found))
		PG_RETURN_NULL();
	values[0] = Int64GetDatum(found.next_offset);
	values[1] = Int32GetDatum(found.count);
	values[2] = PointerGetDatum(read_ranges(&found));
	PG_RETURN_DATUM(make_row(fcinfo, values, nulls));
}

Datum
hold_ranges(PG_FUNCTION_ARGS)
{
	TopicPartition key = partition_argument(fcinfo);
	MemoryContext caller;

	if (held_context != NULL)
		MemoryContextDelete(held_context);
	held_context = AllocSetContextCreate(TopMemoryContext, "held ranges", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(held_context);
	(void) find_ranges(&key, PG_GETARG_INT64(2), PG_GETARG_INT64(3), true, &held);
	MemoryContextSwitchTo(caller);
	PG_RETURN_VOID();
}

Datum
held_bytes(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(read_ranges(&held));
}
