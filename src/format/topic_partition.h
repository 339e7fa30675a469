/*
 * topic_partition.h
 *	  What a partition and a record's place in it are called, in memory and on
 *	  disk.
 */
#ifndef TOPIC_PARTITION_H
#define TOPIC_PARTITION_H

#include "postgres_ext.h"

/* A partition of a topic of a database.  It is hashed and logged as bytes: it has no padding. */
typedef struct TopicPartition
{
	Oid			database;
	Oid			topic;			/* the foreign table's oid */
	int32		partition;
} TopicPartition;

StaticAssertDecl(sizeof(TopicPartition) == 12, "a TopicPartition has no padding");

#define NO_OFFSET	((int64) -1)

/* Offsets stay so far below the largest int64 that adding a batch's length cannot overflow. */
#define MAX_OFFSET	(PG_INT64_MAX - PG_UINT32_MAX)

/*
 * The largest offset that a producer may ask for.  Counting never uses up the
 * offsets above it, so an explicit offset cannot make a partition full.
 */
#define MAX_EXPLICIT_OFFSET	(INT64CONST(1) << 62)

#endif							/* TOPIC_PARTITION_H */
