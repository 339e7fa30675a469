/*
 * log_start.h
 *	  A partition's file "log_start".
 *
 * Layer 1.
 */
#ifndef LOG_START_H
#define LOG_START_H

#include "log/log_directory.h"

/*
 * Keep an offset below which the log has no records any more, unless a larger one
 * is kept already.  Trouble is a WARNING: the next call tries again.
 */
extern void pgt_log_start_keep(const TopicPartition *key, int64 offset);

/*
 * What is kept; 0 where nothing is, or nothing whole; ERROR where a newer library has
 * written it.  Works in the postmaster too.
 */
extern int64 pgt_log_start_kept(const TopicPartition *key);

#endif							/* LOG_START_H */
