/*
 * log_state.c
 *	  The table of partitions in shared memory.
 *
 * Each partition of each topic has a slot, a PartitionState.  A hash table maps keys to
 * slots.  A partition's slot is taken when the topic is created or gets more
 * partitions; it is given up when that is rolled back or the topic is dropped.  So a
 * topic that could be created can be produced to, and a transaction that fails keeps
 * no slot that it did not have before.
 *
 * After a restart the slots are filled from the files and the recovery point
 * (log_load.c) and by redo.  The topics of a copied database, which were not created there,
 * get their slots when they are first produced to.
 *
 * Locks: see log_state.h.
 */
#include "postgres.h"

#include "access/xact.h"
#include "log/kafka_txn_map.h"
#include "log/log_state.h"
#include "miscadmin.h"
#include "storage/shmem.h"
#include "util/compat.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

LogState  *pgt_log_state = NULL;
int			pgt_max_partitions = 1024;
int			pgt_max_partitions_per_database = -1;

/* An entry of the shared hash table. */
typedef struct SlotEntry
{
	TopicPartition key;
	int			slot;
} SlotEntry;

static HTAB *slots = NULL;

Size
pgt_log_state_size(void)
{
	Size		size = offsetof(LogState, partitions);

	size = add_size(size, mul_size(pgt_max_partitions, sizeof(PartitionState)));
	return add_size(MAXALIGN(size),
					hash_estimate_size(pgt_max_partitions, sizeof(SlotEntry)));
}

/* Initialise the fields that a slot keeps for the server's life. */
static void
init_slot(PartitionState *state, int tranche)
{
	state->producers = (ProducerChain) {0};
	LWLockInitialize(&state->lock, tranche);
	pg_atomic_init_u32(&state->rewriting, 0);
	pg_atomic_init_u32(&state->segments_version, 0);
	pg_atomic_init_u32(&state->keys_version, 0);
	pg_atomic_init_u64(&state->keys_end, 0);
	pg_atomic_init_u32(&state->keys_segments, 0);
	pg_atomic_init_u32(&state->keys_damaged, 0);
	pg_atomic_init_u64(&state->records_in, 0);
	pg_atomic_init_u64(&state->bytes_in, 0);
	pg_atomic_init_u64(&state->batches_in, 0);
	pg_atomic_init_u64(&state->records_out, 0);
	pg_atomic_init_u64(&state->bytes_out, 0);
	pg_atomic_init_u32(&state->compaction.pid, 0);
	pg_atomic_init_u32(&state->compaction.phase, COMPACTION_IDLE);
	pg_atomic_init_u64(&state->compaction.bytes_total, 0);
	pg_atomic_init_u64(&state->compaction.bytes_mapped, 0);
	pg_atomic_init_u64(&state->compaction.bytes_read, 0);
	pg_atomic_init_u64(&state->compaction.bytes_written, 0);
	pg_atomic_init_u64(&state->compaction.keys, 0);
	pg_atomic_init_u64(&state->compaction.records_removed, 0);
}

/* Initialise the whole table, empty. */
static void
init_shared(LogState *shared)
{
	int			tranche = pgt_new_tranche("pg_topics");

	memset(shared, 0, offsetof(LogState, partitions) +
		   pgt_max_partitions * sizeof(PartitionState));
	LWLockInitialize(&shared->table_lock, tranche);
	LWLockInitialize(&shared->sync_lock, tranche);
	LWLockInitialize(&shared->producer_ids_lock, tranche);
	pg_atomic_init_u32(&shared->self_sync, 1);
	pg_atomic_init_u64(&shared->alone_since, 0);
	pg_atomic_init_u32(&shared->recovery_point_stale, 0);
	pg_atomic_init_u32(&shared->producers_changed, 0);
	pg_atomic_init_u64(&shared->commit_log_held_from, 0);
	pg_atomic_init_u64(&shared->oldest_unresolved_xid, 0);
	pg_atomic_init_u32(&shared->resolve_wanted, 0);
	pg_atomic_init_u64(&shared->resolve_rounds, 0);
	shared->max_partitions = pgt_max_partitions;
	for (int i = 0; i < pgt_max_partitions; i++)
		init_slot(&shared->partitions[i], tranche);
}

bool
pgt_log_state_init(void)
{
	bool		found;
	HASHCTL		info = {0};
	Size		size = offsetof(LogState, partitions) +
		mul_size(pgt_max_partitions, sizeof(PartitionState));

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	pgt_log_state = ShmemInitStruct("pg_topics", size, &found);
	if (!found)
		init_shared(pgt_log_state);
	info.keysize = sizeof(TopicPartition);
	info.entrysize = sizeof(SlotEntry);
	slots = PGT_SHMEM_HASH("pg_topics partitions", pgt_max_partitions, &info,
						   HASH_ELEM | HASH_BLOBS | HASH_FIXED_SIZE);
	LWLockRelease(AddinShmemInitLock);
	return !found;
}

/* ---- slots --------------------------------------------------------------- */

/* Look a key up; caller holds table_lock. */
static PartitionState *
lookup(const TopicPartition *key)
{
	SlotEntry  *entry;

	Assert(LWLockHeldByMe(&pgt_log_state->table_lock));
	entry = hash_search(slots, key, HASH_FIND, NULL);
	return entry != NULL ? &pgt_log_state->partitions[entry->slot] : NULL;
}

PartitionState *
pgt_log_state_find(const TopicPartition *key)
{
	PartitionState *state;

	LWLockAcquire(&pgt_log_state->table_lock, LW_SHARED);
	state = lookup(key);
	LWLockRelease(&pgt_log_state->table_lock);
	return state;
}

/*
 * The number of a slot that is not in use; -1 if all are.  The first *looked_at slots are
 * known to be in use.  The caller holds table_lock.
 */
static int
free_slot(int *looked_at)
{
	if (pgt_log_state->high_water < pgt_log_state->max_partitions)
		return pgt_log_state->high_water++;
	for (; *looked_at < pgt_log_state->max_partitions; (*looked_at)++)
		if (!pgt_log_state->partitions[*looked_at].in_use)
			return *looked_at;
	return -1;
}

/* Begin to count anew.  The caller holds the slot's lock, or nobody else knows the slot. */
static void
zero_statistics(PartitionState *state)
{
	pg_atomic_write_u64(&state->records_in, 0);
	pg_atomic_write_u64(&state->bytes_in, 0);
	pg_atomic_write_u64(&state->batches_in, 0);
	pg_atomic_write_u64(&state->records_out, 0);
	pg_atomic_write_u64(&state->bytes_out, 0);
	memset(&state->maintenance, 0, sizeof(state->maintenance));
	state->stats_reset = GetCurrentTimestamp();
}

void
pgt_log_state_reset_statistics(PartitionState *state)
{
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	zero_statistics(state);
	LWLockRelease(&state->lock);
}

/* Set a slot to an empty log of that partition.  The caller holds table_lock and the slot's lock. */
static void
reset_slot(PartitionState *state, const TopicPartition *key)
{
	state->key = *key;
	state->in_use = true;
	state->incarnation = ++pgt_log_state->next_incarnation;
	state->log_start_offset = state->next_offset = state->resolved_offset = 0;
	state->deleted_end = 0;
	state->resolved_max_xid = 0;
	state->last_append_time = NO_APPEND_TIME;
	state->trusted_end = 0;
	state->interleaved_end = 0;
	state->no_strays = false;
	state->active_base = NO_SEGMENT;
	state->active_end = state->active_entries = 0;
	state->active_first_timestamp = state->active_largest_timestamp = 0;
	state->dirty = state->unsynced = false;
	state->written_back = 0;
	state->last_lsn = InvalidXLogRecPtr;
	pg_atomic_fetch_add_u32(&state->segments_version, 1);
	pg_atomic_write_u32(&state->rewriting, 0);
	pg_atomic_fetch_add_u32(&state->keys_version, 1);
	pg_atomic_write_u64(&state->keys_end, 0);
	zero_statistics(state);
}

/* Take a slot for a new key; NULL if all are in use.  The caller holds table_lock exclusively. */
static PartitionState *
take_slot(const TopicPartition *key, int *looked_at)
{
	int			slot = free_slot(looked_at);
	PartitionState *state;
	SlotEntry  *entry;

	if (slot < 0)
		return NULL;
	state = &pgt_log_state->partitions[slot];
	entry = hash_search(slots, key, HASH_ENTER, NULL);
	entry->slot = slot;
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	reset_slot(state, key);
	LWLockRelease(&state->lock);
	return state;
}

/* Report that no slot is left.  Names the topic if the catalog can be asked. */
static void
fail_for_full_table(const TopicPartition *key)
{
	char	   *name = IsTransactionState() && key->database == MyDatabaseId ?
		get_rel_name(key->topic) : NULL;

	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 name != NULL ?
			 errmsg("cannot open partition %d of topic \"%s\": too many topic partitions",
					key->partition, name) :
			 errmsg("cannot open partition %d of topic %u of database %u: too many topic partitions",
					key->partition, key->topic, key->database),
			 errdetail("The server can hold %d topic partitions.", pgt_log_state->max_partitions),
			 errhint("Raise pg_topics.max_partitions and restart the server.")));
}

PartitionState *
pgt_log_state_try_get(const TopicPartition *key)
{
	PartitionState *state = pgt_log_state_find(key);
	int			looked_at = 0;

	if (state != NULL)
		return state;
	LWLockAcquire(&pgt_log_state->table_lock, LW_EXCLUSIVE);
	state = lookup(key);
	if (state == NULL)
		state = take_slot(key, &looked_at);
	LWLockRelease(&pgt_log_state->table_lock);
	return state;
}

PartitionState *
pgt_log_state_get(const TopicPartition *key)
{
	PartitionState *state = pgt_log_state_try_get(key);

	if (state == NULL)
		fail_for_full_table(key);
	return state;
}

/* Is it a slot of the topic (InvalidOid: of the database)?  The caller holds table_lock. */
static bool
belongs_to(const PartitionState *state, Oid database, Oid topic)
{
	return state->in_use && state->key.database == database &&
		(!OidIsValid(topic) || state->key.topic == topic);
}

bool
pgt_log_state_has_slots(Oid database, Oid topic)
{
	bool		has = false;

	LWLockAcquire(&pgt_log_state->table_lock, LW_SHARED);
	for (int i = 0; !has && i < pgt_log_state->high_water; i++)
		has = belongs_to(&pgt_log_state->partitions[i], database, topic);
	LWLockRelease(&pgt_log_state->table_lock);
	return has;
}

/* Count the slots in use.  The caller holds table_lock. */
static void
count_slots(Oid database, PartitionRoom *room)
{
	for (int i = 0; i < pgt_log_state->high_water; i++)
	{
		const PartitionState *state = &pgt_log_state->partitions[i];

		if (!state->in_use)
			continue;
		room->taken++;
		if (state->key.database == database)
			room->of_database++;
	}
}

/* Is there room for all the slots that are wanted?  The caller holds table_lock. */
static bool
has_room(PartitionRoom *room)
{
	int			limit = pgt_max_partitions_per_database;

	room->by_database = limit >= 0 && room->wanted > limit - room->of_database;
	return !room->by_database && room->wanted <= pgt_log_state->max_partitions - room->taken;
}

bool
pgt_log_state_reserve(const TopicPartition *keys, int count, PartitionRoom *room)
{
	int			looked_at = 0;
	bool		fits;

	memset(room, 0, sizeof(*room));
	LWLockAcquire(&pgt_log_state->table_lock, LW_EXCLUSIVE);
	for (int i = 0; i < count; i++)
		if (lookup(&keys[i]) == NULL)
			room->wanted++;
	count_slots(keys[0].database, room);
	fits = room->wanted == 0 || has_room(room);
	for (int i = 0; fits && i < count; i++)
		if (lookup(&keys[i]) == NULL)
			(void) take_slot(&keys[i], &looked_at);
	LWLockRelease(&pgt_log_state->table_lock);
	return fits;
}

void
pgt_log_state_forget(Oid database, Oid topic, int32 first_partition)
{
	LWLockAcquire(&pgt_log_state->table_lock, LW_EXCLUSIVE);
	for (int i = 0; i < pgt_log_state->high_water; i++)
	{
		PartitionState *state = &pgt_log_state->partitions[i];

		if (!belongs_to(state, database, topic) || state->key.partition < first_partition)
			continue;
		hash_search(slots, &state->key, HASH_REMOVE, NULL);
		LWLockAcquire(&state->lock, LW_EXCLUSIVE);
		state->in_use = false;
		state->dirty = state->unsynced = false;
		pgt_producer_table_clear(&state->producers);
		pg_atomic_write_u32(&pgt_log_state->producers_changed, 1);
		pgt_kafka_txn_map_clear_slot(i);
		state->incarnation = ++pgt_log_state->next_incarnation;
		LWLockRelease(&state->lock);
	}
	LWLockRelease(&pgt_log_state->table_lock);
}

PartitionState *
pgt_log_state_slot(int n)
{
	return &pgt_log_state->partitions[n];
}

int
pgt_log_state_slot_count(void)
{
	int			n;

	LWLockAcquire(&pgt_log_state->table_lock, LW_SHARED);
	n = pgt_log_state->high_water;
	LWLockRelease(&pgt_log_state->table_lock);
	return n;
}

uint32
pgt_log_state_slots_version(void)
{
	uint32		version;

	LWLockAcquire(&pgt_log_state->table_lock, LW_SHARED);
	version = pgt_log_state->next_incarnation;
	LWLockRelease(&pgt_log_state->table_lock);
	return version;
}
