/*
 * log_reader.h
 *	  Reading the records of one partition that a snapshot sees, in order.
 */
#ifndef LOG_READER_H
#define LOG_READER_H

#include "format/record_batch.h"
#include "log/key_index_file.h"
#include "log/partition_log.h"
#include "utils/snapshot.h"

typedef struct LogReader LogReader;

/* What readers have done, as EXPLAIN shows it.  Bytes are those of batches in the log. */
typedef struct LogReaderCounts
{
	uint64		batches_read;	/* decoded */
	uint64		bytes_read;
	uint64		batches_counted;	/* taken as they are in the index, by pgt_log_reader_take_batch() */
	uint64		bytes_counted;
	uint64		batches_skipped;	/* not seen, or outside of the filter's times */
	uint64		bytes_skipped;
	uint64		batches_without_key;	/* skipped by the filter's keys */
} LogReaderCounts;

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
	LogReaderCounts *counts;	/* where to count; NULL: nowhere */
	Size		memory;			/* about how much to take to read ahead; 0: as much as helps */
	const KeyProbe *keys;		/* skip batches that have none of these keys, as far as that is known; NULL: none */
	/* parts of a record that the caller does not look at: a reader that keeps copies leaves them out */
	bool		without_key;
	bool		without_value;
	bool		without_headers;
} LogReaderFilter;

/*
 * Begin to read at the first visible record at or past "offset", or at the log start if
 * that is larger, up to the first batch of a transaction that is running as of the
 * snapshot.  Of a transaction with batches before and behind that one the reader gives
 * the first part only, unless filter->end_offset is from whole_end.h; that is right for
 * consumers, who go on later.  The reader works in a memory context of its own below the
 * current one.  filter may be NULL.  Damage is an ERROR (data_corrupted) that names file,
 * position and offset.
 */
extern LogReader *pgt_log_reader_begin(const TopicPartition *key, int64 offset,
									   Snapshot snapshot, const LogReaderFilter *filter);

/* Set *record to the next record; its bytes are valid until the next call.  False if the snapshot sees no more. */
extern bool pgt_log_reader_next(LogReader *reader, Record *record);

/*
 * Batch by batch, for a caller who may not need to look into each of them.  These give
 * what pgt_log_reader_next() gives, and decide by the same rules what the snapshot sees:
 *
 *	  while (pgt_log_reader_next_batch(reader, &batch))
 *		  if (...)
 *			  pgt_log_reader_take_batch(reader, &records) ...
 *		  else if (pgt_log_reader_enter_batch(reader))
 *			  while (pgt_log_reader_next_in_batch(reader, &record)) ...
 */
typedef struct LogReaderBatch
{
	uint64		xid;
	int64		first_offset;
	int64		last_offset;	/* neither this nor the first one need have a record, unless it is dense */
	int64		transaction_first;	/* no batch of its transaction begins before here */
	int64		min_timestamp;	/* those of its records, exactly; undefined where it has none */
	int64		max_timestamp;
	bool		is_dense;		/* it has a record at each of its offsets */
	bool		is_whole;		/* all its offsets are to be read */
} LogReaderBatch;

/* Find the next batch, which the reader then stands at.  False if the snapshot sees no more. */
extern bool pgt_log_reader_next_batch(LogReader *reader, LogReaderBatch *batch);

/*
 * Go behind the batch, which must be whole, without looking at its records; *records is how
 * many it has.  Of a batch that is not dense, and of some others, the header is read, and
 * checked as far as it tells.  False if its segment was deleted or replaced: look for the next batch again.
 */
extern bool pgt_log_reader_take_batch(LogReader *reader, int64 *records);

/* Read and check the batch.  False if its segment was deleted or replaced: look for the next batch again. */
extern bool pgt_log_reader_enter_batch(LogReader *reader);

/* Set *record to the batch's next record; false at the end of the batch, or of what is to be read. */
extern bool pgt_log_reader_next_in_batch(LogReader *reader, Record *record);

/*
 * The offset at which a later reader can continue: behind every record that was returned,
 * every batch that was skipped, and every gap.
 */
extern int64 pgt_log_reader_position(const LogReader *reader);

/*
 * For a reader that has reached its filter's end_offset: where the next record, batch or
 * segment begins, so that there is no record between; PG_INT64_MAX if there is none.
 */
extern int64 pgt_log_reader_next_start(const LogReader *reader);

/* The log start offset as this reader found it.  If it is past the offset asked for, records are gone. */
extern int64 pgt_log_reader_log_start(const LogReader *reader);

/* End the reader and free its memory. */
extern void pgt_log_reader_end(LogReader *reader);

/*
 * The next batch that the snapshot sees, from the reader's position up to the filter's
 * end_offset, without looking into it: also where it lies behind one of a running
 * transaction.  For a reader of which nothing else is asked.
 */
extern bool pgt_log_reader_next_seen(LogReader *reader, LogReaderBatch *batch);

/*
 * The offset of the first visible record whose timestamp is at or past
 * "timestamp" (milliseconds since 1970), or -1 if there is none.
 */
extern int64 pgt_log_reader_offset_for_timestamp(const TopicPartition *key, int64 timestamp, Snapshot snapshot);

/*
 * Below this offset the snapshot takes no transaction as running: the resolved offset or,
 * for a snapshot that is older than what is resolved, the log start.
 */
extern int64 pgt_log_reader_ended_below(const LogBounds *bounds, Snapshot snapshot);

/*
 * The offset behind the last record that can be read in order: the last stable offset as
 * of the snapshot, where a reader stops by itself.  Consumers go by it, since they read in
 * order and go on behind it later: consume(), the seek functions, pg_topic_partitions,
 * delete_records().  A part of a transaction may lie before it and the rest behind; code
 * that shows the log as a table takes pgt_whole_end() (whole_end.h) instead.  *blocker is
 * the transaction that keeps the rest from being read, or InvalidTransactionId if the
 * log's end was reached.
 *
 * This looks only at batches that are not resolved yet, however old the oldest running
 * transaction is.  But for a snapshot that is older than the resolving it goes through
 * the log's index, which takes about a quarter of a second for a million batches.
 */
extern int64 pgt_log_reader_visible_end(const TopicPartition *key, Snapshot snapshot, TransactionId *blocker);

/*
 * The same by bounds of the partition that the caller has copied since the snapshot was
 * taken.  If they say that all is resolved, no file is looked at.
 */
extern int64 pgt_log_reader_visible_end_by(const TopicPartition *key, const LogBounds *bounds,
										   Snapshot snapshot, TransactionId *blocker);

/*
 * Where a reader of the records from "offset" to below "end" would stop by itself: at the
 * first batch of a transaction that is running as of the snapshot, or at "end".  It goes
 * through the index from "offset" on.
 */
extern int64 pgt_log_reader_stop(const TopicPartition *key, int64 offset, int64 end,
								 Snapshot snapshot);

/*
 * Does the snapshot see the transaction of any batch at or past an offset?  If "offset" is
 * the visible end, such a batch lies behind one of a running transaction: its records
 * cannot be read yet, but rows that the same transaction wrote can.
 */
extern bool pgt_log_reader_sees_behind(const TopicPartition *key, Snapshot snapshot, int64 offset);

#endif							/* LOG_READER_H */
