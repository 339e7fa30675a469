/*
 * segment_index.h
 *	  The ".index" file of a segment: what PostgreSQL adds to a record batch.
 *
 * A header of 64 bytes, then one entry of 64 bytes a batch, native byte order
 * (as everything else in a data directory):
 *
 *	  header   magic, version, system identifier, base offset, swap LSN, end
 *			   of the segment before, CRC
 *	  entry    first and last offset (relative to the base), position and
 *			   length in the log, timestamps, transaction id, LSN, flags, CRC
 *
 * Entries make log bytes valid: what no valid entry covers is not part of the
 * log.  64 bytes at a multiple of 64 never straddle a sector or a page.  Space
 * is allocated ahead of the WAL insert, so writing an entry cannot run out of
 * disk; a zero entry ends the index.
 *
 * Layer 1.  The pure functions here work on bytes, and so before the server
 * has file descriptors of its own (loading at start); I/O is in segment.h.
 */
#ifndef SEGMENT_INDEX_H
#define SEGMENT_INDEX_H

#include "access/transam.h"
#include "access/xlogdefs.h"

#define INDEX_MAGIC		0x50475449	/* "PGTI" */
#define INDEX_VERSION	1

typedef struct IndexHeader
{
	uint32		magic;
	uint32		version;
	uint64		system_identifier;
	int64		base_offset;
	XLogRecPtr	swap_lsn;		/* 0; reserved for segments that compaction writes */
	int64		previous_end;	/* the log end when the segment was made: where the one before ends */
	char		reserved[20];
	uint32		crc;			/* of all the bytes before */
} IndexHeader;

typedef struct IndexEntry
{
	uint32		first_delta;	/* first offset - base offset */
	uint32		last_delta;		/* last offset - base offset */
	uint32		position;		/* of the batch in the log */
	uint32		length;			/* of the batch; 0 never occurs in a used entry */
	int64		min_timestamp;	/* over the batch's records */
	int64		max_timestamp;
	int64		largest_timestamp;	/* over the segment up to this batch */
	uint64		xid;			/* FullTransactionId of the writer */
	XLogRecPtr	lsn;			/* end of the WAL record that holds the batch */
	uint32		flags;			/* ENTRY_* */
	uint32		crc;			/* of all the bytes before */
} IndexEntry;

#define ENTRY_ABORTED	0x01	/* resolved: its transaction did not commit */

StaticAssertDecl(sizeof(IndexHeader) == 64, "index header is 64 bytes");
StaticAssertDecl(sizeof(IndexEntry) == 64, "index entry is 64 bytes");

/* Byte position of entry n in the file. */
#define INDEX_ENTRY_POSITION(n) ((off_t) (sizeof(IndexHeader) + (off_t) (n) * sizeof(IndexEntry)))

extern void pgt_index_header_init(IndexHeader *header, int64 base_offset, int64 previous_end);
extern const char *pgt_index_header_check(const IndexHeader *header, int64 base_offset);

extern void pgt_index_entry_seal(IndexEntry *entry);
extern bool pgt_index_entry_is_valid(const IndexEntry *entry);
extern bool pgt_index_entry_is_zero(const IndexEntry *entry);

#endif							/* SEGMENT_INDEX_H */
