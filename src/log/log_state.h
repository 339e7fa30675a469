/*
 * log_state.h
 *	  The state of each partition's log that all processes share.
 *
 * A table of fixed size in shared memory, with one slot for each partition, which is
 * found by key.
 *
 * Locks, in the order in which they are taken: sync_lock, held by the process that syncs
 * all partitions; table_lock, which guards the map from keys to slots; a slot's lock,
 * which guards all fields of the slot except those marked otherwise.  A process never
 * holds the locks of two slots.
 *
 * The lock of the table of Kafka transactions (kafka_txn_map.h) is taken below a slot's.
 *
 * producer_ids_lock guards the ids of producers, and is taken with none of them held but
 * sync_lock.
 *
 * A pointer to a slot stays valid while the caller holds a relation lock on the topic,
 * since a slot is given up only with the topic.  A process without such a lock (the
 * sync process) compares the incarnation under the slot's lock.
 */
#ifndef LOG_STATE_H
#define LOG_STATE_H

#include "datatype/timestamp.h"
#include "log/producer_table.h"
#include "log/segment.h"
#include "port/atomics.h"
#include "storage/lwlock.h"

#define NO_SEGMENT	((int64) -1)

#define NO_APPEND_TIME	PG_INT64_MIN

/* How much retention, compaction and merging have done in a partition since server start. */
typedef struct MaintenanceStats
{
	int64		segments_deleted;
	int64		bytes_deleted;
	int64		compactions;
	int64		records_compacted;	/* removed by compaction or erased */
	int64		bytes_compacted;	/* given back by them */
	int64		merges;
	int64		batches_merged; /* fewer batches, by merging */
	int64		bytes_merged;	/* given back by it, index entries included */
	TimestampTz last_run;		/* 0: none */
	int64		last_duration_us;
	int64		errors;
	TimestampTz last_error_at;
	char		last_error[160];
} MaintenanceStats;

typedef enum CompactionPhase
{
	COMPACTION_IDLE,
	COMPACTION_BUILDING_MAP,
	COMPACTION_REWRITING,
	COMPACTION_SWAPPING,
	COMPACTION_MERGING
} CompactionPhase;

/* The progress of compacting or merging a partition; written only by the process that compacts, read by any. */
typedef struct CompactionProgress
{
	pg_atomic_uint32 pid;		/* 0: none is running */
	pg_atomic_uint32 phase;		/* CompactionPhase */
	pg_atomic_uint64 bytes_total;	/* of the segments to be rewritten */
	pg_atomic_uint64 bytes_mapped;	/* read for the key map */
	pg_atomic_uint64 bytes_read;	/* of bytes_total */
	pg_atomic_uint64 bytes_written;
	pg_atomic_uint64 keys;		/* in the key map */
	pg_atomic_uint64 records_removed;
} CompactionProgress;

typedef struct PartitionState
{
	/* changed under table_lock and the slot's lock, both exclusive */
	TopicPartition key;
	bool		in_use;
	uint32		incarnation;	/* differs each time the slot is taken */

	LWLock		lock;

	/* the log */
	int64		log_start_offset;
	int64		deleted_end;	/* behind the last record that was deleted; at most the log start */
	int64		next_offset;	/* the log end offset */
	int64		resolved_offset;	/* below it every transaction's outcome is in the index */
	uint64		resolved_max_xid;	/* largest transaction id resolved since server start */
	int64		last_append_time;	/* of the last batch; NO_APPEND_TIME where that is not of LogAppendTime */
	int64		trusted_end;	/* a forgotten transaction's batch below it was resolved; see log_resolve.c */
	int64		interleaved_end;	/* behind the last batch that others stand before; never too small */

	ProducerChain producers;	/* idempotent ones that have appended, see producer_state.c */

	bool		no_strays;		/* no files are past the active segment, see partition_log.c */

	/* the active segment */
	int64		active_base;	/* NO_SEGMENT: nothing was ever appended */
	uint32		active_end;		/* bytes in its log */
	uint32		active_entries; /* entries in its index */
	int64		active_first_timestamp; /* largest of its first batch, as in Kafka */
	int64		active_largest_timestamp;

	/* durability, see log_sync.c */
	bool		dirty;			/* the active segment has bytes not fsynced */
	bool		unsynced;		/* appends not self-synced since the last SYNC record */
	uint32		written_back;	/* active segment's bytes handed to the kernel for writing */
	XLogRecPtr	last_lsn;		/* end of the last append's WAL record */

	/* a process rewrites segments: a sync must log SYNC, see segment_rewrite.c */
	pg_atomic_uint32 rewriting;

	/* raised by every roll, deletion and swap, so that processes list the files again */
	pg_atomic_uint32 segments_version;

	/* the index of keys: raised when one of its files comes or goes */
	pg_atomic_uint32 keys_version;
	/* what the worker has last seen to: up to which offset, and the segments_version then */
	pg_atomic_uint64 keys_end;
	pg_atomic_uint32 keys_segments;
	pg_atomic_uint32 keys_damaged;	/* a reader has met damage since then */

	/* statistics for pg_stat_topics; bytes are of records before compression */
	TimestampTz stats_reset;	/* since when they are counted */
	pg_atomic_uint64 records_in;
	pg_atomic_uint64 bytes_in;
	pg_atomic_uint64 batches_in;
	pg_atomic_uint64 records_out;
	pg_atomic_uint64 bytes_out;

	MaintenanceStats maintenance;
	CompactionProgress compaction;
} PartitionState;

/* The cluster-wide part. */
typedef struct LogState
{
	LWLock		table_lock;

	/* held by the process that syncs and writes the recovery point; taken before table_lock */
	LWLock		sync_lock;

	/* not 0: no sync process runs, and appenders fsync for themselves; see sync_process.c */
	pg_atomic_uint32 self_sync;
	pg_atomic_uint64 alone_since;	/* when the first append found it on, by the monotonic clock; 0: none has */

	/* where redo starts: loading cuts the logs there; set once at server start */
	XLogRecPtr	start_redo;

	/* not 0: the recovery point lacks a change that is not an append */
	pg_atomic_uint32 recovery_point_stale;

	/* not 0: the file of producers is older than the chains, or than the ids */
	pg_atomic_uint32 producers_changed;

	/* ids for producers, under producer_ids_lock; see producer_ids.c */
	LWLock		producer_ids_lock;
	uint64		next_producer_id;
	uint64		producer_ids_end;	/* those below are used up after a crash; 0: not known */
	XLogRecPtr	producer_ids_lsn;	/* of the record that says so */

	/* not 0: a round of resolving is wanted now; and the number of rounds since server start */
	pg_atomic_uint32 resolve_wanted;
	pg_atomic_uint64 resolve_rounds;

	/* the holder of the commit log, see commit_log.c, and its xmin with 64 bits */
	struct PGPROC *commit_log_holder;
	pg_atomic_uint64 commit_log_held_from;	/* 0: it holds nothing */

	/* oldest FullTransactionId whose batches are not all resolved; 0: none known */
	pg_atomic_uint64 oldest_unresolved_xid;

	int			max_partitions; /* set once at start */

	/*
	 * pg_topics.max_partitions of the server that wrote the WAL up to here, which a server
	 * needs to replay it; 0: not known.  Changed by redo and then by the sync process.
	 */
	int			wal_max_partitions;
	uint32		wal_rmgr_id;	/* of the resource manager, as the recovery point had it; 0: not known */

	/* under table_lock */
	uint32		next_incarnation;
	int			high_water;		/* slots from here on were never used */

	PartitionState partitions[FLEXIBLE_ARRAY_MEMBER];
} LogState;

extern LogState *pgt_log_state;
extern int	pgt_max_partitions; /* setting pg_topics.max_partitions */

/* setting pg_topics.max_partitions_per_database, -1: no limit */
extern int	pgt_max_partitions_per_database;

/* How many slots are wanted and taken, as counted when slots were reserved. */
typedef struct PartitionRoom
{
	int			wanted;			/* asked for, and not there yet */
	int			taken;			/* in use by all databases */
	int			of_database;	/* in use by the database that asks */
	bool		by_database;	/* the limit for the database is reached, not the server's */
} PartitionRoom;

/* The size of the table and its hash table in shared memory. */
extern Size pgt_log_state_size(void);

/* Make the table, or attach to it.  True if this call has made it, that is, at server start. */
extern bool pgt_log_state_init(void);

/* The slot of a partition, or NULL.  The caller keeps the topic from being dropped. */
extern PartitionState *pgt_log_state_find(const TopicPartition *key);

/* The slot of a partition, taken if it has none yet.  ERROR if the table is full. */
extern PartitionState *pgt_log_state_get(const TopicPartition *key);

/* The slot of a partition, taken if it has none yet.  NULL if the table is full. */
extern PartitionState *pgt_log_state_try_get(const TopicPartition *key);

/*
 * Take slots for those of these partitions, all of one database, that have none yet.  If
 * there is not room for all of them, take none, return false, and let *room say why.
 */
extern bool pgt_log_state_reserve(const TopicPartition *keys, int count, PartitionRoom *room);

/* Give up the slots of a topic (InvalidOid: of the database) from first_partition on. */
extern void pgt_log_state_forget(Oid database, Oid topic, int32 first_partition);

/* Set the partition's statistics to zero and note the time.  Takes the slot's lock. */
extern void pgt_log_state_reset_statistics(PartitionState *state);

/* The number of a slot. */
static inline int
pgt_log_state_slot_number(const PartitionState *state)
{
	return state - pgt_log_state->partitions;
}

/* Does the topic (InvalidOid: the database) have slots? */
extern bool pgt_log_state_has_slots(Oid database, Oid topic);

/*
 * Slot n, from 0 to pgt_log_state_slot_count() - 1, for walks over all slots.  It may not
 * be in use; see the head of this file about its lifetime.
 */
extern PartitionState *pgt_log_state_slot(int n);
extern int	pgt_log_state_slot_count(void);

/* A number that changes each time a slot is taken or given up. */
extern uint32 pgt_log_state_slots_version(void);

#endif							/* LOG_STATE_H */
