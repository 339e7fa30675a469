/*
 * timestamp_lookup.h
 *	  From a time to an offset.
 */
#ifndef TIMESTAMP_LOOKUP_H
#define TIMESTAMP_LOOKUP_H

#include "log/log_state.h"
#include "utils/snapshot.h"

/*
 * The offset of the first visible record whose timestamp is at or past
 * "timestamp" (milliseconds since 1970), or -1 if there is none.
 */
extern int64 pgt_timestamp_lookup(const TopicPartition *key, int64 timestamp, Snapshot snapshot);

#endif							/* TIMESTAMP_LOOKUP_H */
