/*
 * log_reader_filter.h
 *	  What a reader of a log is to give, and what it counts.
 */
#ifndef LOG_READER_FILTER_H
#define LOG_READER_FILTER_H

#include "format/record_batch.h"
#include "log/key_index_file.h"

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
	/* and so are the records that it does not look at, if it says so */
	bool		(*wants) (const void *wanted, const Record *record);	/* NULL: it looks at all */
	const void *wanted;
} LogReaderFilter;

#endif							/* LOG_READER_FILTER_H */
