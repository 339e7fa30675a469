/*
 * consume_pass.h
 *	  One pass over what a group has to read: what consume.c does for one topic
 *	  and consume_many.c for several, a partition at a time.
 *
 * Layer 6.
 */
#ifndef CONSUME_PASS_H
#define CONSUME_PASS_H

#include "consume/consume_request.h"
#include "consume/consume_wait.h"
#include "group/lease.h"
#include "topic/record_rows.h"
#include "utils/snapshot.h"

/* One pass over a topic's partitions. */
typedef struct ConsumePass
{
	const ConsumeRequest *request;
	Topic	   *topic;
	Snapshot	snapshot;
	RecordRows *sink;				/* NULL: claim one partition that has something, deliver nothing */
	int64		delivered;		/* records; with no sink, partitions claimed */
	bool		waiting;		/* own only what has records; a start is just remembered */
	bool		remembered;		/* starts that are still to be committed */
	bool		retry;			/* another consumer owns something to read */
	LeaseHolder holder;			/* in leased mode: who consumes */
	LeaseCall  *lease;			/* and its call; NULL in transactional mode */
	bool		called;			/* that has been made */
} ConsumePass;

/*
 * Begin a member's call, and list the partitions that it may read in the order
 * to serve them, palloc'd; returns how many.  pgt_lease_end(pass->lease) ends it.
 */
extern int	pgt_consume_begin_member(ConsumePass *pass, GroupPartition ***ordered);

/*
 * Look whether a member's call has anything to deliver or to write.  If not, the
 * partitions that it waits for are added to the set.
 */
extern WaitVerdict pgt_consume_look_member(ConsumePass *pass, PartitionSet *partitions);

/* How long, and as what, a call waits that begins now: all but topics and look. */
extern void pgt_consume_fill_waiter(Waiter *waiter, const ConsumeRequest *request);

/* The verdict on a pass that is over. */
extern WaitVerdict pgt_consume_verdict(const ConsumePass *pass);

#endif							/* CONSUME_PASS_H */
