/*
 * log_resolve.h
 *	  Recording in the index how transactions have ended.
 */
#ifndef LOG_RESOLVE_H
#define LOG_RESOLVE_H

#include "log/segment.h"
#include "util/compat.h"

/* How batches are treated whose transaction the commit log has forgotten. */
typedef enum LogResolveForgotten
{
	FORGOTTEN_HOLD,				/* they stay unresolved */
	FORGOTTEN_COMMIT,
	FORGOTTEN_ABORT
} LogResolveForgotten;

extern int	pgt_forgotten_transactions; /* setting pg_topics.forgotten_transactions */

/* Throw the ERROR for a batch of such a transaction, in the segment with that base. */
pg_noreturn extern void pgt_log_resolve_fail_forgotten(const TopicPartition *key, int64 base,
													   const IndexEntry *entry);

/*
 * Do one round of resolving over all partitions; then release the part of the commit log
 * that is not needed any more.  For the sync process, or a single-user server.
 */
extern void pgt_log_resolve_all(void);

#endif							/* LOG_RESOLVE_H */
