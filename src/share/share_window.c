/*
 * share_window.c
 *	  What a share group has done with each record of a partition: the state machine.
 *
 * A record goes these ways:
 *
 *	                  acquire                 acknowledge               commit
 *	  AVAILABLE ------------------> ACQUIRED --------------> PENDING -------------> ACKNOWLEDGED
 *	      ^                            |  ^                     |                   ARCHIVED
 *	      |  lease ends, rollback      |  |      rollback       |   (or AVAILABLE: released)
 *	      +----------------------------+  +---------------------+
 *
 * A record that is acquired belongs to the transaction that has acquired it until that
 * ends ("is_open"), and then to nobody but its lease: whoever knows its offset may acknowledge
 * it.  So no session has to live from one to the other.  A member of Kafka's is different: a record that it has
 * acquired is its own until the lease ends, and nobody else may acknowledge it.  A lease ends at its time, except
 * while a transaction has acknowledged the record and not ended: the record is that
 * transaction's, however long it takes, or two could commit having accepted it.
 *
 * A record that is rejected, or had its last try, may have to be copied to a dead-letter topic first.  Who cannot do that in the same
 * transaction leaves it available, and marks it: "is_rejected".  Nobody gets it but who copies and archives it, in one
 * transaction, so it is done once.  Nothing takes the mark away but that.
 *
 * The number of deliveries is raised by acquiring, and stays when the record is given
 * back, whatever for: a rollback is a failed delivery too.  Only what was acquired and not read
 * (pgt_share_window_give_back()) was not delivered.
 *
 * What rows say can be taken over in any order, and repeatedly: finished records stay
 * finished, starts and numbers of deliveries only grow.
 *
 * A window has a fixed number of offsets, so a record that nobody finishes holds up new ones in the
 * end, as in Kafka (group.share.partition.max.record.locks).
 *
 * No I/O, no locks, no memory: the caller has locked the window.  Tested without a server.
 */
#include "postgres.h"

#include "share/share_window.h"

static inline const ShareCell *
cell_at(const ShareWindow *window, int64 offset)
{
	return &window->cells[offset % window->size];
}

static inline bool
is_finished(const ShareCell *cell)
{
	return cell->state == SHARE_ACKNOWLEDGED || cell->state == SHARE_ARCHIVED;
}

Size
pgt_share_window_bytes(int32 size)
{
	return offsetof(ShareWindow, cells) + sizeof(ShareCell) * (Size) size;
}

void
pgt_share_window_init(ShareWindow *window, int32 size, int64 start)
{
	window->start = window->end = window->available_from = start;
	window->next_expiry = SHARE_NO_LEASE;
	window->size = size;
	window->prepared = 0;
	window->unsaved = 0;
	window->rejected = 0;
}

void
pgt_share_window_copy(ShareWindow *to, int32 size, const ShareWindow *from)
{
	Assert(from->end - from->start <= size);
	memcpy(to, from, offsetof(ShareWindow, cells));
	to->size = size;
	for (int64 offset = from->start; offset < from->end; offset++)
		*pgt_share_window_cell(to, offset) = *cell_at(from, offset);
}

/* ---- steps ---------------------------------------------------------------- */

/* Note whether a cell's number of deliveries is in no row. */
static void
set_unsaved(ShareWindow *window, ShareCell *cell, bool unsaved)
{
	window->unsaved += (int) unsaved - (int) cell->is_unsaved;
	cell->is_unsaved = unsaved;
}

/* Note whether a cell's record is for the dead-letter topic alone. */
static void
set_rejected(ShareWindow *window, ShareCell *cell, bool rejected)
{
	window->rejected += (int) rejected - (int) cell->is_rejected;
	cell->is_rejected = rejected;
}

/* Can anybody get it who processes records? */
static inline bool
is_available(const ShareCell *cell)
{
	return cell->state == SHARE_AVAILABLE && !cell->is_rejected;
}

/* Let a cell be of nobody, in a state that is not acquired. */
static void
settle(ShareWindow *window, ShareCell *cell, ShareRecordState state)
{
	if (cell->holder == SHARE_PREPARED)
		window->prepared--;
	cell->state = state;
	cell->holder = 0;
	cell->xid = 0;
	cell->is_open = false;
	cell->until = 0;
}

/* Let a record be available again. */
static void
release(ShareWindow *window, int64 offset, ShareCell *cell, bool unsaved)
{
	settle(window, cell, SHARE_AVAILABLE);
	set_unsaved(window, cell, unsaved && cell->deliveries > 0);
	window->available_from = Min(window->available_from, offset);
}

/* Finish a record. */
static void
finish(ShareWindow *window, ShareCell *cell, ShareRecordState state)
{
	settle(window, cell, state);
	set_unsaved(window, cell, false);
	set_rejected(window, cell, false);
}

/* A transaction that has acknowledged a record has committed.  True if the record is available. */
static bool
conclude(ShareWindow *window, int64 offset, ShareCell *cell)
{
	ShareRecordState outcome = cell->outcome;

	if (outcome != SHARE_AVAILABLE && outcome != SHARE_REJECTED)
	{
		finish(window, cell, outcome);
		return false;
	}
	release(window, offset, cell, false);
	if (outcome == SHARE_REJECTED)
		set_rejected(window, cell, true);
	return !cell->is_rejected;
}

/* Move the start behind what is finished. */
static void
advance(ShareWindow *window)
{
	while (window->start < window->end && is_finished(cell_at(window, window->start)))
		window->start++;
	window->available_from = Max(window->available_from, window->start);
}

/* Put new cells behind the end, up to an offset; nobody has acquired them. */
static void
extend(ShareWindow *window, int64 end)
{
	for (; window->end < end; window->end++)
	{
		ShareCell  *cell = pgt_share_window_cell(window, window->end);

		memset(cell, 0, sizeof(*cell));
		cell->state = SHARE_AVAILABLE;
	}
}

/* Give back the records whose lease has ended. */
static void
expire(ShareWindow *window, int64 now)
{
	int64		next = SHARE_NO_LEASE;

	if (now < window->next_expiry)
		return;
	for (int64 offset = window->start; offset < window->end; offset++)
	{
		ShareCell  *cell = pgt_share_window_cell(window, offset);

		if (cell->state != SHARE_ACQUIRED)
		{
			/* a rollback can make it acquired again, with its lease */
			if (cell->state == SHARE_PENDING && cell->holder != SHARE_PREPARED)
				next = Min(next, Max(cell->until, now + 1));
			continue;
		}
		if (cell->until <= now)
			release(window, offset, cell, true);
		else
			next = Min(next, cell->until);
	}
	window->next_expiry = next;
}

/* ---- acquiring ------------------------------------------------------------ */

/* Let somebody have a record. */
static void
hold(ShareCell *cell, const ShareAcquire *how)
{
	cell->state = SHARE_ACQUIRED;
	cell->holder = how->holder;
	cell->member = how->member;
	cell->is_open = how->member == SHARE_ANYBODY;
	cell->until = how->until;
}

/* Acquire one record. */
static void
acquire(ShareWindow *window, ShareCell *cell, const ShareAcquire *how)
{
	hold(cell, how);
	if (cell->deliveries < SHARE_MAX_DELIVERIES)
		cell->deliveries++;
	set_unsaved(window, cell, false);
}

/* Add an offset to the ranges; false where there is no room for it. */
static bool
add_offset(ShareRange *ranges, int *count, int capacity, int64 offset, const ShareCell *cell)
{
	ShareRange *last = *count > 0 ? &ranges[*count - 1] : NULL;

	if (last != NULL && last->last + 1 == offset && last->deliveries == cell->deliveries)
	{
		last->last = offset;
		return true;
	}
	if (*count == capacity)
		return false;
	ranges[(*count)++] = (ShareRange) {offset, offset, SHARE_ACQUIRED, cell->deliveries};
	return true;
}

int
pgt_share_window_acquire(ShareWindow *window, const ShareAcquire *how, ShareRange *ranges, int capacity)
{
	int64		left = how->most;
	int64		offset;
	int			count = 0;

	expire(window, how->now);
	for (offset = Max(window->available_from, how->from); left > 0 && offset < how->log_end; offset++)
	{
		ShareCell  *cell;
		ShareCell	before;

		if (offset >= window->end)
		{
			if (offset - window->start >= window->size)
				break;
			/* what lies between was given back, and is not for this call */
			extend(window, offset + 1);
		}
		cell = pgt_share_window_cell(window, offset);
		if (!is_available(cell))
			continue;
		before = *cell;
		acquire(window, cell, how);
		if (!add_offset(ranges, &count, capacity, offset, cell))
		{
			set_unsaved(window, cell, before.is_unsaved);
			*cell = before;
			break;
		}
		left--;
	}
	if (how->from <= window->available_from)
		window->available_from = Min(offset, window->end);
	if (count > 0)
		window->next_expiry = Min(window->next_expiry, how->until);
	return count;
}

int
pgt_share_window_acquire_rejected(ShareWindow *window, const ShareAcquire *how, ShareRange *ranges, int capacity)
{
	int64		left = Min(how->most, window->rejected);
	int			count = 0;

	for (int64 offset = window->start; left > 0 && offset < window->end; offset++)
	{
		ShareCell  *cell = pgt_share_window_cell(window, offset);

		if (cell->state != SHARE_AVAILABLE || !cell->is_rejected)
			continue;
		if (!add_offset(ranges, &count, capacity, offset, cell))
			break;
		hold(cell, how);
		left--;
	}
	return count;
}

/* The cell of an offset that the transaction has acquired and not acknowledged; NULL: it has not. */
static ShareCell *
own_acquired(ShareWindow *window, int64 offset, uint64 holder)
{
	ShareCell  *cell;

	if (offset < window->start || offset >= window->end)
		return NULL;
	cell = pgt_share_window_cell(window, offset);
	return cell->state == SHARE_ACQUIRED && cell->holder == holder && cell->is_open ? cell : NULL;
}

/* The cell of an offset that the transaction has acknowledged; NULL: it has not. */
static ShareCell *
own_pending(ShareWindow *window, int64 offset, uint64 holder)
{
	ShareCell  *cell;

	if (offset < window->start || offset >= window->end)
		return NULL;
	cell = pgt_share_window_cell(window, offset);
	return cell->state == SHARE_PENDING && cell->holder == holder ? cell : NULL;
}

/* The cell of an offset that the member has; NULL: it has not. */
static ShareCell *
members_own(ShareWindow *window, int64 offset, uint32 member)
{
	ShareCell  *cell;

	if (offset < window->start || offset >= window->end)
		return NULL;
	cell = pgt_share_window_cell(window, offset);
	return cell->state == SHARE_ACQUIRED && cell->holder == 0 && cell->member == member ? cell : NULL;
}

/* The cell of an offset that a member has or, for SHARE_ANYBODY, the transaction has acquired; NULL: neither. */
static ShareCell *
own(ShareWindow *window, int64 offset, uint64 holder, uint32 member)
{
	return member == SHARE_ANYBODY ? own_acquired(window, offset, holder) : members_own(window, offset, member);
}

/* Give back, of a transaction or a member. */
static void
give_back(ShareWindow *window, int64 first, int64 last, uint64 holder, uint32 member)
{
	for (int64 offset = last; offset >= first; offset--)
	{
		ShareCell  *cell = own(window, offset, holder, member);

		if (cell == NULL)
			continue;
		if (cell->deliveries > 0)
			cell->deliveries--;
		release(window, offset, cell, true);
		/* what was never delivered, at the end, was never acquired */
		if (offset == window->end - 1 && cell->deliveries == 0 && !cell->is_rejected)
			window->end--;
	}
	window->available_from = Min(window->available_from, window->end);
}

void
pgt_share_window_give_back(ShareWindow *window, int64 first, int64 last, uint64 holder)
{
	give_back(window, first, last, holder, SHARE_ANYBODY);
}

void
pgt_share_window_give_back_as(ShareWindow *window, int64 first, int64 last, uint32 member)
{
	give_back(window, first, last, 0, member);
}

/* Skip, of a transaction or a member. */
static void
skip(ShareWindow *window, int64 first, int64 last, uint64 holder, uint32 member)
{
	for (int64 offset = first; offset <= last; offset++)
	{
		ShareCell  *cell = own(window, offset, holder, member);

		if (cell != NULL)
			finish(window, cell, SHARE_ARCHIVED);
	}
	advance(window);
}

void
pgt_share_window_skip(ShareWindow *window, int64 first, int64 last, uint64 holder)
{
	skip(window, first, last, holder, SHARE_ANYBODY);
}

void
pgt_share_window_skip_as(ShareWindow *window, int64 first, int64 last, uint32 member)
{
	skip(window, first, last, 0, member);
}

void
pgt_share_window_reject_as(ShareWindow *window, int64 first, int64 last, uint32 member)
{
	for (int64 offset = first; offset <= last; offset++)
	{
		ShareCell  *cell = members_own(window, offset, member);

		if (cell == NULL)
			continue;
		cell->deliveries--;
		release(window, offset, cell, true);
		set_rejected(window, cell, true);
	}
}

int64
pgt_share_window_release_as(ShareWindow *window, uint32 member)
{
	int64		released = 0;

	for (int64 offset = window->start; offset < window->end; offset++)
	{
		ShareCell  *cell = members_own(window, offset, member);

		if (cell == NULL)
			continue;
		release(window, offset, cell, true);
		released++;
	}
	return released;
}

/* ---- acknowledging -------------------------------------------------------- */

/* May the transaction, for a member or SHARE_ANYBODY, acknowledge or renew the record?  *cell is its cell then. */
static ShareAnswer
find_acquired(ShareWindow *window, int64 offset, uint64 holder, uint32 member, int64 now, int deliveries, ShareCell **cell)
{
	if (offset < window->start)
		return SHARE_FINISHED;
	if (offset >= window->end)
		return SHARE_NOT_ACQUIRED;
	expire(window, now);
	*cell = pgt_share_window_cell(window, offset);
	switch ((ShareRecordState) (*cell)->state)
	{
		case SHARE_ACQUIRED:
			if (((*cell)->holder != 0 && (*cell)->holder != holder) || (*cell)->member != member)
				return SHARE_OTHERS;
			break;
		case SHARE_PENDING:
			if ((*cell)->holder != holder)
				return SHARE_OTHERS;
			break;
		case SHARE_AVAILABLE:
			return SHARE_NOT_ACQUIRED;
		case SHARE_ACKNOWLEDGED:
		case SHARE_ARCHIVED:
			return SHARE_FINISHED;
		case SHARE_REJECTED:
			/* no cell has it as its state */
			return SHARE_OTHERS;
	}
	if (deliveries != SHARE_ANY_DELIVERY && (*cell)->deliveries != deliveries)
		return SHARE_STALE;
	return SHARE_DONE;
}

/* Acknowledge, for a member or SHARE_ANYBODY. */
static ShareAnswer
acknowledge(ShareWindow *window, int64 offset, ShareRecordState outcome, uint64 holder, uint32 member,
			int64 now, int deliveries)
{
	ShareCell  *cell;
	ShareAnswer answer = find_acquired(window, offset, holder, member, now, deliveries, &cell);

	if (answer != SHARE_DONE)
		return answer;
	if (cell->state == SHARE_PENDING)
		return SHARE_FINISHED;
	cell->state = SHARE_PENDING;
	cell->outcome = outcome;
	cell->holder = holder;
	return SHARE_DONE;
}

ShareAnswer
pgt_share_window_acknowledge(ShareWindow *window, int64 offset, ShareRecordState outcome, uint64 holder,
							 int64 now, int deliveries)
{
	return acknowledge(window, offset, outcome, holder, SHARE_ANYBODY, now, deliveries);
}

ShareAnswer
pgt_share_window_acknowledge_as(ShareWindow *window, int64 offset, ShareRecordState outcome, uint64 holder,
								uint32 member, int64 now)
{
	return acknowledge(window, offset, outcome, holder, member, now, SHARE_ANY_DELIVERY);
}

ShareAnswer
pgt_share_window_check(ShareWindow *window, int64 offset, uint64 holder, uint32 member, int64 now)
{
	ShareCell  *cell;
	ShareAnswer answer = find_acquired(window, offset, holder, member, now, SHARE_ANY_DELIVERY, &cell);

	return answer == SHARE_DONE && cell->state == SHARE_PENDING ? SHARE_FINISHED : answer;
}

bool
pgt_share_window_renew_as(ShareWindow *window, int64 offset, int64 until, uint32 member, int64 now)
{
	ShareCell  *cell;

	expire(window, now);
	cell = members_own(window, offset, member);
	if (cell == NULL)
		return false;
	cell->until = until;
	window->next_expiry = Min(window->next_expiry, until);
	return true;
}

ShareAnswer
pgt_share_window_renew(ShareWindow *window, int64 offset, int64 until, uint64 holder, int64 now, int deliveries)
{
	ShareCell  *cell;
	ShareAnswer answer = find_acquired(window, offset, holder, SHARE_ANYBODY, now, deliveries, &cell);

	if (answer != SHARE_DONE)
		return answer;
	if (cell->state == SHARE_PENDING)
		return SHARE_FINISHED;
	/* one that is held without a lease lasts longer than any lease already */
	if (cell->until != SHARE_NO_LEASE)
		cell->until = until;
	window->next_expiry = Min(window->next_expiry, cell->until);
	return SHARE_DONE;
}

void
pgt_share_window_accept_rest(ShareWindow *window, int64 first, int64 last, uint64 holder)
{
	for (int64 offset = first; offset <= last; offset++)
	{
		ShareCell  *cell = own_acquired(window, offset, holder);

		if (cell == NULL || cell->until != SHARE_NO_LEASE)
			continue;
		cell->state = SHARE_PENDING;
		cell->outcome = SHARE_ACKNOWLEDGED;
	}
}

/* ---- the ends of transactions ---------------------------------------------- */

void
pgt_share_window_undo_acknowledge(ShareWindow *window, int64 first, int64 last, uint64 holder)
{
	for (int64 offset = first; offset <= last; offset++)
	{
		ShareCell  *cell = own_pending(window, offset, holder);

		if (cell == NULL)
			continue;
		cell->state = SHARE_ACQUIRED;
		if (!cell->is_open)
			cell->holder = 0;
		window->next_expiry = Min(window->next_expiry, cell->until);
	}
}

int64
pgt_share_window_undo_acquire(ShareWindow *window, int64 first, int64 last, uint64 holder)
{
	int64		released = 0;

	for (int64 offset = first; offset <= last; offset++)
	{
		ShareCell  *cell = own_acquired(window, offset, holder);

		if (cell == NULL)
			cell = own_pending(window, offset, holder);
		if (cell == NULL || !cell->is_open)
			continue;
		release(window, offset, cell, true);
		released++;
	}
	return released;
}

int64
pgt_share_window_commit(ShareWindow *window, int64 first, int64 last, uint64 holder)
{
	int64		released = 0;

	for (int64 offset = first; offset <= last; offset++)
	{
		ShareCell  *cell = own_acquired(window, offset, holder);

		if (cell != NULL && cell->until != SHARE_NO_LEASE)
		{
			cell->holder = 0;
			cell->is_open = false;
			continue;
		}
		if (cell != NULL)
		{
			release(window, offset, cell, true);
			released++;
			continue;
		}
		cell = own_pending(window, offset, holder);
		if (cell != NULL && conclude(window, offset, cell))
			released++;
	}
	advance(window);
	return released;
}

int64
pgt_share_window_prepare(ShareWindow *window, int64 first, int64 last, uint64 holder, uint32 xid)
{
	for (int64 offset = first; offset <= last; offset++)
	{
		ShareCell  *cell = own_pending(window, offset, holder);

		if (cell == NULL)
			continue;
		cell->holder = SHARE_PREPARED;
		cell->xid = xid;
		window->prepared++;
	}
	return pgt_share_window_commit(window, first, last, holder);
}

uint32
pgt_share_window_next_prepared(const ShareWindow *window, int64 *offset)
{
	if (window->prepared == 0)
		return 0;
	for (*offset = Max(*offset, window->start); *offset < window->end; (*offset)++)
	{
		const ShareCell *cell = cell_at(window, *offset);

		if (cell->state == SHARE_PENDING && cell->holder == SHARE_PREPARED)
		{
			(*offset)++;
			return cell->xid;
		}
	}
	return 0;
}

int64
pgt_share_window_end_prepared(ShareWindow *window, uint32 xid, bool committed)
{
	int64		released = 0;

	for (int64 offset = window->start; offset < window->end; offset++)
	{
		ShareCell  *cell = pgt_share_window_cell(window, offset);

		if (cell->state != SHARE_PENDING || cell->holder != SHARE_PREPARED || cell->xid != xid)
			continue;
		if (committed)
			released += conclude(window, offset, cell);
		else
		{
			release(window, offset, cell, true);
			released++;
		}
	}
	advance(window);
	return released;
}

void
pgt_share_window_raise_start(ShareWindow *window, int64 log_start)
{
	int64		end = Min(window->end, log_start);

	for (int64 offset = window->start; offset < end; offset++)
	{
		ShareCell  *cell = pgt_share_window_cell(window, offset);

		if (cell->holder == 0 && !is_finished(cell))
			finish(window, cell, SHARE_ARCHIVED);
	}
	advance(window);
	if (window->start == window->end && window->start < log_start)
		window->start = window->end = window->available_from = log_start;
}

/* ---- looking -------------------------------------------------------------- */

int64
pgt_share_window_next_available(ShareWindow *window, int64 now, int64 from, int64 log_end, int64 *next_expiry)
{
	int64		offset;

	expire(window, now);
	*next_expiry = window->next_expiry;
	for (offset = Max(from, window->available_from); offset < Min(window->end, log_end); offset++)
	{
		if (is_available(cell_at(window, offset)))
			return offset;
	}
	offset = Max(from, window->end);
	if (offset >= log_end || pgt_share_window_is_full(window))
		return -1;
	/* where nothing is in flight, offsets without a record before it are no hindrance, however many */
	return offset - window->start < window->size || window->start == window->end ? offset : -1;
}

bool
pgt_share_window_is_full(const ShareWindow *window)
{
	return window->end - window->start >= window->size;
}

int64
pgt_share_window_next_offset(ShareWindow *window, int64 now, int64 *next_expiry)
{
	expire(window, now);
	*next_expiry = window->next_expiry;
	for (int64 offset = window->available_from; offset < window->end; offset++)
	{
		if (is_available(cell_at(window, offset)))
			return offset;
	}
	return window->end;
}

bool
pgt_share_window_is_in_use(const ShareWindow *window, int64 now)
{
	for (int64 offset = window->start; offset < window->end; offset++)
	{
		const ShareCell *cell = cell_at(window, offset);

		if (cell->state == SHARE_PENDING ||
			(cell->state == SHARE_ACQUIRED && (cell->holder != 0 || cell->until > now)))
			return true;
	}
	return false;
}

bool
pgt_share_window_is_idle(const ShareWindow *window)
{
	for (int64 offset = window->start; offset < window->end; offset++)
	{
		const ShareCell *cell = cell_at(window, offset);

		/* one whose lease has just ended was delivered, and no row says so */
		if (cell->state == SHARE_PENDING || cell->state == SHARE_ACQUIRED)
			return false;
	}
	return window->unsaved == 0;
}

/* ---- to rows and back ------------------------------------------------------ */

/* Take over what a row says about one offset. */
static void
load_cell(ShareWindow *window, int64 offset, const ShareRange *range, uint32 xid)
{
	ShareCell  *cell = pgt_share_window_cell(window, offset);

	if (is_finished(cell))
		return;
	cell->deliveries = Max(cell->deliveries, range->deliveries);
	if (xid != 0)
	{
		window->prepared += cell->holder != SHARE_PREPARED;
		cell->state = SHARE_PENDING;
		cell->outcome = range->state;
		cell->holder = SHARE_PREPARED;
		cell->xid = xid;
	}
	else if (range->state == SHARE_REJECTED)
		set_rejected(window, cell, true);
	else if (range->state != SHARE_AVAILABLE)
		finish(window, cell, range->state);
}

bool
pgt_share_window_load(ShareWindow *window, const ShareRange *range, uint32 xid)
{
	int64		first = Max(range->first, window->start);

	if (range->last >= window->start + window->size)
		return false;
	extend(window, range->last + 1);
	for (int64 offset = first; offset <= range->last; offset++)
		load_cell(window, offset, range, xid);
	advance(window);
	return true;
}

/* What a row should say of a cell; false: nothing. */
static bool
saved_state(const ShareCell *cell, uint8 *state)
{
	*state = is_finished(cell) ? cell->state : cell->is_rejected ? SHARE_REJECTED : SHARE_AVAILABLE;
	return is_finished(cell) || cell->is_rejected || cell->deliveries > 0;
}

bool
pgt_share_window_next_saved(const ShareWindow *window, int64 *offset, ShareRange *range)
{
	bool		found = false;

	for (*offset = Max(*offset, window->start); *offset < window->end; (*offset)++)
	{
		const ShareCell *cell = cell_at(window, *offset);
		uint8		state;
		bool		wanted = saved_state(cell, &state);
		uint16		deliveries = is_finished(cell) ? 0 : cell->deliveries;

		if (!found && wanted)
		{
			*range = (ShareRange) {*offset, *offset, state, deliveries};
			found = true;
		}
		else if (found && wanted && range->state == state && range->deliveries == deliveries)
			range->last = *offset;
		else if (found)
			break;
	}
	return found;
}

bool
pgt_share_window_next_pending(const ShareWindow *window, int64 *offset, int64 last, uint64 holder,
							  ShareRange *range)
{
	bool		found = false;

	last = Min(last, window->end - 1);
	for (*offset = Max(*offset, window->start); *offset <= last; (*offset)++)
	{
		const ShareCell *cell = cell_at(window, *offset);
		bool		wanted = cell->state == SHARE_PENDING && cell->holder == holder;
		uint16		deliveries = cell->outcome == SHARE_AVAILABLE || cell->outcome == SHARE_REJECTED ? cell->deliveries : 0;

		if (!found && wanted)
		{
			*range = (ShareRange) {*offset, *offset, cell->outcome, deliveries};
			found = true;
		}
		else if (found && wanted && range->state == cell->outcome && range->deliveries == deliveries)
			range->last = *offset;
		else if (found)
			break;
	}
	return found;
}

bool
pgt_share_window_next_unsaved(ShareWindow *window, int64 *offset, ShareRange *range)
{
	bool		found = false;

	if (window->unsaved == 0)
		return false;
	for (*offset = Max(*offset, window->start); *offset < window->end; (*offset)++)
	{
		ShareCell  *cell = pgt_share_window_cell(window, *offset);

		uint8		state = cell->is_rejected ? SHARE_REJECTED : SHARE_AVAILABLE;

		if (found && !(cell->is_unsaved && range->state == state && range->deliveries == cell->deliveries))
			break;
		if (!cell->is_unsaved)
			continue;
		if (!found)
			*range = (ShareRange) {*offset, *offset, state, cell->deliveries};
		range->last = *offset;
		found = true;
		set_unsaved(window, cell, false);
	}
	return found;
}
