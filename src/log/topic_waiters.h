/*
 * topic_waiters.h
 *	  Sleeping until a topic has news, and waking the sleepers.
 */
#ifndef TOPIC_WAITERS_H
#define TOPIC_WAITERS_H

#include "postgres.h"

/* A waiter for more topics than this is woken by news of any topic of its database. */
#define WAIT_TOPICS_MAX		8

/* A set of partitions as 64 bits; partitions whose numbers differ by a multiple of 64 share one. */
typedef uint64 PartitionSet;

#define PARTITION_SET_ALL			PG_UINT64_MAX
#define PARTITION_SET_OF(partition)	(UINT64CONST(1) << ((uint32) (partition) % 64))

/* The size in shared memory. */
extern Size pgt_topic_waiters_size(void);

/* Make the shared memory, or attach to it; at server start, and in each backend of EXEC_BACKEND. */
extern void pgt_topic_waiters_init(void);

/* News that is not a number of records: it wakes a waiter whatever it wants. */
#define NEWS_FORCED		PG_INT64_MAX

/*
 * Become a waiter for topics of this database, one that wants so many records.  News of a
 * partition wakes one waiter of each group.  A waiter with "each" is woken in addition, by
 * all news of partitions that it can use.
 *
 * A waiter repeats: pgt_topic_waiters_begin_look(), take a snapshot, look at the log,
 * pgt_topic_waiters_sleep().  It ends with pgt_topic_waiters_end().
 */
extern void pgt_topic_waiters_begin(const Oid *topics, int count, uint64 group, bool each, int64 wanted);

/*
 * From now on the waiter of this process, one with "each", can use only these partitions;
 * at first it is all of them.  Called during a look.  Does nothing if this process
 * is not a waiter.
 */
extern void pgt_topic_waiters_set_partitions(PartitionSet partitions);

/* A look begins, and its snapshot is taken next: later news calls for another look. */
extern void pgt_topic_waiters_begin_look(void);

/*
 * Sleep until woken: the look was short of so many records.  False if timeout_ms
 * milliseconds have passed.  Serves interrupts, and ends the session when its client
 * disconnects.
 */
extern bool pgt_topic_waiters_sleep(long timeout_ms, int64 short_of);

/*
 * Stop being a waiter, if this process is one.  With pass_on the news was not looked at to
 * the end, and another waiter of the group is woken.  That is done in any case for
 * news that came since the last look, and for the partition that this waiter was woken for
 * and does not own.
 */
extern void pgt_topic_waiters_end(bool pass_on);

/*
 * Records of a partition have been committed, or a transaction with records there has ended
 * otherwise: wake a waiter of each group.
 */
extern void pgt_topic_waiters_announce(Oid database, Oid topic, int32 partition, int64 records);

/* A partition is free again for a group, with so many records to read: wake one of the group's waiters. */
extern void pgt_topic_waiters_announce_to(Oid database, Oid topic, int32 partition, uint64 group, int64 records);

/* Wake all waiters of a topic. */
extern void pgt_topic_waiters_wake(Oid database, Oid topic);

/* Wake all waiters of all topics. */
extern void pgt_topic_waiters_wake_all(void);

/*
 * This process's transaction owns a partition of this database for a group: other waiters
 * of the group need not be woken for it.  pgt_topic_waiters_disown() takes that back for all
 * partitions; the caller then announces those in which records are left.
 */
extern void pgt_topic_waiters_own(Oid topic, int32 partition, uint64 group);
extern void pgt_topic_waiters_disown(void);

/*
 * Is the partition known to be owned by a transaction that will announce its end?  Then a
 * waiter of the group need not look again before.
 */
extern bool pgt_topic_waiters_is_owned(Oid topic, int32 partition, uint64 group);

/* Does the group have a waiter for the topic now? */
extern bool pgt_topic_waiters_exist(Oid database, Oid topic, uint64 group);

/* A partition that had news; all of its topic's where the partition is NEWS_OF_TOPIC. */
typedef struct TopicNews
{
	Oid			topic;
	int32		partition;
} TopicNews;

#define NEWS_OF_TOPIC	(-1)

/* So many are kept for a process that collects. */
#define NEWS_MAX		64

/*
 * Collect from now on the news of all topics of this database, in a process that has a loop of
 * its own and is no waiter: its latch is set when there are some.  Nobody else is
 * kept from being woken.  ERROR if too many processes do so.
 */
extern void pgt_topic_waiters_collect(void);

/*
 * Take what was collected: fills news[NEWS_MAX], each once, and returns how many.  -1 if there
 * were too many to be kept, so that any partition may have news.  News that comes later is of transactions
 * that a snapshot taken now need not see.
 */
extern int	pgt_topic_waiters_collected(TopicNews *news);

/* The number by which waiters know a group. */
extern uint64 pgt_topic_waiters_group(const char *group_id);

#endif							/* TOPIC_WAITERS_H */
