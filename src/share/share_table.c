/*
 * share_table.c
 *	  The share partitions in use: the windows that all sessions share.
 *
 * A table of fixed size in shared memory.  A share partition has a slot from its first use
 * on.  When all slots are taken, the one that nobody uses and that was used longest ago goes to
 * another share partition; what was known of its own is in rows, from which it is read again
 * (share_row.c).  So the number of slots limits how many are busy at a time, not how many there are.
 *
 * The slots of a topic that is dropped are given back, as leases may last for years.  Leases end by the monotonic clock:
 * they are known to this memory alone, and it is no matter whether somebody sets the server's clock.
 *
 * A transaction that makes a group and rolls back leaves no group.  But it leaves the slot where records were delivered in vain, so
 * that they are counted; the next one of the same role takes it over, and it goes where there is no room.
 *
 * After a crash or a restart the table is empty.  What was acquired and not acknowledged is
 * available again then.
 *
 * Locks: the table's lock guards the map from keys to slots; then a slot's lock.  Neither is held
 * across I/O.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/shmem.h"
#include "utils/hsearch.h"

#include "log/topic_waiters.h"
#include "share/share_table.h"
#include "util/clock.h"
#include "util/compat.h"

typedef struct ShareEntry
{
	ShareKey	key;
	int32		slot;
} ShareEntry;

typedef struct ShareTable
{
	LWLock		lock;
	pg_atomic_uint64 next_holder;
	pg_atomic_uint32 next_member;
	pg_atomic_uint32 generation;
	int32		slot_count;
	int32		window_size;
} ShareTable;

int			pgt_max_share_partitions = 256;
int			pgt_share_partition_max_record_locks = 2000;

static ShareTable *table = NULL;
static char *slots = NULL;
static HTAB *by_key = NULL;

/* ---- shared memory --------------------------------------------------------- */

/* The bytes of a slot. */
static Size
slot_bytes(void)
{
	return MAXALIGN(offsetof(ShareSlot, window) + pgt_share_window_bytes(pgt_share_partition_max_record_locks));
}

static ShareSlot *
slot_at(int i)
{
	return (ShareSlot *) (slots + slot_bytes() * i);
}

Size
pgt_share_table_size(void)
{
	return add_size(add_size(MAXALIGN(sizeof(ShareTable)), mul_size(slot_bytes(), pgt_max_share_partitions)),
					hash_estimate_size(pgt_max_share_partitions, sizeof(ShareEntry)));
}

void
pgt_share_table_init(void)
{
	HASHCTL		info = {.keysize = sizeof(ShareKey),.entrysize = sizeof(ShareEntry)};
	bool		found;
	int			tranche;

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	table = ShmemInitStruct("pg_topics share table", MAXALIGN(sizeof(ShareTable)), &found);
	slots = ShmemInitStruct("pg_topics share partitions", mul_size(slot_bytes(), pgt_max_share_partitions), &found);
	if (!found)
	{
		tranche = pgt_new_tranche("pg_topics share groups");
		memset(table, 0, sizeof(ShareTable));
		LWLockInitialize(&table->lock, tranche);
		pg_atomic_init_u64(&table->next_holder, 1);
		pg_atomic_init_u32(&table->next_member, 1);
		pg_atomic_init_u32(&table->generation, 0);
		table->slot_count = pgt_max_share_partitions;
		table->window_size = pgt_share_partition_max_record_locks;
		for (int i = 0; i < pgt_max_share_partitions; i++)
		{
			memset(slot_at(i), 0, offsetof(ShareSlot, window));
			LWLockInitialize(&slot_at(i)->lock, tranche);
		}
	}
	by_key = PGT_SHMEM_HASH("pg_topics share keys", pgt_max_share_partitions, &info,
							HASH_ELEM | HASH_BLOBS | HASH_FIXED_SIZE);
	LWLockRelease(AddinShmemInitLock);
}

int64
pgt_share_table_now_ms(void)
{
	return pgt_clock_monotonic_us() / 1000 + (int64) pgt_clock_offset;
}

/* ---- slots ----------------------------------------------------------------- */

void
pgt_share_table_key(ShareKey *key, Oid topic, int32 partition, const char *group_id)
{
	memset(key, 0, sizeof(*key));
	key->database = MyDatabaseId;
	key->topic = topic;
	key->partition = partition;
	key->group = pgt_topic_waiters_group(group_id);
}

/*
 * Is a slot left over from transactions that have rolled back, of a share partition that nobody has made?  It says
 * how often its records were delivered in vain, or one that cannot be processed would keep the group from its first commit.
 * One that a prepared transaction has made looks the same when that has ended, but has a row.
 */
static bool
is_left_over(const ShareSlot *slot)
{
	return !slot->removed && !slot->durable && slot->transactions == 0 && slot->window.prepared == 0;
}

/* The slot of a key, entered; NULL: there is none.  The table's lock is held. */
static ShareSlot *
enter(const ShareKey *key, const char *group_id)
{
	ShareEntry *entry = hash_search(by_key, key, HASH_FIND, NULL);
	ShareSlot  *slot;

	if (entry == NULL)
		return NULL;
	slot = slot_at(entry->slot);
	LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
	if (slot->removed || is_left_over(slot) || strcmp(slot->group_id, group_id) != 0)
	{
		LWLockRelease(&slot->lock);
		return NULL;
	}
	slot->transactions++;
	LWLockRelease(&slot->lock);
	return slot;
}

ShareSlot *
pgt_share_table_enter(const ShareKey *key, const char *group_id)
{
	ShareSlot  *slot;

	LWLockAcquire(&table->lock, LW_SHARED);
	slot = enter(key, group_id);
	LWLockRelease(&table->lock);
	return slot;
}

/* Give a slot back that nobody has entered.  Both locks are held. */
static void
give_back(ShareSlot *slot)
{
	(void) hash_search(by_key, &slot->key, HASH_REMOVE, NULL);
	slot->in_use = false;
}

/* Of two slots, of which the first may be NULL, the one that was used before the other. */
static ShareSlot *
older(ShareSlot *slot, ShareSlot *other)
{
	return slot == NULL || other->used_at < slot->used_at ? other : slot;
}

/*
 * A slot that is not used, perhaps any more; NULL: there is none.  The table's lock is held.  One whose share
 * partition is idle, or was not made, comes before one whose leases have ended, with which it is forgotten how often
 * the records were delivered.
 */
static ShareSlot *
free_slot(void)
{
	int64		now = pgt_share_table_now_ms();
	ShareSlot  *idle = NULL;
	ShareSlot  *unused = NULL;
	ShareSlot  *slot;

	for (int i = 0; i < table->slot_count; i++)
	{
		slot = slot_at(i);
		if (!slot->in_use)
			return slot;
		if (slot->transactions > 0 || !(slot->durable || is_left_over(slot)))
			continue;
		if (pgt_share_window_is_in_use(&slot->window, now))
			continue;
		if (is_left_over(slot) || pgt_share_window_is_idle(&slot->window))
			idle = older(idle, slot);
		else
			unused = older(unused, slot);
	}
	slot = idle != NULL ? idle : unused;
	if (slot != NULL)
	{
		LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
		give_back(slot);
		LWLockRelease(&slot->lock);
	}
	return slot;
}

/* Let a slot be a share partition's, entered. */
static void
fill_slot(ShareSlot *slot, const ShareKey *key, const ShareStart *start)
{
	LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
	slot->key = *key;
	slot->in_use = true;
	strlcpy(slot->group_id, start->group_id, sizeof(slot->group_id));
	slot->share_id = start->share_id;
	slot->owner = start->owner;
	slot->durable = start->durable;
	slot->row_lsn = InvalidXLogRecPtr;
	slot->removed = false;
	slot->deleter = 0;
	slot->transactions = 1;
	slot->used_at = pgt_clock_monotonic_us();
	slot->sent_on_at = 0;
	pgt_share_window_copy(&slot->window, table->window_size, start->window);
	LWLockRelease(&slot->lock);
}

/* Does a slot that is left over say something of what begins so?  Not where it begins elsewhere or was another role's. */
static bool
continues(const ShareSlot *slot, const ShareStart *start)
{
	if (start->durable)
		return slot->share_id == start->share_id;
	return strcmp(slot->group_id, start->group_id) == 0 && slot->owner == start->owner &&
		slot->window.start == start->window->start;
}

/* Take over the slot that is left over with this key.  The table's lock is held; NULL: there is none. */
static ShareSlot *
take_over(const ShareKey *key, const ShareStart *start)
{
	ShareEntry *entry = hash_search(by_key, key, HASH_FIND, NULL);
	ShareSlot  *slot = entry == NULL ? NULL : slot_at(entry->slot);

	if (slot == NULL || !is_left_over(slot))
		return NULL;
	if (!continues(slot, start))
	{
		fill_slot(slot, key, start);
		return slot;
	}
	LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
	slot->share_id = start->share_id;
	slot->owner = start->owner;
	slot->durable = start->durable;
	slot->transactions = 1;
	LWLockRelease(&slot->lock);
	return slot;
}

ShareSlot *
pgt_share_table_add(const ShareKey *key, const ShareStart *start)
{
	ShareSlot  *slot;

	LWLockAcquire(&table->lock, LW_EXCLUSIVE);
	slot = enter(key, start->group_id);
	if (slot == NULL)
		slot = take_over(key, start);
	/* one of a group that is being removed, or of another name with the same hash, is in the way */
	if (slot == NULL && hash_search(by_key, key, HASH_FIND, NULL) == NULL && (slot = free_slot()) != NULL)
	{
		ShareEntry *entry = hash_search(by_key, key, HASH_ENTER_NULL, NULL);

		entry->slot = ((char *) slot - slots) / slot_bytes();
		fill_slot(slot, key, start);
	}
	LWLockRelease(&table->lock);
	return slot;
}

/* Is nothing known of a slot's share partition that anybody will ask for?  Its lock is held. */
static bool
is_void(const ShareSlot *slot)
{
	return slot->in_use && slot->transactions == 0 &&
		(slot->removed || (is_left_over(slot) && slot->window.unsaved == 0 &&
						   !pgt_share_window_is_in_use(&slot->window, pgt_share_table_now_ms())));
}

void
pgt_share_table_leave(ShareSlot *slot)
{
	bool		is_over;

	LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
	slot->transactions--;
	slot->used_at = pgt_clock_monotonic_us();
	is_over = is_void(slot);
	LWLockRelease(&slot->lock);
	if (!is_over)
		return;

	LWLockAcquire(&table->lock, LW_EXCLUSIVE);
	LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
	if (is_void(slot))
		give_back(slot);
	LWLockRelease(&slot->lock);
	LWLockRelease(&table->lock);
}

void
pgt_share_table_forget(Oid database, Oid topic)
{
	LWLockAcquire(&table->lock, LW_EXCLUSIVE);
	for (int i = 0; i < table->slot_count; i++)
	{
		ShareSlot  *slot = slot_at(i);

		if (!slot->in_use || slot->key.database != database || (OidIsValid(topic) && slot->key.topic != topic))
			continue;
		LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
		/* who drops the topic may have entered it */
		slot->removed = true;
		if (is_void(slot))
			give_back(slot);
		LWLockRelease(&slot->lock);
	}
	LWLockRelease(&table->lock);
}

void
pgt_share_table_postpone(const ShareKey *key, int64 ms)
{
	ShareEntry *entry;

	LWLockAcquire(&table->lock, LW_SHARED);
	entry = hash_search(by_key, key, HASH_FIND, NULL);
	if (entry != NULL)
	{
		ShareSlot  *slot = slot_at(entry->slot);

		LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
		slot->sent_on_at = pgt_share_table_now_ms() + ms;
		LWLockRelease(&slot->lock);
	}
	LWLockRelease(&table->lock);
}

/* ---- looking ---------------------------------------------------------------- */

bool
pgt_share_table_is_made(const ShareSlot *slot)
{
	return !slot->removed && !is_left_over(slot);
}

void
pgt_share_table_walk(bool (*visit) (ShareSlot *slot, void *arg), void *arg)
{
	bool		more = true;

	for (int i = 0; more && i < table->slot_count; i++)
	{
		ShareSlot  *slot = slot_at(i);

		/* what is set up meanwhile need not be seen */
		if (!slot->in_use)
			continue;
		LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
		if (slot->in_use && slot->key.database == MyDatabaseId)
			more = visit(slot, arg);
		LWLockRelease(&slot->lock);
	}
}

/* A group that is looked for, and the topics found, with room for all slots. */
typedef struct GroupSought
{
	const char *group_id;
	Oid		   *topics;
	int			count;
} GroupSought;

/* visit of pgt_share_table_walk(): note the topic of a slot of the group. */
static bool
look_for_group(ShareSlot *slot, void *arg)
{
	GroupSought *sought = arg;

	if (pgt_share_table_is_made(slot) && strcmp(slot->group_id, sought->group_id) == 0)
		sought->topics[sought->count++] = slot->key.topic;
	return true;
}

List *
pgt_share_table_topics(const char *group_id)
{
	GroupSought sought = {.group_id = group_id,.topics = palloc(sizeof(Oid) * table->slot_count)};
	List	   *topics = NIL;

	pgt_share_table_walk(look_for_group, &sought);
	for (int i = 0; i < sought.count; i++)
		topics = list_append_unique_oid(topics, sought.topics[i]);
	pfree(sought.topics);
	return topics;
}

uint64
pgt_share_table_next_holder(void)
{
	return pg_atomic_fetch_add_u64(&table->next_holder, 1);
}

uint32
pgt_share_table_next_member(void)
{
	uint32		member;

	/* after four thousand million of them the first ones are gone */
	do
		member = pg_atomic_fetch_add_u32(&table->next_member, 1);
	while (member == SHARE_ANYBODY);
	return member;
}

int
pgt_share_table_generation(void)
{
	return pg_atomic_read_u32(&table->generation) % 2;
}

void
pgt_share_table_turn(int from)
{
	uint32		generation = pg_atomic_read_u32(&table->generation);

	if (generation % 2 == from)
		(void) pg_atomic_compare_exchange_u32(&table->generation, &generation, generation + 1);
}
