/*
 * consume_pass.h
 *	  One pass over what a group has to read: what consume.c does for one topic
 *	  and consume_many.c for several.
 *
 * Layer 6.
 */
#ifndef CONSUME_PASS_H
#define CONSUME_PASS_H

#include "consume.h"
#include "consume_rows.h"
#include "consume_wait.h"
#include "lease.h"
#include "utils/snapshot.h"

/* Arguments by number; the first is the topic in one way or another. */
enum
{
	ARG_GROUP_ID = 1,
	ARG_MAX_RECORDS,
	ARG_TIMEOUT,
	ARG_PARTITIONS,
	ARG_AUTO_COMMIT,
	ARG_AUTO_OFFSET_RESET,
	ARG_MEMBER_ID,
	ARG_LEASE,
	ARG_COUNT
};

/* What the caller asks for. */
typedef struct ConsumeRequest
{
	ConsumerGroup group;
	int32		max_records;
	int64		timeout;		/* microseconds */
	int32	   *partitions;		/* NULL: all */
	int			partition_count;
	bool		auto_commit;
	OffsetReset reset;
	const char *member;			/* NULL: transactional mode */
	int64		lease;			/* microseconds */
} ConsumeRequest;

/* One pass over a topic's partitions. */
typedef struct ConsumePass
{
	const ConsumeRequest *request;
	Topic	   *topic;
	Snapshot	snapshot;
	ConsumeRows *sink;				/* NULL: claim one partition that has something, deliver nothing */
	int64		delivered;		/* records; with no sink, partitions claimed */
	bool		waiting;		/* own only what has records; a start is just remembered */
	bool		remembered;		/* starts that are still to be committed */
	bool		retry;			/* another consumer owns something to read */
	LeaseHolder holder;			/* in leased mode: who consumes */
	LeaseCall  *lease;			/* and its call; NULL in transactional mode */
	bool		called;			/* that has been made */
} ConsumePass;

/*
 * The request of a call's arguments.  An optional argument that is null has
 * its default.  ERROR for values out of range.
 */
extern void pgt_consume_parse(ConsumeRequest *request, Oid function, Oid topic,
							  const NullableDatum *args);

/*
 * The requested topic, locked with AccessShareLock; ERROR where it is none,
 * the user may not read it, or a wanted partition is not there.
 */
extern Topic *pgt_consume_open_topic(const ConsumeRequest *request);

/* Consume from one partition, if it has something and nobody else owns it. */
extern void pgt_consume_partition(ConsumePass *pass, GroupOffset *offset);

/*
 * Begin a member's call, and list the partitions that it may read in the order
 * to serve them, palloc'd; returns how many.  pgt_lease_end(pass->lease) ends it.
 */
extern int	pgt_consume_begin_member(ConsumePass *pass, GroupOffset ***ordered);

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
