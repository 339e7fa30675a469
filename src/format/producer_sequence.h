/*
 * producer_sequence.h
 *	  What is remembered of one idempotent producer in one partition, and whether its next
 *	  batch may be appended.
 *
 * An idempotent producer numbers its records in each partition: a batch's header has the
 * producer's id, its epoch and the number of the first record.  It sends a batch again where it
 * got no answer.  So that no batch is twice in the log, and none is left out, a batch is
 * appended only if its numbers go on where the last ones ended.  One that is there already is
 * answered with its offset:
 *
 *	  known_from           the last five batches               next
 *	      |             [   ][      ][  ][     ][    ]          |
 *	      :  SEQUENCE_OLD     SEQUENCE_DUPLICATE (each one)     SEQUENCE_GOES_ON, then SEQUENCE_GAP
 *
 * Five are remembered, because a producer has at most five batches under way.  Numbers begin
 * anew behind 2^31 - 1, and in each epoch.  A producer of which nothing is known may begin with
 * any number: the server may have forgotten it.
 *
 * Batches are appended by transactions, which may abort.  So each batch has the id of its
 * transaction until its outcome is settled, that is, until it is in the log's index
 * (log_resolve.c).  A batch of a transaction that aborted does not count, nor do those behind
 * it: none is ever appended on top of a transaction of another process that is still running.
 * So at each time, first come batches that are known to have committed, and the rest are of one
 * transaction.  That has at most five batches of a producer: so whatever is not remembered any
 * more has committed, and where all that is remembered has aborted, the first of it is the
 * next one.  What a caller sees to have committed may not be durable yet, so that is kept
 * apart ("seen"), and is not saved.
 *
 * Appending and redo call the same functions.  Redo does not know outcomes when it comes to a
 * batch, and need not: the forward path has appended it, so whatever it does not go on from had
 * aborted.  Redo may meet a state from after the record, and takes back what it is about to
 * bring again.  A batch that leaves a gap behind such a state goes on from one that has
 * aborted and was forgotten for that, so it has aborted as well.  Only where the forward path
 * knew nothing of the producer a batch may begin anywhere, and its record says that.
 *
 * No I/O, no locks, no server here: the unit test runs these functions against a model.
 */
#ifndef PRODUCER_SEQUENCE_H
#define PRODUCER_SEQUENCE_H

#include "c.h"

#define SEQUENCE_BATCHES	5
#define NO_PRODUCER_EPOCH	((int16) -1)

/* A batch that was appended. */
typedef struct SequenceBatch
{
	int64		base_offset;
	uint64		xid;			/* of its transaction; 0: settled, it has committed */
	int32		first;			/* number of its first record */
	int32		last;
} SequenceBatch;

/* This is also the layout in the file of producers (producer_file_format.h). */
typedef struct ProducerSequence
{
	int64		producer_id;
	int64		last_time;		/* of the last append, in microseconds since 1970; no two are equal */
	int32		next;			/* the number that goes on */
	int32		known_from;		/* from here to "next" all has been appended */
	int16		epoch;			/* NO_PRODUCER_EPOCH: nothing was appended */
	uint8		count;
	uint8		seen;			/* how many of the batches are seen to have committed; 0 where it is saved */
	uint32		unused;			/* 0 */
	SequenceBatch batches[SEQUENCE_BATCHES];	/* the oldest first */
} ProducerSequence;

StaticAssertDecl(sizeof(ProducerSequence) == 152, "a producer's state is 152 bytes");

/* The numbers of a batch that is to be appended. */
typedef struct SequenceRange
{
	int16		epoch;
	int32		first;
	int32		last;
	bool		starts;			/* for applying: nothing was known of the producer */
} SequenceRange;

/* How the transaction of a batch stands. */
typedef enum SequenceOutcome
{
	SEQUENCE_COMMITTED,
	SEQUENCE_ABORTED,
	SEQUENCE_OWN,				/* it is the one that asks */
	SEQUENCE_OPEN				/* it is running elsewhere, or cannot be known */
} SequenceOutcome;

typedef SequenceOutcome (*SequenceAsk) (uint64 xid, void *arg);

typedef enum SequenceVerdict
{
	SEQUENCE_GOES_ON,			/* append it */
	SEQUENCE_DUPLICATE,			/* it is in the log */
	SEQUENCE_OLD,				/* likewise, but where is not known any more */
	SEQUENCE_GAP,				/* what comes before it is missing, or it cuts across what is there */
	SEQUENCE_FENCED,			/* its epoch has passed */
	SEQUENCE_BUSY				/* another transaction decides; ask again when it has ended */
} SequenceVerdict;

/* The numbers of so many records from "first" on. */
static inline SequenceRange
pgt_producer_sequence_range(int16 epoch, int32 first, int32 records)
{
	SequenceRange range = {epoch, first,
		(int32) (((uint32) first + records - 1) & PG_INT32_MAX), false};

	return range;
}

/* Nothing is known of this producer. */
extern void pgt_producer_sequence_init(ProducerSequence *sequence, int64 producer_id, int64 time);

/*
 * May a batch be appended?  Asks for the outcome of batches, and forgets those that have
 * aborted.  Sets *offset for SEQUENCE_DUPLICATE, and range->starts.
 */
extern SequenceVerdict pgt_producer_sequence_check(ProducerSequence *sequence, SequenceRange *range,
												   SequenceAsk ask, void *arg, int64 *offset);

/* A batch was appended. */
extern void pgt_producer_sequence_apply(ProducerSequence *sequence, const SequenceRange *range,
										int64 base_offset, uint64 xid, int64 time);

/* Take back what was appended at this offset and behind. */
extern void pgt_producer_sequence_cut(ProducerSequence *sequence, int64 base_offset);

/*
 * Settle the batches below an offset, all of whose transactions have ended.  False if the outcome
 * of one cannot be known: then nothing is known of the producer.
 */
extern bool pgt_producer_sequence_settle(ProducerSequence *sequence, int64 below, SequenceAsk ask, void *arg);

/* NULL, or what cannot be in a state that was read from a file. */
extern const char *pgt_producer_sequence_problem(const ProducerSequence *sequence);

#endif							/* PRODUCER_SEQUENCE_H */
