/*
 * log_sync.h
 *	  Tying the logs' fsyncs to checkpoints: the sync process.
 *
 * Layer 3.
 */
#ifndef LOG_SYNC_H
#define LOG_SYNC_H

#include "c.h"

extern int	pgt_sync_interval;	/* setting pg_topics.sync_interval, ms */

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
 * checkpoints, sync here and now.  ERROR where there is no space for the recovery
 * point: then the files must stay.
 */
extern void pgt_log_sync_if_alone(void);

/*
 * Have what has ended by now resolved, and wait for that: a moment.  False where
 * no sync process does it.  Serves interrupts.
 */
extern bool pgt_log_resolve_now(void);

#endif							/* LOG_SYNC_H */
