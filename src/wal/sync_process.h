/*
 * sync_process.h
 *	  The background process that ties the logs' fsyncs to checkpoints and resolves
 *	  transactions.
 */
#ifndef SYNC_PROCESS_H
#define SYNC_PROCESS_H

extern int	pgt_sync_interval;	/* setting pg_topics.sync_interval, ms */

/* Register the sync process with the postmaster. */
extern void pgt_sync_process_register(void);

/*
 * Ask the sync process to resolve all transactions that have ended by now, and wait
 * until it has, which takes a moment.  Returns false if no sync process does so
 * within some seconds.  Serves interrupts.
 */
extern bool pgt_sync_process_resolve(void);

#endif							/* SYNC_PROCESS_H */
