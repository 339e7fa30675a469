/*
 * database_wait.h
 *	  Waiting for the database of a listener to be there.
 */
#ifndef DATABASE_WAIT_H
#define DATABASE_WAIT_H

#include "broker/core/broker_shared.h"

/* The process is about to connect to the database.  Where that was in vain before, this waits and ends the process. */
extern void pgt_database_wait_begin(BrokerSharedWorker *worker, const char *database);

/* It is connected. */
extern void pgt_database_wait_end(BrokerSharedWorker *worker);

/* In a transaction, which may become another one: wait until the extension's version is one that is served. */
extern void pgt_database_wait_version(void);

#endif							/* DATABASE_WAIT_H */
