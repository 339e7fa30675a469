/*
 * pending_offset.h
 *	  The rows of topic_kafka_pending_offsets: offsets that are committed with an open transaction.
 *
 * They are the producer's, which has one open transaction at a time.  A row of another number is of one that has ended, and
 * means nothing.  All functions are called in a transaction; those that write, by the process that coordinates the
 * database's groups, with an active snapshot.
 */
#ifndef PENDING_OFFSET_H
#define PENDING_OFFSET_H

#include "group/kafka_offset.h"

/* So many of a producer: they are committed at a stretch. */
#define PENDING_OFFSET_MAX	5000

typedef struct PendingOffset
{
	int64		producer_id;
	uint64		transaction;
	const char *group;
	Oid			topic;
	int32		partition;
	KafkaOffset offset;
} PendingOffset;

/* Write a row, in place of what there is of that partition. */
extern void pgt_pending_offset_write(const PendingOffset *pending);

/* How many there are of a transaction of the producer. */
extern int	pgt_pending_offset_count(int64 producer_id, uint64 transaction);

/* Is one of an open transaction pending there? */
extern bool pgt_pending_offset_is_open(const char *group, Oid topic, int32 partition);

typedef enum PendingOffsetResult
{
	PENDING_OFFSET_DONE,
	PENDING_OFFSET_BUSY,		/* a partition is in use in SQL: try again */
	PENDING_OFFSET_REFUSED		/* a group belongs to another role by now, or to members in SQL */
} PendingOffsetResult;

/* Commit those of a transaction, for a client of that role.  Unless it is done, what was written is to be rolled back. */
extern PendingOffsetResult pgt_pending_offset_commit(int64 producer_id, uint64 transaction, Oid role);

/* Delete all of the producer; those of one of its transactions, which is to end. */
extern void pgt_pending_offset_delete(int64 producer_id);
extern void pgt_pending_offset_delete_of(int64 producer_id, uint64 transaction);

#endif							/* PENDING_OFFSET_H */
