/*
 * consumer_group.h
 *	  The committed offsets of consumer groups, and the ownership of partitions.
 */
#ifndef CONSUMER_GROUP_H
#define CONSUMER_GROUP_H

#include "group/group_types.h"
#include "storage/lock.h"

extern int	pgt_offsets_retention_minutes;	/* setting pg_topics.offsets_retention_minutes */

/*
 * The group of that name.  "function" is the oid of the SQL function called:
 * the offsets table is found in its schema.  ERROR where the name is empty or
 * too long.
 */
extern void pgt_group_init(ConsumerGroup *group, Oid function, Oid topic, const char *id);

/*
 * Let partitions with a "served" time in the future count as never served.  Such times
 * were written before the clock was set back; until it reaches them again, these
 * partitions would always come last.
 */
extern void pgt_group_clamp_future_served(GroupPartition *parts, int32 partitions);

/*
 * Keep a group that is in use from expiring: if its last commit or lease is old, commit
 * the committed offset of one of its partitions again.  *parts comes from
 * pgt_group_rows_read() (group_row.h), and may have been written since.
 */
extern void pgt_group_refresh_expiry(const ConsumerGroup *group, GroupPartition *parts, int32 partitions);

/*
 * Own one partition until the transaction ends.  With "wait" the call waits for another
 * owner, brings *part up to date, and returns GROUP_OWNED.  Without "wait" the partition
 * is owned only if *part is the latest version and no other transaction owns it;
 * otherwise neither a lock nor a transaction id was taken.  ERROR (serialization
 * failure) under REPEATABLE READ where the row changed after the snapshot; or where the
 * group belongs to a role that the current user may not act for.
 */
extern GroupLock pgt_group_lock(const ConsumerGroup *group, GroupPartition *part, bool wait);

/* The tag of the advisory lock whose holder owns a partition that has no row yet. */
extern LOCKTAG pgt_group_missing_row_tag(const ConsumerGroup *group, int32 partition);

/* Does another transaction own a partition that has no row yet?  The call itself owns nothing. */
extern bool pgt_group_is_starting(const ConsumerGroup *group, int32 partition);

/*
 * The offset of the group's next record: the position, else the committed offset, else
 * NO_OFFSET.
 */
extern int64 pgt_group_next_offset(const GroupPartition *part);

/*
 * Commit the offset "next" with the transaction; metadata may be NULL.  The caller owns
 * the partition.  Discards the transaction's position, and ends a member's lease.
 */
extern void pgt_group_commit(const ConsumerGroup *group, GroupPartition *part,
							 int64 next, const char *metadata);

/* Commit "next" for a member, as pgt_group_commit() does, and write part->lease with it. */
extern void pgt_group_commit_leased(const ConsumerGroup *group, GroupPartition *part,
									int64 next, const char *metadata);

/* Write part->lease and nothing else.  The caller owns the partition. */
extern void pgt_group_write_lease(const ConsumerGroup *group, GroupPartition *part);

/* Commit all positions of this transaction for the group. */
extern void pgt_group_commit_positions(const ConsumerGroup *group);

/*
 * Let the group belong to another role in its topic, which has so many partitions.  Owns
 * all of them, waiting for others; returns the number of rows, which is 0 where there is no
 * such group.  ERROR unless the current user may use the group.
 */
extern int32 pgt_group_set_owner(const ConsumerGroup *group, int32 partitions, Oid owner);

/*
 * Delete the group's rows of its topic, waiting for their owners; returns the number of rows.  refuse(), unless
 * NULL, is called for each of them when it is owned, and may throw an ERROR.  Those for which keep(), unless NULL, is true
 * stay, without an offset.
 */
extern int64 pgt_group_delete(const ConsumerGroup *group,
							  void (*refuse) (const ConsumerGroup *group, const GroupPartition *part),
							  bool (*keep) (const GroupPartition *part));

/* Install the transaction callbacks of consumer groups; called once per process. */
extern void pgt_consumer_group_init(void);

#endif							/* CONSUMER_GROUP_H */
