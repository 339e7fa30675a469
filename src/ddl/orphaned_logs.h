/*
 * orphaned_logs.h
 *	  Finding and removing logs that belong to no topic.
 */
#ifndef ORPHANED_LOGS_H
#define ORPHANED_LOGS_H

#include "nodes/pg_list.h"

/* Does the database have a directory of any partition? */
extern bool pgt_orphaned_logs_in_database(Oid database);

/*
 * Remove the logs of topics that are not in this database's catalogs, and of partitions
 * that their topic does not have.  The caller is in a transaction.
 */
extern void pgt_orphaned_logs_collect(void);

/*
 * Remove such logs as pgt_orphaned_logs_collect() does, but only those that have a slot:
 * no directory is read.  An error is reported as a WARNING, and the next collection tries
 * again; only a cancel request is raised as an ERROR.
 */
extern void pgt_orphaned_logs_collect_slots(void);

#endif							/* ORPHANED_LOGS_H */
