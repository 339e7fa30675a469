/*
 * acl_catalog.h
 *	  The ACLs that there are: what catalogs say, in Kafka's words.
 */
#ifndef ACL_CATALOG_H
#define ACL_CATALOG_H

#include "broker/core/acl_binding.h"
#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"

typedef struct AclCatalogEntry
{
	AclBinding	binding;
	Oid			topic;			/* InvalidOid: a group's */
	Oid			grantee;		/* ACL_ID_PUBLIC: all */
	AclMode		privilege;		/* ACL_NO_RIGHTS: it comes with ownership, and is no privilege */
} AclCatalogEntry;

/*
 * What a filter matches of the topics and groups that the current user may know of: a List of
 * AclCatalogEntry, those of a resource one after the other.  Called in a transaction.
 */
extern List *pgt_acl_catalog_find(const AclBinding *filter);

/* A copy of an entry in the current memory context. */
extern AclCatalogEntry *pgt_acl_catalog_copy(const AclCatalogEntry *entry);

/* The privileges that a role, or with ACL_ID_PUBLIC all, was granted on a topic itself. */
extern AclMode pgt_acl_catalog_granted(Oid topic, Oid grantee);

/* The role of an ACL's principal, ACL_ID_PUBLIC for "User:*".  False: there is no such role. */
extern bool pgt_acl_catalog_role(const AclBinding *binding, Oid *role);

/* The same as SQL writes it. */
extern const char *pgt_acl_catalog_role_in_sql(Oid role);

/* The privilege that an operation on a topic stands for, or ACL_NO_RIGHTS. */
extern AclMode pgt_acl_catalog_privilege(int8 operation);

#endif							/* ACL_CATALOG_H */
