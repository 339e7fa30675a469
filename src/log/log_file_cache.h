/*
 * log_file_cache.h
 *	  Log files of segments, open for sending parts of them.
 */
#ifndef LOG_FILE_CACHE_H
#define LOG_FILE_CACHE_H

#include "listener/output_file.h"
#include "log/partition_log.h"

/*
 * The log file of a segment, as of these bounds.  It belongs to the cache until the next call
 * of a function of this file; whoever needs it longer retains it.  NULL with ENOENT if the file is gone,
 * or with EMFILE if the process may have no more of them open.  ERROR if it cannot be opened for another reason.
 */
extern OutputFile *pgt_log_file_cache_open(PartitionState *state, const TopicPartition *key,
										   const LogBounds *bounds, SegmentId id);

/*
 * Let go of files whose segments may have been removed since, so that their disk space is freed
 * when they have been sent.  To be called from time to time, until it returns false: no file is left.
 */
extern bool pgt_log_file_cache_close_stale(void);

#endif							/* LOG_FILE_CACHE_H */
