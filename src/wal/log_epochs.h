/*
 * log_epochs.h
 *	  Which batches of a partition were written under which leader.
 */
#ifndef LOG_EPOCHS_H
#define LOG_EPOCHS_H

#include "format/topic_partition.h"

/* How far a leader's batches go. */
typedef struct LogEpochEnd
{
	int32		epoch;			/* the largest one, up to that asked for, with batches; -1: it is not known */
	int64		end;			/* where the first batch of a larger one begins, or the log's end; -1 likewise */
} LogEpochEnd;

/*
 * The end of an epoch, where the current one is "current".  A larger epoch than that is not
 * known.  Looks at a few headers of batches.  Needs no snapshot, no transaction and no lock
 * on the topic.  Damage is an ERROR (data_corrupted).
 */
extern LogEpochEnd pgt_log_epochs_end(const TopicPartition *key, int32 epoch, int32 current);

/* The epoch of the first batch that ends at or past an offset; -1 if there is none, or it has none. */
extern int32 pgt_log_epochs_at(const TopicPartition *key, int64 offset);

#endif							/* LOG_EPOCHS_H */
