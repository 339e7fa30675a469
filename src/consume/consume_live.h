/*
 * consume_live.h
 *	  When what a query has consumed record by record is written.
 */
#ifndef CONSUME_LIVE_H
#define CONSUME_LIVE_H

#include "group/group_position.h"

/*
 * A scan stops reading in a partition: end its position, and write it or, where the scan
 * does not commit, leave it to the transaction.
 */
extern void pgt_consume_live_close(PositionScan *scan);

/*
 * Write the positions of a group of that name that are due, or with NULL of all groups: what
 * the transaction has consumed so far is in the tables then.  For every function that reads
 * or moves a group's rows, before it does.
 */
extern void pgt_consume_live_settle(const char *group_id);

/* Install the transaction callback; called once per process, after the producer's. */
extern void pgt_consume_live_init(void);

#endif							/* CONSUME_LIVE_H */
