/*
 * classic_claims.h
 *	  The partitions that a classic group has claimed, and those that its members are to have.
 */
#ifndef CLASSIC_CLAIMS_H
#define CLASSIC_CLAIMS_H

#include "broker/groups/classic_withheld.h"
#include "broker/groups/group_coordinator.h"
#include "coordinator/classic_group.h"
#include "coordinator/consumer_protocol.h"

/* Partitions, in memory of the groups. */
typedef struct ClassicClaimsSet
{
	struct ClassicClaim *items;
	int32		count;
	int32		room;
} ClassicClaimsSet;

/* Zeros are those of a group that has claimed nothing. */
typedef struct ClassicClaims
{
	ClassicClaimsSet held;		/* that the group has */
	ClassicClaimsSet wanted;	/* of the walk */
	ClassicWithheld withheld;	/* that members are to have, and could not be claimed */
	ClassicWithheld before;		/* the same of the walk before, which is waited for no more */
	int32		tried;			/* of those that are withheld, in an attempt to claim them */
	bool		regained;		/* one was claimed in it */

	/* a walk through members' assignments */
	dlist_node *next;			/* the next member; NULL: there is none */
	ClassicMember *member;		/* the one at hand; NULL: none */
	ConsumerProtocolReader reader;
	bool		has_partition;	/* one was read, and could not be claimed yet: */
	int32		partition;
	bool		only_new;		/* only members that are not stored */
} ClassicClaims;

typedef enum ClassicClaimsStep
{
	CLASSIC_CLAIMS_DONE,		/* of the walk */
	CLASSIC_CLAIMS_MORE,		/* there is more to do */
	CLASSIC_CLAIMS_BUSY			/* a partition is in use in SQL: try again a little later */
} ClassicClaimsStep;

/* Begin to claim what members are to have.  While it is walked through no member may be freed.  Takes memory. */
extern void pgt_classic_claims_begin(ClassicClaims *claims, ClassicGroup *group, bool only_new);

/*
 * Claim until it is that time.  With "force" partitions that are in use are withheld, and without it those that were already when the
 * walk began.  In a transaction.
 */
extern ClassicClaimsStep pgt_classic_claims_go_on(ClassicClaims *claims, CoordinatorGroup *registered,
												  ClassicGroup *group, int64 until, bool force);

/*
 * Try to claim what is withheld: begin, and then claim until it is that time, and it is CLASSIC_CLAIMS_DONE.  "regained" tells whether there
 * is anything for which the group should rebalance.  In a transaction.
 */
extern void pgt_classic_claims_begin_regain(ClassicClaims *claims);
extern ClassicClaimsStep pgt_classic_claims_regain(ClassicClaims *claims, CoordinatorGroup *registered, const ClassicGroup *group,
												   int64 until);

/* The walk is over. */
extern void pgt_classic_claims_end(ClassicClaims *claims);

/* An assignment without what is withheld; palloc'd, or the assignment itself. */
extern KafkaBytes pgt_classic_claims_told(const ClassicClaims *claims, KafkaBytes assignment);

/* Begin to release what the walk, which has been through all members, has not claimed.  Then release it, as above. */
extern void pgt_classic_claims_begin_release(ClassicClaims *claims);
extern ClassicClaimsStep pgt_classic_claims_release(ClassicClaims *claims, const CoordinatorGroup *registered,
													int64 until);

/* All of it was released, and that is committed: what the walk has claimed is what is held.  Until then it may be begun anew. */
extern void pgt_classic_claims_released(ClassicClaims *claims);

/* Read what is claimed.  Takes memory, and is in a transaction. */
extern void pgt_classic_claims_read(ClassicClaims *claims, const CoordinatorGroup *registered);

/* The same when the group was loaded.  True: its members have not all of that, as if a walk were over; the rest is to be released. */
extern bool pgt_classic_claims_load(ClassicClaims *claims, const CoordinatorGroup *registered, ClassicGroup *group);

/* Give the memory back. */
extern void pgt_classic_claims_free(ClassicClaims *claims);

#endif							/* CLASSIC_CLAIMS_H */
