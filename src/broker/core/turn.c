/*
 * turn.c
 *	  The one transaction of a turn of the loop.
 *
 * Requests that ask the catalogs or write share a transaction: it begins with the first of
 * them and is committed at the end of the turn, before the loop sleeps.  So a commit costs
 * little, and no lock and no snapshot outlives a turn.  The commit is asynchronous; who wants
 * it durable gets its LSN, and waits for the flusher.
 *
 *	  pgt_turn_open()		StartTransaction, subtransaction
 *	  ...					an ERROR: roll the subtransaction back, begin another one
 *	  pgt_turn_end()		before() of all work, release the subtransaction, commit,
 *							after() of all work
 *
 * Errors.  All of the turn runs in one subtransaction, which only an error ends.  Rolling it
 * back gives back what the error has left: LWLocks, pins, files, memory.  It does not take
 * back batches that were appended in it, as they carry the id of the whole transaction, which
 * producers in SQL must not do for that very reason (producer.c), and which is what is wanted here:
 * one client's error must not undo what another one has sent.  Rows that are written
 * are taken back, so they are written in before(), or in a subtransaction of their own.
 * What must not fail together is called by pgt_turn_try(): requests, and within them the
 * partitions of which each has an error code of its own.  Each before() has a subtransaction of its
 * own likewise, so that one that catches an error takes back nothing of those before it.
 * If the commit fails, or the transaction is lost otherwise, work is told that it has not
 * committed.
 *
 * Locks on topics are taken without waiting.  A process that serves all clients must not stand in
 * line behind one ALTER; it could also wait for a transaction that waits for a client.  The locks
 * belong to the whole transaction, or the subtransaction's end would release them.  The same is true of the tables of groups and
 * transactions, which are locked together before any of them is used.
 *
 * Invariant: no transaction is open while the loop sleeps.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "broker/core/turn.h"
#include "group/group_tables.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "util/clock.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

/* A topic that the transaction has locked. */
typedef struct LockedTopic
{
	Oid			relid;
	Topic	   *topic;
} LockedTopic;

/* The nesting level of the turn's subtransaction. */
#define TURN_LEVEL	2

#define POSTPONE_US		(100 * INT64CONST(1000))

/* After the tables were locked, clients send their heartbeats again for so long. */
#define CATCH_UP_US		(3 * INT64CONST(1000000))

static bool is_open = false;
static slist_head works = SLIST_STATIC_INIT(works);
static slist_node *last_work = NULL;	/* the one added last; NULL: there is none */

/* in no order; mostly few, since a topic's requests come one after the other */
static LockedTopic *locked = NULL;
static int	locked_count = 0;
static int	locked_room = 0;

static void tables_due(EventLoopTimer *timer);

static bool has_tables = false; /* the transaction has locked them */
static int64 tables_busy = 0;	/* when they were not to be had last; 0: never */
static EventLoopTimer tables_timer = {.expired = tables_due};

/* ---- the transaction -------------------------------------------------------- */

bool
pgt_turn_is_open(void)
{
	return is_open;
}

void
pgt_turn_open(void)
{
	MemoryContext caller = CurrentMemoryContext;

	if (is_open)
		return;
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	is_open = true;
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
}

/* What has become of work. */
typedef struct Outcome
{
	TurnWork   *work;
	bool		committed;
	XLogRecPtr	lsn;
} Outcome;

static void
tell(void *arg)
{
	const Outcome *outcome = arg;

	outcome->work->after(outcome->work, outcome->committed, outcome->lsn);
}

/* Forget the transaction, and tell all work what has become of it. */
static void
close_turn(bool committed, XLogRecPtr lsn)
{
	slist_head	done = works;

	is_open = false;
	has_tables = false;
	locked_count = 0;
	slist_init(&works);
	last_work = NULL;
	while (!slist_is_empty(&done))
	{
		Outcome		outcome = {slist_container(TurnWork, node, slist_pop_head_node(&done)), committed, lsn};

		/* if one fails at that, the others must hear of it all the same */
		(void) pgt_turn_try(tell, &outcome, NULL);
	}
}

/* What was written until now is the transaction's, whatever the next work makes of the subtransaction. */
static void
keep_work(void)
{
	MemoryContext caller = CurrentMemoryContext;

	ReleaseCurrentSubTransaction();
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
}

/* Commit.  Throws if that fails. */
static void
commit(void)
{
	slist_iter	iter;

	slist_foreach(iter, &works)
	{
		TurnWork   *work = slist_container(TurnWork, node, iter.cur);

		if (work->before == NULL)
			continue;
		/* what it writes may have to be stored out of line, which takes a snapshot */
		PushActiveSnapshot(GetTransactionSnapshot());
		work->before(work);
		/* with one too many what follows would be no commit, and would be taken for one */
		if (GetCurrentTransactionNestLevel() != TURN_LEVEL)
			elog(ERROR, "work of a turn has left a subtransaction");
		/* an error that the work has caught has taken the snapshot with its subtransaction */
		if (ActiveSnapshotSet())
			PopActiveSnapshot();
		keep_work();
	}
	ReleaseCurrentSubTransaction();
	XactLastCommitEnd = InvalidXLogRecPtr;
	CommitTransactionCommand();
}

void
pgt_turn_end(void)
{
	MemoryContext caller = CurrentMemoryContext;
	volatile bool committed = false;

	if (!is_open)
		return;
	PG_TRY();
	{
		commit();
		committed = true;
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		EmitErrorReport();
		FlushErrorState();
		AbortOutOfAnyTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	close_turn(committed, committed ? XactLastCommitEnd : InvalidXLogRecPtr);
}

/* Roll the subtransaction back, and begin another one.  False if there was no memory even for that. */
static bool
renew_subtransaction(void)
{
	volatile bool done = false;

	PG_TRY();
	{
		while (GetCurrentTransactionNestLevel() > TURN_LEVEL)
			RollbackAndReleaseCurrentSubTransaction();
		RollbackAndReleaseCurrentSubTransaction();
		BeginInternalSubTransaction(NULL);
		done = true;
	}
	PG_CATCH();
	{
		EmitErrorReport();
		FlushErrorState();
	}
	PG_END_TRY();
	return done;
}

/*
 * Outside of a transaction there is little to clean up, and AbortOutOfAnyTransaction() does it.  If
 * beginning the subtransaction has failed, the transaction is lost.
 */
void
pgt_turn_recover(void)
{
	MemoryContext caller = CurrentMemoryContext;

	FlushErrorState();
	if (is_open && IsSubTransaction() && renew_subtransaction())
	{
		MemoryContextSwitchTo(caller);
		return;
	}
	LWLockReleaseAll();
	AbortOutOfAnyTransaction();
	MemoryContextSwitchTo(caller);
	if (is_open)
		close_turn(false, InvalidXLogRecPtr);
}

/* ---- errors ----------------------------------------------------------------- */

/* pgt_turn_try(), with an error that is logged or not. */
static bool
try_work(void (*work) (void *arg), void *arg, bool is_logged, ErrorData **error)
{
	MemoryContext caller = CurrentMemoryContext;
	volatile bool done = false;

	PG_TRY();
	{
		work(arg);
		done = true;
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		HOLD_INTERRUPTS();
		if (is_logged)
			EmitErrorReport();
		if (error != NULL)
			*error = CopyErrorData();
		pgt_turn_recover();
		RESUME_INTERRUPTS();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	return done;
}

bool
pgt_turn_try(void (*work) (void *arg), void *arg, ErrorData **error)
{
	return try_work(work, arg, true, error);
}

bool
pgt_turn_try_quietly(void (*work) (void *arg), void *arg, ErrorData **error)
{
	return try_work(work, arg, false, error);
}

/* ---- work ------------------------------------------------------------------- */

void
pgt_turn_add(TurnWork *work)
{
	Assert(is_open);
	if (last_work == NULL)
		slist_push_head(&works, &work->node);
	else
		slist_insert_after(last_work, &work->node);
	last_work = &work->node;
}

/* ---- locks ------------------------------------------------------------------ */

/* Note that a topic is locked. */
static void
note_locked(Oid relid, Topic *topic)
{
	if (locked_count == locked_room)
	{
		int			room = Max(16, locked_room * 2);

		locked = locked == NULL ? MemoryContextAlloc(TopMemoryContext, room * sizeof(LockedTopic)) :
			repalloc(locked, room * sizeof(LockedTopic));
		locked_room = room;
	}
	locked[locked_count++] = (LockedTopic) {relid, topic};
}

/* Take the lock for the whole transaction, if it is to be had at once. */
static bool
try_lock(Oid relid, LOCKMODE mode)
{
	ResourceOwner owner = CurrentResourceOwner;
	bool		done;

	CurrentResourceOwner = TopTransactionResourceOwner;
	PG_TRY();
	{
		done = ConditionalLockRelationOid(relid, mode);
	}
	PG_FINALLY();
	{
		CurrentResourceOwner = owner;
	}
	PG_END_TRY();
	return done;
}

TurnLock
pgt_turn_lock(Oid relid, Topic **topic)
{
	pgt_turn_open();
	for (int i = locked_count - 1; i >= 0; i--)
		if (locked[i].relid == relid)
		{
			*topic = locked[i].topic;
			return TURN_LOCK_HELD;
		}
	if (!try_lock(relid, RowExclusiveLock))
		return TURN_LOCK_BUSY;
	/* one can lock what was dropped a moment before; that lock goes with the transaction */
	if (!pgt_topic_exists(relid))
		return TURN_LOCK_GONE;
	*topic = pgt_topic_get(relid);
	note_locked(relid, *topic);
	return TURN_LOCK_HELD;
}

/* ---- the tables of groups and transactions ------------------------------------ */

/* The loop is awake, which is all: whoever has something to do tries again. */
static void
tables_due(EventLoopTimer *timer)
{
}

bool
pgt_turn_lock_tables(void)
{
	const GroupTable *tables;
	int			count;
	int64		now;

	if (has_tables)
		return true;
	/* also if an error comes before */
	now = pgt_clock_monotonic_us();
	pgt_event_loop_set_timer(&tables_timer, now + TURN_RETRY_MS * INT64CONST(1000));
	pgt_turn_open();
	count = pgt_group_tables_find(&tables);
	for (int i = 0; i < count; i++)
	{
		if (try_lock(tables[i].relid, tables[i].mode))
			continue;
		tables_busy = now;
		return false;
	}
	pgt_event_loop_cancel_timer(&tables_timer);
	return has_tables = true;
}

bool
pgt_turn_postpone(EventLoopTimer *timer)
{
	int64		now = pgt_clock_monotonic_us();

	if (pgt_turn_lock_tables() && (tables_busy == 0 || now >= tables_busy + CATCH_UP_US))
		return false;
	pgt_event_loop_set_timer(timer, now + POSTPONE_US);
	return true;
}

/* ---- hooks ------------------------------------------------------------------ */

/* The worker begins.  Requests wait for what is durable by themselves, and no commit does. */
static void
start(void)
{
	SetConfigOption("synchronous_commit", "off", PGC_SUSET, PGC_S_OVERRIDE);
}

const BrokerHooks pgt_turn_hooks = {
	.start = start,
	.turn_end = pgt_turn_end,
};
