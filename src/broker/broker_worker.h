/*
 * broker_worker.h
 *	  The process that serves the Kafka clients of a database.
 */
#ifndef BROKER_WORKER_H
#define BROKER_WORKER_H

/* Register a worker for each database that has a listener; at the library's load. */
extern void pgt_broker_worker_register(void);

#endif							/* BROKER_WORKER_H */
