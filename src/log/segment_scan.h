/*
 * segment_scan.h
 *	  All batches of a finished segment, in order, whatever became of their
 *	  transactions.
 *
 * Layer 2.
 */
#ifndef SEGMENT_SCAN_H
#define SEGMENT_SCAN_H

#include "log/partition_log.h"

#define SCAN_ENTRIES	128

/* Belongs to the caller; fields are private to segment_scan.c but for "id". */
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

/* The scan's buffer, kept from one segment to the next, is in "context"; the rest is zero. */
extern void pgt_segment_scan_init(SegmentScan *scan, MemoryContext context);

/* Go to the beginning of a finished segment; ERROR where it is missing or damaged. */
extern void pgt_segment_scan_begin(SegmentScan *scan, PartitionState *state, SegmentId id);

/* The next entry, good until the next call; NULL at the end. */
extern const IndexEntry *pgt_segment_scan_next(SegmentScan *scan);

/* The bytes of that entry's batch, good until the next call; ERROR where the file is cut. */
extern const char *pgt_segment_scan_batch(SegmentScan *scan, const IndexEntry *entry);

#endif							/* SEGMENT_SCAN_H */
