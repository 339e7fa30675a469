/*
 * producer_table.h
 *	  The shared table of idempotent producers: its entries, and the chain of each partition.
 *
 * An entry is one producer in one partition.  A partition's slot (log_state.h) has the chain
 * of its entries, which its lock guards, exclusively where a function takes a chain that is
 * not const.  Entries that are in no chain are in the list of free ones, which a spinlock
 * guards.
 */
#ifndef PRODUCER_TABLE_H
#define PRODUCER_TABLE_H

#include "format/producer_sequence.h"

extern int	pgt_kafka_max_producers;	/* setting pg_topics.kafka_max_producers */

/* In a partition's slot.  Zeros: empty. */
typedef struct ProducerChain
{
	int32		first;			/* number of the first entry, from 1 on; 0: none */
} ProducerChain;

/* The size of the table in shared memory. */
extern Size pgt_producer_table_size(void);

/* Make the table, or attach to it. */
extern void pgt_producer_table_init(void);

/* The producer's entry, or NULL.  It becomes the first of its chain, since it is the likeliest to come again. */
extern ProducerSequence *pgt_producer_table_find(ProducerChain *chain, int64 producer_id);

/* Does the chain have the producer? */
extern bool pgt_producer_table_has(const ProducerChain *chain, int64 producer_id);

/* A new entry for a producer that has none, at this time; NULL if the table is full.  "slot" is the chain's. */
extern ProducerSequence *pgt_producer_table_add(ProducerChain *chain, int slot, int64 producer_id, int64 time);

/* Remove the entries that the function wants to be removed; how many those are. */
extern int	pgt_producer_table_remove(ProducerChain *chain, bool (*is_wanted) (ProducerSequence *sequence, void *arg),
									  void *arg);

/* Remove all entries of a chain. */
extern void pgt_producer_table_clear(ProducerChain *chain);

/* The entry behind this one, the first one for NULL; NULL at the end. */
extern ProducerSequence *pgt_producer_table_next(const ProducerChain *chain, const ProducerSequence *sequence);

extern bool pgt_producer_table_is_full(void);

/* The time, in microseconds since 1970, later than that of any call and any entry before. */
extern int64 pgt_producer_table_time(void);

/* An entry has this time: later ones are to be later. */
extern void pgt_producer_table_raise_time(int64 time);

/* How many entries the table can hold. */
extern int	pgt_producer_table_room(void);

/*
 * The entry that was not used for the longest time, of the partition in this slot or, with -1, of all:
 * its partition's slot, and its last time.  False if there is none.  No lock is needed, so the entry may be
 * used or removed meanwhile.
 */
extern bool pgt_producer_table_longest_idle(int of_slot, int *slot, int64 *producer_id, int64 *last_time);

/*
 * The slot with the most entries, of so many slots; -1 if there are no entries, or no memory to
 * count them.  Likewise without a lock.
 */
extern int	pgt_producer_table_fullest_slot(int slots);

#endif							/* PRODUCER_TABLE_H */
