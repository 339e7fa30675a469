/*
 * batch_builder.h
 *	  A batch made of the records that are kept of one or several batches.
 */
#ifndef BATCH_BUILDER_H
#define BATCH_BUILDER_H

#include "format/record_batch.h"
#include "log/segment.h"

/* How batches are made. */
typedef struct BatchBuilderConfig
{
	int			compression;	/* the topic's, CompressionType */
	int			level;			/* of that codec; others take their default level */
	bool		by_size;		/* nobody has named that codec */
	int32		full;			/* bytes of a full batch before compression */
} BatchBuilderConfig;

/* A batch that goes into another one, decoded. */
typedef struct BatchSource
{
	const char *batch;			/* its bytes */
	const IndexEntry *entry;	/* with ENTRY_MERGED if it may be put together with others */
	int64		segment_base;	/* what the entry's offsets are relative to */
	RecordBatchHeader header;
	RecordIterator first;		/* before its first record */
	const bool *kept;			/* of its records, in order */
	int32		kept_count;		/* of them; more than 0 */
	Size		kept_bytes;		/* of them, before compression */
	bool		gets_horizon;	/* the batch gets this delete horizon */
	int64		horizon;
} BatchSource;

/* A batch that is ready, with its place in the log's offsets; valid until the builder is used again. */
typedef struct BatchBuilderResult
{
	const char *bytes;
	IndexEntry	entry;			/* but for its offsets and its position */
	int64		first_offset;
	int64		last_offset;
	int32		records;
} BatchBuilderResult;

typedef struct BatchBuilder BatchBuilder;

/* Make a builder; its buffers will be in that context. */
extern BatchBuilder *pgt_batch_builder_create(MemoryContext context, const BatchBuilderConfig *config);

/* May the batch be put together with others at all? */
extern bool pgt_batch_builder_can_merge(const RecordBatchHeader *header);

/* Is all of the source kept, and its header as it is? */
extern bool pgt_batch_source_is_whole(const BatchSource *source);

/* Is a batch with so many bytes of records full enough to be left alone? */
extern bool pgt_batch_builder_is_large(const BatchBuilder *builder, Size bytes);

/* Is the builder empty, or has room for the batch and may hold it with what it has? */
extern bool pgt_batch_builder_takes(const BatchBuilder *builder, const BatchSource *source);

/* Is there nothing in the builder? */
extern bool pgt_batch_builder_is_empty(const BatchBuilder *builder);

/*
 * Add a batch's records behind those that the builder has.  REQUIRES: the builder is
 * empty, or takes the batch and pgt_batch_builder_can_merge() is true of all in it.
 */
extern void pgt_batch_builder_add(BatchBuilder *builder, const BatchSource *source);

/*
 * Finish the batch, and empty the builder.  A batch of one source of which all is kept is
 * that source, byte for byte.  REQUIRES: the builder is not empty.
 */
extern void pgt_batch_builder_finish(BatchBuilder *builder, BatchBuilderResult *built);

#endif							/* BATCH_BUILDER_H */
