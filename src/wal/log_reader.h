/*
 * log_reader.h
 *	  Reading the records of one partition that a snapshot sees, in order.
 */
#ifndef LOG_READER_H
#define LOG_READER_H

#include "format/record_batch.h"
#include "log/partition_log.h"
#include "utils/snapshot.h"
#include "wal/log_reader_filter.h"

typedef struct LogReader LogReader;

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

#endif							/* LOG_READER_H */
