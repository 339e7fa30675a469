/*
 * classic_store.h
 *	  Making a classic group durable: its claims to partitions, its rows.
 */
#ifndef CLASSIC_STORE_H
#define CLASSIC_STORE_H

#include "broker/groups/classic_claims.h"

typedef enum ClassicStorePhase
{
	CLASSIC_STORE_IDLE,
	CLASSIC_STORE_BEGIN,
	CLASSIC_STORE_CLAIM,
	CLASSIC_STORE_WRITE,
	CLASSIC_STORE_WAIT,			/* all is committed: for it to be durable */
	CLASSIC_STORE_RELEASE,		/* it is reported: partitions that nobody has any more */
	CLASSIC_STORE_REGAIN		/* partitions that SQL has */
} ClassicStorePhase;

/* It is part of whatever the caller has of the group. */
typedef struct ClassicStore
{
	CoordinatorGroup *registered;
	ClassicGroup *group;
	void		(*done) (ClassicGroup *group, KafkaError error);	/* see pgt_classic_store_begin() */
	void		(*regained) (ClassicGroup *group);	/* it has partitions that no member was told of, and is to rebalance */
	ClassicStorePhase phase;
	bool		has_row;		/* the group has one */
	bool		is_partial;		/* members' rows may not be as they should be */
	bool		inherits;		/* the group has taken the place of another one, whose members may have rows */
	ClassicClaims claims;
	bool		claims_in_doubt;	/* rows may tell of more of them */
	bool		has_surplus;	/* there may be some that members do not have */

	/* of the store that is under way */
	int32		generation;		/* what the group was, when that began */
	ClassicGroupState state;
	bool		in_parts;		/* rows are written in several transactions */
	dlist_node *next;			/* the next member to write; NULL: there is none */
	int64		give_up;		/* claims are not waited for any longer */
	int			releases;		/* that were in vain */
	int			regains;		/* likewise */
	bool		tried_all;		/* with the turn that is under way, that is withheld */
	int64		rest;			/* after the turn, nothing is done for so long */
	KafkaError	error;
	bool		complete;		/* with the turn that is under way all is written */
	bool		released;		/* or all is released that is not needed */
	XLogRecPtr	lsn;
	EventLoopTimer timer;
	enum {CLASSIC_STORE_NOWHERE, CLASSIC_STORE_READY, CLASSIC_STORE_IN_TURN, CLASSIC_STORE_WAITING} place;
	dlist_node	node;			/* in the list of that place */
} ClassicStore;

/* Of zeros, with the first four fields set. */
extern void pgt_classic_store_init(ClassicStore *store);

/*
 * Store the group as it is, from now on: its claims, its row, its members' rows; done() is called when that is durable, or has
 * failed.  If the group becomes another one meanwhile, the caller begins anew, or done() tells of what is of no use
 * any more.  Throws nothing.
 */
extern void pgt_classic_store_begin(ClassicStore *store);

/* A group was loaded that has claims which its members do not have: release them.  Throws nothing. */
extern void pgt_classic_store_release(ClassicStore *store);

/* A group was loaded whose members were not told of partitions that SQL had: try to get them, if there are any.  Throws nothing. */
extern void pgt_classic_store_regain(ClassicStore *store);

/* Stop what is under way; and begin it anew, where rows may be those of before a turn that was lost.  Throw nothing. */
extern void pgt_classic_store_suspend(ClassicStore *store);
extern void pgt_classic_store_resume(ClassicStore *store);

/* The group is about to be freed. */
extern void pgt_classic_store_forget(ClassicStore *store);

extern const BrokerHooks pgt_classic_store_hooks;

#endif							/* CLASSIC_STORE_H */
