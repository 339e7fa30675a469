/*
 * share_role.h
 *	  The share groups of roles that are given up or dropped.
 */
#ifndef SHARE_ROLE_H
#define SHARE_ROLE_H

#include "nodes/pg_list.h"

/* REASSIGN OWNED: the share groups of these roles, a List of oids, are another one's. */
extern void pgt_share_role_reassign(List *roles, Oid new_owner);

/* DROP OWNED: delete the share groups of these roles.  ERROR where a transaction uses one. */
extern void pgt_share_role_drop(List *roles);

/* Take share groups from roles that do not exist any more; returns the number of partitions. */
extern int	pgt_share_role_disown(void);

#endif							/* SHARE_ROLE_H */
