/*
 * log_apply.c
 *	  What the logs' WAL records change: used by the process that inserts a record and
 *	  by redo.
 *
 * The change of an APPEND is the entry and its publication (partition_log.c).  Here are
 * those of DELETE, DROP, SWAP and RESOLVE: segments removed below the log start, slots
 * and directories of a topic removed, replaced segments removed, aborted batches flagged
 * and the resolved offset moved.
 *
 * Each change may be made twice: files may be gone and flags may be set already.
 *
 * Locks: the log start moves under the slot's lock, which the caller holds exclusively;
 * the resolved offset moves under the same lock, which is taken here.  A drop takes
 * table_lock and each slot's lock to forget the slots (log_state.c).  Removing files and
 * flagging take no lock: no process appends to what is below the log start or was
 * replaced, and only one process flags, the sync process or the startup process.
 */
#include "postgres.h"

#include <unistd.h>

#include "access/xlogutils.h"
#include "log/kafka_txn_map.h"
#include "log/log_start.h"
#include "log/producer_state.h"
#include "log/topic_waiters.h"
#include "util/fault_point.h"
#include "utils/memutils.h"
#include "wal/log_apply.h"
#include "wal/wal_record.h"

/* ---- delete -------------------------------------------------------------- */

/* Where a finished segment ends; if it cannot be opened, "next", the base of the next one. */
static int64
end_of_segment(PartitionState *state, const SegmentListItem *listed, int64 next)
{
	LogBounds	finished = {.active_base = NO_SEGMENT};
	Segment    *segment = NULL;

	if (pgt_log_segments_can_open(state, listed->id))
		segment = pgt_log_segments_open(state, listed->id);
	if (segment == NULL)
		return next;
	return pgt_partition_log_segment_end(segment, &finished);
}

/*
 * Count the segments that lie wholly below the log start; *keep_from is the base of the
 * first one that does not.
 */
static int
count_below(PartitionState *state, int64 log_start_offset, int64 active_base, int64 *keep_from)
{
	SegmentListItem *segments;
	int			count = pgt_segment_list(&state->key, &segments);
	int			below = 0;

	*keep_from = active_base;
	for (; below < count && segments[below].id.base < active_base; below++)
	{
		int64		next = below + 1 < count ? segments[below + 1].id.base : active_base;

		if (end_of_segment(state, &segments[below], Min(next, active_base)) > log_start_offset)
		{
			*keep_from = segments[below].id.base;
			break;
		}
	}
	pfree(segments);
	return below;
}

int
pgt_log_apply_unlink_below(PartitionState *state, int64 log_start_offset, int64 active_base,
						   bool exclusive)
{
	int64		keep_from;
	int			removed = count_below(state, log_start_offset, active_base, &keep_from);
	SegmentId  *ids;
	int			files = pgt_segment_files(&state->key, &ids);

	/* inside a segment: if the recovery point were lost, the segments would not tell that */
	if (log_start_offset > keep_from)
		pgt_log_start_keep(&state->key, log_start_offset);

	/* raised before and after, so that a process that lists in between lists again */
	pg_atomic_fetch_add_u32(&state->segments_version, 1);
	for (int i = 0; i < files && ids[i].base < keep_from; i++)
	{
		if (exclusive)
			pgt_segment_release_space(&state->key, ids[i]);
		pgt_log_segments_remove(state, ids[i]);
		FAULT_POINT("delete-one-removed");
	}
	pfree(ids);
	pg_atomic_fetch_add_u32(&state->segments_version, 1);
	return removed;
}

void
pgt_log_apply_active_base(PartitionState *state, int64 active_base)
{
	if (state->active_base >= active_base)
		return;
	pgt_partition_log_roll(state, active_base, active_base);
	state->next_offset = Max(state->next_offset, active_base);
}

void
pgt_log_apply_log_start(PartitionState *state, int64 log_start_offset, int64 deleted_end, XLogRecPtr lsn)
{
	/* nothing below is resolved any more */
	pgt_producer_state_settle(state, log_start_offset);
	pgt_kafka_txn_map_pass(pgt_log_state_slot_number(state), log_start_offset, lsn);
	state->log_start_offset = Max(state->log_start_offset, log_start_offset);
	/* it never falls, but loading may have guessed too much, and the record knows better */
	state->deleted_end = deleted_end;
	state->resolved_offset = Max(state->resolved_offset, state->log_start_offset);
	/* an empty log begins its time anew, so that TRUNCATE helps against a time far ahead */
	if (state->log_start_offset == state->next_offset)
		state->last_append_time = NO_APPEND_TIME;
	pg_atomic_write_u32(&pgt_log_state->recovery_point_stale, 1);
}

/* ---- drop ---------------------------------------------------------------- */

void
pgt_log_apply_drop(Oid database, Oid topic, int32 first_partition)
{
	ListCell   *cell;

	pgt_log_segments_close(database, topic);
	pgt_log_state_forget(database, topic, first_partition);
	/* its waiters look, and find that it is gone */
	if (OidIsValid(topic))
		pgt_topic_waiters_wake(database, topic);
	else
		pgt_topic_waiters_wake_all();
	foreach(cell, pgt_log_directory_partitions(database, LOG))
	{
		TopicPartition *key = lfirst(cell);

		if (OidIsValid(topic) && (key->topic != topic || key->partition < first_partition))
			continue;
		pgt_segment_unlink_partition(key);
		FAULT_POINT("drop-one-removed");
	}
	if (!OidIsValid(topic))
	{
		char		path[MAXPGPATH];

		pgt_kafka_txn_map_forget_database(database);

		pgt_log_directory_database_path(path, database);
		if (access(path, F_OK) == 0)
			rmtree(path, true);
	}
	pg_atomic_write_u32(&pgt_log_state->recovery_point_stale, 1);
}

/* ---- swap ---------------------------------------------------------------- */

void
pgt_log_apply_swapped(PartitionState *state, const SegmentId *replaced, int count)
{
	char		path[MAXPGPATH];

	pg_atomic_fetch_add_u32(&state->segments_version, 1);
	for (int i = 0; i < count; i++)
	{
		pgt_log_segments_remove(state, replaced[i]);
		FAULT_POINT("swap-one-removed");
	}
	pgt_log_directory_partition_path(path, &state->key);
	fsync_fname(path, true);
	pg_atomic_fetch_add_u32(&state->segments_version, 1);
	FAULT_POINT("swap-done");
}

/* ---- resolve ------------------------------------------------------------- */

/* Set the aborted flag of one entry.  If its segment is gone, there is nothing to do. */
static void
flag_aborted(PartitionState *state, const WalAbortedEntry *aborted)
{
	SegmentId	id = pgt_segment_id_original(aborted->segment_base);
	Segment    *segment = pgt_log_segments_open(state, id);
	IndexEntry	entry;

	if (segment == NULL ||
		pgt_segment_read_entries(segment, aborted->entry, 1, &entry) != 1 ||
		(entry.flags & ENTRY_ABORTED) != 0)
		return;
	entry.flags |= ENTRY_ABORTED;
	pgt_segment_write_entry(segment, aborted->entry, &entry);
}

/* Flag a partition's aborted batches, durably. */
static void
flag_all_aborted(PartitionState *state, const WalAbortedEntry *aborted, uint32 count)
{
	for (uint32 i = 0; i < count; i++)
	{
		Segment    *segment;

		flag_aborted(state, &aborted[i]);
		if (i + 1 < count && aborted[i + 1].segment_base == aborted[i].segment_base)
			continue;
		segment = pgt_log_segments_open(state, pgt_segment_id_original(aborted[i].segment_base));
		if (segment != NULL)
			pgt_segment_sync_index(segment);
	}
}

/* Entries of a partition to be written anew: either aborted or settled ones. */
typedef struct EntryChanges
{
	PartitionState *state;
	const WalAbortedEntry *aborted;
	const WalSettledEntry *settled;
	uint32		count;
} EntryChanges;

/* Let one entry have the id and the outcome of its Kafka transaction.  If its segment is gone, there is nothing to do. */
static void
settle(PartitionState *state, const WalSettledEntry *settled)
{
	SegmentId	id = pgt_segment_id_original(settled->segment_base);
	Segment    *segment = pgt_log_segments_open(state, id);
	IndexEntry	entry;

	if (segment == NULL ||
		pgt_segment_read_entries(segment, settled->entry, 1, &entry) != 1 ||
		!pgt_index_entry_is_numbered(&entry))
		return;
	entry.xid = settled->xid;
	if ((settled->flags & SETTLED_ABORTED) != 0)
		entry.flags |= ENTRY_ABORTED;
	pgt_segment_write_entry(segment, settled->entry, &entry);
}

/* Do that for all, durably. */
static void
settle_all(PartitionState *state, const WalSettledEntry *settled, uint32 count)
{
	for (uint32 i = 0; i < count; i++)
	{
		Segment    *segment;

		settle(state, &settled[i]);
		if (i + 1 < count && settled[i + 1].segment_base == settled[i].segment_base)
			continue;
		segment = pgt_log_segments_open(state, pgt_segment_id_original(settled[i].segment_base));
		if (segment != NULL)
			pgt_segment_sync_index(segment);
	}
}

/* Make the changes. */
static void
change_entries(const EntryChanges *changes)
{
	if (changes->aborted != NULL)
		flag_all_aborted(changes->state, changes->aborted, changes->count);
	else
		settle_all(changes->state, changes->settled, changes->count);
}

/* Make them; in redo damage is only reported, since it must not keep the server from starting. */
static void
change_or_report(const EntryChanges *changes)
{
	MemoryContext context = CurrentMemoryContext;

	if (!InRecovery)
	{
		change_entries(changes);
		return;
	}
	PG_TRY();
	{
		change_entries(changes);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		EmitErrorReport();
		FlushErrorState();
	}
	PG_END_TRY();
}

/*
 * Publish how far outcomes are in the index.  The recovery point may have this offset only
 * after the RESOLVE record, and with it the commit records before it, was flushed: so
 * that record counts as the partition's last one.
 */
static void
publish_resolved(PartitionState *state, const WalResolvedPartition *resolved, XLogRecPtr lsn)
{
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	if (state->in_use && memcmp(&state->key, &resolved->key, sizeof(TopicPartition)) == 0)
	{
		state->resolved_offset = Max(state->resolved_offset,
									 Min(resolved->resolved_offset, state->next_offset));
		state->resolved_max_xid = Max(state->resolved_max_xid, resolved->max_xid);
		pgt_producer_state_settle(state, resolved->resolved_offset);
		pgt_kafka_txn_map_pass(pgt_log_state_slot_number(state),
							   Min(resolved->resolved_offset, state->next_offset), lsn);
		state->last_lsn = Max(state->last_lsn, lsn);
		pg_atomic_write_u32(&pgt_log_state->recovery_point_stale, 1);
	}
	LWLockRelease(&state->lock);
}

/*
 * Split the next partition off *progress, with its aborted entries palloc'd.  Returns its
 * slot, or NULL if the partition is gone.
 */
static PartitionState *
next_resolved(const char **progress, WalResolvedPartition *resolved, WalAbortedEntry **aborted)
{
	Size		size;

	memcpy(resolved, *progress, sizeof(*resolved));
	*progress += sizeof(*resolved);
	size = resolved->aborted_count * sizeof(WalAbortedEntry);
	*aborted = palloc(size + 1);
	memcpy(*aborted, *progress, size);
	*progress += size;
	return pgt_log_state_find(&resolved->key);
}

void
pgt_log_apply_aborted(const char *progress, int length)
{
	const char *end = progress + length;

	while (progress < end)
	{
		WalResolvedPartition resolved;
		WalAbortedEntry *aborted;
		PartitionState *state = next_resolved(&progress, &resolved, &aborted);

		if (state != NULL)
			change_or_report(&(EntryChanges) {.state = state,.aborted = aborted,.count = resolved.aborted_count});
		pfree(aborted);
	}
}

void
pgt_log_apply_resolved(const char *progress, int length, XLogRecPtr lsn)
{
	const char *end = progress + length;

	while (progress < end)
	{
		WalResolvedPartition resolved;
		WalAbortedEntry *aborted;
		PartitionState *state = next_resolved(&progress, &resolved, &aborted);

		if (state != NULL)
			publish_resolved(state, &resolved, lsn);
		pfree(aborted);
	}
}

void
pgt_log_apply_settled(const char *settled, int length)
{
	xl_pgt_settle xlrec;
	WalSettledEntry *entries;
	PartitionState *state;

	memcpy(&xlrec, settled, sizeof(xlrec));
	entries = palloc(xlrec.count * sizeof(WalSettledEntry) + 1);
	memcpy(entries, settled + sizeof(xlrec), xlrec.count * sizeof(WalSettledEntry));
	state = pgt_log_state_find(&xlrec.key);
	if (state != NULL)
		change_or_report(&(EntryChanges) {.state = state,.settled = entries,.count = xlrec.count});
	pfree(entries);
}

void
pgt_log_apply_kafka_settled(const char *settled, int length, XLogRecPtr lsn)
{
	xl_pgt_kafka_settled xlrec;
	uint64	   *numbers;
	PartitionState *state;

	memcpy(&xlrec, settled, sizeof(xlrec));
	numbers = palloc(xlrec.count * sizeof(uint64) + 1);
	memcpy(numbers, settled + sizeof(xlrec), xlrec.count * sizeof(uint64));
	state = pgt_log_state_find(&xlrec.key);
	if (state != NULL)
	{
		LWLockAcquire(&state->lock, LW_EXCLUSIVE);
		if (state->in_use && memcmp(&state->key, &xlrec.key, sizeof(TopicPartition)) == 0)
		{
			pgt_kafka_txn_map_settled(pgt_log_state_slot_number(state), numbers, xlrec.count, lsn);
			pg_atomic_write_u32(&pgt_log_state->recovery_point_stale, 1);
		}
		LWLockRelease(&state->lock);
	}
	pfree(numbers);
}
