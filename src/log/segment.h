/*
 * segment.h
 *	  One segment of a partition: its ".log" and its ".index" file.
 *
 * In the partition's directory they are named <base>.log and <base>.index, with the
 * base offset in 20 digits, and <base>.<n>.log and <base>.<n>.index for a generation n
 * above 0.
 *
 * No locks and no WAL here: the caller lets only one process write at a time.
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

/* A segment that counts, as found in the partition's directory. */
typedef struct SegmentListItem
{
	SegmentId	id;
	SegmentSpan span;			/* of a rewritten one; of others zero, their index has it */
} SegmentListItem;

/* Kafka allows segments up to 2 GB; positions are 32 bits. */
#define SEGMENT_MAX_BYTES	((int64) PG_INT32_MAX)

/*
 * A segment's index of keys is in up to so many files <base>.keys<number>, and in
 * <base>.keys_new while it is being written; see key_index_file.h.
 */
#define SEGMENT_KEY_FILES	16
#define SEGMENT_NEW_KEYS	SEGMENT_KEY_FILES

/* The path of a file; path buffers have MAXPGPATH bytes. */
extern void pgt_segment_log_path(char *path, const TopicPartition *key, SegmentId id);
extern void pgt_segment_index_path(char *path, const TopicPartition *key, SegmentId id);
extern void pgt_segment_keys_path(char *path, const TopicPartition *key, SegmentId id, int number);

/* Is it the name of a file with keys?  If so, sets whose segment's it is. */
extern bool pgt_segment_parse_keys_name(const char *name, SegmentId *id);

/*
 * Open an existing segment for reading and writing.  False if its files are gone; any
 * other trouble is an ERROR.  The files stay open across transactions until
 * pgt_segment_close().
 */
extern bool pgt_segment_open(Segment *segment, const TopicPartition *key, SegmentId id);

/*
 * For redo: create the files that are missing and write the index header if it is
 * damaged.  All other contents stay.
 */
extern void pgt_segment_restore(const TopicPartition *key, SegmentId id, const SegmentSpan *span);

/* Make sure that the kernel has the index open, so that writing an entry opens no file. */
extern void pgt_segment_open_index(Segment *segment);

/*
 * Are both files there, and the index header right?  Never throws on damage, but does
 * where the index is of a newer version, since the answer no has segments made anew.
 */
extern bool pgt_segment_is_usable(const TopicPartition *key, SegmentId id);

/*
 * Create an empty segment and open it; existing files of its name lose their contents.
 * Header and directory entries are durable when this returns.  If it throws, the files
 * are gone.
 */
extern void pgt_segment_create(Segment *segment, const TopicPartition *key, SegmentId id,
							   const SegmentSpan *span);

/* Close the files of a segment that are open. */
extern void pgt_segment_close(Segment *segment);

/* Write to the log.  A short write is an ERROR (disk full) that names the file. */
extern void pgt_segment_write(Segment *segment, uint32 position, const char *bytes, uint32 length);

/* Read from the log.  False if the file ends before "length" bytes. */
extern bool pgt_segment_read(Segment *segment, uint32 position, char *bytes, uint32 length);

/* Allocate disk space for entry n, so that writing it cannot fail for lack of space. */
extern void pgt_segment_reserve_entry(Segment *segment, uint32 n);

/* Seal entry n and write it.  A failure is an ERROR (a PANIC in a critical section). */
extern void pgt_segment_write_entry(Segment *segment, uint32 n, IndexEntry *entry);

/* Seal and write "count" entries from entry n on, in one system call. */
extern void pgt_segment_write_entries(Segment *segment, uint32 n, uint32 count, IndexEntry *entries);

/*
 * Read up to "count" entries from entry "first" on.  Returns how many the file has; a zero
 * entry ends it.  A damaged entry is an ERROR (data_corrupted) that names the file and
 * the position.
 */
extern uint32 pgt_segment_read_entries(Segment *segment, uint32 first, uint32 count, IndexEntry *entries);

/* Read entry n.  False if it is missing or damaged. */
extern bool pgt_segment_peek_entry(Segment *segment, uint32 n, IndexEntry *entry);

/* How many entries the index of a finished segment has. */
extern uint32 pgt_segment_count_entries(Segment *segment);

/* The first of "count" entries whose last offset is at or past "offset"; "count" if there is none. */
extern uint32 pgt_segment_find_offset(Segment *segment, uint32 count, int64 offset);

/* The first of "count" entries with a record at or past "timestamp"; "count" if there is none. */
extern uint32 pgt_segment_find_timestamp(Segment *segment, uint32 count, int64 timestamp);

/*
 * Free the index space beyond "entries" entries, once the segment is finished.  A failure
 * is harmless, and only logged.
 */
extern void pgt_segment_trim_index(Segment *segment, uint32 entries);

/* Does the segment have that many entries, and at least that many log bytes? */
extern bool pgt_segment_is_complete(Segment *segment, uint32 entries, uint32 log_end);

/* Is it a rewritten segment that was never swapped in, so that it does not count and never will? */
extern bool pgt_segment_is_leftover(const TopicPartition *key, SegmentId id);

/*
 * Make a rewritten segment count: write the swap LSN into its header, durably.  A failure
 * is an ERROR; the caller is in a critical section.
 */
extern void pgt_segment_stamp(Segment *segment, XLogRecPtr swap_lsn);

/* Make both files, or the index alone, durable.  A failure is a PANIC unless data_sync_retry is on. */
extern void pgt_segment_sync(Segment *segment);
extern void pgt_segment_sync_index(Segment *segment);

/* Let the kernel start to write the log bytes from "from" to "to", without waiting for it. */
extern void pgt_segment_writeback(Segment *segment, uint32 from, uint32 to);

/*
 * The segments of a partition that count, in ascending order, palloc'd; returns how many.
 * Those that are not swapped in yet, or that a rewritten segment has replaced, do not
 * count.  Works in the postmaster, too.
 */
extern int	pgt_segment_list(const TopicPartition *key, SegmentListItem **segments);

/* All segments that have a log file, in the same order, whether they count or not. */
extern int	pgt_segment_files(const TopicPartition *key, SegmentId **ids);

/*
 * Truncate a segment's files to no bytes before they are removed, so that a process that
 * keeps them open does not keep their space.  To be called only while no process reads
 * the segment.
 */
extern void pgt_segment_release_space(const TopicPartition *key, SegmentId id);

/* Remove a segment's files, those with its keys, too.  Missing files are fine; trouble is reported at "level". */
extern void pgt_segment_unlink(const TopicPartition *key, SegmentId id, int level);

/* Remove a partition's directory and everything in it.  Trouble is a WARNING. */
extern void pgt_segment_unlink_partition(const TopicPartition *key);

#endif							/* SEGMENT_H */
