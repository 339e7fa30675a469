/*
 * log_resolve.c
 *	  Resolving: from "ask the commit log" to "it is in the index".
 *
 * A batch says which transaction wrote it; whether that one committed is told
 * by the commit log, which the server cuts when old tuples are frozen.  So the
 * sync process walks each partition forward from its resolved offset, flags
 * the batches of aborted transactions in the index and moves the offset up to
 * the first batch whose transaction is still running.  Below it a batch is
 * visible unless it is flagged.
 *
 *	  log start ........ resolved ....... running ... finished ... log end
 *	                        |  phase 1 ->    |   phase 2: the tail  |
 *
 * What is not resolved must stay in the commit log: the process publishes, as
 * its own xmin, the oldest transaction id that can still be asked for: the
 * oldest one running when the round began (all appends that the round did not
 * meet are of those or later ones), or that of an unresolved batch behind a
 * running one (the tail).  The tail is scanned once, not every round, as long
 * as the same batch holds it up.
 *
 * A damaged index stops resolving of its partition only: it is reported, the
 * partition is tried again after a while, and what it needs is kept.
 *
 * Layer 3.  Next: log_sync.c.
 */
#include "postgres.h"

#include "access/transam.h"
#include "clock.h"
#include "compat.h"
#include "log_resolve.h"
#include "log_wal.h"
#include "storage/procarray.h"
#include "utils/memutils.h"

#define ENTRIES_PER_READ	256
#define RETRY_DAMAGED_MS	60000
#define NO_XID				PG_UINT64_MAX	/* larger than any */

/* A place in a partition's index. */
typedef struct IndexPlace
{
	SegmentId	id;
	uint32		entry;
} IndexPlace;

/* What this process remembers of each slot from round to round. */
typedef struct ResolveState
{
	bool		valid;
	uint32		incarnation;
	int64		offset;			/* resolved offset that "at" belongs to */
	IndexPlace	at;				/* first unresolved entry */
	IndexPlace	tail;			/* how far the tail is scanned */
	uint64		tail_min_xid;	/* of the entries between */
	int64		retry_at;		/* damaged: not before, by the monotonic clock; 0: sound */
} ResolveState;

/* One walk over one partition. */
typedef struct ResolveWalk
{
	PartitionState *state;
	TopicPartition key;
	LogBounds	bounds;
	ResolveState *memory;
	uint64		oldest_active;	/* all below it have ended */
	uint64		max_xid;
	StringInfoData aborted;		/* AbortedEntry's */
	uint32		aborted_count;
} ResolveWalk;

static ResolveState *memories = NULL;	/* one for each slot */
static MemoryContext round_context = NULL;

/* ---- transaction ids ----------------------------------------------------- */

uint64
pgt_full_xid(TransactionId xid)
{
	FullTransactionId next = ReadNextFullTransactionId();
	uint32		epoch = EpochFromFullTransactionId(next);

	if (xid > XidFromFullTransactionId(next))
		epoch--;
	return U64FromFullTransactionId(FullTransactionIdFromEpochAndXid(epoch, xid));
}

TransactionOutcome
pgt_transaction_outcome(uint64 xid)
{
	TransactionOutcome outcome = TRANSACTION_FORGOTTEN;

	/* the lock keeps the commit log from being cut between the two looks */
	LWLockAcquire(XactTruncationLock, LW_SHARED);
	if (xid >= pgt_full_xid(PGT_OLDEST_CLOG_XID))
		outcome = TransactionIdDidCommit((TransactionId) xid) ?
			TRANSACTION_COMMITTED : TRANSACTION_ABORTED;
	LWLockRelease(XactTruncationLock);
	return outcome;
}

/* ---- walking one partition ----------------------------------------------- */

/* The segment of a place; steps into the next one at a segment's end.  NULL at the log end. */
static Segment *
segment_at(ResolveWalk *walk, IndexPlace *place, uint32 *entries)
{
	for (;;)
	{
		Segment    *segment = pgt_partition_log_segment(walk->state, place->id);
		SegmentId	next;

		*entries = segment != NULL ? pgt_partition_log_entries(segment, &walk->bounds) : 0;
		if (place->entry < *entries)
			return segment;
		next = pgt_partition_log_next_segment(walk->state, &walk->bounds, place->id.base);
		if (next.base == NO_SEGMENT)
			return NULL;
		place->id = next;
		place->entry = 0;
	}
}

/* Read entries from a place on; 0 at the log end. */
static uint32
read_at(ResolveWalk *walk, IndexPlace *place, IndexEntry *entries)
{
	uint32		count;
	Segment    *segment = segment_at(walk, place, &count);

	if (segment == NULL)
		return 0;
	return pgt_segment_read_entries(segment, place->entry,
									Min(ENTRIES_PER_READ, count - place->entry), entries);
}

/* Take one entry as resolved; false where its transaction is still running. */
static bool
resolve_entry(ResolveWalk *walk, const IndexPlace *place, const IndexEntry *entry)
{
	TransactionId xid = (TransactionId) entry->xid;

	/* what was rewritten was resolved; met only where the recovery point was lost */
	if (place->id.generation > 0)
		return true;
	if (entry->xid >= walk->oldest_active && TransactionIdIsInProgress(xid))
		return false;
	/* one that is flagged already may be so by a round whose record a crash has lost */
	if ((entry->flags & ENTRY_ABORTED) != 0 ||
		pgt_transaction_outcome(entry->xid) == TRANSACTION_ABORTED)
	{
		AbortedEntry aborted = {place->id.base, place->entry};

		appendBinaryStringInfo(&walk->aborted, (char *) &aborted, sizeof(aborted));
		walk->aborted_count++;
	}
	walk->max_xid = Max(walk->max_xid, entry->xid);
	return true;
}

/* Phase 1: go forward until a running transaction or the log end. */
static void
resolve_forward(ResolveWalk *walk)
{
	IndexEntry	entries[ENTRIES_PER_READ];
	IndexPlace *at = &walk->memory->at;
	uint32		count;

	while ((count = read_at(walk, at, entries)) > 0)
		for (uint32 i = 0; i < count; i++)
		{
			if (!resolve_entry(walk, at, &entries[i]))
				return;
			walk->memory->offset = at->id.base + entries[i].last_delta + 1;
			at->entry++;
		}
}

/* Phase 2: the smallest transaction id behind the running one. */
static void
scan_tail(ResolveWalk *walk)
{
	IndexEntry	entries[ENTRIES_PER_READ];
	ResolveState *memory = walk->memory;
	uint32		count;

	while ((count = read_at(walk, &memory->tail, entries)) > 0)
	{
		for (uint32 i = 0; i < count; i++)
			memory->tail_min_xid = Min(memory->tail_min_xid, entries[i].xid);
		memory->tail.entry += count;
	}
}

/* Find the place of the resolved offset, where what is remembered is of another time. */
static void
locate(ResolveWalk *walk)
{
	ResolveState *memory = walk->memory;
	SegmentId	id;
	Segment    *segment;

	if (memory->valid && memory->incarnation == walk->bounds.incarnation &&
		memory->offset == walk->bounds.resolved_offset)
		return;
	id = pgt_partition_log_segment_for(walk->state, &walk->bounds,
									   walk->bounds.resolved_offset);
	segment = pgt_partition_log_segment(walk->state, id);
	memory->incarnation = walk->bounds.incarnation;
	memory->offset = walk->bounds.resolved_offset;
	memory->at.id = id;
	memory->at.entry = segment == NULL ? 0 :
		pgt_segment_find_offset(segment, pgt_partition_log_entries(segment, &walk->bounds),
								walk->bounds.resolved_offset);
	memory->tail = memory->at;
	memory->tail_min_xid = NO_XID;
	memory->valid = true;
}

/* Add a partition's progress to the round's record. */
static void
report_progress(ResolveWalk *walk, StringInfo progress)
{
	ResolvedPartition resolved;

	memset(&resolved, 0, sizeof(resolved));
	resolved.key = walk->key;
	resolved.aborted_count = walk->aborted_count;
	resolved.resolved_offset = walk->memory->offset;
	resolved.max_xid = walk->max_xid;
	appendBinaryStringInfo(progress, (char *) &resolved, sizeof(resolved));
	appendBinaryStringInfo(progress, walk->aborted.data, walk->aborted.len);
}

/* Resolve one partition; may throw where its index is damaged. */
static void
resolve_partition(ResolveWalk *walk, StringInfo progress)
{
	ResolveState *memory = walk->memory;

	pgt_partition_log_close_deleted(walk->state);
	if (walk->bounds.resolved_offset >= walk->bounds.next_offset)
	{
		memory->tail_min_xid = NO_XID;
		return;
	}
	locate(walk);
	initStringInfo(&walk->aborted);
	resolve_forward(walk);
	if (memory->offset > walk->bounds.resolved_offset)
	{
		report_progress(walk, progress);
		memory->tail = memory->at;
		memory->tail_min_xid = NO_XID;
	}
	scan_tail(walk);
}

/* ---- a round ------------------------------------------------------------- */

/* A partition's index is damaged: say so, leave it for a while. */
static void
set_aside(ResolveWalk *walk)
{
	MemoryContextSwitchTo(round_context);
	LWLockReleaseAll();
	EmitErrorReport();
	FlushErrorState();
	walk->memory->valid = false;
	walk->memory->retry_at = pgt_monotonic_us() + RETRY_DAMAGED_MS * INT64CONST(1000);
}

/* Resolve the partition of slot n; returns the oldest transaction id it still needs. */
static uint64
resolve_slot(int n, uint64 oldest_active, StringInfo progress)
{
	ResolveWalk walk = {0};
	ResolveState *memory = &memories[n];
	int			reported = progress->len;

	walk.state = pgt_partition_slot(n);
	walk.memory = memory;
	walk.oldest_active = oldest_active;
	if (!pgt_partition_log_slot_bounds(walk.state, &walk.key, &walk.bounds))
	{
		if (memory->valid)
			pgt_partition_log_close(walk.key.database, walk.key.topic);
		memory->valid = false;
		memory->tail_min_xid = NO_XID;
		return NO_XID;
	}
	if (memory->retry_at != 0 && memory->incarnation == walk.bounds.incarnation &&
		pgt_monotonic_us() < memory->retry_at)
		return memory->tail_min_xid;
	memory->retry_at = 0;

	PG_TRY();
	{
		resolve_partition(&walk, progress);
	}
	PG_CATCH();
	{
		progress->len = reported;
		set_aside(&walk);
	}
	PG_END_TRY();
	return memory->tail_min_xid;
}

/* Resolve all partitions; returns the smallest transaction id still needed. */
static uint64
resolve_round(uint64 oldest_active)
{
	StringInfoData progress;
	uint64		needed = NO_XID;
	int			n = pgt_partition_slots();

	initStringInfo(&progress);
	for (int i = 0; i < n; i++)
	{
		uint64		needed_here = resolve_slot(i, oldest_active, &progress);

		needed = Min(needed, needed_here);
	}
	if (progress.len > 0)
		pgt_log_resolve(progress.data, progress.len);
	pg_atomic_write_u64(&pgt_log_shared->oldest_unresolved_xid, needed == NO_XID ? 0 : needed);
	return needed;
}

/*
 * Publish an xmin for the first time: under ProcArrayLock, so that no horizon
 * computed meanwhile can be past it.
 */
static void
publish_first_xmin(uint64 needed)
{
	uint64		active;

	LWLockAcquire(ProcArrayLock, LW_SHARED);
	active = pgt_full_xid(GetOldestActiveTransactionId());
	MyProc->xmin = (TransactionId) Min(active, needed);
	LWLockRelease(ProcArrayLock);
}

void
pgt_log_resolve_all(void)
{
	static uint64 published = 0;
	uint64		oldest_active;
	uint64		needed;
	MemoryContext old;

	if (memories == NULL)
	{
		memories = MemoryContextAllocZero(TopMemoryContext,
										  pgt_log_shared->max_partitions * sizeof(ResolveState));
		for (int i = 0; i < pgt_log_shared->max_partitions; i++)
			memories[i].tail_min_xid = NO_XID;
		round_context = AllocSetContextCreate(TopMemoryContext, "pg_topics resolve",
											  ALLOCSET_DEFAULT_SIZES);
	}

	old = MemoryContextSwitchTo(round_context);
	oldest_active = pgt_full_xid(GetOldestActiveTransactionId());
	needed = resolve_round(oldest_active);
	if (published == 0)
	{
		/* recovery's remains are resolved; what came since is the next round's */
		publish_first_xmin(needed);
		published = pgt_full_xid(MyProc->xmin);
		needed = resolve_round(oldest_active);
	}
	published = Max(published, Min(oldest_active, needed));
	MyProc->xmin = (TransactionId) published;
	MemoryContextSwitchTo(old);
	MemoryContextReset(round_context);
}
