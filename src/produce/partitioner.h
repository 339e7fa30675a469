/*
 * partitioner.h
 *	  Which partition a record goes to.  Layer 5.
 */
#ifndef PARTITIONER_H
#define PARTITIONER_H

#include "topic/serializer.h"
#include "topic/topic.h"

/* A built-in rule: returns a partition from 0 to topic->partitions - 1. */
typedef int32 (*PartitionRule) (Topic *topic, ByteView key, ByteView value);

/*
 * The partition of a record for which none was named: by the session's setting
 * pg_topics.partitioner, else the topic's option, else murmur2.  ERROR where that
 * is not there, may not be called, fails or gives a partition that is not there.
 * Takes AccessShareLocks at most; needs an active snapshot, as functions do.
 */
extern int32 pgt_choose_partition(Topic *topic, ByteView key, ByteView value);

/*
 * The same by the topic's option, else murmur2, whatever the session has set: for
 * records that the session's user has not asked for.
 */
extern int32 pgt_choose_own_partition(Topic *topic, ByteView key, ByteView value);

/* The built-in rule of that name, or NULL. */
extern PartitionRule pgt_builtin_partitioner(const char *name);

/* Append the names of all built-in ones, with commas between. */
extern void pgt_builtin_partitioner_names(StringInfo names);

#endif							/* PARTITIONER_H */
