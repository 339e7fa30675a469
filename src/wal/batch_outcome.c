/*
 * batch_outcome.c
 *	  How the transaction of a batch has ended, for who goes over a log without a snapshot.
 *
 * A batch below the resolved offset counts unless it is flagged.  Of one behind it the commit
 * log tells, which the server may have cut since the walk copied its bounds.  Then the batch
 * is resolved by now, so the entry is read again, behind new bounds, and found flagged or
 * below the resolved offset.  If it is neither, nobody knows any more what has become of the
 * transaction, and that is the ERROR that other readers throw as well.
 *
 * Resolved does not mean flushed: a transaction with an asynchronous commit may be resolved
 * while a crash can still take it back.  So the LSN is asked for wherever the commit log has
 * the transaction, and where it has not, the server has flushed the WAL before it was cut.
 */
#include "postgres.h"

#include "util/transaction.h"
#include "wal/batch_outcome.h"
#include "wal/log_resolve.h"

/* The commit log has forgotten the transaction: then the entry is resolved by now. */
static BatchOutcomeAnswer
read_again(EntryWalk *walk, const IndexEntry *entry)
{
	LogBounds	now;
	TopicPartition key;
	Segment    *segment = NULL;
	IndexEntry	found;

	/* read the offset before the flag, since they are set in the other order */
	if (pgt_partition_log_slot_bounds(walk->state, &key, &now) && pgt_entry_walk_is_valid(walk))
		segment = pgt_log_segments_open(walk->state, walk->segment);
	if (segment == NULL || pgt_segment_read_entries(segment, walk->next - 1, 1, &found) != 1 ||
		!pgt_entry_walk_is_valid(walk))
	{
		pgt_entry_walk_again(walk, entry);
		return BATCH_OUTCOME_UNCLEAR;
	}
	if ((found.flags & ENTRY_ABORTED) != 0)
		return BATCH_OUTCOME_ABORTED;
	if (walk->segment.base + entry->last_delta >= Max(now.resolved_offset, walk->state->trusted_end))
		pgt_log_resolve_fail_forgotten(&walk->key, walk->segment.base, entry);
	return BATCH_OUTCOME_COMMITTED;
}

BatchOutcomeAnswer
pgt_batch_outcome_ask(BatchOutcome *memory, EntryWalk *walk, const IndexEntry *entry, XLogRecPtr *commit_lsn)
{
	bool		resolved = walk->segment.base + entry->last_delta < walk->bounds.resolved_offset;

	if (commit_lsn != NULL)
		*commit_lsn = InvalidXLogRecPtr;
	if ((entry->flags & ENTRY_ABORTED) != 0)
		return BATCH_OUTCOME_ABORTED;
	/* a Kafka transaction that is not open, and that nobody knows any more */
	if (pgt_index_entry_is_numbered(entry))
		pgt_log_resolve_fail_forgotten(&walk->key, walk->segment.base, entry);
	/* a segment is rewritten when its transactions have ended for all, and the WAL is flushed with it */
	if (walk->segment.generation > 0 || (resolved && commit_lsn == NULL))
		return BATCH_OUTCOME_COMMITTED;
	if (entry->xid != memory->xid)
	{
		memory->commit_lsn = InvalidXLogRecPtr;
		memory->outcome = pgt_transaction_outcome_at(entry->xid, &memory->commit_lsn);
		memory->xid = entry->xid;
	}
	if (memory->outcome == TRANSACTION_COMMITTED && commit_lsn != NULL)
		*commit_lsn = memory->commit_lsn;
	if (memory->outcome == TRANSACTION_COMMITTED || resolved)
		return BATCH_OUTCOME_COMMITTED;
	return memory->outcome == TRANSACTION_ABORTED ? BATCH_OUTCOME_ABORTED : read_again(walk, entry);
}
