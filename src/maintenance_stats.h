/*
 * maintenance_stats.h
 *	  What retention and compaction did to a partition, and how far a running
 *	  compaction is: shared memory behind pg_stat_topics and
 *	  pg_stat_progress_topic_compaction.  And the clock they go by.
 *
 * Layer 5.
 */
#ifndef MAINTENANCE_STATS_H
#define MAINTENANCE_STATS_H

#include "log_state.h"

/* Setting for tests: milliseconds that retention and compaction are ahead of the clock. */
extern double pgt_clock_offset;

/* The last moment, in milliseconds since 1970, that is taken for one; later is never. */
#define LAST_MOMENT	(END_TIMESTAMP / 1000)

/* The time that retention and compaction go by, milliseconds since 1970. */
extern int64 pgt_maintenance_now(void);

/* Count deleted segments, or a finished compaction. */
extern void pgt_stats_deleted(PartitionState *state, int segments, int64 bytes);
extern void pgt_stats_compacted(PartitionState *state, int64 records, int64 bytes);

/* A run over the partition has ended, or failed with that message. */
extern void pgt_stats_run(PartitionState *state, TimestampTz started);
extern void pgt_stats_error(PartitionState *state, const char *message);

/* A compaction of this process begins, enters a phase, ends. */
extern void pgt_progress_begin(PartitionState *state);
extern void pgt_progress_phase(PartitionState *state, CompactionPhase phase);
extern void pgt_progress_end(PartitionState *state);

extern void pgt_maintenance_stats_init(void);	/* settings of this file */

#endif							/* MAINTENANCE_STATS_H */
