/*
 * record_deletion.h
 *	  Deleting the records of a partition before an offset, because somebody wants it.
 */
#ifndef RECORD_DELETION_H
#define RECORD_DELETION_H

#include "topic/topic.h"

#define RECORD_DELETION_ALL		(-1)	/* as the offset: what can be read */

/*
 * Delete the records before an offset; the log start afterwards.  ERROR (invalid_parameter_value) if there is no
 * such partition, and if the offset is past the last stable offset.  The caller holds
 * ShareUpdateExclusiveLock on the topic.  It takes effect at once and is not undone by a rollback.
 */
extern int64 pgt_record_deletion_run(const Topic *topic, int32 partition, int64 offset);

#endif							/* RECORD_DELETION_H */
