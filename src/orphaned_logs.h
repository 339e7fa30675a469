/*
 * orphaned_logs.h
 *	  Which of the logs nobody owns, and removing them.
 *
 * Layer 7.
 */
#ifndef ORPHANED_LOGS_H
#define ORPHANED_LOGS_H

#include "nodes/pg_list.h"

/* Is there a directory of a partition of that database? */
extern bool pgt_database_has_files(Oid database);

/* Remove the logs of topics that this database does not know; in a transaction. */
extern void pgt_orphaned_logs_collect(void);

#endif							/* ORPHANED_LOGS_H */
