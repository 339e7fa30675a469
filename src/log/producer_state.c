/*
 * producer_state.c
 *	  What a partition remembers of idempotent producers.
 *
 * producer_sequence.h has the rules, for one producer.  Here they meet the partitions, the
 * commit log, the clock and the table.
 *
 *	  append	check, under the slot's lock and before anything is written; apply, when the
 *				batch is published
 *	  redo		apply
 *	  resolve, delete		settle what lies below the offset, in redo as well
 *	  sync		save all of it beside the recovery point (producer_file.c)
 *	  server start			restore that; redo adds what came after
 *	  drop		the slot's entries go with it (log_state.c)
 *
 * A partition that is truncated, or whose records are deleted, keeps its producers.  A batch
 * that was appended before and is sent again would otherwise come back.
 *
 * When a batch's transaction matters, the commit log is asked.  It has the outcome until the
 * batch is resolved, and from then on the entry itself has it.  A batch of a transaction that is
 * running in another process makes the caller wait, whatever is sent behind it: if that
 * transaction aborts, a batch that had gone on from it would leave a gap.  The broker's
 * transactions last for one turn of its loop, so this is short.  Where the commit log has
 * forgotten a transaction, because the server ran without this library, producers wait likewise
 * until the batch is resolved.
 *
 * A batch of a Kafka transaction counts as soon as it is appended, also if the transaction is aborted
 * later.  So it is in Kafka, whose ProducerStateManager moves a producer's numbers on with each append
 * and asks for no outcome: a producer that has aborted goes on behind its last number, and does not
 * send those batches again.
 *
 * The clock is the server's.  Kafka's brokers go by the timestamps of records, which
 * producers choose.  Redo takes the time of the replay, and so the same order.
 *
 * While no sync process runs, no batch of an idempotent producer is appended
 * (SEQUENCE_BUSY): a checkpoint could pass it that has not saved what is remembered of it.
 * The check is under the slot's lock, and a sync process that ends makes a last sync, which
 * passes every lock.
 *
 * A server whose table is full forgets the producer that was idle for the longest time, if that was longer
 * than any client sends a batch again.  Else it forgets one of the partition that has the most
 * producers: who may produce to one topic, and begins as a new producer with each batch, must not
 * make the server forget those of other topics.  If one that was forgotten comes back, any of its batches
 * is taken, as of a producer that is not known.
 *
 * Locks: the slot's, as each function says.  An entry of another partition is removed
 * before the caller takes its own slot's lock.
 */
#include "postgres.h"

#include "log/producer_state.h"
#include "util/clock.h"
#include "util/transaction.h"

#define GROUP_PRODUCERS		32	/* of which batches are appended by one write */
#define RETRIES_END_MS		600000	/* five times Kafka's delivery.timeout.ms */
#define MOST_EVICTIONS		16	/* for one append, if others take what was freed */
#define FULL_MESSAGE_MS		60000	/* between two messages of a process that the table is full */

int			pgt_producer_id_expiration_ms = 86400000;

static inline SequenceRange
range_of(const LogAppendRequest *request)
{
	return pgt_producer_sequence_range(request->producer_epoch, request->base_sequence,
									   request->last_offset_delta + 1);
}

static inline int
slot_of(const PartitionState *state)
{
	return state - pgt_log_state->partitions;
}

static void
note_change(void)
{
	pg_atomic_write_u32(&pgt_log_state->producers_changed, 1);
}

/* ---- room ---------------------------------------------------------------- */

/* An entry that is to go unless it was used meanwhile. */
typedef struct IdleProducer
{
	int64		producer_id;
	int64		last_time;
} IdleProducer;

static bool
is_idle_producer(ProducerSequence *sequence, void *arg)
{
	const IdleProducer *idle = arg;

	return sequence->producer_id == idle->producer_id && sequence->last_time == idle->last_time;
}

/* Tell the administrator, but not for each producer. */
static void
report_full(const IdleProducer *idle)
{
	static int64 reported = 0;
	int64		now = pgt_clock_monotonic_us();

	if (reported != 0 && now - reported < FULL_MESSAGE_MS * INT64CONST(1000))
		return;
	reported = now;
	ereport(LOG,
			(errmsg("forgetting idempotent producers because there are more than %d",
					pgt_producer_table_room()),
			 errdetail("The one that goes now was idle for %lld ms.",
					   (long long) (pgt_clock_shifted_now_ms() - idle->last_time / 1000)),
			 errhint("Raise pg_topics.kafka_max_producers and restart the server.")));
}

/* Choose the entry that is to go.  False if there is none. */
static bool
choose_idle(int *slot, IdleProducer *idle)
{
	int			fullest;

	if (!pgt_producer_table_longest_idle(-1, slot, &idle->producer_id, &idle->last_time))
		return false;
	if (idle->last_time / 1000 < pgt_clock_shifted_now_ms() - RETRIES_END_MS)
		return true;
	fullest = pgt_producer_table_fullest_slot(pgt_max_partitions);
	/* all of it may have gone meanwhile; then what was found before will do */
	if (fullest >= 0)
		(void) pgt_producer_table_longest_idle(fullest, slot, &idle->producer_id, &idle->last_time);
	return true;
}

/* Remove an entry.  False if there is none. */
static bool
evict(void)
{
	IdleProducer idle;
	PartitionState *state;
	int			slot;

	if (!choose_idle(&slot, &idle))
		return false;
	report_full(&idle);
	state = pgt_log_state_slot(slot);
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	if (pgt_producer_table_remove(&state->producers, is_idle_producer, &idle) > 0)
		note_change();
	LWLockRelease(&state->lock);
	return true;
}

/* Does the partition know the producer? */
static bool
is_known(PartitionState *state, int64 producer_id)
{
	bool		known;

	LWLockAcquire(&state->lock, LW_SHARED);
	known = pgt_producer_table_has(&state->producers, producer_id);
	LWLockRelease(&state->lock);
	return known;
}

void
pgt_producer_state_make_room(PartitionState *state, int64 producer_id)
{
	if (likely(!pgt_producer_table_is_full()) || is_known(state, producer_id))
		return;
	for (int i = 0; i < MOST_EVICTIONS && pgt_producer_table_is_full(); i++)
		if (!evict())
			return;
}

/* The producer's entry, made if it has none; NULL if the table is full. */
static ProducerSequence *
find_or_add(PartitionState *state, int64 producer_id)
{
	ProducerSequence *sequence = pgt_producer_table_find(&state->producers, producer_id);

	return sequence != NULL ? sequence :
		pgt_producer_table_add(&state->producers, slot_of(state), producer_id, pgt_producer_table_time());
}

/* ---- outcomes ------------------------------------------------------------ */

/* How a transaction has ended. */
static SequenceOutcome
ask_ended(uint64 xid, void *arg)
{
	switch (pgt_transaction_outcome(xid))
	{
		case TRANSACTION_COMMITTED:
			return SEQUENCE_COMMITTED;
		case TRANSACTION_ABORTED:
			return SEQUENCE_ABORTED;
		default:
			return SEQUENCE_OPEN;
	}
}

/* How a transaction stands that may be running; "arg" is the one that asks. */
static SequenceOutcome
ask_running(uint64 xid, void *arg)
{
	TransactionSet running;
	bool		is_running;

	if (xid == *(const uint64 *) arg)
		return SEQUENCE_OWN;
	if (pgt_transaction_outcome(xid) == TRANSACTION_COMMITTED)
		return SEQUENCE_COMMITTED;

	/* the commit log does not tell a transaction that aborted from one that is running */
	pgt_transaction_list_running(&running);
	is_running = pgt_transaction_is_running(&running, xid);
	pfree(running.xids);
	return is_running ? SEQUENCE_OPEN : ask_ended(xid, arg);
}

/* ---- appending ----------------------------------------------------------- */

/* The transaction on which it depends whether a batch counts; 0: on none. */
static inline uint64
decider(uint64 xid)
{
	return (xid & ENTRY_NUMBERED) != 0 ? 0 : xid;
}

/* The producer's entry, for a batch of it; NULL if none may be appended now. */
static ProducerSequence *
sequence_for_append(PartitionState *state, int64 producer_id)
{
	Assert(LWLockHeldByMeInMode(&state->lock, LW_EXCLUSIVE));
	return pg_atomic_read_u32(&pgt_log_state->self_sync) == 0 ? find_or_add(state, producer_id) : NULL;
}

SequenceVerdict
pgt_producer_state_check(PartitionState *state, LogAppendRequest *request, uint64 xid)
{
	SequenceRange range = range_of(request);
	SequenceVerdict verdict;
	ProducerSequence *sequence = sequence_for_append(state, request->producer_id);

	if (sequence == NULL)
		return SEQUENCE_BUSY;
	verdict = pgt_producer_sequence_check(sequence, &range, ask_running, &xid, &request->base_offset);
	request->producer_starts = range.starts;
	return verdict;
}

/*
 * Producers of the group, as they will be when it is appended.  They are copies, since the write
 * may fail.
 */
static ProducerSequence group[GROUP_PRODUCERS];
static int	group_count = 0;

void
pgt_producer_state_begin_group(void)
{
	group_count = 0;
}

/* The producer in the group; it joins if it can.  NULL if it cannot. */
static ProducerSequence *
find_in_group(PartitionState *state, int64 producer_id)
{
	const ProducerSequence *sequence;

	for (int i = group_count - 1; i >= 0; i--)
		if (group[i].producer_id == producer_id)
			return &group[i];
	if (group_count == GROUP_PRODUCERS)
		return NULL;
	sequence = sequence_for_append(state, producer_id);
	if (sequence == NULL)
		return NULL;
	group[group_count] = *sequence;
	return &group[group_count++];
}

bool
pgt_producer_state_joins_group(PartitionState *state, LogAppendRequest *request, int64 base_offset, uint64 xid)
{
	SequenceRange range = range_of(request);
	ProducerSequence *sequence = find_in_group(state, request->producer_id);
	int64		offset;

	if (sequence == NULL ||
		pgt_producer_sequence_check(sequence, &range, ask_running, &xid, &offset) != SEQUENCE_GOES_ON)
		return false;
	request->producer_starts = range.starts;
	pgt_producer_sequence_apply(sequence, &range, base_offset, decider(xid), 0);
	return true;
}

void
pgt_producer_state_apply(PartitionState *state, const LogAppendRequest *request, uint64 xid)
{
	SequenceRange range = range_of(request);
	ProducerSequence *sequence;

	Assert(LWLockHeldByMeInMode(&state->lock, LW_EXCLUSIVE));
	sequence = find_or_add(state, request->producer_id);
	if (sequence == NULL)
		return;
	range.starts = request->producer_starts;
	pgt_producer_sequence_apply(sequence, &range, request->base_offset, decider(xid), pgt_producer_table_time());
	note_change();
}

/* Settle one producer; true if it must be forgotten. */
static bool
settle_producer(ProducerSequence *sequence, void *arg)
{
	return !pgt_producer_sequence_settle(sequence, *(const int64 *) arg, ask_ended, NULL);
}

void
pgt_producer_state_settle(PartitionState *state, int64 below)
{
	if (likely(state->producers.first == 0))
		return;
	Assert(LWLockHeldByMeInMode(&state->lock, LW_EXCLUSIVE));
	(void) pgt_producer_table_remove(&state->producers, settle_producer, &below);
	note_change();
}

/* ---- expiry -------------------------------------------------------------- */

static bool
is_expired(ProducerSequence *sequence, void *arg)
{
	return sequence->last_time <= *(const int64 *) arg;
}

void
pgt_producer_state_expire(void)
{
	int64		idle_since = (pgt_clock_shifted_now_ms() - pgt_producer_id_expiration_ms) * 1000;
	int			n = pgt_log_state_slot_count();

	for (int i = 0; i < n; i++)
	{
		PartitionState *state = pgt_log_state_slot(i);

		/* read without the lock: what is missed now goes the next time */
		if (state->producers.first == 0)
			continue;
		LWLockAcquire(&state->lock, LW_EXCLUSIVE);
		if (pgt_producer_table_remove(&state->producers, is_expired, &idle_since) > 0)
			note_change();
		LWLockRelease(&state->lock);
	}
}

/* ---- saving and restoring -------------------------------------------------- */

int
pgt_producer_state_save(const PartitionState *state, ProducerFileEntry *entries, int room)
{
	const ProducerSequence *sequence = NULL;
	int			count = 0;

	while (count < room && (sequence = pgt_producer_table_next(&state->producers, sequence)) != NULL)
	{
		ProducerFileEntry *entry = &entries[count];

		/* nothing was appended by it: the append has failed, or is still to come */
		if (sequence->epoch == NO_PRODUCER_EPOCH)
			continue;
		memset(entry, 0, sizeof(*entry));
		entry->key = state->key;
		entry->sequence = *sequence;
		/* what is seen may not be durable */
		entry->sequence.seen = 0;
		count++;
	}
	return count;
}

/* Take over one producer. */
static void
restore_producer(const ProducerFileEntry *entry)
{
	PartitionState *state = pgt_log_state_find(&entry->key);
	ProducerSequence *sequence;

	/* its partition was dropped since, or redo makes it and all that is in it */
	if (state == NULL)
		return;
	pgt_producer_table_raise_time(entry->sequence.last_time);
	pgt_producer_state_make_room(state, entry->sequence.producer_id);
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	sequence = find_or_add(state, entry->sequence.producer_id);
	if (sequence != NULL)
	{
		*sequence = entry->sequence;
		/* the WAL has these batches, or they are lost with it */
		pgt_producer_sequence_cut(sequence, state->next_offset);
	}
	LWLockRelease(&state->lock);
}

void
pgt_producer_state_restore(const ProducerFileEntry *entries, int count)
{
	for (int i = 0; i < count; i++)
		restore_producer(&entries[i]);
}
