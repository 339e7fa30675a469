/*
 * partition_log.h
 *	  One partition's log: where it begins and ends, the way from segment to
 *	  segment, rolling, and the steps of an append that need no WAL.
 */
#ifndef PARTITION_LOG_H
#define PARTITION_LOG_H

#include "log/log_segments.h"

/* What of a topic's configuration the log needs. */
typedef struct LogConfig
{
	int64		segment_bytes;
	int64		segment_ms;
	int32		max_message_bytes;
	int			compression;	/* CompressionType */
	int			compression_level;	/* on the codec's own scale; 0 where it has none */
	bool		log_append_time;	/* timestamps are of the append */
	int64		timestamp_before_max_ms;	/* how far behind the clock a producer's may be */
	int64		timestamp_after_max_ms; /* and ahead of it */
	bool		compacted;		/* records must have a key */
	int32		min_insync_replicas;
} LogConfig;

/* A consistent view of one partition, copied under its lock. */
typedef struct LogBounds
{
	int64		log_start_offset;
	int64		deleted_end;	/* behind the last record that was deleted: from there to the start is a gap */
	int64		next_offset;
	int64		resolved_offset;
	uint64		resolved_max_xid;
	int64		active_base;	/* NO_SEGMENT where there is none */
	uint32		active_entries;
	uint32		active_end;
	uint32		segments_version;
	uint32		incarnation;
} LogBounds;

/* False, and zero offsets, where the partition was never appended to. */
extern bool pgt_partition_log_bounds(const TopicPartition *key, LogBounds *bounds);

/* The same of a slot, with its key, for who walks over the slots. */
extern bool pgt_partition_log_slot_bounds(PartitionState *state, TopicPartition *key,
										  LogBounds *bounds);

/* The key alone; false where the slot is not in use.  Takes table_lock for the look. */
extern bool pgt_partition_log_slot_key(const PartitionState *state, TopicPartition *key);

/* The segment that holds "offset" or, in a gap, what follows it. */
extern SegmentId pgt_partition_log_segment_for(PartitionState *state, const LogBounds *bounds,
											   int64 offset);

/* The segment behind "base"; its base is NO_SEGMENT behind the active one. */
extern SegmentId pgt_partition_log_next_segment(PartitionState *state, const LogBounds *bounds,
												int64 base);

/*
 * Have segments come or gone since the bounds were taken?  Then what the two
 * functions above say may not fit the bounds: to be asked after them.
 */
extern bool pgt_partition_log_has_changed(PartitionState *state, const LogBounds *bounds);

/* Where a segment ends: the offset behind its last one. */
extern int64 pgt_partition_log_segment_end(Segment *segment, const LogBounds *bounds);

/* Bytes of a partition's log on disk, and in how many segments. */
extern int64 pgt_partition_log_bytes(const TopicPartition *key, const LogBounds *bounds,
									 int *segments);

/* How many entries of a segment are in the log as these bounds know it. */
extern uint32 pgt_partition_log_entries(Segment *segment, const LogBounds *bounds);

/* What an append is about to write. */
typedef struct AppendRequest
{
	char	   *batch;			/* sealed batch, its base offset not set yet */
	uint32		length;
	int32		last_offset_delta;
	int32		records;
	int64		min_timestamp;
	int64		max_timestamp;
	bool		log_append_time;	/* these and the batch's are set by the append */
	int64		required_offset;	/* NO_OFFSET (-1), or where it must go */
} AppendRequest;

/* Must the log roll before this batch?  Caller holds the slot's lock. */
extern bool pgt_partition_log_must_roll(const PartitionState *state, const LogConfig *config,
										const AppendRequest *request, int64 base_offset);

/* A roll under way: the segment that it makes, and the one that it ends. */
typedef struct SegmentRoll
{
	SegmentId	old;
	SegmentId	new;
	uint32		old_entries;
	bool		finishes;		/* the old one has entries, and is sound */
} SegmentRoll;

/*
 * Start a new active segment at "base", at or past the log end: fsync the old
 * one (one that is damaged is left as it is) and create the new pair, with the
 * batch "first" (NULL: none) written at its beginning, space for its entry and the
 * index open.  Where this throws nothing has changed, whatever failed.  Caller holds the
 * slot's lock exclusively, publishes the batch without an error in between, and
 * then calls the other one, which trims the old segment or, where that was empty,
 * removes it.
 */
extern Segment *pgt_partition_log_begin_roll(PartitionState *state, int64 base, int64 previous_end,
											 const AppendRequest *first, SegmentRoll *roll);
extern void pgt_partition_log_end_roll(PartitionState *state, const SegmentRoll *roll);

/* Both, without a batch; for rolls on their own and for redo. */
extern Segment *pgt_partition_log_roll(PartitionState *state, int64 base, int64 previous_end);

/*
 * The entry of a batch that goes to the active segment's end, all but its LSN;
 * and making a written entry the log's end for all.  Both serve the forward
 * path and redo; caller holds the slot's lock exclusively.
 */
extern void pgt_partition_log_fill_entry(IndexEntry *entry, const PartitionState *state,
										 const AppendRequest *request, int64 base_offset, uint64 xid);
extern void pgt_partition_log_publish(PartitionState *state, const AppendRequest *request,
									  const IndexEntry *entry, bool self_synced);

#endif							/* PARTITION_LOG_H */
