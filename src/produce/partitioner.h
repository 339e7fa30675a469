/*
 * partitioner.h
 *	  Which partition a record goes to.
 */
#ifndef PARTITIONER_H
#define PARTITIONER_H

#include "topic/topic.h"

/*
 * Choose the partition of a record whose producer named none.  The partitioner is that
 * of the session's setting pg_topics.partitioner, else of the topic's option, else
 * murmur2.  ERROR where the partitioner does not exist, may not be called, fails, or
 * returns a partition that does not exist.  Takes AccessShareLocks at most; needs an
 * active snapshot, as functions do.
 */
extern int32 pgt_partitioner_choose(Topic *topic, ByteView key, ByteView value);

/*
 * Choose as pgt_partitioner_choose() does, but without regard to the session's setting:
 * for records that the session's user did not produce himself, such as published changes.
 */
extern int32 pgt_partitioner_choose_own(Topic *topic, ByteView key, ByteView value);

#endif							/* PARTITIONER_H */
