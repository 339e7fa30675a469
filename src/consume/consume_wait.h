/*
 * consume_wait.h
 *	  Long polling: waiting for records, without a snapshot where that can be.
 */
#ifndef CONSUME_WAIT_H
#define CONSUME_WAIT_H

#include "fmgr.h"
#include "log/topic_waiters.h"
#include "nodes/primnodes.h"

/* What a look at the topic came to. */
typedef enum WaitVerdict
{
	WAIT_DONE,					/* what was waited for is there */
	WAIT_IDLE,					/* nothing new: sleep until woken */
	WAIT_RETRY					/* something that nobody will announce: look again soon */
} WaitVerdict;

typedef struct Waiter
{
	const Oid  *topics;			/* as many as topic_count says */
	int			topic_count;
	uint64		group;			/* pgt_wait_group() */
	bool		each;			/* no other waiter of the group can do for this one */
	int64		deadline;		/* by the monotonic clock, microseconds */
	/* called with an active snapshot, in a memory context that is then reset */
	WaitVerdict (*look) (void *arg);
	void	   *arg;
} Waiter;

/*
 * Called by a look: what it has found may be delivered in so many microseconds by
 * the wall clock, so look again then at the latest.
 */
extern void pgt_consume_wait_again_in(int64 us);

/*
 * The same for a lease that ends then.  Mostly it is renewed before, and then a whole
 * crowd of members would look for nothing; so they trust the clock for a longer lease
 * for a longer time.
 */
extern void pgt_consume_wait_for_lease(int64 us);

/*
 * Wait within a running statement until look() is done or the deadline
 * passed.  look() gets the latest snapshot; the statement's own stays held.
 */
extern void pgt_consume_wait_inside(const Waiter *waiter);

/*
 * Prepare the waiting for a call whose arguments are known: fill *waiter, or
 * return false where there is nothing to wait for (then the function itself
 * says what is wrong).
 */
typedef bool (*WaitPrepare) (const FuncExpr *call, const NullableDatum *args, Waiter *waiter);

/* Let statements that are no more than a call of "function" wait before they start. */
extern void pgt_consume_wait_register(PGFunction function, WaitPrepare prepare);

/* Has that call's waiting been done before its statement started?  True once. */
extern bool pgt_consume_wait_was_done(const Node *call);

/* Install the hooks; called once per process. */
extern void pgt_consume_wait_init(void);

#endif							/* CONSUME_WAIT_H */
