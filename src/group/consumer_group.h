/*
 * consumer_group.h
 *	  The committed offsets of consumer groups, and who owns a partition.
 */
#ifndef CONSUMER_GROUP_H
#define CONSUMER_GROUP_H

#include "group/group_types.h"

extern int	pgt_offsets_retention_minutes;	/* setting pg_topics.offsets_retention_minutes */

/* ERROR where a group cannot have that name: it is empty or too long. */
extern void pgt_group_check_id(const char *id);

/*
 * The group of that name.  "function" is the oid of the SQL function called:
 * the offsets table is found in its schema.  ERROR where the name is empty or
 * too long.
 */
extern void pgt_group_init(ConsumerGroup *group, Oid function, Oid topic, const char *id);

/*
 * Let what was served "in the future" count as served long ago: the clock has been
 * set back since, and what is served from now on would else always come first.
 */
extern void pgt_group_clamp_future_served(GroupPartition *parts, int32 partitions);

/*
 * The group is in use: if its last commit, or lease, is so old that it comes near
 * to expiring, commit again what is committed in one of its partitions.
 * *parts is what pgt_group_rows_read() (group_row.h) gave, and may have been written since.
 */
extern void pgt_group_refresh_expiry(const ConsumerGroup *group, GroupPartition *parts, int32 partitions);

/*
 * Own one partition until the transaction ends.  With "wait" *part is
 * brought up to date and the result is GROUP_OWNED.  Without, *part stays as
 * it was read if the partition is now owned; if not, no lock and no
 * transaction id was taken.  ERROR (serialization failure) under REPEATABLE
 * READ where the row changed after the snapshot.
 */
extern GroupLock pgt_group_lock(const ConsumerGroup *group, GroupPartition *part, bool wait);

/* Does somebody own a partition that has no row yet?  Just now; it is not owned. */
extern bool pgt_group_is_starting(const ConsumerGroup *group, int32 partition);

/* The next record this group reads there: its position, else what is committed, else NO_OFFSET. */
extern int64 pgt_group_next_offset(const GroupPartition *part);

/*
 * Commit "next" with the transaction; metadata may be NULL.  The caller owns
 * the partition.  Forgets the transaction's position and a member's lease.
 */
extern void pgt_group_commit(const ConsumerGroup *group, GroupPartition *part,
							 int64 next, const char *metadata);

/* The same for the member that part->lease tells of, which is written as it is. */
extern void pgt_group_commit_leased(const ConsumerGroup *group, GroupPartition *part,
									int64 next, const char *metadata);

/* Write part->lease and nothing else.  The caller owns the partition. */
extern void pgt_group_write_lease(const ConsumerGroup *group, GroupPartition *part);

/* Commit all positions of this transaction for the group. */
extern void pgt_group_commit_positions(const ConsumerGroup *group);

/* Delete the group's rows of its topic, waiting for their owners; returns how many. */
extern int64 pgt_group_delete(const ConsumerGroup *group);

/* Install transaction callbacks, of what is below too; called once per process. */
extern void pgt_consumer_group_init(void);

#endif							/* CONSUMER_GROUP_H */
