/*
 * records_end.h
 *	  Where the records in a range of offsets end, as opposed to the offsets.
 */
#ifndef RECORDS_END_H
#define RECORDS_END_H

#include "log/partition_log.h"

/*
 * The offset behind the last record from offset "from" to before - 1, or NO_OFFSET if none
 * of these offsets has a record: its transaction was rolled back, compaction removed
 * it, or the offset was never given.  "ended": all transactions there have ended, so the
 * commit log is asked about them; otherwise batches that are not resolved count.  A
 * batch or segment that cannot be read counts as records up to its end; damage is never
 * an ERROR.
 */
extern int64 pgt_records_end(PartitionState *state, const LogBounds *bounds,
							 int64 from, int64 before, bool ended);

#endif							/* RECORDS_END_H */
