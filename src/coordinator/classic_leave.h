/*
 * classic_leave.h
 *	  LeaveGroup.
 */
#ifndef CLASSIC_LEAVE_H
#define CLASSIC_LEAVE_H

#include "coordinator/classic_group.h"

/*
 * Somebody leaves: a member, a pending one, or the static one of an instance id, which may be named without its member
 * id.  The answer.  Some may leave together, and then pgt_classic_leave_end() is called.
 */
extern KafkaError pgt_classic_leave(ClassicGroup *group, KafkaString member, KafkaString instance_id, bool *left);

/* They have left.  "left" tells whether one of them was a member, as pgt_classic_leave() has set it. */
extern void pgt_classic_leave_end(ClassicGroup *group, bool left, int64 now);

#endif							/* CLASSIC_LEAVE_H */
