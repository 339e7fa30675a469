/*
 * sql_share_group.h
 *	  Share groups that have no members among Kafka's clients, as these see them.
 */
#ifndef SQL_SHARE_GROUP_H
#define SQL_SHARE_GROUP_H

#include "broker/groups/sql_group.h"

/* All are called in a transaction, and wait for no lock that is held for long. */

/*
 * The first share group behind this one, by name, palloc'd; NULL where there is none.  NULL: the first of all.  It may be one that
 * the client may not see.
 */
extern char *pgt_sql_share_group_next(const char *id);

/* Is there a share group of that name that clients may see? */
extern SqlGroupFound pgt_sql_share_group_find(const BrokerConnection *client, const char *id);

/* Is there any, also one that somebody is about to make? */
extern bool pgt_sql_share_group_exists(const char *id);

#endif							/* SQL_SHARE_GROUP_H */
