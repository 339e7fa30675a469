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
 * Is there a topic to which records of this one may be sent that a share group gives up?  Its own dead-letter topic; or, for a retry topic of
 * the default name, perhaps that of the topic where the record failed first.
 */
extern bool pgt_share_death_may_have_topic(const Topic *topic);

/*
 * Send on what others have rejected, and could not send on themselves, of a slot that the transaction has entered; so many
 * records at most, in the order of their offsets.  Returns how many.
 */
extern int	pgt_share_death_send_rejected(const ShareGroup *group, Topic *topic, ShareSlot *slot, int most);

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
