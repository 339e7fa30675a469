/*
 * group_member.h
 *	  The members of consumer groups that lease partitions: the rows of
 *	  topic_group_members.
 */
#ifndef GROUP_MEMBER_H
#define GROUP_MEMBER_H

#include "group/group_types.h"

#define MAX_MEMBER_ID_LENGTH	255 /* bytes */

/* A member, as last read. */
typedef struct GroupMember
{
	HeapTuple	row;			/* NULL: not written yet */
	char	   *id;
	TimestampTz joined;
	TimestampTz until;			/* the member is alive until then */
	int64		lease;			/* length of its leases, microseconds */
	int32	   *partitions;		/* leased to it as of its last call, ascending */
	int			partition_count;
} GroupMember;

/* ERROR where the name is empty, too long for a member, or reserved for members of Kafka's. */
extern void pgt_group_member_check_id(const char *id);

/*
 * Lock a member of the group until the transaction ends, so that no other session acts
 * as that member or removes it.  With "wait" the call waits for another session's lock
 * and returns true; without, it returns false where another session has the lock.
 */
extern bool pgt_group_member_lock(const ConsumerGroup *group, const char *id, bool wait);

/* The members of the group in its topic as committed by now, in the order in which they joined. */
extern List *pgt_group_member_read(const ConsumerGroup *group);

/* Was the partition leased to the member as of its last call? */
extern bool pgt_group_member_lists(const GroupMember *member, int32 partition);

/*
 * Write a member's row, or delete it.  The caller has locked the member since before it
 * was read.
 */
extern void pgt_group_member_write(const ConsumerGroup *group, GroupMember *member);
extern void pgt_group_member_delete(const ConsumerGroup *group, const GroupMember *member);

/* The table of members beside a table of offsets; InvalidOid where it is gone. */
extern Oid	pgt_group_member_table(Oid offsets_table);

#endif							/* GROUP_MEMBER_H */
