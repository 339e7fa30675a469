/*
 * share_table.h
 *	  The share partitions in use: the windows that all sessions share.
 */
#ifndef SHARE_TABLE_H
#define SHARE_TABLE_H

#include "access/xlogdefs.h"
#include "nodes/pg_list.h"
#include "share/share_window.h"
#include "storage/lwlock.h"
#include "topic/topic_types.h"

extern int	pgt_max_share_partitions;	/* setting pg_topics.max_share_partitions */
extern int	pgt_share_partition_max_record_locks;	/* setting pg_topics.share_partition_max_record_locks */

/* A group in a partition.  It has no padding that is not zero. */
typedef struct ShareKey
{
	Oid			database;
	Oid			topic;
	int32		partition;
	int32		zero;
	uint64		group;			/* hash of its name */
} ShareKey;

/*
 * A share partition.  "lock" guards all fields but the key and in_use, which change under
 * it and the table's lock, both exclusive.  A process never holds the locks of two slots.
 *
 * A slot that a transaction has entered stays that share partition's until the transaction has left
 * it, so it may keep a pointer.
 */
typedef struct ShareSlot
{
	ShareKey	key;
	bool		in_use;
	LWLock		lock;
	char		group_id[MAX_GROUP_ID_LENGTH + 1];
	int64		share_id;		/* by which its rows belong together */
	Oid			owner;			/* role that the group belongs to */
	bool		durable;		/* its row in topic_share_groups is committed */
	XLogRecPtr	row_lsn;		/* with the WAL up to there, where this server has committed it */
	bool		removed;		/* the group was deleted: nobody enters the slot any more */
	uint64		deleter;		/* the transaction that deletes the group; 0: none */
	int32		transactions;	/* that have entered it */
	int64		used_at;		/* when the last one left, by the monotonic clock */
	int64		sent_on_at;		/* what is rejected is not to be sent on by clients' requests before, by the clock of leases */
	ShareWindow window;			/* followed by its cells */
} ShareSlot;

/* A partition as it was read from rows, or begins. */
typedef struct ShareStart
{
	const char *group_id;
	int64		share_id;
	Oid			owner;
	bool		durable;
	const ShareWindow *window;
} ShareStart;

extern Size pgt_share_table_size(void);
extern void pgt_share_table_init(void);

/* Fill in a key of this database. */
extern void pgt_share_table_key(ShareKey *key, Oid topic, int32 partition, const char *group_id);

/* Enter the slot of a share partition; NULL: it has none. */
extern ShareSlot *pgt_share_table_enter(const ShareKey *key, const char *group_id);

/*
 * Give a share partition a slot and enter it; or enter the one that it has got meanwhile.  A
 * slot that nobody uses may be taken from another one.  NULL: there is none.
 */
extern ShareSlot *pgt_share_table_add(const ShareKey *key, const ShareStart *start);

/* Let nothing that is rejected in a slot, if there is one, be sent on for so long. */
extern void pgt_share_table_postpone(const ShareKey *key, int64 ms);

/* The clock of leases, in ms. */
extern int64 pgt_share_table_now_ms(void);

/* Give back the slots of a topic that is gone, or of a database where "topic" is InvalidOid.  Does not throw. */
extern void pgt_share_table_forget(Oid database, Oid topic);

/*
 * Leave a slot.  One that nothing is known of after a rollback is given back.  One of a group that was not made, and whose
 * records were delivered in vain, is left over for whoever makes it.
 */
extern void pgt_share_table_leave(ShareSlot *slot);

/*
 * The topics of this database in which a group of that name has a slot: a List of oids.  A slot may have outlived its
 * topic.
 */
extern List *pgt_share_table_topics(const char *group_id);

/* Is the slot one of a group that there is, committed or not?  The slot's lock is held. */
extern bool pgt_share_table_is_made(const ShareSlot *slot);

/*
 * Call visit() for each slot of this database, with its lock held: no ERROR, no wait in it.
 * False from visit() ends the walk.
 */
extern void pgt_share_table_walk(bool (*visit) (ShareSlot *slot, void *arg), void *arg);

/* A number for a transaction, or for a member, that no other one has until the server ends. */
extern uint64 pgt_share_table_next_holder(void);
extern uint32 pgt_share_table_next_member(void);

/* Which of the two tables acknowledgements are written to now; and turn to the other one. */
extern int	pgt_share_table_generation(void);
extern void pgt_share_table_turn(int from);

#endif							/* SHARE_TABLE_H */
