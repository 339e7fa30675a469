/*
 * share_transaction.c
 *	  What the running transaction has done in share partitions, until it ends.
 *
 * Acquiring and acknowledging change the shared window at once (share_window.c), in the name of
 * the transaction, which keeps a list of the changes:
 *
 *	  before the commit record	what it has acknowledged is written, a row for each share partition
 *	  commit					acknowledgements count, leases go on by themselves
 *	  rollback, to a savepoint	the changes are taken back, the last one first
 *	  PREPARE					acknowledgements wait for the transaction by its id
 *
 * So an acknowledgement is durable if and only if the transaction is, and until then nobody else can
 * take the record nor sees it finished.
 *
 * A share partition that is new has no row yet.  Each transaction that has entered its slot
 * writes that row before it commits, unless it is there by then: an advisory lock lets one do it at
 * a time.  So no acknowledgement is committed without it, and a rollback leaves no group.
 *
 * Prepared transactions end in another session, without a callback of ours: that session asks the server for
 * them after the statement (pgt_share_transaction_end_all_prepared()), and so does whoever looks at the window
 * before.  Nobody asks later, when the server may not know any more.
 *
 * Locks: a slot's lock, for moments; the advisory lock until the transaction's end, slots in the
 * order of their keys.
 *
 * Memory: TopTransactionContext.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "storage/procarray.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "log/topic_waiters.h"
#include "share/share_row.h"
#include "share/share_transaction.h"
#include "util/advisory_lock.h"

/* A slot that the transaction has entered. */
typedef struct ShareUse
{
	ShareSlot  *slot;
	Oid			schema;			/* of the tables */
	bool		wrote_row;		/* has written the share partition's row */
	int64		released;		/* records that are available again at the end */
} ShareUse;

/* The group of a slot is deleted, or given to a role. */
typedef struct GroupChange
{
	int			use;
	SubTransactionId subid;
	bool		deletes;
	Oid			owner;			/* of one that is given */
	bool		had_row;		/* the share partition had a row then */
} GroupChange;

/* A change of records that follow each other. */
typedef struct ShareChange
{
	int			use;
	ShareChangeKind kind;
	SubTransactionId subid;
	int64		first;
	int64		last;
	bool		written;
} ShareChange;

static uint64 my_holder = 0;
static ShareUse *uses = NULL;
static int	use_count = 0;
static int	use_capacity = 0;

/* stacks: those of a subtransaction that runs are the last ones */
static ShareChange *changes = NULL;
static int	change_count = 0;
static int	change_capacity = 0;
static GroupChange *group_changes = NULL;
static int	group_change_count = 0;
static int	group_change_capacity = 0;
static int	locked_generation = -1;	/* of the table whose lock the transaction has; -1: of none yet */

/* ---- notes ------------------------------------------------------------------ */

uint64
pgt_share_transaction_holder(void)
{
	if (my_holder == 0)
		my_holder = pgt_share_table_next_holder();
	return my_holder;
}

ShareSlot *
pgt_share_transaction_find(const ShareKey *key)
{
	for (int i = 0; i < use_count; i++)
	{
		if (memcmp(&uses[i].slot->key, key, sizeof(ShareKey)) == 0)
			return uses[i].slot;
	}
	return NULL;
}

/* An array in the transaction's memory, with room for so many elements. */
static void *
grown(void *array, int *capacity, int wanted, Size size)
{
	int			new_capacity = Max(wanted, Max(*capacity * 2, 16));

	if (wanted <= *capacity)
		return array;
	array = array == NULL ? MemoryContextAlloc(TopTransactionContext, size * new_capacity) :
		repalloc_huge(array, size * new_capacity);
	*capacity = new_capacity;
	return array;
}

void
pgt_share_transaction_note_slot(ShareSlot *slot, Oid schema)
{
	PG_TRY();
	{
		uses = grown(uses, &use_capacity, use_count + 1, sizeof(ShareUse));
	}
	PG_CATCH();
	{
		pgt_share_table_leave(slot);
		PG_RE_THROW();
	}
	PG_END_TRY();
	uses[use_count++] = (ShareUse) {.slot = slot,.schema = schema};
}

void
pgt_share_transaction_reserve(int count)
{
	changes = grown(changes, &change_capacity, change_count + count, sizeof(ShareChange));
}

/* Which of the uses is that of the slot? */
static int
use_of(const ShareSlot *slot)
{
	int			i = 0;

	while (uses[i].slot != slot)
		i++;
	return i;
}

void
pgt_share_transaction_note(ShareSlot *slot, ShareChangeKind kind, int64 first, int64 last)
{
	SubTransactionId subid = GetCurrentSubTransactionId();
	int			use = use_of(slot);
	ShareChange *before = change_count > 0 ? &changes[change_count - 1] : NULL;

	if (before != NULL && before->use == use && before->kind == kind && before->subid == subid && !before->written &&
		before->last + 1 == first)
	{
		before->last = last;
		return;
	}
	Assert(change_count < change_capacity);
	changes[change_count++] = (ShareChange) {use, kind, subid, first, last, false};
}

/* Note a change of the group of a slot. */
static void
note_group(ShareSlot *slot, bool deletes, Oid owner)
{
	group_changes = grown(group_changes, &group_change_capacity, group_change_count + 1, sizeof(GroupChange));
	group_changes[group_change_count++] = (GroupChange) {
		.use = use_of(slot),.subid = GetCurrentSubTransactionId(),
		.deletes = deletes,.owner = owner,.had_row = slot->durable
	};
}

void
pgt_share_transaction_note_deleted(ShareSlot *slot)
{
	note_group(slot, true, InvalidOid);
}

void
pgt_share_transaction_note_owner(ShareSlot *slot, Oid owner)
{
	note_group(slot, false, owner);
}

/* What the transaction has last done with the group of a slot; NULL: nothing. */
static const GroupChange *
group_change_of(int use)
{
	int			i = group_change_count;

	while (i > 0 && group_changes[i - 1].use != use)
		i--;
	return i > 0 ? &group_changes[i - 1] : NULL;
}

/* Does the transaction delete the group of a slot? */
static bool
is_deleted(int use)
{
	const GroupChange *change = group_change_of(use);

	return change != NULL && change->deletes;
}

List *
pgt_share_transaction_new_slots(Oid topic, const char *group_id)
{
	List	   *slots = NIL;

	for (int i = 0; i < use_count; i++)
	{
		ShareSlot  *slot = uses[i].slot;

		if (!slot->durable && slot->key.topic == topic && strcmp(slot->group_id, group_id) == 0)
			slots = lappend(slots, slot);
	}
	return slots;
}

/* ---- taking back ------------------------------------------------------------- */

/* Take back a change; the slot's lock is held. */
static void
undo(const ShareChange *change)
{
	ShareUse   *use = &uses[change->use];

	if (change->kind == SHARE_CHANGE_ACKNOWLEDGED)
		pgt_share_window_undo_acknowledge(&use->slot->window, change->first, change->last, my_holder);
	else
		use->released += pgt_share_window_undo_acquire(&use->slot->window, change->first, change->last, my_holder);
}

/* Wake those who wait for what is available again. */
static void
announce(ShareUse *use)
{
	ShareKey	key = use->slot->key;

	if (use->released > 0)
		pgt_topic_waiters_announce_to(key.database, key.topic, key.partition, key.group, use->released);
	use->released = 0;
}

/* The subtransaction has ended well: its changes are its parent's. */
static void
inherit(SubTransactionId subid, SubTransactionId parent)
{
	for (int i = change_count; i > 0 && changes[i - 1].subid == subid; i--)
		changes[i - 1].subid = parent;
	for (int i = group_change_count; i > 0 && group_changes[i - 1].subid == subid; i--)
		group_changes[i - 1].subid = parent;
}

/* Take back a change of a group. */
static void
undo_group(const GroupChange *change)
{
	ShareSlot  *slot = uses[change->use].slot;

	if (!change->deletes)
		return;
	LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
	slot->deleter = 0;
	LWLockRelease(&slot->lock);
}

/* The subtransaction has rolled back: its changes are taken back. */
static void
undo_subtransaction(SubTransactionId subid)
{
	for (; change_count > 0 && changes[change_count - 1].subid == subid; change_count--)
	{
		const ShareChange *change = &changes[change_count - 1];
		ShareSlot  *slot = uses[change->use].slot;

		LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
		undo(change);
		LWLockRelease(&slot->lock);
	}
	for (; group_change_count > 0 && group_changes[group_change_count - 1].subid == subid; group_change_count--)
		undo_group(&group_changes[group_change_count - 1]);
	for (int i = 0; i < use_count; i++)
		announce(&uses[i]);
}

/* SubXactCallback */
static void
share_subxact_callback(SubXactEvent event, SubTransactionId subid, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_COMMIT_SUB)
		inherit(subid, parent);
	else if (event == SUBXACT_EVENT_ABORT_SUB)
		undo_subtransaction(subid);
}

/* ---- writing before the commit -------------------------------------------------- */

/* What a transaction has acknowledged in a slot: encoded; false: nothing. */
static bool
encode_changes(int use, StringInfo states, int64 *start_offset)
{
	ShareWindow *window = &uses[use].slot->window;
	ShareRange	range;
	int64		offset;

	*start_offset = window->start;
	for (int i = 0; i < change_count; i++)
	{
		if (changes[i].use != use || changes[i].written)
			continue;
		if (changes[i].kind == SHARE_CHANGE_ACQUIRED_AUTO)
			pgt_share_window_accept_rest(window, changes[i].first, changes[i].last, my_holder);
		else if (changes[i].kind == SHARE_CHANGE_ACQUIRED)
			continue;
		offset = changes[i].first;
		while (pgt_share_window_next_pending(window, &offset, changes[i].last, my_holder, &range))
			pgt_share_row_add_range(states, *start_offset, &range);
	}
	offset = 0;
	while (states->len > VARHDRSZ + 1 && pgt_share_window_next_unsaved(window, &offset, &range))
		pgt_share_row_add_range(states, *start_offset, &range);
	return states->len > VARHDRSZ + 1;
}

/* The tag of the lock under which a share partition gets its row. */
static LOCKTAG
row_tag(const ShareKey *key)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, key->database, key->topic,
						 hash_combine((uint32) (key->group ^ (key->group >> 32)), (uint32) key->partition),
						 SHARE_ROW_LOCK_CLASS);
	return tag;
}

/* ERROR: the row that has appeared is not of this slot. */
static void
report_other_group(const ShareSlot *slot)
{
	/* a prepared transaction may have made the group of the same name in another slot */
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("share group \"%s\" of topic \"%s\" was made by another transaction",
					slot->group_id, get_rel_name(slot->key.topic)),
			 errhint("Try the transaction again.")));
}

/* Write the row of a share partition that has, or had, none yet. */
static void
write_row(int i)
{
	ShareUse   *use = &uses[i];
	ShareSlot  *slot = use->slot;
	const GroupChange *gift = group_change_of(i);
	LOCKTAG		tag = row_tag(&slot->key);
	ShareRow	row;

	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	if (pgt_share_row_read(use->schema, slot->key.topic, slot->group_id, slot->key.partition, &row))
	{
		if (row.share_id != slot->share_id)
			report_other_group(slot);
		/* it could not be given away before */
		if (gift != NULL)
			(void) pgt_share_row_set_owner(use->schema, slot->key.topic, slot->group_id, gift->owner);
		LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
		slot->durable = true;
		LWLockRelease(&slot->lock);
		return;
	}
	row = (ShareRow) {
		.topic = slot->key.topic,.group_id = slot->group_id,.partition = slot->key.partition,
		.share_id = slot->share_id,.owner = gift != NULL ? gift->owner : slot->owner,
		.start_offset = slot->window.start
	};
	pgt_share_row_insert(use->schema, &row);
	use->wrote_row = true;
}

/* The changes of a slot are written. */
static void
note_written(int use)
{
	for (int i = 0; i < change_count; i++)
	{
		if (changes[i].use == use)
			changes[i].written = true;
	}
}

/* Write what the transaction has acknowledged in a slot; "commits": and its row, since it is about to commit. */
static void
write_use(int i, bool commits)
{
	ShareUse   *use = &uses[i];
	const GroupChange *gift = group_change_of(i);
	StringInfoData states;
	int64		start_offset;
	bool		durable;
	bool		any;

	/* the transaction may have dropped the topic, and the extension */
	if (is_deleted(i) || !SearchSysCacheExists1(RELOID, ObjectIdGetDatum(use->slot->key.topic)))
		return;
	pgt_share_row_begin_states(&states);
	LWLockAcquire(&use->slot->lock, LW_EXCLUSIVE);
	durable = use->slot->durable;
	any = encode_changes(i, &states, &start_offset);
	LWLockRelease(&use->slot->lock);
	if (commits && (!durable || (gift != NULL && !gift->had_row)))
		write_row(i);
	if (any)
		pgt_share_row_insert_ack(use->schema, locked_generation >= 0 ? locked_generation : pgt_share_table_generation(),
								 use->slot->share_id, start_offset, &states);
	note_written(i);
	pfree(states.data);
}

/* qsort: by the slots' keys */
static int
compare_uses(const void *a, const void *b)
{
	return memcmp(&uses[*(const int *) a].slot->key, &uses[*(const int *) b].slot->key, sizeof(ShareKey));
}

/* Write all, in an order in which no two transactions wait for each other. */
static void
write_all(bool commits)
{
	int		   *order = palloc(sizeof(int) * use_count);
	bool		has_snapshot = ActiveSnapshotSet();

	for (int i = 0; i < use_count; i++)
		order[i] = i;
	qsort(order, use_count, sizeof(int), compare_uses);
	if (!has_snapshot)
		PushActiveSnapshot(GetTransactionSnapshot());
	for (int i = 0; i < use_count; i++)
		write_use(order[i], commits);
	if (!has_snapshot)
		PopActiveSnapshot();
	pfree(order);
}

void
pgt_share_transaction_write(void)
{
	if (use_count > 0)
		write_all(false);
}

/* ---- without waiting --------------------------------------------------------------- */

/* Call try(arg) with what is locked belonging to the transaction as a whole. */
static bool
try_for_transaction(bool (*try) (void *arg), void *arg)
{
	ResourceOwner owner = CurrentResourceOwner;
	bool		done;

	CurrentResourceOwner = TopTransactionResourceOwner;
	PG_TRY();
	{
		done = try(arg);
	}
	PG_FINALLY();
	{
		CurrentResourceOwner = owner;
	}
	PG_END_TRY();
	return done;
}

static bool
try_tables(void *arg)
{
	locked_generation = pgt_share_row_try_lock(*(Oid *) arg);
	return locked_generation >= 0;
}

static bool
try_row(void *arg)
{
	LOCKTAG		tag = row_tag(arg);

	return LockAcquire(&tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
}

bool
pgt_share_transaction_try_lock(Oid schema)
{
	return locked_generation >= 0 || try_for_transaction(try_tables, &schema);
}

bool
pgt_share_transaction_try_lock_row(const ShareKey *key, Oid schema)
{
	return pgt_share_transaction_try_lock(schema) && try_for_transaction(try_row, (void *) key);
}

/* ---- the end --------------------------------------------------------------------- */

/* Let a change count as the transaction ends well. */
static void
apply(const ShareChange *change, bool prepared)
{
	ShareUse   *use = &uses[change->use];
	ShareWindow *window = &use->slot->window;
	bool		was_full = pgt_share_window_is_full(window);
	int64		start = window->start;

	if (prepared)
		use->released += pgt_share_window_prepare(window, change->first, change->last, my_holder,
												  GetTopTransactionIdIfAny());
	else
		use->released += pgt_share_window_commit(window, change->first, change->last, my_holder);
	/* there is room for new records */
	if (was_full)
		use->released += window->start - start;
}

/* The transaction ends: let all that it has done to records count, or take it back. */
static void
end_changes(bool commits, bool prepared)
{
	for (int n = 0; n < change_count; n++)
	{
		const ShareChange *change = &changes[commits ? n : change_count - 1 - n];
		ShareSlot  *slot = uses[change->use].slot;

		LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
		if (commits)
			apply(change, prepared);
		else
			undo(change);
		LWLockRelease(&slot->lock);
	}
}

/* The transaction ends: leave a slot. */
static void
end_use(int i, bool commits, bool prepared)
{
	ShareUse   *use = &uses[i];
	ShareSlot  *slot = use->slot;
	const GroupChange *change = group_change_of(i);

	LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
	if (commits && !prepared && use->wrote_row)
	{
		slot->durable = true;
		slot->row_lsn = XactLastCommitEnd;
	}
	if (change != NULL && change->deletes)
	{
		slot->deleter = 0;
		slot->removed = commits;
	}
	else if (change != NULL && commits)
		slot->owner = change->owner;
	LWLockRelease(&slot->lock);
	announce(use);
	pgt_share_table_leave(slot);
}

/* The transaction ends. */
static void
end_transaction(bool commits, bool prepared)
{
	end_changes(commits, prepared);
	for (int i = 0; i < use_count; i++)
		end_use(i, commits, prepared);
	uses = NULL;
	changes = NULL;
	group_changes = NULL;
	use_count = use_capacity = change_count = change_capacity = group_change_count = group_change_capacity = 0;
	locked_generation = -1;
}

/* ERROR where the transaction changes a group as a whole: when it ends, nobody would change the slots. */
static void
refuse_prepare(void)
{
	if (group_change_count > 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot PREPARE a transaction that has deleted or changed a share group")));
}

/* XactCallback */
static void
share_xact_callback(XactEvent event, void *arg)
{
	if (use_count == 0)
	{
		if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		{
			my_holder = 0;
			locked_generation = -1;
		}
		return;
	}
	switch (event)
	{
		case XACT_EVENT_PRE_PREPARE:
			refuse_prepare();
			write_all(true);
			break;
		case XACT_EVENT_PRE_COMMIT:
			write_all(true);
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			end_transaction(event != XACT_EVENT_ABORT, event == XACT_EVENT_PREPARE);
			my_holder = 0;
			break;
		default:
			break;
	}
}

void
pgt_share_transaction_end_prepared(ShareSlot *slot)
{
	int64		offset = 0;
	uint32		xid;

	while ((xid = pgt_share_window_next_prepared(&slot->window, &offset)) != 0)
	{
		if (!TransactionIdIsInProgress(xid))
			(void) pgt_share_window_end_prepared(&slot->window, xid, TransactionIdDidCommit(xid));
	}
}

/* visit of pgt_share_table_walk() */
static bool
end_prepared_in(ShareSlot *slot, void *arg)
{
	if (slot->window.prepared > 0)
		pgt_share_transaction_end_prepared(slot);
	return true;
}

void
pgt_share_transaction_end_all_prepared(void)
{
	pgt_share_table_walk(end_prepared_in, NULL);
}

void
pgt_share_transaction_init(void)
{
	RegisterXactCallback(share_xact_callback, NULL);
	RegisterSubXactCallback(share_subxact_callback, NULL);
}
