/*
 * classic_withheld.h
 *	  Partitions of a classic group that its members are not told of yet, since they are in use in SQL.
 */
#ifndef CLASSIC_WITHHELD_H
#define CLASSIC_WITHHELD_H

#include "coordinator/consumer_protocol.h"

/* One of them.  The name that the assignment has for its topic stands here as a number. */
typedef struct ClassicWithheldPartition
{
	uint64		name;
	Oid			topic;
	int32		partition;
} ClassicWithheldPartition;

/* Some, in memory of the groups; zeros are none. */
typedef struct ClassicWithheld
{
	ClassicWithheldPartition *items;
	int32		count;
	int32		room;
} ClassicWithheld;

/* Add one, and then put all in order.  The first takes memory. */
extern void pgt_classic_withheld_add(ClassicWithheld *set, KafkaString name, Oid topic, int32 partition);
extern void pgt_classic_withheld_sort(ClassicWithheld *set);

/* Add all of another set, which has none then, and put them in order.  Takes memory. */
extern void pgt_classic_withheld_merge(ClassicWithheld *set, ClassicWithheld *other);

/* Is it among them?  They are in order. */
extern bool pgt_classic_withheld_has(const ClassicWithheld *set, KafkaString name, int32 partition);

/* Forget them, and give the memory back. */
extern void pgt_classic_withheld_clear(ClassicWithheld *set);

#endif							/* CLASSIC_WITHHELD_H */
