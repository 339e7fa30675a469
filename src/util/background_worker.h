/*
 * background_worker.h
 *	  What our background processes have in common.  Layer 3.
 */
#ifndef BACKGROUND_WORKER_H
#define BACKGROUND_WORKER_H

#include "postmaster/bgworker.h"

/*
 * Describe a worker of this library that runs "function" (its C symbol) after
 * recovery and shows as "name"; registering it, and when it restarts, is the
 * caller's.
 */
extern void pgt_worker_init(BackgroundWorker *worker, const char *function, const char *name);

/*
 * Connect to a database, or with InvalidOid to none, as the superuser.  Timeouts and
 * the like that are set for users' sessions do not count in a worker.
 */
extern void pgt_worker_connect(Oid database);

/*
 * Read the configuration again, or end, where that was asked for.  Called
 * outside of transactions.
 */
extern void pgt_worker_serve_signals(void);

/* Sleep for that time or until the latch is set; then serve signals. */
extern void pgt_worker_wait(long timeout_ms);

#endif							/* BACKGROUND_WORKER_H */
