/*
 * topic_walk.c
 *	  The walk over the records of a topic within bounds, partition after partition.
 *
 * The partitions are read one after another, each with a log reader of its own and the
 * statement's snapshot.  So a walk sees a prefix of each partition that agrees with the
 * tables that the statement sees.  Where a reader would not end there by itself, the end
 * is looked up once (whole_end.c).  Nothing is read before the first record is asked for,
 * and nothing beyond the reader's chunk when no more records are.
 *
 * With past_running a walk gives all that its snapshot sees, as one reads a table: what is behind a running transaction, too,
 * and so each transaction as a whole in all partitions and topics.  There is no end to look up then.  What such a walk
 * skips may be seen later, before records that it has given.
 *
 * In a parallel scan each process reads the chunks it takes from the shared counter
 * (scan_share.c) in the same manner.
 *
 * Who reads several partitions at once, or backward (offset_merge.c), asks here where a
 * partition ends.
 *
 * Locks: the executor (or ANALYZE) holds a lock on the topic; a reader holds none between
 * two records.  No WAL.
 *
 * Memory: one context holds readers, for the whole walk.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "query/topic_walk.h"
#include "util/catch_error.h"
#include "wal/visible_end.h"
#include "wal/whole_end.h"

#define END_UNKNOWN		((int64) -1)

bool		pgt_topic_walk_past_running = false;

void
pgt_topic_walk_init(TopicWalk *walk, Topic *topic, Snapshot snapshot)
{
	memset(walk, 0, sizeof(*walk));
	walk->topic = topic;
	walk->snapshot = snapshot;
	walk->context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics scan",
										  ALLOCSET_DEFAULT_SIZES);
	walk->past_running = pgt_topic_walk_past_running;
	walk->columns = PG_UINT32_MAX;
	walk->share_cursor.partition = -1;
	walk->ends = palloc(topic->partitions * sizeof(int64));
	for (int i = 0; i < topic->partitions; i++)
		walk->ends[i] = END_UNKNOWN;
	walk->partition = -1;
}

void
pgt_topic_walk_count(const TopicWalk *walk, int partition, int64 records, int64 bytes)
{
	TopicPartition key = pgt_topic_partition(walk->topic, partition);
	PartitionState *state = records > 0 ? pgt_log_state_find(&key) : NULL;

	if (state == NULL)
		return;
	pg_atomic_fetch_add_u64(&state->records_out, records);
	pg_atomic_fetch_add_u64(&state->bytes_out, bytes);
}

/* End the reader of the partition being read, and count what it has given. */
static void
close_reader(TopicWalk *walk)
{
	if (walk->reader == NULL)
		return;
	pgt_log_reader_end(walk->reader);
	walk->reader = NULL;
	pgt_topic_walk_count(walk, walk->partition, walk->records, walk->bytes);
	walk->records = walk->bytes = 0;
}

void
pgt_topic_walk_reset(TopicWalk *walk)
{
	close_reader(walk);
	walk->share_cursor.partition = -1;
	walk->partition = -1;
	walk->done = false;
}

void
pgt_topic_walk_end(TopicWalk *walk)
{
	pgt_topic_walk_reset(walk);
	MemoryContextDelete(walk->context);
}

LogReaderFilter
pgt_topic_walk_filter(TopicWalk *walk)
{
	return (LogReaderFilter) {
		.min_timestamp = walk->bounds.min_timestamp,
		.max_timestamp = walk->bounds.max_timestamp,
		.end_offset = walk->bounds.end_offset,
		.past_running = walk->past_running,
		.keys = walk->bounds.probe,
		.counts = &walk->counts,
		.without_key = (walk->columns & (1 << TOPIC_KEY)) == 0,
		.without_value = (walk->columns & (1 << TOPIC_VALUE)) == 0,
		.without_headers = (walk->columns & (1 << TOPIC_HEADERS)) == 0
	};
}

/* ---- where a partition ends ------------------------------------------------ */

/* The partition whose end is asked for. */
typedef struct EndQuestion
{
	TopicWalk  *walk;
	int			partition;
} EndQuestion;

/* Find the end of a walk through the partition.  arg: EndQuestion. */
static void
find_end(void *arg)
{
	EndQuestion *question = arg;
	TopicWalk  *walk = question->walk;
	TopicPartition key = pgt_topic_partition(walk->topic, question->partition);
	TransactionId blocker;

	walk->ends[question->partition] = pgt_whole_end(&key, walk->snapshot, &blocker);
}

/*
 * Where a reader of the partition must end at the latest, should it not notice.  The
 * snapshot stays the same, and so does the end once it is known.  Damage that is met only
 * on the way to it must not keep the records before and behind from being read: then the
 * end is where the reader comes to.
 */
static int64
whole_end(TopicWalk *walk, int partition, int64 first_offset)
{
	int64	   *end = &walk->ends[partition];
	TopicPartition key = pgt_topic_partition(walk->topic, partition);
	EndQuestion question = {walk, partition};
	MemoryContext caller;
	ErrorData  *damage;

	if (*end != END_UNKNOWN)
		return *end;
	if (!pgt_whole_end_is_needed(&key, walk->snapshot, first_offset))
		return PG_INT64_MAX;
	caller = MemoryContextSwitchTo(walk->context);
	damage = pgt_catch_damage_reading(find_end, &question);
	if (damage != NULL)
	{
		*end = PG_INT64_MAX;
		pgt_catch_error_report(damage);
	}
	MemoryContextSwitchTo(caller);
	return *end;
}

/*
 * A forward reader stops at a running transaction by itself where its end is not looked
 * up; a backward one cannot, so for it the end is known wherever it is not behind all that
 * is read.  Where damage is on the way to it, it is where a forward reader would stop.
 */
int64
pgt_topic_walk_end_offset(TopicWalk *walk, int partition, bool backward)
{
	const ScanBounds *bounds = &walk->bounds;
	TopicPartition key = pgt_topic_partition(walk->topic, partition);
	LogBounds	log;
	int64		end;

	if (walk->past_running)
	{
		(void) pgt_partition_log_bounds(&key, &log);
		return Min(bounds->end_offset, backward ? log.next_offset : PG_INT64_MAX);
	}
	end = Min(bounds->end_offset, whole_end(walk, partition, backward ? bounds->end_offset : bounds->first_offset));
	if (!backward || walk->ends[partition] != PG_INT64_MAX)
		return end;
	return pgt_visible_end_between(&key, bounds->first_offset, end, walk->snapshot);
}

/* ---- going on -------------------------------------------------------------- */

/* Choose the next partition and its offsets; false if there are none left. */
static bool
next_range(TopicWalk *walk, int64 *first_offset, int64 *end_offset)
{
	if (walk->share != NULL)
		return pgt_scan_share_next(walk->share, &walk->share_cursor, &walk->bounds,
								   &walk->partition, first_offset, end_offset);
	walk->partition = bms_next_member(walk->bounds.partitions, walk->partition);
	if (walk->partition < 0)
		return false;
	*first_offset = walk->bounds.first_offset;
	*end_offset = pgt_topic_walk_end_offset(walk, walk->partition, false);
	return true;
}

bool
pgt_topic_walk_open(TopicWalk *walk)
{
	LogReaderFilter filter = pgt_topic_walk_filter(walk);
	MemoryContext caller;
	TopicPartition key;
	int64		first_offset;

	CHECK_FOR_INTERRUPTS();
	if (walk->share != NULL && walk->reader != NULL)
		pgt_scan_share_skip(walk->share, &walk->share_cursor, &walk->bounds,
							pgt_log_reader_next_start(walk->reader));
	close_reader(walk);
	if (walk->done || !next_range(walk, &first_offset, &filter.end_offset))
	{
		walk->done = true;
		return false;
	}
	key = pgt_topic_partition(walk->topic, walk->partition);
	caller = MemoryContextSwitchTo(walk->context);
	walk->reader = pgt_log_reader_begin(&key, first_offset, walk->snapshot, &filter);
	MemoryContextSwitchTo(caller);
	return true;
}
