/*
 * turn_batch.h
 *	  The batches that a turn of the loop appends.
 */
#ifndef TURN_BATCH_H
#define TURN_BATCH_H

#include "access/xlogdefs.h"
#include "log/partition_log.h"

/*
 * A batch on its way to the log.  It belongs to the caller, and with the bytes stays in place until done()
 * is called.
 */
typedef struct TurnBatch
{
	TopicPartition key;
	const LogConfig *config;	/* of a topic that the turn's transaction has locked */
	uint64		transaction;	/* the number of the transaction of Kafka's that it belongs to; 0: the turn's is its own */
	LogAppendRequest request;

	/*
	 * Called outside of a transaction, once.  "committed": the batch was appended, if
	 * request.outcome says so, and its transaction has committed up to "lsn".  A batch of a transaction of Kafka's
	 * needs no commit: it is durable as of request.lsn.
	 */
	void		(*done) (struct TurnBatch *batch, bool committed, XLogRecPtr lsn);
	char	   *problem;		/* why it was not appended, palloc'd in "memory"; NULL where nothing is known */
	MemoryContext memory;
	uint32		number;			/* of turn_batch.c: the order of batches */
} TurnBatch;

/*
 * Make room in the turn's transaction for so many bytes: if it has enough to append, it is
 * committed.  Called before the first topic of a request is locked.
 */
extern void pgt_turn_batch_make_room(Size bytes);

/* Have the turn, which is open, append the batch when it ends. */
extern void pgt_turn_batch_add(TurnBatch *batch);

#endif							/* TURN_BATCH_H */
