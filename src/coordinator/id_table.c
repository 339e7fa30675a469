/*
 * id_table.c
 *	  Finding things by an id that clients choose: a hash table with chains.
 *
 * It has at least as many buckets as entries.  The hash depends on a seed, since clients that choose ids
 * for the same bucket would make all others wait.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "coordinator/id_table.h"

#define LEAST_BUCKETS	8

uint64		pgt_id_table_seed = 0;

static uint32
hash_id(const char *id, int32 length)
{
	return (uint32) hash_bytes_extended((const unsigned char *) id, length, pgt_id_table_seed);
}

static IdTableEntry **
bucket_of(const IdTable *table, uint32 hash)
{
	return &table->buckets[hash & (table->bucket_count - 1)];
}

/* Move all entries to a new array of buckets. */
static void
grow(IdTable *table, uint32 bucket_count)
{
	IdTable		larger = *table;

	larger.buckets = palloc0(bucket_count * sizeof(IdTableEntry *));
	larger.bucket_count = bucket_count;
	for (uint32 i = 0; i < table->bucket_count; i++)
	{
		IdTableEntry *entry = table->buckets[i];

		while (entry != NULL)
		{
			IdTableEntry *next = entry->next;
			IdTableEntry **bucket = bucket_of(&larger, entry->hash);

			entry->next = *bucket;
			*bucket = entry;
			entry = next;
		}
	}
	if (table->buckets != NULL)
		pfree(table->buckets);
	*table = larger;
}

void
pgt_id_table_reserve(IdTable *table, uint32 more)
{
	uint32		wanted = table->count + more;
	uint32		bucket_count = Max(table->bucket_count, LEAST_BUCKETS);

	while (bucket_count < wanted)
		bucket_count *= 2;
	if (bucket_count > table->bucket_count)
		grow(table, bucket_count);
	table->reserved = Max(table->reserved, wanted);
}

void
pgt_id_table_add(IdTable *table, IdTableEntry *entry, const char *id, int32 length)
{
	IdTableEntry **bucket;

	Assert(table->count < table->reserved);
	Assert(pgt_id_table_find(table, id, length) == NULL);
	entry->id = id;
	entry->length = length;
	entry->hash = hash_id(id, length);
	bucket = bucket_of(table, entry->hash);
	entry->next = *bucket;
	*bucket = entry;
	table->count++;
}

void
pgt_id_table_remove(IdTable *table, IdTableEntry *entry)
{
	IdTableEntry **link = bucket_of(table, entry->hash);

	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	table->count--;
}

IdTableEntry *
pgt_id_table_find(const IdTable *table, const char *id, int32 length)
{
	uint32		hash;

	if (table->count == 0 || length < 0)
		return NULL;
	hash = hash_id(id, length);
	for (IdTableEntry *entry = *bucket_of(table, hash); entry != NULL; entry = entry->next)
	{
		if (entry->hash == hash && entry->length == length && memcmp(entry->id, id, length) == 0)
			return entry;
	}
	return NULL;
}

void
pgt_id_table_free(IdTable *table)
{
	if (table->buckets != NULL)
		pfree(table->buckets);
	memset(table, 0, sizeof(*table));
}
