/*
 * kafka_claim.h
 *	  One group, two worlds: what keeps Kafka's members and consumers in SQL from using a group
 *	  at the same time.
 *
 * A partition that is assigned to a member of Kafka's is claimed in its row of topic_group_offsets, as a lease
 * without end to "kafka:<member id>".  Consumers in SQL own the row of a partition by its lock, so
 * whoever comes second sees who came first: SQL is refused with an error that names the members, and
 * the coordinator waits for the transaction to end, before it tells the member of its assignment.
 * A client that is a member may commit in SQL, in the name of its member: by the row's lock, too, so it commits as long as
 * nobody else can have been told of the partition, and no longer.
 * Claims end when the group has no members any more; until then heartbeats write nothing.
 *
 * Functions of the coordinator (pgt_kafka_claim_*) are called in a transaction and wait for nothing.  Those that lock or
 * write rows want an active snapshot.
 */
#ifndef KAFKA_CLAIM_H
#define KAFKA_CLAIM_H

#include "format/topic_partition.h"
#include "group/group_row.h"

typedef enum KafkaClaim
{
	KAFKA_CLAIM_DONE,			/* the partition is claimed for that member */
	KAFKA_CLAIM_BUSY,			/* a transaction owns it: try again */
	KAFKA_CLAIM_SQL_MEMBER,		/* a living member in SQL has leased it */
	KAFKA_CLAIM_DENIED,			/* the group belongs, in that topic, to another role */
	KAFKA_CLAIM_GONE			/* there is no such topic or partition */
} KafkaClaim;

/* Claim a partition for a member that acts as this role; writes nothing where it is claimed so already. */
extern KafkaClaim pgt_kafka_claim_take(const char *group, Oid topic, int32 partition, const char *member, Oid role);

/* Give a partition up, or all of the group; false where some are busy for the moment. */
extern bool pgt_kafka_claim_release(const char *group, Oid topic, int32 partition);
extern bool pgt_kafka_claim_release_all(const char *group);

/* Call it for all partitions that the group has claimed, in any topic. */
extern void pgt_kafka_claim_each(const char *group, void (*note) (Oid topic, int32 partition, void *arg), void *arg);

/* Has the group claimed a partition of the topic? */
extern bool pgt_kafka_claim_is_in(const char *group, Oid topic);

/* A living member in SQL of the group in a topic: its id, palloc'd; NULL where there is none. */
extern char *pgt_kafka_claim_find_sql_member(const char *group, Oid topic);

/*
 * Be the process that coordinates the groups of this database, for as long as it lives: a lock of the
 * session.  False where another one does, or where SQL removes members at this moment.
 */
extern bool pgt_kafka_claim_coordinate(void);

/* ---- what claims and commits have in common ------------------------------------------ */

/*
 * Fill in the group as that role uses it in a topic, and read the partition's row.  The topic is locked until the
 * transaction ends.  KAFKA_CLAIM_DONE, or why it cannot be: KAFKA_CLAIM_BUSY, KAFKA_CLAIM_GONE.
 */
extern KafkaClaim pgt_kafka_claim_open(ConsumerGroup *group, GroupPartition *part, const char *id, Oid topic,
									   int32 partition, Oid role);

/* Own the partition, and have its latest version: KAFKA_CLAIM_DONE; or why it cannot be owned. */
extern KafkaClaim pgt_kafka_claim_own(const ConsumerGroup *group, GroupPartition *part);

/* Write an owned partition's row: KAFKA_CLAIM_DONE; or, with nothing written, KAFKA_CLAIM_BUSY or KAFKA_CLAIM_DENIED. */
extern KafkaClaim pgt_kafka_claim_write(const ConsumerGroup *group, GroupPartition *part, const GroupRowChange *change);

/* ---- for consumers in SQL ---------------------------------------------------------- */

/* Is the partition claimed for a member of Kafka's? */
extern bool pgt_kafka_claim_is(const GroupPartition *part);

/* ERROR where it is, or where one of these is: who uses the group, and what to do. */
extern void pgt_kafka_claim_refuse(const ConsumerGroup *group, const GroupPartition *part);
extern void pgt_kafka_claim_refuse_any(const ConsumerGroup *group, const GroupPartition *parts, int32 partitions);

/* ---- for members of Kafka's that commit in SQL ------------------------------------------ */

/* Is this how a claim names a member of Kafka's: "kafka:" and its id? */
extern bool pgt_kafka_claim_is_name(const char *member);

/*
 * Own a partition in its latest version, waiting for another transaction.  ERROR unless it is assigned to the member that
 * a claim names so.
 */
extern void pgt_kafka_claim_own_as(const ConsumerGroup *group, GroupPartition *part, const char *member);

/*
 * Lock the coordination until the transaction ends, so that no process begins with it.  ERROR where one
 * coordinates the group of that name.
 */
extern void pgt_kafka_claim_lock(const char *group);

/* Give up all partitions of the group in its topic, waiting for their owners.  The ids of their members, a List. */
extern List *pgt_kafka_claim_remove(const ConsumerGroup *group);

#endif							/* KAFKA_CLAIM_H */
