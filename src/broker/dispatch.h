/*
 * dispatch.h
 *	  From frames to the functions that serve APIs.
 */
#ifndef DISPATCH_H
#define DISPATCH_H

#include "broker/core/broker.h"

/* Serve connections from now on; once in the process, when there is an event loop. */
extern void pgt_dispatch_init(void);

/* Call the wake functions of parked requests for which it is time. */
extern void pgt_dispatch_wake(void);

/* Go on with requests that were not ready in their slices, for a limited time; once a turn. */
extern void pgt_dispatch_go_on(void);

/* Call the hooks of these moments. */
extern void pgt_dispatch_start(void);
extern void pgt_dispatch_reloaded(void);
extern void pgt_dispatch_turn_begin(bool latch_set);
extern void pgt_dispatch_turn_end(void);
extern void pgt_dispatch_reached(BrokerDurability durability, XLogRecPtr lsn);

#endif							/* DISPATCH_H */
