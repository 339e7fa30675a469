/*
 * key_index_build.h
 *	  Keeping the index of keys of a topic's partitions up to date.
 */
#ifndef KEY_INDEX_BUILD_H
#define KEY_INDEX_BUILD_H

#include "topic/topic.h"

/* What building has done to a partition. */
typedef struct KeyIndexResult
{
	int64		batches;		/* that came into the index */
	int64		keys;			/* in these batches: each counts once in a batch */
	int64		bytes;			/* of the files written, those merged among them */
} KeyIndexResult;

/*
 * Does the index of a topic that has the option key.index lack so much that the worker should
 * see to it?  Takes no lock.
 */
extern bool pgt_key_index_build_is_due(PartitionState *state, const LogBounds *bounds);

/*
 * Bring the index of a partition up to what is resolved and flushed to the WAL, and merge its
 * files.  The caller holds ShareUpdateExclusiveLock on the topic.  Damage is an ERROR; what
 * was done before it stays.
 */
extern void pgt_key_index_build(const Topic *topic, int32 partition, KeyIndexResult *result);

/*
 * Remove files of keys that are of no use, all of them if the topic has no index of keys.
 * Returns how many.  The caller holds ShareUpdateExclusiveLock on the topic.
 */
extern int	pgt_key_index_build_collect(const Topic *topic, int32 partition);

#endif							/* KEY_INDEX_BUILD_H */
