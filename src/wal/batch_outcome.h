/*
 * batch_outcome.h
 *	  How the transaction of a batch has ended, for who goes over a log without a snapshot.
 */
#ifndef BATCH_OUTCOME_H
#define BATCH_OUTCOME_H

#include "log/entry_walk.h"
#include "util/transaction.h"

/* What was found out last; at first zeros.  Batches of one transaction mostly follow each other. */
typedef struct BatchOutcome
{
	uint64		xid;			/* 0: nothing */
	TransactionOutcome outcome;
	XLogRecPtr	commit_lsn;
} BatchOutcome;

typedef enum BatchOutcomeAnswer
{
	BATCH_OUTCOME_COMMITTED,
	BATCH_OUTCOME_ABORTED,
	BATCH_OUTCOME_UNCLEAR		/* the walk returns the entry once more */
} BatchOutcomeAnswer;

/*
 * How the transaction of an entry has ended, which the walk, a forward one, has just returned; it is not
 * running any more.  If it has committed, *commit_lsn is set as pgt_transaction_outcome_at()
 * does; whoever passes NULL does not want to know.  ERROR if the commit log has forgotten it.
 */
extern BatchOutcomeAnswer pgt_batch_outcome_ask(BatchOutcome *memory, EntryWalk *walk,
												const IndexEntry *entry, XLogRecPtr *commit_lsn);

#endif							/* BATCH_OUTCOME_H */
