/*
 * backward_reader.h
 *	  Reading the records of one partition that a snapshot sees, the last one first.
 */
#ifndef BACKWARD_READER_H
#define BACKWARD_READER_H

#include "wal/log_reader.h"

typedef struct BackwardReader BackwardReader;

/*
 * Begin to read the records that a log reader gives from "first_offset" up to
 * filter->end_offset, in reverse.  No batch before that end may be one of a transaction
 * that is running as of the snapshot: so it is at most the end that whole_end.h or
 * pgt_visible_end_between() tells.  The reader works in memory contexts below the current one.
 * Damage is an ERROR as of a log reader, which comes once all records behind the damaged
 * batch were returned.
 */
extern BackwardReader *pgt_backward_reader_begin(const TopicPartition *key, int64 first_offset,
												 Snapshot snapshot, const LogReaderFilter *filter);

/* Set *record to the one before; its bytes are valid until the next call.  False if there are no more. */
extern bool pgt_backward_reader_next(BackwardReader *reader, Record *record);

/* End the reader and free its memory. */
extern void pgt_backward_reader_end(BackwardReader *reader);

#endif							/* BACKWARD_READER_H */
