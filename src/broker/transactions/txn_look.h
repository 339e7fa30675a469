/*
 * txn_look.h
 *	  Looking at transactions, or transactional ids, from time to time.
 */
#ifndef TXN_LOOK_H
#define TXN_LOOK_H

#include "broker/core/turn.h"

/* What looks: a static struct of its file, with the functions set. */
typedef struct TxnLook
{
	/* of txn_look.c */
	TurnWork	work;			/* the first field: the look is found by it */
	EventLoopTimer timer;

	/* How long to wait for the next look, in microseconds. */
	int64		(*pause_us) (void);

	/* Is there anything to look at?  NULL: there may be. */
	bool		(*is_wanted) (void);

	/*
	 * Look, at the end of a turn, in a subtransaction and in memory of its own.  An ERROR is its own: it takes back what was
	 * written, and is reported.
	 */
	void		(*look) (struct TxnLook *look);

	/* look() sets it: there is more to do, and the next look follows at once.  It is false when look() is called, but behind such a one. */
	bool		more;
} TxnLook;

/* Begin to look, in the process that serves clients. */
extern void pgt_txn_look_start(TxnLook *look);

/* The pause may be another one now. */
extern void pgt_txn_look_reloaded(TxnLook *look);

#endif							/* TXN_LOOK_H */
