/*
 * producer_sequence.c
 *	  The numbers of an idempotent producer's batches in a partition: checking, applying,
 *	  settling.
 *
 * See producer_sequence.h for the rules.  Numbers are compared around the circle of 2^31, like
 * transaction ids: of two numbers that are less than half a circle apart, the one is ahead of
 * the other.  So "known_from" follows when the producer has gone a quarter of the circle.
 *
 * Kafka's broker refuses a batch that is older than those that it remembers as out of order, and
 * most clients take that for lost records.  Here such a batch is known to be in the log, and
 * the verdict says so.
 */
#include "postgres.h"

#include "format/producer_sequence.h"

#define HALF_CIRCLE		0x40000000
#define KNOWN_AT_MOST	0x20000000

/* How far "to" is ahead of "from"; negative where it is behind. */
static int32
ahead(int32 from, int32 to)
{
	uint32		distance = ((uint32) to - (uint32) from) & PG_INT32_MAX;

	return distance < HALF_CIRCLE ? (int32) distance : -(int32) (PG_INT32_MAX - distance) - 1;
}

/* Forget the batches from this one on. */
static void
forget_from(ProducerSequence *sequence, int batch)
{
	if (batch >= sequence->count)
		return;
	sequence->next = sequence->batches[batch].first;
	sequence->count = batch;
	sequence->seen = Min(sequence->seen, batch);
}

void
pgt_producer_sequence_init(ProducerSequence *sequence, int64 producer_id, int64 time)
{
	memset(sequence, 0, sizeof(*sequence));
	sequence->producer_id = producer_id;
	sequence->last_time = time;
	sequence->epoch = NO_PRODUCER_EPOCH;
}

/* ---- checking ------------------------------------------------------------ */

/* How many batches count.  Those behind a transaction that is running elsewhere do not yet: then *busy is set. */
static int
count_valid(ProducerSequence *sequence, SequenceAsk ask, void *arg, bool *busy)
{
	for (int i = sequence->seen; i < sequence->count; i++)
	{
		uint64		xid = sequence->batches[i].xid;

		switch (xid == 0 ? SEQUENCE_COMMITTED : ask(xid, arg))
		{
			case SEQUENCE_COMMITTED:
				if (sequence->seen == i)
					sequence->seen++;
				break;
			case SEQUENCE_OWN:
				break;
			case SEQUENCE_ABORTED:
				forget_from(sequence, i);
				return i;
			case SEQUENCE_OPEN:
				*busy = true;
				return i;
		}
	}
	return sequence->count;
}

/* Was all of it appended before the oldest batch that is remembered? */
static bool
is_old(const ProducerSequence *sequence, const SequenceRange *range)
{
	int32		oldest = sequence->count > 0 ? sequence->batches[0].first : sequence->next;

	return ahead(range->first, sequence->next) > 0 &&
		ahead(sequence->known_from, range->first) >= 0 && ahead(range->last, oldest) > 0;
}

SequenceVerdict
pgt_producer_sequence_check(ProducerSequence *sequence, SequenceRange *range,
							SequenceAsk ask, void *arg, int64 *offset)
{
	bool		busy = false;
	int			valid;

	range->starts = sequence->epoch == NO_PRODUCER_EPOCH;
	if (range->starts)
		return SEQUENCE_GOES_ON;
	if (range->epoch < sequence->epoch)
		return SEQUENCE_FENCED;
	if (range->epoch > sequence->epoch)
		return range->first == 0 ? SEQUENCE_GOES_ON : SEQUENCE_GAP;

	valid = count_valid(sequence, ask, arg, &busy);
	for (int i = 0; i < valid; i++)
		if (sequence->batches[i].first == range->first && sequence->batches[i].last == range->last)
		{
			*offset = sequence->batches[i].base_offset;
			return SEQUENCE_DUPLICATE;
		}
	if (busy)
		return SEQUENCE_BUSY;
	if (range->first == sequence->next)
		return sequence->count == SEQUENCE_BATCHES && sequence->seen == 0 ? SEQUENCE_BUSY : SEQUENCE_GOES_ON;
	return is_old(sequence, range) ? SEQUENCE_OLD : SEQUENCE_GAP;
}

/* ---- applying ------------------------------------------------------------ */

/* Begin anew with this number. */
static void
restart(ProducerSequence *sequence, int16 epoch, int32 first)
{
	sequence->epoch = epoch;
	sequence->count = sequence->seen = 0;
	sequence->next = sequence->known_from = first;
}

/*
 * Take back the batches that the one with this number was appended in place of.  False if the
 * number leaves a gap.
 */
static bool
go_back_to(ProducerSequence *sequence, int32 first)
{
	for (int i = 0; i < sequence->count; i++)
		if (sequence->batches[i].first == first)
		{
			forget_from(sequence, i);
			return true;
		}
	if (ahead(sequence->next, first) > 0)
		return false;

	/* a state from after the record has passed the number: what comes between comes again */
	if (sequence->next != first)
		sequence->count = sequence->seen = 0;
	sequence->next = first;
	if (ahead(sequence->known_from, first) < 0)
		sequence->known_from = first;
	return true;
}

/* Make room for one more batch. */
static SequenceBatch *
push(ProducerSequence *sequence)
{
	if (sequence->count == SEQUENCE_BATCHES)
	{
		memmove(sequence->batches, sequence->batches + 1, (SEQUENCE_BATCHES - 1) * sizeof(SequenceBatch));
		sequence->count--;
		sequence->seen = Max(sequence->seen, 1) - 1;
	}
	return &sequence->batches[sequence->count++];
}

void
pgt_producer_sequence_apply(ProducerSequence *sequence, const SequenceRange *range,
							int64 base_offset, uint64 xid, int64 time)
{
	SequenceBatch *batch;

	pgt_producer_sequence_cut(sequence, base_offset);
	sequence->last_time = time;
	if (range->starts || sequence->epoch != range->epoch)
		restart(sequence, range->epoch, range->first);
	else if (!go_back_to(sequence, range->first))
		return;

	batch = push(sequence);
	batch->base_offset = base_offset;
	batch->xid = xid;
	batch->first = range->first;
	batch->last = range->last;
	sequence->next = range->last == PG_INT32_MAX ? 0 : range->last + 1;
	if (ahead(sequence->known_from, sequence->next) < 0 ||
		ahead(sequence->known_from, sequence->next) > KNOWN_AT_MOST)
		sequence->known_from = sequence->batches[0].first;
}

void
pgt_producer_sequence_cut(ProducerSequence *sequence, int64 base_offset)
{
	for (int i = 0; i < sequence->count; i++)
		if (sequence->batches[i].base_offset >= base_offset)
		{
			forget_from(sequence, i);
			return;
		}
}

bool
pgt_producer_sequence_settle(ProducerSequence *sequence, int64 below, SequenceAsk ask, void *arg)
{
	for (int i = 0; i < sequence->count && sequence->batches[i].base_offset < below; i++)
	{
		SequenceOutcome outcome;

		if (sequence->batches[i].xid == 0)
			continue;
		outcome = ask(sequence->batches[i].xid, arg);
		if (outcome == SEQUENCE_OPEN)
			return false;
		if (outcome == SEQUENCE_ABORTED)
		{
			forget_from(sequence, i);
			break;
		}
		sequence->batches[i].xid = 0;
	}
	return true;
}

const char *
pgt_producer_sequence_problem(const ProducerSequence *sequence)
{
	if (sequence->producer_id < 0 || sequence->epoch < NO_PRODUCER_EPOCH)
		return "a producer has a negative id or epoch";
	if (sequence->count > SEQUENCE_BATCHES || sequence->seen != 0)
		return "a producer has more batches than are remembered";
	if (sequence->next < 0 || sequence->known_from < 0)
		return "a producer has a negative sequence number";
	for (int i = 0; i < sequence->count; i++)
	{
		const SequenceBatch *batch = &sequence->batches[i];

		if (batch->first < 0 || batch->last < 0 || batch->base_offset < 0 ||
			(i > 0 && batch->base_offset <= batch[-1].base_offset))
			return "a producer's batch has a number that is out of range";
	}
	return NULL;
}
