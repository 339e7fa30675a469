/*
 * partition_log.h
 *	  One partition's log: its list of segments, where it begins and ends,
 *	  and the steps of an append that need neither WAL nor fsync policy.
 *
 * Layer 2.
 */
#ifndef PARTITION_LOG_H
#define PARTITION_LOG_H

#include "log/log_state.h"

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
	int64		interleaved_end;	/* at or past it no batch has others between it and one of its transaction before */
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

/*
 * Make this process's cache of open segments, which allocates: to be called before
 * a critical section that opens segments.
 */
extern void pgt_partition_log_make_cache(void);

/*
 * An open segment of this process's cache; ready for use until the next call.
 * NULL where the segment is gone.
 */
extern Segment *pgt_partition_log_segment(PartitionState *state, SegmentId id);

/* Has this process the segment open? */
extern bool pgt_partition_log_is_open(PartitionState *state, SegmentId id);

/*
 * Can it be opened: has this process it open, or are its files there and its header
 * right?  Never throws on damage, as opening does.
 */
extern bool pgt_partition_log_can_open(PartitionState *state, SegmentId id);

/* The same, made new and empty; for rolls, rewriting and redo. */
extern Segment *pgt_partition_log_create_segment(PartitionState *state, SegmentId id,
												 const SegmentSpan *span);

/* Close this process's segment, and remove its files; trouble is a WARNING. */
extern void pgt_partition_log_remove_segment(PartitionState *state, SegmentId id);

/* Close this process's cached segments that are deleted; for who does not ask for lists. */
extern void pgt_partition_log_close_deleted(PartitionState *state);

/* Close this process's cached segments of a topic (InvalidOid: of the database). */
extern void pgt_partition_log_close(Oid database, Oid topic);

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

/*
 * First of the segment's "count" entries whose last offset is at or past
 * "offset", or one a little before; count if none.  Quick where this process
 * has read on from there before: readers leave a hint.
 */
extern uint32 pgt_partition_log_find(PartitionState *state, Segment *segment, uint32 count,
									 int64 offset);

/* All entries before n end before "first": who reads on from there up to "last" begins at n. */
extern void pgt_partition_log_hint(PartitionState *state, SegmentId id, uint32 n,
								   int64 first, int64 last);

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
	/* set by the append, or by redo */
	int64		base_offset;
	int64		first_offset;	/* the first that its transaction has in this partition */
	bool		interleaved;	/* batches of others stand between it and one of its transaction before */
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
 * Remove the files of segments past "base", which do not count.  An error in
 * recovery is a LOG line: the next roll tries again.  Caller holds the slot's lock
 * exclusively.
 */
extern void pgt_partition_log_remove_past(PartitionState *state, int64 base);

/*
 * The entry of a batch that goes to the active segment's end, all but its LSN;
 * and making a written entry the log's end for all.  Both serve the forward
 * path and redo; caller holds the slot's lock exclusively.
 */
extern void pgt_partition_log_fill_entry(IndexEntry *entry, const PartitionState *state,
										 const AppendRequest *request, uint64 xid);
extern void pgt_partition_log_publish(PartitionState *state, const AppendRequest *request,
									  const IndexEntry *entry, bool self_synced);

#endif							/* PARTITION_LOG_H */
