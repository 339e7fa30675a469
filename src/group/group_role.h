/*
 * group_role.h
 *	  The role that a consumer group belongs to, and who may use the group.
 */
#ifndef GROUP_ROLE_H
#define GROUP_ROLE_H

#include "group/group_types.h"

/*
 * May the current user use a group of the topic that belongs to "owner"?  True where it
 * has no owner yet.
 */
extern bool pgt_group_role_may_use(Oid topic, Oid owner);

/* ERROR unless the current user may use the group, which belongs to "owner". */
extern void pgt_group_role_check(const ConsumerGroup *group, Oid owner);

#endif							/* GROUP_ROLE_H */
