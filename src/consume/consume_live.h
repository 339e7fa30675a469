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
 * Write all positions that are due: what the transaction has consumed so far is in the
 * tables then.  For every function that reads or moves groups, before it does.
 */
extern void pgt_consume_live_settle(void);

/* Install the transaction callback; called once per process, after the producer's. */
extern void pgt_consume_live_init(void);

#endif							/* CONSUME_LIVE_H */
