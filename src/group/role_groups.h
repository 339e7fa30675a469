/*
 * role_groups.h
 *	  The consumer groups of roles that are given up or dropped.
 */
#ifndef ROLE_GROUPS_H
#define ROLE_GROUPS_H

#include "nodes/pg_list.h"

/*
 * What REASSIGN OWNED and DROP OWNED do with the groups that belong to some roles in this
 * database: give them to another role, or delete them.  Both wait for transactions that
 * consume.  The current user has the privileges of the roles.
 */
extern void pgt_role_groups_reassign(List *roles, Oid new_owner);
extern void pgt_role_groups_drop(List *roles);

/*
 * Have this called by both before they look for groups: it writes what the transaction has
 * consumed for a group (NULL: for all), as open cursors may have for groups without rows.
 */
extern void pgt_role_groups_call_first(void (*settle) (const char *group_id));

/*
 * Let the groups of this database whose owner was dropped belong to their topics' owners.
 * Waits for nobody, and leaves the rows that are in use; returns the number of rows.  The
 * caller has begun a transaction for it, without a snapshot.
 */
extern int	pgt_role_groups_disown(void);

#endif							/* ROLE_GROUPS_H */
