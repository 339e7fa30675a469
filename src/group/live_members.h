/*
 * live_members.h
 *	  Groups with members: what those that are alive forbid, and how members are
 *	  removed without being asked.
 */
#ifndef LIVE_MEMBERS_H
#define LIVE_MEMBERS_H

#include "group/group_member.h"

/* Is the partition leased to a member, and the lease has not expired? */
extern bool pgt_live_members_have(const GroupPartition *part);

/* ERROR where the group has members that are alive, or the partition is leased to one. */
extern void pgt_live_members_refuse(const ConsumerGroup *group);
extern void pgt_live_members_refuse_lease(const ConsumerGroup *group, const GroupPartition *part);

/*
 * Remove the members of the group whose leases have expired, except for those that are
 * calling at this moment; in the second form as of a time, "members" being those that were
 * read, and not "me", who calls, or NULL.
 */
extern void pgt_live_members_remove_expired(const ConsumerGroup *group);
extern void pgt_live_members_remove_expired_but(const ConsumerGroup *group, List *members,
												TimestampTz now, const char *me);

/*
 * Delete the group's rows and members in its topic; returns the number of rows.  ERROR where
 * the group has members that are alive.
 */
extern int64 pgt_live_members_delete_group(const ConsumerGroup *group);

/*
 * The same although members are alive: waits for those that call at this moment, and
 * fences all.
 */
extern void pgt_live_members_drop_group(const ConsumerGroup *group);

#endif							/* LIVE_MEMBERS_H */
