/*
 * acl_implied.h
 *	  ACLs for which there is no privilege of their own: whether what they say is so.
 */
#ifndef ACL_IMPLIED_H
#define ACL_IMPLIED_H

#include "broker/users/acl_catalog.h"

/* ERROR, one of pgt_topic_change_refuse(), unless the ACL says what is so already.  In a transaction. */
extern void pgt_acl_implied_check(const AclBinding *wanted);

/* The topic that an ACL is about, which the current user may know of; such an ERROR where there is none. */
extern Oid	pgt_acl_implied_topic(const AclBinding *wanted);

/* The role that it is about; such an ERROR where there is none. */
extern Oid	pgt_acl_implied_role(const AclBinding *wanted);

#endif							/* ACL_IMPLIED_H */
