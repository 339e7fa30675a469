/*
 * log_ranges.c
 *	  The batches that a consumer outside of the database is given: parts of segments' files.
 *
 * The consumer takes batches as they are in the log, so it can be sent the bytes of a file,
 * and nobody looks at them here.  Which bytes, the index says:
 *
 *	  index		[ 0 ][ 1 ][ 2 aborted ][ 3 ] | [ 4 ][ 5 ] stable end
 *	  ranges	(         )            (   )   (        )
 *
 * Batches that lie side by side in a segment are one range.  A batch of a transaction that has
 * aborted splits it, since consumers cannot be told to skip it: they know transactions of
 * Kafka's only.  A segment's end splits it, too.
 *
 * Below the stable end (log_stable_end.h) all transactions have ended, so a batch that did not
 * abort has committed.
 *
 * The bytes below a log's end never change.  A segment that is rewritten gets files of its own,
 * so whoever holds the old one still has the batches as they were, and a consumer that goes on
 * behind them finds the rest in the new one.  A rewritten segment may have merged batches, of
 * which the first part was found before it was swapped in; then the ranges end there, lest
 * they give records twice.
 *
 * Where the process may have no more files open, since many clients do not take what they were given, a few
 * batches are copied.
 *
 * Consumers mostly go on where they have stopped; as with other readers, a hint is kept
 * where that is.
 *
 * Locks: none but for copies of the bounds.  Memory: the caller's context, which also releases
 * the files.
 */
#include "postgres.h"

#include "log/log_file_cache.h"
#include "log/log_segments.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "wal/batch_outcome.h"
#include "wal/log_ranges.h"

/* So many ranges are enough for one answer. */
#define RANGES_MAX	256

/* What is copied is no more than that, or one batch. */
#define COPY_MAX	(256 * 1024)

/* What is found, as long as it grows. */
typedef struct RangesSearch
{
	const LogRangesWish *wish;
	EntryWalk	walk;
	LogRanges  *found;
	int			capacity;
	int			span_room;
	OutputFile *file;			/* of the segment that the walk is in; NULL: not open */
	SegmentId	file_segment;
	bool		copies;			/* no more files may be open: batches are copied */
} RangesSearch;

/* ---- files ------------------------------------------------------------------- */

/* The context of the ranges goes. */
static void
release_file(void *arg)
{
	pgt_output_file_release(arg);
}

/* Let the current context release a file when it goes; the callback is in its memory. */
static void
release_with_context(OutputFile *file, MemoryContextCallback *callback)
{
	callback->func = release_file;
	callback->arg = file;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
}

/* Keep a file open for as long as the current context lives. */
static void
hold_file(OutputFile *file)
{
	MemoryContextCallback *callback = palloc(sizeof(MemoryContextCallback));

	pgt_output_file_retain(file);
	release_with_context(file, callback);
}

/* Report that a segment's log is missing, although nothing was deleted. */
static void
fail_for_missing_log(const EntryWalk *walk)
{
	char		path[MAXPGPATH];

	pgt_segment_log_path(path, &walk->key, walk->segment);
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("segment \"%s\" is missing", path)));
}

/* Have the file of the walk's segment.  False if segments were changed meanwhile. */
static bool
have_file(RangesSearch *search)
{
	EntryWalk  *walk = &search->walk;
	OutputFile *file;

	if (search->copies || (search->file != NULL && pgt_segment_id_equal(search->file_segment, walk->segment)))
		return true;
	search->file = NULL;
	file = pgt_log_file_cache_open(walk->state, &walk->key, &walk->bounds, walk->segment);
	if (file == NULL && errno == EMFILE)
	{
		search->copies = true;
		return true;
	}
	/* of the right name, but perhaps of another file by now */
	if (!pgt_entry_walk_is_valid(walk))
		return false;
	if (file == NULL)
		fail_for_missing_log(walk);
	hold_file(file);
	search->file = file;
	search->file_segment = walk->segment;
	return true;
}

/* ---- ranges ------------------------------------------------------------------ */

/* May the batch be added? */
static bool
fits(const RangesSearch *search, const IndexEntry *entry)
{
	const LogRanges *found = search->found;

	if (found->length == 0)
		return search->wish->at_least_one || entry->length <= search->wish->max_bytes;
	/* a part of a merged batch that was found already */
	if (search->walk.segment.base + entry->first_delta < found->next_offset)
		return false;
	return found->count < RANGES_MAX &&
		found->length + entry->length <= (search->copies ? Min(search->wish->max_bytes, COPY_MAX) : search->wish->max_bytes);
}

/*
 * Copy a batch by the server's own files, which are closed and opened as needed.  False if segments were
 * changed meanwhile.
 */
static bool
copy_batch(RangesSearch *search, const IndexEntry *entry)
{
	EntryWalk  *walk = &search->walk;
	/* before the copy, which any error behind it releases */
	MemoryContextCallback *callback = palloc(sizeof(MemoryContextCallback));
	OutputFile *copy = pgt_output_file_copy(entry->position, entry->length);
	bool		is_whole;

	release_with_context(copy, callback);
	is_whole = pgt_segment_read(pgt_log_segments_open(walk->state, walk->segment), entry->position, copy->bytes,
								entry->length);
	if (!pgt_entry_walk_is_valid(walk))
		return false;
	if (!is_whole)
		fail_for_missing_log(walk);
	search->file = copy;
	return true;
}

/* Have a file with the batch in it.  False if segments were changed meanwhile. */
static bool
have_batch(RangesSearch *search, const IndexEntry *entry)
{
	return have_file(search) && (!search->copies || copy_batch(search, entry));
}

/* Note the offsets of a batch. */
static void
add_span(RangesSearch *search, int64 first, int64 last)
{
	LogRanges  *found = search->found;

	if (found->span_count > 0 && found->spans[found->span_count - 1].last + 1 >= first)
	{
		found->spans[found->span_count - 1].last = last;
		return;
	}
	if (found->span_count == search->span_room)
	{
		search->span_room = Max(4, search->span_room * 2);
		found->spans = found->spans == NULL ? palloc(search->span_room * sizeof(LogSpan)) :
			repalloc(found->spans, search->span_room * sizeof(LogSpan));
	}
	found->spans[found->span_count++] = (LogSpan) {first, last};
}

/* Add a batch of the segment whose file is open. */
static void
add_batch(RangesSearch *search, const IndexEntry *entry)
{
	LogRanges  *found = search->found;
	LogRange   *last = found->count > 0 ? &found->ranges[found->count - 1] : NULL;

	if (search->wish->spans)
		add_span(search, search->walk.segment.base + entry->first_delta, search->walk.segment.base + entry->last_delta);
	found->length += entry->length;
	found->records += (int64) entry->last_delta - entry->first_delta + 1;
	if (last != NULL && last->file == search->file && last->position + last->length == entry->position)
	{
		last->length += entry->length;
		return;
	}
	if (found->count == search->capacity)
	{
		search->capacity = Max(4, search->capacity * 2);
		found->ranges = found->ranges == NULL ? palloc(search->capacity * sizeof(LogRange)) :
			repalloc(found->ranges, search->capacity * sizeof(LogRange));
	}
	found->ranges[found->count++] = (LogRange) {search->file, entry->position, entry->length};
}

/* Take a batch, or pass it if its transaction has aborted.  False if the search ends before it. */
static bool
take_batch(RangesSearch *search, BatchOutcome *memory, const IndexEntry *entry)
{
	EntryWalk  *walk = &search->walk;
	int64		last = walk->segment.base + entry->last_delta;

	if (last >= search->wish->end ||
		(search->wish->last > 0 && walk->segment.base + entry->first_delta > search->wish->last))
		return false;
	switch (pgt_batch_outcome_ask(memory, walk, entry, NULL))
	{
		case BATCH_OUTCOME_UNCLEAR:
			return true;
		case BATCH_OUTCOME_ABORTED:
			break;
		case BATCH_OUTCOME_COMMITTED:
			if (!fits(search, entry))
				return false;
			if (!have_batch(search, entry))
			{
				pgt_entry_walk_again(walk, entry);
				return true;
			}
			add_batch(search, entry);
			break;
	}
	search->found->next_offset = last + 1;
	return true;
}

/* Let the next search for what follows begin where this one ended: before "stop", or at the log's end. */
static void
leave_hint(const EntryWalk *walk, const IndexEntry *stop, int64 next_offset)
{
	uint32		n = stop != NULL ? walk->next - 1 : walk->next;
	int64		last = stop != NULL ? walk->segment.base + stop->last_delta : next_offset;

	if (walk->segment.base == NO_SEGMENT || walk->is_gone || last < next_offset)
		return;
	pgt_log_segments_keep_hint(walk->state, walk->segment, n, next_offset, last);
	/* it would mislead who reads another partition in this slot */
	if (!pgt_entry_walk_is_valid(walk))
		pgt_log_segments_keep_hint(walk->state, walk->segment, 0, 1, 0);
}

bool
pgt_log_ranges(const TopicPartition *key, const LogRangesWish *wish, LogRanges *found)
{
	RangesSearch search = {.wish = wish, .found = found};
	BatchOutcome memory = {0};
	const IndexEntry *entry = NULL;

	*found = (LogRanges) {.next_offset = wish->offset};
	if (!pgt_entry_walk_begin(&search.walk, key, wish->offset, NULL))
		return false;
	while (search.walk.position < wish->end && (entry = pgt_entry_walk_next(&search.walk)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (!take_batch(&search, &memory, entry))
			break;
		entry = NULL;
	}
	leave_hint(&search.walk, entry, found->next_offset);
	return !search.walk.is_gone;
}

void
pgt_log_ranges_count(const TopicPartition *key, const LogRanges *found)
{
	PartitionState *state = pgt_log_state_find(key);

	if (state == NULL)
		return;
	pg_atomic_fetch_add_u64(&state->records_out, found->records);
	pg_atomic_fetch_add_u64(&state->bytes_out, found->length);
}
