/*
 * commit_log.h
 *	  Keeping the server's commit log as far back as unresolved batches need it.
 */
#ifndef COMMIT_LOG_H
#define COMMIT_LOG_H

#include "c.h"

/* Ask for one more entry of the process array; to be called before shared memory is sized. */
extern void pgt_commit_log_request(void);

/*
 * Make that entry the holder of the commit log.  Called once in the postmaster, after the
 * table of partitions was made.
 */
extern void pgt_commit_log_init(void);

/* Hold all of the commit log that there is, unless it is held already.  For the end of recovery. */
extern void pgt_commit_log_hold(void);

/*
 * From now on only this transaction and later ones need to be kept.  Does nothing if
 * earlier ones were released before.
 */
extern void pgt_commit_log_release(uint64 xid);

/* The transaction from which on the commit log is held; 0 if it is not held. */
extern uint64 pgt_commit_log_held_from(void);

#endif							/* COMMIT_LOG_H */
