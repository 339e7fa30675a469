/*
 * key_index_writer.h
 *	  Writing a file with keys of a segment, and removing such files.
 */
#ifndef KEY_INDEX_WRITER_H
#define KEY_INDEX_WRITER_H

#include "log/key_index_file.h"

typedef struct KeyIndexWriter KeyIndexWriter;

/*
 * Begin a file for the entries from "first_entry" to below "end_entry" of a segment, with up
 * to so many slots.  One process at a time writes files of a segment: the caller holds
 * ShareUpdateExclusiveLock on the topic.  If anything fails, the caller abandons it.
 */
extern KeyIndexWriter *pgt_key_index_writer_begin(Segment *segment, uint32 first_entry,
												  uint32 end_entry, uint64 slots);

/* Add a slot; those that are equal to the one before are left out.  They come in order. */
extern void pgt_key_index_writer_add(KeyIndexWriter *writer, KeySlotEntry slot);

/*
 * Finish the file: it is durable and has that number when this returns, and readers take it
 * from then on.  Returns its size.
 */
extern int64 pgt_key_index_writer_finish(KeyIndexWriter *writer, PartitionState *state,
										 KeyIndexKeys keys, int number);

/* Free the writer; without pgt_key_index_writer_finish() also remove the file. */
extern void pgt_key_index_writer_end(KeyIndexWriter *writer);

/* Remove the file of that number.  Trouble is a WARNING. */
extern void pgt_key_index_writer_remove(PartitionState *state, SegmentId id, int number);

/*
 * Remove the partition's files of keys that are of no use: unfinished ones, those without a
 * segment and, unless "keep", all others.  Returns how many.
 */
extern int	pgt_key_index_writer_collect(PartitionState *state, bool keep);

#endif							/* KEY_INDEX_WRITER_H */
