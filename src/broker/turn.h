/*
 * turn.h
 *	  The one transaction of a turn of the loop.
 */
#ifndef TURN_H
#define TURN_H

#include "broker/broker.h"

extern const BrokerHooks pgt_turn_hooks;

/*
 * Be in the turn's transaction, which begins if there is none yet.  It has no transaction id
 * until something is written.  The memory context stays as it is.
 */
extern void pgt_turn_open(void);

/* Is it open? */
extern bool pgt_turn_is_open(void);

/* Commit it, if it is open. */
extern void pgt_turn_end(void);

/*
 * An ERROR was thrown and caught by the caller, who has copied or reported it: clean up, so that
 * the turn can go on.  What it has appended before stays.
 */
extern void pgt_turn_recover(void);

#endif							/* TURN_H */
