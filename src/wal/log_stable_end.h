/*
 * log_stable_end.h
 *	  The end of what may be shown to consumers outside of the database.
 */
#ifndef LOG_STABLE_END_H
#define LOG_STABLE_END_H

#include "access/xlogdefs.h"
#include "format/topic_partition.h"

typedef struct LogStableEnd
{
	int64		log_start;		/* where a consumer can begin; at most "end" */
	int64		end;			/* behind the last batch that may be shown */
	int64		log_end;		/* offsets from "end" up to it are given out, but may be taken back */
	bool		exists;			/* false: the server knows nothing of the partition */
	bool		is_known;		/* false: of a log that this process looks at for the first time nothing is durable yet;
								 * it may be that more was shown before */
	XLogRecPtr	awaited;		/* as soon as this is durable there is more to show; InvalidXLogRecPtr: nothing waits for that */
} LogStableEnd;

/*
 * The end of a partition, where the WAL is durable up to that LSN (pgt_durable_wal_end()).  It never moves back, unless the last records of the log are
 * deleted.  False, and an empty log's numbers, if there is no such partition, or nothing was
 * ever appended to it.
 *
 * Needs no snapshot, no transaction and no lock on the topic.  Damage is an ERROR
 * (data_corrupted); what was found before it counts the next time.
 */
extern bool pgt_log_stable_end(const TopicPartition *key, XLogRecPtr durable, LogStableEnd *result);

/*
 * The same, but the result says whether the end has moved, or become known, since this function was last
 * called for the partition in this process.
 */
extern bool pgt_log_stable_end_has_moved(const TopicPartition *key, XLogRecPtr durable, LogStableEnd *result);

/* A transaction of this process has committed, with its commit record's end there. */
extern void pgt_log_stable_end_committed(uint64 xid, XLogRecPtr lsn);

/*
 * That transaction has appended to the partition the offsets from "first" to "end", all of
 * them.  It spares the next call a look at the index; it is no harm to leave it out.
 */
extern void pgt_log_stable_end_appended(const TopicPartition *key, int64 first, int64 end, XLogRecPtr lsn);

#endif							/* LOG_STABLE_END_H */
