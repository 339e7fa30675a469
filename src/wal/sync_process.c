/*
 * sync_process.c
 *	  The sync process: no checkpoint completes before the logs are on disk.
 *
 * The server has no hook in a checkpoint, and its queue of files to sync takes only
 * the server's own files.  But before it writes the checkpoint record,
 * CreateCheckPoint() waits for every process that shows DELAY_CHKPT_COMPLETE
 * with a local transaction id that it has seen.  The sync process shows the flag all
 * its life.  It takes a new local transaction id when it has synced for a
 * checkpoint: that releases this checkpoint and holds the next one.
 *
 *	  R is the redo pointer in shared memory, C the one in the control file.
 *
 *	  R == C				no checkpoint is under way
 *	  R != C, synced != R	sync (log_sync.c)
 *	  R != C, synced == R	take a new local transaction id, at every tick until
 *							C == R; so a checkpoint that failed and is begun again
 *							is released as well
 *
 * While the recovery point cannot be written, the checkpoint waits, and the
 * process tries again each second.
 *
 * While no sync process runs (server start, its restart, shutdown), self_sync makes
 * each appender fsync for itself and say so in its record.  self_sync is turned off
 * after the flag is up, and on before the flag goes down.  Appenders read it under
 * the partition's lock, and the last sync passes every lock, so each append is
 * either self-synced or part of a sync.
 *
 * Invariants
 *	1. For a checkpoint with redo pointer R every append before R is self-synced, or
 *	   followed by a SYNC record before the checkpoint record, or followed by the
 *	   server's own record of where a recovery ended, which redo treats like SYNC.
 *	2. A log end is published only after the WAL insert and the index entry.
 *	3. The flag never goes down while the process lives.
 *	4. An index entry is valid only with the LSN of its own record.
 *
 * The process also hands written bytes to the kernel early, so that the fsync of a
 * checkpoint finds little to do, resolves transactions (log_resolve.c), and forgets idempotent
 * producers that have long been idle (producer_state.c).
 *
 * It is connected to no database, which puts it into the process array, and runs
 * no transaction.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "access/xlog_internal.h"
#include "log/producer_state.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/sinvaladt.h"
#include "util/background_worker.h"
#include "util/catch_error.h"
#include "util/clock.h"
#include "util/compat.h"
#include "util/fault_point.h"
#include "utils/wait_event.h"
#include "wal/log_resolve.h"
#include "wal/log_sync.h"
#include "wal/log_writer.h"
#include "wal/sync_process.h"

#define RESOLVE_INTERVAL_MS		1000
#define RESOLVE_WAIT_MS			5000	/* how long a backend waits for resolving */
#define RESOLVE_POLL_MS			5
#define EXPIRE_INTERVAL_MS		10000	/* how often idle producers are looked for */
#define RETRY_POINT_MS			1000	/* after the recovery point could not be written */
#define WRITEBACK_BYTES			(8 * 1024 * 1024)

int			pgt_sync_interval = 20;

extern PGDLLEXPORT void pgt_sync_process_main(Datum arg);

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
 * Release the checkpoint with redo pointer "synced", and no other one: that checkpoint may
 * fail at any time, and the next one may begin between our look at the redo pointer and
 * the change of our id.  A checkpoint publishes its redo pointer first and then waits for
 * processes that show DELAY_CHKPT_START.  So a checkpoint that the look does not see waits
 * until the id has changed, and then waits for the new id with DELAY_CHKPT_COMPLETE.
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

/* Sync for a checkpoint, for pgt_catch_error_and_log(). */
static void
sync_for_checkpoint(void *arg)
{
	pgt_log_sync_or_fail();
}

/* If a checkpoint is under way, sync for it and release it. */
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
		if (failed_at != 0 && pgt_clock_ms_since(failed_at) < RETRY_POINT_MS)
			return;
		failed_at = 0;
		/* without it the checkpoint has to wait */
		if (!pgt_catch_error_and_log(sync_for_checkpoint, NULL))
		{
			failed_at = pgt_clock_monotonic_us();
			return;
		}
		synced = redo;
	}
	release_checkpoint(synced);
}

/* ---- writing back -------------------------------------------------------- */

/* Let the kernel start to write what appends have added, if that is enough bytes. */
static void
write_back(PartitionState *state)
{
	TopicPartition key;
	LogBounds	bounds;
	Segment    *segment;
	uint32		from;

	/* read without the lock: a wrong value delays this until the next tick */
	if (!state->dirty || state->active_end - state->written_back < WRITEBACK_BYTES ||
		state->active_end < state->written_back)
		return;
	if (!pgt_partition_log_slot_bounds(state, &key, &bounds))
		return;
	segment = pgt_log_segments_open(state, pgt_segment_id_original(bounds.active_base));
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

/* Do that for all partitions, unless fsync is off. */
static void
write_back_all(void)
{
	int			n = pgt_log_state_slot_count();

	if (enableFsync)
		for (int i = 0; i < n; i++)
			write_back(pgt_log_state_slot(i));
}

/* ---- resolving on demand -------------------------------------------------- */

bool
pgt_sync_process_resolve(void)
{
	/* a round may be under way that has passed our partition: only the second one is wholly after now */
	uint64		wanted = pg_atomic_read_u64(&pgt_log_state->resolve_rounds) + 2;
	int64		since = pgt_clock_monotonic_us();

	while (pg_atomic_read_u64(&pgt_log_state->resolve_rounds) < wanted)
	{
		if (pgt_clock_ms_since(since) > RESOLVE_WAIT_MS + 2 * pgt_sync_interval)
			return false;
		pg_atomic_write_u32(&pgt_log_state->resolve_wanted, 1);
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 RESOLVE_POLL_MS, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	return true;
}

/* ---- the process --------------------------------------------------------- */

/* From here on no checkpoint completes without this process. */
static void
arm(void)
{
	PGT_MY_LXID = GetNextLocalTransactionId();
	MyProc->delayChkptFlags |= DELAY_CHKPT_COMPLETE;
	pg_memory_barrier();
	pg_atomic_write_u32(&pgt_log_state->self_sync, 0);
	pg_atomic_write_u64(&pgt_log_state->alone_since, 0);
}

/* At any exit: from here on appenders sync for themselves. */
static void
disarm(int code, Datum arg)
{
	LWLockReleaseAll();			/* an error may have left a slot's lock held */
	pg_atomic_write_u32(&pgt_log_state->self_sync, 1);
	pg_memory_barrier();
	pgt_log_sync_or_panic();
	MyProc->delayChkptFlags &= ~DELAY_CHKPT_COMPLETE;
	PGT_MY_LXID = InvalidLocalTransactionId;
}

void
pgt_sync_process_main(Datum arg)
{
	int64		resolved_at = 0;
	int64		expired_at = 0;

	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	pgt_background_worker_connect(InvalidOid);
	before_shmem_exit(disarm, 0);
	arm();
	pgt_log_writer_log_settings();

	for (;;)
	{
		serve_checkpoint();
		write_back_all();
		if (pg_atomic_exchange_u32(&pgt_log_state->resolve_wanted, 0) != 0 ||
			pgt_clock_ms_since(resolved_at) >= RESOLVE_INTERVAL_MS)
		{
			pgt_log_resolve_all();
			resolved_at = pgt_clock_monotonic_us();
			pg_atomic_fetch_add_u64(&pgt_log_state->resolve_rounds, 1);
		}
		if (pgt_clock_ms_since(expired_at) >= Min(EXPIRE_INTERVAL_MS, pgt_producer_id_expiration_ms))
		{
			pgt_producer_state_expire();
			expired_at = pgt_clock_monotonic_us();
		}
		pgt_background_worker_wait(pgt_sync_interval);
	}
}

void
pgt_sync_process_register(void)
{
	BackgroundWorker worker;

	pgt_background_worker_init(&worker, "pgt_sync_process_main", "pg_topics sync");
	worker.bgw_restart_time = 1;
	RegisterBackgroundWorker(&worker);
}
