/*
 * maintenance_stats.h
 *	  What retention, compaction and merging did to a partition, and how far a running
 *	  compaction or merging is: shared memory behind pg_stat_topics and
 *	  pg_stat_progress_topic_compaction.
 */
#ifndef MAINTENANCE_STATS_H
#define MAINTENANCE_STATS_H

#include "log/log_state.h"

/* Count deleted segments, or a finished compaction or merging. */
extern void pgt_maintenance_stats_deleted(PartitionState *state, int segments, int64 bytes);
extern void pgt_maintenance_stats_compacted(PartitionState *state, int64 records, int64 bytes);
extern void pgt_maintenance_stats_merged(PartitionState *state, int64 batches, int64 bytes);

/* A run over the partition, begun then by the monotonic clock, has ended; or failed with that message. */
extern void pgt_maintenance_stats_run(PartitionState *state, int64 started_us);
extern void pgt_maintenance_stats_error(PartitionState *state, const char *message);

/* A compaction or merging of this process begins, enters a phase, ends. */
extern void pgt_maintenance_stats_begin_progress(PartitionState *state);
extern void pgt_maintenance_stats_set_phase(PartitionState *state, CompactionPhase phase);
extern void pgt_maintenance_stats_end_progress(PartitionState *state);

#endif							/* MAINTENANCE_STATS_H */
