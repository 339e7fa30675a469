/*
 * consume_wait.h
 *	  Long polling: waiting for records, without holding a snapshot if possible.
 *	  The caller decides what is waited for.
 */
#ifndef CONSUME_WAIT_H
#define CONSUME_WAIT_H

#include "fmgr.h"
#include "log/topic_waiters.h"
#include "nodes/extensible.h"
#include "nodes/params.h"
#include "nodes/primnodes.h"

/* The result of a look at the topics. */
typedef enum ConsumeWaitVerdict
{
	WAIT_DONE,					/* the wait is over */
	WAIT_IDLE,					/* nothing new: sleep until woken */
	WAIT_RETRY					/* a change will come without an announcement: look again soon */
} ConsumeWaitVerdict;

typedef struct ConsumeWaiter
{
	const Oid  *topics;			/* as many as topic_count says */
	int			topic_count;
	uint64		group;			/* pgt_topic_waiters_group() */
	bool		each;			/* wake this waiter even if another one of its group is woken */
	int64		wanted;			/* records; with fewer the wait is not over */
	int64		deadline;		/* by the monotonic clock, microseconds */
	/* called with an active snapshot, in a memory context that is then reset */
	ConsumeWaitVerdict (*look) (void *arg);
	void	   *arg;
} ConsumeWaiter;

/*
 * Called by a look that has found a record that may be delivered "us" microseconds from
 * now, by the wall clock: look again then at the latest.
 */
extern void pgt_consume_wait_again_in(int64 us);

/*
 * Called by a look that has found too few records: that many more must be announced before
 * another look can find enough.  Otherwise one is.
 */
extern void pgt_consume_wait_for_records(int64 short_of);

/*
 * Called by a look that waits for a lease that ends "us" microseconds from now: look again
 * then at the latest.  Mostly the lease is renewed before, and a crowd of members would
 * look in vain; so the longer the lease, the longer the clock is trusted.
 */
extern void pgt_consume_wait_for_lease(int64 us);

/*
 * Wait within a running statement until look() is done or the deadline
 * passed.  look() gets the latest snapshot; the statement's own stays held.
 */
extern void pgt_consume_wait_inside(const ConsumeWaiter *waiter);

/*
 * Prepare the waiting for a call whose arguments are known: fill in *waiter, or return
 * false if the call does not wait (then the function itself reports errors).
 */
typedef bool (*ConsumeWaitPrepare) (const FuncExpr *call, const NullableDatum *args,
									ConsumeWaiter *waiter);

/* Let statements that consist of a call of "function" wait before they start. */
extern void pgt_consume_wait_register(PGFunction function, ConsumeWaitPrepare prepare);

/*
 * Let statements wait as well whose plan reads by a node with these methods, in place of a
 * function scan.  The call is the first of the node's custom_exprs.
 */
extern void pgt_consume_wait_register_scan(const CustomScanMethods *methods);

/*
 * Set *result to the value of an expression, in the current memory context.  False if it
 * depends on the running query, or has effects.
 */
extern bool pgt_consume_wait_value(Node *node, ParamListInfo params, NullableDatum *result);

/* Is the expression a call of a function that was registered? */
extern bool pgt_consume_wait_is_call(const Node *expr);

/* Was the call's waiting done before its statement started?  True only once for each wait. */
extern bool pgt_consume_wait_was_done(const Node *call);

/* Install the hooks; called once per process. */
extern void pgt_consume_wait_init(void);

#endif							/* CONSUME_WAIT_H */
