/*
 * maintenance_stats.c
 *	  Counting what retention and compaction do; see the header.
 *
 * Counters are in the partition's slot, guarded by its lock, and begin anew
 * with the server.  Progress is written by the compacting process alone and
 * read without a lock: a view may show a value that is a moment older than its
 * neighbour.
 *
 * Layer 5.  Next: retention.c, compaction.c.
 */
#include "postgres.h"

#include "maintenance_stats.h"
#include "miscadmin.h"
#include "serializer.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

double		pgt_clock_offset = 0;

int64
pgt_maintenance_now(void)
{
	return pgt_timestamptz_to_ms(GetCurrentTimestamp()) + (int64) pgt_clock_offset;
}

void
pgt_stats_deleted(PartitionState *state, int segments, int64 bytes)
{
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	state->maintenance.segments_deleted += segments;
	state->maintenance.bytes_deleted += bytes;
	LWLockRelease(&state->lock);
}

void
pgt_stats_compacted(PartitionState *state, int64 records, int64 bytes)
{
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	state->maintenance.compactions++;
	state->maintenance.records_compacted += records;
	state->maintenance.bytes_compacted += bytes;
	LWLockRelease(&state->lock);
}

void
pgt_stats_run(PartitionState *state, TimestampTz started)
{
	TimestampTz now = GetCurrentTimestamp();

	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	state->maintenance.last_run = now;
	state->maintenance.last_duration_us = now - started;
	LWLockRelease(&state->lock);
}

void
pgt_stats_error(PartitionState *state, const char *message)
{
	TimestampTz now = GetCurrentTimestamp();

	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	state->maintenance.errors++;
	state->maintenance.last_error_at = now;
	strlcpy(state->maintenance.last_error, message, sizeof(state->maintenance.last_error));
	LWLockRelease(&state->lock);
}

void
pgt_progress_begin(PartitionState *state)
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
pgt_progress_phase(PartitionState *state, CompactionPhase phase)
{
	pg_atomic_write_u32(&state->compaction.phase, phase);
}

void
pgt_progress_end(PartitionState *state)
{
	pg_atomic_write_u32(&state->compaction.pid, 0);
}

void
pgt_maintenance_stats_init(void)
{
	DefineCustomRealVariable("pg_topics.clock_offset",
							 "Time by which retention and compaction are ahead of the clock.",
							 "For tests only.",
							 &pgt_clock_offset, 0, -1.0e15, 1.0e15,
							 PGC_SUSET, GUC_UNIT_MS | GUC_NOT_IN_SAMPLE | GUC_NO_SHOW_ALL,
							 NULL, NULL, NULL);
}
