/*
 * advisory_lock.h
 *	  The classes of our advisory locks, and the order in which they are taken.
 *
 * The class is the last field of an advisory lock's tag.  pg_advisory_lock() uses
 * classes 1 and 2, so no user's lock meets one of ours.  src/README.md has the order
 * of all locks; of these, a process takes first a database or the coordination, then a name, then a member, then a
 * missing row, then an owner, and last a turn.
 */
#ifndef ADVISORY_LOCK_H
#define ADVISORY_LOCK_H

/* the claim of a worker or a statement to a database; see database_claim.c */
#define DATABASE_LOCK_CLASS		4

/* a member of a consumer group, for the time of a call; see group_member.c */
#define MEMBER_LOCK_CLASS		5

/* a partition of a consumer group that has no row yet; see consumer_group.c */
#define MISSING_ROW_LOCK_CLASS	3

/* the making of a consumer group's row with its owner, for that moment; see group_row_write.c */
#define OWNER_LOCK_CLASS		7

/* a partition's turn to append more than one run of batches; see producer.c */
#define TURN_LOCK_CLASS			6

/* the making of a topic's name for Kafka's clients, until the transaction's end; see topic_ddl.c */
#define NAME_LOCK_CLASS			8

/* coordinating the groups of a database that Kafka's clients use, for a process's life; see kafka_claim.c */
#define COORDINATOR_LOCK_CLASS	9

/* the making of a share partition's row, until the transaction's end; see share_transaction.c */
#define SHARE_ROW_LOCK_CLASS	10

/* setting up the window of a share partition, for that moment; see share_group.c */
#define SHARE_WINDOW_LOCK_CLASS	11

/* changing a share group as a whole, until the transaction's end; see share_group.c */
#define SHARE_CHANGE_LOCK_CLASS	12

#endif							/* ADVISORY_LOCK_H */
