/*
 * group_position.h
 *	  The positions of the running transaction: how far it has read for a group
 *	  beyond the committed offsets.
 */
#ifndef GROUP_POSITION_H
#define GROUP_POSITION_H

#include "group/group_types.h"
#include "nodes/pg_list.h"

/* Set position, start and served in *part to those of this transaction. */
extern void pgt_group_position_read(const ConsumerGroup *group, GroupPartition *part);

/*
 * Set the transaction's position in a partition to "next", or with NO_OFFSET remove it,
 * so that the transaction continues at the committed offset.  Rolling back to a savepoint
 * restores the earlier position.  The caller owns the partition.
 */
extern void pgt_group_position_set(const ConsumerGroup *group, GroupPartition *part, int64 next);

/*
 * Remember for this transaction where a group starts that has committed nothing, or
 * whose committed offset is below the log start.  The caller need not own the partition:
 * a committed offset that can be read takes precedence.
 */
extern void pgt_group_position_set_start(const ConsumerGroup *group, GroupPartition *part, int64 start);

/*
 * Note that "lost" records were deleted before the group had read them.  The
 * transaction's next commit of the partition adds the number to its row.  The caller owns
 * the partition.
 */
extern void pgt_group_position_note_lost(const ConsumerGroup *group, const GroupPartition *part,
										 int64 lost);

/* The number of records noted as lost in the partition that is not in its row yet. */
extern int64 pgt_group_position_lost(const ConsumerGroup *group, int32 partition);

/* Numbers of the partitions in which the group has a position, ascending, palloc'd. */
extern List *pgt_group_position_partitions(const ConsumerGroup *group);

/* Remember that the transaction reads for the group without committing; a rollback to a savepoint forgets it. */
extern void pgt_group_position_note_reading(const ConsumerGroup *group);

/* Has the transaction read for the group without committing, whether it found records or not? */
extern bool pgt_group_position_is_reading(const ConsumerGroup *group);

/* Install the transaction callbacks; called once per process. */
extern void pgt_group_position_init(void);

#endif							/* GROUP_POSITION_H */
