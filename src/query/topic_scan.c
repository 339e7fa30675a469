/*
 * topic_scan.c
 *	  Running the scan of a topic, and sampling it for ANALYZE.
 *
 * A scan reads the partitions within its bounds one after another, each with a log
 * reader of its own and the statement's snapshot.  So it sees a prefix of each partition
 * that agrees with the tables that the statement sees.  Where a reader would not end
 * there by itself, the end is looked up once (whole_end.c).  It reads nothing before the
 * first row is asked for, and nothing beyond the reader's chunk when no more rows are.
 *
 * A backward scan, of one partition, gives the same records, the last one first.
 *
 * The bounds are evaluated when the first row is asked for, and again after
 * each rescan: parameters of a join may have changed.
 *
 * In a parallel scan each process reads the chunks it takes from the shared
 * counter (scan_share.c) in the same manner.
 *
 * Only the columns that the query uses are filled in; the others stay null.  Values are
 * allocated in the executor's per-row context, or point into the reader's chunk for as
 * long as the row lives.
 *
 * Locks: the executor (or ANALYZE) holds a lock on the topic; a reader holds none between
 * rows.  No WAL.
 *
 * Memory: the "scan" context holds readers, for the whole scan; the "bounds" context
 * holds the bounds until the next rescan; rows are in the executor's per-row context.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/sampling.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "query/fdw_callbacks.h"
#include "query/scan_share.h"
#include "topic/serializer.h"
#include "util/catch_error.h"
#include "util/clock.h"
#include "wal/backward_reader.h"
#include "wal/log_reader.h"
#include "wal/whole_end.h"

#define END_UNKNOWN		((int64) -1)

/* A walk over the records of a topic within bounds. */
typedef struct TopicScan
{
	Topic	   *topic;
	Snapshot	snapshot;
	MemoryContext scan_context;
	ScanBounds	bounds;
	ScanShare  *share;			/* of a parallel scan, else NULL */
	ScanShareCursor share_cursor;
	int64	   *ends;			/* of a serial scan, one a partition: its end, or END_UNKNOWN */
	int			partition;		/* being read; -1 before the first */
	LogReader  *reader;			/* NULL between partitions */
	bool		backward;		/* each partition's last record first: by the other reader */
	BackwardReader *backward_reader;
	bool		done;			/* the end was reached */

	/* read from the partition, not yet counted in its statistics */
	int64		records;
	int64		bytes;

	/* the columns to fill in */
	int			column_count;
	TopicColumnId columns[TOPIC_COLUMN_COUNT];
} TopicScan;

/* The scan of a plan node; in fdw_state. */
typedef struct PlanScan
{
	TopicScan	scan;
	bool		has_bounds;		/* evaluated since the start or the last rescan */
	MemoryContext bounds_context;
	List	   *conditions;		/* ScanCondition */
	List	   *values;			/* ExprState, one for each condition */
} PlanScan;

/* Prepare a walk; "columns" is a bit mask.  The caller sets the bounds. */
static void
scan_init(TopicScan *scan, Topic *topic, Snapshot snapshot, uint32 columns)
{
	scan->topic = topic;
	scan->snapshot = snapshot;
	scan->scan_context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics scan",
											   ALLOCSET_DEFAULT_SIZES);
	scan->share = NULL;
	scan->share_cursor.partition = -1;
	scan->ends = palloc(topic->partitions * sizeof(int64));
	for (int i = 0; i < topic->partitions; i++)
		scan->ends[i] = END_UNKNOWN;
	scan->partition = -1;
	scan->reader = NULL;
	scan->backward = false;
	scan->backward_reader = NULL;
	scan->done = false;
	scan->records = scan->bytes = 0;
	scan->column_count = 0;
	for (int i = 0; i < TOPIC_COLUMN_COUNT; i++)
	{
		if (columns & (1 << i))
			scan->columns[scan->column_count++] = i;
	}
}

/* End the reader of the partition being read, and count what it has given. */
static void
scan_close_reader(TopicScan *scan)
{
	TopicPartition key;
	PartitionState *state;

	if (scan->reader != NULL)
		pgt_log_reader_end(scan->reader);
	else if (scan->backward_reader != NULL)
		pgt_backward_reader_end(scan->backward_reader);
	else
		return;
	scan->reader = NULL;
	scan->backward_reader = NULL;
	key = pgt_topic_partition(scan->topic, scan->partition);
	state = pgt_log_state_find(&key);
	if (state != NULL && scan->records > 0)
	{
		pg_atomic_fetch_add_u64(&state->records_out, scan->records);
		pg_atomic_fetch_add_u64(&state->bytes_out, scan->bytes);
	}
	scan->records = scan->bytes = 0;
}

/* Stop reading; the walk starts over with the next record asked for. */
static void
scan_reset(TopicScan *scan)
{
	scan_close_reader(scan);
	scan->share_cursor.partition = -1;
	scan->partition = -1;
	scan->done = false;
}

/* Find the end of a scan of the partition.  arg: TopicScan. */
static void
find_end(void *arg)
{
	TopicScan  *scan = arg;
	TopicPartition key = pgt_topic_partition(scan->topic, scan->partition);
	TransactionId blocker;

	scan->ends[scan->partition] = pgt_whole_end(&key, scan->snapshot, &blocker);
}

/*
 * Where a serial scan of the partition must end at the latest, should the reader not
 * notice.  The snapshot stays the same, and so does the end once it is known.  Damage
 * that is met only on the way to it must not keep the records before and behind from
 * being read: then the end is where the reader comes to.
 */
static int64
serial_end(TopicScan *scan, int64 first_offset)
{
	int64	   *end = &scan->ends[scan->partition];
	TopicPartition key = pgt_topic_partition(scan->topic, scan->partition);
	MemoryContext caller;
	ErrorData  *damage;

	if (*end != END_UNKNOWN)
		return *end;
	if (!pgt_whole_end_is_needed(&key, scan->snapshot, first_offset))
		return PG_INT64_MAX;
	caller = MemoryContextSwitchTo(scan->scan_context);
	damage = pgt_catch_damage_reading(find_end, scan);
	if (damage != NULL)
	{
		*end = PG_INT64_MAX;
		pgt_catch_error_report(damage);
	}
	MemoryContextSwitchTo(caller);
	return *end;
}

/* Choose the next partition and its offsets; false if there are none left. */
static bool
scan_next_range(TopicScan *scan, int64 *first_offset, int64 *end_offset)
{
	if (scan->share != NULL)
		return pgt_scan_share_next(scan->share, &scan->share_cursor, &scan->bounds,
								   &scan->partition, first_offset, end_offset);
	scan->partition = bms_next_member(scan->bounds.partitions, scan->partition);
	if (scan->partition < 0)
		return false;
	*first_offset = scan->bounds.first_offset;
	*end_offset = Min(scan->bounds.end_offset, serial_end(scan, *first_offset));
	return true;
}

/* Open a reader on what is to be read next; false if nothing is left. */
static bool
scan_open_reader(TopicScan *scan)
{
	LogReaderFilter filter = {
		.min_timestamp = scan->bounds.min_timestamp,
		.max_timestamp = scan->bounds.max_timestamp
	};
	MemoryContext caller;
	TopicPartition key;
	int64		first_offset;

	if (scan->share != NULL && scan->reader != NULL)
		pgt_scan_share_skip(scan->share, &scan->share_cursor, &scan->bounds,
							pgt_log_reader_next_start(scan->reader));
	scan_close_reader(scan);
	if (scan->done || !scan_next_range(scan, &first_offset, &filter.end_offset))
	{
		scan->done = true;
		return false;
	}
	key = pgt_topic_partition(scan->topic, scan->partition);
	caller = MemoryContextSwitchTo(scan->scan_context);
	scan->reader = pgt_log_reader_begin(&key, first_offset, scan->snapshot, &filter);
	MemoryContextSwitchTo(caller);
	return true;
}

/* The next record within the bounds; its bytes stay good until the next call. */
static inline bool
scan_next(TopicScan *scan, Record *record)
{
	while (scan->reader == NULL || !pgt_log_reader_next(scan->reader, record))
	{
		CHECK_FOR_INTERRUPTS();
		if (!scan_open_reader(scan))
			return false;
	}
	scan->records++;
	scan->bytes += record->encoded_length;
	return true;
}

/*
 * Where a backward scan of the partition begins.  A forward scan stops at a running
 * transaction by itself where its end is not looked up; this one cannot, so for it the end
 * is known wherever it is not behind all that is read.  Where damage is on the way to it,
 * it is where a forward scan would stop.
 */
static int64
backward_end(TopicScan *scan)
{
	int64		end = Min(scan->bounds.end_offset, serial_end(scan, scan->bounds.end_offset));
	TopicPartition key = pgt_topic_partition(scan->topic, scan->partition);

	if (scan->ends[scan->partition] != PG_INT64_MAX)
		return end;
	return pgt_log_reader_stop(&key, scan->bounds.first_offset, end, scan->snapshot);
}

/* Open a backward reader on the next partition; false if there are none left. */
static bool
scan_open_backward_reader(TopicScan *scan)
{
	LogReaderFilter filter = {
		.min_timestamp = scan->bounds.min_timestamp,
		.max_timestamp = scan->bounds.max_timestamp
	};
	MemoryContext caller;
	TopicPartition key;

	scan_close_reader(scan);
	if (!scan->done)
		scan->partition = bms_next_member(scan->bounds.partitions, scan->partition);
	if (scan->done || scan->partition < 0)
	{
		scan->done = true;
		return false;
	}
	key = pgt_topic_partition(scan->topic, scan->partition);
	filter.end_offset = backward_end(scan);
	caller = MemoryContextSwitchTo(scan->scan_context);
	scan->backward_reader = pgt_backward_reader_begin(&key, scan->bounds.first_offset,
													  scan->snapshot, &filter);
	MemoryContextSwitchTo(caller);
	return true;
}

/* The same as scan_next() for a backward scan. */
static bool
scan_next_backward(TopicScan *scan, Record *record)
{
	while (scan->backward_reader == NULL ||
		   !pgt_backward_reader_next(scan->backward_reader, record))
	{
		CHECK_FOR_INTERRUPTS();
		if (!scan_open_backward_reader(scan))
			return false;
	}
	scan->records++;
	scan->bytes += record->encoded_length;
	return true;
}

/*
 * Set the values of the columns to fill in; new memory comes from the current context.
 */
static void
scan_fill(TopicScan *scan, const Record *record, Datum *values, bool *nulls)
{
	Topic	   *topic = scan->topic;

	for (int i = 0; i < scan->column_count; i++)
	{
		TopicColumnId column = scan->columns[i];
		int			n = topic->attnum[column] - 1;

		nulls[n] = false;
		switch (column)
		{
			case TOPIC_PARTITION:
				values[n] = Int32GetDatum(scan->partition);
				break;
			case TOPIC_RECORD_OFFSET:
				values[n] = Int64GetDatum(record->offset);
				break;
			case TOPIC_RECORD_TIMESTAMP:
				values[n] = TimestampTzGetDatum(pgt_clock_to_timestamptz(record->timestamp));
				break;
			case TOPIC_KEY:
				values[n] = pgt_deserialize(&topic->key, record->key, record->key_length, &nulls[n]);
				break;
			case TOPIC_VALUE:
				values[n] = pgt_deserialize(&topic->value, record->value, record->value_length, &nulls[n]);
				break;
			case TOPIC_HEADERS:
				values[n] = pgt_deserialize_headers(record, &nulls[n]);
				break;
			case TOPIC_COLUMN_COUNT:
				break;
		}
	}
}

/* BeginForeignScan */
void
pgt_topic_scan_begin(ForeignScanState *node, int eflags)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;
	PlanScan   *state = palloc0(sizeof(PlanScan));

	scan_init(&state->scan, pgt_topic_get(RelationGetRelid(node->ss.ss_currentRelation)),
			  node->ss.ps.state->es_snapshot, pgt_topic_plan_columns(plan));
	state->scan.backward = pgt_topic_plan_is_backward(plan);
	state->bounds_context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics scan bounds",
												  ALLOCSET_SMALL_SIZES);
	state->conditions = pgt_topic_plan_conditions(plan);
	state->values = ExecInitExprList(plan->fdw_exprs, &node->ss.ps);

	/* columns that are not filled in are null in every row */
	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts);
	node->fdw_state = state;
}

/* Evaluate the conditions' values and set the bounds by them. */
static void
evaluate_bounds(PlanScan *state, ExprContext *econtext)
{
	MemoryContext caller;
	ListCell   *condition;
	ListCell   *value;

	MemoryContextReset(state->bounds_context);
	caller = MemoryContextSwitchTo(state->bounds_context);
	pgt_scan_bounds_init(&state->scan.bounds, state->scan.topic->partitions);
	forboth(condition, state->conditions, value, state->values)
	{
		bool		isnull;
		Datum		datum = ExecEvalExpr((ExprState *) lfirst(value), econtext, &isnull);

		pgt_scan_bounds_narrow(&state->scan.bounds, lfirst(condition), datum, isnull);
	}
	MemoryContextSwitchTo(caller);
	state->has_bounds = true;
}

/* IterateForeignScan: the next row, in the node's own slot. */
TupleTableSlot *
pgt_topic_scan_iterate(ForeignScanState *node)
{
	PlanScan   *state = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;
	Record		record;

	if (unlikely(!state->has_bounds))
		evaluate_bounds(state, node->ss.ps.ps_ExprContext);
	ExecClearTuple(slot);
	if (!(state->scan.backward ? scan_next_backward(&state->scan, &record) :
		  scan_next(&state->scan, &record)))
		return slot;
	scan_fill(&state->scan, &record, slot->tts_values, slot->tts_isnull);
	return ExecStoreVirtualTuple(slot);
}

/* ReScanForeignScan */
void
pgt_topic_scan_rescan(ForeignScanState *node)
{
	PlanScan   *state = node->fdw_state;

	scan_reset(&state->scan);
	state->has_bounds = false;
}

/* EndForeignScan */
void
pgt_topic_scan_end(ForeignScanState *node)
{
	PlanScan   *state = node->fdw_state;

	if (state == NULL)
		return;
	scan_reset(&state->scan);
	MemoryContextDelete(state->scan.scan_context);
	MemoryContextDelete(state->bounds_context);
}

/* EstimateDSMForeignScan: the size of what the processes of a parallel scan share. */
Size
pgt_topic_scan_estimate_share(ForeignScanState *node, ParallelContext *context)
{
	PlanScan   *state = node->fdw_state;

	return pgt_scan_share_size(state->scan.topic);
}

/* InitializeDSMForeignScan, in the leader. */
void
pgt_topic_scan_init_share(ForeignScanState *node, ParallelContext *context, void *coordinate)
{
	PlanScan   *state = node->fdw_state;

	pgt_scan_share_init(coordinate, state->scan.topic, state->scan.snapshot);
	state->scan.share = coordinate;
}

/* ReInitializeDSMForeignScan, in the leader, which has rescanned already. */
void
pgt_topic_scan_restart_share(ForeignScanState *node, ParallelContext *context, void *coordinate)
{
	pgt_scan_share_restart(coordinate);
}

/* InitializeWorkerForeignScan */
void
pgt_topic_scan_attach_share(ForeignScanState *node, shm_toc *toc, void *coordinate)
{
	PlanScan   *state = node->fdw_state;

	state->scan.share = coordinate;
}

/* A mask of the columns that the topic has. */
static uint32
all_columns(Relation relation)
{
	Topic	   *topic = pgt_topic_get(RelationGetRelid(relation));
	uint32		columns = 0;

	for (int i = 0; i < TOPIC_COLUMN_COUNT; i++)
	{
		if (topic->attnum[i] != 0)
			columns |= 1 << i;
	}
	return columns;
}

/* A row of the record, in the current context. */
static HeapTuple
form_row(TopicScan *scan, TupleDesc desc, const Record *record)
{
	Datum	   *values = palloc0(sizeof(Datum) * desc->natts);
	bool	   *nulls = palloc(sizeof(bool) * desc->natts);

	memset(nulls, true, desc->natts);
	scan_fill(scan, record, values, nulls);
	return heap_form_tuple(desc, values, nulls);
}

/*
 * The position of the n-th record (counted from 0) in a sample of "wanted" rows, to
 * which each record belongs with the same chance; -1 if it is left out.
 */
static int
sample_position(ReservoirState reservoir, double n, int wanted, double *skip)
{
	if (n < wanted)
		return (int) n;
	if (*skip < 0)
		*skip = reservoir_get_next_S(reservoir, n, wanted);
	if ((*skip)-- > 0)
		return -1;
	return (int) (wanted * sampler_random_fract(&reservoir->randstate));
}

/* Take a sample of all visible records; returns how many rows it has. */
static int
acquire_sample_rows(Relation relation, int elevel, HeapTuple *rows, int wanted,
					double *total_rows, double *total_dead_rows)
{
	TupleDesc	desc = RelationGetDescr(relation);
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics sample row",
													  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = CurrentMemoryContext;
	ReservoirStateData reservoir;
	TopicScan	scan;
	Record		record;
	double		skip = -1;
	double		count = 0;

	reservoir_init_selection_state(&reservoir, wanted);
	scan_init(&scan, pgt_topic_get(RelationGetRelid(relation)), GetActiveSnapshot(),
			  all_columns(relation));
	pgt_scan_bounds_init(&scan.bounds, scan.topic->partitions);
	while (scan_next(&scan, &record))
	{
		int			position = sample_position(&reservoir, count, wanted, &skip);

		count++;
		if (position < 0)
			continue;
		if (count > wanted)
			heap_freetuple(rows[position]);
		MemoryContextSwitchTo(row_context);
		rows[position] = form_row(&scan, desc, &record);
		MemoryContextSwitchTo(caller);
		rows[position] = heap_copytuple(rows[position]);
		MemoryContextReset(row_context);
	}
	scan_reset(&scan);
	MemoryContextDelete(scan.scan_context);
	MemoryContextDelete(row_context);

	*total_rows = count;
	*total_dead_rows = 0;
	ereport(elevel,
			(errmsg("\"%s\": topic contains %.0f visible records; %.0f rows in sample",
					RelationGetRelationName(relation), count, Min(count, wanted))));
	return (int) Min(count, wanted);
}

/* AnalyzeForeignTable: a topic can always be analyzed. */
bool
pgt_topic_scan_analyze(Relation relation, AcquireSampleRowsFunc *func, BlockNumber *pages)
{
	Topic	   *topic = pgt_topic_get(RelationGetRelid(relation));
	ScanBounds	everything;
	double		records;
	double		bytes;

	pgt_scan_bounds_init(&everything, topic->partitions);
	pgt_scan_bounds_estimate(&everything, topic, &records, &bytes);
	*func = acquire_sample_rows;
	*pages = (BlockNumber) Min(bytes / BLCKSZ + 1, MaxBlockNumber);
	return true;
}
