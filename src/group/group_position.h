/*
 * group_position.h
 *	  How far the running transaction has read for a group, where that is not
 *	  committed yet.
 */
#ifndef GROUP_POSITION_H
#define GROUP_POSITION_H

#include "group/group_types.h"
#include "nodes/pg_list.h"

/* Set position, start and served of part->partition to what this transaction knows of it. */
extern void pgt_group_position_read(const ConsumerGroup *group, GroupPartition *part);

/*
 * Remember in this transaction only where it goes on, or with NO_OFFSET: at the
 * committed offset; a savepoint's rollback brings the earlier position back.
 * The caller owns the partition.
 */
extern void pgt_group_position_set(const ConsumerGroup *group, GroupPartition *part, int64 next);

/*
 * Remember in this transaction only where a group starts that has nothing
 * committed, or only what lies below the log start.  The caller need not own
 * the partition: a committed offset to go on at counts before it.
 */
extern void pgt_group_position_set_start(const ConsumerGroup *group, GroupPartition *part, int64 start);

/*
 * Note that "lost" records were deleted before the group had read them: added
 * to its row by the transaction's next commit of the partition.  The caller
 * owns the partition.
 */
extern void pgt_group_position_note_lost(const ConsumerGroup *group, const GroupPartition *part,
										 int64 lost);

/* What has been noted as lost in the partition and is not in its row yet. */
extern int64 pgt_group_position_lost(const ConsumerGroup *group, int32 partition);

/* Numbers of the partitions in which the group has a position, ascending, palloc'd. */
extern List *pgt_group_position_partitions(const ConsumerGroup *group);

/* Install the transaction callbacks; called once per process. */
extern void pgt_group_position_init(void);

#endif							/* GROUP_POSITION_H */
