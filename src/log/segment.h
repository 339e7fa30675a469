/*
 * segment.h
 *	  One segment of a partition: its ".log" and its ".index" file.
 *
 * Names are <base>.log in the partition's directory, with the base offset in
 * 20 digits; <base>.<n>.log for generation n above 0.
 *
 * Layer 1.  No locks and no WAL here: the caller serialises writers.
 */
#ifndef SEGMENT_H
#define SEGMENT_H

#include "format/segment_index.h"
#include "log/log_directory.h"
#include "storage/fd.h"

/* An open segment; opened and closed with the functions below. */
typedef struct Segment
{
	TopicPartition key;
	SegmentId	id;
	SegmentSpan span;
	File		log;
	File		index;
	uint32		index_reserved; /* entries known to have space on disk */
} Segment;

/* A segment of a partition that counts, as its directory tells. */
typedef struct ListedSegment
{
	SegmentId	id;
	SegmentSpan span;			/* of rewritten ones; else zero: it is in the index */
} ListedSegment;

/* Kafka allows segments up to 2 GB; positions are 32 bits. */
#define SEGMENT_MAX_BYTES	((int64) PG_INT32_MAX)

/* Path buffers are MAXPGPATH bytes. */
extern void pgt_segment_log_path(char *path, const TopicPartition *key, SegmentId id);
extern void pgt_segment_index_path(char *path, const TopicPartition *key, SegmentId id);

/*
 * Open an existing segment for reading and writing.  False where its files
 * are gone; any other trouble is an ERROR.  The files stay open across
 * transactions until pgt_segment_close().
 */
extern bool pgt_segment_open(Segment *segment, const TopicPartition *key, SegmentId id);

/*
 * For redo: make sure of both files and the index header, keeping all the rest
 * of what is there.
 */
extern void pgt_segment_restore(const TopicPartition *key, SegmentId id, const SegmentSpan *span);

/* Have the index open for real, so that writing an entry does not open files. */
extern void pgt_segment_open_index(Segment *segment);

/*
 * Are both files there, and the index header right?  Never throws on damage, but does
 * where the index is of a newer version, since the answer no has segments made anew.
 */
extern bool pgt_segment_is_usable(const TopicPartition *key, SegmentId id);

/*
 * Create a segment, empty; files that are there under its name lose their
 * contents.  Header and directory entries are durable when this returns; where
 * it throws, the files are gone.
 */
extern void pgt_segment_create(Segment *segment, const TopicPartition *key, SegmentId id,
							   const SegmentSpan *span);
extern void pgt_segment_close(Segment *segment);

/* Write to the log; a short write is an ERROR (disk full) that names the file. */
extern void pgt_segment_write(Segment *segment, uint32 position, const char *bytes, uint32 length);

/* Read from the log; false where the file ends before "length" bytes. */
extern bool pgt_segment_read(Segment *segment, uint32 position, char *bytes, uint32 length);

/* Allocate disk space so that entry n can be written without running out. */
extern void pgt_segment_reserve_entry(Segment *segment, uint32 n);

/* Write entry n, sealing it; a failure is an ERROR (a PANIC in a critical section). */
extern void pgt_segment_write_entry(Segment *segment, uint32 n, IndexEntry *entry);

/* The same of several, which are not in a hurry. */
extern void pgt_segment_write_entries(Segment *segment, uint32 n, uint32 count, IndexEntry *entries);

/*
 * Read up to "count" entries from entry "first" on; returns how many were in
 * the file (a zero entry ends it).  A damaged entry is an ERROR
 * (data_corrupted) that names the file and the position.
 */
extern uint32 pgt_segment_read_entries(Segment *segment, uint32 first, uint32 count, IndexEntry *entries);

/* Read entry n; false where it is not there or not whole. */
extern bool pgt_segment_peek_entry(Segment *segment, uint32 n, IndexEntry *entry);

/* How many entries the file of a segment that is not appended to holds. */
extern uint32 pgt_segment_count_entries(Segment *segment);

/* First of "count" entries whose last offset is at or past "offset"; count if none. */
extern uint32 pgt_segment_find_offset(Segment *segment, uint32 count, int64 offset);

/* First of "count" entries with a record at or past "timestamp"; count if none. */
extern uint32 pgt_segment_find_timestamp(Segment *segment, uint32 count, int64 timestamp);

/*
 * Give index space beyond "entries" back, once nobody appends to the segment
 * any more.  Failing is harmless, and a LOG line.
 */
extern void pgt_segment_trim_index(Segment *segment, uint32 entries);

/* Has the segment that many entries and log bytes? */
extern bool pgt_segment_is_complete(Segment *segment, uint32 entries, uint32 log_end);

/* Is the file one that does not count and never will: not swapped in, or replaced? */
extern bool pgt_segment_is_leftover(const TopicPartition *key, SegmentId id);

/* Let a rewritten segment count: put the swap LSN into its header, durably. */
extern void pgt_segment_stamp(Segment *segment, XLogRecPtr swap_lsn);

/* Make both files durable; failure is a PANIC unless data_sync_retry is on. */
extern void pgt_segment_sync(Segment *segment);
extern void pgt_segment_sync_index(Segment *segment);

/* Start writing log bytes back, without waiting. */
extern void pgt_segment_writeback(Segment *segment, uint32 from, uint32 to);

/*
 * A partition's segments that count, ascending, palloc'd; 0 where there are
 * none.  Not those that are not swapped in yet or that a rewritten one has
 * replaced.  Works in the postmaster too.
 */
extern int	pgt_segment_list(const TopicPartition *key, ListedSegment **segments);

/* All that have a log file, in the same order, counting or not. */
extern int	pgt_segment_files(const TopicPartition *key, SegmentId **ids);

/*
 * Cut a segment's files to nothing, before they are removed: then a process
 * that keeps them open does not keep their space.  Only where nobody reads.
 */
extern void pgt_segment_release_space(const TopicPartition *key, SegmentId id);

/* Remove a segment's files; missing ones are fine, trouble is a report of that level. */
extern void pgt_segment_unlink(const TopicPartition *key, SegmentId id, int level);

/* Remove a partition's directory with all in it; trouble is a WARNING. */
extern void pgt_partition_unlink(const TopicPartition *key);

#endif							/* SEGMENT_H */
