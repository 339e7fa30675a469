/*
 * acks.h
 *	  How durable and how widely copied a transaction that produced must be
 *	  before its commit is acknowledged: Kafka's acks and min.insync.replicas.
 *
 * Layer 4.
 */
#ifndef ACKS_H
#define ACKS_H

#include "c.h"

/*
 * Before a transaction appends to a topic that wants "min_insync" replicas:
 * ERROR where fewer are in sync, and it would wait for them.  Then let the
 * setting pg_topics.acks decide how it will commit.
 */
extern void pgt_acks_prepare(Oid topic, int32 min_insync);

extern void pgt_acks_init(void);	/* settings of this file */

#endif							/* ACKS_H */
