/*
 * whole_end.c
 *	  The end of the records that a statement shows of a partition.
 *
 * A log is read in order, up to the first batch of a transaction that is running for
 * the snapshot.  The batches of a transaction may have others between them, so that
 * end alone would cut a transaction which has committed in two:
 *
 *	  [ c ][ a ][ b ][ a ]		b is running: c and the first part of a come before it
 *
 * A consumer comes back for the rest.  A statement that shows the log as a table
 * does not, and must show a transaction as a whole or not at all.  So the end goes down
 * to the first batch of a.  There it may cut another one, and goes down again, until it
 * cuts none:
 *
 *	  [ c ][ d ][ a ][ d ][ b ][ a ]
 *	      <-----<----------^
 *
 * The transactions that an end cuts are found from behind: an index entry tells how far
 * back its transaction begins.  Each time the end goes down, only the part that it came
 * down over is walked, so the search takes as long as the part that is not shown is long.
 *
 * The distance in an entry tells where to look, not where to stop: it may be too large for
 * the entry, or the batches there may have been deleted or compacted away.  So the first
 * batch of the transactions that are cut is searched from there on.
 *
 * Only a transaction with a batch behind one of another transaction can be cut.  The log
 * remembers the end of the last such batch (interleaved_end).  Transactions that append
 * all their batches at once leave it where it is, and once all transactions before it
 * have ended, this costs one comparison.
 *
 * A statement has one end in a partition, whichever part it reads: a reader that begins
 * behind the end must find nothing, and would not notice by itself.
 *
 * For a snapshot that is older than the resolved offset the walk goes through the whole
 * index.  Its ends cannot change any more, so they are kept for the next statement with
 * the same snapshot: a long transaction may look records up one by one.
 *
 * Locks: none but for copies of the bounds.  A question takes one of them, and each reader
 * one of its own.  The first is enough to tell whether a transaction can be cut: what was
 * appended after it, and so after the snapshot was taken, the snapshot does not see.
 *
 * Memory: a context of its own for each search; kept ends are in one below
 * TopMemoryContext.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "wal/batch_visibility.h"
#include "wal/log_reader.h"
#include "wal/visible_end.h"
#include "wal/whole_end.h"

/* A search for the end below another one. */
typedef struct EndSearch
{
	const TopicPartition *key;
	Snapshot	snapshot;
	uint64	   *xids;			/* transactions with batches at or past the end, and maybe before it */
	int			count;
	int			capacity;
	int64		from;			/* none of them has a batch before here */
} EndSearch;

/* A reader of the batches from "from" to below "end". */
static LogReader *
read_batches(const EndSearch *search, int64 from, int64 end)
{
	LogReaderFilter filter = {PG_INT64_MIN, PG_INT64_MAX, end};

	return pgt_log_reader_begin(search->key, from, search->snapshot, &filter);
}

/* Note a transaction that may be cut. */
static void
add_transaction(EndSearch *search, const LogReaderBatch *batch)
{
	search->from = Min(search->from, batch->transaction_first);
	if (search->count > 0 && search->xids[search->count - 1] == batch->xid)
		return;
	if (search->count == search->capacity)
	{
		search->capacity = Max(16, search->capacity * 2);
		search->xids = search->xids == NULL ? palloc(search->capacity * sizeof(uint64)) :
			repalloc_huge(search->xids, search->capacity * sizeof(uint64));
	}
	search->xids[search->count++] = batch->xid;
}

static int
compare_xids(const void *a, const void *b)
{
	uint64		left = *(const uint64 *) a;
	uint64		right = *(const uint64 *) b;

	return left < right ? -1 : left > right;
}

/* Find who has batches from "end" to below "upto", and says that it begins before "end". */
static void
collect_transactions(EndSearch *search, int64 end, int64 upto)
{
	LogReader  *reader = read_batches(search, end, upto);
	LogReaderBatch batch;

	search->count = 0;
	search->from = end;
	while (pgt_log_reader_next_seen(reader, &batch))
		if (batch.transaction_first < end)
			add_transaction(search, &batch);
	pgt_log_reader_end(reader);
	if (search->count > 1)
		qsort(search->xids, search->count, sizeof(uint64), compare_xids);
}

/* Where the first batch of one of them begins; "end" where that is not before it. */
static int64
first_batch(EndSearch *search, int64 end)
{
	LogReader  *reader;
	LogReaderBatch batch;
	int64		found = end;

	if (search->count == 0)
		return end;
	reader = read_batches(search, search->from, end);
	while (found == end && pgt_log_reader_next_seen(reader, &batch))
		if (bsearch(&batch.xid, search->xids, search->count, sizeof(uint64), compare_xids) != NULL)
			found = batch.first_offset;
	pgt_log_reader_end(reader);
	return found;
}

/* The last offset up to "end" that cuts no transaction. */
static int64
lower_end(const TopicPartition *key, Snapshot snapshot, int64 end)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics whole end",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	EndSearch	search = {.key = key, .snapshot = snapshot};
	int64		upto = PG_INT64_MAX;

	for (;;)
	{
		int64		lower;

		collect_transactions(&search, end, upto);
		lower = first_batch(&search, end);
		if (lower == end)
			break;
		upto = end;
		end = lower;
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return end;
}

/* ---- what is known of an old snapshot -------------------------------------- */

/* The end in a partition, as of the slot's incarnation. */
typedef struct KnownEnd
{
	uint32		slot;			/* hash key: its number */
	uint32		incarnation;	/* 0: not known */
	TransactionId blocker;
	int64		end;
} KnownEnd;

/* The last old snapshot, and the ends found with it. */
typedef struct KnownEnds
{
	MemoryContext context;		/* of this */
	TransactionId own_xid;		/* our transaction's, which the snapshot does not tell */
	SnapshotData snapshot;		/* its arrays are copies */
	HTAB	   *ends;			/* of the partitions that were asked for */
} KnownEnds;

static KnownEnds *known = NULL;

static bool
same_xids(const TransactionId *a, const TransactionId *b, int32 count)
{
	return count <= 0 || memcmp(a, b, count * sizeof(TransactionId)) == 0;
}

/* Do both snapshots, of the same transaction or of one without an id, see the same? */
static bool
is_known_snapshot(Snapshot snapshot)
{
	const SnapshotData *other = &known->snapshot;

	return known->own_xid == GetTopTransactionIdIfAny() &&
		other->xmin == snapshot->xmin && other->xmax == snapshot->xmax &&
		other->xcnt == snapshot->xcnt && other->subxcnt == snapshot->subxcnt &&
		other->suboverflowed == snapshot->suboverflowed &&
		other->takenDuringRecovery == snapshot->takenDuringRecovery &&
		same_xids(other->xip, snapshot->xip, snapshot->xcnt) &&
		same_xids(other->subxip, snapshot->subxip, snapshot->subxcnt);
}

/* Copies of transaction ids in the current context. */
static TransactionId *
copy_xids(const TransactionId *xids, int32 count)
{
	TransactionId *copy = palloc(Max(count, 1) * sizeof(TransactionId));

	if (count > 0)
		memcpy(copy, xids, count * sizeof(TransactionId));
	return copy;
}

/* Keep ends of this snapshot from here on. */
static void
know_snapshot(Snapshot snapshot)
{
	MemoryContext context;
	MemoryContext caller;
	HASHCTL		info = {.keysize = sizeof(uint32), .entrysize = sizeof(KnownEnd)};
	KnownEnds  *fresh;

	if (known != NULL && is_known_snapshot(snapshot))
		return;
	context = AllocSetContextCreate(TopMemoryContext, "pg_topics known ends", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(context);
	fresh = palloc0(sizeof(KnownEnds));
	fresh->context = info.hcxt = context;
	fresh->ends = hash_create("pg_topics known ends", 16, &info, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	fresh->own_xid = GetTopTransactionIdIfAny();
	fresh->snapshot = *snapshot;
	fresh->snapshot.xip = copy_xids(snapshot->xip, snapshot->xcnt);
	fresh->snapshot.subxip = copy_xids(snapshot->subxip, snapshot->subxcnt);
	MemoryContextSwitchTo(caller);
	if (known != NULL)
		MemoryContextDelete(known->context);
	known = fresh;
}

/* The entry of a slot among the known ends; its end may not be known yet. */
static KnownEnd *
known_end(uint32 slot)
{
	bool		found;
	KnownEnd   *end = hash_search(known->ends, &slot, HASH_ENTER, &found);

	if (!found)
		end->incarnation = 0;
	return end;
}

/* ---- the interface --------------------------------------------------------- */

/* Find the end; a snapshot that takes nobody as running has the log's. */
static int64
find_end(const TopicPartition *key, const LogBounds *bounds, Snapshot snapshot,
		 TransactionId *blocker)
{
	int64		end = pgt_visible_end_by(key, bounds, snapshot, blocker);

	if (!TransactionIdIsValid(*blocker) || bounds->interleaved_end <= end)
		return end;
	return lower_end(key, snapshot, end);
}

int64
pgt_whole_end(const TopicPartition *key, Snapshot snapshot, TransactionId *blocker)
{
	PartitionState *state = pgt_log_state_find(key);
	TopicPartition found;
	LogBounds	bounds;
	KnownEnd   *end;

	*blocker = InvalidTransactionId;
	if (state == NULL || !pgt_partition_log_slot_bounds(state, &found, &bounds))
		return 0;
	if (pgt_batch_visibility_ended_below(&bounds, snapshot) == bounds.resolved_offset)
		return find_end(key, &bounds, snapshot, blocker);
	know_snapshot(snapshot);
	end = known_end(state - pgt_log_state->partitions);
	if (end->incarnation != bounds.incarnation)
	{
		end->end = find_end(key, &bounds, snapshot, &end->blocker);
		end->incarnation = bounds.incarnation;
	}
	*blocker = end->blocker;
	return end->end;
}

int64
pgt_whole_end_below(const TopicPartition *key, Snapshot snapshot, int64 end)
{
	LogBounds	bounds;

	if (!pgt_partition_log_bounds(key, &bounds) || bounds.interleaved_end <= end)
		return end;
	return lower_end(key, snapshot, end);
}

bool
pgt_whole_end_is_needed(const TopicPartition *key, Snapshot snapshot, int64 first_offset)
{
	LogBounds	bounds;
	int64		ended;

	if (!pgt_partition_log_bounds(key, &bounds))
		return false;
	ended = pgt_batch_visibility_ended_below(&bounds, snapshot);
	return bounds.interleaved_end > ended || first_offset > ended;
}
