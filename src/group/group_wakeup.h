/*
 * group_wakeup.h
 *	  Waking waiting consumers at a transaction's end.
 */
#ifndef GROUP_WAKEUP_H
#define GROUP_WAKEUP_H

#include "log/partition_log.h"

/* This transaction owns a partition for a group. */
extern void pgt_group_wakeup_note_owned(Oid topic, int32 partition, const char *group_id);

/* It has set the group's next offset there. */
extern void pgt_group_wakeup_note_next(Oid topic, int32 partition, const char *group_id, int64 next);

/*
 * When this transaction has committed, all who wait for the topic may find
 * something: records, partitions or a share that they did not have before.
 */
extern void pgt_group_wakeup_topic(Oid topic);

/* Install the transaction callbacks; called once per process. */
extern void pgt_group_wakeup_init(void);

#endif							/* GROUP_WAKEUP_H */
