/*
 * log_sync.h
 *	  Making the logs durable: fsync, recovery point and SYNC record.
 */
#ifndef LOG_SYNC_H
#define LOG_SYNC_H

/*
 * fsync all that appends have left dirty and write the recovery point.  Logs a SYNC
 * record, except in redo (the startup process).  The caller is in a critical section,
 * or in redo, since this forgets first what is dirty.
 */
extern void pgt_log_sync_all(bool in_redo);

/* Call pgt_log_sync_all(false) in a critical section, so that any failure is a PANIC. */
extern void pgt_log_sync_or_panic(void);

/*
 * Sync as pgt_log_sync_all(false) does, for a process that can wait: a failed fsync is a
 * PANIC, but it is only an ERROR if the recovery point cannot be written, for lack of
 * space say.  Then the next call tries again.
 */
extern void pgt_log_sync_or_fail(void);

/*
 * While no sync process runs, sync here and now; else do nothing.  To be called
 * before files are removed because of a change that, once redo has passed its
 * record, only the recovery point remembers.  ERROR if the recovery point cannot be
 * written: then the files must stay.
 */
extern void pgt_log_sync_if_alone(void);

#endif							/* LOG_SYNC_H */
