/*
 * log_reader.h
 *	  Reading the records of one partition that a snapshot sees, in order.
 *
 * Layer 4.
 */
#ifndef LOG_READER_H
#define LOG_READER_H

#include "format/record_batch.h"
#include "log/partition_log.h"
#include "utils/snapshot.h"

typedef struct LogReader LogReader;

/* Bounds that batches outside of are skipped by; the records are still to be checked. */
typedef struct LogReaderFilter
{
	int64		min_timestamp;	/* PG_INT64_MIN: none */
	int64		max_timestamp;	/* PG_INT64_MAX: none */
	int64		end_offset;		/* records at or past it do not come; PG_INT64_MAX: none */
	bool		past_running;	/* leave running transactions' records out, but go on behind them */
} LogReaderFilter;

/*
 * Read from the first visible record at or past "offset" on (below the log
 * start: from there), up to the first batch of a transaction that is running as of the
 * snapshot.  Of one that begins before that batch and ends behind it only the
 * beginning comes, unless filter->end_offset is from whole_end.h: for consumers, who
 * go on later, that is right.  Works in a memory context of its own below the current
 * one.  filter may be NULL.  Damage met on the way is an ERROR
 * (data_corrupted) that names file, position and offset.
 */
extern LogReader *pgt_log_reader_begin(const TopicPartition *key, int64 offset,
									   Snapshot snapshot, const LogReaderFilter *filter);

/* The next record; its bytes stay good until the next call.  False: no more that the snapshot sees. */
extern bool pgt_log_reader_next(LogReader *reader, Record *record);

/*
 * Where to go on later: past every record returned and every batch skipped
 * (aborted ones, gaps).
 */
extern int64 pgt_log_reader_position(const LogReader *reader);

/*
 * Of a reader that has come to its filter's end_offset: where the next record,
 * batch or segment begins, so that there is no record between; PG_INT64_MAX behind the last.
 */
extern int64 pgt_log_reader_next_start(const LogReader *reader);

/* The log start offset as this reader found it: > the offset asked for means records are gone. */
extern int64 pgt_log_reader_log_start(const LogReader *reader);

extern void pgt_log_reader_end(LogReader *reader);

/* A batch whose transaction the snapshot sees. */
typedef struct SeenBatch
{
	uint64		xid;
	int64		first_offset;
	int64		transaction_first;	/* no batch of its transaction begins before here */
} SeenBatch;

/*
 * The next batch that the snapshot sees, from the reader's position up to the filter's
 * end_offset, without looking into it: also where it lies behind one of a running
 * transaction.  For a reader of which records are not asked as well.
 */
extern bool pgt_log_reader_next_seen(LogReader *reader, SeenBatch *batch);

/*
 * The offset of the first visible record whose timestamp is at or past
 * "timestamp" (milliseconds since 1970), or -1 where there is none.
 */
extern int64 pgt_log_offset_for_timestamp(const TopicPartition *key, int64 timestamp, Snapshot snapshot);

/*
 * Below this offset the snapshot takes nobody as running: the resolved offset or, for
 * one that is older than what is resolved, the log start.
 */
extern int64 pgt_log_ended_below(const LogBounds *bounds, Snapshot snapshot);

/*
 * The offset behind the last record that can be read in order: the last stable
 * offset as of the snapshot, where a reader stops by itself.  It is what consumers
 * go by, who read in order and go on behind it later: consume(), seek functions,
 * pg_topic_partitions, delete_records().  A part of a transaction may lie before it and the rest
 * behind; who shows the log as a table takes pgt_whole_end() (whole_end.h).  *blocker is the transaction that keeps the rest
 * from being read, or InvalidTransactionId where the log's end was reached.
 *
 * Looks at what is not resolved yet only, however old a transaction there is on the
 * server.  A snapshot that is older than what is resolved goes through the log's
 * index, about a quarter of a second for a million batches.
 */
extern int64 pgt_log_visible_end(const TopicPartition *key, Snapshot snapshot, TransactionId *blocker);

/*
 * Does the snapshot see the transaction of a batch at or past an offset?  Where
 * "offset" is the visible end, that batch lies behind one of a running
 * transaction, so its records cannot be read yet, but the rows it came with can.
 */
extern bool pgt_log_sees_behind(const TopicPartition *key, Snapshot snapshot, int64 offset);

#endif							/* LOG_READER_H */
