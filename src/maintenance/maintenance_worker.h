/*
 * maintenance_worker.h
 *	  The background worker that looks after one database's topics.
 */
#ifndef MAINTENANCE_WORKER_H
#define MAINTENANCE_WORKER_H

#include "postmaster/bgworker.h"

/* Settings: the first two in seconds, the next two in milliseconds. */
extern int	pgt_maintenance_interval;
extern int	pgt_key_index_interval;
extern int	pgt_log_retention_check_interval_ms;
extern int	pgt_log_cleaner_backoff_ms;
extern bool pgt_log_cleaner_enable;

/* Fill in *worker for the worker of a database; this process is notified when it ends. */
extern void pgt_maintenance_worker_init(BackgroundWorker *worker, Oid database);

#endif							/* MAINTENANCE_WORKER_H */
