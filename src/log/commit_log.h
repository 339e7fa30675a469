/*
 * commit_log.h
 *	  The server's commit log: who is running, how the others have ended, and how
 *	  much of it must be kept.
 *
 * Layer 2.
 */
#ifndef COMMIT_LOG_H
#define COMMIT_LOG_H

#include "c.h"

#define NO_XID				PG_UINT64_MAX	/* larger than any */

/* How a transaction that is not running any more has ended. */
typedef enum TransactionOutcome
{
	TRANSACTION_COMMITTED,
	TRANSACTION_ABORTED,
	TRANSACTION_FORGOTTEN		/* the commit log is cut and cannot tell */
} TransactionOutcome;

/* Which top-level transactions were running at one moment. */
typedef struct RunningSet
{
	uint64		oldest;			/* all below have ended */
	uint64		next;			/* this and all above had not ended, or not begun */
	uint64	   *xids;			/* those between that were running, in order */
	int			count;
} RunningSet;

/* A 32-bit transaction id of the past 2^32 as a 64-bit one. */
extern uint64 pgt_full_xid(TransactionId xid);

/* The outcome of a FullTransactionId that is not running. */
extern TransactionOutcome pgt_transaction_outcome(uint64 xid);

/*
 * Who is running now.  A transaction that is not among them has its outcome in the
 * commit log.  The ids are palloc'd.
 */
extern void pgt_running_transactions(RunningSet *running);
extern bool pgt_is_running(const RunningSet *running, uint64 xid);

/* ---- keeping it ---------------------------------------------------------- */

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
