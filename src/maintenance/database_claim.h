/*
 * database_claim.h
 *	  Keeping our maintenance workers out of a database that a statement needs for
 *	  itself.
 */
#ifndef DATABASE_CLAIM_H
#define DATABASE_CLAIM_H

#include "c.h"

/* Name and type, as in pg_stat_activity, of the workers that are kept out. */
#define MAINTENANCE_WORKER_NAME	"pg_topics maintenance"

/*
 * Called by a worker, in a transaction, right after it has connected: may it stay in
 * its database?  If so, no other worker may stay there until this process ends.
 */
extern bool pgt_database_claim_enter(Oid database);

/* Is the database without a worker and held by no statement?  Called in a transaction. */
extern bool pgt_database_claim_is_free(Oid database);

/* Install the hook; called once per process. */
extern void pgt_database_claim_init(void);

#endif							/* DATABASE_CLAIM_H */
