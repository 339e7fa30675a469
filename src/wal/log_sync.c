/*
 * log_sync.c
 *	  Making the logs durable: fsync what appends have left dirty, write the
 *	  recovery point, log SYNC.
 *
 * One process at a time does this, for all partitions at once:
 *
 *	  collect	under each slot's lock: copy the partition's state, clear its flags
 *	  fsync		the active segments that were dirty; no lock is held
 *	  flush		the WAL up to the last record that the copied states depend on
 *	  write		the files of producers and of Kafka transactions, if they have changed, and
 *				the recovery point
 *	  log		a SYNC record, and flush it (not in redo, which inserts no records)
 *
 * The flags are cleared first, so a failure before the fsyncs are done would lose
 * track of what is dirty: it is a PANIC.  If only the recovery point cannot be
 * written, for a full disk say, the files are synced, and the mark that asks for a
 * recovery point (recovery_point_stale) stays for the next attempt.
 *
 * A partition has two flags.  "dirty" says that the active segment has bytes that
 * are not on disk.  "unsynced" says that there were appends since the last SYNC
 * record that their appender did not sync itself.  A roll clears only the first
 * one, since a standby's restart points need the record.
 *
 * The producers of a partition are copied with its state, so that both files are of the same
 * moment.  Whether the file is written is decided behind the copying, for a change may be
 * in the WAL before the mark is set, though not after the slot's lock was released.
 *
 * The table of Kafka transactions is copied behind the partitions.  So it may lack what was resolved
 * in between, but not what is unresolved in a copied partition; and it may have what was begun in
 * between, and in the WAL since.  Redo brings both from behind the redo pointer (kafka_txn_file.c).
 *
 * Locks: sync_lock for the whole sync, a slot's lock while its state is copied;
 * producer_ids_lock for a moment.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "access/xloginsert.h"
#include "log/kafka_txn_map.h"
#include "log/producer_state.h"
#include "miscadmin.h"
#include "util/fault_point.h"
#include "wal/kafka_txn_file.h"
#include "wal/log_sync.h"
#include "wal/producer_file.h"
#include "wal/recovery_point.h"
#include "wal/wal_record.h"

/* One partition as of the moment its dirty flag was cleared. */
typedef struct SyncItem
{
	PartitionState *state;
	uint32		incarnation;
	bool		dirty;
} SyncItem;

/* Sized for all slots once, since a critical section must not palloc. */
static SyncItem *items = NULL;
static RecoveryPointEntry *points = NULL;
static ProducerFileEntry *producers = NULL;
static int	producer_room;
static int	producer_count;
static uint64 next_producer_id;
static bool producers_wanted;	/* their file is to be written with the recovery point */
static char *kafka_txns = NULL;
static KafkaTxnSaved kafka_txns_saved;
static bool kafka_txns_wanted;	/* likewise */

/* Allocate the arrays and the cache of segments, once in a process. */
static void
allocate_items(void)
{
	pgt_log_segments_make_cache();
	if (items != NULL)
		return;
	items = malloc(pgt_log_state->max_partitions * sizeof(SyncItem));
	points = malloc(pgt_log_state->max_partitions * sizeof(RecoveryPointEntry));
	/* one that moves to another partition meanwhile is copied twice */
	producer_room = 2 * pgt_producer_table_room();
	producers = malloc(producer_room * sizeof(ProducerFileEntry));
	kafka_txns = malloc(pgt_kafka_txn_map_save_size());
	if (items == NULL || points == NULL || producers == NULL || kafka_txns == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
}

/* Fill a partition's entry of the recovery point.  The caller holds the slot's lock. */
static void
fill_point(RecoveryPointEntry *point, const PartitionState *state)
{
	memset(point, 0, sizeof(*point));
	point->key = state->key;
	point->active_base = state->active_base;
	point->active_entries = state->active_entries;
	point->active_end = state->active_end;
	point->next_offset = state->next_offset;
	point->log_start_offset = state->log_start_offset;
	point->deleted_end = state->deleted_end;
	point->resolved_offset = state->resolved_offset;
	point->since_interleaved = Min(state->next_offset - state->interleaved_end, PG_UINT32_MAX);
}

/*
 * Copy the states of all partitions and clear their flags.  Returns how many there are.
 * *lsn is raised to the last WAL record that they depend on, and *unsynced is set if one
 * of them needs a SYNC record.  Copies producers as well and, behind all partitions, Kafka transactions.
 */
static int
collect(XLogRecPtr *lsn, bool *unsynced)
{
	int			n = pgt_log_state_slot_count();
	int			count = 0;

	producer_count = 0;
	for (int i = 0; i < n; i++)
	{
		PartitionState *state = pgt_log_state_slot(i);

		LWLockAcquire(&state->lock, LW_EXCLUSIVE);
		if (state->in_use)
		{
			items[count].state = state;
			items[count].incarnation = state->incarnation;
			items[count].dirty = state->dirty;
			fill_point(&points[count], state);
			producer_count += pgt_producer_state_save(state, producers + producer_count,
													  producer_room - producer_count);
			count++;
			*lsn = Max(*lsn, state->last_lsn);
			*unsynced |= state->unsynced || pg_atomic_read_u32(&state->rewriting) != 0;
			state->dirty = state->unsynced = false;
		}
		LWLockRelease(&state->lock);
	}
	LWLockAcquire(&pgt_log_state->producer_ids_lock, LW_SHARED);
	next_producer_id = pgt_log_state->producer_ids_end;
	LWLockRelease(&pgt_log_state->producer_ids_lock);
	pgt_kafka_txn_map_save(kafka_txns, &kafka_txns_saved);
	*lsn = Max(*lsn, kafka_txns_saved.lsn);
	return count;
}

/* Sync one partition's active segment.  The partition may have been dropped meanwhile. */
static void
sync_item(const SyncItem *item, const RecoveryPointEntry *point)
{
	Segment    *segment;
	SegmentId	active = pgt_segment_id_original(point->active_base);
	bool		there;
	char		path[MAXPGPATH];

	if (!item->dirty)
		return;
	segment = pgt_log_segments_open(item->state, active);
	if (segment != NULL)
	{
		pgt_segment_sync(segment);
		return;
	}

	LWLockAcquire(&item->state->lock, LW_SHARED);
	there = item->state->incarnation == item->incarnation &&
		item->state->active_base == point->active_base;
	LWLockRelease(&item->state->lock);
	pgt_segment_log_path(path, &point->key, active);
	if (there)
		ereport(PANIC,
				(errcode(ERRCODE_UNDEFINED_FILE),
				 errmsg("topic file \"%s\" is missing and cannot be synced", path)));
}

/* Log that all appends before this record are on disk, and flush the record. */
static void
write_sync_record(void)
{
	pgt_wal_record_begin();
	XLogSetRecordFlags(XLOG_MARK_UNIMPORTANT);
	XLogFlush(XLogInsert(PGT_RMGR_ID, XLOG_PGT_SYNC));
}

/* Write the file of producers if they have changed. */
static void
write_producers(void)
{
	if (!producers_wanted)
		return;
	pgt_producer_file_write(producers, producer_count, next_producer_id);
	FAULT_POINT("sync-producers-written");
	producers_wanted = false;
}

/* The same for Kafka transactions. */
static void
write_kafka_txns(void)
{
	if (!kafka_txns_wanted)
		return;
	pgt_kafka_txn_file_write(kafka_txns, &kafka_txns_saved);
	FAULT_POINT("sync-kafka-txns-written");
	kafka_txns_wanted = false;
}

/* Leave these files to a later sync. */
static void
put_off_files(void)
{
	if (producers_wanted)
		pg_atomic_write_u32(&pgt_log_state->producers_changed, 1);
	if (kafka_txns_wanted)
		pgt_kafka_txn_map_note_change();
}

/* Write the recovery point of the collected states, and log SYNC. */
static void
write_point(int count, XLogRecPtr lsn, bool in_redo)
{
	/*
	 * It must never have what the WAL may still lose.  In recovery this raises the minimum
	 * recovery point, so that no later recovery ends before it.
	 */
	if (!XLogRecPtrIsInvalid(lsn))
		XLogFlush(lsn);
	write_producers();
	write_kafka_txns();
	pgt_recovery_point_write(points, count);
	FAULT_POINT("sync-point-written");
	if (!in_redo)
		write_sync_record();
	FAULT_POINT("sync-logged");
}

/*
 * Sync what is dirty.  Returns how many partitions were collected; *wanted says whether a
 * recovery point must be written.  The caller holds sync_lock.
 */
static int
sync_files(XLogRecPtr *lsn, bool *wanted)
{
	int			count;

	/* collecting may miss a change that is made meanwhile; the mark is then set for the next sync */
	*wanted = pg_atomic_exchange_u32(&pgt_log_state->recovery_point_stale, 0) != 0;
	producers_wanted = pg_atomic_exchange_u32(&pgt_log_state->producers_changed, 0) != 0;
	kafka_txns_wanted = pgt_kafka_txn_map_take_change();
	count = collect(lsn, wanted);
	*wanted |= pg_atomic_read_u32(&pgt_log_state->recovery_point_stale) != 0;
	producers_wanted |= pg_atomic_read_u32(&pgt_log_state->producers_changed) != 0;
	kafka_txns_wanted |= pgt_kafka_txn_map_has_changed();
	FAULT_POINT("sync-collected");
	for (int i = 0; i < count; i++)
		sync_item(&items[i], &points[i]);
	FAULT_POINT("sync-done");
	return count;
}

void
pgt_log_sync_all(bool in_redo)
{
	XLogRecPtr	lsn = InvalidXLogRecPtr;
	bool		wanted;
	int			count;

	allocate_items();
	LWLockAcquire(&pgt_log_state->sync_lock, LW_EXCLUSIVE);
	count = sync_files(&lsn, &wanted);
	if (wanted || in_redo)
		write_point(count, lsn, in_redo);
	else
		put_off_files();
	LWLockRelease(&pgt_log_state->sync_lock);
}

/* Write the recovery point.  If that fails, set the marks again.  The caller holds sync_lock. */
static void
write_wanted_point(int count, XLogRecPtr lsn)
{
	PG_TRY();
	{
		write_point(count, lsn, false);
	}
	PG_CATCH();
	{
		pg_atomic_write_u32(&pgt_log_state->recovery_point_stale, 1);
		put_off_files();
		PG_RE_THROW();
	}
	PG_END_TRY();
}

void
pgt_log_sync_or_panic(void)
{
	allocate_items();
	START_CRIT_SECTION();
	pgt_log_sync_all(false);
	END_CRIT_SECTION();
}

void
pgt_log_sync_or_fail(void)
{
	XLogRecPtr	lsn = InvalidXLogRecPtr;
	bool		wanted;
	int			count;

	allocate_items();
	LWLockAcquire(&pgt_log_state->sync_lock, LW_EXCLUSIVE);
	START_CRIT_SECTION();
	count = sync_files(&lsn, &wanted);
	END_CRIT_SECTION();
	if (wanted)
		write_wanted_point(count, lsn);
	else
		put_off_files();
	LWLockRelease(&pgt_log_state->sync_lock);
}

void
pgt_log_sync_if_alone(void)
{
	if (pg_atomic_read_u32(&pgt_log_state->self_sync) != 0)
		pgt_log_sync_or_fail();
}
