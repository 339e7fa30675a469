/*
 * partition_room.h
 *	  Taking slots for a topic's partitions, within the limits of server, database
 *	  and role.
 */
#ifndef PARTITION_ROOM_H
#define PARTITION_ROOM_H

/*
 * Take slots for a topic's partitions from "first" to "end" - 1; they are given back if
 * the transaction or subtransaction fails.  ERROR (configuration_limit_exceeded), with no
 * slot taken, where there are not enough of them.
 */
extern void pgt_partition_room_keep(Oid topic, int32 first, int32 end);

/*
 * ERROR (configuration_limit_exceeded) where the topics that a role owns in this database
 * would have too many partitions, with "more" partitions that the catalogs do not show
 * yet.  Takes a lock on the role until the transaction's end, so that such transactions
 * follow each other.
 */
extern void pgt_partition_room_check_role(Oid owner, int32 more);

/* Define the settings; called once per process. */
extern void pgt_partition_room_init(void);

#endif							/* PARTITION_ROOM_H */
