/*
 * segment_rewrite.c
 *	  Rewriting finished segments and replacing them by the result, through the
 *	  WAL; log_redo.c has the redo.
 *
 * Compaction, merging and erasing make one segment of a higher generation from one or several
 * segments that follow each other.  Its files lie beside the old ones under their own
 * name, and do not count until the header has a swap LSN.
 *
 *	  REWRITE	a chunk of batches with their entries, written to the new files
 *	  SWAP		the new segment counts, and the segments that it replaces are gone
 *	  DISCARD	the new segment is not needed, and its files are gone
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
 * For readers, one write swaps: with the swap LSN in its header the new segment counts,
 * and the old ones do not (pgt_segment_list()).  segments_version is raised after that
 * write and after the unlinks, so a reader that finds a file gone lists the
 * segments again.  No lock is held; readers that have an old file open continue in it.
 *
 * On the primary the new files are synced before SWAP.  A standby must have them
 * durable at its restart points as well: "rewriting" makes every sync log a SYNC
 * record, and while no sync process runs (self_sync) the chunk's record says so and
 * redo syncs at once.  If self_sync is turned on while the record is inserted, the
 * chunk is logged a second time, which changes nothing else.
 *
 * Redo may find files from before or after the record, as everywhere: the first chunk
 * makes the files anew; SWAP checks that the new segment is whole, and leaves the old
 * ones in place if it is not.
 *
 * If a step fails, pgt_segment_rewrite_abandon() removes the new files.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "access/xloginsert.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "util/fault_point.h"
#include "utils/memutils.h"
#include "wal/log_apply.h"
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
	pgt_wal_record_begin();
	pgt_wal_record_register(xlrec, sizeof(*xlrec));
	if (xlrec->entries > 0)
		pgt_wal_record_register(entries, xlrec->entries * sizeof(IndexEntry));
	if (xlrec->length > 0)
		pgt_wal_record_register(bytes, xlrec->length);
	XLogInsert(PGT_RMGR_ID, XLOG_PGT_REWRITE);
}

/* Log a chunk.  The head of this file says why it may be logged twice. */
static void
log_chunk(SegmentRewrite *rewrite, bool first, const char *bytes, uint32 length)
{
	xl_pgt_rewrite xlrec;
	bool		self_sync = pg_atomic_read_u32(&pgt_log_state->self_sync) != 0;

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
	if (!self_sync && pg_atomic_read_u32(&pgt_log_state->self_sync) != 0)
	{
		xlrec.flags |= REWRITE_SELF_SYNCED;
		insert_rewrite(&xlrec, rewrite->chunk_entries, bytes);
	}
}

/* Write and log the pending entries, with the bytes that belong to them. */
static void
write_chunk(SegmentRewrite *rewrite, const char *bytes, uint32 length)
{
	bool		first = !rewrite->created;
	Segment    *segment = first ?
		pgt_log_segments_create(rewrite->state, rewrite->id, &rewrite->span) :
		pgt_log_segments_open(rewrite->state, rewrite->id);

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

/* Write the pending chunk. */
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
	Segment    *segment = pgt_log_segments_open(state, replaced[0]);
	SegmentSpan span = {0};
	LogBounds	finished = {.active_base = NO_SEGMENT};

	if (segment != NULL)
		span.previous_end = segment->span.previous_end;
	if (segment != NULL && count > 1)
		segment = pgt_log_segments_open(state, replaced[count - 1]);
	if (segment == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FILE),
				 errmsg("a segment of partition %d of topic %u is missing",
						state->key.partition, state->key.topic)));
	span.end_offset = pgt_partition_log_segment_end(segment, &finished);
	return span;
}

SegmentRewrite *
pgt_segment_rewrite_begin(PartitionState *state, const SegmentId *replaced, int count,
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
pgt_segment_rewrite_add(SegmentRewrite *rewrite, int64 first_offset, int64 last_offset,
						const IndexEntry *origin, const char *batch, uint32 length)
{
	bool		alone = length > CHUNK_BYTES;
	IndexEntry *entry;

	/* positions have 32 bits; codecs that were changed may make more of it */
	if (length > PG_UINT32_MAX - rewrite->log_end - rewrite->chunk_length)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("rewritten segment of partition %d of topic %u would be larger than 4 GiB",
						rewrite->state->key.partition, rewrite->state->key.topic)));
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
	pgt_index_entry_set_dense(entry, batch);
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
	pgt_wal_record_begin();
	pgt_wal_record_register(&xlrec, sizeof(xlrec));
	pgt_wal_record_register(rewrite->replaced, rewrite->replaced_count * sizeof(SegmentId));
	return XLogInsert(PGT_RMGR_ID, XLOG_PGT_SWAP);
}

/* The rewrite has ended; what it logged still needs a SYNC record. */
static void
end_rewriting(PartitionState *state)
{
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	state->unsynced = true;
	LWLockRelease(&state->lock);
	pg_atomic_write_u32(&state->rewriting, 0);
}

void
pgt_segment_rewrite_swap(SegmentRewrite *rewrite)
{
	PartitionState *state = rewrite->state;
	Segment    *segment;
	LogBounds	bounds;
	TopicPartition key;
	XLogRecPtr	lsn;

	flush_chunk(rewrite);
	(void) pgt_partition_log_slot_bounds(state, &key, &bounds);
	segment = pgt_log_segments_open(state, rewrite->id);
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
	pgt_log_apply_swapped(state, rewrite->replaced, rewrite->replaced_count);
	MyProc->delayChkptFlags &= ~DELAY_CHKPT_START;
	end_rewriting(state);
}

void
pgt_segment_rewrite_abandon(SegmentRewrite *rewrite)
{
	if (!rewrite->swapped && rewrite->created)
		pgt_segment_rewrite_discard(rewrite->state, rewrite->id);
	if (pg_atomic_read_u32(&rewrite->state->rewriting) != 0)
		end_rewriting(rewrite->state);
	pfree(rewrite->chunk);
	pfree(rewrite->chunk_entries);
	pfree(rewrite->replaced);
	pfree(rewrite);
}

void
pgt_segment_rewrite_discard(PartitionState *state, SegmentId id)
{
	xl_pgt_discard xlrec;

	memset(&xlrec, 0, sizeof(xlrec));
	xlrec.key = state->key;
	xlrec.id = id;
	pgt_wal_record_begin();
	pgt_wal_record_register(&xlrec, sizeof(xlrec));
	XLogInsert(PGT_RMGR_ID, XLOG_PGT_DISCARD);
	FAULT_POINT("discard-logged");
	pgt_log_segments_remove(state, id);
}
