/*
 * partitioner.h
 *	  Which partition a record goes to.
 */
#ifndef PARTITIONER_H
#define PARTITIONER_H

#include "topic/topic.h"

/*
 * The partition of a record for which none was named: by the session's setting
 * pg_topics.partitioner, else the topic's option, else murmur2.  ERROR where that
 * is not there, may not be called, fails or gives a partition that is not there.
 * Takes AccessShareLocks at most; needs an active snapshot, as functions do.
 */
extern int32 pgt_partitioner_choose(Topic *topic, ByteView key, ByteView value);

/*
 * The same by the topic's option, else murmur2, whatever the session has set: for
 * records that the session's user has not asked for.
 */
extern int32 pgt_partitioner_choose_own(Topic *topic, ByteView key, ByteView value);

#endif							/* PARTITIONER_H */
