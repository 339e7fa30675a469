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

/* The group of waiters that are woken whoever else is. */
#define WAIT_GROUP_EACH		UINT64CONST(0)

extern Size pgt_topic_waiters_size(void);
extern void pgt_topic_waiters_init(void);	/* at server start, and in each backend of EXEC_BACKEND */

/*
 * Become a waiter for topics of this database.  Of waiters of one group as many
 * are woken by an append as it has partitions.  Then take a snapshot, look at
 * the log, sleep, and again; at last leave.
 */
extern void pgt_topic_wait_begin(const Oid *topics, int count, uint64 group);

/* About to take a snapshot: news from now on is for the look after this one. */
extern void pgt_topic_wait_look(void);

/* Sleep; false: the timeout passed.  Interrupts are served. */
extern bool pgt_topic_wait_sleep(long timeout_ms);

/*
 * Leave, where one waits.  pass_on: the news has not been looked at to the end,
 * so another waiter of the group is woken; that is done anyway for news that
 * came since the last look.
 */
extern void pgt_topic_wait_end(bool pass_on);

/* Wake all waiters of a topic; of all topics. */
extern void pgt_topic_wake(Oid database, Oid topic);
extern void pgt_topic_wake_all(void);

/* News in so many partitions: wake so many waiters of each group. */
extern void pgt_topic_wake_some(Oid database, Oid topic, int partitions);

/* Wake one waiter of a group. */
extern void pgt_topic_wake_one(Oid database, Oid topic, uint64 group);

/* Does somebody of the group wait for the topic just now? */
extern bool pgt_topic_is_waited_for(Oid database, Oid topic, uint64 group);

/* The group's name as waiters know it. */
extern uint64 pgt_wait_group(const char *group_id);

#endif							/* TOPIC_WAITERS_H */
