/*
 * transaction.h
 *	  Transactions by their 64-bit ids: which ones are running, and how the others
 *	  have ended.
 */
#ifndef TRANSACTION_H
#define TRANSACTION_H

#include "access/transam.h"

#define NO_XID				PG_UINT64_MAX	/* larger than any */

/* How a transaction that is not running any more has ended. */
typedef enum TransactionOutcome
{
	TRANSACTION_COMMITTED,
	TRANSACTION_ABORTED,
	TRANSACTION_FORGOTTEN		/* the commit log is cut and cannot tell */
} TransactionOutcome;

/* Which top-level transactions were running at one moment. */
typedef struct TransactionSet
{
	uint64		oldest;			/* all below have ended */
	uint64		next;			/* this and all above had not ended, or not begun */
	uint64	   *xids;			/* those between that were running, in order */
	int			count;
} TransactionSet;

/* The 64-bit id of a 32-bit id from the last 2^32 transactions. */
extern uint64 pgt_transaction_full_id(TransactionId xid);

/* The 64-bit id of a 32-bit id from the 2^32 transactions before "next". */
extern uint64 pgt_transaction_full_id_before(TransactionId xid, FullTransactionId next);

/* The outcome of a FullTransactionId that is not running. */
extern TransactionOutcome pgt_transaction_outcome(uint64 xid);

/*
 * The same.  If it is TRANSACTION_COMMITTED, *commit_lsn is a place in the WAL that the commit
 * record does not lie behind, unless it is flushed already: then it may be any, or invalid.
 */
extern TransactionOutcome pgt_transaction_outcome_at(uint64 xid, XLogRecPtr *commit_lsn);

/*
 * Fill *running with the transactions that run now, its ids palloc'd.  The commit
 * log has the outcome of every transaction that is not among them.
 */
extern void pgt_transaction_list_running(TransactionSet *running);

/* Was the transaction running when the set was filled, or had it not begun? */
extern bool pgt_transaction_is_running(const TransactionSet *running, uint64 xid);

#endif							/* TRANSACTION_H */
