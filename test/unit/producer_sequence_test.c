/*
 * producer_sequence_test.c
 *	  Tests of producer_sequence.c without a server: its verdicts one by one, and random
 *	  histories of a producer, its transactions, crashes and redo against a model.
 *
 * The model is the whole log: each batch with its numbers, its offset and its transaction.  It
 * knows what a verdict must be by looking at all of it.
 *
 * "make unit" builds and runs it.  Output is TAP, the exit code 1 on a failure.
 */
#include "postgres.h"

#include "assertion.h"
#include "random_numbers.h"
#include "tap.h"
#include "format/producer_sequence.h"

#define CIRCLE			UINT64CONST(0x80000000)
#define IN_FLIGHT		5
#define MOST_BATCHES	4000
#define MOST_EVENTS		8000
#define WORKERS			2

/* ---- single verdicts ------------------------------------------------------- */

#define COMMITTED_XID	((uint64) 10)
#define ABORTED_XID		((uint64) 11)
#define OWN_XID			((uint64) 12)
#define OPEN_XID		((uint64) 13)

static SequenceOutcome
ask_fixed(uint64 xid, void *arg)
{
	return xid == COMMITTED_XID ? SEQUENCE_COMMITTED : xid == ABORTED_XID ? SEQUENCE_ABORTED :
		xid == OWN_XID ? SEQUENCE_OWN : SEQUENCE_OPEN;
}

static SequenceVerdict
check(ProducerSequence *sequence, int16 epoch, int32 first, int32 records, int64 *offset)
{
	SequenceRange range = pgt_producer_sequence_range(epoch, first, records);

	return pgt_producer_sequence_check(sequence, &range, ask_fixed, NULL, offset);
}

static void
append(ProducerSequence *sequence, int16 epoch, int32 first, int32 records, int64 offset, uint64 xid)
{
	SequenceRange range = pgt_producer_sequence_range(epoch, first, records);

	pgt_producer_sequence_apply(sequence, &range, offset, xid, 0);
}

static void
test_verdicts(void)
{
	ProducerSequence s;
	int64		offset = -1;

	pgt_producer_sequence_init(&s, 7, 0);
	ok(check(&s, 3, 1000, 10, &offset) == SEQUENCE_GOES_ON, "a producer of which nothing is known begins anywhere");
	for (int i = 0; i < 7; i++)
		append(&s, 3, 1000 + 10 * i, 10, 100 + 10 * i, COMMITTED_XID);
	ok(check(&s, 3, 1070, 5, &offset) == SEQUENCE_GOES_ON, "the next number goes on");
	ok(check(&s, 3, 1071, 5, &offset) == SEQUENCE_GAP, "a number past the next one is a gap");
	ok(check(&s, 3, 1060, 10, &offset) == SEQUENCE_DUPLICATE && offset == 160, "the last batch is a duplicate");
	ok(check(&s, 3, 1020, 10, &offset) == SEQUENCE_DUPLICATE && offset == 120, "the fifth last, too");
	ok(check(&s, 3, 1010, 10, &offset) == SEQUENCE_OLD, "the sixth last is old");
	ok(check(&s, 3, 1000, 20, &offset) == SEQUENCE_OLD, "what was all appended before is old, however it was cut");
	ok(check(&s, 3, 990, 10, &offset) == SEQUENCE_GAP, "what comes before all that is known is not said to be there");
	ok(check(&s, 3, 1060, 9, &offset) == SEQUENCE_GAP, "a part of a batch is no duplicate");
	ok(check(&s, 3, 1060, 11, &offset) == SEQUENCE_GAP, "nor is more than a batch");
	ok(check(&s, 3, 1015, 10, &offset) == SEQUENCE_GAP, "nor what cuts into the batches that are remembered");
	ok(check(&s, 2, 1070, 10, &offset) == SEQUENCE_FENCED, "a lower epoch is fenced");
	ok(check(&s, 2, 1060, 10, &offset) == SEQUENCE_FENCED, "even with the numbers of a batch that is there");
	ok(check(&s, 4, 1070, 10, &offset) == SEQUENCE_GAP, "a higher epoch does not go on with numbers of the one before");
	ok(check(&s, 4, 0, 10, &offset) == SEQUENCE_GOES_ON, "but begins with 0");
	append(&s, 4, 0, 10, 200, COMMITTED_XID);
	ok(check(&s, 4, 10, 10, &offset) == SEQUENCE_GOES_ON && check(&s, 3, 1070, 1, &offset) == SEQUENCE_FENCED,
	   "then that is the epoch");
	ok(check(&s, 4, PG_INT32_MAX, 1, &offset) == SEQUENCE_GAP, "a number before 0 is none of this epoch");
}

static void
test_wrap(void)
{
	ProducerSequence s;
	int64		offset = -1;
	SequenceRange range = pgt_producer_sequence_range(0, PG_INT32_MAX - 4, 10);

	ok(range.last == 4, "a batch's numbers begin anew with 0");
	range = pgt_producer_sequence_range(0, PG_INT32_MAX - 4, 5);
	ok(range.last == PG_INT32_MAX, "the last number is 2^31 - 1");
	pgt_producer_sequence_init(&s, 7, 0);
	append(&s, 0, PG_INT32_MAX - 4, 5, 0, COMMITTED_XID);
	ok(check(&s, 0, 0, 3, &offset) == SEQUENCE_GOES_ON, "0 goes on from 2^31 - 1");
	ok(check(&s, 0, 1, 3, &offset) == SEQUENCE_GAP, "1 does not");
	append(&s, 0, 0, 3, 5, COMMITTED_XID);
	ok(check(&s, 0, PG_INT32_MAX - 4, 5, &offset) == SEQUENCE_DUPLICATE && offset == 0,
	   "a batch before the turn is a duplicate behind it");
	for (int i = 0; i < 5; i++)
		append(&s, 0, 3 + i, 1, 8 + i, COMMITTED_XID);
	ok(check(&s, 0, PG_INT32_MAX - 4, 5, &offset) == SEQUENCE_OLD, "and then old");

	/* a producer that goes around more than once */
	for (int i = 0; i < 12; i++)
	{
		SequenceRange large = pgt_producer_sequence_range(0, s.next, 0x10000000);

		if (pgt_producer_sequence_check(&s, &large, ask_fixed, NULL, &offset) != SEQUENCE_GOES_ON)
		{
			ok(false, "numbers go on around the circle");
			return;
		}
		pgt_producer_sequence_apply(&s, &large, 100 + i, COMMITTED_XID, 0);
	}
	ok(check(&s, 0, s.next, 1, &offset) == SEQUENCE_GOES_ON &&
	   check(&s, 0, (int32) (((uint32) s.next + 1) & PG_INT32_MAX), 1, &offset) == SEQUENCE_GAP,
	   "numbers go on around the circle");
}

static void
test_outcomes(void)
{
	ProducerSequence s;
	int64		offset = -1;

	pgt_producer_sequence_init(&s, 7, 0);
	append(&s, 0, 0, 10, 100, COMMITTED_XID);
	append(&s, 0, 10, 10, 110, OWN_XID);
	append(&s, 0, 20, 10, 120, OWN_XID);
	ok(check(&s, 0, 30, 10, &offset) == SEQUENCE_GOES_ON, "a transaction goes on from its own batches");
	ok(check(&s, 0, 10, 10, &offset) == SEQUENCE_DUPLICATE && offset == 110, "and takes them for duplicates");
	s.batches[1].xid = s.batches[2].xid = OPEN_XID;
	ok(check(&s, 0, 30, 10, &offset) == SEQUENCE_BUSY && check(&s, 0, 10, 10, &offset) == SEQUENCE_BUSY,
	   "batches of another running transaction must be waited for");
	ok(check(&s, 0, 0, 10, &offset) == SEQUENCE_DUPLICATE, "but not those before");
	s.batches[1].xid = s.batches[2].xid = ABORTED_XID;
	ok(check(&s, 0, 30, 10, &offset) == SEQUENCE_GAP, "batches of an aborted transaction do not count");
	ok(s.count == 1 && check(&s, 0, 10, 7, &offset) == SEQUENCE_GOES_ON, "their numbers go on once more");

	pgt_producer_sequence_init(&s, 7, 0);
	for (int i = 0; i < 7; i++)
		append(&s, 0, 10 * i, 10, 100 + 10 * i, i < 2 ? COMMITTED_XID : OWN_XID);
	ok(check(&s, 0, 70, 10, &offset) == SEQUENCE_BUSY && check(&s, 0, 60, 10, &offset) == SEQUENCE_DUPLICATE,
	   "a transaction takes no more batches than are remembered");
	for (int i = 0; i < 5; i++)
		s.batches[i].xid = ABORTED_XID;
	ok(check(&s, 0, 30, 10, &offset) == SEQUENCE_GAP && check(&s, 0, 10, 10, &offset) == SEQUENCE_OLD &&
	   check(&s, 0, 20, 10, &offset) == SEQUENCE_GOES_ON,
	   "where all that is remembered has aborted, the first of it goes on");

	pgt_producer_sequence_init(&s, 7, 0);
	append(&s, 0, 0, 10, 100, COMMITTED_XID);
	append(&s, 0, 10, 10, 110, ABORTED_XID);
	ok(pgt_producer_sequence_settle(&s, 110, ask_fixed, NULL) && s.count == 2 && s.batches[0].xid == 0 &&
	   s.batches[1].xid == ABORTED_XID, "settling stops at the offset");
	ok(pgt_producer_sequence_settle(&s, 120, ask_fixed, NULL) && s.count == 1 && s.next == 10, "settling takes aborted batches back");
	append(&s, 0, 10, 10, 120, OPEN_XID);
	ok(!pgt_producer_sequence_settle(&s, 130, ask_fixed, NULL), "what cannot be settled is said");
}

static void
test_problems(void)
{
	ProducerSequence s;
	ProducerSequence bad;

	pgt_producer_sequence_init(&s, 7, 0);
	ok(pgt_producer_sequence_problem(&s) == NULL, "a new state has no problem");
	append(&s, 0, 0, 10, 100, COMMITTED_XID);
	append(&s, 0, 10, 10, 110, COMMITTED_XID);
	ok(pgt_producer_sequence_problem(&s) == NULL, "a state with batches has none");
	bad = s;
	bad.count = SEQUENCE_BATCHES + 1;
	ok(pgt_producer_sequence_problem(&bad) != NULL, "too many batches are a problem");
	bad = s;
	bad.batches[1].base_offset = 100;
	ok(pgt_producer_sequence_problem(&bad) != NULL, "offsets that do not rise are one");
	bad = s;
	bad.producer_id = -1;
	ok(pgt_producer_sequence_problem(&bad) != NULL, "a negative id is one");
}

/* ---- random histories -------------------------------------------------------- */

/* A batch in the log of the model.  Numbers are counted from 0 on without the circle. */
typedef struct Batch
{
	int16		epoch;
	uint64		first;
	uint32		records;
	int64		offset;
	uint64		xid;
	bool		starts;
} Batch;

/* A step that is in the WAL. */
typedef struct Event
{
	int			batch;			/* appended; -1: resolved */
	int64		below;
} Event;

typedef enum Fate
{
	RUNNING,
	COMMITTED,
	ABORTED
} Fate;

/* What the producer has sent, or will send. */
typedef struct Sent
{
	uint64		first;
	uint32		records;
	bool		answered;
} Sent;

static struct
{
	Batch		log[MOST_BATCHES];
	int			batches;
	Event		events[MOST_EVENTS];
	int			event_count;
	Fate		fates[MOST_EVENTS];	/* by xid */
	uint64		next_xid;
	uint64		xids[WORKERS];	/* 0: no transaction */
	int			sends[WORKERS];
	int64		log_end;
	int64		resolved;
	ProducerSequence state;

	/* the producer */
	int16		epoch;
	uint64		begin;			/* of the epoch's numbers */
	Sent		window[IN_FLIGHT];
	int			sent;
	uint64		next;

	/* the file, and where redo would begin */
	ProducerSequence file;
	int			redo_from;
	int64		redo_end;		/* the log's end there */
} h;

static const char *wrong;

static void
fail(const char *what)
{
	if (wrong == NULL)
		wrong = what;
}

static SequenceOutcome
ask_model(uint64 xid, void *arg)
{
	uint64		own = *(uint64 *) arg;

	if (xid == own)
		return SEQUENCE_OWN;
	return h.fates[xid] == RUNNING ? SEQUENCE_OPEN : h.fates[xid] == COMMITTED ? SEQUENCE_COMMITTED : SEQUENCE_ABORTED;
}

static SequenceRange
range_of(int16 epoch, uint64 first, uint32 records)
{
	return pgt_producer_sequence_range(epoch, (int32) (first % CIRCLE), records);
}

/* Does the log have all of these numbers, of transactions that have not aborted? */
static bool
is_in_log(int16 epoch, uint64 first, uint32 records)
{
	uint64		reached = first;

	for (int i = 0; i < h.batches && reached < first + records; i++)
	{
		const Batch *batch = &h.log[i];

		if (batch->epoch == epoch && h.fates[batch->xid] != ABORTED &&
			batch->first <= reached && reached < batch->first + batch->records)
			reached = batch->first + batch->records;
	}
	return reached >= first + records;
}

/* The exact batch, unless its transaction has aborted. */
static const Batch *
find_batch(int16 epoch, uint64 first, uint32 records)
{
	for (int i = h.batches - 1; i >= 0; i--)
		if (h.log[i].epoch == epoch && h.log[i].first == first && h.log[i].records == records &&
			h.fates[h.log[i].xid] != ABORTED)
			return &h.log[i];
	return NULL;
}

/* Where the numbers of the epoch end in the log; "begin" where there are none. */
static uint64
end_in_log(int16 epoch, uint64 begin)
{
	for (int i = h.batches - 1; i >= 0; i--)
		if (h.log[i].epoch == epoch && h.fates[h.log[i].xid] != ABORTED)
			return h.log[i].first + h.log[i].records;
	return begin;
}

static void
log_event(int batch, int64 below)
{
	h.events[h.event_count++] = (Event) {batch, below};
}

/* Append for a worker. */
static void
model_append(int worker, const Sent *sent)
{
	SequenceRange range = range_of(h.epoch, sent->first, sent->records);

	if (end_in_log(h.epoch, h.begin) != sent->first)
		fail("a batch is appended that leaves a gap or is twice in the log");
	range.starts = h.state.epoch == NO_PRODUCER_EPOCH;
	h.log[h.batches] = (Batch) {h.epoch, sent->first, sent->records, h.log_end, h.xids[worker], range.starts};
	pgt_producer_sequence_apply(&h.state, &range, h.log_end, h.xids[worker], 0);
	log_event(h.batches++, 0);
	h.log_end += sent->records + pick(3);
}

/* A batch comes to a worker, for the first time or again. */
static void
send(int worker, Sent *sent)
{
	SequenceRange range = range_of(h.epoch, sent->first, sent->records);
	const Batch *there = find_batch(h.epoch, sent->first, sent->records);
	int64		offset = -1;

	if (h.xids[worker] == 0)
	{
		h.xids[worker] = h.next_xid++;
		h.fates[h.xids[worker]] = RUNNING;
	}
	switch (pgt_producer_sequence_check(&h.state, &range, ask_model, &h.xids[worker], &offset))
	{
		case SEQUENCE_GOES_ON:
			model_append(worker, sent);
			break;
		case SEQUENCE_DUPLICATE:
			if (there == NULL || there->offset != offset)
				fail("a duplicate's offset is not that of the batch");
			break;
		case SEQUENCE_BUSY:
			if (h.xids[1 - worker] == 0)
				fail("a batch waits for a transaction that is not there");
			break;
		case SEQUENCE_GAP:
			/* of those under way a later one may come first */
			if (there != NULL || end_in_log(h.epoch, h.begin) == sent->first)
				fail("a batch that goes on, or is there, is refused");
			break;
		case SEQUENCE_OLD:
			fail("a batch that may still be under way is old");
			break;
		case SEQUENCE_FENCED:
			fail("the producer's own epoch is fenced");
			break;
	}
}

/* End a worker's transaction; what it has committed may be answered. */
static void
end_transaction(int worker, bool commits)
{
	if (h.xids[worker] == 0)
		return;
	h.fates[h.xids[worker]] = commits ? COMMITTED : ABORTED;
	h.xids[worker] = 0;
	for (int i = 0; i < h.sent; i++)
	{
		const Batch *batch = find_batch(h.epoch, h.window[i].first, h.window[i].records);

		/* some answers get lost */
		if (batch != NULL && h.fates[batch->xid] == COMMITTED && pick(4) > 0)
			h.window[i].answered = true;
	}
	while (h.sent > 0 && h.window[0].answered)
		memmove(h.window, h.window + 1, --h.sent * sizeof(Sent));
}

/* Resolve up to the first batch of a running transaction. */
static void
resolve(void)
{
	uint64		nobody = 0;
	int64		below = h.log_end;

	for (int i = h.batches - 1; i >= 0; i--)
		if (h.fates[h.log[i].xid] == RUNNING)
			below = h.log[i].offset;
	h.resolved = below;
	log_event(-1, below);
	if (!pgt_producer_sequence_settle(&h.state, below, ask_model, &nobody))
		fail("a transaction that has ended cannot be settled");
}

/* The state after replaying the WAL from a place on. */
static ProducerSequence
replay(ProducerSequence state, int from)
{
	uint64		nobody = 0;

	for (int i = from; i < h.event_count; i++)
	{
		const Event *event = &h.events[i];
		const Batch *batch;
		SequenceRange range;

		if (event->batch < 0)
		{
			(void) pgt_producer_sequence_settle(&state, event->below, ask_model, &nobody);
			continue;
		}
		batch = &h.log[event->batch];
		range = range_of(batch->epoch, batch->first, batch->records);
		range.starts = batch->starts;
		pgt_producer_sequence_apply(&state, &range, batch->offset, batch->xid, 0);
	}
	return state;
}

/* Do the two answer alike whatever may be sent?  Both are copies. */
static bool
answer_alike(ProducerSequence a, ProducerSequence b)
{
	uint64		nobody = 0;

	for (int i = Max(h.batches - 12, 0); i <= h.batches; i++)
	{
		Batch		next = {h.epoch, h.next, 3};
		const Batch *batch = i < h.batches ? &h.log[i] : &next;
		SequenceRange range = range_of(batch->epoch, batch->first, batch->records);
		int64		offset_a = -1;
		int64		offset_b = -1;

		if (pgt_producer_sequence_check(&a, &range, ask_model, &nobody, &offset_a) !=
			pgt_producer_sequence_check(&b, &range, ask_model, &nobody, &offset_b) || offset_a != offset_b)
			return false;
	}
	return true;
}

/* Compare with what redo makes of the same, from the file and from the beginning. */
static void
check_redo(void)
{
	ProducerSequence new;
	ProducerSequence cut = h.file;

	pgt_producer_sequence_init(&new, 7, 0);
	if (!answer_alike(h.state, replay(new, 0)))
		fail("redo from the beginning answers otherwise");
	if (!answer_alike(h.state, replay(h.file, h.redo_from)))
		fail("redo from the file answers otherwise");
	pgt_producer_sequence_cut(&cut, h.redo_end);
	if (!answer_alike(h.state, replay(cut, h.redo_from)))
		fail("redo from the file, cut at the log's end, answers otherwise");
}

/* What is saved of a state. */
static ProducerSequence
saved(ProducerSequence state)
{
	state.seen = 0;
	return state;
}

/* A crash: transactions that run are lost, and the state comes from file and redo. */
static void
crash(void)
{
	for (int worker = 0; worker < WORKERS; worker++)
		end_transaction(worker, false);
	check_redo();
	pgt_producer_sequence_cut(&h.file, h.redo_end);
	h.state = replay(h.file, h.redo_from);
	if (pgt_producer_sequence_problem(&h.file) != NULL)
		fail("a saved state has a problem");
}

/* The server forgets the producer, which has nothing under way, and goes on later. */
static void
forget(void)
{
	if (h.sent > 0 || h.xids[0] != 0 || h.xids[1] != 0)
		return;
	pgt_producer_sequence_init(&h.state, 7, 0);
	h.window[0] = (Sent) {h.next, 1 + pick(20), false};
	h.next += h.window[0].records;
	send(0, &h.window[h.sent++]);
}

/* The producer gives its epoch up: what was under way goes out again in the next one. */
static void
next_epoch(void)
{
	for (int worker = 0; worker < WORKERS; worker++)
		end_transaction(worker, pick(2) == 0);
	h.epoch++;
	h.begin = h.next = 0;
	h.sent = 0;
}

static void
step(void)
{
	int			worker = pick(WORKERS);

	switch (pick(14))
	{
		case 0:
		case 1:
		case 2:
		case 3:
			if (h.sent == IN_FLIGHT)
				break;
			h.window[h.sent] = (Sent) {h.next, 1 + pick(20), false};
			h.next += h.window[h.sent].records;
			send(worker, &h.window[h.sent++]);
			break;
		case 4:
		case 5:
		case 6:
			if (h.sent > 0)
				send(worker, &h.window[pick(h.sent)]);
			break;
		case 7:
			/* as after a reconnect */
			for (int i = 0; i < h.sent; i++)
				send(worker, &h.window[i]);
			break;
		case 8:
		case 9:
			end_transaction(worker, true);
			break;
		case 10:
			end_transaction(worker, pick(3) > 0);
			break;
		case 11:
			resolve();
			break;
		case 12:
			if (pick(3) == 0)
				forget();
			else if (pick(2) > 0)
				check_redo();
			else if (pick(2) > 0)
				crash();
			else if (pick(4) == 0)
				next_epoch();
			break;
		case 13:
			/* a checkpoint: the redo pointer first, the file some steps later */
			if (pick(2) == 0)
			{
				h.redo_from = h.event_count;
				h.redo_end = h.log_end;
			}
			h.file = saved(h.state);
			break;
	}
}

/* In the end the log has every number once and in order. */
static void
check_end(void)
{
	for (int round = 0; round < 100 && h.sent > 0; round++)
	{
		for (int i = 0; i < h.sent; i++)
			send(0, &h.window[i]);
		end_transaction(0, true);
		end_transaction(1, true);
	}
	if (h.sent > 0)
		fail("batches are never answered");
	if (end_in_log(h.epoch, h.begin) != h.next || !is_in_log(h.epoch, h.begin, h.next - h.begin))
		fail("numbers are missing in the log");
}

/* One history. */
static void
run(uint64 seed)
{
	memset(&h, 0, sizeof(h));
	random_state = seed;
	h.next_xid = 1;
	/* half of the histories come around the circle */
	h.begin = h.next = pick(2) == 0 ? 0 : CIRCLE - pick(300);
	pgt_producer_sequence_init(&h.state, 7, 0);
	h.file = h.state;
	/* of a producer that is not known any batch may come first, but this one sends the first one first */
	h.window[0] = (Sent) {h.next, 1 + pick(20), false};
	h.next += h.window[0].records;
	send(0, &h.window[h.sent++]);
	for (int i = 0; i < 300 && wrong == NULL; i++)
		step();
	if (wrong == NULL)
		check_end();
}

static void
test_histories(void)
{
	for (uint64 seed = 1; seed <= 20000 && wrong == NULL; seed++)
	{
		run(seed);
		if (wrong != NULL)
			printf("# seed %llu: %s\n", (unsigned long long) seed, wrong);
	}
	ok(wrong == NULL, "20,000 random histories end with each record once, and redo agrees");
}

int
main(void)
{
	test_verdicts();
	test_wrap();
	test_outcomes();
	test_problems();
	test_histories();
	return tap_end();
}
