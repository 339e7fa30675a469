/*
 * background_worker.h
 *	  Describing a background process, and waiting in one.
 */
#ifndef BACKGROUND_WORKER_H
#define BACKGROUND_WORKER_H

#include "postmaster/bgworker.h"

/*
 * Describe a worker that runs "function", a C symbol of this library, once recovery
 * has finished, and that pg_stat_activity shows as "name".  The caller says when it
 * restarts, and registers it.
 */
extern void pgt_background_worker_init(BackgroundWorker *worker, const char *function, const char *name);

/*
 * Connect to a database, or with InvalidOid to none, as the superuser.  Timeouts and
 * other settings that are made for users' sessions do not count in a worker.
 */
extern void pgt_background_worker_connect(Oid database);

/* The same, by the name of a database. */
extern void pgt_background_worker_connect_by_name(const char *database);

/*
 * Read the configuration again, or end the process, if a signal has asked for it.
 * To be called outside of transactions.  Returns whether the configuration was read.
 */
extern bool pgt_background_worker_serve_signals(void);

/*
 * A handler of SIGTERM that ends a statement, or a wait of the server's own, by an error.  Between these the
 * flag lets pgt_background_worker_serve_signals() end the process without a FATAL error in the log.
 */
extern void pgt_background_worker_interrupt(SIGNAL_ARGS);

/* Sleep until the latch is set, but no longer than timeout_ms; then serve signals, as above. */
extern bool pgt_background_worker_wait(long timeout_ms);

#endif							/* BACKGROUND_WORKER_H */
