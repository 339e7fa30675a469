/*
 * classic_withheld.c
 *	  Partitions of a classic group that its members are not told of yet, since they cannot be claimed.
 *
 * The leader assigns a partition that a transaction, or a member, in SQL has, and that does not end before the rebalance timeout.
 * Then the member is told of its assignment without that partition: it would consume what SQL consumes as well, from an offset
 * that SQL is about to move.  So it is, at once, where the group's role may not consume the topic, or has no part in the group of
 * that name there: then the partition is open to others in SQL.  It is stored with it; so what is withheld is what is assigned and not claimed, also after a
 * crash.  When it can be claimed the group rebalances (classic_store.c).
 *
 * Topics are compared by a hash of their names, since an assignment names them, and outside of a transaction nobody knows what
 * the names lead to.  Where two had the same one, a member would have to wait for the next rebalance.
 */
#include "postgres.h"

#include "broker/groups/classic_withheld.h"
#include "broker/groups/group_coordinator.h"
#include "common/hashfn.h"

#define LEAST_ROOM	16

static uint64
number_of(KafkaString name)
{
	return hash_bytes_extended((const unsigned char *) name.data, name.length, 0);
}

static void
add(ClassicWithheld *set, ClassicWithheldPartition item)
{
	if (set->count == set->room)
	{
		int32		room = Max(set->room * 2, LEAST_ROOM);
		Size		size = room * sizeof(ClassicWithheldPartition);

		set->items = set->items == NULL ? MemoryContextAlloc(pgt_group_coordinator_memory(), size) : repalloc(set->items, size);
		set->room = room;
	}
	set->items[set->count++] = item;
}

void
pgt_classic_withheld_add(ClassicWithheld *set, KafkaString name, Oid topic, int32 partition)
{
	add(set, (ClassicWithheldPartition) {number_of(name), topic, partition});
}

static int
compare(const void *a, const void *b)
{
	const ClassicWithheldPartition *left = a;
	const ClassicWithheldPartition *right = b;

	if (left->name != right->name)
		return left->name < right->name ? -1 : 1;
	return left->partition < right->partition ? -1 : left->partition > right->partition;
}

void
pgt_classic_withheld_sort(ClassicWithheld *set)
{
	int32		count = 0;

	if (set->count <= 1)
		return;
	qsort(set->items, set->count, sizeof(ClassicWithheldPartition), compare);
	for (int32 i = 0; i < set->count; i++)
		if (count == 0 || compare(&set->items[count - 1], &set->items[i]) != 0)
			set->items[count++] = set->items[i];
	set->count = count;
}

void
pgt_classic_withheld_merge(ClassicWithheld *set, ClassicWithheld *other)
{
	for (int32 i = 0; i < other->count; i++)
		add(set, other->items[i]);
	pgt_classic_withheld_clear(other);
	pgt_classic_withheld_sort(set);
}

bool
pgt_classic_withheld_has(const ClassicWithheld *set, KafkaString name, int32 partition)
{
	ClassicWithheldPartition key = {.name = number_of(name),.partition = partition};

	return set->count > 0 && bsearch(&key, set->items, set->count, sizeof(key), compare) != NULL;
}

void
pgt_classic_withheld_clear(ClassicWithheld *set)
{
	if (set->items != NULL)
		pfree(set->items);
	*set = (ClassicWithheld) {0};
}
