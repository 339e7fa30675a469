/*
 * log_resolve.h
 *	  How transactions have ended, and noting that in the index.
 *
 * Layer 3.
 */
#ifndef LOG_RESOLVE_H
#define LOG_RESOLVE_H

#include "c.h"

/* How a transaction that is not running any more has ended. */
typedef enum TransactionOutcome
{
	TRANSACTION_COMMITTED,
	TRANSACTION_ABORTED,
	TRANSACTION_FORGOTTEN		/* the commit log is cut: its batches are resolved */
} TransactionOutcome;

/* The outcome of a FullTransactionId that is not running. */
extern TransactionOutcome pgt_transaction_outcome(uint64 xid);

/* A 32-bit transaction id of about now as a 64-bit one. */
extern uint64 pgt_full_xid(TransactionId xid);

/*
 * One round of resolving over all partitions; then publish how far back the
 * commit log must be kept for the next.  For the sync process.
 */
extern void pgt_log_resolve_all(void);

#endif							/* LOG_RESOLVE_H */
