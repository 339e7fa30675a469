/*
 * lease_cut.h
 *	  Cutting others' leases that last too long.
 */
#ifndef LEASE_CUT_H
#define LEASE_CUT_H

#include "group/lease_call.h"

/* Has the clock been set back since another member wrote its lease? */
extern bool pgt_lease_cut_is_due(const LeaseCall *call);

/*
 * Shorten other members' leases that last too long: they end as if their members had called
 * now.  A member that is calling at this moment holds the locks, and writes its leases
 * itself.  The plan does not change, as these members are alive before and after.
 */
extern void pgt_lease_cut_others(LeaseCall *call);

#endif							/* LEASE_CUT_H */
