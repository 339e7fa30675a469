/*
 * share_window_test.c
 *	  Tests of share_window.c without a server: its steps one by one, and random workers
 *	  against a model.
 *
 * The model knows of each offset who has it, until when, and how often it was delivered, in arrays as long as
 * the history; the window has a few cells.  At any time the window must say of each offset what the
 * model says, and what rows would say must make the same window again.
 *
 * "make unit" builds and runs it.  Output is TAP, the exit code 1 on a failure.
 */
#include "postgres.h"

#include "assertion.h"
#include "random_numbers.h"
#include "share/share_window.h"
#include "tap.h"

#define SIZE		20
#define OFFSETS		4000
#define WORKERS		5
#define LEASE		10

/* A window without records in flight. */
static ShareWindow *
make_window(int32 size, int64 start)
{
	ShareWindow *window = malloc(pgt_share_window_bytes(size));

	pgt_share_window_init(window, size, start);
	return window;
}

/* Acquire so many for a transaction; the number of ranges. */
static int
take(ShareWindow *window, uint64 holder, int64 until, int64 now, int32 most, ShareRange *ranges)
{
	ShareAcquire how = {.holder = holder,.until = until,.now = now,.log_end = OFFSETS,.most = most};

	return pgt_share_window_acquire(window, &how, ranges, SIZE);
}

/* ---- steps, one by one ------------------------------------------------------- */

static void
test_steps(void)
{
	ShareWindow *window = make_window(SIZE, 100);
	ShareRange	ranges[SIZE];
	ShareRange	range;
	int64		offset;

	ok(take(window, 1, SHARE_NO_LEASE, 0, 5, ranges) == 1 && ranges[0].first == 100 && ranges[0].last == 104 &&
	   ranges[0].deliveries == 1, "new records are acquired");
	pgt_share_window_give_back(window, 103, 104, 1);
	ok(window->end == 103, "what was not read at the end was never acquired");
	pgt_share_window_skip(window, 100, 100, 1);
	ok(window->start == 101, "an offset without a record is finished");
	ok(pgt_share_window_acknowledge(window, 101, SHARE_ACKNOWLEDGED, 2, 0, SHARE_ANY_DELIVERY) == SHARE_OTHERS,
	   "a record of a running transaction is its own");
	ok(pgt_share_window_acknowledge(window, 102, SHARE_ACKNOWLEDGED, 1, 0, 1) == SHARE_DONE, "it acknowledges one");
	ok(pgt_share_window_acknowledge(window, 102, SHARE_ACKNOWLEDGED, 1, 0, 1) == SHARE_FINISHED, "but not twice");
	offset = 0;
	ok(pgt_share_window_next_pending(window, &offset, 102, 1, &range) && range.first == 102 && range.last == 102 &&
	   !pgt_share_window_next_pending(window, &offset, 102, 1, &range), "which is to be written");
	ok(pgt_share_window_commit(window, 101, 102, 1) == 1 && window->start == 101, "the commit releases the other one");
	ok(take(window, 2, 50, 10, 1, ranges) == 1 && ranges[0].first == 101 && ranges[0].deliveries == 2,
	   "it is delivered again");
	(void) pgt_share_window_commit(window, 101, 101, 2);
	ok(pgt_share_window_acknowledge(window, 101, SHARE_ACKNOWLEDGED, 3, 20, 1) == SHARE_STALE,
	   "an earlier delivery is told from a later one");
	ok(pgt_share_window_renew(window, 101, 70, 3, 49, 2) == SHARE_DONE &&
	   pgt_share_window_acknowledge(window, 101, SHARE_AVAILABLE, 3, 60, 2) == SHARE_DONE, "a renewed lease lasts longer");
	pgt_share_window_undo_acknowledge(window, 101, 101, 3);
	ok(pgt_share_window_acknowledge(window, 101, SHARE_ACKNOWLEDGED, 4, 70, 2) == SHARE_NOT_ACQUIRED, "and ends");
	ok(take(window, 4, SHARE_NO_LEASE, 70, SIZE, ranges) == 2 && ranges[0].deliveries == 3 &&
	   ranges[1].first == 103 && ranges[1].last == 120, "a window has so many offsets and no more");
	ok(pgt_share_window_undo_acquire(window, 101, 120, 4) == 19, "a rollback gives all back");
	ok(take(window, 5, SHARE_NO_LEASE, 70, 1, ranges) == 1 && ranges[0].first == 101 && ranges[0].deliveries == 4, "it counts");
	pgt_share_window_raise_start(window, 110);
	ok(window->start == 101 && window->end == 121, "what a transaction has stays when records are deleted");
	(void) pgt_share_window_acknowledge(window, 101, SHARE_ACKNOWLEDGED, 5, 70, SHARE_ANY_DELIVERY);
	(void) pgt_share_window_commit(window, 101, 101, 5);
	ok(window->start == 110, "then the window begins behind them");
	pgt_share_window_raise_start(window, 500);
	ok(window->start == 500 && window->end == 500 && pgt_share_window_is_idle(window), "it may begin far behind");
	free(window);
}

/* A call that has given back the first records, which wait, and goes on behind them. */
static void
test_given_back(void)
{
	ShareWindow *window = make_window(SIZE, 0);
	ShareAcquire how = {.holder = 1,.until = SHARE_NO_LEASE,.log_end = OFFSETS,.most = 2};
	ShareRange	ranges[SIZE];
	int64		expiry;

	(void) take(window, 1, SHARE_NO_LEASE, 0, 3, ranges);
	pgt_share_window_give_back(window, 0, 2, 1);
	how.from = 3;
	ok(pgt_share_window_acquire(window, &how, ranges, SIZE) == 1 && ranges[0].first == 3 && ranges[0].last == 4 &&
	   window->end == 5, "a call goes on behind what it has given back");
	(void) pgt_share_window_acknowledge(window, 3, SHARE_ACKNOWLEDGED, 1, 0, SHARE_ANY_DELIVERY);
	(void) pgt_share_window_acknowledge(window, 4, SHARE_ACKNOWLEDGED, 1, 0, SHARE_ANY_DELIVERY);
	(void) pgt_share_window_commit(window, 3, 4, 1);
	ok(pgt_share_window_next_available(window, 0, 0, OFFSETS, &expiry) == 0 &&
	   pgt_share_window_next_available(window, 0, 3, OFFSETS, &expiry) == 5 &&
	   pgt_share_window_next_available(window, 0, 3, 5, &expiry) == -1, "which is to be had, and what is finished is not");
	ok(take(window, 2, SHARE_NO_LEASE, 0, SIZE, ranges) == 2 && ranges[0].last == 2 && ranges[0].deliveries == 1 &&
	   ranges[1].first == 5 && ranges[1].last == SIZE - 1, "others get it");
	ok(pgt_share_window_is_full(window) && pgt_share_window_next_available(window, 0, 0, OFFSETS, &expiry) == -1,
	   "until the window is full");
	free(window);
}

static void
test_prepared(void)
{
	ShareWindow *window = make_window(SIZE, 0);
	ShareRange	ranges[SIZE];
	int64		offset = 0;

	(void) take(window, 1, SHARE_NO_LEASE, 0, 4, ranges);
	(void) pgt_share_window_acknowledge(window, 1, SHARE_ACKNOWLEDGED, 1, 0, SHARE_ANY_DELIVERY);
	(void) pgt_share_window_acknowledge(window, 2, SHARE_AVAILABLE, 1, 0, SHARE_ANY_DELIVERY);
	ok(pgt_share_window_prepare(window, 0, 3, 1, 77) == 2 && window->prepared == 2, "a transaction is prepared");
	ok(take(window, 2, SHARE_NO_LEASE, 1000, 2, ranges) == 2 && ranges[0].first == 0 && ranges[1].first == 3,
	   "others get what it has not acknowledged");
	ok(pgt_share_window_next_prepared(window, &offset) == 77 && !pgt_share_window_is_idle(window), "it is known by its id");
	(void) pgt_share_window_end_prepared(window, 77, true);
	ok(window->prepared == 0 && take(window, 3, SHARE_NO_LEASE, 0, 1, ranges) == 1 && ranges[0].first == 2 &&
	   ranges[0].deliveries == 2, "it has committed: one is released, one is finished");
	free(window);
}

/* Records for the dead-letter topic: of members that cannot send them there themselves. */
static void
test_rejected(void)
{
	ShareWindow *window = make_window(SIZE, 0);
	ShareWindow *again = make_window(SIZE, 0);
	ShareAcquire member = {.member = 7,.until = 100,.log_end = OFFSETS,.most = 4};
	ShareAcquire sender = {.holder = 2,.until = SHARE_NO_LEASE,.log_end = OFFSETS,.most = SIZE};
	ShareRange	ranges[SIZE];
	ShareRange	range;
	int64		expiry;
	int64		offset = 0;

	(void) pgt_share_window_acquire(window, &member, ranges, SIZE);
	(void) pgt_share_window_acknowledge_as(window, 1, SHARE_REJECTED, 1, 7, 0);
	ok(pgt_share_window_next_pending(window, &offset, 3, 1, &range) && range.state == SHARE_REJECTED && range.deliveries == 1,
	   "a member rejects a record, which is to be written with its deliveries");
	ok(pgt_share_window_commit(window, 1, 1, 1) == 0 && window->rejected == 1 && window->start == 0,
	   "it is rejected when that is committed, and not finished");
	(void) pgt_share_window_release_as(window, 7);
	ok(take(window, 3, SHARE_NO_LEASE, 0, 4, ranges) == 3 && ranges[0].last == 0 && ranges[1].first == 2 && ranges[2].first == 4,
	   "nobody gets it");
	ok(pgt_share_window_undo_acquire(window, 0, 4, 3) == 4 &&
	   pgt_share_window_next_available(window, 0, 1, 2, &expiry) == -1, "nor waits for it");
	ok(pgt_share_window_acquire_rejected(window, &sender, ranges, SIZE) == 1 && ranges[0].first == 1 && ranges[0].last == 1 &&
	   ranges[0].deliveries == 1 && pgt_share_window_acquire_rejected(window, &sender, ranges, SIZE) == 0,
	   "who sends it on gets it, alone and without a delivery");
	(void) pgt_share_window_acknowledge(window, 1, SHARE_ARCHIVED, 2, 0, SHARE_ANY_DELIVERY);
	pgt_share_window_undo_acknowledge(window, 1, 1, 2);
	(void) pgt_share_window_undo_acquire(window, 1, 1, 2);
	ok(window->rejected == 1, "when he rolls back it is rejected as before");
	offset = 0;
	while (pgt_share_window_next_saved(window, &offset, &range))
		(void) pgt_share_window_load(again, &range, 0);
	ok(again->rejected == 1 && pgt_share_window_cell(again, 1)->is_rejected && pgt_share_window_cell(again, 1)->deliveries == 1,
	   "and in what rows say");
	range = (ShareRange) {1, 1, SHARE_ARCHIVED, 0};
	(void) pgt_share_window_load(again, &range, 0);
	range.state = SHARE_REJECTED;
	(void) pgt_share_window_load(again, &range, 0);
	ok(again->rejected == 0, "until one says that it is archived, whatever their order");
	(void) pgt_share_window_acquire_rejected(window, &sender, ranges, SIZE);
	(void) pgt_share_window_acknowledge(window, 1, SHARE_ARCHIVED, 2, 0, SHARE_ANY_DELIVERY);
	(void) pgt_share_window_prepare(window, 1, 1, 2, 77);
	ok(window->rejected == 1 && pgt_share_window_end_prepared(window, 77, false) == 1 && window->rejected == 1,
	   "so it is when he has prepared and rolled back");
	(void) pgt_share_window_acquire_rejected(window, &sender, ranges, SIZE);
	(void) pgt_share_window_acknowledge(window, 1, SHARE_ARCHIVED, 2, 0, SHARE_ANY_DELIVERY);
	(void) pgt_share_window_commit(window, 1, 1, 2);
	ok(window->rejected == 0 && pgt_share_window_cell(window, 1)->state == SHARE_ARCHIVED, "when he commits it is finished");

	member.most = 1;
	(void) pgt_share_window_acquire(window, &member, ranges, SIZE);
	pgt_share_window_reject_as(window, 0, 0, 7);
	ok(window->rejected == 1 && pgt_share_window_cell(window, 0)->deliveries == 2,
	   "what was acquired after its last try is rejected without one more");
	offset = 0;
	ok(pgt_share_window_next_unsaved(window, &offset, &range) && range.first == 0 && range.last == 0 &&
	   range.state == SHARE_REJECTED && pgt_share_window_is_idle(window) == (window->unsaved == 0), "which a row is to say");
	free(window);
	free(again);
}

/* ---- random workers ------------------------------------------------------------ */

/* What the model knows of an offset. */
typedef struct ModelRecord
{
	bool		finished;
	int			deliveries;
	uint64		holder;			/* the transaction that has it; 0: none */
	bool		open;			/* which has acquired it */
	bool		pending;		/* and acknowledged it */
	ShareRecordState outcome;
	bool		rejected;		/* nobody gets it but who sends it on */
	int64		until;			/* of the lease; 0: nobody has it */
} ModelRecord;

static ModelRecord records[OFFSETS + SIZE];

/* Does the window say what the model says? */
static bool
agrees(ShareWindow *window, int64 now)
{
	for (int64 offset = 0; offset < window->start; offset++)
		if (!records[offset].finished)
			return false;
	for (int64 offset = window->start; offset < window->end; offset++)
	{
		const ShareCell *cell = pgt_share_window_cell(window, offset);
		const ModelRecord *record = &records[offset];
		bool		held = record->holder != 0 || record->until > now;
		bool		is_held = cell->state == SHARE_PENDING ||
			(cell->state == SHARE_ACQUIRED && (cell->until > now || cell->until == SHARE_NO_LEASE));

		if (record->finished != (cell->state == SHARE_ACKNOWLEDGED || cell->state == SHARE_ARCHIVED) ||
			(!record->finished && (cell->deliveries != record->deliveries || held != is_held)) ||
			record->rejected != cell->is_rejected)
			return false;
	}
	for (int64 offset = window->end; offset < OFFSETS; offset++)
		if (records[offset].finished || records[offset].holder != 0)
			return false;
	return window->end - window->start <= SIZE;
}

/* Does what rows would say make a window that has the same records finished, and as many deliveries? */
static bool
survives(ShareWindow *window)
{
	ShareWindow *again = make_window(SIZE, window->start);
	ShareRange	range;
	int64		offset = 0;
	bool		good = true;

	while (pgt_share_window_next_saved(window, &offset, &range))
		good = good && pgt_share_window_load(again, &range, 0) && pgt_share_window_load(again, &range, 0);
	for (offset = again->start; good && offset < again->end; offset++)
	{
		const ShareCell *cell = pgt_share_window_cell(again, offset);

		good = records[offset].finished == (cell->state != SHARE_AVAILABLE) &&
			records[offset].rejected == cell->is_rejected &&
			(records[offset].finished || cell->deliveries == records[offset].deliveries);
	}
	good = good && again->start == window->start;
	free(again);
	return good;
}

/* Leases that have ended: nobody has these records any more. */
static void
model_expire(int64 now)
{
	for (int64 offset = 0; offset < OFFSETS; offset++)
	{
		ModelRecord *record = &records[offset];

		if (record->until == 0 || record->until > now || record->pending)
			continue;
		record->until = 0;
		record->holder = 0;
		record->open = false;
	}
}

/* A worker takes records; false where the window gives what the model does not have to give. */
static bool
model_take(ShareWindow *window, uint64 holder, int64 now, bool leased)
{
	ShareRange	ranges[SIZE];
	int64		until = leased ? now + 1 + pick(LEASE) : SHARE_NO_LEASE;
	int			count;

	model_expire(now);
	count = take(window, holder, until, now, 1 + pick(6), ranges);
	for (int i = 0; i < count; i++)
		for (int64 offset = ranges[i].first; offset <= ranges[i].last; offset++)
		{
			ModelRecord *record = &records[offset];

			if (record->finished || record->rejected || record->holder != 0 || record->until != 0)
				return false;
			record->holder = holder;
			record->open = true;
			record->until = until;
			if (++record->deliveries != ranges[i].deliveries)
				return false;
		}
	return true;
}

/* A worker takes what is rejected, to send it on, and archives it. */
static bool
model_send_on(ShareWindow *window, uint64 holder, int64 now)
{
	ShareAcquire how = {.holder = holder,.until = SHARE_NO_LEASE,.now = now,.log_end = OFFSETS,.most = 1 + pick(4)};
	ShareRange	ranges[SIZE];
	int			count;

	model_expire(now);
	count = pgt_share_window_acquire_rejected(window, &how, ranges, SIZE);
	for (int i = 0; i < count; i++)
		for (int64 offset = ranges[i].first; offset <= ranges[i].last; offset++)
		{
			ModelRecord *record = &records[offset];

			if (!record->rejected || record->holder != 0 || record->deliveries != ranges[i].deliveries ||
				pgt_share_window_acknowledge(window, offset, SHARE_ARCHIVED, holder, now, SHARE_ANY_DELIVERY) != SHARE_DONE)
				return false;
			record->holder = holder;
			record->open = record->pending = true;
			record->until = SHARE_NO_LEASE;
			record->outcome = SHARE_ARCHIVED;
		}
	return true;
}

/* A worker acknowledges a record; false where the answer is not the model's. */
static bool
model_acknowledge(ShareWindow *window, uint64 holder, int64 now)
{
	int64		offset = window->start + pick(SIZE);
	ModelRecord *record = &records[offset];
	static const ShareRecordState outcomes[] = {SHARE_AVAILABLE, SHARE_REJECTED, SHARE_ACKNOWLEDGED, SHARE_ACKNOWLEDGED};
	ShareRecordState outcome = outcomes[pick(4)];
	bool		may;

	model_expire(now);
	may = !record->finished && !record->pending && record->until != 0 &&
		(record->holder == 0 || record->holder == holder);
	if ((pgt_share_window_acknowledge(window, offset, outcome, holder, now, SHARE_ANY_DELIVERY) == SHARE_DONE) != may)
		return false;
	if (may)
	{
		record->holder = holder;
		record->pending = true;
		record->outcome = outcome;
	}
	return true;
}

/* A worker's transaction ends. */
static void
model_end(ShareWindow *window, uint64 holder, bool commits)
{
	if (commits)
		(void) pgt_share_window_commit(window, 0, OFFSETS, holder);
	else
	{
		pgt_share_window_undo_acknowledge(window, 0, OFFSETS, holder);
		(void) pgt_share_window_undo_acquire(window, 0, OFFSETS, holder);
	}
	for (int64 offset = 0; offset < OFFSETS; offset++)
	{
		ModelRecord *record = &records[offset];
		bool		is_free;

		if (record->holder != holder)
			continue;
		if (commits && record->pending && record->outcome == SHARE_REJECTED)
			record->rejected = true;
		else if (commits && record->pending && record->outcome != SHARE_AVAILABLE)
		{
			record->finished = true;
			record->rejected = false;
		}
		is_free = record->finished || (commits ? record->pending || record->until == SHARE_NO_LEASE : record->open);
		if (is_free)
			record->until = 0;
		record->holder = 0;
		record->open = record->pending = false;
	}
}

/* One history of workers; false where the window and the model differ. */
static bool
run_history(uint64 seed)
{
	ShareWindow *window = make_window(SIZE, 0);
	uint64		holders[WORKERS];
	uint64		next_holder = 1;
	int64		now = 1;
	bool		good = true;

	random_state = seed;
	memset(records, 0, sizeof(records));
	for (int i = 0; i < WORKERS; i++)
		holders[i] = next_holder++;
	for (int step = 0; good && step < 400 && window->end < OFFSETS - SIZE; step++)
	{
		int			worker = pick(WORKERS);
		uint32		dice = pick(100);

		now += pick(3);
		if (dice < 35)
			good = model_take(window, holders[worker], now, pick(2) == 0);
		else if (dice < 42)
			good = model_send_on(window, holders[worker], now);
		else if (dice < 77)
			good = model_acknowledge(window, holders[worker], now);
		else
		{
			model_end(window, holders[worker], pick(3) > 0);
			holders[worker] = next_holder++;
		}
		model_expire(now);
		good = good && agrees(window, now) && survives(window);
	}
	free(window);
	return good;
}

int
main(void)
{
	int			bad = 0;
	uint64		first_bad = 0;

	test_steps();
	test_given_back();
	test_prepared();
	test_rejected();
	for (uint64 seed = 1; seed <= 300; seed++)
	{
		if (run_history(seed))
			continue;
		if (bad++ == 0)
			first_bad = seed;
	}
	if (bad > 0)
		printf("# %d histories differ from the model, the first one with seed %d\n", bad, (int) first_bad);
	ok(bad == 0, "random workers: the window says what the model says");
	return tap_end();
}
