/*
 * group_role.h
 *	  The role that a consumer group belongs to, and who may use the group.
 */
#ifndef GROUP_ROLE_H
#define GROUP_ROLE_H

#include "group/group_types.h"

/* The role that uses the group: that of group->role, or the current user. */
extern Oid	pgt_group_role_of(const ConsumerGroup *group);

/* May a role use a group of the topic that belongs to "owner"?  True where it has no owner yet. */
extern bool pgt_group_role_may_use(Oid role, Oid topic, Oid owner);

/* ERROR unless the role that uses the group, which belongs to "owner", may do so. */
extern void pgt_group_role_check(const ConsumerGroup *group, Oid owner);

#endif							/* GROUP_ROLE_H */
