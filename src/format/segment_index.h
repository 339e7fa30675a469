/*
 * segment_index.h
 *	  The ".index" file of a segment: what PostgreSQL adds to a record batch.
 *
 * A header of 64 bytes, then one entry of 64 bytes for each batch, in the byte order of
 * the machine (as everything else in a data directory):
 *
 *	  header   magic, version, system identifier, base offset, generation, swap
 *			   LSN, where the segment lies, CRC
 *	  entry    first and last offset (relative to the base), position and
 *			   length in the log, timestamps, transaction id, LSN, flags, how far
 *			   back its transaction begins in the partition, CRC
 *
 * A segment that is appended to is of generation 0.  A segment of a higher generation
 * was rewritten from finished ones (segment_rewrite.h).  It counts once its header has a
 * swap LSN, and then replaces all segments of lower generations whose base lies
 * between its own base and its end offset.
 *
 * Entries make log bytes valid: bytes that no valid entry covers are not part of the log.
 * 64 bytes at a multiple of 64 never straddle a sector or a page.  Space is allocated
 * ahead of the WAL insert, so writing an entry cannot run out of disk space; a zero
 * entry ends the index.
 *
 * In all versions of the format the header is 64 bytes, with magic and version in front
 * and the checksum of the rest in the last four, so that each library can tell a newer
 * version from damage.  A newer version may change all else, the entries, too.  A file
 * has one version, that of its header: a library that writes a newer one begins a new
 * segment for it.
 *
 * Whoever makes an entry, for an append, in redo or for a rewritten segment, sets
 * ENTRY_DENSE by the batch's header, with pgt_index_entry_set_dense().  With it the entry
 * tells how many records the batch has; without it the batch's header does.  The first
 * libraries of version 1 did not know the flag.  Their entries are without it; they
 * overlook it in ours, and would leave it at a batch that they rewrite with holes, as
 * verify_topic() reports.  None of them was released, so the version stays.
 *
 * A batch of a Kafka transaction is appended before it is known in which transaction of the server
 * it will be committed.  Its entry has the number of the Kafka transaction in place of an id
 * (ENTRY_NUMBERED), until the outcome is known and the entry is written anew (log_resolve.c).
 * Numbers are larger than all ids: a library that does not know them takes such a batch as one of
 * a transaction that is still to come, and stops there.
 *
 * These functions work on bytes, without I/O, so that loading can use them at server
 * start, before the server has virtual file descriptors.  segment.h does the I/O.
 */
#ifndef SEGMENT_INDEX_H
#define SEGMENT_INDEX_H

#include "access/transam.h"
#include "access/xlogdefs.h"
#include "util/format_version.h"

#define INDEX_MAGIC		0x50475449	/* "PGTI" */
#define INDEX_VERSION	1

/* The versions that this library reads, for pgt_format_version_check_file(). */
#define INDEX_VERSIONS	((FormatVersions) {"segment indexes", 1, INDEX_VERSION})

/* A segment of a partition; its files' names are made of this. */
typedef struct SegmentId
{
	int64		base;			/* offset that its first record has, or would have */
	uint32		generation;		/* 0: appended to; else rewritten */
	uint32		unused;			/* 0: what is logged has no padding */
} SegmentId;

/* Where a segment lies among the others. */
typedef struct SegmentSpan
{
	int64		previous_end;	/* the log end when it was made: where the one before ends */
	/* of rewritten ones; 0 in generation 0 */
	int64		end_offset;		/* where it ends, though the last records may be gone */
	int64		compacted_end;	/* up to here the log was compacted with it; 0: not at all */
} SegmentSpan;

typedef struct IndexHeader
{
	uint32		magic;
	uint32		version;
	uint64		system_identifier;
	int64		base_offset;
	XLogRecPtr	swap_lsn;		/* end of the SWAP record; 0: generation 0, or not swapped in yet */
	SegmentSpan span;
	uint32		generation;
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
	uint64		xid;			/* FullTransactionId of the writer; or a number, see ENTRY_NUMBERED */
	XLogRecPtr	lsn;			/* end of the WAL record that holds the batch */
	uint32		flags:4;		/* ENTRY_* */
	uint32		since_first:28;	/* offsets since the transaction's first in this partition, or SINCE_FIRST_MAX; see ENTRY_MERGED */
	uint32		crc;			/* of all the bytes before */
} IndexEntry;

/* The segment of that base that is or was appended to, generation 0. */
static inline SegmentId
pgt_segment_id_original(int64 base)
{
	return (SegmentId) {.base = base};
}

static inline bool
pgt_segment_id_equal(SegmentId a, SegmentId b)
{
	return a.base == b.base && a.generation == b.generation;
}

#define ENTRY_ABORTED		0x01	/* resolved: its transaction did not commit */
#define ENTRY_INTERLEAVED	0x02	/* batches of others stand between it and one of its transaction before it */
#define ENTRY_DENSE			0x04	/* the batch has a record at each of its offsets */

/*
 * Written by merging: the batch may hold records of several transactions.  All of them had
 * ended for every snapshot of the server that merged them; a snapshot of a standby, which
 * that server does not know of, may be older.  xid is the largest of their ids, and
 * since_first the difference to the smallest.  No transaction has batches both among the
 * merged ones and behind them, so where one begins is not asked for any more.
 */
#define ENTRY_MERGED		0x08

/*
 * Set in "xid" of a batch whose outcome is not known yet, of a Kafka transaction: the rest of it is
 * the number of that transaction (kafka_txn_table.h).  No server lives to give out such an id.
 */
#define ENTRY_NUMBERED		(UINT64CONST(1) << 63)

/* So far back or further: where the transaction begins is to be looked for. */
#define SINCE_FIRST_MAX		0x0FFFFFFF

/* No batch of the entry's transaction begins before the result, or before what is merged. */
static inline int64
pgt_index_entry_transaction_first(const IndexEntry *entry, int64 segment_base)
{
	int64		first_offset = segment_base + entry->first_delta;

	if ((entry->flags & ENTRY_MERGED) != 0)
		return first_offset;
	return entry->since_first == SINCE_FIRST_MAX ? 0 : first_offset - entry->since_first;
}

/* The smallest of its transactions' ids. */
static inline uint64
pgt_index_entry_oldest_xid(const IndexEntry *entry)
{
	if ((entry->flags & ENTRY_MERGED) == 0)
		return entry->xid;
	return entry->since_first == SINCE_FIRST_MAX ? 0 : entry->xid - entry->since_first;
}

StaticAssertDecl(sizeof(IndexHeader) == 64, "index header is 64 bytes");
StaticAssertDecl(sizeof(IndexEntry) == 64, "index entry is 64 bytes");

/* Byte position of entry n in the file. */
#define INDEX_ENTRY_POSITION(n) ((off_t) (sizeof(IndexHeader) + (off_t) (n) * sizeof(IndexEntry)))

/* Fill a header for a segment of this cluster, CRC included. */
extern void pgt_index_header_init(IndexHeader *header, SegmentId id, const SegmentSpan *span,
								  XLogRecPtr swap_lsn);
/* Is it a whole header, of any version?  If so, pgt_format_version_check_file() says whether it may be read. */
extern bool pgt_index_header_is_whole(const IndexHeader *header);

/* Check that a header is whole and that of the segment.  NULL or the problem. */
extern const char *pgt_index_header_check(const IndexHeader *header, SegmentId id);

/* Is it a batch of a Kafka transaction, of which the entry does not tell the outcome yet? */
static inline bool
pgt_index_entry_is_numbered(const IndexEntry *entry)
{
	return (entry->xid & ENTRY_NUMBERED) != 0;
}

/* How many offsets the batch takes; where the entry is dense, so many records does it have. */
static inline int64
pgt_index_entry_offsets(const IndexEntry *entry)
{
	return (int64) entry->last_delta - entry->first_delta + 1;
}

/* Set or clear ENTRY_DENSE by the header of the sealed batch, whose offsets the entry has already. */
extern void pgt_index_entry_set_dense(IndexEntry *entry, const char *batch);

/* Set an entry's CRC; to be done after every change. */
extern void pgt_index_entry_seal(IndexEntry *entry);
/*
 * Is the entry used, and whole?  Then no number in it makes a reader take more memory
 * than a batch may need, or count past the end of an offset or of a position.
 */
extern bool pgt_index_entry_is_valid(const IndexEntry *entry);
/* Is the entry space that was allocated ahead, so that the index ends before it? */
extern bool pgt_index_entry_is_zero(const IndexEntry *entry);

#endif							/* SEGMENT_INDEX_H */
