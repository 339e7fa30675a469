/*
 * kafka_txn_map.c
 *	  The server's table of Kafka transactions, shared by all processes.
 *
 * kafka_txn_table.h has the table and what numbers are.  Here are its lock, who asks it, and how it
 * is saved.
 *
 *	  begin, end		change it and log that, under one hold of the lock (kafka_txn.c); redo likewise
 *	  append			holds the lock shared from the check that the transaction is open until the
 *						batches are logged: so none is logged behind the end of its transaction
 *	  readers			ask it for each number that they meet (batch_visibility.c, entry_walk.c)
 *	  resolve, delete	let parts go that their partition is past, or whose entries are settled
 *	  sync				saves it beside the recovery point (kafka_txn_file.c)
 *	  drop				a slot's parts go with it (log_state.c)
 *
 * Why a snapshot sees a Kafka transaction in all partitions or in none, although they are asked
 * one after the other: while the transaction is open it is running for everyone.  It is mapped to
 * Y while Y is running.  So whoever finds it open in one partition has a snapshot that takes Y as
 * running, or that cannot know Y yet; and finds it running in the next partition, too.  That holds
 * for one that was aborted as well, since it has an id, too.
 *
 * A number goes only when no entry has it any more.  Who has read an entry before and asks after that
 * finds it unknown, reads the entry once more, and finds the id.
 *
 * Locks: the table's own, below a slot's; no other lock is taken under it but those of the WAL.  It is
 * held shared while an append rolls the log, so a roll's fsync delays who wants to begin or end a
 * transaction.
 */
#include "postgres.h"

#include "log/kafka_txn_map.h"
#include "port/atomics.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "util/compat.h"

/* What is shared; the table follows. */
typedef struct KafkaTxnShared
{
	LWLock		lock;
	pg_atomic_uint32 changed;	/* not 0: the file is older than the table */
	pg_atomic_uint32 count;		/* of the table, to be read without the lock */
	int			wal_max;		/* pg_topics.kafka_max_transactions of the server that wrote the WAL; 0: not known */
	XLogRecPtr	lsn;			/* end of the last record that has changed it */
} KafkaTxnShared;

int			pgt_kafka_max_transactions = 4096;

static KafkaTxnShared *shared = NULL;
static KafkaTxnTable *table = NULL;

Size
pgt_kafka_txn_map_size(int partitions)
{
	return add_size(MAXALIGN(sizeof(KafkaTxnShared)), pgt_kafka_txn_table_size(pgt_kafka_max_transactions, partitions));
}

void
pgt_kafka_txn_map_init(int partitions)
{
	bool		found;

	shared = ShmemInitStruct("pg_topics Kafka transactions", pgt_kafka_txn_map_size(partitions), &found);
	table = (KafkaTxnTable *) ((char *) shared + MAXALIGN(sizeof(KafkaTxnShared)));
	if (found)
		return;
	memset(shared, 0, sizeof(*shared));
	LWLockInitialize(&shared->lock, pgt_new_tranche("pg_topics Kafka transactions"));
	pg_atomic_init_u32(&shared->changed, 0);
	pg_atomic_init_u32(&shared->count, 0);
	pgt_kafka_txn_table_init(table, pgt_kafka_max_transactions, partitions);
}

/* ---- the lock ------------------------------------------------------------------ */

KafkaTxnTable *
pgt_kafka_txn_map_lock(void)
{
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	return table;
}

void
pgt_kafka_txn_map_unlock(void)
{
	pg_atomic_write_u32(&shared->count, table->count);
	LWLockRelease(&shared->lock);
}

void
pgt_kafka_txn_map_note_change(void)
{
	pg_atomic_write_u32(&shared->changed, 1);
}

void
pgt_kafka_txn_map_changed(XLogRecPtr lsn)
{
	Assert(LWLockHeldByMeInMode(&shared->lock, LW_EXCLUSIVE));
	shared->lsn = Max(shared->lsn, lsn);
	pgt_kafka_txn_map_note_change();
}

bool
pgt_kafka_txn_map_take_change(void)
{
	return pg_atomic_exchange_u32(&shared->changed, 0) != 0;
}

bool
pgt_kafka_txn_map_has_changed(void)
{
	return pg_atomic_read_u32(&shared->changed) != 0;
}

/* ---- asking -------------------------------------------------------------------- */

/* What has become of a number, with the end of the record that has ended it; 0: that is not known. */
static KafkaTxnAnswer
look_up(uint64 number, uint64 *xid, XLogRecPtr *ended_lsn)
{
	KafkaTxnAnswer answer = KAFKA_TXN_UNKNOWN;
	const KafkaTxn *txn;

	LWLockAcquire(&shared->lock, LW_SHARED);
	txn = pgt_kafka_txn_table_find(table, number);
	if (txn != NULL)
	{
		*xid = txn->xid;
		*ended_lsn = txn->ended_lsn;
		answer = txn->xid == 0 ? KAFKA_TXN_OPEN : txn->aborted ? KAFKA_TXN_ABORTED : KAFKA_TXN_MAPPED;
	}
	LWLockRelease(&shared->lock);
	return answer;
}

KafkaTxnAnswer
pgt_kafka_txn_map_look_up(uint64 number, uint64 *xid)
{
	XLogRecPtr	ended_lsn;

	return look_up(number, xid, &ended_lsn);
}

bool
pgt_kafka_txn_map_translate(IndexEntry *entry, XLogRecPtr *ended_lsn)
{
	uint64		xid;
	XLogRecPtr	lsn = InvalidXLogRecPtr;
	KafkaTxnAnswer answer;

	Assert(pgt_index_entry_is_numbered(entry));
	answer = look_up(entry->xid, &xid, &lsn);
	if (ended_lsn != NULL)
		*ended_lsn = lsn;
	switch (answer)
	{
		case KAFKA_TXN_OPEN:
			return true;
		case KAFKA_TXN_ABORTED:
			entry->flags |= ENTRY_ABORTED;
			/* FALLTHROUGH */
		case KAFKA_TXN_MAPPED:
			entry->xid = xid;
			return true;
		case KAFKA_TXN_UNKNOWN:
			break;
	}
	return false;
}

/* Copy a part. */
static void
copy_part(KafkaTxnFilePart *copy, const KafkaTxn *txn, const KafkaTxnPart *part)
{
	memset(copy, 0, sizeof(*copy));
	copy->number = txn->number;
	copy->first_offset = part->first_offset;
	copy->end_offset = part->end_offset;
	copy->key = part->key;
}

/* Copy the parts of a transaction that have batches; how many those are.  The table's lock is held exclusively. */
static int
copy_parts(KafkaTxnFilePart *copies, const KafkaTxn *txn)
{
	const KafkaTxnPart *part = NULL;
	int			count = 0;

	while ((part = pgt_kafka_txn_table_next_part(table, txn, part)) != NULL)
		if (part->end_offset > 0)
			copy_part(&copies[count++], txn, part);
	return count;
}

int
pgt_kafka_txn_map_list(KafkaTxnInfo **transactions)
{
	KafkaTxnInfo *info;
	KafkaTxnFilePart *parts;
	const KafkaTxn *txn = NULL;
	int			count;

	/* exclusively: an append changes its part under a shared lock */
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	count = table->count;
	info = MemoryContextAllocHuge(CurrentMemoryContext, Max(count, 1) * sizeof(KafkaTxnInfo) +
								  table->part_count * sizeof(KafkaTxnFilePart));
	*transactions = info;
	parts = (KafkaTxnFilePart *) (info + count);
	for (; (txn = pgt_kafka_txn_table_next(table, txn)) != NULL; info++)
	{
		*info = (KafkaTxnInfo) {txn->number, txn->xid, txn->aborted, txn->producer_id, txn->producer_epoch,
			txn->database, txn->started, copy_parts(parts, txn), parts};
		parts += info->part_count;
	}
	LWLockRelease(&shared->lock);
	return count;
}

int
pgt_kafka_txn_map_parts(uint64 number, KafkaTxnFilePart **parts)
{
	const KafkaTxn *txn;
	int			count = 0;

	*parts = NULL;
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	txn = pgt_kafka_txn_table_find(table, number);
	if (txn != NULL && txn->xid == 0)
	{
		*parts = MemoryContextAllocHuge(CurrentMemoryContext, Max(txn->part_count, 1) * sizeof(KafkaTxnFilePart));
		count = copy_parts(*parts, txn);
	}
	LWLockRelease(&shared->lock);
	return count;
}

int
pgt_kafka_txn_map_count(void)
{
	return *(volatile int32 *) &table->count;
}

bool
pgt_kafka_txn_map_started(uint64 number, int64 *started)
{
	const KafkaTxn *txn;
	bool		is_open;

	LWLockAcquire(&shared->lock, LW_SHARED);
	txn = pgt_kafka_txn_table_find(table, number);
	is_open = txn != NULL && txn->xid == 0;
	if (is_open)
		*started = txn->started;
	LWLockRelease(&shared->lock);
	return is_open;
}

bool
pgt_kafka_txn_map_find_producer(Oid database, int64 producer_id, uint64 *number, int16 *epoch)
{
	const KafkaTxn *txn;
	bool		found;

	LWLockAcquire(&shared->lock, LW_SHARED);
	txn = pgt_kafka_txn_table_find_producer(table, database, producer_id);
	found = txn != NULL;
	if (found)
	{
		*number = txn->number;
		*epoch = txn->producer_epoch;
	}
	LWLockRelease(&shared->lock);
	return found;
}

bool
pgt_kafka_txn_map_first_open(int slot, int64 *producer_id)
{
	const KafkaTxnPart *part = NULL;
	int64		first = PG_INT64_MAX;

	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	while ((part = pgt_kafka_txn_table_next_of_slot(table, slot, part)) != NULL)
	{
		const KafkaTxn *txn = pgt_kafka_txn_table_of_part(table, part);

		if (txn->xid != 0 || part->end_offset == 0 || part->first_offset >= first)
			continue;
		first = part->first_offset;
		*producer_id = txn->producer_id;
	}
	LWLockRelease(&shared->lock);
	return first != PG_INT64_MAX;
}

/* Copy those of a slot's partition that have ended, as many as there is room for; the caller holds the lock.  How many there are. */
static int
copy_ended(int slot, KafkaTxnEnded *ended, int room)
{
	const KafkaTxnPart *part = NULL;
	int			count = 0;

	while ((part = pgt_kafka_txn_table_next_of_slot(table, slot, part)) != NULL)
	{
		const KafkaTxn *txn = pgt_kafka_txn_table_of_part(table, part);

		if (txn->xid == 0)
			continue;
		if (count < room)
			ended[count] = (KafkaTxnEnded) {txn->number, txn->xid, txn->aborted, part->first_offset, part->end_offset};
		count++;
	}
	return count;
}

int
pgt_kafka_txn_map_list_ended(int slot, KafkaTxnEnded **ended)
{
	int			room;
	int			count;

	*ended = NULL;
	if (!pgt_kafka_txn_table_has_slot(table, slot))
		return 0;
	LWLockAcquire(&shared->lock, LW_SHARED);
	room = copy_ended(slot, NULL, 0);
	LWLockRelease(&shared->lock);
	if (room == 0)
		return 0;
	*ended = palloc(room * sizeof(KafkaTxnEnded));
	LWLockAcquire(&shared->lock, LW_SHARED);
	count = copy_ended(slot, *ended, room);
	LWLockRelease(&shared->lock);
	return Min(count, room);
}

uint64
pgt_kafka_txn_map_oldest_xid(void)
{
	uint64		oldest;

	LWLockAcquire(&shared->lock, LW_SHARED);
	oldest = pgt_kafka_txn_table_oldest_xid(table);
	LWLockRelease(&shared->lock);
	return oldest;
}

/* ---- appending ------------------------------------------------------------------- */

/* Is the transaction open, and is it the producer's? */
static KafkaTxnHold
check_open(const KafkaTxn *txn, const KafkaTxnAppend *append)
{
	if (txn == NULL || txn->xid != 0)
		return KAFKA_TXN_HOLD_ENDED;
	return txn->producer_id == append->producer_id && txn->producer_epoch == append->producer_epoch ?
		KAFKA_TXN_HELD : KAFKA_TXN_HOLD_FENCED;
}

/* Give the transaction a part in the partition. */
static KafkaTxnHold
add_part(const KafkaTxnAppend *append)
{
	KafkaTxn   *txn;
	KafkaTxnHold result;

	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	txn = pgt_kafka_txn_table_find(table, append->number);
	result = check_open(txn, append);
	if (result == KAFKA_TXN_HELD && pgt_kafka_txn_table_find_part(table, txn, append->slot) == NULL &&
		(!pgt_kafka_txn_table_has_part_room(table) ||
		 pgt_kafka_txn_table_add_part(table, txn, append->slot, &append->key) == NULL))
		result = KAFKA_TXN_HOLD_FULL;
	LWLockRelease(&shared->lock);
	return result;
}

KafkaTxnHold
pgt_kafka_txn_map_begin_append(KafkaTxnAppend *append)
{
	for (;;)
	{
		const KafkaTxnPart *part = NULL;
		const KafkaTxn *txn;
		KafkaTxnHold result;

		LWLockAcquire(&shared->lock, LW_SHARED);
		txn = pgt_kafka_txn_table_find(table, append->number);
		result = check_open(txn, append);
		if (result == KAFKA_TXN_HELD)
			part = pgt_kafka_txn_table_find_part(table, txn, append->slot);
		if (part != NULL)
		{
			append->first_offset = part->first_offset;
			append->end_offset = part->end_offset;
			return KAFKA_TXN_HELD;
		}
		LWLockRelease(&shared->lock);
		if (result == KAFKA_TXN_HELD)
			result = add_part(append);
		if (result != KAFKA_TXN_HELD)
			return result;
	}
}

void
pgt_kafka_txn_map_end_append(void)
{
	LWLockRelease(&shared->lock);
}

void
pgt_kafka_txn_map_appended(uint64 number, int slot, int64 first_offset, int64 end_offset)
{
	KafkaTxnPart *part;

	Assert(LWLockHeldByMe(&shared->lock));
	part = pgt_kafka_txn_table_find_part(table, pgt_kafka_txn_table_find(table, number), slot);
	part->first_offset = first_offset;
	part->end_offset = end_offset;
	pgt_kafka_txn_map_note_change();
}

/* ---- redo, resolving, deleting -------------------------------------------------------- */

bool
pgt_kafka_txn_map_redo_append(const KafkaTxnAppend *append)
{
	KafkaTxnPart *part = NULL;
	KafkaTxn   *txn;

	(void) pgt_kafka_txn_map_lock();
	txn = pgt_kafka_txn_table_find(table, append->number);
	/* a base backup may have the file from when it was resolved already; its end is still to come */
	if (txn == NULL && (txn = pgt_kafka_txn_table_add(table, append->number)) != NULL)
		pgt_kafka_txn_table_set_producer(table, txn, append->key.database, append->producer_id, append->producer_epoch);
	if (txn != NULL)
		part = pgt_kafka_txn_table_find_part(table, txn, append->slot);
	if (txn != NULL && part == NULL)
		part = pgt_kafka_txn_table_add_part(table, txn, append->slot, &append->key);
	if (part != NULL)
	{
		part->first_offset = append->first_offset;
		part->end_offset = append->end_offset;
	}
	pgt_kafka_txn_map_note_change();
	pgt_kafka_txn_map_unlock();
	return part != NULL;
}

void
pgt_kafka_txn_map_pass(int slot, int64 offset, XLogRecPtr lsn)
{
	/* parts with batches come and go under the slot's lock */
	if (likely(!pgt_kafka_txn_table_has_slot(table, slot)))
		return;
	(void) pgt_kafka_txn_map_lock();
	/* if the file lacks them, the record must not be lost */
	if (pgt_kafka_txn_table_pass(table, slot, offset) > 0)
		pgt_kafka_txn_map_changed(lsn);
	pgt_kafka_txn_map_unlock();
}

void
pgt_kafka_txn_map_settled(int slot, const uint64 *numbers, int count, XLogRecPtr lsn)
{
	bool		changed = false;

	(void) pgt_kafka_txn_map_lock();
	for (int i = 0; i < count; i++)
		changed |= pgt_kafka_txn_table_settle(table, numbers[i], slot);
	if (changed)
		pgt_kafka_txn_map_changed(lsn);
	pgt_kafka_txn_map_unlock();
}

void
pgt_kafka_txn_map_clear_slot(int slot)
{
	pgt_kafka_txn_map_pass(slot, PG_INT64_MAX, InvalidXLogRecPtr);
}

void
pgt_kafka_txn_map_forget_database(Oid database)
{
	if (pg_atomic_read_u32(&shared->count) == 0)
		return;
	(void) pgt_kafka_txn_map_lock();
	if (pgt_kafka_txn_table_forget_database(table, database) > 0)
		pgt_kafka_txn_map_note_change();
	pgt_kafka_txn_map_unlock();
}

/* ---- saving and restoring -------------------------------------------------------------- */

Size
pgt_kafka_txn_map_save_size(void)
{
	return pgt_kafka_txn_file_format_length(table->room, table->part_room);
}

void
pgt_kafka_txn_map_save(char *bytes, KafkaTxnSaved *saved)
{
	KafkaTxnFileEntry *entry = (KafkaTxnFileEntry *) bytes;
	KafkaTxnFilePart *part;
	const KafkaTxn *txn = NULL;

	/* exclusively: an append changes its part under a shared lock */
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	*saved = (KafkaTxnSaved) {.max_transactions = shared->wal_max,.lsn = shared->lsn};
	for (; (txn = pgt_kafka_txn_table_next(table, txn)) != NULL; entry++)
	{
		memset(entry, 0, sizeof(*entry));
		entry->number = txn->number;
		entry->xid = txn->xid;
		entry->producer_id = txn->producer_id;
		entry->started = txn->started;
		entry->database = txn->database;
		entry->producer_epoch = txn->producer_epoch;
		entry->aborted = txn->aborted ? 1 : 0;
		saved->transactions++;
	}
	part = (KafkaTxnFilePart *) entry;
	while ((txn = pgt_kafka_txn_table_next(table, txn)) != NULL)
	{
		int			count = copy_parts(part, txn);

		part += count;
		saved->parts += count;
	}
	LWLockRelease(&shared->lock);
}

int
pgt_kafka_txn_map_wal_max(void)
{
	return shared->wal_max;
}

void
pgt_kafka_txn_map_set_wal_max(int transactions)
{
	shared->wal_max = transactions;
	pgt_kafka_txn_map_note_change();
}

bool
pgt_kafka_txn_map_restore(const KafkaTxnFileEntry *entry)
{
	KafkaTxn   *txn = pgt_kafka_txn_table_add(table, entry->number);

	if (txn == NULL)
		return false;
	txn->xid = entry->xid;
	pgt_kafka_txn_table_set_producer(table, txn, entry->database, entry->producer_id, entry->producer_epoch);
	txn->started = entry->started;
	txn->aborted = entry->aborted != 0;
	pg_atomic_write_u32(&shared->count, table->count);
	return true;
}

bool
pgt_kafka_txn_map_restore_part(const KafkaTxnFilePart *saved, int slot, int64 log_end)
{
	KafkaTxn   *txn = pgt_kafka_txn_table_find(table, saved->number);
	KafkaTxnPart *part;

	/* it went while the file was collected; or the WAL has these batches, or they are lost with it */
	if (txn == NULL || saved->first_offset >= log_end)
		return true;
	part = pgt_kafka_txn_table_add_part(table, txn, slot, &saved->key);
	if (part == NULL)
		return false;
	part->first_offset = saved->first_offset;
	part->end_offset = Min(saved->end_offset, log_end);
	return true;
}

void
pgt_kafka_txn_map_restored(void)
{
	KafkaTxn   *next;

	for (KafkaTxn *txn = pgt_kafka_txn_table_next(table, NULL); txn != NULL; txn = next)
	{
		next = pgt_kafka_txn_table_next(table, txn);
		if (txn->xid != 0)
			pgt_kafka_txn_table_end(table, txn, txn->xid, txn->aborted);
	}
	pg_atomic_write_u32(&shared->count, table->count);
}
