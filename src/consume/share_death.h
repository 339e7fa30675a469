/*
 * share_death.h
 *	  Records that a share group gives up: to the dead-letter topic.
 */
#ifndef SHARE_DEATH_H
#define SHARE_DEATH_H

#include "format/record_batch.h"
#include "share/share_group.h"
#include "topic/topic.h"

/* Has a record that was delivered so often had its last try? */
extern bool pgt_share_death_is_due(const Topic *topic, int deliveries);

/*
 * Send a record, which was delivered so often, to the dead-letter topic.  Where there is none, by
 * default, a WARNING says that the group is done with the record.  error may be NULL.
 */
extern void pgt_share_death_send(const ShareGroup *group, Topic *topic, int32 partition, const Record *record,
								 int deliveries, const char *error);

/* The same for the record at an offset; nothing where it has been deleted. */
extern void pgt_share_death_send_offset(const ShareGroup *group, Topic *topic, int32 partition, int64 offset,
										int deliveries, const char *error);

#endif							/* SHARE_DEATH_H */
