/*
 * offset_merge.c
 *	  The records of several partitions by their offsets, in either direction.
 *
 * Each partition has a reader of its own, forward or backward, which stands at the
 * partition's next record; a heap tells which of them comes first.
 *
 *	  partition 0   [ 7 ] 8 9 ...
 *	  partition 1   [ 3 ] 4 5 ...  <- first
 *	  partition 2   [ 5 ] 9 ...
 *
 * So ORDER BY record_offset LIMIT n reads a batch or two of each partition instead of
 * sorting the topic.  Offsets of different partitions have nothing to do with each other;
 * what one asks for in this way is "the last few records, wherever they are", or the
 * largest offset.
 *
 * The readers are given equal parts of work_mem.
 *
 * Locks: none.  Memory: one context for all, with those of the readers below it.  A
 * record's bytes are its reader's, and the reader goes on only after the next call.
 */
#include "postgres.h"

#include "lib/binaryheap.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "query/offset_merge.h"
#include "wal/backward_reader.h"

/* One partition; it has a reader of one kind. */
typedef struct MergeSource
{
	int			partition;
	LogReader  *forward;
	BackwardReader *backward;
	Record		record;			/* its next one */
	int64		records;		/* read so far */
	int64		bytes;
} MergeSource;

struct OffsetMerge
{
	MemoryContext context;
	TopicWalk  *walk;
	bool		backward;
	bool		has_begun;
	int			count;
	MergeSource *sources;
	binaryheap *heap;			/* of MergeSource *, the one that comes first on top */
};

/* The order of two sources; the heap has the greatest on top. */
static int
compare_sources(Datum a, Datum b, void *arg)
{
	const OffsetMerge *merge = arg;
	const MergeSource *left = (const MergeSource *) DatumGetPointer(a);
	const MergeSource *right = (const MergeSource *) DatumGetPointer(b);

	if (left->record.offset != right->record.offset)
		return (left->record.offset < right->record.offset) == merge->backward ? -1 : 1;
	return left->partition < right->partition ? 1 : -1;
}

OffsetMerge *
pgt_offset_merge_begin(TopicWalk *walk, bool backward)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics merge",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	OffsetMerge *merge = palloc0(sizeof(OffsetMerge));
	int			partition = -1;

	merge->context = context;
	merge->walk = walk;
	merge->backward = backward;
	merge->sources = palloc0(Max(bms_num_members(walk->bounds.partitions), 1) * sizeof(MergeSource));
	while ((partition = bms_next_member(walk->bounds.partitions, partition)) >= 0)
		merge->sources[merge->count++].partition = partition;
	merge->heap = binaryheap_allocate(Max(merge->count, 1), compare_sources, merge);
	MemoryContextSwitchTo(caller);
	return merge;
}

/* Open a partition's reader. */
static void
open_source(OffsetMerge *merge, MergeSource *source)
{
	TopicWalk  *walk = merge->walk;
	TopicPartition key = pgt_topic_partition(walk->topic, source->partition);
	LogReaderFilter filter = pgt_topic_walk_filter(walk);
	MemoryContext caller = MemoryContextSwitchTo(merge->context);

	filter.memory = (Size) work_mem * 1024 / merge->count;
	filter.end_offset = pgt_topic_walk_end_offset(walk, source->partition, merge->backward);
	if (merge->backward)
		source->backward = pgt_backward_reader_begin(&key, walk->bounds.first_offset, walk->snapshot, &filter);
	else
		source->forward = pgt_log_reader_begin(&key, walk->bounds.first_offset, walk->snapshot, &filter);
	MemoryContextSwitchTo(caller);
}

/* End a partition's reader, and count what it has given. */
static void
close_source(OffsetMerge *merge, MergeSource *source)
{
	if (source->forward != NULL)
		pgt_log_reader_end(source->forward);
	if (source->backward != NULL)
		pgt_backward_reader_end(source->backward);
	source->forward = NULL;
	source->backward = NULL;
	pgt_topic_walk_count(merge->walk, source->partition, source->records, source->bytes);
	source->records = source->bytes = 0;
}

/* Go to the partition's next record that is wanted; false, with the reader ended, if there is none. */
static bool
advance(OffsetMerge *merge, MergeSource *source)
{
	while (source->backward != NULL ? pgt_backward_reader_next(source->backward, &source->record) :
		   pgt_log_reader_next(source->forward, &source->record))
	{
		source->records++;
		source->bytes += source->record.encoded_length;
		if (pgt_topic_walk_wants(merge->walk, &source->record))
			return true;
	}
	close_source(merge, source);
	return false;
}

/* Read the first record of each partition. */
static void
begin_all(OffsetMerge *merge)
{
	merge->has_begun = true;
	for (int i = 0; i < merge->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		open_source(merge, &merge->sources[i]);
		if (advance(merge, &merge->sources[i]))
			binaryheap_add_unordered(merge->heap, PointerGetDatum(&merge->sources[i]));
	}
	binaryheap_build(merge->heap);
}

bool
pgt_offset_merge_next(OffsetMerge *merge, Record *record, int *partition)
{
	MergeSource *first;

	if (!merge->has_begun)
		begin_all(merge);
	else if (!binaryheap_empty(merge->heap))
	{
		first = (MergeSource *) DatumGetPointer(binaryheap_first(merge->heap));
		if (advance(merge, first))
			binaryheap_replace_first(merge->heap, PointerGetDatum(first));
		else
			(void) binaryheap_remove_first(merge->heap);
	}
	if (binaryheap_empty(merge->heap))
		return false;
	first = (MergeSource *) DatumGetPointer(binaryheap_first(merge->heap));
	*record = first->record;
	*partition = first->partition;
	return true;
}

void
pgt_offset_merge_end(OffsetMerge *merge)
{
	for (int i = 0; i < merge->count; i++)
		close_source(merge, &merge->sources[i]);
	MemoryContextDelete(merge->context);
}
