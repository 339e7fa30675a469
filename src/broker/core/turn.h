/*
 * turn.h
 *	  The one transaction of a turn of the loop.
 */
#ifndef TURN_H
#define TURN_H

#include "access/xlogdefs.h"
#include "broker/core/broker.h"
#include "lib/ilist.h"
#include "topic/topic.h"

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

/*
 * Call work(arg), whose ERROR must not be that of all others in the turn: of a request, or of a part
 * of one.  True if it returns.  Else the error is logged, the turn is cleaned up as above, and the
 * memory context is the caller's; *error, unless that is NULL, is a copy of the error in there.
 */
extern bool pgt_turn_try(void (*work) (void *arg), void *arg, ErrorData **error);

/* The same for an error that is not logged. */
extern bool pgt_turn_try_quietly(void (*work) (void *arg), void *arg, ErrorData **error);

/* What pgt_turn_lock() says. */
typedef enum TurnLock
{
	TURN_LOCK_HELD,
	TURN_LOCK_BUSY,				/* somebody holds the topic or waits for it: try again in TURN_RETRY_MS */
	TURN_LOCK_GONE				/* there is no such topic */
} TurnLock;

#define TURN_RETRY_MS	20

/*
 * Lock a topic as a producer does, if that needs no waiting, for the rest of the transaction, which
 * is opened.  With TURN_LOCK_HELD, *topic is the topic's configuration, valid as long.
 */
extern TurnLock pgt_turn_lock(Oid relid, Topic **topic);

/*
 * Lock the tables of groups and transactions (group_tables.h), if that needs no waiting, for the rest of the transaction, which
 * is opened.  Who uses them asks this first.  False: somebody has one of them for himself, or waits for that.  Then the loop
 * makes another turn in TURN_RETRY_MS, in which to try again.
 */
extern bool pgt_turn_lock_tables(void);

/*
 * Are the tables locked by others, or were they until a moment ago?  Then time that is over for a member is no reason to miss it,
 * as what it has sent may not have been served: the timer is set anew.
 */
extern bool pgt_turn_postpone(EventLoopTimer *timer);

/*
 * Work that becomes part of the transaction.  Both functions are called once, in the order in
 * which work was added.  The struct belongs to the caller, and is not touched after that.
 */
typedef struct TurnWork
{
	/* within the transaction, just before it commits, with an active snapshot.  An ERROR makes all work fail */
	void		(*before) (struct TurnWork *work);

	/* outside of it: it has committed up to "lsn", InvalidXLogRecPtr where it wrote nothing; or it has not */
	void		(*after) (struct TurnWork *work, bool committed, XLogRecPtr lsn);
	slist_node	node;
} TurnWork;

/* Add work to the transaction, which is open. */
extern void pgt_turn_add(TurnWork *work);

extern const BrokerHooks pgt_turn_hooks;

#endif							/* TURN_H */
