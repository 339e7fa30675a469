/*
 * log_times.h
 *	  Finding records by their timestamps, for consumers outside of the database.
 */
#ifndef LOG_TIMES_H
#define LOG_TIMES_H

#include "format/topic_partition.h"

/* A record that was found. */
typedef struct LogTimesRecord
{
	int64		offset;
	int64		timestamp;		/* milliseconds since 1970 */
	int32		epoch;			/* of the leader under which it was written; -1: not known */
} LogTimesRecord;

/*
 * The first record before "end", the stable end, with that timestamp or a later one, or the
 * first one of those with the largest timestamp.  False if there is none.  Neither needs a
 * snapshot, a transaction or a lock on the topic.  Damage is an ERROR (data_corrupted).
 */
extern bool pgt_log_times_first(const TopicPartition *key, int64 timestamp, int64 end, LogTimesRecord *found);
extern bool pgt_log_times_largest(const TopicPartition *key, int64 end, LogTimesRecord *found);

#endif							/* LOG_TIMES_H */
