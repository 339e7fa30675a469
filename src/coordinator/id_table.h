/*
 * id_table.h
 *	  Finding things by an id that clients choose: any bytes.
 *
 * The entry is part of what is found, and so is the id, which must stay where it is.  Only
 * pgt_id_table_reserve() allocates, so that a caller can have all its memory before it changes anything.
 */
#ifndef ID_TABLE_H
#define ID_TABLE_H

#include "c.h"

typedef struct IdTableEntry
{
	struct IdTableEntry *next;	/* in its bucket */
	const char *id;
	int32		length;
	uint32		hash;
} IdTableEntry;

/* A table of zeros is an empty one. */
typedef struct IdTable
{
	IdTableEntry **buckets;		/* a power of two of them; NULL: none yet */
	uint32		bucket_count;
	uint32		count;
	uint32		reserved;		/* so many entries need no more buckets */
} IdTable;

/* A number that clients cannot guess, from which hashes are made; set once, before there is a table. */
extern uint64 pgt_id_table_seed;

/* Let "more" entries be added without an allocation.  Throws if there is no memory. */
extern void pgt_id_table_reserve(IdTable *table, uint32 more);

/* Add an entry, for which there is room, under an id that the table does not have. */
extern void pgt_id_table_add(IdTable *table, IdTableEntry *entry, const char *id, int32 length);

extern void pgt_id_table_remove(IdTable *table, IdTableEntry *entry);

/* The entry of an id, or NULL. */
extern IdTableEntry *pgt_id_table_find(const IdTable *table, const char *id, int32 length);

/* Give the buckets back; entries are their owners'. */
extern void pgt_id_table_free(IdTable *table);

#endif							/* ID_TABLE_H */
