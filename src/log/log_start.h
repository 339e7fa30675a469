/*
 * log_start.h
 *	  A partition's file "log_start".
 */
#ifndef LOG_START_H
#define LOG_START_H

#include "log/log_directory.h"

/*
 * Keep the offset where the log starts, unless the file has a larger one already.  Trouble
 * is a WARNING, and the next call tries again.
 */
extern void pgt_log_start_keep(const TopicPartition *key, int64 offset);

/*
 * The offset that the file has; 0 if there is no file, or it is damaged; ERROR if a newer
 * library has written it.  Works in the postmaster, too.
 */
extern int64 pgt_log_start_read(const TopicPartition *key);

#endif							/* LOG_START_H */
