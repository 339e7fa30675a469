/*
 * acks.h
 *	  How durable and how widely copied a transaction that produced must be
 *	  before its commit is acknowledged: Kafka's acks and min.insync.replicas.
 */
#ifndef ACKS_H
#define ACKS_H

#include "c.h"

/*
 * Called before a transaction appends to a topic with min.insync.replicas =
 * "min_insync": ERROR where the commit would wait for standbys and fewer replicas than
 * that are in sync.
 */
extern void pgt_acks_check(Oid topic, int32 min_insync);

/* How many replicas are in sync: this server and the standbys that a commit would wait for now. */
extern int32 pgt_acks_replicas_in_sync(void);

/*
 * Set the transaction's synchronous_commit as pg_topics.acks says.  Called before the
 * transaction appends and again at its end.
 */
extern void pgt_acks_apply(void);

extern void pgt_acks_init(void);	/* settings of this file */

#endif							/* ACKS_H */
