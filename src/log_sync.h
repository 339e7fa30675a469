/*
 * log_sync.h
 *	  Tying the logs' fsyncs to checkpoints: the sync process, the recovery
 *	  point, and loading the logs when the server starts.
 *
 * Layer 3.
 */
#ifndef LOG_SYNC_H
#define LOG_SYNC_H

#include "log_state.h"

extern int	pgt_sync_interval;	/* setting pg_topics.sync_interval, ms */
extern bool pgt_adopt_log_dir;	/* setting pg_topics.adopt_log_dir */

/* ---- log_sync.c ---------------------------------------------------------- */

/* Register the sync process with the postmaster. */
extern void pgt_log_sync_register(void);

/*
 * fsync what appends have left dirty and write the recovery point.  In redo
 * (the startup process) nothing is logged; in the sync process a SYNC record
 * is.  Called in a critical section, since it forgets what is dirty first.
 */
extern void pgt_log_sync_all(bool in_redo);

/*
 * For a change that only the recovery point remembers once redo is past its
 * record, before files are removed on its account: while no sync process holds
 * checkpoints, sync here and now.
 */
extern void pgt_log_sync_if_alone(void);

/* ---- recovery_point.c ---------------------------------------------------- */

/* Of one partition, as of the last time everything was synced. */
typedef struct RecoveryPointEntry
{
	TopicPartition key;
	uint32		active_entries;
	int64		active_base;
	int64		next_offset;
	int64		log_start_offset;
	int64		resolved_offset;
	uint32		active_end;
	uint32		reserved;
} RecoveryPointEntry;

/* Replace the recovery point, durably; any failure is an ERROR. */
extern void pgt_recovery_point_write(const RecoveryPointEntry *entries, int count);

/*
 * Read it; palloc'd entries, count 0 where there is none.  FATAL where it is
 * another cluster's and that was not allowed.  For the postmaster.
 */
extern int	pgt_recovery_point_read(RecoveryPointEntry **entries);

/* ---- log_load.c ---------------------------------------------------------- */

/* Fill the table of partitions from disk; in the postmaster, before redo. */
extern void pgt_log_load(void);

/* ---- log_resolve.c ------------------------------------------------------- */

/* How a transaction that is not running any more has ended. */
typedef enum TransactionOutcome
{
	TRANSACTION_COMMITTED,
	TRANSACTION_ABORTED,
	TRANSACTION_FORGOTTEN		/* the commit log is cut: its batches are resolved */
} TransactionOutcome;

/* The outcome of a FullTransactionId that is not running. */
extern TransactionOutcome pgt_transaction_outcome(uint64 xid);

/* A 32-bit transaction id of about now as a 64-bit one. */
extern uint64 pgt_full_xid(TransactionId xid);

/*
 * One round of resolving over all partitions; then publish how far back the
 * commit log must be kept for the next.  For the sync process.
 */
extern void pgt_log_resolve_all(void);

#endif							/* LOG_SYNC_H */
