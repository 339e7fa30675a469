/*
 * pending_batch.h
 *	  The batches of a running transaction: in memory, compressed, in a
 *	  temporary file.
 */
#ifndef PENDING_BATCH_H
#define PENDING_BATCH_H

#include "format/record_batch.h"
#include "wal/log_writer.h"

extern int	pgt_batch_size;		/* setting pg_topics.batch_size, bytes */

/*
 * A batch of the transaction, header included.
 *
 *		open		length bytes at data, stored 0; records can be added
 *		sealed		stored bytes at data or in the file, as they go to the log
 *		cut back	not sealed, though stored bytes are there as they were sealed;
 *					the batch is their first records, length bytes uncompressed
 */
typedef struct PendingBatch
{
	char	   *data;			/* NULL: in the temporary file */
	uint32		capacity;		/* of data; 0 where it is in the file */
	uint32		length;			/* uncompressed */
	uint32		stored;			/* bytes as sealed; 0: the batch was never sealed */
	uint32		stored_length;	/* uncompressed size of the stored bytes */
	int			codec;			/* of the stored bytes */
	int64		file_position;
	int32		records;
	int32		last_offset_delta;
	int64		base_timestamp; /* of the first record */
	int64		min_timestamp;
	int64		max_timestamp;
	int64		required_offset;	/* of the first record, or NO_OFFSET */
	bool		sealed;
} PendingBatch;

/* Does max.message.bytes count a record that is alone in its batch as it is compressed? */
static inline bool
pgt_pending_batch_counts_compressed(const LogConfig *config)
{
	return config->compression != COMPRESSION_NONE && !config->compress_by_size;
}

/* Begin to buffer for a transaction; its batches are allocated in this context. */
extern void pgt_pending_batch_begin(MemoryContext of_transaction);

/* Make an empty batch with a buffer of "capacity" bytes, header included. */
extern void pgt_pending_batch_init(PendingBatch *batch, uint32 capacity);

/* Make room for "more" bytes in an open batch. */
extern void pgt_pending_batch_reserve(PendingBatch *batch, Size more);

/*
 * Make a batch that was cut back ready for records again: its uncompressed
 * bytes are in memory afterwards.
 */
extern void pgt_pending_batch_reopen(PendingBatch *batch);

/* Close a complete batch: compress its records where that is wanted and pays, write its header. */
extern void pgt_pending_batch_seal(const LogConfig *config, PendingBatch *batch);

/*
 * The bytes that a batch of this record alone would have in the log.  The record has at
 * most RECORD_BATCH_MAX_SIZE bytes together with the header.
 */
extern Size pgt_pending_batch_size_alone(const LogConfig *config, const Record *record);

/* Move a sealed batch to the temporary file.  ERROR where there is no space. */
extern void pgt_pending_batch_spill(PendingBatch *batch);

/* Bring a batch's stored bytes back into memory. */
extern void pgt_pending_batch_load(PendingBatch *batch);

/* Release a batch's buffer.  Does not throw. */
extern void pgt_pending_batch_free(PendingBatch *batch);

/* Bytes that the transaction's batches take in memory. */
extern Size pgt_pending_batch_memory(void);

/*
 * Close the temporary file, before the server checks for resources that a transaction has
 * leaked.
 */
extern void pgt_pending_batch_close_file(void);

/*
 * Reset the module's state: the transaction has ended, and freed its memory and its file.
 * Does not throw.
 */
extern void pgt_pending_batch_forget(void);

#endif							/* PENDING_BATCH_H */
