/*
 * log_resolve.h
 *	  Noting in the index how transactions have ended.
 *
 * Layer 3.
 */
#ifndef LOG_RESOLVE_H
#define LOG_RESOLVE_H

#include "log/segment.h"
#include "util/compat.h"

/* What becomes of batches whose transaction the commit log has forgotten. */
typedef enum ForgottenTransactions
{
	FORGOTTEN_HOLD,				/* they stay unresolved */
	FORGOTTEN_COMMIT,
	FORGOTTEN_ABORT
} ForgottenTransactions;

extern int	pgt_forgotten_transactions; /* setting pg_topics.forgotten_transactions */

/* The ERROR for a batch of such a transaction; "base" is that of its segment. */
pg_noreturn extern void pgt_transaction_is_forgotten(const TopicPartition *key, int64 base,
													 const IndexEntry *entry);

/*
 * One round of resolving over all partitions; then give up what of the commit log
 * is not needed any more.  For the sync process, or a server of a single process.
 */
extern void pgt_log_resolve_all(void);

#endif							/* LOG_RESOLVE_H */
