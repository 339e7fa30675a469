/*
 * group_position.h
 *	  The positions of the running transaction: how far it has read for a group
 *	  beyond the committed offsets.
 */
#ifndef GROUP_POSITION_H
#define GROUP_POSITION_H

#include "group/group_types.h"
#include "lib/ilist.h"
#include "nodes/pg_list.h"

/*
 * The position of a scan that returns records one at a time.  The scan moves "next" with
 * each record that it returns; whoever asks for the group's position gets that.
 */
typedef struct PositionScan
{
	/* set by the scan */
	ConsumerGroup group;		/* its name lives as long as this */
	int32		partition;		/* owned by the transaction */
	const char *member;			/* in leased mode: the member that has the partition; else NULL */
	TimestampTz until;			/* until when it has it at least */
	bool		commits;		/* is what the scan has returned committed with the transaction? */
	int64		next;			/* behind the last record that it has returned */

	/* kept by group_position.c */
	Oid			user;			/* the role that consumes */
	int64		noted;			/* "next" as the transaction's positions have it */
	SubTransactionId noted_in;	/* the subtransaction in which that was so first */
	bool		overtaken;		/* the group does not stand at "next" any more */
	SubTransactionId overtaken_in;	/* since this subtransaction */
	bool		is_live;		/* between begin and end */
	dlist_node	link;
} PositionScan;

/* A position that is committed with the transaction, if nothing commits it earlier. */
typedef struct PositionDue
{
	ConsumerGroup group;
	int32		partition;
	const char *member;			/* as of the PositionScan that left it */
	TimestampTz until;
	Oid			user;
	int64		next;
} PositionDue;

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

/*
 * Begin with a scan's position in a partition where no other scan has one; "next" is where
 * the scan starts.  pgt_position_scan_end() ends it, and is no error if it has ended.  What
 * the scan has returned since it was last asked for is then forgotten:
 * pgt_position_scan_note() notes it before.
 */
extern void pgt_position_scan_begin(PositionScan *scan);
extern void pgt_position_scan_note(PositionScan *scan);
extern void pgt_position_scan_end(PositionScan *scan);

/* Is a scan, of a member or in transactional mode, at a position in the partition, and may go on? */
extern bool pgt_position_scan_is_live(const ConsumerGroup *group, int32 partition, bool leased);

/* A member's partition was given up, or goes back: its scan there cannot go on. */
extern void pgt_position_scan_stop_member(const ConsumerGroup *group, int32 partition);

/* The positions to be committed with the transaction, palloc'd: a List of PositionDue. */
extern List *pgt_position_due_list(void);

/* Is there a position of these in the same partition? */
extern bool pgt_position_due_exists(const PositionDue *due);

/* The position needs not be committed any more: it is, or cannot be. */
extern void pgt_position_due_remove(const PositionDue *due);

/* Install the transaction callbacks; called once per process. */
extern void pgt_group_position_init(void);

#endif							/* GROUP_POSITION_H */
