/*
 * lease.h
 *	  Leased partitions: consuming as a member of a group, without holding a
 *	  transaction open.
 */
#ifndef LEASE_H
#define LEASE_H

#include "group/group_member.h"

#define DEFAULT_LEASE	(30 * USECS_PER_SEC)

/* Who calls: a member of a group, with the lease it asks for. */
typedef struct LeaseHolder
{
	const ConsumerGroup *group;
	const char *member;			/* its id */
	int64		lease;			/* microseconds */
	int32		partitions;		/* that the topic has */
} LeaseHolder;

/* One call of a member. */
typedef struct LeaseCall LeaseCall;

/* Is the partition leased to a member whose lease has not run out? */
extern bool pgt_lease_is_live(const GroupPartition *part);

/*
 * See, without a lock, how the member stands.  pgt_lease_is_due() tells whether
 * it has to call pgt_lease_begin() though there be no record to read: it is
 * new, has to give up or may take a partition, or its lease needs renewal.  A
 * partition that it may take is then owned; *retry is set where somebody else
 * owns one.
 */
extern LeaseCall *pgt_lease_look(const LeaseHolder *holder);
extern bool pgt_lease_is_due(LeaseCall *call, bool *retry);

/* Microseconds until the next lease of another member ends, if it is not renewed; NEVER_US: there is none. */
extern int64 pgt_lease_next_end(const LeaseCall *call);

/*
 * Begin a call of the member: lock it, join, give up what is more than its
 * share, take what is less.
 */
extern LeaseCall *pgt_lease_begin(const LeaseHolder *holder);

/*
 * The partitions that the member may read, in no order: pointers to at most
 * "partitions", the next record of each by pgt_lease_next_offset().
 */
extern int	pgt_lease_partitions(LeaseCall *call, GroupPartition **parts);
extern int64 pgt_lease_next_offset(const GroupPartition *part);

/* Does the member of the call have the partition leased, by what *part tells? */
extern bool pgt_lease_is_held(const LeaseCall *call, const GroupPartition *part);

/* The member has read up to "next", or, with "start", goes on there: the caller owns the partition. */
extern void pgt_lease_advance(LeaseCall *call, GroupPartition *part, int64 next);
extern void pgt_lease_start(LeaseCall *call, GroupPartition *part, int64 start);

/*
 * Nothing was delivered, and up to "next" there is no record: committed with that,
 * unless the member has records to commit before it.  The caller owns the partition.
 */
extern void pgt_lease_pass_gap(LeaseCall *call, GroupPartition *part, int64 next);

/* End the call: renew what needs it. */
extern void pgt_lease_end(LeaseCall *call);

/* Commit all that the member has consumed.  ERROR where it has lost a partition. */
extern void pgt_lease_commit(const LeaseHolder *holder);

/*
 * Commit "next" for one partition, which is brought up to date.  ERROR where
 * the member does not have it.
 */
extern void pgt_lease_commit_offset(const LeaseHolder *holder, GroupPartition *part,
									int64 next, const char *metadata);

/* Give up all that the member has leased, and forget it; no error where there is no such member. */
extern void pgt_lease_leave(const LeaseHolder *holder);

/* ERROR where the group has members that are alive, or the partition is leased to one. */
extern void pgt_lease_refuse_members(const ConsumerGroup *group);
extern void pgt_lease_refuse_leased(const ConsumerGroup *group, const GroupPartition *part);

/* Forget the members of the group whose leases have run out. */
extern void pgt_lease_remove_expired_members(const ConsumerGroup *group);

#endif							/* LEASE_H */
