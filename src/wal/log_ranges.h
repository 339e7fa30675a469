/*
 * log_ranges.h
 *	  The batches that a consumer outside of the database is given: parts of segments' files.
 */
#ifndef LOG_RANGES_H
#define LOG_RANGES_H

#include "format/topic_partition.h"
#include "listener/output_file.h"

/* A part of a segment's log: whole batches. */
typedef struct LogRange
{
	OutputFile *file;
	uint32		position;
	uint32		length;
} LogRange;

/* Offsets that are all in batches, whether they have records or not. */
typedef struct LogSpan
{
	int64		first;
	int64		last;
} LogSpan;

/* Parts that follow each other.  They are palloc'd, and their files released with the memory context. */
typedef struct LogRanges
{
	LogRange   *ranges;
	int			count;
	int64		length;			/* of all of them */
	int64		records;		/* in them, counting offsets: compaction may have removed some */
	LogSpan    *spans;			/* what offsets are in them, in order; NULL where the wish was not for that */
	int			span_count;
	int64		next_offset;	/* all batches from the offset asked for up to here are in them, or do not count */
} LogRanges;

/* Which batches are wanted. */
typedef struct LogRangesWish
{
	int64		offset;			/* from the batch on that holds it, or the first one behind */
	int64		end;			/* up to here: the stable end, or an offset before it */
	int64		max_bytes;		/* at most so many */
	bool		at_least_one;	/* but one batch in any case */
	bool		spans;			/* which offsets are in them is asked for, too */
	int64		last;			/* no batch that begins behind this offset; 0: any may be taken */
} LogRangesWish;

/*
 * Find them.  No bytes are read.  What is found stays as it is for as long as the files are
 * held, unless the topic is truncated or dropped: then the files are cut.  False if the partition went away.
 * Needs no snapshot, no transaction and no lock on the topic.  Damage is an ERROR
 * (data_corrupted).
 */
extern bool pgt_log_ranges(const TopicPartition *key, const LogRangesWish *wish, LogRanges *found);

/* A client is sent them: count them as read. */
extern void pgt_log_ranges_count(const TopicPartition *key, const LogRanges *found);

#endif							/* LOG_RANGES_H */
