/*
 * log_resolve.c
 *	  Resolving: recording in the index how transactions have ended.
 *
 * A batch says which transaction wrote it.  Whether that transaction committed is in the
 * commit log, which the server cuts when old rows are frozen.  So the sync process
 * walks each partition forward from its resolved offset, flags the batches of aborted
 * transactions in the index, and moves the resolved offset up to the first batch whose
 * transaction is still running.  A batch below the resolved offset is visible unless it is
 * flagged.
 *
 *	  log start ........ resolved ....... running ... finished ... log end
 *	                        |  phase 1 ->    |  phases 2 and 3: the tail  |
 *
 * Batches of Kafka transactions are numbered.  The walk stops at one whose transaction is open, as at
 * a running one.  When it has been ended by a transaction of the server, and that has ended, the
 * entry gets the id and the outcome of that: it is settled, and nobody needs the number any more.
 * An entry that is settled must be right after a crash, too, even if the id is given out again.  So
 * before, the WAL is flushed, up to the record that settles it, which is behind the one that has ended the Kafka
 * transaction and behind the commit record.  The same holds for an aborted one, which could be open again after a crash,
 * and be committed then.
 *
 * The server has room for so many numbers only, and one that is open for long must not keep those of all that
 * end behind it.  So the tail is settled, too: where a Kafka transaction has ended, its entries get what they would get
 * if the walk passed them, and stay unresolved, as others with an id.  When all of a partition are done, that is
 * logged, and the number is forgotten there.  Each round goes once over the range in which
 * transactions have ended since the last one.
 *
 * The transactions of unresolved batches must stay in the commit log (commit_log.c
 * keeps them).  The oldest transaction to keep is the oldest one that was running when
 * the round began (an append that the round did not meet is of that or a later one), or
 * an older one of an unresolved batch behind a running transaction's batch, in the
 * tail, or one that an unresolved Kafka transaction is mapped to.  The tail is scanned once,
 * not in every round, as long as the same batch stops the walk.
 *
 * An error stops its partition only, be it a damaged index, a missing segment, a failed
 * write, or a transaction that the commit log has forgotten.  It is reported, what was
 * resolved before it counts, and the partition is tried again after more and more
 * rounds.  Meanwhile the commit log is kept as far back as the partition may need it:
 * from where it did when it was last walked to its end.
 *
 * The commit log can have forgotten the transaction of an unresolved batch only if the
 * server ran without this library.  Then it is not known whether the batch counts.  It
 * stays unresolved, and readers stop there, until the setting
 * pg_topics.forgotten_transactions says how to treat it.
 *
 * If the recovery point was lost, it is not known how far a partition was resolved, and
 * resolving begins again at the log start.  Forgotten transactions below
 * PartitionState.trusted_end were resolved before.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "log/commit_log.h"
#include "log/kafka_txn_map.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "util/catch_error.h"
#include "util/transaction.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "wal/log_resolve.h"
#include "wal/log_sync.h"
#include "wal/log_writer.h"
#include "wal/wal_record.h"

#define ENTRIES_PER_READ	256
#define MOST_ROUNDS_OUT		64		/* a partition with an error is left alone for at most so many rounds */
#define CHANGES_PER_WALK	65536	/* the rest is left to the next round */
#define PROGRESS_PER_RECORD	(1024 * 1024)

/* A place in a partition's index. */
typedef struct IndexPlace
{
	SegmentId	id;
	uint32		entry;
} IndexPlace;

/* What this process remembers of each slot from round to round. */
typedef struct ResolveState
{
	uint32		incarnation;	/* 0: the slot was not in use */
	bool		valid;			/* the places are */
	bool		walked;			/* it was walked to its end once */
	int64		offset;			/* resolved offset that "at" belongs to */
	IndexPlace	at;				/* first unresolved entry */
	IndexPlace	tail;			/* how far the tail is scanned */
	uint64		tail_min_xid;	/* of the entries between */
	uint64		kept;			/* while it has an error: the oldest transaction that it may need */
	uint32		failures;		/* in a row */
	uint32		rounds_out;		/* still to be left alone */
	IndexPlace	bad;			/* where the read began that failed */
} ResolveState;

/* One walk over one partition. */
typedef struct ResolveWalk
{
	PartitionState *state;
	TopicPartition key;
	LogBounds	bounds;
	ResolveState *memory;
	const TransactionSet *running;
	uint64		max_xid;
	StringInfoData aborted;		/* WalAbortedEntry's */
	uint32		aborted_count;
	StringInfoData settled;		/* WalSettledEntry's */
	uint32		settled_count;
	StringInfoData numbers;		/* uint64's of transactions whose entries are all settled */
	uint32		number_count;
	StringInfoData progress;	/* for the round's record */
	IndexPlace	reading;		/* where the last read began; base NO_SEGMENT: there was none */
	bool		whole;			/* it came to the log end */
} ResolveWalk;

int			pgt_forgotten_transactions = FORGOTTEN_HOLD;

static ResolveState *memories = NULL;	/* one for each slot */
static MemoryContext round_context = NULL;

/* ---- forgotten transactions ---------------------------------------------- */

void
pgt_log_resolve_fail_forgotten(const TopicPartition *key, int64 base, const IndexEntry *entry)
{
	char	   *name = IsTransactionState() && key->database == MyDatabaseId ? get_rel_name(key->topic) : NULL;

	if (pgt_index_entry_is_numbered(entry))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("cannot tell whether Kafka transaction %llu was committed", (unsigned long long) entry->xid),
				 errdetail("It wrote offsets %lld to %lld of partition %d of topic %s in database %u, and is not known. The file \"kafka_transactions\" of the log directory was lost.",
						   (long long) base + entry->first_delta, (long long) base + entry->last_delta, key->partition,
						   name != NULL ? quote_identifier(name) : psprintf("%u", key->topic), key->database),
				 errhint("Set pg_topics.forgotten_transactions to say whether such records count.  Until then readers stop there.")));
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("cannot tell whether transaction %llu was committed", (unsigned long long) entry->xid),
			 errdetail("It wrote offsets %lld to %lld of partition %d of topic %s in database %u, and the server has cut its commit log since, while it ran without pg_topics.",
					   (long long) base + entry->first_delta, (long long) base + entry->last_delta, key->partition,
					   name != NULL ? quote_identifier(name) : psprintf("%u", key->topic), key->database),
			 errhint("Set pg_topics.forgotten_transactions to say whether such records count.  Until then readers stop there.")));
}

/* ---- walking one partition ----------------------------------------------- */

/* Report that a segment of the walk is not there, although none was removed. */
static void
fail_for_missing_segment(const ResolveWalk *walk, SegmentId id)
{
	char		path[MAXPGPATH];

	pgt_segment_log_path(path, &walk->key, id);
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("segment \"%s\" is missing", path)));
}

/*
 * Does the segment (NULL: it is gone) continue at that offset?  False if segments were added
 * or removed since the bounds were copied: the rest is left to the next round.  ERROR
 * if the segment between them is lost.  The walk must not go past it: it may come back,
 * and would then count as resolved.
 */
static bool
follows(ResolveWalk *walk, int64 end, const Segment *segment)
{
	if (segment == NULL || segment->span.previous_end <= end)
		return true;
	if (!pgt_partition_log_has_changed(walk->state, &walk->bounds))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the segment of offsets %lld to %lld is missing, or its index is cut",
						(long long) end, (long long) segment->span.previous_end - 1),
				 errdetail("It belongs to partition %d of topic %u in database %u.",
						   walk->key.partition, walk->key.topic, walk->key.database)));
	walk->memory->valid = false;
	return false;
}

/* Step from a segment's end into the next one.  False at the log end, or if the rest is left to the next round. */
static bool
step_on(ResolveWalk *walk, IndexPlace *place, Segment *segment)
{
	SegmentId	next = pgt_partition_log_next_segment(walk->state, &walk->bounds, place->id.base);
	int64		end;

	if (next.base == NO_SEGMENT)
		return false;
	end = pgt_partition_log_segment_end(segment, &walk->bounds);
	if (!follows(walk, end, pgt_log_segments_open(walk->state, next)))
		return false;
	place->id = next;
	place->entry = 0;
	return true;
}

/*
 * The segment of a place.  At a segment's end this steps into the next one.  NULL at the log
 * end, and if segments were removed since the bounds were copied: then the rest is
 * left to the next round.
 */
static Segment *
segment_at(ResolveWalk *walk, IndexPlace *place, uint32 *entries)
{
	for (;;)
	{
		Segment    *segment;

		if (place->id.base == walk->bounds.active_base && place->entry >= walk->bounds.active_entries)
			return NULL;
		segment = pgt_log_segments_open(walk->state, place->id);
		if (segment == NULL)
		{
			if (!pgt_partition_log_has_changed(walk->state, &walk->bounds))
				fail_for_missing_segment(walk, place->id);
			walk->memory->valid = false;
			return NULL;
		}
		*entries = pgt_partition_log_entries(segment, &walk->bounds);
		if (place->entry < *entries)
			return segment;
		if (!step_on(walk, place, segment))
			return NULL;
	}
}

/* How many entries to read at once: one if a whole read has failed there, to find all before the bad one. */
static uint32
entries_per_read(const ResolveWalk *walk, const IndexPlace *place)
{
	const IndexPlace *bad = &walk->memory->bad;

	return walk->memory->failures > 0 && pgt_segment_id_equal(place->id, bad->id) &&
		place->entry >= bad->entry && place->entry - bad->entry < ENTRIES_PER_READ ? 1 : ENTRIES_PER_READ;
}

/* Read entries from a place on; 0 at the log end. */
static uint32
read_at(ResolveWalk *walk, IndexPlace *place, IndexEntry *entries)
{
	uint32		count;
	uint32		got;
	Segment    *segment = segment_at(walk, place, &count);

	if (segment == NULL)
		return 0;
	walk->reading = *place;
	got = pgt_segment_read_entries(segment, place->entry,
								   Min(entries_per_read(walk, place), count - place->entry), entries);
	if (got == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("segment index \"%s\" ends at entry %u of %u",
						FilePathName(segment->index), place->entry, count)));
	return got;
}

/*
 * Does an entry count as aborted, whose transaction the commit log has forgotten?  ERROR if
 * the setting does not say.
 */
static bool
forgotten_has_aborted(const ResolveWalk *walk, const IndexPlace *place, const IndexEntry *entry)
{
	int64		first = place->id.base + entry->first_delta;
	int64		last = place->id.base + entry->last_delta;
	bool		aborted = pgt_forgotten_transactions == FORGOTTEN_ABORT;

	/* a number is in no entry that was resolved before */
	if (last < walk->state->trusted_end && !pgt_index_entry_is_numbered(entry))
		return false;
	if (pgt_forgotten_transactions == FORGOTTEN_HOLD)
		pgt_log_resolve_fail_forgotten(&walk->key, place->id.base, entry);
	ereport(LOG,
			(errmsg(aborted ?
					"treating transaction %llu as rolled back because the commit log does not have it any more" :
					"treating transaction %llu as committed because the commit log does not have it any more",
					(unsigned long long) entry->xid),
			 errdetail("It wrote offsets %lld to %lld of partition %d of topic %u in database %u.",
					   (long long) first, (long long) last, walk->key.partition,
					   walk->key.topic, walk->key.database)));
	return aborted;
}

/* Did the transaction of an entry abort?  It has ended. */
static bool
has_aborted(const ResolveWalk *walk, const IndexPlace *place, const IndexEntry *entry)
{
	/* a round whose record was lost in a crash may have flagged it */
	if ((entry->flags & ENTRY_ABORTED) != 0)
		return true;
	switch (pgt_transaction_outcome(entry->xid))
	{
		case TRANSACTION_COMMITTED:
			return false;
		case TRANSACTION_ABORTED:
			return true;
		default:
			return forgotten_has_aborted(walk, place, entry);
	}
}

/* Let an entry have this id and outcome. */
static void
add_settled(ResolveWalk *walk, const IndexPlace *place, uint64 xid, bool aborted)
{
	WalSettledEntry settled = {place->id.base, xid, place->entry, aborted ? SETTLED_ABORTED : 0};

	appendBinaryStringInfo(&walk->settled, (char *) &settled, sizeof(settled));
	walk->settled_count++;
}

/* The same for an entry that is resolved with it. */
static void
add_resolved(ResolveWalk *walk, const IndexPlace *place, uint64 xid, bool aborted)
{
	add_settled(walk, place, xid, aborted);
	walk->max_xid = Max(walk->max_xid, xid);
}

/* Resolve the entry of a Kafka transaction's batch.  False if that is open, or is being ended. */
static bool
resolve_numbered(ResolveWalk *walk, const IndexPlace *place, const IndexEntry *entry)
{
	uint64		xid;
	IndexEntry	mapped = *entry;

	switch (pgt_kafka_txn_map_look_up(entry->xid, &xid))
	{
		case KAFKA_TXN_OPEN:
			return false;
		case KAFKA_TXN_MAPPED:
			if (pgt_transaction_is_running(walk->running, xid))
				return false;
			mapped.xid = xid;
			add_resolved(walk, place, xid, has_aborted(walk, place, &mapped));
			return true;
		case KAFKA_TXN_ABORTED:
			if (pgt_transaction_is_running(walk->running, xid))
				return false;
			add_resolved(walk, place, xid, true);
			return true;
		case KAFKA_TXN_UNKNOWN:
			break;
	}
	/* every snapshot sees that id */
	add_resolved(walk, place, FrozenTransactionId, forgotten_has_aborted(walk, place, entry));
	return true;
}

/* Resolve one entry.  False if its transaction is still running. */
static bool
resolve_entry(ResolveWalk *walk, const IndexPlace *place, const IndexEntry *entry)
{
	/* a rewritten segment was resolved; a walk meets one only if the recovery point was lost */
	if (place->id.generation > 0)
		return true;
	/* a walk may begin at the segment's first entry */
	if (place->id.base + entry->last_delta < walk->bounds.resolved_offset)
		return true;
	if (unlikely(pgt_index_entry_is_numbered(entry)))
		return resolve_numbered(walk, place, entry);
	if (pgt_transaction_is_running(walk->running, entry->xid))
		return false;
	if (has_aborted(walk, place, entry))
	{
		WalAbortedEntry aborted = {place->id.base, place->entry};

		appendBinaryStringInfo(&walk->aborted, (char *) &aborted, sizeof(aborted));
		walk->aborted_count++;
	}
	walk->max_xid = Max(walk->max_xid, entry->xid);
	return true;
}

/* Phase 1: go forward to a running transaction or the log end.  False if more is left to do. */
static bool
resolve_forward(ResolveWalk *walk)
{
	IndexEntry	entries[ENTRIES_PER_READ];
	IndexPlace *at = &walk->memory->at;
	uint32		count;

	while ((count = read_at(walk, at, entries)) > 0)
		for (uint32 i = 0; i < count; i++)
		{
			if (!resolve_entry(walk, at, &entries[i]))
				return true;
			walk->memory->offset = Max(walk->memory->offset, at->id.base + entries[i].last_delta + 1);
			at->entry++;
			if (walk->aborted_count + walk->settled_count >= CHANGES_PER_WALK)
				return false;
		}
	return true;
}

/* Phase 2: the smallest transaction id behind the running one. */
static void
scan_tail(ResolveWalk *walk)
{
	IndexEntry	entries[ENTRIES_PER_READ];
	ResolveState *memory = walk->memory;
	uint32		count;

	if (memory->offset > walk->bounds.resolved_offset)
	{
		memory->tail = memory->at;
		memory->tail_min_xid = NO_XID;
	}
	while ((count = read_at(walk, &memory->tail, entries)) > 0)
	{
		for (uint32 i = 0; i < count; i++)
			memory->tail_min_xid = Min(memory->tail_min_xid, entries[i].xid);
		memory->tail.entry += count;
	}
}

/* ---- settling the tail --------------------------------------------------- */

static int
compare_ended(const void *a, const void *b)
{
	uint64		left = ((const KafkaTxnEnded *) a)->number;
	uint64		right = ((const KafkaTxnEnded *) b)->number;

	return left < right ? -1 : left > right;
}

/* Is it certain how it has ended?  Then that is noted. */
static bool
has_outcome(const ResolveWalk *walk, KafkaTxnEnded *ended)
{
	if (pgt_transaction_is_running(walk->running, ended->xid))
		return false;
	if (ended->aborted)
		return true;
	switch (pgt_transaction_outcome(ended->xid))
	{
		case TRANSACTION_COMMITTED:
			return true;
		case TRANSACTION_ABORTED:
			ended->aborted = true;
			return true;
		default:
			return false;
	}
}

/* The Kafka transactions that can be settled in the tail as far as the bounds have it, by their numbers; how many. */
static int
list_settleable(const ResolveWalk *walk, KafkaTxnEnded **ended)
{
	int			found = pgt_kafka_txn_map_list_ended(pgt_log_state_slot_number(walk->state), ended);
	int			count = 0;

	for (int i = 0; i < found; i++)
	{
		KafkaTxnEnded *one = &(*ended)[i];

		/* what phase 1 has passed goes with that */
		if (one->end_offset > walk->memory->offset && one->end_offset <= walk->bounds.next_offset && has_outcome(walk, one))
			(*ended)[count++] = *one;
	}
	if (count > 1)
		qsort(*ended, count, sizeof(KafkaTxnEnded), compare_ended);
	return count;
}

/* Settle an entry, if it is one of theirs. */
static void
settle_entry(ResolveWalk *walk, const IndexPlace *place, const IndexEntry *entry, const KafkaTxnEnded *ended, int count)
{
	KafkaTxnEnded wanted = {.number = entry->xid};
	const KafkaTxnEnded *found;

	if (place->id.generation > 0 || !pgt_index_entry_is_numbered(entry))
		return;
	found = bsearch(&wanted, ended, count, sizeof(KafkaTxnEnded), compare_ended);
	if (found == NULL)
		return;
	add_settled(walk, place, found->xid, found->aborted);
	walk->memory->tail_min_xid = Min(walk->memory->tail_min_xid, found->xid);
}

/* Settle their entries from a place on up to an offset.  How far it came. */
static int64
settle_range(ResolveWalk *walk, IndexPlace place, int64 to, const KafkaTxnEnded *ended, int count)
{
	IndexEntry	entries[ENTRIES_PER_READ];
	uint32		read;

	while ((read = read_at(walk, &place, entries)) > 0)
		for (uint32 i = 0; i < read; i++)
		{
			int64		first = place.id.base + entries[i].first_delta;

			if (first >= to || walk->aborted_count + walk->settled_count >= CHANGES_PER_WALK)
				return first;
			settle_entry(walk, &place, &entries[i], ended, count);
			place.entry++;
		}
	return walk->memory->valid ? to : 0;
}

/* The place of an offset.  False if its segment is not there. */
static bool
find_place(ResolveWalk *walk, int64 offset, IndexPlace *place)
{
	Segment    *segment;

	place->id = pgt_partition_log_segment_for(walk->state, &walk->bounds, offset);
	place->entry = 0;
	segment = pgt_log_segments_open(walk->state, place->id);
	if (segment == NULL)
		return false;
	place->entry = pgt_segment_find_offset(segment, pgt_partition_log_entries(segment, &walk->bounds), offset);
	return true;
}

/* Phase 3: Kafka transactions that have ended behind the running one. */
static void
settle_tail(ResolveWalk *walk)
{
	KafkaTxnEnded *ended;
	int			count = list_settleable(walk, &ended);
	int64		from = PG_INT64_MAX;
	int64		to = 0;
	IndexPlace	place;

	if (count == 0)
		return;
	for (int i = 0; i < count; i++)
	{
		from = Min(from, ended[i].first_offset);
		to = Max(to, ended[i].end_offset);
	}
	if (!find_place(walk, Max(from, walk->memory->offset), &place))
		return;
	to = settle_range(walk, place, to, ended, count);
	for (int i = 0; i < count; i++)
		if (ended[i].end_offset <= to)
		{
			appendBinaryStringInfo(&walk->numbers, (char *) &ended[i].number, sizeof(uint64));
			walk->number_count++;
		}
}

/* ---- all phases ---------------------------------------------------------- */

/*
 * Are the remembered places still valid?  They may be at the end of segments that were
 * deleted or rewritten since.
 */
static bool
is_remembered(const ResolveWalk *walk)
{
	const ResolveState *memory = walk->memory;

	return memory->valid && memory->offset == walk->bounds.resolved_offset &&
		pgt_log_segments_open(walk->state, memory->at.id) != NULL &&
		pgt_log_segments_open(walk->state, memory->tail.id) != NULL;
}

/*
 * Find the place of the resolved offset, if the remembered one is not valid.  A binary
 * search may meet a damaged entry that lies elsewhere; so every other time that a
 * partition with an error is tried, the walk begins at the segment's first entry.  False
 * if the rest is left to the next round.
 */
static bool
locate(ResolveWalk *walk)
{
	ResolveState *memory = walk->memory;
	int64		resolved = walk->bounds.resolved_offset;
	SegmentId	id;
	Segment    *segment;

	if (is_remembered(walk))
		return true;
	id = pgt_partition_log_segment_for(walk->state, &walk->bounds, resolved);
	segment = pgt_log_segments_open(walk->state, id);
	if (!follows(walk, resolved, segment))
		return false;
	memory->offset = resolved;
	memory->at.id = id;
	memory->at.entry = segment == NULL || memory->failures % 2 == 1 ? 0 :
		pgt_segment_find_offset(segment, pgt_partition_log_entries(segment, &walk->bounds), resolved);
	memory->tail = memory->at;
	memory->tail_min_xid = NO_XID;
	memory->valid = true;
	return true;
}

/* All phases over one partition. */
static void
walk_partition(void *arg)
{
	ResolveWalk *walk = arg;
	pgt_log_segments_close_deleted(walk->state);
	if (walk->bounds.resolved_offset >= walk->bounds.next_offset)
		walk->memory->tail_min_xid = NO_XID;
	else
	{
		initStringInfo(&walk->aborted);
		initStringInfo(&walk->settled);
		initStringInfo(&walk->numbers);
		if (!locate(walk) || !resolve_forward(walk))
			return;
		scan_tail(walk);
		if (!walk->memory->valid)
			return;
		settle_tail(walk);
		if (!walk->memory->valid)
			return;
	}
	walk->whole = true;
}

/* Write the entries of Kafka transactions' batches anew that the walk has passed, or that it settles in the tail. */
static void
settle(const ResolveWalk *walk)
{
	xl_pgt_settle xlrec = {walk->key, walk->settled_count};
	StringInfoData record;

	if (walk->settled_count == 0)
		return;
	initStringInfo(&record);
	appendBinaryStringInfo(&record, (char *) &xlrec, sizeof(xlrec));
	appendBinaryStringInfo(&record, walk->settled.data, walk->settled.len);
	pgt_log_writer_settle(record.data, record.len);
}

/* Forget the Kafka transactions whose entries are all settled. */
static void
forget_numbers(const ResolveWalk *walk)
{
	xl_pgt_kafka_settled xlrec = {walk->key, walk->number_count};
	StringInfoData record;

	if (walk->number_count == 0)
		return;
	initStringInfo(&record);
	appendBinaryStringInfo(&record, (char *) &xlrec, sizeof(xlrec));
	appendBinaryStringInfo(&record, walk->numbers.data, walk->numbers.len);
	pgt_log_writer_log_kafka_settled(record.data, record.len);
}

/* Do what the walk has found about Kafka transactions. */
static void
settle_and_forget(void *arg)
{
	ResolveWalk *walk = arg;

	settle(walk);
	forget_numbers(walk);
}

/* Flag the batches that the walk has found aborted, and tell the round how far it came. */
static void
flag_and_report(void *arg)
{
	ResolveWalk *walk = arg;
	WalResolvedPartition resolved;

	initStringInfo(&walk->progress);
	memset(&resolved, 0, sizeof(resolved));
	resolved.key = walk->key;
	resolved.aborted_count = walk->aborted_count;
	resolved.resolved_offset = walk->memory->offset;
	resolved.max_xid = walk->max_xid;
	appendBinaryStringInfo(&walk->progress, (char *) &resolved, sizeof(resolved));
	appendBinaryStringInfo(&walk->progress, walk->aborted.data, walk->aborted.len);
	pgt_log_writer_flag_aborted(walk->progress.data, walk->progress.len);
}

/* ---- one partition in a round -------------------------------------------- */

/*
 * The partition has an error: report what that means, and skip it for twice as many rounds
 * as the last time.  The second attempt comes at once, and reads single entries.
 */
static void
skip_for_rounds(ResolveWalk *walk)
{
	ResolveState *memory = walk->memory;

	memory->valid = false;
	if (walk->reading.id.base != NO_SEGMENT)
		memory->bad = walk->reading;
	memory->failures++;
	memory->rounds_out = Min(1U << Min(memory->failures - 1, 16), MOST_ROUNDS_OUT) - 1;
	ereport(LOG,
			(errmsg("partition %d of topic %u in database %u is resolved up to offset %lld only",
					walk->key.partition, walk->key.topic, walk->key.database,
					(long long) memory->offset),
			 errdetail("The commit log is kept from transaction %llu on until the cause of the previous error is removed.",
					   (unsigned long long) memory->kept)));
}

/* The partition was walked to its end. */
static void
note_whole_walk(ResolveWalk *walk)
{
	ResolveState *memory = walk->memory;

	memory->failures = 0;
	memory->walked = true;
	memory->kept = Min(memory->tail_min_xid, walk->running->oldest);
}

/* Is this slot in use?  Forgets what was remembered of another partition in the same slot. */
static bool
begin_walk(ResolveWalk *walk)
{
	ResolveState *memory = walk->memory;
	bool		in_use = pgt_partition_log_slot_bounds(walk->state, &walk->key, &walk->bounds);

	if (in_use && memory->incarnation == walk->bounds.incarnation)
		return true;
	if (!in_use && memory->incarnation != 0)
		pgt_log_segments_close(walk->key.database, walk->key.topic);
	memset(memory, 0, sizeof(*memory));
	memory->incarnation = in_use ? walk->bounds.incarnation : 0;
	memory->kept = pgt_commit_log_held_from();
	memory->tail_min_xid = NO_XID;
	memory->bad.id.base = NO_SEGMENT;
	return in_use;
}

/*
 * Resolve the partition of slot n; returns the oldest transaction that must stay in
 * the commit log for it.
 */
static uint64
resolve_slot(int n, const TransactionSet *running, StringInfo progress)
{
	ResolveWalk walk = {.state = pgt_log_state_slot(n), .memory = &memories[n], .running = running};
	ResolveState *memory = walk.memory;
	bool		settled;
	bool		sound;

	if (!begin_walk(&walk))
		return NO_XID;
	if (memory->rounds_out > 0)
	{
		memory->rounds_out--;
		return memory->kept;
	}
	walk.reading.id.base = NO_SEGMENT;
	memory->offset = memory->valid ? memory->offset : walk.bounds.resolved_offset;
	sound = pgt_catch_error_and_log(walk_partition, &walk);
	settled = pgt_catch_error_and_log(settle_and_forget, &walk);
	sound = sound && settled;
	if (memory->offset > walk.bounds.resolved_offset)
	{
		if (settled && pgt_catch_error_and_log(flag_and_report, &walk))
			appendBinaryStringInfo(progress, walk.progress.data, walk.progress.len);
		else
		{
			memory->offset = walk.bounds.resolved_offset;
			sound = false;
		}
	}
	if (!sound)
		skip_for_rounds(&walk);
	else if (walk.whole)
		note_whole_walk(&walk);
	return sound && walk.whole ? memory->tail_min_xid : memory->kept;
}

/* ---- a round ------------------------------------------------------------- */

/* Resolve all partitions; returns the smallest transaction id still needed. */
static uint64
resolve_round(const TransactionSet *running)
{
	StringInfoData progress;
	uint64		needed = NO_XID;
	uint64		unresolved = NO_XID;	/* without partitions that were never walked to their end */
	int			n = pgt_log_state_slot_count();
	uint64		mapped = pgt_kafka_txn_map_oldest_xid();

	initStringInfo(&progress);
	for (int i = 0; i < n; i++)
	{
		uint64		needed_here = resolve_slot(i, running, &progress);

		needed = Min(needed, needed_here);
		if (memories[i].walked)
			unresolved = Min(unresolved, needed_here);
		if (progress.len >= PROGRESS_PER_RECORD)
		{
			pgt_log_writer_log_resolved(progress.data, progress.len);
			resetStringInfo(&progress);
		}
	}
	if (progress.len > 0)
		pgt_log_writer_log_resolved(progress.data, progress.len);
	/* what is mapped later is mapped to a transaction that was running when the round began, or to a later one */
	needed = Min(needed, mapped);
	unresolved = Min(unresolved, mapped);
	pg_atomic_write_u64(&pgt_log_state->oldest_unresolved_xid,
						unresolved == NO_XID ? 0 : unresolved);
	return needed;
}

void
pgt_log_resolve_all(void)
{
	TransactionSet running;
	MemoryContext old;
	uint64		needed;

	if (memories == NULL)
	{
		memories = MemoryContextAllocZero(TopMemoryContext,
										  pgt_log_state->max_partitions * sizeof(ResolveState));
		round_context = AllocSetContextCreate(TopMemoryContext, "pg_topics resolve",
											  ALLOCSET_DEFAULT_SIZES);
	}

	old = MemoryContextSwitchTo(round_context);
	pgt_commit_log_hold();
	pgt_transaction_list_running(&running);
	needed = resolve_round(&running);
	/* if no sync process writes the recovery point, it must be written before the commit log may be cut */
	pgt_log_sync_if_alone();
	pgt_commit_log_release(Min(needed, running.oldest));

	/* so that pg_stat_activity shows what keeps the commit log */
	if (!IsTransactionState())
		MyProc->xmin = (TransactionId) pgt_commit_log_held_from();
	MemoryContextSwitchTo(old);
	MemoryContextReset(round_context);
}
