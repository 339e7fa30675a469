/*
 * group_memory.h
 *	  How much memory the groups of Kafka's clients take, and how much a role may have of it.
 */
#ifndef GROUP_MEMORY_H
#define GROUP_MEMORY_H

#include "broker/groups/group_coordinator.h"

/* A group takes so many bytes by now; 0: it is about to be forgotten.  Throws nothing. */
extern void pgt_group_memory_set(CoordinatorGroup *group, Size bytes);

/* Is there room for so many bytes more in the group?  If not, the server's log tells of it now and then. */
extern bool pgt_group_memory_has_room(CoordinatorGroup *group, Size bytes);

#endif							/* GROUP_MEMORY_H */
