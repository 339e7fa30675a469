/*
 * inspect_maintenance.c
 *	  The function behind the view pg_topic_maintenance: what keeps retention and
 *	  compaction from removing records of a partition, and merging from putting batches
 *	  together, and which record that is.
 *
 * retention.c, compaction.c and merging.c give the answers from the index, by the same functions
 * that decide when they work.  The index holds the largest timestamp of a segment but
 * not the offset of the record that has it; so the batches that may contain that record
 * are read here, mostly one.  If no record is found, then the transaction that wrote it
 * was rolled back, or the snapshot does not see it.  A damaged batch is a WARNING, and
 * no error of the view.
 *
 * Locks: AccessShareLock on one topic at a time (inspect.c).  An answer may be out of
 * date a moment later.
 */
#include "postgres.h"

#include "util/sql_version.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "maintenance/compaction.h"
#include "maintenance/maintenance_hold.h"
#include "maintenance/merging.h"
#include "maintenance/retention.h"
#include "util/catch_error.h"
#include "util/clock.h"
#include "views/inspect.h"
#include "wal/log_reader.h"

PGT_FUNCTION_INFO(pgt_topic_maintenance_info);

/* The record with the largest timestamp of a segment, which is looked for. */
typedef struct Search
{
	TopicPartition key;
	const MaintenanceHold *hold;
	int64		offset;			/* -1: not found */
} Search;

/* Find the first record with the largest timestamp of the segment.  arg: Search. */
static void
find_record(void *arg)
{
	Search	   *search = arg;
	LogReaderFilter filter = {search->hold->timestamp, PG_INT64_MAX, search->hold->end_offset, false};
	LogReader  *reader = pgt_log_reader_begin(&search->key, search->hold->base_offset,
											  GetActiveSnapshot(), &filter);
	Record		record;

	while (search->offset < 0 && pgt_log_reader_next(reader, &record))
		if (record.timestamp == search->hold->timestamp)
			search->offset = record.offset;
	pgt_log_reader_end(reader);
}

/* Add the row about one kind of work on one partition. */
static void
add_row(ReturnSetInfo *result, const TopicPartition *key, const char *work, const MaintenanceHold *hold)
{
	Search		search = {*key, hold, -1};
	InspectRow	row = {0};

	if (hold->has_timestamp)
		(void) pgt_catch_damage(find_record, &search);
	pgt_inspect_add(&row, ObjectIdGetDatum(key->topic));
	pgt_inspect_add(&row, Int32GetDatum(key->partition));
	pgt_inspect_add(&row, CStringGetTextDatum(work));
	pgt_inspect_add_if(&row, hold->by != NULL, hold->by != NULL ? CStringGetTextDatum(hold->by) : (Datum) 0);
	pgt_inspect_add_if(&row, hold->has_segment, Int64GetDatum(hold->base_offset));
	pgt_inspect_add_if(&row, search.offset >= 0, Int64GetDatum(search.offset));
	pgt_inspect_add_if(&row, hold->has_timestamp,
					   TimestampTzGetDatum(pgt_clock_to_timestamptz(hold->timestamp)));
	pgt_inspect_add_if(&row, hold->until != HOLD_OPEN,
					   TimestampTzGetDatum(pgt_clock_to_timestamptz(hold->until)));
	pgt_inspect_add(&row, CStringGetTextDatum(hold->detail));
	pgt_inspect_put(&row, result);
}

/* The question what holds one kind of work on one partition back. */
typedef struct Question
{
	const char *work;
	bool		(*ask) (const Topic *topic, int32 partition, MaintenanceHold *hold);
	const Topic *topic;
	int32		partition;
	bool		answered;
	MaintenanceHold hold;
} Question;

/* Ask the question.  arg: Question. */
static void
ask(void *arg)
{
	Question   *question = arg;

	question->answered = question->ask(question->topic, question->partition, &question->hold);
}

/* Ask the question, and add the row of the answer. */
static void
add_answer(ReturnSetInfo *result, Question question)
{
	TopicPartition key = pgt_topic_partition(question.topic, question.partition);

	question.hold.until = HOLD_OPEN;
	if (!pgt_catch_damage(ask, &question))
	{
		question.answered = true;
		question.hold = (MaintenanceHold) {.by = "damage", .until = HOLD_OPEN,
			.detail = "A file is damaged or cannot be read; see verify_topic()."};
	}
	if (question.answered)
		add_row(result, &key, question.work, &question.hold);
}

/* The topic's rows. */
static void
add_holds(ReturnSetInfo *result, const Topic *topic)
{
	for (int32 partition = 0; partition < topic->partitions; partition++)
	{
		add_answer(result, (Question) {"retention", pgt_retention_hold, topic, partition});
		add_answer(result, (Question) {"compaction", pgt_compaction_hold, topic, partition});
		add_answer(result, (Question) {"merging", pgt_merging_hold, topic, partition});
	}
}

/* pg_topic_maintenance_info() */
Datum
pgt_topic_maintenance_info(PG_FUNCTION_ARGS)
{
	return pgt_inspect_topics(fcinfo, add_holds);
}
