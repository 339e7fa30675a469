/*
 * database_hold.h
 *	  Keeping our workers out of a database that nobody may be connected to.
 */
#ifndef DATABASE_HOLD_H
#define DATABASE_HOLD_H

#include "c.h"

/* Name and type, as in pg_stat_activity, of the workers that are kept out. */
#define MAINTENANCE_WORKER_NAME	"pg_topics maintenance"

/*
 * For the worker, right after it has connected: may it stay in its database?
 * If so no other worker may, until this process ends.  In a transaction.
 */
extern bool pgt_database_hold_enter(Oid database);

/* Is neither a worker there nor one kept away?  In a transaction. */
extern bool pgt_database_hold_is_free(Oid database);

/* Install the hook; called once per process. */
extern void pgt_database_hold_init(void);

#endif							/* DATABASE_HOLD_H */
