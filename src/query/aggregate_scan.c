/*
 * aggregate_scan.c
 *	  Running a scan that answers aggregates from the segments' indexes.
 *
 * The log reader hands out the batches that the statement's snapshot sees, by the same
 * rules and up to the same end as for a scan.  One that lies wholly within the bounds is
 * counted by its entry, or by its header where the entry does not say how many records it
 * has.  One that does not, because a bound or the log start cuts it or its times are not all
 * within a condition, is read record by record.
 *
 * Timestamps in an entry are exactly the smallest and the largest of the batch's records.
 * Offsets are not, unless the batch is dense: its first or last records may be gone.  So
 * where the smallest or largest offset is asked for, the first batch is read unless it is
 * dense, and if the last one is not, a backward reader looks for the last record.  Where
 * nothing but those two offsets is asked for, no batch between is looked at.
 *
 * Damage is an ERROR as in a scan where it is met: in an entry, in a missing segment, in a
 * header or a batch that is read.  Damage inside a batch that was only counted is not
 * noticed.
 *
 * Memory: readers are in the walk's context.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "query/aggregate_plan.h"
#include "query/aggregate_scan.h"
#include "query/fdw_callbacks.h"
#include "query/plan_bounds.h"
#include "query/topic_walk.h"
#include "util/clock.h"
#include "wal/backward_reader.h"

/* What was found; the fields behind "records" are undefined while that is 0. */
typedef struct Totals
{
	int64		records;
	int64		min_offset;
	int64		max_offset;
	int64		min_timestamp;
	int64		max_timestamp;
} Totals;

/* The scan of a plan node; in fdw_state. */
typedef struct AggregateScan
{
	TopicWalk	walk;
	PlanBounds	bounds;
	List	   *columns;		/* AggregatePlanColumn */
	bool		is_grouped;
	bool		wants_offsets_only;
	bool		wants_min_offset;
	bool		wants_max_offset;
	bool		is_done;
} AggregateScan;

/* ---- one partition --------------------------------------------------------- */

/* Count records of the offsets and times from the first to the last of each. */
static void
add(Totals *totals, int64 records, int64 first_offset, int64 last_offset, int64 min_timestamp,
	int64 max_timestamp)
{
	if (records == 0)
		return;
	if (totals->records == 0)
	{
		totals->min_offset = first_offset;
		totals->max_offset = last_offset;
		totals->min_timestamp = min_timestamp;
		totals->max_timestamp = max_timestamp;
	}
	totals->records += records;
	totals->min_offset = Min(totals->min_offset, first_offset);
	totals->max_offset = Max(totals->max_offset, last_offset);
	totals->min_timestamp = Min(totals->min_timestamp, min_timestamp);
	totals->max_timestamp = Max(totals->max_timestamp, max_timestamp);
}

/* Count one record. */
static void
add_record(Totals *totals, const Record *record)
{
	add(totals, 1, record->offset, record->offset, record->timestamp, record->timestamp);
}

/* Can the batch be counted without reading its records? */
static bool
can_take(AggregateScan *state, const LogReaderBatch *batch, const Totals *totals)
{
	if (!batch->is_whole)
		return false;
	if (state->wants_min_offset && !batch->is_dense && totals->records == 0)
		return false;
	return state->bounds.time_count == 0 ||
		(pgt_plan_bounds_admit_time(&state->bounds, batch->min_timestamp) &&
		 pgt_plan_bounds_admit_time(&state->bounds, batch->max_timestamp));
}

/* Count the records of the batch that the reader stands at, one by one. */
static void
read_batch(AggregateScan *state, Totals *totals)
{
	TopicWalk  *walk = &state->walk;
	Record		record;

	if (!pgt_log_reader_enter_batch(walk->reader))
		return;
	while (pgt_log_reader_next_in_batch(walk->reader, &record))
	{
		walk->records++;
		walk->bytes += record.encoded_length;
		if (pgt_plan_bounds_admit_time(&state->bounds, record.timestamp))
			add_record(totals, &record);
	}
}

/*
 * Set *last to the partition's last record.  False if there is none any more, since it was
 * deleted or compacted away meanwhile.
 */
static bool
find_last(AggregateScan *state, Record *last)
{
	TopicWalk  *walk = &state->walk;
	TopicPartition key = pgt_topic_partition(walk->topic, walk->partition);
	LogReaderFilter filter = pgt_topic_walk_filter(walk);
	MemoryContext caller = MemoryContextSwitchTo(walk->context);
	BackwardReader *reader;
	bool		found;

	filter.end_offset = pgt_topic_walk_end_offset(walk, walk->partition, true);
	reader = pgt_backward_reader_begin(&key, walk->bounds.first_offset, walk->snapshot, &filter);
	while ((found = pgt_backward_reader_next(reader, last)) &&
		   !pgt_plan_bounds_admit_time(&state->bounds, last->timestamp))
		;
	pgt_backward_reader_end(reader);
	MemoryContextSwitchTo(caller);
	return found;
}

/* Look only at the first and at the last record of the partition. */
static void
find_offsets(AggregateScan *state, Totals *totals)
{
	TopicWalk  *walk = &state->walk;
	Record		record;

	while (state->wants_min_offset && totals->records == 0 &&
		   pgt_log_reader_next(walk->reader, &record))
	{
		if (pgt_plan_bounds_admit_time(&state->bounds, record.timestamp))
			add_record(totals, &record);
	}
	if (state->wants_min_offset && totals->records == 0)
		return;
	if (state->wants_max_offset && find_last(state, &record))
		add_record(totals, &record);
}

/* Count the records of the partition that the walk has come to. */
static void
count_partition(AggregateScan *state, Totals *totals)
{
	LogReader  *reader = state->walk.reader;
	bool		last_is_known = true;
	LogReaderBatch batch;
	int64		records;
	Record		last;

	while (pgt_log_reader_next_batch(reader, &batch))
	{
		if (!can_take(state, &batch, totals))
		{
			int64		before = totals->records;

			read_batch(state, totals);
			last_is_known |= totals->records > before;
		}
		else if (pgt_log_reader_take_batch(reader, &records) && records > 0)
		{
			add(totals, records, batch.first_offset, batch.last_offset,
				batch.min_timestamp, batch.max_timestamp);
			last_is_known = batch.is_dense;
		}
	}
	if (state->wants_max_offset && !last_is_known && find_last(state, &last))
		totals->max_offset = last.offset;
}

/* Go to the next partition and see what it has; false if none is left. */
static bool
next_partition(AggregateScan *state, Totals *totals)
{
	if (!pgt_topic_walk_open(&state->walk))
		return false;
	memset(totals, 0, sizeof(*totals));
	if (state->wants_offsets_only)
		find_offsets(state, totals);
	else
		count_partition(state, totals);
	return true;
}

/* ---- rows ------------------------------------------------------------------ */

/* The value of a column. */
static Datum
column_value(AggregatePlanColumn column, int partition, const Totals *totals)
{
	switch (column)
	{
		case AGGREGATE_PARTITION:
			return Int32GetDatum(partition);
		case AGGREGATE_COUNT:
			return Int64GetDatum(totals->records);
		case AGGREGATE_MIN_OFFSET:
			return Int64GetDatum(totals->min_offset);
		case AGGREGATE_MAX_OFFSET:
			return Int64GetDatum(totals->max_offset);
		case AGGREGATE_MIN_TIMESTAMP:
			return TimestampTzGetDatum(pgt_clock_to_timestamptz(totals->min_timestamp));
		case AGGREGATE_MAX_TIMESTAMP:
			return TimestampTzGetDatum(pgt_clock_to_timestamptz(totals->max_timestamp));
	}
	elog(ERROR, "unexpected aggregate %d", (int) column);
}

/* Store a row in the slot. */
static TupleTableSlot *
store_row(const AggregateScan *state, TupleTableSlot *slot, int partition, const Totals *totals)
{
	int			n = 0;
	ListCell   *cell;

	foreach(cell, state->columns)
	{
		AggregatePlanColumn column = lfirst_int(cell);

		slot->tts_isnull[n] = totals->records == 0 && column != AGGREGATE_COUNT;
		slot->tts_values[n] = slot->tts_isnull[n] ? (Datum) 0 : column_value(column, partition, totals);
		n++;
	}
	return ExecStoreVirtualTuple(slot);
}

/* The row of the next partition that has records. */
static TupleTableSlot *
next_group(AggregateScan *state, TupleTableSlot *slot)
{
	Totals		totals;

	while (next_partition(state, &totals))
		if (totals.records > 0)
			return store_row(state, slot, state->walk.partition, &totals);
	return slot;
}

/* The one row of all partitions. */
static TupleTableSlot *
only_row(AggregateScan *state, TupleTableSlot *slot)
{
	Totals		all = {0};
	Totals		totals;

	if (state->is_done)
		return slot;
	while (next_partition(state, &totals))
		add(&all, totals.records, totals.min_offset, totals.max_offset, totals.min_timestamp,
			totals.max_timestamp);
	state->is_done = true;
	return store_row(state, slot, 0, &all);
}

/* ---- the callbacks --------------------------------------------------------- */

void
pgt_aggregate_scan_begin(ForeignScanState *node, int eflags)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	AggregateScan *state = palloc0(sizeof(AggregateScan));
	ListCell   *cell;

	pgt_topic_walk_init(&state->walk, pgt_topic_get(pgt_aggregate_plan_topic(plan)),
						node->ss.ps.state->es_snapshot);
	state->walk.columns = 0;
	pgt_plan_bounds_init(&state->bounds, &node->ss.ps, pgt_topic_plan_conditions(plan));
	state->columns = pgt_aggregate_plan_columns(plan);
	state->is_grouped = pgt_aggregate_plan_is_grouped(plan);
	state->wants_offsets_only = true;
	foreach(cell, state->columns)
	{
		AggregatePlanColumn column = lfirst_int(cell);

		state->wants_min_offset |= column == AGGREGATE_MIN_OFFSET;
		state->wants_max_offset |= column == AGGREGATE_MAX_OFFSET;
		state->wants_offsets_only &= column == AGGREGATE_PARTITION || column == AGGREGATE_MIN_OFFSET ||
			column == AGGREGATE_MAX_OFFSET;
	}
	/* a partition's row is there if it has a first record */
	if (state->wants_offsets_only && !state->wants_max_offset)
		state->wants_min_offset = true;
	node->fdw_state = state;
}

TupleTableSlot *
pgt_aggregate_scan_iterate(ForeignScanState *node)
{
	AggregateScan *state = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;

	if (!state->bounds.are_known)
		pgt_plan_bounds_evaluate(&state->bounds, state->walk.topic, node->ss.ps.ps_ExprContext,
								 &state->walk.bounds);
	ExecClearTuple(slot);
	return state->is_grouped ? next_group(state, slot) : only_row(state, slot);
}

void
pgt_aggregate_scan_rescan(ForeignScanState *node)
{
	AggregateScan *state = node->fdw_state;

	pgt_topic_walk_reset(&state->walk);
	state->bounds.are_known = false;
	state->is_done = false;
}

void
pgt_aggregate_scan_end(ForeignScanState *node)
{
	AggregateScan *state = node->fdw_state;

	if (state == NULL)
		return;
	pgt_topic_walk_end(&state->walk);
	pgt_plan_bounds_end(&state->bounds);
}

LogReaderCounts
pgt_aggregate_scan_counts(const ForeignScanState *node)
{
	return ((const AggregateScan *) node->fdw_state)->walk.counts;
}
