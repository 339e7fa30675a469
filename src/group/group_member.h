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
	TimestampTz until;			/* it is alive until then */
	int64		lease;			/* microseconds after a call */
	int32	   *partitions;		/* what it knows to be leased to it, ascending */
	int			partition_count;
} GroupMember;

/* ERROR unless a member may be called that. */
extern void pgt_group_member_check_id(const char *id);

/*
 * Let no other session act as that member of the group, nor forget it, until
 * the transaction ends.  Waits for one that does, unless "wait" is false: then
 * false where there is one.
 */
extern bool pgt_group_member_lock(const ConsumerGroup *group, const char *id, bool wait);

/* The group's members in the topic as committed by now, in the order they joined. */
extern List *pgt_group_member_read(const ConsumerGroup *group);

/* Write a member's row, or delete it.  The caller has locked the member since before it was read. */
extern void pgt_group_member_write(const ConsumerGroup *group, GroupMember *member);
extern void pgt_group_member_delete(const ConsumerGroup *group, const GroupMember *member);

/* The table of members beside a table of offsets; InvalidOid where it is gone. */
extern Oid	pgt_group_member_table(Oid offsets_table);

#endif							/* GROUP_MEMBER_H */
