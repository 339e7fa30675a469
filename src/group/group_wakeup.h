/*
 * group_wakeup.h
 *	  Waking waiting consumers at a transaction's end.
 */
#ifndef GROUP_WAKEUP_H
#define GROUP_WAKEUP_H

#include "group/group_types.h"

/* Note that this transaction owns a partition for a group; its end may wake a waiting consumer. */
extern void pgt_group_wakeup_note_owned(Oid topic, int32 partition, const char *group_id);

/* Does this transaction own a partition? */
extern bool pgt_group_wakeup_owns(void);

/* Will a waiting consumer be woken when another transaction, which owns the partition now, ends? */
extern bool pgt_group_wakeup_will_come(const ConsumerGroup *group, int32 partition);

/* Note that this transaction has set the group's next offset in a partition that it owns. */
extern void pgt_group_wakeup_note_next(Oid topic, int32 partition, const char *group_id, int64 next);

/*
 * Wake all consumers that wait for the topic when this transaction commits: they may find
 * records, partitions or a share that they did not have before.
 */
extern void pgt_group_wakeup_topic(Oid topic);

/* Install the transaction callbacks; called once per process. */
extern void pgt_group_wakeup_init(void);

#endif							/* GROUP_WAKEUP_H */
