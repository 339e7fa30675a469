/*
 * lease_call.h
 *	  A call of a member: what it reads, and what it is to do with each partition.
 */
#ifndef LEASE_CALL_H
#define LEASE_CALL_H

#include "group/group_member.h"

/* The caller: a member of a group, and the length of the lease it asks for. */
typedef struct LeaseHolder
{
	const ConsumerGroup *group;
	const char *member;			/* its id */
	int64		lease;			/* length in microseconds */
	int32		partitions;		/* number of the topic's partitions */
} LeaseHolder;

/* What a call does with a partition. */
typedef enum LeasePlan
{
	LEASE_OTHER,				/* nothing: it is not the member's */
	LEASE_KEEP,
	LEASE_DRAIN,				/* give it up once its records are committed */
	LEASE_GIVE_UP,
	LEASE_TAKE
} LeasePlan;

/* One call of a member. */
typedef struct LeaseCall
{
	const LeaseHolder *holder;
	TimestampTz now;
	List	   *members;		/* of GroupMember, in the order they joined */
	GroupMember **by_id;		/* the same, in the order of their ids */
	GroupMember *me;			/* one of them; NULL: the member is new */
	int64		lease;
	GroupPartition *parts;		/* of all partitions */
	LeasePlan  *plan;			/* for each of them */
	bool		wrote;			/* has it written a partition's row? */
} LeaseCall;

/* Read the rows of the group's members and partitions, and make a plan.  Takes no lock. */
extern LeaseCall *pgt_lease_call_open(const LeaseHolder *holder);

/* Decide what the call does with each partition, by the rows as it has them now. */
extern void pgt_lease_call_plan(LeaseCall *call);

/* The member of that name, or NULL. */
extern GroupMember *pgt_lease_call_find_member(const LeaseCall *call, const char *id);

/* Does the lease in *part name the member of the call? */
extern bool pgt_lease_call_is_held(const LeaseCall *call, const GroupPartition *part);

/*
 * Is the partition the member's?  Its row must name the member, and the member's row must
 * list it.  A partition that a member of that name had before it was removed and joined
 * again is not the member's: its position may lie behind records that were never
 * processed.
 */
extern bool pgt_lease_call_is_mine(const LeaseCall *call, const GroupPartition *part);

/* Has the partition's member read records that it has not committed? */
extern bool pgt_lease_call_is_uncommitted(const GroupPartition *part);

/* Does a lease have more time left than its whole length, since the clock was set back? */
extern bool pgt_lease_call_outlasts(const LeaseCall *call, TimestampTz until, int64 lease);

/* Has a quarter of a lease passed, or does it last too long, so that it must be written again? */
extern bool pgt_lease_call_needs_renewal(const LeaseCall *call, TimestampTz until);

#endif							/* LEASE_CALL_H */
