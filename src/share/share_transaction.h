/*
 * share_transaction.h
 *	  What the running transaction has done in share partitions, until it ends.
 */
#ifndef SHARE_TRANSACTION_H
#define SHARE_TRANSACTION_H

#include "share/share_table.h"

typedef enum ShareChangeKind
{
	SHARE_CHANGE_ACQUIRED,
	SHARE_CHANGE_ACQUIRED_AUTO, /* acknowledged at commit, unless that was done before */
	SHARE_CHANGE_ACKNOWLEDGED
} ShareChangeKind;

/* The number of the running transaction as a holder of records; it has one from the first call on. */
extern uint64 pgt_share_transaction_holder(void);

/* The slot of a share partition that the transaction has entered; NULL: none. */
extern ShareSlot *pgt_share_transaction_find(const ShareKey *key);

/*
 * Note that the transaction has entered a slot: it leaves it when it ends.  Notes nothing where it
 * fails.  "schema" is the extension's.
 */
extern void pgt_share_transaction_note_slot(ShareSlot *slot, Oid schema);

/* Make room for so many notes of changes, so that noting them does not fail. */
extern void pgt_share_transaction_reserve(int count);

/* Note what was done to records of a slot, in the order in which it is done; room is reserved. */
extern void pgt_share_transaction_note(ShareSlot *slot, ShareChangeKind kind, int64 first, int64 last);

/* Note that the transaction deletes the group of a slot, which it has entered; or gives it another owner. */
extern void pgt_share_transaction_note_deleted(ShareSlot *slot);
extern void pgt_share_transaction_note_owner(ShareSlot *slot, Oid owner);

/* The slots of a group in a topic that the transaction has entered and that have no committed row: a List. */
extern List *pgt_share_transaction_new_slots(Oid topic, const char *group_id);

/*
 * For a transaction that must not wait for others.  Take what it will need to write acknowledgements, and the row of a share partition
 * that it is about to enter, if that needs no waiting; it is kept until the transaction ends, whatever becomes of a subtransaction.  False: a lock
 * is not to be had now.
 */
extern bool pgt_share_transaction_try_lock(Oid schema);
extern bool pgt_share_transaction_try_lock_row(const ShareKey *key, Oid schema);

/*
 * Write now what the transaction, or subtransaction, has acknowledged, and not only before the commit: so an ERROR ends no more than
 * the subtransaction.
 */
extern void pgt_share_transaction_write(void);

/* Apply the ends of prepared transactions that have acknowledged records of the slot, whose lock is held. */
extern void pgt_share_transaction_end_prepared(ShareSlot *slot);

/* The same for all slots of this database. */
extern void pgt_share_transaction_end_all_prepared(void);

/* Install the callbacks; called once per process. */
extern void pgt_share_transaction_init(void);

#endif							/* SHARE_TRANSACTION_H */
