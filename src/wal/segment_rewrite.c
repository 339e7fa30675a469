/*
 * segment_rewrite.c
 *	  Writing finished segments anew and putting that in their place, through
 *	  the WAL; forward and redo.
 *
 * Compaction and erasing make, of one or several segments that follow each
 * other, one segment of a higher generation: its files stand beside the old ones
 * under a name of their own and do not count until their header has a swap LSN.
 *
 *	  REWRITE	a chunk of batches with their entries, written to the new files
 *	  SWAP		the new segment counts, those it replaces are gone
 *	  DISCARD	the new segment is not wanted: its files are gone
 *
 * What a crash leaves:
 *
 *	  before SWAP is flushed	the old segments, and files that do not count; the
 *								next collection discards them
 *	  after that				redo of SWAP, from a checkpoint before it: the
 *								process shows DELAY_CHKPT_START from before the
 *								record until header and directory are durable, so
 *								no checkpoint can begin behind the record and
 *								complete without them
 *
 * The swap itself, for readers: the stamp in the header makes the new segment
 * count and the old ones not, in one write (segment.c, pgt_segment_list());
 * segments_version changes after it and after the unlinks, so that a reader that
 * finds a file gone knows that there is news.  No lock is held; readers that
 * have an old file open read on in it.
 *
 * On the primary the new files are fsynced before SWAP.  A standby must have
 * them durable at its restart points as well: "rewriting" makes every sync log a
 * SYNC record, and where no sync process runs (self_sync) the chunk says so and
 * redo syncs at once.  self_sync may be turned on while the record is inserted:
 * then the chunk is logged a second time, which changes nothing else.
 *
 * Redo meets files from before and after the record, as everywhere: the first
 * chunk makes the files anew; SWAP checks that the new segment is whole and else
 * leaves the old ones in place.
 *
 * Layer 3.  Next: compaction.c.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "access/xloginsert.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "util/fault_point.h"
#include "utils/memutils.h"
#include "wal/segment_rewrite.h"
#include "wal/wal_record.h"

#define CHUNK_BYTES		(256 * 1024)
#define CHUNK_ENTRIES	1024

struct SegmentRewrite
{
	PartitionState *state;
	SegmentId	id;
	SegmentSpan span;
	SegmentId  *replaced;
	int			replaced_count;

	/* written so far */
	bool		created;
	uint32		log_end;
	uint32		entries;
	int64		largest_timestamp;

	/* not yet written */
	char	   *chunk;
	uint32		chunk_length;
	IndexEntry *chunk_entries;
	uint32		chunk_count;

	bool		swapped;
};

/* ---- forward ------------------------------------------------------------- */

/* Insert a REWRITE record. */
static void
insert_rewrite(xl_pgt_rewrite *xlrec, IndexEntry *entries, const char *bytes)
{
	pgt_log_begin();
	pgt_log_register(xlrec, sizeof(*xlrec));
	if (xlrec->entries > 0)
		pgt_log_register(entries, xlrec->entries * sizeof(IndexEntry));
	if (xlrec->length > 0)
		pgt_log_register(bytes, xlrec->length);
	XLogInsert(PGT_RMGR_ID, XLOG_PGT_REWRITE);
}

/* Log a chunk, maybe the first; see the head about the second time. */
static void
log_chunk(SegmentRewrite *rewrite, bool first, const char *bytes, uint32 length)
{
	xl_pgt_rewrite xlrec;
	bool		self_sync = pg_atomic_read_u32(&pgt_log_shared->self_sync) != 0;

	memset(&xlrec, 0, sizeof(xlrec));
	xlrec.key = rewrite->state->key;
	xlrec.flags = (first ? REWRITE_FIRST : 0) | (self_sync ? REWRITE_SELF_SYNCED : 0);
	xlrec.id = rewrite->id;
	xlrec.span = rewrite->span;
	xlrec.position = rewrite->log_end;
	xlrec.first_entry = rewrite->entries;
	xlrec.entries = rewrite->chunk_count;
	xlrec.length = length;
	insert_rewrite(&xlrec, rewrite->chunk_entries, bytes);
	if (!self_sync && pg_atomic_read_u32(&pgt_log_shared->self_sync) != 0)
	{
		xlrec.flags |= REWRITE_SELF_SYNCED;
		insert_rewrite(&xlrec, rewrite->chunk_entries, bytes);
	}
}

/* Write and log the entries that wait, with the bytes that belong to them. */
static void
write_chunk(SegmentRewrite *rewrite, const char *bytes, uint32 length)
{
	bool		first = !rewrite->created;
	Segment    *segment = first ?
		pgt_partition_log_create_segment(rewrite->state, rewrite->id, &rewrite->span) :
		pgt_partition_log_segment(rewrite->state, rewrite->id);

	rewrite->created = true;
	if (segment == NULL)
		elog(ERROR, "segment %lld.%u is gone while it is being written",
			 (long long) rewrite->id.base, rewrite->id.generation);
	if (length > 0)
		pgt_segment_write(segment, rewrite->log_end, bytes, length);
	if (rewrite->chunk_count > 0)
		pgt_segment_write_entries(segment, rewrite->entries, rewrite->chunk_count,
								  rewrite->chunk_entries);
	pgt_segment_writeback(segment, rewrite->log_end, rewrite->log_end + length);
	FAULT_POINT("rewrite-written");
	log_chunk(rewrite, first, bytes, length);
	FAULT_POINT("rewrite-logged");
	rewrite->log_end += length;
	rewrite->entries += rewrite->chunk_count;
	rewrite->chunk_count = rewrite->chunk_length = 0;
}

/* Write what waits. */
static void
flush_chunk(SegmentRewrite *rewrite)
{
	if (rewrite->chunk_count > 0 || !rewrite->created)
		write_chunk(rewrite, rewrite->chunk, rewrite->chunk_length);
}

/* The span of what replaces these segments. */
static SegmentSpan
joint_span(PartitionState *state, const SegmentId *replaced, int count)
{
	Segment    *segment = pgt_partition_log_segment(state, replaced[0]);
	SegmentSpan span = {0};
	LogBounds	finished = {.active_base = NO_SEGMENT};

	if (segment != NULL)
		span.previous_end = segment->span.previous_end;
	if (segment != NULL && count > 1)
		segment = pgt_partition_log_segment(state, replaced[count - 1]);
	if (segment == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FILE),
				 errmsg("a segment of partition %d is missing", state->key.partition)));
	span.end_offset = pgt_partition_log_segment_end(segment, &finished);
	return span;
}

SegmentRewrite *
pgt_rewrite_begin(PartitionState *state, const SegmentId *replaced, int count,
				  int64 compacted_end)
{
	SegmentRewrite *rewrite = palloc0(sizeof(SegmentRewrite));

	Assert(IsTransactionState());
	rewrite->state = state;
	rewrite->id.base = replaced[0].base;
	for (int i = 0; i < count; i++)
		rewrite->id.generation = Max(rewrite->id.generation, replaced[i].generation + 1);
	rewrite->span = joint_span(state, replaced, count);
	rewrite->span.compacted_end = compacted_end;
	rewrite->replaced = palloc(count * sizeof(SegmentId));
	memcpy(rewrite->replaced, replaced, count * sizeof(SegmentId));
	rewrite->replaced_count = count;
	rewrite->largest_timestamp = PG_INT64_MIN;
	rewrite->chunk = palloc(CHUNK_BYTES);
	rewrite->chunk_entries = palloc(CHUNK_ENTRIES * sizeof(IndexEntry));
	pg_atomic_write_u32(&state->rewriting, 1);
	pg_memory_barrier();
	return rewrite;
}

void
pgt_rewrite_add(SegmentRewrite *rewrite, int64 first_offset, int64 last_offset,
				const IndexEntry *origin, const char *batch, uint32 length)
{
	bool		alone = length > CHUNK_BYTES;
	IndexEntry *entry;

	if (rewrite->chunk_count == CHUNK_ENTRIES || alone ||
		rewrite->chunk_length + length > CHUNK_BYTES)
		flush_chunk(rewrite);
	rewrite->largest_timestamp = Max(rewrite->largest_timestamp, origin->max_timestamp);
	entry = &rewrite->chunk_entries[rewrite->chunk_count++];
	*entry = *origin;
	entry->first_delta = first_offset - rewrite->id.base;
	entry->last_delta = last_offset - rewrite->id.base;
	entry->position = rewrite->log_end + rewrite->chunk_length;
	entry->length = length;
	entry->largest_timestamp = rewrite->largest_timestamp;
	if (alone)
	{
		write_chunk(rewrite, batch, length);
		return;
	}
	memcpy(rewrite->chunk + rewrite->chunk_length, batch, length);
	rewrite->chunk_length += length;
}

/* Insert the SWAP record; returns its end LSN. */
static XLogRecPtr
insert_swap(const SegmentRewrite *rewrite, int64 active_base)
{
	xl_pgt_swap xlrec;

	memset(&xlrec, 0, sizeof(xlrec));
	xlrec.key = rewrite->state->key;
	xlrec.replaced = rewrite->replaced_count;
	xlrec.id = rewrite->id;
	xlrec.entries = rewrite->entries;
	xlrec.log_end = rewrite->log_end;
	xlrec.active_base = active_base;
	pgt_log_begin();
	pgt_log_register(&xlrec, sizeof(xlrec));
	pgt_log_register(rewrite->replaced, rewrite->replaced_count * sizeof(SegmentId));
	return XLogInsert(PGT_RMGR_ID, XLOG_PGT_SWAP);
}

/* The new segment counts: let everyone know, and remove those it replaces. */
static void
remove_replaced(PartitionState *state, const SegmentId *replaced, int count)
{
	char		path[MAXPGPATH];

	pg_atomic_fetch_add_u32(&state->segments_version, 1);
	for (int i = 0; i < count; i++)
	{
		pgt_partition_log_remove_segment(state, replaced[i]);
		FAULT_POINT("swap-one-removed");
	}
	pgt_partition_path(path, &state->key);
	fsync_fname(path, true);
	pg_atomic_fetch_add_u32(&state->segments_version, 1);
	FAULT_POINT("swap-done");
}

/* No rewriting goes on any more; what it logged still wants a SYNC record. */
static void
end_rewriting(PartitionState *state)
{
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	state->unsynced = true;
	LWLockRelease(&state->lock);
	pg_atomic_write_u32(&state->rewriting, 0);
}

void
pgt_rewrite_swap(SegmentRewrite *rewrite)
{
	PartitionState *state = rewrite->state;
	Segment    *segment;
	LogBounds	bounds;
	TopicPartition key;
	XLogRecPtr	lsn;

	flush_chunk(rewrite);
	(void) pgt_partition_log_slot_bounds(state, &key, &bounds);
	segment = pgt_partition_log_segment(state, rewrite->id);
	if (segment == NULL)
		elog(ERROR, "segment %lld.%u is gone before it is swapped in",
			 (long long) rewrite->id.base, rewrite->id.generation);
	pgt_segment_sync(segment);
	FAULT_POINT("rewrite-synced");

	Assert((MyProc->delayChkptFlags & DELAY_CHKPT_START) == 0);
	MyProc->delayChkptFlags |= DELAY_CHKPT_START;
	START_CRIT_SECTION();
	lsn = insert_swap(rewrite, bounds.active_base);
	FAULT_POINT("swap-logged");
	XLogFlush(lsn);
	FAULT_POINT("swap-flushed");
	pgt_segment_stamp(segment, lsn);
	FAULT_POINT("swap-stamped");
	rewrite->swapped = true;
	END_CRIT_SECTION();
	remove_replaced(state, rewrite->replaced, rewrite->replaced_count);
	MyProc->delayChkptFlags &= ~DELAY_CHKPT_START;
	end_rewriting(state);
}

void
pgt_rewrite_abandon(SegmentRewrite *rewrite)
{
	if (!rewrite->swapped && rewrite->created)
		pgt_rewrite_discard(rewrite->state, rewrite->id);
	if (pg_atomic_read_u32(&rewrite->state->rewriting) != 0)
		end_rewriting(rewrite->state);
	pfree(rewrite->chunk);
	pfree(rewrite->chunk_entries);
	pfree(rewrite->replaced);
	pfree(rewrite);
}

void
pgt_rewrite_discard(PartitionState *state, SegmentId id)
{
	xl_pgt_discard xlrec;

	memset(&xlrec, 0, sizeof(xlrec));
	xlrec.key = state->key;
	xlrec.id = id;
	pgt_log_begin();
	pgt_log_register(&xlrec, sizeof(xlrec));
	XLogInsert(PGT_RMGR_ID, XLOG_PGT_DISCARD);
	FAULT_POINT("discard-logged");
	pgt_partition_log_remove_segment(state, id);
}

/* ---- redo ---------------------------------------------------------------- */

/* A segment that redo has written and not synced. */
typedef struct UnsyncedSegment
{
	PartitionState *state;
	uint32		incarnation;
	SegmentId	id;
} UnsyncedSegment;

static List *unsynced = NIL;	/* in TopMemoryContext */

/* Take a segment off the list, if it is there. */
static void
forget_unsynced(const PartitionState *state, SegmentId id)
{
	ListCell   *cell;

	foreach(cell, unsynced)
	{
		UnsyncedSegment *item = lfirst(cell);

		if (item->state == state && pgt_same_segment(item->id, id))
		{
			unsynced = foreach_delete_current(unsynced, cell);
			pfree(item);
		}
	}
}

/* Put it on the list, once. */
static void
remember_unsynced(PartitionState *state, SegmentId id)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	UnsyncedSegment *item;

	forget_unsynced(state, id);
	item = palloc(sizeof(UnsyncedSegment));
	*item = (UnsyncedSegment) {state, state->incarnation, id};
	unsynced = lappend(unsynced, item);
	MemoryContextSwitchTo(old);
}

void
pgt_redo_sync_rewritten(void)
{
	ListCell   *cell;

	foreach(cell, unsynced)
	{
		UnsyncedSegment *item = lfirst(cell);
		Segment    *segment = item->state->in_use && item->state->incarnation == item->incarnation ?
			pgt_partition_log_segment(item->state, item->id) : NULL;

		if (segment != NULL)
			pgt_segment_sync(segment);
	}
	list_free_deep(unsynced);
	unsynced = NIL;
}

/* The segment a chunk goes to: made anew by the first one, else as it is. */
static Segment *
redo_target(PartitionState *state, const xl_pgt_rewrite *xlrec)
{
	if ((xlrec->flags & REWRITE_FIRST) != 0)
		return pgt_partition_log_create_segment(state, xlrec->id, &xlrec->span);
	if (!pgt_partition_log_is_open(state, xlrec->id))
		pgt_segment_restore(&state->key, xlrec->id, &xlrec->span);
	return pgt_partition_log_segment(state, xlrec->id);
}

void
pgt_redo_rewrite(XLogReaderState *record)
{
	char	   *data = pgt_log_record_data(record);
	xl_pgt_rewrite xlrec;
	IndexEntry *entries;
	PartitionState *state;
	Segment    *segment;
	Size		size;

	memcpy(&xlrec, data, sizeof(xlrec));
	data += sizeof(xlrec);
	size = xlrec.entries * sizeof(IndexEntry);
	entries = palloc(size + 1);
	memcpy(entries, data, size);
	state = pgt_redo_partition(&xlrec.key);
	segment = redo_target(state, &xlrec);
	if (xlrec.length > 0)
		pgt_segment_write(segment, xlrec.position, data + size, xlrec.length);
	if (xlrec.entries > 0)
		pgt_segment_write_entries(segment, xlrec.first_entry, xlrec.entries, entries);
	if ((xlrec.flags & REWRITE_SELF_SYNCED) != 0)
		pgt_segment_sync(segment);
	else
		remember_unsynced(state, xlrec.id);
}

/* The new segment, if it is there as the record has it; else a LOG line. */
static Segment *
redo_swapped_segment(PartitionState *state, const xl_pgt_swap *xlrec)
{
	Segment    *segment = NULL;
	char		path[MAXPGPATH];

	if (pgt_segment_is_usable(&state->key, xlrec->id))
		segment = pgt_partition_log_segment(state, xlrec->id);
	if (segment != NULL && pgt_segment_is_complete(segment, xlrec->entries, xlrec->log_end))
		return segment;
	pgt_segment_log_path(path, &state->key, xlrec->id);
	ereport(LOG,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("segment \"%s\" is not whole; keeping the segments that it should replace", path)));
	return NULL;
}

void
pgt_redo_swap(XLogReaderState *record)
{
	char	   *data = pgt_log_record_data(record);
	xl_pgt_swap xlrec;
	SegmentId  *replaced;
	PartitionState *state;
	Segment    *segment;

	memcpy(&xlrec, data, sizeof(xlrec));
	replaced = palloc(xlrec.replaced * sizeof(SegmentId));
	memcpy(replaced, data + sizeof(xlrec), xlrec.replaced * sizeof(SegmentId));
	state = pgt_redo_partition(&xlrec.key);
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	pgt_apply_active_base(state, xlrec.active_base);
	LWLockRelease(&state->lock);
	segment = redo_swapped_segment(state, &xlrec);
	if (segment == NULL)
		return;
	forget_unsynced(state, xlrec.id);
	pgt_segment_sync(segment);
	XLogFlush(record->EndRecPtr);
	pgt_segment_stamp(segment, record->EndRecPtr);
	remove_replaced(state, replaced, xlrec.replaced);
}

void
pgt_redo_discard(XLogReaderState *record)
{
	xl_pgt_discard xlrec;
	PartitionState *state;

	memcpy(&xlrec, pgt_log_record_data(record), sizeof(xlrec));
	state = pgt_redo_partition(&xlrec.key);
	forget_unsynced(state, xlrec.id);
	pgt_partition_log_remove_segment(state, xlrec.id);
}
