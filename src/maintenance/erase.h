/*
 * erase.h
 *	  Removing all records of a key from a partition's log.
 */
#ifndef ERASE_H
#define ERASE_H

#include "topic/serializer.h"
#include "topic/topic.h"

/*
 * Remove every record of the key that was appended to the partition before the
 * call, committed or not, from its segments; returns how many were committed.
 * Waits for the end of transactions that have appended.  The caller holds
 * ShareUpdateExclusiveLock on the topic, and its transaction has appended
 * nothing to it.  The removal is not undone if the transaction is rolled back.
 */
extern int64 pgt_erase_key(const Topic *topic, int32 partition, ByteView key);

#endif							/* ERASE_H */
