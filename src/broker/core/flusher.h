/*
 * flusher.h
 *	  Making durable what a worker has committed, without the worker's waiting for it.
 */
#ifndef FLUSHER_H
#define FLUSHER_H

#include "access/xlogdefs.h"
#include "broker/core/broker.h"

/*
 * Ask for WAL up to there to become durable in that sense.  Returns at once; when it is, the latch of
 * this process, a worker, is set.
 */
extern void pgt_flusher_want(BrokerDurability durability, XLogRecPtr lsn);

/* Up to where WAL is durable in that sense.  In recovery it means nothing, as nothing is produced. */
extern XLogRecPtr pgt_flusher_reached(BrokerDurability durability);

/* Register the processes with the postmaster, at server start. */
extern void pgt_flusher_register(void);

#endif							/* FLUSHER_H */
