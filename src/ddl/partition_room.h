/*
 * partition_room.h
 *	  Whether there is room for a topic's partitions, and keeping it for them.
 */
#ifndef PARTITION_ROOM_H
#define PARTITION_ROOM_H

/*
 * Keep room for a topic's partitions from "first" to below "end"; given back where
 * the transaction or subtransaction fails.  ERROR (configuration_limit_exceeded),
 * with the numbers and nothing kept, where there is none.
 */
extern void pgt_partition_room_keep(Oid topic, int32 first, int32 end);

/*
 * ERROR where the topics that a role owns in this database have, with "more"
 * partitions that the catalogs do not show yet, too many partitions.  Waits for
 * transactions that do the same for the role, and holds them up until this one
 * ends.
 */
extern void pgt_partition_room_check_role(Oid owner, int32 more);

/* Define the settings; called once per process. */
extern void pgt_partition_room_init(void);

#endif							/* PARTITION_ROOM_H */
