/*
 * maintenance_stats.c
 *	  Counting what retention, compaction and merging do; see the header.
 *
 * Counters are in the partition's slot, guarded by its lock, and begin anew
 * with the server.  Progress is written by the compacting process alone and
 * read without a lock: a view may show a value that is a moment older than its
 * neighbour.
 */
#include "postgres.h"

#include "maintenance/maintenance_stats.h"
#include "miscadmin.h"
#include "util/clock.h"
#include "utils/timestamp.h"

void
pgt_maintenance_stats_deleted(PartitionState *state, int segments, int64 bytes)
{
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	state->maintenance.segments_deleted += segments;
	state->maintenance.bytes_deleted += bytes;
	LWLockRelease(&state->lock);
}

void
pgt_maintenance_stats_compacted(PartitionState *state, int64 records, int64 bytes)
{
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	state->maintenance.compactions++;
	state->maintenance.records_compacted += records;
	state->maintenance.bytes_compacted += bytes;
	LWLockRelease(&state->lock);
}

void
pgt_maintenance_stats_merged(PartitionState *state, int64 batches, int64 bytes)
{
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	state->maintenance.merges++;
	state->maintenance.batches_merged += batches;
	state->maintenance.bytes_merged += bytes;
	LWLockRelease(&state->lock);
}

void
pgt_maintenance_stats_run(PartitionState *state, int64 started_us)
{
	TimestampTz now = GetCurrentTimestamp();
	int64		duration_us = pgt_clock_monotonic_us() - started_us;

	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	state->maintenance.last_run = now;
	state->maintenance.last_duration_us = duration_us;
	LWLockRelease(&state->lock);
}

void
pgt_maintenance_stats_error(PartitionState *state, const char *message)
{
	TimestampTz now = GetCurrentTimestamp();

	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	state->maintenance.errors++;
	state->maintenance.last_error_at = now;
	strlcpy(state->maintenance.last_error, message, sizeof(state->maintenance.last_error));
	LWLockRelease(&state->lock);
}

void
pgt_maintenance_stats_begin_progress(PartitionState *state)
{
	CompactionProgress *progress = &state->compaction;

	pg_atomic_write_u32(&progress->phase, COMPACTION_IDLE);
	pg_atomic_write_u64(&progress->bytes_total, 0);
	pg_atomic_write_u64(&progress->bytes_mapped, 0);
	pg_atomic_write_u64(&progress->bytes_read, 0);
	pg_atomic_write_u64(&progress->bytes_written, 0);
	pg_atomic_write_u64(&progress->keys, 0);
	pg_atomic_write_u64(&progress->records_removed, 0);
	pg_write_barrier();
	pg_atomic_write_u32(&progress->pid, MyProcPid);
}

void
pgt_maintenance_stats_set_phase(PartitionState *state, CompactionPhase phase)
{
	pg_atomic_write_u32(&state->compaction.phase, phase);
}

void
pgt_maintenance_stats_end_progress(PartitionState *state)
{
	pg_atomic_write_u32(&state->compaction.pid, 0);
}
