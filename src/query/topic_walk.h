/*
 * topic_walk.h
 *	  The walk over the records of a topic within bounds, partition after partition.
 */
#ifndef TOPIC_WALK_H
#define TOPIC_WALK_H

#include "query/scan_share.h"
#include "wal/log_reader.h"

extern bool pgt_topic_walk_past_running;	/* setting pg_topics.read_past_running */

/*
 * The caller allocates it and sets "bounds", and "columns" if it likes, before the first
 * record; the other fields are topic_walk.c's.
 */
typedef struct TopicWalk
{
	Topic	   *topic;
	Snapshot	snapshot;
	MemoryContext context;		/* of its readers */
	ScanBounds	bounds;
	bool		past_running;	/* it does not stop at running transactions */
	uint32		columns;		/* that the caller looks at, a bit for each TopicColumnId; all if it does not say */
	ScanShare  *share;			/* of a parallel scan, else NULL */
	ScanShareCursor share_cursor;
	int64	   *ends;			/* one a partition, as far as known */
	int			partition;		/* being read; -1 before the first */
	LogReader  *reader;			/* of that partition; NULL between partitions */
	bool		done;			/* the end was reached */
	LogReaderCounts counts;		/* what its readers have done */

	/* read from the partition, not yet counted in its statistics */
	int64		records;
	int64		bytes;
} TopicWalk;

/* Prepare a walk, with memory in the current context. */
extern void pgt_topic_walk_init(TopicWalk *walk, Topic *topic, Snapshot snapshot);

/*
 * Go to the next partition, or part of one, within the bounds, and open a reader there.
 * False if none is left.
 */
extern bool pgt_topic_walk_open(TopicWalk *walk);

/* Stop reading; the walk starts over with the next record asked for. */
extern void pgt_topic_walk_reset(TopicWalk *walk);

/* The same for the last time. */
extern void pgt_topic_walk_end(TopicWalk *walk);

/* What its readers are to leave out, but for the end. */
extern LogReaderFilter pgt_topic_walk_filter(TopicWalk *walk);

/*
 * Where a reader of the partition must end that reads forward, and may be told
 * PG_INT64_MAX where it would notice by itself, or backward.
 */
extern int64 pgt_topic_walk_end_offset(TopicWalk *walk, int partition, bool backward);

/* Count records that were read in a partition's statistics. */
extern void pgt_topic_walk_count(const TopicWalk *walk, int partition, int64 records, int64 bytes);

/* May a record have one of the keys that the query asks for?  Then it is within the bounds. */
static inline bool
pgt_topic_walk_wants(const TopicWalk *walk, const Record *record)
{
	return walk->bounds.keys == NULL ||
		pgt_key_set_may_match(walk->bounds.keys, record->key, record->key_length);
}

/* The next record within the bounds, of walk->partition; its bytes stay good until the next call. */
static inline bool
pgt_topic_walk_next(TopicWalk *walk, Record *record)
{
	do
	{
		while (walk->reader == NULL || !pgt_log_reader_next(walk->reader, record))
		{
			if (!pgt_topic_walk_open(walk))
				return false;
		}
		walk->records++;
		walk->bytes += record->encoded_length;
	} while (!pgt_topic_walk_wants(walk, record));
	return true;
}

#endif							/* TOPIC_WALK_H */
