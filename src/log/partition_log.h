/*
 * partition_log.h
 *	  One partition's log: where it begins and ends, the way from segment to
 *	  segment, rolling, and the steps of an append that need no WAL.
 */
#ifndef PARTITION_LOG_H
#define PARTITION_LOG_H

#include "format/key_placement.h"
#include "format/record_batch.h"
#include "log/log_segments.h"

/* The part of a topic's configuration that the log and the producer need. */
typedef struct LogConfig
{
	int64		segment_bytes;
	int64		segment_ms;
	int32		max_message_bytes;
	int			compression;	/* CompressionType */
	int			compression_level;	/* on the codec's own scale; 0 where it has none */
	bool		compress_by_size;	/* only where it pays; nobody has named this codec */
	bool		log_append_time;	/* records get the time of the append */
	int64		timestamp_before_max_ms;	/* how far behind the clock a producer's timestamp may be */
	int64		timestamp_after_max_ms; /* how far ahead of the clock it may be */
	bool		compacted;		/* records must have a key */
	int32		min_insync_replicas;
	KeyPlacement placement;		/* partitioner.enforce: where records with a key must be */
} LogConfig;

/* A consistent view of one partition, copied under its lock. */
typedef struct LogBounds
{
	int64		log_start_offset;
	int64		deleted_end;	/* behind the last record that was deleted; from there to the log start is a gap */
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

/* Copy the bounds of a partition.  False, with zero offsets, if it was never appended to. */
extern bool pgt_partition_log_bounds(const TopicPartition *key, LogBounds *bounds);

/*
 * Copy the bounds and the key of a slot, for a walk over the slots.  False if the slot is
 * not in use, or its partition was never appended to.
 */
extern bool pgt_partition_log_slot_bounds(PartitionState *state, TopicPartition *key,
										  LogBounds *bounds);

/* Copy the key of a slot.  False if the slot is not in use.  Takes table_lock. */
extern bool pgt_partition_log_slot_key(const PartitionState *state, TopicPartition *key);

/* The segment that holds "offset" or, if that is in a gap, the segment where the log continues. */
extern SegmentId pgt_partition_log_segment_for(PartitionState *state, const LogBounds *bounds,
											   int64 offset);

/* The segment after the one with that base; its base is NO_SEGMENT after the active segment. */
extern SegmentId pgt_partition_log_next_segment(PartitionState *state, const LogBounds *bounds,
												int64 base);

/*
 * Were segments added or removed since the bounds were copied?  Then the results of the two
 * functions above may not fit the bounds; so this is to be asked after them.
 */
extern bool pgt_partition_log_has_changed(PartitionState *state, const LogBounds *bounds);

/* Where a segment ends: the offset behind its last offset. */
extern int64 pgt_partition_log_segment_end(Segment *segment, const LogBounds *bounds);

/* The bytes of a partition's log on disk; *segments is the number of its segments. */
extern int64 pgt_partition_log_bytes(const TopicPartition *key, const LogBounds *bounds,
									 int *segments);

/* How many entries of a segment are part of the log, as of these bounds. */
extern uint32 pgt_partition_log_entries(Segment *segment, const LogBounds *bounds);

/* What has become of a batch. */
typedef enum LogAppendOutcome
{
	LOG_APPEND_NOT_DONE,		/* the append has not come to it, or has failed at it */
	LOG_APPEND_DONE,

	/* of batches of idempotent producers; nothing was appended, see producer_sequence.h */
	LOG_APPEND_DUPLICATE,		/* it was appended before, at the base offset that is set; perhaps not durably yet */
	LOG_APPEND_OLD_DUPLICATE,	/* likewise, but its offset is not known any more */
	LOG_APPEND_OUT_OF_ORDER,	/* batches before it are missing */
	LOG_APPEND_FENCED,			/* its producer's epoch has passed */
	LOG_APPEND_TRY_AGAIN,		/* that depends on another transaction, or no sync process runs */

	LOG_APPEND_NOT_OPEN			/* of a batch of a Kafka transaction: that has ended, or was never begun */
} LogAppendOutcome;

/*
 * A batch that is to be appended: one of our own (pending_batch.h), or one that a producer has
 * sealed, which goes to the log as it is.  The append writes base offset and leader epoch into
 * it, and with log_append_time the time.
 *
 * The producer fields are those of the batch's header; NO_PRODUCER_ID in our own batches, and in
 * those of producers that are not idempotent.
 */
typedef struct LogAppendRequest
{
	char	   *batch;			/* sealed batch, its base offset not set yet */
	uint32		length;
	uint32		records_length; /* bytes of its records before compression */
	int32		last_offset_delta;
	int32		records;
	int64		min_timestamp;
	int64		max_timestamp;
	bool		log_append_time;	/* the append sets the timestamps above, and those in the batch */
	int64		required_offset;	/* the offset that it must get, or NO_OFFSET */
	int64		producer_id;
	int16		producer_epoch;
	int32		base_sequence;
	/* the append, or redo, sets these */
	bool		producer_starts;	/* nothing was known of the producer */
	LogAppendOutcome outcome;	/* by the append alone, as the last thing */
	int64		base_offset;
	XLogRecPtr	lsn;			/* where the batch is durable, also of a duplicate with an offset; by the append alone */
	int64		log_start_offset;	/* the partition's, by the append alone */
	int64		first_offset;	/* the first offset of its transaction in this partition */
	bool		interleaved;	/* batches of others stand between it and an earlier one of its transaction */
} LogAppendRequest;

/* Set the producer fields from the batch's header. */
static inline void
pgt_partition_log_set_producer(LogAppendRequest *request, const RecordBatchHeader *header)
{
	request->producer_id = header->producer_id;
	request->producer_epoch = header->producer_epoch;
	request->base_sequence = header->base_sequence;
}

/* Must the log roll before this batch is appended?  The caller holds the slot's lock. */
extern bool pgt_partition_log_must_roll(const PartitionState *state, const LogConfig *config,
										const LogAppendRequest *request, int64 base_offset);

/* A roll under way: the segment that it finishes, and the one that it makes. */
typedef struct LogRoll
{
	SegmentId	old;
	SegmentId	new;
	uint32		old_entries;
	bool		finishes;		/* the old segment has entries, and is sound */
} LogRoll;

/*
 * Start a new active segment at "base", at or past the log end.  This syncs the old
 * segment, unless it is damaged, and creates the new one.  If "first" is not NULL, its
 * batch is written to the new segment, disk space for its entry is allocated, and the
 * index is open.  If this throws, nothing has changed.
 *
 * The caller holds the slot's lock exclusively, publishes the batch without an error in
 * between, and then calls pgt_partition_log_end_roll().
 */
extern Segment *pgt_partition_log_begin_roll(PartitionState *state, int64 base, int64 previous_end,
											 const LogAppendRequest *first, LogRoll *roll);

/* Trim the index of the old segment or, if it has no entries, remove it. */
extern void pgt_partition_log_end_roll(PartitionState *state, const LogRoll *roll);

/* Roll without a batch; for rolls that no append asks for, and for redo. */
extern Segment *pgt_partition_log_roll(PartitionState *state, int64 base, int64 previous_end);

/* Is the log empty, and would it start past its end with a batch at this offset? */
extern bool pgt_partition_log_would_start(const PartitionState *state, int64 base_offset);

/*
 * Fill the entry, except for its LSN, of a batch that is appended to the active segment.
 * For appending and for redo; the caller holds the slot's lock exclusively.
 */
extern void pgt_partition_log_fill_entry(IndexEntry *entry, const PartitionState *state,
										 const LogAppendRequest *request, uint64 xid);
/*
 * Move the log's end behind a written entry, so that all processes see it.  For appending
 * and for redo; the caller holds the slot's lock exclusively.
 */
extern void pgt_partition_log_publish(PartitionState *state, const LogAppendRequest *request,
									  const IndexEntry *entry, bool self_synced);

#endif							/* PARTITION_LOG_H */
