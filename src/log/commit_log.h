/*
 * commit_log.h
 *	  Keeping the server's commit log as far back as unresolved batches need it.
 *
 * Layer 2.
 */
#ifndef COMMIT_LOG_H
#define COMMIT_LOG_H

#include "c.h"

/* Ask for what holds the commit log, before shared memory is made; and make it. */
extern void pgt_commit_log_request(void);
extern void pgt_commit_log_init(void);

/* Hold all that there is, unless it is held already.  For the end of recovery. */
extern void pgt_commit_log_hold(void);

/* From here on only this and later ones need to be kept; what was given up stays so. */
extern void pgt_commit_log_release(uint64 xid);

/* From which transaction on it is held; 0: not at all. */
extern uint64 pgt_commit_log_held_from(void);

#endif							/* COMMIT_LOG_H */
