/*
 * kafka_offset.h
 *	  Committed offsets, as Kafka's clients commit, read and delete them.
 */
#ifndef KAFKA_OFFSET_H
#define KAFKA_OFFSET_H

#include "group/kafka_claim.h"
#include "nodes/pg_list.h"

/* What a group has committed in a partition. */
typedef struct KafkaOffset
{
	int64		next;			/* offset of the next record; NO_OFFSET: nothing is committed */
	int32		leader_epoch;	/* of the record before it; -1: unknown */
	const char *metadata;		/* NULL: none */
} KafkaOffset;

/*
 * All are called in a transaction, for a client of that role, and wait for nothing.  They return KAFKA_CLAIM_DONE, or
 * why it is not done.
 *
 * Commit an offset; delete what is committed, if anything is: KAFKA_CLAIM_SQL_MEMBER also where a member of Kafka's
 * has the partition.  What they write is part of the transaction, which has an active snapshot.
 */
extern KafkaClaim pgt_kafka_offset_commit(const char *group, Oid topic, int32 partition, Oid role,
										  const KafkaOffset *offset);
extern KafkaClaim pgt_kafka_offset_delete(const char *group, Oid topic, int32 partition, Oid role);

/* Set *offset to what is committed: KAFKA_CLAIM_DONE or KAFKA_CLAIM_DENIED.  The topic need not exist. */
extern KafkaClaim pgt_kafka_offset_read(const char *group, Oid topic, int32 partition, Oid role,
										KafkaOffset *offset);

/* The first topic behind this one in which the group has rows, by oid; InvalidOid where there is none. */
extern Oid	pgt_kafka_offset_next_topic(const char *group, Oid topic);

/* Is there such a topic at all?  Claims have rows too. */
extern bool pgt_kafka_offset_any(const char *group);

/* The partitions of the topic in which the group has committed something, ascending: a List of integers. */
extern List *pgt_kafka_offset_partitions(const char *group, Oid topic);

#endif							/* KAFKA_OFFSET_H */
