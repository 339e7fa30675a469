/*
 * records_end.h
 *	  Where the records of a stretch of a log end, as opposed to its offsets.
 *
 * Layer 3.
 */
#ifndef RECORDS_END_H
#define RECORDS_END_H

#include "log/partition_log.h"

/*
 * The offset behind the last record in "from" .. "before" - 1, or NO_OFFSET (-1)
 * where none of these offsets has one: a transaction rolled back, compaction
 * removed it, or it was never given.  Records of a transaction that may still be
 * running count, unless "ended" says that all there have ended.  What cannot be
 * read counts as records up to its end; never an ERROR for damage.
 */
extern int64 pgt_records_end(PartitionState *state, const LogBounds *bounds,
							 int64 from, int64 before, bool ended);

#endif							/* RECORDS_END_H */
