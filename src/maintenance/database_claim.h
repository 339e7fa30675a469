/*
 * database_claim.h
 *	  Keeping our workers out of a database that a statement needs for itself.
 */
#ifndef DATABASE_CLAIM_H
#define DATABASE_CLAIM_H

#include "c.h"

/* Name and type, as in pg_stat_activity, of the workers that are kept out. */
#define MAINTENANCE_WORKER_NAME	"pg_topics maintenance"
#define KAFKA_WORKER_NAME		"pg_topics kafka"
#define KAFKA_HELPER_NAME		"pg_topics kafka helper"

/*
 * Called by a worker, in a transaction, right after it has connected: may it stay in
 * its database?  If so, no other worker may stay there until this process ends.
 */
extern bool pgt_database_claim_enter(Oid database);

/*
 * The same for a worker that serves Kafka's clients, of which there may be one beside a maintenance
 * worker: is the database held by no statement?
 */
extern bool pgt_database_claim_may_serve(Oid database);

/* Is the database without a maintenance worker and held by no statement?  Called in a transaction. */
extern bool pgt_database_claim_is_free(Oid database);

/* Install the hook; called once per process. */
extern void pgt_database_claim_init(void);

#endif							/* DATABASE_CLAIM_H */
