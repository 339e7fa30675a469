/*
 * consumer_store.h
 *	  Changing the groups of Kafka's new protocol, and making that durable.
 */
#ifndef CONSUMER_STORE_H
#define CONSUMER_STORE_H

#include "broker/groups/group_coordinator.h"
#include "coordinator/modern_format.h"
#include "coordinator/modern_group.h"
#include "lib/ilist.h"
#include "utils/hsearch.h"

/* A group, with what connects it with the server. */
typedef struct ConsumerStoreGroup
{
	CoordinatorGroup *registered;
	ModernGroup *modern;
	MemoryContext memory;		/* of all that belongs to the group */
	ModernLoad *load;			/* while rows are read */
	EventLoopTimer timer;		/* members' deadlines */
	int64		empty_since;	/* ms of the shifted clock; 0: it has members */
	bool		resolving;		/* a request finds out what regular expressions match */
	void		(*settle) (struct ConsumerStoreGroup *entry);	/* it may have changed */

	/* called once its rows are stored, or could not be, which may forget it; NULL: nobody has asked for that */
	void		(*stored) (struct ConsumerStoreGroup *entry, bool done);

	/* of this file */
	bool		has_row;
	bool		has_claims;		/* it may have some */
	HTAB	   *claims;			/* the topics in which it has; NULL: none is known */
	bool		claims_in_doubt;	/* rows may tell of more topics */
	bool		inherits;		/* the group has taken the place of another one, whose members may have rows */
	bool		releases;		/* some that are not needed any more are to be released */
	bool		failed;			/* its rows could not be written in this turn */
	XLogRecPtr	lsn;			/* what is written is durable once WAL is, up to there */
	EventLoopTimer retry;
	int			retries;
	bool		in_list;
	dlist_node	node;

	/* of migrate_group.c */
	struct MigrateGroup *migration;
} ConsumerStoreGroup;

/* A request that may change a group.  It belongs to the caller. */
typedef struct ConsumerStoreJob
{
	/*
	 * At the end of the turn, in a subtransaction: change a group, which is "entry" then, unless there is none.  If it
	 * throws, it is the request's error.
	 */
	void		(*run) (struct ConsumerStoreJob *job);

	/*
	 * Before those of the turn are run: let the group, which is "entry" then, know what changes what all of its members are
	 * to have, so that it finds that out once for all of them.  It need not be called, and does nothing that run() would not
	 * do.  If it throws, nobody is told.  NULL: there is never anything to tell.
	 */
	void		(*announce) (struct ConsumerStoreJob *job);

	/*
	 * After the turn.  "stored": what run() has done is committed, and durable when WAL is, up to "lsn"; else it is
	 * in memory only, and its claims are lost.
	 */
	void		(*done) (struct ConsumerStoreJob *job, bool stored, XLogRecPtr lsn);
	ConsumerStoreGroup *entry;
	bool		failed;			/* run() has thrown an error, which is logged */
	bool		moved;			/* the entry that it has changed is gone, for the group has become another one */
	bool		in_list;
	dlist_node	node;
} ConsumerStoreJob;

/* Run it at the end of a turn soon.  All but the functions is of zeros. */
extern void pgt_consumer_store_add(ConsumerStoreJob *job);

/*
 * The same for a member that joins a group without members.  Those of a group are often started together: the first ones wait
 * for a few milliseconds, so that they share the partitions at once, and none has to give up all but a few again.
 */
extern void pgt_consumer_store_add_first(ConsumerStoreJob *job);

/* Nobody waits for it any more.  It may have been run. */
extern void pgt_consumer_store_cancel(ConsumerStoreJob *job);

/* Have the rows of the group to be written? */
extern bool pgt_consumer_store_is_dirty(const ConsumerStoreGroup *entry);

/*
 * The group may have changed: write that at the end of the turn.  Where only claims are left to be released, which was
 * tried a moment ago, that is left to a timer.
 */
extern void pgt_consumer_store_write(ConsumerStoreGroup *entry);

/* Find out in which topics the group has claims.  Takes memory, and is in a transaction. */
extern void pgt_consumer_store_read_claims(ConsumerStoreGroup *entry);

/* The group has claimed a partition.  Takes memory. */
extern void pgt_consumer_store_note_claim(ConsumerStoreGroup *entry, Oid topic, int32 partition);

extern void pgt_consumer_store_init(ConsumerStoreGroup *entry);

/* The group is about to be freed. */
extern void pgt_consumer_store_forget(ConsumerStoreGroup *entry);

extern const BrokerHooks pgt_consumer_store_hooks;

#endif							/* CONSUMER_STORE_H */
