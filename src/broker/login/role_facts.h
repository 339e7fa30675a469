/*
 * role_facts.h
 *	  What the catalogs say of roles that want to connect, and of the database.
 *
 * Called in a transaction.
 */
#ifndef ROLE_FACTS_H
#define ROLE_FACTS_H

#include "datatype/timestamp.h"

/* What pg_authid says of a role. */
typedef struct RoleFacts
{
	Oid			oid;
	char		name[NAMEDATALEN];
	bool		can_login;
	bool		is_superuser;
	int			connection_limit;	/* -1: none */
	TimestampTz valid_until;	/* DT_NOEND: for ever */
	char	   *verifier;		/* palloc'd; NULL: no password */
} RoleFacts;

/* Look up a role; false if there is none. */
extern bool pgt_role_facts_by_name(const char *name, RoleFacts *facts);
extern bool pgt_role_facts_by_oid(Oid oid, RoleFacts *facts);

/* What pg_database says of the database of this process. */
typedef struct RoleFactsOfDatabase
{
	bool		allows_connections;
	int			connection_limit;	/* -1: none */
} RoleFactsOfDatabase;

extern RoleFactsOfDatabase pgt_role_facts_of_database(void);

#endif							/* ROLE_FACTS_H */
