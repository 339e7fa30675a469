/*
 * producer_state.h
 *	  What a partition remembers of idempotent producers: asked before an append, changed by
 *	  it and by its redo.
 */
#ifndef PRODUCER_STATE_H
#define PRODUCER_STATE_H

#include "format/producer_file_format.h"
#include "log/partition_log.h"

extern int	pgt_producer_id_expiration_ms;	/* setting pg_topics.producer_id_expiration_ms */

/*
 * Where the table is full and the partition does not know the producer, forget the producer
 * that was idle for the longest time, in whichever partition.  Called before the slot's lock is
 * taken, by an append and by redo.
 */
extern void pgt_producer_state_make_room(PartitionState *state, int64 producer_id);

/*
 * May the batch be appended?  Sets its base offset where it is a duplicate.  For SEQUENCE_GOES_ON the
 * producer has an entry, so that pgt_producer_state_apply() cannot fail.  The caller holds the
 * slot's lock exclusively; "xid" is its transaction, or the number of its Kafka transaction, outside of recovery.
 */
extern SequenceVerdict pgt_producer_state_check(PartitionState *state, LogAppendRequest *request, uint64 xid);

/*
 * For batches that are appended by one write: begin a group; and may a batch join it, at this
 * offset?  It may if it could be appended behind those that have joined before.  False if it
 * must be looked at alone.  The caller holds the slot's lock exclusively throughout.
 */
extern void pgt_producer_state_begin_group(void);
extern bool pgt_producer_state_joins_group(PartitionState *state, LogAppendRequest *request,
										   int64 base_offset, uint64 xid);

/* The batch was appended.  For appending and for redo; the caller holds the slot's lock exclusively. */
extern void pgt_producer_state_apply(PartitionState *state, const LogAppendRequest *request, uint64 xid);

/*
 * All transactions of batches below the offset have ended: note how.  For resolving and
 * deleting, and for their redo; the caller holds the slot's lock exclusively.
 */
extern void pgt_producer_state_settle(PartitionState *state, int64 below);

/* Forget producers that were idle for longer than the setting says. */
extern void pgt_producer_state_expire(void);

/* Copy the partition's producers, at most "room" of them; returns how many.  The caller holds the slot's lock. */
extern int	pgt_producer_state_save(const PartitionState *state, ProducerFileEntry *entries, int room);

/* Take over what was saved, at server start, when the logs were loaded. */
extern void pgt_producer_state_restore(const ProducerFileEntry *entries, int count);

#endif							/* PRODUCER_STATE_H */
