/*
 * log_apply.h
 *	  What the logs' WAL records change: shared by inserting a record and by
 *	  replaying it.
 */
#ifndef LOG_APPLY_H
#define LOG_APPLY_H

#include "access/xlogdefs.h"
#include "log/log_state.h"

/*
 * Remove the finished segments that lie wholly below the log start; returns how many.
 * "exclusive": no process reads them, so their disk space can be freed at once even
 * if a process has them open.
 */
extern int	pgt_log_apply_unlink_below(PartitionState *state, int64 log_start_offset, int64 active_base,
									   bool exclusive);

/*
 * Roll to the active segment that a record names, if this recovery does not have it yet: a
 * roll is not logged on its own.  The caller holds the slot's lock exclusively.
 */
extern void pgt_log_apply_active_base(PartitionState *state, int64 active_base);

/* Move the log start up, and set deleted_end, by the record that ends at "lsn".  The caller holds the slot's lock exclusively. */
extern void pgt_log_apply_log_start(PartitionState *state, int64 log_start_offset, int64 deleted_end,
									XLogRecPtr lsn);

/*
 * Give up the slots of a topic (InvalidOid: of the database) from first_partition on, and
 * remove their directories.
 */
extern void pgt_log_apply_drop(Oid database, Oid topic, int32 first_partition);

/*
 * Flag the aborted batches that are named in "progress", the contents of a RESOLVE record,
 * durably.  Damage is an ERROR; in recovery it is only reported.
 */
extern void pgt_log_apply_aborted(const char *progress, int length);

/*
 * Write the entries of a partition anew that are named in "settled", the contents of a SETTLE
 * record, durably.  Damage is an ERROR; in recovery it is only reported.
 */
extern void pgt_log_apply_settled(const char *settled, int length);

/* Forget the numbers that "settled" names, the contents of a KAFKA_SETTLED record that ends at "lsn". */
extern void pgt_log_apply_kafka_settled(const char *settled, int length, XLogRecPtr lsn);

/* Publish how far partitions are resolved by the RESOLVE record that ends at "lsn". */
extern void pgt_log_apply_resolved(const char *progress, int length, XLogRecPtr lsn);

/*
 * A rewritten segment counts from now on: have readers list the files again, and
 * remove those of the segments that it replaces, durably.
 */
extern void pgt_log_apply_swapped(PartitionState *state, const SegmentId *replaced, int count);

#endif							/* LOG_APPLY_H */
