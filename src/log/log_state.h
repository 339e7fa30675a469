/*
 * log_state.h
 *	  What all processes share about each partition's log.
 *
 * A fixed table in shared memory, one slot a partition, found by key.
 *
 * Locks, in this order: sync_lock, held by who syncs everything; table_lock,
 * which guards the key-to-slot mapping; a slot's lock, which guards all fields
 * of the slot but the ones marked otherwise.  Never two slots' locks at once.
 *
 * A slot pointer stays good while the caller holds a relation lock on the
 * topic, since a slot is given up only with the topic.  Who holds none (the
 * sync process) compares the incarnation under the slot's lock.
 *
 * Layer 2.
 */
#ifndef LOG_STATE_H
#define LOG_STATE_H

#include "datatype/timestamp.h"
#include "log/segment.h"
#include "port/atomics.h"
#include "storage/lwlock.h"

#define NO_SEGMENT	((int64) -1)

#define NO_APPEND_TIME	PG_INT64_MIN

/* What retention and compaction did to a partition since server start. */
typedef struct MaintenanceStats
{
	int64		segments_deleted;
	int64		bytes_deleted;
	int64		compactions;
	int64		records_compacted;	/* removed by compaction or erased */
	int64		bytes_compacted;	/* given back by them */
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
	COMPACTION_SWAPPING
} CompactionPhase;

/* How far the compaction of a partition is; written by its process alone, read by anyone. */
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
	int64		trusted_end;	/* below it a forgotten transaction's batch was resolved; log_resolve.c */

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

	/* a process writes segments anew: a sync must log SYNC, see segment_rewrite.c */
	pg_atomic_uint32 rewriting;

	/* changes with every roll, deletion and swap, so that readers list files again */
	pg_atomic_uint32 segments_version;

	/* statistics since server start, for pg_stat_topics */
	pg_atomic_uint64 records_in;
	pg_atomic_uint64 bytes_in;
	pg_atomic_uint64 batches_in;
	pg_atomic_uint64 records_out;
	pg_atomic_uint64 bytes_out;

	MaintenanceStats maintenance;
	CompactionProgress compaction;
} PartitionState;

/* The cluster-wide part. */
typedef struct LogShared
{
	LWLock		table_lock;

	/* one process at a time syncs and writes the recovery point; before table_lock */
	LWLock		sync_lock;

	/* appenders fsync themselves while no sync process does; see log_sync.c */
	pg_atomic_uint32 self_sync;
	pg_atomic_uint64 alone_since;	/* the first append that found it on, by the monotonic clock; 0: none */

	/* where redo starts: what was loaded is cut there; set once at start */
	XLogRecPtr	start_redo;

	/* the recovery point lacks a change that no append made */
	pg_atomic_uint32 recovery_point_stale;

	/* a round of resolving is wanted now; how many have ended since server start */
	pg_atomic_uint32 resolve_wanted;
	pg_atomic_uint64 resolve_rounds;

	/* keeps the commit log from being cut, see commit_log.c: the entry, and its xmin with 64 bits */
	struct PGPROC *commit_log_holder;
	pg_atomic_uint64 commit_log_held_from;	/* 0: does not */

	/* oldest FullTransactionId whose batches are not all resolved; 0: none known */
	pg_atomic_uint64 oldest_unresolved_xid;

	int			max_partitions; /* set once at start */

	/*
	 * pg_topics.max_partitions of the server that wrote the WAL up to here, which it
	 * takes to replay it; 0: not known.  Changed by redo and then by the sync process.
	 */
	int			wal_max_partitions;
	uint32		wal_rmgr_id;	/* of the resource manager, as the recovery point had it; 0: not known */

	/* under table_lock */
	uint32		next_incarnation;
	int			high_water;		/* slots from here on were never used */

	PartitionState partitions[FLEXIBLE_ARRAY_MEMBER];
} LogShared;

extern LogShared *pgt_log_shared;
extern int	pgt_max_partitions; /* setting pg_topics.max_partitions */

/* setting pg_topics.max_partitions_per_database, -1: no limit */
extern int	pgt_max_partitions_per_database;

/* Who has the slots, as of a look at them. */
typedef struct PartitionRoom
{
	int			wanted;			/* slots that were asked for and not there yet */
	int			taken;			/* by all databases */
	int			of_database;	/* by the one that asks */
	bool		by_database;	/* its limit is in the way, not the server's */
} PartitionRoom;

extern Size pgt_log_state_size(void);

/* True when this call made the table, that is, at server start. */
extern bool pgt_log_state_init(void);

/* The slot of a partition, or NULL; caller keeps the topic from going. */
extern PartitionState *pgt_partition_find(const TopicPartition *key);

/* The same, made where it is missing; ERROR when the table is full. */
extern PartitionState *pgt_partition_get(const TopicPartition *key);

/* The same; NULL when the table is full. */
extern PartitionState *pgt_partition_try_get(const TopicPartition *key);

/*
 * Make the slots that are missing of these partitions of one database, all of
 * them or, where there is no room for all, none: false, and *room says why.
 */
extern bool pgt_partition_reserve(const TopicPartition *keys, int count, PartitionRoom *room);

/* Give up the slots of a topic (topic invalid: of the database) from that partition on. */
extern void pgt_partition_forget(Oid database, Oid topic, int32 first_partition);

/* Has the topic (topic invalid: the database) slots? */
extern bool pgt_partition_has_slots(Oid database, Oid topic);

/* Slot n below high_water, for walks; see the header about its lifetime. */
extern PartitionState *pgt_partition_slot(int n);
extern int	pgt_partition_slots(void);

/* Differs each time a slot has been taken or given up. */
extern uint32 pgt_partition_slots_version(void);

#endif							/* LOG_STATE_H */
