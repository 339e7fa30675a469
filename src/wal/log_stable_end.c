/*
 * log_stable_end.c
 *	  The end of what may be shown to consumers outside of the database.
 *
 * A consumer outside of the database keeps what it was given, and comes back with an offset.
 * So it must be given nothing that a crash takes back: a transaction with an asynchronous
 * commit is seen by everyone in the database before it is on disk.  And it must be told no end
 * of the log that it cannot reach, as many of them read up to the end that they were told.
 * So the stable end is the end of the last batch
 *
 *	  - before which all transactions have ended,
 *	  - that has committed itself,
 *	  - whose commit record, like those of the batches before it, is durable: flushed here and,
 *		with synchronous standbys, by them.
 *
 * It is found by going over the index entries, each of them once in a process:
 *
 *	  log start        end         mark        mark     walked        log end
 *	      |             |           |           |          |             |
 *	  [ committed, durable ][ committed ][ committed ][ aborted ][ running ... ]
 *	                          LSN 100      LSN 200
 *
 * The walk stops at a running transaction.  It passes those that have aborted, without moving
 * the end.  Of one that has committed it asks for the LSN of the commit record and puts a mark,
 * the batch's end with that LSN; when that is durable, the end is there.  The server keeps one
 * LSN for 32 transactions, the largest.  So it is asked when the transaction is first seen as
 * committed, and not again, since later commits of its neighbours would raise the LSN for ever;
 * those of this process's own transactions are remembered exactly.
 *
 * A Kafka transaction that was aborted could be open again after a crash, and be committed then, as long as
 * the record that has ended it is not durable.  So what is behind its batches waits for that record: it gets a
 * mark that does not move the end.  Nobody knows any more which batches of a partition those were when they
 * are resolved; then the record is flushed here, and with synchronous standbys any batch that has aborted
 * gets such a mark for the place up to which the WAL is flushed.
 *
 * A transaction with a synchronous commit has no LSN there.  It was flushed before anybody saw
 * it as committed, so any place up to which the WAL is flushed will do.  Whether standbys
 * have it is another question: it may have been canceled while it waited for them, or may never
 * have wanted to wait.  So with synchronous standbys the mark's LSN is at least that place.
 *
 * In the beginning the walk starts at the resolved offset, and takes back from there the end of
 * the last batch that counts.  Nobody knows when those before it were committed, and of those
 * behind it the LSN may be that of a later neighbour.  So this first walk has a single mark, whose LSN
 * is the end of all WAL that there is then, and until that is durable the end is not
 * known (it may be that this server, or the process before this one, has shown more).  A log that was
 * seen while it was empty has no such beginning.
 *
 * Deleting moves the log start, perhaps beyond batches that are not durable.  It gets a mark
 * like theirs.  Deleting by compaction may remove the last batches of all: whenever segments
 * have changed, the end is looked for again, and may move back.  It does not where the last batch
 * was merged with some that come behind it; merging waits until they are durable (durable_horizon.c).
 *
 * Which transactions are running is asked with a snapshot that is taken for this question, as
 * transaction.c says.  The snapshot is given back at once, so it holds back no VACUUM.
 *
 * On a standby the WAL is flushed before it is replayed, so all marks are durable.
 *
 * Locks: none but for copies of the bounds.  Memory: below TopMemoryContext, for the process's
 * life, some words for each partition that was asked for, and the marks.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/memutils.h"
#include "wal/batch_outcome.h"
#include "wal/durable_wal.h"
#include "wal/log_stable_end.h"

#define STATES_PER_BLOCK	64

#define MARKS_MIN			8
#define MARKS_MAX			65536	/* then the walk goes on later */

/* The LSN of the first mark, until the first walk is over; the marks of that walk join it. */
#define LSN_NOT_YET			PG_UINT64_MAX

/* How many of this process's last transactions are remembered. */
#define OWN_COMMITS			4096

/* With that LSN durable the end may be there. */
typedef struct StableMark
{
	int64		end;
	XLogRecPtr	lsn;
} StableMark;

/* What is known of the partition of a slot. */
typedef struct StableState
{
	uint32		incarnation;	/* 0: nothing */
	bool		is_known;		/* the first mark was reached */
	bool		has_moved;		/* since somebody asked whether it has */
	int64		end;
	int64		walked;			/* all before it is counted in "end" and the marks */
	EntryPlace	place;			/* of it */
	uint32		segments_version;	/* when the end was last looked for */

	/* a ring of marks, whose ends and LSNs ascend */
	StableMark *marks;
	uint32		first_mark;
	uint32		mark_count;
	uint32		mark_capacity;	/* a power of two */
} StableState;

/* One for each slot, in blocks that are made when first needed. */
static StableState **blocks = NULL;

/* The last commits of this process, by their ids. */
static struct
{
	uint64		xid;
	XLogRecPtr	lsn;
}		   *own_commits = NULL;

/* ---- the WAL ---------------------------------------------------------------- */

/* An LSN for what was committed at any time before now. */
static XLogRecPtr
lsn_of_all(void)
{
	return RecoveryInProgress() ? InvalidXLogRecPtr : pgt_durable_wal_insert_end();
}

/* ---- own commits -------------------------------------------------------------- */

void
pgt_log_stable_end_committed(uint64 xid, XLogRecPtr lsn)
{
	if (own_commits == NULL)
		own_commits = MemoryContextAllocZero(TopMemoryContext, OWN_COMMITS * sizeof(*own_commits));
	own_commits[xid % OWN_COMMITS].xid = xid;
	own_commits[xid % OWN_COMMITS].lsn = lsn;
}

/* The LSN for a mark of a transaction for which the commit log tells "lsn". */
static XLogRecPtr
lsn_of_commit(uint64 xid, XLogRecPtr lsn)
{
	if (RecoveryInProgress())
		return InvalidXLogRecPtr;
	if (own_commits != NULL && own_commits[xid % OWN_COMMITS].xid == xid)
		return own_commits[xid % OWN_COMMITS].lsn;
	return pgt_durable_wal_has_standbys() ? Max(lsn, GetFlushRecPtr(NULL)) : lsn;
}

/* The LSN for a mark behind a batch that has aborted, by the record with this LSN if that is known; 0: it needs none. */
static XLogRecPtr
lsn_of_abort(XLogRecPtr lsn)
{
	if (RecoveryInProgress())
		return InvalidXLogRecPtr;
	return pgt_durable_wal_has_standbys() ? Max(lsn, GetFlushRecPtr(NULL)) : lsn;
}

/* ---- what is known of a partition ---------------------------------------------- */

/* The state of a slot. */
static StableState *
state_of(const PartitionState *slot)
{
	int			n = slot - pgt_log_state->partitions;
	StableState **block;

	if (blocks == NULL)
		blocks = MemoryContextAllocZero(TopMemoryContext,
										(pgt_log_state->max_partitions / STATES_PER_BLOCK + 1) * sizeof(StableState *));
	block = &blocks[n / STATES_PER_BLOCK];
	if (*block == NULL)
		*block = MemoryContextAllocZero(TopMemoryContext, STATES_PER_BLOCK * sizeof(StableState));
	return &(*block)[n % STATES_PER_BLOCK];
}

/* The nth mark. */
static StableMark *
mark(StableState *state, uint32 n)
{
	return &state->marks[(state->first_mark + n) & (state->mark_capacity - 1)];
}

/* The end, once all marks are reached. */
static int64
expected_end(StableState *state)
{
	return state->mark_count > 0 ? mark(state, state->mark_count - 1)->end : state->end;
}

/* Make room for twice as many marks. */
static void
grow_marks(StableState *state)
{
	uint32		capacity = Max(MARKS_MIN, state->mark_capacity * 2);
	StableMark *marks = MemoryContextAlloc(TopMemoryContext, capacity * sizeof(StableMark));

	for (uint32 i = 0; i < state->mark_count; i++)
		marks[i] = *mark(state, i);
	if (state->marks != NULL)
		pfree(state->marks);
	state->marks = marks;
	state->mark_capacity = capacity;
	state->first_mark = 0;
}

/* Put a mark behind the others. */
static void
add_mark(StableState *state, int64 end, XLogRecPtr lsn)
{
	if (state->mark_count > 0 && mark(state, state->mark_count - 1)->lsn >= lsn)
	{
		mark(state, state->mark_count - 1)->end = end;
		return;
	}
	if (state->mark_count == state->mark_capacity)
		grow_marks(state);
	state->mark_count++;
	*mark(state, state->mark_count - 1) = (StableMark) {end, lsn};
}

/* Let all that comes wait for the LSN, too. */
static void
add_wait(StableState *state, XLogRecPtr lsn)
{
	if (!XLogRecPtrIsInvalid(lsn))
		add_mark(state, expected_end(state), lsn);
}

/* Move the end to the last mark that is durable. */
static void
pass_marks(StableState *state, XLogRecPtr durable)
{
	while (state->mark_count > 0 && mark(state, 0)->lsn <= durable)
	{
		state->end = mark(state, 0)->end;
		state->is_known = state->has_moved = true;
		state->first_mark++;
		state->mark_count--;
	}
	if (state->mark_count > 0 || state->mark_capacity <= MARKS_MIN)
		return;
	pfree(state->marks);
	state->marks = NULL;
	state->mark_capacity = 0;
}

/* ---- walking -------------------------------------------------------------------- */

/* Behind the last batch that counts of those before an offset; the log start where there is none. */
static int64
last_end_before(const TopicPartition *key, int64 offset, int64 log_start)
{
	EntryWalk	walk;
	const IndexEntry *entry;

	if (!pgt_entry_walk_begin_backward(&walk, key, offset))
		return log_start;
	while ((entry = pgt_entry_walk_next(&walk)) != NULL)
		if ((entry->flags & ENTRY_ABORTED) == 0)
			return walk.segment.base + entry->last_delta + 1;
	return log_start;
}

/* This process has not looked at the partition before. */
static void
look_first(StableState *state, const EntryWalk *walk)
{
	const LogBounds *bounds = &walk->bounds;
	int64		end = last_end_before(&walk->key, bounds->resolved_offset, bounds->log_start_offset);

	state->is_known = false;
	state->has_moved = true;
	state->first_mark = state->mark_count = 0;
	state->end = Min(bounds->log_start_offset, end);
	state->walked = bounds->resolved_offset;
	state->place.incarnation = 0;
	state->segments_version = bounds->segments_version;
	add_mark(state, end, LSN_NOT_YET);
	state->incarnation = bounds->incarnation;
}

/*
 * The first walk is over: what it has passed waits for one LSN.  Of a log in which nothing has
 * committed there is nothing to be found out.
 */
static void
end_first_look(StableState *state)
{
	StableMark *first = mark(state, 0);

	first->lsn = first->end > 0 ? lsn_of_all() : InvalidXLogRecPtr;
}

/* Nothing was ever appended to the partition.  What comes is seen from its beginning. */
static void
look_at_nothing(StableState *state, const LogBounds *bounds)
{
	state->is_known = state->has_moved = true;
	state->first_mark = state->mark_count = 0;
	state->end = state->walked = 0;
	state->place.incarnation = 0;
	state->segments_version = bounds->segments_version;
	state->incarnation = bounds->incarnation;
}

/* Do records on both sides of the offset stand in one batch? */
static bool
is_inside_batch(const TopicPartition *key, int64 offset)
{
	EntryWalk	walk;
	const IndexEntry *entry;

	if (!pgt_entry_walk_begin(&walk, key, offset - 1, NULL))
		return false;
	entry = pgt_entry_walk_next(&walk);
	return entry != NULL && walk.segment.base + entry->first_delta < offset &&
		walk.segment.base + entry->last_delta >= offset;
}

/*
 * Segments have come or gone: perhaps the last batches went with them.  If the batch before the end was
 * merged with some behind it, which may not be durable on standbys yet, the end stays: that batch is
 * given when all of it is durable.
 */
static void
look_for_end(StableState *state, const LogBounds *bounds, const TopicPartition *key)
{
	int64		end = expected_end(state);

	if (end > bounds->log_start_offset && !is_inside_batch(key, end))
	{
		end = Min(end, last_end_before(key, end, bounds->log_start_offset));
		state->end = Min(state->end, end);
		for (uint32 i = 0; i < state->mark_count; i++)
			mark(state, i)->end = Min(mark(state, i)->end, end);
	}
	state->segments_version = bounds->segments_version;
}

/* What was deleted counts no more, and the log start is where the log ends at least. */
static void
pass_deleted(StableState *state, const LogBounds *bounds)
{
	if (bounds->log_start_offset > expected_end(state))
		add_mark(state, bounds->log_start_offset, lsn_of_all());
	if (bounds->log_start_offset > state->walked)
	{
		state->walked = bounds->log_start_offset;
		state->place.incarnation = 0;
	}
}

/* Which transactions run now, without a trace of having asked. */
static void
list_running(TransactionSet *running)
{
	TransactionId xmin = MyProc->xmin;

	pgt_transaction_list_running(running);
	MyProc->xmin = xmin;
}

/* Is the transaction running?  Our own is, though a snapshot of ours does not say so. */
static bool
is_running(const TransactionSet *running, uint64 xid)
{
	return pgt_transaction_is_running(running, xid) ||
		xid == U64FromFullTransactionId(GetTopFullTransactionIdIfAny());
}

/* Go over the batches that were not looked at, up to a running transaction. */
static void
walk_on(StableState *state, EntryWalk *walk)
{
	TransactionSet running;
	BatchOutcome memory = {0};
	const IndexEntry *entry;
	bool		blocked = false;

	list_running(&running);
	while (state->mark_count < MARKS_MAX && (entry = pgt_entry_walk_next(walk)) != NULL)
	{
		XLogRecPtr	lsn;
		BatchOutcomeAnswer answer;

		blocked = is_running(&running, entry->xid);
		if (blocked)
			break;
		answer = pgt_batch_outcome_ask(&memory, walk, entry, &lsn);
		if (answer == BATCH_OUTCOME_UNCLEAR)
			continue;
		if (answer == BATCH_OUTCOME_COMMITTED)
			add_mark(state, walk->segment.base + entry->last_delta + 1, lsn_of_commit(entry->xid, lsn));
		else
			add_wait(state, lsn_of_abort(walk->ended_lsn));
		state->walked = walk->segment.base + entry->last_delta + 1;
	}
	if (!walk->is_gone)
		pgt_entry_walk_place(walk, blocked, &state->place);
	pfree(running.xids);
}

/* Look at what is new, and set *bounds to those that the walk went by.  False if the partition went away. */
static bool
look(StableState *state, const TopicPartition *key, LogBounds *bounds)
{
	EntryWalk	walk;
	bool		is_first = state->incarnation != bounds->incarnation;

	if (!pgt_entry_walk_begin(&walk, key, is_first ? 0 : state->walked, is_first ? NULL : &state->place))
		return false;
	if (state->incarnation != walk.bounds.incarnation)
	{
		look_first(state, &walk);
		walk.position = state->walked;
	}
	if (state->segments_version != walk.bounds.segments_version)
		look_for_end(state, &walk.bounds, key);
	pass_deleted(state, &walk.bounds);
	if (state->walked < walk.bounds.next_offset)
		walk_on(state, &walk);
	if (state->mark_count > 0 && mark(state, 0)->lsn == LSN_NOT_YET)
		end_first_look(state);
	*bounds = walk.bounds;
	return !walk.is_gone;
}

/* ---- the interface --------------------------------------------------------------- */

/* Fill the result from what is known. */
static void
tell(StableState *state, const LogBounds *bounds, LogStableEnd *result)
{
	result->end = state->end;
	result->log_start = Min(bounds->log_start_offset, state->end);
	result->log_end = Max(bounds->next_offset, state->end);
	result->exists = true;
	result->is_known = state->is_known;
	result->awaited = state->mark_count > 0 ? mark(state, 0)->lsn : InvalidXLogRecPtr;
}

/* Find the end.  NULL if there is none. */
static StableState *
find_end(const TopicPartition *key, XLogRecPtr durable, LogStableEnd *result)
{
	PartitionState *slot = pgt_log_state_find(key);
	StableState *state;
	TopicPartition found;
	LogBounds	bounds;

	*result = (LogStableEnd) {.exists = slot != NULL,.is_known = true};
	if (slot == NULL)
		return NULL;
	state = state_of(slot);
	if (!pgt_partition_log_slot_bounds(slot, &found, &bounds))
	{
		if (bounds.active_base == NO_SEGMENT && bounds.next_offset == 0 && state->incarnation != bounds.incarnation)
			look_at_nothing(state, &bounds);
		return NULL;
	}
	if (memcmp(&found, key, sizeof(found)) != 0)
		return NULL;
	if ((state->incarnation != bounds.incarnation || state->walked < bounds.next_offset ||
		 state->segments_version != bounds.segments_version ||
		 expected_end(state) < bounds.log_start_offset) &&
		!look(state, key, &bounds))
		return NULL;
	pass_marks(state, durable);
	tell(state, &bounds, result);
	return state;
}

bool
pgt_log_stable_end(const TopicPartition *key, XLogRecPtr durable, LogStableEnd *result)
{
	return find_end(key, durable, result) != NULL;
}

bool
pgt_log_stable_end_has_moved(const TopicPartition *key, XLogRecPtr durable, LogStableEnd *result)
{
	StableState *state = find_end(key, durable, result);
	bool		has_moved = state != NULL && state->has_moved;

	if (state != NULL)
		state->has_moved = false;
	return has_moved;
}

void
pgt_log_stable_end_appended(const TopicPartition *key, int64 first, int64 end, XLogRecPtr lsn)
{
	PartitionState *slot = pgt_log_state_find(key);
	StableState *state;

	if (slot == NULL)
		return;
	state = state_of(slot);
	if (state->incarnation != slot->incarnation || state->walked != first || state->mark_count >= MARKS_MAX)
		return;
	add_mark(state, end, lsn);
	state->walked = end;
	/* the entry is not known; the next walk looks it up */
	state->place.incarnation = 0;
}
