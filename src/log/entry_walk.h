/*
 * entry_walk.h
 *	  Going over the index entries of a partition, without a lock on its topic.
 */
#ifndef ENTRY_WALK_H
#define ENTRY_WALK_H

#include "log/partition_log.h"

#define ENTRY_WALK_READ		128		/* entries that are read at once */

/* Where a walk stopped, so that a later one need not look it up. */
typedef struct EntryPlace
{
	SegmentId	segment;
	uint32		entry;			/* all before it were passed */
	uint32		incarnation;	/* 0: there is no place */
	uint32		segments_version;
} EntryPlace;

/* A walk is a variable of its caller: nothing of it needs to be freed. */
typedef struct EntryWalk
{
	TopicPartition key;
	PartitionState *state;
	LogBounds	bounds;			/* copied before the entries were read, and anew where segments come or go */
	int64		position;		/* forward: what ends before it was passed.  Backward: what ends at or past it was */
	bool		backward;
	int64		min_timestamp;	/* entries before a segment's first batch that reaches it may be left out; the
								 * caller may raise it */
	int64		unknown;		/* last offset of a batch whose Kafka transaction was not known, or NO_OFFSET */
	XLogRecPtr	ended_lsn;		/* of the WAL that has ended the Kafka transaction of the entry that was returned; 0: that
								 * is durable, or there is none */
	bool		is_gone;		/* the partition is not there, or not any more */
	bool		at_end;

	/* the place in the index */
	SegmentId	segment;		/* base NO_SEGMENT: to be looked up */
	uint32		segment_entries;
	uint32		next;			/* forward: the next entry.  Backward: the one behind it */

	/* entries that were read */
	uint32		first;
	uint32		count;
	IndexEntry	entries[ENTRY_WALK_READ];
} EntryWalk;

/*
 * Begin at the first batch that ends at or past "offset", or at the log start if that is
 * larger.  A place in the active segment, if it is given and still right, saves the search.
 * False if there is no such partition, or nothing was ever appended to it.
 */
extern bool pgt_entry_walk_begin(EntryWalk *walk, const TopicPartition *key, int64 offset,
								 const EntryPlace *place);

/*
 * Go on, backward, in the segment before, since the rest of this one does not matter.  To be called
 * after an entry was returned.
 */
extern void pgt_entry_walk_leave_segment(EntryWalk *walk);

/* Begin at the last batch that ends before "offset", to go backward from there to the log start.  False as above. */
extern bool pgt_entry_walk_begin_backward(EntryWalk *walk, const TopicPartition *key, int64 offset);

/*
 * The next entry, which is valid until the next call; it is one of walk->segment.  Of a batch of a
 * Kafka transaction that has ended it has the id and the outcome, as it will have when it is resolved;
 * it is numbered while that is open, or if nobody knows it any more.  NULL at the end of the log as of walk->bounds, or with walk->is_gone where the partition went away.
 * Damage is an ERROR (data_corrupted).
 */
extern const IndexEntry *pgt_entry_walk_next(EntryWalk *walk);

/* Read the entry that was returned last once more, with bounds as of now. */
extern void pgt_entry_walk_again(EntryWalk *walk, const IndexEntry *entry);

/* Is it still so, as of now, that what was returned belongs to the partition, and its segments are the same? */
extern bool pgt_entry_walk_is_valid(const EntryWalk *walk);

/* Where a forward walk is: before the entry that was returned last, if "before", else behind it. */
extern void pgt_entry_walk_place(const EntryWalk *walk, bool before, EntryPlace *place);

#endif							/* ENTRY_WALK_H */
