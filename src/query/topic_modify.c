/*
 * topic_modify.c
 *	  INSERT, COPY FROM and TRUNCATE of a topic; UPDATE and DELETE refused.
 *
 * Each row inserted is a record produced: key, value, headers, partition and
 * record_timestamp are taken from the columns of those names, whatever their
 * order and however many of them the topic has.  A null or missing partition is
 * chosen by the partitioner; a null record_timestamp becomes the time at which the
 * statement began (produce() takes the time of each call).  The records wait
 * in the producer until the transaction appends them, just before it commits.
 *
 * An explicit record_offset, with which a dump restores offsets, is accepted only at or
 * past the log's end.  The check here is early, for a good message; the append decides,
 * under the partition's lock.  All users of a topic share its offsets, and an offset that
 * jumps ahead is never taken back.  So only the topic's owner may set offsets, wherever
 * in the statement the value comes from (a trigger, a default, a view over the topic),
 * and whatever columns the role may INSERT.
 *
 * RETURNING and AFTER triggers see the record's partition and timestamp, but a null
 * record_offset, because offsets are assigned at commit: see produced() and flush().
 *
 * TRUNCATE removes the records for good, at once and outside MVCC, so it runs
 * only as a statement of its own.  Offsets continue where they were, even with
 * RESTART IDENTITY; CASCADE has no effect.
 *
 * Locks: the executor holds RowExclusiveLock for INSERT and COPY FROM, and
 * AccessExclusiveLock for TRUNCATE, until the transaction's end.
 *
 * WAL: only what pgt_log_writer_delete_before() writes.
 *
 * Memory: the state lives as long as the statement; the "row" context holds what
 * serializing one row needs, and is reset after each row.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "nodes/plannodes.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "ddl/topic_ddl.h"
#include "produce/partitioner.h"
#include "produce/producer.h"
#include "query/fdw_callbacks.h"
#include "topic/serializer.h"
#include "util/clock.h"
#include "wal/log_writer.h"

/* One INSERT or COPY FROM into one topic; in ri_FdwState. */
typedef struct TopicInsert
{
	Topic	   *topic;
	int64		now_ms;			/* the time of records without one */
	MemoryContext row_context;
	StringInfoData headers;		/* encoded headers of the row */
	bool		started;		/* the first row has come */
	TupleTableSlot *result;		/* the row as produced; NULL until needed */
} TopicInsert;

/* PlanForeignModify: refuse UPDATE, DELETE and ON CONFLICT, also in EXPLAIN. */
List *
pgt_topic_modify_plan(PlannerInfo *root, ModifyTable *plan, Index relation, int subplan_index)
{
	RangeTblEntry *rte = planner_rt_fetch(relation, root);

	if (plan->operation == CMD_INSERT && plan->onConflictAction != ONCONFLICT_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot insert into topic \"%s\" with ON CONFLICT", get_rel_name(rte->relid)),
				 errdetail("A topic has no unique key, so a record conflicts with no other."),
				 errhint("Remove ON CONFLICT. Of records with the same key, latest() shows the last one, and compaction keeps it.")));
	if (plan->operation == CMD_INSERT)
		return NIL;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot update or delete records of topic \"%s\"", get_rel_name(rte->relid)),
			 errdetail("Topics are append-only."),
			 errhint("Produce a new record with the same key, with a null value to delete the key; TRUNCATE removes all records.")));
}

/* IsForeignRelUpdatable: the commands that information_schema shows for topics. */
int
pgt_topic_modify_commands(Relation relation)
{
	return 1 << CMD_INSERT;
}

/* Prepare an INSERT or COPY FROM into the relation. */
static void
begin_insert(ResultRelInfo *rinfo)
{
	TopicInsert *state = palloc0(sizeof(TopicInsert));

	state->topic = pgt_topic_get(RelationGetRelid(rinfo->ri_RelationDesc));
	state->now_ms = pgt_clock_now_ms();
	state->row_context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics insert row",
											   ALLOCSET_DEFAULT_SIZES);
	initStringInfo(&state->headers);
	rinfo->ri_FdwState = state;
}

/* BeginForeignModify */
void
pgt_topic_modify_begin(ModifyTableState *mtstate, ResultRelInfo *rinfo, List *fdw_private,
					   int subplan_index, int eflags)
{
	if (!(eflags & EXEC_FLAG_EXPLAIN_ONLY))
		begin_insert(rinfo);
}

/* BeginForeignInsert: COPY FROM, and rows routed to a partition. */
void
pgt_topic_modify_begin_insert(ModifyTableState *mtstate, ResultRelInfo *rinfo)
{
	begin_insert(rinfo);
}

/* The row's value of a column; null if the topic has no such column. */
static inline Datum
column_value(const Topic *topic, TupleTableSlot *slot, TopicColumnId column, bool *isnull)
{
	int			n = topic->attnum[column] - 1;

	*isnull = n < 0 || slot->tts_isnull[n];
	return *isnull ? (Datum) 0 : slot->tts_values[n];
}

/* The row's partition, or the one the partitioner chooses. */
static TopicPartition
row_partition(Topic *topic, TupleTableSlot *slot, ByteView key, ByteView value)
{
	bool		isnull;
	Datum		partition = column_value(topic, slot, TOPIC_PARTITION, &isnull);

	return pgt_topic_partition(topic, isnull ? pgt_partitioner_choose(topic, key, value)
							   : DatumGetInt32(partition));
}

/* The row's time, or the statement's. */
static int64
row_timestamp(TopicInsert *state, TupleTableSlot *slot)
{
	bool		isnull;
	Datum		timestamp = column_value(state->topic, slot, TOPIC_RECORD_TIMESTAMP, &isnull);

	return isnull ? state->now_ms : pgt_clock_from_timestamptz(DatumGetTimestampTz(timestamp));
}

/* Set the record's headers; their bytes stay in state->headers. */
static void
set_headers(TopicInsert *state, TupleTableSlot *slot, Record *record)
{
	bool		isnull;
	Datum		headers = column_value(state->topic, slot, TOPIC_HEADERS, &isnull);

	record->headers = NULL;
	record->headers_length = 0;
	record->header_count = 0;
	if (isnull)
		return;
	resetStringInfo(&state->headers);
	pgt_serialize_headers(headers, &state->headers, &record->header_count);
	record->headers = state->headers.data;
	record->headers_length = state->headers.len;
}

/* ERROR unless the role that runs the statement may set offsets. */
static void
check_may_give_offsets(const Topic *topic)
{
	if (pgt_topic_is_owner(topic->relid))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("must be owner of topic \"%s\" to set record_offset", get_rel_name(topic->relid)),
			 errdetail("An explicit offset moves the end of the log for all users of the topic."),
			 errhint("Omit record_offset or set it to null, so that the log numbers the records.")));
}

/*
 * The row's explicit offset, or NO_OFFSET.  ERROR if the user may not set one, if the
 * log is past it, or if it is too large.
 */
static int64
row_offset(TopicInsert *state, TupleTableSlot *slot, const TopicPartition *partition)
{
	bool		isnull;
	Datum		value = column_value(state->topic, slot, TOPIC_RECORD_OFFSET, &isnull);
	int64		offset = DatumGetInt64(value);
	LogBounds	log;

	if (isnull)
		return NO_OFFSET;
	check_may_give_offsets(state->topic);
	(void) pgt_partition_log_bounds(partition, &log);
	if (offset < log.next_offset)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("offset " INT64_FORMAT " is below the log end offset " INT64_FORMAT " of partition %d of topic \"%s\"",
						offset, log.next_offset, partition->partition,
						get_rel_name(state->topic->relid)),
				 errhint("Omit record_offset, or give offsets at or past the log end.")));
	if (offset > MAX_EXPLICIT_OFFSET)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("offset " INT64_FORMAT " is too large for partition %d of topic \"%s\"",
						offset, partition->partition, get_rel_name(state->topic->relid)),
				 errdetail("The largest explicit offset is " INT64_FORMAT "; the offsets past it are left for later records.",
						   MAX_EXPLICIT_OFFSET),
				 errhint("Omit record_offset, or give offsets at or past the log end.")));
	return offset;
}

/* Does the statement need the row after it was inserted? */
static bool
needs_result(ResultRelInfo *rinfo)
{
	TriggerDesc *triggers = rinfo->ri_TrigDesc;

	return rinfo->ri_projectReturning != NULL || rinfo->ri_WithCheckOptions != NIL ||
		(triggers != NULL && (triggers->trig_insert_after_row || triggers->trig_insert_new_table));
}

/*
 * The row with the partition and timestamp that its record has, in a slot of
 * our own; its other values are those of "slot".
 */
static TupleTableSlot *
make_result(TopicInsert *state, TupleTableSlot *slot, int32 partition, int64 timestamp)
{
	TupleDesc	desc = slot->tts_tupleDescriptor;
	TupleTableSlot *result = state->result;
	int			n = state->topic->attnum[TOPIC_PARTITION] - 1;

	if (result == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(GetMemoryChunkContext(state));

		result = state->result = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
		MemoryContextSwitchTo(caller);
	}
	ExecClearTuple(result);
	memcpy(result->tts_values, slot->tts_values, sizeof(Datum) * desc->natts);
	memcpy(result->tts_isnull, slot->tts_isnull, sizeof(bool) * desc->natts);
	if (n >= 0)
	{
		result->tts_values[n] = Int32GetDatum(partition);
		result->tts_isnull[n] = false;
	}
	n = state->topic->attnum[TOPIC_RECORD_TIMESTAMP] - 1;
	if (n >= 0)
	{
		result->tts_values[n] = TimestampTzGetDatum(pgt_clock_to_timestamptz(timestamp));
		result->tts_isnull[n] = false;
	}
	return ExecStoreVirtualTuple(result);
}

/*
 * Let the executor hand us the subplan's rows as they are.  It copies each row
 * into ri_newTupleSlot where that slot is of another kind than the subplan's,
 * and a foreign table's is of the kind that holds a heap tuple: forming one
 * takes longer than serializing the record.
 */
static void
avoid_row_copies(EState *estate, ResultRelInfo *rinfo, TupleTableSlot *plan_slot)
{
	TupleTableSlot *slot = rinfo->ri_newTupleSlot;

	MemoryContext caller;

	if (slot == NULL || plan_slot == NULL || slot->tts_ops == plan_slot->tts_ops)
		return;
	caller = MemoryContextSwitchTo(estate->es_query_cxt);
	rinfo->ri_newTupleSlot = ExecInitExtraTupleSlot(estate, slot->tts_tupleDescriptor,
													plan_slot->tts_ops);
	MemoryContextSwitchTo(caller);
}

/* ExecForeignInsert: produce the row's record. */
TupleTableSlot *
pgt_topic_modify_insert(EState *estate, ResultRelInfo *rinfo, TupleTableSlot *slot,
						TupleTableSlot *plan_slot)
{
	TopicInsert *state = rinfo->ri_FdwState;
	Topic	   *topic = state->topic;
	MemoryContext caller;
	TopicPartition partition;
	ByteView	key;
	ByteView	value;
	Record		record;
	bool		isnull;
	Datum		datum;

	if (!state->started)
	{
		avoid_row_copies(estate, rinfo, plan_slot);
		state->started = true;
	}
	caller = MemoryContextSwitchTo(state->row_context);
	slot_getallattrs(slot);
	datum = column_value(topic, slot, TOPIC_KEY, &isnull);
	key = pgt_serialize(&topic->key, datum, isnull);
	datum = column_value(topic, slot, TOPIC_VALUE, &isnull);
	value = pgt_serialize(&topic->value, datum, isnull);
	partition = row_partition(topic, slot, key, value);

	record.key = key.data;
	record.key_length = key.length;
	record.value = value.data;
	record.value_length = value.length;
	record.timestamp = row_timestamp(state, slot);
	record.offset = row_offset(state, slot, &partition);
	set_headers(state, slot, &record);

	MemoryContextSwitchTo(caller);
	pgt_producer_add(&partition, &topic->log, &record);
	MemoryContextReset(state->row_context);
	return needs_result(rinfo) ? make_result(state, slot, partition.partition, record.timestamp) : slot;
}

/* EndForeignModify, EndForeignInsert */
void
pgt_topic_modify_end(EState *estate, ResultRelInfo *rinfo)
{
	TopicInsert *state = rinfo->ri_FdwState;

	if (state == NULL)
		return;
	if (state->result != NULL)
		ExecDropSingleTupleTableSlot(state->result);
	MemoryContextDelete(state->row_context);
	rinfo->ri_FdwState = NULL;
}

/* ERROR if the user may not truncate the topics, or the command could be rolled back. */
static void
check_truncate(List *relations)
{
	ListCell   *cell;

	if (!pgt_topic_ddl_truncate_is_top_level())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("TRUNCATE of a topic cannot run inside a transaction block"),
				 errdetail("The command takes effect at once and cannot be rolled back."),
				 errhint("Run it as a statement of its own, outside of transaction blocks, functions and procedures.")));
	foreach(cell, relations)
	{
		Relation	relation = lfirst(cell);

		pgt_topic_check_owner(RelationGetRelid(relation));
		pgt_producer_check_unused(RelationGetRelid(relation), "truncate");
	}
}

/* Remove all records of one topic. */
static void
truncate_topic(const Topic *topic)
{
	for (int32 partition = 0; partition < topic->partitions; partition++)
	{
		TopicPartition key = pgt_topic_partition(topic, partition);
		PartitionState *state = pgt_log_state_find(&key);
		LogBounds	log;

		if (state != NULL && pgt_partition_log_bounds(&key, &log))
			(void) pgt_log_writer_delete_before(state, log.next_offset, true);
	}
}

/* ExecForeignTruncate: all checks come before the first record is removed. */
void
pgt_topic_modify_truncate(List *relations, DropBehavior behavior, bool restart_sequences)
{
	ListCell   *cell;

	check_truncate(relations);
	foreach(cell, relations)
		truncate_topic(pgt_topic_get(RelationGetRelid((Relation) lfirst(cell))));
}
