/*
 * topic_waiters.h
 *	  Sleeping until there is news of a topic, and waking who sleeps.
 *
 * Layer 2.
 */
#ifndef TOPIC_WAITERS_H
#define TOPIC_WAITERS_H

#include "postgres.h"

/* Of more topics a waiter is woken by news of any topic. */
#define WAIT_TOPICS_MAX		8

/* A set of partitions, in which some share a place: 64 of them at most are told apart. */
typedef uint64 PartitionSet;

#define PARTITION_SET_ALL			PG_UINT64_MAX
#define PARTITION_SET_OF(partition)	(UINT64CONST(1) << ((uint32) (partition) % 64))

extern Size pgt_topic_waiters_size(void);
extern void pgt_topic_waiters_init(void);	/* at server start, and in each backend of EXEC_BACKEND */

/*
 * Become a waiter for topics of this database.  Of waiters of one group as many
 * are woken by an append as it has partitions; with "each" this one is, whoever
 * else is, if the append is to a partition that it can use.  Then take a
 * snapshot, look at the log, sleep, and again; at last leave.
 */
extern void pgt_topic_waiters_begin(const Oid *topics, int count, uint64 group, bool each);

/*
 * Called by a look of a waiter of its own ("each"): it can use only these
 * partitions from now on.  At first it is all.  Nothing where this process does
 * not wait.
 */
extern void pgt_topic_waiters_set_partitions(PartitionSet partitions);

/* About to take a snapshot: news from now on is for the look after this one. */
extern void pgt_topic_waiters_begin_look(void);

/* Sleep; false: the timeout passed.  Interrupts are served. */
extern bool pgt_topic_waiters_sleep(long timeout_ms);

/*
 * Leave, where one waits.  pass_on: the news has not been looked at to the end,
 * so another waiter of the group is woken; that is done anyway for news that
 * came since the last look.
 */
extern void pgt_topic_waiters_end(bool pass_on);

/* Wake all waiters of a topic; of all topics. */
extern void pgt_topic_waiters_wake(Oid database, Oid topic);
extern void pgt_topic_waiters_wake_all(void);

/* News in so many partitions, which are in the set: wake so many waiters of each group. */
extern void pgt_topic_waiters_wake_some(Oid database, Oid topic, int count, PartitionSet partitions);

/* A partition is free again for a group: wake one of its waiters, and who waits for that partition. */
extern void pgt_topic_waiters_wake_one(Oid database, Oid topic, int32 partition, uint64 group);

/* Does somebody of the group wait for the topic just now? */
extern bool pgt_topic_waiters_exist(Oid database, Oid topic, uint64 group);

/* The group's name as waiters know it. */
extern uint64 pgt_topic_waiters_group(const char *group_id);

#endif							/* TOPIC_WAITERS_H */
