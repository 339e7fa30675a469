/*
 * log_sync.c
 *	  The sync process: no checkpoint completes before the logs are on disk.
 *
 * The server has no hook in a checkpoint, and its queue of files to sync takes
 * no files of others.  But CreateCheckPoint() waits, before it writes the
 * checkpoint record, for every process that shows DELAY_CHKPT_COMPLETE with a
 * local transaction id that it saw.  The sync process shows the flag all its
 * life, and takes a new local transaction id when it has synced for a
 * checkpoint: that lets this one go, and holds the next.
 *
 *	  R = the redo pointer in shared memory, C = the control file's
 *
 *	  R == C				no checkpoint under way
 *	  R != C, synced != R	sync: clear dirty under each lock, fsync, flush
 *							WAL, write the recovery point, log SYNC
 *	  R != C, synced == R	new local transaction id, every tick until C == R;
 *							so a failed checkpoint heals by itself
 *
 * Where the recovery point cannot be written, for a full disk say, the files are
 * synced and the mark that wants a recovery point stays: the checkpoint waits and
 * it is tried again each second.
 *
 * While no sync process does this (server start, its restart, shutdown),
 * self_sync makes each appender fsync for itself and say so in its record.
 * self_sync is turned off after the flag is up and on before it goes down;
 * appenders read it under the partition's lock, and the last sync passes every
 * lock, so each append is either self-synced or in a sync.
 *
 * Invariants
 *	1. for a checkpoint with redo R every append before R is self-synced or
 *	   followed by a SYNC record before the checkpoint record, or by the record of
 *	   the server's that says where a recovery ended, which redo takes for one
 *	2. a log end is published only after WAL insert and index entry
 *	3. the flag never goes down while the process lives
 *	4. an index entry is valid only with the LSN of its own record
 *
 * "dirty" says that the active segment has bytes not synced, "unsynced" that
 * there were appends not self-synced since the last SYNC record: a roll clears
 * the first only, since a standby's restart points need the record.
 *
 * On the side the process hands written bytes to the kernel early, so that the
 * fsync of a checkpoint finds little to do, and resolves (log_resolve.c).
 *
 * It is connected to no database, which puts it into the process array, and
 * runs no transaction.  Layer 3.  Next: log_resolve.c, producer.c.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "access/xlog_internal.h"
#include "access/xloginsert.h"
#include "log/clock.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/sinvaladt.h"
#include "util/background_worker.h"
#include "util/compat.h"
#include "util/fault_point.h"
#include "utils/wait_event.h"
#include "wal/log_resolve.h"
#include "wal/log_sync.h"
#include "wal/log_writer.h"
#include "wal/recovery_point.h"

#define RESOLVE_INTERVAL_MS		1000
#define RESOLVE_NOW_MS			5000	/* until a demand for it is given up */
#define RESOLVE_POLL_MS			5
#define RETRY_POINT_MS			1000	/* after the recovery point could not be written */
#define WRITEBACK_BYTES			(8 * 1024 * 1024)

int			pgt_sync_interval = 20;

extern PGDLLEXPORT void pgt_log_sync_main(Datum arg);

/* ---- syncing ------------------------------------------------------------- */

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

/* Make both arrays and the cache of segments, once a process; ERROR where there is no memory. */
static void
allocate_items(void)
{
	pgt_partition_log_make_cache();
	if (items != NULL)
		return;
	items = malloc(pgt_log_shared->max_partitions * sizeof(SyncItem));
	points = malloc(pgt_log_shared->max_partitions * sizeof(RecoveryPointEntry));
	if (items == NULL || points == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
}

/* A partition's place in the recovery point; caller holds the slot's lock. */
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
}

/*
 * Copy all partitions' states and clear their flags.  Returns how many; *lsn
 * is the last WAL record they depend on, *unsynced whether any needs a SYNC.
 */
static int
collect(XLogRecPtr *lsn, bool *unsynced)
{
	int			n = pgt_partition_slots();
	int			count = 0;

	for (int i = 0; i < n; i++)
	{
		PartitionState *state = pgt_partition_slot(i);

		LWLockAcquire(&state->lock, LW_EXCLUSIVE);
		if (state->in_use)
		{
			items[count].state = state;
			items[count].incarnation = state->incarnation;
			items[count].dirty = state->dirty;
			fill_point(&points[count], state);
			count++;
			*lsn = Max(*lsn, state->last_lsn);
			*unsynced |= state->unsynced || pg_atomic_read_u32(&state->rewriting) != 0;
			state->dirty = state->unsynced = false;
		}
		LWLockRelease(&state->lock);
	}
	return count;
}

/* fsync one partition's active segment; it may have been dropped meanwhile. */
static void
sync_item(const SyncItem *item, const RecoveryPointEntry *point)
{
	Segment    *segment;
	SegmentId	active = pgt_original_segment(point->active_base);
	bool		there;
	char		path[MAXPGPATH];

	if (!item->dirty)
		return;
	segment = pgt_partition_log_segment(item->state, active);
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

/* Write the recovery point of the collected states, and log that. */
static void
write_point(int count, XLogRecPtr lsn, bool in_redo)
{
	/*
	 * It must never promise what the WAL may lose.  In recovery this moves the
	 * minimum recovery point: a later recovery may not end before it.
	 */
	if (!XLogRecPtrIsInvalid(lsn))
		XLogFlush(lsn);
	pgt_recovery_point_write(points, count);
	FAULT_POINT("sync-point-written");
	if (!in_redo)
		pgt_log_write_sync_record();
	FAULT_POINT("sync-logged");
}

/*
 * fsync what is dirty.  Returns how many partitions were collected; *wanted says
 * whether a recovery point is.  Caller holds sync_lock.
 */
static int
sync_files(XLogRecPtr *lsn, bool *wanted)
{
	int			count;

	/* a change that is made while we collect may be missed: then the mark stays */
	*wanted = pg_atomic_exchange_u32(&pgt_log_shared->recovery_point_stale, 0) != 0;
	count = collect(lsn, wanted);
	*wanted |= pg_atomic_read_u32(&pgt_log_shared->recovery_point_stale) != 0;
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
	LWLockAcquire(&pgt_log_shared->sync_lock, LW_EXCLUSIVE);
	count = sync_files(&lsn, &wanted);
	if (wanted || in_redo)
		write_point(count, lsn, in_redo);
	LWLockRelease(&pgt_log_shared->sync_lock);
}

/* Any failure here would lose track of what is dirty, so it is a PANIC. */
static void
sync_or_panic(void)
{
	allocate_items();
	START_CRIT_SECTION();
	pgt_log_sync_all(false);
	END_CRIT_SECTION();
}

/* Write the recovery point; where that fails it is wanted still.  Caller holds sync_lock. */
static void
write_wanted_point(int count, XLogRecPtr lsn)
{
	PG_TRY();
	{
		write_point(count, lsn, false);
	}
	PG_CATCH();
	{
		pg_atomic_write_u32(&pgt_log_shared->recovery_point_stale, 1);
		PG_RE_THROW();
	}
	PG_END_TRY();
}

/*
 * fsync what is dirty, where a failure is a PANIC, and write the recovery point, for
 * which there may be no space: an ERROR.
 */
static void
sync_or_fail(void)
{
	XLogRecPtr	lsn = InvalidXLogRecPtr;
	bool		wanted;
	int			count;

	allocate_items();
	LWLockAcquire(&pgt_log_shared->sync_lock, LW_EXCLUSIVE);
	START_CRIT_SECTION();
	count = sync_files(&lsn, &wanted);
	END_CRIT_SECTION();
	if (wanted)
		write_wanted_point(count, lsn);
	LWLockRelease(&pgt_log_shared->sync_lock);
}

/* Sync for a checkpoint.  Where that fails it is reported, and the checkpoint has to wait: false. */
static bool
sync_for_checkpoint(void)
{
	MemoryContext context = CurrentMemoryContext;
	volatile bool done = false;

	PG_TRY();
	{
		sync_or_fail();
		done = true;
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		LWLockReleaseAll();
		EmitErrorReport();
		FlushErrorState();
	}
	PG_END_TRY();
	return done;
}

void
pgt_log_sync_if_alone(void)
{
	if (pg_atomic_read_u32(&pgt_log_shared->self_sync) != 0)
		sync_or_fail();
}

/* ---- checkpoints --------------------------------------------------------- */

/* The control file's redo pointer: that of the last completed checkpoint. */
static XLogRecPtr
completed_redo(void)
{
	XLogRecPtr	redo;
	TimeLineID	tli;

	GetOldestRestartPoint(&redo, &tli);
	return redo;
}

/*
 * Let the checkpoint with redo pointer "synced" go on, and no other: it may fail at
 * any time, and the next one begin between the look and the change.  A checkpoint
 * makes its redo pointer known first and then waits for who shows
 * DELAY_CHKPT_START.  So one that the look does not see waits until the change, and
 * then finds the new id with DELAY_CHKPT_COMPLETE.
 */
static void
release_checkpoint(XLogRecPtr synced)
{
	MyProc->delayChkptFlags |= DELAY_CHKPT_START;
	pg_memory_barrier();
	if (completed_redo() != synced && GetRedoRecPtr() == synced)
	{
		FAULT_POINT("checkpoint-release");
		PGT_MY_LXID = GetNextLocalTransactionId();
	}
	pg_memory_barrier();
	MyProc->delayChkptFlags &= ~DELAY_CHKPT_START;
}

/* Is a checkpoint under way?  Then sync for it and let it go. */
static void
serve_checkpoint(void)
{
	static XLogRecPtr synced = InvalidXLogRecPtr;
	static int64 failed_at = 0;
	XLogRecPtr	redo = GetRedoRecPtr();

	if (redo == completed_redo())
		return;
	if (redo != synced)
	{
		if (failed_at != 0 && pgt_monotonic_ms_since(failed_at) < RETRY_POINT_MS)
			return;
		failed_at = 0;
		if (!sync_for_checkpoint())
		{
			failed_at = pgt_monotonic_us();
			return;
		}
		synced = redo;
	}
	release_checkpoint(synced);
}

/* ---- writing back -------------------------------------------------------- */

/* Hand what appends have written to the kernel, where it is enough. */
static void
write_back(PartitionState *state)
{
	TopicPartition key;
	LogBounds	bounds;
	Segment    *segment;
	uint32		from;

	/* unlocked looks: a wrong one costs a tick */
	if (!state->dirty || state->active_end - state->written_back < WRITEBACK_BYTES ||
		state->active_end < state->written_back)
		return;
	if (!pgt_partition_log_slot_bounds(state, &key, &bounds))
		return;
	segment = pgt_partition_log_segment(state, pgt_original_segment(bounds.active_base));
	if (segment == NULL)
		return;

	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	from = state->written_back;
	if (state->active_base == bounds.active_base && state->active_end >= bounds.active_end)
		state->written_back = bounds.active_end;
	LWLockRelease(&state->lock);
	if (from < bounds.active_end)
		pgt_segment_writeback(segment, from, bounds.active_end);
}

/* Over all partitions; useless where nothing is ever fsynced. */
static void
write_back_all(void)
{
	int			n = pgt_partition_slots();

	if (enableFsync)
		for (int i = 0; i < n; i++)
			write_back(pgt_partition_slot(i));
}

/* ---- resolving on demand -------------------------------------------------- */

bool
pgt_log_resolve_now(void)
{
	/* one may be under way that has passed what matters: the second is wholly after now */
	uint64		wanted = pg_atomic_read_u64(&pgt_log_shared->resolve_rounds) + 2;
	int64		since = pgt_monotonic_us();

	while (pg_atomic_read_u64(&pgt_log_shared->resolve_rounds) < wanted)
	{
		if (pgt_monotonic_ms_since(since) > RESOLVE_NOW_MS + 2 * pgt_sync_interval)
			return false;
		pg_atomic_write_u32(&pgt_log_shared->resolve_wanted, 1);
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 RESOLVE_POLL_MS, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	return true;
}

/* ---- the process --------------------------------------------------------- */

/* Up: from here on no checkpoint completes without us. */
static void
arm(void)
{
	PGT_MY_LXID = GetNextLocalTransactionId();
	MyProc->delayChkptFlags |= DELAY_CHKPT_COMPLETE;
	pg_memory_barrier();
	pg_atomic_write_u32(&pgt_log_shared->self_sync, 0);
	pg_atomic_write_u64(&pgt_log_shared->alone_since, 0);
}

/* Down, whatever the exit is: from here on appenders sync for themselves. */
static void
disarm(int code, Datum arg)
{
	LWLockReleaseAll();			/* an error may have left a slot's lock held */
	pg_atomic_write_u32(&pgt_log_shared->self_sync, 1);
	pg_memory_barrier();
	sync_or_panic();
	MyProc->delayChkptFlags &= ~DELAY_CHKPT_COMPLETE;
	PGT_MY_LXID = InvalidLocalTransactionId;
}

void
pgt_log_sync_main(Datum arg)
{
	int64		resolved_at = 0;

	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	pgt_worker_connect(InvalidOid);
	before_shmem_exit(disarm, 0);
	arm();
	pgt_log_write_settings();

	for (;;)
	{
		serve_checkpoint();
		write_back_all();
		if (pg_atomic_exchange_u32(&pgt_log_shared->resolve_wanted, 0) != 0 ||
			pgt_monotonic_ms_since(resolved_at) >= RESOLVE_INTERVAL_MS)
		{
			pgt_log_resolve_all();
			resolved_at = pgt_monotonic_us();
			pg_atomic_fetch_add_u64(&pgt_log_shared->resolve_rounds, 1);
		}
		pgt_worker_wait(pgt_sync_interval);
	}
}

void
pgt_log_sync_register(void)
{
	BackgroundWorker worker;

	pgt_worker_init(&worker, "pgt_log_sync_main", "pg_topics sync");
	worker.bgw_restart_time = 1;
	RegisterBackgroundWorker(&worker);
}
