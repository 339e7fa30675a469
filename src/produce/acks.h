/*
 * acks.h
 *	  How durable and how widely copied a transaction that produced must be
 *	  before its commit is acknowledged: Kafka's acks and min.insync.replicas.
 */
#ifndef ACKS_H
#define ACKS_H

#include "c.h"

/*
 * Before a transaction appends to a topic that wants "min_insync" replicas:
 * ERROR where it would wait for them and fewer are in sync.
 */
extern void pgt_acks_check(Oid topic, int32 min_insync);

/*
 * Let the setting pg_topics.acks decide how the transaction will commit; for
 * one that appends, before it does and at its end.
 */
extern void pgt_acks_apply(void);

extern void pgt_acks_init(void);	/* settings of this file */

#endif							/* ACKS_H */
