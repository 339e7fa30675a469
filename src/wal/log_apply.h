/*
 * log_apply.h
 *	  What the logs' WAL records change: shared by inserting a record and by
 *	  replaying it.
 */
#ifndef LOG_APPLY_H
#define LOG_APPLY_H

#include "access/xlogdefs.h"
#include "log/log_state.h"

/* Unlink the finished segments that lie wholly below the log start; returns how many. */
extern int	pgt_log_apply_unlink_below(PartitionState *state, int64 log_start_offset, int64 active_base,
									   bool exclusive);

/*
 * Move to the active segment that a record found, should its making be news to
 * this recovery: a roll alone is not logged.  Caller holds the slot's lock
 * exclusively.
 */
extern void pgt_log_apply_active_base(PartitionState *state, int64 active_base);

/* Move the log start up, and what is deleted; caller holds the slot's lock exclusively. */
extern void pgt_log_apply_log_start(PartitionState *state, int64 log_start_offset, int64 deleted_end);

/*
 * Forget the slots of a topic (InvalidOid: of the database) from that partition on
 * and remove their directories.
 */
extern void pgt_log_apply_drop(Oid database, Oid topic, int32 first_partition);

/*
 * Flag the aborted batches of what a RESOLVE record holds, durably.  In
 * recovery damage is reported and passed over; otherwise it is an ERROR.
 */
extern void pgt_log_apply_aborted(const char *progress, int length);

/* Publish the progress that the RESOLVE record ending at "lsn" holds. */
extern void pgt_log_apply_resolved(const char *progress, int length, XLogRecPtr lsn);

/*
 * A rewritten segment counts from now on: have readers list the files again, and
 * remove those of the segments that it replaces, durably.
 */
extern void pgt_log_apply_swapped(PartitionState *state, const SegmentId *replaced, int count);

#endif							/* LOG_APPLY_H */
