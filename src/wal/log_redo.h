/*
 * log_redo.h
 *	  Replaying the logs' WAL records.
 */
#ifndef LOG_REDO_H
#define LOG_REDO_H

/* Register the resource manager, and redo for the records where a recovery of the server ends. */
extern void pgt_log_redo_init(void);

#endif							/* LOG_REDO_H */
