/*
 * lease.h
 *	  Leased partitions: consuming as a member of a group, without holding a
 *	  transaction open.
 */
#ifndef LEASE_H
#define LEASE_H

#include "group/lease_call.h"

#define DEFAULT_LEASE	(30 * USECS_PER_SEC)

/*
 * pgt_lease_look() reads the member's state without taking a lock.
 *
 * pgt_lease_is_due() tells whether the member has to call pgt_lease_begin() even if there
 * is no record to read: because it is new, has to give up a partition, may take one, or
 * has a lease that needs renewal.  A partition that the member may take is then owned;
 * *retry is set where another transaction owns it.
 */
extern LeaseCall *pgt_lease_look(const LeaseHolder *holder);
extern bool pgt_lease_is_due(LeaseCall *call, bool *retry);

/*
 * Microseconds until the next lease of another member ends, unless it is renewed; NEVER_US
 * where there is none.
 */
extern int64 pgt_lease_next_end(const LeaseCall *call);

/*
 * Begin a call of the member: lock the member, give up partitions beyond its share, take
 * free ones up to its share.  pgt_lease_end() writes the member's row.
 */
extern LeaseCall *pgt_lease_begin(const LeaseHolder *holder);

/*
 * The partitions that the member may read, in no particular order; returns their number.
 * *parts has room for as many pointers as the topic has partitions.
 * pgt_lease_next_offset() gives the offset of a partition's next record.
 */
extern int	pgt_lease_partitions(LeaseCall *call, GroupPartition **parts);
extern int64 pgt_lease_next_offset(const GroupPartition *part);

/* The member starts at "start", which is committed.  The caller owns the partition. */
extern void pgt_lease_start(LeaseCall *call, GroupPartition *part, int64 start);

/*
 * There is no record before "next", and none was delivered: commit "next", or if the member
 * has uncommitted records move its position there.  The caller owns the partition.
 */
extern void pgt_lease_pass_gap(LeaseCall *call, GroupPartition *part, int64 next);

/*
 * End the call: renew the leases that need it, and write the member's row; after
 * pgt_lease_keep() in any case, so that the member is alive for the whole length of a lease.
 */
extern void pgt_lease_keep(LeaseCall *call);
extern void pgt_lease_end(LeaseCall *call);

/* For a call that has ended: until when its member is alive. */
extern TimestampTz pgt_lease_until(const LeaseCall *call);

/*
 * The member has read the records before "next", and has the partition until then at least;
 * that may be written after its call has ended.  *part is the latest version, and owned.
 * ERROR where the partition is not leased to the member any more.
 */
extern void pgt_lease_advance(const ConsumerGroup *group, GroupPartition *part, const char *member,
							  TimestampTz until, int64 next);

/* Commit the member's positions in all its partitions.  ERROR where it has lost a partition. */
extern void pgt_lease_commit(const LeaseHolder *holder);

/*
 * Commit "next" for one partition; *part is brought up to date.  ERROR where the partition
 * is not leased to the member.
 */
extern void pgt_lease_commit_offset(const LeaseHolder *holder, GroupPartition *part,
									int64 next, const char *metadata);

/* Give up all partitions of the member, and remove it; no error where there is no such member. */
extern void pgt_lease_leave(const LeaseHolder *holder);

#endif							/* LEASE_H */
