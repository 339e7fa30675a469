/*
 * segment_scan.h
 *	  All batches of a finished segment, in order, those of aborted transactions
 *	  included.
 */
#ifndef SEGMENT_SCAN_H
#define SEGMENT_SCAN_H

#include "log/partition_log.h"

#define SCAN_ENTRIES	128

/* A scan.  The caller allocates it, but reads only "id"; the other fields are segment_scan.c's. */
typedef struct SegmentScan
{
	PartitionState *state;
	SegmentId	id;
	uint32		count;			/* entries of the segment */
	uint32		next;			/* the next one to give */
	uint32		log_end;

	IndexEntry	entries[SCAN_ENTRIES];
	uint32		first_entry;
	uint32		entry_count;

	MemoryContext context;
	char	   *chunk;
	uint32		chunk_capacity;
	uint32		chunk_position;
	uint32		chunk_length;
} SegmentScan;

/* Initialise a scan.  Its buffer, which is kept from one segment to the next, will be in "context". */
extern void pgt_segment_scan_init(SegmentScan *scan, MemoryContext context);

/* Go to the beginning of a finished segment.  ERROR if it is missing or damaged. */
extern void pgt_segment_scan_begin(SegmentScan *scan, PartitionState *state, SegmentId id);

/* Go to entry "first" of a segment, which need not be finished, to end before entry "end". */
extern void pgt_segment_scan_range(SegmentScan *scan, PartitionState *state, SegmentId id,
								   uint32 first, uint32 end);

/* The next entry, valid until the next call; NULL at the end. */
extern const IndexEntry *pgt_segment_scan_next(SegmentScan *scan);

/* The bytes of that entry's batch, valid until the next call.  ERROR if the file ends before the batch. */
extern const char *pgt_segment_scan_batch(SegmentScan *scan, const IndexEntry *entry);

#endif							/* SEGMENT_SCAN_H */
