/*
 * segment_scan.c
 *	  All batches of a finished segment, in order.
 *
 * Compaction, merging and erasing rewrite segments with this: there is no snapshot,
 * transactions' outcomes do not matter, and the scan does not continue in the next
 * segment.  Readers of records use log_reader.h.
 *
 * Entries are read SCAN_ENTRIES at a time, log bytes in chunks of SCAN_CHUNK; a larger
 * batch takes a larger chunk.  The caller keeps the segment from being deleted or
 * replaced.
 */
#include "postgres.h"

#include "log/batch_decoder.h"
#include "log/segment_scan.h"

#define SCAN_CHUNK	(512 * 1024)

void
pgt_segment_scan_init(SegmentScan *scan, MemoryContext context)
{
	memset(scan, 0, sizeof(*scan));
	scan->context = context;
}

/* The open segment.  This process may have closed it since, but its files are not removed. */
static Segment *
open_segment(SegmentScan *scan)
{
	Segment    *segment = pgt_log_segments_open(scan->state, scan->id);
	char		path[MAXPGPATH];

	if (segment != NULL)
		return segment;
	pgt_segment_log_path(path, &scan->state->key, scan->id);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_FILE),
			 errmsg("segment \"%s\" is missing", path)));
}

void
pgt_segment_scan_begin(SegmentScan *scan, PartitionState *state, SegmentId id)
{
	scan->state = state;
	scan->id = id;
	pgt_segment_scan_range(scan, state, id, 0, pgt_segment_count_entries(open_segment(scan)));
}

void
pgt_segment_scan_range(SegmentScan *scan, PartitionState *state, SegmentId id, uint32 first,
					   uint32 end)
{
	Segment    *segment;
	IndexEntry	last;

	scan->state = state;
	scan->id = id;
	segment = open_segment(scan);
	scan->count = end;
	scan->next = scan->first_entry = first;
	scan->entry_count = 0;
	scan->chunk_length = scan->log_end = 0;
	if (scan->count > 0 && pgt_segment_read_entries(segment, scan->count - 1, 1, &last) == 1)
		scan->log_end = last.position + last.length;
}

const IndexEntry *
pgt_segment_scan_next(SegmentScan *scan)
{
	if (scan->next == scan->count)
		return NULL;
	if (scan->next - scan->first_entry >= scan->entry_count)
	{
		Segment    *segment = open_segment(scan);

		scan->first_entry = scan->next;
		scan->entry_count = pgt_segment_read_entries(segment, scan->next,
													 Min(SCAN_ENTRIES, scan->count - scan->next),
													 scan->entries);
		if (scan->entry_count == 0)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("segment index \"%s\" ends at entry %u of %u",
							FilePathName(segment->index), scan->next, scan->count)));
	}
	return &scan->entries[scan->next++ - scan->first_entry];
}

/* Make the chunk buffer hold "length" bytes; its contents are lost. */
static void
grow_chunk(SegmentScan *scan, uint32 length)
{
	if (length <= scan->chunk_capacity)
		return;
	if (scan->chunk != NULL)
		pfree(scan->chunk);
	scan->chunk = NULL;
	scan->chunk_capacity = 0;
	scan->chunk = MemoryContextAllocHuge(scan->context, length);
	scan->chunk_capacity = length;
}

const char *
pgt_segment_scan_batch(SegmentScan *scan, const IndexEntry *entry)
{
	uint32		rest = scan->log_end - Min(scan->log_end, entry->position);
	uint32		length = Max(entry->length, Min(rest, SCAN_CHUNK));

	if (scan->chunk_length > 0 && entry->position >= scan->chunk_position &&
		entry->position + entry->length <= scan->chunk_position + scan->chunk_length)
		return scan->chunk + (entry->position - scan->chunk_position);

	grow_chunk(scan, length);
	scan->chunk_length = 0;
	if (!pgt_segment_read(open_segment(scan), entry->position, scan->chunk, length))
		pgt_batch_decoder_fail(&scan->state->key, scan->id, entry->position,
							   scan->id.base + entry->first_delta,
							   "the file ends before the batch");
	scan->chunk_position = entry->position;
	scan->chunk_length = length;
	return scan->chunk;
}
