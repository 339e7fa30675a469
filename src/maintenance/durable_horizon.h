/*
 * durable_horizon.h
 *	  Which transactions' records synchronous standbys have: the limit of what merging puts together.
 */
#ifndef DURABLE_HORIZON_H
#define DURABLE_HORIZON_H

/*
 * All transactions of this database below "ended" have ended.  Returns up to which of them what has become of them is
 * durable, on synchronous standbys as well.  With "wait" those standbys have a moment to catch up.
 */
extern uint64 pgt_durable_horizon_xid(uint64 ended, bool wait);

#endif							/* DURABLE_HORIZON_H */
