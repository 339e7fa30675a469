/*
 * sql_group.h
 *	  Consumer groups that the registry does not know, since only SQL uses them, as Kafka's clients see them.
 */
#ifndef SQL_GROUP_H
#define SQL_GROUP_H

#include "broker/core/broker.h"
#include "nodes/pg_list.h"

/* All are called in a transaction. */

/*
 * The first group behind this one, by name, that has committed something in any topic, palloc'd; NULL where there is none.  NULL: the
 * first of all.  The registry may know it, and it may be one that the client may not see.
 */
extern char *pgt_sql_group_next(const char *id);

typedef enum SqlGroupFound
{
	SQL_GROUP_MISSING,
	SQL_GROUP_DENIED,			/* the client may not see it */
	SQL_GROUP_FOUND
} SqlGroupFound;

extern SqlGroupFound pgt_sql_group_find(const BrokerConnection *client, const char *id);

/* Its members, as last committed. */
typedef struct SqlGroupMember
{
	char	   *id;
	List	   *topics;			/* oids, and for each of them ... */
	List	   *partitions;		/* ... a list of integers */
} SqlGroupMember;

/* Those that are alive, in all topics: a List of SqlGroupMember. */
extern List *pgt_sql_group_members(const char *id);
extern bool pgt_sql_group_has_members(const char *id);

#endif							/* SQL_GROUP_H */
