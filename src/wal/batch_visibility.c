/*
 * batch_visibility.c
 *	  What a snapshot sees of a batch: all of it or nothing, by its transaction.
 *
 *	  transaction running as of the snapshot, or our own	it blocks what is behind it
 *	  merged batch that may have one of them	an ERROR; only on a standby
 *	  below the resolved offset		seen unless flagged aborted
 *	  otherwise						seen if the commit log says committed
 *
 * Only batches that were appended before a reader began can be seen by its snapshot, so it
 * works on one copy of the partition's bounds.  Entries are read after the bounds were
 * copied, so an aborted batch below the resolved offset is found flagged.
 *
 * A batch of a Kafka transaction is numbered (segment_index.h).  The number is larger than any id, so
 * while it is open it is running as of each snapshot.  When it has ended, what counts is the
 * transaction of the server that has ended it (kafka_txn_map.c).  When that was resolved, too, and the
 * number is forgotten, the entry is read again.
 *
 * A Kafka transaction may have ended, for everyone, before that is durable (kafka_txn.c).  Who meets its
 * end here flushes the WAL up to there, so that nobody sees an end that a crash takes back.  Mostly that has been done for the
 * client that has ended it.
 *
 * The commit log may be cut behind what is resolved while a reader is at work.  Then the
 * entry is read again, and tells the outcome.
 *
 * Locks: none but for a copy of the bounds in that case.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "log/kafka_txn_map.h"
#include "storage/procarray.h"
#include "util/fault_point.h"
#include "util/transaction.h"
#include "utils/snapmgr.h"
#include "wal/batch_visibility.h"
#include "wal/log_resolve.h"

/* ---- one batch ----------------------------------------------------------- */

/* Is the transaction running as of the snapshot?  Our own transaction counts as running. */
static bool
is_running(const VisibilitySnapshot *view, uint64 xid)
{
	if (xid < view->xmin)
		return false;
	if (xid >= view->xmax)
		return true;
	return TransactionIdIsCurrentTransactionId((TransactionId) xid) ||
		XidInMVCCSnapshot((TransactionId) xid, view->snapshot);
}

/*
 * The commit log was cut since the bounds were copied.  So the entry is resolved by now, and
 * flagged if its transaction aborted.  If it is not resolved, the server has cut a part of
 * the commit log that was not held: an ERROR.
 */
static BatchVisibility
reread_visibility(const VisibilitySnapshot *view, SegmentId id, uint32 n)
{
	LogBounds	now;
	Segment    *segment;
	IndexEntry	entry;

	/* read the offset before the flag, since they are set in the other order */
	if (!pgt_partition_log_bounds(&view->key, &now))
		return BATCH_GONE;
	segment = pgt_log_segments_open(view->state, id);
	if (segment == NULL || pgt_segment_read_entries(segment, n, 1, &entry) != 1)
		return BATCH_GONE;
	if ((entry.flags & ENTRY_ABORTED) != 0)
		return BATCH_SKIPPED;
	if (id.base + entry.last_delta >= Max(now.resolved_offset, view->state->trusted_end))
		pgt_log_resolve_fail_forgotten(&view->key, id.base, &entry);
	return BATCH_SEEN;
}

/*
 * Is a transaction of that range of ids running as of a snapshot that was taken on a
 * standby?  There all ids that are running are among the subtransactions.
 */
static bool
is_any_running(const VisibilitySnapshot *view, uint64 from, uint64 upto)
{
	Snapshot	snapshot = view->snapshot;

	if (upto < view->xmin)
		return false;
	if (upto >= view->xmax)
		return true;
	for (int32 i = 0; i < snapshot->subxcnt; i++)
	{
		uint64		xid = pgt_transaction_full_id(snapshot->subxip[i]);

		if (xid >= from && xid <= upto)
			return true;
	}
	return false;
}

/*
 * ERROR if the snapshot may see only some of the transactions of a merged batch: which of
 * its records those have written is not known any more.  To snapshots of the server that
 * merged it this cannot happen.
 */
static void
check_merged(const VisibilitySnapshot *view, SegmentId id, const IndexEntry *entry)
{
	if (!view->snapshot->takenDuringRecovery ||
		!is_any_running(view, pgt_index_entry_oldest_xid(entry), entry->xid))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("canceling statement due to conflict with recovery"),
			 errdetail("The record batches of partition %d of topic %u from offset %lld to %lld were merged; the snapshot is older, and may not see all of their transactions.",
					   view->key.partition, view->key.topic,
					   (long long) (id.base + entry->first_delta),
					   (long long) (id.base + entry->last_delta)),
			 errhint("Run the transaction again. With hot_standby_feedback, or a longer batch.merge.lag.ms, batches are merged later.")));
}

/*
 * Let the entry of a Kafka transaction's batch say how that has ended, and by which record, if that is known.  False if its
 * segment was replaced.
 */
static bool
translate(const VisibilitySnapshot *view, SegmentId id, uint32 n, IndexEntry *entry, XLogRecPtr *ended_lsn)
{
	Segment    *segment;

	if (pgt_kafka_txn_map_translate(entry, ended_lsn))
		return true;
	segment = pgt_log_segments_open(view->state, id);
	if (segment == NULL || pgt_segment_read_entries(segment, n, 1, entry) != 1)
		return false;
	if (pgt_index_entry_is_numbered(entry) && !pgt_kafka_txn_map_translate(entry, ended_lsn))
		pgt_log_resolve_fail_forgotten(&view->key, id.base, entry);
	return true;
}

/* Let the end of a Kafka transaction be durable, before it is seen. */
static void
make_durable(XLogRecPtr lsn)
{
	if (!XLogRecPtrIsInvalid(lsn) && !RecoveryInProgress() && !FAULT_SKIP("kafka-seen-flush"))
		XLogFlush(lsn);
}

BatchVisibility
pgt_batch_visibility(VisibilitySnapshot *view, SegmentId id, uint32 n, IndexEntry *entry,
					 int64 resolved_offset)
{
	BatchVisibility result;
	bool		is_numbered = pgt_index_entry_is_numbered(entry);
	XLogRecPtr	ended_lsn = InvalidXLogRecPtr;
	XLogRecPtr	commit_lsn = InvalidXLogRecPtr;

	if (unlikely(is_numbered) && !translate(view, id, n, entry, &ended_lsn))
		return BATCH_GONE;
	if ((entry->flags & ENTRY_MERGED) != 0)
		check_merged(view, id, entry);
	if (entry->xid == view->last_xid && (entry->flags & ENTRY_ABORTED) == 0)
		return view->last_visibility;
	if (is_running(view, entry->xid))
		result = BATCH_BLOCKS;
	else if ((entry->flags & ENTRY_ABORTED) != 0)
	{
		make_durable(ended_lsn);
		return BATCH_SKIPPED;
	}
	else if (id.base + entry->last_delta < resolved_offset)
		return BATCH_SEEN;
	else
	{
		switch (pgt_transaction_outcome_at(entry->xid, is_numbered ? &commit_lsn : NULL))
		{
			case TRANSACTION_COMMITTED:
				result = BATCH_SEEN;
				make_durable(commit_lsn);
				break;
			case TRANSACTION_ABORTED:
				result = BATCH_SKIPPED;
				make_durable(ended_lsn);
				break;
			default:
				return reread_visibility(view, id, n);
		}
	}
	view->last_xid = entry->xid;
	view->last_visibility = result;
	return result;
}

void
pgt_batch_visibility_begin(VisibilitySnapshot *view, const TopicPartition *key,
						   PartitionState *state, Snapshot snapshot)
{
	memset(view, 0, sizeof(*view));
	view->key = *key;
	view->state = state;
	view->snapshot = snapshot;
	view->xmin = pgt_transaction_full_id(snapshot->xmin);
	view->xmax = pgt_transaction_full_id(snapshot->xmax);
}

/* ---- the resolved part --------------------------------------------------- */

/*
 * Is no transaction that has resolved batches running as of the snapshot?  That is so for
 * each snapshot that is newer than the resolving: every transaction that it has as
 * running, up to the largest resolved id, must still be running now, and so was not
 * resolved when the bounds were copied.  Also false if that cannot be decided.
 */
static bool
sees_all_resolved(Snapshot snapshot, const LogBounds *bounds)
{
	/* on a standby all are among the subtransactions */
	const TransactionId *running = snapshot->takenDuringRecovery ? snapshot->subxip : snapshot->xip;
	uint32		count = snapshot->takenDuringRecovery ? snapshot->subxcnt : snapshot->xcnt;

	if (bounds->resolved_max_xid < pgt_transaction_full_id(snapshot->xmin))
		return true;
	if (bounds->resolved_max_xid >= pgt_transaction_full_id(snapshot->xmax))
		return false;
	for (uint32 i = 0; i < count; i++)
		if (TransactionIdPrecedesOrEquals(running[i], (TransactionId) bounds->resolved_max_xid) &&
			!TransactionIdIsInProgress(running[i]))
			return false;
	return true;
}

int64
pgt_batch_visibility_ended_below(const LogBounds *bounds, Snapshot snapshot)
{
	return sees_all_resolved(snapshot, bounds) ? bounds->resolved_offset : bounds->log_start_offset;
}
