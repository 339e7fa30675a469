/*
 * log_reader.h
 *	  Reading the records of one partition that a snapshot sees, in order.
 */
#ifndef LOG_READER_H
#define LOG_READER_H

#include "format/record_batch.h"
#include "log/partition_log.h"
#include "utils/snapshot.h"

typedef struct LogReader LogReader;

/*
 * Batches wholly outside of these bounds are skipped.  Records outside of them may still
 * be returned, except for end_offset.
 */
typedef struct LogReaderFilter
{
	int64		min_timestamp;	/* PG_INT64_MIN: none */
	int64		max_timestamp;	/* PG_INT64_MAX: none */
	int64		end_offset;		/* records at or past it are not returned; PG_INT64_MAX: none */
	bool		past_running;	/* skip running transactions' records and continue behind them */
} LogReaderFilter;

/*
 * Read from the first visible record at or past "offset" on (below the log
 * start: from there).  Works in a memory context of its own below the current
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

/*
 * The offset of the first visible record whose timestamp is at or past
 * "timestamp" (milliseconds since 1970), or -1 where there is none.
 */
extern int64 pgt_log_reader_offset_for_timestamp(const TopicPartition *key, int64 timestamp, Snapshot snapshot);

/*
 * The offset behind the last record that the snapshot sees: the last stable
 * offset as of the snapshot.  *blocker is the transaction that keeps the rest
 * from being read, or InvalidTransactionId where the log's end was reached.
 *
 * Looks at what is not resolved yet only, however old a transaction there is on the
 * server.  A snapshot that is older than what is resolved goes through the log's
 * index, about a quarter of a second for a million batches.
 */
extern int64 pgt_log_reader_visible_end(const TopicPartition *key, Snapshot snapshot, TransactionId *blocker);

/*
 * Does the snapshot see the transaction of a batch at or past an offset?  Where
 * "offset" is the visible end, that batch lies behind one of a running
 * transaction, so its records cannot be read yet, but the rows it came with can.
 */
extern bool pgt_log_reader_sees_behind(const TopicPartition *key, Snapshot snapshot, int64 offset);

#endif							/* LOG_READER_H */
