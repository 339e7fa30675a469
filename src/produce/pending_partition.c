/*
 * pending_partition.c
 *	  The running transaction's partitions, each with its list of batches, which
 *	  savepoints cut back.
 *
 * Each partition the transaction writes to has a list of batches (pending_batch.c).  The
 * last one may be open.
 *
 *	  partition 0:	[sealed][sealed on disk][sealed][open.....]
 *											^ mark of subtransaction 7
 *
 * Once the batches in memory exceed pg_topics.buffer_memory, each further batch goes to
 * a temporary file when it is sealed, so that a transaction of any size runs in bounded
 * memory.
 *
 * Subtransactions nest, so the records of a subtransaction are always at the end of
 * each list.  A mark says where a list ended when the subtransaction first added to it:
 * a rollback cuts the list there, a release hands the mark to the parent.  Where the
 * mark is inside a sealed batch, that batch becomes open again.
 *
 * Memory: everything lives in a context below TopTransactionContext.
 */
#include "postgres.h"

#include "access/xact.h"
#include "produce/pending_partition.h"
#include "util/subxact_stack.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

int			pgt_buffer_memory = 64 * 1024;

/* Where a partition's list ended when a subtransaction first added to it. */
typedef struct PendingMark
{
	SubTransactionId subid;
	int			batch;			/* index of the batch that was open */
	PendingBatch as_was;		/* the batch's counters then; records 0: no batch was open */
} PendingMark;

/* Partitions, in the transaction's context. */
typedef struct PartitionList
{
	PendingPartition **partitions;
	int			count;
	int			capacity;
} PartitionList;

/* Of the running transaction; reset when it ends. */
static MemoryContext context = NULL;
static HTAB *partitions = NULL;
static PendingPartition *last_used = NULL;
static PartitionList pending;	/* all with batches, and some that a savepoint has taken back */
static SubxactStack marked;		/* partitions with a mark of a subtransaction */

/* ---- partitions ---------------------------------------------------------- */

/* Make the transaction's context and table. */
static void
begin_transaction(void)
{
	HASHCTL		info = {0};

	context = AllocSetContextCreate(TopTransactionContext, "pg_topics producer",
									ALLOCSET_DEFAULT_SIZES);
	info.keysize = sizeof(TopicPartition);
	info.entrysize = sizeof(PendingPartition);
	info.hcxt = context;
	partitions = hash_create("pg_topics pending partitions", 16, &info,
							 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	last_used = NULL;
	pgt_pending_batch_begin(context);
}

PendingPartition *
pgt_pending_partition_get(const TopicPartition *key, const LogConfig *config)
{
	PendingPartition *p;
	bool		found;

	if (partitions == NULL)
		begin_transaction();
	p = last_used;
	if (p == NULL || memcmp(&p->key, key, sizeof(*key)) != 0)
	{
		p = hash_search(partitions, key, HASH_ENTER, &found);
		if (!found)
		{
			memset((char *) p + sizeof(*key), 0, sizeof(*p) - sizeof(*key));
			p->config = *config;
		}
		last_used = p;
	}
	/* the copy of a record that could not be processed may be larger than the topic allows */
	p->config.max_message_bytes = Max(p->config.max_message_bytes, config->max_message_bytes);
	return p;
}

PendingPartition *
pgt_pending_partition_find(const TopicPartition *key)
{
	if (partitions == NULL)
		return NULL;
	if (last_used != NULL && memcmp(&last_used->key, key, sizeof(*key)) == 0)
		return last_used;
	return hash_search(partitions, key, HASH_FIND, NULL);
}

int
pgt_pending_partition_count(void)
{
	return partitions == NULL ? 0 : (int) hash_get_num_entries(partitions);
}

/* ---- batches ------------------------------------------------------------- */

/* List a partition that gets its first batch. */
static void
list_pending(PendingPartition *p)
{
	if (p->listed)
		return;
	if (pending.count == pending.capacity)
	{
		int			capacity = Max(16, pending.capacity * 2);

		pending.partitions = pending.partitions == NULL ?
			MemoryContextAlloc(context, capacity * sizeof(*pending.partitions)) :
			repalloc_huge(pending.partitions, capacity * sizeof(*pending.partitions));
		pending.capacity = capacity;
	}
	pending.partitions[pending.count++] = p;
	p->listed = true;
}

PendingBatch *
pgt_pending_partition_start_batch(PendingPartition *p, uint32 capacity)
{
	list_pending(p);
	if (p->count == p->capacity)
	{
		p->capacity = Max(4, p->capacity * 2);
		if (p->batches == NULL)
			p->batches = MemoryContextAlloc(context, p->capacity * sizeof(PendingBatch));
		else
			p->batches = repalloc_huge(p->batches, p->capacity * sizeof(PendingBatch));
	}
	pgt_pending_batch_init(&p->batches[p->count], capacity);
	return &p->batches[p->count++];
}

void
pgt_pending_partition_spill_newest(PendingPartition *p)
{
	PendingBatch *batch = &p->batches[p->count - 1];

	if (pgt_pending_batch_memory() <= (Size) pgt_buffer_memory * 1024)
		return;
	pgt_pending_batch_spill(batch);
}

void
pgt_pending_partition_spill_open(void)
{
	for (int i = 0; i < pending.count; i++)
	{
		PendingPartition *p = pending.partitions[i];
		PendingBatch *open = pgt_pending_partition_open_batch(p);

		/* a batch that was cut back may still be in the file */
		if (open == NULL || open->records == 0 || open->data == NULL)
			continue;
		pgt_pending_batch_seal(&p->config, open);
		pgt_pending_batch_spill(open);
	}
}

/* ---- subtransactions ----------------------------------------------------- */

void
pgt_pending_partition_mark(PendingPartition *p)
{
	SubTransactionId subid = GetCurrentSubTransactionId();
	PendingMark *mark;
	PendingBatch *open;

	if (subid == TopSubTransactionId ||
		(p->mark_count > 0 && p->marks[p->mark_count - 1].subid == subid))
		return;
	if (p->mark_count == p->mark_capacity)
	{
		p->mark_capacity = Max(4, p->mark_capacity * 2);
		if (p->marks == NULL)
			p->marks = MemoryContextAlloc(context, p->mark_capacity * sizeof(PendingMark));
		else
			p->marks = repalloc(p->marks, p->mark_capacity * sizeof(PendingMark));
	}
	pgt_subxact_stack_note(&marked, context, subid, p);
	mark = &p->marks[p->mark_count++];
	memset(mark, 0, sizeof(*mark));
	open = pgt_pending_partition_open_batch(p);
	mark->subid = subid;
	mark->batch = open != NULL ? p->count - 1 : p->count;
	if (open != NULL)
		mark->as_was = *open;
}

/* Cut the list back to a mark. */
static void
cut_to_mark(PendingPartition *p, const PendingMark *mark)
{
	PendingBatch *batch;
	int			keep = mark->batch + (mark->as_was.records > 0 ? 1 : 0);

	while (p->count > keep)
		pgt_pending_batch_free(&p->batches[--p->count]);
	if (mark->as_was.records == 0)
		return;

	/* the batch was open then: open it again, with the records that it had */
	batch = &p->batches[mark->batch];
	batch->length = mark->as_was.length;
	batch->records = mark->as_was.records;
	batch->last_offset_delta = mark->as_was.last_offset_delta;
	batch->min_timestamp = mark->as_was.min_timestamp;
	batch->max_timestamp = mark->as_was.max_timestamp;
	batch->sealed = false;
}

/* A subtransaction was released: hand its mark to the parent, unless that has one. */
static bool
release_mark(void *thing, SubTransactionId subid, SubTransactionId parent)
{
	PendingPartition *p = thing;

	if (p->mark_count == 0 || p->marks[p->mark_count - 1].subid != subid)
		return false;
	if (parent == TopSubTransactionId ||
		(p->mark_count > 1 && p->marks[p->mark_count - 2].subid == parent))
	{
		p->mark_count--;
		return false;
	}
	p->marks[p->mark_count - 1].subid = parent;
	return true;
}

/* A subtransaction was rolled back: remove its records. */
static void
undo_mark(void *thing, SubTransactionId subid)
{
	PendingPartition *p = thing;

	if (p->mark_count == 0 || p->marks[p->mark_count - 1].subid != subid)
		return;
	p->mark_count--;
	cut_to_mark(p, &p->marks[p->mark_count]);
}

/* A subtransaction has ended: hand its marks on or cut the lists back.  Must not throw. */
static void
subxact_callback(SubXactEvent event, SubTransactionId subid,
				 SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_COMMIT_SUB)
		pgt_subxact_stack_release(&marked, subid, parent, release_mark);
	else if (event == SUBXACT_EVENT_ABORT_SUB)
		pgt_subxact_stack_undo(&marked, subid, undo_mark);
}

/* ---- those that have batches ---------------------------------------------- */

bool
pgt_pending_partition_any(Oid topic)
{
	for (int i = 0; i < pending.count; i++)
	{
		const PendingPartition *p = pending.partitions[i];

		if (p->count > 0 && (!OidIsValid(topic) || p->key.topic == topic))
			return true;
	}
	return false;
}

/* The order in which partitions are appended to. */
static int
compare_partitions(const void *a, const void *b)
{
	const TopicPartition *left = &(*(PendingPartition *const *) a)->key;
	const TopicPartition *right = &(*(PendingPartition *const *) b)->key;

	if (left->topic != right->topic)
		return left->topic < right->topic ? -1 : 1;
	return left->partition < right->partition ? -1 : left->partition > right->partition;
}

PendingPartition **
pgt_pending_partition_take(int *count)
{
	PendingPartition **sorted = pending.partitions;

	*count = 0;
	for (int i = 0; i < pending.count; i++)
	{
		PendingPartition *p = pending.partitions[i];

		p->listed = false;
		if (p->count > 0)
			sorted[(*count)++] = p;
	}
	pending = (PartitionList) {0};
	qsort(sorted, *count, sizeof(*sorted), compare_partitions);
	return sorted;
}

/* ---- the transaction's end ----------------------------------------------- */

void
pgt_pending_partition_forget(void)
{
	context = NULL;
	partitions = NULL;
	last_used = NULL;
	pending = (PartitionList) {0};
	pgt_subxact_stack_forget(&marked);
	pgt_pending_batch_forget();
}

void
pgt_pending_partition_init(void)
{
	RegisterSubXactCallback(subxact_callback, NULL);
}
