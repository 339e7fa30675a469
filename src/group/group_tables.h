/*
 * group_tables.h
 *	  The tables in which groups are, for who must not wait for locks on them.
 */
#ifndef GROUP_TABLES_H
#define GROUP_TABLES_H

#include "storage/lockdefs.h"

/* A table, and the lock under which it is used. */
typedef struct GroupTable
{
	Oid			relid;
	LOCKMODE	mode;
} GroupTable;

#define GROUP_TABLES_MAX	7

/*
 * The tables of this database's extension that requests about groups and transactions of Kafka's clients use: how many, none
 * where the extension is missing.  *found is valid until the next call.
 */
extern int	pgt_group_tables_find(const GroupTable **found);

#endif							/* GROUP_TABLES_H */
