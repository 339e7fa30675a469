/*
 * broker_shared.h
 *	  What the broker's processes share.
 */
#ifndef BROKER_SHARED_H
#define BROKER_SHARED_H

#include "access/xlogdefs.h"
#include "broker/core/broker.h"
#include "port/atomics.h"
#include "storage/latch.h"
#include "storage/lwlock.h"

#define BROKER_SHARED_WORKERS	16	/* at most so many databases have a listener */

/*
 * A worker.  Its fields are written by itself; others read them without a lock, and set the
 * latch of a process that may have ended in the meantime, which does no harm.
 */
typedef struct BrokerSharedWorker
{
	int			pid;			/* 0: none runs */
	bool		connecting;		/* it has begun to connect to its database, and did not get there */
	int			pause_s;		/* of database_wait.c */
	Oid			database;
	Latch	   *latch;			/* of the process; NULL: none runs */
	pg_atomic_uint64 wanted[BROKER_DURABILITY_COUNT];	/* up to where it waits for WAL to be durable */
} BrokerSharedWorker;

typedef struct BrokerShared
{
	Latch	   *flushers[BROKER_DURABILITY_COUNT];	/* of the processes of flusher.c; NULL: it does not run */
	BrokerSharedWorker workers[BROKER_SHARED_WORKERS];
} BrokerShared;

extern BrokerShared *pgt_broker_shared;

/* The entry of this process, a worker. */
extern BrokerSharedWorker *pgt_broker_shared_worker;

extern Size pgt_broker_shared_size(void);
extern void pgt_broker_shared_init(void);

#endif							/* BROKER_SHARED_H */
