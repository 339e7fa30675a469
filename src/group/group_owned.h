/*
 * group_owned.h
 *	  The consumer groups of roles that are given up or dropped.
 */
#ifndef GROUP_OWNED_H
#define GROUP_OWNED_H

#include "nodes/pg_list.h"

/*
 * What REASSIGN OWNED and DROP OWNED do with the groups that belong to some roles in this
 * database: give them to another role, or delete them.  Both wait for transactions that
 * consume.  The current user has the privileges of the roles.
 */
extern void pgt_group_owned_reassign(List *roles, Oid new_owner);
extern void pgt_group_owned_drop(List *roles);

/*
 * Let the groups of this database whose owner was dropped belong to their topics' owners.
 * Waits for nobody, and leaves the rows that are in use; returns the number of rows.  The
 * caller has begun a transaction for it, without a snapshot.
 */
extern int	pgt_group_owned_disown(void);

#endif							/* GROUP_OWNED_H */
