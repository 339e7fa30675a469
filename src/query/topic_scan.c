/*
 * topic_scan.c
 *	  Running the scan of a topic, and sampling it for ANALYZE.
 *
 * A scan reads the partitions within its bounds one after another (topic_walk.c) or, for
 * the order of the offsets, all at once (offset_merge.c).  Either gives the same records.
 *
 * If the query asks for keys, a record with other bytes for its key is left out before a
 * value is made of it (key_set.h).
 *
 * Only the columns that the query uses are filled in; the others stay null.  Values are
 * allocated in the executor's per-row context, or point into the reader's chunk for as
 * long as the row lives.
 *
 * Locks: the executor (or ANALYZE) holds a lock on the topic.  No WAL.
 *
 * Memory: readers are in the walk's context, for the whole scan; the bounds are in another
 * one until the next rescan (plan_bounds.c); rows are in the executor's per-row context.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/parallel.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/sampling.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "query/explain_counts.h"
#include "query/fdw_callbacks.h"
#include "query/offset_merge.h"
#include "query/plan_bounds.h"
#include "query/topic_walk.h"
#include "topic/serializer.h"
#include "util/clock.h"
#include "util/compat.h"

/* Which columns of a record to fill in. */
typedef struct ColumnFill
{
	Topic	   *topic;
	int			count;
	TopicColumnId columns[TOPIC_COLUMN_COUNT];
} ColumnFill;

/* The scan of a plan node; in fdw_state. */
typedef struct PlanScan
{
	TopicWalk	walk;
	ScanOrder	order;
	OffsetMerge *merge;			/* of an ordered scan, once it has begun */
	ColumnFill	fill;
	PlanBounds	bounds;
	LogReaderCounts workers;	/* what the workers of a parallel scan have done, as far as known */
	LogReaderCounts earlier;	/* and those of its earlier runs */
} PlanScan;

/* Prepare to fill in the columns of a bit mask. */
static void
fill_init(ColumnFill *fill, Topic *topic, uint32 columns)
{
	fill->topic = topic;
	fill->count = 0;
	for (int i = 0; i < TOPIC_COLUMN_COUNT; i++)
	{
		if (columns & (1 << i))
			fill->columns[fill->count++] = i;
	}
}

/*
 * Set the values of the columns to fill in; new memory comes from the current context.
 */
static void
fill_columns(const ColumnFill *fill, int partition, const Record *record, Datum *values, bool *nulls)
{
	Topic	   *topic = fill->topic;

	for (int i = 0; i < fill->count; i++)
	{
		TopicColumnId column = fill->columns[i];
		int			n = topic->attnum[column] - 1;

		nulls[n] = false;
		switch (column)
		{
			case TOPIC_PARTITION:
				values[n] = Int32GetDatum(partition);
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
	Topic	   *topic = pgt_topic_get(RelationGetRelid(node->ss.ss_currentRelation));
	PlanScan   *state = palloc0(sizeof(PlanScan));

	pgt_topic_walk_init(&state->walk, topic, node->ss.ps.state->es_snapshot);
	state->walk.columns = pgt_topic_plan_columns(plan);
	fill_init(&state->fill, topic, state->walk.columns);
	state->order = pgt_topic_plan_order(plan);
	pgt_plan_bounds_init(&state->bounds, &node->ss.ps, pgt_topic_plan_conditions(plan));

	/* columns that are not filled in are null in every row */
	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts);
	node->fdw_state = state;
}

/* The next record of an ordered scan, and its partition. */
static bool
next_ordered(PlanScan *state, Record *record, int *partition)
{
	if (state->merge == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(state->walk.context);

		state->merge = pgt_offset_merge_begin(&state->walk, state->order == SCAN_BY_OFFSET_BACKWARD);
		MemoryContextSwitchTo(caller);
	}
	return pgt_offset_merge_next(state->merge, record, partition);
}

/* IterateForeignScan: the next row, in the node's own slot. */
TupleTableSlot *
pgt_topic_scan_iterate(ForeignScanState *node)
{
	PlanScan   *state = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;
	Record		record;
	int			partition;

	if (unlikely(!state->bounds.are_known))
		pgt_plan_bounds_evaluate(&state->bounds, state->walk.topic, node->ss.ps.ps_ExprContext,
								 &state->walk.bounds);
	ExecClearTuple(slot);
	if (state->order == SCAN_BY_PARTITION)
	{
		if (!pgt_topic_walk_next(&state->walk, &record))
			return slot;
		partition = state->walk.partition;
	}
	else if (!next_ordered(state, &record, &partition))
		return slot;
	fill_columns(&state->fill, partition, &record, slot->tts_values, slot->tts_isnull);
	return ExecStoreVirtualTuple(slot);
}

/* Does the scan look keys up in the topic's index of keys? */
static bool
uses_key_index(const PlanScan *state)
{
	ListCell   *cell;

	if (!state->walk.topic->key_index)
		return false;
	foreach(cell, state->bounds.conditions)
	{
		if (((const ScanCondition *) lfirst(cell))->column == TOPIC_KEY)
			return true;
	}
	return false;
}

/* For ExplainForeignScan: show that the index of keys is used and, if the scan was run, what that was good for. */
void
pgt_topic_scan_explain(ForeignScanState *node, struct ExplainState *es)
{
	const PlanScan *state = node->fdw_state;

	if (uses_key_index(state))
		pgt_explain_counts_show_keys(&state->walk.counts, es);
}

/* Stop reading. */
static void
stop_reading(PlanScan *state)
{
	if (state->merge != NULL)
		pgt_offset_merge_end(state->merge);
	state->merge = NULL;
	pgt_topic_walk_reset(&state->walk);
}

/* ReScanForeignScan */
void
pgt_topic_scan_rescan(ForeignScanState *node)
{
	PlanScan   *state = node->fdw_state;

	stop_reading(state);
	state->bounds.are_known = false;
}

/* EndForeignScan */
void
pgt_topic_scan_end(ForeignScanState *node)
{
	PlanScan   *state = node->fdw_state;

	if (state == NULL)
		return;
	stop_reading(state);
	pgt_topic_walk_end(&state->walk);
	pgt_plan_bounds_end(&state->bounds);
}

/* EstimateDSMForeignScan: the size of what the processes of a parallel scan share. */
Size
pgt_topic_scan_estimate_share(ForeignScanState *node, ParallelContext *context)
{
	PlanScan   *state = node->fdw_state;

	return pgt_scan_share_size(state->walk.topic);
}

/*
 * ShutdownForeignScan: a worker tells the leader what it has done, and the leader looks at
 * that before the shared memory goes.  Workers that a LIMIT has stopped may tell it too late.
 */
void
pgt_topic_scan_shut_down(ForeignScanState *node)
{
	PlanScan   *state = node->fdw_state;

	if (state->walk.share == NULL)
		return;
	if (!IsParallelWorker())
		state->workers = pgt_scan_share_counts(state->walk.share);
	else
	{
		pgt_scan_share_add_counts(state->walk.share, &state->walk.counts);
		memset(&state->walk.counts, 0, sizeof(LogReaderCounts));
	}
	state->walk.share = NULL;
}

LogReaderCounts
pgt_topic_scan_counts(const ForeignScanState *node)
{
	const PlanScan *state = node->fdw_state;
	LogReaderCounts counts = state->walk.counts;

	pgt_explain_counts_add(&counts, &state->workers);
	pgt_explain_counts_add(&counts, &state->earlier);
	return counts;
}

/* InitializeDSMForeignScan, in the leader. */
void
pgt_topic_scan_init_share(ForeignScanState *node, ParallelContext *context, void *coordinate)
{
	PlanScan   *state = node->fdw_state;

	pgt_explain_counts_add(&state->earlier, &state->workers);
	memset(&state->workers, 0, sizeof(LogReaderCounts));
	pgt_scan_share_init(coordinate, state->walk.topic, state->walk.snapshot, state->walk.past_running);
	state->walk.share = coordinate;
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

	state->walk.share = coordinate;
}

/* A mask of the columns that the topic has. */
static uint32
all_columns(const Topic *topic)
{
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
form_row(const ColumnFill *fill, int partition, TupleDesc desc, const Record *record)
{
	Datum	   *values = palloc0(sizeof(Datum) * desc->natts);
	bool	   *nulls = palloc(sizeof(bool) * desc->natts);

	memset(nulls, true, desc->natts);
	fill_columns(fill, partition, record, values, nulls);
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
	Topic	   *topic = pgt_topic_get(RelationGetRelid(relation));
	ColumnFill	fill;
	TopicWalk	walk;
	Record		record;
	double		skip = -1;
	double		count = 0;

	reservoir_init_selection_state(&reservoir, wanted);
	fill_init(&fill, topic, all_columns(topic));
	pgt_topic_walk_init(&walk, topic, GetActiveSnapshot());
	pgt_scan_bounds_init(&walk.bounds, topic->partitions);
	while (pgt_topic_walk_next(&walk, &record))
	{
		int			position = sample_position(&reservoir, count, wanted, &skip);

		count++;
		if (position < 0)
			continue;
		if (count > wanted)
			heap_freetuple(rows[position]);
		MemoryContextSwitchTo(row_context);
		rows[position] = form_row(&fill, walk.partition, desc, &record);
		MemoryContextSwitchTo(caller);
		rows[position] = heap_copytuple(rows[position]);
		MemoryContextReset(row_context);
	}
	pgt_topic_walk_end(&walk);
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
