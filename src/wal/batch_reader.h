/*
 * batch_reader.h
 *	  Reading and decoding the batches that an index cursor comes to.
 */
#ifndef BATCH_READER_H
#define BATCH_READER_H

#include "log/batch_decoder.h"
#include "wal/index_cursor.h"

typedef struct BatchReader
{
	IndexCursor *cursor;

	/* log bytes read ahead */
	char	   *chunk;
	uint32		chunk_capacity;
	SegmentId	chunk_segment;
	uint32		chunk_position;
	uint32		chunk_length;
	uint32		chunk_want;
	uint32		chunk_max;
	bool		chunk_is_kept;	/* it is the process's, not the reader's own */
	MemoryContextCallback release;

	BatchDecoder decoder;

	/* the batch that was entered last */
	bool		in_batch;		/* it may have more records: who finds its end sets this */
	RecordIterator iterator;
	uint32		position;		/* in its segment */
	int64		last_offset;
} BatchReader;

/*
 * Begin to read batches at a cursor that has begun; *reader is all zeros.  Its memory is in
 * the cursor's context.
 */
extern void pgt_batch_reader_begin(BatchReader *reader, IndexCursor *cursor);

/*
 * Read and check the batch of the entry that the cursor has given last, and begin to iterate
 * over its records, maybe behind some of those below the cursor's position.  False where its
 * segment went away.
 */
extern bool pgt_batch_reader_enter(BatchReader *reader, const IndexEntry *entry);

/*
 * How many records that batch has, by its header; false where its segment went away.  With
 * "alone" it is one that its entry calls dense, and those behind it will not be asked for.
 */
extern bool pgt_batch_reader_count(BatchReader *reader, const IndexEntry *entry, bool alone, int64 *records);

/* Keep in mind for the process's next reader where this one stops; before its cursor ends. */
extern void pgt_batch_reader_end(const BatchReader *reader);

#endif							/* BATCH_READER_H */
