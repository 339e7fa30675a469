/*
 * key_set.h
 *	  The keys that a query asks for, by their bytes.
 */
#ifndef KEY_SET_H
#define KEY_SET_H

#include "log/key_index_file.h"
#include "topic/topic.h"

/* All in the memory context in which it was made. */
typedef struct KeySet
{
	KeyShape	shape;
	int			count;
	ByteView   *keys;			/* different from each other */
	uint32		table_mask;		/* of a large set: a table of 1 + numbers of keys, by hash */
	uint32	   *table;
} KeySet;

/* Can a condition "key = value", by that operator and collation, be decided by bytes? */
extern bool pgt_key_set_can_match(const Topic *topic, Oid operator, Oid collation);

/* Can the set be made of values of that type? */
extern bool pgt_key_set_takes(const Topic *topic, Oid type);

/* Make the set of one value or, if the value is an array, of its elements that are not null. */
extern KeySet *pgt_key_set_make(const Topic *topic, Datum value, Oid type);

/* Leave in the first set only the keys that are in the other, too. */
extern void pgt_key_set_intersect(KeySet *set, const KeySet *other);

/*
 * May a record with those bytes satisfy the condition?  Wrong only for bytes that the type
 * itself must compare, since they are not as this server writes them.
 */
extern bool pgt_key_set_may_match(const KeySet *set, const char *key, int32 length);

/*
 * What a topic's index of keys is asked for with the set; NULL where that would take longer
 * than reading.
 */
extern KeyProbe *pgt_key_set_probe(const KeySet *set);

/* The partitions that may have records with the set's keys; NULL where that is not known. */
extern Bitmapset *pgt_key_set_partitions(const KeySet *set, const Topic *topic);

#endif							/* KEY_SET_H */
