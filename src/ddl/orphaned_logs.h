/*
 * orphaned_logs.h
 *	  Which of the logs nobody owns, and removing them.
 */
#ifndef ORPHANED_LOGS_H
#define ORPHANED_LOGS_H

#include "nodes/pg_list.h"

/* Is there a directory of a partition of that database? */
extern bool pgt_orphaned_logs_in_database(Oid database);

/*
 * Remove the logs of topics, and of topics' partitions, that this database does
 * not know; in a transaction.
 */
extern void pgt_orphaned_logs_collect(void);

/*
 * The same of what has a slot, which needs no look at the files.  An error is a
 * WARNING, and the next collection tries again; but who cancels is obeyed.
 */
extern void pgt_orphaned_logs_collect_slots(void);

#endif							/* ORPHANED_LOGS_H */
