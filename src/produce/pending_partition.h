/*
 * pending_partition.h
 *	  The running transaction's partitions, each with its list of batches, which
 *	  savepoints cut back.
 */
#ifndef PENDING_PARTITION_H
#define PENDING_PARTITION_H

#include "produce/pending_batch.h"

extern int	pgt_buffer_memory;	/* setting pg_topics.buffer_memory, kB */

typedef struct PendingPartition
{
	TopicPartition key;			/* hash key */
	LogConfig	config;
	PendingBatch *batches;
	int			count;
	int			capacity;
	struct PendingMark *marks;
	int			mark_count;
	int			mark_capacity;
	bool		listed;			/* is it among those with pending batches? */
	/* for who appends the batches */
	PartitionState *state;		/* set just before the append */
	LogWriterRange own;			/* where its appended batches are */
	int			range;			/* index of its appended range, from 1 on; 0: it has none */
} PendingPartition;

/* The transaction's list for a partition, made where it has none. */
extern PendingPartition *pgt_pending_partition_get(const TopicPartition *key, const LogConfig *config);

/* The same, or NULL where it has none. */
extern PendingPartition *pgt_pending_partition_find(const TopicPartition *key);

/* How many partitions have a list, be it an empty one. */
extern int	pgt_pending_partition_count(void);

/* Remember where the list ends, for the current subtransaction; to be done before it is changed. */
extern void pgt_pending_partition_mark(PendingPartition *p);

/* Start an empty batch at the end of the list. */
extern PendingBatch *pgt_pending_partition_start_batch(PendingPartition *p, uint32 capacity);

/* The partition's open batch, or NULL. */
static inline PendingBatch *
pgt_pending_partition_open_batch(PendingPartition *p)
{
	PendingBatch *last = p->count > 0 ? &p->batches[p->count - 1] : NULL;

	return last != NULL && !last->sealed ? last : NULL;
}

/*
 * Move the batch that the partition has just sealed to the file, if the batches in
 * memory exceed the limit.  Older batches stay in memory: which ones are moved does
 * not matter, as each is read back exactly once.
 */
extern void pgt_pending_partition_spill_newest(PendingPartition *p);

/* Move all open batches to the file: with many partitions they alone may exceed the limit. */
extern void pgt_pending_partition_spill_open(void);

/* Has a partition of the topic (InvalidOid: of any topic) a batch? */
extern bool pgt_pending_partition_any(Oid topic);

/* The partitions with batches, by topic and number; none is listed afterwards. */
extern PendingPartition **pgt_pending_partition_take(int *count);

/* The transaction has ended, and freed its memory and its file.  Does not throw. */
extern void pgt_pending_partition_forget(void);

/* Install the callback for subtransactions; called once per process. */
extern void pgt_pending_partition_init(void);

#endif							/* PENDING_PARTITION_H */
