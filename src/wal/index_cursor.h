/*
 * index_cursor.h
 *	  From one index entry of a partition to the next, across its segments.
 */
#ifndef INDEX_CURSOR_H
#define INDEX_CURSOR_H

#include "wal/batch_visibility.h"
#include "wal/log_reader_filter.h"

typedef struct IndexCursor
{
	MemoryContext context;
	TopicPartition key;
	PartitionState *state;
	VisibilitySnapshot view;
	LogReaderFilter filter;
	LogReaderCounts uncounted;	/* where nobody asks for the counts */
	LogBounds	bounds;

	int64		position;		/* next offset to give, or to skip to: who takes an entry moves it */
	int64		next_start;		/* of what was found at or past end_offset, or 0 */
	bool		done;

	/* the place in the index */
	SegmentId	segment;		/* base NO_SEGMENT: to be looked up */
	uint32		segment_entries;
	uint32		next_entry;

	/* by filter.keys, of that segment */
	int64		ended;			/* below it no transaction is running as of the snapshot */
	uint32		ended_entries;	/* as many of its entries lie below that */
	bool		has_skipped;	/* up to next_entry */
	KeyProbeResult *hits;

	/* entries read ahead, of that segment */
	IndexEntry *entries;
	uint32		entry_capacity;
	uint32		first_entry;
	uint32		entry_count;
} IndexCursor;

/*
 * Begin before the first entry that reaches "offset" or, if that is larger, the log start.
 * *cursor is all zeros; its memory is in "context", which ends with it.  filter may be NULL.
 */
extern void pgt_index_cursor_begin(IndexCursor *cursor, MemoryContext context, const TopicPartition *key,
								   int64 offset, Snapshot snapshot, const LogReaderFilter *filter);

/*
 * Go on at the first batch of the log that reaches a time, if that is ahead; done if none
 * does.  REQUIRES: not done.
 */
extern void pgt_index_cursor_seek_timestamp(IndexCursor *cursor, int64 timestamp);

/*
 * The next entry that reaches the position, up to the filter's end_offset, and how the
 * snapshot sees it, which is never BATCH_GONE.  It is valid until the next call.  NULL at the
 * end.  Damage is an ERROR (data_corrupted) that names file, position and offset.
 */
extern IndexEntry *pgt_index_cursor_next(IndexCursor *cursor, BatchVisibility *seen);

/*
 * The segment of the entry that was given last.  NULL if it was deleted or replaced: then the
 * cursor looks its position up again.
 */
extern Segment *pgt_index_cursor_segment(IndexCursor *cursor);

/* May the batch of entry n of the segment have one of the filter's keys? */
static inline bool
pgt_index_cursor_may_have_keys(const IndexCursor *cursor, uint32 n)
{
	return cursor->hits == NULL || pgt_key_probe_next(cursor->hits, n) == n;
}

/* End the cursor, and its context with all that is there. */
extern void pgt_index_cursor_end(IndexCursor *cursor);

#endif							/* INDEX_CURSOR_H */
