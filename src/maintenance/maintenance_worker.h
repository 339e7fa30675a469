/*
 * maintenance_worker.h
 *	  The background worker that looks after one database's topics.
 */
#ifndef MAINTENANCE_WORKER_H
#define MAINTENANCE_WORKER_H

#include "postmaster/bgworker.h"

/* Settings, in seconds and milliseconds. */
extern int	pgt_maintenance_interval;
extern int	pgt_retention_check_interval_ms;
extern int	pgt_cleaner_backoff_ms;
extern bool pgt_cleaner_enable;

/* Describe the worker of a database, to be started by this process. */
extern void pgt_maintenance_worker_init(BackgroundWorker *worker, Oid database);

#endif							/* MAINTENANCE_WORKER_H */
