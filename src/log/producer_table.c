/*
 * producer_table.c
 *	  The shared table of idempotent producers.
 *
 *	  slot of partition a	-> [producer 7] -> [producer 3]
 *	  slot of partition b	-> [producer 7]
 *	  free					-> [] -> [] -> [] ...
 *
 * The table has a fixed size.  Entries are found by walking a partition's chain.  A producer
 * that is found moves to the front, so a chain of many producers that have gone is walked only
 * for new ones.
 *
 * Which partition an entry belongs to is written in it, for whoever looks for an idle entry in
 * the whole table (pgt_producer_table_longest_idle()).  That reads without locks, and the entry
 * is looked at again under the lock of its partition.
 *
 * Each use of an entry has a time of its own, so that it is certain which one was used first, in
 * redo as well, where many fall into one millisecond.
 *
 * Locks: a chain's slot lock; the spinlock of the free list, last of all.
 */
#include "postgres.h"

#include "log/producer_table.h"
#include "port/atomics.h"
#include "storage/shmem.h"
#include "storage/spin.h"
#include "util/clock.h"
#include "utils/palloc.h"

typedef struct ProducerEntry
{
	ProducerSequence sequence;
	int32		next;			/* in its chain, or in the free list; 0: the last one */
	int32		slot;			/* of its partition; -1: it is free */
} ProducerEntry;

typedef struct ProducerTable
{
	pg_atomic_uint64 last_time;	/* the last one that was given out */
	slock_t		mutex;
	int32		free;			/* the first free entry, from 1 on; 0: none */
	int32		size;
	ProducerEntry entries[FLEXIBLE_ARRAY_MEMBER];
} ProducerTable;

int			pgt_kafka_max_producers = 10000;

static ProducerTable *table = NULL;

Size
pgt_producer_table_size(void)
{
	return add_size(offsetof(ProducerTable, entries), mul_size(pgt_kafka_max_producers, sizeof(ProducerEntry)));
}

void
pgt_producer_table_init(void)
{
	bool		found;

	table = ShmemInitStruct("pg_topics producers", pgt_producer_table_size(), &found);
	if (found)
		return;
	memset(table, 0, pgt_producer_table_size());
	pg_atomic_init_u64(&table->last_time, 0);
	SpinLockInit(&table->mutex);
	table->size = pgt_kafka_max_producers;
	table->free = 1;
	for (int i = 0; i < table->size; i++)
	{
		table->entries[i].slot = -1;
		table->entries[i].next = i + 1 < table->size ? i + 2 : 0;
	}
}

/* The entry of that number, which counts from 1 on; NULL for 0. */
static inline ProducerEntry *
entry_at(int32 number)
{
	return number > 0 ? &table->entries[number - 1] : NULL;
}

static inline int32
number_of(const ProducerEntry *entry)
{
	return entry - table->entries + 1;
}

/* Take an entry off the free list; NULL if it is empty. */
static ProducerEntry *
take_free(void)
{
	ProducerEntry *entry;

	SpinLockAcquire(&table->mutex);
	entry = entry_at(table->free);
	if (entry != NULL)
		table->free = entry->next;
	SpinLockRelease(&table->mutex);
	return entry;
}

/* Put an entry, which is in no chain any more, onto the free list. */
static void
give_free(ProducerEntry *entry)
{
	entry->slot = -1;
	SpinLockAcquire(&table->mutex);
	entry->next = table->free;
	table->free = number_of(entry);
	SpinLockRelease(&table->mutex);
}

ProducerSequence *
pgt_producer_table_find(ProducerChain *chain, int64 producer_id)
{
	int32	   *link = &chain->first;
	ProducerEntry *entry;

	for (; (entry = entry_at(*link)) != NULL; link = &entry->next)
		if (entry->sequence.producer_id == producer_id)
		{
			int32		number = *link;

			*link = entry->next;
			entry->next = chain->first;
			chain->first = number;
			return &entry->sequence;
		}
	return NULL;
}

bool
pgt_producer_table_has(const ProducerChain *chain, int64 producer_id)
{
	for (const ProducerEntry *entry = entry_at(chain->first); entry != NULL; entry = entry_at(entry->next))
		if (entry->sequence.producer_id == producer_id)
			return true;
	return false;
}

ProducerSequence *
pgt_producer_table_add(ProducerChain *chain, int slot, int64 producer_id, int64 time)
{
	ProducerEntry *entry = take_free();

	if (entry == NULL)
		return NULL;
	pgt_producer_sequence_init(&entry->sequence, producer_id, time);
	entry->next = chain->first;
	entry->slot = slot;
	chain->first = number_of(entry);
	return &entry->sequence;
}

int
pgt_producer_table_remove(ProducerChain *chain, bool (*is_wanted) (ProducerSequence *sequence, void *arg), void *arg)
{
	int32	   *link = &chain->first;
	int			removed = 0;
	ProducerEntry *entry;

	while ((entry = entry_at(*link)) != NULL)
	{
		if (is_wanted(&entry->sequence, arg))
		{
			*link = entry->next;
			give_free(entry);
			removed++;
		}
		else
			link = &entry->next;
	}
	return removed;
}

static bool
is_any(ProducerSequence *sequence, void *arg)
{
	return true;
}

void
pgt_producer_table_clear(ProducerChain *chain)
{
	(void) pgt_producer_table_remove(chain, is_any, NULL);
}

ProducerSequence *
pgt_producer_table_next(const ProducerChain *chain, const ProducerSequence *sequence)
{
	int32		number = sequence == NULL ? chain->first :
		((const ProducerEntry *) ((const char *) sequence - offsetof(ProducerEntry, sequence)))->next;
	ProducerEntry *entry = entry_at(number);

	return entry != NULL ? &entry->sequence : NULL;
}

bool
pgt_producer_table_is_full(void)
{
	return *(volatile int32 *) &table->free == 0;
}

int64
pgt_producer_table_time(void)
{
	uint64		last = pg_atomic_read_u64(&table->last_time);
	uint64		time;

	do
	{
		time = Max((uint64) Max(pgt_clock_shifted_now_ms(), 0) * 1000, last + 1);
	} while (!pg_atomic_compare_exchange_u64(&table->last_time, &last, time));
	return (int64) time;
}

void
pgt_producer_table_raise_time(int64 time)
{
	uint64		last = pg_atomic_read_u64(&table->last_time);

	while (time > 0 && (uint64) time > last &&
		   !pg_atomic_compare_exchange_u64(&table->last_time, &last, (uint64) time))
		;
}

int
pgt_producer_table_room(void)
{
	return table->size;
}

bool
pgt_producer_table_longest_idle(int of_slot, int *slot, int64 *producer_id, int64 *last_time)
{
	bool		found = false;

	for (int i = 0; i < table->size; i++)
	{
		const volatile ProducerEntry *entry = &table->entries[i];
		int64		time = entry->sequence.last_time;
		int32		at = entry->slot;

		if (at < 0 || (of_slot >= 0 && at != of_slot) || (found && time >= *last_time))
			continue;
		*slot = at;
		*producer_id = entry->sequence.producer_id;
		*last_time = time;
		found = true;
	}
	return found;
}

int
pgt_producer_table_fullest_slot(int slots)
{
	int32	   *counts = MemoryContextAllocExtended(CurrentMemoryContext, Max(slots, 1) * sizeof(int32),
													MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM | MCXT_ALLOC_ZERO);
	int			fullest = -1;

	for (int i = 0; counts != NULL && i < table->size; i++)
	{
		int32		slot = ((volatile ProducerEntry *) &table->entries[i])->slot;

		if (slot < 0 || slot >= slots)
			continue;
		counts[slot]++;
		if (fullest < 0 || counts[slot] > counts[fullest])
			fullest = slot;
	}
	if (counts != NULL)
		pfree(counts);
	return fullest;
}
