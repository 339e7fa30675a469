/*
 * placement_check.h
 *	  Is each record of a topic where the topic's partitioner places its key?
 */
#ifndef PLACEMENT_CHECK_H
#define PLACEMENT_CHECK_H

#include "topic/topic.h"

/*
 * ERROR unless each record with a key is in the partition, and has the form, that
 * topic->log.placement asks for.  Reads the whole topic.  The caller holds
 * AccessExclusiveLock on it.
 */
extern void pgt_placement_check_run(const Topic *topic);

#endif							/* PLACEMENT_CHECK_H */
