/*
 * cleaner_throttle.h
 *	  How fast compaction and erasing go, and for whom they stop.
 */
#ifndef CLEANER_THROTTLE_H
#define CLEANER_THROTTLE_H

#include "log/segment.h"

extern int	pgt_log_cleaner_io_max_bytes_per_second; /* setting; 0 or less: no limit */

/*
 * If set, this process cancels its work (lock_not_available) as soon as another
 * session waits for a lock on the topic.
 */
extern bool pgt_cleaner_throttle_yields;

/*
 * To be called after every "bytes" bytes of a topic that were read or written:
 * sleeps as long as the rate demands, serves interrupts, and cancels the work as
 * said above.
 */
extern void pgt_cleaner_throttle_pause(const TopicPartition *key, int64 bytes);

#endif							/* CLEANER_THROTTLE_H */
